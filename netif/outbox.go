package netif

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
)

// sendWait is how long one Flush waits, in all, for room in send buffers
// before it drops datagrams, in milliseconds. Clients retransmit; a loop that
// waits for a stuck device does not serve the others.
const sendWait = 20

// An Outbox gathers datagrams to be sent, each from any socket, and sends them
// with few system calls. One goroutine owns it; the event loop needs only one
// for all its sockets. It keeps its memory as a Batch does.
type Outbox struct {
	mem    region
	n      int // datagrams queued
	handed bool
	failed []SendError

	next, end int // those that write is to send
	wait      int // what is left of sendWait
	write     func(fd uintptr) bool

	socks    [BatchSize]*Socket
	hdrs     [BatchSize]unix.Mmsghdr
	iovs     [BatchSize]unix.Iovec
	names    [BatchSize]unix.RawSockaddrInet6
	controls [BatchSize]pktinfo
}

// A SendError tells of a datagram that could not be sent.
type SendError struct {
	Socket *Socket
	To     netip.AddrPort
	Errno  unix.Errno
}

func (e SendError) Error() string {
	return tinyfmt.Sprintf("send to %v on %s: %v", e.To, e.Socket.Name(), e.Errno)
}

func (e SendError) Unwrap() error { return e.Errno }

// NewOutbox returns an empty outbox for BatchSize datagrams. It lives as long
// as the process does.
func NewOutbox() (*Outbox, error) {
	mem, err := newRegion(BatchSize)
	if err != nil {
		return nil, err
	}
	o := &Outbox{mem: mem, failed: make([]SendError, 0, BatchSize)}
	for i := range o.hdrs {
		link(&o.hdrs[i].Hdr, &o.iovs[i], &o.names[i], &o.controls[i], o.mem.slot(i))
	}
	o.write = o.send
	return o, nil
}

// Buffer returns MaxPayload octets to write the next datagram into, which Add
// then queues. Until Add, every call returns the same buffer. A full outbox
// returns nil: flush it first.
func (o *Outbox) Buffer() []byte {
	if o.Full() {
		return nil
	}
	o.handed = true
	return o.mem.slot(o.n)[:MaxPayload:MaxPayload]
}

// Full reports whether the outbox has to be flushed before more can be added.
func (o *Outbox) Full() bool { return o.n == BatchSize }

// Len returns the number of datagrams queued.
func (o *Outbox) Len() int { return o.n }

// Add queues the first n octets of Buffer, to be sent by s to the address to,
// out of the interface ifindex (0: that of s), from the source address from.
// The kernel chooses the source when from is the zero Addr, unspecified or
// multicast; with hundreds of addresses on a link that is slow, so name it.
//
// Add panics when the outbox is full or n exceeds MaxPayload.
func (o *Outbox) Add(s *Socket, n int, to netip.AddrPort, from netip.Addr, ifindex int) {
	_ = o.mem.slot(o.n)[:MaxPayload:MaxPayload][:n]
	if ifindex == 0 {
		ifindex = s.ifindex
	}
	i := o.n
	o.socks[i] = s
	o.iovs[i].SetLen(n)
	o.names[i] = unix.RawSockaddrInet6{
		Family:   unix.AF_INET6,
		Port:     htons(to.Port()),
		Addr:     to.Addr().As16(),
		Scope_id: scope(to.Addr(), ifindex),
	}
	c := &o.controls[i]
	c.Level, c.Type = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
	c.Cmsghdr.SetLen(pktinfoLen)
	c.Ifindex = uint32(ifindex)
	c.Addr = [16]byte{}
	if from.IsValid() && !from.IsMulticast() {
		c.Addr = from.As16()
	}
	o.n++
	o.handed = false
}

// scope returns the sin6_scope_id with which an address is reached.
func scope(a netip.Addr, ifindex int) uint32 {
	if a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast() {
		return uint32(ifindex)
	}
	return 0
}

// Flush sends everything queued and empties the outbox. It returns the
// datagrams that could not be sent; none of them keeps others from being sent.
// The slice is valid until the next Flush.
func (o *Outbox) Flush() []SendError {
	o.failed = o.failed[:0]
	o.wait = sendWait
	for o.next = 0; o.next < o.n; {
		s := o.socks[o.next]
		for o.end = o.next + 1; o.end < o.n && o.socks[o.end] == s; o.end++ {
		}
		if s.raw.Write(o.write) != nil { // the socket has been closed
			for ; o.next < o.end; o.next++ {
				o.fail(unix.EBADF)
			}
		}
	}
	o.recycle()
	return o.failed
}

// recycle empties the outbox.
func (o *Outbox) recycle() {
	for i := range o.n {
		o.mem.trim(i, o.length(i))
		o.socks[i] = nil
	}
	used := o.n
	if o.handed { // written to, perhaps, but not added
		o.mem.trim(used, MaxPayload)
		used++
		o.handed = false
	}
	o.mem.settle(used)
	o.n = 0
}

// length returns the number of octets of the i-th datagram.
func (o *Outbox) length(i int) int { return int(o.iovs[i].Len) }

// send sends the datagrams from next up to end, all of one socket, and leaves
// next at end.
func (o *Outbox) send(fd uintptr) bool {
	s := o.socks[o.next]
	for o.next < o.end {
		n, errno := sendmmsg(fd, o.hdrs[o.next:o.end])
		switch {
		case errno == 0 && n > 0:
			s.counts.sent.Add(uint64(n))
			o.next += n
		case errno == unix.EINTR:
		case errno == unix.EAGAIN && o.wait > 0:
			o.awaitRoom(fd)
		case gone(errno) && o.forgetSource(o.next):
			s.counts.resourced.Add(1)
		default:
			o.fail(errno)
			o.next++
		}
	}
	return true
}

// awaitRoom waits until the socket has room for more, at most for what is left
// of sendWait.
func (o *Outbox) awaitRoom(fd uintptr) {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(fds[:], o.wait)
	if n == 0 && err == nil {
		o.wait = 0
		return
	}
	o.wait-- // interrupted, or woken up with too little room: not for ever
}

// gone reports whether an error may come from a source address that the
// interface no longer has, or has only tentatively.
func gone(errno unix.Errno) bool { return errno == unix.EINVAL || errno == unix.EADDRNOTAVAIL }

// forgetSource leaves the choice of the i-th datagram's source address to the
// kernel. It returns false if that was so already.
func (o *Outbox) forgetSource(i int) bool {
	named := o.controls[i].Addr != [16]byte{}
	o.controls[i].Addr = [16]byte{}
	return named
}

// fail records that the next datagram could not be sent.
func (o *Outbox) fail(errno unix.Errno) {
	s, name := o.socks[o.next], &o.names[o.next]
	s.countSendError(errno)
	o.failed = append(o.failed, SendError{
		Socket: s,
		To:     netip.AddrPortFrom(netip.AddrFrom16(name.Addr), ntohs(name.Port)),
		Errno:  errno,
	})
}
