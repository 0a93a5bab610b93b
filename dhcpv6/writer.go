package dhcpv6

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// ErrBufferFull is the error for a message that does not fit its buffer, or an option that passes 65,535 octets.
var ErrBufferFull = errors.New("message does not fit its buffer")

// Writer writes a message into a buffer that cannot grow. A write that does not fit is left out and remembered, and
// Finish tells; so nothing needs to be checked before. The buffer belongs to the caller, and what Finish returns
// aliases it.
type Writer struct {
	buf  []byte
	n    int
	full bool
}

// NewWriter begins an empty message in buf.
func NewWriter(buf []byte) Writer { return Writer{buf: buf} }

// Mark is a place in the message, as Begin and Mark return it.
type Mark int

// grow makes room for n octets and returns it, or nil if there is none.
func (w *Writer) grow(n int) []byte {
	if w.full || n > len(w.buf)-w.n {
		w.full = true
		return nil
	}
	w.n += n
	return w.buf[w.n-n : w.n]
}

// Uint8 appends one octet.
func (w *Writer) Uint8(v uint8) {
	if b := w.grow(1); b != nil {
		b[0] = v
	}
}

// Uint16 appends two octets in network order.
func (w *Writer) Uint16(v uint16) {
	if b := w.grow(2); b != nil {
		binary.BigEndian.PutUint16(b, v)
	}
}

// Uint32 appends four octets in network order.
func (w *Writer) Uint32(v uint32) {
	if b := w.grow(4); b != nil {
		binary.BigEndian.PutUint32(b, v)
	}
}

// Bytes appends b as it is.
func (w *Writer) Bytes(b []byte) { copy(w.grow(len(b)), b) }

// Text appends s as it is.
func (w *Writer) Text(s string) { copy(w.grow(len(s)), s) }

// Addr appends the 16 octets of an IPv6 address.
func (w *Writer) Addr(a netip.Addr) {
	b := a.As16()
	copy(w.grow(16), b[:])
}

// Message appends the header of a client's or server's message (section 8). The transaction ID has 24 bits.
func (w *Writer) Message(t MessageType, transactionID uint32) {
	w.Uint32(uint32(t)<<24 | transactionID&0xffffff)
}

// RelayMessage appends the header of a relay agent's message (section 9).
func (w *Writer) RelayMessage(t MessageType, hopCount uint8, link, peer netip.Addr) {
	w.Uint8(uint8(t))
	w.Uint8(hopCount)
	w.Addr(link)
	w.Addr(peer)
}

// Begin starts an option whose length is not known yet. End completes it. Options nest.
func (w *Writer) Begin(code OptionCode) Mark {
	w.Uint16(uint16(code))
	w.Uint16(0)
	return Mark(w.n)
}

// End completes the option that Begin started, by writing its length.
func (w *Writer) End(m Mark) {
	if w.full {
		return
	}
	if w.n-int(m) > 0xffff {
		w.full = true
		return
	}
	binary.BigEndian.PutUint16(w.buf[m-2:], uint16(w.n-int(m)))
}

// Option appends an option with the data given.
func (w *Writer) Option(code OptionCode, data []byte) {
	m := w.Begin(code)
	w.Bytes(data)
	w.End(m)
}

// OptionUint32 appends an option whose data is one number of four octets.
func (w *Writer) OptionUint32(code OptionCode, v uint32) {
	m := w.Begin(code)
	w.Uint32(v)
	w.End(m)
}

// Status appends a Status Code option (section 21.13).
func (w *Writer) Status(code StatusCode, message string) {
	m := w.Begin(OptionStatusCode)
	w.Uint16(uint16(code))
	w.Text(message)
	w.End(m)
}

// IAAddr appends an IA Address option without options of its own.
func (w *Writer) IAAddr(a netip.Addr, preferred, valid uint32) {
	m := w.Begin(OptionIAAddr)
	w.Addr(a)
	w.Uint32(preferred)
	w.Uint32(valid)
	w.End(m)
}

// IAPrefix appends an IA Prefix option without options of its own.
func (w *Writer) IAPrefix(p netip.Prefix, preferred, valid uint32) {
	m := w.Begin(OptionIAPrefix)
	w.Uint32(preferred)
	w.Uint32(valid)
	w.Uint8(uint8(p.Bits()))
	w.Addr(p.Addr())
	w.End(m)
}

// Mark is the place where the next octet goes: for SetUint32.
func (w *Writer) Mark() Mark { return Mark(w.n) }

// SetUint32 overwrites four octets that were written at m.
func (w *Writer) SetUint32(m Mark, v uint32) {
	if !w.full {
		binary.BigEndian.PutUint32(w.buf[m:int(m)+4], v)
	}
}

// Finish returns the message, or ErrBufferFull if anything before it did not fit.
func (w *Writer) Finish() ([]byte, error) {
	if w.full {
		return nil, ErrBufferFull
	}
	return w.buf[:w.n:w.n], nil
}
