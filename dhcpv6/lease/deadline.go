package lease

import "container/heap"

// deadlines is a heap of bindings by the moment to look at them again. A renewal that moves a binding's deadline later
// leaves the heap alone: the binding is put back with its new deadline when the old one comes up. So Renew costs the
// same with ten bindings and with ten thousand.
type deadlines []*Binding

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].wake < d[j].wake }
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].heapIndex, d[j].heapIndex = i, j
}

// Push and Pop are container/heap's.
func (d *deadlines) Push(x any) {
	b := x.(*Binding)
	b.heapIndex = len(*d)
	*d = append(*d, b)
}

func (d *deadlines) Pop() any {
	old := *d
	b := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	b.heapIndex = -1
	return b
}

// setDeadline sets when the binding's state ends and keeps the heap true.
func (t *Table) setDeadline(b *Binding, at Time) {
	b.Deadline = at
	switch {
	case b.heapIndex < 0 && at == Never:
	case b.heapIndex < 0:
		b.wake = at
		heap.Push(&t.deadlines, b)
	case at < b.wake:
		b.wake = at
		heap.Fix(&t.deadlines, b.heapIndex)
	}
}

func (t *Table) dropDeadline(b *Binding) {
	if b.heapIndex >= 0 {
		heap.Remove(&t.deadlines, b.heapIndex)
	}
	b.Deadline = Never
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
				heap.Pop(&t.deadlines)
			} else {
				heap.Fix(&t.deadlines, 0)
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
