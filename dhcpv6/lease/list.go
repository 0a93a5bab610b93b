package lease

// list is a queue of bindings, oldest first, that lets go of any of them in constant time.
type list struct {
	first, last *Binding
	n           int
}

func (l *list) push(b *Binding) {
	b.list, b.prev, b.next = l, l.last, nil
	if l.last == nil {
		l.first = b
	} else {
		l.last.next = b
	}
	l.last = b
	l.n++
}

// unlist takes the binding off the list it is on, if any.
func (b *Binding) unlist() {
	l := b.list
	if l == nil {
		return
	}
	if b.prev == nil {
		l.first = b.next
	} else {
		b.prev.next = b.next
	}
	if b.next == nil {
		l.last = b.prev
	} else {
		b.next.prev = b.prev
	}
	b.list, b.prev, b.next = nil, nil, nil
	l.n--
}
