package server

import (
	"encoding/binary"
	"net/netip"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// maxRelays is how many relay agents a message may have passed: hop-count goes from 0 to HOP_COUNT_LIMIT (section 19.1.2).
const maxRelays = dhcpv6.HopCountLimit + 1

// maxEchoed is how many codes of a relay agent's Echo Request option count: each is looked for among all its options.
const maxEchoed = 64

// relayHead is what the answer repeats of one relay agent's header. Options alias the datagram.
type relayHead struct {
	hopCount   uint8
	link, peer netip.Addr
	options    dhcpv6.Options
}

// unwrap takes the relay agents' headers off, remembers them and finds the client's link (section 13.1).
func (r *request) unwrap(payload []byte) ([]byte, error) {
	r.link, r.onLink = r.arrival, r.arrival
	for len(payload) > 0 && dhcpv6.MessageType(payload[0]).Relayed() {
		m, err := dhcpv6.ParseRelayMessage(payload)
		switch {
		case m.Type == dhcpv6.RelayReply, payload[0] == byte(dhcpv6.RelayReply):
			return nil, DropMessageType
		case err != nil:
			return nil, DropMalformed
		case r.relays == len(r.relayed):
			return nil, DropRelayDepth
		case m.Options.Count(dhcpv6.OptionRelayMsg) != 1:
			return nil, DropRelayMessage
		}
		r.counters.Received[dhcpv6.RelayForward]++
		r.relayed[r.relays] = relayHead{m.HopCount, m.LinkAddress, m.PeerAddress, m.Options}
		r.relays++
		payload, _ = m.Options.Get(dhcpv6.OptionRelayMsg)
	}
	if r.relays > 0 {
		r.findRelayedLink()
		_, r.relayPort = r.relayed[0].options.Get(dhcpv6.OptionRelayPort)
		r.mac = clientMAC(r.relayed[r.relays-1].options)
	}
	return payload, nil
}

// findRelayedLink takes the link-address of the relay nearest to the client that gives one. A link-local or multicast
// address names no link and counts as none.
func (r *request) findRelayedLink() {
	for i := r.relays - 1; i >= 0; i-- {
		if a := r.relayed[i].link; a.IsGlobalUnicast() {
			r.onLink = nil
			if l := r.linkOf(a); l != nil {
				r.link, r.onLink = l, r.behind(l, a)
			}
			return
		}
	}
}

// behind is the client's link as its addresses see it. It is l, if the link-address is in the subnet of one of l's own
// addresses. Else it is another link, which a part of l's prefix is routed to: the /64 around the link-address is the
// subnet there. If that is delegated to a client, or on another of our interfaces, the link is none of ours: nil.
func (s *Server) behind(l *link, a netip.Addr) *link {
	if l.onLink(lease.Address, a) {
		return l
	}
	if s.isTaken(a) {
		return nil
	}
	view := &s.behindLink
	*view = *l
	view.view = true
	view.prefixes = s.behindPrefix[:1]
	longest := -1
	for _, p := range l.prefixes {
		if p.net.Contains(a) && p.net.Bits() > longest {
			longest = p.net.Bits()
			p.address, p.addresses = a, l.Addresses && l.allowed(&p)
			p.subnet = netip.PrefixFrom(a, 64).Masked()
			view.prefixes[0] = p
		}
	}
	s.reserveRelay(view, interfaceID(a, 64))
	return view
}

// reserveRelay keeps the interface id of the relay agent's own address from its clients.
func (s *Server) reserveRelay(view *link, id uint64) {
	const kind = lease.Address
	s.behindOwn = view.own[kind].With(id, s.behindOwn)
	s.behindReserved = view.reserved[kind].With(id, s.behindReserved)
	s.behindPools = append(s.behindPools[:0], view.pools[kind]...)
	for i := range s.behindPools {
		s.behindPools[i].Reserved, s.behindPools[i].Spent = s.behindReserved, nil
	}
	view.own[kind], view.reserved[kind], view.pools[kind] = s.behindOwn, s.behindReserved, s.behindPools
}

// isTaken reports whether the /64 around an address is delegated, or in use on an interface of ours.
func (s *Server) isTaken(a netip.Addr) bool {
	for i := range s.given {
		for _, own := range s.given[i].Addresses {
			if high64(own.Prefix.Addr()) == high64(a) {
				return true
			}
		}
	}
	for _, l := range s.links {
		for i := range l.prefixes {
			net := l.prefixes[i].net
			if net.Bits() >= 64 || !net.Contains(a) {
				continue
			}
			if b := l.leases.PrefixAt(subnetSpan(net, a, 64).First, 1); b != nil && b.State == lease.Bound {
				return true
			}
		}
	}
	return false
}

// linkOf is the served link with the longest prefix around an address, or nil.
func (s *Server) linkOf(a netip.Addr) (found *link) {
	longest := -1
	for _, l := range s.links {
		for i := range l.prefixes {
			if net := l.prefixes[i].net; net.Bits() > longest && net.Contains(a) {
				found, longest = l, net.Bits()
			}
		}
	}
	return found
}

// clientMAC is the Ethernet address in a Client Link-Layer Address option (RFC 6939), or nil.
func clientMAC(options dhcpv6.Options) []byte {
	data, ok := options.Get(dhcpv6.OptionClientLinkLayer)
	if !ok || len(data) != 8 || binary.BigEndian.Uint16(data) != dhcpv6.HardwareEthernet {
		return nil
	}
	return data[2:]
}

// wrap begins a Relay-reply for each Relay-forward and leaves its Relay Message option open (section 19.3).
func (r *request) wrap(marks *[maxRelays]dhcpv6.Mark) {
	for i := range r.relays {
		head := &r.relayed[i]
		r.w.RelayMessage(dhcpv6.RelayReply, head.hopCount, head.link, head.peer)
		echo, _ := head.options.Get(dhcpv6.OptionERO)
		echo = echo[:min(len(echo), 2*maxEchoed)]
		for code, data := range head.options.All() {
			if echoed(code, dhcpv6.OptionCodes(echo)) {
				r.w.Option(code, data)
			}
		}
		marks[i] = r.w.Begin(dhcpv6.OptionRelayMsg)
	}
}

// echoed reports whether a relay agent's option goes back to it: Interface-Id, Relay Source Port, and what its Echo
// Request option (RFC 4994) names.
func echoed(code dhcpv6.OptionCode, requested dhcpv6.OptionCodes) bool {
	switch code {
	case dhcpv6.OptionInterfaceID, dhcpv6.OptionRelayPort:
		return true
	case dhcpv6.OptionRelayMsg, dhcpv6.OptionERO:
		return false
	}
	return requested.Has(code)
}
