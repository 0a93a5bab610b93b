package server

import (
	"net/netip"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// maxBindings bounds the memory that the clients of one link can take, whatever its pools would allow.
const maxBindings = 1 << 17

// maxSearches and maxWalked bound how many searches of a full pool one message can cost, and how many remembered bindings
// can be looked at for it; the IAs after that get nothing.
const (
	maxSearches = 128
	maxWalked   = 1 << 16
)

// binding is the one for the IA, which has had or nil so far: that, or a new one with the id that the configuration
// fixes, the id of what the client names, or the client's own from the pool. When there is none to be had, status says why.
func (r *request) binding(kind lease.Kind, l *link, ia *dhcpv6.IA, host *Host, had *lease.Binding) (b *lease.Binding, status dhcpv6.StatusCode) {
	if b, ok := r.fixedBinding(kind, l, ia, host, had); ok {
		return b, dhcpv6.StatusSuccess
	}
	if !l.Dynamic || !l.givesAny(kind, r.now, r.extends()) {
		return nil, r.noBinding(kind, l, had)
	}
	wish := l.wish(kind, ia)
	// A Rebind of what is not bound may be meant for another server: only what it names is granted.
	stray := r.msg.Type == dhcpv6.Rebind && (had == nil || had.State != lease.Bound)
	if stray && had != nil && !(wish.named && wish.id == had.ID) {
		return nil, dhcpv6.StatusNoBinding
	}
	keeps := had != nil && r.keeps(l, had, wish)
	if keeps && (l.fits(had, r.now) || r.leaves(had) && l.gives(kind, had.ID, had.Length, r.now)) {
		return had, dhcpv6.StatusSuccess
	}
	if stray {
		return r.named(kind, l, ia, had, wish)
	}
	old := r.drop(had)
	if b = r.allocate(kind, l, ia, wish); b == nil {
		r.emitPoolFull(l, kind, r.now)
	}
	if keeps && had.State == lease.Bound && (b == nil || !l.fits(b, r.now)) {
		return r.putBack(had, b), dhcpv6.StatusSuccess // there is nothing better
	}
	if keeps && r.leaves(had) {
		return r.insteadOf(l, had, b), dhcpv6.StatusSuccess
	}
	if b == nil {
		r.addWithdrawn(old, nil)
		return nil, r.noBinding(kind, l, had)
	}
	b.Leases = append(b.Leases, old...) // the event of what is over has the others
	return b, dhcpv6.StatusSuccess
}

// named is a new binding with the id of what a Rebind names, if nobody has it and nothing is remembered of the client.
func (r *request) named(kind lease.Kind, l *link, ia *dhcpv6.IA, had *lease.Binding, w wish) (*lease.Binding, dhcpv6.StatusCode) {
	size := lease.IDs(w.length)
	if had == nil && w.named && l.holder(kind, w.id, size) == nil && l.leases.Len() < maxBindings {
		for _, pool := range l.pools[kind] {
			if pool.Contains(w.id, size) && w.id%size == 0 {
				return l.allocateFrom(pool, kind, r.client, ia.IAID, w.length, w), dhcpv6.StatusSuccess
			}
		}
	}
	return nil, dhcpv6.StatusNoBinding
}

// noBinding is the status for an IA that gets nothing, b being what it had: to a client that believes it has a binding
// section 18.3.4 lets us say that there is none, if we make none on Renew either.
func (r *request) noBinding(kind lease.Kind, l *link, b *lease.Binding) dhcpv6.StatusCode {
	serves := l.Dynamic && (kind == lease.Address && l.Addresses || kind == lease.Prefix && l.Prefixes)
	if b == nil && (r.msg.Type == dhcpv6.Rebind || r.msg.Type == dhcpv6.Renew && !serves) {
		return dhcpv6.StatusNoBinding
	}
	return unavailable[kind]
}

// drop removes a binding whose id is no longer right and returns the leases that the client must be told the end of.
func (r *request) drop(b *lease.Binding) []lease.Lease {
	if b == nil {
		return nil
	}
	r.remove(b)
	if b.State != lease.Bound {
		return nil
	}
	return b.Leases
}

// insteadOf is what an Advertise offers in place of what the client has, which is left to it: it has promised nothing yet, and
// anybody may have sent the Solicit. Nothing holds the offer, so it is made only if no other IA could be offered the same.
func (r *request) insteadOf(l *link, had, b *lease.Binding) *lease.Binding {
	offer := &lease.Binding{Key: b.Key, Link: l.leases, State: lease.Offered, ID: b.ID, Length: b.Length}
	r.putBack(had, b)
	same := 0
	for code := range r.msg.Options.All() {
		if kind, _, ok := r.kindOf(code); ok && kind == had.Kind {
			same++
		}
	}
	if same > 1 {
		return had
	}
	return offer
}

// putBack undoes drop, which was called last: the client gets nothing better in its place than b, or nil.
func (r *request) putBack(had, b *lease.Binding) *lease.Binding {
	if b != nil {
		r.table.Remove(b)
	}
	r.removed = r.removed[:len(r.removed)-1]
	r.table.PutBack(had, had.State)
	return had
}

// keeps reports whether the client may have the binding that it had: its id has not become somebody else's. One that is
// only remembered or offered must also be of the length that is wished for.
func (r *request) keeps(l *link, b *lease.Binding, w wish) bool {
	if b.State != lease.Bound && b.Kind == lease.Prefix && b.Length != w.length {
		return false
	}
	if r.leaves(b) {
		return !l.isOwn(b.Kind, b.ID, b.Size())
	}
	_, reserved := l.reserved[b.Kind].Overlap(b.ID, b.Size())
	return !reserved
}

// leaves reports whether a binding is left where it is for the time being: a Request will move it, if need be.
func (r *request) leaves(b *lease.Binding) bool { return b.State == lease.Bound && r.onlyAdvertises() }

// fits reports whether a binding's id has a lease under a prefix that is not over, and under a global one that is usable
// where there is one; or whether no id has. A client must not be left without for what the link had before, nor with a
// unique local one alone.
func (l *link) fits(b *lease.Binding, now lease.Time) bool {
	has, best := 0, 0
	for i := range l.prefixes {
		p := &l.prefixes[i]
		worth := p.worth(b.Kind, now)
		if best = max(best, worth); p.lease(b.Kind, b.ID, b.Length).IsValid() {
			has = max(has, worth)
		}
	}
	return has == best
}

// worth is 0 of a prefix that gives nothing of that kind, 2 of a global one that is usable and 1 of the others: a
// deprecated one is left only for one that takes its place, see addDeprecated.
func (p *prefix) worth(kind lease.Kind, now lease.Time) int {
	switch {
	case p.valid <= now || kind == lease.Address && !p.addresses || kind == lease.Prefix && !p.delegates:
		return 0
	case p.usable(now) && !p.address.IsPrivate():
		return 2
	}
	return 1
}

// fixed is the id and length that the configuration gives the host on this link. What is the router's own is nobody's.
func (l *link) fixed(kind lease.Kind, host *Host) (id uint64, length uint8, ok bool) {
	switch {
	case host == nil:
		return 0, 0, false
	case kind == lease.Prefix:
		id, length, ok = l.hostPrefix(host)
	default:
		id, length, ok = host.HostID, 128, host.HostID != 0
	}
	if !ok {
		return 0, 0, false
	}
	return id, length, !l.isOwn(kind, id, lease.IDs(length))
}

// isOwn reports whether one of the ids is the router's own.
func (l *link) isOwn(kind lease.Kind, id, size uint64) bool {
	_, own := l.own[kind].Overlap(id, size)
	return own
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
	size := lease.IDs(length)
	if other := r.answered(kind, l, id, size); other != nil {
		return other, other.IAID == ia.IAID
	}
	gives := l.gives(kind, id, length, r.now)
	if b != nil && b.ID == id && b.Length == length && (gives || l.fits(b, r.now)) {
		return b, true
	}
	if !gives || !r.vacant(kind, l, id, size, host, b) {
		return nil, false
	}
	if r.onlyAdvertises() {
		// Nothing is promised, so nothing is taken from whoever holds the id, or from this IA. The id is the host's anyway.
		key := lease.Key{DUID: string(r.client), IAID: ia.IAID, Kind: kind}
		return &lease.Binding{Key: key, Link: l.leases, State: lease.Offered, ID: id, Length: length}, true
	}
	old := r.drop(b)
	r.vacate(kind, l, id, size)
	pool := lease.Pool{Span: lease.Span{First: id, Last: id + size - 1}}
	if b = l.allocateFrom(pool, kind, r.client, ia.IAID, length, wish{id: id, named: true}); b == nil {
		return nil, false
	}
	b.Leases = append(b.Leases, old...)
	return b, true
}

// onlyAdvertises reports whether the answer will be an Advertise, whatever is found for the IAs.
func (r *request) onlyAdvertises() bool {
	_, rapid := r.msg.Options.Get(dhcpv6.OptionRapidCommit)
	return r.msg.Type == dhcpv6.Solicit && !rapid
}

// holder is a binding that has one of the ids, or nil.
func (l *link) holder(kind lease.Kind, id, size uint64) *lease.Binding {
	if kind == lease.Address {
		return l.leases.Address(id)
	}
	return l.leases.PrefixAt(id, size)
}

// answered is a binding with one of the ids of which the answer in the making already tells, or nil.
func (r *request) answered(kind lease.Kind, l *link, id, size uint64) *lease.Binding {
	for i := range r.pending {
		b := r.pending[i].binding
		if b.Kind == kind && b.Link == l.leases && b.ID <= id+size-1 && id <= b.ID+b.Size()-1 {
			return b
		}
	}
	return nil
}

// vacant reports whether the host that owns the ids can have them. Bindings that are remembered, offered or declined do
// not matter, nor the IA's own, nor those of the same host under another DUID or IAID, which takes its address over;
// unless the message asks for that IA too.
func (r *request) vacant(kind lease.Kind, l *link, id, size uint64, host *Host, own *lease.Binding) bool {
	last := id + size - 1
	for {
		b := l.holder(kind, id, last-id+1)
		switch {
		case b == nil:
			return true
		case b.State == lease.Bound && b != own && (!r.hosts.is(host, b.Key) || r.asksFor(b)):
			return false
		case b.ID+b.Size()-1 >= last:
			return true
		}
		id = b.ID + b.Size()
	}
}

// asksFor reports whether the binding is that of an IA in the message. It remembers the last answer: a message of thousands
// of IAs must not ask as many times for the same.
func (r *request) asksFor(b *lease.Binding) bool {
	if r.asked.binding != b {
		r.asked.binding, r.asked.names = b, r.namesIA(b)
	}
	return r.asked.names
}

func (r *request) namesIA(b *lease.Binding) bool {
	for code, data := range r.msg.Options.All() {
		if code == optionOf[b.Kind] {
			if ia, _ := dhcpv6.ParseIA(data); ia.IAID == b.IAID && string(r.client) == b.DUID {
				return true
			}
		}
	}
	return false
}

// vacate removes the bindings that have one of the ids.
func (r *request) vacate(kind lease.Kind, l *link, id, size uint64) {
	for b := l.holder(kind, id, size); b != nil; b = l.holder(kind, id, size) {
		r.remove(b)
	}
}

// remove forgets a binding, unless the answer is not sent: see abandon.
func (r *request) remove(b *lease.Binding) {
	r.table.Remove(b)
	r.removed = append(r.removed, b)
}

// wish is what a client would like: the id and length of what it names.
type wish struct {
	id     uint64
	length uint8
	named  bool // an address or prefix of this link is named; else id is 0
}

// wish reads the first address or prefix of this link that the IA names, and the length of prefix it asks for (RFC 8168).
func (l *link) wish(kind lease.Kind, ia *dhcpv6.IA) (w wish) {
	if w.length = 128; kind == lease.Prefix {
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
	if l.leases.Len() >= maxBindings || r.searches > maxSearches || r.table.Walked()-r.walked > maxWalked {
		return nil
	}
	length, last := w.length, uint8(64)
	if kind == lease.Address {
		length, last = 0, 0
	}
	for ; length <= last; length++ {
		if !l.view && l.isFull(kind, length) {
			continue
		}
		for _, pool := range l.pools[kind] {
			if b := l.allocateFrom(pool, kind, r.client, ia.IAID, length, w); b != nil {
				return b
			}
		}
		if !l.view {
			l.full[kind][length] = l.leases.Changes(kind) + 1
		}
		if r.searches++; r.searches > maxSearches {
			return nil
		}
	}
	return nil
}

func (l *link) allocateFrom(pool lease.Pool, kind lease.Kind, client dhcpv6.DUID, iaid uint32, length uint8, w wish) *lease.Binding {
	if kind == lease.Address {
		return l.leases.AllocateAddress(client, iaid, pool, w.id)
	}
	return l.leases.AllocatePrefix(client, iaid, pool, length, w.want())
}

// isFull reports whether the pools had nothing of that length left when they were searched last, and nothing has changed
// since: a full pool must not cost a search for each message that asks of it.
func (l *link) isFull(kind lease.Kind, length uint8) bool {
	return l.full[kind][length] == l.leases.Changes(kind)+1
}

// want is the subnet id to try first; one that no pool has if the client names none.
func (w wish) want() uint64 {
	if w.named {
		return w.id
	}
	return 1<<64 - 1
}
