package bench

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/netif"
	"lan6d/netif/netnstest"
)

// window is how many clients wait for an answer at a time.
const window = 16

// patience is how long one may take.
const patience = 5 * time.Second

// A crowd is simulated clients on one host, numbered from 0, with an address each as soon as they have joined. It begins
// an exchange whenever one is over, as fast as it is answered.
type crowd struct {
	tb     testing.TB
	socket *netif.Socket
	inbox  *netif.Batch
	outbox *netif.Outbox
	server []byte       // its DUID
	held   []netip.Addr // by number
	heard  atomic.Int64 // answers
}

func newCrowd(tb testing.TB, host *netnstest.NS) *crowd {
	tb.Helper()
	c := &crowd{tb: tb}
	ifindex := host.Ifindex(tb, "eth0")
	var err error
	if c.socket, err = netif.Listen(netif.Config{Name: "eth0", Ifindex: ifindex, Port: dhcpv6.ClientPort, NetNS: host.FD()}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.socket.Close() })
	if c.inbox, err = netif.NewBatch(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.inbox.Free)
	if c.outbox, err = netif.NewOutbox(); err != nil {
		tb.Fatal(err)
	}
	return c
}

// join has n more clients get an address, each with Solicit, Advertise, Request and Reply.
func (c *crowd) join(n int) {
	c.tb.Helper()
	first := len(c.held)
	c.held = append(c.held, make([]netip.Addr, n)...)
	c.exchange(n, dhcpv6.Solicit, func(i int) int { return first + i })
}

// renew has n clients renew, one here, one there.
func (c *crowd) renew(n int) {
	c.tb.Helper()
	from := int(c.heard.Load())
	c.exchange(n, dhcpv6.Renew, func(i int) int { return (from + i) * 7919 % len(c.held) })
}

// exchange begins n exchanges with such a message, from the client that next names, and returns when all are over.
func (c *crowd) exchange(n int, kind dhcpv6.MessageType, next func(i int) (number int)) {
	c.tb.Helper()
	defer c.watch()()
	begun := 0
	begin := func() {
		if begun < n {
			c.send(kind, next(begun))
			begun++
		}
	}
	for range window {
		begin()
	}
	c.outbox.Flush()
	for over := 0; over < n; {
		if err := c.socket.Receive(c.inbox); err != nil {
			c.tb.Fatalf("%d of %d exchanges are over: %v", over, n, err)
		}
		for i := range c.inbox.Len() {
			if c.take(c.inbox.At(i).Payload) {
				over++
				begin()
			}
		}
		c.inbox.Release()
		c.outbox.Flush()
	}
}

// watch closes the socket when no answer comes any more, until the function it returns is called.
func (c *crowd) watch() (stop func()) {
	done := make(chan struct{})
	go func() {
		for before := int64(-1); ; {
			select {
			case <-done:
				return
			case <-time.After(patience):
			}
			now := c.heard.Load()
			if now == before {
				c.socket.Close()
				return
			}
			before = now
		}
	}()
	return func() { close(done) }
}

// take reads an answer, and reports whether its exchange is over. After an Advertise it is not: a Request follows.
func (c *crowd) take(payload []byte) (over bool) {
	c.tb.Helper()
	c.heard.Add(1)
	m, err := dhcpv6.ParseMessage(payload)
	if err != nil {
		c.tb.Fatal(err)
	}
	number := int(m.TransactionID)
	address := granted(m.Options)
	if number >= len(c.held) || !address.IsValid() || c.held[number].IsValid() && c.held[number] != address {
		c.tb.Fatalf("client %d had %v: %v with %v", number, c.held[number], m.Type, address)
	}
	c.held[number] = address
	if m.Type == dhcpv6.Reply {
		return true
	}
	if c.server == nil {
		server, _ := m.Options.Get(dhcpv6.OptionServerID)
		c.server = bytes.Clone(server)
	}
	c.send(dhcpv6.Request, number)
	return false
}

// granted is the address in the options of an answer.
func granted(options dhcpv6.Options) netip.Addr {
	data, _ := options.Get(dhcpv6.OptionIANA)
	ia, _ := dhcpv6.ParseIA(data)
	for code, data := range ia.All() {
		if a, err := dhcpv6.ParseIAAddr(data); err == nil && code == dhcpv6.OptionIAAddr && a.Valid > 0 {
			return a.Addr
		}
	}
	return netip.Addr{}
}

// send writes a client's message with what real ones send, too.
func (c *crowd) send(kind dhcpv6.MessageType, number int) {
	duid := [10]byte{0, 3, 0, 1, 2}
	binary.BigEndian.PutUint32(duid[6:], uint32(number))
	w := dhcpv6.NewWriter(c.outbox.Buffer())
	w.Message(kind, uint32(number))
	w.Option(dhcpv6.OptionClientID, duid[:])
	if kind != dhcpv6.Solicit {
		w.Option(dhcpv6.OptionServerID, c.server)
	}
	w.Option(dhcpv6.OptionElapsedTime, []byte{0, 0})
	w.Option(dhcpv6.OptionORO, []byte{0, byte(dhcpv6.OptionDNSServers), 0, byte(dhcpv6.OptionDomainList)})
	m := w.Begin(dhcpv6.OptionIANA)
	w.Uint32(1)
	w.Uint32(0)
	w.Uint32(0)
	if a := c.held[number]; a.IsValid() {
		w.IAAddr(a, 0, 0)
	}
	w.End(m)
	payload, err := w.Finish()
	if err != nil {
		c.tb.Fatal(err)
	}
	c.outbox.Add(c.socket, len(payload), netip.AddrPortFrom(dhcpv6.AllRelayAgentsAndServers, dhcpv6.ServerPort), netip.Addr{}, 0)
}
