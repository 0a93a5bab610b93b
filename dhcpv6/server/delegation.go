package server

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
	"sort"

	"lan6d/dhcpv6/lease"
)

// setPrefixPools decides for all links what they delegate.
func (s *Server) setPrefixPools(at lease.Time) {
	s.heldUntil = lease.Never
	for i, l := range s.links {
		l.pools[lease.Prefix], l.full[lease.Prefix] = nil, [65]uint64{}
		l.setPrefixPools(s, i, at)
	}
}

// setPrefixPools decides which prefixes are delegated from and which subnet ids may be given out. Subnet ids count /64s
// from the start of a prefix and are the same under every prefix, so an id is taken or reserved under all at once.
func (l *link) setPrefixPools(s *Server, index int, at lease.Time) {
	var global, all []int // room in each prefix, in bits of subnet id
	var own, reserved []lease.Span
	for i := range l.prefixes {
		p := &l.prefixes[i]
		room := 64 - p.net.Bits()
		p.delegates = l.Prefixes && l.allowed(p) && room > 0 && room < 64 && !s.sharedBefore(index, p.net)
		if !p.delegates {
			continue
		}
		all = append(all, room)
		if !p.address.IsPrivate() {
			global = append(global, room)
		}
		own = append(own, s.ownSubnets(p.net)...)
		own = append(own, s.heldElsewhere(l, p.net, at)...)
		reserved = append(reserved, s.hosts.reservedSubnets(p.net, l.PDMinLength)...)
	}
	l.own[lease.Prefix] = lease.NewReserved(own)
	l.reserved[lease.Prefix] = lease.NewReserved(append(reserved, own...))
	// A ULA prefix has more room than the provider gives, as a rule. A client must not end up with a part of the ULA
	// prefix alone while there is a global one: it could reach nothing.
	if len(global) > 0 {
		all = global
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	for _, room := range slices.Compact(all) {
		l.pools[lease.Prefix] = append(l.pools[lease.Prefix],
			lease.Pool{Span: lease.Span{Last: 1<<room - 1}, Reserved: l.reserved[lease.Prefix], Spent: new(lease.Spent)})
	}
}

// sharedBefore reports whether a link before this one delegates from the very same prefix: only the first does, so
// that no two links delegate the same.
func (s *Server) sharedBefore(index int, net netip.Prefix) bool {
	return slices.ContainsFunc(s.links[:index], func(l *link) bool {
		return slices.ContainsFunc(l.prefixes, func(p prefix) bool { return p.delegates && p.net == net })
	})
}

// ownSubnets are the subnet ids under net that are in use on some interface, served or not: the /64 of each of our
// addresses, and the whole prefix of another interface that lies within net.
func (s *Server) ownSubnets(net netip.Prefix) (spans []lease.Span) {
	for i := range s.given {
		for _, a := range s.given[i].Addresses {
			if !a.Prefix.Addr().Is6() || !net.Contains(a.Prefix.Addr()) {
				continue
			}
			length := 64
			if a.Prefix.Bits() > net.Bits() && a.Prefix.Bits() < 64 {
				length = a.Prefix.Bits()
			}
			spans = append(spans, subnetSpan(net, a.Prefix.Addr(), length))
		}
	}
	return spans
}

// heldElsewhere are the subnet ids under net that clients of other links have been delegated: from a larger prefix of that
// link which net was not yet taken out of, or from net itself, which was that link's. Tick looks again when one has ended.
func (s *Server) heldElsewhere(l *link, net netip.Prefix, at lease.Time) (spans []lease.Span) {
	for _, other := range s.links {
		if other == l {
			continue
		}
		for b := range other.leases.Prefixes() {
			for _, held := range b.Leases {
				if b.State == lease.Bound && !held.Withdrawn && held.Valid > at && net.Overlaps(held.Prefix) {
					s.heldUntil = min(s.heldUntil, held.Valid)
					spans = append(spans, subnetSpan(net, held.Prefix.Addr(), max(held.Prefix.Bits(), net.Bits())))
				}
			}
		}
	}
	return spans
}

// subnetSpan is the run of subnet ids under net that the prefix of that length (at most 64) around an address takes. An
// address before net counts as its first.
func subnetSpan(net netip.Prefix, a netip.Addr, length int) lease.Span {
	size, base := uint64(1)<<(64-length), high64(net.Masked().Addr())
	first := (max(high64(a), base) - base) / size * size
	return lease.Span{First: first, Last: first + size - 1}
}

// high64 is the first half of an address.
func high64(a netip.Addr) uint64 {
	b := a.As16()
	return binary.BigEndian.Uint64(b[:])
}

// subnetUnder is the prefix of that length with the subnet id under net; not valid if it does not fit.
func subnetUnder(net netip.Prefix, id uint64, length uint8) netip.Prefix {
	if int(length) <= net.Bits() || length > 64 {
		return netip.Prefix{}
	}
	room, size := uint64(1)<<(64-net.Bits()), uint64(1)<<(64-length)
	if id >= room || size > room-id {
		return netip.Prefix{}
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], high64(net.Addr())+id)
	return netip.PrefixFrom(netip.AddrFrom16(b), int(length))
}

// addressUnder is the address with the interface id in the subnet; not valid if it does not fit.
func addressUnder(subnet netip.Prefix, id uint64) netip.Prefix {
	if host := 128 - subnet.Bits(); host < 64 && id>>host != 0 {
		return netip.Prefix{}
	}
	b := subnet.Addr().As16()
	binary.BigEndian.PutUint64(b[8:], binary.BigEndian.Uint64(b[8:])|id)
	return netip.PrefixFrom(netip.AddrFrom16(b), 128)
}

// hostPrefix is the subnet id and length of the prefix that the configuration fixes for a host on this link. With a
// subnet id alone, the length is the shortest that the id is aligned to and the interface allows.
func (l *link) hostPrefix(h *Host) (id uint64, length uint8, ok bool) {
	switch {
	case h == nil:
	case h.HasSubnet:
		return h.SubnetID, fixedLength(h.SubnetID, l.PDMinLength), true
	case h.Prefix.IsValid():
		for i := range l.prefixes {
			if net := l.prefixes[i].net; net.Contains(h.Prefix.Addr()) && h.Prefix.Bits() > net.Bits() && h.Prefix.Bits() <= 64 {
				return subnetSpan(net, h.Prefix.Addr(), h.Prefix.Bits()).First, uint8(h.Prefix.Bits()), true
			}
		}
	}
	return 0, 0, false
}

// fixedLength is the length of the largest prefix that begins at the subnet id and is not larger than minLength says.
func fixedLength(id uint64, minLength int) uint8 {
	return uint8(max(minLength, 64-bits.TrailingZeros64(id)))
}
