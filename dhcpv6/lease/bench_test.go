package lease

import (
	"fmt"
	"testing"
)

var sizes = []int{100, 10_000}

// filled is a link on which that many clients are bound, to an address and a /62 each.
func filled(t testing.TB, n int) (*Table, *Link) {
	table, l := newLink(Limits{})
	for i := range n {
		for _, b := range []*Binding{
			l.AllocateAddress(client(i), 1, benchAddresses, noWish),
			l.AllocatePrefix(client(i), 1, benchPrefixes, 62, noWish),
		} {
			if b == nil {
				t.Fatalf("client %d gets nothing", i)
			}
			bind(table, b, seconds(3600+i))
		}
	}
	return table, l
}

var (
	benchAddresses = ids(0x100, 0xffff)
	benchPrefixes  = ids(0, 1<<20-1, Span{0, 0})
	newcomer       = client(1 << 30)
)

func BenchmarkAllocateAddress(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			table, l := filled(b, n)
			b.ReportAllocs()
			for b.Loop() {
				table.Remove(l.AllocateAddress(newcomer, 1, benchAddresses, noWish))
			}
		})
	}
}

func BenchmarkAllocatePrefix(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			table, l := filled(b, n)
			b.ReportAllocs()
			for b.Loop() {
				table.Remove(l.AllocatePrefix(newcomer, 1, benchPrefixes, 62, noWish))
			}
		})
	}
}

// BenchmarkAllocateExhausted is the worst case: every id is looked at, for nothing.
func BenchmarkAllocateExhausted(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			_, l := newLink(Limits{})
			pool := ids(0, uint64(n-1))
			for i := range n {
				l.AllocateAddress(client(i), 1, pool, uint64(i))
			}
			for b.Loop() {
				if l.AllocateAddress(newcomer, 1, pool, noWish) != nil {
					b.Fatal("an id was left")
				}
			}
		})
	}
}

// BenchmarkRenew must cost the same whatever the number of bindings.
func BenchmarkRenew(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			table, l := filled(b, n)
			duid := client(n / 2)
			now := seconds(0)
			b.ReportAllocs()
			for b.Loop() {
				now++
				bind(table, l.Lookup(duid, 1, Address), now+seconds(3600))
			}
		})
	}
}

func TestAllocations(t *testing.T) {
	table, l := filled(t, 100)
	duid, offered := client(50), l.AllocateAddress(newcomer, 1, benchAddresses, noWish)
	now := seconds(0)
	for what, f := range map[string]func(){
		"look up":           func() { l.Lookup(duid, 1, Prefix) },
		"look up none":      func() { l.Lookup(newcomer, 9, Prefix) },
		"renew":             func() { now++; bind(table, l.Lookup(duid, 1, Address), now+seconds(3600)) },
		"offer again":       func() { table.Hold(offered); table.Offer(offered, now+seconds(60), 10) },
		"expire nothing":    func() { table.Expire(now) },
		"look for a prefix": func() { l.PrefixAt(1<<19, 4) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", what, n)
		}
	}
	checkTable(t, table)
}
