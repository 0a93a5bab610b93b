package server

import (
	"net/netip"

	"lan6d/dhcpv6/lease"
)

// Route is how to reach a delegated prefix.
type Route struct {
	Prefix  netip.Prefix
	Via     netip.Addr // the client's link-local address, or the address of its relay
	Ifindex int
	Until   lease.Time // when the lease ends
}

// AppendRoutes appends the routes that a binding needs at now: one for each lease that its client holds under a prefix
// which the interface has. A lease that is not longer than that prefix gets none: it would take the interface's own
// route away. A binding that is not bound, or whose interface or relay's interface is gone, needs none; nor does one whose
// relay is not on a link of ours: whoever leads to it must know the way.
func (s *Server) AppendRoutes(routes []Route, now lease.Time, b *lease.Binding) []Route {
	if b == nil || b.State != lease.Bound || b.Kind != lease.Prefix || !b.Peer.IsValid() {
		return routes
	}
	l := s.linkByName(b.Link.Name)
	via := l
	if b.PeerLink != "" {
		via = s.linkByName(b.PeerLink)
	}
	if l == nil || via == nil || !via.present || !b.Peer.IsLinkLocalUnicast() && !via.onLink(lease.Address, b.Peer) {
		return routes
	}
	for i := range b.Leases {
		if k := &b.Leases[i]; !k.Withdrawn && k.Valid > now && l.isParent(k.Prefix, now) {
			routes = append(routes, Route{Prefix: k.Prefix, Via: b.Peer, Ifindex: via.ifindex, Until: k.Valid})
		}
	}
	return routes
}

// isParent reports whether one of the link's prefixes is a shorter one around p.
func (l *link) isParent(p netip.Prefix, now lease.Time) bool {
	for i := range l.prefixes {
		if q := &l.prefixes[i]; q.valid > now && q.net.Bits() < p.Bits() && q.net.Contains(p.Addr()) && l.allowed(q) {
			return true
		}
	}
	return false
}

func (s *Server) linkByName(name string) *link {
	for _, l := range s.links {
		if l.Name == name {
			return l
		}
	}
	return nil
}
