package server_test

import (
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// TestReconfigureOnMove: clients are told once when prefixes change, and not when only other things of the link do.
func TestReconfigureOnMove(t *testing.T) {
	l := start(t, reconfigures)
	l.request(dhcpv6.Request, duid(7), na(1), acceptOption())
	l.request(dhcpv6.InformationRequest, duid(8), acceptOption())
	step := func(name string, want int, change func(*setup)) {
		t.Helper()
		l.relink(change)
		if sent := l.pull(); len(sent) != want {
			t.Errorf("%s: %d messages, want %d", name, len(sent), want)
		}
		for _, id := range []dhcpv6.DUID{duid(7), duid(8)} { // what they asked for ends it
			if id[len(id)-1] == 7 {
				l.request(dhcpv6.Renew, id, na(1))
			} else {
				l.request(dhcpv6.InformationRequest, id, acceptOption())
			}
		}
	}
	step("nothing", 0, func(s *setup) {})
	step("interface id (odhcpd#387)", 0, func(s *setup) { s.only("2001:db8:1::2/56") })
	step("another appears", 2, func(s *setup) { s.only("2001:db8:1::2/56", "fd00:1::1/56") })
	step("another order", 0, func(s *setup) { s.only("fd00:1::1/56", "2001:db8:1::2/56") })
	in := func(d time.Duration) time.Time { return l.now.Add(d) }
	step("limited", 0, func(s *setup) {
		s.Links[0].Addresses[1].Preferred, s.Links[0].Addresses[1].Valid = in(24*time.Hour), in(48*time.Hour)
	})
	step("still longer than any lease", 0, func(s *setup) {
		s.Links[0].Addresses[1].Preferred, s.Links[0].Addresses[1].Valid = in(13*time.Hour), in(13*time.Hour)
	})
	step("shortened", 2, func(s *setup) { s.Links[0].Addresses[1].Preferred = in(10 * time.Minute) })
	step("the same", 0, func(s *setup) {})
	step("deprecated", 2, func(s *setup) { s.Links[0].Addresses[1].Preferred = in(0) })
	step("taken up again", 2, func(s *setup) { s.Links[0].Addresses[1].Preferred = in(time.Hour) })
	step("gone", 2, func(s *setup) { s.only("fd00:1::1/56") })
	step("address not yet ready", 0, func(s *setup) {
		s.address(0, "2001:db8:9::1/56")
		s.Links[0].Addresses[1].Unready = true
	})
	step("replaced", 2, func(s *setup) { s.only("2001:db8:9::1/56") })

	tentative := func(i int) func(*setup) {
		return func(s *setup) { s.Links[0].Addresses[i].Unready, s.Links[0].Addresses[i].Tentative = true, true }
	}
	step("replaced by one that is not ready yet", 0, func(s *setup) { s.only("2001:db8:1::1/56"); tentative(0)(s) })
	step("ready", 2, func(s *setup) { s.only("2001:db8:1::1/56") })
	step("not ready again, as the carrier was lost", 0, tentative(0))
	step("ready again", 0, func(s *setup) { s.only("2001:db8:1::1/56") })
	step("replaced by one that is not ready yet", 0, func(s *setup) { s.only("2001:db8:9::1/56"); tentative(0)(s) })
	step("whose address turns out to be taken", 2, func(s *setup) { s.Links[0].Addresses[0].Tentative = false })
	step("another", 2, func(s *setup) { s.address(0, "2001:db8:1::1/56") })
	step("shortened while there is one that is not ready yet", 0, func(s *setup) {
		s.Links[0].Addresses[1].Preferred = in(10 * time.Minute)
		s.address(0, "fd00:1::1/56")
		tentative(2)(s)
	})
	step("and still is not", 0, func(s *setup) { s.Links[0].Addresses[0].Prefix = netip.MustParsePrefix("2001:db8:9::2/56") })
	step("nor will be", 2, func(s *setup) { s.Links[0].Addresses = s.Links[0].Addresses[:2] })
}

// TestMovedOverRestart: prefixes that have changed over a restart are told of when the link has any again.
func TestMovedOverRestart(t *testing.T) {
	l := start(t, reconfigures)
	had := l.request(dhcpv6.Request, duid(7), na(1), acceptOption()).ias[0].leases[0].prefix
	clock := lease.Clock{Boot: [16]byte{1}, Since: 1e9, Wall: epoch.UnixNano()}
	records := l.Table().AppendAll(nil, 0, clock)
	for _, test := range []struct {
		prefix string
		want   int
	}{{"2001:db8:1::1/56", 0}, {"2001:db8:9::1/56", 1}} {
		again := start(t, reconfigures)
		again.Server = server.New(epoch, again.setup.Config)
		if err := again.Restore(records, epoch, lease.Clock{Boot: [16]byte{2}, Since: 1e9}); err != nil {
			t.Fatal(err)
		}
		again.relink(func(s *setup) { s.only() })
		if sent := again.pull(); len(sent) > 0 {
			t.Error("told before there are prefixes")
		}
		again.relink(func(s *setup) { s.only(test.prefix) })
		if sent := again.pull(); len(sent) != test.want {
			t.Errorf("%s: %d messages, want %d", test.prefix, len(sent), test.want)
		}
		a := again.request(dhcpv6.Renew, duid(7), na(1, had.Addr().String()))
		leases := map[string]uint32{}
		for _, k := range a.ias[0].leases {
			leases[k.prefix.String()] = k.valid
		}
		if len(leases) != 1+test.want || (leases[had.String()] == 0) != (test.want == 1) {
			t.Errorf("%s: renewed with %v", test.prefix, leases)
		}
	}
}

// TestReplacedTells: when an IA moves to another id, its events tell of what it had and of what it has, however often it
// has moved.
func TestReplacedTells(t *testing.T) {
	l := start(t)
	had := l.request(dhcpv6.Request, duid(1), na(1)).ias[0].leases[0].prefix.Addr()
	for n := range 3 {
		l.Events()
		l.reconfigure(func(s *setup) {
			s.Hosts = append(s.Hosts, server.Host{DUIDs: byDUID(duid(100 + n)), HostID: l.Table().Link("lan").Bindings()[0].ID})
		})
		has := l.request(dhcpv6.Renew, duid(1), na(1)).ias[0].leases[0].prefix.Addr()
		l.wantEvents("replaced lan IA_NA "+had.String(), "bound lan IA_NA "+has.String()+" "+had.String()+" withdrawn")
		for range 3 { // until the old one has ended
			l.wait(time.Hour)
			l.request(dhcpv6.Renew, duid(1), na(1))
		}
		had = has
	}
}
