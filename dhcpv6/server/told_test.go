package server_test

import (
	"bytes"
	"fmt"
	"sort"
	"time"

	"lan6d/dhcpv6"
)

// What the clients of a play have been told about Reconfigure, against the messages that the server sends.

// told are the last keys that clients were told, by DUID and by where the message came from.
type told struct {
	keys   map[string]map[string][]byte
	all    map[string][][]byte // by DUID, all that there ever were
	maybe  map[string][][]byte // by DUID, those that the server may use too
	replay uint64              // the highest value that anybody was told
	sent   int
}

func newTold() told {
	return told{
		keys: make(map[string]map[string][]byte), all: make(map[string][][]byte), maybe: make(map[string][][]byte),
	}
}

// allMaybe allows the server all keys that there were: it has gone back in time, or the links have changed, and with them
// where a client is that a relay tells of. What it knows of a client on another link it goes on using there.
func (t *told) allMaybe() {
	for who, keys := range t.all {
		t.maybe[who] = append(t.maybe[who], keys...)
	}
}

// overhear notes the key in an answer that does not reach the client.
func (p *play) overhear(q dhcpv6.Message, a answer) {
	who, _ := q.Options.Get(dhcpv6.OptionClientID)
	if _, ok := a.Options.Get(dhcpv6.OptionAuth); ok {
		key := keyIn(p, append([]byte{byte(a.Type), 0, 0, 0}, a.Options...))
		p.told.maybe[string(who)] = append(p.told.maybe[string(who)], key)
	}
}

// hear notes the key in an answer. A key that is told again is the same.
func (p *play) hear(in []byte, q dhcpv6.Message, a answer) {
	who, _ := q.Options.Get(dhcpv6.OptionClientID)
	_, accepts := q.Options.Get(dhcpv6.OptionReconfAccept)
	_, accepted := a.Options.Get(dhcpv6.OptionReconfAccept)
	if accepted && (!accepts || who == nil) {
		p.Errorf("%v accepted, which was not offered", a.Type)
	}
	p.noteAcceptance(in, q, a, accepted)
	auth, ok := a.Options.Get(dhcpv6.OptionAuth)
	if !ok {
		return
	}
	key := keyIn(p, append([]byte{byte(a.Type), 0, 0, 0}, a.Options...))
	p.grows(auth[3:11])
	if p.told.keys[string(who)] == nil {
		p.told.keys[string(who)] = make(map[string][]byte)
	}
	p.told.keys[string(who)][p.place(in)] = key
	p.told.all[string(who)] = append(p.told.all[string(who)], key)
}

// grows checks a replay detection value: it is higher than all before, whoever they went to.
func (p *play) grows(b []byte) {
	value := uint64(0)
	for _, octet := range b {
		value = value<<8 | uint64(octet)
	}
	if value <= p.told.replay {
		p.Errorf("replay value %x after %x", value, p.told.replay)
	}
	p.told.replay = value
}

// place is where a message came from: through which interface and which relay's link.
func (p *play) place(in []byte) string {
	place := []byte{byte(p.arrived)}
	for len(in) >= 34 && dhcpv6.MessageType(in[0]) == dhcpv6.RelayForward {
		place = append(place, in[2:18]...)
		m, _ := dhcpv6.ParseRelayMessage(in)
		in, _ = m.Options.Get(dhcpv6.OptionRelayMsg)
	}
	return string(place)
}

// reconfigureSome lets the server reconfigure and takes some or all of the messages.
func (p *play) reconfigureSome(how int) {
	if how&3 == 3 {
		types := [...]dhcpv6.MessageType{0, dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.InformationRequest}
		var who dhcpv6.DUID
		if how&0x40 != 0 {
			who = duid(3 + p.next()%8)
		}
		p.Reconfigure(p.now, []string{"", "lan"}[how>>5&1], who, types[how>>3&3])
	}
	for range how >> 3 {
		out, ok := p.nextReconfigure()
		if !ok {
			break
		}
		out.Payload = bytes.Clone(out.Payload)
		p.checkReconfigure(readReconfigure(p, out))
	}
	if err := p.CheckClients(); err != nil {
		p.Error(err)
	}
}

// checkReconfigure expects that the client was told the key that a message is signed with.
func (p *play) checkReconfigure(r reconfiguration) {
	p.told.sent++
	known := false
	for _, key := range p.told.keys[string(r.client)] {
		known = known || r.authentic(key)
	}
	for _, key := range p.told.maybe[string(r.client)] {
		known = known || r.authentic(key)
	}
	if !known {
		p.Errorf("client %v is sent a message that it was told no key for", r.client)
	}
	auth := r.message[len(r.message)-25:]
	p.grows(auth[:8])
}

// noteAcceptance notes whether a client accepts Reconfigure: until it begins an exchange in which it does not.
func (p *play) noteAcceptance(in []byte, q dhcpv6.Message, a answer, accepted bool) {
	who, _ := q.Options.Get(dhcpv6.OptionClientID)
	link, _ := p.linkOf(in)
	key := clientOn{link, string(who)}
	switch q.Type {
	case dhcpv6.Solicit, dhcpv6.Request, dhcpv6.InformationRequest, dhcpv6.Renew, dhcpv6.Rebind:
		if a.status == "UseMulticast" {
			return
		}
		if accepted && a.Type == dhcpv6.Reply {
			p.accept[key] = true
		}
		if !accepted && q.Type != dhcpv6.Renew && q.Type != dhcpv6.Rebind {
			delete(p.accept, key)
		}
	}
}

// moved notes which prefixes are usable now that the server is told of them, and returns the links where they were others.
func (p *play) moved() (links []string) {
	if p.any == nil {
		p.any = make(map[string]bool)
	}
	for _, l := range p.setup.Links {
		usable, any := []string{}, false
		for _, a := range l.Addresses {
			any = any || !a.Unready
			if after := func(t time.Time) bool { return t.IsZero() || t.After(p.now) }; !a.Unready && after(a.Preferred) && after(a.Valid) && allowed(p.configOf(l.Name), a.Prefix) {
				usable = append(usable, a.Prefix.Masked().String())
			}
		}
		sort.Strings(usable)
		before, noted := p.usable[l.Name]
		now := fmt.Sprint(usable)
		if !any && !p.any[l.Name] {
			continue // not yet
		}
		if p.usable[l.Name], p.any[l.Name] = now, any; noted && before != now {
			links = append(links, l.Name)
		}
	}
	return links
}

// wantMoved expects that all who have bindings on the links, and accept it, are sent a Reconfigure.
func (p *play) wantMoved(links []string) {
	sent := make(map[string]bool)
	for range 100 {
		out, ok := p.NextReconfigure(p.now, p.buf[:1500])
		if !ok {
			break
		}
		out.Payload = bytes.Clone(out.Payload)
		r := readReconfigure(p, out)
		p.checkReconfigure(r)
		sent[string(r.client)] = true
	}
	for _, link := range links {
		for key := range p.bound {
			if p.accept[clientOn{link, key.DUID}] && key.link == link && !sent[key.DUID] {
				p.Errorf("the prefixes of %s are others and %x is not told", link, key.DUID)
			}
		}
	}
}
