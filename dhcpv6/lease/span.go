package lease

import "sort"

// span is the run of subnet ids [first, last] that a delegated prefix takes.
type span struct {
	first, last uint64
	binding     *Binding
}

// spans are the delegated prefixes of a link, in order, without overlap. A sorted slice: a router delegates tens of
// prefixes, and even at ten thousand an insertion moves less memory than one packet costs.
type spans []span

// search is the index of the first span that ends at or after id.
func (s spans) search(id uint64) int {
	return sort.Search(len(s), func(i int) bool { return s[i].last >= id })
}

func (s spans) overlap(id, size uint64) *Binding {
	if i := s.search(id); i < len(s) && s[i].first <= id+size-1 {
		return s[i].binding
	}
	return nil
}

func (s *spans) insert(b *Binding) {
	i := s.search(b.ID)
	*s = append(*s, span{})
	copy((*s)[i+1:], (*s)[i:])
	(*s)[i] = span{b.ID, b.ID + b.Size() - 1, b}
}

func (s *spans) remove(b *Binding) {
	i := s.search(b.ID)
	if i < len(*s) && (*s)[i].binding == b {
		*s = append((*s)[:i], (*s)[i+1:]...)
	}
}

// reusable reports whether all bindings in [id, id+size) may be given up.
func (s spans) reusable(id, size uint64) bool {
	for i := s.search(id); i < len(s) && s[i].first <= id+size-1; i++ {
		if state := s[i].binding.State; state != Free && state != Offered {
			return false
		}
	}
	return true
}
