package server

// queue is a queue of clients that lets go of any of them in constant time. A client is in a queue by one of its places.
type queue struct {
	first, last *place
	n           int
}

// place is where a client stands in a queue.
type place struct {
	client     *client
	queue      *queue // nil: in none
	prev, next *place
}

// push puts the client of a place at the end of the queue, wherever it was before.
func (q *queue) push(p *place) {
	p.leave()
	p.queue, p.prev = q, q.last
	if q.last == nil {
		q.first = p
	} else {
		q.last.next = p
	}
	q.last = p
	q.n++
}

// leave takes the client of a place off its queue, if it is in one.
//
//go:noinline
func (p *place) leave() {
	q := p.queue
	if q == nil {
		return
	}
	if p.prev == nil {
		q.first = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		q.last = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.queue, p.prev, p.next = nil, nil, nil
	q.n--
}
