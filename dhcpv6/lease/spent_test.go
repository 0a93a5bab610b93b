package lease

import (
	"math/rand/v2"
	"testing"
)

// A pool that notes when nothing in it is unused gives the ids that one which is searched each time does.
func TestSpent(t *testing.T) {
	const full, length = 24, 60
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 6))
		var tables [2]*Table
		var pools [2]Pool
		for i := range tables {
			tables[i] = NewTable(epoch, Limits{Free: 20, Offers: 10})
			pools[i] = ids(8, 8+full-1, Span{12, 13})
		}
		pools[1].Spent = new(Spent)
		spent := 0
		for range 400 {
			client, kind := client(random.IntN(60)), Kind(random.IntN(2))
			op, size, want := random.IntN(6), uint8(random.IntN(5)), uint64(random.IntN(2*full))
			var got [2]*Binding
			for i, table := range tables {
				l := table.Link("lan")
				b := l.Lookup(client, 1, kind)
				switch {
				case b == nil && kind == Address:
					b = l.AllocateAddress(client, 1, pools[i], want)
				case b == nil:
					b = l.AllocatePrefix(client, 1, pools[i], length+size, want)
				}
				if got[i] = b; b == nil {
					continue
				}
				switch op {
				case 0:
					table.Remove(b)
				case 1:
					table.Offer(b, seconds(60), 8)
				case 2:
					bind(table, b, Never)
					table.Decline(b, seconds(60))
				case 3:
					bind(table, b, Never)
				default:
					bind(table, b, Never)
					table.Free(b)
				}
			}
			if (got[0] == nil) != (got[1] == nil) || got[0] != nil && (got[0].ID != got[1].ID || got[0].Length != got[1].Length) {
				t.Fatalf("seed %d: %+v, want %+v", seed, got[1], got[0])
			}
			if l := tables[1].Link("lan"); l.isSpent(pools[1], Address, 0) {
				spent++
			}
			checkTable(t, tables[1])
		}
		if spent == 0 {
			t.Errorf("seed %d: the pool is never spent", seed)
		}
	}
}

// Who reuses a remembered id takes it from a pool that is known to be spent, and leaves it so; whoever forgets one does not.
func TestSpentUntilRemoved(t *testing.T) {
	table, l := newLink(Limits{})
	pool := ids(0, 3)
	pool.Spent = new(Spent)
	for n := range 4 {
		table.Free(bind(table, address(t, l, n, pool, noWish), seconds(60)))
	}
	var last *Binding
	for n := range 3 {
		last = address(t, l, 10+n, pool, noWish)
		if !l.isSpent(pool, Address, 0) {
			t.Errorf("client %d: not known to be spent", 10+n)
		}
	}
	table.Remove(last)
	if l.isSpent(pool, Address, 0) {
		t.Error("known to be spent after a binding was removed")
	}
	checkID(t, address(t, l, 20, pool, noWish), last.ID)
}
