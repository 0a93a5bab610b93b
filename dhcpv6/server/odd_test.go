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

// Odd but legal states of the interfaces.

func TestTwoAddressesInOneSubnet(t *testing.T) {
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/56", "2001:db8:1::2/64") })
	if got := l.request(dhcpv6.Request, duid(1), na(1)).ias[0].grants(); len(got) != 1 {
		t.Errorf("granted %v, want one address", got)
	}
}

// A router that has just come up has no prefix yet: what its clients have may be right, and must not be taken away.
func TestRenewBeforeThereIsAPrefix(t *testing.T) {
	l := start(t, func(s *setup) { s.only() })
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Renew, dhcpv6.Rebind} {
		for _, ia := range [][]byte{na(1, "2001:db8:1::e71"), pd(1, "2001:db8:1:c4::/62")} {
			l.wantDropOf(multicast(message(typ, duid(1), ia)), server.DropCannotJudge)
		}
	}
	// One that never had any has nothing to lose.
	if a := l.request(dhcpv6.Renew, duid(1), na(1)); a.ias[0].status != "NoAddrsAvail" {
		t.Errorf("Renew without addresses: %+v", a.ias[0])
	}
}

// Nor is it when the server knows of the lease from before it was restarted: the provider's prefix may be on its way.
func TestRenewBeforeThePrefixIsBack(t *testing.T) {
	l := start(t)
	addr := l.request(dhcpv6.Request, duid(1), na(1)).ias[0].grants()
	prefix := l.request(dhcpv6.Request, duid(1), pd(2)).ias[0].grants()
	records := l.records()
	l.relink(func(s *setup) { s.only() })
	l = l.restart(records, l.now)
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Renew, dhcpv6.Rebind} {
		l.wantDropOf(multicast(message(typ, duid(1), na(1, addr...), pd(2, prefix...))), server.DropCannotJudge)
	}
	l.relink(func(s *setup) { s.only("2001:db8:1::1/56") })
	if got := l.request(dhcpv6.Renew, duid(1), na(1, addr...)).ias[0].grants(); !slices.Equal(got, addr) {
		t.Errorf("granted %v, want %v", got, addr)
	}
	l.relink(func(s *setup) { s.only() })
	if got := l.request(dhcpv6.Renew, duid(1), na(1, addr...)).ias[0].withdrawn(); !slices.Equal(got, addr) {
		t.Errorf("withdrawn %v, want %v", got, addr)
	}
}

// When the prefix was there and went, the server does know.
func TestRenewWhenThePrefixIsGone(t *testing.T) {
	l := start(t)
	held := l.request(dhcpv6.Request, duid(1), na(1)).ias[0].grants()
	l.relink(func(s *setup) { s.only() })
	if got := l.request(dhcpv6.Renew, duid(1), na(1, held...)).ias[0].withdrawn(); len(got) != 1 || got[0] != held[0] {
		t.Errorf("withdrawn %v, want %v", got, held)
	}
}

// An address of 128 bits is on no network: it gives nothing, and nothing can be judged by it.
func TestHostAddressOnly(t *testing.T) {
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/128") })
	l.wantDropOf(multicast(message(dhcpv6.Confirm, duid(1), na(1, "2001:db8:1::e71"))), server.DropCannotJudge)
	if a := l.request(dhcpv6.Request, duid(1), na(1, "2001:db8:1::e71")); a.ias[0].status != "NoAddrsAvail" {
		t.Errorf("Request: %+v", a.ias[0])
	}
}

// A subnet on another interface is the router's own before its address is ready.
func TestUnreadyAddressIsNotDelegated(t *testing.T) {
	l := start(t, func(s *setup) {
		s.Links = append(s.Links, server.Link{Ifindex: 9, Addresses: []server.LinkAddress{
			{Prefix: netip.MustParsePrefix("2001:db8:1:c4::1/64"), Unready: true},
		}})
	})
	got := l.request(dhcpv6.Request, duid(1), pd(1, "2001:db8:1:c4::/62")).ias[0].grants()
	if len(got) != 1 || got[0] == "2001:db8:1:c4::/62" {
		t.Errorf("delegated %v", got)
	}
	// Nor does anything come from it.
	l = start(t, func(s *setup) { s.Links[0].Addresses[0].Unready = true })
	if a := l.request(dhcpv6.Request, duid(1), na(1)); a.ias[0].status != "NoAddrsAvail" {
		t.Errorf("from an unready address: %+v", a.ias[0])
	}
}

// A Solicit promises nothing, so it takes nothing away: not even an address that has meanwhile been reserved.
func TestSolicitLeavesBindingsAlone(t *testing.T) {
	l := start(t)
	held := l.request(dhcpv6.Request, duid(1), na(1)).ias[0].grants()
	l.reconfigure(func(s *setup) { s.Hosts = append(s.Hosts, server.Host{MACs: [][6]byte{mac(2)}, HostID: 0xe71}) })
	l.Events()
	l.request(dhcpv6.Solicit, duid(1), na(1))
	l.wantEvents()
	if b := l.Table().Link("lan").Lookup(duid(1), 1, 0); b == nil || b.Leases[0].Prefix.Addr().String() != held[0] {
		t.Errorf("the binding is %+v, want %v in it", b, held)
	}
}

// A smaller prefix moves to another interface: what a client of the first still holds of it is not delegated again.
func TestPrefixMovesToAnotherLink(t *testing.T) {
	l := start(t, func(s *setup) { s.secondLink() })
	held := l.request(dhcpv6.Request, duid(1), pd(1, "2001:db8:1:10::/62")).ias[0].grants()
	l.relink(func(s *setup) { s.address(1, "2001:db8:1:1f::1/60") })
	for n := range 20 {
		for _, got := range l.requestOn(3, dhcpv6.Request, duid(100+n), pd(1)).ias[0].grants() {
			if netip.MustParsePrefix(got).Overlaps(netip.MustParsePrefix(held[0])) {
				t.Fatalf("%s is delegated, and so is %s", got, held[0])
			}
		}
	}
}

// A whole prefix moves to another interface, as when the router's LANs are numbered anew: the same holds.
func TestWholePrefixMovesToAnotherLink(t *testing.T) {
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/60"); s.secondLink("2001:db8:2::1/60") })
	held := l.request(dhcpv6.Request, duid(1), pd(1, "2001:db8:1:4::/62")).ias[0].grants()[0]
	l.relink(func(s *setup) {
		s.only("2001:db8:3::1/60")
		s.Links[1].Addresses[0].Prefix = netip.MustParsePrefix("2001:db8:1::1/60")
	})
	for n := range 20 {
		for _, got := range l.requestOn(3, dhcpv6.Request, duid(100+n), pd(1, held)).ias[0].grants() {
			if netip.MustParsePrefix(got).Overlaps(netip.MustParsePrefix(held)) {
				t.Fatalf("%s is delegated, and so is %s", got, held)
			}
		}
	}
	l.wait(3 * time.Hour) // the client of the first interface has given no sign of life
	if got := l.requestOn(3, dhcpv6.Request, duid(200), pd(1, held)).ias[0].grants(); len(got) != 1 || got[0] != held {
		t.Errorf("delegated %v when nobody has %s any more", got, held)
	}
}

// Anybody can send a Solicit in a client's name: it takes nothing away that the client has, though it would be given another.
func TestSolicitLeavesWhatFitsNoMore(t *testing.T) {
	l := start(t)
	held := l.request(dhcpv6.Request, duid(1), pd(1)).ias[0].grants()[0]
	l.relink(func(s *setup) {
		s.Links[0].Addresses[0].Preferred, s.Links[0].Addresses[0].Valid = l.now, l.now.Add(2*time.Hour)
		s.address(0, "2001:db8:2::1/60")
	})
	l.Events()
	offered := l.request(dhcpv6.Solicit, duid(1), pd(1)).ias[0].grants()
	l.wantEvents()
	if b := l.Table().Link("lan").Lookup(duid(1), 1, lease.Prefix); b == nil || b.State != lease.Bound || b.Leases[0].Prefix.String() != held {
		t.Errorf("the binding is %+v, want %s in it", b, held)
	}
	if got := l.request(dhcpv6.Renew, duid(1), pd(1, held)).ias[0].grants(); len(offered) != 1 || !slices.Equal(got, offered) {
		t.Errorf("offered %v, delegated %v", offered, got)
	}
}

// The last id that is free is the relay agent's own behind it: nothing for its client, and not lost for the others.
func TestLastIDIsTheRelays(t *testing.T) {
	l := start(t, func(s *setup) { s.lan().HostIDLength = 4 })
	l.request(dhcpv6.Request, duid(0), na(1))
	for n := 1; l.Table().Link("lan").Len() < 14; n++ { // of 1 to 15, the first is our own
		l.request(dhcpv6.Request, duid(n), na(1))
		if n > 1000 {
			t.Fatal("the pool does not fill")
		}
	}
	var last []byte
	for n := range 14 {
		if b := l.Table().Link("lan").Lookup(duid(n), 1, lease.Address); b != nil {
			last = duid(n)
		}
	}
	b := l.Table().Link("lan").Lookup(last, 1, lease.Address)
	id := b.ID
	l.End(l.now, b)
	l.Table().Remove(b)
	in := multicast(relay(netip.MustParseAddr(fmt.Sprintf("2001:db8:1:50::%x", id)), message(dhcpv6.Request, duid(300), na(1))))
	out, err := l.handle(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, inner := checkRelays(t, in.Payload, out.Payload); read(t, inner).ias[0].status != "NoAddrsAvail" {
		t.Errorf("behind the relay: %+v", read(t, inner).ias[0])
	}
	if got := l.request(dhcpv6.Request, duid(301), na(1)).ias[0].grants(); len(got) != 1 {
		t.Errorf("granted %v, want the one that is free", got)
	}
}

// That a pool is full is remembered, until something in it becomes free.
func TestFullPoolBecomesFree(t *testing.T) {
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/60") })
	var held string
	for n := range 15 { // all but the router's own
		held = l.request(dhcpv6.Request, duid(n), pd(1, "::/64")).ias[0].grants()[0]
	}
	for range 2 {
		if a := l.request(dhcpv6.Request, duid(99), pd(1, "::/64")); a.ias[0].status != "NoPrefixAvail" {
			t.Fatalf("from a full pool: %+v", a.ias[0])
		}
	}
	l.request(dhcpv6.Release, duid(14), pd(1, held))
	if got := l.request(dhcpv6.Request, duid(99), pd(1, "::/64")).ias[0].grants(); len(got) != 1 || got[0] != held {
		t.Errorf("delegated %v, want %s", got, held)
	}
}

// Without a wish, an interface id of 64 bits is the client's own, not the last of the pool.
func TestInterfaceIDsOf64Bits(t *testing.T) {
	l := start(t, func(s *setup) { s.lan().HostIDLength = 64 })
	got := l.request(dhcpv6.Request, duid(1), na(1)).ias[0].grants()
	if len(got) != 1 || got[0] == "2001:db8:1:0:ffff:ffff:ffff:ffff" {
		t.Errorf("granted %v", got)
	}
}

// Two interfaces in one subnet, by mistake: no address is given twice, nor one of the router's own.
func TestTwoLinksInOneSubnet(t *testing.T) {
	l := start(t, func(s *setup) {
		s.secondLink("2001:db8:1::abc/64")
		s.Interfaces[1].HostIDLength = 12
	})
	taken := map[string]bool{"2001:db8:1::abc": true}
	for n := range 200 {
		for _, got := range l.requestOn(2+n%2, dhcpv6.Request, duid(n), na(1, "2001:db8:1::abc")).ias[0].grants() {
			if taken[got] {
				t.Fatalf("%s is given twice, or is the router's", got)
			}
			taken[got] = true
		}
	}
	if len(taken) != 101 {
		t.Errorf("%d addresses given, want those of the first link's 100 clients", len(taken)-1)
	}
}

// A router whose interface went down and came up: its address is not ready yet, but will be.
func TestLeasesOfAnAddressNotReady(t *testing.T) {
	for _, alone := range []bool{true, false} {
		l := start(t)
		address := l.request(dhcpv6.Request, duid(1), na(1)).ias[0].grants()[0]
		prefix := l.request(dhcpv6.Request, duid(1), pd(1)).ias[0].grants()[0]
		l.relink(func(s *setup) {
			if s.Links[0].Addresses[0].Unready = true; !alone {
				s.address(0, "fd00:1::1/56")
			}
		})
		l.wantDropOf(multicast(message(dhcpv6.Confirm, duid(1), na(1, address))), server.DropCannotJudge)
		for _, typ := range []dhcpv6.MessageType{dhcpv6.Renew, dhcpv6.Rebind} {
			l.wantDropOf(multicast(message(typ, duid(1), na(1, address), pd(1, prefix))), server.DropCannotJudge)
		}
	}
}

// The only prefix gives way to another, whose address is not ready yet: nobody is to be without an address meanwhile.
func TestPrefixChangesToOneNotReady(t *testing.T) {
	l := start(t)
	held := l.request(dhcpv6.Request, duid(1), na(1)).ias[0].grants()
	another := func(tentative bool) func(*setup) {
		return func(s *setup) {
			s.only("2001:db8:9::1/56")
			s.Links[0].Addresses[0].Unready, s.Links[0].Addresses[0].Tentative = tentative, tentative
		}
	}
	l.relink(another(true))
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Renew, dhcpv6.Rebind} {
		l.wantDropOf(multicast(message(typ, duid(1), na(1, held...))), server.DropCannotJudge)
	}
	l.relink(another(false))
	ia := l.request(dhcpv6.Renew, duid(1), na(1, held...)).ias[0]
	if got := ia.withdrawn(); len(got) != 1 || got[0] != held[0] || len(ia.grants()) != 1 {
		t.Errorf("withdrawn %v, granted %v, want %v exchanged for one", got, ia.grants(), held)
	}
}

// The router takes the address of a client: that is not even offered any longer.
func TestSolicitIsNotOfferedOurOwnAddress(t *testing.T) {
	l := start(t)
	held := l.request(dhcpv6.Request, duid(1), na(1)).ias[0].grants()[0]
	l.relink(func(s *setup) { s.address(0, held+"/64") })
	if got := l.request(dhcpv6.Solicit, duid(1), na(1)).ias[0].grants(); len(got) != 1 || got[0] == held {
		t.Errorf("offered %v", got)
	}
}

// As TestPrefixMovesToAnotherLink, with a client that holds more than moves.
func TestPartOfADelegatedPrefixMovesToAnotherLink(t *testing.T) {
	l := start(t, func(s *setup) {
		s.only("2001:db8:1::1/48")
		s.secondLink()
		s.lan().PDMinLength = 56
	})
	held := netip.MustParsePrefix(l.request(dhcpv6.Request, duid(1), pd(1, "2001:db8:1:1000::/56")).ias[0].grants()[0])
	l.relink(func(s *setup) { s.address(1, "2001:db8:1:1010::1/60") })
	for n := range 20 {
		if got := l.requestOn(3, dhcpv6.Request, duid(100+n), pd(1)).ias[0].grants(); len(got) > 0 {
			t.Fatalf("%v is delegated, and so is %v", got, held)
		}
	}
}

// Behind a relay agent in a part of our prefix that is somebody's already, there are no addresses.
func TestRelayInATakenSubnet(t *testing.T) {
	l := start(t, func(s *setup) {
		s.lan().Prefixes = false
		s.secondLink("2001:db8:1::2/56") // the same prefix, which the guests delegate from
		s.Interfaces[1].Prefixes = true
		s.Links = append(s.Links, server.Link{Ifindex: 9, Addresses: []server.LinkAddress{
			{Prefix: netip.MustParsePrefix("2001:db8:1:10::1/64")}, // not served
		}})
	})
	l.requestOn(3, dhcpv6.Request, duid(1), pd(1, "2001:db8:1:40::/62"))
	for link, want := range map[string]string{"2001:db8:1:10::9": "NoAddrsAvail", "2001:db8:1:41::9": "NoAddrsAvail", "2001:db8:1:20::9": ""} {
		payload := relay(netip.MustParseAddr(link), message(dhcpv6.Request, duid(2), na(1)))
		out, err := l.handle(multicast(payload))
		if err != nil {
			t.Fatal(err)
		}
		if _, inner := checkRelays(t, payload, out.Payload); read(t, inner).ias[0].status != want {
			t.Errorf("behind %s: %+v, want status %q", link, read(t, inner).ias[0], want)
		}
	}
}
