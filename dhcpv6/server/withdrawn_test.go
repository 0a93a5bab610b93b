package server_test

import (
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/server"
)

// A client that loses all it has is told so with each Renew, whether it names it or not, until it has forgotten it by
// itself; the event tells it once. When there is a prefix again it gets what its ids give, if it asks in time.
func TestAllWithdrawn(t *testing.T) {
	const none = `0003 0028 00000001 00000000 00000000
		0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000
		0019 0029 00000001 00000000 00000000
		001a 0019 00000000 00000000 3e 20010db8 000100c4 00000000 00000000`
	for _, typ := range []string{`05 a1b2c3` + fromA + toUs, `06 a1b2c3` + fromA} {
		tests := []struct {
			name   string
			change func(*setup)
		}{
			{"no prefix left", func(s *setup) { s.only() }},
			{"only one that gives no addresses", func(s *setup) { s.only("2001:db8:2::1/128") }},
			{"no longer allowed", func(s *setup) { s.lan().Addresses, s.lan().Prefixes = false, false }},
			{"no longer served but as a host", func(s *setup) { s.lan().Dynamic = false }},
		}
		for _, tt := range tests {
			t.Run(tt.name+", message "+typ[:2], func(t *testing.T) {
				l := start(t)
				l.ask(dhcpv6test.Hex(t, bindA))
				records := l.records()
				l.reconfigure(tt.change)
				l.relink(tt.change)
				l.Events()
				l.wait(time.Minute)
				l.want(typ+nameNA1+namePD1, `07 a1b2c3`+fromA+byUs+none)
				l.wantEvents("withdrawn lan IA_NA 2001:db8:1::e71 withdrawn", "withdrawn lan IA_PD 2001:db8:1:c4::/62 withdrawn")
				l = l.restart(append(records, l.changes()...), l.now)
				l.want(typ+askNA1+askPD1, `07 a1b2c3`+fromA+byUs+none)
				l.wantEvents()
				for _, b := range l.Table().Link("lan").Bindings() {
					if routes := l.AppendRoutes(nil, l.Table().At(l.now), b); len(routes) > 0 {
						t.Errorf("routes %v", routes)
					}
				}
				l.reconfigure(func(s *setup) { *s.lan() = newInterface("lan") })
				l.relink(func(s *setup) { s.only("2001:db8:2::1/56") })
				for _, ia := range l.request(dhcpv6.Renew, duid(1), na(1), pd(1)).ias {
					if len(ia.grants()) != 1 || len(ia.withdrawn()) != 1 {
						t.Errorf("with a prefix again: %+v", ia)
					}
				}
				l.wantEvents("bound lan IA_NA 2001:db8:2::e71 2001:db8:1::e71 withdrawn",
					"bound lan IA_PD 2001:db8:2:c4::/62 2001:db8:1:c4::/62 withdrawn")
			})
		}
	}
}

// A binding of which all is withdrawn ends when its client has forgotten it by itself, and is known until then.
func TestWithdrawnExpires(t *testing.T) {
	l := start(t, reconfigures)
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	l.relink(func(s *setup) { s.only() })
	l.wait(time.Minute)
	l.request(dhcpv6.Renew, duid(1), na(1))
	l.Events()
	l.wantClients(1, 0, 0)
	l.wait(89*time.Minute - time.Second)
	l.wantEvents()
	l.wait(time.Second)
	l.wantEvents("expired lan IA_NA 2001:db8:1::e71 withdrawn")
	l.wantClients(0, 1, 0)
}

// Only Renew and Rebind tell that something is over: a client that begins anew hears that there is nothing.
func TestNothingToBeginAnewWith(t *testing.T) {
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request} {
		l := start(t)
		l.request(dhcpv6.Request, duid(1), na(1), pd(1))
		l.Events()
		l.relink(func(s *setup) { s.only() })
		a := l.request(typ, duid(1), na(1), pd(1))
		for i, want := range []string{"NoAddrsAvail", "NoPrefixAvail"} {
			if ia := a.ias[i]; ia.status != want || len(ia.leases) > 0 {
				t.Errorf("%v: %+v", typ, ia)
			}
		}
		l.wantEvents()
	}
	// The same when the id has become a host's and no other is left.
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/63") })
	l.request(dhcpv6.Request, duid(1), pd(1))
	l.reconfigure(withHosts(server.Host{DUIDs: byDUID(duid(5)), SubnetID: 1, HasSubnet: true}))
	if ia := l.request(dhcpv6.Request, duid(1), pd(1)).ias[0]; ia.status != "NoPrefixAvail" || len(ia.leases) > 0 {
		t.Errorf("%+v", ia)
	}
}
