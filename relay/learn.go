package relay

import (
	"net/netip"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// claim names an IA_PD, the next hop to its client, and the server that a message of or to it names. It may alias a packet.
type claim struct {
	link   *lease.Link
	client dhcpv6.DUID
	iaid   uint32
	via    netip.Addr
	server []byte
}

// binding is what the IA holds, through whatever next hop; or nil.
func (c *claim) binding() *lease.Binding { return c.link.Lookup(c.client, c.iaid, lease.Prefix) }

// newClaim reads the identifiers of a message of or to a client behind a next hop, and whether it has them.
func newClaim(l *link, via netip.Addr, options dhcpv6.Options) (c claim, ok bool) {
	id, _ := options.Get(dhcpv6.OptionClientID)
	c.link, c.via = l.leases, via
	c.client, _ = dhcpv6.ParseDUID(id)
	c.server, _ = options.Get(dhcpv6.OptionServerID)
	return c, c.client != nil && c.server != nil
}

// speaksFor reports whether the claim comes from the next hop that a binding is held through, and names the server that
// gave it, as far as that is known.
func (r *Relay) speaksFor(c *claim, b *lease.Binding) bool {
	server, known := r.servers[b]
	return (!known || server == string(c.server)) && r.sameHost(c, b)
}

// release follows a client that gives prefixes back (RFC 8987, G-9).
func (r *Relay) release(now lease.Time, from *link, via netip.Addr, m dhcpv6.Message) {
	c, ok := newClaim(from, via, m.Options)
	if !ok {
		return
	}
	for ia := range delegations(m.Options) {
		c.iaid = ia.IAID
		b := c.binding()
		switch {
		case b == nil:
		case !r.speaksFor(&c, b):
			r.counters.ReleasesIgnored++
		default:
			for p := range prefixes(ia.Options) {
				r.takeBack(now, Released, b, p.Prefix.Masked())
			}
		}
	}
}

// learn follows what a server tells a client about delegated prefixes.
func (r *Relay) learn(now lease.Time, to *link, via netip.Addr, m dhcpv6.Message) {
	c, ok := newClaim(to, via, m.Options)
	if !ok || !r.config.Routes || status(m.Options) != dhcpv6.StatusSuccess {
		return
	}
	for ia := range delegations(m.Options) {
		c.iaid = ia.IAID
		switch status(ia.Options) {
		case dhcpv6.StatusSuccess:
			r.learnIA(now, &c, ia.Options)
		case dhcpv6.StatusNoBinding:
			if b := c.binding(); b != nil && r.speaksFor(&c, b) {
				r.takeBack(now, Withdrawn, b, netip.Prefix{})
			}
		}
	}
}

func (r *Relay) learnIA(now lease.Time, c *claim, options dhcpv6.Options) {
	if b := c.binding(); b != nil && r.end(now, Expired, b, func(l *lease.Lease) bool { return l.Valid <= now }) {
		r.admit(now, b)
	}
	var got outcome
	for p := range prefixes(options) {
		switch {
		case p.Preferred > p.Valid || status(p.Options) != dhcpv6.StatusSuccess: // the client must not use it
		case p.Valid > 0:
			k := lease.Lease{Prefix: p.Prefix.Masked(), Preferred: now.After(p.Preferred), Valid: now.After(p.Valid)}
			got = max(got, r.hold(now, c, k))
		default:
			if b := c.binding(); b != nil && r.speaksFor(c, b) {
				r.takeBack(now, Withdrawn, b, p.Prefix.Masked())
			}
		}
	}
	r.settle(now, c, got)
}

// settle completes what hold began for an IA.
func (r *Relay) settle(now lease.Time, c *claim, got outcome) {
	b := c.binding()
	if got == refused || b == nil {
		return
	}
	r.table.Bind(b)
	delete(r.rivals, b) // the server has just said whose it is
	if r.servers[b] != string(c.server) {
		r.servers[b] = string(c.server)
	}
	kind := Renewed
	if got == held {
		kind = Learned
	}
	r.emit(now, kind, b, b.Leases)
}

// delegations iterates the IA_PDs of a message. One that is malformed is not looked at.
func delegations(options dhcpv6.Options) func(yield func(dhcpv6.IA) bool) {
	return func(yield func(dhcpv6.IA) bool) {
		for code, data := range options.All() {
			if code != dhcpv6.OptionIAPD {
				continue
			}
			if ia, err := dhcpv6.ParseIA(data); err == nil && !yield(ia) {
				return
			}
		}
	}
}

// prefixes iterates the prefixes of an IA_PD, likewise.
func prefixes(options dhcpv6.Options) func(yield func(dhcpv6.IAPrefix) bool) {
	return func(yield func(dhcpv6.IAPrefix) bool) {
		for code, data := range options.All() {
			if code != dhcpv6.OptionIAPrefix {
				continue
			}
			if p, err := dhcpv6.ParseIAPrefix(data); err == nil && !yield(p) {
				return
			}
		}
	}
}

// status is that of a message, an IA or a lease: Success unless its Status Code option says otherwise (section 21.13).
func status(options dhcpv6.Options) dhcpv6.StatusCode {
	data, ok := options.Get(dhcpv6.OptionStatusCode)
	if !ok {
		return dhcpv6.StatusSuccess
	}
	s, err := dhcpv6.ParseStatus(data)
	if err != nil {
		return dhcpv6.StatusUnspecFail
	}
	return s.Code
}
