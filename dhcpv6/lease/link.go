package lease

import (
	"iter"
	"sort"
)

// Link holds the bindings of one link. Ids are unique in it.
type Link struct {
	Name string

	table     *Table
	bindings  map[Key]*Binding    // those that a client holds or held
	addresses map[uint64]*Binding // by interface id
	prefixes  spans               // by subnet id
	bound     map[string]int      // bound bindings by the client's DUID
	offers    int
	changes   [2]uint64 // by Kind: see Changes
	vacated   [2]uint64 // likewise: how often something became unused, see Spent
}

// Lookup finds the binding of an IA, in whatever state, or nil. It does not keep duid.
func (l *Link) Lookup(duid []byte, iaid uint32, kind Kind) *Binding {
	return l.bindings[Key{string(duid), iaid, kind}]
}

// Holds reports whether the binding is still in the table, under its IA.
func (l *Link) Holds(b *Binding) bool { return b.kept && b.Link == l && b.State != Declined }

// Bound is the number of bindings that the client has on the link.
func (l *Link) Bound(duid string) int { return l.bound[duid] }

// count adds to the number of bindings that a client has.
func (l *Link) count(duid string, n int) {
	if n += l.bound[duid]; n == 0 {
		delete(l.bound, duid)
	} else {
		l.bound[duid] = n
	}
}

// Address finds the binding that has the interface id, or nil.
func (l *Link) Address(id uint64) *Binding { return l.addresses[id] }

// PrefixAt finds a binding whose subnet ids overlap [id, id+size), or nil.
func (l *Link) PrefixAt(id, size uint64) *Binding { return l.prefixes.overlap(id, size) }

// Prefixes iterates the bindings of delegated prefixes, by subnet id. The table must not change meanwhile.
func (l *Link) Prefixes() iter.Seq[*Binding] {
	return func(yield func(*Binding) bool) {
		for _, s := range l.prefixes {
			if !yield(s.binding) {
				return
			}
		}
	}
}

// All iterates the bindings, in no order. The table must not change meanwhile.
func (l *Link) All() iter.Seq[*Binding] {
	return func(yield func(*Binding) bool) {
		for _, b := range l.addresses {
			if !yield(b) {
				return
			}
		}
		l.Prefixes()(yield)
	}
}

// Len is the number of bindings of all states.
func (l *Link) Len() int { return len(l.addresses) + len(l.prefixes) }

// Changes is a number that is another one whenever an id of the kind may have become free: what was full is full as long
// as it stays the same.
func (l *Link) Changes(kind Kind) uint64 { return l.changes[kind] }

// Bindings are all bindings of the link, addresses by interface id before prefixes by subnet id.
func (l *Link) Bindings() []*Binding {
	// The ids are sorted, not the bindings: see deadlines for what it costs to show these to package sort.
	ids := make([]uint64, 0, len(l.addresses))
	for id := range l.addresses {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	all := make([]*Binding, 0, l.Len())
	for _, id := range ids {
		all = append(all, l.addresses[id])
	}
	for b := range l.Prefixes() {
		all = append(all, b)
	}
	return all
}

// insert makes a binding for an IA that has none. The id must not be taken.
func (l *Link) insert(duid []byte, iaid uint32, kind Kind, id uint64, length uint8) *Binding {
	b := &Binding{Key: Key{string(duid), iaid, kind}, Link: l, ID: id, Length: length, Deadline: Never, heapIndex: -1}
	b.Leases = b.room[:0]
	l.put(b, New)
	return b
}

// put takes up a binding that is going to be in that state.
func (l *Link) put(b *Binding, state State) {
	b.kept = true
	if state != Declined {
		l.bindings[b.Key] = b
	}
	if b.Kind == Address {
		l.addresses[b.ID] = b
	} else {
		l.prefixes.insert(b)
	}
}

func (l *Link) remove(b *Binding) {
	l.changes[b.Kind]++
	l.vacated[b.Kind]++
	b.kept = false
	if l.bindings[b.Key] == b {
		delete(l.bindings, b.Key)
	}
	if b.Kind == Prefix {
		l.prefixes.remove(b)
	} else if l.addresses[b.ID] == b {
		delete(l.addresses, b.ID)
	}
}
