package openwrt

import (
	"errors"
	"fmt"
	"strings"

	"lan6d/openwrt/uci"
)

// errRoom is the error for a list that has become too long for its option in a packet.
var errRoom = fmt.Errorf("is too much, an option has room for %d octets", maxOption)

// builder reads the packages and gathers the problems.
type builder struct {
	config   *Config
	problems []Problem
	search   []string       // of the system's resolver
	index    map[string]int // of config.Interfaces, by name
}

// add keeps what a person wrote into the files from filling the log.
func (b *builder) add(pos uci.Pos, severity Severity, option, text string) {
	b.problems = append(b.problems, Problem{pos, severity, clip(option, 64), clip(text, 400)})
}

func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "..."
}

func (b *builder) fail(pos uci.Pos, option, format string, args ...any) {
	b.add(pos, Error, option, fmt.Sprintf(format, args...))
}

func (b *builder) warn(pos uci.Pos, option, format string, args ...any) {
	b.add(pos, Warning, option, fmt.Sprintf(format, args...))
}

// check reports the error of a setter. It returns false if that spoils the section.
func (b *builder) check(pos uci.Pos, option string, err error, vital bool) (ok bool) {
	var w warning
	switch {
	case err == nil:
		return true
	case errors.As(err, &w):
		b.warn(pos, option, "%v", err)
		return true
	case vital:
		b.fail(pos, option, "%v; the whole section is not used", err)
		return false
	}
	b.fail(pos, option, "%v", err)
	return true
}

// usable reports whether the parser found nothing wrong with a section, and says so if it did.
func (b *builder) usable(s *uci.Section) bool {
	if s.Bad {
		b.fail(s.Pos, s.Type, "section %s is not used, a line in it is wrong", s.Name)
	}
	return !s.Bad
}

// sections calls f for the good sections of a type.
func (b *builder) sections(pkg *uci.Package, typ string, f func(*uci.Section)) {
	if pkg == nil {
		return
	}
	for _, s := range pkg.Sections {
		if s.Type == typ && b.usable(s) {
			f(s)
		}
	}
}

// Packages are the configuration files after parsing; nil: there is none of that name.
type Packages struct {
	Network, DHCP, LAN6D, System *uci.Package

	Search []string // the search list of the system's resolver, for domain_fallback
}

// Build makes the configuration of what the parser made of the files. The problems are in the order of files and lines;
// those of the parser itself are not among them.
func Build(p Packages) (*Config, []Problem) {
	b := &builder{config: &Config{}, search: p.Search, index: make(map[string]int)}
	d := newDaemon()
	b.sections(p.DHCP, "odhcpd", func(s *uci.Section) { apply(b, &d, s, odhcpdOptions, false) })
	b.sections(p.LAN6D, "lan6d", func(s *uci.Section) { apply(b, &d, s, daemonOptions, true) })
	b.config.Daemon = d.Daemon
	b.config.Server.MaxOffers = d.maxOffers

	b.interfaces(p.DHCP, p.LAN6D)
	b.sections(p.DHCP, "host", b.host)
	b.sections(p.DHCP, "boot6", b.bootFile)
	b.strangers(p.LAN6D)

	b.sections(p.Network, "globals", func(s *uci.Section) {
		var g globals
		if apply(b, &g, s, globalsOptions, false); g.duid != nil {
			b.config.Server.DUID = g.duid
		}
	})
	if d.sendZone {
		var zone system
		b.sections(p.System, "system", func(s *uci.Section) { apply(b, &zone, s, systemOptions, false) })
		b.config.Server.POSIXTimezone, b.config.Server.TZDBTimezone = zone.timezone, zone.zonename
	}
	sortProblems(b.problems)
	return b.config, b.problems
}

func (b *builder) host(s *uci.Section) {
	var h host
	if apply(b, &h, s, hostOptions, false) {
		b.config.Server.Hosts = append(b.config.Server.Hosts, h.result())
	}
}

func (b *builder) bootFile(s *uci.Section) {
	var f bootFile
	f.Default = true
	switch {
	case !apply(b, &f, s, bootOptions, false):
	case f.URL == "":
		b.fail(s.Pos, "url", "is missing; the whole section is not used")
	default:
		b.config.Server.BootFiles = append(b.config.Server.BootFiles, f.BootFile)
	}
}

// strangers warns of sections that do not belong into lan6d's own file.
func (b *builder) strangers(own *uci.Package) {
	if own == nil {
		return
	}
	for _, s := range own.Sections {
		switch s.Type {
		case "lan6d", "interface":
		case "host", "boot6", "odhcpd", "dhcp":
			b.warn(s.Pos, s.Type, "section has no effect here, it belongs in /etc/config/dhcp")
		case "":
		default:
			b.warn(s.Pos, s.Type, "unknown section, allowed are lan6d and interface")
		}
	}
}
