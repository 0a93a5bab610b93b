package dhcpv6

import (
	"encoding/binary"
	"net/netip"
)

// IA is the content of an IA_NA option (section 21.4) or an IA_PD option (section 21.21): both have the same layout.
// T1, T2 are in seconds. Options alias the packet.
type IA struct {
	IAID   uint32
	T1, T2 uint32
	Options
}

// ParseIA parses the data of an IA_NA or IA_PD option and checks the lengths of the options within.
func ParseIA(b []byte) (IA, error) {
	if len(b) < 12 {
		return IA{}, ErrShortOption
	}
	options, err := ParseOptions(b[12:])
	return IA{
		IAID:    binary.BigEndian.Uint32(b),
		T1:      binary.BigEndian.Uint32(b[4:]),
		T2:      binary.BigEndian.Uint32(b[8:]),
		Options: options,
	}, err
}

// IAAddr is the content of an IA Address option (section 21.6). Lifetimes are in seconds, Infinity included.
type IAAddr struct {
	Addr             netip.Addr
	Preferred, Valid uint32
	Options
}

// ParseIAAddr parses the data of an IA Address option.
func ParseIAAddr(b []byte) (IAAddr, error) {
	if len(b) < 24 {
		return IAAddr{}, ErrShortOption
	}
	options, err := ParseOptions(b[24:])
	return IAAddr{
		Addr:      netip.AddrFrom16([16]byte(b)),
		Preferred: binary.BigEndian.Uint32(b[16:]),
		Valid:     binary.BigEndian.Uint32(b[20:]),
		Options:   options,
	}, err
}

// IAPrefix is the content of an IA Prefix option (section 21.22). Lifetimes are in seconds, Infinity included. The
// prefix is as sent: bits behind its length may be set, and a client's hint may be ::/0 or ::/62.
type IAPrefix struct {
	Prefix           netip.Prefix
	Preferred, Valid uint32
	Options
}

// ParseIAPrefix parses the data of an IA Prefix option. A prefix length above 128 is an error.
func ParseIAPrefix(b []byte) (IAPrefix, error) {
	if len(b) < 25 {
		return IAPrefix{}, ErrShortOption
	}
	if b[8] > 128 {
		return IAPrefix{}, ErrPrefixLength
	}
	options, err := ParseOptions(b[25:])
	return IAPrefix{
		Prefix:    netip.PrefixFrom(netip.AddrFrom16([16]byte(b[9:])), int(b[8])),
		Preferred: binary.BigEndian.Uint32(b),
		Valid:     binary.BigEndian.Uint32(b[4:]),
		Options:   options,
	}, err
}
