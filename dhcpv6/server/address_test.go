package server_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// One address per usable interface prefix, or the best prefix only (dhcpv6_assignall 0).
func TestAssignAll(t *testing.T) {
	tests := []struct {
		name   string
		change func(*setup)
		all    string
		best   string
	}{
		{"one prefix", func(*setup) {}, "[2001:db8:1::e71]", "[2001:db8:1::e71]"},
		{"global and ULA, both for ever", func(s *setup) { s.address(0, "fd00:1::1/64") },
			"[2001:db8:1::e71 fd00:1::e71]", "[2001:db8:1::e71]"},
		{"the longer preferred one is the best", func(s *setup) {
			s.only()
			s.limited("2001:db8:1::1/64", 1000, 5000)
			s.limited("2001:db8:2::1/64", 3000, 4000)
			s.limited("2001:db8:3::1/64", 2000, 9000)
		}, "[2001:db8:1::e71 2001:db8:2::e71 2001:db8:3::e71]", "[2001:db8:2::e71]"},
		{"a deprecated prefix is not usable", func(s *setup) {
			s.only("2001:db8:1::1/64")
			s.limited("2001:db8:2::1/64", -1, 4000)
		}, "[2001:db8:1::e71]", "[2001:db8:1::e71]"},
		{"prefixes longer than /64 are always in", func(s *setup) {
			s.only("2001:db8:1::1/64", "2001:db8:2::1/64", "2001:db8:3::1/112")
		}, "[2001:db8:1::e71 2001:db8:2::e71 2001:db8:3::e71]", "[2001:db8:1::e71 2001:db8:3::e71]"},
		{"two addresses in one prefix are one prefix", func(s *setup) {
			s.only("2001:db8:1::1/64", "2001:db8:1::2/64")
		}, "[2001:db8:1::e71]", "[2001:db8:1::e71]"},
		{"link-local, loopback, multicast, IPv4 and mapped addresses are no prefixes", func(s *setup) {
			for _, p := range []string{"fe80::5/64", "::1/128", "ff02::1/16", "192.0.2.1/24", "::ffff:192.0.2.1/96", "::/64"} {
				s.address(0, p)
			}
		}, "[2001:db8:1::e71]", "[2001:db8:1::e71]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for assignAll, want := range map[bool]string{true: tt.all, false: tt.best} {
				l := start(t, tt.change, func(s *setup) { s.lan().AssignAll = assignAll })
				if got := fmt.Sprint(l.request(dhcpv6.Request, duid(1), na(1)).ias[0].grants()); got != want {
					t.Errorf("assignall %v: %s, want %s", assignAll, got, want)
				}
			}
		})
	}
}

// The interface id has at most dhcpv6_hostidlength bits, and none of those that people use by hand.
func TestHostIDLength(t *testing.T) {
	for _, n := range []int{12, 13, 16, 32, 63, 64} {
		l := start(t, func(s *setup) { s.lan().HostIDLength = n })
		high := false
		for c := range 100 {
			p := l.request(dhcpv6.Request, duid(c), na(1)).ias[0].leases[0].prefix
			id := l.Table().Link("lan").Lookup(duid(c), 1, lease.Address).ID
			if b := p.Addr().As16(); id < 0x100 || n < 64 && id>>n != 0 || fmt.Sprintf("%016x", id) != fmt.Sprintf("%x", b[8:]) {
				t.Errorf("%d bits: id %x, address %v", n, id, p)
			}
			high = high || id>>(n-1) != 0
		}
		if !high {
			t.Errorf("%d bits: the upper half is not used", n)
		}
	}
}

// RFC 5453: subnet-router anycast, IANA's Ethernet block, subnet anycast; and 0 to ff are not given out, even if asked for.
func TestReservedInterfaceIDs(t *testing.T) {
	tests := []struct {
		id   string
		free bool
	}{
		{"2001:db8:1::", false}, {"2001:db8:1::1", false}, {"2001:db8:1::ff", false}, {"2001:db8:1::100", true},
		{"2001:db8:1::200:5eff:fdff:ffff", true},
		{"2001:db8:1::200:5eff:fe00:0", false}, {"2001:db8:1::200:5eff:fe00:5212", false}, {"2001:db8:1::200:5eff:fe00:5213", false},
		{"2001:db8:1::200:5eff:feff:ffff", false},
		{"2001:db8:1::200:5eff:ff00:0", true},
		{"2001:db8:1::fdff:ffff:ffff:ff7f", true},
		{"2001:db8:1::fdff:ffff:ffff:ff80", false}, {"2001:db8:1::fdff:ffff:ffff:fffe", false}, {"2001:db8:1::fdff:ffff:ffff:ffff", false},
		{"2001:db8:1::fe00:0:0:0", true}, {"2001:db8:1::ffff:ffff:ffff:ffff", true},
		{"2001:db8:1::5:0:0:1234", false}, // a second address of ours
	}
	for _, tt := range tests {
		l := start(t, func(s *setup) { s.lan().HostIDLength = 64; s.address(0, "2001:db8:1:0:5::1234/56") })
		want := netip.MustParseAddr(tt.id).String()
		if tt.id == "2001:db8:1::5:0:0:1234" {
			want = "2001:db8:1:0:5::1234"
		}
		got := l.request(dhcpv6.Request, duid(1), na(1, want)).ias[0].grants()
		if len(got) != 1 || (got[0] == want) != tt.free {
			t.Errorf("%s asked for, %v granted", want, got)
		}
	}
}

// All the router's addresses are its own, also the second one in a prefix and an EUI-64 that fits the pool.
func TestOwnAddressesAreNotGranted(t *testing.T) {
	own := []string{"2001:db8:1::1/64", "2001:db8:1::e71/64", "2001:db8:1::abc/64", "2001:db8:2::123/64"}
	l := start(t, func(s *setup) { s.only(own...) })
	// handle looks for our own addresses in the answers.
	l.request(dhcpv6.Request, duid(1), na(1))
	l.request(dhcpv6.Request, duid(2), na(1, "2001:db8:1::abc"))
	l.request(dhcpv6.Request, duid(3), na(1, "2001:db8:1::123"))
	l.request(dhcpv6.Renew, duid(4), na(1, "2001:db8:1::1"))
	// An address of ours that comes later.
	l.request(dhcpv6.Request, duid(5), na(1, "2001:db8:1::555"))
	l.relink(func(s *setup) { s.address(0, "2001:db8:1::555/64") })
	if ia := l.request(dhcpv6.Renew, duid(5), na(1, "2001:db8:1::555")).ias[0]; len(ia.grants()) == 0 {
		t.Errorf("%+v", ia)
	}
}

// Addresses of prefixes longer than /64 stay inside them (odhcpd issues 199, 216).
func TestAddressesOfLongPrefixes(t *testing.T) {
	for _, prefix := range []string{"2001:db8:1::1/65", "2001:db8:1::1/80", "2001:db8:1::1/96", "2001:db8:1::aa01/112", "2001:db8:1::aa01/120", "2001:db8:1::aa01/126"} {
		p := netip.MustParsePrefix(prefix)
		l := start(t, func(s *setup) { s.only(prefix) })
		for n := range 5 {
			ia := l.request(dhcpv6.Request, duid(n), na(1)).ias[0]
			for _, k := range ia.leases {
				if a := k.prefix.Addr(); !p.Contains(a) || a == p.Addr() || a == p.Masked().Addr() {
					t.Errorf("%s: %v", prefix, a)
				}
			}
			if len(ia.leases) == 0 && (p.Bits() < 120 || n == 0) {
				t.Errorf("%s: client %d: %s", prefix, n, ia.status)
			}
		}
	}
	for _, prefix := range []string{"2001:db8:1::1/127", "2001:db8:1::1/128"} {
		l := start(t, func(s *setup) { s.only(prefix) })
		l.request(dhcpv6.Request, duid(1), na(1), na(2)) // at most one of them
	}
}

// A /64 and a /120 on one link: the id fits both.
func TestOneIDUnderAllPrefixes(t *testing.T) {
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/64", "fd00:1::1/120") })
	for n := range 100 {
		ia := l.request(dhcpv6.Request, duid(n), na(1)).ias[0]
		if len(ia.leases) != 2 {
			t.Fatalf("client %d: %+v", n, ia)
		}
		a, b := ia.leases[0].prefix.Addr().As16(), ia.leases[1].prefix.Addr().As16()
		if string(a[8:]) != string(b[8:]) {
			t.Errorf("client %d: %x and %x", n, a, b)
		}
	}
}

// Exhaustion gives NoAddrsAvail and one event a minute that says which pool is full; then what was given back is found.
func TestAddressExhaustion(t *testing.T) {
	l := start(t, func(s *setup) {
		s.only("2001:db8:1::1/124", "2001:db8:9::1/56")
		s.lan().PrefixFilter = netip.MustParsePrefix("2001:db8:1::/48")
	})
	got := make(map[string]int)
	n := 0
	for ; n < 100; n++ {
		ia := l.request(dhcpv6.Request, duid(n), na(1)).ias[0]
		if len(ia.grants()) == 0 {
			if ia.status != "NoAddrsAvail" {
				t.Errorf("%+v", ia)
			}
			break
		}
		if other, ok := got[ia.grants()[0]]; ok {
			t.Fatalf("clients %d and %d have %v", other, n, ia.grants())
		}
		got[ia.grants()[0]] = n
	}
	if n < 8 || n > 14 {
		t.Errorf("%d addresses from a /124", n)
	}
	var full []server.Event
	for range 10 {
		l.request(dhcpv6.Request, duid(1000), na(1))
		l.request(dhcpv6.Solicit, duid(1001), na(1))
	}
	for _, e := range l.Events() {
		if e.Kind == server.PoolFull {
			full = append(full, e)
		}
	}
	if len(full) != 1 || full[0].Link != "lan" || full[0].Key.Kind != lease.Address {
		t.Errorf("events %+v", full)
	}
	// Those who have one keep it.
	for a, n := range got {
		if g := l.request(dhcpv6.Renew, duid(n), na(1, a)).ias[0].grants(); len(g) != 1 || g[0] != a {
			t.Errorf("client %d had %s, has %v", n, a, g)
		}
	}
	l.wait(time.Hour)
	for a, n := range got {
		l.request(dhcpv6.Release, duid(n), na(1, a))
		if g := l.request(dhcpv6.Request, duid(1000), na(1)).ias[0].grants(); len(g) != 1 || g[0] != a {
			t.Errorf("%s was given back, %v granted", a, g)
		}
		break
	}
}

// One event for each pool: that of the prefixes does not silence that of the addresses, nor one link the other.
func TestPoolFullOfEachPool(t *testing.T) {
	l := start(t, func(s *setup) {
		s.only("2001:db8:1::1/127", "2001:db8:2::1/63")
		s.lan().AssignAll = false
		s.secondLink("2001:db8:3::1/63")
	})
	for n := range 3 {
		for ifindex := 2; ifindex <= 3; ifindex++ {
			in := multicast(message(dhcpv6.Request, duid(n), pd(1)))
			in.Ifindex = ifindex
			if _, err := l.handle(in); err != nil {
				t.Fatal(err)
			}
		}
	}
	seen := make(map[string]int)
	for _, e := range l.Events() {
		if e.Kind == server.PoolFull {
			seen[e.Link+" "+e.Key.Kind.String()]++
		}
	}
	if len(seen) != 2 || seen["lan IA_PD"] != 1 || seen["guest IA_PD"] != 1 {
		t.Errorf("events %v", seen)
	}
}
