package server

import (
	"net/netip"
	"slices"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// maxWithdrawn bounds the leases that a binding remembers only to tell the client that they are over.
const maxWithdrawn = 8

// addLeases appends to r.leases what the binding gives under each usable prefix of the link, and after that the leases
// which the client was promised earlier and has no longer.
func (r *request) addLeases(l *link, b *lease.Binding, ia *dhcpv6.IA, host *Host) {
	from := len(r.leases)
	longest := l.LeaseTime
	if host != nil && host.LeaseTime != 0 {
		longest = host.LeaseTime
	}
	for i := range l.prefixes {
		k := l.grant(&l.prefixes[i], b, longest, r.now)
		if k.Preferred > r.now && !contains(r.leases[from:], k.Prefix) { // two addresses may share a subnet
			r.leases = append(r.leases, k)
		}
	}
	if r.extends() {
		r.addDeprecated(l, b, ia, longest, r.leases[from:])
	}
	r.addWithdrawn(b.Leases, r.leases[from:])
}

// addDeprecated appends to r.leases those that the client has under prefixes which are deprecated, as long as there is no
// other that can take their place: for a global one a global one, for a unique local one a unique local one.
//
// RFC 9096, section 3.5, has leases of a prefix ended, with zero lifetimes, when it is stale. That it is deprecated does not
// say so: the provider, or the router, may only have heard nothing for a while. It is stale when there is a new one or when
// the interface has it no longer. To end its leases before would take a network away that works. So they are extended as
// others are, for what remains of the prefix's lifetimes: 0 and the valid one.
func (r *request) addDeprecated(l *link, b *lease.Binding, ia *dhcpv6.IA, longest uint32, granted []lease.Lease) {
	from := len(r.leases)
	for i := range l.prefixes {
		k := l.grant(&l.prefixes[i], b, longest, r.now)
		if k.Valid <= r.now || replaced(k.Prefix, granted) || contains(r.leases[from:], k.Prefix) {
			continue
		}
		has := b.State != lease.Bound && names(b.Kind, ia, k.Prefix) // the server has forgotten it, the client has not
		if held := b.Find(k.Prefix); has || held != nil && held.Valid > r.now {
			r.leases = append(r.leases, k)
		}
	}
}

// grant is the binding's lease under a prefix, which lasts no longer than this does. It has ended if there is none.
func (l *link) grant(p *prefix, b *lease.Binding, longest uint32, now lease.Time) (k lease.Lease) {
	if k.Prefix = p.lease(b.Kind, b.ID, b.Length); k.Prefix.IsValid() {
		valid := min(p.valid.Until(now), l.MaxValid, longest)
		k.Preferred = now.After(min(p.preferred.Until(now), l.MaxPreferred, longest, valid))
		k.Valid = now.After(valid)
	}
	return k
}

// replaced reports whether one of the leases is of the same scope as p, global or unique local.
func replaced(p netip.Prefix, granted []lease.Lease) bool {
	for i := range granted {
		if granted[i].Prefix.Addr().IsPrivate() == p.Addr().IsPrivate() {
			return true
		}
	}
	return false
}

// addWithdrawn appends to r.leases those of the leases promised earlier that the client has no longer.
func (r *request) addWithdrawn(leases, granted []lease.Lease) {
	withdrawn := 0
	for _, old := range leases {
		if old.Valid > r.now && withdrawn < maxWithdrawn && !contains(granted, old.Prefix) {
			old.Withdrawn, old.Preferred = true, r.now
			r.leases = append(r.leases, old)
			withdrawn++
		}
	}
}

// lease is the address or prefix that an id has under the prefix; not valid if it has none.
func (p *prefix) lease(kind lease.Kind, id uint64, length uint8) netip.Prefix {
	switch {
	case kind == lease.Address && p.addresses:
		return addressUnder(p.subnet, id)
	case kind == lease.Prefix && p.delegates:
		return subnetUnder(p.net, id, length)
	}
	return netip.Prefix{}
}

// gives reports whether the id has an address or prefix under some prefix of the link that is usable.
func (l *link) gives(kind lease.Kind, id uint64, length uint8, now lease.Time) bool {
	return slices.ContainsFunc(l.prefixes, func(p prefix) bool {
		return p.usable(now) && p.lease(kind, id, length).IsValid()
	})
}

// givesAny reports whether some prefix of the link is usable for bindings of that kind, or deprecated, if that will do.
func (l *link) givesAny(kind lease.Kind, now lease.Time, deprecated bool) bool {
	return slices.ContainsFunc(l.prefixes, func(p prefix) bool {
		return (p.usable(now) || deprecated && p.valid > now) &&
			(kind == lease.Address && p.addresses || kind == lease.Prefix && p.delegates)
	})
}

func contains(leases []lease.Lease, p netip.Prefix) bool {
	for i := range leases {
		if leases[i].Prefix == p {
			return true
		}
	}
	return false
}
