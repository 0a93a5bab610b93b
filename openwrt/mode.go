package openwrt

// Mode is what an interface does for DHCPv6: the option dhcpv6.
type Mode uint8

const (
	Disabled Mode = iota
	Server
	Relay
	Hybrid // relay or server, whatever the other interfaces allow
)

var modeNames = [...]string{Disabled: "disabled", Server: "server", Relay: "relay", Hybrid: "hybrid"}

// String is the mode as the option has it.
func (m Mode) String() string { return modeNames[m] }

func parseMode(s string) (Mode, error) {
	for m, name := range modeNames {
		if s == name {
			return Mode(m), nil
		}
	}
	return Disabled, wrong(s, "is no mode, allowed are disabled, server, relay, hybrid")
}

// ResolveModes decides the Role of every interface, and tells whether one has changed. It is to be called again whenever
// what delegated tells may have: whether a prefix is delegated to a master interface.
//
// A master relays unless it is hybrid and has a prefix, from which its neighbours can be served; it does not if nobody is to
// be relayed. Other interfaces that are hybrid relay while a master does. One that is to relay stays so without a master.
func (c *Config) ResolveModes(delegated func(master *Interface) bool) (changed bool) {
	relayed := false
	for n := range c.Interfaces {
		i := &c.Interfaces[n]
		relayed = relayed || !i.Master && i.mayRelay()
	}
	relaying := false
	role := func(i *Interface) Mode {
		switch {
		case i.refused:
			return Disabled
		case i.Master && (i.Mode == Relay || i.Mode == Hybrid):
			if i.idle || i.Mode == Hybrid && delegated(i) {
				return Disabled
			}
			return Relay
		case i.Mode == Hybrid && relaying:
			return Relay
		case i.Mode == Hybrid:
			return Server
		}
		return i.Mode
	}
	for _, masters := range []bool{true, false} { // what the others do depends on the masters
		for n := range c.Interfaces {
			i := &c.Interfaces[n]
			if i.Master != masters {
				continue
			}
			was := i.Role
			i.idle = masters && !relayed && i.mayRelay()
			i.Role = role(i)
			changed = changed || i.Role != was
			relaying = relaying || i.Master && i.Role == Relay
		}
	}
	return changed
}

// mayRelay reports whether the interface may have the Role Relay, on whatever side.
func (i *Interface) mayRelay() bool { return i.wanted() && i.Mode != Server }

// noteRelaying warns of interfaces that are to relay while there is nowhere to relay to, and of servers that are said to be
// where none can be.
func (b *builder) noteRelaying(interfaces []Interface) {
	var masters []*Interface
	for n := range interfaces {
		if i := &interfaces[n]; i.Master && i.mayRelay() {
			masters = append(masters, i)
		}
	}
	for n := range interfaces {
		switch i := &interfaces[n]; {
		case masters != nil:
			if i.mayRelay() {
				b.noteRelayServers(i, masters)
			}
		case i.Role == Relay:
			b.warn(i.modePos, "dhcpv6", "relay: there is no upstream interface to relay to, set in its section: option dhcpv6 'relay' and option master '1'")
		}
	}
}

// noteRelayServers warns of servers of an interface that are behind an interface that is none of the masters. Devices that the
// configuration does not know may be theirs: netifd will tell.
func (b *builder) noteRelayServers(i *Interface, masters []*Interface) {
	for _, s := range i.Relaying.Servers {
		name, names := b.config.logicalName(s.Interface), ""
		isMaster := s.Interface == ""
		known, maybe := b.config.Interface(name) != nil, false
		for _, m := range masters {
			isMaster = isMaster || m.Name == name
			maybe = maybe || m.Device == "" && !known
			names += ", " + m.Name
		}
		if !isMaster && !maybe {
			b.warn(i.serversPos, "dhcpv6_relay_servers", s.Addr.String()+"%"+s.Interface+": is not asked, "+s.Interface+
				" is no upstream interface, as is "+names[len(", "):])
		}
	}
}
