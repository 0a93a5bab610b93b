package relay_test

import (
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// RFC 8987: what passes is learned, followed and routed.
func TestLearn(t *testing.T) {
	l := start(t)
	l.grant(1, "2001:db8:10::/60")
	l.wantEvents("learned lan 1 2001:db8:10::/60 via fe80::1001")
	l.wantRoutes("2001:db8:10::/60 via fe80::1001 dev 2")
	b := l.holder(1)
	if b == nil || b.Leases[0].Preferred != lease.Time(1000*time.Second) || b.Leases[0].Valid != lease.Time(2000*time.Second) {
		t.Fatalf("learned %+v", b)
	}
	l.wait(900 * time.Second)
	l.grant(1, "2001:db8:10::/60") // its Renew is answered
	l.wantEvents("renewed lan 1 2001:db8:10::/60 via fe80::1001")
	l.wait(1999 * time.Second)
	l.wantRoutes("2001:db8:10::/60 via fe80::1001 dev 2")
	l.wait(time.Second)
	l.wantEvents("expired lan 1 2001:db8:10::/60 via fe80::1001")
	l.wantRoutes()
}

func TestLearnSeveral(t *testing.T) {
	l := start(t)
	ids := func(n int) []byte {
		return option(dhcpv6.OptionClientID, duid(n))
	}
	// Two IA_PDs with three prefixes of different lifetimes (RFC 8987, G-2 and G-3), and an IA_NA.
	l.tell(host(1), message(dhcpv6.Reply, ids(1), option(dhcpv6.OptionServerID, serverID(1)),
		option(dhcpv6.OptionIANA, make([]byte, 12)),
		pd(1, promise{"2001:db8:10::/60", 100, 200}, promise{"2001:db8:20::/56", 1000, 2000}),
		pd(2, promise{"2001:db8:30::/64", dhcpv6.Infinity, dhcpv6.Infinity})))
	l.wantEvents("learned lan 1 2001:db8:10::/60 2001:db8:20::/56 via fe80::1001", "learned lan 1 2001:db8:30::/64 via fe80::1001")
	l.wantRoutes("2001:db8:10::/60 via fe80::1001 dev 2", "2001:db8:20::/56 via fe80::1001 dev 2", "2001:db8:30::/64 via fe80::1001 dev 2")
	// The same client on another link, and another client (G-4).
	l.tellOn("guest", host(1), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{"2001:db8:40::/60", 1000, 2000})))
	l.grant(2, "2001:db8:50::/60")
	l.Events()
	l.wait(200 * time.Second)
	l.wantRoutes("2001:db8:20::/56 via fe80::1001 dev 2", "2001:db8:30::/64 via fe80::1001 dev 2",
		"2001:db8:40::/60 via fe80::1001 dev 3", "2001:db8:50::/60 via fe80::1002 dev 2")
	// The Renew gives one more, does not speak of another, and tells that the first ran out by being silent too.
	l.grant(1, "2001:db8:60::/60")
	l.wantEvents("expired lan 1 2001:db8:10::/60 via fe80::1001", "learned lan 1 2001:db8:20::/56 2001:db8:60::/60 via fe80::1001")
	l.wait(2000 * time.Second)
	l.wantRoutes("2001:db8:30::/64 via fe80::1001 dev 2")
}

// The next hop of a client behind another relay agent is that agent.
func TestLearnBehindRelayAgent(t *testing.T) {
	for via, want := range map[string]string{
		"fe80::5":         "2001:db8:10::/60 via fe80::5 dev 2",
		"2001:db8:1::5":   "2001:db8:10::/60 via 2001:db8:1::5 dev 2",
		"2001:db8:fff::5": "", // not on the link: somebody else routes what is behind it
	} {
		for depth := 1; depth <= 8; depth++ {
			l := start(t)
			l.tell(netip.MustParseAddr(via), nested(dhcpv6.RelayReply, depth, reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{"2001:db8:10::/60", 1000, 2000}))))
			if want == "" {
				l.wantRoutes()
			} else {
				l.wantRoutes(want)
			}
		}
	}
}

// What is no promise of prefixes is not learned.
func TestNotLearned(t *testing.T) {
	p := promise{"2001:db8:10::/60", 1000, 2000}
	ok := reply(dhcpv6.Reply, duid(1), 1, pd(1, p))
	by := func(server []byte) []byte {
		return message(dhcpv6.Reply, option(dhcpv6.OptionClientID, duid(1)), option(dhcpv6.OptionServerID, server), pd(1, p))
	}
	withStatus := func(s dhcpv6.StatusCode) []byte {
		return reply(dhcpv6.Reply, duid(1), 1, option(dhcpv6.OptionIAPD, pd(1, p)[4:], statusOption(s)))
	}
	prefixStatus := pd(1)
	prefixStatus = option(dhcpv6.OptionIAPD, prefixStatus[4:], option(dhcpv6.OptionIAPrefix, pd(1, p)[20:], statusOption(dhcpv6.StatusUnspecFail)))
	for name, b := range map[string][]byte{
		"Advertise":                reply(dhcpv6.Advertise, duid(1), 1, pd(1, p)),
		"Reconfigure":              reply(dhcpv6.Reconfigure, duid(1), 1, pd(1, p)),
		"unknown type":             reply(99, duid(1), 1, pd(1, p)),
		"no Client Identifier":     message(dhcpv6.Reply, option(dhcpv6.OptionServerID, serverID(1)), pd(1, p)),
		"no Server Identifier":     message(dhcpv6.Reply, option(dhcpv6.OptionClientID, duid(1)), pd(1, p)),
		"empty Client Identifier":  reply(dhcpv6.Reply, nil, 1, pd(1, p)),
		"long Client Identifier":   reply(dhcpv6.Reply, make([]byte, 131), 1, pd(1, p)),
		"empty Server Identifier":  by(nil),
		"short Server Identifier":  by(make([]byte, 2)),
		"long Server Identifier":   by(make([]byte, 131)),
		"much too long a one":      by(make([]byte, 60000)),
		"status of the message":    reply(dhcpv6.Reply, duid(1), 1, statusOption(dhcpv6.StatusUnspecFail), pd(1, p)),
		"odd status":               reply(dhcpv6.Reply, duid(1), 1, option(dhcpv6.OptionStatusCode, []byte{0}), pd(1, p)),
		"NoPrefixAvail":            withStatus(dhcpv6.StatusNoPrefixAvail),
		"NoBinding":                withStatus(dhcpv6.StatusNoBinding),
		"status of the prefix":     reply(dhcpv6.Reply, duid(1), 1, prefixStatus),
		"nothing in it":            reply(dhcpv6.Reply, duid(1), 1, pd(1)),
		"zero lifetimes":           reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{"2001:db8:10::/60", 0, 0})),
		"preferred above valid":    reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{"2001:db8:10::/60", 2001, 2000})),
		"IA_NA":                    reply(dhcpv6.Reply, duid(1), 1, option(dhcpv6.OptionIANA, pd(1, p)[4:])),
		"IA_PD cut short":          reply(dhcpv6.Reply, duid(1), 1, option(dhcpv6.OptionIAPD, pd(1, p)[4:15])),
		"prefix past its end":      reply(dhcpv6.Reply, duid(1), 1, option(dhcpv6.OptionIAPD, pd(1, p)[4:44])),
		"prefix cut short":         reply(dhcpv6.Reply, duid(1), 1, option(dhcpv6.OptionIAPD, make([]byte, 12), option(dhcpv6.OptionIAPrefix, make([]byte, 24)))),
		"IA Prefix outside an IA":  reply(dhcpv6.Reply, duid(1), 1, pd(1, p)[16:]),
		"status, after the prefix": reply(dhcpv6.Reply, duid(1), 1, pd(1, p), statusOption(dhcpv6.StatusNotOnLink)),
	} {
		l := start(t)
		l.tell(host(1), b)
		l.wantEvents()
		l.wantRoutes()
		if t.Failed() {
			t.Fatalf("%s was learned", name)
		}
	}
	l := start(t, func(s *setup) { s.Routes = false })
	l.tell(host(1), ok)
	l.wantEvents()
	for _, b := range [][]byte{ok, by(make([]byte, dhcpv6.MinDUIDLength)), by(make([]byte, dhcpv6.MaxDUIDLength))} {
		l = start(t)
		l.tell(host(1), b)
		l.wantEvents("learned lan 1 2001:db8:10::/60 via fe80::1001")
	}
}

// Prefixes that nobody can have been delegated.
func TestUnroutable(t *testing.T) {
	for prefix, want := range map[string]bool{
		"2001:db8:10::/60": true, "2001:db8:10::/64": true, "2001:db8:10::/96": true, "2001:db8:10::1/128": true, "fd00:5::/48": true,
		"2a00:100::/24": true, "2a00::/23": false, "2000::/3": false, "::/0": false, "::/64": false, "::/128": false, "::1/128": false,
		"fe80::/64": false, "fe80::/10": false, "ff05::/32": false, "ff00::/8": false, "64:ff9b::/96": false, "::ffff:0:0/96": false,
		"fc00::/7": false,
		// Around addresses of ours, ready or not, on whatever interface.
		"2001:db8:1::/64": false, "2001:db8:1::/60": false, "2001:db8::/32": false, "2001:db8:1::1/128": false,
		"2001:db8:6::/48": false, "2001:db8:ffff::/48": false, "2001:db8:3::/64": false,
		// Parts of the links that they are on.
		"2001:db8:1::/128": false, "2001:db8:1:0:8000::/65": false, "2001:db8:1::ffff/128": false, "2001:db8:3:0:ff::/80": false,
		"2001:db8:7:0:8000::/65": false, "2001:db8:8::c/126": false, "2001:db8:8::/120": false, "2001:db8:8::4/128": true,
		// Beside them.
		"2001:db8:1:1::/64": true, "2001:db8:1:1::/65": true, "2001:db8:6:8000::/49": true, "2001:db8:7:1::/64": true,
		"2001:db8:7:8::/61": true, "2001:db8:7:1::/128": true, "2001:db8:8:1::/65": true,
	} {
		l := start(t, func(s *setup) {
			s.address(idle, "2001:db8:3::1/64", 0, 0)
			s.link(idle).Addresses[1].Unready = true
			s.address(lan, "2001:db8:7::1/60", 0, 0)
			s.address(wan, "2001:db8:8::1/128", 0, 0)
			s.address(wan, "2001:db8:8::9/125", 0, 0)
		})
		l.grant(1, prefix)
		if got := len(l.routes()) == 1; got != want {
			t.Errorf("%s: routed %v", prefix, got)
		}
		if n := l.Counters().Unroutable; n == 0 != want {
			t.Errorf("%s: %d counted", prefix, n)
		}
	}
}

// Bits behind a prefix's length do not count.
func TestLearnMasked(t *testing.T) {
	l := start(t)
	l.grant(1, "2001:db8:10:7::77/60")
	l.wantRoutes("2001:db8:10::/60 via fe80::1001 dev 2")
	l.grant(1, "2001:db8:10:8::88/60")
	l.wantEvents("learned lan 1 2001:db8:10::/60 via fe80::1001", "renewed lan 1 2001:db8:10::/60 via fe80::1001")
	l.giveUp(1, host(1), "2001:db8:10:9::99/60")
	l.wantRoutes()
}

// A prefix in which an address of ours turns up later has no route as long as that is so.
func TestOwnAddressLater(t *testing.T) {
	l := start(t)
	l.grant(1, "2001:db8:10::/60")
	l.change(func(s *setup) { s.addresses(idle, "2001:db8:10:5::1/64") })
	l.wantRoutes()
	l.change(func(s *setup) { s.addresses(idle) })
	l.wantRoutes("2001:db8:10::/60 via fe80::1001 dev 2")
}

// Routes follow the interface, its index and the configuration; what is held stays.
func TestRoutesFollow(t *testing.T) {
	const route = "2001:db8:10::/60 via fe80::1001 dev 2"
	l := start(t)
	l.grant(1, "2001:db8:10::/60")
	steps := []struct {
		name   string
		change func(*setup)
		want   []string
	}{
		{"another index", func(s *setup) { s.link(lan).Ifindex = 117 }, []string{"2001:db8:10::/60 via fe80::1001 dev 117"}},
		{"gone", func(s *setup) { s.Links = s.Links[1:] }, nil},
		{"back", func(s *setup) { s.Links = start(t).setup.Links }, []string{route}},
		{"relayed no longer", func(s *setup) { s.Interfaces = s.Interfaces[1:] }, []string{route}},
		{"upstream", func(s *setup) { s.Upstreams = []string{"lan"} }, nil},
		{"relayed again", func(s *setup) { s.Config = start(t).setup.Config }, []string{route}},
		{"no routes are wanted", func(s *setup) { s.Routes = false }, nil},
		{"they are", func(s *setup) { s.Routes = true }, []string{route}},
	}
	for _, step := range steps {
		l.change(step.change)
		l.wantRoutes(step.want...)
		if t.Failed() {
			t.Fatal(step.name)
		}
	}
	if routes := l.AppendRoutes(nil, 0, nil); routes != nil {
		t.Errorf("routes of no binding: %v", routes)
	}
}
