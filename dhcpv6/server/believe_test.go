package server_test

import (
	"bytes"
	"net/netip"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// What the clients of a play believe to have and what the events have told, against what the server does.

// promise is what a client was told that it has.
type promise struct {
	client string
	kind   lease.Kind
	iaid   uint32
	until  time.Time
}

type boundKey struct {
	link string
	lease.Key
}

// believe notes what a Reply promises, and that it does not promise what others have been promised.
func (p *play) believe(q dhcpv6.Message, a answer) {
	who, _ := q.Options.Get(dhcpv6.OptionClientID)
	if q.Type == dhcpv6.Release || q.Type == dhcpv6.Decline {
		p.forgetGiven(q, string(who))
	}
	for _, ia := range a.ias {
		if q.Type == dhcpv6.Solicit { // with Rapid Commit: who solicits has forgotten what it had
			p.forgetIA(string(who), ia.kind, ia.iaid)
		}
		for _, k := range ia.leases {
			h, held := p.promises[k.prefix]
			mine := held && h.client == string(who) && h.kind == ia.kind && h.iaid == ia.iaid
			if k.valid == 0 {
				if mine {
					delete(p.promises, k.prefix)
				}
				continue
			}
			p.wantNobodys(who, ia, k.prefix)
			until := p.now.Add(time.Duration(k.valid) * time.Second)
			p.promises[k.prefix] = promise{string(who), ia.kind, ia.iaid, until}
		}
	}
}

// wantNobodys expects that what an IA is granted belongs to no other.
func (p *play) wantNobodys(who []byte, ia answerIA, k netip.Prefix) {
	for other, h := range p.promises {
		if !other.Overlaps(k) || !h.until.After(p.now) || h.kind != ia.kind {
			continue
		}
		if h.client == string(who) && h.iaid == ia.iaid {
			continue
		}
		if host := hostOf(who); host > 0 && host == hostOf([]byte(h.client)) {
			delete(p.promises, other) // taken over by the same host
			continue
		}
		p.Errorf("%v is granted to %x/%d at %v, %x/%d has %v until %v", k, who, ia.iaid, p.now, h.client, h.iaid, other, h.until)
	}
}

// forgetGiven takes back what a Release or Decline gives back.
func (p *play) forgetGiven(q dhcpv6.Message, who string) {
	for code, data := range q.Options.All() {
		if code == dhcpv6.OptionIANA || code == dhcpv6.OptionIAPD {
			ia, _ := dhcpv6.ParseIA(data)
			p.forget(q.Type, who, code == dhcpv6.OptionIAPD, &ia)
		}
	}
}

// forget takes back what a client gives back: what it names, or all of the IA with a Decline.
func (p *play) forget(t dhcpv6.MessageType, who string, delegated bool, ia *dhcpv6.IA) {
	for k, h := range p.promises {
		if h.client != who || h.iaid != ia.IAID || (h.kind == lease.Prefix) != delegated {
			continue
		}
		if t == dhcpv6.Decline && !delegated {
			delete(p.promises, k)
		}
		for code, data := range ia.All() {
			switch code {
			case dhcpv6.OptionIAAddr:
				if a, err := dhcpv6.ParseIAAddr(data); err == nil && netip.PrefixFrom(a.Addr, 128) == k && t == dhcpv6.Release {
					delete(p.promises, k)
				}
			case dhcpv6.OptionIAPrefix:
				if b, err := dhcpv6.ParseIAPrefix(data); err == nil && b.Prefix == k && t == dhcpv6.Release {
					delete(p.promises, k)
				}
			}
		}
	}
}

// forgetMoved takes back what a client was promised that solicits and whose id has become somebody else's meanwhile.
func (p *play) forgetMoved(q dhcpv6.Message) {
	who, _ := q.Options.Get(dhcpv6.OptionClientID)
	for k, h := range p.promises {
		bound := h.client != string(who)
		for _, link := range p.Table().Links() {
			b := link.Lookup(who, h.iaid, h.kind)
			bound = bound || b != nil && b.State == lease.Bound && b.Find(k) != nil
		}
		if !bound {
			delete(p.promises, k)
		}
	}
}

// forgetIA takes back what an IA was promised.
func (p *play) forgetIA(who string, kind lease.Kind, iaid uint32) {
	for k, h := range p.promises {
		if h.client == who && h.kind == kind && h.iaid == iaid {
			delete(p.promises, k)
		}
	}
}

// givesBack reports whether a message is a Release or Decline. If so, its client has given up what it names, whether
// there is an answer or not.
func (p *play) givesBack(payload []byte) bool {
	for dhcpv6.MessageType(payload[0]) == dhcpv6.RelayForward {
		m, err := dhcpv6.ParseRelayMessage(payload)
		if err != nil {
			return false
		}
		payload, _ = m.Options.Get(dhcpv6.OptionRelayMsg)
	}
	q, err := dhcpv6.ParseMessage(payload)
	if err != nil || q.Type != dhcpv6.Release && q.Type != dhcpv6.Decline {
		return false
	}
	who, _ := q.Options.Get(dhcpv6.OptionClientID)
	p.forgetGiven(q, string(who))
	return true
}

// hostOf numbers the hosts with fixed leases that newPlay configures; 0: none of them.
func hostOf(d dhcpv6.DUID) int {
	switch {
	case bytes.Equal(d, duid(5)), bytes.Equal(d, duid(6)):
		return 1
	case bytes.Equal(d, duid(4)):
		return 2
	}
	return 0
}

// follow replays the events, as a journal does, and compares with the table. Offers stay within their bounds.
func (p *play) follow() {
	for _, e := range p.Events() {
		key := boundKey{e.Link, e.Key}
		switch e.Kind {
		case server.Bound, server.Renewed:
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
		case server.Expired, server.Declined, server.Replaced:
			delete(p.bound, key)
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
			told := p.bound[boundKey{link.Name, b.Key}]
			for _, k := range b.Leases {
				if !k.Withdrawn && !told[k.Prefix] {
					p.Errorf("%v of %x/%d is bound, the events say %v", k.Prefix, b.Client(), b.IAID, told)
				}
			}
			if len(told) > len(b.Leases) {
				p.Errorf("%x/%d has %v, the events say %v", b.Client(), b.IAID, b.Leases, told)
			}
		}
		if offers += perLink; link.Name == "lan" && perLink > 5 {
			p.Errorf("%d offers on lan", perLink)
		}
	}
	if offers > 7 {
		p.Errorf("%d offers in all", offers)
	}
	if n != len(p.bound) {
		p.Errorf("%d bindings are bound, the events say %d", n, len(p.bound))
		for key, leases := range p.bound {
			if b := p.Table().Link(key.link).Lookup([]byte(key.DUID), key.IAID, key.Kind); b == nil || b.State != lease.Bound {
				p.Errorf("not bound: %v %x/%d on %s, %v", key.Kind, key.DUID, key.IAID, key.link, leases)
			}
		}
		p.Logf("the last query was\n%s", dump(p.last))
	}
}
