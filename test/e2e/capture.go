package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A packet is a DHCPv6 packet that passed the router's interface.
type packet struct {
	*message
	sent     bool // by the router, not to it
	src, dst netip.AddrPort
	at       time.Time
	frame    []byte
}

// A capture records the DHCPv6 packets on an interface of a host from the moment it is made.
type capture struct {
	t    testing.TB
	file *os.File // the socket

	mu      sync.Mutex
	packets []packet
	ignored func(packet) bool // what is not recorded; nil: nothing
	more    chan struct{}     // closed, and replaced, when a packet arrives
}

// capture starts recording. When the test ends, tshark must find nothing wrong with what the host sent; when the test
// fails, the packets are shown.
func (h *host) capture(ifname string) *capture {
	h.t.Helper()
	fd := -1
	var err error
	h.Do(func() { fd, err = openPacketSocket(h.Ifindex(h.t, ifname)) })
	if err != nil {
		h.t.Fatalf("capture on %s: %v", ifname, err)
	}
	c := &capture{t: h.t, file: os.NewFile(uintptr(fd), "capture"), more: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.receive()
	}()
	h.t.Cleanup(func() {
		c.file.Close()
		<-done
		c.check()
	})
	return c
}

func openPacketSocket(ifindex int) (fd int, err error) {
	protocol := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
	fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return fd, err
	}
	return fd, unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: ifindex})
}

// receive reads frames until the socket is closed.
func (c *capture) receive() {
	conn, err := c.file.SyscallConn()
	if err != nil {
		return
	}
	oob := make([]byte, 256)
	for buf := make([]byte, 65536); ; {
		var n, oobn int
		var from unix.Sockaddr
		var err error
		closed := conn.Read(func(fd uintptr) bool {
			n, oobn, _, from, err = unix.Recvmsg(int(fd), buf, oob, 0)
			return err != unix.EAGAIN
		})
		if closed != nil {
			return
		}
		if err != nil {
			continue // ENETDOWN: the interface went down, or away
		}
		if p, ok := decodeFrame(buf[:n]); ok {
			p.sent = from.(*unix.SockaddrLinklayer).Pkttype == unix.PACKET_OUTGOING
			p.at = timestamp(oob[:oobn])
			c.add(p)
		}
	}
}

// timestamp is when the kernel saw a packet: the test may be late.
func timestamp(oob []byte) (t time.Time) {
	messages, _ := unix.ParseSocketControlMessage(oob)
	for _, m := range messages {
		var at unix.Timespec
		if _, err := binary.Decode(m.Data, binary.NativeEndian, &at); err == nil && m.Header.Type == unix.SCM_TIMESTAMPNS {
			t = time.Unix(at.Unix())
		}
	}
	return t
}

// decodeFrame picks the DHCPv6 packets out of what an Ethernet interface carries.
func decodeFrame(b []byte) (p packet, ok bool) {
	const header = 14 + 40 + 8
	if len(b) < header || binary.BigEndian.Uint16(b[12:]) != unix.ETH_P_IPV6 || b[20] != unix.IPPROTO_UDP {
		return p, false
	}
	p.src = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[22:])), binary.BigEndian.Uint16(b[54:]))
	p.dst = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[38:])), binary.BigEndian.Uint16(b[56:]))
	if port := p.dst.Port(); port != 546 && port != 547 {
		return p, false
	}
	p.frame = slices.Clone(b)
	m, err := parseMessage(p.frame[header:])
	if err != nil {
		m = &message{kind: fmt.Sprintf("malformed (%v)", err)}
	}
	p.message = m
	return p, true
}

func (c *capture) add(p packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ignored != nil && c.ignored(p) {
		return
	}
	c.packets = append(c.packets, p)
	close(c.more)
	c.more = make(chan struct{})
}

// ignore has packets that match not recorded from now on: of tens of thousands, nobody wants to read a summary.
func (c *capture) ignore(match func(packet) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ignored = match
}

// all returns the packets so far.
func (c *capture) all() []packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.packets)
}

// mark returns the place in the capture where the next packet will be.
func (c *capture) mark() int { return len(c.all()) }

// await waits until a packet at or after the mark matches, and returns it.
func (c *capture) await(since int, limit time.Duration, what string, match func(packet) bool) packet {
	c.t.Helper()
	deadline := time.After(limit)
	for {
		c.mu.Lock()
		packets, more := c.packets[since:], c.more
		c.mu.Unlock()
		if i := slices.IndexFunc(packets, match); i >= 0 {
			return packets[i]
		}
		select {
		case <-more:
		case <-deadline:
			c.t.Fatalf("waited %v for %s; saw: %s", limit, what, summary(packets))
		}
	}
}

// A pair is what a client sent and what it got for it.
type pair struct{ asked, got packet }

// exchanged waits for a message of the client and the answer to it: both with one transaction ID, in this order. It
// looks into what relays carry.
func (c *capture) exchanged(since int, limit time.Duration, asked, got string) pair {
	c.t.Helper()
	var p pair
	c.await(since, limit, asked+" and "+got, func(answer packet) bool {
		if m := answer.client(); !answer.sent || m.kind != got {
			return false
		}
		for _, q := range c.all()[since:] {
			if m := q.client(); !q.sent && m.kind == asked && m.xid == answer.client().xid && !q.at.After(answer.at) {
				p = pair{q, answer}
				return true
			}
		}
		return false
	})
	p.checkIDs(c.t)
	return p
}

// checkIDs: an answer names the client, and its server, who is the one asked if one was.
func (p pair) checkIDs(t testing.TB) {
	t.Helper()
	asked, got := p.asked.client(), p.got.client()
	clientID, named := asked.option(optClientID)
	if echoed, _ := got.option(optClientID); named && !bytes.Equal(echoed, clientID) {
		t.Errorf("%s of client %x is answered to %x", asked.kind, clientID, echoed)
	}
	serverID, ok := got.option(optServerID)
	if !ok {
		t.Errorf("%s without a Server Identifier", got.kind)
	}
	if want, chosen := asked.option(optServerID); chosen && !bytes.Equal(serverID, want) {
		t.Errorf("%s to server %x is answered by %x", asked.kind, want, serverID)
	}
}

// checkWay checks that an answer goes back the way the question came: through the same relays, each with the Interface-Id
// that it sent, to the port that the first one, or the client, listens on.
func (p pair) checkWay() error {
	port := uint16(546)
	if p.asked.inner != nil {
		port = 547
	}
	if p.got.dst != netip.AddrPortFrom(p.asked.src.Addr(), port) {
		return fmt.Errorf("%s of %v is answered to %v", p.asked.kind, p.asked.src, p.got.dst)
	}
	asked, got := p.asked.message, p.got.message
	for ; asked.inner != nil && got.inner != nil; asked, got = asked.inner, got.inner {
		if got.kind != "Relay-reply" || got.link != asked.link {
			return fmt.Errorf("a %s for link %v answers a %s for link %v", got.kind, got.link, asked.kind, asked.link)
		}
		sent, _ := asked.option(optInterfaceID)
		if echoed, _ := got.option(optInterfaceID); !bytes.Equal(sent, echoed) {
			return fmt.Errorf("Interface-Id %x comes back as %x", sent, echoed)
		}
	}
	if asked.inner != nil || got.inner != nil {
		return fmt.Errorf("%s is answered by %s", summary([]packet{p.asked}), summary([]packet{p.got}))
	}
	return nil
}

// summary is the packets' kinds in order.
func summary(packets []packet) string {
	var names []string
	for _, p := range packets {
		name := p.kind
		for m := p.message; m.inner != nil; m = m.inner {
			name += "(" + m.inner.kind
		}
		names = append(names, name+strings.Repeat(")", strings.Count(name, "(")))
	}
	return strings.Join(names, ", ")
}
