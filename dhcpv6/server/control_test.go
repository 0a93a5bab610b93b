package server_test

import (
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// TestLeasesOf: what is not bound has an id alone, and is told of as the leases that this would have.
func TestLeasesOf(t *testing.T) {
	const want = "2001:db8:1::e71/128 "
	l := start(t)
	check := func(state lease.State, valid uint32) {
		t.Helper()
		bindings := l.Table().Link("lan").Bindings()
		if len(bindings) != 1 || bindings[0].State != state {
			t.Fatalf("bindings %+v", bindings)
		}
		leases, got := l.LeasesOf(bindings[0]), ""
		for _, k := range leases {
			got += k.Prefix.String() + " "
		}
		if !strings.HasPrefix(got, want) || leases[0].Valid.Until(l.Table().At(l.now)) != valid {
			t.Errorf("%v: %s%v, want %sand %d s", state, got, leases, want, valid)
		}
	}
	l.request(dhcpv6.Solicit, duid(1), na(1))
	check(lease.Offered, 60)
	l.request(dhcpv6.Request, duid(1), na(1))
	check(lease.Bound, 5400)
	l.End(l.now, l.Table().Link("lan").Bindings()[0])
	check(lease.Free, 0)
	l.request(dhcpv6.Renew, duid(1), na(1, "2001:db8:1::e71"))
	check(lease.Bound, 5400)
	l.Events()
	l.request(dhcpv6.Decline, duid(1), na(1, "2001:db8:1::e71"))
	check(lease.Declined, 3600)
	l.End(l.now, l.Table().Link("lan").Bindings()[0])
	if n := l.Table().Link("lan").Len(); n != 0 {
		t.Errorf("%d bindings after the declined one was ended", n)
	}
	if e := l.Events(); len(e) != 1 || e[0].Kind != server.Declined {
		t.Errorf("events %+v", e)
	}
}
