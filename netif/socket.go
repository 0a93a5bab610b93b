package netif

import (
	"errors"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
)

// Port is the UDP port of DHCPv6 servers and relay agents (RFC 9915, section 7.2).
const Port = 547

// Groups that DHCPv6 servers and relay agents join (RFC 9915, section 7.1).
var (
	AllRelayAgentsAndServers = netip.MustParseAddr("ff02::1:2")
	AllServers               = netip.MustParseAddr("ff05::1:3")
)

// multicastHops is the hop limit of multicast datagrams: what RFC 9915,
// section 19.1, demands of a relay agent. Within a link it does not matter.
const multicastHops = 8

// Config says what kind of socket Listen opens.
type Config struct {
	Name    string       // the interface: br-lan
	Ifindex int          // its index
	Port    uint16       // 0: Port
	Groups  []netip.Addr // multicast groups to join; none for a relay agent's upstream side

	ReadBuffer int // octets the kernel may queue; 0: the system's default
	NetNS      int // file descriptor of a network namespace; 0: the current one
}

// A Socket is a UDP socket over IPv6 for one interface. Feed or Receive belong
// to one goroutine; Flush of an Outbox, Counters, Rejoin and Close may be
// called by others meanwhile.
type Socket struct {
	name    string
	ifindex int
	groups  []netip.Addr
	conn    *socket.Conn
	raw     syscall.RawConn
	counts  counts

	mu     sync.Mutex // guards what follows
	closed bool
	free   []*Batch
	freed  chan struct{} // holds a token when free has become non-empty
	done   chan struct{} // closed by Close
}

// Listen opens a socket on port cfg.Port of all addresses, for datagrams of
// interface cfg.Ifindex alone, and joins the groups.
//
// No other socket can share the port on that interface, or on all interfaces:
// two DHCPv6 servers that each see some of the messages are worse than one
// that says why it does not start. errors.Is(err, unix.EADDRINUSE) tells.
func Listen(cfg Config) (*Socket, error) {
	if cfg.Port == 0 {
		cfg.Port = Port
	}
	conn, err := open(unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_UDP, "udp6", cfg.NetNS)
	if err != nil {
		return nil, tinyfmt.Errorf("open UDP socket for %s: %w", cfg.Name, err)
	}
	s := &Socket{
		name:    cfg.Name,
		ifindex: cfg.Ifindex,
		groups:  cfg.Groups,
		conn:    conn,
		freed:   make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	if err := s.setUp(cfg); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *Socket) setUp(cfg Config) error {
	var err error
	if s.raw, err = s.conn.SyscallConn(); err != nil {
		return err
	}
	// Bound to the device before the port, so that servers on several
	// interfaces do not meet.
	if err := s.conn.SetsockoptString(unix.SOL_SOCKET, unix.SO_BINDTODEVICE, cfg.Name); err != nil {
		return tinyfmt.Errorf("bind to interface %s: %w", cfg.Name, err)
	}
	for _, opt := range []struct {
		name, value int
		desired     string
	}{
		{name: unix.IPV6_V6ONLY, value: 1, desired: "IPv6 only"},
		{name: unix.IPV6_RECVPKTINFO, value: 1, desired: "packet information"},
		{name: unix.IPV6_MULTICAST_LOOP, value: 0, desired: "no multicast loop"},
		{name: unix.IPV6_MULTICAST_HOPS, value: multicastHops, desired: "multicast hop limit"},
	} {
		if err := s.conn.SetsockoptInt(unix.IPPROTO_IPV6, opt.name, opt.value); err != nil {
			return tinyfmt.Errorf("set %s (%d) on %s: %w", opt.desired, opt.value, cfg.Name, err)
		}
	}
	// The kernel refuses an index other than that of the device the socket is
	// bound to: the name has passed to another interface. That check is all
	// the option is for here; user mode emulators do not know it.
	err = s.conn.SetsockoptInt(unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, cfg.Ifindex)
	if err != nil && !errors.Is(err, unix.ENOPROTOOPT) {
		return tinyfmt.Errorf("%s is not the interface with index %d: %w", cfg.Name, cfg.Ifindex, err)
	}
	// Only the groups joined here, not those other programs have joined.
	// Kernels before 4.20 do not know the option.
	_ = s.conn.SetsockoptInt(unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0)
	if cfg.ReadBuffer > 0 {
		if err := s.conn.SetReadBuffer(cfg.ReadBuffer); err != nil {
			return tinyfmt.Errorf("set receive buffer of %d octets on %s: %w", cfg.ReadBuffer, cfg.Name, err)
		}
	}
	if err := s.conn.Bind(&unix.SockaddrInet6{Port: int(cfg.Port)}); err != nil {
		return bindError(cfg, err)
	}
	return s.join()
}

func bindError(cfg Config, err error) error {
	if errors.Is(err, unix.EADDRINUSE) {
		return tinyfmt.Errorf("another DHCPv6 server (odhcpd, dnsmasq?) already listens on UDP port %d of %s "+
			"or of all interfaces: stop it, or set dhcpv6 to disabled for %s in one of the two: %w",
			cfg.Port, cfg.Name, cfg.Name, unix.EADDRINUSE)
	}
	return tinyfmt.Errorf("bind UDP port %d of %s: %w", cfg.Port, cfg.Name, err)
}

func (s *Socket) join() error {
	for _, group := range s.groups {
		if err := s.membership(unix.IPV6_ADD_MEMBERSHIP, group); err != nil {
			return tinyfmt.Errorf("join %v on %s: %w", group, s.name, err)
		}
	}
	return nil
}

func (s *Socket) membership(opt int, group netip.Addr) error {
	mreq := unix.IPv6Mreq{Multiaddr: group.As16(), Interface: uint32(s.ifindex)}
	var err error
	if ctlErr := s.raw.Control(func(fd uintptr) {
		err = unix.SetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IPV6, opt, &mreq)
	}); ctlErr != nil {
		return os.ErrClosed
	}
	return err
}

// Rejoin leaves the groups and joins them again. When an interface loses IPv6
// altogether (its MTU falls below 1280), the kernel forgets memberships but
// still lists them with the socket, which stays deaf ever after. Call it when
// the interface comes up or changes its MTU.
func (s *Socket) Rejoin() error {
	for _, group := range s.groups {
		_ = s.membership(unix.IPV6_DROP_MEMBERSHIP, group)
	}
	return s.join()
}

// Name returns the interface's name at the time of Listen.
func (s *Socket) Name() string { return s.name }

// Ifindex returns the index of the interface the socket is bound to. When that
// interface is deleted, the socket receives nothing any more, without an
// error: close it, and listen again once the watcher shows a new interface.
func (s *Socket) Ifindex() int { return s.ifindex }

// Receive waits for datagrams and fills b, which must be empty, with one to
// BatchSize of them. After Close it returns os.ErrClosed. Other errors are the
// kernel's and may pass.
func (s *Socket) Receive(b *Batch) error {
	if err := s.raw.Read(b.read); err != nil {
		if s.isClosed() {
			return os.ErrClosed
		}
		return tinyfmt.Errorf("receive on %s: %w", s.name, err)
	}
	if b.errno != 0 {
		s.counts.receiveErrors.Add(1)
		return tinyfmt.Errorf("receive on %s: %w", s.name, b.errno)
	}
	s.counts.received.Add(uint64(b.n))
	for i := range b.n {
		if b.hdrs[i].Hdr.Flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
			s.counts.truncated.Add(1)
		}
	}
	return nil
}

func (s *Socket) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close closes the socket and ends Feed and Receive. Batches that Feed handed
// over stay valid until their release.
func (s *Socket) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	free := s.free
	s.free = nil
	close(s.done)
	s.mu.Unlock()

	for _, b := range free {
		b.Free()
	}
	return s.conn.Close()
}
