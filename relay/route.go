package relay

import (
	"net/netip"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// minPrefixLength is the length of the largest prefix that is believed to have been delegated: no client gets more than the
// registries give to a provider.
const minPrefixLength = 24

// Route is how to reach a delegated prefix.
type Route struct {
	Prefix  netip.Prefix
	Via     netip.Addr // the client's link-local address, or the address of its relay agent
	Ifindex int
	Until   lease.Time // when the lease ends
}

// AppendRoutes appends the routes that a binding needs at now: one for each prefix, as long as it is (RFC 8987, R-2), unless
// it has come to be around an address of ours, or on its link. A binding whose interface is gone needs none, nor one whose
// relay agent is not on the interface's link: what is behind that is routed by others.
func (r *Relay) AppendRoutes(routes []Route, now lease.Time, b *lease.Binding) []Route {
	if !r.config.Routes || b == nil || b.State != lease.Bound {
		return routes
	}
	l := r.givenByName(b.Link.Name)
	if l == nil || r.upstreamByIndex(l.Ifindex) != nil || !l.onLink(b.Peer) {
		return routes
	}
	for i := range b.Leases {
		if k := &b.Leases[i]; k.Valid > now && r.isRoutable(k.Prefix) {
			routes = append(routes, Route{Prefix: k.Prefix, Via: b.Peer, Ifindex: l.Ifindex, Until: k.Valid})
		}
	}
	return routes
}

// onLink reports whether an address can be a neighbour's on the interface.
func (l *Link) onLink(a netip.Addr) bool {
	for i := range l.Addresses {
		if l.Addresses[i].Prefix.Contains(a) {
			return true
		}
	}
	return a.IsLinkLocalUnicast()
}

// isRoutable reports whether a prefix can be delegated to a client behind us. Nothing that is on one of our links can. Of an
// interface's own prefix that is larger than a /64, this is the /64 that its address is in; the rest is there to delegate.
func (r *Relay) isRoutable(p netip.Prefix) bool {
	a := p.Addr()
	if p.Bits() < minPrefixLength || !a.IsGlobalUnicast() || a.As16()[0] == 0 { // ::/8: mapped IPv4, NAT64
		return false
	}
	for _, own := range r.onLink {
		if own.Overlaps(p) {
			return false
		}
	}
	return true
}

// Restore takes up what the table's AppendAll and AppendChanges wrote, after New and before anything else. See
// lease.Table.Restore.
func (r *Relay) Restore(content []byte, now time.Time, clock lease.Clock) error {
	err := r.table.Restore(content, r.table.At(now), clock)
	for _, l := range r.table.Links() {
		for _, b := range l.Bindings() {
			if !r.takeUp(b) {
				r.table.Remove(b)
			}
		}
	}
	return err
}

// takeUp takes up a binding that has been restored, and reports whether it is one of ours. Of several that hold a prefix
// the first does.
func (r *Relay) takeUp(b *lease.Binding) bool {
	if b.Kind != lease.Prefix || b.State != lease.Bound || !dhcpv6.IsPeer(b.Peer) ||
		len(b.DUID) < dhcpv6.MinDUIDLength || len(b.DUID) > dhcpv6.MaxDUIDLength {
		return false
	}
	kept, taken := split(b.Leases, func(k *lease.Lease) bool {
		if r.held[k.Prefix] != nil {
			return true
		}
		r.note(k.Prefix, b)
		return false
	})
	if b.Leases = kept; len(kept) == 0 {
		return false
	}
	if r.count(b, len(kept)); len(taken) > 0 {
		r.table.Bind(b)
	}
	return true
}
