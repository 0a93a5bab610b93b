package relay_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"lan6d/dhcpv6"
)

const (
	prefixA = "2001:db8:10::/60"
	viaA    = prefixA + " via fe80::1001 dev 2"
	viaB    = prefixA + " via fe80::1002 dev 2"
)

// asA has server 1 give client 1's prefix to whoever is at host n, in client 1's name.
func (l *lab) asA(n int) {
	l.Helper()
	l.tell(host(n), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{prefixA, 1000, 2000})))
}

// Somebody has the DUID of client 1 and has the server tell everything about it. Client 1 keeps its route.
func TestForgery(t *testing.T) {
	thief := host(2)
	l := start(t)
	l.grant(1, prefixA)
	for range 20 {
		l.wait(500 * time.Second)
		l.asA(2)
		l.giveUp(1, thief, prefixA)
		l.tell(thief, reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{prefixA, 0, 0})))
		l.tell(thief, reply(dhcpv6.Reply, duid(1), 1, pdStatus(1, dhcpv6.StatusNoBinding)))
		l.tell(thief, reply(dhcpv6.Reply, duid(1), 1, pd(1, lifetimes(9000, 9000, "2001:db8:20::/60", prefixA)...)))
		l.tell(thief, reply(dhcpv6.Reply, duid(1), 1, pd(7, promise{prefixA, 9000, 9000})))
		l.tell(thief, reply(dhcpv6.Reply, duid(2), 1, pd(1, promise{prefixA, 9000, 9000})))
		l.tellOn("guest", thief, reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{prefixA, 9000, 9000})))
		l.tellOn("guest", host(1), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{prefixA, 9000, 9000})))
		l.wantRoutes(viaA)
		l.grant(1, prefixA) // client 1 renews
		l.wantRoutes(viaA)
		if l.Rivals() > 1 {
			t.Errorf("%d rivals", l.Rivals())
		}
	}
	// When client 1 gives its prefix up, it is not the thief's: the server has taken both for one.
	l.asA(2)
	l.giveUp(1, host(1), prefixA)
	l.wantRoutes()
}

func TestContestedEvent(t *testing.T) {
	const contested = "contested lan 1 2001:db8:10::/60 via fe80::1001 rival fe80::1002"
	l := start(t)
	l.grant(1, prefixA)
	l.asA(2)
	l.asA(2) // said once
	l.wantEvents("learned lan 1 2001:db8:10::/60 via fe80::1001", contested)
	l.grant(1, prefixA)
	l.asA(2)
	l.wantEvents("renewed lan 1 2001:db8:10::/60 via fe80::1001", contested)
	if n := l.Counters().Contested; n != 3 {
		t.Errorf("%d contested", n)
	}
}

// Whoever waits gets the route when the holder's time is over.
func TestRival(t *testing.T) {
	tests := []struct {
		name  string
		rival func(l *lab)
	}{
		{"the same client at another address", func(l *lab) { l.asA(2) }},
		{"another client", func(l *lab) { l.tell(host(2), reply(dhcpv6.Reply, duid(2), 1, pd(1, promise{prefixA, 1000, 2000}))) }},
	}
	for _, tt := range tests {
		t.Run(tt.name+", before it expires", func(t *testing.T) {
			l := start(t)
			l.grant(1, prefixA)
			l.wait(1999 * time.Second)
			tt.rival(l)
			l.wantRoutes(viaA)
			l.wait(time.Second)
			l.wantRoutes(viaB)
			l.wait(1998 * time.Second)
			l.wantRoutes(viaB)
			l.wait(time.Second)
			l.wantRoutes()
		})
		t.Run(tt.name+", just when it expires", func(t *testing.T) {
			l := start(t)
			l.grant(1, prefixA)
			l.now = l.now.Add(2000 * time.Second) // and nobody ticked
			tt.rival(l)
			l.wantRoutes(viaB)
		})
		t.Run(tt.name+", renewed meanwhile", func(t *testing.T) {
			l := start(t)
			l.grant(1, prefixA)
			tt.rival(l)
			l.wait(500 * time.Second)
			l.grant(1, prefixA)
			l.wait(1999 * time.Second)
			tt.rival(l)
			l.wantRoutes(viaA)
		})
		t.Run(tt.name+", nobody at the address", func(t *testing.T) {
			l := start(t)
			l.grant(1, prefixA)
			l.NextHopGone(l.now, "lan", host(1)) // nobody else wants it: RFC 8987, S-2
			l.wantRoutes(viaA)
			tt.rival(l)
			l.NextHopGone(l.now, "lan", host(2))
			l.NextHopGone(l.now, "guest", host(1))
			l.wantRoutes(viaA)
			l.Events()
			l.NextHopGone(l.now, "lan", host(1))
			l.wantRoutes(viaB)
			l.check()
			if e := l.Events(); len(e) != 2 || fmt.Sprint(e[0].Kind, e[1].Kind) != "replaced learned" {
				t.Errorf("events %v", e)
			}
		})
	}
	another := func(l *lab) { l.tell(host(2), reply(dhcpv6.Reply, duid(2), 1, pd(1, promise{prefixA, 1000, 2000}))) }
	t.Run("released, for another client", func(t *testing.T) {
		l := start(t)
		l.grant(1, prefixA)
		another(l)
		l.giveUp(1, host(1), prefixA)
		l.wantRoutes(viaB)
	})
	t.Run("withdrawn, for another client", func(t *testing.T) {
		l := start(t)
		l.grant(1, prefixA)
		another(l)
		l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pdStatus(1, dhcpv6.StatusNoBinding)))
		l.wantRoutes(viaB)
	})
	t.Run("forgotten", func(t *testing.T) {
		l := start(t)
		l.grant(1, prefixA)
		another(l)
		l.Forget(l.now, l.holder(1))
		l.wantRoutes(viaB)
	})
	t.Run("too late for the rival", func(t *testing.T) {
		l := start(t)
		l.grant(1, prefixA)
		l.tell(host(2), reply(dhcpv6.Reply, duid(2), 1, pd(1, promise{prefixA, 100, 100})))
		l.Events()
		l.wait(2000 * time.Second)
		l.wantEvents("expired lan 1 2001:db8:10::/60 via fe80::1001")
	})
	t.Run("the last rival", func(t *testing.T) {
		l := start(t)
		l.grant(1, prefixA)
		l.asA(3)
		another(l)
		l.giveUp(1, host(1), prefixA)
		l.wantRoutes(viaB)
	})
}

// Somebody has the server free what client 1 holds, and give it parts of it, whose routes would win.
func TestPartsAreHeld(t *testing.T) {
	parts := pd(7, lifetimes(9000, 9000, "2001:db8:10::/61", "2001:db8:10:8::/61", "2001:db8:10:f::/64", "2001:db8:10::1/128")...)
	l := start(t)
	l.grant(1, prefixA)
	for _, client := range []int{1, 2} {
		l.giveUp(1, host(2), prefixA)
		l.tell(host(2), reply(dhcpv6.Reply, duid(client), 1, parts))
		l.tellOn("guest", host(2), reply(dhcpv6.Reply, duid(client), 1, parts))
		l.tellOn("guest", host(1), reply(dhcpv6.Reply, duid(client), 1, parts))
		l.wantRoutes(viaA)
	}
	if n := l.Counters().Contested; n != 24 || l.Rivals() != 1 {
		t.Errorf("%d contested, %d rivals", n, l.Rivals())
	}
	l.grant(1, prefixA)
	if l.Rivals() != 0 {
		t.Error("a rival waits for what was renewed")
	}
	l.tell(host(2), reply(dhcpv6.Reply, duid(2), 1, pd(1, lifetimes(1000, 2000, "2001:db8:10:10::/60", "2001:db8:10:10::/64")...)))
	l.wantRoutes(viaA, "2001:db8:10:10::/60 via fe80::1002 dev 2", "2001:db8:10:10::/64 via fe80::1002 dev 2") // beside it
}

// Who waits for a part gets it when the holder's time is over.
func TestRivalForAPart(t *testing.T) {
	for name, end := range map[string]func(*lab){
		"expires":   func(l *lab) { l.wait(2000 * time.Second) },
		"released":  func(l *lab) { l.giveUp(1, host(1), prefixA) },
		"withdrawn": func(l *lab) { l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pdStatus(1, dhcpv6.StatusNoBinding))) },
		"forgotten": func(l *lab) { l.Forget(l.now, l.holder(1)) },
		"gone":      func(l *lab) { l.NextHopGone(l.now, "lan", host(1)) },
	} {
		l := start(t)
		l.grant(1, prefixA)
		l.tell(host(2), reply(dhcpv6.Reply, duid(2), 1, pd(1, lifetimes(9000, 9000, "2001:db8:10:8::/62")...)))
		l.wantEvents("learned lan 1 2001:db8:10::/60 via fe80::1001", "contested lan 1 2001:db8:10::/60 via fe80::1001 rival fe80::1002")
		l.wantRoutes(viaA)
		end(l)
		l.wantRoutes("2001:db8:10:8::/62 via fe80::1002 dev 2")
		if l.check(); t.Failed() {
			t.Fatal(name)
		}
	}
	l := start(t)
	l.grant(1, prefixA)
	l.now = l.now.Add(2000 * time.Second) // and nobody ticked
	l.grant(2, "2001:db8:10:8::/62")
	l.wantRoutes("2001:db8:10:8::/62 via fe80::1002 dev 2")
}

// A host may have parts of what it holds, in the same IA or another one, and a larger prefix around it.
func TestOwnParts(t *testing.T) {
	l := start(t, func(s *setup) {
		s.LinkLayer = func(_ int, a netip.Addr) (uint16, []byte) { return 1, a.AsSlice()[15:] }
	})
	l.grant(1, prefixA, "2001:db8:10:4::/62")
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pd(2, promise{"2001:db8:10:8::/61", 1000, 2000})))
	l.tell(host(0x101), reply(dhcpv6.Reply, duid(9), 1, pd(1, promise{"2001:db8:10:6::/64", 1000, 2000}))) // the same neighbour
	l.grant(1, "2001:db8::/40")
	routes := []string{viaA, "2001:db8:10:4::/62 via fe80::1001 dev 2", "2001:db8:10:8::/61 via fe80::1001 dev 2",
		"2001:db8:10:6::/64 via fe80::1101 dev 2"}
	l.wantRoutes(slices.Clone(routes)...)                                                                                    // and not the one that has addresses of ours in it
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{prefixA, 0, 0}, promise{"2001:db8:10::/62", 1000, 2000}))) // renumbered
	routes = append(routes[1:], "2001:db8:10::/62 via fe80::1001 dev 2")
	l.wantRoutes(routes...)
	l.grant(1, "2001:db8:10::/56")
	l.wantRoutes(append(routes, "2001:db8:10::/56 via fe80::1001 dev 2")...)
	if n := l.Counters().Contested; n != 0 {
		t.Errorf("%d contested", n)
	}
}

// Somebody is given a larger prefix around what client 1 holds, and has what is left of it. Client 1's stays its own:
// renewed, in parts, in another IA, at another address.
func TestHeldWithinALargerOne(t *testing.T) {
	const larger = "2001:db8:10::/56 via fe80::1002 dev 2"
	l := start(t, func(s *setup) {
		s.LinkLayer = func(_ int, a netip.Addr) (uint16, []byte) { return 1, a.AsSlice()[15:] }
	})
	l.grant(1, prefixA)
	l.grant(2, "2001:db8:10::/56")
	l.wantRoutes(viaA, larger)
	l.wait(1999 * time.Second)
	l.grant(1, prefixA, "2001:db8:10:8::/61")
	l.grant(2, "2001:db8:10::/56", "2001:db8:10:4::/62")
	l.wantRoutes(viaA, "2001:db8:10:8::/61 via fe80::1001 dev 2", larger)
	l.tell(host(1), reply(dhcpv6.Reply, duid(9), 1, pd(1, promise{prefixA, 1000, 2000})))
	l.tell(host(0x101), reply(dhcpv6.Reply, duid(9), 1, pd(1, promise{prefixA, 1000, 2000})))
	l.wantRoutes(prefixA+" via fe80::1101 dev 2", "2001:db8:10:8::/61 via fe80::1001 dev 2", larger)
	l.giveUp(9, host(0x101), prefixA)
	l.wantRoutes("2001:db8:10:8::/61 via fe80::1001 dev 2", larger)
	l.grant(1, prefixA, "2001:db8:10:8::/62") // the first was given up, so it is part of the larger one; what is within the other is not
	l.wantRoutes("2001:db8:10:8::/61 via fe80::1001 dev 2", "2001:db8:10:8::/62 via fe80::1001 dev 2", larger)
}

// A client moves to another link, or gets another IA or DUID, at the same next hop.
func TestMoved(t *testing.T) {
	l := start(t)
	l.grant(1, prefixA)
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pd(2, promise{prefixA, 1000, 2000})))
	l.wantRoutes(viaA)
	l.tell(host(1), reply(dhcpv6.Reply, duid(2), 1, pd(2, promise{prefixA, 1000, 2000})))
	l.wantRoutes(viaA)
	l.wantEvents("learned lan 1 2001:db8:10::/60 via fe80::1001", "replaced lan 1 2001:db8:10::/60 via fe80::1001",
		"learned lan 1 2001:db8:10::/60 via fe80::1001", "replaced lan 1 2001:db8:10::/60 via fe80::1001",
		"learned lan 2 2001:db8:10::/60 via fe80::1001")
	l.tellOn("guest", host(1), reply(dhcpv6.Reply, duid(2), 1, pd(2, promise{prefixA, 1000, 2000})))
	l.wantRoutes(viaA)
	l.giveUp(2, host(1), prefixA) // of IA 1
	l.wantRoutes(viaA)
	l.NextHopGone(l.now, "lan", host(1))
	l.wantRoutes(prefixA + " via fe80::1001 dev 3")
}

// Two addresses of one neighbour are one client, whether it renews, releases, or is told that it has nothing.
func TestSameNeighbour(t *testing.T) {
	neighbours := func(s *setup) {
		s.LinkLayer = func(ifindex int, a netip.Addr) (uint16, []byte) {
			switch {
			case ifindex != lan:
			case a == host(1), a == host(2), a == netip.MustParseAddr("2001:db8:1::5"):
				return 1, []byte{2, 0, 0, 0, 0, 1}
			case a == host(3):
				return 1, []byte{2, 0, 0, 0, 0, 3}
			case a == host(4):
				return 2, []byte{2, 0, 0, 0, 0, 1}
			}
			return 1, nil
		}
	}
	l := start(t, neighbours)
	l.grant(1, prefixA)
	l.asA(2)
	l.wantRoutes(viaB)
	l.asA(5)
	l.asA(4)
	l.asA(3)
	l.wantRoutes(viaB)
	l.giveUp(1, host(3), prefixA)
	l.wantRoutes(viaB)
	l.giveUp(1, netip.MustParseAddr("2001:db8:1::5"), prefixA)
	l.wantRoutes()
	l.grant(1, prefixA)
	l.tell(host(2), reply(dhcpv6.Reply, duid(1), 1, pdStatus(1, dhcpv6.StatusNoBinding)))
	l.wantRoutes()
	l = start(t, neighbours)
	l.tell(host(5), reply(dhcpv6.Reply, duid(5), 1, pd(1, promise{prefixA, 1000, 2000})))
	l.tell(netip.MustParseAddr("fe80::99"), reply(dhcpv6.Reply, duid(5), 1, pd(1, promise{prefixA, 1000, 2000})))
	l.wantRoutes(prefixA + " via fe80::1005 dev 2") // two whom nobody knows are not the same
	l = start(t, neighbours)
	l.tellOn("guest", host(2), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{prefixA, 1000, 2000})))
	l.asA(1)
	l.wantRoutes(prefixA + " via fe80::1002 dev 3") // nor are neighbours on two links
}

// A forger cannot have many neighbours looked up with one message.
func TestNeighboursAskedFor(t *testing.T) {
	asked := 0
	l := start(t, func(s *setup) {
		s.LinkLayer = func(int, netip.Addr) (uint16, []byte) { asked++; return 1, nil }
	})
	for iaid := range uint32(8) {
		l.tell(host(1+int(iaid)), reply(dhcpv6.Reply, duid(1), 1, pd(iaid, promise{fmt.Sprintf("2001:db8:%x::/64", 0x10+iaid), 1000, 2000})))
	}
	options := [][]byte{option(dhcpv6.OptionClientID, duid(1)), option(dhcpv6.OptionServerID, serverID(1))}
	for n := range uint32(700) {
		options = append(options, pd(n%8, lifetimes(0, 0, "2001:db8:10::/64", "2001:db8:11::/64")...))
	}
	if _, _, err := l.forward(from(host(9), message(dhcpv6.Release, options...))); err != nil {
		t.Fatal(err)
	}
	if n := len(l.routes()); n != 8 || asked > 8 {
		t.Errorf("%d routes, asked %d times", n, asked)
	}
}

// A rival that gives up what it waits for, or is told that it has nothing, waits no longer.
func TestRivalResigns(t *testing.T) {
	for name, resign := range map[string]func(*lab){
		"released":      func(l *lab) { l.giveUp(1, host(2), prefixA) },
		"zero":          func(l *lab) { l.tell(host(2), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{prefixA, 0, 0}))) },
		"no binding":    func(l *lab) { l.tell(host(2), reply(dhcpv6.Reply, duid(1), 1, pdStatus(1, dhcpv6.StatusNoBinding))) },
		"half of it":    func(l *lab) { l.giveUp(1, host(2), "2001:db8:20::/60") },
		"somebody else": func(l *lab) { l.giveUp(1, host(3), prefixA) },
		"another IA":    func(l *lab) { l.tell(host(2), reply(dhcpv6.Reply, duid(1), 1, pdStatus(2, dhcpv6.StatusNoBinding))) },
	} {
		l := start(t)
		l.grant(1, prefixA)
		l.asA(2)
		resign(l)
		l.NextHopGone(l.now, "lan", host(1))
		if name == "half of it" || name == "somebody else" || name == "another IA" {
			l.wantRoutes(viaB)
		} else {
			l.wantRoutes(viaA)
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// An interface id that says something of a link-layer address says nothing of who has it.
func TestAssumedInterfaceID(t *testing.T) {
	l := start(t, func(s *setup) { s.LinkLayer = func(int, netip.Addr) (uint16, []byte) { return 1, nil } })
	l.tell(netip.MustParseAddr("fe80::211:22ff:fe33:4455"), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{prefixA, 1000, 2000})))
	l.tell(netip.MustParseAddr("2001:db8:1::211:22ff:fe33:4455"), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{prefixA, 1000, 2000})))
	l.wantRoutes(prefixA + " via fe80::211:22ff:fe33:4455 dev 2")
}

// A rival's prefixes are bounded as everybody's. What counts is what it was told last.
func TestRivalsBounded(t *testing.T) {
	l := start(t, func(s *setup) { s.MaxPerClient, s.MaxPerInterface = 2, 3 })
	l.grant(1, prefixA)
	l.grant(3, "2001:db8:30::/64")
	var many []promise
	for n := range 50 {
		many = append(many, promise{fmt.Sprintf("2001:db8:20:%x::/64", n), 9000, 9000})
	}
	for n := range 40 {
		l.tell(host(2), reply(dhcpv6.Reply, duid(1), 1, pd(1, many[n:]...)))
	}
	l.NextHopGone(l.now, "lan", host(1))
	l.wantRoutes("2001:db8:30::/64 via fe80::1003 dev 2", "2001:db8:20:27::/64 via fe80::1002 dev 2", "2001:db8:20:28::/64 via fe80::1002 dev 2")
}

// A server's identifier that is longer than a DUID can be is kept of nobody, holder or rival; Check looks after each message.
func TestServerIDsBounded(t *testing.T) {
	for size, valid := range map[int]bool{dhcpv6.MaxDUIDLength: true, dhcpv6.MaxDUIDLength + 1: false, 60000: false} {
		l := start(t)
		l.grant(1, prefixA, "2001:db8:20::/60")
		by := func(kind dhcpv6.MessageType, n int, prefix string) []byte {
			return message(kind, option(dhcpv6.OptionClientID, duid(n)), option(dhcpv6.OptionServerID, make([]byte, size)),
				pd(1, promise{prefix, 1000, 2000}))
		}
		l.tell(host(2), by(dhcpv6.Reply, 2, prefixA))
		l.tell(host(3), by(dhcpv6.Reply, 3, "2001:db8:30::/60"))
		l.forward(from(host(1), by(dhcpv6.Release, 1, "2001:db8:20::/60")))
		rival, learned, released := l.Rivals() == 1, l.holder(3) != nil, len(l.holder(1).Leases) == 1
		if rival != valid || learned != valid || released != valid {
			t.Errorf("identifier of %d octets: rival %v, learned %v, released %v", size, rival, learned, released)
		}
	}
}

// Nor are there ever more than so many.
func TestManyRivals(t *testing.T) {
	l := start(t)
	for n := range 100 {
		l.grant(n, fmt.Sprintf("2001:db8:%x::/64", 0x100+n))
	}
	for n := range 100 {
		l.tell(host(200), reply(dhcpv6.Reply, duid(n), 1, pd(1, promise{fmt.Sprintf("2001:db8:%x::/64", 0x100+n), 1000, 2000})))
	}
	if l.Rivals() != 64 || l.Counters().Contested != 100 {
		t.Errorf("%d rivals, %d contested", l.Rivals(), l.Counters().Contested)
	}
}
