package lease

// deadlines is a heap of bindings by the moment to look at them again. A renewal that moves a binding's deadline later
// leaves the heap alone: the binding is put back with its new deadline when the old one comes up. So Renew costs the
// same with ten bindings and with ten thousand.
//
// Package container/heap would do, but its interfaces keep the type of a Table, and with it all of package time's zones
// and formats, in the binary.
type deadlines []*Binding

func (d *deadlines) push(b *Binding) {
	b.heapIndex = len(*d)
	*d = append(*d, b)
	d.fix(b.heapIndex)
}

func (d *deadlines) remove(i int) {
	last := len(*d) - 1
	d.swap(i, last)
	(*d)[last].heapIndex = -1
	(*d)[last] = nil
	*d = (*d)[:last]
	if i < last {
		d.fix(i)
	}
}

// fix moves the binding at i to its place after its wake has changed.
func (d deadlines) fix(i int) {
	for i > 0 && d[i].wake < d[(i-1)/2].wake {
		d.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(d); child++ {
			if d[child].wake < d[least].wake {
				least = child
			}
		}
		if least == i {
			return
		}
		d.swap(i, least)
		i = least
	}
}

func (d deadlines) swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].heapIndex, d[j].heapIndex = i, j
}

// setDeadline sets when the binding's state ends and keeps the heap true.
func (t *Table) setDeadline(b *Binding, at Time) {
	b.Deadline = at
	switch {
	case b.heapIndex < 0 && at == Never:
	case b.heapIndex < 0:
		b.wake = at
		t.deadlines.push(b)
	case at < b.wake:
		b.wake = at
		t.deadlines.fix(b.heapIndex)
	}
}

// unwatch takes the binding's deadline off the heap.
func (t *Table) unwatch(b *Binding) {
	if b.heapIndex >= 0 {
		t.deadlines.remove(b.heapIndex)
	}
}

// Next is the moment of the earliest deadline, or Never. It may be early by the length of a renewed lease, never late.
func (t *Table) Next() Time {
	if len(t.deadlines) == 0 {
		return Never
	}
	return t.deadlines[0].wake
}

// Expire ends the state of one binding whose deadline is not after now and returns it with the state it was in, or nil
// when there is none left. A bound one becomes Free and keeps its leases for the caller to report; an offer or a
// quarantine is removed.
func (t *Table) Expire(now Time) (*Binding, State) {
	for len(t.deadlines) > 0 && t.deadlines[0].wake <= now {
		b := t.deadlines[0]
		if b.Deadline > now {
			if b.wake = b.Deadline; b.wake == Never {
				t.deadlines.remove(0)
			} else {
				t.deadlines.fix(0)
			}
			continue
		}
		state := b.State
		if state == Bound {
			t.Free(b)
		} else {
			t.Remove(b)
		}
		return b, state
	}
	return nil, Free
}
