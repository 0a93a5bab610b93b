package lease

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkCounts compares what a life cycle changes: the bindings of the link, the offers and remembered ones in all.
func checkCounts(t *testing.T, table *Table, l *Link, bindings, offers, free int) {
	t.Helper()
	checkTable(t, table)
	if l.Len() != bindings || table.offers.n != offers || table.free.n != free {
		t.Errorf("%d bindings, %d offers, %d remembered, want %d, %d, %d",
			l.Len(), table.offers.n, table.free.n, bindings, offers, free)
	}
}

var wide = ids(0x100, 0xffff)

func TestLookup(t *testing.T) {
	table, l := newLink(Limits{})
	a, p := address(t, l, 1, wide, 0x123), prefix(t, l, 1, wide, 62, 0x200)
	tests := []struct {
		name string
		link *Link
		duid []byte
		iaid uint32
		kind Kind
		want *Binding
	}{
		{"address", l, client(1), 1, Address, a},
		{"prefix of the same IAID", l, client(1), 1, Prefix, p},
		{"another IAID", l, client(1), 2, Address, nil},
		{"another client", l, client(2), 1, Address, nil},
		{"another link", table.Link("guest"), client(1), 1, Address, nil},
		{"a longer DUID", l, append(client(1), 0), 1, Address, nil},
		{"no DUID", l, nil, 1, Address, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.link.Lookup(tt.duid, tt.iaid, tt.kind); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
	if l.Address(0x123) != a || l.Address(0x200) != nil {
		t.Error("Address does not find the binding by its id")
	}
}

// What is kept must not alias the packet.
func TestDUIDIsCopied(t *testing.T) {
	table, l := newLink(Limits{})
	duid := client(1)
	b := l.AllocateAddress(duid, 1, wide, noWish)
	duid[9] = 99
	if l.Lookup(client(1), 1, Address) != b || !slices.Equal(b.Client(), client(1)) {
		t.Error("the binding changed with the caller's octets")
	}
	checkTable(t, table)
}

func TestOfferLimitOfLink(t *testing.T) {
	table, l := newLink(Limits{})
	for n := range 5 {
		table.Offer(address(t, l, n, wide, noWish), seconds(60), 3)
	}
	table.Offer(address(t, table.Link("guest"), 99, wide, noWish), seconds(60), 3)
	checkCounts(t, table, l, 3, 4, 0)
	for n := range 5 {
		if got, want := l.Lookup(client(n), 1, Address) != nil, n >= 2; got != want {
			t.Errorf("offer %d is there: %v, want %v", n, got, want)
		}
	}
}

func TestOfferLimitOfLinkAmongOthers(t *testing.T) {
	table, l := newLink(Limits{})
	guest := table.Link("guest")
	for n := range 3 {
		table.Offer(address(t, guest, n, wide, noWish), seconds(60), 3)
	}
	table.Offer(address(t, l, 10, wide, noWish), seconds(60), 1)
	table.Offer(address(t, l, 11, wide, noWish), seconds(60), 1)
	checkCounts(t, table, l, 1, 4, 0)
	if guest.Len() != 3 {
		t.Errorf("the other link has %d offers, want 3", guest.Len())
	}
}

func TestOfferLimitInAll(t *testing.T) {
	table, l := newLink(Limits{Offers: 3})
	guest := table.Link("guest")
	table.Offer(address(t, guest, 9, wide, noWish), seconds(60), 10)
	for n := range 4 {
		table.Offer(address(t, l, n, wide, noWish), seconds(60), 10)
	}
	checkCounts(t, table, l, 3, 3, 0)
	if guest.Len() != 0 || l.Lookup(client(0), 1, Address) != nil {
		t.Error("the oldest offers are still there")
	}
}

// A limit of 0 refuses the offer itself; the caller sees that with Holds.
func TestOfferLimitZero(t *testing.T) {
	table, l := newLink(Limits{})
	b := address(t, l, 1, wide, noWish)
	table.Offer(b, seconds(60), 0)
	checkCounts(t, table, l, 0, 0, 0)
	if l.Holds(b) {
		t.Error("Holds: true for a removed binding")
	}
}

func TestDefaultLimits(t *testing.T) {
	for _, limits := range []Limits{{}, {Offers: -1, Free: -1}} {
		if got := NewTable(epoch, limits).limits; got != (Limits{Offers: 1024, Free: 4096}) {
			t.Errorf("%+v", got)
		}
	}
}

// An offer made again is the newest, and counts once.
func TestOfferAgain(t *testing.T) {
	table, l := newLink(Limits{})
	first, second := address(t, l, 1, wide, noWish), address(t, l, 2, wide, noWish)
	for _, b := range []*Binding{first, second, first, first} {
		table.Offer(b, seconds(60), 2)
	}
	checkCounts(t, table, l, 2, 2, 0)
	table.Offer(address(t, l, 3, wide, noWish), seconds(60), 2)
	checkCounts(t, table, l, 2, 2, 0)
	if l.Holds(second) || !l.Holds(first) {
		t.Error("the older offer was kept")
	}
}

// What a remembered binding was promised is over when it is offered again.
func TestOfferRemembered(t *testing.T) {
	table, l := newLink(Limits{})
	b := bind(table, address(t, l, 1, wide, noWish), seconds(60))
	table.Free(b)
	table.Offer(b, seconds(90), 10)
	checkCounts(t, table, l, 1, 1, 0)
	if b.State != Offered || b.Deadline != seconds(90) || len(b.Leases) != 0 {
		t.Errorf("binding %+v", b)
	}
}

// A Solicit of a client that is bound takes nothing away from it.
func TestOfferToBound(t *testing.T) {
	table, l := newLink(Limits{})
	b := bind(table, address(t, l, 1, wide, noWish), seconds(100))
	table.Offer(b, seconds(60), 10)
	checkCounts(t, table, l, 1, 0, 0)
	if b.State != Bound || b.Deadline != seconds(100) || len(b.Leases) != 1 {
		t.Errorf("binding %+v", b)
	}
}

func TestHold(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(table *Table, b *Binding)
		want    State
	}{
		{"new", func(*Table, *Binding) {}, New},
		{"offered", func(table *Table, b *Binding) { table.Offer(b, seconds(60), 10) }, New},
		{"free", func(table *Table, b *Binding) { table.Free(b) }, New},
		{"bound", func(table *Table, b *Binding) { bind(table, b, seconds(60)) }, Bound},
		{"declined", func(table *Table, b *Binding) { table.Decline(b, seconds(60)) }, Declined},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, l := newLink(Limits{})
			b := address(t, l, 1, ids(5, 5), 5)
			tt.prepare(table, b)
			table.Hold(b)
			if b.State != tt.want {
				t.Errorf("state %v, want %v", b.State, tt.want)
			}
			if l.AllocateAddress(client(2), 1, ids(5, 5), 5) != nil {
				t.Error("another client got the id")
			}
			checkCounts(t, table, l, 1, 0, 0)
		})
	}
}

func TestBindDeadline(t *testing.T) {
	tests := []struct {
		name  string
		valid []Time
		want  Time
	}{
		{"no lease", nil, 0},
		{"the last of three", []Time{seconds(10), seconds(30), seconds(20)}, seconds(30)},
		{"Infinity", []Time{seconds(10), Never}, Never},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, l := newLink(Limits{})
			b := address(t, l, 1, wide, noWish)
			for _, valid := range tt.valid {
				b.Leases = append(b.Leases, Lease{Valid: valid})
			}
			table.Bind(b)
			if b.State != Bound || b.Deadline != tt.want || table.Next() != tt.want {
				t.Errorf("%v until %d, next %d, want %d", b.State, b.Deadline, table.Next(), tt.want)
			}
			checkTable(t, table)
		})
	}
}

func TestFreeRemembers(t *testing.T) {
	table, l := newLink(Limits{Free: 2})
	for n := range 4 {
		b := bind(table, address(t, l, n, wide, noWish), seconds(60))
		b.Hostname = "host"
		table.Free(b)
		if b.State != Free || b.Deadline != Never || len(b.Leases) != 1 || !l.Holds(b) {
			t.Errorf("binding %+v", b)
		}
	}
	checkCounts(t, table, l, 2, 0, 2)
	if l.Lookup(client(1), 1, Address) != nil || l.Lookup(client(2), 1, Address) == nil {
		t.Error("not the longest unused was forgotten")
	}
	if table.Next() != Never {
		t.Errorf("next deadline %d, want none", table.Next())
	}
}

// What is freed again is the newest.
func TestFreeAgain(t *testing.T) {
	table, l := newLink(Limits{Free: 2})
	first, second := address(t, l, 1, wide, noWish), address(t, l, 2, wide, noWish)
	for _, b := range []*Binding{first, second, first} {
		table.Free(b)
	}
	checkCounts(t, table, l, 2, 0, 2)
	table.Free(address(t, l, 3, wide, noWish))
	checkCounts(t, table, l, 2, 0, 2)
	if !l.Holds(first) || l.Holds(second) {
		t.Error("not the longest unused was forgotten")
	}
}

func TestSetLimitsLater(t *testing.T) {
	table, l := newLink(Limits{})
	for n := range 6 {
		table.Free(address(t, l, n, wide, noWish))
		table.Offer(address(t, l, 10+n, wide, noWish), seconds(60), 10)
	}
	table.SetLimits(Limits{Offers: 2, Free: 3})
	checkCounts(t, table, l, 12, 6, 6)
	table.Free(address(t, l, 20, wide, noWish))
	table.Offer(address(t, l, 21, wide, noWish), seconds(60), 10)
	checkCounts(t, table, l, 5, 2, 3)
}

func TestDecline(t *testing.T) { // section 18.3.8
	table, l := newLink(Limits{})
	b := bind(table, address(t, l, 1, wide, 0x123), seconds(60))
	b.Hostname = "host"
	table.Decline(b, seconds(3600))
	checkCounts(t, table, l, 1, 0, 0)
	if b.State != Declined || len(b.Client()) != 0 || b.Hostname != "" || b.Leases != nil || b.Deadline != seconds(3600) {
		t.Errorf("binding %+v", b)
	}
	if l.Lookup(client(1), 1, Address) != nil || l.Holds(b) {
		t.Error("the client still has the address")
	}
	if again := address(t, l, 1, wide, 0x123); again.ID == 0x123 {
		t.Error("the declined address was given out again")
	}
	if got, _ := table.Expire(seconds(3599)); got != nil {
		t.Errorf("the quarantine ended early: %+v", got)
	}
	if got, state := table.Expire(seconds(3600)); got != b || state != Declined {
		t.Errorf("expired %+v, %v", got, state)
	}
	checkID(t, address(t, l, 2, wide, 0x123), 0x123)
	checkTable(t, table)
}

// Two quarantined addresses have no client both.
func TestDeclineTwo(t *testing.T) {
	table, l := newLink(Limits{})
	for n := range 2 {
		table.Decline(bind(table, address(t, l, n, wide, noWish), seconds(60)), seconds(10))
	}
	checkCounts(t, table, l, 2, 0, 0)
	for range 2 {
		if b, state := table.Expire(seconds(10)); b == nil || state != Declined {
			t.Errorf("expired %+v, %v", b, state)
		}
	}
	checkCounts(t, table, l, 0, 0, 0)
}

func TestRemove(t *testing.T) {
	for state := New; state <= Declined; state++ {
		t.Run(state.String(), func(t *testing.T) {
			table, l := newLink(Limits{})
			for _, b := range []*Binding{address(t, l, 1, wide, 0x123), prefix(t, l, 1, wide, 62, 0x200)} {
				enter(table, b, state)
				table.Remove(b)
				if l.Holds(b) || l.Lookup(client(1), 1, b.Kind) != nil {
					t.Errorf("%v is still there", b.Kind)
				}
			}
			checkCounts(t, table, l, 0, 0, 0)
			if table.Next() != Never {
				t.Errorf("next deadline %d, want none", table.Next())
			}
		})
	}
}

// enter brings a new binding into a state.
func enter(table *Table, b *Binding, s State) {
	switch s {
	case Offered:
		table.Offer(b, seconds(60), 10)
	case Bound:
		bind(table, b, seconds(60))
	case Free:
		table.Free(b)
	case Declined:
		table.Decline(b, seconds(60))
	}
}

// To remove a binding that an offer too many has removed already must not hurt the one that has its id now.
func TestRemoveTwice(t *testing.T) {
	table, l := newLink(Limits{})
	oldAddress, oldPrefix := address(t, l, 1, wide, 0x123), prefix(t, l, 1, wide, 62, 0x200)
	table.Remove(oldAddress)
	table.Remove(oldPrefix)
	table.Remove(oldPrefix)
	newAddress, newPrefix := address(t, l, 2, wide, 0x123), prefix(t, l, 2, wide, 62, 0x200)
	table.Remove(oldAddress)
	table.Remove(oldPrefix)
	if l.Address(0x123) != newAddress || l.PrefixAt(0x200, 4) != newPrefix {
		t.Error("another client's binding is gone")
	}
	checkCounts(t, table, l, 2, 0, 0)
}

func TestOrder(t *testing.T) {
	table := NewTable(epoch, Limits{})
	for _, name := range []string{"lan", "guest", "br-lan", "iot"} {
		l := table.Link(name)
		for i, id := range []uint64{0x300, 0x100, 0x200} {
			prefix(t, l, i, wide, 62, id)
			address(t, l, i, wide, id)
		}
	}
	var got []string
	for _, l := range table.Links() {
		got = append(got, l.Name)
		for _, b := range l.Bindings() {
			got = append(got, fmt.Sprintf("%v/%x", b.Kind, b.ID))
		}
	}
	each := " IA_NA/100 IA_NA/200 IA_NA/300 IA_PD/100 IA_PD/200 IA_PD/300"
	want := "br-lan" + each + " guest" + each + " iot" + each + " lan" + each
	if strings.Join(got, " ") != want {
		t.Errorf("%v, want %v", got, want)
	}
	if table.Link("lan") != table.Links()[3] {
		t.Error("Link made another link of the same name")
	}
}

func TestFind(t *testing.T) {
	p1, p2 := netip.MustParsePrefix("2001:db8::1/128"), netip.MustParsePrefix("2001:db8::/56")
	b := &Binding{Leases: []Lease{{Prefix: p1}, {Prefix: p2}}}
	if b.Find(p2) != &b.Leases[1] {
		t.Errorf("%v: not found", p2)
	}
	longer, neighbour := netip.MustParsePrefix("2001:db8::/57"), netip.MustParsePrefix("2001:db8::2/128")
	for _, p := range []netip.Prefix{{}, longer, neighbour} {
		if got := b.Find(p); got != nil {
			t.Errorf("%v: found %v", p, got.Prefix)
		}
	}
}

func TestNames(t *testing.T) {
	if Address.String() != "IA_NA" || Prefix.String() != "IA_PD" {
		t.Errorf("kinds %v, %v", Address, Prefix)
	}
	for state, want := range []string{"new", "offered", "bound", "free", "declined"} {
		if got := State(state).String(); got != want {
			t.Errorf("state %d: %q, want %q", state, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	table := NewTable(epoch, Limits{})
	if got := table.At(epoch.Add(90 * time.Second)); got != seconds(90) {
		t.Errorf("At: %d", got)
	}
	if got := table.Wall(seconds(90)); !got.Equal(epoch.Add(90 * time.Second)) {
		t.Errorf("Wall: %v", got)
	}
	if got := table.At(epoch.Add(-time.Second)); got != seconds(-1) {
		t.Errorf("At before the epoch: %d", got)
	}
}

// How many bindings a client has on a link: those that are bound, whatever becomes of them.
func TestBound(t *testing.T) {
	table := NewTable(time.Time{}, Limits{})
	l := table.Link("lan")
	pool := Pool{Span: Span{First: 1, Last: 100}}
	var all []*Binding
	want := func(n int) {
		t.Helper()
		if got := l.Bound("client"); got != n || table.Link("guest").Bound("client") != 0 || l.Bound("other") != 0 {
			t.Errorf("%d bindings, want %d", got, n)
		}
		if err := table.Check(); err != nil {
			t.Error(err)
		}
	}
	for iaid := range uint32(4) {
		b := l.AllocateAddress([]byte("client"), iaid, pool, 0)
		table.Bind(b)
		table.Bind(b) // renewed
		all = append(all, b)
		want(int(iaid) + 1)
	}
	table.Free(all[0])
	want(3)
	table.Remove(all[1])
	want(2)
	table.Decline(all[2], 100)
	want(1)
	table.Free(all[3])
	want(0)
	table.Bind(all[3])
	want(1)
}

// TestRoom: the leases of a binding, as many as most have, need no memory of their own, and are no other binding's.
func TestRoom(t *testing.T) {
	_, l := newLink(Limits{})
	pool := ids(0x100, 0x1ff)
	a, b := l.AllocateAddress(client(1), 1, pool, 0x100), l.AllocateAddress(client(2), 1, pool, 0x101)
	p1, p2 := netip.MustParsePrefix("2001:db8::1/128"), netip.MustParsePrefix("fd00::1/128")
	leases := []Lease{{Prefix: p1}, {Prefix: p2}}
	if n := testing.AllocsPerRun(10, func() { a.Leases = append(a.Leases[:0], leases...) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	b.Leases = append(b.Leases, Lease{Prefix: p2})
	if a.Leases[0].Prefix != p1 || a.Leases[1].Prefix != p2 || len(b.Leases) != 1 {
		t.Errorf("leases %v and %v", a.Leases, b.Leases)
	}
}
