package relay_test

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/lease"
)

// FuzzForward relays whatever it is given and checks what must hold of every Relay-forward; what a server mirrors then must
// find its way back.
func FuzzForward(f *testing.F) {
	for _, s := range dhcpv6test.Corpus(f) {
		f.Add(s.Payload, byte(0), uint16(546))
	}
	for how := range 32 {
		f.Add(nested(dhcpv6.RelayForward, how%3, message(dhcpv6.Release, option(dhcpv6.OptionClientID, duid(1)),
			option(dhcpv6.OptionServerID, serverID(1)), pd(1, promise{prefixA, 0, 0}))), byte(how), uint16(9999))
	}
	f.Fuzz(func(t *testing.T, payload []byte, how byte, port uint16) {
		l := newFuzzed(t, how)
		in := from(host(1+int(how>>5&1)), payload)
		if how>>6&1 != 0 {
			in.Peer = netip.MustParseAddrPort("[2001:db8:1::5]:547")
		}
		in.Peer = netip.AddrPortFrom(in.Peer.Addr(), port)
		if how>>7 != 0 {
			in.Local = netip.MustParseAddr("2001:db8:1::1")
		}
		routes := len(l.routes())
		out, _, err := l.forward(in)
		if err != nil {
			return
		}
		if len(l.routes()) < routes && (innermost(payload)[0] != byte(dhcpv6.Release) || in.Peer.Addr() != host(1)) {
			t.Error("routes are gone, and no holder has released anything")
		}
		back, err := l.giveBack(upstream(mirror(t, bytes.Clone(out), message(dhcpv6.Advertise))))
		if err != nil {
			t.Fatalf("what comes back is dropped: %v", err)
		}
		if back.Ifindex != in.Ifindex || back.Peer.Addr() != in.Peer.Addr() || !bytes.Equal(innermost(back.Payload), message(dhcpv6.Advertise)) {
			t.Errorf("what comes back goes to %v on %d:\n%x", back.Peer, back.Ifindex, back.Payload)
		}
		want := uint16(dhcpv6.ClientPort)
		if m, err := dhcpv6.ParseRelayMessage(payload); err == nil {
			want = dhcpv6.ServerPort
			if _, named := m.Options.Get(dhcpv6.OptionRelayPort); named && port != 0 {
				want = port
			}
		}
		if back.Peer.Port() != want {
			t.Errorf("and to port %d, want %d", back.Peer.Port(), want)
		}
	})
}

// newFuzzed is a relay agent of one of several kinds, with clients 1 and 2 that hold prefixes.
func newFuzzed(t testing.TB, how byte) *lab {
	l := start(t, func(s *setup) {
		s.MaxPerClient, s.MaxPerInterface, s.MaxPrefixes = 3, 5, 7
		if how&1 != 0 {
			allOptions(s)
		}
		if how&2 != 0 {
			rewrites("fd00::1", "fd00::2")(s)
		}
		if how&4 != 0 {
			s.addresses(lan)
			s.lan().StrictLinkAddress = how&8 != 0
		}
		if how&16 != 0 {
			secondWAN(s)
		}
	})
	l.grant(1, prefixA)
	l.grant(2, "2001:db8:20::/60", "2001:db8:30::/60")
	return l
}

// FuzzReturn gives whatever it is given back to clients and checks what must hold of that, and of what is learned.
func FuzzReturn(f *testing.F) {
	for _, s := range dhcpv6test.Corpus(f) {
		f.Add(s.Payload, byte(0))
	}
	for how := range 16 {
		f.Add(answer(reply(dhcpv6.Reply, duid(1), 1, option(dhcpv6.OptionDNSServers, make([]byte, 40)), pd(1, promise{prefixA, 10, 20}, promise{"2001:db8:20::/60", 10, 20}))).Payload, byte(how))
		f.Add(answer(nested(dhcpv6.RelayReply, how%3, reply(dhcpv6.Reply, duid(2), 1, pdStatus(1, dhcpv6.StatusNoBinding)))).Payload, byte(how))
	}
	f.Fuzz(func(t *testing.T, payload []byte, how byte) {
		l := newFuzzed(t, how)
		before := l.claims()
		out, err := l.giveBack(upstream(payload))
		if err != nil {
			l.wantClaims(before, 0, netip.Addr{})
			return
		}
		l.wantClaims(before, out.Ifindex, out.Peer.Addr())
		if how&2 == 0 && !bytes.Equal(innermost(out.Payload), innermost(payload)) {
			t.Error("rewritten")
		}
		for _, k := range l.routes() {
			if k.Prefix.Bits() < 24 || !k.Prefix.Addr().IsGlobalUnicast() || k.Prefix.Contains(netip.MustParseAddr("2001:db8:2::1")) {
				t.Errorf("route to %v", k.Prefix)
			}
		}
		l.wait(time.Hour)
		l.wait(200 * 365 * 24 * time.Hour)
	})
}

// claimed is a prefix that a next hop holds, and until when nobody else may have it.
type claimed struct {
	link  string
	via   netip.Addr
	until lease.Time
}

func (l *lab) claims() map[netip.Prefix]claimed {
	all := make(map[netip.Prefix]claimed)
	for _, link := range l.Table().Links() {
		for b := range link.All() {
			for _, k := range b.Leases {
				all[k.Prefix] = claimed{link.Name, b.Peer, k.Valid}
			}
		}
	}
	return all
}

// wantClaims verifies that nobody has lost what is claimed, nor a part of it, but for the one next hop that a message came
// from or went to.
func (l *lab) wantClaims(before map[netip.Prefix]claimed, ifindex int, actor netip.Addr) {
	l.Helper()
	after, now := l.claims(), l.Table().At(l.now)
	for p, c := range before {
		if c.until <= now || c.isOf(ifindex, actor) {
			continue
		}
		if after[p] != c {
			l.Errorf("%v: %v has become %v by what concerns %v on interface %d", p, c, after[p], actor, ifindex)
		}
	}
	l.wantParts(before, after, ifindex, actor)
}

// isOf reports whether the next hop has the claim.
func (c claimed) isOf(ifindex int, via netip.Addr) bool {
	return c.via == via && (c.link == "lan") == (ifindex == lan)
}

// wantParts verifies that nobody has a part of what somebody else has had all the time, unless it is part of its own as well.
// (The actor may have had it taken from one IA, to the good of who waits for a part, and given to another.)
func (l *lab) wantParts(before, after map[netip.Prefix]claimed, ifindex int, actor netip.Addr) {
	l.Helper()
	now := l.Table().At(l.now)
	for p, c := range after {
		if _, known := before[p]; known {
			continue
		}
		for bits := p.Bits() - 1; bits >= 0; bits-- {
			whole := netip.PrefixFrom(p.Addr(), bits).Masked()
			was, is := before[whole], after[whole]
			if was.until > now && was.via == c.via && was.link == c.link {
				break
			}
			if was.until > now && is.via == was.via && is.link == was.link && !was.isOf(ifindex, actor) {
				l.Errorf("%v, part of %v, which is %v, has become %v", p, whole, was, c)
			}
		}
	}
}
