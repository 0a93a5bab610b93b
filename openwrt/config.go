package openwrt

import (
	"errors"
	"io/fs"

	"lan6d/dhcpv6/server"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/openwrt/uci"
)

// Config is the whole configuration.
type Config struct {
	Daemon     Daemon
	Interfaces []Interface   // all that the configuration knows, served or not, in its order
	Server     server.Config // without its interfaces: see ServerConfig. No DUID: none is configured
	Files      []string      // of lan6d's two, dhcp and lan6d, those that are there
}

// Dirs says where the configuration is.
type Dirs struct {
	Config string // the files as committed
	Shadow string // a file here beats the one in Config; empty: there is no such directory
	Delta  string // changes not yet committed, which count all the same; empty: there is no such directory
	Resolv string // the resolver's configuration, for domain_fallback; empty: there is none
}

// SystemDirs is where OpenWrt has its configuration.
func SystemDirs() Dirs {
	d := uci.SystemDirs()
	return Dirs{Config: d.Config, Shadow: d.Shadow, Delta: d.Delta, Resolv: "/etc/resolv.conf"}
}

// Load reads the configuration, pending changes included. It is never nil; a file that is missing counts as empty, and
// a change that cannot be carried out is worth a warning only.
func Load(d Dirs) (*Config, []Problem) {
	b := newBuilder()
	// In the files of others, most problems are of no concern; a section of ours with a wrong line is an error of its own.
	return b.build(&Packages{
		Network: b.load(&d, "network", Warning), DHCP: b.load(&d, "dhcp", Error), LAN6D: b.load(&d, "lan6d", Error),
		System: b.load(&d, "system", Warning), Search: readSearch(d.Resolv),
	})
}

// load reads a file. severity is that of its wrong lines; Error tells that the file is one of lan6d's two.
func (b *builder) load(d *Dirs, name string, severity Severity) *uci.Package {
	file := d.Config + "/" + name
	pkg, found, err := uci.Dirs{Config: d.Config, Shadow: d.Shadow, Delta: d.Delta}.Load(name)
	switch {
	case err == nil && severity == Error:
		b.config.Files = append(b.config.Files, file)
	case errors.Is(err, fs.ErrPermission):
		b.fail(uci.Pos{File: file}, "", "cannot be read and counts as empty: "+err.Error()+" (on OpenWrt, /etc/init.d/lan6d reload lets lan6d's user read it)")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		b.fail(uci.Pos{File: file}, "", "cannot be read and counts as empty: "+err.Error())
	}
	for i := range found {
		p := &found[i]
		if p.Pending { // often stale, and UCI drops what it cannot carry out in silence
			severity = Warning
		}
		b.add(p.Pos, severity, "", p.Text)
	}
	return pkg
}

// Interface returns the interface of that logical name, or nil.
func (c *Config) Interface(name string) *Interface {
	for n := range c.Interfaces {
		if c.Interfaces[n].Name == name {
			return &c.Interfaces[n]
		}
	}
	return nil
}

// ServerConfig is the configuration of the DHCPv6 server, with the interfaces that it is to serve.
func (c *Config) ServerConfig() server.Config {
	s := c.Server
	s.Interfaces = nil
	for n := range c.Interfaces {
		if i := &c.Interfaces[n]; i.Role == Server {
			s.Interfaces = append(s.Interfaces, i.Server)
		}
	}
	return s
}

// Only takes out all interfaces but one, given by its logical name or else by its device, and, if it may relay, those to relay
// to.
func (c *Config) Only(name string) error {
	only := c.Interface(name)
	known := ""
	for n := range c.Interfaces {
		i := &c.Interfaces[n]
		if only == nil && i.Device == name {
			only = i
		}
		known += ", " + i.label()
	}
	switch {
	case only != nil:
		c.keep(only)
		return nil
	case known == "":
		return tinyfmt.Errorf("interface %q: the configuration knows no interface", name)
	}
	return tinyfmt.Errorf("interface %q: the configuration knows only %s", name, known[len(", "):])
}

func (c *Config) keep(only *Interface) {
	var kept []Interface
	for n := range c.Interfaces {
		if i := &c.Interfaces[n]; i == only || i.Master && i.mayRelay() && only.mayRelay() && !only.Master {
			kept = append(kept, *i)
		}
	}
	c.Interfaces = kept
	c.ResolveModes(func(*Interface) bool { return false })
}

// DeviceName is the name of the interface's network device, as far as the configuration and netifd tell: a logical name may
// be a device's. Empty: netifd says that there is none.
func (i *Interface) DeviceName() string {
	if i.Device != "" || i.Down {
		return i.Device
	}
	return i.Name
}

// label is the interface for people: "lan", or "lan (br-lan)" if its device is known and of another name.
func (i *Interface) label() string {
	if i.Device == "" || i.Device == i.Name {
		return i.Name
	}
	return i.Name + " (" + i.Device + ")"
}
