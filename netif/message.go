package netif

import (
	"encoding/binary"
	"errors"

	"github.com/mdlayher/netlink/nlenc"
	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
)

// A message is a netlink message. Those of package netlink would do, if they did not bring package net and package log
// into the binary: 12 KB of flash.
type message struct {
	Type     uint16
	Flags    uint16
	Sequence uint32
	Data     []byte
}

// append writes the message.
func (m message) append(b []byte) []byte {
	b = binary.NativeEndian.AppendUint32(b, uint32(unix.NLMSG_HDRLEN+len(m.Data)))
	b = binary.NativeEndian.AppendUint16(b, m.Type)
	b = binary.NativeEndian.AppendUint16(b, m.Flags)
	b = binary.NativeEndian.AppendUint32(b, m.Sequence)
	b = binary.NativeEndian.AppendUint32(b, 0) // the port: the kernel knows
	b = append(b, m.Data...)
	return append(b, make([]byte, align(len(m.Data))-len(m.Data))...)
}

// align is where what follows so many octets begins.
func align(n int) int { return (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }

var errAttribute = errors.New("attribute of a wrong length")

// attributes reads the attributes of a message, one after the other.
type attributes struct {
	rest  []byte
	kind  uint16
	value []byte
	err   error
}

// Next goes on to the next attribute. It returns false behind the last, or at one that makes no sense.
func (a *attributes) Next() bool {
	if len(a.rest) == 0 || a.err != nil {
		return false
	}
	if len(a.rest) < unix.SizeofRtAttr {
		a.err = errAttribute
		return false
	}
	length := int(binary.NativeEndian.Uint16(a.rest[:2]))
	a.kind = binary.NativeEndian.Uint16(a.rest[2:4]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
	if length == 0 { // an empty one
		length = unix.SizeofRtAttr
	}
	if length < unix.SizeofRtAttr || length > len(a.rest) {
		a.err = errAttribute
		return false
	}
	a.value = a.rest[unix.SizeofRtAttr:length]
	a.rest = a.rest[min(align(length), len(a.rest)):]
	return true
}

// Type is the attribute's type, without the flags.
func (a *attributes) Type() uint16 { return a.kind }

// Bytes is the attribute's value, valid as long as the message.
func (a *attributes) Bytes() []byte { return a.value }

// String is the value without the zeros at its end.
func (a *attributes) String() string { return nlenc.String(a.value) }

// Uint32 is the value as a number.
func (a *attributes) Uint32() uint32 {
	if len(a.value) != 4 {
		a.err = tinyfmt.Errorf("attribute %d has %d octets instead of 4", a.kind, len(a.value))
		return 0
	}
	return binary.NativeEndian.Uint32(a.value)
}

// Err is the first error.
func (a *attributes) Err() error { return a.err }
