package server_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

const (
	foreignNA1 = `0003 0028 00000001 00000000 00000000              # IA_NA 1
	0005 0018 20010db8 00990000 00000000 00000e71 00000000 00000000 # 2001:db8:99::e71
`
	foreignPD1 = `0019 0029 00000001 00000000 00000000              # IA_PD 1
	001a 0019 00000000 00000000 3e 20010db8 009900c4 00000000 00000000 # 2001:db8:99:c4::/62
`
	bindA = `03 a1b2c3` + fromA + toUs + askNA1 + askPD1
)

// Renew: section 18.3.4. Rebind: section 18.3.5. Each row is asked twice, as Renew and as Rebind.
func TestRenewAndRebind(t *testing.T) {
	tests := []struct {
		name          string
		before        string // asked and answered before the change
		change        func(*setup)
		ias           string
		renew, rebind string // the IAs of the answer; "silence": none
	}{
		{name: "binding",
			before: bindA,
			ias:    nameNA1 + namePD1,
			renew:  grantNA1 + grantPD1, rebind: grantNA1 + grantPD1},
		{name: "binding, only one of its IAs",
			before: bindA,
			ias:    namePD1,
			renew:  grantPD1, rebind: grantPD1},
		{name: "binding, IA that names nothing",
			before: bindA,
			ias:    askNA1 + askPD1,
			renew:  grantNA1 + grantPD1, rebind: grantNA1 + grantPD1},
		{name: "binding, and an address of another link",
			before: bindA,
			ias: `0003 0044 00000001 00000000 00000000
				0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000
				0005 0018 20010db8 00990000 00000000 00000e71 00000000 00000000`,
			renew: `0003 0044 00000001 00000546 00000870
				0005 0018 20010db8 00010000 00000000 00000e71 00000a8c 00001518
				0005 0018 20010db8 00990000 00000000 00000e71 00000000 00000000 # no longer`,
			rebind: `0003 0044 00000001 00000546 00000870
				0005 0018 20010db8 00010000 00000000 00000e71 00000a8c 00001518
				0005 0018 20010db8 00990000 00000000 00000e71 00000000 00000000 # no longer`},
		{name: "binding, and a prefix of another network",
			before: bindA,
			ias:    foreignPD1,
			renew: `0019 0046 00000001 00000546 00000870
				001a 0019 00000a8c 00001518 3e 20010db8 000100c4 00000000 00000000
				001a 0019 00000000 00000000 3e 20010db8 009900c4 00000000 00000000`,
			rebind: `0019 0046 00000001 00000546 00000870
				001a 0019 00000a8c 00001518 3e 20010db8 000100c4 00000000 00000000
				001a 0019 00000000 00000000 3e 20010db8 009900c4 00000000 00000000`},
		{name: "binding, and a length of prefix the client would like",
			before: bindA,
			ias: `0019 0046 00000001 00000000 00000000
				001a 0019 00000000 00000000 3e 20010db8 000100c4 00000000 00000000
				001a 0019 00000000 00000000 38 00000000 00000000 00000000 00000000 # ::/56`,
			renew: grantPD1, rebind: grantPD1},
		{name: "unknown, what it names is free",
			ias:   nameNA1 + namePD1,
			renew: grantNA1 + grantPD1, rebind: grantNA1 + grantPD1},
		{name: "unknown, free and not what the client would get anew",
			ias: `0003 0028 00000001 00000000 00000000
				0005 0018 20010db8 00010000 00000000 00000abc 00000000 00000000
				0019 0029 00000001 00000000 00000000
				001a 0019 00000000 00000000 3f 20010db8 00010042 00000000 00000000`,
			renew: `0003 0028 00000001 00000546 00000870
				0005 0018 20010db8 00010000 00000000 00000abc 00000a8c 00001518
				0019 0029 00000001 00000546 00000870
				001a 0019 00000a8c 00001518 3f 20010db8 00010042 00000000 00000000`,
			rebind: `0003 0028 00000001 00000546 00000870
				0005 0018 20010db8 00010000 00000000 00000abc 00000a8c 00001518
				0019 0029 00000001 00000546 00000870
				001a 0019 00000a8c 00001518 3f 20010db8 00010042 00000000 00000000`},
		{name: "unknown, and it names nothing",
			ias:   askNA1 + askPD1,
			renew: grantNA1 + grantPD1, rebind: "silence"},
		{name: "unknown, address of another link",
			ias: foreignNA1,
			renew: `0003 0044 00000001 00000546 00000870
				0005 0018 20010db8 00010000 00000000 00000e71 00000a8c 00001518 # a new one
				0005 0018 20010db8 00990000 00000000 00000e71 00000000 00000000 # not the old one`,
			rebind: foreignNA1},
		{name: "unknown, prefix of another network",
			ias: foreignPD1,
			renew: `0019 0046 00000001 00000546 00000870
				001a 0019 00000a8c 00001518 3e 20010db8 000100c4 00000000 00000000
				001a 0019 00000000 00000000 3e 20010db8 009900c4 00000000 00000000`,
			rebind: foreignPD1},
		{name: "unknown, one IA known and one not",
			before: `03 a1b2c3` + fromA + toUs + askNA1,
			ias:    nameNA1 + `0003 000c 00000002 00000000 00000000`,
			renew: grantNA1 + `0003 0028 00000002 00000546 00000870
				0005 0018 20010db8 00010000 00000000 00000468 00000a8c 00001518`,
			rebind: grantNA1},
		{name: "somebody else has what it names",
			before: `03 a1b2c3` + fromB + toUs + nameNA1 + namePD1,
			ias:    nameNA1,
			renew: `0003 0044 00000001 00000546 00000870
				0005 0018 20010db8 00010000 00000000 00000e72 00000a8c 00001518 # another one
				0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000 # that is B's`,
			rebind: "silence"},
		{name: "our own address", // nobody's to have
			ias: `0003 0028 00000001 00000000 00000000
				0005 0018 20010db8 00010000 00000000 00000001 00000000 00000000`,
			renew: `0003 0044 00000001 00000546 00000870
				0005 0018 20010db8 00010000 00000000 00000e71 00000a8c 00001518
				0005 0018 20010db8 00010000 00000000 00000001 00000000 00000000`,
			rebind: "silence"},
		{name: "binding, after a renumbering",
			before: bindA,
			change: func(s *setup) { s.only("2001:db8:2::1/56") },
			ias:    nameNA1 + namePD1,
			renew: `0003 0044 00000001 00000546 00000870
				0005 0018 20010db8 00020000 00000000 00000e71 00000a8c 00001518 # new
				0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000 # old
				0019 0046 00000001 00000546 00000870
				001a 0019 00000a8c 00001518 3e 20010db8 000200c4 00000000 00000000
				001a 0019 00000000 00000000 3e 20010db8 000100c4 00000000 00000000`,
			rebind: `0003 0044 00000001 00000546 00000870
				0005 0018 20010db8 00020000 00000000 00000e71 00000a8c 00001518
				0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000
				0019 0046 00000001 00000546 00000870
				001a 0019 00000a8c 00001518 3e 20010db8 000200c4 00000000 00000000
				001a 0019 00000000 00000000 3e 20010db8 000100c4 00000000 00000000`},
		{name: "binding, after a renumbering, and the client names nothing",
			before: bindA,
			change: func(s *setup) { s.only("2001:db8:2::1/56") },
			ias:    askNA1,
			renew: `0003 0044 00000001 00000546 00000870
				0005 0018 20010db8 00020000 00000000 00000e71 00000a8c 00001518
				0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000`,
			rebind: `0003 0044 00000001 00000546 00000870
				0005 0018 20010db8 00020000 00000000 00000e71 00000a8c 00001518
				0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000`},
		{name: "binding, and the link has got a second prefix",
			before: bindA,
			change: func(s *setup) { s.address(0, "fd00:1::1/56") },
			ias:    nameNA1,
			renew: `0003 0044 00000001 00000546 00000870
				0005 0018 20010db8 00010000 00000000 00000e71 00000a8c 00001518
				0005 0018 fd000001 00000000 00000000 00000e71 00000a8c 00001518`,
			rebind: `0003 0044 00000001 00000546 00000870
				0005 0018 20010db8 00010000 00000000 00000e71 00000a8c 00001518
				0005 0018 fd000001 00000000 00000000 00000e71 00000a8c 00001518`},
		{name: "unknown, and only hosts are served",
			change: func(s *setup) { s.lan().Dynamic = false },
			ias:    askNA1 + askPD1,
			renew: `0003 0012 00000001 00000000 00000000 000d 0002 0003   # IA_NA 1: NoBinding
				0019 0012 00000001 00000000 00000000 000d 0002 0003    # IA_PD 1: NoBinding`,
			rebind: "silence"},
		{name: "no IA",
			before: bindA,
			renew:  "", rebind: ""},
	}
	for _, tt := range tests {
		for _, typ := range []dhcpv6.MessageType{dhcpv6.Renew, dhcpv6.Rebind} {
			t.Run(typ.String()+" of "+tt.name, func(t *testing.T) {
				l := start(t)
				if tt.before != "" {
					l.ask(dhcpv6test.Hex(t, tt.before))
				}
				if tt.change != nil {
					l.reconfigure(tt.change)
					l.relink(tt.change)
				}
				in, want := fmt.Sprintf("%02x a1b2c3", uint8(typ))+fromA+toUs+tt.ias, tt.renew
				if typ == dhcpv6.Rebind {
					in, want = "06 a1b2c3"+fromA+tt.ias, tt.rebind
				}
				if want == "silence" {
					l.wantDrop(in, server.DropCannotJudge)
					return
				}
				l.want(in, "07 a1b2c3"+fromA+byUs+want)
				l.wantKept(duid(1), read(l, l.ask(dhcpv6test.Hex(t, in))))
			})
		}
	}
}

// Section 18.3.4: a server that makes bindings on Renew and has none left says NoAddrsAvail or NoPrefixAvail.
func TestRenewOfUnknownBindingWithFullPool(t *testing.T) {
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/63", "2001:db8:2::ff/126") })
	l.reconfigure(func(s *setup) { s.lan().PrefixFilter = netip.MustParsePrefix("2001:db8:2::/48") })
	fill := 0
	for len(l.request(dhcpv6.Request, duid(100+fill), na(1)).ias[0].grants()) > 0 {
		if fill++; fill > 10 {
			t.Fatal("a /126 does not fill up")
		}
	}
	if a := l.request(dhcpv6.Renew, duid(1), na(1)); a.ias[0].status != "NoAddrsAvail" {
		t.Errorf("IA_NA: %+v", a.ias[0])
	}
	l = start(t, func(s *setup) { s.only("2001:db8:1::1/63") })
	l.request(dhcpv6.Request, duid(2), pd(1))
	if a := l.request(dhcpv6.Renew, duid(1), pd(1)); a.ias[0].status != "NoPrefixAvail" {
		t.Errorf("IA_PD: %+v", a.ias[0])
	}
}

// A Renew makes the binding last longer, and the event says that nothing else has changed.
func TestRenewExtends(t *testing.T) {
	l := start(t)
	l.ask(dhcpv6test.Hex(t, bindA))
	l.Events()
	for range 10 {
		l.wait(1350 * time.Second)
		l.want(`05 a1b2c3`+fromA+toUs+nameNA1+namePD1, `07 a1b2c3`+fromA+byUs+grantNA1+grantPD1)
		l.wantEvents("renewed lan IA_NA 2001:db8:1::e71", "renewed lan IA_PD 2001:db8:1:c4::/62")
	}
	l.wait(5399 * time.Second)
	l.wantEvents()
	l.wait(time.Second)
	l.wantEvents("expired lan IA_NA 2001:db8:1::e71", "expired lan IA_PD 2001:db8:1:c4::/62")
	// Expired and asked for again: the client gets what it had.
	l.want(`05 a1b2c3`+fromA+toUs+nameNA1+namePD1, `07 a1b2c3`+fromA+byUs+grantNA1+grantPD1)
	l.wantEvents("bound lan IA_NA 2001:db8:1::e71", "bound lan IA_PD 2001:db8:1:c4::/62")
}

// Old leases are told as ended until the client has forgotten them by itself, not longer.
func TestRenewAfterRenumbering(t *testing.T) {
	l := start(t)
	l.ask(dhcpv6test.Hex(t, bindA))
	l.relink(func(s *setup) { s.only("2001:db8:2::1/56") })
	l.Events()
	l.wait(1000 * time.Second)
	a := l.request(dhcpv6.Renew, duid(1), na(1, "2001:db8:1::e71"), pd(1, "2001:db8:1:c4::/62"))
	if !slices.Equal(a.ias[0].withdrawn(), []string{"2001:db8:1::e71"}) || !slices.Equal(a.ias[1].withdrawn(), []string{"2001:db8:1:c4::/62"}) {
		t.Errorf("withdrawn: %+v", a.ias)
	}
	l.wantEvents("bound lan IA_NA 2001:db8:2::e71 2001:db8:1::e71 withdrawn",
		"bound lan IA_PD 2001:db8:2:c4::/62 2001:db8:1:c4::/62 withdrawn")
	l.wait(4399 * time.Second)
	if a = l.request(dhcpv6.Renew, duid(1), na(1), pd(1)); len(a.ias[0].withdrawn()) != 1 {
		t.Errorf("a second before the old address has run out: %+v", a.ias)
	}
	l.wait(time.Second)
	a = l.request(dhcpv6.Renew, duid(1), na(1), pd(1))
	if len(a.ias[0].withdrawn())+len(a.ias[1].withdrawn()) != 0 || len(a.ias[0].grants()) != 1 || len(a.ias[1].grants()) != 1 {
		t.Errorf("after the old address has run out: %+v", a.ias)
	}
}

// The provider gives a new prefix every day, every hour, every minute: what is withdrawn does not pile up.
func TestRenumberingAgainAndAgain(t *testing.T) {
	l := start(t)
	l.ask(dhcpv6test.Hex(t, bindA))
	for n := range 100 {
		l.relink(func(s *setup) { s.only(fmt.Sprintf("2001:db8:%x::1/56", 0x100+n)) })
		l.wait(10 * time.Second)
		a := l.request(dhcpv6.Renew, duid(1), na(1), pd(1))
		for _, ia := range a.ias {
			if len(ia.grants()) != 1 || len(ia.leases) > 20 {
				t.Fatalf("after %d renumberings: %+v", n+1, ia)
			}
		}
	}
	// And back: the first prefix is given again, as if nothing had been.
	l.relink(func(s *setup) { s.only("2001:db8:1::1/56") })
	a := l.request(dhcpv6.Renew, duid(1), na(1), pd(1))
	if !slices.Equal(a.ias[0].grants(), []string{"2001:db8:1::e71"}) || !slices.Equal(a.ias[1].grants(), []string{"2001:db8:1:c4::/62"}) {
		t.Errorf("back again: %+v", a.ias)
	}
}

// The link is gone for a while (odhcpd issues 230 and 239): bindings stay.
func TestLinkGoesAndReturns(t *testing.T) {
	l := start(t)
	l.ask(dhcpv6test.Hex(t, bindA))
	links := l.setup.Links
	l.SetLinks(l.now, nil)
	l.wantDrop(`05 a1b2c3`+fromA+toUs+nameNA1, server.DropNotServed)
	links[0].Ifindex = 7 // made anew
	l.SetLinks(l.now, links)
	l.wantDrop(`05 a1b2c3`+fromA+toUs+nameNA1, server.DropNotServed)
	in := multicast(dhcpv6test.Hex(t, `05 a1b2c3`+fromA+toUs+nameNA1+namePD1))
	in.Ifindex = 7
	out, err := l.handle(in)
	if err != nil || out.Ifindex != 7 {
		t.Fatal(out.Ifindex, err)
	}
	l.compare(out.Payload, `07 a1b2c3`+fromA+byUs+grantNA1+grantPD1)
}

// A client that comes back after its binding has run out gets its old address, although others have come since.
func TestExpiredBindingIsRemembered(t *testing.T) {
	l := start(t)
	a := l.request(dhcpv6.Request, duid(1), na(1, "2001:db8:1::abc"), pd(1, "2001:db8:1:40::/62"))
	l.wait(6000 * time.Second)
	for n := range 50 {
		l.request(dhcpv6.Request, duid(100+n), na(1, "2001:db8:1::abc"), pd(1, "2001:db8:1:40::/62"))
	}
	b := l.request(dhcpv6.Request, duid(1), na(1), pd(1))
	if !slices.Equal(a.ias[0].grants(), b.ias[0].grants()) || !slices.Equal(a.ias[1].grants(), b.ias[1].grants()) {
		t.Errorf("had %v and %v, gets %v and %v", a.ias[0].grants(), a.ias[1].grants(), b.ias[0].grants(), b.ias[1].grants())
	}
}

// When the pool is full, the ids of those who have gone are given out, the longest gone first.
func TestRememberedBindingsAreGivenOut(t *testing.T) {
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/61") }) // 7 /64s beside our own
	for n := range 7 {
		l.request(dhcpv6.Request, duid(10+n), pd(1, "::/64"))
		l.wait(time.Second)
	}
	first := l.Table().Link("lan").Lookup(duid(10), 1, lease.Prefix).Leases[0].Prefix
	l.wait(6000 * time.Second)
	for n := range 7 {
		a := l.request(dhcpv6.Request, duid(20+n), pd(1, "::/64"))
		if len(a.ias[0].grants()) != 1 {
			t.Fatalf("client %d: %+v", 20+n, a.ias[0])
		}
		if n == 0 && a.ias[0].leases[0].prefix != first {
			t.Errorf("first given out: %v, want %v", a.ias[0].leases[0].prefix, first)
		}
	}
	if a := l.request(dhcpv6.Request, duid(30), pd(1, "::/64")); a.ias[0].status != "NoPrefixAvail" {
		t.Errorf("%+v", a.ias[0])
	}
}

// A Rebind may name another server's leases on our link. They are not told to be over, whatever this server knows of the
// client but that it is bound: section 18.3.5.
func TestRebindOfAnotherServers(t *testing.T) {
	rebind := func(l *lab, address, prefix string) server.Datagram {
		return multicast(message(dhcpv6.Rebind, duid(1), na(1, address), pd(1, prefix)))
	}
	tests := map[string]func(*lab){
		"offered": func(l *lab) { l.request(dhcpv6.Solicit, duid(1), na(1), pd(1)) },
		"released": func(l *lab) {
			a := l.request(dhcpv6.Request, duid(1), na(1), pd(1))
			l.request(dhcpv6.Release, duid(1), na(1, a.ias[0].grants()...), pd(1, a.ias[1].grants()...))
		},
		"expired": func(l *lab) {
			l.request(dhcpv6.Request, duid(1), na(1), pd(1))
			l.wait(48 * time.Hour)
		},
	}
	for name, before := range tests {
		t.Run(name, func(t *testing.T) {
			l := start(t)
			before(l)
			l.wantDropOf(rebind(l, "2001:db8:1::fff1", "2001:db8:1:80::/60"), server.DropCannotJudge)
			out, err := l.handle(rebind(l, "2001:db8:1::e71", "2001:db8:1:c4::/62"))
			if err != nil {
				t.Fatal(err)
			}
			a := read(t, out.Payload)
			if len(a.ias) != 2 || len(a.ias[0].grants()) != 1 || len(a.ias[1].grants()) != 1 {
				t.Errorf("its own, which nobody has: %+v", a.ias)
			}
		})
	}
	l := start(t, withHosts(server.Host{DUIDs: byDUID(duid(1)), HostID: 0x10}))
	if ia := l.request(dhcpv6.Rebind, duid(1), na(1, "2001:db8:1::777")).ias[0]; len(ia.withdrawn()) > 0 {
		t.Errorf("a host is told that %v is over", ia.withdrawn())
	}
}
