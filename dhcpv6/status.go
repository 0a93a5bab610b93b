package dhcpv6

import (
	"encoding/binary"

	"lan6d/dhcpv6/tinyfmt"
)

// StatusCode says how an operation on a message or an IA went (section 21.13).
type StatusCode uint16

// The status codes of RFC 9915, and UseMulticast, which it withdrew and which older clients still understand.
const (
	StatusSuccess       StatusCode = 0
	StatusUnspecFail    StatusCode = 1
	StatusNoAddrsAvail  StatusCode = 2
	StatusNoBinding     StatusCode = 3
	StatusNotOnLink     StatusCode = 4
	StatusUseMulticast  StatusCode = 5
	StatusNoPrefixAvail StatusCode = 6
)

var statusNames = [...]string{"Success", "UnspecFail", "NoAddrsAvail", "NoBinding", "NotOnLink", "UseMulticast", "NoPrefixAvail"}

// String is the RFC's name of the status, or "status 99".
func (s StatusCode) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return tinyfmt.Sprintf("status %d", uint16(s))
}

// Status is the content of a Status Code option. Message is UTF-8 text for people and aliases the packet.
type Status struct {
	Code    StatusCode
	Message []byte
}

// ParseStatus parses the data of a Status Code option.
func ParseStatus(b []byte) (Status, error) {
	if len(b) < 2 {
		return Status{}, ErrShortOption
	}
	return Status{StatusCode(binary.BigEndian.Uint16(b)), b[2:]}, nil
}
