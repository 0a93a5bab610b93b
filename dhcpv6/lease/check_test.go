package lease

import (
	"strings"
	"testing"
)

func TestCheckEmpty(t *testing.T) {
	table := NewTable(epoch, Limits{})
	checkTable(t, table)
	table.Link("lan")
	checkTable(t, table)
}

// A check that finds nothing is worth what it would find.
func TestCheckFindsDamage(t *testing.T) {
	tests := []struct {
		name   string
		damage func(table *Table, l *Link, address, prefix *Binding)
		want   string
	}{
		{"link under another name", func(table *Table, l *Link, _, _ *Binding) { table.links["guest"] = l },
			`link "lan" is kept as "guest"`},
		{"binding of another link", func(table *Table, _ *Link, a, _ *Binding) { a.Link = table.Link("guest") },
			"belongs to another link"},
		{"IA forgotten", func(_ *Table, l *Link, a, _ *Binding) { delete(l.bindings, a.Key) }, "not found by its IA"},
		{"IA of no binding", func(_ *Table, l *Link, a, _ *Binding) { l.bindings[Key{DUID: "x"}] = a },
			"IAs, found by"},
		{"client in quarantine", func(_ *Table, l *Link, a, _ *Binding) { a.State = Declined }, "has a client"},
		{"address under another id", func(_ *Table, _ *Link, a, _ *Binding) { a.ID++ }, "kept as an address of another id"},
		{"address as a prefix", func(_ *Table, _ *Link, a, _ *Binding) { a.Length = 64 }, "kept as an address of another id"},
		{"prefix under another id", func(_ *Table, _ *Link, _, p *Binding) { p.ID += 4 }, "kept as a prefix of another id"},
		{"prefix not aligned", func(_ *Table, l *Link, _, p *Binding) {
			p.ID++
			l.prefixes[0].first++
			l.prefixes[0].last++
		}, "not aligned"},
		{"prefixes out of order", func(_ *Table, l *Link, _, _ *Binding) {
			l.prefixes[0], l.prefixes[1] = l.prefixes[1], l.prefixes[0]
		}, "not behind the prefix before it"},
		{"offers miscounted on the link", func(_ *Table, l *Link, _, _ *Binding) { l.offers++ }, "offers, counted as"},
		{"offers miscounted in all", func(table *Table, _ *Link, _, _ *Binding) { table.offers.n++ },
			"list offers: 2 bindings, counted as 3"},
		{"offer not on the list", func(table *Table, _ *Link, a, _ *Binding) { a.unlist() }, "on the wrong list"},
		{"list of another end", func(table *Table, _ *Link, a, _ *Binding) { table.offers.last = a }, "has another end"},
		{"list with a broken link", func(_ *Table, _ *Link, _, p *Binding) { p.prev = nil }, "with another before it"},
		{"list as a ring", func(_ *Table, _ *Link, a, p *Binding) { p.next = a }, "counted as 2"},
		{"offer on the list alone", func(_ *Table, l *Link, a, _ *Binding) { delete(l.addresses, a.ID) },
			"on the list offers and not in the table"},
		{"free with a deadline", func(table *Table, _ *Link, a, _ *Binding) { table.setState(a, Free) }, "has a deadline"},
		{"deadline not watched", func(table *Table, _ *Link, a, _ *Binding) {
			table.unwatch(a)
			a.Deadline = seconds(60)
		}, "its deadline is not watched"},
		{"deadline before it is looked at", func(_ *Table, _ *Link, a, _ *Binding) { a.Deadline-- },
			"looked at after its deadline"},
		{"deadlines out of place", func(_ *Table, _ *Link, a, p *Binding) {
			a.heapIndex, p.heapIndex = p.heapIndex, a.heapIndex
		}, "not where it should be among the deadlines"},
		{"deadlines out of order", func(table *Table, _ *Link, _, p *Binding) { p.wake = 0 }, "before an earlier deadline"},
		{"deadline of a removed one", func(_ *Table, l *Link, _, p *Binding) { l.prefixes.remove(p) },
			"among the deadlines and not in the table"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, l := newLink(Limits{})
			a, p := address(t, l, 1, wide, noWish), prefix(t, l, 1, wide, 62, 0x100)
			table.Offer(a, seconds(60), 10)
			table.Offer(p, seconds(60), 10)
			prefix(t, l, 2, wide, 62, 0x200)
			checkTable(t, table)
			tt.damage(table, l, a, p)
			if err := table.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
