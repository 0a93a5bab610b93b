package server

import (
	"net/netip"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// binding finds the IA's binding, or makes one: with the id that the configuration fixes, the id of what the client
// names, or the client's own from the pool. When there is none to be had, status says why.
func (r *request) binding(kind lease.Kind, l *link, ia *dhcpv6.IA, host *Host) (b *lease.Binding, status dhcpv6.StatusCode) {
	b = l.leases.Lookup(r.client, ia.IAID, kind)
	if b, ok := r.fixedBinding(kind, l, ia, host, b); ok {
		return b, dhcpv6.StatusSuccess
	}
	if !l.Dynamic || len(l.pools[kind]) == 0 {
		return nil, r.noBinding(kind, b)
	}
	wish := l.wish(kind, ia)
	if b != nil && l.keeps(b) && (b.State == lease.Bound || kind == lease.Address || b.Length == wish.length) {
		return b, dhcpv6.StatusSuccess
	}
	known, old := b != nil, r.drop(b)
	if b = r.allocate(kind, l, ia, wish); b == nil {
		r.emitPoolFull(l, kind, r.now)
		return nil, r.noBinding(kind, b)
	}
	// A Rebind of an unknown binding may be meant for another server: only what it names is granted.
	if r.msg.Type == dhcpv6.Rebind && !known && !(wish.named && b.ID == wish.id) {
		r.table.Remove(b)
		return nil, dhcpv6.StatusNoBinding
	}
	b.Leases = old
	return b, dhcpv6.StatusSuccess
}

// noBinding is the status for an IA that gets nothing: section 18.3.4 has a word of its own for a client that believes
// it has a binding.
func (r *request) noBinding(kind lease.Kind, b *lease.Binding) dhcpv6.StatusCode {
	if b == nil && (r.msg.Type == dhcpv6.Renew || r.msg.Type == dhcpv6.Rebind) {
		return dhcpv6.StatusNoBinding
	}
	return unavailable[kind]
}

// drop removes a binding whose id is no longer right and returns its leases, of which the client must be told.
func (r *request) drop(b *lease.Binding) []lease.Lease {
	if b == nil {
		return nil
	}
	r.table.Remove(b)
	return b.Leases
}

// keeps reports whether a binding may stay as it is: its id has not become somebody else's.
func (l *link) keeps(b *lease.Binding) bool {
	_, reserved := l.reserved[b.Kind].Overlap(b.ID, b.Size())
	return !reserved
}

// fixed is the id and length that the configuration gives the host on this link.
func (l *link) fixed(kind lease.Kind, host *Host) (id uint64, length uint8, ok bool) {
	if kind == lease.Prefix {
		return l.hostPrefix(host)
	}
	if host == nil || host.HostID == 0 {
		return 0, 0, false
	}
	return host.HostID, 128, true
}

// isFixed reports whether the binding has the id that the configuration gives the host.
func (l *link) isFixed(kind lease.Kind, host *Host, b *lease.Binding) bool {
	id, length, ok := l.fixed(kind, host)
	return ok && b.ID == id && b.Length == length
}

// fixedBinding makes or keeps the binding that the configuration fixes. While somebody else is bound to it, an earlier
// owner, the host is served like any other.
func (r *request) fixedBinding(kind lease.Kind, l *link, ia *dhcpv6.IA, host *Host, b *lease.Binding) (*lease.Binding, bool) {
	id, length, ok := l.fixed(kind, host)
	if !ok {
		return nil, false
	}
	if b != nil && b.ID == id && b.Length == length {
		return b, true
	}
	size := uint64(1)
	if length < 64 {
		size <<= 64 - length
	}
	if !r.vacate(kind, l, id, size, host) {
		return nil, false
	}
	old := r.drop(b)
	pool := lease.Pool{Span: lease.Span{First: id, Last: id + size - 1}}
	if kind == lease.Address {
		b = l.leases.AllocateAddress(r.client, ia.IAID, pool, id)
	} else {
		b = l.leases.AllocatePrefix(r.client, ia.IAID, pool, length, id)
	}
	if b == nil {
		return nil, false
	}
	b.Leases = old
	return b, true
}

// vacate removes the bindings that keep ids from the host that owns them: remembered and offered ones, declined ones, and
// those of the same host under another DUID or IAID, which takes its address over. It reports whether the ids are free.
func (r *request) vacate(kind lease.Kind, l *link, id, size uint64, host *Host) bool {
	for {
		b := l.leases.Address(id)
		if kind == lease.Prefix {
			b = l.leases.PrefixAt(id, size)
		}
		switch {
		case b == nil:
			return true
		case b.State == lease.New, b.State == lease.Bound && !r.hosts.is(host, b.Key):
			return false
		}
		r.table.Remove(b)
	}
}

// wish is what a client would like: the id and length of what it names.
type wish struct {
	id     uint64
	length uint8
	named  bool // an address or prefix of this link is named; else id is 0
}

// wish reads the first address or prefix of this link that the IA names, and the length of prefix it asks for (RFC 8168).
func (l *link) wish(kind lease.Kind, ia *dhcpv6.IA) (w wish) {
	if kind == lease.Prefix {
		w.length = uint8(max(DefaultPDMinLength, l.PDMinLength))
	}
	first := true
	for p := range listed(kind, ia) {
		if kind == lease.Prefix && first && p.Bits() > 0 {
			w.length = uint8(min(max(p.Bits(), l.PDMinLength), 64))
		}
		first = false
		if id, ok := l.idOf(kind, p); ok {
			w.id, w.named = id, true
			return w
		}
	}
	return w
}

// idOf is the id that an address or prefix has on the link.
func (l *link) idOf(kind lease.Kind, p netip.Prefix) (uint64, bool) {
	for i := range l.prefixes {
		q := &l.prefixes[i]
		switch {
		case kind == lease.Address && q.addresses && q.subnet.Contains(p.Addr()):
			return interfaceID(p.Addr(), q.subnet.Bits()), true
		case kind == lease.Prefix && q.delegates && p.Bits() <= 64 && p.Bits() > q.net.Bits() && q.net.Contains(p.Addr()):
			return subnetSpan(q.net, p.Addr(), p.Bits()).First, true
		}
	}
	return 0, false
}

// allocate takes an id from the first of the link's pools that has one. A prefix may come out longer than wished for.
func (r *request) allocate(kind lease.Kind, l *link, ia *dhcpv6.IA, w wish) *lease.Binding {
	if kind == lease.Address {
		for _, pool := range l.pools[kind] {
			if b := l.leases.AllocateAddress(r.client, ia.IAID, pool, w.id); b != nil {
				return b
			}
		}
		return nil
	}
	for length := w.length; length <= 64; length++ {
		for _, pool := range l.pools[kind] {
			if b := l.leases.AllocatePrefix(r.client, ia.IAID, pool, length, w.want()); b != nil {
				return b
			}
		}
	}
	return nil
}

// want is the id to try first; one that no pool has if the client names none.
func (w wish) want() uint64 {
	if w.named {
		return w.id
	}
	return 1<<64 - 1
}
