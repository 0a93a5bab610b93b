package server

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sort"
	"time"

	"lan6d/dhcpv6/lease"
)

// Link is the state of one interface as the kernel has it.
type Link struct {
	Name      string // the logical interface: Interface.Name
	Ifindex   int
	LinkLocal netip.Addr // the zero value: none
	Addresses []LinkAddress
}

// LinkAddress is an address of the interface. The lifetimes end at the moments given; the zero time means never.
type LinkAddress struct {
	Prefix           netip.Prefix // the address and the length of its prefix
	Preferred, Valid time.Time
	Unready          bool // tentative or temporary: nothing is given from its prefix, but nobody else gets its subnet
	Tentative        bool // and this is only for a moment
}

// link is a served interface: its configuration, its state and what follows from both.
type link struct {
	*Interface
	present   bool
	ifindex   int
	linkLocal netip.Addr
	leases    *lease.Link
	prefixes  []prefix
	coming    []netip.Prefix    // those of addresses that are not ready yet
	settling  bool              // one of these is about to be among prefixes
	pools     [2][]lease.Pool   // by lease.Kind, in the order to try them
	reserved  [2]lease.Reserved // not given out dynamically
	own       [2]lease.Reserved // of those, the router's own: not given out at all
	options   []option
	domain    []byte     // the first search domain in wire form; empty: none
	source    netip.Addr // a global address to send from
	view      bool       // it is the link as it is behind a relay agent, see behind: what is full there says nothing of the link

	*memory
}

// memory is what a link remembers from one message to the next, beside its bindings.
type memory struct {
	held       bool          // clients are yet to be told what prefixes have become, as more is about to change
	shortened  bool          // and a lifetime of one is among that
	seen       bool          // the link has had a prefix since the server was made
	quietUntil [2]lease.Time // of PoolFull events
	full       [2][65]uint64 // by length of prefix, 0 for addresses: see link.isFull
}

// prefix is one of the interface's prefixes.
type prefix struct {
	address          netip.Addr   // the router's own in it
	net              netip.Prefix // as on the interface: what is delegated comes from it
	subnet           netip.Prefix // the /64 (or longer) of the address: what clients on the link get addresses from
	preferred, valid lease.Time
	addresses        bool // addresses are given from it
	delegates        bool // prefixes are delegated from it
}

// usable reports whether new leases may come from the prefix.
func (p *prefix) usable(now lease.Time) bool { return p.preferred > now && p.valid > now }

// SetLinks replaces what the server knows of the kernel's interfaces. Interfaces that are not in the configuration serve
// to keep their prefixes out of what is delegated. An interface that is missing keeps its bindings.
func (s *Server) SetLinks(now time.Time, links []Link) {
	before := s.links
	s.given = links
	memories := make(map[string]memory, len(s.links))
	for _, l := range s.links {
		memories[l.Name] = memory{seen: l.seen, quietUntil: l.quietUntil}
	}
	s.links = s.links[:0:0]
	for i := range s.config.Interfaces {
		l := &link{Interface: &s.config.Interfaces[i]}
		l.leases = s.table.Link(l.Name)
		memory := memories[l.Name]
		l.memory = &memory
		s.links = append(s.links, l)
		for j := range links {
			if k := &links[j]; k.Name == l.Name {
				l.present, l.ifindex, l.linkLocal = true, k.Ifindex, k.LinkLocal
				l.setPrefixes(s.table, k.Addresses)
				l.seen = l.seen || len(l.prefixes) > 0
				break
			}
		}
	}
	for i, l := range s.links {
		l.setAddressPools(s, i)
		l.setOptions(&s.config)
		l.setSource(s.table.At(now))
	}
	s.setPrefixPools(s.table.At(now))
	s.tellMoved(s.table.At(now), before)
}

// setPrefixes takes the interface's addresses; several in one subnet count as one with the longest lifetimes.
func (l *link) setPrefixes(t *lease.Table, addresses []LinkAddress) {
	at := func(end time.Time) lease.Time {
		if end.IsZero() {
			return lease.Never
		}
		return max(t.At(end), 0)
	}
	for _, a := range addresses {
		address := a.Prefix.Addr()
		if a.Unready && address.IsGlobalUnicast() {
			l.coming = append(l.coming, a.Prefix.Masked())
		}
		if a.Unready || !address.Is6() || address.Is4In6() || !address.IsGlobalUnicast() || a.Prefix.IsSingleIP() {
			continue
		}
		p := prefix{
			address:   address,
			net:       a.Prefix.Masked(),
			subnet:    netip.PrefixFrom(address, max(a.Prefix.Bits(), 64)).Masked(),
			preferred: at(a.Preferred),
			valid:     at(a.Valid),
		}
		if i := slices.IndexFunc(l.prefixes, func(q prefix) bool { return q.subnet == p.subnet && q.net == p.net }); i >= 0 {
			q := &l.prefixes[i]
			q.preferred, q.valid = max(q.preferred, p.preferred), max(q.valid, p.valid)
			continue
		}
		l.prefixes = append(l.prefixes, p)
	}
	l.settling = false
	for i := range addresses {
		l.settling = l.settling || addresses[i].Tentative && l.isComing(lease.Prefix, addresses[i].Prefix)
	}
}

// allowed reports whether the prefix filter lets the prefix be used.
func (l *link) allowed(p *prefix) bool {
	f := l.PrefixFilter
	return !f.IsValid() || f.Bits() <= p.net.Bits() && f.Contains(p.address)
}

// onLink reports whether an address is one of the link's, or a prefix that begins with it one of those delegated on it.
func (l *link) onLink(kind lease.Kind, a netip.Addr) bool {
	return slices.ContainsFunc(l.prefixes, func(p prefix) bool {
		if kind == lease.Address {
			return p.subnet.Contains(a) // the rest of net is delegated: other links
		}
		return p.net.Contains(a)
	})
}

// isComing reports whether an address or prefix will belong to the link as soon as an address of ours is ready.
func (l *link) isComing(kind lease.Kind, p netip.Prefix) bool {
	return !l.onLink(kind, p.Addr()) &&
		slices.ContainsFunc(l.coming, func(net netip.Prefix) bool { return net.Contains(p.Addr()) })
}

// sourceFor is the address to answer a multicast message from.
func (l *link) sourceFor(peer netip.Addr) netip.Addr {
	if peer.IsLinkLocalUnicast() || !l.source.IsValid() {
		return l.linkLocal
	}
	return l.source
}

func (l *link) setSource(now lease.Time) {
	l.source = netip.Addr{}
	for i := range l.prefixes {
		if p := &l.prefixes[i]; p.valid > now && (!l.source.IsValid() || l.source.IsPrivate() && !p.address.IsPrivate()) {
			l.source = p.address
		}
	}
}

// setAddressPools decides which prefixes give addresses and which interface ids they may have.
func (l *link) setAddressPools(s *Server, index int) {
	best := -1
	for i := range l.prefixes {
		p := &l.prefixes[i]
		if p.subnet.Bits() == 64 && l.allowed(p) && (best < 0 || p.preferred > l.prefixes[best].preferred) {
			best = i
		}
	}
	var bits []int
	for i := range l.prefixes {
		p := &l.prefixes[i]
		p.addresses = l.Addresses && l.allowed(p) &&
			(l.AssignAll || i == best || p.subnet.Bits() > 64) &&
			!slices.ContainsFunc(s.links[:index], func(before *link) bool { return before.givesFrom(p.subnet) })
		if p.addresses {
			bits = append(bits, min(l.HostIDLength, 128-p.subnet.Bits()))
		}
	}
	sort.Slice(bits, func(i, j int) bool { return bits[i] < bits[j] })
	l.own[lease.Address] = lease.NewReserved(l.ownInterfaceIDs(s.given))
	l.reserved[lease.Address] = lease.NewReserved(l.reservedInterfaceIDs(s.config.Hosts))
	for _, n := range slices.Compact(bits) {
		// The lowest ids are left to what people configure by hand: up to 0xff, or a sixteenth of a small pool.
		first := min(0x100, uint64(1)<<max(n-4, 0))
		last := uint64(1)<<n - 1 // 1<<64 is 0 in Go: all ones
		l.pools[lease.Address] = append(l.pools[lease.Address],
			lease.Pool{Span: lease.Span{First: first, Last: last}, Reserved: l.reserved[lease.Address], Spent: new(lease.Spent)})
	}
}

// reservedInterfaceIDs are those of RFC 5453, those of the configuration and the router's own.
func (l *link) reservedInterfaceIDs(hosts []Host) []lease.Span {
	spans := []lease.Span{
		{First: 0, Last: 0}, // subnet-router anycast
		{First: 0x0200_5eff_fe00_0000, Last: 0x0200_5eff_feff_ffff}, // IANA's Ethernet block, proxy mobile IPv6 in it
		{First: 0xfdff_ffff_ffff_ff80, Last: 0xfdff_ffff_ffff_ffff}, // subnet anycast
	}
	for i := range hosts {
		if id := hosts[i].HostID; id != 0 {
			spans = append(spans, lease.Span{First: id, Last: id})
		}
	}
	return append(spans, l.own[lease.Address]...)
}

// ownInterfaceIDs are those of the router's addresses, on whatever interface, in the link's subnets.
func (l *link) ownInterfaceIDs(links []Link) (spans []lease.Span) {
	for i := range l.prefixes {
		subnet := l.prefixes[i].subnet
		for j := range links {
			for _, a := range links[j].Addresses {
				if subnet.Contains(a.Prefix.Addr()) {
					id := interfaceID(a.Prefix.Addr(), subnet.Bits())
					spans = append(spans, lease.Span{First: id, Last: id})
				}
			}
		}
	}
	return spans
}

// givesFrom reports whether addresses are given from a subnet on this link: two links that did would give the same ones.
func (l *link) givesFrom(subnet netip.Prefix) bool {
	return slices.ContainsFunc(l.prefixes, func(p prefix) bool { return p.addresses && p.subnet.Overlaps(subnet) })
}

// interfaceID is the part of the address behind the first bits, 64 or more of them.
func interfaceID(a netip.Addr, bits int) uint64 {
	b := a.As16()
	id := binary.BigEndian.Uint64(b[8:])
	return id & (1<<(128-bits) - 1)
}
