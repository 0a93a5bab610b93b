package relay

import (
	"net/netip"
	"slices"
	"time"

	"lan6d/dhcpv6/lease"
)

// Link is the state of one interface as the kernel has it.
type Link struct {
	Name      string // the logical interface: Interface.Name, or one of Config.Upstreams; empty: neither
	Ifindex   int
	LinkLocal netip.Addr // the zero value: none
	Addresses []LinkAddress
}

// LinkAddress is an address of the interface. The lifetimes end at the moments given; the zero time means never.
type LinkAddress struct {
	Prefix           netip.Prefix // the address and the length of its prefix
	Preferred, Valid time.Time
	Unready          bool // tentative or temporary: ours, but not to be used
}

// Path tells which interface leads to a server.
type Path struct {
	Server  netip.Addr
	Ifindex int
}

// link is an interface with a part to play: client side, or upstream.
type link struct {
	name      string
	ifindex   int // 0: it is not there
	linkLocal netip.Addr
	addresses []address // that can be used
	global    address   // the best of them at the moment
	local     address   // the best unique local one
	until     lease.Time

	*Interface             // of a client-side one; else nil
	options    []byte      // see Config.options
	leases     *lease.Link // the prefixes that its clients hold
	quietUntil lease.Time  // of Full events
}

// address is an address of ours, or none.
type address struct {
	netip.Addr
	preferred, valid lease.Time
}

// SetLinks replaces what the relay agent knows of the kernel's interfaces. Those without a part in the configuration serve
// to tell which addresses are ours. What clients hold stays, also on an interface that is missing.
func (r *Relay) SetLinks(now time.Time, links []Link) {
	at, before := r.table.At(now), r.clients
	r.given, r.upstreams, r.clients, r.own, r.onLink = links, nil, nil, nil, nil
	for i := range links {
		for _, a := range links[i].Addresses {
			r.own = append(r.own, a.Prefix.Addr())
			r.onLink = append(r.onLink, netip.PrefixFrom(a.Prefix.Addr(), max(a.Prefix.Bits(), 64)))
		}
	}
	for _, name := range r.config.Upstreams {
		r.upstreams = append(r.upstreams, r.newLink(name))
	}
	for i := range r.config.Interfaces {
		l := r.newLink(r.config.Interfaces[i].Name)
		l.Interface = &r.config.Interfaces[i]
		l.options = r.config.options(l.Interface)
		l.leases = r.table.Link(l.name)
		if r.upstreamByIndex(l.ifindex) != nil {
			l.ifindex = 0 // no reply leaves by an upstream interface
		}
		if old := linkByName(before, []byte(l.name)); old != nil {
			l.quietUntil = old.quietUntil
		}
		r.clients = append(r.clients, l)
	}
	r.setDestinations(at)
}

// givenByName is what SetLinks was told of the interface of that logical name; nil: nothing.
func (r *Relay) givenByName(name string) *Link {
	for i := range r.given {
		if r.given[i].Name == name && name != "" {
			return &r.given[i]
		}
	}
	return nil
}

// newLink is the interface of that logical name as SetLinks was told.
func (r *Relay) newLink(name string) *link {
	l := &link{name: name}
	given := r.givenByName(name)
	if given == nil {
		return l
	}
	l.ifindex, l.linkLocal = given.Ifindex, given.LinkLocal
	for _, a := range given.Addresses {
		if k := a.Prefix.Addr(); !a.Unready && k.IsGlobalUnicast() && k.Is6() && !k.Is4In6() {
			l.addresses = append(l.addresses, address{k, r.moment(a.Preferred), r.moment(a.Valid)})
		}
	}
	return l
}

// moment is the end of a lifetime on the table's clock.
func (r *Relay) moment(end time.Time) lease.Time {
	if end.IsZero() {
		return lease.Never
	}
	return r.table.At(end)
}

// choose finds the best addresses of the moment: those preferred for longest; when none is preferred any more, the one
// that stays for longest.
func (l *link) choose(now lease.Time) {
	if now < l.until {
		return
	}
	l.global, l.local, l.until = address{}, address{}, lease.Never
	for _, a := range l.addresses {
		if a.valid <= now {
			continue
		}
		if l.until = min(l.until, a.valid); a.preferred > now {
			l.until = min(l.until, a.preferred)
		} else {
			a.preferred = now
		}
		best := &l.global
		if a.IsPrivate() {
			best = &l.local
		}
		if !best.IsValid() || a.preferred > best.preferred || a.preferred == best.preferred && a.valid > best.valid {
			*best = a
		}
	}
}

// pick is the first of two addresses, unless only the second is there, or preferred.
func pick(first, second *address, now lease.Time) netip.Addr {
	if !first.IsValid() || first.preferred <= now && second.preferred > now {
		return second.Addr
	}
	return first.Addr
}

// address is the interface's global or unique local address that names it best: preferred ones first. The zero value: none.
func (l *link) address(now lease.Time) netip.Addr {
	l.choose(now)
	return pick(&l.global, &l.local, now)
}

// dnsServer is the interface's own address for its clients: a unique local one rather than a global one, since it stays
// when the provider's prefix changes, as package server has it.
func (l *link) dnsServer(now lease.Time) netip.Addr {
	l.choose(now)
	if a := pick(&l.local, &l.global, now); a.IsValid() {
		return a
	}
	return l.linkLocal
}

// source is the address to send from: of the same kind as the destination, if there is one. The zero value: none at all.
func (l *link) source(now lease.Time, to netip.Addr) netip.Addr {
	l.choose(now)
	first, second := &l.global, &l.local
	switch {
	case l.linkLocal.IsValid() && (to.IsLinkLocalUnicast() || to.IsLinkLocalMulticast()):
		return l.linkLocal
	case to.IsPrivate():
		first, second = second, first
	}
	if a := pick(first, second, now); a.IsValid() {
		return a
	}
	return l.linkLocal
}

// clientByIndex is the client-side interface with that index, or nil.
func (r *Relay) clientByIndex(ifindex int) *link { return linkByIndex(r.clients, ifindex) }

// upstreamByIndex is the upstream interface with that index, or nil.
func (r *Relay) upstreamByIndex(ifindex int) *link { return linkByIndex(r.upstreams, ifindex) }

func linkByIndex(links []*link, ifindex int) *link {
	for _, l := range links {
		if l.ifindex == ifindex && ifindex != 0 {
			return l
		}
	}
	return nil
}

// linkByName is the link of that logical name, or nil.
func linkByName(links []*link, name []byte) *link {
	for _, l := range links {
		if l.name == string(name) {
			return l
		}
	}
	return nil
}

// isOwn reports whether an address is one of ours; a link-local one, on that link.
func (r *Relay) isOwn(a netip.Addr, l *link) bool {
	if a.IsLinkLocalUnicast() {
		return a == l.linkLocal
	}
	return slices.Contains(r.own, a)
}
