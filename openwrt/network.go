package openwrt

import (
	"slices"

	"lan6d/openwrt/uci"
)

// Network is what netifd tells of a logical interface.
type Network struct {
	Name      string
	Device    string // the one to serve on; empty: the interface is down
	Delegated bool   // a prefix is delegated to it
	Data      []Datum
}

// Datum is something that the handler of the interface's protocol has put there: an option as of a "dhcp" section.
type Datum struct{ Name, Value string }

func (n *Network) equal(m *Network) bool {
	return n.Name == m.Name && n.Device == m.Device && n.Delegated == m.Delegated && slices.Equal(n.Data, m.Data)
}

// SameNetworks reports whether two lists tell the same.
func SameNetworks(a, b []Network) bool {
	return slices.EqualFunc(a, b, func(n, m Network) bool { return n.equal(&m) })
}

func findNetwork(networks []Network, name string) *Network {
	for i := range networks {
		if networks[i].Name == name {
			return &networks[i]
		}
	}
	return nil
}

// WithNetworks is the configuration with what netifd tells: the devices of the interfaces that it knows, whatever the files
// say of them, and the options that come from upstream. The original stays as it is. Roles are to be resolved anew.
func (c *Config) WithNetworks(networks []Network) (*Config, []Problem) {
	with := *c
	with.Interfaces = slices.Clone(c.Interfaces)
	b := newBuilder()
	for n := range with.Interfaces {
		i := &with.Interfaces[n]
		for _, name := range append(slices.Clone(i.Upstream), i.Name) { // its own counts last
			if network := findNetwork(networks, name); network != nil {
				b.useData(i, network)
			}
		}
		if network := findNetwork(networks, i.Name); network != nil {
			i.Device, i.Down, i.Delegated, i.Known = network.Device, network.Device == "", network.Delegated, true
		}
		i.Server.MaxPreferred = min(i.Server.MaxPreferred, i.Server.MaxValid)
		i.refused = i.badNTP // with other devices there may be other twins
	}
	b.refuseTwins(with.Interfaces)
	return &with, b.problems
}

// useData applies options that are single values. What is none of a "dhcp" section's is somebody else's.
func (b *builder) useData(i *Interface, network *Network) {
	pos := uci.Pos{File: "netifd's data of " + network.Name}
	section := &uci.Section{Type: "dhcp", Name: i.Name, Pos: pos}
	options := interfaceOptions(i)
	for _, d := range network.Data {
		if o := options.find(d.Name); o != nil && o.one != nil && d.Name != "interface" {
			section.Options = append(section.Options, &uci.Option{Name: d.Name, Values: []string{d.Value}, Pos: pos})
		}
	}
	b.apply(section, options, false)
}
