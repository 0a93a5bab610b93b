package server_test

import (
	"fmt"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

const (
	noBindingNA1 = `0003 0012 00000001 00000000 00000000 000d 0002 0003 # IA_NA 1: NoBinding
`
	noBindingPD1 = `0019 0012 00000001 00000000 00000000 000d 0002 0003 # IA_PD 1: NoBinding
`
)

// Release: section 18.3.6 of RFC 9915's list of messages, 18.3.7. Decline: 18.3.8.
func TestReleaseAndDecline(t *testing.T) {
	const bothNA1 = `0003 0044 00000001 00000000 00000000
		0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000 # held
		0005 0018 20010db8 00010000 00000000 00000abc 00000000 00000000 # not held
	`
	tests := []struct {
		name     string
		typ      string
		before   string
		in, want string
		events   []string
		bound    int // bindings left
	}{
		{name: "Release of both", typ: "08", before: bindA, in: nameNA1 + namePD1, want: success,
			events: []string{"released lan IA_NA 2001:db8:1::e71", "released lan IA_PD 2001:db8:1:c4::/62"}},
		{name: "Release of one", typ: "08", before: bindA, in: nameNA1, want: success,
			events: []string{"released lan IA_NA 2001:db8:1::e71"}, bound: 1},
		{name: "Release of an address that is not in the binding is ignored", typ: "08", before: bindA, in: foreignNA1,
			want: success, bound: 2},
		{name: "Release of one that is and one that is not", typ: "08", before: bindA, in: bothNA1, want: success,
			events: []string{"released lan IA_NA 2001:db8:1::e71"}, bound: 1},
		{name: "Release that names nothing in the IA", typ: "08", before: bindA, in: askNA1, want: success, bound: 2},
		{name: "Release of an unknown binding", typ: "08", in: nameNA1 + namePD1,
			want: success + noBindingNA1 + noBindingPD1},
		{name: "Release of another IAID", typ: "08", before: bindA,
			in: `0003 0028 00000002 00000000 00000000
				0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000`,
			want: success + `0003 0012 00000002 00000000 00000000 000d 0002 0003`, bound: 2},
		{name: "Release of an offer", typ: "08", before: `01 a1b2c3` + fromA + askNA1, in: nameNA1, want: success + noBindingNA1},
		{name: "Release of a known and an unknown one", typ: "08", before: `03 a1b2c3` + fromA + toUs + askPD1,
			in: nameNA1 + namePD1, want: success + noBindingNA1,
			events: []string{"released lan IA_PD 2001:db8:1:c4::/62"}},
		{name: "Release with no IA", typ: "08", before: bindA, want: success, bound: 2},
		{name: "Release twice in one message", typ: "08", before: `03 a1b2c3` + fromA + toUs + askNA1, in: nameNA1 + nameNA1,
			want: success + noBindingNA1, events: []string{"released lan IA_NA 2001:db8:1::e71"}},
		{name: "Release with a prefix of another length", typ: "08", before: bindA,
			in: `0019 0029 00000001 00000000 00000000
				001a 0019 00000000 00000000 40 20010db8 000100c4 00000000 00000000 # 2001:db8:1:c4::/64`,
			want: success, bound: 2},

		{name: "Decline", typ: "09", before: bindA, in: nameNA1, want: success,
			events: []string{"declined lan IA_NA 2001:db8:1::e71"}, bound: 1},
		{name: "Decline of an address that is not in the binding is ignored", typ: "09", before: bindA, in: foreignNA1,
			want: success, bound: 2},
		{name: "Decline that names nothing in the IA", typ: "09", before: bindA, in: askNA1, want: success, bound: 2},
		{name: "Decline of an unknown binding", typ: "09", in: nameNA1, want: success + noBindingNA1},
		{name: "Decline twice in one message", typ: "09", before: bindA, in: nameNA1 + nameNA1, want: success + noBindingNA1,
			events: []string{"declined lan IA_NA 2001:db8:1::e71"}, bound: 1},
		{name: "Decline with no IA", typ: "09", before: bindA, want: success, bound: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t)
			if tt.before != "" {
				l.ask(dhcpv6test.Hex(t, tt.before))
			}
			l.Events()
			l.want(tt.typ+` a1b2c3`+fromA+toUs+tt.in, `07 a1b2c3`+fromA+byUs+tt.want)
			l.wantEvents(tt.events...)
			if _, bound := states(l); bound != tt.bound {
				t.Errorf("%d bindings left, want %d", bound, tt.bound)
			}
		})
	}
}

// Nobody gives back what belongs to another.
func TestReleaseOfAnothersLease(t *testing.T) {
	l := start(t)
	l.ask(dhcpv6test.Hex(t, bindA))
	l.Events()
	for _, typ := range []string{"08", "09"} {
		l.want(typ+` a1b2c3`+fromB+toUs+nameNA1, `07 a1b2c3`+fromB+byUs+success+noBindingNA1)
	}
	l.wantEvents()
	if _, bound := states(l); bound != 2 {
		t.Errorf("%d bindings left", bound)
	}
}

// A Release of one of two addresses leaves the other.
func TestReleaseOfOneOfTwoLeases(t *testing.T) {
	l := start(t, func(s *setup) { s.address(0, "fd00:1::1/56") })
	l.ask(dhcpv6test.Hex(t, bindA))
	l.Events()
	l.request(dhcpv6.Release, duid(1), na(1, "2001:db8:1::e71"))
	l.wantEvents("released lan IA_NA 2001:db8:1::e71")
	b := l.Table().Link("lan").Lookup(duid(1), 1, lease.Address)
	if b == nil || b.State != lease.Bound || len(b.Leases) != 1 || b.Leases[0].Prefix.Addr().String() != "fd00:1::e71" {
		t.Fatalf("left: %+v", b)
	}
	l.request(dhcpv6.Release, duid(1), na(1, "fd00:1::e71"))
	l.wantEvents("released lan IA_NA fd00:1::e71")
	if _, bound := states(l); bound != 1 {
		t.Errorf("%d bindings left", bound)
	}
}

// What was released can be had by others when nothing else is left, and by the client itself.
func TestReleasedIsFree(t *testing.T) {
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/63") })
	if a := l.request(dhcpv6.Request, duid(1), pd(1)); len(a.ias[0].grants()) != 1 {
		t.Fatalf("%+v", a.ias[0])
	}
	if a := l.request(dhcpv6.Request, duid(2), pd(1)); a.ias[0].status != "NoPrefixAvail" {
		t.Fatalf("%+v", a.ias[0])
	}
	l.request(dhcpv6.Release, duid(1), pd(1, "2001:db8:1:1::/64"))
	if a := l.request(dhcpv6.Request, duid(2), pd(1)); len(a.ias[0].grants()) != 1 {
		t.Fatalf("%+v", a.ias[0])
	}
	if a := l.request(dhcpv6.Renew, duid(1), pd(1, "2001:db8:1:1::/64")); len(a.ias[0].grants()) != 0 {
		t.Errorf("given twice: %+v", a.ias[0])
	}
}

// A declined address is not given out for as long as the configuration says, then it is.
func TestDeclineQuarantines(t *testing.T) {
	for _, quarantine := range []time.Duration{time.Hour, 10 * time.Minute} {
		l := start(t, func(s *setup) { s.lan().DeclineTime = quarantine })
		l.request(dhcpv6.Request, duid(1), na(1))
		l.Events()
		l.request(dhcpv6.Decline, duid(1), na(1, "2001:db8:1::e71"))
		e := l.Events()
		if len(e) != 1 || e[0].Kind != server.Declined || e[0].Quarantine != quarantine || e[0].Key.DUID != string(duid(1)) {
			t.Errorf("events %+v", e)
		}
		try := func(n int) string {
			a := l.request(dhcpv6.Request, duid(n), na(1, "2001:db8:1::e71"))
			return a.ias[0].grants()[0]
		}
		if got := try(1); got == "2001:db8:1::e71" {
			t.Error("the client that declined gets the address again")
		}
		l.wait(quarantine - time.Second)
		if got := try(2); got == "2001:db8:1::e71" {
			t.Error("another client gets the declined address")
		}
		l.wait(time.Second)
		if got := try(3); got != "2001:db8:1::e71" {
			t.Errorf("after the quarantine: %s", got)
		}
	}
}

// Declines cannot use up a small pool's addresses in somebody else's place: a full pool says so.
func TestDeclineOfAWholePool(t *testing.T) {
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/124") })
	declined := 0
	for range 100 {
		a := l.request(dhcpv6.Request, duid(1), na(1))
		g := a.ias[0].grants()
		if len(g) == 0 {
			break
		}
		declined++
		l.request(dhcpv6.Decline, duid(1), na(1, g[0]))
	}
	if declined == 0 || declined > 14 {
		t.Errorf("%d addresses of a /124 declined", declined)
	}
	l.wait(time.Hour)
	if a := l.request(dhcpv6.Request, duid(1), na(1)); len(a.ias[0].grants()) != 1 {
		t.Errorf("after the quarantine: %+v", a.ias[0])
	}
}

// A fixed host's address is at once free for that host, and only for it.
func TestDeclineOfAFixedAddress(t *testing.T) {
	l := start(t, func(s *setup) {
		s.Hosts = []server.Host{{Name: "box", DUIDs: []server.HostDUID{{DUID: duid(1)}}, HostID: 0xabc}}
	})
	for range 3 {
		if a := l.request(dhcpv6.Request, duid(1), na(1)); fmt.Sprint(a.ias[0].grants()) != "[2001:db8:1::abc]" {
			t.Fatalf("%+v", a.ias[0])
		}
		l.Events()
		l.request(dhcpv6.Decline, duid(1), na(1, "2001:db8:1::abc"))
		l.wantEvents("declined lan IA_NA 2001:db8:1::abc")
		if b := l.Table().Link("lan").Address(0xabc); b != nil {
			t.Errorf("the address is kept back: %v", b.State)
		}
		if a := l.request(dhcpv6.Request, duid(2), na(1, "2001:db8:1::abc")); fmt.Sprint(a.ias[0].grants()) == "[2001:db8:1::abc]" {
			t.Fatal("another client gets it")
		}
	}
}

// Answers to Release and Decline have nothing but identifiers, status and the IAs without binding.
func TestReleaseAnswersStatusOnly(t *testing.T) {
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Release, dhcpv6.Decline} {
		l := start(t, everyOption)
		l.request(dhcpv6.Request, duid(1), na(1))
		a := l.request(typ, duid(1), na(1, "2001:db8:1::e71"), option(dhcpv6.OptionORO, []byte{0, 23, 0, 24, 0, 82}))
		for code := range a.Options.All() {
			switch code {
			case dhcpv6.OptionClientID, dhcpv6.OptionServerID, dhcpv6.OptionStatusCode:
			default:
				t.Errorf("%v in the answer to a %v", code, typ)
			}
		}
	}
}

// What was given back is not told as over, also not to an IA that comes twice in one message.
func TestReleasedIsNotWithdrawn(t *testing.T) {
	l := start(t)
	l.request(dhcpv6.Request, duid(1), na(1))
	l.request(dhcpv6.Release, duid(1), na(1, "2001:db8:1::e71"))
	l.relink(func(s *setup) { s.only("2001:db8:2::1/56") })
	for i, ia := range l.request(dhcpv6.Request, duid(1), na(1), na(1)).ias {
		if len(ia.grants()) != 1 || len(ia.withdrawn()) != 0 {
			t.Errorf("IA %d: %+v", i, ia)
		}
	}
}
