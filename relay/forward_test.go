package relay_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/relay"
)

// Sections 19.1.1 and 19.1.2; RFC 4580, 4649, 5460, 6939, 8357.
func TestForward(t *testing.T) {
	const (
		relayMessage = `0009 0022 ` + solicit
		near         = `0c 00 20010db8000500000000000000000001 fe80000000000000000000000000cccc # from a relay agent
	0012 0002 6931                                                 # its Interface-Id "i1"
	` + relayMessage
		nearPort = `0c 00 20010db8000500000000000000000001 fe80000000000000000000000000cccc
	0087 0002 0000                                                 # its Relay Source Port
	` + relayMessage
	)
	tests := []struct {
		name   string
		change func(*setup)
		source string // [fe80::1001]:546
		in     string
		want   string
	}{
		{name: "client",
			in:   solicit,
			want: `0c 00` + onLAN + fromClient + inLAN + relayMessage},
		{name: "client at another port", source: "[fe80::1001]:12345",
			in:   solicit,
			want: `0c 00` + onLAN + fromClient + inLAN + relayMessage},
		{name: "client with a global address", source: "[2001:db8:1::abcd]:546",
			in:   solicit,
			want: `0c 00` + onLAN + `20010db800010000000000000000abcd` + inLAN + relayMessage},
		{name: "stray octets behind the last option are relayed as they are",
			in:   solicit + `0000 00`,
			want: `0c 00` + onLAN + fromClient + inLAN + `0009 0025` + solicit + `0000 00`},
		{name: "relay agent with a link-local address", source: "[fe80::1001]:547",
			in:   near,
			want: `0c 01` + onLAN + fromClient + inLAN + `0009 004e` + near},
		{name: "relay agent with a global address", source: "[2001:db8:1::5]:547",
			in:   near,
			want: `0c 01` + nowhere + `20010db8000100000000000000000005` + inLAN + `0009 004e` + near},
		{name: "relay agent with a unique local address", source: "[fd00:1::5]:547",
			in:   near,
			want: `0c 01` + nowhere + `fd000001000000000000000000000005` + inLAN + `0009 004e` + near},
		{name: "hop count 7", source: "[fe80::1001]:547",
			in: `0c 07` + nowhere + fromClient + relayMessage,
			want: `0c 08` + onLAN + fromClient + inLAN + `
				0009 0048 0c 07` + nowhere + fromClient + relayMessage},
		{name: "relay agent that wants to be answered at its port", source: "[fe80::1001]:12345", // RFC 8357
			in:   nearPort,
			want: `0c 01` + onLAN + fromClient + inLAN + `0087 0002 3039` + `0009 004e` + nearPort},
		{name: "relay agent that says so and has the usual port", source: "[fe80::1001]:547",
			in:   nearPort,
			want: `0c 01` + onLAN + fromClient + inLAN + `0009 004e` + nearPort},
		{name: "relay agent at another port that does not say so", source: "[fe80::1001]:12345",
			in:   near,
			want: `0c 01` + onLAN + fromClient + inLAN + `0009 004e` + near},
		{name: "all options for a client", source: "[fe80::211:22ff:fe33:4455]:546",
			change: allOptions,
			in:     solicit,
			want: `0c 00` + onLAN + `fe80000000000000021122fffe334455` + inLAN + `
				0025 0007 00007ed9 706f72                              # Remote-Id of enterprise 32473: "por"
				0026 0002 7331                                         # Subscriber-Id "s1"
				0035 000a 0003 0001 0200000000ee                       # Relay-Id
				004f 0008 0001 001122334455                            # Client Link-Layer Address
				` + relayMessage},
		{name: "all options for a relay agent", source: "[fe80::211:22ff:fe33:4455]:547",
			change: allOptions,
			in:     near,
			want: `0c 01` + onLAN + `fe80000000000000021122fffe334455` + inLAN + `
				0025 0007 00007ed9 706f72
				0026 0002 7331
				0035 000a 0003 0001 0200000000ee
				0009 004e` + near},
		{name: "link-layer address of a neighbour",
			change: func(s *setup) {
				s.lan().ClientLinkLayer = true
				s.LinkLayer = func(ifindex int, a netip.Addr) (uint16, []byte) {
					if ifindex != lan || a != netip.MustParseAddr("fe80::1001") {
						return 0, nil
					}
					return 27, []byte{1, 2, 3, 4, 5, 6, 7, 8}
				}
			},
			in:   solicit,
			want: `0c 00` + onLAN + fromClient + inLAN + `004f 000a 001b 0102030405060708` + relayMessage},
		{name: "no neighbour",
			change: func(s *setup) {
				s.lan().ClientLinkLayer = true
				s.LinkLayer = func(int, netip.Addr) (uint16, []byte) { return 1, nil }
			},
			in:   solicit,
			want: `0c 00` + onLAN + fromClient + inLAN + relayMessage},
		{name: "source made from somebody else's link-layer address", source: "[fe80::11:22ff:fe33:4455]:546",
			change: func(s *setup) {
				s.lan().ClientLinkLayer = true
				s.LinkLayer = func(int, netip.Addr) (uint16, []byte) { return 1, []byte{2, 0, 0, 0, 0, 0x66} }
			},
			in:   solicit,
			want: `0c 00` + onLAN + `fe80000000000000001122fffe334455` + inLAN + `004f 0008 0001 020000000066` + relayMessage},
		{name: "no neighbour, and a source made from a link-layer address", source: "[fe80::11:22ff:fe33:4455]:546",
			change: func(s *setup) {
				s.lan().ClientLinkLayer = true
				s.LinkLayer = func(int, netip.Addr) (uint16, []byte) { return 0, nil }
			},
			in:   solicit,
			want: `0c 00` + onLAN + `fe80000000000000001122fffe334455` + inLAN + `004f 0008 0001 021122334455` + relayMessage},
		{name: "interface id of a group's address is no EUI-64", source: "[fe80::311:22ff:fe33:4455]:546",
			change: func(s *setup) { s.lan().ClientLinkLayer = true },
			in:     solicit,
			want:   `0c 00` + onLAN + `fe80000000000000031122fffe334455` + inLAN + relayMessage},
		{name: "message of a type to come",
			in:   `24 a1b2c3 0001 0001 ff ffff ffff`,
			want: `0c 00` + onLAN + fromClient + inLAN + `0009 000d 24 a1b2c3 0001 0001 ff ffff ffff`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, func(s *setup) {
				if tt.change != nil {
					tt.change(s)
				}
			})
			in := from(host(1), dhcpv6test.Hex(t, tt.in))
			if tt.source != "" {
				in.Peer = netip.MustParseAddrPort(tt.source)
			}
			l.wantForward(in, tt.want, "4 [ff05::1:3]:547 from 2001:db8:ffff::2")
			if c := l.Counters(); c.Forwarded != 1 || c.Copies != 1 {
				t.Errorf("%d forwarded, %d copies", c.Forwarded, c.Copies)
			}
		})
	}
}

func allOptions(s *setup) {
	i := s.lan()
	i.RemoteID = &relay.RemoteID{Enterprise: 32473, ID: []byte("por")}
	i.SubscriberID, i.ClientLinkLayer = []byte("s1"), true
	s.RelayID = dhcpv6.NewDUIDLL(1, []byte{2, 0, 0, 0, 0, 0xee})
}

// Each client-side interface has its own options and link-address.
func TestForwardFromAnotherInterface(t *testing.T) {
	l := start(t, allOptions)
	in := from(host(1), dhcpv6test.Hex(t, solicit))
	in.Ifindex = guest
	l.wantForward(in, `0c 00 20010db8000200000000000000000001`+fromClient+`0012 0005 6775657374
		0035 000a 0003 0001 0200000000ee
		0009 0022`+solicit)
}

// A Relay-forward may come by unicast, and so may what nobody knows; a client's message may not.
func TestUnicast(t *testing.T) {
	relayed := wrap(dhcpv6.RelayForward, 0, "2001:db8:5::1", "fe80::1", dhcpv6test.Hex(t, solicit))
	in := from(host(1), message(dhcpv6.Solicit))
	in.Local = netip.Addr{} // nobody knows
	if err := start(t).pass(in); err != nil {
		t.Error(err)
	}
	for _, local := range []string{"2001:db8:1::1", "fe80::1"} {
		for kind := range 256 {
			l := start(t)
			in := from(host(1), message(dhcpv6.MessageType(kind)))
			in.Local = netip.MustParseAddr(local)
			switch kind {
			case 1, 3, 4, 5, 6, 8, 9, 11:
				l.wantDrop(in, relay.DropUnicast)
			case 2, 7, 10, 13:
				l.wantDrop(in, relay.DropMessageType)
			case 12:
				in.Payload = relayed
				fallthrough
			default:
				if err := l.pass(in); err != nil {
					t.Errorf("message type %d to %s: %v", kind, local, err)
				}
			}
		}
	}
}

// What only servers send does not come from the client side, whatever is around it; all else does, unknown types too.
func TestForwardTypes(t *testing.T) {
	for kind := range 256 {
		bare := message(dhcpv6.MessageType(kind))
		for depth := range 3 {
			l := start(t)
			in := from(host(1), nested(dhcpv6.RelayForward, depth, bare))
			switch kind {
			case 2, 7, 10, 13:
				l.wantDrop(in, relay.DropMessageType)
			case 12:
				l.wantDrop(in, relay.DropMalformed) // cut short
			default:
				if err := l.pass(in); err != nil {
					t.Errorf("message type %d relayed %d times: %v", kind, depth, err)
				}
			}
		}
	}
	l := start(t)
	l.wantDrop(from(host(1), wrap(dhcpv6.RelayForward, 1, "::", "fe80::1", nested(dhcpv6.RelayReply, 1, message(dhcpv6.Solicit)))), relay.DropMessageType)
}

func TestForwardDrops(t *testing.T) {
	bare := message(dhcpv6.Solicit)
	relayed := wrap(dhcpv6.RelayForward, 0, "2001:db8:5::1", "fe80::aaaa", bare)
	at := func(source string, payload []byte) relay.Datagram { return from(netip.MustParseAddr(source), payload) }
	on := func(ifindex int) relay.Datagram {
		in := from(host(1), bare)
		in.Ifindex = ifindex
		return in
	}
	tests := []struct {
		name string
		in   relay.Datagram
		want relay.Drop
	}{
		{"on an interface without a part", on(idle), relay.DropNotClientSide},
		{"on no interface", on(0), relay.DropNotClientSide},
		{"on an unknown interface", on(99), relay.DropNotClientSide},
		{"from nobody", at("::", bare), relay.DropSource},
		{"from a group", at("ff02::1:2", bare), relay.DropSource},
		{"from the loopback address", at("::1", bare), relay.DropSource},
		{"from an IPv4 address", at("::ffff:192.0.2.1", bare), relay.DropSource},
		{"from our link-local address", at("fe80::1", bare), relay.DropLooped},
		{"from our address on another interface", at("2001:db8:ffff::2", relayed), relay.DropLooped},
		{"from our address on an interface without a part", at("2001:db8:6::1", relayed), relay.DropLooped},
		{"with our link-address", at("fe80::99", wrap(dhcpv6.RelayForward, 0, "2001:db8:2::1", "fe80::aaaa", bare)), relay.DropLooped},
		{"hop count 8", at("fe80::99", wrap(dhcpv6.RelayForward, 8, "::", "fe80::aaaa", bare)), relay.DropHopCount},
		{"hop count 255", at("fe80::99", wrap(dhcpv6.RelayForward, 255, "::", "fe80::aaaa", bare)), relay.DropHopCount},
		{"no Relay Message", at("fe80::99", relayed[:34]), relay.DropRelayMessage},
		{"two Relay Messages", at("fe80::99", append(bytes.Clone(relayed), option(dhcpv6.OptionRelayMsg, bare)...)), relay.DropRelayMessage},
		{"two in the inner one", at("fe80::99", wrap(dhcpv6.RelayForward, 1, "::", "fe80::aaaa",
			append(bytes.Clone(relayed), option(dhcpv6.OptionRelayMsg, bare)...))), relay.DropRelayMessage},
		{"option past the end", at("fe80::99", append(bytes.Clone(bare), 0, 1, 0, 1)), relay.DropMalformed}, // sonic-buildimage#9690
		{"option past the end, relayed", at("fe80::99", relayed[:len(relayed)-1]), relay.DropMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t)
			l.wantDrop(tt.in, tt.want)
			if n := l.Counters().Forwarded; n != 0 {
				t.Errorf("%d forwarded", n)
			}
		})
	}
}

// Neither is for Forward: what arrives on an upstream interface, nor for Return: what arrives on any other.
func TestDirections(t *testing.T) {
	l := start(t)
	in := from(host(1), message(dhcpv6.Solicit))
	in.Ifindex = wan
	if _, _, err := l.forward(in); err != relay.DropNotClientSide {
		t.Errorf("Forward on an upstream interface: %v", err)
	}
	l.wantDrop(in, relay.DropMessageType)
	back := upstream(wrap(dhcpv6.RelayReply, 0, "::", host(1).String(), message(dhcpv6.Reply), option(dhcpv6.OptionInterfaceID, []byte("lan"))))
	for _, ifindex := range []int{lan, guest, idle, 0, 99} {
		back.Ifindex = ifindex
		if _, err := l.giveBack(back); err != relay.DropNotUpstream {
			t.Errorf("Return on interface %d: %v", ifindex, err)
		}
	}
	back.Ifindex = lan
	l.wantDrop(back, relay.DropMessageType)
}

// The headers are counted, whatever hop-count says (odhcpd ee0a11f).
func TestForwardNesting(t *testing.T) {
	bare := message(dhcpv6.Solicit)
	for _, depth := range []int{0, 1, 7, 8, 9, 10, 32, 33, 200, 1000} {
		b := bare
		for range depth {
			b = wrap(dhcpv6.RelayForward, 0, "::", "fe80::aaaa", b)
		}
		l := start(t)
		if depth > 8 {
			l.wantDrop(from(host(1), b), relay.DropNesting)
		} else if err := l.pass(from(host(1), b)); err != nil {
			t.Errorf("relayed %d times: %v", depth, err)
		}
	}
}

// What grows past a Relay Message's 65535 octets or a datagram's 65527 is not sent, nor is it cut (odhcpd 5b1e3be).
func TestForwardTooLong(t *testing.T) {
	const head = 34 + 4 + 3 + 4 // of the Relay-forward, its Interface-Id and its Relay Message
	for _, size := range []int{65527 - head, 65527 - head + 1, 65527, 65535, 70000} {
		b := message(dhcpv6.Solicit, option(dhcpv6.OptionUserClass, make([]byte, 30000)), option(dhcpv6.OptionUserClass, make([]byte, size-30000-4-4-4)))
		for _, room := range []int{65527, 1 << 18} {
			l := start(t)
			l.buf = make([]byte, room)
			if size > 65527-head {
				l.wantDrop(from(host(1), b), relay.DropTooLong)
			} else if err := l.pass(from(host(1), b)); err != nil {
				t.Errorf("%d octets: %v", size, err)
			}
		}
	}
	l := start(t)
	for l.buf = l.buf[:0]; len(l.buf) < head+34; l.buf = l.buf[:len(l.buf)+1] {
		l.wantDrop(from(host(1), dhcpv6test.Hex(t, solicit)), relay.DropTooLong)
	}
	if err := l.pass(from(host(1), dhcpv6test.Hex(t, solicit))); err != nil {
		t.Errorf("into %d octets: %v", len(l.buf), err)
	}
}

// The texts of the drops are all there, and all different.
func TestDropTexts(t *testing.T) {
	seen := make(map[string]bool)
	for _, d := range relay.Drops() {
		if text := d.Error(); text == "" || seen[text] || strings.ToLower(text[:1]) != text[:1] && text[:3] != "DNS" {
			t.Errorf("drop %d: %q", d, text)
		}
		seen[d.Error()] = true
	}
}
