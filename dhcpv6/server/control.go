package server

import (
	"net/netip"
	"time"

	"lan6d/dhcpv6/lease"
)

// End ends a binding of the table's, whatever its state, as an operator may want. Its client is not told: with its next
// Renew it gets what is free then, as a rule the same, since a bound one is remembered.
func (s *Server) End(now time.Time, b *lease.Binding) {
	at, events := s.table.At(now), len(s.events)
	if b.State == lease.Bound {
		s.table.Free(b)
		s.emit(at, Deleted, b, netip.Addr{})
	} else {
		s.table.Remove(b)
	}
	s.settleEnded(s.events[events:])
}

// Accepts reports whether a client on a link has said that it accepts Reconfigure, and can be sent one.
func (s *Server) Accepts(link, duid string) bool {
	return s.clients.all[clientKey{link, duid}] != nil
}

// LeasesOf are the leases of a binding. One that is not bound has none, but an id: they are those that this would have, valid for
// as long as it is offered or declined.
func (s *Server) LeasesOf(b *lease.Binding) (leases []lease.Lease) {
	l := s.linkByName(b.Link.Name)
	if b.State == lease.Bound || l == nil {
		return b.Leases
	}
	var until lease.Time
	if b.State != lease.Free {
		until = b.Deadline
	}
	for i := range l.prefixes {
		if p := l.prefixes[i].lease(b.Kind, b.ID, b.Length); p.IsValid() {
			leases = append(leases, lease.Lease{Prefix: p, Valid: until})
		}
	}
	return leases
}

// PoolStatus counts the ids of a pool that is given out from: interface ids, or subnet ids.
type PoolStatus struct{ Used, Free uint64 }

// poolStatus is the widest pool of a kind: the others are parts of it.
func (l *link) poolStatus(kind lease.Kind) (n PoolStatus) {
	pools := l.pools[kind]
	if len(pools) == 0 {
		return n
	}
	pool := pools[len(pools)-1]
	for b := range l.leases.All() {
		if b.Kind == kind && b.State != lease.Free && pool.Contains(b.ID, b.Size()) {
			n.Used += b.Size()
		}
	}
	n.Free = pool.Size() - n.Used
	return n
}
