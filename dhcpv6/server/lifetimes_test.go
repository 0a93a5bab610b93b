package server_test

import (
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// Preferred and valid lifetimes are the least of what remains of the interface address's, the bound and the lease time.
func TestLifetimes(t *testing.T) {
	const never = dhcpv6.Infinity
	tests := []struct {
		name                              string
		addrPreferred, addrValid          int // 0: for ever
		maxPreferred, maxValid, leaseTime uint32
		preferred, valid, wantT1, wantT2  uint32
		nothing                           bool
	}{
		{"bounds", 0, 0, 2700, 5400, 43200, 2700, 5400, 1350, 2160, false},
		{"lease time below both bounds", 0, 0, 2700, 5400, 600, 600, 600, 300, 480, false},
		{"lease time between the bounds", 0, 0, 2700, 5400, 3600, 2700, 3600, 1350, 2160, false},
		{"address runs out before", 1000, 2000, 2700, 5400, 43200, 1000, 2000, 500, 800, false},
		{"address is preferred for a short while", 100, 100000, 2700, 5400, 43200, 100, 5400, 50, 80, false},
		{"address is preferred for longer than valid", 3000, 2000, 2700, 5400, 43200, 2000, 2000, 1000, 1600, false},
		{"preferred bound above the valid one", 0, 0, 5400, 2700, 43200, 2700, 2700, 1350, 2160, false},
		{"odd second", 1001, 0, 2700, 5400, 43200, 1001, 5400, 500, 800, false},
		{"one second", 1, 1, 2700, 5400, 43200, 1, 1, 0, 0, false},
		{"all infinite", 0, 0, never, never, never, never, never, never, never, false},
		{"infinite but for the lease time", 0, 0, never, never, 43200, 43200, 43200, 21600, 34560, false},
		{"infinite but for the preferred bound", 0, 0, 2700, never, never, 2700, never, 1350, 2160, false},
		{"infinite but for the valid bound", 0, 0, never, 5400, never, 5400, 5400, 2700, 4320, false},
		{"infinite but for the address", 1000, 2000, never, never, never, 1000, 2000, 500, 800, false},
		{"the largest that is finite", 0, 0, never - 1, never - 1, never, never - 1, never - 1, (never - 1) / 2, 3435973835, false},
		{"deprecated address", -1, 2000, 2700, 5400, 43200, 0, 0, 0, 0, true},
		{"address is preferred until this moment", 1, 2000, 2700, 5400, 43200, 0, 0, 0, 0, true},
		{"address has run out", -1, -1, 2700, 5400, 43200, 0, 0, 0, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, func(s *setup) {
				s.lan().MaxPreferred, s.lan().MaxValid, s.lan().LeaseTime = tt.maxPreferred, tt.maxValid, tt.leaseTime
				s.Links[0].Addresses = nil
				s.limited("2001:db8:1::1/56", tt.addrPreferred, tt.addrValid)
				a := &s.Links[0].Addresses[0]
				if tt.addrPreferred == 0 {
					a.Preferred = time.Time{}
				}
				if tt.addrValid == 0 {
					a.Valid = time.Time{}
				}
			})
			if tt.name == "address is preferred until this moment" {
				l.wait(time.Second)
			}
			for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew} {
				a := l.request(typ, duid(1), na(1), pd(1))
				for _, ia := range a.ias {
					if tt.nothing {
						if len(ia.grants()) != 0 || ia.status != "NoAddrsAvail" && ia.status != "NoPrefixAvail" {
							t.Errorf("%v: %+v", typ, ia)
						}
						continue
					}
					want := answerLease{ia.leases[0].prefix, tt.preferred, tt.valid}
					if len(ia.leases) != 1 || ia.leases[0] != want || ia.t1 != tt.wantT1 || ia.t2 != tt.wantT2 {
						t.Errorf("%v: %+v, want %d, %d, T1 %d, T2 %d", typ, ia, tt.preferred, tt.valid, tt.wantT1, tt.wantT2)
					}
				}
				if typ != dhcpv6.Solicit {
					l.wantKept(duid(1), a)
				}
			}
		})
	}
}

// T1 and T2 come from the shortest preferred lifetime in the whole reply and are the same in all its IAs.
func TestTimesOverAllIAs(t *testing.T) {
	l := start(t, func(s *setup) {
		s.limited("2001:db8:2::1/64", 100, 3000) // gives addresses, no prefixes
	})
	a := l.request(dhcpv6.Request, duid(1), pd(1), na(1))
	for _, ia := range a.ias {
		if ia.t1 != 50 || ia.t2 != 80 {
			t.Errorf("%v: T1 %d, T2 %d", ia.kind, ia.t1, ia.t2)
		}
	}
	if a.ias[0].leases[0].preferred != 2700 || a.ias[1].leases[0].preferred != 2700 || a.ias[1].leases[1].preferred != 100 {
		t.Errorf("%+v", a.ias)
	}
	// Alone, the IA_PD is not hurried.
	if a := l.request(dhcpv6.Request, duid(1), pd(1)); a.ias[0].t1 != 1350 {
		t.Errorf("T1 %d", a.ias[0].t1)
	}
	// An IA that grants nothing has 0, beside others.
	a = l.request(dhcpv6.Request, duid(1), na(1), na(2, "2001:db8:99::1"), pd(1))
	if a.ias[1].t1 != 0 || a.ias[1].t2 != 0 || a.ias[0].t1 != 50 || a.ias[2].t1 != 50 {
		t.Errorf("%+v", a.ias)
	}
	// A lifetime of 0 for what is over does not count.
	l.relink(func(s *setup) { s.only("2001:db8:1::1/56") })
	a = l.request(dhcpv6.Renew, duid(1), na(1, "2001:db8:2::e71"), pd(1))
	if len(a.ias[0].withdrawn()) != 1 || a.ias[0].t1 != 1350 || a.ias[1].t2 != 2160 {
		t.Errorf("%+v", a.ias)
	}
}

// Each address has the lifetimes of its own prefix.
func TestLifetimesPerPrefix(t *testing.T) {
	l := start(t, func(s *setup) {
		s.Links[0].Addresses = nil
		s.limited("2001:db8:1::1/56", 600, 1200)
		s.address(0, "fd00:1::1/56")
	})
	for _, ia := range l.request(dhcpv6.Request, duid(1), na(1), pd(1)).ias {
		if len(ia.leases) != 2 || ia.leases[0].preferred != 600 || ia.leases[0].valid != 1200 || ia.leases[1].preferred != 2700 || ia.leases[1].valid != 5400 {
			t.Errorf("%+v", ia)
		}
	}
	// The binding lives as long as its longest lease.
	l.wait(1201 * time.Second)
	if _, bound := states(l); bound != 2 {
		t.Errorf("%d bindings left", bound)
	}
}

// Lifetimes shrink with those of the interface address, Renew after Renew, and the binding ends with it.
func TestLifetimesFollowTheAddress(t *testing.T) {
	l := start(t, func(s *setup) {
		s.Links[0].Addresses = nil
		s.limited("2001:db8:1::1/56", 3600, 3600)
	})
	for left := uint32(3600); left > 0; left -= 400 {
		k := l.request(dhcpv6.Renew, duid(1), na(1)).ias[0].leases[0]
		if k.preferred != min(left, 2700) || k.valid != left {
			t.Errorf("with %d s left: %d, %d", left, k.preferred, k.valid)
		}
		l.wait(400 * time.Second)
	}
	if _, bound := states(l); bound != 0 {
		t.Errorf("%d bindings outlive the address", bound)
	}
}

// Infinite leases do not end, and Tick says that nothing does.
func TestInfiniteLease(t *testing.T) {
	l := start(t, func(s *setup) {
		s.lan().LeaseTime, s.lan().MaxPreferred, s.lan().MaxValid = dhcpv6.Infinity, dhcpv6.Infinity, dhcpv6.Infinity
	})
	l.request(dhcpv6.Request, duid(1), na(1), pd(1))
	l.Events()
	if next := l.Tick(l.now); !next.IsZero() {
		t.Errorf("something ends at %v", next)
	}
	l.wait(50 * 365 * 24 * time.Hour)
	l.wantEvents()
	for _, b := range l.Table().Link("lan").Bindings() {
		if b.State != lease.Bound || b.Deadline != lease.Never {
			t.Errorf("%+v", b)
		}
	}
	// A finite bound brings an end.
	l.reconfigure(func(s *setup) { s.lan().MaxValid = 5400 })
	l.request(dhcpv6.Renew, duid(1), na(1), pd(1))
	if next := l.Tick(l.now); next != l.now.Add(5400*time.Second) {
		t.Errorf("next look at %v", next)
	}
}

// Tick is not late, whatever was renewed in between, and may be called at any time.
func TestTick(t *testing.T) {
	l := start(t)
	if next := l.Tick(l.now); !next.IsZero() {
		t.Errorf("an empty server has something to do at %v", next)
	}
	l.request(dhcpv6.Request, duid(1), na(1))
	l.wait(1000 * time.Second)
	l.request(dhcpv6.Request, duid(2), na(1))
	l.wait(1000 * time.Second)
	l.request(dhcpv6.Renew, duid(1), na(1))
	l.Events()
	for range 10 {
		next := l.Tick(l.now)
		if next.IsZero() {
			break
		}
		if next.Before(l.now) {
			t.Fatalf("next %v is before now %v", next, l.now)
		}
		l.now = next
	}
	l.wantEvents("expired lan IA_NA "+address(duid(2)), "expired lan IA_NA "+address(duid(1)))
	if want := epoch.Add(7400 * time.Second); l.now != want {
		t.Errorf("last end at %v, want %v", l.now, want)
	}
}

// address is the one that a client gets for IA_NA 1 from an empty table.
func address(client dhcpv6.DUID) string {
	l := start(discard{})
	return l.request(dhcpv6.Request, client, na(1)).ias[0].grants()[0]
}

// discard is a testing.TB for a server on the side.
type discard struct{ testing.TB }

func (discard) Helper()               {}
func (discard) Errorf(string, ...any) {}
