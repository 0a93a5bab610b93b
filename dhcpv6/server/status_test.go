package server_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// TestStatus: the status shows prefixes, bindings, clients, counters and what was said of the records.
func TestStatus(t *testing.T) {
	l := start(t, reconfigures, func(s *setup) {
		s.Links[0].Addresses = nil
		s.limited("2001:db8:1::1/60", 600, 700)
		s.address(0, "fd00:1::1/56")
	})
	for n := range 5 {
		l.request(dhcpv6.Request, duid(n), na(1), acceptOption())
	}
	l.request(dhcpv6.Request, duid(9), pd(1))
	l.request(dhcpv6.Solicit, duid(10), pd(1))
	failure := errors.New("disk full")
	l.SetHealth(server.Health{Journal: failure})

	s := l.Status(l.now.Add(100 * time.Second))
	if s.Journal != failure || s.Copy != nil {
		t.Errorf("health %+v", s.Health)
	}
	if s.Bound != 5 || s.Stateless != 0 {
		t.Errorf("%d and %d clients", s.Bound, s.Stateless)
	}
	if n := s.Counters.Received[dhcpv6.Request]; n != 6 {
		t.Errorf("%d Requests", n)
	}
	link := s.Links[0]
	if link.Name != "lan" || !link.Present || link.Bindings[lease.Address] != (server.BindingCount{Bound: 5}) ||
		link.Bindings[lease.Prefix] != (server.BindingCount{Bound: 1, Offered: 1}) {
		t.Errorf("link %+v", link)
	}
	want := []server.PrefixStatus{
		{netip.MustParsePrefix("2001:db8:1::1/60"), 500, 600, true, true},
		{netip.MustParsePrefix("fd00:1::1/56"), dhcpv6.Infinity, dhcpv6.Infinity, true, true},
	}
	for i, p := range link.Prefixes {
		if p != want[i] {
			t.Errorf("prefix %+v, want %+v", p, want[i])
		}
	}
	if s = l.Status(l.now.Add(650 * time.Second)); s.Links[0].Prefixes[0].Addresses || s.Links[0].Prefixes[0].Delegates {
		t.Error("a deprecated prefix is said to be given from")
	}
}
