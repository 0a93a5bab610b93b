package main

import (
	"strings"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/openwrt"
	"lan6d/relay"
)

// silence is what is known of servers that do not answer. To its clients, a relay agent whose servers are silent is like
// none at all, so whoever looks for the reason must find it here.
type silence struct {
	asked   int       // messages relayed since the last answer
	since   time.Time // when the first of them was
	dropped error     // why an answer to them was not relayed; nil: there was none
	said    bool      // that nobody answers
	cutOff  bool      // it was said that nothing leads to any server
}

// Not every message is answered, so that a few without an answer mean nothing.
const (
	silentMessages = 5
	silentTime     = time.Minute
)

// asked notes that a message was relayed to servers, or was not.
func (d *daemon) asked(now time.Time, err error) {
	s := &d.relay.silence
	switch {
	case err == relay.DropNoServer:
		if !s.cutOff {
			s.cutOff = true
			d.logRelayTrouble(now)
		}
	case err != nil:
	default:
		if s.cutOff {
			s.cutOff = false
			d.log.infof("relay: messages are relayed again")
		}
		if s.asked == 0 {
			s.since = now
		}
		if s.asked++; !s.said && s.isLong(now) {
			s.said = true
			d.logRelayTrouble(now)
		}
	}
}

// answered notes that something came from the side of the servers, which was relayed or was not.
func (d *daemon) answered(payload []byte, err error) {
	s := &d.relay.silence
	switch {
	case err == nil:
		if s.said {
			d.log.infof("relay: servers answer again")
		}
		s.asked, s.dropped, s.said = 0, nil, false
	case len(payload) > 0 && dhcpv6.MessageType(payload[0]) == dhcpv6.RelayReply:
		s.dropped = err
	}
}

// isLong reports whether there should have been an answer.
func (s *silence) isLong(now time.Time) bool {
	return s.asked >= silentMessages && now.Sub(s.since) >= silentTime
}

func (d *daemon) logRelayTrouble(now time.Time) {
	for _, text := range d.relayTrouble(now) {
		d.log.warnf("%s", text)
	}
}

// relayTrouble is what keeps relayed clients from getting answers, as far as that is known.
func (d *daemon) relayTrouble(now time.Time) (list []string) {
	if !d.relays() {
		return nil
	}
	to, unreached := d.relay.Ways(now)
	for i := range unreached {
		list = append(list, "relay: nothing leads to "+serverText(&unreached[i])+": "+d.obstacle(&unreached[i]))
	}
	if s := &d.relay.silence; s.isLong(now) {
		text := tinyfmt.Sprintf("relay: no answer to the last %d messages, the first %s ago, sent to ", s.asked, lifetime(now.Sub(s.since)))
		for i := range to {
			if i > 0 {
				text += ", "
			}
			text += to[i].Peer.Addr().String() + " on " + d.names()[to[i].Ifindex]
		}
		if s.dropped != nil {
			text += "; there was one that is not relayed: " + s.dropped.Error()
		}
		list = append(list, text)
	}
	return list
}

// relays reports whether there is an interface whose clients are relayed.
func (d *daemon) relays() bool {
	for _, s := range d.served {
		if s.role == openwrt.Relay && !s.master {
			return true
		}
	}
	return false
}

func serverText(s *relay.Server) string {
	if s.Interface != "" {
		return s.Addr.String() + "%" + s.Interface
	}
	return s.Addr.String()
}

// obstacle is why nothing leads to a server.
func (d *daemon) obstacle(server *relay.Server) string {
	masters, known, up := "", server.Interface == "", false
	for i := range d.config.Interfaces {
		s := d.served[d.config.Interfaces[i].Name]
		if s == nil || !s.master {
			continue
		}
		masters += ", " + s.name
		if server.Interface == "" || server.Interface == s.name {
			known, up = true, up || s.link.Index != 0
		}
	}
	masters = strings.TrimPrefix(masters, ", ")
	switch {
	case masters == "":
		return "there is no upstream interface, one with option master '1' and option dhcpv6 'relay' or 'hybrid'"
	case !known:
		return server.Interface + " is no upstream interface, as is " + masters
	case !up:
		return "no upstream interface is there at the moment"
	case server.Interface == "" && !server.Addr.IsMulticast():
		return "it is not routed to an upstream interface, as is " + masters
	}
	return "the upstream interface has no address yet"
}
