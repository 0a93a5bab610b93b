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
		relayed = relayed || !i.Master && !i.refused && (i.Mode == Relay || i.Mode == Hybrid)
	}
	relaying := false
	role := func(i *Interface) Mode {
		switch {
		case i.refused:
			return Disabled
		case i.Master && (i.Mode == Relay || i.Mode == Hybrid):
			if !relayed || i.Mode == Hybrid && delegated(i) {
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
			i.Role = role(i)
			changed = changed || i.Role != was
			relaying = relaying || i.Master && i.Role == Relay
		}
	}
	return changed
}

// noteRelaying warns of interfaces that are to relay while there is nowhere to relay to.
func (b *builder) noteRelaying(interfaces []Interface) {
	for n := range interfaces {
		if i := &interfaces[n]; i.Master && i.wanted() && i.Mode != Server {
			return
		}
	}
	for n := range interfaces {
		if i := &interfaces[n]; i.Role == Relay {
			b.warn(i.modePos, "dhcpv6", "relay: there is no upstream interface to relay to, set in its section: option dhcpv6 'relay' and option master '1'")
		}
	}
}
