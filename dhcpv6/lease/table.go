package lease

import (
	"sort"
	"time"
)

// Limits bound what a table remembers of clients that were promised nothing. Zero values mean the defaults.
type Limits struct {
	Offers int // offers outstanding in all, default 1024
	Free   int // released and expired bindings remembered in all, default 4096
}

// Table holds the bindings of all links.
type Table struct {
	epoch     time.Time
	limits    Limits
	links     map[string]*Link
	deadlines deadlines
	offers    list       // of all links, oldest first
	free      list       // likewise
	marked    []*Binding // to be recorded: see AppendChanges
	clocks    clocks     // as recorded last
	walked    uint64     // see Walked

	notes       map[string]*note
	markedNotes []string // likewise
}

// NewTable makes an empty table whose clock begins at epoch.
func NewTable(epoch time.Time, limits Limits) *Table {
	t := &Table{epoch: epoch, links: make(map[string]*Link), notes: make(map[string]*note)}
	t.SetLimits(limits)
	return t
}

// SetLimits sets the bounds; they hold from the next offer or release on.
func (t *Table) SetLimits(limits Limits) {
	if limits.Offers <= 0 {
		limits.Offers = 1024
	}
	if limits.Free <= 0 {
		limits.Free = 4096
	}
	t.limits = limits
}

// At converts a moment to the table's clock. Both this moment and the table's epoch should carry a monotonic reading.
func (t *Table) At(now time.Time) Time { return Time(now.Sub(t.epoch)) }

// Wall converts a moment on the table's clock back; only for a moment other than Never.
func (t *Table) Wall(at Time) time.Time { return t.epoch.Add(time.Duration(at)) }

// Link returns the bindings of the link of that name, an empty set at first.
func (t *Table) Link(name string) *Link {
	l, ok := t.links[name]
	if !ok {
		l = &Link{
			Name: name, table: t, bindings: make(map[Key]*Binding), addresses: make(map[uint64]*Binding),
			bound: make(map[string]int),
		}
		t.links[name] = l
	}
	return l
}

// Walked is how many remembered and offered bindings allocations have looked at so far, for some that may be given up.
func (t *Table) Walked() uint64 { return t.walked }

// Links are the links the table knows, by name.
func (t *Table) Links() []*Link {
	// The names are sorted, not the links: see deadlines for what it costs to show these to package sort.
	names := make([]string, 0, len(t.links))
	for name := range t.links {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return names[i] < names[j] })
	links := make([]*Link, len(names))
	for i, name := range names {
		links[i] = t.links[name]
	}
	return links
}

// Offer marks a binding that is not bound as offered until the given moment. The oldest offers are given up when there are
// more than the table's limit or the link's.
func (t *Table) Offer(b *Binding, until Time, linkLimit int) {
	if b.State == Bound {
		return
	}
	b.Leases = b.Leases[:0]
	t.setState(b, Offered)
	t.setDeadline(b, until)
	for b.Link.offers > linkLimit {
		t.Remove(t.oldestOffer(b.Link))
	}
	for t.offers.n > t.limits.Offers {
		t.Remove(t.offers.first)
	}
}

// oldestOffer is the offer of that link that was made first. The link must have one.
func (t *Table) oldestOffer(l *Link) *Binding {
	b := t.offers.first
	for b.Link != l {
		b = b.next
	}
	return b
}

// Hold makes an offered or Free binding New, so that no other allocation takes its id until the caller has decided.
func (t *Table) Hold(b *Binding) {
	if b.State == Offered || b.State == Free {
		t.setState(b, New)
	}
}

// Bind promises the binding to its client. Its deadline becomes the last valid lifetime among its leases, which the
// caller has set.
func (t *Table) Bind(b *Binding) {
	if b.State != Bound {
		t.setState(b, Bound)
	}
	var last Time
	for i := range b.Leases {
		last = max(last, b.Leases[i].Valid)
	}
	t.setDeadline(b, last)
	t.mark(b)
}

// Free ends a bound binding, released or expired, and remembers it: its id stays the client's until it is needed. The
// leases stay for the caller to look at.
func (t *Table) Free(b *Binding) {
	t.unwatch(b)
	b.Deadline = Never
	t.setState(b, Free)
	t.mark(b)
	for t.free.n > t.limits.Free {
		t.Remove(t.free.first)
	}
}

// Decline takes the address away from its client and keeps it from everybody until the given moment: another host uses
// it.
func (t *Table) Decline(b *Binding, until Time) {
	delete(b.Link.bindings, b.Key)
	t.setState(b, Declined)
	b.DUID, b.IAID, b.Hostname, b.Leases = "", 0, "", nil
	t.setDeadline(b, until)
	t.mark(b)
}

// Remove forgets a binding.
func (t *Table) Remove(b *Binding) {
	t.unwatch(b)
	t.leaveState(b)
	b.Link.remove(b)
	if b.recorded {
		t.mark(b)
	}
}

// PutBack undoes Remove or Hold: the binding is again in the state that it was in. What it had in the table, its IA and
// its ids, must not be another's now. Of several that were removed the last one comes first.
func (t *Table) PutBack(b *Binding, state State) {
	if !b.Link.has(b) {
		b.State = New
		b.Link.put(b, state)
		t.setDeadline(b, b.Deadline)
	}
	t.setState(b, state)
}

func (t *Table) setState(b *Binding, s State) {
	t.leaveState(b)
	b.State = s
	if s == Offered || s == Free {
		b.Link.changes[b.Kind]++ // somebody else may have its id now, if need be
	}
	switch s {
	case Bound:
		b.Link.count(b.DUID, 1)
	case Offered:
		t.offers.push(b)
		b.Link.offers++
	case Free:
		t.free.push(b)
	}
}

func (t *Table) leaveState(b *Binding) {
	switch {
	case b.State == Offered && b.list != nil:
		b.Link.offers--
	case b.State == Bound && b.kept:
		b.Link.count(b.DUID, -1)
	}
	b.unlist()
}
