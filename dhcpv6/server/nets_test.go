package server_test

import (
	"encoding/binary"
	"net/netip"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// The links of a play as the model sees them, worked out anew each time.

// net is a prefix of an interface, with what remains of its lifetimes in seconds.
type net struct {
	whole, subnet    netip.Prefix
	preferred, valid uint32
}

func (n *net) usable() bool { return n.preferred > 0 && n.valid > 0 }

// nets are the prefixes of a link. What gives no leases of that kind counts as at its end.
func (p *play) nets(link string, kind lease.Kind) (list []net) {
	remains := func(end time.Time) uint32 {
		if end.IsZero() {
			return dhcpv6.Infinity
		}
		return uint32(max(end.Sub(p.now), 0) / time.Second)
	}
	c := p.configOf(link)
	for _, l := range p.setup.Links {
		for _, a := range l.Addresses {
			if l.Name != link || a.Unready {
				continue
			}
			subnet := netip.PrefixFrom(a.Prefix.Addr(), max(a.Prefix.Bits(), 64)).Masked()
			n := net{a.Prefix.Masked(), subnet, remains(a.Preferred), remains(a.Valid)}
			if served := [...]bool{c.Addresses, c.Prefixes}; !served[kind] || !allowed(c, a.Prefix) {
				n.preferred, n.valid = 0, 0
			}
			list = append(list, n)
		}
	}
	return list
}

func (p *play) configOf(link string) *server.Interface {
	for i := range p.setup.Interfaces {
		if c := &p.setup.Interfaces[i]; c.Name == link {
			return c
		}
	}
	return nil
}

func allowed(c *server.Interface, p netip.Prefix) bool {
	return !c.PrefixFilter.IsValid() || c.PrefixFilter.Contains(p.Addr())
}

// idIn is the part of a lease that is the client's own, whatever the prefix.
func (n *net) idIn(kind lease.Kind, k netip.Prefix) (id uint64, ok bool) {
	a, base := k.Addr().As16(), n.whole.Addr().As16()
	if kind == lease.Prefix {
		return binary.BigEndian.Uint64(a[:]) - binary.BigEndian.Uint64(base[:]), n.whole.Contains(k.Addr())
	}
	return binary.BigEndian.Uint64(a[8:]) & (1<<(128-n.subnet.Bits()) - 1), n.subnet.Contains(k.Addr())
}

// with is the lease with that id under the prefix, if there is room for it.
func (n *net) with(kind lease.Kind, id uint64, bits int) (k netip.Prefix, ok bool) {
	var b [16]byte
	if kind == lease.Address {
		b = n.subnet.Addr().As16()
		binary.BigEndian.PutUint64(b[8:], binary.BigEndian.Uint64(b[8:])|id)
		k = netip.PrefixFrom(netip.AddrFrom16(b), 128)
		return k, n.subnet.Contains(k.Addr())
	}
	b = n.whole.Addr().As16()
	binary.BigEndian.PutUint64(b[:], binary.BigEndian.Uint64(b[:])+id)
	k = netip.PrefixFrom(netip.AddrFrom16(b), bits)
	return k, bits > n.whole.Bits() && n.whole.Contains(k.Addr())
}

// place is where on a link a client is, as to addresses.
type place int

const (
	onLink   place = iota
	behind         // a relay, in a part of the link's prefix that is routed there
	anywhere       // but on this link
)

// linkOf is the link that a message is about, and where on it the client is.
func (p *play) linkOf(payload []byte) (link string, at place) {
	link = []string{"lan", "guest"}[p.arrived-2]
	var around netip.Addr
	for dhcpv6.MessageType(payload[0]) == dhcpv6.RelayForward {
		m, _ := dhcpv6.ParseRelayMessage(payload)
		if m.LinkAddress.IsGlobalUnicast() {
			around = m.LinkAddress
		}
		payload, _ = m.Options.Get(dhcpv6.OptionRelayMsg)
	}
	if !around.IsValid() {
		return link, onLink
	}
	longest := -1
	for _, name := range []string{"lan", "guest"} {
		for _, n := range p.nets(name, lease.Address) {
			if n.whole.Contains(around) && n.whole.Bits() > longest {
				link, at, longest = name, behind, n.whole.Bits()
			}
		}
	}
	if longest < 0 {
		return link, anywhere
	}
	for _, n := range p.nets(link, lease.Address) {
		if n.subnet.Contains(around) {
			at = onLink
		}
	}
	return link, at
}
