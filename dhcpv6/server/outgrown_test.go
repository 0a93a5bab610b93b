package server_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// wantIA sends a message with one IA and compares what it is granted and what it is told the end of.
func (l *lab) wantIA(t dhcpv6.MessageType, client int, o []byte, grants, withdrawn []string) {
	l.Helper()
	ia := l.request(t, duid(client), o).ias[0]
	if !slices.Equal(ia.grants(), grants) || !slices.Equal(ia.withdrawn(), withdrawn) {
		l.Errorf("%v of client %d: granted %v, withdrawn %v, status %q; want %v and %v",
			t, client, ia.grants(), ia.withdrawn(), ia.status, grants, withdrawn)
	}
}

// A client whose id has no room under the prefixes that there are now gets another one, when it comes next and also when
// it is only remembered.
func TestOutgrownID(t *testing.T) {
	subnet := withHosts(server.Host{DUIDs: byDUID(duid(1)), HasSubnet: true, SubnetID: 0x20})
	host := withHosts(server.Host{DUIDs: byDUID(duid(1)), HostID: 0x1234})
	tests := []struct {
		name  string
		setup func(*setup)
		ia    func(uint32, ...string) []byte
		then  []string // prefixes
		was   string
		is    []string
	}{
		{"delegated", nil, pd, []string{"2001:db8:2::1/60"}, "2001:db8:1:c4::/62", []string{"2001:db8:2:4::/62"}},
		{"addresses", nil, na, []string{"2001:db8:2::1/120"}, "2001:db8:1::e71", []string{"2001:db8:2::61"}},
		{"a host's prefix", subnet, pd, []string{"2001:db8:2::1/60"}, "2001:db8:1:20::/62", []string{"2001:db8:2:4::/62"}},
		{"a host's address", host, na, []string{"2001:db8:2::1/120"}, "2001:db8:1::1234", []string{"2001:db8:2::61"}},
		{"but under the unique local prefix", nil, pd, []string{"fd00:1::1/48", "2001:db8:2::1/60"}, "2001:db8:1:c4::/62",
			[]string{"fd00:1:0:4::/62", "2001:db8:2:4::/62"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begin := func() *lab {
				l := start(t)
				if tt.setup != nil {
					l = start(t, tt.setup)
				}
				l.wantIA(dhcpv6.Request, 1, tt.ia(1), []string{tt.was}, nil)
				return l
			}
			shrink := func(l *lab) { l.relink(func(s *setup) { s.only(tt.then...) }) }
			l := begin()
			shrink(l)
			l.wantIA(dhcpv6.Renew, 1, tt.ia(1, tt.was), tt.is, []string{tt.was})
			l.wait(2 * time.Hour)
			l.wantIA(dhcpv6.Request, 1, tt.ia(1, tt.is...), tt.is, nil)

			l = begin()
			l.wait(48 * time.Hour)
			shrink(l)
			l.wantIA(dhcpv6.Solicit, 1, tt.ia(1), tt.is, nil)
			l.wantIA(dhcpv6.Request, 1, tt.ia(1), tt.is, nil)
		})
	}
}

// A client that has a part of the unique local prefix alone, from before the provider's came, gets one of both; a
// Solicit, which others may answer too, does not take it away.
func TestOutgrownULA(t *testing.T) {
	l := start(t, func(s *setup) { s.only("fd00:1::1/60") })
	was, is := []string{"fd00:1:0:4::/62"}, []string{"fd00:1:0:2::/63", "2001:db8:2:2::/63"}
	l.wantIA(dhcpv6.Request, 1, pd(1), was, nil)
	l.relink(func(s *setup) { s.only("fd00:1::1/60", "2001:db8:2::1/62") })
	l.Events()
	l.wantIA(dhcpv6.Solicit, 1, pd(1), was, nil)
	l.wantEvents()
	l.wantIA(dhcpv6.Renew, 1, pd(1, was...), is, was)
	l.wantIA(dhcpv6.Renew, 1, pd(1, is...), is, was) // until it ends
	l.wantIA(dhcpv6.Request, 2, pd(1), []string{"fd00:1:0:1::/64", "2001:db8:2:1::/64"}, nil)
}

// A deprecated prefix is as good as a usable one of the other scope, and not left for that.
func TestOutgrownDeprecated(t *testing.T) {
	l := start(t)
	was := []string{"2001:db8:1:c4::/62"}
	l.wantIA(dhcpv6.Request, 1, pd(1), was, nil)
	l.relink(func(s *setup) {
		s.only()
		s.limited("2001:db8:1::1/56", 0, 7200)
		s.address(0, "fd00:1::1/60")
	})
	l.wantIA(dhcpv6.Renew, 1, pd(1, was...), was, nil)
}

// A client that has outgrown its id keeps what it has while there is nothing better: the global prefix is full.
func TestOutgrownAndFull(t *testing.T) {
	l := start(t, func(s *setup) { s.only("fd00:1::1/60") })
	was := []string{"fd00:1:0:4::/62"}
	l.wantIA(dhcpv6.Request, 1, pd(1), was, nil)
	l.relink(func(s *setup) { s.only("fd00:1::1/60", "2001:db8:2::1/63") })
	l.wantIA(dhcpv6.Request, 2, pd(1), []string{"fd00:1:0:1::/64", "2001:db8:2:1::/64"}, nil)
	l.Events()
	l.wantIA(dhcpv6.Renew, 1, pd(1, was...), was, nil)
	l.wantEvents("pool full lan IA_PD", "renewed lan IA_PD fd00:1:0:4::/62")
	l.wantIA(dhcpv6.Request, 3, pd(1), nil, nil)
}

// Whatever the links were before, a client that is known gets something where a new one would.
func TestKnownClientsGetSomething(t *testing.T) {
	for seed := range uint64(300) {
		o := &outgrowing{rand: rand.New(rand.NewPCG(seed, 1))}
		o.lab = start(t, func(s *setup) {
			s.only()
			s.secondLink()
			s.lan().AssignAll = o.rand.IntN(2) == 0
			s.Hosts = []server.Host{
				{DUIDs: byDUID(duid(1)), HasSubnet: true, SubnetID: 0x20, HostID: 0x1234},
				{DUIDs: byDUID(duid(2)), Prefix: netip.MustParsePrefix("2001:db8:1:40::/60")},
			}
		}, o.links)
		for range 12 {
			o.step()
		}
		if t.Failed() {
			t.Fatalf("with seed %d:\n%s", seed, o.log)
		}
	}
}

// outgrowing is a server whose prefixes grow and shrink.
type outgrowing struct {
	*lab
	rand *rand.Rand
	log  string
}

// links gives both links some of the prefixes.
func (o *outgrowing) links(s *setup) {
	for i := range s.Links {
		s.Links[i].Addresses = nil
		for _, p := range []string{
			"2001:db8:1::1/56", "2001:db8:2::1/60", "2001:db8:3:10::1/58", "fd00:1::1/48", "fd00:2::1/60",
			"2001:db8:4::1/64", "2001:db8:5::1/120", "fd00:3::1/64", "2001:db8:2:1::1/60",
		} {
			if o.rand.IntN(4) == 0 {
				p = strings.NewReplacer(":db8:", fmt.Sprintf(":db%d:", 8+i), "fd0", fmt.Sprintf("fd%d", i)).Replace(p)
				s.address(i, p)
				o.log += fmt.Sprintln("link", i, p)
			}
		}
	}
}

func (o *outgrowing) step() {
	switch o.rand.IntN(5) {
	case 0:
		o.relink(o.links)
	case 1:
		d := time.Duration(o.rand.IntN(100)) * time.Minute
		o.log += fmt.Sprintln("wait", d)
		o.wait(d)
	default:
		typ := []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew, dhcpv6.Release}[o.rand.IntN(4)]
		o.exchange(typ, 1+o.rand.IntN(3), 2+o.rand.IntN(2))
	}
}

// exchange has a client send a message, and compares what it gets with what it would if it were new.
func (o *outgrowing) exchange(typ dhcpv6.MessageType, client, ifindex int) {
	ias := [][]byte{na(1), pd(1)}
	if typ == dhcpv6.Release {
		ias = o.holds(client, ifindex)
	}
	in := multicast(message(typ, duid(client), ias...))
	in.Ifindex = ifindex
	out, err := o.handle(in)
	if err != nil {
		o.Fatal(err)
	}
	got := read(o, out.Payload)
	o.log += fmt.Sprintln(typ, client, ifindex, got.ias)
	if typ == dhcpv6.Release {
		return
	}
	fresh := server.New(o.now, o.setup.Config)
	fresh.SetLinks(o.now, o.setup.Links)
	in.Payload = message(dhcpv6.Request, duid(client), na(1), pd(1))
	if out, err = fresh.Handle(o.now, in, make([]byte, dhcpv6.MaxPayload)); err != nil {
		o.Fatal(err)
	}
	for i, ia := range read(o, out.Payload).ias {
		if len(ia.grants()) > 0 && len(got.ias[i].grants()) == 0 {
			o.Errorf("%v of client %d on %d: nothing in place of %v", typ, client, ifindex, ia.grants())
		}
	}
}

// holds are the client's IAs with what is bound.
func (o *outgrowing) holds(client, ifindex int) (ias [][]byte) {
	link := o.Table().Link([]string{"lan", "guest"}[ifindex-2])
	for kind, make := range []func(uint32, ...string) []byte{na, pd} {
		var named []string
		if b := link.Lookup(duid(client), 1, lease.Kind(kind)); b != nil && b.State == lease.Bound {
			for _, k := range b.Leases {
				named = append(named, strings.TrimSuffix(k.Prefix.String(), "/128"))
			}
		}
		ias = append(ias, make(1, named...))
	}
	return ias
}
