package openwrt

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/relay"
)

// Relaying is what the configuration says about an interface that relays.
type Relaying struct {
	Servers      []RelayServer // where to; none: All_DHCP_Servers
	StrictLink   bool          // without an address of its own, the link-address is ::, not the master's
	RewriteDNS   Choice        // DNS servers in answers become those of the interface; Auto: if it has any configured
	RemoteID     []byte        // RFC 4649: enterprise number and id; nil: not sent
	SubscriberID []byte        // RFC 4580; nil: not sent
	LinkLayer    bool          // send the client's link-layer address (RFC 6939)
}

// RelayServer is a destination of relayed messages.
type RelayServer struct {
	Addr      netip.Addr
	Interface string // a logical one or a device; empty: by routing, for a group every master
}

// Choice is yes, no, or whatever seems right.
type Choice uint8

const (
	Auto Choice = iota
	No
	Yes
)

// rewritesDNS reports whether the DNS servers in answers to relayed clients become those of the interface.
func (i *Interface) rewritesDNS() bool {
	return i.Relaying.RewriteDNS == Yes || i.Relaying.RewriteDNS == Auto && len(i.Server.DNS) > 0
}

// RelayConfig is the configuration of the relay agent, with the interfaces that relay at the moment.
func (c *Config) RelayConfig() relay.Config {
	k := relay.Config{RelayID: c.Daemon.RelayID, Routes: c.Daemon.RelayRoutes, MaxPrefixes: c.Daemon.RelayMaxPrefixes}
	for n := range c.Interfaces {
		i := &c.Interfaces[n]
		if i.Role != Relay {
			continue
		}
		for _, s := range i.Relaying.Servers {
			k.Servers = append(k.Servers, relay.Server{Addr: s.Addr, Interface: c.logicalName(s.Interface)})
		}
		if i.Master {
			k.Upstreams = append(k.Upstreams, i.Name)
		} else {
			k.Interfaces = append(k.Interfaces, i.relayed())
		}
	}
	return k
}

// relayed is the interface as the relay agent wants it.
func (i *Interface) relayed() relay.Interface {
	r := &i.Relaying
	k := relay.Interface{
		Name: i.Name, StrictLinkAddress: r.StrictLink, RewriteDNS: i.rewritesDNS(), DNS: i.Server.DNS,
		SubscriberID: r.SubscriberID, ClientLinkLayer: r.LinkLayer,
	}
	if len(r.RemoteID) > 4 {
		k.RemoteID = &relay.RemoteID{Enterprise: binary.BigEndian.Uint32(r.RemoteID), ID: r.RemoteID[4:]}
	}
	return k
}

// logicalName is the name of the interface that is called so, or whose device is.
func (c *Config) logicalName(name string) string {
	if c.Interface(name) != nil {
		return name
	}
	for n := range c.Interfaces {
		if i := &c.Interfaces[n]; name != "" && i.Device == name {
			return i.Name
		}
	}
	return name
}

func setRelayServers(l *list) {
	for i, v := range l.values {
		if s, err := parseRelayServer(v); l.take(i, 0, true, err) {
			f := l.field.(*[]RelayServer)
			*f = append(*f, s)
		}
	}
}

// parseRelayServer reads the address of a server or a group. What is link-local means nothing without its interface.
func parseRelayServer(v string) (s RelayServer, err error) {
	text, name, zone := strings.Cut(v, "%")
	s.Addr, err = parseAddr(text)
	switch {
	case err != nil || !s.Addr.Is6() || s.Addr.Is4In6() || s.Addr.IsLoopback():
		return s, wrong(v, "is no address of a DHCPv6 server, allowed are IPv6 addresses of hosts and groups, with %interface if they are link-local")
	case zone:
		s.Interface = name
		return s, checkInterfaceName(name)
	case s.Addr.IsLinkLocalUnicast() || s.Addr.IsLinkLocalMulticast():
		return s, wrong(v, "is link-local, allowed is "+text+"%interface")
	}
	return s, nil
}

func setRelayLinkAddress(o *option, v string) error {
	if v != "auto" && v != "strict" {
		return wrong(v, "is no way to find a link-address, allowed are auto, strict")
	}
	*o.field.(*bool) = v == "strict"
	return nil
}

func setChoice(o *option, v string) error {
	yes, err := parseBool(v)
	switch choice := o.field.(*Choice); {
	case err != nil:
		return err
	case yes:
		*choice = Yes
	default:
		*choice = No
	}
	return nil
}

// maxIdentifier bounds what a relay adds to every message: a Relay-forward must still fit a datagram.
const maxIdentifier = 255

// setIdentifier takes a text as it is, or octets as hexadecimal digits behind 0x.
func setIdentifier(o *option, v string) error {
	b, err := parseIdentifier(v)
	if err == nil {
		*o.field.(*[]byte) = b
	}
	return err
}

func parseIdentifier(v string) ([]byte, error) {
	b := []byte(v)
	if digits, ok := strings.CutPrefix(v, "0x"); ok {
		var err error
		if b, err = tinyfmt.ParseHex(digits); err != nil {
			return nil, wrong(v, "is not an even number of hexadecimal digits behind 0x")
		}
	}
	if len(b) == 0 || len(b) > maxIdentifier {
		return nil, wrong(v, "is no identifier, allowed are 1..255 octets, as text or as hexadecimal digits behind 0x")
	}
	return b, nil
}

// setRemoteID takes "32473:port-7": the enterprise number of whoever defines the id, and the id.
func setRemoteID(o *option, v string) error {
	number, id, ok := strings.Cut(v, ":")
	n, valid := parseNumber(number)
	if !ok || !valid || n < 0 || n > dhcpv6.Infinity {
		return wrong(v, "is no Remote-Id, allowed is an enterprise number of 32 bits, a colon and the id")
	}
	b, err := parseIdentifier(id)
	if err == nil {
		*o.field.(*[]byte) = append(binary.BigEndian.AppendUint32(nil, uint32(n)), b...)
	}
	return err
}

// setRelayID takes a DUID: section 11 of RFC 9915 wants three octets at least.
func setRelayID(o *option, v string) error { return setOwnDUID(o, v, 3) }
