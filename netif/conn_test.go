package netif

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// rawMessage is a message as the kernel writes it, of a stated length.
func rawMessage(length uint32, kind uint16, data ...byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, length)
	b = binary.NativeEndian.AppendUint16(b, kind)
	return append(append(b, make([]byte, 10)...), data...)
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want int // messages before the error, or all
		ok   bool
	}{
		{"nothing", nil, 0, true},
		{"one", rawMessage(20, 16, 1, 2, 3, 4), 1, true},
		{"two, the first padded", append(rawMessage(17, 16, 1, 0, 0, 0), rawMessage(16, 3)...), 2, true},
		{"stray octets", append(rawMessage(16, 16), 1, 2, 3, 4), 1, true},
		{"length 0", rawMessage(0, 16), 0, false},
		{"shorter than its header", rawMessage(15, 16), 0, false},
		{"past the end", rawMessage(17, 16), 0, false},
		{"no padding", rawMessage(17, 16, 1), 0, false},
		{"length overflows 31 bits when padded", rawMessage(1<<31-1, 16), 0, false},
		{"length overflows 32 bits when padded", rawMessage(1<<32-1, 16), 0, false},
		{"good and bad", append(rawMessage(16, 16), rawMessage(99, 16)...), 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c routeConn
			if err := c.split(tt.in); (err == nil) != tt.ok || len(c.messages) != tt.want {
				t.Errorf("%d messages, error %v", len(c.messages), err)
			}
		})
	}
	var c routeConn
	if err := c.split(rawMessage(19, 24, 1, 2, 3, 0)); err != nil {
		t.Fatal(err)
	}
	if m := c.messages[0]; m.Type != 24 || !bytes.Equal(m.Data, []byte{1, 2, 3}) {
		t.Errorf("message %+v", m)
	}
}

func TestDumpErrors(t *testing.T) {
	for _, tt := range []struct {
		kind uint16
		data []byte
		want error // nil: none
	}{
		{unix.NLMSG_DONE, u32(0), nil},
		{unix.NLMSG_DONE, failure(unix.ENOMEM), unix.ENOMEM},
		{unix.NLMSG_ERROR, failure(unix.EPERM), unix.EPERM},
	} {
		if err := messageError(message{Type: tt.kind, Data: tt.data}); !errors.Is(err, tt.want) {
			t.Errorf("type %d, %x: %v, not %v", tt.kind, tt.data, err, tt.want)
		}
	}
	if messageError(message{Type: unix.NLMSG_ERROR, Data: nil}) == nil {
		t.Error("no error without its code")
	}
	c, err := dialRoute(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// The kernel has no such request; the connection stays usable.
	if _, err := c.dump(0x7ff2, make([]byte, 16), func(message) {}); err == nil {
		t.Error("no error for a request that does not exist")
	}
	var links int
	if whole, err := c.dump(unix.RTM_GETLINK, make([]byte, 16), func(message) { links++ }); err != nil || !whole || links == 0 {
		t.Errorf("%d links, whole %t, error %v", links, whole, err)
	}
}

// failure is an error as a message carries it.
func failure(errno unix.Errno) []byte { return u32(-uint32(errno)) }
