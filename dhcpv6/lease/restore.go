package lease

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"lan6d/dhcpv6/tinyfmt"
)

// Restore takes up what AppendAll and AppendChanges wrote, into an empty table. b begins with Header and holds whole
// records (see Whole); clock is read at now. What has ended meanwhile is restored too and expires at once.
//
// Within one boot of the machine, remaining lifetimes follow the boot's clock and are exact, whatever the wall clock did.
// After a reboot nobody can tell how long the machine was off, for many routers wake up with a clock that is wrong: what
// remained when the last record was written remains, less the time since the boot. So no lease ends too early, and none
// can last longer than its lifetime from the last record on.
//
// The error tells of records that make no sense; they are left out.
func (t *Table) Restore(b []byte, now Time, clock Clock) error {
	b = b[min(len(b), len(Header)):]
	past := past{now: now, clock: clock, peers: make(map[string][]byte)}
	past.findLast(b)
	senseless := 0
	for len(b) > 0 {
		body, err := cutRecord(b)
		if err != nil {
			return err
		}
		b = b[frameHead+len(body):]
		r := reader{b: body[1:]}
		switch body[0] {
		case recordClock:
			past.read(&r)
		case recordBinding:
			t.restoreBinding(&r, &past)
		case recordForget:
			if l, kind, length, id := t.readID(&r); !r.bad {
				t.forget(l, kind, id, length)
			}
		case recordNote:
			t.restoreNote(&r, &past)
		default:
			r.bad = true
		}
		if r.bad || len(r.b) > 0 {
			senseless++
		}
	}
	t.appendNoteChanges(nil)
	t.unmarkAll()
	if senseless > 0 {
		return tinyfmt.Errorf("%d records that make no sense are left out", senseless)
	}
	return nil
}

// past converts the times of records to the table's clock.
type past struct {
	now   Time
	clock Clock             // at now
	then  Clock             // of the records being read
	last  int64             // the latest moment in the records, in nanoseconds since their boot
	peers map[string][]byte // what notes say of bindings yet to come: see notePeer
}

func (p *past) read(r *reader) {
	copy(p.then.Boot[:], r.take(16))
	p.then.Since, p.then.Wall = r.int64(), r.int64()
}

// sinceBoot converts seconds of Unix time to nanoseconds since the boot that the records are of.
func (p *past) sinceBoot(wall int64) int64 {
	// Out of range only when damaged; a thousand years are enough for all that follows not to overflow.
	const limit = 1000 * 365 * 24 * int64(time.Hour/time.Second) / 4
	return min(max(wall, -limit), limit)*int64(time.Second) - (p.then.Wall - p.then.Since)
}

// findLast looks for the latest moment in the records.
func (p *past) findLast(b []byte) {
	for len(b) > 0 {
		body, err := cutRecord(b)
		if err != nil {
			break
		}
		b = b[frameHead+len(body):]
		r := reader{b: body[1:]}
		switch body[0] {
		case recordClock:
			p.read(&r)
			p.last = p.then.Since
		case recordBinding:
			r.take(2 + 8)
			r.text()
			r.take(2 + 4)
			if at := r.int64(); !r.bad {
				p.last = max(p.last, p.sinceBoot(at)-int64(time.Second)) // rounded up: no lease may end before its time for that
			}
		}
	}
}

// time converts seconds of Unix time to a moment on the table's clock.
func (p *past) time(wall int64) Time {
	if wall == math.MaxInt64 {
		return Never
	}
	at := p.sinceBoot(wall)
	// Boots without a name are taken for the same one as long as nothing says that they are not.
	if p.then.Boot == p.clock.Boot && (p.clock.Boot != [16]byte{} || p.clock.Since >= p.last) {
		return p.now + Time(at-p.clock.Since)
	}
	return p.now + Time(at-p.last-p.clock.Since)
}

func (t *Table) restoreBinding(r *reader, past *past) {
	ids := r.b
	link, kind, length, id := t.readID(r)
	ids = ids[:len(ids)-len(r.b)]
	state, flags := State(r.uint8()), r.uint8()
	iaid := r.uint32()
	r.int64() // when it was written, for findLast
	deadline := past.time(r.int64())
	peer := r.addr()
	duid, hostname := r.bytes(), r.text()
	leases := make([]Lease, 0, len(Binding{}.room)) // on the stack
	for len(r.b) > 0 && !r.bad {
		leases = append(leases, leaseFrom(r, past))
	}
	if r.bad || !state.lasts() || (state == Declined) != (len(duid) == 0) {
		r.bad = true
		return
	}
	t.forget(link, kind, id, length)
	if old := link.Lookup(duid, iaid, kind); old != nil && state != Declined {
		t.Remove(old)
	}
	b := link.insert(duid, iaid, kind, id, length)
	b.Fixed, b.Hostname, b.recorded = flags&flagFixed != 0, hostname, true
	b.Leases = append(b.Leases, leases...)
	if !peer.IsUnspecified() {
		b.Peer = peer
	} else {
		past.takePeer(b, ids)
	}
	delete(past.peers, string(ids))
	switch state {
	case Bound:
		t.Bind(b)
	case Free:
		t.Free(b)
	case Declined:
		t.Decline(b, deadline)
	}
}

// forget removes the bindings that have one of the ids.
func (t *Table) forget(l *Link, kind Kind, id uint64, length uint8) {
	for {
		b := l.addresses[id]
		if kind == Prefix {
			b = l.prefixes.overlap(id, IDs(length))
		}
		if b == nil {
			return
		}
		t.Remove(b)
	}
}

func (t *Table) readID(r *reader) (l *Link, kind Kind, length uint8, id uint64) {
	kind, length = Kind(r.uint8()), r.uint8()
	id = uint64(r.int64())
	name := r.text()
	switch {
	case kind == Address && length == 128, kind == Prefix && length > 0 && length <= 64 && id%IDs(length) == 0:
	default:
		r.bad = true
	}
	if !r.bad {
		l = t.Link(name)
	}
	return l, kind, length, id
}

// reader reads fields off a record. After the end it gives zeros and is bad.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return make([]byte, n)
	}
	field := r.b[:n]
	r.b = r.b[n:]
	return field
}

func (r *reader) uint8() uint8     { return r.take(1)[0] }
func (r *reader) uint32() uint32   { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) int64() int64     { return int64(binary.BigEndian.Uint64(r.take(8))) }
func (r *reader) addr() netip.Addr { a, _ := netip.AddrFromSlice(r.take(16)); return a }
func (r *reader) text() string     { return string(r.bytes()) }
func (r *reader) bytes() []byte    { return r.take(int(binary.BigEndian.Uint16(r.take(2)))) }

// Newer reports whether records a were written after records b, both as Restore takes them, as far as that can be known:
// what is of the current boot is newer than what is not; within one boot its clock decides, else the wall clock.
func Newer(a, b []byte, clock Clock) bool {
	p, q := past{clock: clock}, past{clock: clock}
	p.findLast(a[min(len(a), len(Header)):])
	q.findLast(b[min(len(b), len(Header)):])
	current := func(p *past) bool { return p.then.Boot == clock.Boot && clock.Boot != [16]byte{} }
	switch {
	case current(&p) != current(&q):
		return current(&p)
	case p.then.Boot != q.then.Boot || p.then.Boot == [16]byte{}:
		p.last += p.then.Wall - p.then.Since
		q.last += q.then.Wall - q.then.Since
	}
	return p.last > q.last+2*int64(time.Second)
}
