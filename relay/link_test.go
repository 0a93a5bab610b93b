package relay_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/relay"
)

// linkAddress is the link-address of a client's message on "lan".
func (l *lab) linkAddress() string {
	l.Helper()
	out, _, err := l.forward(from(host(1), message(dhcpv6.Solicit)))
	if err != nil {
		return err.Error()
	}
	m, _ := dhcpv6.ParseRelayMessage(out)
	return m.LinkAddress.String()
}

func TestLinkAddress(t *testing.T) {
	const hour = time.Hour
	tests := []struct {
		name   string
		change func(*setup)
		want   string
	}{
		{"global", func(s *setup) {}, "2001:db8:1::1"},
		{"unique local", func(s *setup) { s.addresses(lan, "fd00:1::1/64") }, "fd00:1::1"},
		{"global rather than unique local", func(s *setup) { s.addresses(lan, "fd00:1::1/64", "2001:db8:1::1/64") }, "2001:db8:1::1"},
		{"preferred rather than deprecated", func(s *setup) {
			s.addresses(lan)
			s.address(lan, "2001:db8:9::1/64", -hour, hour)
			s.address(lan, "2001:db8:1::1/64", hour, 2*hour)
		}, "2001:db8:1::1"},
		{"preferred unique local rather than deprecated global", func(s *setup) {
			s.addresses(lan)
			s.address(lan, "2001:db8:9::1/64", -hour, hour)
			s.address(lan, "fd00:1::1/64", hour, 2*hour)
		}, "fd00:1::1"},
		{"deprecated rather than none", func(s *setup) {
			s.addresses(lan)
			s.address(lan, "2001:db8:8::1/64", -hour, hour)
			s.address(lan, "2001:db8:9::1/64", -hour, 2*hour)
		}, "2001:db8:9::1"},
		{"preferred for longest", func(s *setup) {
			s.addresses(lan)
			s.address(lan, "2001:db8:8::1/64", hour, 9*hour)
			s.address(lan, "2001:db8:9::1/64", 2*hour, 3*hour)
			s.address(lan, "2001:db8:a::1/64", hour, 9*hour)
		}, "2001:db8:9::1"},
		{"for ever", func(s *setup) { s.address(lan, "2001:db8:9::1/64", 999*hour, 999*hour) }, "2001:db8:1::1"},
		{"not one that is over", func(s *setup) {
			s.addresses(lan)
			s.address(lan, "2001:db8:9::1/64", -2*hour, -hour)
		}, "2001:db8:ffff::2"},
		{"not one that is not ready", func(s *setup) { s.link(lan).Addresses[0].Unready = true }, "2001:db8:ffff::2"},
		{"never link-local", func(s *setup) { s.addresses(lan, "fe80::1/64") }, "2001:db8:ffff::2"},
		{"without any, the upstream interface's", func(s *setup) { s.addresses(lan) }, "2001:db8:ffff::2"},
		{"the first of them that has one", func(s *setup) {
			secondWAN(s)
			s.addresses(lan)
			s.addresses(wan)
			s.addresses(wan2, "2001:db8:fffe::2/64")
		}, "2001:db8:fffe::2"},
		{"without any, strictly", func(s *setup) { s.addresses(lan); s.lan().StrictLinkAddress = true }, "::"},
		{"without any on any", func(s *setup) { s.addresses(lan); s.addresses(wan) }, "::"},
		{"odd ones", func(s *setup) { s.addresses(lan, "::ffff:192.0.2.1/128", "::1/128", "ff05::1/128", "::/64") }, "2001:db8:ffff::2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := start(t, tt.change).linkAddress(); got != tt.want {
				t.Errorf("link-address %s, want %s", got, tt.want)
			}
		})
	}
}

// Addresses run out without anybody telling.
func TestLinkAddressInTime(t *testing.T) {
	l := start(t, func(s *setup) {
		s.addresses(lan)
		s.address(lan, "2001:db8:8::1/64", 20*time.Second, 30*time.Second)
		s.address(lan, "fd00:1::1/64", 40*time.Second, 50*time.Second)
		s.addresses(wan)
		s.address(wan, "2001:db8:ffff::2/64", 60*time.Second, 60*time.Second)
	})
	for second, want := range map[int]string{
		0: "2001:db8:8::1", 19: "2001:db8:8::1", 20: "fd00:1::1", 29: "fd00:1::1", 31: "fd00:1::1", 45: "fd00:1::1",
		50: "2001:db8:ffff::2", 59: "2001:db8:ffff::2", 60: "::", 99: "::",
	} {
		fresh := start(t, func(s *setup) { *s = l.setup })
		for fresh.now = epoch; ; fresh.now = fresh.now.Add(time.Second) {
			got := fresh.linkAddress()
			if fresh.now.Equal(epoch.Add(time.Duration(second) * time.Second)) {
				if got != want {
					t.Errorf("after %d s: %s, want %s", second, got, want)
				}
				break
			}
		}
	}
}

// Where Relay-forwards go, and from which address.
func TestDestinations(t *testing.T) {
	server := func(a string) relay.Server {
		a, name, _ := cut(a)
		return relay.Server{Addr: netip.MustParseAddr(a), Interface: name}
	}
	servers := func(addrs ...string) func(*setup) {
		return func(s *setup) {
			for _, a := range addrs {
				s.Servers = append(s.Servers, server(a))
			}
		}
	}
	path := func(a string, ifindex int) func(*setup) {
		return func(s *setup) {
			s.Paths = append(s.Paths, relay.Path{Server: netip.MustParseAddr(a), Ifindex: ifindex})
		}
	}
	wanHas := func(prefixes ...string) func(*setup) { return func(s *setup) { s.addresses(wan, prefixes...) } }
	const first, second = "4 [ff05::1:3]:547 from 2001:db8:ffff::2", "5 [ff05::1:3]:547 from fe80::5"
	tests := []struct {
		name        string
		changes     []func(*setup)
		want        []string
		unreachable uint64
	}{
		{"default", nil, []string{first}, 0},
		{"two upstream interfaces", []func(*setup){secondWAN}, []string{first, second}, 0},
		{"two logical interfaces on one", []func(*setup){func(s *setup) {
			s.Upstreams = append(s.Upstreams, "wan6")
			other := *s.link(wan)
			other.Name = "wan6"
			s.Links = append(s.Links, other)
		}}, []string{first}, 0},
		{"one of them is not there", []func(*setup){func(s *setup) { s.Upstreams = append(s.Upstreams, "wwan") }}, []string{first}, 0},
		{"one of them has no address at all", []func(*setup){secondWAN, func(s *setup) { s.link(wan2).LinkLocal = netip.Addr{} }}, []string{first}, 0},
		{"the group, said twice", []func(*setup){servers("ff05::1:3", "ff05::1:3")}, []string{first}, 0},
		{"a group on one interface", []func(*setup){secondWAN, servers("ff05::1:3%wan2")}, []string{second}, 0},
		{"a group on the link", []func(*setup){servers("ff02::1:2%wan")}, []string{"4 [ff02::1:2]:547 from fe80::4"}, 0},
		{"link-local", []func(*setup){secondWAN, servers("fe80::547%wan2")}, []string{"5 [fe80::547]:547 from fe80::5"}, 0},
		{"link-local and no interface", []func(*setup){servers("fe80::547", "ff05::1:3")}, []string{first}, 1},
		{"on an interface that is not upstream", []func(*setup){servers("fe80::547%lan", "ff05::1:3")}, []string{first}, 1},
		{"unicast", []func(*setup){secondWAN, servers("2001:db8::547"), path("2001:db8::547", wan)},
			[]string{"4 [2001:db8::547]:547 from 2001:db8:ffff::2"}, 0},
		{"unicast by the other interface", []func(*setup){secondWAN, servers("2001:db8::547"), path("2001:db8::547", wan2)},
			[]string{"5 [2001:db8::547]:547 from fe80::5"}, 0},
		{"two of them, one without a path", []func(*setup){servers("2001:db8::547", "2001:db8::548"), path("2001:db8::548", wan)},
			[]string{"4 [2001:db8::548]:547 from 2001:db8:ffff::2"}, 1},
		{"a path to where no server is", []func(*setup){servers("2001:db8::547", "ff05::1:3"), path("2001:db8::547", lan)}, []string{first}, 1},
		{"to a unique local one", []func(*setup){servers("fd00::547%wan"), wanHas("2001:db8:ffff::2/64", "fd00:ffff::2/64")},
			[]string{"4 [fd00::547]:547 from fd00:ffff::2"}, 0},
		{"to a global one", []func(*setup){servers("2001:db8::547%wan"), wanHas("fd00:ffff::2/64", "2001:db8:ffff::2/64")},
			[]string{"4 [2001:db8::547]:547 from 2001:db8:ffff::2"}, 0},
		{"from a unique local one", []func(*setup){wanHas("fd00:ffff::2/64")}, []string{"4 [ff05::1:3]:547 from fd00:ffff::2"}, 0},
		{"from a link-local one", []func(*setup){wanHas()}, []string{"4 [ff05::1:3]:547 from fe80::4"}, 0},
		{"link-local and only a global one", []func(*setup){servers("fe80::547%wan"), func(s *setup) { s.link(wan).LinkLocal = netip.Addr{} }},
			[]string{"4 [fe80::547]:547 from 2001:db8:ffff::2"}, 0},
		{"all kinds", []func(*setup){secondWAN, servers("ff05::1:3", "2001:db8::547", "fe80::547%wan"), path("2001:db8::547", wan2)},
			[]string{first, second, "5 [2001:db8::547]:547 from fe80::5", "4 [fe80::547]:547 from fe80::4"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, tt.changes...)
			_, to, err := l.forward(from(host(1), message(dhcpv6.Solicit)))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range to {
				got = append(got, fmt.Sprintf("%d %v from %v", d.Ifindex, d.Peer, d.Local))
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("to %q, want %q", got, tt.want)
			}
			if c := l.Counters(); c.Unreachable != tt.unreachable || c.Copies != uint64(len(tt.want)) {
				t.Errorf("%d unreachable, want %d; %d copies", c.Unreachable, tt.unreachable, c.Copies)
			}
			if to, unreached := l.Ways(l.now); len(to) != len(tt.want) || uint64(len(unreached)) != tt.unreachable {
				t.Errorf("ways to %v, not to %v", to, unreached)
			}
		})
	}
}

// cut splits "fe80::1%wan".
func cut(s string) (addr, name string, found bool) {
	for i := range s {
		if s[i] == '%' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

func TestNoServer(t *testing.T) {
	for name, change := range map[string]func(*setup){
		"no upstream interface":           func(s *setup) { s.Upstreams = nil },
		"upstream interface is not there": func(s *setup) { s.link(wan).Name = "" },
		"no path":                         func(s *setup) { s.Servers = []relay.Server{{Addr: netip.MustParseAddr("2001:db8::547")}} },
	} {
		t.Run(name, func(t *testing.T) {
			l := start(t, change)
			l.wantDrop(from(host(1), message(dhcpv6.Solicit)), relay.DropNoServer)
			l.change(func(s *setup) {
				s.Upstreams, s.Servers = []string{"wan"}, nil
				s.Links = start(t).setup.Links
			})
			if err := l.pass(from(host(1), message(dhcpv6.Solicit))); err != nil {
				t.Errorf("and when there is one: %v", err)
			}
		})
	}
}

// The source is chosen anew when an address ends.
func TestSourceInTime(t *testing.T) {
	l := start(t, func(s *setup) {
		s.addresses(wan)
		s.address(wan, "2001:db8:ffff::2/64", 10*time.Second, 20*time.Second)
	})
	for _, want := range []string{"2001:db8:ffff::2", "2001:db8:ffff::2", "fe80::4", "fe80::4"} {
		_, to, err := l.forward(from(host(1), message(dhcpv6.Solicit)))
		if err != nil || to[0].Local.String() != want {
			t.Errorf("after %v: from %v (%v), want %s", l.now.Sub(epoch), to, err, want)
		}
		l.wait(10 * time.Second)
	}
}

// An interface that is both, by mistake, is an upstream one.
func TestBothSides(t *testing.T) {
	l := start(t, func(s *setup) {
		s.Interfaces = append(s.Interfaces, relay.Interface{Name: "wan"}, relay.Interface{Name: "wan6"})
		other := *s.link(wan)
		other.Name = "wan6"
		s.Links = append(s.Links, other)
	})
	for _, name := range []string{"wan", "wan6"} {
		l.wantDrop(upstream(wrap(dhcpv6.RelayReply, 0, "::", host(1).String(), message(dhcpv6.Reply),
			option(dhcpv6.OptionInterfaceID, []byte(name)))), relay.DropInterfaceGone)
	}
	l.wantDrop(upstream(message(dhcpv6.Solicit)), relay.DropMessageType)
}
