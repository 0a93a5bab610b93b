package server

import (
	"iter"
	"net/netip"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// optionOf and unavailable: the option that an IA of the kind travels in, and the status for one that gets nothing.
var (
	optionOf    = [...]dhcpv6.OptionCode{lease.Address: dhcpv6.OptionIANA, lease.Prefix: dhcpv6.OptionIAPD}
	unavailable = [...]dhcpv6.StatusCode{lease.Address: dhcpv6.StatusNoAddrsAvail, lease.Prefix: dhcpv6.StatusNoPrefixAvail}
)

// listed iterates the addresses or prefixes that a message names in an IA. Of a prefix some clients set bits behind its end.
func listed(kind lease.Kind, ia *dhcpv6.IA) iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for code, data := range ia.All() {
			switch {
			case kind == lease.Address && code == dhcpv6.OptionIAAddr:
				if a, err := dhcpv6.ParseIAAddr(data); err == nil && !yield(netip.PrefixFrom(a.Addr, 128)) {
					return
				}
			case kind == lease.Prefix && code == dhcpv6.OptionIAPrefix:
				if p, err := dhcpv6.ParseIAPrefix(data); err == nil && !yield(p.Prefix) {
					return
				}
			}
		}
	}
}

// assign answers one IA of a Solicit, Request, Renew or Rebind: with leases, or with the status that says why not. A
// Rebind of which nothing is known gets no answer for the IA; nor does one from a link that is none of ours (section 18.3.5).
func (r *request) assign(kind lease.Kind, l *link, ia *dhcpv6.IA) {
	if r.msg.Type == dhcpv6.Rebind && r.onLink == nil && r.bound(kind, l, ia.IAID) == nil {
		return
	}
	from := len(r.leases)
	// To a Renew, this server is the one that the client has its leases from, whether it knows of them or not.
	known := r.msg.Type == dhcpv6.Renew && l != nil && len(l.prefixes) > 0 || r.bound(kind, l, ia.IAID) != nil
	status := r.choose(kind, l, ia)
	granted := r.leases[from:]
	if status == dhcpv6.StatusNoBinding && r.msg.Type == dhcpv6.Rebind && !r.anyForeign(kind, l, ia) {
		return
	}
	r.answers++
	m := r.w.Begin(optionOf[kind])
	r.w.Uint32(ia.IAID)
	times := r.w.Mark()
	r.w.Uint32(0)
	r.w.Uint32(0)
	if active(granted) > 0 {
		r.granted = append(r.granted, times)
	}
	empty := true
	for i := range granted {
		// A client that solicits has no leases to be told the end of, and would ask for them in its Request.
		if !granted[i].Withdrawn || r.msg.Type != dhcpv6.Solicit {
			r.writeLease(kind, &granted[i])
			empty = false
		}
	}
	if r.writeUngranted(kind, l, ia, granted, known) {
		empty = false
	}
	if empty {
		r.w.Status(status, "")
	}
	r.w.End(m)
}

// choose finds or makes the IA's binding, appends its leases to r.leases and itself to r.pending. Any status but Success
// means that the client gets none; what it had is among the leases then, as withdrawn.
func (r *request) choose(kind lease.Kind, l *link, ia *dhcpv6.IA) dhcpv6.StatusCode {
	if l == nil {
		return unavailable[kind]
	}
	// Section 18.3.2: a Request for addresses of another link.
	if r.msg.Type == dhcpv6.Request && kind == lease.Address && len(l.prefixes) > 0 && r.anyForeign(kind, l, ia) {
		return dhcpv6.StatusNotOnLink
	}
	b := l.leases.Lookup(r.client, ia.IAID, kind)
	if b != nil && b.State == lease.New {
		return r.chosen(b)
	}
	host, from := r.host(ia.IAID), len(r.leases)
	b, status := r.binding(kind, l, ia, host, b)
	if b != nil {
		if b.State == lease.Free {
			b.Leases = b.Leases[:0] // the client has given them back, or forgotten them
		}
		r.addLeases(l, b, ia, host)
		if active(r.leases[from:]) > 0 {
			r.pending = append(r.pending, pending{b, b.State, from, len(r.leases), l.isFixed(kind, host, b)})
			r.table.Hold(b)
			return dhcpv6.StatusSuccess
		}
		if b.State == lease.New {
			r.table.Remove(b)
		}
		status = unavailable[kind]
	}
	if !r.extends() {
		r.leases = r.leases[:from]
	} else if b = r.bound(kind, l, ia.IAID); b != nil {
		// It stays the client's, for when there is a prefix again, until the client has forgotten its leases by itself.
		r.leases = r.leases[:from]
		r.addWithdrawn(b.Leases, nil)
		r.pending = append(r.pending, pending{b, b.State, from, len(r.leases), b.Fixed})
	}
	return status
}

// chosen appends the leases of a binding once more: that of an IA which came earlier in the message.
func (r *request) chosen(b *lease.Binding) dhcpv6.StatusCode {
	for _, p := range r.pending {
		if p.binding == b {
			r.leases = append(r.leases, r.leases[p.from:p.to]...)
			break
		}
	}
	return dhcpv6.StatusSuccess
}

// extends reports whether the message is one of a client that believes it has leases.
func (r *request) extends() bool {
	return r.msg.Type == dhcpv6.Renew || r.msg.Type == dhcpv6.Rebind
}

// writeLease writes a lease with what remains of its lifetimes, zero for a withdrawn one.
func (r *request) writeLease(kind lease.Kind, l *lease.Lease) {
	var preferred, valid uint32
	if !l.Withdrawn {
		preferred, valid = l.Preferred.Until(r.now), l.Valid.Until(r.now)
	}
	r.writePrefix(kind, l.Prefix, preferred, valid)
}

func (r *request) writePrefix(kind lease.Kind, p netip.Prefix, preferred, valid uint32) {
	if kind == lease.Address {
		r.w.IAAddr(p.Addr(), preferred, valid)
	} else {
		r.w.IAPrefix(p, preferred, valid)
	}
}

// writeUngranted writes with zero lifetimes what a Renew or Rebind names and does not get. If the binding is not known,
// only what does not belong to the link is said: the rest may be another server's.
func (r *request) writeUngranted(kind lease.Kind, l *link, ia *dhcpv6.IA, granted []lease.Lease, known bool) (any bool) {
	if !r.extends() || l == nil {
		return false
	}
	for p := range listed(kind, ia) { // to be told of as it is named
		if contains(granted, p.Masked()) || !known && !l.foreign(kind, p) {
			continue
		}
		if isWish(p) {
			continue // a wish, for a length at most (RFC 8168), and nothing that the client has
		}
		r.writePrefix(kind, p, 0, 0)
		any = true
	}
	return any
}

// isWish reports whether what is named is :: or ::/60.
//
//go:noinline
func isWish(p netip.Prefix) bool { return p.Addr().IsUnspecified() }

// foreign reports whether the link has prefixes and the address or prefix is in none of them; :: is no address.
func (l *link) foreign(kind lease.Kind, p netip.Prefix) bool {
	return len(l.prefixes) > 0 && !isWish(p) && !l.onLink(kind, p.Addr())
}

// anyForeign reports whether the IA names an address or prefix that does not belong to the link.
func (r *request) anyForeign(kind lease.Kind, l *link, ia *dhcpv6.IA) bool {
	if l == nil {
		return false
	}
	for p := range listed(kind, ia) {
		if l.foreign(kind, p) {
			return true
		}
	}
	return false
}

// commit makes what the answer says true in the table.
func (r *request) commit() {
	for _, b := range r.removed {
		if b.State == lease.Bound {
			r.emit(r.now, Replaced, b, r.in.Peer.Addr())
		}
	}
	for i := range r.pending {
		p := &r.pending[i]
		b := p.binding
		if !b.Link.Holds(b) {
			continue // an offer of this very message that was one too many
		}
		if r.reply == dhcpv6.Advertise {
			r.table.Offer(b, r.now.Add(offerTime), r.offerLimit(b))
			continue
		}
		leases := r.leases[p.from:p.to]
		kind := Renewed
		switch {
		case active(leases) > 0:
			if b.State != lease.Bound || !sameLeases(b.Leases, leases) {
				kind = Bound
			}
		case active(b.Leases) > 0:
			kind = Withdrawn
		default:
			continue // that was told before
		}
		b.Leases = append(b.Leases[:0], leases...)
		b.Fixed, b.Peer, b.PeerLink = p.fixed, r.in.Peer.Addr(), ""
		if b.Kind == lease.Prefix && b.Link != r.arrival.leases {
			b.PeerLink = r.arrival.Name // the route to the relay leads there
		}
		r.setName(b)
		r.table.Bind(b)
		r.emit(r.now, kind, b, r.in.Peer.Addr())
	}
	r.commitAcceptance()
}

// offerLimit is how many offers the binding's link may have outstanding.
func (s *Server) offerLimit(b *lease.Binding) int {
	for _, l := range s.links {
		if l.leases == b.Link && l.MaxOffers > 0 {
			return l.MaxOffers
		}
	}
	return DefaultMaxOffers
}

func sameLeases(a, b []lease.Lease) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Prefix != b[i].Prefix || a[i].Withdrawn != b[i].Withdrawn {
			return false
		}
	}
	return true
}

// abandon undoes what was begun for an answer that is not sent: nobody has been told that something is over.
func (r *request) abandon() {
	for _, p := range r.pending {
		switch b := p.binding; {
		case b.State != lease.New || !b.Link.Holds(b):
		case p.was == lease.New:
			r.table.Remove(b)
		default:
			r.table.PutBack(b, p.was)
		}
	}
	for i := len(r.removed) - 1; i >= 0; i-- {
		r.table.PutBack(r.removed[i], r.removed[i].State)
	}
}
