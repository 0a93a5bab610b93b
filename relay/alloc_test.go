package relay_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/relay"
)

// Nothing allocates on the way to servers and back, nor when a client that is known renews.
func TestAllocations(t *testing.T) {
	everything := func(s *setup) {
		secondWAN(s)
		allOptions(s)
		rewrites("fd00::1", "fd00::2")(s)
		s.Servers = []relay.Server{{Addr: dhcpv6.AllServers}, {Addr: netip.MustParseAddr("fe80::547"), Interface: "wan"}}
		address := []byte{2, 0, 0, 0, 0, 1}
		s.LinkLayer = func(int, netip.Addr) (uint16, []byte) { return 1, address }
		s.address(lan, "fd00:1::1/64", 0, 0)
	}
	for name, change := range map[string]func(*setup){"default": func(*setup) {}, "everything": everything} {
		for depth := range 3 {
			l := start(t, change)
			requests := [][]byte{
				message(dhcpv6.Solicit, option(dhcpv6.OptionClientID, duid(1)), pd(1)),
				message(dhcpv6.Release, option(dhcpv6.OptionClientID, duid(2)), option(dhcpv6.OptionServerID, serverID(1)), pd(1, promise{prefixA, 0, 0})),
				message(dhcpv6.InformationRequest), message(99),
			}
			replies := [][]byte{
				reply(dhcpv6.Reply, duid(1), 1, option(dhcpv6.OptionDNSServers, make([]byte, 48)), option(dhcpv6.OptionIANA, make([]byte, 12)),
					pd(1, promise{prefixA, 1000, 2000}, promise{"2001:db8:20::/60", 1000, 2000}), pd(2, promise{"2001:db8:30::/60", 1000, 2000})),
				reply(dhcpv6.Advertise, duid(1), 1, pd(1, promise{prefixA, 1000, 2000})), message(99),
				reply(dhcpv6.Reply, duid(1), 1, pdStatus(7, dhcpv6.StatusNoBinding)),
			}
			for _, b := range requests {
				in := from(host(1), nested(dhcpv6.RelayForward, depth, b))
				l.wantNoAllocations(fmt.Sprintf("%s, %v, %d headers", name, dhcpv6.MessageType(b[0]), depth), func() error {
					_, _, err := l.Forward(l.now, in, l.buf)
					return err
				})
			}
			for _, b := range replies {
				in := answer(nested(dhcpv6.RelayReply, depth, b))
				l.wantNoAllocations(fmt.Sprintf("%s, %v, %d headers", name, dhcpv6.MessageType(b[0]), depth), func() error {
					_, err := l.Return(l.now, in, l.buf)
					return err
				})
			}
			if n := len(l.routes()); n != 3 {
				t.Errorf("%s: %d routes", name, n)
			}
		}
	}
}

// Nor does guessing a link-layer address.
func TestAllocationsOfGuess(t *testing.T) {
	l := start(t, allOptions, func(s *setup) { s.LinkLayer = func(int, netip.Addr) (uint16, []byte) { return 1, nil } })
	in := from(netip.MustParseAddr("fe80::211:22ff:fe33:4455"), message(dhcpv6.Solicit))
	l.wantNoAllocations("guess", func() error {
		_, _, err := l.Forward(l.now, in, l.buf)
		return err
	})
}

func (l *lab) wantNoAllocations(what string, do func() error) {
	l.Helper()
	run := func() {
		if err := do(); err != nil {
			l.Errorf("%s: %v", what, err)
		}
		for _, e := range l.Events() {
			_ = e.Kind
		}
	}
	run()
	l.changes(nil)
	if n := testing.AllocsPerRun(100, run); n != 0 {
		l.Errorf("%s: %v allocations", what, n)
	}
}

// Nor does what is dropped.
func TestAllocationsOfDrops(t *testing.T) {
	l := start(t, rewrites("fd00::1"))
	long := message(dhcpv6.Solicit, option(dhcpv6.OptionUserClass, make([]byte, 65000)), option(dhcpv6.OptionUserClass, make([]byte, 500)))
	bad := [][]byte{
		nil, {1}, {1, 2, 3, 4, 5, 6, 7, 0xff, 0xff}, {12, 0}, {13}, long, message(dhcpv6.Reply), nested(dhcpv6.RelayForward, 9, nil),
		nested(dhcpv6.RelayForward, 2, message(dhcpv6.Reply)), wrap(dhcpv6.RelayForward, 8, "::", "fe80::1", message(dhcpv6.Solicit)),
		nested(dhcpv6.RelayReply, 12, message(dhcpv6.Reply)), answer(message(dhcpv6.Solicit)).Payload,
		wrap(dhcpv6.RelayReply, 0, "::", "fe80::1001", message(dhcpv6.Reply), option(dhcpv6.OptionInterfaceID, make([]byte, 300))),
		answer(message(dhcpv6.Reply, option(dhcpv6.OptionDNSServers, make([]byte, 16)), option(dhcpv6.OptionAuth))).Payload,
	}
	for _, b := range bad {
		for _, in := range []relay.Datagram{from(host(1), b), upstream(b)} {
			if n := testing.AllocsPerRun(20, func() {
				var err error
				if l.IsUpstream(in.Ifindex) {
					_, err = l.Return(l.now, in, l.buf)
				} else {
					_, _, err = l.Forward(l.now, in, l.buf)
				}
				if err == nil && len(b) < 60 {
					t.Errorf("relayed %x", b)
				}
			}); n != 0 {
				t.Errorf("%v allocations for %.40x", n, b)
			}
		}
	}
}

// The caller's datagrams may be overwritten as soon as the call has returned: what is kept has been copied.
func TestInputIsNotKept(t *testing.T) {
	l := start(t)
	buffers := [][]byte{
		answer(reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{prefixA, 1000, 2000}))).Payload,
		wrap(dhcpv6.RelayReply, 0, "::", host(2).String(), reply(dhcpv6.Reply, duid(2), 1, pd(1, promise{prefixA, 9000, 9000})),
			option(dhcpv6.OptionInterfaceID, []byte("lan"))),
	}
	for _, b := range buffers {
		if _, err := l.Return(l.now, upstream(b), l.buf); err != nil {
			t.Fatal(err)
		}
		for i := range b {
			b[i] = 0xee
		}
		for i := range l.buf {
			l.buf[i] = 0xdd
		}
	}
	l.wantEvents("learned lan 1 2001:db8:10::/60 via fe80::1001", "contested lan 1 2001:db8:10::/60 via fe80::1001 rival fe80::1002")
	l.giveUp(1, host(1), prefixA)
	l.wantEvents("released lan 1 2001:db8:10::/60 via fe80::1001", "learned lan 2 2001:db8:10::/60 via fe80::1002")
}

// Servers that are down cost nothing: nothing is kept of what a thousand clients ask, again and again, while nobody answers.
func TestSilenceCostsNothing(t *testing.T) {
	l := start(t, secondWAN, func(s *setup) { s.LinkLayer = func(int, netip.Addr) (uint16, []byte) { return 0, nil } })
	l.grant(1, prefixA)
	l.Events()
	for _, kind := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.Release, dhcpv6.Decline, dhcpv6.Confirm} {
		var in []relay.Datagram
		for n := range 1000 {
			in = append(in, from(host(n+2), message(kind, option(dhcpv6.OptionClientID, duid(n+2)), option(dhcpv6.OptionServerID, serverID(1)),
				pd(1, promise{prefixA, 1000, 2000}))))
		}
		n := 0
		l.wantNoAllocations(kind.String(), func() error {
			n++
			_, _, err := l.Forward(l.now, in[n%len(in)], l.buf)
			return err
		})
	}
	if n := len(l.Table().Link("lan").Bindings()); n != 1 || !l.Tick(l.now).Equal(l.now.Add(2000*time.Second)) {
		t.Errorf("%d bindings", n)
	}
}
