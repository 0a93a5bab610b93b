package server_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/server"
)

const anyNA = `0003 000c 00000001 00000000 00000000
`

// Section 16: what a server must discard, by message type.
func TestValidation(t *testing.T) {
	type row struct {
		name string
		in   string
		want server.Drop
	}
	var rows []row
	// 16.2, 16.5, 16.7: Solicit, Confirm and Rebind have a Client and no Server Identifier.
	for _, typ := range []string{"01", "04", "06"} {
		rows = append(rows,
			row{typ + " without Client Identifier", typ + ` a1b2c3` + nameNA1, server.DropNoClientID},
			row{typ + " with our Server Identifier", typ + ` a1b2c3` + fromA + toUs + nameNA1, server.DropUnwantedServer},
			row{typ + " with another Server Identifier", typ + ` a1b2c3` + fromA + toOthers + nameNA1, server.DropUnwantedServer},
		)
	}
	// 16.4, 16.6, 16.8, 16.9: Request, Renew, Decline and Release have a Client Identifier and our Server Identifier.
	for _, typ := range []string{"03", "05", "08", "09"} {
		rows = append(rows,
			row{typ + " without Client Identifier", typ + ` a1b2c3` + toUs + nameNA1, server.DropNoClientID},
			row{typ + " without Server Identifier", typ + ` a1b2c3` + fromA + nameNA1, server.DropNoServerID},
			row{typ + " to another server", typ + ` a1b2c3` + fromA + toOthers + nameNA1, server.DropOtherServer},
			row{typ + " to a server whose DUID begins like ours", typ + ` a1b2c3` + fromA + `0002 000b 0003 0001 020000000002 00
				` + nameNA1, server.DropOtherServer},
			row{typ + " to a server whose DUID is the start of ours", typ + ` a1b2c3` + fromA + `0002 0009 0003 0001 0200000000
				` + nameNA1, server.DropOtherServer},
		)
	}
	rows = append(rows,
		// 16.12: Information-request.
		row{"0b to another server", `0b a1b2c3` + fromA + toOthers, server.DropOtherServer},
		row{"0b with IA_NA", `0b a1b2c3` + fromA + anyNA, server.DropUnwantedIA},
		row{"0b with IA_PD", `0b a1b2c3` + fromA + askPD1, server.DropUnwantedIA},
		row{"0b with empty IA_NA", `0b a1b2c3` + fromA + `0003 0000`, server.DropUnwantedIA},
		// 16.3, 16.10, 16.11, 16.14: for clients and relay agents.
		row{"Advertise", `02 a1b2c3` + fromA + toUs + anyNA, server.DropMessageType},
		row{"Reply", `07 a1b2c3` + fromA + toUs + anyNA, server.DropMessageType},
		row{"Reconfigure", `0a 000000` + fromA + toUs + `0013 0001 05`, server.DropMessageType},
		row{"Relay-reply", `0d 00` + zeros(32) + `0009 0013 01 a1b2c3` + fromA, server.DropMessageType},
		row{"short Relay-reply", `0d 00 0000`, server.DropMessageType},
	)
	for n := range 256 {
		if n == 0 || n > 13 {
			rows = append(rows, row{fmt.Sprintf("type %d", n), fmt.Sprintf("%02x a1b2c3", n) + fromA + toUs + anyNA, server.DropMessageType})
		}
	}
	l := start(t)
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			l.TB = t
			l.wantDrop(tt.in, tt.want)
		})
	}
	l.TB = t
	l.wantEvents()
	if n := l.Table().Link("lan").Len(); n != 0 {
		t.Errorf("%d bindings made by invalid messages", n)
	}
}

func zeros(n int) string { return strings.Repeat("00", n) }

// Section 16.12: these Information-requests are answered.
func TestInformationRequest(t *testing.T) {
	l := start(t)
	l.want(`0b a1b2c3`+fromA, `07 a1b2c3`+fromA+byUs)
	l.want(`0b a1b2c3`, `07 a1b2c3`+byUs)
	l.want(`0b a1b2c3`+fromA+toUs, `07 a1b2c3`+fromA+byUs)
	l.want(`0b a1b2c3`+toUs, `07 a1b2c3`+byUs)
	l.want(`0b a1b2c3 0004 0004 00000001 # IA_TA, which does not exist any more`, `07 a1b2c3`+byUs)
	if n := l.Table().Link("lan").Len(); n != 0 {
		t.Errorf("%d bindings made", n)
	}
}

// Section 11.1: a DUID has at most 128 octets behind its type code, and at least one.
func TestIdentifierLengths(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 4, 129, 130, 131, 200, 1000} {
		l := start(t)
		id := make([]byte, n)
		for i := range id {
			id[i] = byte(i + 1) // an unknown type, too
		}
		good := n >= 3 && n <= 130
		for typ, want := range answersTo {
			in := message(typ, id, na(1, "2001:db8:1::e71"))
			if typ == dhcpv6.InformationRequest {
				in = message(typ, id)
			}
			if !good {
				l.wantDropOf(multicast(in), server.DropClientID)
			} else if out, err := l.handle(multicast(in)); err != nil && typ != dhcpv6.Rebind || err == nil && dhcpv6.MessageType(out.Payload[0]) != want {
				t.Errorf("%v from a DUID of %d octets: %v", typ, n, err)
			}
		}
		in := append([]byte{byte(dhcpv6.Request), 1, 2, 3}, option(dhcpv6.OptionClientID, duid(1))...)
		in = append(in, option(dhcpv6.OptionServerID, id)...)
		if good {
			l.wantDropOf(multicast(in), server.DropOtherServer)
		} else {
			l.wantDropOf(multicast(in), server.DropServerID)
		}
	}
}

// A server's DUID of the largest and the least length is compared and sent as it is (odhcpd ed38cff).
func TestServerIdentifierLengths(t *testing.T) {
	for _, n := range []int{3, 14, 130} {
		id := make(dhcpv6.DUID, n)
		id[n-1] = 1
		s := server.New(epoch, server.Config{DUID: id, Interfaces: []server.Interface{newInterface("lan")}})
		s.SetLinks(epoch, []server.Link{{Name: "lan", Ifindex: 2, LinkLocal: netip.MustParseAddr("fe80::1")}})
		in := append([]byte{byte(dhcpv6.Request), 1, 2, 3}, option(dhcpv6.OptionClientID, duid(1))...)
		out, err := s.Handle(epoch, multicast(append(in, option(dhcpv6.OptionServerID, id)...)), make([]byte, 500))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := read(t, out.Payload).Options.Get(dhcpv6.OptionServerID); string(got) != string(id) {
			t.Errorf("Server Identifier %x, want %x", got, id)
		}
		other := append(dhcpv6.DUID{}, id...)
		other[n-1] = 2 // a client whose DUID is as long as ours
		if _, err := s.Handle(epoch, multicast(message(dhcpv6.Solicit, other)), make([]byte, 500)); err != nil {
			t.Errorf("client with a DUID of %d octets: %v", n, err)
		}
		if _, err := s.Handle(epoch, multicast(message(dhcpv6.Solicit, id)), make([]byte, 500)); err != server.DropOwnDUID {
			t.Errorf("client with our DUID of %d octets: %v", n, err)
		}
	}
}

// Our own messages come back over a loop in the network (odhcpd 8c574bd).
func TestOwnDUID(t *testing.T) {
	l := start(t)
	for typ := range answersTo {
		l.wantDropOf(multicast(message(typ, ourID)), server.DropOwnDUID)
	}
}

func TestDuplicateOptions(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want server.Drop
	}{
		{"Client Identifier", `01 a1b2c3` + fromA + fromB + anyNA, server.DropDuplicateID},
		{"Client Identifier, twice the same", `01 a1b2c3` + fromA + anyNA + fromA, server.DropDuplicateID},
		{"Server Identifier, ours first", `03 a1b2c3` + fromA + toUs + toOthers + anyNA, server.DropDuplicateID},
		{"Server Identifier, ours second", `03 a1b2c3` + fromA + toOthers + toUs + anyNA, server.DropDuplicateID},
		{"Server Identifier, twice the same", `03 a1b2c3` + fromA + toUs + anyNA + toUs, server.DropDuplicateID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { start(t).wantDrop(tt.in, tt.want) })
	}
	// Of two Option Request options the first counts.
	l := start(t)
	l.want(`0b a1b2c3 0006 0002 0052 0006 0002 0053`+"\n"+fromA, `07 a1b2c3`+fromA+byUs+`0052 0004 0000003c # SOL_MAX_RT`)
}

// The four packets that the field keeps failing, and their like.
func TestFourPackets(t *testing.T) {
	l := start(t)
	advertise := `02 a1b2c3` + fromA + byUs + grantNA1
	t.Run("empty option as the very last octets", func(t *testing.T) {
		l := start(t)
		l.want(`01 a1b2c3`+fromA+askNA1+rapidCommit, `07 a1b2c3`+fromA+byUs+grantNA1+rapidCommit)
		l.want(`01 a1b2c3`+rapidCommit+askNA1+fromA, `07 a1b2c3`+fromA+byUs+grantNA1+rapidCommit)
	})
	t.Run("option code 0 does not end the options", func(t *testing.T) {
		l.want(`01 a1b2c3 0000 0000`+fromA+`0000 0003 000000`+askNA1, advertise)
		l.want(`01 a1b2c3`+fromA+`0003 0010 00000001 00000000 00000000 0000 0000 # IA_NA 1 with option 0`, advertise)
	})
	t.Run("stray octets after the last option", func(t *testing.T) {
		for _, stray := range []string{"00", "0000", "000000", "ff", "0003", "000300"} {
			l.want(`01 a1b2c3`+fromA+askNA1+stray, advertise)
		}
		// Four are an option.
		l.wantDrop(`01 a1b2c3`+fromA+askNA1+`00030001`, server.DropMalformed)
		l.want(`01 a1b2c3`+fromA+`0003 000e 00000001 00000000 00000000 0000 # and within an IA`, advertise)
	})
	t.Run("length past the parent's end", func(t *testing.T) {
		l.wantDrop(`01 a1b2c3`+fromA+`0003 0010 00000001 00000000 00000000 0005 0018
			20010db8 00010000 00000000 00000e71 00000000 00000000 # IA Address past the IA, within the packet`, server.DropMalformed)
		l.wantDrop(`01 a1b2c3`+fromA+`0003 002c 00000001 00000000 00000000
			0005 001c 20010db8 00010000 00000000 00000e71 00000000 00000000 000d 0004 0000 # Status past the IA Address
			`+rapidCommit, server.DropMalformed)
		l.wantDrop(`01 a1b2c3`+fromA+`0019 0010 00000001 00000000 00000000 001a 0019`+zeros(25), server.DropMalformed)
	})
	t.Run("length past the packet's end", func(t *testing.T) {
		l.wantDrop(`01 a1b2c3`+fromA+`0003 000d 00000001 00000000 00000000`, server.DropMalformed)
		l.wantDrop(`01 a1b2c3`+fromA+askNA1+`fde8 ffff 00`, server.DropMalformed)
		l.wantDrop(`01 a1b2c3 0001 ffff`, server.DropMalformed)
	})
}

// Options of a fixed length that are shorter.
func TestShortOptions(t *testing.T) {
	l := start(t)
	for n := range 12 {
		for _, code := range []dhcpv6.OptionCode{dhcpv6.OptionIANA, dhcpv6.OptionIAPD} {
			l.wantDropOf(multicast(message(dhcpv6.Solicit, duid(1), option(code, make([]byte, n)))), server.DropMalformed)
		}
	}
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Confirm, dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.Release, dhcpv6.Decline} {
		for n := range 24 {
			data := append(make([]byte, 12), option(dhcpv6.OptionIAAddr, make([]byte, n))...)
			l.wantDropOf(multicast(message(typ, duid(1), option(dhcpv6.OptionIANA, data))), server.DropMalformed)
		}
		for n := range 25 {
			data := append(make([]byte, 12), option(dhcpv6.OptionIAPrefix, make([]byte, n))...)
			l.wantDropOf(multicast(message(typ, duid(1), option(dhcpv6.OptionIAPD, data))), server.DropMalformed)
		}
		for _, length := range []byte{129, 200, 255} {
			data := append(make([]byte, 12), option(dhcpv6.OptionIAPrefix, make([]byte, 8), []byte{length}, make([]byte, 16))...)
			l.wantDropOf(multicast(message(typ, duid(1), option(dhcpv6.OptionIAPD, data))), server.DropMalformed)
		}
	}
	// Too short to say anything, and nothing that an answer depends on: ignored.
	for _, code := range []dhcpv6.OptionCode{
		dhcpv6.OptionORO, dhcpv6.OptionElapsedTime, dhcpv6.OptionStatusCode, dhcpv6.OptionAuth, dhcpv6.OptionUserClass,
		dhcpv6.OptionVendorClass, dhcpv6.OptionVendorOpts, dhcpv6.OptionClientFQDN, dhcpv6.OptionClientArch,
		dhcpv6.OptionClientLinkLayer, dhcpv6.OptionInterfaceID, dhcpv6.OptionRelayMsg, dhcpv6.OptionReconfAccept,
	} {
		for n := range 3 {
			l.request(dhcpv6.Solicit, duid(1), na(1), option(code, make([]byte, n)))
		}
	}
}

// Every message cut off at every octet is dropped, or answered if only stray octets are left of the last option.
func TestTruncation(t *testing.T) {
	whole := message(dhcpv6.Request, duid(1), na(1, "2001:db8:1::e71"), pd(1, "::/62"), option(dhcpv6.OptionORO, []byte{0, 23}))
	for _, in := range [][]byte{whole, relay(netip.MustParseAddr("2001:db8:1::9"), whole)} {
		for n := range len(in) {
			l := start(t)
			if _, err := l.handle(multicast(in[:n:n])); err != nil {
				l.wantEvents()
			}
		}
	}
	l := start(t)
	for _, in := range []string{"", "01", "01a1", "01a1b2", "0c", "0c00", "0c00" + zeros(31)} {
		l.wantDrop(in, server.DropMalformed)
	}
}

// Section 16, and RFC 8415's UseMulticast for the clients that still unicast.
func TestUnicast(t *testing.T) {
	const useMulticast = `000d 0013 0005 73656e6420746f20666630323a3a313a32 # UseMulticast: "send to ff02::1:2"`
	global, linkLocal := netip.MustParseAddr("2001:db8:1::1"), netip.MustParseAddr("fe80::1")
	for _, local := range []netip.Addr{global, linkLocal} {
		l := start(t, everyOption)
		l.ask(dhcpv6test.Hex(t, bindA))
		l.Events()
		send := func(in string) server.Datagram {
			d := multicast(dhcpv6test.Hex(t, in))
			d.Local = local
			return d
		}
		for _, typ := range []string{"01", "04", "06"} {
			l.wantDropOf(send(typ+` a1b2c3`+fromA+nameNA1), server.DropUnicast)
		}
		l.wantDropOf(send(`0b a1b2c3`+fromA), server.DropUnicast)
		for _, typ := range []string{"03", "05", "08", "09"} {
			out, err := l.handle(send(typ + ` a1b2c3` + fromA + toUs + nameNA1 + `0006 0002 0017`))
			if err != nil {
				t.Errorf("%s: %v", typ, err)
				continue
			}
			l.compare(out.Payload, `07 a1b2c3`+fromA+byUs+useMulticast)
			if out.Local != local {
				t.Errorf("answered from %v what was sent to %v", out.Local, local)
			}
			l.wantDropOf(send(typ+` a1b2c3`+fromA+toOthers+nameNA1), server.DropOtherServer)
			l.wantDropOf(send(typ+` a1b2c3`+fromA+nameNA1), server.DropNoServerID)
		}
		l.wantEvents()
		if _, bound := states(l); bound != 2 {
			t.Errorf("%d bindings, there were 2", bound)
		}
	}
}

// Section 7.2: answers go to port 546 of the source address, whatever port the query came from.
func TestWhereAnswersGo(t *testing.T) {
	tests := []struct{ peer, wantPeer, wantLocal string }{
		{"[fe80::2]:546", "[fe80::2]:546", "fe80::1"},
		{"[fe80::2]:12345", "[fe80::2]:546", "fe80::1"},
		{"[fe80::2]:547", "[fe80::2]:546", "fe80::1"},
		{"[2001:db8:1::77]:546", "[2001:db8:1::77]:546", "2001:db8:1::1"},
	}
	for _, tt := range tests {
		l := start(t)
		for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.InformationRequest} {
			in := multicast(message(typ, duid(1)))
			in.Peer = netip.MustParseAddrPort(tt.peer)
			out, err := l.handle(in)
			if err != nil || out.Peer.String() != tt.wantPeer || out.Local.String() != tt.wantLocal || out.Ifindex != 2 {
				t.Errorf("from %s: to %v, from %v, %d, %v", tt.peer, out.Peer, out.Local, out.Ifindex, err)
			}
		}
	}
}

// What comes from an address that nobody has gets no answer, from a client or through a relay agent.
func TestImpossibleSources(t *testing.T) {
	for _, peer := range []string{"::", "::1", "ff02::1", "ff05::1:3", "ff0e::1", "::ffff:192.0.2.1", "192.0.2.1"} {
		l := start(t)
		for _, payload := range [][]byte{
			message(dhcpv6.Request, duid(1), na(1), pd(1)), message(dhcpv6.InformationRequest, duid(1)),
			relay(netip.MustParseAddr("2001:db8:1::9"), message(dhcpv6.Request, duid(1), na(1))),
		} {
			in := multicast(payload)
			in.Peer = netip.AddrPortFrom(netip.MustParseAddr(peer), dhcpv6.ClientPort)
			l.wantDropOf(in, server.DropSource)
		}
		l.wantEvents()
	}
}

func TestNotServed(t *testing.T) {
	l := start(t, func(s *setup) {
		s.Links = append(s.Links, server.Link{Name: "wan", Ifindex: 9, Addresses: []server.LinkAddress{{Prefix: netip.MustParsePrefix("2001:db8:ff::1/64")}}})
	})
	for _, ifindex := range []int{0, 1, 9} {
		in := multicast(message(dhcpv6.Solicit, duid(1), na(1)))
		in.Ifindex = ifindex
		l.wantDropOf(in, server.DropNotServed)
	}
}

func TestCounters(t *testing.T) {
	l := start(t)
	l.request(dhcpv6.Solicit, duid(1), na(1))
	l.request(dhcpv6.Solicit, duid(1), na(1), option(dhcpv6.OptionRapidCommit))
	l.request(dhcpv6.Renew, duid(1), na(1))
	l.handle(multicast(relay(netip.MustParseAddr("2001:db8:1::9"), message(dhcpv6.Renew, duid(1), na(1)))))
	l.handle(multicast([]byte{99, 0, 0, 0}))
	c := l.Counters()
	for typ, want := range map[dhcpv6.MessageType]uint64{dhcpv6.Solicit: 2, dhcpv6.Renew: 2, dhcpv6.RelayForward: 1, 0: 1} {
		if c.Received[typ] != want {
			t.Errorf("received %v: %d, want %d", typ, c.Received[typ], want)
		}
	}
	if c.Sent[dhcpv6.Advertise] != 1 || c.Sent[dhcpv6.Reply] != 3 || c.Sent[dhcpv6.RelayReply] != 0 {
		t.Errorf("sent: %v", c.Sent)
	}
	for _, d := range server.Drops() {
		if d.Error() == "" {
			t.Errorf("drop %d has no text", d)
		}
	}
}
