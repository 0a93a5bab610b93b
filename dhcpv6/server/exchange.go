package server

import (
	"net/netip"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// exchange writes the answer to a valid message of a client's: section 18.3.
func (r *request) exchange() error {
	if r.unicast() {
		// RFC 9915 withdrew Server Unicast. Clients that still unicast know the status that sends them back.
		r.header(dhcpv6.Reply)
		r.w.Status(dhcpv6.StatusUseMulticast, "send to ff02::1:2")
		return nil
	}
	switch r.msg.Type {
	case dhcpv6.Solicit:
		return r.solicit()
	case dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind:
		return r.update()
	case dhcpv6.Confirm:
		return r.confirm()
	case dhcpv6.Release:
		return r.giveBack(r.release)
	case dhcpv6.Decline:
		return r.giveBack(r.decline)
	case dhcpv6.InformationRequest:
		r.header(dhcpv6.Reply)
		r.writeOptions()
		return nil
	}
	return DropMessageType
}

// header begins the answer with the identifiers (section 18.3.10).
func (r *request) header(t dhcpv6.MessageType) {
	r.reply = t
	r.w.Message(t, r.msg.TransactionID)
	if r.client != nil {
		r.w.Option(dhcpv6.OptionClientID, r.client)
	}
	r.w.Option(dhcpv6.OptionServerID, r.config.DUID)
}

// solicit: section 18.3.1. With Rapid Commit the answer is a Reply, if it grants what it is asked for; a Reply without
// any lease would end the client's search for another server.
func (r *request) solicit() error {
	head := r.w.Mark()
	r.header(dhcpv6.Advertise)
	asked, granted := r.assignAll()
	if _, rapid := r.msg.Options.Get(dhcpv6.OptionRapidCommit); rapid && (granted > 0 || asked == 0) {
		r.reply = dhcpv6.Reply
		r.w.SetUint32(head, uint32(dhcpv6.Reply)<<24|r.msg.TransactionID)
		r.w.Option(dhcpv6.OptionRapidCommit, nil)
	}
	r.writeOptions()
	return nil
}

// update: Request, Renew and Rebind, sections 18.3.2, 18.3.4 and 18.3.5.
func (r *request) update() error {
	if r.blind() {
		return DropCannotJudge
	}
	r.header(dhcpv6.Reply)
	if asked, _ := r.assignAll(); asked > 0 && r.answers == 0 && r.msg.Type == dhcpv6.Rebind {
		return DropCannotJudge
	}
	r.writeOptions()
	return nil
}

// blind reports whether nothing can be said of what a Renew or Rebind names: an address of ours that it belongs to is not
// ready yet; or the link has no prefix, and there is no binding for it, or there has been no prefix since the router came
// up, when the provider's may be on its way, or another is about to be ready: who was told now that its leases are over
// would have to do without for that moment. The leases may be right; the client will ask again.
func (r *request) blind() bool {
	if r.msg.Type == dhcpv6.Request || len(r.link.prefixes) > 0 && len(r.link.coming) == 0 {
		return false
	}
	named, known := false, false
	for code, data := range r.msg.Options.All() {
		kind, l, ok := r.kindOf(code)
		if !ok {
			continue
		}
		ia, _ := dhcpv6.ParseIA(data)
		known = known || r.bound(kind, l, ia.IAID) != nil
		for p := range listed(kind, &ia) {
			named = named || !isWish(p)
			if l != nil && l.isComing(kind, p) {
				return true
			}
		}
	}
	return named && len(r.link.prefixes) == 0 && (!known || !r.link.seen || r.link.settling)
}

// kindOf is the kind of an option that is an IA, and the link that its leases are of.
func (r *request) kindOf(code dhcpv6.OptionCode) (kind lease.Kind, l *link, ok bool) {
	switch code {
	case dhcpv6.OptionIANA:
		return lease.Address, r.onLink, true
	case dhcpv6.OptionIAPD:
		return lease.Prefix, r.link, true
	}
	return 0, nil, false
}

// assignAll answers each IA of the message and then sets T1 and T2, the same in all that grant something.
func (r *request) assignAll() (asked, granted int) {
	r.readName()
	for code, data := range r.msg.Options.All() {
		kind, l, ok := r.kindOf(code)
		if !ok {
			continue
		}
		asked++
		ia, _ := dhcpv6.ParseIA(data) // checked by checkOptions
		end, answers := r.w.Mark(), r.answers
		if r.assign(kind, l, &ia); r.w.Mark() == end && r.answers > answers {
			break // the buffer is full, which Finish will tell
		}
	}
	t1, t2 := r.renewalTimes()
	for _, m := range r.granted {
		r.w.SetUint32(m, t1)
		r.w.SetUint32(m+4, t2)
	}
	return asked, len(r.granted)
}

// renewalTimes are T1 and T2: 0.5 and 0.8 of the shortest preferred lifetime above 0 in the whole answer (section 21.4). If
// all is deprecated, valid lifetimes count, no longer than preferred ones are as a rule: there may soon be a new prefix.
func (r *request) renewalTimes() (t1, t2 uint32) {
	shortest, valid, deprecated := uint32(dhcpv6.Infinity), uint32(DefaultMaxPreferred), true
	for i := range r.leases {
		k := &r.leases[i]
		if k.Withdrawn {
			continue
		}
		valid = min(valid, k.Valid.Until(r.now))
		if left := k.Preferred.Until(r.now); left > 0 {
			shortest, deprecated = min(shortest, left), false
		}
	}
	if deprecated {
		shortest = valid
	}
	if shortest == dhcpv6.Infinity {
		return dhcpv6.Infinity, dhcpv6.Infinity
	}
	return shortest / 2, uint32(uint64(shortest) * 4 / 5)
}

// confirm: section 18.3.3. Every address must be judged: without a prefix on the link there is no knowing.
func (r *request) confirm() error {
	if r.onLink == nil || len(r.onLink.prefixes) == 0 {
		return DropCannotJudge
	}
	n, status := 0, dhcpv6.StatusSuccess
	for code, data := range r.msg.Options.All() {
		if code != dhcpv6.OptionIANA {
			continue
		}
		ia, _ := dhcpv6.ParseIA(data)
		for p := range listed(lease.Address, &ia) {
			n++
			if r.onLink.isComing(lease.Address, p) {
				return DropCannotJudge
			}
			if !r.onLink.onLink(lease.Address, p.Addr()) {
				status = dhcpv6.StatusNotOnLink
			}
		}
	}
	if n == 0 {
		return DropCannotJudge
	}
	r.header(dhcpv6.Reply)
	r.w.Status(status, "")
	return nil
}

// giveBack: Release and Decline, sections 18.3.7 and 18.3.8. Each IA is handed to end, which reports whether the client
// has a binding for it; if not, it is answered with NoBinding.
func (r *request) giveBack(end func(kind lease.Kind, l *link, ia *dhcpv6.IA) bool) error {
	r.header(dhcpv6.Reply)
	r.w.Status(dhcpv6.StatusSuccess, "")
	for code, data := range r.msg.Options.All() {
		kind, l, ok := r.kindOf(code)
		if !ok || kind == lease.Prefix && r.msg.Type == dhcpv6.Decline {
			continue // prefixes are not declined
		}
		ia, _ := dhcpv6.ParseIA(data)
		if end(kind, l, &ia) {
			continue
		}
		m := r.w.Begin(code)
		r.w.Uint32(ia.IAID)
		r.w.Uint32(0)
		r.w.Uint32(0)
		r.w.Status(dhcpv6.StatusNoBinding, "")
		r.w.End(m)
	}
	return nil
}

// bound is the client's bound binding for an IA, or nil.
func (r *request) bound(kind lease.Kind, l *link, iaid uint32) *lease.Binding {
	if l == nil {
		return nil
	}
	if b := l.leases.Lookup(r.client, iaid, kind); b != nil && b.State == lease.Bound {
		return b
	}
	return nil
}

// release gives back the leases that the client names.
func (r *request) release(kind lease.Kind, l *link, ia *dhcpv6.IA) bool {
	b := r.bound(kind, l, ia.IAID)
	if b == nil {
		return false
	}
	var given []lease.Lease
	kept := b.Leases[:0:0]
	for _, held := range b.Leases {
		if names(kind, ia, held.Prefix) {
			given = append(given, held)
		} else {
			kept = append(kept, held)
		}
	}
	switch {
	case len(given) == 0:
		return true
	case active(kept) == 0:
		r.table.Free(b)
	default:
		b.Leases = kept
		r.table.Bind(b) // until the last of these
	}
	r.emit(r.now, Released, b, r.in.Peer.Addr())
	r.events[len(r.events)-1].Leases = given
	return true
}

// decline takes a binding away that has one of the addresses the client names. A dynamic address is not given out for a
// while; a fixed one is at once free for its host again, which may have brought the other user down.
func (r *request) decline(kind lease.Kind, l *link, ia *dhcpv6.IA) bool {
	b := r.bound(kind, l, ia.IAID)
	if b == nil {
		return false
	}
	for p := range listed(kind, ia) {
		if held := b.Find(p); held == nil || held.Withdrawn {
			continue
		}
		r.emit(r.now, Declined, b, r.in.Peer.Addr())
		if b.Fixed {
			r.table.Remove(b)
		} else {
			r.events[len(r.events)-1].Quarantine = l.DeclineTime
			r.table.Decline(b, r.now.Add(l.DeclineTime))
		}
		break
	}
	return true
}

// active is the number of leases that are not withdrawn.
func active(leases []lease.Lease) (n int) {
	for i := range leases {
		if !leases[i].Withdrawn {
			n++
		}
	}
	return n
}

// names reports whether an IA of a message names that address or prefix.
func names(kind lease.Kind, ia *dhcpv6.IA, p netip.Prefix) bool {
	for q := range listed(kind, ia) {
		if p == q.Masked() {
			return true
		}
	}
	return false
}
