package lease

import "sort"

// Link holds the bindings of one link. Ids are unique in it.
type Link struct {
	Name string

	table     *Table
	bindings  map[Key]*Binding    // those that a client holds or held
	addresses map[uint64]*Binding // by interface id
	prefixes  spans               // by subnet id
	offers    int
	changes   uint64
}

// Lookup finds the binding of an IA, in whatever state, or nil. It does not keep duid.
func (l *Link) Lookup(duid []byte, iaid uint32, kind Kind) *Binding {
	return l.bindings[Key{string(duid), iaid, kind}]
}

// Holds reports whether the binding is still in the table, under its IA.
func (l *Link) Holds(b *Binding) bool { return l.bindings[b.Key] == b }

// Address finds the binding that has the interface id, or nil.
func (l *Link) Address(id uint64) *Binding { return l.addresses[id] }

// PrefixAt finds a binding whose subnet ids overlap [id, id+size), or nil.
func (l *Link) PrefixAt(id, size uint64) *Binding { return l.prefixes.overlap(id, size) }

// Len is the number of bindings of all states.
func (l *Link) Len() int { return len(l.addresses) + len(l.prefixes) }

// Changes is a number that is another one whenever an id may have become free or taken: what was full is full as long
// as it stays the same.
func (l *Link) Changes() uint64 { return l.changes }

// Bindings are all bindings of the link, addresses by interface id before prefixes by subnet id.
func (l *Link) Bindings() []*Binding {
	all := make([]*Binding, 0, l.Len())
	for _, b := range l.addresses {
		all = append(all, b)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	for _, s := range l.prefixes {
		all = append(all, s.binding)
	}
	return all
}

// insert makes a binding for an IA that has none. The id must not be taken.
func (l *Link) insert(duid []byte, iaid uint32, kind Kind, id uint64, length uint8) *Binding {
	b := &Binding{Key: Key{string(duid), iaid, kind}, Link: l, ID: id, Length: length, Deadline: Never, heapIndex: -1}
	l.bindings[b.Key] = b
	l.changes++
	if kind == Address {
		l.addresses[id] = b
	} else {
		l.prefixes.insert(b)
	}
	return b
}

func (l *Link) remove(b *Binding) {
	l.changes++
	if l.bindings[b.Key] == b {
		delete(l.bindings, b.Key)
	}
	if b.Kind == Prefix {
		l.prefixes.remove(b)
	} else if l.addresses[b.ID] == b {
		delete(l.addresses, b.ID)
	}
}
