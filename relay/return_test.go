package relay_test

import (
	"bytes"
	"net/netip"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/relay"
)

// Section 19.2; RFC 8357.
func TestReturn(t *testing.T) {
	const (
		advertise = `02 a1b2c3                                                # Advertise
	0001 000a 0003 0001 020000000001                               # Client Identifier
	0002 000a 0003 0001 02ff00000001                               # Server Identifier
`
		relayMessage = `0009 0020 ` + advertise
		far          = `0d 00 20010db8000500000000000000000001 fe80000000000000000000000000cccc # for another relay agent
	0012 0002 6931                                                 # its Interface-Id "i1"
	` + relayMessage
	)
	tests := []struct {
		name     string
		in, want string
		out      string // where to
	}{
		{name: "client",
			in:   `0d 00` + onLAN + fromClient + inLAN + relayMessage,
			want: advertise, out: "2 [fe80::1001]:546 from fe80::1"},
		{name: "on the other interface",
			in:   `0d 00 20010db8000200000000000000000001` + fromClient + `0012 0005 6775657374` + relayMessage,
			want: advertise, out: "3 [fe80::1001]:546 from fe80::1"},
		{name: "Interface-Id behind the Relay Message",
			in:   `0d 00` + onLAN + fromClient + relayMessage + inLAN,
			want: advertise, out: "2 [fe80::1001]:546 from fe80::1"},
		{name: "no link-address",
			in:   `0d 00` + nowhere + fromClient + inLAN + relayMessage,
			want: advertise, out: "2 [fe80::1001]:546 from fe80::1"},
		{name: "a link-address that is not ours, or no longer",
			in:   `0d 00 20010db8000900000000000000000001` + fromClient + inLAN + relayMessage,
			want: advertise, out: "2 [fe80::1001]:546 from fe80::1"},
		{name: "the upstream interface's link-address",
			in:   `0d 00 20010db8ffff00000000000000000002` + fromClient + inLAN + relayMessage,
			want: advertise, out: "2 [fe80::1001]:546 from fe80::1"},
		{name: "no Interface-Id",
			in:   `0d 00 20010db8000200000000000000000001` + fromClient + relayMessage,
			want: advertise, out: "3 [fe80::1001]:546 from fe80::1"},
		{name: "other options",
			in:   `0d 05` + onLAN + fromClient + inLAN + `0025 0006 00000009 abcd fde8 0000 0001 0001 00` + relayMessage,
			want: advertise, out: "2 [fe80::1001]:546 from fe80::1"},
		{name: "client with a global address",
			in:   `0d 00` + onLAN + `20010db800010000000000000000abcd` + inLAN + relayMessage,
			want: advertise, out: "2 [2001:db8:1::abcd]:546 from 2001:db8:1::1"},
		{name: "Relay Source Port is not for clients",
			in:   `0d 00` + onLAN + fromClient + inLAN + `0087 0002 3039` + relayMessage,
			want: advertise, out: "2 [fe80::1001]:546 from fe80::1"},
		{name: "relay agent",
			in:   `0d 01` + nowhere + `20010db8000100000000000000000005` + inLAN + `0009 004c` + far,
			want: far, out: "2 [2001:db8:1::5]:547 from 2001:db8:1::1"},
		{name: "relay agent with a link-local address",
			in:   `0d 01` + onLAN + fromClient + inLAN + `0009 004c` + far,
			want: far, out: "2 [fe80::1001]:547 from fe80::1"},
		{name: "relay agent at another port",
			in:   `0d 01` + onLAN + fromClient + inLAN + `0087 0002 3039 0009 004c` + far,
			want: far, out: "2 [fe80::1001]:12345 from fe80::1"},
		{name: "port 0",
			in:   `0d 01` + onLAN + fromClient + inLAN + `0087 0002 0000 0009 004c` + far,
			want: far, out: "2 [fe80::1001]:547 from fe80::1"},
		{name: "odd Relay Source Port",
			in:   `0d 01` + onLAN + fromClient + inLAN + `0087 0003 303900 0009 004c` + far,
			want: far, out: "2 [fe80::1001]:547 from fe80::1"},
		{name: "message of a type to come",
			in:   `0d 00` + onLAN + fromClient + inLAN + `0009 0008 25 a1b2c3 ffff ffff`,
			want: `25 a1b2c3 ffff ffff`, out: "2 [fe80::1001]:546 from fe80::1"},
		{name: "Reconfigure",
			in:   `0d 00` + onLAN + fromClient + inLAN + `0009 0009 0a 000000 0013 0001 05`,
			want: `0a 000000 0013 0001 05`, out: "2 [fe80::1001]:546 from fe80::1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t)
			out, err := l.giveBack(upstream(dhcpv6test.Hex(t, tt.in)))
			if err != nil {
				t.Fatalf("dropped: %v", err)
			}
			l.compare(out.Payload, tt.want)
			if got := where(out); got != tt.out {
				t.Errorf("to %s, want %s", got, tt.out)
			}
		})
	}
}

// What only clients send is not given back, whatever is around it; all else is, unknown types too.
func TestReturnTypes(t *testing.T) {
	for kind := range 256 {
		for depth := range 3 {
			inner := nested(dhcpv6.RelayReply, depth, message(dhcpv6.MessageType(kind)))
			in := upstream(wrap(dhcpv6.RelayReply, depth, "::", host(1).String(), inner, option(dhcpv6.OptionInterfaceID, []byte("lan"))))
			l := start(t)
			switch kind {
			case 1, 3, 4, 5, 6, 8, 9, 11, 12:
				l.wantDrop(in, relay.DropMessageType)
			case 13:
				l.wantDrop(in, relay.DropMalformed) // cut short
			default:
				if err := l.pass(in); err != nil {
					t.Errorf("message type %d, %d headers: %v", kind, depth, err)
				}
			}
		}
	}
}

func TestReturnDrops(t *testing.T) {
	inner := message(dhcpv6.Reply)
	id := func(names ...string) (options [][]byte) {
		for _, name := range names {
			options = append(options, option(dhcpv6.OptionInterfaceID, []byte(name)))
		}
		return options
	}
	back := func(link, peer string, inner []byte, options ...[]byte) []byte {
		return wrap(dhcpv6.RelayReply, 0, link, peer, inner, options...)
	}
	good := back("2001:db8:1::1", "fe80::1001", inner, id("lan")...)
	tests := []struct {
		name string
		in   []byte
		want relay.Drop
	}{
		{"a client's message", message(dhcpv6.Solicit), relay.DropMessageType},
		{"a server's message", inner, relay.DropMessageType},
		{"a Relay-forward", wrap(dhcpv6.RelayForward, 0, "2001:db8:1::1", "fe80::1001", inner, id("lan")...), relay.DropMessageType},
		{"an unknown message", message(99), relay.DropMessageType},
		{"no Relay Message", append(good[:34:34], option(dhcpv6.OptionInterfaceID, []byte("lan"))...), relay.DropRelayMessage},
		{"two Relay Messages", append(bytes.Clone(good), option(dhcpv6.OptionRelayMsg, inner)...), relay.DropRelayMessage},
		{"empty Relay Message", back("::", "fe80::1001", nil, id("lan")...), relay.DropMalformed},
		{"Relay Message of three octets", back("::", "fe80::1001", inner[:3], id("lan")...), relay.DropMalformed},
		{"Relay Message past the end", good[:len(good)-1], relay.DropMalformed},
		{"option past the end in it", back("::", "fe80::1001", append(bytes.Clone(inner), 0, 1, 0, 1), id("lan")...), relay.DropMalformed},
		{"a Relay-forward in it", back("::", "fe80::1001", nested(dhcpv6.RelayForward, 1, inner), id("lan")...), relay.DropMessageType},
		{"a Relay-reply in it without Relay Message", back("::", "fe80::1001", nested(dhcpv6.RelayReply, 1, inner)[:34], id("lan")...), relay.DropRelayMessage},
		{"neither Interface-Id nor link-address", back("::", "fe80::1001", inner), relay.DropInterfaceID},
		{"no Interface-Id, and another's link-address", back("2001:db8:9::1", "fe80::1001", inner), relay.DropInterfaceID},
		{"no Interface-Id, and the upstream interface's link-address", back("2001:db8:ffff::2", "fe80::1001", inner), relay.DropInterfaceID},
		{"no Interface-Id, and a link-local link-address", back("fe80::1", "fe80::1001", inner), relay.DropInterfaceID},
		{"two Interface-Ids", back("::", "fe80::1001", inner, id("lan", "lan")...), relay.DropInterfaceID},
		{"two different Interface-Ids", back("::", "fe80::1001", inner, id("guest", "lan")...), relay.DropInterfaceID},
		{"unknown Interface-Id", back("2001:db8:1::1", "fe80::1001", inner, id("dmz")...), relay.DropInterfaceID},
		{"empty Interface-Id", back("2001:db8:1::1", "fe80::1001", inner, id("")...), relay.DropInterfaceID},
		{"Interface-Id of odhcpd's kind", back("2001:db8:1::1", "fe80::1001", inner, id("\x02\x00\x00\x00")...), relay.DropInterfaceID},
		{"part of an Interface-Id", back("::", "fe80::1001", inner, id("la")...), relay.DropInterfaceID},
		{"more than an Interface-Id", back("::", "fe80::1001", inner, id("lan\x00")...), relay.DropInterfaceID},
		{"Interface-Id of an upstream interface", back("::", "fe80::1001", inner, id("wan")...), relay.DropInterfaceID},
		{"Interface-Id of one interface, link-address of the other", back("2001:db8:2::1", "fe80::1001", inner, id("lan")...), relay.DropInterfaceID},
		{"peer-address ::", back("::", "::", inner, id("lan")...), relay.DropPeerAddress},
		{"peer-address of a group", back("::", "ff02::1", inner, id("lan")...), relay.DropPeerAddress},
		{"peer-address of the loopback interface", back("::", "::1", inner, id("lan")...), relay.DropPeerAddress},
		{"mapped peer-address", back("::", "::ffff:192.0.2.1", inner, id("lan")...), relay.DropPeerAddress},
		{"peer-address of ours on the link", back("::", "fe80::1", inner, id("lan")...), relay.DropPeerAddress},
		{"peer-address of ours", back("::", "2001:db8:ffff::2", inner, id("lan")...), relay.DropPeerAddress},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { start(t).wantDrop(upstream(tt.in), tt.want) })
	}
	if err := start(t).pass(upstream(good)); err != nil {
		t.Errorf("and the good one: %v", err)
	}
}

// As many headers come back as were sent.
func TestReturnNesting(t *testing.T) {
	for _, depth := range []int{0, 1, 7, 8, 9, 10, 32, 200} {
		b := nested(dhcpv6.RelayReply, depth, message(dhcpv6.Advertise))
		in := upstream(wrap(dhcpv6.RelayReply, 0, "::", "fe80::1001", b, option(dhcpv6.OptionInterfaceID, []byte("lan"))))
		l := start(t)
		if depth > 8 {
			l.wantDrop(in, relay.DropNesting)
		} else if err := l.pass(in); err != nil {
			t.Errorf("%d headers: %v", depth, err)
		}
	}
}

func TestReturnTooLong(t *testing.T) {
	l := start(t)
	in := upstream(wrap(dhcpv6.RelayReply, 0, "::", "fe80::1001", message(dhcpv6.Advertise, make([]byte, 100)), option(dhcpv6.OptionInterfaceID, []byte("lan"))))
	l.buf = make([]byte, 103)
	l.wantDrop(in, relay.DropTooLong)
	l.buf = make([]byte, 104)
	if err := l.pass(in); err != nil {
		t.Error(err)
	}
}

// Two interfaces may share an address: the Interface-Id decides.
func TestSharedAddress(t *testing.T) {
	l := start(t, func(s *setup) { s.addresses(guest, "2001:db8:1::1/64") })
	for name, ifindex := range map[string]int{"lan": lan, "guest": guest} {
		out, err := l.giveBack(upstream(wrap(dhcpv6.RelayReply, 0, "2001:db8:1::1", "fe80::1001", message(dhcpv6.Advertise), option(dhcpv6.OptionInterfaceID, []byte(name)))))
		if err != nil || out.Ifindex != ifindex {
			t.Errorf("%s: on interface %d (%v)", name, out.Ifindex, err)
		}
	}
}

// Who may answer.
func TestReturnFromServers(t *testing.T) {
	servers := func(list ...relay.Server) func(*setup) {
		return func(s *setup) { secondWAN(s); s.Servers = list }
	}
	addr := netip.MustParseAddr
	unicast := relay.Server{Addr: addr("2001:db8::547")}
	local := relay.Server{Addr: addr("fe80::547"), Interface: "wan"}
	group := relay.Server{Addr: dhcpv6.AllServers}
	tests := []struct {
		name   string
		change func(*setup)
		source string
		on     int
		ok     bool
	}{
		{"no server is configured", servers(), "2001:db8::9", wan, true},
		{"nor on the other interface", servers(), "fe80::9", wan2, true},
		{"a group", servers(group), "2001:db8::9", wan, true},
		{"a group and a server", servers(unicast, group), "2001:db8::9", wan, true},
		{"the server", servers(unicast), "2001:db8::547", wan, true},
		{"the server by another interface", servers(unicast), "2001:db8::547", wan2, true},
		{"another one", servers(unicast), "2001:db8::548", wan, false},
		{"the second server", servers(unicast, local), "fe80::547", wan, true},
		{"a link-local one on another link", servers(unicast, local), "fe80::547", wan2, false},
		{"neither", servers(unicast, local), "fe80::548", wan, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, tt.change)
			in := upstream(wrap(dhcpv6.RelayReply, 0, "::", "fe80::1001", message(dhcpv6.Advertise), option(dhcpv6.OptionInterfaceID, []byte("lan"))))
			in.Peer, in.Ifindex = netip.AddrPortFrom(addr(tt.source), 54321), tt.on
			if !tt.ok {
				l.wantDrop(in, relay.DropNotServer)
			} else if err := l.pass(in); err != nil {
				t.Error(err)
			}
		})
	}
}

// The interface is created anew between a message and its answer.
func TestNewIndex(t *testing.T) {
	l := start(t)
	forward, _, err := l.forward(from(host(1), dhcpv6test.Hex(t, solicit)))
	if err != nil {
		t.Fatal(err)
	}
	back := upstream(mirror(t, forward, message(dhcpv6.Advertise)))
	kept := l.setup.Links[0]
	l.change(func(s *setup) { s.Links = s.Links[1:] })
	l.wantDrop(back, relay.DropInterfaceGone)
	kept.Ifindex = 117
	l.change(func(s *setup) { s.Links = append(s.Links, kept) })
	out, err := l.giveBack(back)
	if err != nil || out.Ifindex != 117 || out.Peer.Addr() != host(1) {
		t.Errorf("to %v on %d, %v", out.Peer, out.Ifindex, err)
	}
	l.wantDrop(from(host(1), dhcpv6test.Hex(t, solicit)), relay.DropNotClientSide)
}

// What a server mirrors finds its client, however many relay agents there are.
func TestThereAndBack(t *testing.T) {
	for depth := range 9 {
		l := start(t)
		in := from(host(7), nested(dhcpv6.RelayForward, depth, message(dhcpv6.Solicit)))
		in.Ifindex = guest
		want := in.Peer.Addr().String() + "]:546"
		if depth > 0 {
			in.Peer = netip.AddrPortFrom(host(7), 10547)
			in.Payload = wrap(dhcpv6.RelayForward, depth-1, "::", "fe80::aaaa", nested(dhcpv6.RelayForward, depth-1, message(dhcpv6.Solicit)),
				option(dhcpv6.OptionRelayPort, []byte{0, 0}))
			want = in.Peer.Addr().String() + "]:10547"
		}
		forward, _, err := l.forward(in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := l.giveBack(upstream(mirror(t, forward, message(dhcpv6.Advertise))))
		if err != nil || where(out) != "3 ["+want+" from fe80::1" {
			t.Errorf("relayed %d times: to %s, %v", depth, where(out), err)
		}
		if got := innermost(out.Payload); !bytes.Equal(got, message(dhcpv6.Advertise)) {
			t.Errorf("relayed %d times: in it %x", depth, got)
		}
	}
}
