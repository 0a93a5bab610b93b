package lease

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"lan6d/dhcpv6"
)

func TestTimeAdd(t *testing.T) {
	tests := []struct {
		name string
		t    Time
		d    time.Duration
		want Time
	}{
		{"a second", seconds(1), time.Second, seconds(2)},
		{"nothing", seconds(1), 0, seconds(1)},
		{"back", seconds(2), -time.Second, seconds(1)},
		{"back before the epoch", 0, -time.Second, seconds(-1)},
		{"from before the epoch", seconds(-1), 10 * time.Second, seconds(9)},
		{"back from before the epoch", seconds(-1), -time.Second, seconds(-2)},
		{"Never stays", Never, time.Second, Never},
		{"Never stays, back", Never, -time.Second, Never},
		{"the last moment before Never", Never - 2, 1, Never - 1},
		{"to Never", Never - 1, 1, Never},
		{"past Never", Never - 1, 2, Never},
		{"far past Never", Never - 1, math.MaxInt64, Never},
		{"all of time", 0, math.MaxInt64, Never},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.t.Add(tt.d); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func TestTimeAfter(t *testing.T) {
	const finite = dhcpv6.Infinity - 1
	tests := []struct {
		name    string
		t       Time
		seconds uint32
		want    Time
	}{
		{"a minute", seconds(1), 60, seconds(61)},
		{"no time", seconds(1), 0, seconds(1)},
		{"section 7.7: infinity", 0, dhcpv6.Infinity, Never},
		{"infinity from before the epoch", seconds(-1), dhcpv6.Infinity, Never},
		{"the longest finite lifetime", 0, finite, Time(finite) * Time(time.Second)},
		{"the longest finite lifetime, too late", Never / 4 * 3, finite, Never},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.t.After(tt.seconds); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func TestTimeUntil(t *testing.T) {
	const finite = dhcpv6.Infinity - 1
	tests := []struct {
		name   string
		t, now Time
		want   uint32
	}{
		{"a minute", seconds(61), seconds(1), 60},
		{"whole seconds only", seconds(2) - 1, 0, 1},
		{"less than a second", 1, 0, 0},
		{"now", seconds(1), seconds(1), 0},
		{"past", seconds(1), seconds(2), 0},
		{"long past", seconds(-1), Never - 1, 0},
		{"section 7.7: infinity", Never, seconds(1), dhcpv6.Infinity},
		{"a long time is not infinity", Time(finite+10) * Time(time.Second), 0, finite},
		{"the longest finite lifetime", Time(finite) * Time(time.Second), 0, finite},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.t.Until(tt.now); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func TestExpireOrder(t *testing.T) {
	table, l := newLink(Limits{})
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		bind(table, address(t, l, n, wide, noWish), seconds(random.IntN(100)))
	}
	var last Time
	for n := range 200 {
		if next := table.Next(); next < last {
			t.Fatalf("next deadline %d after %d", next, last)
		}
		b, state := table.Expire(seconds(100))
		if b == nil || state != Bound {
			t.Fatalf("expired %+v, %v as number %d", b, state, n)
		}
		valid := b.Leases[0].Valid
		if valid < last || b.State != Free {
			t.Errorf("%v until %d expired after one until %d", b.State, valid, last)
		}
		last = valid
	}
	checkNone(t, table, seconds(100))
	checkTable(t, table)
}

func checkNone(t *testing.T, table *Table, now Time) {
	t.Helper()
	if b, state := table.Expire(now); b != nil || state != Free {
		t.Errorf("expired %+v, %v, want nothing", b, state)
	}
}

func TestExpireStates(t *testing.T) {
	tests := []struct {
		state State
		left  bool // remembered afterwards
	}{{Offered, false}, {Bound, true}, {Declined, false}}
	for _, tt := range tests {
		t.Run(tt.state.String(), func(t *testing.T) {
			table, l := newLink(Limits{})
			b := address(t, l, 1, wide, 0x123)
			enter(table, b, tt.state)
			checkNone(t, table, seconds(60)-1)
			if got, state := table.Expire(seconds(60)); got != b || state != tt.state {
				t.Errorf("expired %+v, %v", got, state)
			}
			if got := l.Address(0x123) == b; got != tt.left || l.Holds(b) != tt.left {
				t.Errorf("remembered: %v, want %v", got, tt.left)
			}
			checkNone(t, table, Never)
			checkTable(t, table)
		})
	}
}

// A renewal leaves the heap alone: Next may be early then, but Expire is not.
func TestLazyRenewal(t *testing.T) {
	table, l := newLink(Limits{})
	b := bind(table, address(t, l, 1, wide, noWish), seconds(60))
	other := bind(table, address(t, l, 2, wide, noWish), seconds(70))
	bind(table, b, seconds(100))
	checkNone(t, table, seconds(60))
	if got := table.Next(); got != seconds(70) {
		t.Errorf("next deadline %d, want %d", got, seconds(70))
	}
	if got, _ := table.Expire(seconds(99)); got != other {
		t.Errorf("expired %+v", got)
	}
	checkNone(t, table, seconds(99))
	if got, _ := table.Expire(seconds(100)); got != b {
		t.Errorf("expired %+v", got)
	}
	checkTable(t, table)
}

func TestDeadlineMovesEarlier(t *testing.T) {
	table, l := newLink(Limits{})
	bind(table, address(t, l, 1, wide, noWish), seconds(50))
	b := bind(table, address(t, l, 2, wide, noWish), seconds(60))
	bind(table, b, seconds(10))
	if got := table.Next(); got != seconds(10) {
		t.Errorf("next deadline %d, want %d", got, seconds(10))
	}
	if got, _ := table.Expire(seconds(10)); got != b {
		t.Errorf("expired %+v", got)
	}
	checkTable(t, table)
}

func TestInfinity(t *testing.T) { // section 7.7
	table, l := newLink(Limits{})
	b := bind(table, address(t, l, 1, wide, noWish), Never)
	if got := table.Next(); got != Never {
		t.Errorf("next deadline %d, want none", got)
	}
	checkNone(t, table, Never-1)

	bind(table, b, seconds(60)) // finite now
	if got := table.Next(); got != seconds(60) {
		t.Errorf("next deadline %d, want %d", got, seconds(60))
	}
	bind(table, b, Never) // and infinite again
	checkNone(t, table, seconds(60))
	if got := table.Next(); got != Never {
		t.Errorf("next deadline %d, want none", got)
	}
	bind(table, b, seconds(90))
	if got, _ := table.Expire(seconds(90)); got != b {
		t.Errorf("expired %+v", got)
	}
	checkTable(t, table)
}

// Many renewals, many that end: Next is never later than the earliest deadline, and nothing stays past its own.
func TestNextIsNeverLate(t *testing.T) {
	table, l := newLink(Limits{})
	random := rand.New(rand.NewPCG(3, 4))
	var bindings []*Binding
	for n := range 50 {
		bindings = append(bindings, address(t, l, n, wide, noWish))
	}
	for now := range 500 {
		bind(table, bindings[random.IntN(len(bindings))], seconds(now+random.IntN(60)))
		for b, _ := table.Expire(seconds(now)); b != nil; b, _ = table.Expire(seconds(now)) {
		}
		earliest := Never
		for _, b := range bindings {
			earliest = min(earliest, b.Deadline)
		}
		if earliest <= seconds(now) || table.Next() > earliest {
			t.Fatalf("at %d: earliest deadline %d, next %d", seconds(now), earliest, table.Next())
		}
	}
	checkTable(t, table)
}

// Deadlines that come, move both ways and go, anywhere in the heap; checkTable looks at its order.
func TestDeadlinesInOrder(t *testing.T) {
	table, l := newLink(Limits{})
	random := rand.New(rand.NewPCG(5, 6))
	var bindings []*Binding
	for n := range 100 {
		bindings = append(bindings, bind(table, address(t, l, n, wide, noWish), seconds(random.IntN(1000))))
	}
	for range 1000 {
		b := bindings[random.IntN(len(bindings))]
		if random.IntN(4) == 0 {
			table.Free(b)
		} else {
			bind(table, b, seconds(random.IntN(1000)))
		}
		checkTable(t, table)
	}
}
