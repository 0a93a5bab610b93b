package relay

import (
	"net/netip"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// Forward relays a client's or another relay agent's message to the servers (section 19.1). The Relay-forward is built in
// buf, at most dhcpv6.MaxPayload octets, and aliases it; it goes to each of the destinations, which are valid until the
// next call. An error is a Drop.
func (r *Relay) Forward(now time.Time, in Datagram, buf []byte) (payload []byte, to []Destination, err error) {
	at := r.table.At(now)
	if payload, err = r.forward(at, &in, buf); err != nil {
		return nil, nil, r.drop(err)
	}
	r.counters.Forwarded++
	r.counters.Copies += uint64(len(r.destinations))
	return payload, r.destinations, nil
}

func (r *Relay) forward(now lease.Time, in *Datagram, buf []byte) ([]byte, error) {
	from := r.clientByIndex(in.Ifindex)
	if from == nil {
		return nil, DropNotClientSide
	}
	if len(in.Payload) > 0 {
		r.counters.Received[typeIndex(dhcpv6.MessageType(in.Payload[0]))]++
	}
	m, err := read(in.Payload, dhcpv6.RelayForward, dhcpv6.HopCountLimit)
	if err == nil {
		err = r.mayForward(&m, in, from)
	}
	if err != nil {
		return nil, err
	}
	if m.kind == dhcpv6.Release {
		r.release(now, from, in.Peer.Addr(), m.content)
	}
	if now >= r.until {
		r.setDestinations(now)
	}
	r.counters.Unreachable += uint64(len(r.unreached))
	if len(r.destinations) == 0 {
		return nil, DropNoServer
	}
	w := dhcpv6.NewWriter(buf[:min(len(buf), dhcpv6.MaxPayload)])
	r.write(&w, now, &m, in, from)
	payload, err := w.Finish()
	if err != nil {
		return nil, DropTooLong
	}
	return payload, nil
}

// mayForward applies what a relay agent must not relay to servers.
func (r *Relay) mayForward(m *message, in *Datagram, from *link) error {
	source := in.Peer.Addr()
	switch {
	case m.from == server:
		return DropMessageType
	case !dhcpv6.IsPeer(source):
		return DropSource
	case r.isOwn(source, from), m.depth > 0 && m.outer.LinkAddress.IsGlobalUnicast() && r.isOwn(m.outer.LinkAddress, from):
		return DropLooped
	case m.depth > 0 && m.outer.HopCount >= dhcpv6.HopCountLimit:
		return DropHopCount
	case m.depth == 0 && m.from == client && in.Local.IsValid() && !in.Local.IsMulticast():
		return DropUnicast // what is of an unknown type may be meant for servers all the same (RFC 7283)
	}
	return nil
}

// write builds the Relay-forward.
func (r *Relay) write(w *dhcpv6.Writer, now lease.Time, m *message, in *Datagram, from *link) {
	source, hops := in.Peer.Addr(), uint8(0)
	if m.depth > 0 {
		hops = m.outer.HopCount + 1
	}
	w.RelayMessage(dhcpv6.RelayForward, hops, r.linkAddress(now, m, source, from), source)
	w.Bytes(from.options)
	switch {
	case m.depth > 0:
		writeRelayPort(w, m.outer.Options, in.Peer.Port())
	case from.ClientLinkLayer:
		r.writeLinkLayer(w, in)
	}
	w.Option(dhcpv6.OptionRelayMsg, in.Payload)
}

// linkAddress names the link that a message came from. From a relay agent with a global or unique local address: none, for
// that agent names it (section 19.1.2). Else an address of the interface's, never a link-local one. When it has none yet,
// an upstream interface's, as odhcpd does, so that it can get one by way of the server; unless the configuration is strict.
func (r *Relay) linkAddress(now lease.Time, m *message, source netip.Addr, from *link) netip.Addr {
	if m.depth > 0 && !source.IsLinkLocalUnicast() {
		return netip.IPv6Unspecified()
	}
	if a := from.address(now); a.IsValid() {
		return a
	}
	for _, u := range r.upstreams {
		if a := u.address(now); a.IsValid() && !from.StrictLinkAddress {
			return a
		}
	}
	return netip.IPv6Unspecified()
}

// writeRelayPort notes the port of a relay agent that wants to be answered there, for Return (RFC 8357). Our own port is
// the usual one: without such an agent the option is not needed.
func writeRelayPort(w *dhcpv6.Writer, options dhcpv6.Options, port uint16) {
	if _, ok := options.Get(dhcpv6.OptionRelayPort); ok && port != dhcpv6.ServerPort && port != 0 {
		m := w.Begin(dhcpv6.OptionRelayPort)
		w.Uint16(port)
		w.End(m)
	}
}

// writeLinkLayer tells the client's link-layer address (RFC 6939), if it is known: the one in the neighbour table. Only when
// there is none it is guessed from the source address, for a client can choose one that looks like another's. So the kernel is
// asked for each message, where this is configured. That takes some microseconds, about what the message costs anyway; for
// clients whose addresses tell nothing, which are most, there is no other way. To remember answers would be to keep something
// for each source that somebody makes up.
func (r *Relay) writeLinkLayer(w *dhcpv6.Writer, in *Datagram) {
	source := in.Peer.Addr()
	var hardware uint16
	var address []byte
	if r.config.LinkLayer != nil {
		hardware, address = r.config.LinkLayer(in.Ifindex, source)
	}
	if len(address) == 0 {
		mac, ok := macOf(source)
		if !ok {
			return
		}
		hardware, address = dhcpv6.HardwareEthernet, mac[:]
	}
	m := w.Begin(dhcpv6.OptionClientLinkLayer)
	w.Uint16(hardware)
	w.Bytes(address)
	w.End(m)
}

// macOf is the Ethernet address that an interface id of 64 bits was made from (RFC 4291, appendix A).
func macOf(a netip.Addr) (mac [6]byte, ok bool) {
	b := a.As16()
	if b[11] != 0xff || b[12] != 0xfe || b[8]&1 != 0 { // the last: a group's, hence no station's
		return mac, false
	}
	copy(mac[:], b[8:11])
	copy(mac[3:], b[13:])
	mac[0] ^= 2
	return mac, true
}
