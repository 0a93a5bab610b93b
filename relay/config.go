package relay

import (
	"net/netip"

	"lan6d/dhcpv6"
)

// Defaults of Config.
const (
	DefaultMaxPerClient    = 8    // RFC 8987, G-7
	DefaultMaxPerInterface = 2048 // RFC 8987, G-6
	DefaultMaxPrefixes     = 4096
)

// Config is what the relay agent is told to do. It is a value: the Relay keeps it and changes nothing in it, nor may the
// caller after SetConfig.
type Config struct {
	Interfaces []Interface // the client side, in the order of the configuration
	Upstreams  []string    // the logical names of the interfaces that lead to servers; none of these is client side too
	Servers    []Server    // none: ff05::1:3 on each upstream interface
	RelayID    dhcpv6.DUID // for a Relay-Id option (RFC 5460); nil: none is sent

	// LinkLayer looks up a neighbour: its hardware type and its link-layer address, which must not change until the next
	// call; nil if it is not known. It is called for each Client Link-Layer Address option, and when somebody else claims
	// what a client holds. nil: no neighbour is known.
	LinkLayer func(ifindex int, neighbour netip.Addr) (hardwareType uint16, address []byte)

	Routes          bool // learn delegated prefixes and tell routes to them
	MaxPerClient    int  // prefixes of a client on an interface; 0: DefaultMaxPerClient
	MaxPerInterface int  // prefixes on an interface; 0: DefaultMaxPerInterface
	MaxPrefixes     int  // prefixes in all; 0: DefaultMaxPrefixes
}

// Interface is one client-side interface.
type Interface struct {
	Name string // the logical interface, "lan"; Link.Name says the same. It is the Interface-Id

	// StrictLinkAddress: while the interface has neither a global nor a unique local address, link-address is the
	// unspecified address, and not that of an upstream interface.
	StrictLinkAddress bool

	// RewriteDNS: DNS servers in what servers answer are replaced by DNS, or by the interface's own address if that is
	// empty.
	RewriteDNS bool
	DNS        []netip.Addr

	RemoteID        *RemoteID // RFC 4649; nil: not sent
	SubscriberID    []byte    // RFC 4580; nil: not sent
	ClientLinkLayer bool      // send the client's link-layer address (RFC 6939)
}

// RemoteID is the content of a Remote-Id option.
type RemoteID struct {
	Enterprise uint32 // number of the vendor, at IANA, that says what ID means
	ID         []byte
}

// Server is where to relay to: a server or another relay agent, or a group of them.
type Server struct {
	Addr netip.Addr // without zone

	// Interface is the logical name of the upstream interface that leads to it. A link-local address needs one. Empty:
	// a group is on every upstream interface, a unicast address on the one that SetPaths names.
	Interface string
}

// allServers is where Relay-forwards go unless the configuration says otherwise (section 19).
var allServers = []Server{{Addr: dhcpv6.AllServers}}

// options are those of a Relay-forward from the interface that are always the same.
func (c *Config) options(i *Interface) []byte {
	n := 4*4 + len(i.Name) + len(i.SubscriberID) + len(c.RelayID)
	if i.RemoteID != nil {
		n += 4 + len(i.RemoteID.ID)
	}
	w := dhcpv6.NewWriter(make([]byte, n))
	w.Option(dhcpv6.OptionInterfaceID, []byte(i.Name))
	if i.RemoteID != nil {
		m := w.Begin(dhcpv6.OptionRemoteID)
		w.Uint32(i.RemoteID.Enterprise)
		w.Bytes(i.RemoteID.ID)
		w.End(m)
	}
	if len(i.SubscriberID) > 0 {
		w.Option(dhcpv6.OptionSubscriberID, i.SubscriberID)
	}
	if len(c.RelayID) > 0 {
		w.Option(dhcpv6.OptionRelayID, c.RelayID)
	}
	b, _ := w.Finish() // the configuration has nothing that is too long
	return b
}

// orDefault puts a default in for 0.
func orDefault(n *int, byDefault int) {
	if *n <= 0 {
		*n = byDefault
	}
}
