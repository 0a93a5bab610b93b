package server_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

func withHosts(hosts ...server.Host) func(*setup) {
	return func(s *setup) { s.Hosts = hosts }
}

func byDUID(d ...dhcpv6.DUID) (list []server.HostDUID) {
	for _, d := range d {
		list = append(list, server.HostDUID{DUID: d})
	}
	return list
}

func byIAID(d dhcpv6.DUID, iaid uint32) []server.HostDUID {
	return []server.HostDUID{{DUID: d, IAID: iaid, HasIAID: true}}
}

// duids of client n, all of its MAC.
func duidLLT(n int) dhcpv6.DUID {
	m := mac(n)
	return append(dhcpv6.DUID{0, 1, 0, 1, 0x2a, 0x2b, 0x2c, 0x2d}, m[:]...)
}

func duidUUID(n int) dhcpv6.DUID {
	return binary.BigEndian.AppendUint32(append(dhcpv6.DUID{0, 4}, make([]byte, 12)...), uint32(n))
}

func linkLayer(n int) []byte {
	m := mac(n)
	return option(dhcpv6.OptionClientLinkLayer, []byte{0, 1}, m[:])
}

// only is the one address or prefix granted in the IA, or the status.
func only(t testing.TB, ia answerIA) string {
	t.Helper()
	switch g := ia.grants(); {
	case len(g) == 1:
		return g[0]
	case len(g) > 1:
		t.Errorf("granted %v", g)
	}
	return ia.status
}

// requestRelayed is request through a relay agent that adds options.
func (l *lab) requestRelayed(t dhcpv6.MessageType, client dhcpv6.DUID, relayOption []byte, options ...[]byte) answer {
	l.Helper()
	in := relay(netip.MustParseAddr("2001:db8:1::9"), message(t, client, options...), relayOption)
	out, err := l.handle(multicast(in))
	if err != nil {
		l.Fatalf("no answer: %v", err)
	}
	_, inner := checkRelays(l, in, out.Payload)
	return read(l, inner)
}

func TestHostIsFound(t *testing.T) {
	const fixed = "2001:db8:1::abc"
	tests := []struct {
		name  string
		host  server.Host
		duid  dhcpv6.DUID
		iaid  uint32
		relay []byte // option of the relay agent's
		want  bool
	}{
		{"DUID", server.Host{DUIDs: byDUID(duid(5))}, duid(5), 1, nil, true},
		{"DUID, any IAID", server.Host{DUIDs: byDUID(duid(5))}, duid(5), 0xffffffff, nil, true},
		{"one of two DUIDs", server.Host{DUIDs: byDUID(duidUUID(4), duid(5))}, duid(5), 1, nil, true},
		{"another DUID", server.Host{DUIDs: byDUID(duid(5))}, duid(6), 1, nil, false},
		{"another DUID of the same MAC", server.Host{DUIDs: byDUID(duid(5))}, duidLLT(5), 1, nil, false},
		{"DUID and IAID", server.Host{DUIDs: byIAID(duid(5), 7)}, duid(5), 7, nil, true},
		{"DUID and IAID 0", server.Host{DUIDs: byIAID(duid(5), 0)}, duid(5), 0, nil, true},
		{"DUID and another IAID", server.Host{DUIDs: byIAID(duid(5), 7)}, duid(5), 8, nil, false},
		{"MAC in a DUID-LL", server.Host{MACs: [][6]byte{mac(5)}}, duid(5), 1, nil, true},
		{"MAC in a DUID-LLT", server.Host{MACs: [][6]byte{mac(5)}}, duidLLT(5), 1, nil, true},
		{"second MAC", server.Host{MACs: [][6]byte{mac(4), mac(5)}}, duidLLT(5), 1, nil, true},
		{"another MAC", server.Host{MACs: [][6]byte{mac(5)}}, duidLLT(6), 1, nil, false},
		{"MAC at the end of a DUID-UUID is none", server.Host{MACs: [][6]byte{{0, 0, 0, 0, 0, 5}}}, duidUUID(5), 1, nil, false},
		{"MAC of another hardware type", server.Host{MACs: [][6]byte{mac(5)}}, append(dhcpv6.DUID{0, 3, 0, 27}, duid(5)[4:]...), 1, nil, false},
		{"MAC from the relay agent", server.Host{MACs: [][6]byte{mac(5)}}, duidUUID(9), 1, linkLayer(5), true},
		{"another MAC from the relay agent", server.Host{MACs: [][6]byte{mac(5)}}, duidUUID(9), 1, linkLayer(6), false},
		{"MAC from the relay agent, DUID of another host's MAC", server.Host{MACs: [][6]byte{mac(5)}}, duid(6), 1, linkLayer(5), true},
		{"MAC of another hardware type from the relay agent", server.Host{MACs: [][6]byte{mac(5)}}, duidUUID(9), 1,
			option(dhcpv6.OptionClientLinkLayer, []byte{0, 6}, duid(5)[4:]), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.host.HostID, tt.host.Name = 0xabc, "box"
			l := start(t, withHosts(tt.host))
			for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew} {
				var a answer
				if tt.relay != nil {
					a = l.requestRelayed(typ, tt.duid, tt.relay, na(tt.iaid))
				} else {
					a = l.request(typ, tt.duid, na(tt.iaid))
				}
				got := only(t, a.ias[0])
				if (got == fixed) != tt.want {
					t.Errorf("%v: %s", typ, got)
				}
			}
			b := l.Table().Link("lan").Lookup(tt.duid, tt.iaid, lease.Address)
			if (b.Hostname == "box") != tt.want || b.Fixed != tt.want {
				t.Errorf("binding: name %q, fixed %v", b.Hostname, b.Fixed)
			}
		})
	}
}

// The host with DUID and IAID comes first, then the one with the DUID, then the one with the MAC.
func TestHostPrecedence(t *testing.T) {
	l := start(t, withHosts(
		server.Host{MACs: [][6]byte{mac(5)}, HostID: 0xa},
		server.Host{DUIDs: byDUID(duid(5)), HostID: 0xb},
		server.Host{DUIDs: byIAID(duid(5), 7), HostID: 0xc},
		// Of two entries for the same the first counts.
		server.Host{MACs: [][6]byte{mac(5)}, HostID: 0xaa},
		server.Host{DUIDs: byDUID(duid(5)), HostID: 0xbb},
		server.Host{DUIDs: byIAID(duid(5), 7), HostID: 0xcc},
	))
	for _, tt := range []struct {
		duid dhcpv6.DUID
		iaid uint32
		want string
	}{{duid(5), 7, "2001:db8:1::c"}, {duid(5), 1, "2001:db8:1::b"}, {duidLLT(5), 7, "2001:db8:1::a"}} {
		if got := only(t, l.request(dhcpv6.Request, tt.duid, na(tt.iaid)).ias[0]); got != tt.want {
			t.Errorf("%x, IAID %d: %s, want %s", tt.duid, tt.iaid, got, tt.want)
		}
	}
}

// Client Link-Layer Address options of odd lengths name no host.
func TestLinkLayerOptionLengths(t *testing.T) {
	l := start(t, withHosts(server.Host{MACs: [][6]byte{{}, mac(5)}, HostID: 0xabc}))
	for _, n := range []int{0, 1, 2, 3, 7, 9, 10, 18, 19, 300} {
		data := make([]byte, n)
		if n > 1 {
			data[1] = 1
		}
		a := l.requestRelayed(dhcpv6.Request, duidUUID(n+1), option(dhcpv6.OptionClientLinkLayer, data), na(1))
		if got := only(t, a.ias[0]); got == "2001:db8:1::abc" {
			t.Errorf("link-layer address of %d octets: %s", n-2, got)
		}
	}
}

// A client adds a Client Link-Layer Address of its own: only relay agents may speak for it (RFC 6939, section 5).
func TestLinkLayerOptionFromClient(t *testing.T) {
	l := start(t, withHosts(server.Host{MACs: [][6]byte{mac(5)}, HostID: 0xabc}))
	if got := only(t, l.request(dhcpv6.Request, duidUUID(9), na(1), linkLayer(5)).ias[0]); got == "2001:db8:1::abc" {
		t.Error("a client took a host's address by claiming its MAC")
	}
}

// The relay agent nearest to the client saw its link-layer address.
func TestLinkLayerOptionOfOuterRelay(t *testing.T) {
	link := netip.MustParseAddr("2001:db8:1::9")
	l := start(t, withHosts(server.Host{MACs: [][6]byte{mac(5)}, HostID: 0xabc}))
	in := relay(link, relay(link, message(dhcpv6.Request, duidUUID(9), na(1))), linkLayer(5))
	out, err := l.handle(multicast(in))
	if err != nil {
		t.Fatal(err)
	}
	_, inner := checkRelays(t, in, out.Payload)
	if got := only(t, read(t, inner).ias[0]); got == "2001:db8:1::abc" {
		t.Error("the MAC that an outer relay agent gives is its neighbour's, not the client's")
	}
}

// A host's other IAID or DUID takes its address over.
func TestHostTakesOver(t *testing.T) {
	for _, host := range []server.Host{
		{DUIDs: byDUID(duidUUID(5), duidUUID(6)), HostID: 0xabc, SubnetID: 0x40, HasSubnet: true},
		{MACs: [][6]byte{mac(5)}, HostID: 0xabc, SubnetID: 0x40, HasSubnet: true},
	} {
		first, second := duidUUID(5), duidUUID(6)
		if len(host.MACs) > 0 {
			first, second = duid(5), duidLLT(5)
		}
		l := start(t, withHosts(host))
		for _, who := range []struct {
			duid dhcpv6.DUID
			iaid uint32
		}{{first, 1}, {first, 2}, {second, 1}, {first, 1}} {
			for _, typ := range []dhcpv6.MessageType{dhcpv6.Request, dhcpv6.Renew} {
				a := l.request(typ, who.duid, na(who.iaid), pd(who.iaid))
				if a1, p1 := only(t, a.ias[0]), only(t, a.ias[1]); a1 != "2001:db8:1::abc" || p1 != "2001:db8:1:40::/62" {
					t.Errorf("%x, IAID %d: %s, %s", who.duid, who.iaid, a1, p1)
				}
				l.wantKept(who.duid, a)
			}
		}
	}
}

// Two IAs of a host in one message cannot both have its address: one gets it, the other one of its own, again and again.
func TestHostWithTwoIAs(t *testing.T) {
	l := start(t, withHosts(server.Host{DUIDs: byDUID(duid(5)), HostID: 0xabc, SubnetID: 0x40, HasSubnet: true}))
	l.request(dhcpv6.Request, duid(5), na(1), pd(1))
	var before string
	for i := range 6 {
		typ := []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew}[i%3]
		a := l.request(typ, duid(5), na(1), na(2), pd(1), pd(2)) // handle looks for addresses given twice
		if typ != dhcpv6.Solicit {
			l.wantKept(duid(5), a)
		}
		if got := fmt.Sprint(a.ias[0].grants(), a.ias[1].grants(), a.ias[2].grants(), a.ias[3].grants()); before != "" && got != before {
			t.Errorf("%v: had %s, gets %s", typ, before, got)
		} else {
			before = got
		}
		for _, ia := range a.ias {
			only(t, ia)
		}
	}
	// In the other order, too, the one that has it keeps it.
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew} {
		a := l.request(typ, duid(5), na(2), na(1), pd(2), pd(1))
		if got := fmt.Sprint(a.ias[1].grants(), a.ias[0].grants(), a.ias[3].grants(), a.ias[2].grants()); got != before {
			t.Errorf("%v in the other order: had %s, gets %s", typ, before, got)
		}
	}
}

// A host's message of thousands of IAs, the one that holds its address last, is no more work than any other of that size.
func TestHostWithThousandsOfIAs(t *testing.T) {
	l := start(t, withHosts(server.Host{DUIDs: byDUID(duid(5)), HostID: 0xabc}))
	l.request(dhcpv6.Request, duid(5), na(9999))
	l.Events()
	var options [][]byte
	for i := range uint32(4000) {
		options = append(options, na(i))
	}
	before := time.Now()
	l.wantDropOf(multicast(message(dhcpv6.Renew, duid(5), append(options, na(9999))...)), server.DropReplyTooLong)
	if took := time.Since(before); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	l.wantEvents()
	if got := only(t, l.request(dhcpv6.Renew, duid(5), na(9999)).ias[0]); got != "2001:db8:1::abc" {
		t.Errorf("the host has %s", got)
	}
}

// A Solicit promises nothing, so it takes nothing away: the host's binding stays with the IAID that holds it.
func TestSolicitTakesNothingOver(t *testing.T) {
	l := start(t, withHosts(server.Host{DUIDs: byDUID(duid(5), duid(6)), HostID: 0xabc}))
	l.request(dhcpv6.Request, duid(5), na(1))
	if got := only(t, l.request(dhcpv6.Solicit, duid(6), na(1)).ias[0]); got != "2001:db8:1::abc" {
		t.Errorf("offered %s", got)
	}
	if b := l.Table().Link("lan").Lookup(duid(5), 1, lease.Address); b == nil || b.State != lease.Bound {
		t.Error("a Solicit took the address from the client that is bound to it")
	}
	if got := only(t, l.request(dhcpv6.Request, duid(6), na(1, "2001:db8:1::abc")).ias[0]); got != "2001:db8:1::abc" {
		t.Errorf("granted %s", got)
	}
}

func TestIgnoredHosts(t *testing.T) {
	tests := []struct {
		name  string
		host  server.Host
		duid  dhcpv6.DUID
		relay []byte
		want  bool
	}{
		{"DUID", server.Host{DUIDs: byDUID(duid(5))}, duid(5), nil, true},
		{"another DUID", server.Host{DUIDs: byDUID(duid(6))}, duid(5), nil, false},
		{"DUID and IAID", server.Host{DUIDs: byIAID(duid(5), 1)}, duid(5), nil, true},
		{"DUID and another IAID", server.Host{DUIDs: byIAID(duid(5), 2)}, duid(5), nil, false},
		{"MAC", server.Host{MACs: [][6]byte{mac(5)}}, duidLLT(5), nil, true},
		{"MAC from the relay agent", server.Host{MACs: [][6]byte{mac(5)}}, duidUUID(5), linkLayer(5), true},
	}
	for _, tt := range tests {
		tt.host.Ignore = true
		for typ := range answersTo {
			l := start(t, withHosts(tt.host))
			options := [][]byte{na(1, "2001:db8:1::e71")}
			if typ == dhcpv6.InformationRequest {
				options = nil
			}
			if typ == dhcpv6.InformationRequest && tt.host.DUIDs != nil && tt.host.DUIDs[0].HasIAID {
				continue
			}
			in := multicast(message(typ, tt.duid, options...))
			if tt.relay != nil {
				in = multicast(relay(netip.MustParseAddr("2001:db8:1::9"), in.Payload, tt.relay))
			}
			if tt.want {
				l.wantDropOf(in, server.DropIgnored)
			} else if _, err := l.handle(in); err != nil {
				t.Errorf("%s: %v: %v", tt.name, typ, err)
			}
		}
	}
	// The entry for one IA goes before the entry for the client.
	l := start(t, withHosts(server.Host{DUIDs: byDUID(duid(5)), Ignore: true}, server.Host{DUIDs: byIAID(duid(5), 7), HostID: 0xabc}))
	if got := only(t, l.request(dhcpv6.Request, duid(5), na(7)).ias[0]); got != "2001:db8:1::abc" {
		t.Errorf("IA 7 gets %s", got)
	}
	l.wantDropOf(multicast(message(dhcpv6.Request, duid(5), na(8))), server.DropIgnored)
	l.wantDropOf(multicast(message(dhcpv6.InformationRequest, duid(5))), server.DropIgnored)
}
