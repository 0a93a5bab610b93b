package dhcpv6

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"lan6d/dhcpv6/tinyfmt"
)

// UDP ports (section 7.2).
const (
	ClientPort = 546
	ServerPort = 547
)

// HopCountLimit is the largest number of relay agents a message may pass (section 7.6: HOP_COUNT_LIMIT).
const HopCountLimit = 8

// MaxPayload is the largest UDP payload that IPv6 carries without a jumbogram, in octets.
const MaxPayload = 65535 - 8

// Multicast addresses (section 7.1).
var (
	AllRelayAgentsAndServers = netip.MustParseAddr("ff02::1:2")
	AllServers               = netip.MustParseAddr("ff05::1:3")
)

// IsPeer reports whether an address can be a client's or a relay agent's: link-local or global, which unique local ones are
// here, too.
func IsPeer(a netip.Addr) bool {
	return a.Is6() && !a.Is4In6() && (a.IsGlobalUnicast() || a.IsLinkLocalUnicast())
}

// Infinity is the lifetime, in seconds, that never ends (section 7.7).
const Infinity = 0xffffffff

// MessageType is the first octet of every message (section 7.3).
type MessageType uint8

// The message types of RFC 9915.
const (
	Solicit MessageType = iota + 1
	Advertise
	Request
	Confirm
	Renew
	Rebind
	Reply
	Release
	Decline
	Reconfigure
	InformationRequest
	RelayForward
	RelayReply
)

var messageTypeNames = [...]string{
	Solicit: "Solicit", Advertise: "Advertise", Request: "Request", Confirm: "Confirm", Renew: "Renew",
	Rebind: "Rebind", Reply: "Reply", Release: "Release", Decline: "Decline", Reconfigure: "Reconfigure",
	InformationRequest: "Information-request", RelayForward: "Relay-forward", RelayReply: "Relay-reply",
}

// String is the RFC's name of the type, or "message type 99".
func (t MessageType) String() string {
	if int(t) < len(messageTypeNames) && messageTypeNames[t] != "" {
		return messageTypeNames[t]
	}
	return tinyfmt.Sprintf("message type %d", uint8(t))
}

// Relayed reports whether messages of this type have a relay agent's header (section 9) instead of a client's.
func (t MessageType) Relayed() bool { return t == RelayForward || t == RelayReply }

// Errors of the parsers. They are static: a malformed packet costs no allocation.
var (
	ErrShortMessage = errors.New("message shorter than its header")
	ErrMessageType  = errors.New("message of another header format")
	ErrShortOption  = errors.New("option shorter than its fixed part")
	ErrOptionLength = errors.New("option length runs past the end")
	ErrPrefixLength = errors.New("prefix length above 128")
)

// Message is a client's or server's message (section 8). Options alias the bytes it was parsed from.
type Message struct {
	Type          MessageType
	TransactionID uint32 // 24 bits
	Options       Options
}

// ParseMessage parses a message that is not relayed and checks the options' lengths.
func ParseMessage(b []byte) (Message, error) {
	if len(b) < 4 {
		return Message{}, ErrShortMessage
	}
	if MessageType(b[0]).Relayed() {
		return Message{}, ErrMessageType
	}
	options, err := ParseOptions(b[4:])
	return Message{MessageType(b[0]), binary.BigEndian.Uint32(b) & 0xffffff, options}, err
}

// RelayMessage is a Relay-forward or Relay-reply (section 9). Options alias the bytes it was parsed from.
type RelayMessage struct {
	Type        MessageType
	HopCount    uint8
	LinkAddress netip.Addr
	PeerAddress netip.Addr
	Options     Options
}

// ParseRelayMessage parses a Relay-forward or Relay-reply and checks the options' lengths.
func ParseRelayMessage(b []byte) (RelayMessage, error) {
	if len(b) < 34 {
		return RelayMessage{}, ErrShortMessage
	}
	if !MessageType(b[0]).Relayed() {
		return RelayMessage{}, ErrMessageType
	}
	options, err := ParseOptions(b[34:])
	return RelayMessage{
		Type:        MessageType(b[0]),
		HopCount:    b[1],
		LinkAddress: netip.AddrFrom16([16]byte(b[2:18])),
		PeerAddress: netip.AddrFrom16([16]byte(b[18:34])),
		Options:     options,
	}, err
}
