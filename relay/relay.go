package relay

import (
	"net/netip"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// Datagram is a UDP datagram, received or to be sent. Payload belongs to the caller: of a received one it must not
// change until Forward or Return returns, that of one to be sent aliases the buffer given to them.
type Datagram struct {
	Payload []byte
	Ifindex int            // the interface it arrived on or leaves by
	Peer    netip.AddrPort // where it came from or goes to, without zone
	Local   netip.Addr     // our address: the destination of a received one, the source of one to be sent
}

// Destination is where a Relay-forward goes.
type Destination struct {
	Ifindex int            // the upstream interface it leaves by
	Peer    netip.AddrPort // without zone
	Local   netip.Addr     // its source
}

// Relay is the state machine. New makes one.
type Relay struct {
	config   Config
	table    *lease.Table
	events   []Event
	counters Counters

	given     []Link // what SetLinks was told last
	paths     []Path // what SetPaths was told last
	clients   []*link
	upstreams []*link
	own       []netip.Addr
	onLink    []netip.Prefix // around these: see isRoutable

	destinations []Destination
	unreached    []Server   // those that are not among them
	until        lease.Time // when an address of ours in them ends

	held    map[netip.Prefix]*lease.Binding
	lengths [129]int // how many of these are that long
	counts  map[share]int
	servers map[*lease.Binding]string // the DUID of the server that gave it; missing: not known
	rivals  map[*lease.Binding]*rival // for what it holds
	claims  uint64                    // messages that were read for what they say of prefixes
}

// New makes a relay agent without links. The table's epoch becomes now.
func New(now time.Time, config Config) *Relay {
	r := &Relay{
		table: lease.NewTable(now, lease.Limits{}),
		held:  make(map[netip.Prefix]*lease.Binding), counts: make(map[share]int),
		servers: make(map[*lease.Binding]string), rivals: make(map[*lease.Binding]*rival),
	}
	r.SetConfig(now, config)
	return r
}

// SetConfig changes the configuration. What clients hold stays until it ends, and its routes as long as Routes is on: also
// on an interface that is no longer relayed.
func (r *Relay) SetConfig(now time.Time, config Config) {
	r.config = config
	orDefault(&r.config.MaxPerClient, DefaultMaxPerClient)
	orDefault(&r.config.MaxPerInterface, DefaultMaxPerInterface)
	orDefault(&r.config.MaxPrefixes, DefaultMaxPrefixes)
	r.SetLinks(now, r.given)
}

// Counters counts what happened since New.
func (r *Relay) Counters() *Counters { return &r.counters }

// Table holds the delegated prefixes, as bindings of IA_PDs; for reading only. The ids in it mean nothing.
func (r *Relay) Table() *lease.Table { return r.table }

// IsUpstream reports whether datagrams from an interface are for Return; if not, they are for Forward.
func (r *Relay) IsUpstream(ifindex int) bool { return r.upstreamByIndex(ifindex) != nil }

// SetPaths tells which interfaces lead to the unicast servers of the configuration without an interface of their own. It
// replaces what was told before; a server that is missing cannot be reached.
func (r *Relay) SetPaths(now time.Time, paths []Path) {
	r.paths = paths
	r.setDestinations(r.table.At(now))
}

// setDestinations finds out where Relay-forwards go. It stays so until addresses of ours change.
func (r *Relay) setDestinations(now lease.Time) {
	r.destinations, r.unreached, r.until = r.destinations[:0], r.unreached[:0], lease.Never
	servers := r.relayTo()
	for i := range servers {
		s, reached := &servers[i], false
		for _, u := range r.upstreams {
			if r.leadsTo(u, s) && r.addDestination(now, u, s.Addr) {
				reached = true
			}
		}
		if !reached {
			r.unreached = append(r.unreached, *s)
		}
	}
	for _, u := range r.upstreams {
		r.until = min(r.until, u.until)
	}
}

// Ways tells where Relay-forwards go at the moment, and to which servers nothing leads. Both are valid until the next call of
// any method.
func (r *Relay) Ways(now time.Time) (to []Destination, unreached []Server) {
	if at := r.table.At(now); at >= r.until {
		r.setDestinations(at)
	}
	return r.destinations, r.unreached
}

func (r *Relay) relayTo() []Server {
	if len(r.config.Servers) == 0 {
		return allServers
	}
	return r.config.Servers
}

// leadsTo reports whether Relay-forwards to a server leave by an upstream interface.
func (r *Relay) leadsTo(u *link, s *Server) bool {
	switch {
	case s.Interface != "":
		return s.Interface == u.name
	case s.Addr.IsMulticast():
		return true
	}
	for i := range r.paths {
		if r.paths[i].Ifindex == u.ifindex && r.paths[i].Server == s.Addr {
			return true
		}
	}
	return false
}

// addDestination adds a server on an interface, unless it is there already, and reports whether it is then.
func (r *Relay) addDestination(now lease.Time, u *link, to netip.Addr) bool {
	local := u.source(now, to)
	if !local.IsValid() {
		return false
	}
	for i := range r.destinations {
		if d := &r.destinations[i]; d.Ifindex == u.ifindex && d.Peer.Addr() == to {
			return true
		}
	}
	r.destinations = append(r.destinations, Destination{u.ifindex, netip.AddrPortFrom(to, dhcpv6.ServerPort), local})
	return true
}

// drop counts a drop.
func (r *Relay) drop(err error) error {
	if d, ok := err.(Drop); ok {
		r.counters.Dropped[d]++
	}
	return err
}

// typeIndex is the index of a message type in Counters.
func typeIndex(t dhcpv6.MessageType) int {
	if t > dhcpv6.RelayReply {
		return 0
	}
	return int(t)
}
