package server

import (
	"net/netip"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// client is a client that accepts Reconfigure messages. Others are known by their bindings alone.
type client struct {
	clientKey
	leases *lease.Link
	key    reconfigureKey
	path   path

	home    place              // in clients.bound or clients.stateless
	waiting place              // in one of clients.waiting, while a Reconfigure runs
	asked   dhcpv6.MessageType // what the running Reconfigure asks for; 0: none runs
	due     lease.Time         // when to send it next
}

// clientKey names a client. The same DUID on two links is two clients.
type clientKey struct{ link, duid string }

// path is how to reach a client.
type path struct {
	via   string         // the served interface that its messages arrive on
	peer  netip.AddrPort // its link-local address, or its relay's address
	chain string         // Relay-replies around a message for it, see chainMarks; empty: it is not behind a relay
}

// clients are those that accept Reconfigure. Each is bound or stateless: bound ones are no more than there are bindings,
// of the others the oldest is forgotten when there are too many.
type clients struct {
	all              map[clientKey]*client
	bound, stateless queue // in order of their last message
	maxStateless     int
	waiting          [recMaxRC + 1]queue // by the number of Reconfigure messages sent so far; in order of due
	replay           uint64              // the replay detection value last used: see nextReplay
}

// find does not keep duid.
func (c *clients) find(link string, duid dhcpv6.DUID) *client {
	return c.all[clientKey{link, string(duid)}]
}

// learn begins to remember a client. The caller settles it.
func (s *Server) learn(leases *lease.Link, duid string, key reconfigureKey) *client {
	c := &client{clientKey: clientKey{leases.Name, duid}, leases: leases, key: key}
	c.home.client, c.waiting.client = c, c
	s.clients.all[c.clientKey] = c
	return c
}

//go:noinline
func (s *Server) forget(c *client) {
	c.stop()
	c.home.leave()
	delete(s.clients.all, c.clientKey)
	s.table.SetNote(c.noteName(), nil)
}

// settle puts a client at the end of the queue it belongs in, and forgets the oldest stateless ones beyond the limit.
func (s *Server) settle(c *client) {
	q := s.queueOf(c)
	q.push(&c.home)
	if q == &s.clients.stateless {
		if c.asked != dhcpv6.InformationRequest {
			c.stop() // there is nothing left to renew
		}
		s.forgetOldest()
	}
}

func (s *Server) queueOf(c *client) *queue {
	if c.isBound() {
		return &s.clients.bound
	}
	return &s.clients.stateless
}

func (s *Server) forgetOldest() {
	for s.clients.stateless.n > s.clients.maxStateless {
		s.forget(s.clients.stateless.first.client)
		s.counters.KeysDropped++
	}
}

// isBound reports whether the client has a binding on its link.
func (c *client) isBound() bool { return c.leases.Bound(c.duid) > 0 }

// settleEnded looks at the clients of bindings that have ended.
func (s *Server) settleEnded(events []Event) {
	for i := range events {
		e := &events[i]
		switch e.Kind {
		case Released, Replaced, Expired, Declined, Deleted:
			c := s.clients.find(e.Link, dhcpv6.DUID(e.Key.DUID))
			if c != nil && c.home.queue == &s.clients.bound && !c.isBound() {
				s.settle(c)
			}
		}
	}
}

// forgetAll forgets all clients, for a configuration without Reconfigure.
func (s *Server) forgetAll() {
	for _, c := range s.clients.all {
		s.forget(c)
	}
}
