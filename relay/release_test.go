package relay_test

import (
	"net/netip"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/relay"
)

// Release (RFC 8987, G-9).
func TestRelease(t *testing.T) {
	held := func(l *lab) { l.grant(1, "2001:db8:10::/60", "2001:db8:20::/60"); l.Events() }
	const first, second = "2001:db8:10::/60 via fe80::1001 dev 2", "2001:db8:20::/60 via fe80::1001 dev 2"
	l := start(t)
	held(l)
	l.giveUp(1, host(1), "2001:db8:10::/60")
	l.wantEvents("released lan 1 2001:db8:10::/60 via fe80::1001")
	l.wantRoutes(second)
	l.giveUp(1, host(1), "2001:db8:20::/60", "2001:db8:30::/60", "::/0")
	l.wantEvents("released lan 1 2001:db8:20::/60 via fe80::1001")
	l.wantRoutes()
	l.giveUp(1, host(1), "2001:db8:20::/60") // again: the Reply got lost
	l.wantEvents()
	held(l)
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 2, pd(1, promise{"2001:db8:30::/60", 1000, 2000}))) // Rapid Commit of two servers
	l.Events()
	l.giveUp(1, host(1), "2001:db8:10::/60")
	l.wantEvents("released lan 1 2001:db8:10::/60 via fe80::1001")

	// Nothing is released by what is no Release of the holder's.
	ids := func(client, server int) [][]byte {
		return [][]byte{option(dhcpv6.OptionClientID, duid(client)), option(dhcpv6.OptionServerID, serverID(server))}
	}
	both := pd(1, lifetimes(0, 0, "2001:db8:10::/60", "2001:db8:20::/60")...)
	send := func(l *lab, kind dhcpv6.MessageType, source netip.Addr, options ...[]byte) {
		l.forward(from(source, message(kind, options...)))
	}
	tests := []struct {
		name    string
		do      func(*lab)
		ignored uint64
	}{
		{"from another address", func(l *lab) { send(l, dhcpv6.Release, host(2), append(ids(1, 1), both)...) }, 1},
		{"from a global address", func(l *lab) {
			send(l, dhcpv6.Release, netip.MustParseAddr("2001:db8:1::1001"), append(ids(1, 1), both)...)
		}, 1},
		{"by another client", func(l *lab) { send(l, dhcpv6.Release, host(1), append(ids(2, 1), both)...) }, 0},
		{"of another IA", func(l *lab) {
			send(l, dhcpv6.Release, host(1), append(ids(1, 1), pd(2, lifetimes(0, 0, "2001:db8:10::/60")...))...)
		}, 0},
		{"of nothing", func(l *lab) { send(l, dhcpv6.Release, host(1), append(ids(1, 1), pd(1))...) }, 0},
		{"of other prefixes", func(l *lab) { l.giveUp(1, host(1), "2001:db8:10::/61", "2001:db8:10::/59", "2001:db8::/48") }, 0},
		{"without Server Identifier", func(l *lab) { send(l, dhcpv6.Release, host(1), ids(1, 1)[0], both) }, 0},
		{"without Client Identifier", func(l *lab) { send(l, dhcpv6.Release, host(1), ids(1, 1)[1], both) }, 0},
		{"Decline", func(l *lab) { send(l, dhcpv6.Decline, host(1), append(ids(1, 1), both)...) }, 0},
		{"Renew", func(l *lab) { send(l, dhcpv6.Renew, host(1), append(ids(1, 1), both)...) }, 0},
		{"by unicast", func(l *lab) {
			in := from(host(1), message(dhcpv6.Release, append(ids(1, 1), both)...))
			in.Local = netip.MustParseAddr("2001:db8:1::1")
			l.wantDrop(in, relay.DropUnicast)
		}, 0},
		{"on another link", func(l *lab) {
			in := from(host(1), message(dhcpv6.Release, append(ids(1, 1), both)...))
			in.Ifindex = guest
			l.forward(in)
		}, 0},
		{"relayed by another relay agent", func(l *lab) {
			l.forward(from(host(2), nested(dhcpv6.RelayForward, 1, message(dhcpv6.Release, append(ids(1, 1), both)...))))
		}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t)
			held(l)
			tt.do(l)
			l.wantEvents()
			l.wantRoutes(first, second)
			if n := l.Counters().ReleasesIgnored; n != tt.ignored {
				t.Errorf("%d ignored, want %d", n, tt.ignored)
			}
		})
	}
}

// A client behind a relay agent releases through it; that no server can be reached does not matter.
func TestReleaseRelayed(t *testing.T) {
	l := start(t)
	agent := netip.MustParseAddr("2001:db8:1::5")
	l.tell(agent, nested(dhcpv6.RelayReply, 2, reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{"2001:db8:10::/60", 1000, 2000}))))
	l.change(func(s *setup) { s.Links = s.Links[:2] })
	l.wantRoutes("2001:db8:10::/60 via 2001:db8:1::5 dev 2")
	l.wantDrop(from(agent, nested(dhcpv6.RelayForward, 2, message(dhcpv6.Release, option(dhcpv6.OptionClientID, duid(1)),
		option(dhcpv6.OptionServerID, serverID(1)), pd(1, promise{"2001:db8:10::/60", 0, 0})))), relay.DropNoServer)
	l.wantRoutes()
}

// What a server takes away from a client.
func TestWithdrawn(t *testing.T) {
	zero := reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{"2001:db8:10::/60", 0, 0}))
	noBinding := reply(dhcpv6.Reply, duid(1), 1, pdStatus(1, dhcpv6.StatusNoBinding))
	const first, second = "2001:db8:10::/60 via fe80::1001 dev 2", "2001:db8:20::/60 via fe80::1001 dev 2"
	tests := []struct {
		name  string
		do    func(*lab)
		event string
		want  []string
	}{
		{"zero lifetimes", func(l *lab) { l.tell(host(1), zero) }, "withdrawn lan 1 2001:db8:10::/60 via fe80::1001", []string{second}},
		{"NoBinding", func(l *lab) { l.tell(host(1), noBinding) }, "withdrawn lan 1 2001:db8:10::/60 2001:db8:20::/60 via fe80::1001", nil},
		{"zero lifetimes, told to somebody else", func(l *lab) { l.tell(host(2), zero) }, "", []string{first, second}},
		{"NoBinding, told to somebody else", func(l *lab) { l.tell(host(2), noBinding) }, "", []string{first, second}},
		{"NoBinding on another link", func(l *lab) { l.tellOn("guest", host(1), noBinding) }, "", []string{first, second}},
		{"NoBinding by another server", func(l *lab) { l.tell(host(1), reply(dhcpv6.Reply, duid(1), 2, pdStatus(1, dhcpv6.StatusNoBinding))) },
			"", []string{first, second}},
		{"zero lifetimes by another server", func(l *lab) {
			l.tell(host(1), reply(dhcpv6.Reply, duid(1), 2, pd(1, promise{"2001:db8:10::/60", 0, 0})))
		}, "", []string{first, second}},
		{"NoPrefixAvail", func(l *lab) {
			l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pdStatus(1, dhcpv6.StatusNoPrefixAvail)))
		},
			"", []string{first, second}},
		{"NoBinding for another IA", func(l *lab) { l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pdStatus(2, dhcpv6.StatusNoBinding))) },
			"", []string{first, second}},
		{"in an Advertise", func(l *lab) {
			l.tell(host(1), reply(dhcpv6.Advertise, duid(1), 1, pdStatus(1, dhcpv6.StatusNoBinding)))
		},
			"", []string{first, second}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t)
			l.grant(1, "2001:db8:10::/60", "2001:db8:20::/60")
			l.Events()
			tt.do(l)
			l.wantRoutes(tt.want...)
			if tt.event == "" {
				l.wantEvents()
			} else {
				l.wantEvents(tt.event)
			}
		})
	}
}

// With a Rebind a client finds another server, whose word counts from then on.
func TestRebind(t *testing.T) {
	l := start(t)
	l.grant(1, "2001:db8:10::/60")
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 2, pd(1, promise{"2001:db8:10::/60", 1000, 2000})))
	l.wantEvents("learned lan 1 2001:db8:10::/60 via fe80::1001", "renewed lan 1 2001:db8:10::/60 via fe80::1001")
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pdStatus(1, dhcpv6.StatusNoBinding)))
	l.wantEvents()
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 2, pdStatus(1, dhcpv6.StatusNoBinding)))
	l.wantEvents("withdrawn lan 1 2001:db8:10::/60 via fe80::1001")
}

// Another prefix in the place of one that is withdrawn, in one Reply: the provider renumbers.
func TestRenumbered(t *testing.T) {
	l := start(t)
	l.grant(1, "2001:db8:10::/60")
	l.Events()
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{"2001:db8:10::/60", 0, 0}, promise{"2001:db8:20::/60", 1000, 2000})))
	l.wantEvents("withdrawn lan 1 2001:db8:10::/60 via fe80::1001", "learned lan 1 2001:db8:20::/60 via fe80::1001")
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{"2001:db8:30::/60", 1000, 2000}, promise{"2001:db8:30::/60", 0, 0})))
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{"2001:db8:20::/60", 0, 0})))
	l.wantRoutes()
}
