package relay_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
	"lan6d/relay"
)

// What package main hands to both machines, and takes from both, is of one shape.
var (
	_ = relay.Datagram(server.Datagram{})
	_ = server.Route(relay.Route{})
)

// play is a small network: clients on two links of a relay agent, others behind a second relay agent on one of these links,
// and two of our own servers. Beside it stands what the clients were promised, which is what must be routed.
type play struct {
	testing.TB
	*rand.Rand
	now     time.Time
	near    *node // the relay agent next to the servers
	far     *node // the one behind it
	servers []*server.Server
	clients []*player
	answers map[dhcpv6.MessageType]int
	booted  int // relay agents
	buf     []byte
}

// node is a relay agent of the play, with its records.
type node struct {
	*lab
	journal  []byte
	promised map[netip.Prefix]route
	server   map[string]string // of each holder, the one who gave last; forgotten with a restart
}

// route is what a promise asks for.
type route struct {
	link   string
	via    netip.Addr
	holder string // client and IAID
	until  time.Time
}

// player is a client.
type player struct {
	duid    dhcpv6.DUID
	at      netip.Addr
	far     bool // behind the second relay agent
	ifindex int
	server  []byte
	holds   map[uint32][]promise
}

var farAddress = netip.MustParseAddr("2001:db8:1::5")

func newPlay(t testing.TB, seed uint64) *play {
	p := &play{TB: t, Rand: rand.New(rand.NewPCG(seed, 8987)), now: epoch, answers: make(map[dhcpv6.MessageType]int), buf: make([]byte, dhcpv6.MaxPayload)}
	many := func(s *setup) { s.MaxPerClient = 100 }
	p.near = &node{lab: start(t, many), promised: make(map[netip.Prefix]route), server: make(map[string]string)}
	p.far = &node{lab: start(t, many, func(s *setup) {
		s.addresses(lan, "2001:db8:5::1/64")
		s.addresses(guest)
		s.addresses(idle)
		s.addresses(wan, farAddress.String()+"/64")
	}), promised: make(map[netip.Prefix]route), server: make(map[string]string)}
	for _, n := range []*node{p.near, p.far} {
		n.journal = n.Table().AppendAll(nil, 0, n.clock())
	}
	for n := range 2 {
		p.servers = append(p.servers, server.New(epoch, server.Config{DUID: serverID(n), Interfaces: []server.Interface{{
			Name: "up", LeaseTime: server.DefaultLeaseTime, MaxPreferred: server.DefaultMaxPreferred, MaxValid: server.DefaultMaxValid,
			Dynamic: true, Addresses: true, Prefixes: true, AssignAll: true, HostIDLength: 12, PDMinLength: 62,
			PrefixFilter: netip.MustParsePrefix("3fff::/16"),
		}}}))
	}
	p.renumber(0)
	for n := range 8 {
		c := &player{duid: duid(n), at: host(n), far: n > 5, ifindex: lan, holds: make(map[uint32][]promise)}
		if n == 4 || n == 5 {
			c.ifindex = guest
		}
		p.clients = append(p.clients, c)
	}
	return p
}

// renumber gives the servers' link other prefixes to delegate from: each server its own ones. Beside them it has one that
// covers the relay agents' links.
func (p *play) renumber(how int) {
	for n, s := range p.servers {
		addresses := []server.LinkAddress{{Prefix: netip.MustParsePrefix(fmt.Sprintf("2001:db8:f%d:547::1/32", n))}}
		for i := range how + 1 {
			addresses = append(addresses, server.LinkAddress{Prefix: netip.MustParsePrefix(fmt.Sprintf("3fff:%d%d::547/48", n, 2*how-i))})
		}
		s.SetLinks(p.now, []server.Link{{Name: "up", Ifindex: 9, LinkLocal: netip.MustParseAddr("fe80::547"), Addresses: addresses}})
	}
}

// ask sends a client's message and returns what comes back to it, from each server that answers. What gets lost on the way
// back to the client has been promised all the same.
func (p *play) ask(c *player, b []byte) (answers [][]byte) {
	p.Helper()
	in := from(c.at, b)
	in.Ifindex = c.ifindex
	if !c.far {
		for _, back := range p.askNear(in) {
			answers = append(answers, p.arrived(c, back))
		}
		return answers
	}
	payload, to, err := p.far.forward(in)
	if err != nil {
		p.Fatalf("%v of\n%x", err, b)
	}
	for _, d := range to {
		up := relay.Datagram{Payload: bytes.Clone(payload), Ifindex: lan, Peer: netip.AddrPortFrom(d.Local, 547), Local: d.Peer.Addr()}
		for _, back := range p.askNear(up) {
			if p.IntN(20) == 0 {
				continue // lost
			}
			if back.Peer.Addr() != farAddress || back.Peer.Port() != 547 || back.Ifindex != lan {
				p.Fatalf("sent to %v on %d", back.Peer, back.Ifindex)
			}
			out, err := p.far.giveBack(relay.Datagram{Payload: bytes.Clone(back.Payload), Ifindex: wan, Peer: netip.MustParseAddrPort("[fe80::1]:547")})
			if err != nil {
				p.Fatal(err)
			}
			p.far.promise(p.now, out)
			answers = append(answers, p.arrived(c, out))
		}
	}
	return answers
}

// askNear has the relay agent next to the servers relay a message, and returns what it sends back.
func (p *play) askNear(in relay.Datagram) (back []relay.Datagram) {
	p.Helper()
	payload, to, err := p.near.forward(in)
	if err != nil {
		p.Fatal(err)
	}
	payload = bytes.Clone(payload)
	for _, d := range to {
		for n := range p.servers {
			if p.IntN(20) == 0 {
				continue // lost
			}
			out, err := p.servers[n].Handle(p.now, server.Datagram{
				Payload: payload, Ifindex: 9, Peer: netip.AddrPortFrom(d.Local, 547), Local: d.Peer.Addr(),
			}, p.buf)
			if err != nil {
				continue // meant for the other one, or nothing known
			}
			if out.Peer.Addr() != d.Local || out.Peer.Port() != 547 {
				p.Fatalf("server answers to %v", out.Peer)
			}
			reply, err := p.near.giveBack(relay.Datagram{Payload: out.Payload, Ifindex: d.Ifindex, Peer: netip.MustParseAddrPort("[2001:db8:ffff::547]:547"), Local: d.Local})
			if err != nil {
				p.Fatal(err)
			}
			reply.Payload = bytes.Clone(reply.Payload)
			p.near.promise(p.now, reply)
			back = append(back, reply)
		}
	}
	return back
}

// arrived checks that an answer has come to its client.
func (p *play) arrived(c *player, out relay.Datagram) []byte {
	p.Helper()
	if out.Ifindex != c.ifindex || out.Peer != netip.AddrPortFrom(c.at, 546) {
		p.Fatalf("answer to %v goes to %v on %d", c.at, out.Peer, out.Ifindex)
	}
	m, err := dhcpv6.ParseMessage(out.Payload)
	if err != nil {
		p.Fatal(err)
	}
	if id, _ := m.Options.Get(dhcpv6.OptionClientID); !bytes.Equal(id, c.duid) {
		p.Fatalf("%v has the answer to %x", c.at, id)
	}
	p.answers[m.Type]++
	return bytes.Clone(out.Payload)
}

func holderOf(client []byte, iaid uint32, link string) string {
	return fmt.Sprintf("%x %d %s", client, iaid, link)
}

// promise notes what a Reply on its way to a client promises.
func (n *node) promise(now time.Time, out relay.Datagram) {
	m, err := dhcpv6.ParseMessage(innermost(out.Payload))
	if err != nil || m.Type != dhcpv6.Reply {
		return
	}
	client, _ := m.Options.Get(dhcpv6.OptionClientID)
	id, _ := m.Options.Get(dhcpv6.OptionServerID)
	link := map[int]string{lan: "lan", guest: "guest"}[out.Ifindex]
	for code, data := range m.Options.All() {
		if code != dhcpv6.OptionIAPD {
			continue
		}
		ia, _ := dhcpv6.ParseIA(data)
		holder := holderOf(client, ia.IAID, link)
		by, known := n.server[holder]
		believed, gives := !known || by == string(id), false
		if s, ok := ia.Options.Get(dhcpv6.OptionStatusCode); ok && s[1] == byte(dhcpv6.StatusNoBinding) && believed {
			maps.DeleteFunc(n.promised, func(_ netip.Prefix, r route) bool { return r.holder == holder })
		}
		for code, data := range ia.All() {
			p, err := dhcpv6.ParseIAPrefix(data)
			switch {
			case code != dhcpv6.OptionIAPrefix || err != nil:
			case p.Valid > 0:
				gives = true
				n.promised[p.Prefix] = route{link, out.Peer.Addr(), holder, now.Add(time.Duration(p.Valid) * time.Second)}
			case believed && n.promised[p.Prefix].holder == holder:
				delete(n.promised, p.Prefix)
			}
		}
		if gives {
			n.server[holder] = string(id)
		}
	}
}

// checkRoutes compares a relay agent's routes with what was promised.
func (n *node) checkRoutes() {
	n.Helper()
	n.Events()
	maps.DeleteFunc(n.promised, func(_ netip.Prefix, r route) bool { return !r.until.After(n.now) })
	routes := n.routes()
	for _, k := range routes {
		r, ok := n.promised[k.Prefix]
		until := n.Table().Wall(k.Until)
		if !ok || k.Via != r.via || k.Ifindex != map[string]int{"lan": lan, "guest": guest}[r.link] || until.Sub(r.until).Abs() > 2*time.Second {
			n.Errorf("routed: %v until %v; promised: %v", k, until, r)
		}
	}
	if len(routes) != len(n.promised) {
		n.Errorf("routes %v; promised %v", routes, n.promised)
	}
	n.journal = n.changes(n.journal)
}

// step lets one thing happen.
func (p *play) step() {
	c := p.clients[p.IntN(len(p.clients))]
	iaid := uint32(1 + p.IntN(2))
	ids := [][]byte{option(dhcpv6.OptionClientID, c.duid)}
	toServer := append(ids[:1:1], option(dhcpv6.OptionServerID, c.server))
	switch op := p.IntN(20); {
	case op < 3:
		p.wait([]time.Duration{time.Second, time.Minute, 20 * time.Minute, time.Hour, 2 * time.Hour}[p.IntN(5)])
	case op < 4 && p.IntN(10) == 0:
		p.renumber(p.IntN(3))
	case op < 5:
		n := []*node{p.near, p.far}[p.IntN(2)]
		n.restart(n.journal, 0)
		clear(n.server)
		n.journal = n.Table().AppendAll(nil, n.Table().At(n.now), n.clock())
		p.booted++
	case op < 10:
		for _, b := range p.ask(c, message(dhcpv6.Solicit, append(ids, pd(iaid))...)) {
			m, _ := dhcpv6.ParseMessage(b)
			c.server, _ = m.Options.Get(dhcpv6.OptionServerID)
			toServer := append(ids[:1:1], option(dhcpv6.OptionServerID, c.server))
			c.hear(p.ask(c, message(dhcpv6.Request, append(toServer, pd(iaid))...)))
			break
		}
	case c.server == nil:
	case op < 14:
		c.hear(p.ask(c, message(dhcpv6.Renew, append(toServer, pd(iaid, c.holds[iaid]...))...)))
	case op < 16:
		c.hear(p.ask(c, message(dhcpv6.Rebind, append(ids, pd(iaid, c.holds[iaid]...))...)))
	case op < 18:
		p.ask(c, message(dhcpv6.InformationRequest, toServer...))
	default:
		p.giveBack(c, iaid, message(dhcpv6.Release, append(toServer, pd(iaid, c.holds[iaid]...))...))
	}
}

// giveBack has a client release what it knows to hold of an IA.
func (p *play) giveBack(c *player, iaid uint32, b []byte) {
	link := map[int]string{lan: "lan", guest: "guest"}
	for _, k := range c.holds[iaid] {
		prefix := netip.MustParsePrefix(k.prefix)
		on := link[c.ifindex]
		if c.far {
			if p.far.promised[prefix].holder == holderOf(c.duid, iaid, on) {
				delete(p.far.promised, prefix)
			}
			on = "lan"
		}
		if p.near.promised[prefix].holder == holderOf(c.duid, iaid, on) {
			delete(p.near.promised, prefix)
		}
	}
	delete(c.holds, iaid)
	p.ask(c, b)
}

// hear takes a client's answers up.
func (c *player) hear(answers [][]byte) {
	for _, b := range answers {
		m, _ := dhcpv6.ParseMessage(b)
		for code, data := range m.Options.All() {
			if code != dhcpv6.OptionIAPD {
				continue
			}
			ia, _ := dhcpv6.ParseIA(data)
			c.holds[ia.IAID] = nil
			for code, data := range ia.All() {
				if p, err := dhcpv6.ParseIAPrefix(data); err == nil && code == dhcpv6.OptionIAPrefix && p.Valid > 0 {
					c.holds[ia.IAID] = append(c.holds[ia.IAID], promise{prefix: p.Prefix.String()})
				}
			}
		}
	}
}

func (p *play) wait(d time.Duration) {
	p.now = p.now.Add(d)
	p.near.now, p.far.now = p.now, p.now
	for _, s := range p.servers {
		s.Tick(p.now)
		s.Events()
	}
	p.near.Tick(p.now)
	p.far.Tick(p.now)
}

// Clients, two servers and two relay agents in a row: routes are what was promised, all the time.
func TestPlay(t *testing.T) {
	answers, promised := make(map[dhcpv6.MessageType]int), 0
	for seed := range uint64(4) {
		p := newPlay(t, seed)
		for range 500 {
			p.step()
			p.near.checkRoutes()
			p.far.checkRoutes()
			if t.Failed() {
				t.Fatalf("with seed %d", seed)
			}
		}
		for kind, n := range p.answers {
			answers[kind] += n
		}
		if promised += len(p.near.promised); p.booted < 5 {
			t.Errorf("seed %d: %d restarts", seed, p.booted)
		}
	}
	if promised < 20 {
		t.Errorf("only %d prefixes promised in the end", promised)
	}
	if answers[dhcpv6.Advertise] < 200 || answers[dhcpv6.Reply] < 500 {
		t.Errorf("only %v", answers)
	}
}
