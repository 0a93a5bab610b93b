package server_test

import (
	"fmt"
	"net/netip"
	"sort"
	"strings"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// The messages of a play, as its script has them.

// rawDatagram takes a datagram from the script as it is.
func (p *play) rawDatagram(op int) []byte {
	flags := p.next()
	n := p.next() << 8
	n = min(n|p.next(), len(p.in))
	if op|flags != 0 {
		n %= 64 // the seeds' are long, others leave something of the script
	}
	b := p.in[:n:n]
	p.in = p.in[n:]
	if flags&1 != 0 {
		b = relay(netip.MustParseAddr("2001:db8:2::9"), b)
	}
	return b
}

var queries = [...]dhcpv6.MessageType{
	dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.Release, dhcpv6.Decline, dhcpv6.Confirm, dhcpv6.Request,
	dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.Release, dhcpv6.Request, dhcpv6.Renew, dhcpv6.InformationRequest,
}

// builtDatagram makes a client's message that is not rejected at once.
func (p *play) builtDatagram() []byte {
	typ, whose, extra := queries[p.next()%len(queries)], p.next(), p.next()
	if whose >= 0x80 {
		whose = p.sender // one message leads to another
	}
	p.sender = whose
	who := duid(3 + whose%8)
	var options [][]byte
	if whose&0x60 != 0 {
		options = append(options, acceptOption())
	}
	if typ != dhcpv6.InformationRequest {
		for range 1 + p.next()%3 {
			options = append(options, p.anIA(who))
		}
	}
	for bit, o := range [][]byte{
		option(dhcpv6.OptionRapidCommit),
		option(dhcpv6.OptionORO, []byte{0, 39, 0, 82, 0, 83, 0, 32, 0, 56, 0, 31, 0, 41, 0, 42, 0, 144}),
		option(dhcpv6.OptionClientFQDN, []byte{1, 3, 'a', '-', byte(extra)}),
		option(dhcpv6.OptionClientArch, []byte{0, 7}),
	} {
		if extra>>bit&1 != 0 {
			options = append(options, o)
		}
	}
	b := message(typ, who, options...)
	if extra>>4&3 == 3 {
		links := []string{"2001:db8:1::9", "2001:db8:3::9", "::", "2001:db8:99::9"}
		b = relay(netip.MustParseAddr(links[p.next()%4]), b, linkLayer(0xabcdef), option(dhcpv6.OptionInterfaceID, []byte{1}))
	}
	if extra>>6 == 3 {
		at := p.next() << 8
		b[(at|p.next())%len(b)] ^= byte(p.next())
	}
	return b
}

// converse has a client give back or extend what it has, and begin anew with it, in one batch.
func (p *play) converse(how int) {
	who := duid(3 + how%8)
	held := p.heldIAs(who)
	if len(held) == 0 {
		return
	}
	first := []dhcpv6.MessageType{dhcpv6.Release, dhcpv6.Decline, dhcpv6.Renew, dhcpv6.Release}[how>>3&3]
	then := []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Rebind}[how>>5&3]
	o := held[p.next()%len(held)]
	p.in = append([]byte{0x20}, p.in...) // the flags that send reads
	p.send(message(first, who, o))
	anew := append([]byte(nil), o[:16]...)
	anew[2], anew[3] = 0, 12 // without what is in it
	p.in = append([]byte{0}, p.in...)
	p.send(message(then, who, anew))
}

// anIA makes an IA that the client has, with all that is in it; or one that names nothing, what the client has, what another
// has, or what is nobody's.
func (p *play) anIA(who dhcpv6.DUID) []byte {
	how := p.next()
	if how >= 0x80 {
		if held := p.heldIAs(who); len(held) > 0 {
			o := held[p.next()%len(held)]
			if p.lastIA = int(o[7]) << 1; o[1] == byte(dhcpv6.OptionIAPD) {
				p.lastIA |= 1
			}
			return o
		}
	}
	if how >= 0x40 {
		how = how&^3 | p.lastIA // what one message was about
	}
	p.lastIA = how & 3
	code, kind, iaid := dhcpv6.OptionIANA, lease.Address, uint32(how>>1&1)
	if how&1 != 0 {
		code, kind = dhcpv6.OptionIAPD, lease.Prefix
	}
	var named []string
	for range how >> 2 & 3 {
		var s string
		switch x := p.next(); x % 5 {
		case 0, 1:
			s = p.promised(kind, func(k boundKey) bool { return k.DUID == string(who) && k.IAID == iaid })
		case 2:
			s = p.promised(kind, func(k boundKey) bool { return k.DUID != string(who) })
		case 3:
			if s = fmt.Sprintf("2001:db8:%d::%x", x%4, p.next()<<4|x&15); kind == lease.Prefix {
				s = fmt.Sprintf("2001:db8:%d:%x::/%d", 1+x%3, p.next()&31, 60+x%6)
			}
		case 4:
			if s = "2001:db8:99::1"; kind == lease.Prefix {
				s = fmt.Sprintf("::/%d", p.next()%129)
			}
		}
		if s != "" {
			named = append(named, s)
		}
	}
	return ia(code, iaid, named...)
}

// heldIAs are the IAs of a client as it would renew them.
func (p *play) heldIAs(who dhcpv6.DUID) (list [][]byte) {
	for _, link := range []string{"lan", "guest"} {
		for i := range 4 {
			kind, code := lease.Kind(i&1), []dhcpv6.OptionCode{dhcpv6.OptionIANA, dhcpv6.OptionIAPD}[i&1]
			key := boundKey{link, lease.Key{DUID: string(who), IAID: uint32(i >> 1), Kind: kind}}
			var named []string
			for k, h := range p.beliefs[key] {
				if !h.over {
					named = append(named, strings.TrimSuffix(k.String(), "/128"))
				}
			}
			if sort.Strings(named); len(named) > 0 {
				list = append(list, ia(code, key.IAID, named...))
			}
		}
	}
	return list
}

// promised is the least lease of an IA that matches, or "".
func (p *play) promised(kind lease.Kind, matches func(boundKey) bool) string {
	var found netip.Prefix
	for key, leases := range p.beliefs {
		for k := range leases {
			if key.Kind == kind && matches(key) && (!found.IsValid() || k.Addr().Less(found.Addr())) {
				found = k
			}
		}
	}
	switch {
	case !found.IsValid():
		return ""
	case kind == lease.Address:
		return found.Addr().String()
	}
	return found.String()
}
