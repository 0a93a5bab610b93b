package server

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// request is what Handle knows of the datagram it works on. One is kept and used again and again.
type request struct {
	*Server
	now     lease.Time
	in      Datagram
	w       dhcpv6.Writer
	msg     dhcpv6.Message
	client  dhcpv6.DUID
	oro     dhcpv6.OptionCodes
	arrival *link // the interface the datagram came in on
	link    *link // the client's link: where prefixes and options come from
	onLink  *link // where addresses come from: link, or nil if the relay names a link that is not ours
	reply   dhcpv6.MessageType

	relays    int                  // relay agents the message passed
	relayed   [maxRelays]relayHead // outermost first
	relayPort bool                 // the outermost relay wants the answer at its source port (RFC 8357)
	mac       []byte               // from the relay (RFC 6939): 6 octets or nil

	buf        []byte      // where the answer is written
	chain      dhcpv6.Mark // the end of the Relay-replies' headers in it
	acceptance acceptance

	pending  []pending        // bindings to be made or kept when the answer is written
	removed  []*lease.Binding // bindings that had to go, in this order
	leases   []lease.Lease    // of the pending bindings
	granted  []dhcpv6.Mark    // T1 of each IA that grants something
	answers  int              // IAs that the answer has
	searches int              // of pools that turned out to be full
	walked   uint64           // Table.Walked when the message came
	asked    struct {         // the last answer of asksFor
		binding *lease.Binding
		names   bool
	}
	name hostname
}

// pending is a binding of which the answer in the making tells.
type pending struct {
	binding  *lease.Binding
	was      lease.State
	from, to int  // its leases in request.leases
	fixed    bool // the configuration gives it its id
}

func (r *request) begin(s *Server, now lease.Time, in Datagram, buf []byte) {
	buf = buf[:min(len(buf), dhcpv6.MaxPayload)]
	*r = request{
		Server: s, now: now, in: in, w: dhcpv6.NewWriter(buf), buf: buf, walked: s.table.Walked(),
		pending: r.pending[:0], removed: r.removed[:0], leases: r.leases[:0], granted: r.granted[:0], relayed: r.relayed,
	}
}

// answer validates the message and writes the answer.
func (r *request) answer() ([]byte, error) {
	if r.arrival = r.linkByIndex(r.in.Ifindex); r.arrival == nil {
		return nil, DropNotServed
	}
	if !dhcpv6.IsPeer(r.in.Peer.Addr()) {
		return nil, DropSource
	}
	payload, err := r.unwrap(r.in.Payload)
	if err != nil {
		return nil, err
	}
	if r.msg, err = dhcpv6.ParseMessage(payload); err != nil {
		return nil, DropMalformed
	}
	r.counters.Received[messageIndex(r.msg.Type)]++
	if err := r.validate(); err != nil {
		return nil, err
	}
	var marks [maxRelays]dhcpv6.Mark
	r.wrap(&marks)
	r.chain = r.w.Mark()
	if err := r.exchange(); err != nil {
		return nil, err
	}
	for i := r.relays - 1; i >= 0; i-- {
		r.w.End(marks[i])
	}
	answer, err := r.w.Finish()
	if err != nil {
		return nil, DropReplyTooLong
	}
	return answer, nil
}

// peer is where the answer goes (section 7.2; RFC 8357), whatever port the query came from.
func (r *request) peer() netip.AddrPort {
	switch {
	case r.relays == 0:
		return netip.AddrPortFrom(r.in.Peer.Addr(), dhcpv6.ClientPort)
	case r.relayPort:
		return r.in.Peer
	}
	return netip.AddrPortFrom(r.in.Peer.Addr(), dhcpv6.ServerPort)
}

// validate applies section 16 and finds out who the client is.
func (r *request) validate() error {
	rules := messageRules[messageIndex(r.msg.Type)]
	if !rules.known {
		return DropMessageType
	}
	server, err := r.identifiers()
	if err != nil {
		return err
	}
	switch {
	case r.client == nil && rules.clientID:
		return DropNoClientID
	case bytes.Equal(r.client, r.config.DUID):
		return DropOwnDUID
	case server == nil && rules.serverID == required:
		return DropNoServerID
	case server != nil && rules.serverID == forbidden:
		return DropUnwantedServer
	case server != nil && !bytes.Equal(server, r.config.DUID):
		return DropOtherServer
	case r.unicast() && !rules.unicast:
		return DropUnicast
	}
	if oro, ok := r.msg.Options.Get(dhcpv6.OptionORO); ok {
		r.oro = dhcpv6.OptionCodes(oro)
	}
	return r.checkOptions()
}

// unicast reports whether the client sent the message to an address of ours instead of to the servers' group.
func (r *request) unicast() bool {
	return r.relays == 0 && r.in.Local.IsValid() && !r.in.Local.IsMulticast()
}

// messageRule says what section 16 demands of a message type.
type messageRule struct {
	known    bool // a message that clients send to servers
	clientID bool // a Client Identifier is required
	serverID presence
	unicast  bool // sent to a unicast address it is answered, with UseMulticast, and not ignored
}

type presence uint8

const (
	allowed presence = iota
	required
	forbidden
)

var messageRules = [dhcpv6.RelayReply + 1]messageRule{
	dhcpv6.Solicit:            {true, true, forbidden, false}, // 16.2
	dhcpv6.Request:            {true, true, required, true},   // 16.4
	dhcpv6.Confirm:            {true, true, forbidden, false}, // 16.5
	dhcpv6.Renew:              {true, true, required, true},   // 16.6
	dhcpv6.Rebind:             {true, true, forbidden, false}, // 16.7
	dhcpv6.Decline:            {true, true, required, true},   // 16.8
	dhcpv6.Release:            {true, true, required, true},   // 16.9
	dhcpv6.InformationRequest: {true, false, allowed, false},  // 16.12
}

// identifiers reads the Client and the Server Identifier; nil for one that is not there.
func (r *request) identifiers() (server dhcpv6.DUID, err error) {
	for code, data := range r.msg.Options.All() {
		switch code {
		case dhcpv6.OptionClientID:
			if r.client != nil {
				return nil, DropDuplicateID
			}
			if r.client, err = dhcpv6.ParseDUID(data); err != nil {
				return nil, DropClientID
			}
		case dhcpv6.OptionServerID:
			if server != nil {
				return nil, DropDuplicateID
			}
			if server, err = dhcpv6.ParseDUID(data); err != nil {
				return nil, DropServerID
			}
		}
	}
	return server, nil
}

// checkOptions checks the IAs with all that is in them, so that nothing needs to be checked later, and whether the
// configuration ignores the client.
func (r *request) checkOptions() error {
	ias := 0
	for code, data := range r.msg.Options.All() {
		switch code {
		case dhcpv6.OptionIANA, dhcpv6.OptionIAPD:
			if r.msg.Type == dhcpv6.InformationRequest {
				return DropUnwantedIA
			}
			ia, err := dhcpv6.ParseIA(data)
			if err != nil || !wellFormed(ia) {
				return DropMalformed
			}
			ias++
			if host := r.host(ia.IAID); host != nil && host.Ignore {
				return DropIgnored
			}
		case dhcpv6.OptionUserClass:
			if isClass(data, r.link.FilterClass) {
				return DropIgnored
			}
		}
	}
	if ias > 0 {
		return nil
	}
	if host := r.hosts.findClient(r.client, r.mac); host != nil && host.Ignore {
		return DropIgnored
	}
	return nil
}

// host is the configuration's entry for an IA of the client, or nil.
func (r *request) host(iaid uint32) *Host { return r.hosts.find(r.client, iaid, r.mac) }

// wellFormed reports whether the addresses and prefixes in an IA are.
func wellFormed(ia dhcpv6.IA) bool {
	for code, data := range ia.All() {
		var err error
		switch code {
		case dhcpv6.OptionIAAddr:
			_, err = dhcpv6.ParseIAAddr(data)
		case dhcpv6.OptionIAPrefix:
			_, err = dhcpv6.ParseIAPrefix(data)
		}
		if err != nil {
			return false
		}
	}
	return true
}

// isClass reports whether one of the classes in a User Class option (section 21.15) is that one.
func isClass(data []byte, class string) bool {
	for class != "" && len(data) >= 2 {
		n := int(binary.BigEndian.Uint16(data))
		if n > len(data)-2 {
			return false
		}
		if string(data[2:2+n]) == class {
			return true
		}
		data = data[2+n:]
	}
	return false
}

// linkByIndex is the served link on that interface, or nil.
func (s *Server) linkByIndex(ifindex int) *link {
	for _, l := range s.links {
		if l.present && l.ifindex == ifindex {
			return l
		}
	}
	return nil
}
