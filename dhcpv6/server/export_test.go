package server

import (
	"errors"
	"fmt"

	"lan6d/dhcpv6"
)

// CheckClients verifies that what is known of clients is in order and tells everything that is not.
func (s *Server) CheckClients() error {
	var problems []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	c := &s.clients
	n := 0
	for _, q := range []*queue{&c.bound, &c.stateless} {
		var last *place
		in := 0
		for p := q.first; p != nil; last, p = p, p.next {
			k := p.client
			in++
			require(p.queue == q && p.prev == last && p == &k.home, "client %x: not well in its queue", k.duid)
			require(c.all[k.clientKey] == k, "client %x: in a queue and forgotten", k.duid)
			require(s.queueOf(k) == q, "client %x: bound %v and in the wrong queue", k.duid, k.isBound())
			require(k.path.isPath() && k.path.via != "", "client %x: path %v", k.duid, k.path)
			require((k.asked != 0) == (k.waiting.queue != nil), "client %x: asked for %v, and waiting %v", k.duid, k.asked, k.waiting.queue)
			require(k.asked == 0 || k.asked == dhcpv6.InformationRequest || k.isBound(), "client %x has nothing to %v", k.duid, k.asked)
			note := s.table.Note(k.noteName())
			require(string(note) == string(k.note()), "client %x: noted as %x", k.duid, note)
		}
		require(q.n == in && q.last == last, "queue of %d clients counted as %d", in, q.n)
		n += in
	}
	require(n == len(c.all), "%d clients, in queues %d", len(c.all), n)
	require(c.stateless.n <= c.maxStateless, "%d stateless clients", c.stateless.n)
	notes := 0
	for name, value := range s.table.Notes() {
		if len(name) > len(noteClient) && name[:len(noteClient)] == noteClient && value != nil {
			notes++
		}
	}
	require(notes == n, "%d clients, noted %d", n, notes)
	for i := range c.waiting {
		for p := c.waiting[i].first; p != nil; p = p.next {
			require(p.queue == &c.waiting[i] && p == &p.client.waiting, "client %x: not well in waiting[%d]", p.client.duid, i)
			require(p.prev == nil || p.prev.client.due <= p.client.due, "client %x: waits behind one that is due later", p.client.duid)
			require(c.all[p.client.clientKey] == p.client, "client %x: waits and is forgotten", p.client.duid)
		}
	}
	return errors.Join(problems...)
}

// Clients is the number of clients that accept Reconfigure.
func (s *Server) Clients() (bound, stateless int) { return s.clients.bound.n, s.clients.stateless.n }

// HMACMD5 and MD5 are compared with the standard library's.
func HMACMD5(key [16]byte, message []byte) [16]byte { return hmacMD5((*reconfigureKey)(&key), message) }
func MD5(b []byte) [16]byte                         { return md5Sum(b) }
