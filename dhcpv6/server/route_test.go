package server_test

import (
	"fmt"
	"net/netip"
	"testing"

	"lan6d/dhcpv6"
)

// wantRoutes compares the routes of what is delegated on "lan": "2001:db8:1:c4::/62 via fe80::9 on 3".
func (l *lab) wantRoutes(want ...string) {
	l.Helper()
	var got []string
	for b := range l.Table().Link("lan").Prefixes() {
		for _, r := range l.AppendRoutes(nil, l.Table().At(l.now), b) {
			got = append(got, fmt.Sprint(r.Prefix, " via ", r.Via, " on ", r.Ifindex))
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		l.Errorf("routes %v, want %v", got, want)
	}
}

// delegated has client 1 get a prefix through a relay agent, which names a link and is on an interface.
func (l *lab) delegated(t dhcpv6.MessageType, link string, ifindex int, peer string) {
	l.Helper()
	in := multicast(relay(netip.MustParseAddr(link), message(t, duid(1), pd(1, "2001:db8:1:c4::/62"))))
	in.Ifindex, in.Peer = ifindex, netip.AddrPortFrom(netip.MustParseAddr(peer), dhcpv6.ServerPort)
	if _, err := l.handle(in); err != nil {
		l.Fatal(err)
	}
}

// A relay agent may be on another interface than the one whose prefix its clients get a part of: the route leads to it.
func TestRouteThroughRelayElsewhere(t *testing.T) {
	guest := func(s *setup) { s.secondLink("2001:db8:2::1/64") }
	l := start(t, guest)
	records := l.records()
	l.delegated(dhcpv6.Request, "2001:db8:1:50::1", 3, "fe80::9")
	l.wantRoutes("2001:db8:1:c4::/62 via fe80::9 on 3")
	records = append(records, l.changes()...)
	l = l.restart(records, l.now)
	l.wantRoutes("2001:db8:1:c4::/62 via fe80::9 on 3")
	l.relink(func(s *setup) { s.Links[1].Ifindex = 7 })
	l.wantRoutes("2001:db8:1:c4::/62 via fe80::9 on 7")
	links := l.setup.Links
	l.relink(func(s *setup) { s.Links = s.Links[:1] })
	l.wantRoutes()
	l.relink(func(s *setup) { s.Links = links })
	l.delegated(dhcpv6.Renew, "2001:db8:1:50::1", 2, "fe80::8")
	l.wantRoutes("2001:db8:1:c4::/62 via fe80::8 on 2")
	l = l.restart(append(records, l.changes()...), l.now)
	l.wantRoutes("2001:db8:1:c4::/62 via fe80::8 on 2")
}

// A next hop is link-local or an address on the link; a relay agent may be further away.
func TestRouteThroughRelayFarAway(t *testing.T) {
	for peer, route := range map[string]bool{
		"fe80::9": true, "2001:db8:1::9": true, "2001:db8:1:50::1": false, "2001:db8:77::9": false, "2001:db8:2::9": false,
	} {
		l := start(t, func(s *setup) { s.secondLink("2001:db8:2::1/64") })
		l.delegated(dhcpv6.Request, "2001:db8:1:50::1", 2, peer)
		if route {
			l.wantRoutes("2001:db8:1:c4::/62 via " + peer + " on 2")
		} else {
			l.wantRoutes()
		}
	}
}
