package server

import (
	"bytes"
	"errors"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// Retransmission of Reconfigure messages: sections 7.6 and 18.3.11.
const (
	recTimeout = 2 * time.Second
	recMaxRC   = 8
)

// Reconfigure has clients that accept it begin an exchange: all, those of one link, those with one DUID. An empty link or
// DUID means all. t is Renew, Rebind or InformationRequest, or 0 for what fits the client: Renew if it has bindings, else
// Information-request. What runs for a client begins anew. n is the number of clients; NextReconfigure gives the messages.
func (s *Server) Reconfigure(now time.Time, link string, client dhcpv6.DUID, t dhcpv6.MessageType) (n int, err error) {
	problem := s.refusal(link, t)
	if problem == "" {
		n, problem = s.startAll(s.table.At(now), link, client, t)
	}
	if problem != "" {
		return 0, errors.New("reconfigure: " + problem)
	}
	return n, nil
}

// refusal says why nobody can be reconfigured like that; empty: somebody may be.
func (s *Server) refusal(link string, t dhcpv6.MessageType) string {
	switch {
	case s.config.Random == nil:
		return "not in use"
	case t != 0 && t != dhcpv6.Renew && t != dhcpv6.Rebind && t != dhcpv6.InformationRequest:
		return t.String() + " cannot be asked for, only Renew, Rebind and Information-request"
	case link != "" && s.linkByName(link) == nil:
		return "interface " + link + " is not served"
	}
	return ""
}

// startAll starts what Reconfigure is asked for. If that is nothing, and one client was meant, problem says why.
func (s *Server) startAll(at lease.Time, link string, client dhcpv6.DUID, t dhcpv6.MessageType) (n int, problem string) {
	name := client.String()
	problem = "no client " + name + " that accepts it"
	for _, c := range s.clientsOf(link, client) {
		switch {
		case !c.canDo(t):
			problem = "client " + name + " has no bindings, only Information-request can be asked of it"
		case s.wayTo(c) == nil:
			problem = "interface " + c.path.via + " of client " + name + " is not there"
		default:
			s.start(at, c, t)
			n++
		}
	}
	if n > 0 || client == nil {
		problem = ""
	}
	return n, problem
}

// reconfigureLink has all clients of a link come for what has changed there.
func (s *Server) reconfigureLink(at lease.Time, l *link) {
	for _, c := range s.clientsOf(l.Name, nil) {
		s.start(at, c, 0)
	}
}

// clientsOf are the clients on one link, or all served ones, with one DUID or any.
func (s *Server) clientsOf(link string, client dhcpv6.DUID) (found []*client) {
	if client == nil {
		for _, q := range [...]*queue{&s.clients.bound, &s.clients.stateless} {
			for p := q.first; p != nil; p = p.next {
				if link == "" || link == p.client.link {
					found = append(found, p.client)
				}
			}
		}
		return found
	}
	for _, l := range s.links {
		if c := s.clients.find(l.Name, client); c != nil && (link == "" || link == l.Name) {
			found = append(found, c)
		}
	}
	return found
}

// canDo reports whether a client can be asked for a message: one that has no bindings has nothing to renew.
func (c *client) canDo(t dhcpv6.MessageType) bool {
	return t == 0 || t == dhcpv6.InformationRequest || c.isBound()
}

// wayTo is the link that messages to the client leave by; nil if it, or the client's own, is not there, and so has no address.
func (s *Server) wayTo(c *client) *link {
	own, via := s.linkByName(c.link), s.linkByName(c.path.via)
	if own == nil || !own.present || via == nil || !via.sourceFor(c.path.peer.Addr()).IsValid() {
		return nil
	}
	return via
}

// start begins to reconfigure a client.
func (s *Server) start(at lease.Time, c *client, t dhcpv6.MessageType) {
	switch {
	case t != 0:
		c.asked = t
	case c.isBound():
		c.asked = dhcpv6.Renew
	default:
		c.asked = dhcpv6.InformationRequest
	}
	c.due = at
	s.clients.waiting[0].push(&c.waiting)
}

// stop ends the Reconfigure that runs, if any.
func (c *client) stop() {
	c.asked = 0
	c.waiting.leave()
}

// heard ends the Reconfigure that runs when a message of the client's says that it has arrived: one of the type that was
// asked for (section 18.3.11), or one whose answer tells as much. An Information-request does not fetch leases.
func (c *client) heard(t dhcpv6.MessageType) {
	if t != dhcpv6.InformationRequest || c.asked == t {
		c.stop()
	}
}

// next is the client whose turn is next, with the number of messages that it has been sent; nil if nothing runs.
func (c *clients) next() (next *client, sent int) {
	for i := range c.waiting {
		if p := c.waiting[i].first; p != nil && (next == nil || p.client.due < next.due) {
			next, sent = p.client, i
		}
	}
	return next, sent
}

// ReconfigureDue reports whether NextReconfigure has something to do.
func (s *Server) ReconfigureDue(now time.Time) bool { return s.clients.nextWake() <= s.table.At(now) }

// NextReconfigure builds a Reconfigure message that is due in buf, for which 1,500 octets are enough; ok is false when none
// is. It is to be called until then, at the latest when Tick said: also what is given up is given up here.
func (s *Server) NextReconfigure(now time.Time, buf []byte) (out Datagram, ok bool) {
	at := s.table.At(now)
	for {
		c, sent := s.clients.next()
		if c == nil || c.due > at {
			return Datagram{}, false
		}
		l := s.wayTo(c)
		switch {
		case sent == recMaxRC:
			s.counters.GivenUp++
			c.stop()
			continue
		case l == nil:
			c.stop()
			continue
		}
		payload, err := s.writeReconfigure(c, buf)
		if err != nil {
			c.stop() // it will not fit next time either
			continue
		}
		c.due = at.Add(recTimeout << sent)
		s.clients.waiting[sent+1].push(&c.waiting)
		s.counters.Sent[dhcpv6.Reconfigure]++
		peer := c.path.peer
		return Datagram{Payload: payload, Ifindex: l.ifindex, Peer: peer, Local: l.sourceFor(peer.Addr())}, true
	}
}

// writeReconfigure writes a Reconfigure message (section 18.3.11), and the Relay-replies around it.
func (s *Server) writeReconfigure(c *client, buf []byte) ([]byte, error) {
	w := dhcpv6.NewWriter(buf[:min(len(buf), dhcpv6.MaxPayload)])
	w.Text(c.path.chain)
	begin := w.Mark()
	w.Message(dhcpv6.Reconfigure, 0)
	id := w.Begin(dhcpv6.OptionClientID)
	w.Text(c.duid)
	w.End(id)
	w.Option(dhcpv6.OptionServerID, s.config.DUID)
	w.Option(dhcpv6.OptionReconfMsg, []byte{byte(c.asked)})
	writeAuth(&w, s.nextReplay(), rkapDigest, [md5Size]byte{})
	marks, _ := chainMarks(c.path.chain)
	for _, m := range marks {
		w.End(m)
	}
	b, err := w.Finish()
	if err != nil {
		return nil, err
	}
	// Section 20.4.2: the digest is of the whole message, with zeros in its own place, which is at the end.
	digest := hmacMD5(&c.key, b[begin:])
	copy(b[len(b)-len(digest):], digest[:])
	return b, nil
}

// reconfigureChanged reconfigures the links whose answers have other options than before; before are the links
// then.
func (s *Server) reconfigureChanged(at lease.Time, before []*link) {
	for _, old := range before {
		if l := s.linkByName(old.Name); l != nil && !l.tellsAs(old) {
			s.reconfigureLink(at, l)
		}
	}
}

// tellsAs reports whether the answers on a link have the same options as on another.
func (l *link) tellsAs(old *link) bool {
	a, b := l.told(), old.told()
	same := len(a) == len(b) && bytes.Equal(l.Raw, old.Raw)
	for i := 0; same && i < len(a); i++ {
		same = a[i].code == b[i].code && bytes.Equal(a[i].data, b[i].data)
	}
	return same
}

// told are the options that a Reconfigure would fetch: all but the first if that is only for an Advertise.
func (l *link) told() []option {
	if len(l.options) > 0 && l.options[0].when == advertise {
		return l.options[1:]
	}
	return l.options
}

// nextWake is when the next Reconfigure message is due, or Never.
func (c *clients) nextWake() lease.Time {
	if next, _ := c.next(); next != nil {
		return next.due
	}
	return lease.Never
}
