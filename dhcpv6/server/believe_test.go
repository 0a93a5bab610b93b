package server_test

import (
	"net/netip"
	"slices"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// What a server's answers must be, after all that its clients were told.

// believe checks what an answer tells of leases, and notes it.
func (p *play) believe(in []byte, q dhcpv6.Message, a answer) {
	link, at := p.linkOf(in)
	all := slices.DeleteFunc(pair(link, q, a), func(x asks) bool {
		if x.Kind == lease.Prefix || at == onLink {
			return false
		}
		if at == anywhere && len(x.found.grants()) > 0 {
			p.Errorf("%v on no link of ours is granted %v", x.boundKey, x.found.grants())
		}
		p.adoptIA(x.boundKey)
		return true
	})
	switch q.Type {
	case dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind:
		for i := range all {
			all[i].offered = a.Type == dhcpv6.Advertise
			p.wantRight(&all[i], q.Type, all)
		}
		for i := range all {
			p.note(&all[i], q.Type)
		}
	case dhcpv6.Release, dhcpv6.Decline:
		p.giveBack(q.Type, all)
	}
}

// wantRight expects of the answer for an IA what the links, and what the client was told before, demand.
func (p *play) wantRight(x *asks, typ dhcpv6.MessageType, all []asks) {
	given := make(map[netip.Prefix]answerLease)
	for _, k := range x.found.leases {
		if other, twice := given[k.prefix]; twice && (!x.named[k.prefix] || k.valid+other.valid > 0) {
			p.Errorf("%v %x: %v comes twice", typ, x.boundKey, k.prefix)
		}
		given[k.prefix] = k
	}
	nets := p.nets(x.link, x.Kind)
	p.wantGrants(x, given, nets)
	for k, l := range given {
		if l.valid > 0 {
			p.wantNobodys(x, k, typ, all)
		}
	}
	for k, l := range given {
		if had, ok := p.beliefs[x.boundKey][k]; l.valid == 0 && !x.named[k] && !(ok && had.end.After(p.now)) {
			p.Errorf("%v %x is told the end of %v, which it has not: %v", typ, x.boundKey, k, had)
		}
	}
	if typ != dhcpv6.Renew && typ != dhcpv6.Rebind || x.again {
		return
	}
	for k := range x.own {
		if _, ok := given[k]; !ok && typ == dhcpv6.Renew && len(nets) > 0 && !k.Addr().IsUnspecified() {
			p.Errorf("%v %x names %v and is told nothing of it", typ, x.boundKey, k)
		}
	}
	for k, had := range p.beliefs[x.boundKey] {
		l, ok := given[k]
		switch {
		case !had.until.After(p.now):
		case !ok:
			p.Errorf("%v %x is told nothing of %v, which it has until %v (over: %v)", typ, x.boundKey, k, had.until, had.over)
		case l.valid == 0 && !p.mayMove(x.boundKey) && stays(x.Kind, k, nets, given) && (!had.over || isOne(x.Kind, k, nets, given)):
			p.Errorf("%v %x is told the end of %v", typ, x.boundKey, k)
		}
	}
}

// mayMove reports whether the server may have a reason to give an IA another id: a host's other IA has given its own back,
// or a host has come who never does, or the prefix that host 2 has a part of, where the IA has that part of another; or
// the prefixes have no room for the id.
func (p *play) mayMove(key boundKey) bool {
	if hostOf([]byte(key.DUID)) > 0 {
		return true
	}
	for k, h := range p.beliefs[key] {
		for _, whole := range []string{"2001:db8:1::/60", "2001:db8:4::/60", "fd00:1::/56", "2001:db8:3::/62", "2001:db8:5::/62"} {
			n := net{whole: netip.MustParsePrefix(whole), subnet: netip.PrefixFrom(k.Addr(), 64).Masked()}
			id, ok := n.idIn(key.Kind, k)
			if !ok {
				continue
			}
			if key.Kind == lease.Address && id == p.taken.HostID && id != 0 || !h.over && p.outgrown(key, id, k.Bits()) {
				return true
			}
			overlap := func(first, last uint64) bool { return id <= last && first < id+1<<(64-k.Bits()) }
			if key.Kind == lease.Prefix && (overlap(hostSubnet, hostSubnet+1) || p.taken.HasSubnet && overlap(p.taken.SubnetID, p.taken.SubnetID+3)) {
				return true
			}
		}
	}
	return false
}

// outgrown reports whether an id has no lease while others have one, or none under a usable global prefix while there is one.
func (p *play) outgrown(key boundKey, id uint64, bits int) bool {
	var others, some, othersBest, best bool
	for _, n := range p.nets(key.link, key.Kind) {
		if n.valid == 0 || key.Kind == lease.Prefix && n.whole.Bits() >= 64 {
			continue
		}
		_, ok := n.with(key.Kind, id, bits)
		others, some = true, some || ok
		if n.usable() && !n.whole.Addr().IsPrivate() {
			othersBest, best = true, best || ok
		}
	}
	return others && !some || othersBest && !best
}

// stays reports whether a lease is right: its prefix is usable, or deprecated and nothing of its scope replaces it.
func stays(kind lease.Kind, k netip.Prefix, nets []net, given map[netip.Prefix]answerLease) bool {
	for _, n := range nets {
		if _, ok := n.idIn(kind, k); !ok || n.valid == 0 {
			continue
		}
		replaced := false
		for other, l := range given {
			replaced = replaced || l.preferred > 0 && other.Addr().IsPrivate() == k.Addr().IsPrivate()
		}
		return n.usable() || !replaced
	}
	return false
}

// isOne reports whether a lease has the id of those granted. One of an id that the IA had before is over for good.
func isOne(kind lease.Kind, k netip.Prefix, nets []net, given map[netip.Prefix]answerLease) bool {
	ids := make(map[uint64]bool)
	for other, l := range given {
		for _, n := range nets {
			if id, ok := n.idIn(kind, other); ok && l.valid > 0 {
				ids[id] = true
			}
		}
	}
	for _, n := range nets {
		if id, ok := n.idIn(kind, k); ok && ids[id] {
			return true
		}
	}
	return false
}

// wantGrants expects that what an IA is granted is one id under all prefixes that are usable, and lasts no longer than they
// do; and that of a deprecated prefix it gets what it has, or says that it has.
func (p *play) wantGrants(x *asks, given map[netip.Prefix]answerLease, nets []net) {
	ids, bits := make(map[uint64]bool), 0
	c := p.configOf(x.link)
	longest := min(c.MaxValid, c.LeaseTime)
	if hostOf([]byte(x.DUID)) == 2 {
		longest = min(longest, 300)
	}
	for k, l := range given {
		if l.valid == 0 {
			continue
		}
		var in *net
		for i := range nets {
			if id, ok := nets[i].idIn(x.Kind, k); ok {
				in, ids[id], bits = &nets[i], true, k.Bits()
			}
		}
		if in == nil {
			p.Errorf("%x is granted %v, there are %v", x.boundKey, k, nets)
			continue
		}
		valid := min(in.valid, longest)
		if preferred := min(in.preferred, server.DefaultMaxPreferred, valid); l.valid != valid || l.preferred != preferred {
			p.Errorf("%x is granted %v, want it for %d, %d", x.boundKey, l, preferred, valid)
		}
		if _, had := p.beliefs[x.boundKey][k]; l.preferred == 0 && !had && !x.named[k] {
			p.Errorf("%x is granted %v, which is deprecated", x.boundKey, l)
		}
	}
	if len(ids) > 1 {
		p.Errorf("%x is granted several ids: %v", x.boundKey, given)
	}
	for id := range ids {
		p.wantID(x, id)
		for _, n := range nets {
			if k, ok := n.with(x.Kind, id, bits); ok && n.usable() && given[k].valid == 0 {
				p.Errorf("%x is granted nothing under %v: %v", x.boundKey, n, given)
			}
		}
	}
}

// wantID expects that a client gets the id it had, and none that was declined a short while ago.
func (p *play) wantID(x *asks, id uint64) {
	if x.Kind != lease.Address || hostOf([]byte(x.DUID)) > 0 {
		return
	}
	if until, ok := p.declined[x.link][id]; ok && until.After(p.now) {
		p.Errorf("%x is granted id %#x, which is declined until %v", x.boundKey, id, until)
	}
	if last, ok := p.ids[x.boundKey]; ok && last != id && last != p.taken.HostID {
		p.Errorf("%x had id %#x and is granted %#x", x.boundKey, last, id)
	}
}

// wantNobodys expects that what an IA is granted belongs to no other, unless the same answer takes it from that.
func (p *play) wantNobodys(x *asks, k netip.Prefix, typ dhcpv6.MessageType, all []asks) {
	taken := func(key boundKey, l netip.Prefix) bool {
		return slices.ContainsFunc(all, func(y asks) bool {
			return y.boundKey == key && (slices.Contains(y.found.leases, answerLease{prefix: l}) || typ == dhcpv6.Solicit)
		})
	}
	for other, leases := range p.beliefs {
		for l, h := range leases {
			if other == x.boundKey || p.replaced[other] || other.Kind != x.Kind || h.over || !l.Overlaps(k) || !h.until.After(p.now) || taken(other, l) {
				continue
			}
			if host := hostOf([]byte(x.DUID)); x.offered && host > 0 && host == hostOf([]byte(other.DUID)) {
				continue // it will be taken over, and is not yet
			}
			p.Errorf("%v is granted to %x, %x has %v until %v", k, x.boundKey, other, l, h.until)
		}
	}
}

// note notes what the answer for an IA says.
func (p *play) note(x *asks, typ dhcpv6.MessageType) {
	if x.offered {
		if !p.beliefs.holds(x.boundKey, p.now) {
			delete(p.ids, x.boundKey) // what was remembered is forgotten when the offer is not taken up
		}
		return
	}
	had := p.beliefs[x.boundKey]
	if had == nil {
		had = make(map[netip.Prefix]belief)
		p.beliefs[x.boundKey] = had
	}
	if typ == dhcpv6.Solicit && len(x.found.grants()) > 0 { // with Rapid Commit: who solicits has forgotten what it had
		for k, h := range had {
			h.over = true
			had[k] = h
		}
	}
	nets := p.nets(x.link, x.Kind)
	for _, k := range x.found.leases {
		if k.valid > 0 {
			until := p.now.Add(time.Duration(k.valid) * time.Second)
			had[k.prefix] = belief{until: until, end: until}
			for i := range nets {
				if id, ok := nets[i].idIn(x.Kind, k.prefix); ok && x.Kind == lease.Address && x.link == "lan" {
					p.ids[x.boundKey] = id
				}
			}
		} else if h, ok := had[k.prefix]; ok {
			h.over = true
			had[k.prefix] = h
		}
	}
}

// holds reports whether an IA has something that is not over.
func (b beliefs) holds(key boundKey, now time.Time) bool {
	for _, h := range b[key] {
		if !h.over && h.until.After(now) {
			return true
		}
	}
	return false
}

// giveBack notes what a Release or Decline gives back: what it names, or all of an IA_NA of which it declines something.
func (p *play) giveBack(typ dhcpv6.MessageType, all []asks) {
	for _, x := range all {
		for k := range x.own {
			h, ok := p.beliefs[x.boundKey][k]
			switch {
			case !ok:
			case typ == dhcpv6.Release:
				delete(p.beliefs[x.boundKey], k)
				left := false
				for _, h := range p.beliefs[x.boundKey] {
					left = left || !h.over && h.end.After(p.now)
				}
				if !left {
					delete(p.beliefs, x.boundKey)
				}
			case x.Kind == lease.Address && !h.over:
				p.decline(x.boundKey)
			}
		}
	}
}

// decline ends a binding one of whose addresses another host uses. One of the configuration stays with its host.
func (p *play) decline(key boundKey) {
	for k, h := range p.beliefs[key] {
		for _, n := range p.nets(key.link, key.Kind) {
			if id, ok := n.idIn(key.Kind, k); ok && !h.over && !(id == 0xabc && hostOf([]byte(key.DUID)) == 1) {
				if p.declined[key.link] == nil {
					p.declined[key.link] = make(map[uint64]time.Time)
				}
				p.declined[key.link][id] = p.now.Add(server.DefaultDeclineTime)
			}
		}
	}
	delete(p.beliefs, key)
	delete(p.ids, key)
}

// givesBack reports whether a message is a Release or Decline. If so, its client has given up what it names, whether
// there is an answer or not.
func (p *play) givesBack(payload []byte) bool {
	inner := payload
	for dhcpv6.MessageType(inner[0]) == dhcpv6.RelayForward {
		m, err := dhcpv6.ParseRelayMessage(inner)
		if err != nil {
			return false
		}
		inner, _ = m.Options.Get(dhcpv6.OptionRelayMsg)
	}
	q, err := dhcpv6.ParseMessage(inner)
	if err != nil || q.Type != dhcpv6.Release && q.Type != dhcpv6.Decline {
		return false
	}
	p.believe(payload, q, answer{})
	return true
}
