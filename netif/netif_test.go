package netif

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/netif/netnstest"
)

func TestMain(m *testing.M) { netnstest.Main(m) }

// listen opens a socket on an interface of the test's own namespace.
func listen(t testing.TB, name string, groups ...netip.Addr) *Socket {
	t.Helper()
	return listenPort(t, name, Port, groups...)
}

func listenPort(t testing.TB, name string, port uint16, groups ...netip.Addr) *Socket {
	t.Helper()
	s, err := Listen(Config{Name: name, Ifindex: netnstest.Here(t).Ifindex(t, name), Port: port, Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newBatch(t testing.TB) *Batch {
	t.Helper()
	b, err := NewBatch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Free)
	return b
}

func newOutbox(t testing.TB) *Outbox {
	t.Helper()
	o, err := NewOutbox()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.mem.free)
	return o
}

// receive fills b, and fails the test if that takes long.
func receive(t testing.TB, s *Socket, b *Batch) {
	t.Helper()
	deadline(t, s, 5*time.Second)
	if err := s.Receive(b); err != nil {
		t.Fatal(err)
	}
	deadline(t, s, 0)
}

func deadline(t testing.TB, s *Socket, d time.Duration) {
	t.Helper()
	var end time.Time
	if d != 0 {
		end = time.Now().Add(d)
	}
	if err := s.conn.SetReadDeadline(end); err != nil {
		t.Fatal(err)
	}
}

// expectSilence fails the test if a datagram arrives.
func expectSilence(t testing.TB, s *Socket, b *Batch) {
	t.Helper()
	deadline(t, s, 150*time.Millisecond)
	if err := s.Receive(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("received %d datagrams, error %v; want silence", b.Len(), err)
	}
	deadline(t, s, 0)
}

// checkGoroutines fails the test if more goroutines run at its end than now.
func checkGoroutines(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for end := time.Now().Add(2 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				buf := make([]byte, 1<<16)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			}
		}
	})
}

// client is a plain UDP socket that owes nothing to the code under test.
type client struct {
	testing.TB
	fd, ifindex int
}

func newClient(t testing.TB, ns *netnstest.NS, ifname string) *client {
	t.Helper()
	c := &client{TB: t, ifindex: ns.Ifindex(t, ifname)}
	var err error
	ns.Do(func() { c.fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(c.fd) })
	for _, err := range []error{
		unix.BindToDevice(c.fd, ifname),
		unix.Bind(c.fd, &unix.SockaddrInet6{Port: 546}),
		unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}),
		unix.SetsockoptInt(c.fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, 8),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *client) send(to netip.Addr, payload []byte) {
	c.Helper()
	sa := &unix.SockaddrInet6{Port: Port, Addr: to.As16(), ZoneId: scope(to, c.ifindex)}
	if err := unix.Sendto(c.fd, payload, 0, sa); err != nil {
		c.Fatalf("send %d octets to %v: %v", len(payload), to, err)
	}
}

func (c *client) receive() (payload []byte, from netip.AddrPort) {
	c.Helper()
	payload = make([]byte, 1<<16)
	n, sa, err := unix.Recvfrom(c.fd, payload, 0)
	if err != nil {
		c.Fatalf("client: receive: %v", err)
	}
	sa6 := sa.(*unix.SockaddrInet6)
	return payload[:n], netip.AddrPortFrom(netip.AddrFrom16(sa6.Addr), uint16(sa6.Port))
}

// lines are commands for the program ip, n of them.
func lines(n int, line func(i int) string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = line(i)
	}
	return all
}

func contains(t *testing.T, s string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(s, part) {
			t.Errorf("%q lacks %q", s, part)
		}
	}
}
