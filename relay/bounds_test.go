package relay_test

import (
	"fmt"
	"testing"
	"time"

	"lan6d/dhcpv6"
)

// The bounds (RFC 8987, G-5 to G-7).
func TestBounds(t *testing.T) {
	prefix := func(n int) string { return fmt.Sprintf("2001:db8:%x::/64", 0x100+n) }
	l := start(t, func(s *setup) { s.MaxPerClient, s.MaxPerInterface, s.MaxPrefixes = 3, 7, 9 })
	l.grant(1, prefix(0), prefix(1), prefix(2), prefix(3))
	if n := len(l.holder(1).Leases); n != 3 {
		t.Errorf("client 1 has %d prefixes", n)
	}
	l.wantEvents("full lan", "learned lan 1 "+prefix(0)+" "+prefix(1)+" "+prefix(2)+" via fe80::1001")
	l.grant(1, prefix(0), prefix(1), prefix(2), prefix(3)) // nothing is lost, and it is not said again
	l.wantEvents("renewed lan 1 " + prefix(0) + " " + prefix(1) + " " + prefix(2) + " via fe80::1001")
	// Somebody with the DUID of client 1 cannot use up what it may have.
	l.giveUp(1, host(1), prefix(0), prefix(1), prefix(2))
	for iaid := range uint32(4) {
		l.tell(host(2), reply(dhcpv6.Reply, duid(1), 1, pd(2+iaid, promise{prefix(20 + int(iaid)), 1000, 2000})))
	}
	l.grant(1, prefix(0))
	if l.holder(1) == nil {
		t.Error("client 1 gets nothing")
	}
	for n := 3; n < 9; n++ {
		l.grant(n, prefix(n), prefix(n+30))
	}
	if n := len(l.routes()); n != 7 {
		t.Errorf("%d prefixes on the interface", n)
	}
	for n := 1; n < 9; n++ {
		l.tellOn("guest", host(n), reply(dhcpv6.Reply, duid(n), 1, pd(1, promise{prefix(n + 60), 1000, 2000})))
	}
	if n := len(l.routes()); n != 9 {
		t.Errorf("%d prefixes in all", n)
	}
	if n := l.Counters().BeyondLimit; n != 1+1+1+12-3+6 {
		t.Errorf("%d not learned", n)
	}
	l.Events()
	l.wait(time.Minute)
	l.grant(9, prefix(90))
	l.wantEvents("full lan")
	// What ends makes room.
	l.giveUp(1, host(1), prefix(0))
	l.grant(9, prefix(90))
	l.wantEvents("released lan 1 "+prefix(0)+" via fe80::1001", "learned lan 9 "+prefix(90)+" via fe80::1009")
}

func TestForget(t *testing.T) {
	l := start(t)
	l.grant(1, "2001:db8:10::/60")
	l.Forget(l.now, l.holder(1))
	l.wantEvents("learned lan 1 2001:db8:10::/60 via fe80::1001", "forgotten lan 1 2001:db8:10::/60 via fe80::1001")
	l.wantRoutes()
	l.check()
	l.grant(1, "2001:db8:10::/60")
	l.wantRoutes("2001:db8:10::/60 via fe80::1001 dev 2")
}

// Tick tells when it has something to do.
func TestTick(t *testing.T) {
	l := start(t)
	if next := l.Tick(l.now); !next.IsZero() {
		t.Errorf("with nothing: at %v", next)
	}
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{"2001:db8:10::/60", dhcpv6.Infinity, dhcpv6.Infinity})))
	if next := l.Tick(l.now); !next.IsZero() {
		t.Errorf("with one for ever: at %v", next)
	}
	l.grant(2, "2001:db8:20::/60")
	if next := l.Tick(l.now); !next.Equal(l.now.Add(2000 * time.Second)) {
		t.Errorf("with one that ends: at %v", next)
	}
}

// A client whose provider gives it another prefix all the time has the last ones.
func TestBoundOfOneClient(t *testing.T) {
	for _, bound := range []int{1, 2, 8} {
		l := start(t, func(s *setup) { s.MaxPerClient = bound })
		for n := range 20 {
			l.wait(time.Second)
			l.grant(1, fmt.Sprintf("2001:db8:%x::/64", 0x100+n))
		}
		var want []string
		for n := 20 - bound; n < 20; n++ {
			want = append(want, fmt.Sprintf("2001:db8:%x::/64 via fe80::1001 dev 2", 0x100+n))
		}
		l.wantRoutes(want...)
		if n := l.Counters().BeyondLimit; n != 0 {
			t.Errorf("%d refused", n)
		}
		// Those of the same age stay.
		l.wait(time.Second)
		l.grant(1, "2001:db8:200::/64", "2001:db8:201::/64", "2001:db8:202::/64", "2001:db8:203::/64", "2001:db8:204::/64",
			"2001:db8:205::/64", "2001:db8:206::/64", "2001:db8:207::/64", "2001:db8:208::/64", "2001:db8:209::/64")
		if n := l.Counters().BeyondLimit; n != uint64(10-bound) || len(l.routes()) != bound {
			t.Errorf("%d refused, %d routes", n, len(l.routes()))
		}
	}
}
