package lease

import (
	"errors"
	"maps"

	"lan6d/dhcpv6/tinyfmt"
)

// Check verifies that the table is in order and tells everything that is not: that each binding is found by its IA and
// by its id, that no two of a link share an id, that queues, counters and deadlines agree with the bindings. It is for
// tests and for looking at a running server; it costs time in proportion to the table.
func (t *Table) Check() error {
	c := checker{table: t}
	for name, l := range t.links {
		c.require(l.Name == name && l.table == t, "link %q is kept as %q", l.Name, name)
		c.link(l)
	}
	c.list("offers", &t.offers, Offered)
	c.list("free", &t.free, Free)
	c.heap()
	return errors.Join(c.problems...)
}

type checker struct {
	table    *Table
	states   [Declined + 1]int // bindings in each state
	problems []error
}

func (c *checker) require(ok bool, format string, args ...any) {
	if !ok {
		c.problems = append(c.problems, tinyfmt.Errorf(format, args...))
	}
}

// about is require for a binding, which it names.
func (c *checker) about(b *Binding, ok bool, problem string) {
	if !ok {
		c.require(ok, "link %s: %v %d of %v, %v, id %#x: %s", b.Link.Name, b.Kind, b.IAID, b.Client(), b.State, b.ID, problem)
	}
}

func (c *checker) link(l *Link) {
	offers, held := 0, 0
	bound := make(map[string]int)
	for _, b := range l.Bindings() {
		c.about(b, b.Link == l, "belongs to another link")
		c.about(b, b.kept, "in the table and not marked so")
		c.binding(b)
		c.states[b.State]++
		if b.State == Offered {
			offers++
		}
		if b.State == Bound {
			bound[b.DUID]++
		}
		if b.State != Declined {
			held++
		}
	}
	c.require(l.offers == offers, "link %s: %d offers, counted as %d", l.Name, offers, l.offers)
	c.require(len(l.bindings) == held, "link %s: %d IAs, found by %d", l.Name, held, len(l.bindings))
	c.require(maps.Equal(bound, l.bound), "link %s: the bound bindings of a client are counted wrong", l.Name)
	for id, b := range l.addresses {
		c.about(b, b.ID == id && b.Kind == Address && b.Length == 128, "kept as an address of another id")
	}
	c.spans(l.prefixes)
}

func (c *checker) spans(all spans) {
	for i, s := range all {
		b := s.binding
		c.about(b, b.Kind == Prefix && s.first == b.ID && s.last == b.ID+b.Size()-1, "kept as a prefix of another id")
		c.about(b, b.ID%b.Size() == 0, "not aligned")
		c.about(b, i == 0 || all[i-1].last < s.first, "not behind the prefix before it")
	}
}

func (c *checker) binding(b *Binding) {
	if b.State == Declined {
		c.about(b, b.DUID == "", "has a client")
	} else {
		c.about(b, b.Link.bindings[b.Key] == b, "not found by its IA")
	}
	c.about(b, b.list == c.listOf(b.State), "on the wrong list")
	c.about(b, b.State != Free || b.Deadline == Never && b.heapIndex < 0, "has a deadline")
	if b.heapIndex < 0 {
		c.about(b, b.Deadline == Never, "its deadline is not watched")
	} else {
		heap := c.table.deadlines
		c.about(b, b.heapIndex < len(heap) && heap[b.heapIndex] == b, "not where it should be among the deadlines")
		c.about(b, b.wake <= b.Deadline, "looked at after its deadline")
	}
}

func (c *checker) listOf(s State) *list {
	switch s {
	case Offered:
		return &c.table.offers
	case Free:
		return &c.table.free
	}
	return nil
}

// list expects c.states to be complete.
func (c *checker) list(name string, l *list, s State) {
	n := 0
	var last *Binding
	for b := l.first; b != nil && n <= l.n; b = b.next {
		c.about(b, b.State == s && b.list == l, "does not belong on the list "+name)
		c.about(b, b.prev == last, "on the list "+name+" with another before it")
		c.about(b, b.Link.has(b), "on the list "+name+" and not in the table")
		last = b
		n++
	}
	c.require(l.last == last, "list %s: has another end", name)
	c.require(l.n == n && n == c.states[s], "list %s: %d bindings, counted as %d, in the table %d",
		name, n, l.n, c.states[s])
}

func (c *checker) heap() {
	for i, b := range c.table.deadlines {
		c.about(b, b.heapIndex == i, "at another place among the deadlines")
		c.about(b, b.Link.has(b), "among the deadlines and not in the table")
		c.about(b, i == 0 || c.table.deadlines[(i-1)/2].wake <= b.wake, "before an earlier deadline")
	}
}

// has reports whether the link has the binding under its id.
func (l *Link) has(b *Binding) bool {
	if b.Kind == Address {
		return l.addresses[b.ID] == b
	}
	return l.prefixes.overlap(b.ID, b.Size()) == b
}
