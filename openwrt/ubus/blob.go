package ubus

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Everything on the bus is a frame: a header of 8 octets and a blob.
//
//	version 1 octet, 0
//	type    1 octet
//	seq     2 octets  chosen by who asks, repeated by who answers
//	peer    4 octets  object or client that is asked or answered
//
// A blob is an attribute with id 0 that consists of attributes. An attribute is
//
//	head    4 octets  extended flag, id (7 bits), length with this head but without the padding (24 bits)
//	payload
//	padding to a multiple of 4 octets
//
// All numbers are in network byte order.
const (
	frameHead = 8
	blobHead  = 4
	extended  = 1 << 31 // the payload begins with a name: see writer.go
	lengthMax = 1<<24 - 1

	// maxMessage is the longest blob: ubusd closes the connection to who sends a longer one.
	maxMessage = 1 << 20
)

// Types of frames.
const (
	msgHello uint8 = iota
	msgStatus
	msgData
	msgPing
	msgLookup
	msgInvoke
	msgAddObject
	msgRemoveObject
	msgSubscribe
	msgUnsubscribe
	msgNotify
)

// Attributes of a frame.
const (
	attrStatus uint32 = 1 + iota
	attrObjPath
	attrObjID
	attrMethod
	attrObjType
	attrSignature
	attrData
	attrTarget
	attrActive
	attrNoReply
	attrSubscribers
	attrUser
	attrGroup
)

// pad is the length with padding.
func pad(n int) int { return (n + 3) &^ 3 }

// readFrame reads one frame into memory of its own.
func readFrame(r io.Reader) ([]byte, error) {
	head := make([]byte, frameHead+blobHead)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, readError(err, errClosed)
	}
	length := int(binary.BigEndian.Uint32(head[frameHead:]) & lengthMax)
	if length < blobHead || length > maxMessage {
		return nil, errLength
	}
	frame := make([]byte, frameHead+pad(length))
	_, err := io.ReadFull(r, frame[copy(frame, head):])
	return frame, readError(err, errHalfFrame)
}

// readError puts the end of the stream in words, which is one to be expected before the first octet.
func readError(err, atOnce error) error {
	switch err {
	case io.EOF:
		return atOnce
	case io.ErrUnexpectedEOF:
		return errHalfFrame
	}
	return err
}

// message is a frame taken apart. It aliases the frame.
type message struct {
	kind  uint8
	seq   uint16
	peer  uint32
	attrs []byte
}

// parse checks that every attribute of a frame lies within it. What is in them is not looked at.
func (m *message) parse(frame []byte) (ok bool) {
	if len(frame) < frameHead+blobHead {
		return false
	}
	m.kind, m.seq, m.peer = frame[1], binary.BigEndian.Uint16(frame[2:]), binary.BigEndian.Uint32(frame[4:])
	_, m.attrs, _, ok = cut(frame[frameHead:])
	for rest := m.attrs; ok && len(rest) > 0; {
		_, _, rest, ok = cut(rest)
	}
	return ok
}

// cut takes the first attribute off b: its head without the length, its payload, and what follows its padding.
func cut(b []byte) (head uint32, payload, rest []byte, ok bool) {
	if len(b) < blobHead {
		return 0, nil, nil, false
	}
	head = binary.BigEndian.Uint32(b)
	length := int(head & lengthMax)
	if length < blobHead || pad(length) > len(b) {
		return 0, nil, nil, false
	}
	return head &^ lengthMax, b[blobHead:length:length], b[pad(length):], true
}

// get returns an attribute's payload, if it has the size given, or any if that is below 0. Of several the last counts, as
// for ubusd.
func (m *message) get(id uint32, size int) (found []byte) {
	for rest := m.attrs; len(rest) > 0; {
		head, payload, next, _ := cut(rest)
		if head&^extended>>24 == id && (size < 0 || len(payload) == size) {
			found = payload
		}
		rest = next
	}
	return found
}

// text returns a string; "" if there is none.
func (m *message) text(id uint32) string {
	b := m.get(id, -1)
	if !isText(b) {
		return ""
	}
	return string(b[:len(b)-1])
}

// isText reports whether b is a string: its only zero octet is the last.
func isText(b []byte) bool { return len(b) > 0 && bytes.IndexByte(b, 0) == len(b)-1 }

// number returns a number; 0 if there is none.
func (m *message) number(id uint32) uint32 {
	b := m.get(id, 4)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// flag returns a truth value; false if there is none.
func (m *message) flag(id uint32) bool {
	b := m.get(id, 1)
	return b != nil && b[0] != 0
}

// buffer is where frames and their contents are built.
type buffer struct{ b []byte }

// keepSpace is the largest buffer that is kept for the next message.
const keepSpace = 64 << 10

// reset empties the buffer.
func (w *buffer) reset() {
	if cap(w.b) > keepSpace {
		w.b = nil
	}
	w.b = w.b[:0]
}

func (w *buffer) word(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }

func (w *buffer) octet(v uint8) { w.b = append(w.b, v) }

func (w *buffer) octets(b []byte) { w.b = append(w.b, b...) }

func (w *buffer) string(s string) {
	w.b = append(w.b, s...)
	w.octet(0)
}

func (w *buffer) pad() {
	for len(w.b)%4 != 0 {
		w.octet(0)
	}
}

// begin begins an attribute whose length end will know.
func (w *buffer) begin(head uint32) (start int) {
	w.word(head)
	return len(w.b) - blobHead
}

// end completes the attribute that began at start, whose value ends where the buffer does.
func (w *buffer) end(start int) {
	head := w.b[start:]
	head[1], head[2], head[3] = uint8(len(head)>>16), uint8(len(head)>>8), uint8(len(head))
	w.pad()
}

// frame begins a frame. end completes it.
func (w *buffer) frame(kind uint8, seq uint16, peer uint32) (start int) {
	w.word(uint32(kind)<<16 | uint32(seq))
	w.word(peer)
	return w.begin(0)
}

func (w *buffer) number(id, v uint32) {
	start := w.begin(id << 24)
	w.word(v)
	w.end(start)
}

func (w *buffer) text(id uint32, s string) {
	start := w.begin(id << 24)
	w.string(s)
	w.end(start)
}

func (w *buffer) bytes(id uint32, content []byte) {
	start := w.begin(id << 24)
	w.octets(content)
	w.end(start)
}
