package server_test

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/server"
)

// relay wraps a message as a relay agent does, with options of its own before the Relay Message.
func relay(link netip.Addr, payload []byte, options ...[]byte) []byte {
	return relayFrom(link, client, 0, payload, options...)
}

func relayFrom(link, peer netip.Addr, hops byte, payload []byte, options ...[]byte) []byte {
	l, p := link.As16(), peer.As16()
	b := append([]byte{byte(dhcpv6.RelayForward), hops}, l[:]...)
	b = append(b, p[:]...)
	for _, o := range options {
		b = append(b, o...)
	}
	return append(b, option(dhcpv6.OptionRelayMsg, payload)...)
}

func nested(depth int, payload []byte) []byte {
	for hops := range depth {
		payload = relayFrom(netip.IPv6Unspecified(), client, byte(hops), payload)
	}
	return payload
}

const (
	header1 = `20010db8000100000000000000000009 fe80000000000000000000000000aaaa # link-address 2001:db8:1::9, peer fe80::aaaa
`
	header2 = `00000000000000000000000000000000 fe80000000000000000000000000bbbb # link-address ::, peer fe80::bbbb
`
)

// Sections 13.1 and 19.3; RFC 8357; RFC 4994.
func TestRelay(t *testing.T) {
	tests := []struct {
		name     string
		in, want string
	}{
		{name: "one relay agent",
			in: `0c 00` + header1 + `
				0012 0004 65746830                                      # Interface-Id "eth0"
				0009 0022 01 a1b2c3` + fromA + askNA1,
			want: `0d 00` + header1 + `
				0012 0004 65746830
				0009 004c 02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "Interface-Id behind the Relay Message, and empty",
			in: `0c 00` + header1 + `0009 0022 01 a1b2c3` + fromA + askNA1 + `0012 0000`,
			want: `0d 00` + header1 + `0012 0000
				0009 004c 02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "two relay agents, each with its Interface-Id",
			in: `0c 01` + header2 + `
				0012 0002 6f31                                          # Interface-Id "o1"
				0009 004e 0c 00` + header1 + `
					0012 0002 6931                                      # Interface-Id "i1"
					0009 0022 01 a1b2c3` + fromA + askNA1,
			want: `0d 01` + header2 + `0012 0002 6f31
				0009 0078 0d 00` + header1 + `0012 0002 6931
					0009 004c 02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "the hop count is given back as it came",
			in:   `0c ff` + header1 + `0009 0022 01 a1b2c3` + fromA + askNA1,
			want: `0d ff` + header1 + `0009 004c 02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "other options of the relay agent's are not given back",
			in: `0c 00` + header1 + `
				0025 0006 00000009 abcd                                 # Remote-Id
				0026 0002 abcd                                          # Subscriber-Id
				004f 0008 0001 020000000099                             # Client Link-Layer Address
				0035 0003 0003 01                                       # Relay-Id
				0010 0006 00000009 0000                                 # Vendor Class
				fde8 0001 00                                            # option 65000
				0009 0022 01 a1b2c3` + fromA + askNA1,
			want: `0d 00` + header1 + `0009 004c 02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "Echo Request names some of them", // RFC 4994
			in: `0c 00` + header1 + `
				0025 0006 00000009 abcd                                 # Remote-Id
				0026 0002 abcd                                          # Subscriber-Id
				fde8 0001 00                                            # option 65000
				002b 000c 0025 fde8 0009 002b 0012 0063                 # Echo Request: 37, 65000, 9, 43, 18 and 99
				0009 0022 01 a1b2c3` + fromA + askNA1,
			want: `0d 00` + header1 + `
				0025 0006 00000009 abcd
				fde8 0001 00
				0009 004c 02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "Echo Request counts for its own relay agent only",
			in: `0c 01` + header2 + `
				0025 0006 00000009 abcd                                 # Remote-Id, not to be echoed
				0009 0058 0c 00` + header1 + `
					0025 0006 00000009 dcba                             # Remote-Id
					002b 0002 0025                                      # Echo Request: 37
					0009 0022 01 a1b2c3` + fromA + askNA1,
			want: `0d 01` + header2 + `
				0009 007c 0d 00` + header1 + `
					0025 0006 00000009 dcba
					0009 004c 02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "odd and empty Echo Request",
			in: `0c 00` + header1 + `
				0026 0002 abcd                                          # Subscriber-Id
				002b 0003 0026 00                                       # Echo Request: 38 and half a code
				0009 0022 01 a1b2c3` + fromA + askNA1,
			want: `0d 00` + header1 + `0026 0002 abcd
				0009 004c 02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "Relay Source Port", // RFC 8357
			in: `0c 00` + header1 + `
				0087 0002 0000                                          # Relay Source Port
				0009 0022 01 a1b2c3` + fromA + askNA1,
			want: `0d 00` + header1 + `0087 0002 0000
				0009 004c 02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "Relay Source Port of both relay agents",
			in: `0c 01` + header2 + `0087 0002 3039                      # Downstream Source Port 12345
				0009 004e 0c 00` + header1 + `0087 0002 0000
					0009 0022 01 a1b2c3` + fromA + askNA1,
			want: `0d 01` + header2 + `0087 0002 3039
				0009 0078 0d 00` + header1 + `0087 0002 0000
					0009 004c 02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "a relay agent's options count for nothing in the client's message",
			in:   `0c 00` + header1 + rapidCommit + `0006 0002 0052` + fromB + `0009 0022 01 a1b2c3` + fromA + askNA1,
			want: `0d 00` + header1 + `0009 004c 02 a1b2c3` + fromA + byUs + grantNA1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { start(t).want(tt.in, tt.want) })
	}
}

// Of an Echo Request option's codes 64 count: thousands of them and thousands of options would cost a tenth of a second.
func TestLongEchoRequest(t *testing.T) {
	codes := bytes.Repeat([]byte{0xff, 0xff}, 16000)
	codes[2*63+1], codes[2*64+1] = 1, 2
	last, beyond := option(0xff01, []byte("last")), option(0xff02, []byte("beyond"))
	in := relay(netip.MustParseAddr("2001:db8:1::9"), message(dhcpv6.Solicit, duid(1)), last, beyond, option(dhcpv6.OptionERO, codes))
	out, err := start(t).handle(multicast(in))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(out.Payload, last) || bytes.Contains(out.Payload, beyond) {
		t.Errorf("answer\n%s", dump(out.Payload))
	}
}

// Relay-replies go to port 547, or to where the Relay-forward came from if its relay agent says so (RFC 8357), whatever
// the agents behind it say.
func TestWhereRelayRepliesGo(t *testing.T) {
	link := netip.MustParseAddr("2001:db8:1::9")
	inner := message(dhcpv6.Solicit, duid(1), na(1))
	port := option(dhcpv6.OptionRelayPort, []byte{0, 0})
	tests := []struct {
		name    string
		payload []byte
		want    string
	}{
		{"plain", relay(link, inner), "[2001:db8:5::5]:547"},
		{"with Relay Source Port", relay(link, inner, port), "[2001:db8:5::5]:4321"},
		{"of the inner agent only", relay(link, relay(link, inner, port)), "[2001:db8:5::5]:547"},
		{"of the outer agent only", relay(link, relay(link, inner), port), "[2001:db8:5::5]:4321"},
	}
	for _, tt := range tests {
		for _, local := range []string{"2001:db8:1::1", "ff05::1:3", "ff02::1:2"} {
			l := start(t)
			out, err := l.handle(server.Datagram{
				Payload: tt.payload, Ifindex: 2, Peer: netip.MustParseAddrPort("[2001:db8:5::5]:4321"), Local: netip.MustParseAddr(local),
			})
			if err != nil || out.Peer.String() != tt.want || out.Ifindex != 2 || out.Local.String() != "2001:db8:1::1" {
				t.Errorf("%s to %s: answer to %v from %v on %d, %v", tt.name, local, out.Peer, out.Local, out.Ifindex, err)
			}
		}
	}
}

// A relayed message may come by unicast: all types are answered.
func TestRelayedUnicast(t *testing.T) {
	for typ := range answersTo {
		l := start(t)
		options := [][]byte{na(1, "2001:db8:1::e71")}
		if typ == dhcpv6.InformationRequest {
			options = nil
		}
		in := multicast(relay(netip.MustParseAddr("2001:db8:1::9"), message(typ, duid(1), options...)))
		in.Local = netip.MustParseAddr("2001:db8:1::1")
		out, err := l.handle(in)
		if err != nil {
			t.Errorf("%v: %v", typ, err)
			continue
		}
		_, answer := checkRelays(t, in.Payload, out.Payload)
		if a := read(t, answer); a.status == "UseMulticast" {
			t.Errorf("%v: %s", typ, a.status)
		}
	}
}

func TestRelayDepth(t *testing.T) {
	inner := message(dhcpv6.Solicit, duid(1), na(1))
	for _, depth := range []int{1, 2, 8, 9} {
		start(t).handle(multicast(nested(depth, inner)))
		if _, err := start(t).handle(multicast(nested(depth, inner))); err != nil {
			t.Errorf("relayed %d times: %v", depth, err)
		}
	}
	for _, depth := range []int{10, 11, 32, 33, 200} {
		start(t).wantDropOf(multicast(nested(depth, inner)), server.DropRelayDepth)
	}
	// The field does not count, the headers do (odhcpd ee0a11f).
	in := relayFrom(netip.IPv6Unspecified(), client, 200, inner)
	if _, err := start(t).handle(multicast(in)); err != nil {
		t.Errorf("hop count 200: %v", err)
	}
}

func TestRelayMalformed(t *testing.T) {
	inner := message(dhcpv6.Solicit, duid(1), na(1))
	relayMsg := option(dhcpv6.OptionRelayMsg, inner)
	head := relay(netip.IPv6Unspecified(), nil)[:34]
	join := func(parts ...[]byte) (b []byte) {
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	tests := []struct {
		name string
		in   []byte
		want server.Drop
	}{
		{"no Relay Message", head, server.DropRelayMessage},
		{"no Relay Message, but an Interface-Id", join(head, option(dhcpv6.OptionInterfaceID, []byte("x"))), server.DropRelayMessage},
		{"two Relay Messages", join(head, relayMsg, relayMsg), server.DropRelayMessage},
		{"empty Relay Message", join(head, option(dhcpv6.OptionRelayMsg)), server.DropMalformed},
		{"Relay Message of three octets", join(head, option(dhcpv6.OptionRelayMsg, inner[:3])), server.DropMalformed},
		{"Relay Message past the end", join(head, relayMsg[:len(relayMsg)-1]), server.DropMalformed},
		{"option past the end behind the Relay Message", join(head, relayMsg, []byte{0, 18, 0, 1}), server.DropMalformed},
		{"header too short", head[:33], server.DropMalformed},
		{"inner header too short", relay(client, head[:33]), server.DropMalformed},
		{"Relay-reply inside", relay(client, join([]byte{13}, head[1:], relayMsg)), server.DropMessageType},
		{"short Relay-reply inside", relay(client, []byte{13, 0}), server.DropMessageType},
		{"Advertise inside", relay(client, message(dhcpv6.Advertise, duid(1))), server.DropMessageType},
		{"Reply inside", relay(client, message(dhcpv6.Reply, duid(1))), server.DropMessageType},
		{"type 0 inside", relay(client, message(0, duid(1))), server.DropMessageType},
		{"type 20 inside", relay(client, message(20, duid(1))), server.DropMessageType},
		{"malformed inside", relay(client, inner[:len(inner)-1]), server.DropMalformed},
		{"our own packet inside", relay(client, message(dhcpv6.Solicit, ourID)), server.DropOwnDUID},
		{"no Client Identifier inside", relay(client, []byte{1, 0, 0, 0}), server.DropNoClientID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { start(t).wantDropOf(multicast(tt.in), tt.want) })
	}
	// Stray octets are ignored at every level.
	l := start(t)
	if _, err := l.handle(multicast(append(relay(client, append(inner, 0, 0)), 1, 2, 3))); err != nil {
		t.Errorf("stray octets: %v", err)
	}
}

// Which link the client is on: the innermost link-address that says something decides.
func TestRelayLinkAddress(t *testing.T) {
	const (
		lanAddr, guestAddr     = "[2001:db8:1::e71]", "[2001:db8:2::e71]"
		lanPrefix, guestPrefix = "[2001:db8:1:c4::/62]", "[2001:db8:2:c4::/62]"
	)
	tests := []struct {
		name         string
		links        []string // link-addresses, outermost first
		addr, prefix string   // addr is empty: NoAddrsAvail
	}{
		{"arrival link", []string{"2001:db8:1::9"}, lanAddr, lanPrefix},
		{"another link of ours", []string{"2001:db8:2::9"}, guestAddr, guestPrefix},
		{"a link that part of our prefix is routed to", []string{"2001:db8:2:c5::9"}, "[2001:db8:2:c5::e71]", guestPrefix},
		{"::", []string{"::"}, lanAddr, lanPrefix},
		{"link-local", []string{"fe80::9"}, lanAddr, lanPrefix},
		{"multicast", []string{"ff02::1:2"}, lanAddr, lanPrefix},
		{"loopback", []string{"::1"}, lanAddr, lanPrefix},
		{"nobody's", []string{"2001:db8:99::9"}, "", lanPrefix},
		{"inner before outer", []string{"2001:db8:1::9", "2001:db8:2::9"}, guestAddr, guestPrefix},
		{"inner is ::", []string{"2001:db8:2::9", "::"}, guestAddr, guestPrefix},
		{"inner is link-local", []string{"2001:db8:2::9", "fe80::1"}, guestAddr, guestPrefix},
		{"inner is nobody's", []string{"2001:db8:2::9", "2001:db8:99::9"}, "", lanPrefix},
		{"all ::", []string{"::", "::", "::"}, lanAddr, lanPrefix},
		{"three, the middle one says it", []string{"2001:db8:1::9", "2001:db8:2::9", "::"}, guestAddr, guestPrefix},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request} {
				l := start(t, func(s *setup) { s.secondLink("2001:db8:2::1/56") })
				payload := message(typ, duid(1), na(1), pd(1))
				for i := len(tt.links) - 1; i >= 0; i-- {
					payload = relay(netip.MustParseAddr(tt.links[i]), payload)
				}
				out, err := l.handle(multicast(payload))
				if err != nil {
					t.Fatal(err)
				}
				if out.Ifindex != 2 {
					t.Errorf("answer leaves by interface %d", out.Ifindex)
				}
				_, inner := checkRelays(t, payload, out.Payload)
				a := read(t, inner)
				if got := granted(a.ias[0]); got != tt.addr || got == "" && a.ias[0].status != "NoAddrsAvail" {
					t.Errorf("%v: address %s %s, want %s", typ, got, a.ias[0].status, tt.addr)
				}
				if got := granted(a.ias[1]); got != tt.prefix {
					t.Errorf("%v: prefix %s %s, want %s", typ, got, a.ias[1].status, tt.prefix)
				}
			}
		})
	}
}

func granted(ia answerIA) string {
	s := ia.grants()
	if len(s) == 0 {
		return ""
	}
	out := "["
	for i, g := range s {
		if i > 0 {
			out += " "
		}
		out += g
	}
	return out + "]"
}

// A client behind a relay agent whose link is none of ours: nothing can be judged, nothing is there to give back.
func TestRelayFromUnknownLink(t *testing.T) {
	unknown := netip.MustParseAddr("2001:db8:99::9")
	l := start(t)
	l.ask(dhcpv6test.Hex(t, bindA))
	l.wantDropOf(multicast(relay(unknown, message(dhcpv6.Confirm, duid(1), na(1, "2001:db8:1::e71")))), server.DropCannotJudge)
	in := relay(unknown, message(dhcpv6.Release, duid(1), na(1, "2001:db8:1::e71")))
	out, err := l.handle(multicast(in))
	if err != nil {
		t.Fatal(err)
	}
	_, inner := checkRelays(t, in, out.Payload)
	if a := read(t, inner); len(a.ias) != 1 || a.ias[0].status != "NoBinding" {
		t.Errorf("Release: %+v", a)
	}
	if _, bound := states(l); bound != 2 {
		t.Errorf("%d bindings left", bound)
	}
}

// Nor is a Rebind judged there, which may be about another server's leases; what this server has bound is extended.
func TestRebindFromUnknownLink(t *testing.T) {
	unknown := netip.MustParseAddr("2001:db8:99::9")
	l := start(t)
	for _, o := range [][]byte{na(1, "2001:db8:99::e71"), pd(1, "2001:db8:99:40::/60"), na(1, "2001:db8:1::e71"), pd(1, "2001:db8:1:c4::/62")} {
		l.wantDropOf(multicast(relay(unknown, message(dhcpv6.Rebind, duid(1), o))), server.DropCannotJudge)
	}
	l.request(dhcpv6.Request, duid(1), pd(1))
	in := relay(unknown, message(dhcpv6.Rebind, duid(1), na(1, "2001:db8:99::e71"), pd(1, "2001:db8:1:c4::/62")))
	out, err := l.handle(multicast(in))
	if err != nil {
		t.Fatal(err)
	}
	_, inner := checkRelays(t, in, out.Payload)
	if a := read(t, inner); len(a.ias) != 1 || !slices.Equal(a.ias[0].grants(), []string{"2001:db8:1:c4::/62"}) || len(a.ias[0].leases) != 1 {
		t.Errorf("Rebind: %+v", a.ias)
	}
}

// One client behind two links has two bindings.
func TestRelayedClientsOfTwoLinks(t *testing.T) {
	l := start(t, func(s *setup) { s.secondLink("2001:db8:2::1/56") })
	for range 2 {
		for _, link := range []string{"2001:db8:1::9", "2001:db8:2::9"} {
			if _, err := l.handle(multicast(relay(netip.MustParseAddr(link), message(dhcpv6.Request, duid(1), na(1))))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, bound := states(l); bound != 2 {
		t.Errorf("%d bindings, want 2", bound)
	}
	l.wantEvents("bound lan IA_NA 2001:db8:1::e71", "bound guest IA_NA 2001:db8:2::e71",
		"renewed lan IA_NA 2001:db8:1::e71", "renewed guest IA_NA 2001:db8:2::e71")
}

// An answer that grows past a Relay Message's 65535 octets, or past a datagram's 65527, is not sent however large the
// caller's buffer (odhcpd 5b1e3be).
func TestRelayReplyTooLong(t *testing.T) {
	in := message(dhcpv6.Solicit, duid(1), na(1), pd(1))
	for _, size := range []int{65535, 65527} {
		l := start(t)
		l.buf = make([]byte, 1<<18)
		for spare := range 60 {
			id := option(dhcpv6.OptionInterfaceID, make([]byte, size-34-4-4-len(in)-spare))
			payload := relay(netip.IPv6Unspecified(), in, id) // up to size octets
			if size == 65535 {
				payload = relay(netip.IPv6Unspecified(), payload)
			}
			l.wantDropOf(multicast(payload), server.DropReplyTooLong)
		}
		l.wantEvents()
	}
}

// The link-address is the relay agent's own address: none of its clients gets it, nor keeps it, not even by name.
func TestRelaysOwnAddress(t *testing.T) {
	host := withHosts(server.Host{DUIDs: byDUID(duid(2)), HostID: 0x1234})
	tests := []struct {
		name    string
		host    func(*setup)
		client  int
		through string
		want    string
	}{
		{"another's", host, 1, "2001:db8:1:50::9", "2001:db8:1:50::e71"},
		{"the client's own", host, 1, "2001:db8:1:50::e71", "2001:db8:1:50::e72"},
		{"the host's another", host, 2, "2001:db8:1:50::9", "2001:db8:1:50::1234"},
		{"the host's", host, 2, "2001:db8:1:50::1234", "2001:db8:1:50::ac6"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, tt.host)
			l.request(dhcpv6.Request, duid(tt.client), na(1)) // on the link itself
			for _, o := range [][]byte{na(1), na(1, tt.through)} {
				in := relay(netip.MustParseAddr(tt.through), message(dhcpv6.Request, duid(tt.client), o))
				out, err := l.handle(multicast(in))
				if err != nil {
					t.Fatal(err)
				}
				_, inner := checkRelays(t, in, out.Payload)
				if got := read(t, inner).ias[0].grants(); !slices.Equal(got, []string{tt.want}) {
					t.Errorf("granted %v, want %v", got, tt.want)
				}
			}
		})
	}
}

func TestAllocationsBehindRelay(t *testing.T) {
	l := start(t)
	in := multicast(relay(netip.MustParseAddr("2001:db8:1:50::e71"), message(dhcpv6.Request, duid(1), na(1))))
	if got := testing.AllocsPerRun(100, func() {
		if _, err := l.Handle(l.now, in, l.buf); err != nil {
			t.Error(err)
		}
		l.Events()
	}); got > 0 {
		t.Errorf("%v allocations", got)
	}
}
