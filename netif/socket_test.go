package netif

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/netif/netnstest"
)

func TestEcho(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	first, second := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:1::1")
	lan.Here.AddAddr(t, "lan0", "2001:db8::1/64")
	lan.Here.AddAddr(t, "lan0", "2001:db8:1::1/64")
	lan.Peer.AddAddr(t, "eth0", "2001:db8::2/64")
	lan.Peer.IP(t, "route add 2001:db8:1::/64 dev eth0")
	here, peer := lan.Here.LinkLocal(t, "lan0"), lan.Peer.LinkLocal(t, "eth0")

	s := listen(t, "lan0", AllRelayAgentsAndServers, AllServers)
	c := newClient(t, lan.Peer, "eth0")
	b, o := newBatch(t), newOutbox(t)
	for _, tt := range []struct {
		name     string
		to, from netip.Addr // from: the client's; answers come from to
	}{
		{"link-local", here, peer},
		{"first global", first, netip.MustParseAddr("2001:db8::2")},
		{"second global", second, netip.MustParseAddr("2001:db8::2")},
		{"all relay agents and servers", AllRelayAgentsAndServers, peer},
		{"all servers", AllServers, netip.MustParseAddr("2001:db8::2")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.send(tt.to, []byte(tt.name))
			receive(t, s, b)
			if b.Len() != 1 {
				t.Fatalf("%d datagrams", b.Len())
			}
			d := b.At(0)
			if string(d.Payload) != tt.name || d.From != netip.AddrPortFrom(tt.from, 546) || d.To != tt.to ||
				d.Ifindex != s.Ifindex() || d.Truncated {
				t.Errorf("received %+v; want it from %v to %v", d, tt.from, tt.to)
			}
			source := d.To
			if d.To.IsMulticast() {
				source = here
			}
			n := copy(o.Buffer(), d.Payload)
			o.Add(s, n, d.From, source, d.Ifindex)
			b.Release()
			if failed := o.Flush(); len(failed) != 0 {
				t.Fatal(failed)
			}
			payload, from := c.receive()
			if string(payload) != tt.name || from != netip.AddrPortFrom(source, Port) {
				t.Errorf("answer %q from %v; want it from %v", payload, from, source)
			}
		})
	}
}

// TestChosenSource leaves the source address to the kernel.
func TestChosenSource(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	s := listen(t, "lan0", AllRelayAgentsAndServers)
	c := newClient(t, lan.Peer, "eth0")
	o := newOutbox(t)
	to := netip.AddrPortFrom(lan.Peer.LinkLocal(t, "eth0"), 546)
	for _, from := range []netip.Addr{{}, netip.IPv6Unspecified(), AllRelayAgentsAndServers} {
		o.Add(s, copy(o.Buffer(), "x"), to, from, 0)
		if failed := o.Flush(); len(failed) != 0 {
			t.Fatal(failed)
		}
		if _, from := c.receive(); from.Addr() != lan.Here.LinkLocal(t, "lan0") {
			t.Errorf("from %v", from)
		}
	}
}

// TestOnlyItsInterface has two sockets on one port, and a group joined by
// somebody else.
func TestOnlyItsInterface(t *testing.T) {
	one, two := netnstest.Veth(t, "lan0"), netnstest.Veth(t, "lan1")
	s0, s1 := listen(t, "lan0", AllRelayAgentsAndServers), listen(t, "lan1", AllServers)
	b := newBatch(t)
	newClient(t, one.Peer, "eth0").send(AllRelayAgentsAndServers, []byte("0"))
	receive(t, s0, b)
	if d := b.At(0); b.Len() != 1 || string(d.Payload) != "0" || d.Ifindex != s0.Ifindex() {
		t.Errorf("received %+v", d)
	}
	b.Release()
	expectSilence(t, s1, b)

	foreign := newClient(t, two.Here, "lan1")
	mreq := &unix.IPv6Mreq{Multiaddr: AllRelayAgentsAndServers.As16(), Interface: uint32(foreign.ifindex)}
	if err := unix.SetsockoptIPv6Mreq(foreign.fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, mreq); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, two.Peer, "eth0")
	c.send(AllRelayAgentsAndServers, []byte("not joined"))
	expectSilence(t, s1, b)
	c.send(AllServers, []byte("joined"))
	receive(t, s1, b)
	if d := b.At(0); string(d.Payload) != "joined" {
		t.Errorf("received %+v", d)
	}
}

// TestNoLoop checks that a relay agent does not hear itself.
func TestNoLoop(t *testing.T) {
	netnstest.Veth(t, "lan0")
	s := listen(t, "lan0", AllRelayAgentsAndServers)
	o := newOutbox(t)
	o.Add(s, copy(o.Buffer(), "x"), netip.AddrPortFrom(AllRelayAgentsAndServers, Port), netip.Addr{}, 0)
	if failed := o.Flush(); len(failed) != 0 {
		t.Fatal(failed)
	}
	expectSilence(t, s, newBatch(t))
}

func TestSecondListener(t *testing.T) {
	netnstest.Veth(t, "lan0")
	netnstest.Veth(t, "lan1")
	here := netnstest.Here(t)
	cfg := Config{Name: "lan0", Ifindex: here.Ifindex(t, "lan0")}
	inUse := func(t *testing.T) {
		t.Helper()
		s, err := Listen(cfg)
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			t.Fatalf("error %v", err)
		}
		contains(t, err.Error(), "another DHCPv6 server", "odhcpd", "port 547", "lan0", "dhcpv6 to disabled")
	}
	t.Run("same interface", func(t *testing.T) {
		listen(t, "lan0")
		inUse(t)
	})
	t.Run("other interface", func(t *testing.T) {
		listen(t, "lan1")
		listen(t, "lan0")
	})
	for _, reuse := range []int{0, 1} {
		t.Run("all interfaces", func(t *testing.T) {
			fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, reuse); err != nil {
				t.Fatal(err)
			}
			if err := unix.Bind(fd, &unix.SockaddrInet6{Port: Port}); err != nil {
				t.Fatal(err)
			}
			inUse(t)
		})
	}
	t.Run("we are first", func(t *testing.T) {
		listen(t, "lan0")
		fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		if err := unix.Bind(fd, &unix.SockaddrInet6{Port: Port}); err != unix.EADDRINUSE {
			t.Errorf("another program shares our port: %v", err)
		}
	})
}

func TestListenErrors(t *testing.T) {
	netnstest.Veth(t, "lan0")
	index := netnstest.Here(t).Ifindex(t, "lan0")
	for _, tt := range []struct {
		name string
		cfg  Config
		want []string
	}{
		{"no such interface", Config{Name: "lan9", Ifindex: 9}, []string{"lan9", "no such device"}},
		{"name of another", Config{Name: "lan0", Ifindex: 1}, []string{"lan0 is not the interface with index 1"}},
		{"not a group", Config{Name: "lan0", Ifindex: index, Groups: []netip.Addr{netip.MustParseAddr("2001:db8::1")}},
			[]string{"join 2001:db8::1 on lan0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Listen(tt.cfg)
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			contains(t, err.Error(), tt.want...)
		})
	}
}

// TestRejoin checks what Rejoin is for: an interface that has lost IPv6, and
// with it all memberships, and has got it back.
func TestRejoin(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	s := listen(t, "lan0", AllRelayAgentsAndServers)
	c := newClient(t, lan.Peer, "eth0")
	b := newBatch(t)
	lan.Here.IP(t, "link set lan0 mtu 1279", "link set lan0 mtu 1500")
	lan.Here.LinkLocal(t, "lan0")
	c.send(AllRelayAgentsAndServers, []byte("deaf"))
	expectSilence(t, s, b)
	if err := s.Rejoin(); err != nil {
		t.Fatal(err)
	}
	c.send(AllRelayAgentsAndServers, []byte("healed"))
	receive(t, s, b)
	if d := b.At(0); string(d.Payload) != "healed" {
		t.Errorf("received %+v", d)
	}
	if err := s.Rejoin(); err != nil {
		t.Error(err)
	}
}

// TestDownUp checks that memberships outlive an interface going down.
func TestDownUp(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	s := listen(t, "lan0", AllRelayAgentsAndServers)
	c := newClient(t, lan.Peer, "eth0")
	lan.Here.IP(t, "link set lan0 down", "link set lan0 up")
	lan.Here.LinkLocal(t, "lan0")
	lan.Peer.LinkLocal(t, "eth0")
	c.send(AllRelayAgentsAndServers, []byte("up again"))
	b := newBatch(t)
	receive(t, s, b)
	if d := b.At(0); !bytes.Equal(d.Payload, []byte("up again")) {
		t.Errorf("received %+v", d)
	}
}

// TestDeleted deletes the interface under a socket, and makes another.
func TestDeleted(t *testing.T) {
	checkGoroutines(t)
	netnstest.Veth(t, "lan0")
	here := netnstest.Here(t)
	s := listen(t, "lan0", AllRelayAgentsAndServers)
	got := make(chan error, 1)
	b := newBatch(t)
	go func() { got <- s.Receive(b) }()

	here.IP(t, "link del lan0")
	select {
	case err := <-got:
		t.Fatalf("Receive returned %v when the interface went", err)
	case <-time.After(100 * time.Millisecond):
	}
	if c := s.Counters(); c.ReceiveErrors != 0 {
		t.Errorf("counters %+v", c)
	}
	o := newOutbox(t)
	o.Add(s, copy(o.Buffer(), "x"), netip.MustParseAddrPort("[fe80::1]:546"), netip.Addr{}, 0)
	if failed := o.Flush(); len(failed) != 1 {
		t.Error("could send on an interface that is no more")
	}

	lan := netnstest.Veth(t, "lan0") // while the old socket still is there
	s2 := listen(t, "lan0", AllRelayAgentsAndServers)
	newClient(t, lan.Peer, "eth0").send(AllRelayAgentsAndServers, []byte("x"))
	b2 := newBatch(t)
	receive(t, s2, b2)

	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-got; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Receive after Close: %v", err)
	}
}
