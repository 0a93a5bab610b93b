package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/netif"
	"lan6d/netif/netnstest"
	"lan6d/openwrt"
)

func TestMain(m *testing.M) { netnstest.Main(m) }

// A machine runs the daemon in this process, all of it but the command line, with clocks that the test sets. A client is
// at the other end of the wire from lan0.
type machine struct {
	testing.TB
	*timepiece
	dir     string        // configuration, state in memory, files for others, flash
	ubus    string        // path of ubusd's socket
	lan     *netnstest.NS // where the client is
	client  *client
	daemon  *daemon
	signals chan os.Signal
	ended   chan error
	log     *os.File
}

// newMachine makes a machine with that configuration, in which DIR is its directory. Nothing runs on it yet.
func newMachine(t testing.TB, config string) *machine {
	t.Helper()
	m := &machine{TB: t, timepiece: newTimepiece(), dir: t.TempDir()}
	lan := netnstest.Veth(t, "lan0")
	lan.Here.AddAddr(t, "lan0", "2001:db8:1::1/48")
	m.lan, m.client = lan.Peer, newClient(t, lan.Peer)
	for _, dir := range []string{"config", "flash", "files"} {
		if err := os.Mkdir(m.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if m.log, err = os.OpenFile(m.path("log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.log.Close() })
	m.write("config/dhcp", m.config(config))
	m.write("config/lan6d", []byte("config lan6d\n\toption ubus '0'\n"))
	m.write("config/network", fmt.Appendf(nil, "config globals\n\toption dhcp_default_duid '%x'\n", serverID))
	return m
}

// config is a configuration for the machine.
func (m *machine) config(text string) []byte { return []byte(strings.ReplaceAll(text, "DIR", m.dir)) }

func (m *machine) path(name string) string { return filepath.Join(m.dir, name) }

func (m *machine) write(name string, content []byte) {
	m.Helper()
	if err := os.WriteFile(m.path(name), content, 0o600); err != nil {
		m.Fatal(err)
	}
}

// read returns what is in a file; nothing if there is none.
func (m *machine) read(name string) []byte {
	content, _ := os.ReadFile(m.path(name))
	return content
}

// start begins to serve, as serve does.
func (m *machine) start() {
	m.Helper()
	m.open()
	m.signals, m.ended = make(chan os.Signal), make(chan error)
	go func() { m.ended <- m.daemon.loop(m.signals) }()
	m.eventually("lan6d to serve lan0", func() bool { return bytes.Contains(m.read("log"), []byte("started")) })
}

// open makes the daemon, which does nothing yet.
func (m *machine) open() {
	m.Helper()
	o := options{configDir: m.path("config"), stateDir: m.path("state"), ubusPath: m.ubus}
	config, problems, err := o.load()
	if err != nil || len(problems) > 0 {
		m.Fatal(err, problems)
	}
	if err := openwrt.MakeDirectory(o.stateDir); err != nil {
		m.Fatal(err)
	}
	d, err := newDaemon(o, newLogger(m.log), m.clocks())
	if err != nil {
		m.Fatal(err)
	}
	if err := d.open(config, problems); err != nil {
		m.Fatal(err)
	}
	m.daemon = d
}

// byHand opens the daemon without its loop: the test takes the loop's place.
func (m *machine) byHand() *daemon {
	m.Helper()
	m.open()
	d := m.daemon
	d.snapshot = <-d.watcher.Snapshots()
	d.configure()
	m.Cleanup(m.end)
	return d
}

// kill ends the daemon as a crash does: nothing is written any more.
func (m *machine) kill() {
	m.Helper()
	m.signals <- unix.SIGKILL // any but SIGHUP ends the loop
	if err := <-m.ended; err != nil {
		m.Fatal(err)
	}
	m.end()
	m.log.Truncate(0)
}

// end gives back what the daemon has, without a word to anybody.
func (m *machine) end() {
	d := m.daemon
	d.closeBus()
	d.closeControl()
	d.close()
	d.watcher.Close()
	d.release()
	for _, s := range d.stores() {
		if s.persist.done != nil {
			<-s.persist.done
		}
		s.journal.Close()
	}
}

// eventually waits for something that is about to come true.
func (m *machine) eventually(what string, reached func() bool) {
	m.Helper()
	for end := time.Now().Add(10 * time.Second); !reached(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			m.Fatalf("waited in vain for %s: %s", what, m.read("log"))
		}
	}
}

// awaitLog waits for something to be logged.
func (m *machine) awaitLog(text string) {
	m.Helper()
	m.eventually("the log to say: "+text, func() bool { return bytes.Contains(m.read("log"), []byte(text)) })
}

// pass lets time pass, and the daemon notice.
func (m *machine) pass(d time.Duration) {
	m.settled()
	m.timepiece.pass(d)
	m.daemon.alarm()
}

// step sets the wall clock while the daemon runs. A second later its files may be written again.
func (m *machine) step(wall time.Duration) {
	m.settled()
	m.setWall(wall)
	m.stepped <- struct{}{}
	m.pass(time.Second)
}

// settled waits until the loop's turn is over: within one, the clocks stand still, as good as.
func (m *machine) settled() { m.daemon.lost <- nobody }

// nobody is a socket that the loop has nothing to do for.
var nobody = new(netif.Socket)

// A timepiece is the clocks of a machine, which stand still unless the test moves them.
type timepiece struct {
	mu      sync.Mutex
	began   time.Time
	elapsed time.Duration // since then
	boot    byte
	booted  time.Duration // elapsed at the boot
	wall    time.Duration // what the wall clock shows, less elapsed
	stepped chan struct{}
}

func newTimepiece() *timepiece {
	return &timepiece{began: time.Now(), boot: 1, wall: today, stepped: make(chan struct{})}
}

// today and early are what a wall clock shows that is right, and one without a battery, in time since 1970.
const (
	today = 1_790_000_000 * time.Second
	early = 20 * time.Second
)

func (c *timepiece) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.began.Add(c.elapsed)
}

func (c *timepiece) read() lease.Clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	return lease.Clock{Boot: [16]byte{c.boot}, Since: int64(c.elapsed - c.booted), Wall: int64(c.elapsed + c.wall)}
}

func (c *timepiece) clocks() clocks { return clocks{c.now, c.read, c.stepped} }

func (c *timepiece) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.elapsed += d
}

// setWall has the wall clock show that.
func (c *timepiece) setWall(wall time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall = wall - c.elapsed
}

// A client is a host on the LAN that asks for an address and a prefix.
type client struct{ *peer }

// A peer is a host at the other end of a wire, with one socket.
type peer struct {
	testing.TB
	socket *netif.Socket
	inbox  *netif.Batch
	next   int // datagram in inbox
	outbox *netif.Outbox
}

func newClient(t testing.TB, host *netnstest.NS) *client {
	t.Helper()
	return &client{newPeer(t, host, dhcpv6.ClientPort)}
}

func newPeer(t testing.TB, host *netnstest.NS, port uint16, groups ...netip.Addr) *peer {
	t.Helper()
	p := &peer{TB: t}
	var err error
	config := netif.Config{Name: "eth0", Ifindex: host.Ifindex(t, "eth0"), Port: port, Groups: groups, NetNS: host.FD()}
	if p.socket, err = netif.Listen(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.socket.Close() })
	if p.inbox, err = netif.NewBatch(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.inbox.Free)
	if p.outbox, err = netif.NewOutbox(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Minute, func() { p.socket.Close() }) // rather than to wait for an answer for ever
	return p
}

// receive waits for a datagram, which is valid until the next call.
func (p *peer) receive() netif.Datagram {
	p.Helper()
	if p.next++; p.next >= p.inbox.Len() {
		p.next = 0
		p.inbox.Release()
		if err := p.socket.Receive(p.inbox); err != nil {
			p.Fatalf("nothing arrives: %v", err)
		}
	}
	return p.inbox.At(p.next)
}

// send sends what was written to the outbox's buffer.
func (p *peer) send(w *dhcpv6.Writer, to netip.AddrPort) {
	p.Helper()
	payload, err := w.Finish()
	if err != nil {
		p.Fatal(err)
	}
	p.outbox.Add(p.socket, len(payload), to, netip.Addr{}, 0)
	for _, err := range p.outbox.Flush() {
		p.Fatal(err)
	}
}

// tell sends a message of the client with that number.
func (c *client) tell(kind dhcpv6.MessageType, number byte) {
	c.Helper()
	w := dhcpv6.NewWriter(c.outbox.Buffer())
	w.Message(kind, uint32(number))
	w.Option(dhcpv6.OptionClientID, []byte{0, 3, 0, 1, 2, 0, 0, 0, 0, number})
	w.Option(dhcpv6.OptionServerID, serverID)
	for _, code := range [...]dhcpv6.OptionCode{dhcpv6.OptionIANA, dhcpv6.OptionIAPD} {
		m := w.Begin(code)
		w.Uint32(1)
		w.Uint32(0)
		w.Uint32(0)
		w.End(m)
	}
	c.send(&w, toServers)
}

// ask sends a message of the client with that number, and returns the valid lifetime that the answer grants.
func (c *client) ask(kind dhcpv6.MessageType, number byte) (valid time.Duration) {
	c.Helper()
	c.tell(kind, number)
	reply, err := dhcpv6.ParseMessage(c.receive().Payload)
	if err != nil || reply.Type != dhcpv6.Reply || reply.TransactionID != uint32(number) {
		c.Fatalf("%v: %v, %v", kind, reply.Type, err)
	}
	valid = min(granted(reply.Options, dhcpv6.OptionIANA), granted(reply.Options, dhcpv6.OptionIAPD))
	if valid == 0 {
		c.Fatalf("%v: nothing is granted", kind)
	}
	return valid
}

// serverID is the DUID of the daemon in its configuration, toServers where clients send to.
var (
	serverID  = []byte{0, 3, 0, 1, 2, 0, 0, 0, 0xff, 1}
	toServers = netip.AddrPortFrom(dhcpv6.AllRelayAgentsAndServers, dhcpv6.ServerPort)
)

// granted is the valid lifetime of the lease in an answer's IA.
func granted(options dhcpv6.Options, code dhcpv6.OptionCode) (valid time.Duration) {
	data, _ := options.Get(code)
	ia, _ := dhcpv6.ParseIA(data)
	for code, data := range ia.All() {
		switch code {
		case dhcpv6.OptionIAAddr:
			a, _ := dhcpv6.ParseIAAddr(data)
			valid = time.Duration(a.Valid) * time.Second
		case dhcpv6.OptionIAPrefix:
			p, _ := dhcpv6.ParseIAPrefix(data)
			valid = time.Duration(p.Valid) * time.Second
		}
	}
	return valid
}
