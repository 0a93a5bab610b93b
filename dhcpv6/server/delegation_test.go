package server_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// Hints for length and prefix (RFC 8168), dhcpv6_pd_min_len, and what there is to give.
func TestDelegatedLength(t *testing.T) {
	tests := []struct {
		name     string
		prefixes []string
		minLen   int
		hints    []string
		want     []int    // lengths; empty: NoPrefixAvail
		exactly  []string // if not empty
	}{
		{"no hint", nil, 62, nil, []int{62}, nil},
		{"no hint, pd_min_len 60: still what most ask for", nil, 60, nil, []int{62}, nil},
		{"no hint, pd_min_len 64", nil, 64, nil, []int{64}, nil},
		{"::/0 is no hint", nil, 62, []string{"::/0"}, []int{62}, nil},
		{"/64", nil, 62, []string{"::/64"}, []int{64}, nil},
		{"/63", nil, 62, []string{"::/63"}, []int{63}, nil},
		{"/62", nil, 62, []string{"::/62"}, []int{62}, nil},
		{"/60 is raised", nil, 62, []string{"::/60"}, []int{62}, nil},
		{"/60 if allowed", nil, 60, []string{"::/60"}, []int{60}, nil},
		{"/57 if allowed", nil, 1, []string{"::/57"}, []int{57}, nil},
		{"/1 is raised", nil, 62, []string{"::/1"}, []int{62}, nil},
		{"/1 though all is allowed: the largest there is", nil, 1, []string{"::/1"}, []int{57}, nil},
		{"/32 though all is allowed", nil, 1, []string{"::/32"}, []int{57}, nil},
		{"/56, all of it, is not to be had", nil, 1, []string{"::/56"}, []int{57}, nil},
		{"/65 becomes /64", nil, 62, []string{"::/65"}, []int{64}, nil},
		{"/128 becomes /64", nil, 62, []string{"::/128"}, []int{64}, nil},
		{"a prefix", nil, 62, []string{"2001:db8:1:10::/62"}, []int{62}, []string{"2001:db8:1:10::/62"}},
		{"a longer prefix", nil, 62, []string{"2001:db8:1:11::/64"}, []int{64}, []string{"2001:db8:1:11::/64"}},
		{"a prefix raised in place", nil, 62, []string{"2001:db8:1:10::/60"}, []int{62}, []string{"2001:db8:1:10::/62"}},
		{"a prefix with bits behind its length", nil, 62, []string{"2001:db8:1:13::/62"}, []int{62}, []string{"2001:db8:1:10::/62"}},
		{"our own /64", nil, 62, []string{"2001:db8:1::/64"}, []int{64}, nil},
		{"around our own /64", nil, 62, []string{"2001:db8:1::/62"}, []int{62}, nil},
		{"all of our prefix", nil, 1, []string{"2001:db8:1::/56"}, []int{57}, nil},
		{"more than our prefix", nil, 62, []string{"2001:db8::/32"}, []int{62}, nil},
		{"somebody else's", nil, 62, []string{"2001:db8:99:10::/64"}, []int{64}, nil},
		{"length first, then the prefix", nil, 62, []string{"::/63", "2001:db8:1:20::/64"}, []int{63}, []string{"2001:db8:1:20::/63"}},
		{"a prefix of another network first, then ours", nil, 62, []string{"2001:db8:99::/64", "2001:db8:1:20::/64"}, []int{64}, []string{"2001:db8:1:20::/64"}},
		{"from a /62: the half that is free", []string{"2001:db8:1::1/62"}, 62, nil, []int{63}, []string{"2001:db8:1:2::/63"}},
		{"from a /63: the /64 that is free", []string{"2001:db8:1::1/63"}, 62, nil, []int{64}, []string{"2001:db8:1:1::/64"}},
		{"from a /63 with our address in the upper half", []string{"2001:db8:1:1::1/63"}, 62, nil, []int{64}, []string{"2001:db8:1::/64"}},
		{"from a /64", []string{"2001:db8:1::1/64"}, 62, nil, nil, nil},
		{"from a /80", []string{"2001:db8:1::1/80"}, 62, nil, nil, nil},
		{"from a /128", []string{"2001:db8:1::1/128"}, 62, nil, nil, nil},
		{"from a /48", []string{"2001:db8:1::1/48"}, 48, []string{"::/49"}, []int{49}, []string{"2001:db8:1:8000::/49"}},
		{"from a /32", []string{"2001:db8::1/32"}, 33, []string{"::/40"}, []int{40}, nil},
		{"from a /3", []string{"2001:db8::1/3"}, 1, []string{"::/1"}, []int{4}, []string{"3000::/4"}},
		{"from a /1", []string{"2001:db8::1/1"}, 1, []string{"::/1"}, []int{2}, []string{"4000::/2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew} {
				for n := range 5 {
					l := start(t, func(s *setup) {
						if s.lan().PDMinLength = tt.minLen; tt.prefixes != nil {
							s.only(tt.prefixes...)
						}
					})
					ia := l.request(typ, duid(n), pd(1, tt.hints...)).ias[0]
					var lengths []int
					for _, k := range ia.leases {
						if k.valid > 0 {
							lengths = append(lengths, k.prefix.Bits())
						}
					}
					if !slices.Equal(lengths, tt.want) || len(tt.want) == 0 && ia.status != "NoPrefixAvail" {
						t.Errorf("%v: %+v, want lengths %v", typ, ia, tt.want)
					}
					if tt.exactly != nil && !slices.Equal(ia.grants(), tt.exactly) {
						t.Errorf("%v: %v, want %v", typ, ia.grants(), tt.exactly)
					}
				}
			}
		})
	}
}

// The same subnet id under every interface prefix where it fits.
func TestDelegationUnderSeveralPrefixes(t *testing.T) {
	tests := []struct {
		name     string
		prefixes []string
		hint     string
		want     string
	}{
		{"two /56", []string{"2001:db8:1::1/56", "2001:db8:2::1/56"}, "", "[2001:db8:1:c4::/62 2001:db8:2:c4::/62]"},
		{"two /56, a hint for the second", []string{"2001:db8:1::1/56", "2001:db8:2::1/56"}, "2001:db8:2:40::/62", "[2001:db8:1:40::/62 2001:db8:2:40::/62]"},
		{"global /56 and ULA /48: an id that fits both", []string{"2001:db8:1::1/56", "fd00:1::1/48"}, "", "[2001:db8:1:c4::/62 fd00:1:0:c4::/62]"},
		{"ULA /48 first", []string{"fd00:1::1/48", "2001:db8:1::1/56"}, "", "[fd00:1:0:c4::/62 2001:db8:1:c4::/62]"},
		{"global /64 and ULA /48", []string{"2001:db8:1::1/64", "fd00:1::1/48"}, "", "[fd00:1:0:41c4::/62]"},
		{"/60 and /56", []string{"2001:db8:1::1/60", "2001:db8:2::1/56"}, "", "[2001:db8:1:4::/62 2001:db8:2:4::/62]"},
	}
	for _, tt := range tests {
		l := start(t, func(s *setup) { s.only(tt.prefixes...) })
		ask := pd(1)
		if tt.hint != "" {
			ask = pd(1, tt.hint)
		}
		if got := fmt.Sprint(l.request(dhcpv6.Request, duid(1), ask).ias[0].grants()); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	// What the smaller prefix has is given first; when it is used up, the larger one still has some.
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/62", "2001:db8:2::1/60") })
	both := 0
	for n := range 15 {
		g := l.request(dhcpv6.Request, duid(n), pd(1, "::/64")).ias[0].grants()
		if len(g) == 2 {
			both++
		}
		if len(g) == 0 {
			t.Errorf("client %d gets none of 15", n)
		}
	}
	if both != 3 {
		t.Errorf("%d clients have a /64 under both prefixes, want 3", both)
	}
	// A part of the ULA prefix alone would reach nothing, while there is a global prefix: rather none.
	l = start(t, func(s *setup) { s.only("2001:db8:1::1/62", "fd00:1::1/48") })
	for n := range 6 {
		ia := l.request(dhcpv6.Request, duid(n), pd(1, "::/64")).ias[0]
		if n < 3 && len(ia.grants()) != 2 || n >= 3 && ia.status != "NoPrefixAvail" {
			t.Errorf("client %d: %+v", n, ia)
		}
	}
}

// Our addresses on all interfaces, served or not, are kept out, and what another interface has of our prefix.
func TestOwnPrefixesAreNotDelegated(t *testing.T) {
	l := start(t, func(s *setup) {
		s.only("2001:db8:1:3::1/60") // 1:0 to 1:f
		s.Links = append(s.Links, server.Link{Name: "wg0", Ifindex: 8}, server.Link{Name: "dmz", Ifindex: 9})
		s.address(1, "2001:db8:1:7::1/64")
		s.address(2, "2001:db8:1:8::1/62") // 1:8 to 1:b
		s.address(2, "2001:db8:1:f::1/128")
	})
	var got []string
	for n := range 16 {
		got = append(got, l.request(dhcpv6.Request, duid(n), pd(1, "::/64")).ias[0].grants()...)
	}
	slices.Sort(got)
	want := []string{}
	for _, id := range []string{"0", "1", "2", "4", "5", "6", "c", "d", "e"} {
		want = append(want, netip.MustParsePrefix("2001:db8:1:"+id+"::/64").String())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("delegated %v, want %v", got, want)
	}
	// A Request for them by name does not help either; handle looks.
	for _, hint := range []string{"2001:db8:1:3::/64", "2001:db8:1:7::/64", "2001:db8:1:a::/64", "2001:db8:1:f::/64", "2001:db8:1:8::/61"} {
		l.request(dhcpv6.Request, duid(99), pd(1, hint))
	}
}

// An interface that comes up takes its /64 back from what is delegated, with the client's next Renew.
func TestOwnPrefixComesLater(t *testing.T) {
	l := start(t)
	l.request(dhcpv6.Request, duid(1), pd(1))
	l.relink(func(s *setup) {
		s.Links = append(s.Links, server.Link{Name: "dmz", Ifindex: 9})
		s.address(1, "2001:db8:1:c5::1/64")
	})
	ia := l.request(dhcpv6.Renew, duid(1), pd(1, "2001:db8:1:c4::/62")).ias[0]
	if len(ia.grants()) != 1 || !slices.Equal(ia.withdrawn(), []string{"2001:db8:1:c4::/62"}) {
		t.Errorf("%+v", ia)
	}
}

// Two links with the very same prefix do not delegate the same twice.
func TestTwoLinksWithOnePrefix(t *testing.T) {
	for _, guest := range []string{"2001:db8:1:1::1/56", "2001:db8:1:80::1/60", "2001:db8:1:1::1/48"} {
		l := start(t, func(s *setup) { s.secondLink(guest) })
		var all []netip.Prefix
		for n := range 300 {
			for _, k := range l.requestOn(2+n%2, dhcpv6.Request, duid(n), pd(1, "::/64")).ias[0].leases {
				all = append(all, k.prefix)
			}
		}
		if len(all) < 150 {
			t.Errorf("%s: only %d delegated", guest, len(all))
		}
		checkDisjoint(t, all)
	}
}

// An interface that delegates nothing keeps its prefix from no other.
func TestTwoLinksWithOnePrefixThatOneDelegates(t *testing.T) {
	l := start(t, func(s *setup) {
		s.secondLink("2001:db8:1:1::1/56")
		s.lan().Prefixes = false
	})
	if got := l.requestOn(3, dhcpv6.Request, duid(1), pd(1)).ias[0].grants(); len(got) != 1 {
		t.Errorf("delegated %v, want one prefix", got)
	}
}

// The whole pool can be delegated, nothing overlaps, then it is full, which one event tells, once a minute.
func TestPrefixExhaustion(t *testing.T) {
	l := start(t)
	var all []netip.Prefix
	for n := range 63 {
		ia := l.request(dhcpv6.Request, duid(n), pd(1)).ias[0]
		if len(ia.leases) != 1 || ia.leases[0].prefix.Bits() != 62 {
			t.Fatalf("client %d of 63: %+v", n, ia)
		}
		all = append(all, ia.leases[0].prefix)
	}
	for n := range 3 { // what is left beside our own /64: a /63 and a /64
		ia := l.request(dhcpv6.Request, duid(100+n), pd(1)).ias[0]
		if want := []int{63, 64, 0}[n]; want == 0 && ia.status != "NoPrefixAvail" || want != 0 && (len(ia.leases) != 1 || ia.leases[0].prefix.Bits() != want) {
			t.Errorf("leftover %d: %+v", n, ia)
		}
		for _, k := range ia.leases {
			all = append(all, k.prefix)
		}
	}
	checkDisjoint(t, all)
	full := func() (n int) {
		for _, e := range l.Events() {
			if e.Kind == server.PoolFull {
				if n++; e.Link != "lan" || e.Key.Kind != lease.Prefix {
					t.Errorf("event %+v", e)
				}
			}
		}
		return n
	}
	if n := full(); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	for n := range 59 {
		l.wait(time.Second)
		l.request(dhcpv6.Solicit, duid(200+n), pd(1))
		l.request(dhcpv6.Request, duid(200+n), pd(1, "::/64"))
	}
	if n := full(); n != 0 {
		t.Errorf("%d more events within a minute", n)
	}
	l.wait(2 * time.Second)
	l.request(dhcpv6.Request, duid(100), pd(1), pd(2), pd(3))
	l.request(dhcpv6.Request, duid(300), pd(1), na(1))
	if n := full(); n != 1 {
		t.Errorf("%d events after a minute, want 1", n)
	}
	// A reload does not make it tell again at once.
	l.reconfigure(func(*setup) {})
	l.request(dhcpv6.Request, duid(300), pd(1))
	if n := full(); n != 0 {
		t.Errorf("%d events after a reload", n)
	}
}

// A client that asks for another length than it holds keeps what it holds; one that only solicits gets what it asks for.
func TestDelegatedLengthChanges(t *testing.T) {
	l := start(t)
	first := l.request(dhcpv6.Request, duid(1), pd(1, "::/64")).ias[0].grants()
	if got := l.request(dhcpv6.Renew, duid(1), pd(1, "::/62")).ias[0].grants(); !slices.Equal(got, first) {
		t.Errorf("held %v, gets %v", first, got)
	}
	for _, length := range []int{64, 62, 63, 62} {
		ia := l.request(dhcpv6.Solicit, duid(2), pd(1, fmt.Sprintf("::/%d", length))).ias[0]
		if len(ia.leases) != 1 || ia.leases[0].prefix.Bits() != length {
			t.Errorf("/%d: %+v", length, ia)
		}
	}
	// After a Release it is as if it had nothing.
	l.request(dhcpv6.Release, duid(1), pd(1, first...))
	if ia := l.request(dhcpv6.Request, duid(1), pd(1, "::/62")).ias[0]; len(ia.leases) != 1 || ia.leases[0].prefix.Bits() != 62 {
		t.Errorf("after a Release: %+v", ia)
	}
}

// Prefixes of all lengths in one pool, coming and going, never overlap: handle and checkTable look.
func TestDelegationOfManyLengths(t *testing.T) {
	l := start(t, func(s *setup) { s.lan().PDMinLength = 57; s.only("2001:db8:1:42::1/56", "fd00:1:0:13::1/52") })
	for n := range 200 {
		a := l.request(dhcpv6.Request, duid(n%37), pd(uint32(n%5), fmt.Sprintf("::/%d", 58+n%7)))
		if n%3 == 0 {
			l.request(dhcpv6.Release, duid(n%37), pd(uint32(n%5), a.ias[0].grants()...))
		}
		if n%20 == 0 {
			l.wait(1000 * time.Second)
		}
	}
}

// prefix_filter: only interface prefixes inside it are used, for both kinds.
func TestPrefixFilter(t *testing.T) {
	for filter, want := range map[string]string{
		"":                 "[2001:db8:1::e71 fd00:1::e71] [2001:db8:1:c4::/62 fd00:1:0:c4::/62]",
		"fc00::/7":         "[fd00:1::e71] [fd00:1:0:c4::/62]",
		"2001:db8:1::/56":  "[2001:db8:1::e71] [2001:db8:1:c4::/62]",
		"2001:db8::/32":    "[2001:db8:1::e71] [2001:db8:1:c4::/62]",
		"::/0":             "[2001:db8:1::e71 fd00:1::e71] [2001:db8:1:c4::/62 fd00:1:0:c4::/62]",
		"2001:db8:1::/57":  "[] []",
		"2001:db8:99::/48": "[] []",
	} {
		l := start(t, func(s *setup) {
			s.address(0, "fd00:1::1/56")
			if filter != "" {
				s.lan().PrefixFilter = netip.MustParsePrefix(filter)
			}
		})
		a := l.request(dhcpv6.Request, duid(1), na(1), pd(1))
		if got := fmt.Sprint(a.ias[0].grants(), a.ias[1].grants()); got != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
}

// A client may set bits behind the end of the prefix that it names: it is the same prefix. What is over is told of as the
// client names it.
func TestBitsBehindThePrefix(t *testing.T) {
	const named = "2001:db8:1:c4::1/62"
	l := start(t)
	own := l.request(dhcpv6.Request, duid(1), pd(1)).ias[0].grants()
	l.wantIA(dhcpv6.Renew, 1, pd(1, named), own, nil)
	l.wantIA(dhcpv6.Rebind, 1, pd(1, named), own, nil)
	l.wantIA(dhcpv6.Renew, 1, pd(1, "2001:db8:1:80::1/62"), own, []string{"2001:db8:1:80::1/62"})
	l.request(dhcpv6.Release, duid(1), pd(1, named))
	if _, bound := states(l); bound != 0 {
		t.Error("still bound after a Release")
	}
}
