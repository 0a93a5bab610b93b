package server_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

// leaseTexts are the leases of an IA with their lifetimes: "2001:db8:1::e71 0 5400".
func leaseTexts(ia answerIA) (list []string) {
	for _, k := range ia.leases {
		p := k.prefix.String()
		if k.prefix.IsSingleIP() {
			p = k.prefix.Addr().String()
		}
		list = append(list, fmt.Sprint(p, " ", k.preferred, " ", k.valid))
	}
	return list
}

// What a client gets that has leases from one prefix, when that is deprecated: these, deprecated too, unless there is one
// that takes its place. RFC 9096, section 3.5.
func TestDeprecatedPrefix(t *testing.T) {
	tests := []struct {
		name   string
		change func(*setup)
		na, pd string
		t1     uint32
	}{
		{"alone", func(s *setup) { s.limited("2001:db8:1::1/56", 0, 7200) },
			"[2001:db8:1::e71 0 5400]", "[2001:db8:1:c4::/62 0 5400]", 1350},
		{"alone, and soon over", func(s *setup) { s.limited("2001:db8:1::1/56", -7, 600) },
			"[2001:db8:1::e71 0 600]", "[2001:db8:1:c4::/62 0 600]", 300},
		{"alone, valid for ever, and so are leases", func(s *setup) {
			s.limited("2001:db8:1::1/56", -7, 0)
			s.Links[0].Addresses[0].Valid = time.Time{}
			s.lan().MaxValid, s.lan().LeaseTime = dhcpv6.Infinity, dhcpv6.Infinity
		}, "[2001:db8:1::e71 0 4294967295]", "[2001:db8:1:c4::/62 0 4294967295]", 1350},
		{"alone, and over", func(s *setup) { s.limited("2001:db8:1::1/56", 0, 0) },
			"[2001:db8:1::e71 0 0]", "[2001:db8:1:c4::/62 0 0]", 0},
		{"gone", func(s *setup) {}, "[2001:db8:1::e71 0 0]", "[2001:db8:1:c4::/62 0 0]", 0},
		{"a new one beside it", func(s *setup) {
			s.limited("2001:db8:1::1/56", 0, 7200)
			s.address(0, "2001:db8:2::1/56")
		}, "[2001:db8:2::e71 2700 5400 2001:db8:1::e71 0 0]", "[2001:db8:2:c4::/62 2700 5400 2001:db8:1:c4::/62 0 0]", 1350},
		{"a unique local one beside it", func(s *setup) {
			s.limited("2001:db8:1::1/56", 0, 7200)
			s.address(0, "fd00:1::1/56")
		}, "[fd00:1::e71 2700 5400 2001:db8:1::e71 0 5400]", "[fd00:1:0:c4::/62 2700 5400 2001:db8:1:c4::/62 0 5400]", 1350},
		{"two addresses in it", func(s *setup) {
			s.limited("2001:db8:1::1/56", 0, 7200)
			s.limited("2001:db8:1::2/60", 0, 7200)
		}, "[2001:db8:1::e71 0 5400]", "[2001:db8:1:c4::/62 0 5400]", 1350},
		{"another deprecated one beside it", func(s *setup) {
			s.limited("2001:db8:1::1/56", 0, 7200)
			s.limited("2001:db8:2::1/56", 0, 7200)
		}, "[2001:db8:1::e71 0 5400]", "[2001:db8:1:c4::/62 0 5400]", 1350},
		{"no longer allowed", func(s *setup) {
			s.limited("2001:db8:1::1/56", 0, 7200)
			s.lan().PrefixFilter = netip.MustParsePrefix("2001:db8:2::/48")
		}, "[2001:db8:1::e71 0 0]", "[2001:db8:1:c4::/62 0 0]", 0},
	}
	for _, tt := range tests {
		change := func(s *setup) { s.only(); tt.change(s) }
		for _, typ := range []dhcpv6.MessageType{dhcpv6.Renew, dhcpv6.Rebind} {
			t.Run(tt.name+", "+typ.String(), func(t *testing.T) {
				l := start(t)
				l.request(dhcpv6.Request, duid(1), na(1), pd(1))
				l.reconfigure(change)
				l.relink(change)
				for range 2 {
					a := l.request(typ, duid(1), na(1), pd(1))
					if na, pd := fmt.Sprint(leaseTexts(a.ias[0])), fmt.Sprint(leaseTexts(a.ias[1])); na != tt.na || pd != tt.pd {
						t.Errorf("IA_NA %s\nwant  %s\nIA_PD %s\nwant  %s", na, tt.na, pd, tt.pd)
					}
					if a.ias[0].t1 != tt.t1 || a.ias[1].t1 != tt.t1 {
						t.Errorf("T1 %d and %d, want %d", a.ias[0].t1, a.ias[1].t1, tt.t1)
					}
					l.wantKept(duid(1), a)
				}
			})
		}
	}
}

// A deprecated prefix is nothing to begin with: not for others, not for a client that begins anew.
func TestDeprecatedPrefixIsNotGiven(t *testing.T) {
	l := start(t)
	l.request(dhcpv6.Request, duid(1), na(1), pd(1))
	l.relink(func(s *setup) { s.only(); s.limited("2001:db8:1::1/56", 0, 7200) })
	for client := 1; client <= 2; client++ {
		for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request} {
			for _, ia := range l.request(typ, duid(client), na(1), pd(1)).ias {
				if len(ia.leases) > 0 || ia.status != "NoAddrsAvail" && ia.status != "NoPrefixAvail" {
					t.Errorf("client %d, %v: %+v", client, typ, ia)
				}
			}
		}
	}
	if _, bound := states(l); bound != 2 {
		t.Errorf("%d bindings, want the 2 that there were", bound)
	}
	// Nor what another client has, or what cannot be known to be the client's.
	for _, ia := range l.request(dhcpv6.Renew, duid(2), na(1, "2001:db8:1::e71"), pd(1), na(2)).ias {
		if len(ia.grants()) > 0 {
			t.Errorf("client 2: %+v", ia)
		}
	}
	// But what a client says that it has, whom the server has forgotten.
	a := l.request(dhcpv6.Renew, duid(3), na(1, "2001:db8:1::abc"), pd(1, "2001:db8:1:40::/62"))
	if got := fmt.Sprint(leaseTexts(a.ias[0]), leaseTexts(a.ias[1])); got != "[2001:db8:1::abc 0 5400] [2001:db8:1:40::/62 0 5400]" {
		t.Errorf("client 3: %s", got)
	}
	if a = l.request(dhcpv6.Rebind, duid(4), na(1, "2001:db8:1::abd")); fmt.Sprint(leaseTexts(a.ias[0])) != "[2001:db8:1::abd 0 5400]" {
		t.Errorf("client 4: %+v", a.ias)
	}
	if a = l.request(dhcpv6.Rebind, duid(5), na(1, "2001:db8:1::abd"), na(2, "2001:db8:1::abf")); len(a.ias) != 1 {
		t.Errorf("client 5: %+v", a.ias)
	}
}

// The provider is silent for a while and then goes on as before, or with another prefix, which then goes before its time.
func TestDeprecatedAndBack(t *testing.T) {
	l := start(t, func(s *setup) { s.Hosts = []server.Host{{Name: "h", DUIDs: byDUID(duid(5)), HostID: 0xabc}} })
	renew := func(want string) {
		t.Helper()
		for _, client := range []int{1, 5} {
			id := map[int]string{1: "e71", 5: "abc"}[client]
			if got := fmt.Sprint(leaseTexts(l.request(dhcpv6.Renew, duid(client), na(1)).ias[0])); got != fmt.Sprintf(want, id) {
				t.Errorf("client %d: %s, want %s", client, got, fmt.Sprintf(want, id))
			}
		}
	}
	renew("[2001:db8:1::%[1]s 2700 5400]")
	l.relink(func(s *setup) { s.only(); s.limited("2001:db8:1::1/56", 0, 7200) })
	renew("[2001:db8:1::%[1]s 0 5400]")
	l.wait(time.Hour)
	renew("[2001:db8:1::%[1]s 0 3600]")
	l.relink(func(s *setup) { s.only("2001:db8:1::1/56") })
	renew("[2001:db8:1::%[1]s 2700 5400]")
	l.relink(func(s *setup) { s.only("2001:db8:2::1/56"); s.limited("2001:db8:1::1/56", 0, 7200) })
	renew("[2001:db8:2::%[1]s 2700 5400 2001:db8:1::%[1]s 0 0]")
	l.relink(func(s *setup) { s.only(); s.limited("2001:db8:1::1/56", 0, 7200) })
	renew("[2001:db8:1::%[1]s 0 3600 2001:db8:2::%[1]s 0 0]")
	l.wait(time.Hour)
	l.relink(func(s *setup) { s.only() })
	renew("[2001:db8:2::%[1]s 0 0]")
}

// A lease that was given back is not extended because the prefix is deprecated.
func TestDeprecatedAndReleased(t *testing.T) {
	l := start(t)
	l.request(dhcpv6.Request, duid(1), na(1))
	l.relink(func(s *setup) { s.only(); s.limited("2001:db8:1::1/56", 0, 7200) })
	l.request(dhcpv6.Release, duid(1), na(1, "2001:db8:1::e71"))
	if ia := l.request(dhcpv6.Renew, duid(1), na(1)).ias[0]; len(ia.leases) > 0 || ia.status != "NoAddrsAvail" {
		t.Errorf("%+v", ia)
	}
}

// An IA that comes twice in a message gets the same twice, although the client names what it has only once.
func TestDeprecatedTwice(t *testing.T) {
	l := start(t, func(s *setup) { s.only(); s.limited("2001:db8:1::1/56", 0, 7200) })
	for range 2 {
		a := l.request(dhcpv6.Renew, duid(1), na(1, "2001:db8:1::abc"), na(1), na(1, "2001:db8:1::abc"))
		for i, ia := range a.ias {
			if got := fmt.Sprint(leaseTexts(ia)); got != "[2001:db8:1::abc 0 5400]" {
				t.Errorf("IA %d: %s", i, got)
			}
		}
		l.wantKept(duid(1), a)
	}
}
