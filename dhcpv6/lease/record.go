package lease

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// Types of record, the first octet of a body.
const (
	recordClock   = 1 // how the wall clock and the boot's clock stand to each other, for the records that follow
	recordBinding = 2 // all of a binding, in place of what was known of its ids
	recordForget  = 3 // nothing is known of these ids any more
	recordNote    = 4 // a note, in place of the one of the same name; empty: there is none
)

// Clock is a reading of the clocks that outlive a process.
type Clock struct {
	Boot  [16]byte // names the boot of the machine, zero if unknown; within one boot Since never jumps
	Since int64    // nanoseconds since that boot
	Wall  int64    // nanoseconds of Unix time
}

// clockTolerance is by how much the wall clock may drift off the boot's clock before that is recorded anew.
const clockTolerance = int64(time.Second)

// clocks is a reading at a moment on the table's clock.
type clocks struct {
	Clock
	at Time
}

// wall is a moment in seconds of Unix time, rounded up: a lease must not end before its client believes so.
func (c *clocks) wall(t Time) int64 {
	if t == Never {
		return math.MaxInt64
	}
	ns := c.Wall + int64(t-c.at)
	seconds := ns / int64(time.Second)
	if ns > seconds*int64(time.Second) {
		seconds++
	}
	return seconds
}

// stepped reports whether another reading, later or not, says that the clocks have moved against each other.
func (c *clocks) stepped(now Clock) bool {
	d := now.bootedAt() - c.bootedAt()
	return now.Boot != c.Boot || d > clockTolerance || d < -clockTolerance
}

// bootedAt is the time of the boot, as the wall clock has it.
func (c Clock) bootedAt() int64 { return c.Wall - c.Since }

// mark notes that the binding must be recorded.
func (t *Table) mark(b *Binding) {
	if !b.marked {
		b.marked = true
		t.marked = append(t.marked, b)
	}
}

// Changed reports whether AppendChanges may have something to append.
func (t *Table) Changed() bool { return len(t.marked)+len(t.markedNotes) > 0 }

// AppendChanges appends to b a record of each binding and note that has changed since the last call, as it is now. An
// offer promises nothing: of one that records know as bound they say that it is free. clock is read at now.
func (t *Table) AppendChanges(b []byte, now Time, clock Clock) []byte {
	if !t.Changed() {
		return b
	}
	start := len(b)
	b = t.setClock(b, now, clock, false)
	timed := len(b) > start
	b = t.appendNoteChanges(b)
	for i, binding := range t.marked {
		t.marked[i] = nil
		binding.marked = false
		switch {
		case !binding.kept:
			if binding.recorded && !binding.Link.succeeded(binding) {
				b = appendForget(b, binding)
			}
		case binding.State.lasts() || binding.recorded:
			binding.recorded, timed = true, true
			b = t.appendBinding(b, binding, now)
		}
	}
	t.marked = t.marked[:0]
	if len(b) > start && !timed {
		b = t.setClock(b, now, clock, true) // so that Newer sees when this was
	}
	return b
}

// AppendAll appends Header and a record of every binding and note: the content of a new journal. AppendChanges goes on
// from there.
func (t *Table) AppendAll(b []byte, now Time, clock Clock) []byte {
	b = t.appendContent(b, now, clock)
	for _, l := range t.links {
		for _, binding := range l.addresses {
			binding.recorded = binding.State.lasts()
		}
		for i := range l.prefixes {
			l.prefixes[i].binding.recorded = l.prefixes[i].binding.State.lasts()
		}
	}
	t.unmarkAll()
	t.appendNoteChanges(nil)
	return b
}

// succeeded reports whether the record of another binding tells that a removed one is over: that of the same IA, or one
// with its ids. Then a record less can be torn from the other, and an IA that moves is never without any.
func (l *Link) succeeded(b *Binding) bool {
	if other := l.bindings[b.Key]; other != nil && other.State.lasts() {
		return true
	}
	other := l.addresses[b.ID]
	if b.Kind == Prefix {
		other = l.prefixes.overlap(b.ID, b.Size())
	}
	return other != nil && other.State.lasts()
}

// unmarkAll is called when all bindings are recorded.
func (t *Table) unmarkAll() {
	for i, binding := range t.marked {
		t.marked[i] = nil
		binding.marked = false
	}
	t.marked = t.marked[:0]
}

// AppendCopy appends what AppendAll does, for a file beside the journal: AppendChanges goes on as if nothing had been.
func (t *Table) AppendCopy(b []byte, now Time, clock Clock) []byte {
	defer func(c clocks) { t.clocks = c }(t.clocks)
	return t.appendContent(b, now, clock)
}

func (t *Table) appendContent(b []byte, now Time, clock Clock) []byte {
	b = append(b, Header...)
	b = t.setClock(b, now, clock, true)
	for name, value := range t.Notes() {
		b = appendNote(b, name, value)
	}
	for _, l := range t.links {
		for _, binding := range l.addresses {
			b = t.appendHeld(b, binding, now)
		}
		for i := range l.prefixes {
			b = t.appendHeld(b, l.prefixes[i].binding, now)
		}
	}
	for binding := t.free.first; binding != nil; binding = binding.next { // the longest unused first
		b = t.appendBinding(b, binding, now)
	}
	return b
}

func (t *Table) appendHeld(b []byte, binding *Binding, now Time) []byte {
	if binding.State == Free || !binding.State.lasts() {
		return b
	}
	return t.appendBinding(b, binding, now)
}

// lasts reports whether a binding of that state outlives the process.
func (s State) lasts() bool { return s == Bound || s == Free || s == Declined }

// setClock appends a record of the clocks if the last one no longer holds, or always: then, if that does hold, one that
// goes on with it, for what is recorded next may be behind either of them.
func (t *Table) setClock(b []byte, now Time, clock Clock, always bool) []byte {
	if !t.clocks.stepped(clock) {
		if !always {
			return b
		}
		clock.Wall = clock.Since + t.clocks.bootedAt()
	}
	t.clocks = clocks{clock, now}
	b, start := beginRecord(b)
	b = append(b, recordClock)
	b = append(b, clock.Boot[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(clock.Since))
	b = binary.BigEndian.AppendUint64(b, uint64(clock.Wall))
	return endRecord(b, start)
}

// appendID appends what names a run of ids on a link.
func appendID(b []byte, binding *Binding) []byte {
	b = append(b, byte(binding.Kind), binding.Length)
	b = binary.BigEndian.AppendUint64(b, binding.ID)
	return appendText(b, binding.Link.Name)
}

func appendForget(b []byte, binding *Binding) []byte {
	b, start := beginRecord(b)
	b = append(b, recordForget)
	return endRecord(appendID(b, binding), start)
}

//go:noinline
func appendText(b []byte, s string) []byte {
	s = s[:min(len(s), math.MaxUint16)]
	b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

// Flags of a recorded binding and of a recorded lease.
const (
	flagFixed     = 1
	flagWithdrawn = 1
)

func (t *Table) appendBinding(b []byte, binding *Binding, now Time) []byte {
	if binding.PeerLink != "" {
		b = appendPeer(b, binding)
	}
	b, start := beginRecord(b)
	b = append(b, recordBinding)
	b = appendID(b, binding)
	state, flags := binding.State, byte(0)
	if !state.lasts() {
		state = Free // released, and offered again at once
	}
	if binding.Fixed {
		flags = flagFixed
	}
	b = append(b, byte(state), flags)
	b = binary.BigEndian.AppendUint32(b, binding.IAID)
	b = binary.BigEndian.AppendUint64(b, uint64(t.clocks.wall(now)))
	b = binary.BigEndian.AppendUint64(b, uint64(t.clocks.wall(binding.Deadline)))
	peer := [16]byte{} // :: for none, and for what appendPeer has told
	if binding.Peer.IsValid() && binding.PeerLink == "" {
		peer = binding.Peer.As16()
	}
	b = append(b, peer[:]...)
	b = appendText(b, binding.DUID)
	b = appendText(b, binding.Hostname)
	for i := range binding.Leases {
		b = t.appendLease(b, &binding.Leases[i])
	}
	return endRecord(b, start)
}

func (t *Table) appendLease(b []byte, l *Lease) []byte {
	flags := byte(0)
	if l.Withdrawn {
		flags = flagWithdrawn
	}
	addr := l.Prefix.Addr().As16()
	b = append(b, flags, byte(l.Prefix.Bits()))
	b = append(b, addr[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.clocks.wall(l.Preferred)))
	return binary.BigEndian.AppendUint64(b, uint64(t.clocks.wall(l.Valid)))
}

// leaseFrom is the lease that appendLease wrote, of the kind and length of its binding.
func leaseFrom(r *reader, past *past) (l Lease) {
	l.Withdrawn = r.uint8()&flagWithdrawn != 0
	bits := int(r.uint8())
	l.Prefix = netip.PrefixFrom(r.addr(), bits)
	l.Preferred, l.Valid = past.time(r.int64()), past.time(r.int64())
	if !l.Prefix.IsValid() || l.Prefix.Masked() != l.Prefix {
		r.bad = true
	}
	return l
}
