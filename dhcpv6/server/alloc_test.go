package server_test

import (
	"fmt"
	"net/netip"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/server"
)

// hot are the messages of a client that has a binding: nothing on their way may allocate.
var hot = []dhcpv6.MessageType{
	dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.InformationRequest, dhcpv6.Confirm,
}

// usual is what a client sends beside identifiers and IAs.
func usual() [][]byte {
	return [][]byte{
		option(dhcpv6.OptionElapsedTime, []byte{0, 0}),
		option(dhcpv6.OptionORO, []byte{0, 23, 0, 24, 0, 39, 0, 82, 0, 83, 0, 32, 0, 56, 0, 31, 0, 41, 0, 42, 0, 144, 0, 103}),
		option(dhcpv6.OptionClientFQDN, []byte{1, 4, 'h', 'o', 's', 't'}),
		option(dhcpv6.OptionVendorClass, []byte{0, 0, 1, 55, 0, 1, 'x'}),
		option(dhcpv6.OptionClientArch, []byte{0, 7}),
	}
}

func TestAllocations(t *testing.T) {
	tests := []struct {
		name    string
		change  func(*setup)
		client  dhcpv6.DUID
		relayed int
	}{
		{"dynamic", func(*setup) {}, duid(1), 0},
		{"two prefixes and all options", func(s *setup) { everyOption(s); s.address(0, "fd00:1::1/48") }, duid(1), 0},
		{"relayed", func(*setup) {}, duid(1), 1},
		{"relayed eight times", func(*setup) {}, duid(1), 8},
		{"host by DUID", withHosts(server.Host{Name: "box", DUIDs: byDUID(duid(9), duid(1)), HostID: 0xabc, HasSubnet: true, SubnetID: 0x40}), duid(1), 0},
		{"host by DUID and IAID", withHosts(server.Host{Name: "box", DUIDs: byIAID(duid(1), 1), HostID: 0xabc, Prefix: netip.MustParsePrefix("2001:db8:1:40::/60")}), duid(1), 0},
		{"host by MAC", withHosts(server.Host{Name: "box", MACs: [][6]byte{mac(9), mac(5)}, HostID: 0xabc}), duidLLT(5), 0},
		{"host by MAC from the relay agent", withHosts(server.Host{Name: "box", MACs: [][6]byte{mac(5)}, HostID: 0xabc}), duidUUID(5), 1},
		{"among other hosts", func(s *setup) {
			for n := range 1000 {
				s.Hosts = append(s.Hosts, server.Host{Name: fmt.Sprint("h", n), DUIDs: byDUID(duid(100 + n)), MACs: [][6]byte{mac(2000 + n)}, HostID: uint64(0x100 + n)})
			}
		}, duid(1), 0},
		{"a filter and a domain", func(s *setup) { s.lan().FilterClass = "x"; s.lan().Search = []string{"lan"} }, duid(1), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, tt.change)
			for _, typ := range append(hot, dhcpv6.Request) {
				in := multicast(hotMessage(typ, tt.client, tt.relayed))
				l.Handle(l.now, multicast(hotMessage(dhcpv6.Request, tt.client, tt.relayed)), l.buf)
				l.Events()
				if _, err := l.handle(in); err != nil {
					t.Fatalf("%v: %v", typ, err)
				}
				got := testing.AllocsPerRun(100, func() {
					if _, err := l.Handle(l.now, in, l.buf); err != nil {
						t.Error(err)
					}
					for _, e := range l.Events() {
						_ = e.Kind
					}
				})
				if got != 0 {
					t.Errorf("%v: %v allocations", typ, got)
				}
			}
		})
	}
}

// hotMessage is a client's message naming what it has, relayed so many times.
func hotMessage(typ dhcpv6.MessageType, client dhcpv6.DUID, relayed int) []byte {
	options := usual()
	switch typ {
	case dhcpv6.InformationRequest:
	case dhcpv6.Confirm:
		options = append(options, na(1, "2001:db8:1::e71"))
	default:
		options = append(options, na(1), pd(1))
	}
	b := message(typ, client, options...)
	for range relayed {
		b = relay(netip.MustParseAddr("2001:db8:1::9"), b, linkLayer(5), option(dhcpv6.OptionInterfaceID, []byte("eth0")),
			option(dhcpv6.OptionRemoteID, []byte{0, 0, 0, 9, 1}), option(dhcpv6.OptionERO, []byte{0, 37}))
	}
	return b
}

// Nor does it with a client that accepts Reconfigure, be its key told again or not.
func TestAllocationsOfReconfigure(t *testing.T) {
	for _, relayed := range []int{0, 1, 8} {
		l := start(t, reconfigures)
		for _, typ := range []dhcpv6.MessageType{
			dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.Solicit, dhcpv6.InformationRequest, dhcpv6.Request,
		} {
			in := multicast(accepting(typ, relayed))
			if _, err := l.handle(in); err != nil {
				t.Fatalf("%v: %v", typ, err)
			}
			l.changes()
			got := testing.AllocsPerRun(100, func() {
				if _, err := l.Handle(l.now, in, l.buf); err != nil {
					t.Error(err)
				}
				l.Events()
			})
			if got != 0 {
				t.Errorf("%v, relayed %d times: %v allocations", typ, relayed, got)
			}
			if bound, _ := l.Clients(); bound != 1 {
				t.Errorf("%v, relayed %d times: %d clients", typ, relayed, bound)
			}
		}
	}
}

// accepting is hotMessage of client A with a Reconfigure Accept.
func accepting(typ dhcpv6.MessageType, relayed int) []byte {
	options := append(usual(), acceptOption())
	if typ != dhcpv6.InformationRequest {
		options = append(options, na(1), pd(1))
	}
	b := message(typ, duid(1), options...)
	for range relayed {
		b = relay(netip.MustParseAddr("2001:db8:1::9"), b, option(dhcpv6.OptionInterfaceID, []byte("eth0")))
	}
	return b
}

// A packet that is dropped costs no allocation either: a flood of them is no burden.
func TestAllocationsOfDrops(t *testing.T) {
	l := start(t, withHosts(server.Host{DUIDs: byDUID(duid(7)), Ignore: true}))
	for _, in := range [][]byte{
		nil, {1}, {1, 2, 3, 4}, {12, 0}, nested(9, nil), message(dhcpv6.Advertise, duid(1)), message(dhcpv6.Solicit, ourID),
		message(dhcpv6.Solicit, duid(7), na(1)), message(dhcpv6.Rebind, duid(1), na(1)), message(dhcpv6.Confirm, duid(1)),
		message(dhcpv6.Solicit, nil), append(message(dhcpv6.Solicit, duid(1)), 0, 3, 0, 1, 0), message(dhcpv6.InformationRequest, duid(1), na(1)),
	} {
		d := multicast(in)
		if got := testing.AllocsPerRun(20, func() {
			if _, err := l.Handle(l.now, d, l.buf); err == nil {
				t.Errorf("answer to %x", in)
			}
		}); got != 0 {
			t.Errorf("%v allocations for %x", got, in)
		}
	}
}

// The caller's datagram may be overwritten as soon as Handle has returned: what the server keeps it has copied.
func TestInputIsNotKept(t *testing.T) {
	l := start(t)
	in := message(dhcpv6.Request, duid(1), na(1), pd(1), option(dhcpv6.OptionClientFQDN, []byte{0, 4, 'h', 'o', 's', 't'}))
	l.ask(in)
	for i := range in {
		in[i] = 0xee
	}
	for i := range l.buf {
		l.buf[i] = 0xdd
	}
	e := l.Events()
	if len(e) != 2 || e[0].Key.DUID != string(duid(1)) || e[0].Hostname != "host" {
		t.Errorf("events %+v", e)
	}
	l.want(`05 a1b2c3`+fromA+toUs+nameNA1+namePD1, `07 a1b2c3`+fromA+byUs+grantNA1+grantPD1)
}

// And it is not written to: the same octets may be needed for another reader.
func TestInputIsNotChanged(t *testing.T) {
	for _, s := range dhcpv6test.Corpus(t) {
		before := string(s.Payload)
		l := start(t, everyOption)
		l.Handle(l.now, datagram(s), l.buf)
		if string(s.Payload) != before {
			t.Errorf("%s was changed", s.Name)
		}
	}
}
