package relay

import (
	"bytes"
	"net/netip"
	"time"

	"lan6d/dhcpv6/lease"
)

// rival is an IA that a server gave something to which is held through another next hop. It gets it when the holder's time
// is over. There is one for each holder, the last who came.
type rival struct {
	claim
	leases []lease.Lease
}

// maxRivals bounds how many wait. Others have to claim again.
const maxRivals = 64

// isOf reports whether the rival has the very IA that its holder has: then a server knows of one only.
func (w *rival) isOf(b *lease.Binding) bool {
	return w.link == b.Link && string(w.client) == b.DUID && w.iaid == b.IAID
}

// maxAsked bounds how often neighbours are looked up for one message, whatever IAs it names.
const maxAsked = 4

// sameHost reports whether a claim comes from the host that a binding is held through: from the same address on the same
// link, or from another one of a neighbour that has both. What an address looks like does not count: an interface id made
// from somebody's link-layer address is soon assumed.
func (r *Relay) sameHost(c *claim, b *lease.Binding) bool {
	if b.Link != c.link || b.Peer == c.via {
		return b.Link == c.link
	}
	if c.other != b.Peer {
		c.asked++
		c.other, c.same = b.Peer, c.asked <= maxAsked && r.sameLinkLayer(c.link.Name, c.via, b.Peer)
	}
	return c.same
}

// sameLinkLayer reports whether two neighbours are known to have the same link-layer address.
func (r *Relay) sameLinkLayer(link string, one, other netip.Addr) bool {
	l := linkByName(r.clients, []byte(link))
	if l == nil || r.config.LinkLayer == nil {
		return false
	}
	var its [32]byte // the kernel's MAX_ADDR_LEN
	hardware, address := r.config.LinkLayer(l.ifindex, one)
	n := copy(its[:], address)
	otherHardware, otherAddress := r.config.LinkLayer(l.ifindex, other)
	return n > 0 && hardware == otherHardware && bytes.Equal(its[:n], otherAddress)
}

// contest notes what an IA was given while somebody else holds it.
func (r *Relay) contest(now lease.Time, c *claim, k *lease.Lease, holder *lease.Binding) {
	r.counters.Contested++
	w := r.rivals[holder]
	if w == nil || w.number != c.number {
		if w == nil && len(r.rivals) >= maxRivals {
			return
		}
		if w == nil || w.via != c.via {
			r.emit(now, Contested, holder, holder.Leases)
			r.events[len(r.events)-1].Rival = c.via
		}
		w = &rival{claim: *c}
		w.client, w.server, w.late, w.asked = bytes.Clone(c.client), bytes.Clone(c.server), true, 0
		r.rivals[holder] = w
	}
	if len(w.leases) < r.config.MaxPerClient {
		w.leases = append(w.leases, *k)
	}
}

// resign has a rival wait no longer for the leases that match: it gave them back, or the server told it that they are over.
func (r *Relay) resign(c *claim, matches func(*lease.Lease) bool) {
	for holder, w := range r.rivals {
		if w.link == c.link && w.iaid == c.iaid && w.via == c.via && string(w.client) == string(c.client) {
			if w.leases, _ = split(w.leases, matches); len(w.leases) == 0 {
				delete(r.rivals, holder)
			}
		}
	}
}

// admit gives the rival what a holder has had to give up.
func (r *Relay) admit(now lease.Time, holder *lease.Binding) {
	w := r.rivals[holder]
	if w == nil {
		return
	}
	delete(r.rivals, holder)
	var got outcome
	for i := range w.leases {
		k := &w.leases[i]
		if b := r.held[k.Prefix]; b != nil && r.sameHost(&w.claim, b) || k.Valid <= now {
			continue // the first: by what has been told since
		}
		got = max(got, r.hold(now, &w.claim, k))
	}
	r.settle(now, &w.claim, got)
}

// NextHopGone tells that nobody answers at an address through which clients hold prefixes: neighbour discovery found it
// unreachable. What a rival waits for becomes the rival's; the rest stays as it is, for the next hop may come back (RFC 8987, S-2).
func (r *Relay) NextHopGone(now time.Time, link string, via netip.Addr) {
	at := r.table.At(now)
	for holder := range r.rivals {
		if holder.Link.Name == link && holder.Peer == via {
			r.end(at, Replaced, holder, all)
			r.admit(at, holder)
		}
	}
}
