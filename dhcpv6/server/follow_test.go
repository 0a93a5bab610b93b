package server_test

import (
	"fmt"
	"net/netip"
	"time"

	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// What the events of a play have told, and what is in the table, against what clients were told.

// hearEvents replays the events, as whoever follows a server does.
func (p *play) hearEvents() {
	for _, e := range p.Events() {
		key := boundKey{e.Link, e.Key}
		switch e.Kind {
		case server.Bound, server.Renewed, server.Withdrawn:
			delete(p.replaced, key)
			p.bound[key] = make(map[netip.Prefix]bool)
			for _, k := range e.Leases {
				if !k.Withdrawn {
					p.bound[key][k.Prefix] = true
				}
			}
		case server.Released:
			for _, k := range e.Leases {
				delete(p.bound[key], k.Prefix)
			}
			if len(p.bound[key]) == 0 {
				delete(p.bound, key)
			}
		case server.Expired:
			if p.beliefs.holds(key, p.now) {
				p.Errorf("%x has expired and has %v", key, p.beliefs[key])
			}
			delete(p.bound, key)
			delete(p.beliefs, key)
		case server.Replaced:
			if len(p.beliefs[key]) > 0 && !p.mayMove(key) {
				p.Errorf("%x is replaced and has %v", key, p.beliefs[key])
			}
			p.replaced[key] = true
			delete(p.bound, key)
		case server.Declined:
			delete(p.bound, key)
		}
	}
}

// follow compares the table with what clients were told and what the events say. Offers stay within their bounds.
func (p *play) follow() {
	p.hearEvents()
	for key := range p.replaced {
		delete(p.beliefs, key)
		delete(p.ids, key)
	}
	clear(p.replaced)
	for key, leases := range p.beliefs {
		b := p.Table().Link(key.link).Lookup([]byte(key.DUID), key.IAID, key.Kind)
		for k, h := range leases {
			if !h.until.After(p.now) {
				continue
			}
			if h.over {
				if b != nil && b.State == lease.Bound && b.Find(k) != nil && !b.Find(k).Withdrawn {
					p.Errorf("%x was told that %v is over, the table has %v", key, k, b.Leases)
				}
				continue
			}
			if b == nil || b.State != lease.Bound {
				p.Errorf("%x has %v until %v, and is not bound", key, k, h.until)
			} else if l := b.Find(k); l == nil || l.Withdrawn || wallOf(p.Table(), l.Valid).Before(h.until) {
				p.Errorf("%x has %v until %v, the table has %v", key, k, h.until, b.Leases)
			}
		}
	}
	n, offers := 0, 0
	for _, link := range p.Table().Links() {
		perLink := 0
		for _, b := range link.Bindings() {
			if b.State == lease.Offered {
				perLink++
			}
			if b.State != lease.Bound {
				continue
			}
			n++
			live := make(map[netip.Prefix]bool)
			for _, k := range b.Leases {
				if !k.Withdrawn {
					live[k.Prefix] = true
				}
			}
			if told := p.bound[boundKey{link.Name, b.Key}]; fmt.Sprint(told) != fmt.Sprint(live) {
				p.Errorf("%x/%d has %v, the events say %v", b.Client(), b.IAID, live, told)
			}
		}
		if offers += perLink; link.Name == "lan" && perLink > 2 {
			p.Errorf("%d offers on lan", perLink)
		}
	}
	if offers > 7 {
		p.Errorf("%d offers in all", offers)
	}
	for client := range p.accept { // one without bindings may be forgotten for others
		bound := false
		for key := range p.bound {
			bound = bound || client == clientOn{key.link, key.DUID}
		}
		if !bound {
			delete(p.accept, client)
		}
	}
	if n != len(p.bound) {
		p.Errorf("%d bindings are bound, the events say %d: %v", n, len(p.bound), p.bound)
	}
	if p.Failed() {
		p.Logf("the last query was\n%s", dump(p.last))
	}
}

// lengthen has the model know of what the server remembers for longer after a restart.
func (p *play) lengthen() {
	for key, leases := range p.beliefs {
		b := p.Table().Link(key.link).Lookup([]byte(key.DUID), key.IAID, key.Kind)
		for k, h := range leases {
			if b == nil || b.Find(k) == nil {
				continue
			}
			h.end = wallOf(p.Table(), b.Find(k).Valid)
			leases[k] = h
		}
	}
}

// adopt has the clients and the model of what is bound follow a server that may have gone back in time.
func (p *play) adopt() {
	p.bound = make(map[boundKey]map[netip.Prefix]bool)
	fresh := newModel()
	fresh.usable, fresh.any, fresh.taken = p.usable, p.any, p.taken
	p.model = fresh
	for _, link := range p.Table().Links() {
		for b := range link.All() {
			switch key := (boundKey{link.Name, b.Key}); b.State {
			case lease.Bound:
				p.adoptIA(key)
				p.bound[key] = make(map[netip.Prefix]bool)
				for _, k := range b.Leases {
					if !k.Withdrawn {
						p.bound[key][k.Prefix] = true
					}
				}
			case lease.Declined:
				if p.declined[link.Name] == nil {
					p.declined[link.Name] = make(map[uint64]time.Time)
				}
				p.declined[link.Name][b.ID] = wallOf(p.Table(), b.Deadline)
			}
		}
	}
	p.told.allMaybe()
}

// adoptIA has a client believe what the server does.
func (p *play) adoptIA(key boundKey) {
	delete(p.beliefs, key)
	delete(p.ids, key)
	b := p.Table().Link(key.link).Lookup([]byte(key.DUID), key.IAID, key.Kind)
	if b == nil || b.State != lease.Bound {
		return
	}
	p.beliefs[key] = make(map[netip.Prefix]belief)
	for _, k := range b.Leases {
		until := wallOf(p.Table(), k.Valid)
		p.beliefs[key][k.Prefix] = belief{until, until, k.Withdrawn}
	}
}
