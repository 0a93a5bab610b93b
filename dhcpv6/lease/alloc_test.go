package lease

import (
	"math"
	"slices"
	"testing"
)

// An id comes from the hash of the client's identity: these never change, so that clients keep their addresses over an
// upgrade without a lease file.
func TestGoldenIDs(t *testing.T) {
	tests := []struct {
		name    string
		duid    []byte
		iaid    uint32
		hash    uint64
		address uint64 // from ids 0x100 to 0xfff
		prefix  uint64 // a /62 from ids 4 to 0xff
	}{
		{"nothing", nil, 0, 0x4d25767fd0eb658a, 0x48a, 0x1c},
		{"DUID-LL, IAID 1", client(1), 1, 0xd0df812c612a5071, 0xe71, 0x64},
		{"DUID-LL, IAID 2", client(1), 2, 0xd0df7e2c612ab268, 0x468, 0xb4},
		{"another DUID-LL", client(2), 1, 0xc4309c02f096ff96, 0xd96, 0x70},
		{"DUID-LLT, IAID of all ones", []byte{0, 1, 0, 1, 0x2a, 0x3b, 0x4c, 0x5d, 2, 0, 0, 0, 0, 1}, math.MaxUint32,
			0xe9b84c362f590dc6, 0x7c6, 0xc4},
		{"DUID-UUID, IAID of four octets", []byte{0, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, 0x01020304,
			0xc58855d08215b9e1, 0x3e1, 0x30},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := hash(tt.duid, tt.iaid); got != tt.hash {
				t.Errorf("hash %#x, want %#x", got, tt.hash)
			}
			_, l := newLink(Limits{})
			checkID(t, l.AllocateAddress(tt.duid, tt.iaid, ids(0x100, 0xfff), noWish), tt.address)
			checkID(t, l.AllocatePrefix(tt.duid, tt.iaid, ids(4, 0xff), 62, noWish), tt.prefix)
			checkID(t, NewTable(epoch, Limits{}).Link("guest").
				AllocateAddress(tt.duid, tt.iaid, ids(0, math.MaxUint64, Span{noWish, noWish}), noWish), tt.hash)
		})
	}
}

// Clients with neighbouring MAC addresses must not pile up in a corner of the pool.
func TestHashSpreads(t *testing.T) {
	const clients, size = 1000, 3840 // chance alone leaves about 880 different ids
	seen := make(map[uint64]bool)
	for n := range clients {
		seen[hash(client(n), 1)%size] = true
	}
	if len(seen) < 800 {
		t.Errorf("%d clients begin at %d of %d ids", clients, len(seen), size)
	}
}

func TestAllocateAddressWant(t *testing.T) {
	pool := ids(0x100, 0xfff, Span{0x200, 0x2ff})
	const own = 0xe71 // of client 1
	tests := []struct {
		name       string
		want, give uint64
	}{
		{"in the pool", 0x123, 0x123},
		{"first of the pool", 0x100, 0x100},
		{"last of the pool", 0xfff, 0xfff},
		{"below the pool", 0xff, own},
		{"above the pool", 0x1000, own},
		{"reserved", 0x280, own},
		{"first reserved", 0x200, own},
		{"last reserved", 0x2ff, own},
		{"before the reserved", 0x1ff, 0x1ff},
		{"after the reserved", 0x300, 0x300},
		{"taken", 0x555, own},
		{"none", noWish, own},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, l := newLink(Limits{})
			address(t, l, 99, pool, 0x555)
			b := address(t, l, 1, pool, tt.want)
			checkID(t, b, tt.give)
			if b.State != New || b.Kind != Address || b.Length != 128 || b.Size() != 1 || b.Link != l || b.Deadline != Never {
				t.Errorf("binding %+v", b)
			}
			checkTable(t, table)
		})
	}
}

// A remembered id is its client's until none is unused, even if another client names it.
func TestWantedButRemembered(t *testing.T) {
	table, l := newLink(Limits{})
	pool := ids(0x100, 0xfff)
	table.Free(bind(table, address(t, l, 1, pool, 0x123), seconds(60)))
	if b := address(t, l, 2, pool, 0x123); b.ID == 0x123 {
		t.Error("client 2 got what client 1 is remembered with")
	}
	checkTable(t, table)
}

// drain allocates addresses for new clients until the pool is empty, and returns the ids in order.
func drain(l *Link, pool Pool) (got []uint64) {
	for n := 1000; len(got) < 100; n++ {
		b := l.AllocateAddress(client(n), 1, pool, noWish)
		if b == nil {
			break
		}
		got = append(got, b.ID)
	}
	slices.Sort(got)
	return got
}

func TestAllocateAddressUntilExhausted(t *testing.T) {
	const top = math.MaxUint64
	tests := []struct {
		name string
		pool Pool
		want []uint64
	}{
		{"from 0", ids(0, 3), []uint64{0, 1, 2, 3}},
		{"first id above 0", ids(5, 8), []uint64{5, 6, 7, 8}},
		{"one id", ids(5, 5), []uint64{5}},
		{"first is after last", ids(5, 4), nil},
		{"first is after last, at the start", ids(1, 0), nil},
		{"at the end of all ids", ids(top-2, top), []uint64{top - 2, top - 1, top}},
		{"reserved in the middle", ids(0, 6, Span{2, 4}), []uint64{0, 1, 5, 6}},
		{"reserved at the start", ids(5, 8, Span{5, 6}), []uint64{7, 8}},
		{"reserved at the end", ids(5, 8, Span{7, 8}), []uint64{5, 6}},
		{"reserved over the start", ids(5, 8, Span{0, 5}), []uint64{6, 7, 8}},
		{"reserved over the end", ids(5, 8, Span{8, top}), []uint64{5, 6, 7}},
		{"reserved outside", ids(5, 8, Span{0, 4}, Span{9, top}), []uint64{5, 6, 7, 8}},
		{"reserved side by side", ids(0, 6, Span{1, 2}, Span{3, 3}, Span{5, 5}), []uint64{0, 4, 6}},
		{"all reserved", ids(5, 8, Span{5, 8}), nil},
		{"more than all reserved", ids(5, 8, Span{0, top}), nil},
		{"all 2^64 ids, almost all reserved", ids(0, top, Span{1, top - 1}), []uint64{0, top}},
		{"all 2^64 ids, all reserved", ids(0, top, Span{0, top}), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, l := newLink(Limits{})
			if got := drain(l, tt.pool); !slices.Equal(got, tt.want) {
				t.Errorf("ids %x, want %x", got, tt.want)
			}
			checkTable(t, table)
		})
	}
}

func TestFreeAddressWrapsAround(t *testing.T) {
	tests := []struct {
		name       string
		pool       Pool
		taken      []uint64
		seed, want uint64
	}{
		{"seed is free", ids(8, 11), nil, 2, 10},
		{"seed is beyond the size", ids(8, 11), nil, 6, 10},
		{"the next one", ids(8, 11), []uint64{10}, 2, 11},
		{"around the end", ids(8, 11), []uint64{10, 11}, 2, 8},
		{"around the end and on", ids(8, 11), []uint64{10, 11, 8}, 2, 9},
		{"around a reserved end", ids(8, 11, Span{10, 11}), nil, 2, 8},
		{"all ids, around the end", ids(0, math.MaxUint64), []uint64{math.MaxUint64}, math.MaxUint64, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, l := newLink(Limits{})
			for i, id := range tt.taken {
				address(t, l, i, tt.pool, id)
			}
			if got, ok := l.freeAddress(tt.pool, tt.seed); !ok || got != tt.want {
				t.Errorf("%#x %v, want %#x", got, ok, tt.want)
			}
		})
	}
}

// When no id is unused: remembered ones, the longest unused first; then offers, oldest first; never what is bound,
// declined or being decided on.
func TestReuseOrder(t *testing.T) {
	table, l := newLink(Limits{})
	pool := ids(0, 6)
	for id := range uint64(7) {
		address(t, l, int(id), pool, id)
	}
	held := func(n int) *Binding { return l.Lookup(client(n), 1, Address) }
	table.Offer(held(3), seconds(60), 10)
	table.Offer(held(1), seconds(30), 10)
	bind(table, held(5), seconds(90))
	table.Free(held(5))
	bind(table, held(0), seconds(10))
	table.Free(held(0))
	bind(table, held(2), seconds(20))
	bind(table, held(4), seconds(20))
	table.Decline(held(4), seconds(20))
	for i, want := range []uint64{5, 0, 3, 1} { // freed first, freed next, offered first, offered next
		checkID(t, address(t, l, 100+i, pool, noWish), want)
		checkTable(t, table)
	}
	if b := l.AllocateAddress(client(200), 1, pool, noWish); b != nil {
		t.Errorf("id %#x, want none", b.ID)
	}
	if held(5) != nil || held(2) == nil || held(6) == nil {
		t.Error("the wrong bindings are gone")
	}
}

// An id never used is taken before one that a client may come back for.
func TestUnusedBeforeRemembered(t *testing.T) {
	table, l := newLink(Limits{})
	pool := ids(0, 3)
	for id := range uint64(3) {
		table.Free(bind(table, address(t, l, int(id), pool, id), seconds(60)))
	}
	for n := 10; n < 20; n++ {
		b := address(t, l, n, pool, noWish)
		checkID(t, b, 3)
		table.Remove(b)
	}
}

// Reuse must stay on the link, of the kind and in the pool.
func TestReuseElsewhere(t *testing.T) {
	table, l := newLink(Limits{})
	table.Free(address(t, table.Link("guest"), 1, ids(0, 0), 0))
	table.Free(prefix(t, l, 2, ids(0, 0), 64, 0))
	table.Free(address(t, l, 3, ids(9, 9), 9))
	bind(table, address(t, l, 4, ids(0, 0), 0), Never)
	if b := l.AllocateAddress(client(5), 1, ids(0, 0), noWish); b != nil {
		t.Errorf("id %#x, want none", b.ID)
	}
	if table.free.n != 3 {
		t.Errorf("%d bindings remembered, want 3", table.free.n)
	}
	checkTable(t, table)
}

func TestPoolContains(t *testing.T) {
	const top = math.MaxUint64
	tests := []struct {
		name     string
		pool     Pool
		id, size uint64
		want     bool
	}{
		{"all", ids(8, 15), 8, 8, true},
		{"one too many", ids(8, 15), 8, 9, false},
		{"at the end", ids(8, 15), 12, 4, true},
		{"over the end", ids(8, 15), 13, 4, false},
		{"before the start", ids(8, 15), 7, 1, false},
		{"a size that would wrap", ids(8, 15), 15, top, false},
		{"the last of all ids", ids(0, top), top, 1, true},
		{"past the last of all ids", ids(0, top), top, 2, false},
		{"touches the reserved", ids(8, 15, Span{10, 10}), 8, 2, true},
		{"reserved at its end", ids(8, 15, Span{10, 10}), 8, 3, false},
		{"reserved at its start", ids(8, 15, Span{10, 10}), 10, 2, false},
		{"within the reserved", ids(8, 15, Span{0, top}), 10, 2, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.pool.Contains(tt.id, tt.size); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestNewReserved(t *testing.T) {
	const top = math.MaxUint64
	tests := []struct {
		name     string
		in, want []Span
	}{
		{"none", nil, nil},
		{"sorted", []Span{{8, 9}, {0, 1}, {4, 5}}, []Span{{0, 1}, {4, 5}, {8, 9}}},
		{"the same twice", []Span{{4, 5}, {4, 5}}, []Span{{4, 5}}},
		{"overlapping", []Span{{4, 7}, {2, 5}}, []Span{{2, 7}}},
		{"sharing one id", []Span{{4, 7}, {2, 4}}, []Span{{2, 7}}},
		{"one within another", []Span{{2, 9}, {4, 5}}, []Span{{2, 9}}},
		{"the same start", []Span{{2, 3}, {2, 9}, {2, 5}}, []Span{{2, 9}}},
		{"a chain", []Span{{0, 4}, {3, 8}, {8, 9}}, []Span{{0, 9}}},
		{"at the end of all ids", []Span{{top, top}, {top - 3, top}}, []Span{{top - 3, top}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := NewReserved(tt.in); !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// With comes to what sorting and joining does, in whatever place.
func TestReservedWith(t *testing.T) {
	spans := []Span{{0, 0}, {3, 5}, {7, 7}, {9, 12}}
	var buf Reserved
	for id := range uint64(15) {
		want := NewReserved(append(slices.Clone(spans), Span{id, id}))
		if buf = NewReserved(slices.Clone(spans)).With(id, buf); !slices.Equal(buf, want) {
			t.Errorf("with %d: %v, want %v", id, buf, want)
		}
	}
}

// Overlap finds a run by halving; looking at each must come to the same.
func TestReservedOverlap(t *testing.T) {
	r := NewReserved([]Span{{0, 0}, {3, 5}, {6, 6}, {9, 12}, {15, 15}})
	for id := range uint64(18) {
		for size := uint64(1); size <= 18; size++ {
			want := slices.ContainsFunc(r, func(s Span) bool { return s.First < id+size && s.Last >= id })
			s, got := r.Overlap(id, size)
			if got != want || got && (s.First >= id+size || s.Last < id) {
				t.Errorf("ids %d to %d: %v %v, want %v", id, id+size-1, s, got, want)
			}
		}
	}
}
