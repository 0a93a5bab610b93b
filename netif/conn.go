package netif

import (
	"encoding/binary"
	"os"
	"syscall"
	"time"

	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
)

// netlinkBuffer is longer than any datagram that the kernel makes of a dump:
// those have at most 32 KiB.
const netlinkBuffer = 33 << 10

// requestTimeout is how long one request may take. The kernel answers at once,
// unless somebody else holds the lock of all network configuration.
const requestTimeout = 5 * time.Second

// routeConn is a rtnetlink socket. netlink.Conn would do, and so would the
// methods of socket.Conn that take a context, were it not for what they bring
// into the binary: package log, all time zones and formats, a twentieth of what
// it may weigh.
type routeConn struct {
	*socket.Conn
	raw      syscall.RawConn
	buf      []byte
	messages []message
	sequence uint32
}

// dialRoute opens a rtnetlink socket that is told of what the groups (of
// RTMGRP_*) stand for, in a network namespace given by its file descriptor or
// 0.
func dialRoute(groups uint32, netns int) (*routeConn, error) {
	conn, err := open(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE, "rtnetlink", netns)
	if err != nil {
		return nil, err
	}
	err = conn.Bind(&unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups})
	var raw syscall.RawConn
	if err == nil {
		raw, err = conn.SyscallConn()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &routeConn{Conn: conn, raw: raw, buf: make([]byte, netlinkBuffer)}, nil
}

// receive waits for a datagram and returns its messages, valid until the next
// call. Only the kernel, and whoever could change the interfaces anyway
// (CAP_NET_ADMIN), can send to the socket.
func (c *routeConn) receive() ([]message, error) {
	var n int
	var err error
	waitErr := c.raw.Read(func(fd uintptr) bool {
		err = unix.EINTR
		for err == unix.EINTR { // the poller would wait for more than is there
			n, err = unix.Read(int(fd), c.buf)
		}
		return err != unix.EAGAIN
	})
	switch {
	case waitErr != nil:
		return nil, waitErr
	case err != nil:
		return nil, os.NewSyscallError("read", err)
	case n == len(c.buf):
		return nil, tinyfmt.Errorf("rtnetlink datagram of %d octets or more", n)
	}
	c.messages = c.messages[:0]
	err = c.split(c.buf[:n])
	return c.messages, err
}

// split cuts a datagram into messages.
func (c *routeConn) split(b []byte) error {
	for len(b) >= unix.NLMSG_HDRLEN {
		length := binary.NativeEndian.Uint32(b)
		if length < unix.NLMSG_HDRLEN || uint64(length) > uint64(len(b)) {
			return tinyfmt.Errorf("rtnetlink message of length %d in %d octets", length, len(b))
		}
		aligned := align(int(length))
		if aligned > len(b) {
			return tinyfmt.Errorf("rtnetlink message of length %d without its padding", length)
		}
		c.messages = append(c.messages, message{
			Type:     binary.NativeEndian.Uint16(b[4:]),
			Flags:    binary.NativeEndian.Uint16(b[6:]),
			Sequence: binary.NativeEndian.Uint32(b[8:]),
			Data:     b[unix.NLMSG_HDRLEN:length:length],
		})
		b = b[aligned:]
	}
	return nil
}

// send sends a request to the kernel.
func (c *routeConn) send(request []byte) error {
	var err error
	waitErr := c.raw.Write(func(fd uintptr) bool {
		err = unix.EINTR
		for err == unix.EINTR {
			err = unix.Sendto(int(fd), request, unix.MSG_DONTWAIT, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		}
		return err != unix.EAGAIN
	})
	if waitErr != nil {
		return waitErr
	}
	return os.NewSyscallError("sendto", err)
}

// request sends a request of a new sequence number.
func (c *routeConn) request(kind, flags uint16, data []byte) error {
	c.sequence++
	request := message{Type: kind, Flags: unix.NLM_F_REQUEST | flags, Sequence: c.sequence, Data: data}
	return c.send(request.append(nil))
}

// ask sends a request that has one answer, and returns it: valid until the next
// call. There may be others before it, to requests that were given up.
func (c *routeConn) ask(kind, flags uint16, data []byte) (message, error) {
	if err := c.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return message{}, err
	}
	if err := c.request(kind, flags, data); err != nil {
		return message{}, err
	}
	for {
		messages, err := c.receive()
		if err != nil {
			return message{}, err
		}
		for _, m := range messages {
			switch {
			case m.Sequence != c.sequence:
			case m.Type == unix.NLMSG_ERROR:
				return m, messageError(m)
			default:
				return m, nil
			}
		}
	}
}

// dump asks for all objects of a kind (RTM_GET*) and hands each to apply. It
// returns whether nothing changed meanwhile.
func (c *routeConn) dump(kind uint16, data []byte, apply func(message)) (whole bool, err error) {
	if err := c.request(kind, unix.NLM_F_DUMP, data); err != nil {
		return false, err
	}
	whole = true
	for {
		messages, err := c.receive()
		if err != nil {
			return false, err
		}
		for _, m := range messages {
			if m.Sequence != c.sequence {
				continue
			}
			if m.Flags&unix.NLM_F_DUMP_INTR != 0 {
				whole = false
			}
			switch m.Type {
			case unix.NLMSG_DONE, unix.NLMSG_ERROR:
				return whole, messageError(m)
			}
			apply(m)
		}
	}
}

// messageError is the error in a message that ends a dump: NLMSG_ERROR, or
// NLMSG_DONE, which has one too if the dump broke off half-way.
func messageError(m message) error {
	if len(m.Data) < 4 {
		return tinyfmt.Errorf("rtnetlink message of type %d with %d octets", m.Type, len(m.Data))
	}
	if code := int32(binary.NativeEndian.Uint32(m.Data)); code < 0 {
		return os.NewSyscallError("rtnetlink", unix.Errno(-code))
	}
	return nil
}
