package ubustest

import (
	"encoding/binary"
	"errors"
	"io"
)

// This codec owes nothing to the one under test.

// Types of frames.
const (
	hello        = 0
	status       = 1
	data         = 2
	ping         = 3
	lookup       = 4
	invoke       = 5
	addObject    = 6
	removeObject = 7
	subscribe    = 8
	unsubscribe  = 9
	notify       = 10
)

// Attributes.
const (
	attrStatus      = 1
	attrPath        = 2
	attrObject      = 3
	attrMethod      = 4
	attrType        = 5
	attrSignature   = 6
	attrData        = 7
	attrTarget      = 8
	attrActive      = 9
	attrNoReply     = 10
	attrSubscribers = 11
	attrUser        = 12
	attrGroup       = 13
)

// maxMessage is the longest blob, and the most that waits for a client.
const maxMessage = 1 << 20

// attr is an attribute, or an element of a blobmsg.
type attr struct {
	head    byte // id; with 0x80, payload begins with a name
	payload []byte
}

type frame struct {
	version, kind byte
	seq           uint16
	peer          uint32
	attrs         []attr
}

var errFrame = errors.New("a length that ubusd does not accept")

func readFrame(r io.Reader) (f frame, err error) {
	head := make([]byte, 12)
	if _, err := io.ReadFull(r, head); err != nil {
		return f, err
	}
	length := int(head[9])<<16 | int(head[10])<<8 | int(head[11])
	if length < 4 || length > maxMessage {
		return f, errFrame
	}
	blob := make([]byte, (length+3)/4*4-4)
	if _, err := io.ReadFull(r, blob); err != nil {
		return f, err
	}
	f = frame{head[0], head[1], binary.BigEndian.Uint16(head[2:]), binary.BigEndian.Uint32(head[4:]), parse(blob)}
	return f, nil
}

func (f frame) encode() []byte {
	b := []byte{f.version, f.kind}
	b = binary.BigEndian.AppendUint16(b, f.seq)
	b = binary.BigEndian.AppendUint32(b, f.peer)
	return appendAttr(b, attr{0, encode(f.attrs)})
}

// parse takes attributes apart, up to the first that does not fit.
func parse(b []byte) (attrs []attr) {
	for len(b) >= 4 {
		length := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		padded := (length + 3) / 4 * 4
		if length < 4 || padded > len(b) {
			break
		}
		attrs = append(attrs, attr{b[0], b[4:length]})
		b = b[padded:]
	}
	return attrs
}

func encode(attrs []attr) (b []byte) {
	for _, a := range attrs {
		b = appendAttr(b, a)
	}
	return b
}

func appendAttr(b []byte, a attr) []byte {
	n := len(a.payload) + 4
	b = append(b, a.head, byte(n>>16), byte(n>>8), byte(n))
	b = append(b, a.payload...)
	for ; n%4 != 0; n++ {
		b = append(b, 0)
	}
	return b
}

// get returns the last attribute with the id; ok says whether it is there and of its type.
func (f frame) get(id byte) (payload []byte, ok bool) {
	for _, a := range f.attrs {
		if a.head&0x7f != id {
			continue
		}
		switch id {
		case attrPath, attrMethod, attrUser, attrGroup:
			if len(a.payload) == 0 || a.payload[len(a.payload)-1] != 0 {
				continue
			}
		case attrStatus, attrObject, attrType, attrTarget:
			if len(a.payload) != 4 {
				continue
			}
		}
		payload, ok = a.payload, true
	}
	return payload, ok
}

func (f frame) text(id byte) string {
	b, ok := f.get(id)
	if !ok {
		return ""
	}
	return string(b[:len(b)-1])
}

func (f frame) number(id byte) uint32 {
	b, ok := f.get(id)
	if !ok {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

func number(id byte, v uint32) attr { return attr{id, binary.BigEndian.AppendUint32(nil, v)} }

func text(id byte, s string) attr { return attr{id, append([]byte(s), 0)} }

// element makes an element of a blobmsg.
func element(kind byte, name string, value []byte) attr {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(name)))
	b = append(append(b, name...), 0)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return attr{0x80 | kind, append(b, value...)}
}

// name and value take an element apart.
func (a attr) name() string {
	if len(a.payload) < 2 || len(a.payload) < 2+int(binary.BigEndian.Uint16(a.payload)) {
		return ""
	}
	return string(a.payload[2 : 2+binary.BigEndian.Uint16(a.payload)])
}

func (a attr) value() []byte { return a.payload[min(len(a.payload), (2+len(a.name())+1+3)/4*4):] }

// member returns the value of a table's member of that type.
func member(table []byte, kind byte, name string) (value []byte, ok bool) {
	for _, a := range parse(table) {
		if a.head == 0x80|kind && a.name() == name {
			return a.value(), true
		}
	}
	return nil, false
}

// Types of blobmsg elements.
const (
	kindTable  = 2
	kindString = 3
	kindInt32  = 5
)
