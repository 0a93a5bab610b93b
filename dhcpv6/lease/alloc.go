package lease

import (
	"iter"
	"sort"
)

// Span is a run of ids, both ends included.
type Span struct{ First, Last uint64 }

// Reserved are ids that are not given out dynamically: sorted, without overlap. See NewReserved.
type Reserved []Span

// NewReserved sorts the spans, in place, and joins those that overlap.
func NewReserved(spans []Span) Reserved {
	sort.Slice(spans, func(i, j int) bool { return spans[i].First < spans[j].First })
	var r Reserved
	for _, s := range spans {
		if n := len(r); n > 0 && s.First <= r[n-1].Last {
			r[n-1].Last = max(r[n-1].Last, s.Last)
		} else {
			r = append(r, s)
		}
	}
	return r
}

// Overlap returns a reserved run that shares an id with [id, id+size).
func (r Reserved) Overlap(id, size uint64) (Span, bool) {
	lo, hi := 0, len(r)
	for lo < hi {
		if mid := (lo + hi) / 2; r[mid].Last < id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(r) && r[lo].First <= id+size-1 {
		return r[lo], true
	}
	return Span{}, false
}

// With is these and one more id, in place of what is in buf.
//
//go:noinline
func (r Reserved) With(id uint64, buf Reserved) Reserved {
	i := 0
	for i < len(r) && r[i].Last < id {
		i++
	}
	buf = append(buf[:0], r[:i]...)
	if i == len(r) || id < r[i].First {
		buf = append(buf, Span{id, id})
	}
	return append(buf, r[i:]...)
}

// Pool is where a new id may come from.
type Pool struct {
	Span              // ids that may be given out
	Reserved Reserved // except these
	Spent    *Spent   // of this pool on one link; nil: a pool that is searched each time
}

// Spent notes that a search of a pool has found nothing unused, so that it is not searched again before something is. A
// pool full of remembered bindings must not cost a search for each IA.
type Spent struct {
	at [65]uint64 // by length of prefix, 0 for addresses: Link.vacated of that moment and one more
}

// isSpent reports whether the pool is known to have nothing unused of that length.
func (l *Link) isSpent(pool Pool, kind Kind, length uint8) bool {
	return pool.Spent != nil && pool.Spent.at[length] == l.vacated[kind]+1
}

func (l *Link) setSpent(pool Pool, kind Kind, length uint8) {
	if pool.Spent != nil {
		pool.Spent.at[length] = l.vacated[kind] + 1
	}
}

// Contains reports whether the pool may give out [id, id+size).
func (p Pool) Contains(id, size uint64) bool {
	if id < p.First || id > p.Last || size-1 > p.Last-id {
		return false
	}
	_, reserved := p.Reserved.Overlap(id, size)
	return !reserved
}

// Size is the number of ids that the pool may give out.
func (p Pool) Size() uint64 {
	if p.First > p.Last {
		return 0
	}
	n := p.Last - p.First + 1 // 0: all 2^64, of which some are reserved
	for _, r := range p.Reserved {
		if first, last := max(r.First, p.First), min(r.Last, p.Last); first <= last {
			n -= last - first + 1
		}
	}
	return n
}

// AllocateAddress gives an IA without a binding an interface id from the pool: want, if the pool has it and it is free;
// else the first free one from the client's own starting point, so that the same client gets the same id from an empty
// table; else the id that has been unused longest. It returns nil when all ids are in use. The binding is New:
// Offer, Bind or Remove it.
func (l *Link) AllocateAddress(duid []byte, iaid uint32, pool Pool, want uint64) *Binding {
	if pool.Contains(want, 1) && l.addresses[want] == nil {
		return l.insert(duid, iaid, Address, want, 128)
	}
	if !l.isSpent(pool, Address, 0) {
		if id, ok := l.freeAddress(pool, hash(duid, iaid)); ok {
			return l.insert(duid, iaid, Address, id, 128)
		}
		l.setSpent(pool, Address, 0)
	}
	for b := range l.reusable(Address) {
		if pool.Contains(b.ID, 1) {
			id := b.ID
			l.table.Remove(b)
			l.vacated[Address]-- // it is taken again at once
			return l.insert(duid, iaid, Address, id, 128)
		}
	}
	return nil
}

// freeAddress looks for an id that is neither taken nor reserved, from seed on and around the end of the pool.
func (l *Link) freeAddress(pool Pool, seed uint64) (uint64, bool) {
	if pool.First > pool.Last {
		return 0, false
	}
	size := pool.Last - pool.First + 1 // 0: all 2^64
	id := pool.First
	if size == 0 {
		id += seed
	} else {
		id += seed % size
	}
	for wrapped := false; ; {
		reserved, isReserved := pool.Reserved.Overlap(id, 1)
		switch {
		case isReserved:
			id = reserved.Last
		case l.addresses[id] == nil:
			return id, true
		}
		if id >= pool.Last {
			if wrapped {
				return 0, false
			}
			wrapped, id = true, pool.First
			continue
		}
		id++
	}
}

// AllocatePrefix gives an IA without a binding a run of subnet ids for a prefix of that length (at most 64) from the
// pool: want, if it is aligned, in the pool and free; else as AllocateAddress does.
func (l *Link) AllocatePrefix(duid []byte, iaid uint32, pool Pool, length uint8, want uint64) *Binding {
	size := IDs(length)
	id := want
	if want%size != 0 || !pool.Contains(want, size) || l.prefixes.overlap(want, size) != nil {
		var ok bool
		if id, ok = l.unusedPrefix(pool, length, hash(duid, iaid)); !ok {
			if id, ok = l.reusePrefix(pool, size); !ok {
				return nil
			}
		}
	}
	return l.insert(duid, iaid, Prefix, id, length)
}

// unusedPrefix is freePrefix, unless the pool is known to have nothing.
func (l *Link) unusedPrefix(pool Pool, length uint8, seed uint64) (id uint64, ok bool) {
	if l.isSpent(pool, Prefix, length) {
		return 0, false
	}
	if id, ok = l.freePrefix(pool, IDs(length), seed); !ok {
		l.setSpent(pool, Prefix, length)
	}
	return id, ok
}

// reusePrefix makes an aligned run of size ids free that only remembered and offered bindings are in, around the one
// that has been unused longest.
func (l *Link) reusePrefix(pool Pool, size uint64) (uint64, bool) {
	if size-1 > pool.Last-pool.First {
		return 0, false // nothing in the pool is that large; spare the search
	}
	for b := range l.reusable(Prefix) {
		id := b.ID / size * size
		if pool.Contains(id, size) && l.prefixes.reusable(id, size) {
			l.makeFree(id, size)
			return id, true
		}
	}
	return 0, false
}

// makeFree removes the bindings in a run of ids that is going to be taken at once. What a larger one leaves is unused.
func (l *Link) makeFree(id, size uint64) {
	for b := l.prefixes.overlap(id, size); b != nil; b = l.prefixes.overlap(id, size) {
		l.table.Remove(b)
		if b.Size() <= size {
			l.vacated[Prefix]--
		}
	}
}

// freePrefix looks for an aligned run of size ids, from seed on and around the end of the pool.
func (l *Link) freePrefix(pool Pool, size, seed uint64) (uint64, bool) {
	first := (pool.First + size - 1) / size // in blocks of size
	end := (pool.Last + 1) / size           // first block that does not fit; the pool never ends at 2^64-1
	if first >= end {
		return 0, false
	}
	start := first + seed%(end-first)
	if id, ok := l.freeBlock(pool.Reserved, size, start, end); ok {
		return id, true
	}
	return l.freeBlock(pool.Reserved, size, first, start)
}

// freeBlock looks at the blocks [from, to) of size ids.
func (l *Link) freeBlock(reserved Reserved, size, from, to uint64) (uint64, bool) {
	taken := l.prefixes[l.prefixes.search(from*size):]
	for block := from; block < to; {
		id := block * size
		if r, ok := reserved.Overlap(id, size); ok {
			block = r.Last/size + 1
			continue
		}
		for len(taken) > 0 && taken[0].last < id {
			taken = taken[1:]
		}
		if len(taken) == 0 || taken[0].first > id+size-1 {
			return id, true
		}
		block = taken[0].last/size + 1
	}
	return 0, false
}

// reusable iterates the link's bindings that somebody else may have if nothing is unused: those remembered, the longest
// unused first, then the offers, oldest first. The loop must end once the table changes.
func (l *Link) reusable(kind Kind) iter.Seq[*Binding] {
	return func(yield func(*Binding) bool) {
		for _, first := range [...]*Binding{l.table.free.first, l.table.offers.first} {
			for b := first; b != nil; b = b.next {
				l.table.walked++
				if b.Link == l && b.Kind == kind && !yield(b) {
					return
				}
			}
		}
	}
}

// hash is FNV-1a of the client's identity: where its search for an id begins. It must never change: clients keep their
// addresses over a restart without a lease file because of it.
func hash(duid []byte, iaid uint32) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for _, b := range duid {
		h = (h ^ uint64(b)) * prime
	}
	for shift := 24; shift >= 0; shift -= 8 {
		h = (h ^ uint64(iaid>>shift)&0xff) * prime
	}
	return h ^ h>>32
}
