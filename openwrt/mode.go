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

// resolveModes decides the Role of every interface: relaying needs a master and a side that is relayed, and hybrid
// depends on the master's role.
//
// A hybrid master would relay if it had no delegated prefix. Only netifd knows that; without it, odhcpd disables such a
// master, and so does this.
func resolveModes(b *builder, interfaces []Interface) {
	var relaying, relayed bool
	for n := range interfaces {
		i := &interfaces[n]
		relaying = relaying || i.Master && i.Mode == Relay
		relayed = relayed || !i.Master && (i.Mode == Relay || i.Mode == Hybrid)
	}
	for n := range interfaces {
		i := &interfaces[n]
		i.Role = i.Mode
		switch {
		case i.Master && i.Mode == Relay && !relayed:
			i.Role = Disabled
		case i.Master && i.Mode == Hybrid:
			i.Role = Disabled
		case i.Mode == Hybrid && relaying:
			i.Role = Relay
		case i.Mode == Hybrid:
			i.Role = Server
		}
		if i.Role == Relay || i.Master && i.Mode == Hybrid {
			b.warn(i.modePos, "dhcpv6", i.Mode.String()+": interface "+i.Name+" is not served, relaying is not built in yet")
		}
	}
}
