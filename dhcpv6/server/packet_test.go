package server_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// Packets made by code, for the tests that need many, and packets read.

// duid is the DUID-LL of the client with that number; 1 is client A of the tables, no one is the server.
func duid(n int) dhcpv6.DUID {
	mac := mac(n)
	return dhcpv6.NewDUIDLL(1, mac[:])
}

func mac(n int) [6]byte {
	if n != 1 {
		n |= 1 << 24
	}
	return [6]byte{2, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

// option is an option with its header.
func option(code dhcpv6.OptionCode, data ...[]byte) []byte {
	d := bytes.Join(data, nil)
	b := binary.BigEndian.AppendUint16(nil, uint16(code))
	return append(binary.BigEndian.AppendUint16(b, uint16(len(d))), d...)
}

// ia is an IA_NA or IA_PD that names addresses or prefixes: "2001:db8::1", "2001:db8::/62".
func ia(code dhcpv6.OptionCode, iaid uint32, named ...string) []byte {
	data := binary.BigEndian.AppendUint32(nil, iaid)
	data = append(data, make([]byte, 8)...)
	for _, s := range named {
		if code == dhcpv6.OptionIANA {
			a := netip.MustParseAddr(s).As16()
			data = append(data, option(dhcpv6.OptionIAAddr, a[:], make([]byte, 8))...)
		} else {
			p := netip.MustParsePrefix(s)
			a := p.Addr().As16()
			data = append(data, option(dhcpv6.OptionIAPrefix, make([]byte, 8), []byte{byte(p.Bits())}, a[:])...)
		}
	}
	return option(code, data)
}

// message is a client's message with the identifiers that its type needs.
func message(t dhcpv6.MessageType, client dhcpv6.DUID, options ...[]byte) []byte {
	b := append([]byte{byte(t), 0xa1, 0xb2, 0xc3}, option(dhcpv6.OptionClientID, client)...)
	switch t {
	case dhcpv6.Request, dhcpv6.Renew, dhcpv6.Release, dhcpv6.Decline:
		b = append(b, option(dhcpv6.OptionServerID, ourID)...)
	}
	return append(b, bytes.Join(options, nil)...)
}

// answer is what a client reads in an answer.
type answer struct {
	dhcpv6.Message
	status string // of the message; empty: none
	ias    []answerIA
}

type answerIA struct {
	kind         lease.Kind
	iaid, t1, t2 uint32
	leases       []answerLease
	status       string
}

type answerLease struct {
	prefix           netip.Prefix // an address is a prefix of 128 bits
	preferred, valid uint32
}

// grants are the leases with a valid lifetime, as text, without "/128".
func (a answerIA) grants() (s []string) {
	for _, l := range a.leases {
		if l.valid > 0 {
			s = append(s, strings.TrimSuffix(l.prefix.String(), "/128"))
		}
	}
	return s
}

// withdrawn are the leases with lifetimes of zero.
func (a answerIA) withdrawn() (s []string) {
	for _, l := range a.leases {
		if l.valid == 0 && l.preferred == 0 {
			s = append(s, strings.TrimSuffix(l.prefix.String(), "/128"))
		}
	}
	return s
}

// read reads a client's answer; every length must be exact.
func read(t testing.TB, b []byte) (a answer) {
	t.Helper()
	var err error
	if a.Message, err = dhcpv6.ParseMessage(b); err != nil || len(a.Options) != len(b)-4 {
		t.Fatalf("answer is malformed (%v):\n%x", err, b)
	}
	for code, data := range a.Options.All() {
		switch code {
		case dhcpv6.OptionStatusCode:
			a.status = readStatus(t, data)
		case dhcpv6.OptionIANA:
			a.ias = append(a.ias, readIA(t, lease.Address, data))
		case dhcpv6.OptionIAPD:
			a.ias = append(a.ias, readIA(t, lease.Prefix, data))
		}
	}
	return a
}

func readStatus(t testing.TB, data []byte) string {
	s, err := dhcpv6.ParseStatus(data)
	if err != nil {
		t.Fatal(err)
	}
	return s.Code.String()
}

func readIA(t testing.TB, kind lease.Kind, data []byte) answerIA {
	t.Helper()
	got, err := dhcpv6.ParseIA(data)
	if err != nil || len(got.Options) != len(data)-12 {
		t.Fatalf("IA is malformed (%v): %x", err, data)
	}
	a := answerIA{kind: kind, iaid: got.IAID, t1: got.T1, t2: got.T2}
	for code, data := range got.All() {
		switch {
		case code == dhcpv6.OptionStatusCode:
			a.status = readStatus(t, data)
		case code == dhcpv6.OptionIAAddr && kind == lease.Address:
			addr, err := dhcpv6.ParseIAAddr(data)
			if err != nil || len(data) != 24 {
				t.Fatalf("IA Address is malformed: %x", data)
			}
			a.leases = append(a.leases, answerLease{netip.PrefixFrom(addr.Addr, 128), addr.Preferred, addr.Valid})
		case code == dhcpv6.OptionIAPrefix && kind == lease.Prefix:
			p, err := dhcpv6.ParseIAPrefix(data)
			if err != nil || len(data) != 25 {
				t.Fatalf("IA Prefix is malformed: %x", data)
			}
			a.leases = append(a.leases, answerLease{p.Prefix, p.Preferred, p.Valid})
		default:
			t.Fatalf("%v in an %v of an answer", code, kind)
		}
	}
	return a
}

// dump shows a message an option a line, as the tables write them.
func dump(b []byte) string {
	var s strings.Builder
	switch {
	case len(b) >= 34 && dhcpv6.MessageType(b[0]).Relayed():
		fmt.Fprintf(&s, "\t%02x %02x %x %x # %v\n", b[0], b[1], b[2:18], b[18:34], dhcpv6.MessageType(b[0]))
		dumpOptions(&s, "\t", b[34:])
	case len(b) >= 4:
		fmt.Fprintf(&s, "\t%02x %x # %v\n", b[0], b[1:4], dhcpv6.MessageType(b[0]))
		dumpOptions(&s, "\t", b[4:])
	default:
		fmt.Fprintf(&s, "\t%x\n", b)
	}
	return s.String()
}

func dumpOptions(s *strings.Builder, indent string, b []byte) {
	for len(b) >= 4 {
		code, n := dhcpv6.OptionCode(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			break
		}
		data := b[4 : 4+n]
		fmt.Fprintf(s, "%s%04x %04x", indent, uint16(code), n)
		switch {
		case (code == dhcpv6.OptionIANA || code == dhcpv6.OptionIAPD) && n >= 12:
			fmt.Fprintf(s, " %x %x %x # %v\n", data[:4], data[4:8], data[8:12], code)
			dumpOptions(s, indent+"\t", data[12:])
		case code == dhcpv6.OptionRelayMsg:
			fmt.Fprintf(s, " # %v\n%s", code, dump(data))
		default:
			fmt.Fprintf(s, " %x # %v\n", data, code)
		}
		b = b[4+n:]
	}
	if len(b) > 0 {
		fmt.Fprintf(s, "%s%x # stray\n", indent, b)
	}
}
