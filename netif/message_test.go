package netif

import (
	"bytes"
	"testing"

	"github.com/mdlayher/netlink"
)

// TestAttributes: package netlink, which is too heavy for the binary, reads the same.
func TestAttributes(t *testing.T) {
	for _, b := range [][]byte{
		{8, 0, 3, 0, 'a', 'b', 0, 0, 8, 0, 4, 0x80, 1, 2, 3, 4},
		{5, 0, 1, 0, 9, 0, 0, 0, 4, 0, 2, 0},
		{3, 0, 1, 0},
		{9, 0, 1, 0, 1, 2, 3, 4},
		{},
	} {
		theirs, err := netlink.NewAttributeDecoder(bytes.Clone(b))
		ours := attributes{rest: b}
		for ours.Next() {
			if err != nil || !theirs.Next() {
				t.Fatalf("an attribute of type %d where there is none: %v", ours.Type(), err)
			}
			if ours.Type() != theirs.Type() || !bytes.Equal(ours.Bytes(), theirs.Bytes()) || ours.String() != theirs.String() {
				t.Fatalf("attribute %d: %x, want %d: %x", ours.Type(), ours.Bytes(), theirs.Type(), theirs.Bytes())
			}
		}
		if err == nil {
			if theirs.Next() {
				t.Fatalf("no attribute where there is one of type %d", theirs.Type())
			}
			err = theirs.Err()
		}
		if (ours.Err() == nil) != (err == nil) {
			t.Fatalf("%v, want %v", ours.Err(), err)
		}
	}
}

// TestMessage: package netlink writes the same.
func TestMessage(t *testing.T) {
	for n := range 9 {
		data := []byte("12345678")[:n]
		want, err := netlink.Message{
			Header: netlink.Header{Length: uint32(16 + n), Type: 24, Flags: netlink.Request | netlink.Dump, Sequence: 7}, Data: data,
		}.MarshalBinary()
		if n%4 != 0 { // which it leaves to its Conn
			padded := append(bytes.Clone(data), make([]byte, 4-n%4)...)
			want, err = netlink.Message{
				Header: netlink.Header{Length: uint32(16 + len(padded)), Type: 24, Flags: netlink.Request | netlink.Dump, Sequence: 7}, Data: padded,
			}.MarshalBinary()
			want[0] = byte(16 + n)
		}
		got := message{Type: 24, Flags: uint16(netlink.Request | netlink.Dump), Sequence: 7, Data: data}.append(nil)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d octets: %x, want %x, %v", n, got, want, err)
		}
	}
}
