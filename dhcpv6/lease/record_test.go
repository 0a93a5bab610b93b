package lease_test

import (
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6/lease"
)

var boot = lease.Clock{Boot: [16]byte{1}, Since: int64(time.Hour), Wall: 1_790_000_000_000_000_000}

// later is a reading of the same clocks after d.
func later(c lease.Clock, d time.Duration) lease.Clock {
	c.Since += int64(d)
	c.Wall += int64(d)
	return c
}

// filled is a table with a bound address, a bound prefix, a free and a declined address, and all of it as records.
func filled(t testing.TB) (*lease.Table, []byte) {
	t.Helper()
	table := lease.NewTable(time.Now(), lease.Limits{})
	records := table.AppendAll(nil, 0, boot)
	link := table.Link("lan")
	pool := lease.Pool{Span: lease.Span{First: 0x100, Last: 0xfff}}
	for i, s := range []string{"2001:db8::/128", "2001:db8::/128", "2001:db8::/128", "2001:db8:0:10::/60"} {
		var b *lease.Binding
		if p := netip.MustParsePrefix(s); i < 3 {
			b = link.AllocateAddress([]byte{0, 1, byte(i)}, uint32(i), pool, uint64(0x200+i))
			b.Leases = []lease.Lease{{Prefix: p, Preferred: lease.Time(0).After(100), Valid: lease.Time(0).After(200)}}
		} else {
			b = link.AllocatePrefix([]byte{0, 1, byte(i)}, uint32(i), pool, 60, 0x110)
			b.Leases = []lease.Lease{{Prefix: p, Preferred: lease.Time(0).After(100), Valid: lease.Never},
				{Prefix: netip.MustParsePrefix("2001:db8:1:10::/60"), Valid: lease.Time(0).After(50), Withdrawn: true}}
		}
		b.Hostname, b.Fixed = "host", i == 0
		if i > 0 {
			b.Peer = netip.MustParseAddr("fe80::2")
		}
		if i == 3 {
			b.PeerLink = "guest"
		}
		table.Bind(b)
		switch i {
		case 1:
			table.Free(b)
		case 2:
			table.Decline(b, lease.Time(0).After(3600))
		}
		records = table.AppendChanges(records, 0, boot)
	}
	return table, records
}

// restored is a new table with the records, at its moment 0.
func restored(t testing.TB, records []byte, clock lease.Clock) *lease.Table {
	t.Helper()
	table := lease.NewTable(time.Now(), lease.Limits{})
	if n, err := lease.Whole(records); n != len(records) {
		t.Fatalf("of %d octets %d are whole: %v", len(records), n, err)
	}
	if err := table.Restore(records, 0, clock); err != nil {
		t.Fatal(err)
	}
	if err := table.Check(); err != nil {
		t.Fatal(err)
	}
	return table
}

// wantSame expects the same bindings in both, their times in b earlier by d.
func wantSame(t *testing.T, a, b *lease.Table, d time.Duration) {
	t.Helper()
	want, got := a.Link("lan").Bindings(), b.Link("lan").Bindings()
	if len(want) != len(got) {
		t.Fatalf("%d bindings, want %d", len(got), len(want))
	}
	same := func(what string, w, g lease.Time) {
		if w == lease.Never && g != w || w != lease.Never && g != w-lease.Time(d) {
			t.Errorf("%s %v, want %v - %v", what, time.Duration(g), time.Duration(w), d)
		}
	}
	for i, w := range want {
		g := got[i]
		if w.Key != g.Key || w.State != g.State || w.ID != g.ID || w.Length != g.Length || w.Fixed != g.Fixed ||
			w.Hostname != g.Hostname || w.Peer != g.Peer || w.PeerLink != g.PeerLink || len(w.Leases) != len(g.Leases) {
			t.Errorf("binding %+v, want %+v", g, w)
			continue
		}
		same("deadline", w.Deadline, g.Deadline)
		for j, k := range w.Leases {
			if k.Prefix != g.Leases[j].Prefix || k.Withdrawn != g.Leases[j].Withdrawn {
				t.Errorf("lease %+v, want %+v", g.Leases[j], k)
			}
			same("preferred", k.Preferred, g.Leases[j].Preferred)
			same("valid", k.Valid, g.Leases[j].Valid)
		}
	}
}

// TestRestore: what was recorded one by one, and what is recorded as a whole, comes back, and its remaining lifetimes
// follow the boot's clock whatever the wall clock did.
func TestRestore(t *testing.T) {
	table, changes := filled(t)
	if more := table.AppendChanges(nil, 0, boot); len(more) != 0 {
		t.Errorf("nothing has changed, and %d octets are recorded", len(more))
	}
	const down = 20 * time.Second
	for name, step := range map[string]time.Duration{
		"no step": 0, "a day back": -24 * time.Hour, "ten years on": 87600 * time.Hour,
		"to 1970": -time.Duration(boot.Wall),
	} {
		t.Run(name, func(t *testing.T) {
			now := later(boot, down)
			now.Wall += int64(step)
			wantSame(t, table, restored(t, changes, now), down)
			whole := restored(t, changes, now).AppendAll(nil, 0, now)
			wantSame(t, table, restored(t, whole, later(now, down)), 2*down)
		})
	}
}

// TestRestoreStepped: the wall clock is stepped while the table is in use.
func TestRestoreStepped(t *testing.T) {
	for _, step := range []time.Duration{-24 * time.Hour, 87600 * time.Hour, 2 * time.Second} {
		table, records := filled(t)
		now := later(boot, 10*time.Second)
		now.Wall += int64(step)
		b := table.Link("lan").Address(0x200)
		b.Leases[0].Valid = lease.Time(10 * time.Second).After(500)
		table.Bind(b)
		records = table.AppendChanges(records, lease.Time(10*time.Second), now)
		wantSame(t, table, restored(t, records, later(now, time.Second)), 11*time.Second)
	}
}

// TestRestoreReboot: after a reboot the wall clock is not asked; what remained, less the time since the boot, remains.
func TestRestoreReboot(t *testing.T) {
	table, records := filled(t)
	for _, wall := range []int64{0, boot.Wall, 2 * boot.Wall} {
		now := lease.Clock{Boot: [16]byte{2}, Since: int64(30 * time.Second), Wall: wall}
		wantSame(t, table, restored(t, records, now), 30*time.Second)
	}
	if now := (lease.Clock{Since: int64(30 * time.Second)}); true { // no name for the boot: any may be another
		wantSame(t, table, restored(t, records, now), 30*time.Second)
	}
}

// TestRestoreTorn: records cut off anywhere give what is whole before the cut.
func TestRestoreTorn(t *testing.T) {
	_, records := filled(t)
	for end := len(records); end >= len(lease.Header); end-- {
		n, err := lease.Whole(records[:end])
		if n > end || (err == nil) != (n == end) {
			t.Fatalf("%d of %d octets are whole: %v", n, end, err)
		}
		restored(t, records[:n], boot)
	}
	for i := range records {
		damaged := append([]byte(nil), records...)
		damaged[i] ^= 0x10
		if n, err := lease.Whole(damaged); err == nil || n > i {
			t.Fatalf("octet %d is damaged, %d are whole: %v", i, n, err)
		}
	}
}

// TestChangesAfterRestore: what changes after a restart is recorded like what changed before.
func TestChangesAfterRestore(t *testing.T) {
	_, records := filled(t)
	table := restored(t, records, boot)
	for _, b := range table.Link("lan").Bindings() {
		if b.State == lease.Bound {
			table.Free(b)
		} else {
			table.Remove(b)
		}
	}
	wantSame(t, table, restored(t, table.AppendChanges(records, 0, boot), boot), 0)
}

// TestForget: of an id that somebody else has now, only the new owner comes back.
func TestForget(t *testing.T) {
	table, records := filled(t)
	link := table.Link("lan")
	table.Remove(link.Address(0x200))
	b := link.AllocateAddress([]byte{9, 9, 9}, 7, lease.Pool{Span: lease.Span{First: 0x200, Last: 0x2ff}}, 0x200)
	b.Leases = []lease.Lease{{Prefix: netip.MustParsePrefix("2001:db8::200/128"), Valid: lease.Time(0).After(60)}}
	table.Bind(b)
	table.Remove(link.PrefixAt(0x110, 1))
	wantSame(t, table, restored(t, table.AppendChanges(records, 0, boot), boot), 0)
}

// An IA that moves to another id is never without a record, wherever its records are torn.
func TestMoveIsWhole(t *testing.T) {
	table := lease.NewTable(time.Now(), lease.Limits{})
	link, pool := table.Link("lan"), lease.Pool{Span: lease.Span{First: 0x100, Last: 0xfff}}
	records := table.AppendAll(nil, 0, boot)
	bind := func(id uint64) {
		b := link.AllocateAddress([]byte{0, 1, 1}, 1, pool, id)
		b.Leases = []lease.Lease{{Prefix: netip.MustParsePrefix("2001:db8::/128"), Valid: lease.Time(0).After(200)}}
		table.Bind(b)
	}
	bind(0x200)
	records = table.AppendChanges(records, 0, boot)
	before := len(records)
	table.Remove(link.Address(0x200))
	bind(0x300)
	records = table.AppendChanges(records, 0, boot)
	for n := before; n <= len(records); n++ {
		whole, _ := lease.Whole(records[:n])
		again := restored(t, records[:whole], boot)
		if b := again.Link("lan").Lookup([]byte{0, 1, 1}, 1, lease.Address); b == nil || b.State != lease.Bound {
			t.Fatalf("with %d of %d octets the binding is lost", n-before, len(records)-before)
		}
	}
	if b := restored(t, records, boot).Link("lan"); b.Len() != 1 || b.Address(0x300) == nil {
		t.Errorf("%d bindings at the end", b.Len())
	}
}

// Times are recorded in whole seconds, and no lease ends too early for that, not even by a part of a second: within a boot
// and after another one, however short the router was off.
func TestRoundedUp(t *testing.T) {
	for at := time.Duration(0); at < 3*time.Second; at += 90 * time.Millisecond {
		table := lease.NewTable(time.Now(), lease.Limits{})
		b := table.Link("lan").AllocateAddress([]byte{0, 1, 1}, 1, lease.Pool{Span: lease.Span{First: 1, Last: 1}}, 1)
		b.Leases = []lease.Lease{{Prefix: netip.MustParsePrefix("2001:db8::/128"), Valid: lease.Time(0).After(100)}}
		table.Bind(b)
		records := table.AppendAll(nil, lease.Time(at), later(boot, at))
		for _, clock := range []lease.Clock{later(boot, at), {Boot: [16]byte{2}, Wall: 1}} {
			left := time.Duration(restored(t, records, clock).Link("lan").Bindings()[0].Deadline)
			if left < 100*time.Second-at || left > 102*time.Second-at {
				t.Errorf("recorded at %v, restored by %+v: %v are left of 100 s", at, clock, left)
			}
		}
	}
}
