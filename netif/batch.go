package netif

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BatchSize is the number of datagrams received, and sent, by one system call.
const BatchSize = 32

// A Batch holds up to BatchSize received datagrams. Whoever got it owns it
// until Release; the payloads lie in its memory and are gone with it.
//
// After a burst a Batch keeps a page (4 KiB on most machines) per slot; what
// larger datagrams touch is given back by Release, and all but a few of the
// pages are when the load is low again.
type Batch struct {
	sock  *Socket // nil for those NewBatch made
	mem   region
	n     int
	errno unix.Errno
	read  func(fd uintptr) bool // built once: a closure per call would allocate

	hdrs     [BatchSize]unix.Mmsghdr
	iovs     [BatchSize]unix.Iovec
	names    [BatchSize]unix.RawSockaddrInet6
	controls [BatchSize]pktinfo
}

// A Datagram is one received datagram.
type Datagram struct {
	Payload   []byte         // valid until the batch is released
	From      netip.AddrPort // who sent it; without a zone
	To        netip.Addr     // the address it came to, possibly multicast
	Ifindex   int            // the interface it came in on
	Truncated bool           // longer than Payload: not to be processed
}

// pktinfo is the one control message used, in and out: in6_pktinfo behind its
// header, padded to what the kernel calls CMSG_SPACE.
type pktinfo struct {
	unix.Cmsghdr
	unix.Inet6Pktinfo
}

const sizeofPktinfo = int(unsafe.Sizeof(pktinfo{}))

// pktinfoLen is the control message's length without the padding at its end.
const pktinfoLen = unix.SizeofCmsghdr + unix.SizeofInet6Pktinfo

// NewBatch returns an empty batch for Receive. Free gives back its memory.
func NewBatch() (*Batch, error) {
	mem, err := newRegion(BatchSize)
	if err != nil {
		return nil, err
	}
	b := &Batch{mem: mem}
	for i := range b.hdrs {
		link(&b.hdrs[i].Hdr, &b.iovs[i], &b.names[i], &b.controls[i], b.mem.slot(i))
		b.clear(i)
	}
	b.read = b.receive
	return b, nil
}

// link makes a message header refer to its name, its control message and the
// one buffer it has.
func link(h *unix.Msghdr, iov *unix.Iovec, name *unix.RawSockaddrInet6, control *pktinfo, buf []byte) {
	iov.Base = &buf[0]
	iov.SetLen(len(buf))
	h.Iov = iov
	h.SetIovlen(1)
	h.Name = (*byte)(unsafe.Pointer(name))
	h.Namelen = unix.SizeofSockaddrInet6
	h.Control = (*byte)(unsafe.Pointer(control))
	h.SetControllen(sizeofPktinfo)
}

// clear makes slot i ready for receiving: the kernel overwrites the lengths of
// the buffers it was given with those of what it wrote.
func (b *Batch) clear(i int) {
	h := &b.hdrs[i].Hdr
	h.Namelen = unix.SizeofSockaddrInet6
	h.SetControllen(sizeofPktinfo)
	h.Flags = 0
	b.controls[i] = pktinfo{}
}

// receive fills the batch. It returns false when there is nothing to receive,
// which tells the runtime's poller to wait.
func (b *Batch) receive(fd uintptr) bool {
	for {
		n, errno := recvmmsg(fd, b.hdrs[:])
		switch errno {
		case 0:
			b.n, b.errno = n, 0
			return true
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			b.n, b.errno = 0, errno
			return true
		}
	}
}

// Len returns the number of datagrams in the batch.
func (b *Batch) Len() int { return b.n }

// Socket returns the socket that received the batch; nil if NewBatch made it.
func (b *Batch) Socket() *Socket { return b.sock }

// At returns the i-th datagram of the batch.
func (b *Batch) At(i int) Datagram {
	m, name := &b.hdrs[:b.n][i], &b.names[i]
	d := Datagram{
		Payload:   b.mem.slot(i)[:m.Len:m.Len],
		From:      netip.AddrPortFrom(netip.AddrFrom16(name.Addr), ntohs(name.Port)),
		Truncated: m.Hdr.Flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0,
	}
	c := &b.controls[i]
	if c.Level == unix.IPPROTO_IPV6 && c.Type == unix.IPV6_PKTINFO && int(c.Len) >= pktinfoLen {
		d.To, d.Ifindex = netip.AddrFrom16(c.Addr), int(c.Ifindex)
	}
	return d
}

// Release ends the use of the batch's datagrams and gives the batch back to
// the socket it came from.
func (b *Batch) Release() {
	b.recycle()
	if b.sock != nil {
		b.sock.take(b)
	}
}

// recycle empties the batch and makes it ready for receiving.
func (b *Batch) recycle() {
	for i := range b.n {
		b.mem.trim(i, int(b.hdrs[i].Len))
		b.clear(i)
	}
	b.mem.settle(b.n)
	b.n = 0
}

// Free unmaps the batch's memory. Neither it nor its datagrams may be used any
// more. Batches that Feed handed over are freed by their socket.
func (b *Batch) Free() {
	b.n = 0
	b.mem.free()
}

// recvmmsg receives what is there, at most one datagram for each header.
func recvmmsg(fd uintptr, hdrs []unix.Mmsghdr) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&hdrs[0])), uintptr(len(hdrs)),
		unix.MSG_DONTWAIT, 0, 0)
	if errno == unix.ENOSYS && sysRecvmmsg64 != 0 {
		n, _, errno = unix.Syscall6(sysRecvmmsg64, fd, uintptr(unsafe.Pointer(&hdrs[0])), uintptr(len(hdrs)),
			unix.MSG_DONTWAIT, 0, 0)
	}
	return int(n), errno
}

// sendmmsg sends the datagrams in order and stops at the first that fails. It
// tells the error only when that is the very first.
func sendmmsg(fd uintptr, hdrs []unix.Mmsghdr) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&hdrs[0])), uintptr(len(hdrs)),
		unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

// ntohs turns a port as sockaddr_in6 has it into a number.
func ntohs(port uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], port)
	return binary.BigEndian.Uint16(b[:])
}

// htons is the inverse of ntohs, and the same.
func htons(port uint16) uint16 { return ntohs(port) }
