package server_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/server"
)

// FuzzHandle plays datagrams, the passing of time and changes of the links to a server and checks after each what must
// always hold. The seeds are the corpus and a few exchanges.
func FuzzHandle(f *testing.F) {
	for _, s := range dhcpv6test.Corpus(f) {
		if len(s.Payload) < 4000 {
			b := binary.BigEndian.AppendUint16([]byte{0, 0}, uint16(len(s.Payload)))
			f.Add(append(b, s.Payload...))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		b := make([]byte, 300)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { newPlay(t).run(b) })
}

// TestRandom is the fuzz test with chance instead of coverage, the same every time: a few long lives of a server.
func TestRandom(t *testing.T) {
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 4004))
		b := make([]byte, 30000)
		for i := range b {
			b[i] = byte(1 + random.IntN(255)) // two zeros may make one message of all that is left
		}
		p := newPlay(t)
		p.run(b)
		if p.steps < 1000 || p.answers < 500 || p.told.sent < 20 || p.disk.ended < 20 {
			t.Errorf("seed %d: only %d steps, %d answers, %d Reconfigure messages and %d restarts",
				seed, p.steps, p.answers, p.told.sent, p.disk.ended)
		}
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

// play is a server's life, with what its clients believe beside it.
type play struct {
	*lab
	model
	in      []byte                             // what is left of the script
	bound   map[boundKey]map[netip.Prefix]bool // what the events say is bound
	told    told
	disk    disk
	was     []holdings // what was bound when the records were written last, and after each message since
	arrived int        // the interface of the last datagram
	sender  int        // the client that it was of
	lastIA  int        // the kind and the IAID of an IA in it
	whole   []byte
	last    []byte
	steps   int
	answers int
}

func newPlay(t testing.TB) *play {
	l := start(t, everyOption, reconfigures, func(s *setup) {
		s.MaxStateless = 3
		s.only("2001:db8:1::1/60", "fd00:1::1/56")
		s.secondLink("2001:db8:2::1/124", "2001:db8:3::1/62")
		s.lan().MaxOffers, s.MaxOffers = 2, 7
		s.lan().FilterClass = "x"
		s.Hosts = []server.Host{
			{Name: "box", DUIDs: byDUID(duid(5), duid(6)), HostID: 0xabc, SubnetID: 8, HasSubnet: true},
			{Name: "gone", DUIDs: byDUID(duid(7)), Ignore: true},
			{MACs: [][6]byte{mac(4)}, LeaseTime: 300, Prefix: hostPrefix},
		}
	})
	l.Events()
	p := &play{
		lab: l, model: newModel(), bound: make(map[boundKey]map[netip.Prefix]bool), whole: l.buf,
		arrived: 2, told: newTold(), disk: disk{booted: epoch.Add(-time.Hour)},
	}
	p.rewrite()
	p.moved()
	return p
}

// next reads an octet of the script, 0 behind its end.
func (p *play) next() int {
	if len(p.in) == 0 {
		return 0
	}
	b := p.in[0]
	p.in = p.in[1:]
	return int(b)
}

var pauses = [...]time.Duration{
	0, 1300 * time.Millisecond, 30 * time.Second, 61 * time.Second, 1350 * time.Second, 45 * time.Minute, 90 * time.Minute, 13 * time.Hour,
}

func (p *play) run(script []byte) {
	for p.in = script; len(p.in) > 0 && !p.Failed(); p.steps++ {
		op := p.next()
		if op >= 0xd8 {
			p.record() // the batch of datagrams ends
		}
		switch {
		case op < 0x10:
			p.send(p.rawDatagram(op))
		case op < 0xd0:
			p.send(p.builtDatagram())
		case op < 0xd8:
			p.converse(p.next())
		case op < 0xf7:
			p.now = p.now.Add(pauses[op%8])
			if p.next()%4 > 0 { // the timer may be late
				p.tick()
			}
			p.reconfigureSome(p.next())
		case op < 0xf8:
			p.reload(p.next())
		case op < 0xfb:
			p.changeLinks(p.next())
		case op < 0xfe:
			p.end(p.next(), p.holdings())
		case op == 0xfe:
			if p.step(); p.next()&1 != 0 {
				p.copy()
			}
		default:
			if how := p.next(); how&3 != 0 {
				p.copy()
			} else {
				p.rewrite()
			}
		}
		p.follow()
		if op >= 0xd8 {
			p.record()
		}
	}
}

// tick has the server end what has run out, and expects that it does.
func (p *play) tick() {
	p.Tick(p.now)
	p.record()
	for _, link := range p.Table().Links() {
		for b := range link.All() {
			if b.Deadline <= p.Table().At(p.now) {
				p.Errorf("%v binding of %x has run out and is there", b.State, b.Client())
			}
		}
	}
}

// send hands a datagram over and checks the answer against what all clients believe.
func (p *play) send(payload []byte) {
	in := multicast(payload)
	p.last = payload
	before, flags := p.holdings(), p.next()
	p.was = append(p.was, before)
	if flags&7 == 7 {
		in.Local = netip.MustParseAddr("fe80::1")
	} else if flags&0x18 == 0x18 {
		p.buf = p.whole[:4*p.next()]
	}
	if flags>>7 != 0 {
		p.arrived = 2 + p.next()&1 // else where the last one did
	}
	in.Ifindex = p.arrived
	defer func() { p.buf = p.whole }()
	out, err := p.handle(in)
	if p.Failed() {
		p.Logf("query\n%sanswer (%v)\n%s", dump(payload), err, dump(out.Payload))
	}
	p.hearEvents()
	if err != nil {
		if err == server.DropReplyTooLong && !p.givesBack(payload) {
			if err := before.differ(p.holdings(), p.now, 0, 0); err != nil {
				p.Errorf("an answer that did not fit has changed something: %v", err)
			}
		}
		return
	}
	p.answers++
	if len(out.Payload) > len(p.buf) || len(out.Payload) > 0 && &out.Payload[0] != &p.buf[0] {
		p.Fatal("the answer is not in the buffer")
	}
	query, payload := checkRelays(p, in.Payload, out.Payload)
	q, _ := dhcpv6.ParseMessage(query)
	a := read(p, payload)
	if a.status != "UseMulticast" {
		p.believe(in.Payload, q, a)
		if p.Failed() {
			p.Logf("answer\n%s", dump(payload))
		}
	}
	if flags&0x67 == 0x66 { // killed before the batch's answers are sent, while its records are written or after
		p.overhear(q, a)
		p.kill()
		return
	}
	p.hear(in.Payload, q, a)
	if flags&0x60 != 0x20 { // else there is more in the batch
		p.record()
	}
}

// kill ends the server while it writes the records of a batch, or when it has written them.
func (p *play) kill() {
	recorded, was := len(p.disk.journal), append(p.was, p.holdings())
	p.record()
	p.disk.journal = p.disk.journal[:recorded+p.next()%(len(p.disk.journal)-recorded+1)]
	p.end(p.next()&7, was...)
}
