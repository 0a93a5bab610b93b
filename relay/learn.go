package relay

import (
	"net/netip"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// claim names an IA_PD, the next hop to its client, and the server that a message of or to it names. It may alias a packet.
type claim struct {
	number uint64 // of the message
	link   *lease.Link
	client dhcpv6.DUID
	iaid   uint32
	via    netip.Addr
	server dhcpv6.DUID
	late   bool // a rival's: what it claims it was told earlier

	asked int        // how often neighbours were looked up for the message: see sameHost
	other netip.Addr // the last one that via was compared with
	same  bool       // and whether both are one
}

// binding is what the IA holds, through whatever next hop; or nil.
func (c *claim) binding() *lease.Binding { return c.link.Lookup(c.client, c.iaid, lease.Prefix) }

// read reads the identifiers of a message of or to a client behind a next hop, and reports whether it has them. Both are
// DUIDs, so what is kept of them is small: options have up to 65,535 octets.
func (c *claim) read(r *Relay, l *link, via netip.Addr, options dhcpv6.Options) bool {
	r.claims++
	c.number, c.link, c.via = r.claims, l.leases, via
	id, _ := options.Get(dhcpv6.OptionClientID)
	c.client, _ = dhcpv6.ParseDUID(id)
	id, _ = options.Get(dhcpv6.OptionServerID)
	c.server, _ = dhcpv6.ParseDUID(id)
	return c.client != nil && c.server != nil
}

// release follows a client that gives prefixes back (RFC 8987, G-9).
func (r *Relay) release(now lease.Time, from *link, via netip.Addr, m dhcpv6.Message) {
	var c claim
	if !c.read(r, from, via, m.Options) {
		return
	}
	for o := m.Options; len(o) > 0; {
		var ia dhcpv6.IA
		if o, ia = c.nextIA(o); len(ia.Options) == 0 {
			continue
		}
		if b := c.binding(); b != nil && !r.sameHost(&c, b) {
			r.counters.ReleasesIgnored++
		}
		r.takeBack(now, Released, &c, func(k *lease.Lease) bool { return names(ia.Options, k.Prefix) })
	}
}

// names reports whether an IA of a message names a prefix.
func names(ia dhcpv6.Options, p netip.Prefix) bool {
	for len(ia) > 0 {
		var named dhcpv6.IAPrefix
		if ia, named = nextPrefix(ia); named.Prefix == p {
			return true
		}
	}
	return false
}

// takeBack ends the leases of an IA that match, as its client or its server says: the client at the next hop that holds
// them, to that next hop the server that gave them, as far as that is known. Another server may not know what they are. A
// rival with the same IA has lost them too.
func (r *Relay) takeBack(now lease.Time, kind EventKind, c *claim, matches func(*lease.Lease) bool) {
	r.resign(c, matches)
	b := c.binding()
	if b == nil || !r.sameHost(c, b) {
		return
	}
	if by, known := r.servers[b]; kind == Withdrawn && known && by != string(c.server) {
		return
	}
	if !r.end(now, kind, b, matches) {
		return
	}
	if w := r.rivals[b]; w != nil && w.isOf(b) {
		delete(r.rivals, b)
	}
	r.admit(now, b)
}

// learn follows what a server tells a client about delegated prefixes.
func (r *Relay) learn(now lease.Time, to *link, via netip.Addr, m dhcpv6.Message) {
	var c claim
	if !r.config.Routes || !c.read(r, to, via, m.Options) || status(m.Options) != dhcpv6.StatusSuccess {
		return
	}
	for o := m.Options; len(o) > 0; {
		var ia dhcpv6.IA
		if o, ia = c.nextIA(o); len(ia.Options) == 0 {
			continue
		}
		switch status(ia.Options) {
		case dhcpv6.StatusSuccess:
			r.learnIA(now, &c, ia.Options)
		case dhcpv6.StatusNoBinding:
			r.takeBack(now, Withdrawn, &c, all)
		}
	}
}

func (r *Relay) learnIA(now lease.Time, c *claim, options dhcpv6.Options) {
	if b := c.binding(); b != nil && r.end(now, Expired, b, func(l *lease.Lease) bool { return l.Valid <= now }) {
		r.admit(now, b)
	}
	var got outcome
	for len(options) > 0 {
		var p dhcpv6.IAPrefix
		options, p = nextPrefix(options)
		switch {
		case !p.Prefix.IsValid():
		case p.Preferred > p.Valid || status(p.Options) != dhcpv6.StatusSuccess: // the client must not use it
		case p.Valid > 0:
			k := lease.Lease{Prefix: p.Prefix, Preferred: now.After(p.Preferred), Valid: now.After(p.Valid)}
			got = max(got, r.hold(now, c, &k))
		default:
			r.takeBack(now, Withdrawn, c, func(k *lease.Lease) bool { return k.Prefix == p.Prefix })
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

// nextIA takes the first option off. If it is an IA_PD, the claim is for that, and ia is what it holds; else, or if it is
// malformed, ia is empty.
func (c *claim) nextIA(o dhcpv6.Options) (rest dhcpv6.Options, ia dhcpv6.IA) {
	code, data, rest := o.Cut()
	if code == dhcpv6.OptionIAPD {
		ia, _ = dhcpv6.ParseIA(data)
		c.iaid = ia.IAID
	}
	return rest, ia
}

// nextPrefix takes the first option of an IA_PD off. If it is an IA Prefix, p is what it holds, without the bits behind the
// prefix's length; else, or if it is malformed, the prefix is not valid.
func nextPrefix(o dhcpv6.Options) (rest dhcpv6.Options, p dhcpv6.IAPrefix) {
	code, data, rest := o.Cut()
	if code == dhcpv6.OptionIAPrefix {
		var err error
		if p, err = dhcpv6.ParseIAPrefix(data); err == nil {
			p.Prefix = p.Prefix.Masked()
		} else {
			p.Prefix = netip.Prefix{}
		}
	}
	return rest, p
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
