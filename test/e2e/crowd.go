package e2e

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A crowd is many simulated clients on one host of the LAN. Each has a DUID of its own and gets, renews and gives back
// leases at random, as fast as it is answered. They share a few link-local addresses, so that their prefixes are reached
// in different ways.
type crowd struct {
	t       testing.TB
	ledger  *ledger
	doors   []*net.UDPConn
	servers netip.AddrPort // where to send to
	members []*member
	served  atomic.Int64 // messages that were answered
	waiting atomic.Int64 // members whose message has not been answered yet
	sent    atomic.Int64 // messages, those included that were sent again
	heard   atomic.Int64 // answers, those included that nobody waits for any more
	again   atomic.Int64 // messages that were sent again, as no answer had come for so long
	faults  atomic.Int64
	answer  atomic.Pointer[func()] // called when the next answer comes, once

	gate sync.RWMutex  // who sends holds it for reading
	stop chan struct{} // closed: members go on no longer
	live sync.WaitGroup

	accepters sync.Map // inboxes of those who accept Reconfigure messages, by DUID
}

// A member is one simulated client. One goroutine owns it.
type member struct {
	crowd  *crowd
	number int
	door   *net.UDPConn
	random *rand.Rand
	lives  int    // how often it began anew
	duid   []byte // of this life
	codes  []uint16
	leases map[uint16][]lease // what it has, by the type of its IA; nil: nothing
	server []byte
	more   []byte // options that go with each message of a kind that may have them
	xids   uint32
	inbox  chan *message
}

var seedFlag = flag.Uint64("seed", 0, "seed of what the crowds of clients do at random; 0: another one each time")

// newRandom returns a source of random numbers, and has the test tell its seed.
func newRandom(t testing.TB) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// crowdDoors is how many link-local addresses a crowd has.
const crowdDoors = 4

// newCrowd puts a host with so many clients on the LAN. They do nothing yet.
func (r *router) newCrowd(random *rand.Rand, l *ledger, size int) *crowd {
	r.t.Helper()
	h := newHost(r.t, "crowd")
	r.plug(h, "eth0")
	c := newCrowd(h, random, l, size)
	r.capture.ignore(func(p packet) bool { return isDoor(p.src.Addr()) || isDoor(p.dst.Addr()) })
	return c
}

// newCrowd makes so many clients on a host, behind its eth0.
func newCrowd(h *host, random *rand.Rand, l *ledger, size int) *crowd {
	h.t.Helper()
	c := &crowd{t: h.t, ledger: l}
	// The index, not the name: package net would look for it in another network namespace.
	zone := strconv.Itoa(h.Ifindex(h.t, "eth0"))
	c.servers = netip.AddrPortFrom(netip.MustParseAddr("ff02::1:2").WithZone(zone), 547)
	for i := range crowdDoors {
		c.open(h, netip.MustParseAddr(fmt.Sprintf("fe80::c:%d", i+1)))
	}
	for i := range size {
		m := &member{crowd: c, number: i, door: c.doors[i%crowdDoors], inbox: make(chan *message, 4)}
		m.random = rand.New(rand.NewPCG(random.Uint64(), uint64(i)))
		m.begin()
		c.members = append(c.members, m)
	}
	for _, door := range c.doors {
		go c.listen(door)
	}
	return c
}

// isDoor reports whether the address is one of a crowd's.
func isDoor(a netip.Addr) bool { return netip.MustParsePrefix("fe80::c:0/112").Contains(a) }

// open gives the crowd a link-local address and a socket on it.
func (c *crowd) open(h *host, addr netip.Addr) {
	c.t.Helper()
	h.AddAddr(c.t, "eth0", addr.String()+"/64")
	at := &net.UDPAddr{IP: addr.AsSlice(), Port: 546, Zone: c.servers.Addr().Zone()}
	var door *net.UDPConn
	var err error
	h.Do(func() { door, err = net.ListenUDP("udp6", at) })
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { door.Close() })
	c.doors = append(c.doors, door)
}

// listen hands each answer to the member that it is for.
func (c *crowd) listen(door *net.UDPConn) {
	for buf := make([]byte, 65536); ; {
		n, err := door.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		} else if err != nil {
			continue // ENETDOWN, and the like
		}
		if call := c.answer.Swap(nil); call != nil {
			(*call)()
		}
		answer, err := parseMessage(bytes.Clone(buf[:n]))
		if err != nil {
			c.fault("%v", err)
			continue
		}
		if answer.kind == "Reconfigure" {
			c.reconfigured(answer)
			continue
		}
		c.heard.Add(1)
		number := int(answer.xid >> xidBits)
		if number >= len(c.members) || c.members[number].door != door {
			c.fault("%s with transaction ID %06x came to %v", answer.kind, answer.xid, door.LocalAddr())
			continue
		}
		select {
		case c.members[number].inbox <- answer:
		default: // more than one answer to a message: the first counts
		}
	}
}

// fault fails the test. Not every one of a thousand like it needs to be told.
func (c *crowd) fault(format string, args ...any) {
	if n := c.faults.Add(1); n <= 10 {
		c.t.Errorf(format, args...)
	}
}

// start has all members live their lives, until halt.
func (c *crowd) start() {
	c.stop = make(chan struct{})
	for _, m := range c.members {
		c.live.Go(m.wander)
	}
	c.t.Cleanup(c.halt)
}

// halt stops all members, wherever they are.
func (c *crowd) halt() {
	if c.stop != nil {
		close(c.stop)
		c.live.Wait()
		c.stop = nil
	}
}

// onAnswer has something done at once when the next answer comes, or after a while if none does.
func (c *crowd) onAnswer(call func()) {
	done := make(chan struct{})
	once := sync.OnceFunc(func() {
		call()
		close(done)
	})
	c.answer.Store(&once)
	select {
	case <-done:
	case <-time.After(patience):
		once()
	}
}

// pause keeps all members from sending, until resume.
func (c *crowd) pause() { c.gate.Lock() }

func (c *crowd) resume() { c.gate.Unlock() }

// each has some of the members do something at the same time, and waits for them, but not for ever.
func (c *crowd) each(members []*member, what string, do func(*member)) {
	c.t.Helper()
	c.stop = make(chan struct{})
	end := time.AfterFunc(30*time.Second, func() { close(c.stop) })
	for _, m := range members {
		c.live.Go(func() { do(m) })
	}
	c.live.Wait()
	if c.stop = nil; !end.Stop() {
		c.t.Fatalf("not all clients of the crowd could %s", what)
	}
}

// join has the members get leases.
func (c *crowd) join(members []*member) { c.each(members, "get leases", (*member).join) }

// renew has the members that have leases renew or rebind them.
func (c *crowd) renew(members []*member) {
	c.each(members, "renew their leases", func(m *member) {
		if m.leases != nil {
			m.renew()
		}
	})
}

// begin makes a new client of the member.
func (m *member) begin() {
	m.lives++
	m.duid = binary.BigEndian.AppendUint16([]byte{0, 2, 0, 0, 0x7e, 0x57}, uint16(m.number)) // DUID-EN
	m.duid = binary.BigEndian.AppendUint32(m.duid, uint32(m.lives))
	m.codes = [][]uint16{{optIANA}, {optIAPD}, {optIANA, optIAPD}}[m.random.IntN(3)]
}

// wander gets, renews and gives back leases at random.
func (m *member) wander() {
	for m.rest() {
		switch n := m.random.IntN(100); {
		case m.leases == nil:
			m.join()
		case n < 70:
			m.renew()
		default:
			m.leave(n == 99)
		}
	}
}

// rest passes some time. It returns false when the crowd was stopped.
func (m *member) rest() bool {
	select {
	case <-m.crowd.stop:
		return false
	case <-time.After(time.Duration(m.random.IntN(150)) * time.Millisecond):
		return true
	}
}

// join gets leases, with Solicit and Request, or with Solicit and Rapid Commit.
func (m *member) join() {
	var more []byte
	if m.random.IntN(3) == 0 {
		more = appendOption(nil, optRapidCommit, nil)
	}
	asked := time.Now()
	answer := m.exchange("Solicit", nil, more)
	if answer == nil {
		return
	}
	if answer.kind == "Advertise" {
		m.server, _ = answer.option(optServerID)
		offer := make(map[uint16][]lease)
		for _, code := range m.codes {
			offer[code] = answer.leases(code)
		}
		asked = time.Now()
		if answer = m.exchange("Request", offer, nil); answer == nil {
			return
		}
	}
	m.take(answer, asked)
}

// renew has the leases extended. What comes back must be what was there.
func (m *member) renew() {
	kind := "Renew"
	if m.random.IntN(3) == 0 {
		kind = "Rebind"
	}
	asked := time.Now()
	answer := m.exchange(kind, m.leases, nil)
	if answer == nil {
		return
	}
	for _, code := range m.codes {
		if !samePrefixes(m.leases[code], answer.leases(code)) {
			m.crowd.fault("%v had %v, %s gives %v", m.key(code), m.leases[code], kind, answer.ias(code))
		}
	}
	m.take(answer, asked)
}

// take notes what a Reply grants.
func (m *member) take(reply *message, asked time.Time) {
	m.server, _ = reply.option(optServerID)
	m.leases = make(map[uint16][]lease)
	for _, code := range m.codes {
		m.leases[code] = reply.leases(code)
		if len(m.leases[code]) == 0 {
			m.crowd.fault("%v is given nothing: %s with %v", m.key(code), reply.kind, reply.ias(code))
		}
		if err := m.crowd.ledger.enter(claim{m.key(code), m.leases[code], asked}); err != nil {
			m.crowd.fault("%v", err)
		}
	}
}

// leave gives everything back: the address with Decline if it is said to be another's, the rest with Release. Whoever
// comes next is often somebody else.
func (m *member) leave(decline bool) {
	had := m.leases
	for _, code := range m.codes {
		m.crowd.ledger.strike(m.key(code))
	}
	m.leases = nil
	if decline && had[optIANA] != nil {
		m.exchange("Decline", map[uint16][]lease{optIANA: had[optIANA]}, nil)
		delete(had, optIANA)
	}
	if len(had) > 0 {
		m.exchange("Release", had, nil)
	}
	if m.random.IntN(2) == 0 {
		m.begin()
	}
}

// key names the member's IA of that type. All have the same IAID: the DUID tells them apart.
func (m *member) key(code uint16) iaKey { return iaKey{string(m.duid), code, 1} }

// xidBits is how many of the 24 bits of a transaction ID count a member's messages; the others are its number.
const xidBits = 12

// patience is how long a member waits before it sends a message again.
const patience = 300 * time.Millisecond

// exchange sends a message until it is answered and returns the answer; nil if the crowd was stopped first.
func (m *member) exchange(kind string, leases map[uint16][]lease, more []byte) *message {
	m.xids++
	xid := uint32(m.number)<<xidBits | m.xids%(1<<xidBits)
	b := m.message(kind, xid, leases, more)
	m.crowd.waiting.Add(1)
	defer m.crowd.waiting.Add(-1)
	for {
		m.send(b)
		for again := time.After(patience); again != nil; {
			select {
			case answer := <-m.inbox:
				if answer.xid == xid {
					m.crowd.served.Add(1)
					m.checkClient(answer)
					return answer
				}
			case <-again:
				again = nil
				m.crowd.again.Add(1)
			case <-m.crowd.stop:
				return nil
			}
		}
	}
}

// checkClient: an answer is for the client that asked.
func (m *member) checkClient(answer *message) {
	if duid, _ := answer.option(optClientID); !bytes.Equal(duid, m.duid) {
		m.crowd.fault("%s for client %x came to %x", answer.kind, duid, m.duid)
	}
}

func (m *member) send(b []byte) {
	m.crowd.gate.RLock()
	defer m.crowd.gate.RUnlock()
	if _, err := m.door.WriteToUDPAddrPort(b, m.crowd.servers); err != nil {
		m.crowd.fault("send: %v", err)
		return
	}
	m.crowd.sent.Add(1)
}

// message writes a message: to the server that the member knows, or to any. A Solicit names the IAs that the member wants,
// others those of the leases.
func (m *member) message(kind string, xid uint32, leases map[uint16][]lease, more []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, xid)
	for i, name := range messageNames {
		if name == kind {
			b[0] = byte(i)
		}
	}
	b = appendOption(b, optClientID, m.duid)
	if kind != "Solicit" && kind != "Rebind" && kind != "Information-request" {
		b = appendOption(b, optServerID, m.server)
	}
	b = appendOption(b, optElapsedTime, []byte{0, 0})
	for _, code := range m.codes {
		if _, ok := leases[code]; ok || kind == "Solicit" {
			b = appendOption(b, code, iaContent(1, leases[code]))
		}
	}
	if kind != "Release" && kind != "Decline" {
		b = append(b, m.more...)
	}
	return append(b, more...)
}

// iaContent is what an IA option holds: the IAID, no wish for T1 and T2, and the leases.
func iaContent(iaid uint32, leases []lease) []byte {
	b := binary.BigEndian.AppendUint32(nil, iaid)
	b = append(b, make([]byte, 8)...)
	for _, l := range leases {
		addr := l.prefix.Addr().As16()
		if l.prefix.IsSingleIP() {
			b = appendOption(b, optIAAddr, append(addr[:], make([]byte, 8)...))
		} else {
			b = appendOption(b, optIAPrefix, append(append(make([]byte, 8), byte(l.prefix.Bits())), addr[:]...))
		}
	}
	return b
}

func appendOption(b []byte, code uint16, data []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, code)
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}

// samePrefixes reports whether two lists of leases name the same, in whatever order.
func samePrefixes(a, b []lease) bool {
	if len(a) != len(b) {
		return false
	}
	for _, l := range a {
		if !hasPrefix(b, l) {
			return false
		}
	}
	return true
}

func hasPrefix(list []lease, l lease) bool {
	for _, other := range list {
		if other.prefix == l.prefix {
			return true
		}
	}
	return false
}
