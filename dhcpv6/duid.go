package dhcpv6

import (
	"encoding/binary"
	"encoding/hex"
	"errors"

	"lan6d/dhcpv6/tinyfmt"
)

// Shortest and longest DUID in octets, its type code of two octets included (section 11.1).
const (
	MinDUIDLength = 3
	MaxDUIDLength = 130
)

// ErrDUIDLength is the error for a DUID shorter than MinDUIDLength or longer than MaxDUIDLength.
var ErrDUIDLength = errors.New("DUID of less than 3 or more than 130 octets")

// DUIDType is the type code that a DUID begins with (section 11.1).
type DUIDType uint16

// The DUID types of RFC 9915.
const (
	DUIDLLT  DUIDType = 1 // link-layer address plus time
	DUIDEN   DUIDType = 2 // vendor, by enterprise number
	DUIDLL   DUIDType = 3 // link-layer address
	DUIDUUID DUIDType = 4 // UUID, RFC 6355
)

// String is the RFC's name of the type, or "DUID type 99".
func (t DUIDType) String() string {
	names := [...]string{DUIDLLT: "DUID-LLT", DUIDEN: "DUID-EN", DUIDLL: "DUID-LL", DUIDUUID: "DUID-UUID"}
	if int(t) < len(names) && names[t] != "" {
		return names[t]
	}
	return tinyfmt.Sprintf("DUID type %d", uint16(t))
}

// HardwareEthernet is the hardware type of Ethernet in a DUID (IANA "ARP Parameters").
const HardwareEthernet = 1

// DUID identifies a client or server (section 11). It is opaque: compare it octet by octet, whatever its type.
type DUID []byte

// ParseDUID takes the data of a Client or Server Identifier option. The DUID aliases b. Unknown types are accepted.
func ParseDUID(b []byte) (DUID, error) {
	if len(b) < MinDUIDLength || len(b) > MaxDUIDLength {
		return nil, ErrDUIDLength
	}
	return DUID(b), nil
}

// ParseDUIDText reads a DUID in the text form of String: hexadecimal digits, in either case, without separators.
func ParseDUIDText(s string) (DUID, error) {
	b, err := tinyfmt.ParseHex(s)
	if err != nil {
		return nil, tinyfmt.Errorf("DUID %q: not an even number of hexadecimal digits", s)
	}
	d, err := ParseDUID(b)
	if err != nil {
		return nil, tinyfmt.Errorf("DUID %q: %d octets, allowed are %d to %d", s, len(b), MinDUIDLength, MaxDUIDLength)
	}
	return d, nil
}

// NewDUIDLL makes a DUID of type 3 from a link-layer address (section 11.4).
func NewDUIDLL(hardwareType uint16, address []byte) DUID {
	d := binary.BigEndian.AppendUint16(nil, uint16(DUIDLL))
	d = binary.BigEndian.AppendUint16(d, hardwareType)
	return append(d, address...)
}

// Type is the type code; 0 for a DUID too short to have one.
func (d DUID) Type() DUIDType {
	if len(d) < 2 {
		return 0
	}
	return DUIDType(binary.BigEndian.Uint16(d))
}

// MAC returns the Ethernet address in a DUID-LLT of 14 octets or a DUID-LL of 10, aliasing the DUID.
func (d DUID) MAC() (mac []byte, ok bool) {
	switch {
	case d.Type() == DUIDLLT && len(d) == 14, d.Type() == DUIDLL && len(d) == 10:
		return d[len(d)-6:], binary.BigEndian.Uint16(d[2:]) == HardwareEthernet
	}
	return nil, false
}

// String is the DUID in lower-case hexadecimal digits without separators, as odhcpd, LuCI and ubus show it.
func (d DUID) String() string { return hex.EncodeToString(d) }
