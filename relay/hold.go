package relay

import (
	"net/netip"
	"time"

	"lan6d/dhcpv6/lease"
)

// share names what the number of prefixes is bounded for: a client at a next hop, or with only the link an interface.
type share struct {
	link   *lease.Link
	client string
	via    netip.Addr
}

// outcome is what became of a prefix that a server gave to an IA.
type outcome uint8

const (
	refused outcome = iota // nothing changed
	renewed                // the IA had it already
	held                   // it has it now
)

// ids are where those of bindings come from. They only have to differ.
var ids = lease.Pool{Span: lease.Span{First: 0, Last: 1<<62 - 1}}

// hold has an IA hold a prefix. A binding that is new, or has a new lease, is not settled yet.
func (r *Relay) hold(now lease.Time, c *claim, k *lease.Lease) outcome {
	if !r.isRoutable(k.Prefix) {
		r.counters.Unroutable++
		return refused
	}
	b := c.binding()
	for _, holder := range [...]*lease.Binding{b, r.holder(now, k.Prefix)} {
		if holder != nil && !r.sameHost(c, holder) {
			r.contest(now, c, k, holder)
			return refused
		}
	}
	if b != nil && b.Peer != c.via {
		r.replace(now, b, all)
		b = nil
	}
	if old := r.held[k.Prefix]; old != nil && old != b {
		r.replace(now, old, func(l *lease.Lease) bool { return l.Prefix == k.Prefix })
	}
	if b != nil {
		if had := b.Find(k.Prefix); had != nil {
			*had = *k
			return renewed
		}
	}
	return r.add(now, c, b, k)
}

// holder is the IA that a prefix belongs to: the one that holds it, or else the smallest one that it is part of, as routes go.
// So somebody's prefix is nobody else's in parts, whose routes would win; and what a host has, whole and in parts, stays its
// own whoever is given a larger one around it. nil: nobody's.
func (r *Relay) holder(now lease.Time, p netip.Prefix) *lease.Binding {
	for bits := p.Bits(); bits >= minPrefixLength; bits-- {
		if r.lengths[bits] == 0 {
			continue
		}
		whole := netip.PrefixFrom(p.Addr(), bits).Masked()
		if b := r.held[whole]; b != nil && b.Find(whole).Valid > now {
			return b
		}
	}
	return nil
}

// add has an IA hold a prefix that nobody holds, if the bounds allow. Of a client that has all it may have, an older one in the
// same IA makes room: with each prefix that its provider gives it anew it may have forgotten others.
func (r *Relay) add(now lease.Time, c *claim, b *lease.Binding, k *lease.Lease) outcome {
	mine := share{c.link, string(c.client), c.via}
	if b != nil && !c.late && r.counts[mine] >= r.config.MaxPerClient {
		if old := oldest(b); old.Preferred < k.Preferred {
			r.replace(now, b, func(l *lease.Lease) bool { return l == old })
			b = c.binding()
		}
	}
	if len(r.held) >= r.config.MaxPrefixes || r.counts[share{link: c.link}] >= r.config.MaxPerInterface ||
		r.counts[mine] >= r.config.MaxPerClient {
		r.counters.BeyondLimit++
		r.emitFull(now, c.link.Name)
		return refused
	}
	if b == nil {
		b = c.link.AllocatePrefix(c.client, c.iaid, ids, 64, ids.Last+1)
		b.Peer = c.via
	}
	b.Leases = append(b.Leases, *k)
	r.note(k.Prefix, b)
	r.count(b, 1)
	return held
}

// oldest is the lease of a binding whose preferred lifetime ends first.
func oldest(b *lease.Binding) *lease.Lease {
	old := &b.Leases[0]
	for i := range b.Leases {
		if b.Leases[i].Preferred < old.Preferred {
			old = &b.Leases[i]
		}
	}
	return old
}

// note notes which IA holds a prefix that nobody held; nil: nobody any more.
func (r *Relay) note(p netip.Prefix, b *lease.Binding) {
	if b == nil {
		delete(r.held, p)
		r.lengths[p.Bits()]--
		return
	}
	r.held[p] = b
	r.lengths[p.Bits()]++
}

// count adds to the numbers of prefixes that are bounded.
//
//go:noinline
func (r *Relay) count(b *lease.Binding, n int) {
	for _, s := range [...]share{{link: b.Link}, {b.Link, b.DUID, b.Peer}} {
		if r.counts[s] += n; r.counts[s] == 0 {
			delete(r.counts, s)
		}
	}
}

// all matches every lease: see end.
func all(*lease.Lease) bool { return true }

// end takes the leases that match away from an IA, tells so, and reports whether there were any. Without any left its
// binding is over: the caller decides what becomes of its rival.
func (r *Relay) end(now lease.Time, kind EventKind, b *lease.Binding, matches func(*lease.Lease) bool) bool {
	kept, ended := split(b.Leases, matches)
	if len(ended) == 0 {
		return false
	}
	for i := range ended {
		r.note(ended[i].Prefix, nil)
	}
	r.count(b, -len(ended))
	r.emit(now, kind, b, ended)
	if b.Leases = kept; len(kept) > 0 {
		r.table.Bind(b)
	} else {
		r.table.Remove(b)
		delete(r.servers, b)
	}
	return true
}

// split takes the leases that match out of a list, in place. If there are none it changes nothing.
func split(leases []lease.Lease, matches func(*lease.Lease) bool) (others, matching []lease.Lease) {
	others = leases[:0]
	for i := range leases {
		if matches(&leases[i]) {
			matching = append(matching, leases[i])
			continue
		}
		if others = others[:len(others)+1]; len(matching) > 0 {
			others[len(others)-1] = leases[i]
		}
	}
	return others, matching
}

// replace ends the leases that match to the good of another IA, or of others in this one. Who waited for them waits no longer.
func (r *Relay) replace(now lease.Time, b *lease.Binding, matches func(*lease.Lease) bool) {
	if r.end(now, Replaced, b, matches); len(b.Leases) == 0 {
		delete(r.rivals, b)
	}
}

// Forget gives up what an IA holds, as an operator may want (RFC 8987, O-2). Its client is not told: with its next Renew it
// has its routes again.
func (r *Relay) Forget(now time.Time, b *lease.Binding) {
	at := r.table.At(now)
	r.end(at, Forgotten, b, all)
	r.admit(at, b)
}

// Tick ends what has run out by now and returns when to call it again; the zero time if nothing runs out. It may be called
// at any time.
func (r *Relay) Tick(now time.Time) (next time.Time) {
	at := r.table.At(now)
	for {
		b, _ := r.table.Expire(at)
		if b == nil {
			break
		}
		r.end(at, Expired, b, all)
		r.admit(at, b)
	}
	if at := r.table.Next(); at != lease.Never {
		return r.table.Wall(at)
	}
	return time.Time{}
}
