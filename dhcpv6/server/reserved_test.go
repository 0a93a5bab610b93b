package server_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

// What is reserved for hosts, and what comes of it when the configuration changes.

func TestOnlyHostsAreServed(t *testing.T) {
	l := start(t, withHosts(server.Host{DUIDs: byDUID(duid(5)), HostID: 0xabc}, server.Host{DUIDs: byDUID(duid(6))},
		server.Host{DUIDs: byDUID(duid(7)), HasSubnet: true, SubnetID: 0x80}),
		func(s *setup) { s.lan().Dynamic = false })
	for _, tt := range []struct {
		client   int
		na1, pd1 string
	}{
		{5, "2001:db8:1::abc", "NoPrefixAvail"},
		{6, "NoAddrsAvail", "NoPrefixAvail"},
		{7, "NoAddrsAvail", "2001:db8:1:80::/62"},
		{8, "NoAddrsAvail", "NoPrefixAvail"},
	} {
		a := l.request(dhcpv6.Request, duid(tt.client), na(1), pd(1))
		if got := only(t, a.ias[0]); got != tt.na1 {
			t.Errorf("client %d: %s, want %s", tt.client, got, tt.na1)
		}
		if got := only(t, a.ias[1]); got != tt.pd1 {
			t.Errorf("client %d: %s, want %s", tt.client, got, tt.pd1)
		}
	}
}

// A dynamic client never gets a host's id: not by asking, not by chance, not when nothing else is left.
func TestReservedIDs(t *testing.T) {
	hosts := []server.Host{
		{DUIDs: byDUID(duid(5)), HostID: 0xabc},
		{MACs: [][6]byte{mac(6)}, HostID: 0xe71, Ignore: true}, // client A's own choice
		{DUIDs: byDUID(duid(7)), HasSubnet: true, SubnetID: 0xc4},
		{DUIDs: byDUID(duid(8)), Prefix: netip.MustParsePrefix("2001:db8:1:10::/60")},
	}
	l := start(t, withHosts(hosts...))
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Renew, dhcpv6.Request} {
		a := l.request(typ, duid(1), na(1, "2001:db8:1::abc"), na(2, "2001:db8:1::e71"), pd(1, "2001:db8:1:c4::/64"),
			pd(2, "2001:db8:1:18::/62"), pd(3, "2001:db8:1:c6::/63"))
		for _, ia := range a.ias {
			switch got := only(t, ia); got {
			case "2001:db8:1::abc", "2001:db8:1::e71":
				t.Errorf("%v: %s", typ, got)
			case "NoAddrsAvail", "NoPrefixAvail", "NoBinding", "":
				t.Errorf("%v: %s", typ, got)
			default:
				p, err := netip.ParsePrefix(got)
				if err == nil && (p.Overlaps(netip.MustParsePrefix("2001:db8:1:c4::/62")) || p.Overlaps(hosts[3].Prefix)) {
					t.Errorf("%v: %s", typ, got)
				}
			}
		}
	}
	l = start(t, withHosts(server.Host{DUIDs: byDUID(duid(5)), HostID: 0xc}), func(s *setup) { s.only("2001:db8:1::1/124") })
	for n := range 20 {
		if got := only(t, l.request(dhcpv6.Request, duid(10+n), na(1)).ias[0]); got == "2001:db8:1::c" {
			t.Errorf("client %d got the host's address", n)
		}
	}
	if got := only(t, l.request(dhcpv6.Request, duid(5), na(1)).ias[0]); got != "2001:db8:1::c" {
		t.Errorf("the host got %s", got)
	}
}

// A host comes into the configuration whose id a dynamic client has: that one is moved with its next Renew, then the host
// gets what is its.
func TestHostIsConfiguredLater(t *testing.T) {
	l := start(t)
	l.request(dhcpv6.Request, duid(1), na(1), pd(1))
	l.Events()
	l.reconfigure(withHosts(server.Host{DUIDs: byDUID(duid(5)), HostID: 0xe71, SubnetID: 0xc4, HasSubnet: true}))
	a := l.request(dhcpv6.Request, duid(5), na(1), pd(1))
	if a1, p1 := only(t, a.ias[0]), only(t, a.ias[1]); a1 == "2001:db8:1::e71" || p1 == "2001:db8:1:c4::/62" || len(a.ias[0].grants()) != 1 || len(a.ias[1].grants()) != 1 {
		t.Errorf("the host meanwhile: %s, %s", a1, p1)
	}
	b := l.request(dhcpv6.Renew, duid(1), na(1, "2001:db8:1::e71"), pd(1, "2001:db8:1:c4::/62"))
	for _, ia := range b.ias {
		if len(ia.grants()) != 1 || len(ia.withdrawn()) != 1 {
			t.Errorf("the dynamic client: %+v", ia)
		}
	}
	b = l.request(dhcpv6.Renew, duid(5), na(1), pd(1))
	if fmt.Sprint(b.ias[0].grants(), b.ias[1].grants()) != "[2001:db8:1::e71] [2001:db8:1:c4::/62]" {
		t.Errorf("the host at last: %+v", b.ias)
	}
	if fmt.Sprint(b.ias[0].withdrawn(), b.ias[1].withdrawn()) != fmt.Sprint(a.ias[0].grants(), a.ias[1].grants()) {
		t.Errorf("the host must give back %v %v, is told %v %v", a.ias[0].grants(), a.ias[1].grants(), b.ias[0].withdrawn(), b.ias[1].withdrawn())
	}
}

func TestHostLeaseTime(t *testing.T) {
	l := start(t, withHosts(
		server.Host{DUIDs: byDUID(duid(5)), LeaseTime: 600},
		server.Host{DUIDs: byDUID(duid(6)), HostID: 0xabc, LeaseTime: dhcpv6.Infinity},
		server.Host{DUIDs: byIAID(duid(7), 2), LeaseTime: 900},
	), func(s *setup) {
		s.lan().LeaseTime, s.lan().MaxPreferred, s.lan().MaxValid = 1000, dhcpv6.Infinity, dhcpv6.Infinity
	})
	for _, tt := range []struct {
		client int
		iaid   uint32
		want   uint32
	}{{5, 1, 600}, {6, 1, dhcpv6.Infinity}, {7, 1, 1000}, {7, 2, 900}, {8, 1, 1000}} {
		k := l.request(dhcpv6.Request, duid(tt.client), na(tt.iaid)).ias[0].leases[0]
		if k.preferred != tt.want || k.valid != tt.want {
			t.Errorf("client %d, IAID %d: %d, %d, want %d", tt.client, tt.iaid, k.preferred, k.valid, tt.want)
		}
	}
}

// Static ids are honoured on every served interface.
func TestHostOnTwoLinks(t *testing.T) {
	l := start(t, withHosts(server.Host{DUIDs: byDUID(duid(5)), HostID: 0xabc, SubnetID: 0x20, HasSubnet: true}),
		func(s *setup) { s.secondLink("2001:db8:2::1/56") })
	for ifindex, want := range map[int]string{2: "[2001:db8:1::abc] [2001:db8:1:20::/62]", 3: "[2001:db8:2::abc] [2001:db8:2:20::/62]"} {
		in := multicast(message(dhcpv6.Request, duid(5), na(1), pd(1)))
		in.Ifindex = ifindex
		out, err := l.handle(in)
		if err != nil {
			t.Fatal(err)
		}
		if a := read(t, out.Payload); fmt.Sprint(a.ias[0].grants(), a.ias[1].grants()) != want {
			t.Errorf("on %d: %+v", ifindex, a.ias)
		}
	}
}

// A host id that is the router's own is not given away.
func TestHostWithOurOwnID(t *testing.T) {
	l := start(t, withHosts(server.Host{DUIDs: byDUID(duid(5)), HostID: 1, HasSubnet: true, SubnetID: 0}))
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew} {
		l.request(typ, duid(5), na(1), pd(1)) // handle looks for our own address and /64
	}
}

func TestFixedPrefixes(t *testing.T) {
	subnet := func(id uint64) server.Host { return server.Host{SubnetID: id, HasSubnet: true} }
	full := func(p string) server.Host { return server.Host{Prefix: netip.MustParsePrefix(p)} }
	tests := []struct {
		name     string
		host     server.Host
		prefixes []string
		minLen   int
		hint     string
		want     string // empty: anything but a fixed one
	}{
		{"subnet id", subnet(0x40), nil, 62, "", "[2001:db8:1:40::/62]"},
		{"subnet id, another length asked for", subnet(0x40), nil, 62, "::/64", "[2001:db8:1:40::/62]"},
		{"subnet id aligned to /63", subnet(0x42), nil, 62, "", "[2001:db8:1:42::/63]"},
		{"odd subnet id", subnet(0x43), nil, 62, "", "[2001:db8:1:43::/64]"},
		{"subnet id with pd_min_len 60", subnet(0x40), nil, 60, "", "[2001:db8:1:40::/60]"},
		{"subnet id with pd_min_len 64", subnet(0x40), nil, 64, "", "[2001:db8:1:40::/64]"},
		{"subnet id under two prefixes", subnet(0x40), []string{"2001:db8:1::1/56", "fd00:1::1/48"}, 62, "",
			"[2001:db8:1:40::/62 fd00:1:0:40::/62]"},
		{"subnet id that fits one of two prefixes", subnet(0x140), []string{"2001:db8:1::1/56", "fd00:1::1/48"}, 62, "",
			"[fd00:1:0:140::/62]"},
		{"prefix", full("2001:db8:1:80::/60"), nil, 62, "", "[2001:db8:1:80::/60]"},
		{"prefix longer than asked for", full("2001:db8:1:81::/64"), nil, 62, "::/62", "[2001:db8:1:81::/64]"},
		{"prefix that is not ours", full("2001:db8:99:80::/60"), nil, 62, "", ""},
		{"prefix that is all of ours", full("2001:db8:1::/56"), nil, 62, "", ""},
		{"prefix with our own /64 in it", full("2001:db8:1::/60"), nil, 62, "", ""},
		{"prefix longer than /64", full("2001:db8:1:80::/72"), nil, 62, "", ""},
		{"subnet id out of range", subnet(1 << 40), nil, 62, "", ""},
		{"largest subnet id", subnet(1<<64 - 1), nil, 62, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.host.DUIDs = byDUID(duid(5))
			l := start(t, withHosts(tt.host), func(s *setup) {
				if s.lan().PDMinLength = tt.minLen; tt.prefixes != nil {
					s.only(tt.prefixes...)
				}
			})
			for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew} {
				ask := pd(1)
				if tt.hint != "" {
					ask = pd(1, tt.hint)
				}
				ia := l.request(typ, duid(5), ask).ias[0]
				if got := fmt.Sprint(ia.grants()); tt.want != "" && got != tt.want {
					t.Errorf("%v: %s, want %s", typ, got, tt.want)
				}
				if len(ia.grants()) == 0 && ia.status != "NoPrefixAvail" {
					t.Errorf("%v: %+v", typ, ia)
				}
			}
		})
	}
}

// A host that has its own prefix keeps it when it asks after a day away.
func TestFixedBindingsAreReadyForTheirHost(t *testing.T) {
	l := start(t, withHosts(server.Host{DUIDs: byDUID(duid(5)), HostID: 0xabc, SubnetID: 0x40, HasSubnet: true}))
	for range 3 {
		a := l.request(dhcpv6.Request, duid(5), na(1), pd(1))
		if fmt.Sprint(a.ias[0].grants(), a.ias[1].grants()) != "[2001:db8:1::abc] [2001:db8:1:40::/62]" {
			t.Errorf("%+v", a.ias)
		}
		l.request(dhcpv6.Release, duid(5), na(1, "2001:db8:1::abc"), pd(1, "2001:db8:1:40::/62"))
		for n := range 20 {
			l.request(dhcpv6.Request, duid(100+n), na(1, "2001:db8:1::abc"), pd(1, "2001:db8:1:40::/62"))
		}
		l.wait(24 * time.Hour)
	}
}
