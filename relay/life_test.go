package relay_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/relay"
)

// FuzzLife plays messages of clients, servers and thieves, the passing of time and restarts. See life.
func FuzzLife(f *testing.F) {
	for n := range uint64(20) {
		f.Add(noise(n, 400))
	}
	f.Fuzz(func(t *testing.T, script []byte) { newLife(t).run(script) })
}

// noise is a script of that length, the same every time.
func noise(seed uint64, length int) []byte {
	b := make([]byte, 0, length+8)
	for x := seed*0x9e3779b97f4a7c15 + 1; len(b) < length; {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return b[:length]
}

// TestLife is the fuzz test with chance instead of coverage: long lives, in which enough happens.
func TestLife(t *testing.T) {
	events, restarts := make(map[relay.EventKind]int), 0
	for seed := range uint64(4) {
		l := newLife(t)
		l.run(noise(seed, 8000))
		for kind, n := range l.events {
			events[kind] += n
		}
		if restarts += l.restarts; t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
	for kind := relay.Learned; kind <= relay.Full; kind++ {
		if events[kind] < 5 {
			t.Errorf("only %d times was anything %v", events[kind], kind)
		}
	}
	if restarts < 50 {
		t.Errorf("only %d restarts", restarts)
	}
}

// life is a relay agent's, read off a script. A few clients, next hops and prefixes meet in all combinations, so most of
// what is played is somebody's forgery. After each step what must always hold is checked: above all that a claim changes
// only by what comes from, or goes to, the next hop that has it.
type life struct {
	*lab
	in       []byte
	journal  []byte
	events   map[relay.EventKind]int
	steps    int
	restarts int
}

func newLife(t testing.TB) *life {
	l := &life{lab: start(t), events: make(map[relay.EventKind]int)}
	l.change(func(s *setup) { s.MaxPerClient, s.MaxPerInterface, s.MaxPrefixes = 3, 6, 8 })
	l.journal = l.Table().AppendAll(nil, 0, l.clock())
	return l
}

// next reads an octet of the script, 0 behind its end.
func (l *life) next(n int) int {
	if len(l.in) == 0 {
		return 0
	}
	b := l.in[0]
	l.in = l.in[1:]
	return int(b) % n
}

func (l *life) run(script []byte) {
	for l.in = script; len(l.in) > 0 && !l.Failed(); l.steps++ {
		before := l.claims()
		switch op := l.next(64); {
		case op < 12:
			l.now = l.now.Add([...]time.Duration{time.Second, 50 * time.Second, 99 * time.Second, 500 * time.Second}[op%4])
			l.Tick(l.now)
			l.wantClaims(before, 0, netip.Addr{})
		case op < 14:
			l.end(before)
		case op < 15:
			l.NextHopGone(l.now, "lan", host(l.next(4)))
		case op < 16:
			for b := range l.Table().Link("lan").All() {
				l.Forget(l.now, b)
				break
			}
		case op < 20:
			l.giveUpAll(l.Table().Link("lan").Bindings())
		case op < 26:
			via := host(l.next(4))
			in := from(via, l.content(dhcpv6.Release))
			in.Ifindex = lan + l.next(2)
			l.forward(in)
			l.wantClaims(before, in.Ifindex, via)
		default:
			via, link := host(l.next(4)), l.next(2)
			l.tellOn([]string{"lan", "guest"}[link], via, l.content(dhcpv6.Reply))
			l.wantClaims(before, lan+link, via)
		}
		l.check()
		for _, e := range l.Relay.Events() {
			l.events[e.Kind]++
		}
		l.journal = l.changes(l.journal)
	}
}

// giveUpAll has one of the holders release what it has, to one of the servers.
func (l *life) giveUpAll(holders []*lease.Binding) {
	if len(holders) == 0 {
		return
	}
	b := holders[l.next(len(holders))]
	var named []promise
	for _, k := range b.Leases {
		named = append(named, promise{prefix: k.Prefix.String()})
	}
	before := l.claims()
	l.forward(from(b.Peer, reply(dhcpv6.Release, b.Client(), 1+l.next(2), pd(b.IAID, named...))))
	l.wantClaims(before, lan, b.Peer)
}

// content is a Release, or a Reply that gives or takes prefixes, of one of three clients and two servers.
func (l *life) content(kind dhcpv6.MessageType) []byte {
	var ias [][]byte
	client, server := duid(1+l.next(3)), 1+l.next(2)
	for range 1 + l.next(2) {
		var named []promise
		iaid := uint32(l.next(2))
		for range l.next(4) {
			p := promise{prefix: []string{"2001:db8:10::/60", "2001:db8:20::/60", "2001:db8:30::/60", "2001:db8:10:8::/61",
				"2001:db8:10:c::/62", "2001:db8:40::/60", "2001:db8:50::/60", "2001:db8:60::/60", "2001:db8:70::/60", "2001:db8:80::/60", "2001:db8::/48"}[l.next(11)]}
			if lifetime := l.next(8); kind == dhcpv6.Reply && lifetime > 0 {
				p.preferred, p.valid = uint32(lifetime*50), uint32(lifetime*100)
			}
			named = append(named, p)
		}
		if ias = append(ias, pd(iaid, named...)); kind == dhcpv6.Reply && l.next(16) == 0 {
			ias[len(ias)-1] = pdStatus(iaid, dhcpv6.StatusNoBinding)
		}
	}
	return reply(kind, client, server, ias...)
}

// end ends the relay agent and starts another one from its records, which must hold what it held.
func (l *life) end(before map[netip.Prefix]claimed) {
	l.restarts++
	if l.next(2) == 0 {
		l.journal = l.Table().AppendAll(nil, l.Table().At(l.now), l.clock())
	}
	old := l.now
	epochs := l.Table().Wall(0)
	l.restart(l.journal, time.Duration(l.next(100))*time.Second)
	l.journal = l.Table().AppendAll(nil, l.Table().At(l.now), l.clock())
	after := l.claims()
	for p, c := range before {
		was, is := epochs.Add(time.Duration(c.until)), l.Table().Wall(after[p].until)
		if after[p].via != c.via || after[p].link != c.link || is.Before(was) || is.Sub(was) > time.Second {
			l.Errorf("restart at %v: %v: %v has become %v", old, p, c, after[p])
		}
	}
	if len(after) != len(before) {
		l.Errorf("%d prefixes, were %d", len(after), len(before))
	}
	l.Tick(l.now)
}
