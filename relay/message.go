package relay

import "lan6d/dhcpv6"

// sender says who sends messages of a type.
type sender uint8

const (
	unknown sender = iota // types that may have been defined since; they are relayed both ways (section 19)
	client
	server
	relays
)

var senders = [dhcpv6.RelayReply + 1]sender{
	dhcpv6.Solicit: client, dhcpv6.Request: client, dhcpv6.Confirm: client, dhcpv6.Renew: client, dhcpv6.Rebind: client,
	dhcpv6.Release: client, dhcpv6.Decline: client, dhcpv6.InformationRequest: client,
	dhcpv6.Advertise: server, dhcpv6.Reply: server, dhcpv6.Reconfigure: server,
	dhcpv6.RelayForward: relays, dhcpv6.RelayReply: relays,
}

// message is what a relay agent must know of a message: the outermost of the relay agents' headers around it, and what is
// in the innermost.
type message struct {
	depth   int                 // relay agents' headers
	outer   dhcpv6.RelayMessage // the outermost, if there is one
	from    sender              // of the innermost message
	kind    dhcpv6.MessageType  // likewise
	content dhcpv6.Message      // the innermost message; of an unknown type: nothing
}

// read takes the headers of relay agents off, which are all of one type and at most as many as limit, and checks all
// lengths. A message of an unknown type is not looked into.
func read(b []byte, header dhcpv6.MessageType, limit int) (m message, err error) {
	for ; ; m.depth++ {
		if len(b) < 4 {
			return m, DropMalformed
		}
		m.kind = dhcpv6.MessageType(b[0])
		if !m.kind.Relayed() {
			break
		}
		h, err := dhcpv6.ParseRelayMessage(b)
		switch {
		case m.kind != header:
			return m, DropMessageType
		case m.depth == limit:
			return m, DropNesting
		case err != nil:
			return m, DropMalformed
		case m.depth == 0:
			m.outer = h
		}
		if b, err = relayMessage(h.Options); err != nil {
			return m, err
		}
	}
	if int(m.kind) < len(senders) {
		m.from = senders[m.kind]
	}
	if m.from == unknown {
		return m, nil
	}
	if m.content, err = dhcpv6.ParseMessage(b); err != nil {
		return m, DropMalformed
	}
	return m, nil
}

// relayMessage is what the one Relay Message option holds.
func relayMessage(options dhcpv6.Options) (data []byte, err error) {
	data, n := only(options, dhcpv6.OptionRelayMsg)
	if n != 1 {
		return nil, DropRelayMessage
	}
	return data, nil
}

// only is the data of an option that must not be there twice, and how often it is.
func only(options dhcpv6.Options, code dhcpv6.OptionCode) (data []byte, n int) {
	for len(options) > 0 {
		var c dhcpv6.OptionCode
		var d []byte
		if c, d, options = options.Cut(); c == code {
			data = d
			n++
		}
	}
	return data, n
}
