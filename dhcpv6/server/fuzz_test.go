package server_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// FuzzHandle plays datagrams, the passing of time and changes of the links to a server and checks after each what must
// always hold. The seeds are the corpus and a few exchanges.
func FuzzHandle(f *testing.F) {
	for _, s := range corpus(f) {
		if len(s.payload) < 4000 {
			b := binary.BigEndian.AppendUint16([]byte{0, 0}, uint16(len(s.payload)))
			f.Add(append(b, s.payload...))
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
	in       []byte // what is left of the script
	promises map[netip.Prefix]promise
	bound    map[boundKey]map[netip.Prefix]bool // what the events say is bound
	told     told
	disk     disk
	arrived  int // the interface of the last datagram
	whole    []byte
	last     []byte
	steps    int
	answers  int
}

func newPlay(t testing.TB) *play {
	l := start(t, everyOption, reconfigures, func(s *setup) {
		s.MaxStateless = 3
		s.only("2001:db8:1::1/60", "fd00:1::1/56")
		s.secondLink("2001:db8:2::1/124", "2001:db8:3::1/62")
		s.lan().MaxOffers, s.MaxOffers = 5, 7
		s.lan().FilterClass = "x"
		s.Hosts = []server.Host{
			{Name: "box", DUIDs: byDUID(duid(5), duid(6)), HostID: 0xabc, SubnetID: 8, HasSubnet: true},
			{Name: "gone", DUIDs: byDUID(duid(7)), Ignore: true},
			{MACs: [][6]byte{mac(4)}, LeaseTime: 300, Prefix: netip.MustParsePrefix("2001:db8:1:4::/63")},
		}
	})
	l.Events()
	p := &play{
		lab: l, promises: make(map[netip.Prefix]promise), bound: make(map[boundKey]map[netip.Prefix]bool), whole: l.buf,
		told: newTold(), disk: disk{booted: epoch.Add(-time.Hour)},
	}
	p.rewrite()
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
	0, time.Second, 30 * time.Second, 61 * time.Second, 1350 * time.Second, 45 * time.Minute, 90 * time.Minute, 13 * time.Hour,
}

func (p *play) run(script []byte) {
	for p.in = script; len(p.in) > 0 && !p.Failed(); p.steps++ {
		switch op := p.next(); {
		case op < 0x10:
			p.send(p.rawDatagram(op))
		case op < 0xd8:
			p.send(p.builtDatagram())
		case op < 0xf8:
			p.now = p.now.Add(pauses[op%8])
			if p.next()%4 > 0 { // the timer may be late
				p.Tick(p.now)
			}
			p.reconfigureSome(p.next())
		case op < 0xfb:
			p.changeLinks(p.next())
		case op < 0xfe:
			p.end(p.next(), p.holdings())
		case op == 0xfe:
			p.step()
		default:
			p.rewrite()
			p.copy()
		}
		p.record()
		p.follow()
	}
}

// rawDatagram takes a datagram from the script as it is.
func (p *play) rawDatagram(op int) []byte {
	flags := p.next()
	n := p.next() << 8
	n = min(n|p.next(), len(p.in))
	if op|flags != 0 {
		n %= 64 // the seeds' are long, others leave something of the script
	}
	b := p.in[:n:n]
	p.in = p.in[n:]
	if flags&1 != 0 {
		b = relay(netip.MustParseAddr("2001:db8:2::9"), b)
	}
	return b
}

var queries = [...]dhcpv6.MessageType{
	dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.Release, dhcpv6.Decline, dhcpv6.Confirm, dhcpv6.Request,
	dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.Release, dhcpv6.Request, dhcpv6.Renew, dhcpv6.InformationRequest,
}

// builtDatagram makes a client's message that is not rejected at once.
func (p *play) builtDatagram() []byte {
	typ, whose, extra := queries[p.next()%len(queries)], p.next(), p.next()
	who := duid(3 + whose%8)
	var options [][]byte
	if whose&0x60 != 0 {
		options = append(options, acceptOption())
	}
	if typ != dhcpv6.InformationRequest {
		for range 1 + p.next()%3 {
			options = append(options, p.anIA(who))
		}
	}
	for bit, o := range [][]byte{
		option(dhcpv6.OptionRapidCommit),
		option(dhcpv6.OptionORO, []byte{0, 39, 0, 82, 0, 83, 0, 32, 0, 56, 0, 31, 0, 41, 0, 42, 0, 144}),
		option(dhcpv6.OptionClientFQDN, []byte{1, 3, 'a', '-', byte(extra)}),
		option(dhcpv6.OptionClientArch, []byte{0, 7}),
	} {
		if extra>>bit&1 != 0 {
			options = append(options, o)
		}
	}
	b := message(typ, who, options...)
	if extra>>4&3 == 3 {
		links := []string{"2001:db8:1::9", "2001:db8:3::9", "::", "2001:db8:99::9"}
		b = relay(netip.MustParseAddr(links[p.next()%4]), b, linkLayer(0xabcdef), option(dhcpv6.OptionInterfaceID, []byte{1}))
	}
	if extra>>6 == 3 {
		at := p.next() << 8
		b[(at|p.next())%len(b)] ^= byte(p.next())
	}
	return b
}

// anIA makes an IA that names nothing, what the client has, what another has, or what is nobody's.
func (p *play) anIA(who dhcpv6.DUID) []byte {
	how := p.next()
	code, kind, iaid := dhcpv6.OptionIANA, lease.Address, uint32(how>>1&1)
	if how&1 != 0 {
		code, kind = dhcpv6.OptionIAPD, lease.Prefix
	}
	var named []string
	for range how >> 2 & 3 {
		var s string
		switch x := p.next(); x % 5 {
		case 0, 1:
			s = p.promised(kind, func(h promise) bool { return h.client == string(who) && h.iaid == iaid })
		case 2:
			s = p.promised(kind, func(h promise) bool { return h.client != string(who) })
		case 3:
			if s = fmt.Sprintf("2001:db8:%d::%x", x%4, p.next()<<4|x&15); kind == lease.Prefix {
				s = fmt.Sprintf("2001:db8:%d:%x::/%d", 1+x%3, p.next()&31, 60+x%6)
			}
		case 4:
			if s = "2001:db8:99::1"; kind == lease.Prefix {
				s = fmt.Sprintf("::/%d", p.next()%129)
			}
		}
		if s != "" {
			named = append(named, s)
		}
	}
	return ia(code, iaid, named...)
}

// promised is the least promise that matches, or "".
func (p *play) promised(kind lease.Kind, matches func(promise) bool) string {
	var found netip.Prefix
	for k, h := range p.promises {
		if h.kind == kind && matches(h) && (!found.IsValid() || k.Addr().Less(found.Addr())) {
			found = k
		}
	}
	switch {
	case !found.IsValid():
		return ""
	case kind == lease.Address:
		return found.Addr().String()
	}
	return found.String()
}

// changeLinks renumbers, takes down or brings back the links. Our own ids stay, so that no client's must go.
func (p *play) changeLinks(how int) {
	p.relink(p.linksOf(how))
	p.told.allMaybe()
}

func (p *play) linksOf(how int) func(*setup) {
	return func(s *setup) {
		s.Links[0].Addresses, s.Links[1].Addresses = nil, nil
		switch how % 4 {
		case 1: // no provider
			s.address(0, "fd00:1::1/56")
			s.address(1, "2001:db8:2::1/124")
			s.address(1, "2001:db8:3::1/62")
			return
		case 2: // renumbered
			s.address(0, "2001:db8:4::1/60")
			s.address(0, "fd00:1::1/56")
			s.address(1, "2001:db8:2::1/124")
			s.address(1, "2001:db8:5::1/62")
			return
		case 3: // the old prefix runs out
			s.address(0, "2001:db8:1::1/60")
			s.Links[0].Addresses[0].Preferred, s.Links[0].Addresses[0].Valid = p.now.Add(600*time.Second), p.now.Add(700*time.Second)
			s.address(0, "fd00:1::1/56")
			return
		}
		s.only("2001:db8:1::1/60", "fd00:1::1/56")
		s.address(1, "2001:db8:2::1/124")
		s.address(1, "2001:db8:3::1/62")
	}
}

// send hands a datagram over and checks the answer against what all clients believe.
func (p *play) send(payload []byte) {
	in := multicast(payload)
	p.last = payload
	before, recorded, flags := p.holdings(), len(p.disk.journal), p.next()
	if flags&7 == 7 {
		in.Local = netip.MustParseAddr("fe80::1")
	} else if in.Ifindex += flags >> 7; flags&0x18 == 0x18 {
		p.buf = p.whole[:4*p.next()]
	}
	p.arrived = in.Ifindex
	defer func() { p.buf = p.whole }()
	out, err := p.handle(in)
	if p.Failed() {
		p.Logf("query\n%sanswer (%v)\n%s", dump(payload), err, dump(out.Payload))
	}
	if err != nil {
		if err == server.DropReplyTooLong && !p.givesBack(payload) {
			if err := before.differ(p.holdings(), p.now, 0, 0); err != nil {
				p.Errorf("an answer that did not fit has changed something: %v", err)
			}
		}
		return
	}
	p.answers++
	p.record()
	if len(out.Payload) > len(p.buf) || len(out.Payload) > 0 && &out.Payload[0] != &p.buf[0] {
		p.Fatal("the answer is not in the buffer")
	}
	query, payload := checkRelays(p, in.Payload, out.Payload)
	q, _ := dhcpv6.ParseMessage(query)
	a := read(p, payload)
	if flags&0x67 == 0x66 { // killed before the answer is sent, while its records are written or after
		p.overhear(q, a)
		p.disk.journal = p.disk.journal[:recorded+p.next()%(len(p.disk.journal)-recorded+1)]
		p.end(p.next()&7, before, p.holdings())
		return
	}
	if q.Type == dhcpv6.Solicit {
		p.forgetMoved(q)
	}
	p.hear(in.Payload, q, a)
	if a.Type == dhcpv6.Reply && a.status != "UseMulticast" {
		p.believe(q, a)
	}
}
