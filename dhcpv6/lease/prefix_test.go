package lease

import (
	"slices"
	"testing"
)

func TestAllocatePrefixWant(t *testing.T) {
	pool := ids(0, 0xff, Span{0x80, 0x80})
	tests := []struct {
		name   string
		length uint8
		want   uint64
		ok     bool
	}{
		{"/64", 64, 0x13, true},
		{"/62, aligned", 62, 0x14, true},
		{"/62, not aligned", 62, 0x13, false},
		{"/62, first of the pool", 62, 0, true},
		{"/62, last of the pool", 62, 0xfc, true},
		{"/62, after the pool", 62, 0x100, false},
		{"/62, a reserved id in it", 62, 0x80, false},
		{"/62, beside a reserved id", 62, 0x84, true},
		{"/62, around a taken /64", 62, 0x40, false},
		{"/64, within a taken /60", 64, 0x51, false},
		{"/60, the taken one", 60, 0x50, false},
		{"/56, larger than what is left", 56, 0, false},
		{"no wish", 62, noWish, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, l := newLink(Limits{})
			prefix(t, l, 98, pool, 64, 0x42)
			prefix(t, l, 99, pool, 60, 0x50)
			b := l.AllocatePrefix(client(1), 1, pool, tt.length, tt.want)
			if got := b != nil && b.ID == tt.want; got != tt.ok {
				t.Errorf("binding %+v, wanted id honoured: %v, want %v", b, got, tt.ok)
			}
			checkTable(t, table)
		})
	}
}

// drainPrefixes allocates prefixes of one length until the pool is empty, and returns their ids in order.
func drainPrefixes(l *Link, pool Pool, length uint8) (got []uint64) {
	for n := 1000; len(got) < 1000; n++ {
		b := l.AllocatePrefix(client(n), 1, pool, length, noWish)
		if b == nil {
			break
		}
		got = append(got, b.ID)
	}
	slices.Sort(got)
	return got
}

func TestAllocatePrefixUntilExhausted(t *testing.T) {
	tests := []struct {
		name   string
		pool   Pool
		length uint8
		want   []uint64
	}{
		{"/62 of a /60", ids(0, 15), 62, []uint64{0, 4, 8, 12}},
		{"/60 of a /60", ids(0, 15), 60, []uint64{0}},
		{"/59 of a /60", ids(0, 15), 59, nil},
		{"/64 of a /62", ids(0, 3), 64, []uint64{0, 1, 2, 3}},
		{"first id above 0", ids(4, 15), 62, []uint64{4, 8, 12}},
		{"first id not aligned", ids(1, 15), 62, []uint64{4, 8, 12}},
		{"last id not aligned", ids(0, 14), 62, []uint64{0, 4, 8}},
		{"nothing aligned within", ids(1, 6), 62, nil},
		{"first is after last", ids(5, 4), 64, nil},
		{"first is after last, far", ids(12, 3), 62, nil},
		{"our own /64", ids(0, 15, Span{0, 0}), 62, []uint64{4, 8, 12}},
		{"reserved at both ends", ids(0, 15, Span{0, 0}, Span{15, 15}), 62, []uint64{4, 8}},
		{"reserved over a border", ids(0, 15, Span{7, 8}), 62, []uint64{0, 12}},
		{"reserved over several blocks", ids(0, 15, Span{2, 10}), 62, []uint64{12}},
		{"reserved past the end", ids(0, 15, Span{8, 1 << 40}), 62, []uint64{0, 4}},
		{"all reserved", ids(0, 15, Span{0, 15}), 64, nil},
		{"/1 of a /0", ids(0, 1<<63-1), 1, []uint64{0}},
		{"/2 of a /1", ids(0, 1<<63-1), 2, []uint64{0, 1 << 62}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, l := newLink(Limits{})
			if got := drainPrefixes(l, tt.pool, tt.length); !slices.Equal(got, tt.want) {
				t.Errorf("ids %x, want %x", got, tt.want)
			}
			checkTable(t, table)
		})
	}
}

func TestFreePrefixNextBlock(t *testing.T) {
	tests := []struct {
		name       string
		taken      []uint64 // ids of /62
		reserved   []Span
		seed, want uint64
	}{
		{name: "seed is free", seed: 2, want: 8},
		{name: "seed is beyond the number of blocks", seed: 6, want: 8},
		{name: "the next block", taken: []uint64{8}, seed: 2, want: 12},
		{name: "around the end", taken: []uint64{8, 12}, seed: 2, want: 0},
		{name: "around the end and on", taken: []uint64{8, 12, 0}, seed: 2, want: 4},
		{name: "behind the reserved", reserved: []Span{{8, 8}}, seed: 2, want: 12},
		{name: "around a reserved end", reserved: []Span{{9, 15}}, seed: 2, want: 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, l := newLink(Limits{})
			pool := ids(0, 15, tt.reserved...)
			for i, id := range tt.taken {
				prefix(t, l, i, pool, 62, id)
			}
			if got, ok := l.freePrefix(pool, 4, tt.seed); !ok || got != tt.want {
				t.Errorf("%#x %v, want %#x", got, ok, tt.want)
			}
		})
	}
}

// Prefixes of all lengths in one pool: none may overlap another, and each must be aligned; checkTable looks.
func TestMixedLengths(t *testing.T) {
	table, l := newLink(Limits{})
	pool := ids(0, 0xff, Span{0x10, 0x12})
	for n := range 64 {
		l.AllocatePrefix(client(n), 1, pool, uint8(58+n%7), noWish)
		checkTable(t, table)
	}
	for _, b := range l.Bindings() {
		if !pool.Contains(b.ID, b.Size()) {
			t.Errorf("id %#x and %d more: not in the pool", b.ID, b.Size()-1)
		}
	}
}

func TestReusePrefix(t *testing.T) {
	pool := ids(0, 15)
	tests := []struct {
		name   string
		state  func(table *Table, b *Binding) // of the binding with the id; all others are bound
		id     uint64
		length uint8
		want   []uint64 // id of the new one, if any
	}{
		{"remembered", func(table *Table, b *Binding) { table.Free(b) }, 8, 62, []uint64{8}},
		{"remembered, a smaller one for another", func(table *Table, b *Binding) { table.Free(b) }, 8, 64, []uint64{8}},
		{"offered", func(table *Table, b *Binding) { table.Offer(b, seconds(60), 10) }, 8, 62, []uint64{8}},
		{"bound", func(table *Table, b *Binding) { bind(table, b, seconds(60)) }, 8, 62, nil},
		{"being decided on", func(*Table, *Binding) {}, 8, 62, nil},
		{"declined", func(table *Table, b *Binding) { table.Decline(b, seconds(60)) }, 8, 62, nil},
		{"a neighbour is bound", func(table *Table, b *Binding) { table.Free(b) }, 8, 61, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, l := newLink(Limits{})
			for id := uint64(0); id < 16; id += 4 {
				b := prefix(t, l, int(id), pool, 62, id)
				if id == tt.id {
					tt.state(table, b)
				} else {
					bind(table, b, Never)
				}
			}
			var got []uint64
			if b := l.AllocatePrefix(client(99), 1, pool, tt.length, noWish); b != nil {
				got = append(got, b.ID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("ids %x, want %x", got, tt.want)
			}
			checkTable(t, table)
		})
	}
}

// One /60 takes the place of all that is remembered and offered in it.
func TestReusePrefixMany(t *testing.T) {
	table, l := newLink(Limits{})
	pool := ids(0, 31)
	bind(table, prefix(t, l, 1, pool, 64, 3), Never)
	for id := uint64(16); id < 32; id += 2 {
		b := prefix(t, l, int(id), pool, 63, id)
		if id%4 == 0 {
			table.Offer(b, seconds(60), 10)
		} else {
			table.Free(b)
		}
	}
	checkID(t, l.AllocatePrefix(client(99), 1, pool, 60, noWish), 16)
	if l.Len() != 2 || table.offers.n != 0 || table.free.n != 0 {
		t.Errorf("%d bindings, %d offers, %d remembered, want 2, 0, 0", l.Len(), table.offers.n, table.free.n)
	}
	checkTable(t, table)
}

// One bound /64 keeps the /62 around it, wherever in it it lies.
func TestReusePrefixAroundBound(t *testing.T) {
	pool := ids(0, 3)
	for bound := range uint64(4) {
		table, l := newLink(Limits{})
		for id := range uint64(4) {
			b := bind(table, prefix(t, l, int(id), pool, 64, id), Never)
			if id != bound {
				table.Free(b)
			}
		}
		if b := l.AllocatePrefix(client(99), 1, pool, 62, noWish); b != nil || l.Len() != 4 {
			t.Errorf("id %d bound: %+v, %d bindings left", bound, b, l.Len())
		}
		checkTable(t, table)
	}
}

// A prefix as large as the pool takes the place of all that is remembered; a larger one, of nothing.
func TestReuseWholePool(t *testing.T) {
	table, l := newLink(Limits{})
	pool := ids(0, 15)
	for id := range uint64(16) {
		table.Free(prefix(t, l, int(id), pool, 64, id))
	}
	if b := l.AllocatePrefix(client(98), 1, pool, 59, noWish); b != nil || l.Len() != 16 {
		t.Errorf("/59 from a pool of a /60: %+v, %d bindings left", b, l.Len())
	}
	checkID(t, l.AllocatePrefix(client(99), 1, pool, 60, noWish), 0)
	if l.Len() != 1 {
		t.Errorf("%d bindings, want 1", l.Len())
	}
	checkTable(t, table)
}

// The longest unused goes first here, too, and offers last.
func TestReusePrefixOrder(t *testing.T) {
	table, l := newLink(Limits{})
	pool := ids(0, 15)
	for id := uint64(0); id < 16; id += 4 {
		prefix(t, l, int(id), pool, 62, id)
	}
	held := func(n int) *Binding { return l.Lookup(client(n), 1, Prefix) }
	table.Offer(held(12), seconds(60), 10)
	table.Free(held(8))
	table.Free(held(0))
	bind(table, held(4), Never)
	for i, want := range []uint64{8, 0, 12} {
		checkID(t, l.AllocatePrefix(client(100+i), 1, pool, 62, noWish), want)
		checkTable(t, table)
	}
}

func TestPrefixAt(t *testing.T) {
	_, l := newLink(Limits{})
	b := prefix(t, l, 1, ids(0, 255), 60, 0x20)
	tests := []struct {
		id, size uint64
		want     *Binding
	}{
		{0x20, 16, b}, {0x20, 1, b}, {0x2f, 1, b}, {0x1f, 2, b}, {0, 256, b}, {0x1f, 1, nil}, {0x30, 16, nil}, {0, 0x20, nil},
	}
	for _, tt := range tests {
		if got := l.PrefixAt(tt.id, tt.size); got != tt.want {
			t.Errorf("ids %#x and %d more: %v, want %v", tt.id, tt.size-1, got, tt.want)
		}
	}
}

func TestBindingSize(t *testing.T) {
	sizes := map[uint8]uint64{128: 1, 64: 1, 63: 2, 62: 4, 56: 256, 48: 65536, 33: 1 << 31, 32: 1 << 32, 1: 1 << 63}
	for length, want := range sizes {
		if got := (&Binding{Length: length}).Size(); got != want {
			t.Errorf("/%d: %d ids, want %d", length, got, want)
		}
	}
}
