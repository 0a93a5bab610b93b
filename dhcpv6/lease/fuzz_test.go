package lease

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// machine drives a table as a server does, and knows what the table has promised.
type machine struct {
	t     testing.TB
	table *Table
	now   Time
	bound map[*Binding]promise
}

// promise is what a client was told: it must hold until the client releases or declines it, or it ends.
type promise struct {
	key   Key
	link  *Link
	id    uint64
	until Time
}

// step is one operation, in three octets: what, who, how.
type step struct{ what, who, how byte }

const (
	machineLinkOffers = 4
	machineOffers     = 6
	machineFree       = 5
)

// Pools so small that they run out, with ids reserved at an edge and in the middle.
var (
	addressPool = ids(0x10, 0x1b, Span{0x10, 0x10}, Span{0x14, 0x15})
	prefixPool  = ids(0, 0x1f, Span{0, 0}, Span{0x12, 0x12})
)

func play(t testing.TB, data []byte) {
	m := newMachine(t)
	for ; len(data) >= 3; data = data[3:] {
		m.do(step{data[0], data[1], data[2]})
		m.check()
	}
}

func newMachine(t testing.TB) *machine {
	table := NewTable(epoch, Limits{Offers: machineOffers, Free: machineFree})
	return &machine{t: t, table: table, bound: make(map[*Binding]promise)}
}

// ia is who a step is about: one of two links, two kinds and 16 clients.
func (s step) ia(table *Table) (l *Link, kind Kind, duid []byte) {
	return table.Link([]string{"lan", "guest"}[s.who>>7]), Kind(s.who >> 6 & 1), client(int(s.who & 15))
}

func (m *machine) do(s step) {
	l, kind, duid := s.ia(m.table)
	b := l.Lookup(duid, 1, kind)
	switch s.what % 8 {
	case 0, 1:
		m.solicit(b, s)
	case 2, 3:
		m.request(b, s)
	case 4:
		if b != nil && b.State == Bound {
			m.table.Free(b)
			delete(m.bound, b)
		}
	case 5:
		if b != nil && b.State == Bound {
			m.table.Decline(b, m.now+seconds(int(s.how)))
			delete(m.bound, b)
		}
	case 6:
		m.remove(b, s)
	case 7:
		m.pass(seconds(int(s.how) / 8))
	}
}

// get finds or makes the binding and holds it.
func (m *machine) get(b *Binding, s step) *Binding {
	if b == nil {
		l, kind, duid := s.ia(m.table)
		if kind == Address {
			b = l.AllocateAddress(duid, 1, addressPool, uint64(s.how))
		} else {
			b = l.AllocatePrefix(duid, 1, prefixPool, 60+s.how>>5%5, uint64(s.how&31))
		}
	}
	if b != nil {
		m.table.Hold(b)
	}
	return b
}

// remove removes the binding of a step, and puts it back if it is bound or the step says so.
func (m *machine) remove(b *Binding, s step) {
	if b == nil || b.State != Bound && s.how&1 == 0 {
		if b = m.get(b, s); b != nil {
			m.table.Remove(b)
		}
		return
	}
	was, deadline, n := b.State, b.Deadline, b.Link.Len()
	m.table.Hold(b)
	if s.how&2 == 0 {
		m.table.Remove(b)
	}
	m.table.PutBack(b, was)
	if b.State != was || b.Deadline != deadline || b.Link.Len() != n {
		m.t.Fatalf("%v until %d, and put back as %v until %d", was, deadline, b.State, b.Deadline)
	}
}

func (m *machine) solicit(b *Binding, s step) {
	if b = m.get(b, s); b == nil {
		return
	}
	m.table.Offer(b, m.now+seconds(10), machineLinkOffers)
	if b.Link.offers > machineLinkOffers || m.table.offers.n > machineOffers {
		m.t.Fatalf("%d offers on link %s, %d in all", b.Link.offers, b.Link.Name, m.table.offers.n)
	}
}

func (m *machine) request(b *Binding, s step) {
	if b = m.get(b, s); b == nil {
		return
	}
	until := m.now + seconds(int(s.how))
	if s.how == 255 {
		until = Never
	}
	bind(m.table, b, until)
	m.bound[b] = promise{b.Key, b.Link, b.ID, until}
}

// pass lets time go by: what ends must end now and not before.
func (m *machine) pass(d Time) {
	m.now += d
	for b, state := m.table.Expire(m.now); b != nil; b, state = m.table.Expire(m.now) {
		if p, ok := m.bound[b]; ok != (state == Bound) || ok && p.until > m.now {
			m.t.Fatalf("at %d: %v binding expired, promised %v until %d", m.now, state, ok, p.until)
		}
		delete(m.bound, b)
	}
	if next := m.table.Next(); next <= m.now {
		m.t.Fatalf("at %d: next deadline %d", m.now, next)
	}
	for b, p := range m.bound {
		if p.until <= m.now {
			m.t.Fatalf("at %d: id %#x promised until %d has not expired", m.now, b.ID, p.until)
		}
	}
}

func (m *machine) check() {
	if err := m.table.Check(); err != nil {
		m.t.Fatal(err)
	}
	if m.table.free.n > machineFree {
		m.t.Fatalf("%d bindings remembered", m.table.free.n)
	}
	for b, p := range m.bound {
		if !p.link.Holds(b) || b.State != Bound || b.Key != p.key || b.ID != p.id || b.Deadline != p.until {
			m.t.Fatalf("promised %+v, the table has %+v", p, b)
		}
		if next := m.table.Next(); next > p.until {
			m.t.Fatalf("next deadline %d, promised until %d", next, p.until)
		}
	}
	for _, l := range m.table.Links() {
		for _, b := range l.Bindings() {
			pool := addressPool
			if b.Kind == Prefix {
				pool = prefixPool
			}
			if !pool.Contains(b.ID, b.Size()) {
				m.t.Fatalf("%v id %#x is not in the pool", b.Kind, b.ID)
			}
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 1, 0, 4, 1, 0})                // solicit, request, release
	f.Add([]byte{2, 1, 20, 5, 1, 40, 7, 0, 255, 7, 0, 255}) // request, decline, quarantine ends
	f.Add([]byte{2, 65, 255, 2, 66, 0, 7, 0, 8, 2, 65, 3})  // prefixes, one for ever and then not
	f.Add(randomSteps(1, 40))
	f.Fuzz(func(t *testing.T, data []byte) { play(t, data[:min(len(data), 3*200)]) })
}

func randomSteps(seed uint64, n int) []byte {
	random := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, 3*n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func TestRandomOperations(t *testing.T) {
	for seed := range uint64(100) {
		play(t, randomSteps(seed, 300))
	}
}

// The same operations must give the same table, whatever the order of Go's maps.
func TestRandomOperationsAgain(t *testing.T) {
	ends := func() map[Key]uint64 {
		m := newMachine(t)
		for data := randomSteps(7, 500); len(data) >= 3; data = data[3:] {
			m.do(step{data[0], data[1], data[2]})
		}
		all := make(map[Key]uint64)
		for _, l := range m.table.Links() {
			for key, b := range l.bindings {
				key.DUID += l.Name
				all[key] = b.ID
			}
		}
		return all
	}
	if first, second := ends(), ends(); !maps.Equal(first, second) {
		t.Errorf("%v and then %v", first, second)
	}
}
