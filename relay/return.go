package relay

import (
	"encoding/binary"
	"net/netip"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// Return relays what a server sends in a Relay-reply to the client, or to the next relay agent on the way to it (section
// 19.2). The message is copied to buf and out.Payload aliases it. An error is a Drop.
func (r *Relay) Return(now time.Time, in Datagram, buf []byte) (out Datagram, err error) {
	if out, err = r.giveBack(r.table.At(now), &in, buf); err != nil {
		return Datagram{}, r.drop(err)
	}
	r.counters.Returned[typeIndex(dhcpv6.MessageType(out.Payload[0]))]++
	return out, nil
}

func (r *Relay) giveBack(now lease.Time, in *Datagram, buf []byte) (out Datagram, err error) {
	reply, inner, err := r.accept(in)
	if err != nil {
		return out, err
	}
	to, err := r.clientSide(&reply)
	if err != nil {
		return out, err
	}
	if len(inner) > len(buf) {
		return out, DropTooLong
	}
	out.Payload = buf[:len(inner):len(inner)]
	copy(out.Payload, inner)
	m, err := read(out.Payload, dhcpv6.RelayReply, dhcpv6.HopCountLimit)
	switch {
	case err != nil:
		return out, err
	case m.from == client:
		return out, DropMessageType // a reflection: section 19.2 has it relayed, and nobody wants it
	}
	if err := r.rewriteDNS(now, to, &m); err != nil {
		return out, err
	}
	peer := reply.PeerAddress
	if m.kind == dhcpv6.Reply {
		r.learn(now, to, peer, m.content)
	}
	out.Ifindex, out.Local = to.ifindex, to.source(now, peer)
	out.Peer = netip.AddrPortFrom(peer, returnPort(&reply, &m))
	return out, nil
}

// accept checks that a datagram is a Relay-reply from a server, and takes out what it relays.
func (r *Relay) accept(in *Datagram) (reply dhcpv6.RelayMessage, inner []byte, err error) {
	from := r.upstreamByIndex(in.Ifindex)
	switch {
	case from == nil:
		return reply, nil, DropNotUpstream
	case len(in.Payload) == 0:
		return reply, nil, DropMalformed
	case dhcpv6.MessageType(in.Payload[0]) != dhcpv6.RelayReply:
		return reply, nil, DropMessageType
	case !r.isServer(in.Peer.Addr(), from):
		return reply, nil, DropNotServer
	}
	if reply, err = dhcpv6.ParseRelayMessage(in.Payload); err != nil {
		return reply, nil, DropMalformed
	}
	inner, err = relayMessage(reply.Options)
	return reply, inner, err
}

// isServer reports whether somebody may answer. Who is in a group is not known; so only when all servers are configured by
// their addresses, everybody else is refused.
func (r *Relay) isServer(source netip.Addr, from *link) bool {
	servers := r.relayTo()
	for i := range servers {
		if s := &servers[i]; s.Addr.IsMulticast() || s.Addr == source && (s.Interface == "" || s.Interface == from.name) {
			return true
		}
	}
	return false
}

// clientSide finds the interface that a Relay-reply is for: the one that the Interface-Id names; else the one that has the
// link-address. Together they must not name two.
func (r *Relay) clientSide(reply *dhcpv6.RelayMessage) (*link, error) {
	var to *link
	id, named := only(reply.Options, dhcpv6.OptionInterfaceID)
	if named > 0 {
		to = linkByName(r.clients, id)
	}
	if at := r.clientByAddress(reply.LinkAddress, to); named == 0 {
		to = at
	} else if at != nil && at != to {
		to = nil
	}
	switch {
	case named > 1, to == nil:
		return nil, DropInterfaceID
	case to.ifindex == 0:
		return nil, DropInterfaceGone
	case !dhcpv6.IsPeer(reply.PeerAddress), r.isOwn(reply.PeerAddress, to):
		return nil, DropPeerAddress
	}
	return to, nil
}

// clientByAddress is the client-side interface that has the address, or nil; if several have it, first, should it be among
// them.
func (r *Relay) clientByAddress(a netip.Addr, first *link) *link {
	if !a.IsGlobalUnicast() {
		return nil
	}
	var found *link
	for _, l := range r.clients {
		if (found == nil || l == first) && l.has(a) {
			found = l
		}
	}
	return found
}

func (l *link) has(a netip.Addr) bool {
	for i := range l.addresses {
		if l.addresses[i].Addr == a {
			return true
		}
	}
	return false
}

// returnPort is where the next one listens: a client, or a relay agent, which may have named its port (RFC 8357; see
// writeRelayPort).
func returnPort(reply *dhcpv6.RelayMessage, m *message) uint16 {
	if m.depth == 0 {
		return dhcpv6.ClientPort
	}
	if data, _ := reply.Options.Get(dhcpv6.OptionRelayPort); len(data) == 2 {
		if port := binary.BigEndian.Uint16(data); port != 0 {
			return port
		}
	}
	return dhcpv6.ServerPort
}
