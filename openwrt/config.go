package openwrt

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"lan6d/dhcpv6/server"
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

// Load reads the configuration, pending changes included. It is never nil; a file that is missing counts as empty.
func Load(d Dirs) (*Config, []Problem) {
	var p Packages
	var problems []Problem
	var files []string
	dirs := uci.Dirs{Config: d.Config, Shadow: d.Shadow, Delta: d.Delta}
	for _, file := range []struct {
		name string
		pkg  **uci.Package
		ours bool
	}{{"network", &p.Network, false}, {"dhcp", &p.DHCP, true}, {"lan6d", &p.LAN6D, true}, {"system", &p.System, false}} {
		pkg, bad, err := dirs.Load(file.name)
		*file.pkg = pkg
		severity := Error
		if !file.ours { // mostly about sections that are none of ours; one that is counts as an error of its own
			severity = Warning
		}
		problems = append(problems, parserProblems(bad, severity)...)
		switch {
		case err == nil && file.ours:
			files = append(files, d.Config+"/"+file.name)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			problems = append(problems, Problem{Pos: uci.Pos{File: d.Config + "/" + file.name}, Severity: Error,
				Text: "cannot be read and counts as empty: " + err.Error()})
		}
	}
	p.Search = readSearch(d.Resolv)
	config, more := Build(p)
	config.Files = files
	problems = append(problems, more...)
	sortProblems(problems)
	return config, problems
}

func parserProblems(bad []uci.Problem, severity Severity) (problems []Problem) {
	for _, p := range bad {
		problems = append(problems, Problem{Pos: p.Pos, Severity: severity, Text: p.Text})
	}
	return problems
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
	for _, i := range c.Interfaces {
		if i.Role == Server {
			s.Interfaces = append(s.Interfaces, i.Server)
		}
	}
	return s
}

// Only takes out all interfaces but one, given by its logical name or else by its device.
func (c *Config) Only(name string) error {
	n := slices.IndexFunc(c.Interfaces, func(i Interface) bool { return i.Name == name })
	if n < 0 {
		n = slices.IndexFunc(c.Interfaces, func(i Interface) bool { return i.Device == name })
	}
	if n < 0 {
		var known []string
		for _, i := range c.Interfaces {
			known = append(known, i.label())
		}
		if known == nil {
			return fmt.Errorf("interface %q: the configuration knows no interface", name)
		}
		return fmt.Errorf("interface %q: the configuration knows only %s", name, strings.Join(known, ", "))
	}
	c.Interfaces = []Interface{c.Interfaces[n]}
	return nil
}

// label is the interface for people: "lan", or "lan (br-lan)" if its device is known and of another name.
func (i *Interface) label() string {
	if i.Device == "" || i.Device == i.Name {
		return i.Name
	}
	return i.Name + " (" + i.Device + ")"
}
