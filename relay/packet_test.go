package relay_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"lan6d/dhcpv6"
)

// Packets made by code, for the tests that need many.

// duid is the DUID-LL of the client with that number; serverID that of the server with that number.
func duid(n int) dhcpv6.DUID {
	return dhcpv6.NewDUIDLL(1, []byte{2, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)})
}
func serverID(n int) dhcpv6.DUID { return dhcpv6.NewDUIDLL(1, []byte{2, 0xff, 0, 0, 0, byte(n)}) }

// host is the link-local address of the host with that number.
func host(n int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("fe80::%x", 0x1000+n)) }

// option is an option with its header.
func option(code dhcpv6.OptionCode, data ...[]byte) []byte {
	content := bytes.Join(data, nil)
	w := dhcpv6.NewWriter(make([]byte, 4+len(content)))
	w.Option(code, content)
	b, _ := w.Finish()
	return b
}

// message is a client's or a server's message.
func message(t dhcpv6.MessageType, options ...[]byte) []byte {
	return append([]byte{byte(t), 0xa1, 0xb2, 0xc3}, bytes.Join(options, nil)...)
}

// wrap is a relay agent's message around another one, with options before it.
func wrap(t dhcpv6.MessageType, hops int, link, peer string, inner []byte, options ...[]byte) []byte {
	before := bytes.Join(options, nil)
	w := dhcpv6.NewWriter(make([]byte, 34+len(before)+4+len(inner)))
	w.RelayMessage(t, uint8(hops), netip.MustParseAddr(link), netip.MustParseAddr(peer))
	w.Bytes(before)
	w.Option(dhcpv6.OptionRelayMsg, inner)
	b, _ := w.Finish()
	return b
}

// nested is a message relayed so many times.
func nested(t dhcpv6.MessageType, depth int, inner []byte) []byte {
	for hops := range depth {
		inner = wrap(t, hops, "::", "fe80::aaaa", inner)
	}
	return inner
}

// promise is a prefix with its lifetimes in seconds.
type promise struct {
	prefix           string
	preferred, valid uint32
}

// pd is an IA_PD with T1 and T2 of 0.
func pd(iaid uint32, promises ...promise) []byte {
	b := binary.BigEndian.AppendUint32(nil, iaid)
	b = append(b, make([]byte, 8)...)
	for _, p := range promises {
		w := dhcpv6.NewWriter(make([]byte, 29))
		w.IAPrefix(netip.MustParsePrefix(p.prefix), p.preferred, p.valid)
		o, _ := w.Finish()
		b = append(b, o...)
	}
	return option(dhcpv6.OptionIAPD, b)
}

// pdStatus is an IA_PD with nothing but a status.
func pdStatus(iaid uint32, s dhcpv6.StatusCode) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, iaid), make([]byte, 8)...)
	return option(dhcpv6.OptionIAPD, b, statusOption(s))
}

func statusOption(s dhcpv6.StatusCode) []byte {
	return option(dhcpv6.OptionStatusCode, []byte{0, byte(s)})
}

// reply is a server's message of type t to a client.
func reply(t dhcpv6.MessageType, client dhcpv6.DUID, server int, options ...[]byte) []byte {
	ids := [][]byte{option(dhcpv6.OptionClientID, client), option(dhcpv6.OptionServerID, serverID(server))}
	return message(t, append(ids, options...)...)
}

// mirror is the Relay-reply of a server that gives back what RFC 9915 has it give back, with another message in it.
func mirror(t testing.TB, forward, inner []byte) []byte {
	t.Helper()
	if len(forward) == 0 || dhcpv6.MessageType(forward[0]) != dhcpv6.RelayForward {
		return inner
	}
	m, err := dhcpv6.ParseRelayMessage(forward)
	if err != nil {
		t.Fatal(err)
	}
	var back [][]byte
	for code, data := range m.Options.All() {
		switch code {
		case dhcpv6.OptionInterfaceID, dhcpv6.OptionRelayPort:
			back = append(back, option(code, data))
		case dhcpv6.OptionRelayMsg:
			inner = mirror(t, data, inner)
		}
	}
	return wrap(dhcpv6.RelayReply, int(m.HopCount), m.LinkAddress.String(), m.PeerAddress.String(), inner, back...)
}
