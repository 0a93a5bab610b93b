package openwrt

import (
	"errors"
	"strings"

	"lan6d/openwrt/uci"
)

// errRoom is the error for a list that has become too long for its option in a packet.
var errRoom = errors.New("is too much, an option has room for 65535 octets")

// builder reads the packages and gathers the problems.
type builder struct {
	config   *Config
	problems []Problem
	daemon   daemon
	search   []string       // of the system's resolver
	index    map[string]int // of config.Interfaces, by name
	sections map[string]int // the same by the name of the "dhcp" section; -1: a line in it is wrong

	hostLines map[string]int // where what a host alone has was first seen
}

func newBuilder() *builder {
	return &builder{
		config: &Config{}, daemon: newDaemon(),
		index: make(map[string]int), sections: make(map[string]int), hostLines: make(map[string]int),
	}
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

func (b *builder) fail(pos uci.Pos, option, text string) { b.add(pos, Error, option, text) }

func (b *builder) warn(pos uci.Pos, option, text string) { b.add(pos, Warning, option, text) }

// spoiled ends the text of a problem that costs a section.
const spoiled = "; the whole section is not used"

// check reports the error of a setter. It returns false if that spoils the section.
func (b *builder) check(pos uci.Pos, option string, err error, vital bool) (ok bool) {
	if err == nil {
		return true
	}
	text := err.Error()
	if _, applied := err.(warning); applied {
		b.warn(pos, option, text)
		return true
	}
	if vital {
		text += spoiled
	}
	b.fail(pos, option, text)
	return !vital
}

// usable reports whether the parser found nothing wrong with a section, and says so if it did.
func (b *builder) usable(s *uci.Section) bool {
	if s.Bad {
		b.fail(s.Pos, s.Type, "section "+s.Name+" is not used, a line in it is wrong")
	}
	return !s.Bad
}

// Packages are the configuration files after parsing; nil: there is none of that name.
type Packages struct {
	Network, DHCP, LAN6D, System *uci.Package

	Search []string // the search list of the system's resolver, for domain_fallback
}

// Build makes the configuration of what the parser made of the files. The problems are in the order of files and lines;
// those of the parser itself are not among them.
func Build(p Packages) (*Config, []Problem) { return newBuilder().build(&p) }

func (b *builder) build(p *Packages) (*Config, []Problem) {
	b.search = p.Search
	for _, s := range sections(p.DHCP) {
		b.dhcpSection(s)
	}
	for _, s := range sections(p.LAN6D) {
		b.ownSection(s)
	}
	for n := range b.config.Interfaces {
		b.finish(&b.config.Interfaces[n])
	}
	b.refuseTwins(b.config.Interfaces)
	b.config.ResolveModes(func(*Interface) bool { return false })
	b.noteRelaying(b.config.Interfaces)

	c := &b.config.Server
	var g globals
	for _, s := range sections(p.Network) {
		if s.Type == "globals" && b.usable(s) {
			b.apply(s, globalsOptions(&g), false)
		}
	}
	c.DUID = g.duid
	var zone system
	for _, s := range sections(p.System) {
		if s.Type == "system" && b.daemon.sendZone && b.usable(s) {
			b.apply(s, systemOptions(&zone), false)
		}
	}
	c.POSIXTimezone, c.TZDBTimezone = zone.timezone, zone.zonename
	c.MaxOffers = b.daemon.maxOffers
	b.config.Daemon = b.daemon.Daemon
	sortProblems(b.problems)
	return b.config, b.problems
}

func sections(pkg *uci.Package) []*uci.Section {
	if pkg == nil {
		return nil
	}
	return pkg.Sections
}

// dhcpSection applies a section of /etc/config/dhcp.
func (b *builder) dhcpSection(s *uci.Section) {
	switch s.Type {
	case "odhcpd":
		if b.usable(s) {
			b.apply(s, odhcpdOptions(&b.daemon), false)
		}
	case "dhcp":
		b.dhcp(s)
	case "host":
		var h host
		if b.usable(s) && b.apply(s, hostOptions(&h), false) {
			b.config.Server.Hosts = append(b.config.Server.Hosts, h.result())
			b.noteTwins(s.Pos, &h)
		}
	case "boot6":
		if b.usable(s) {
			b.bootFile(s)
		}
	}
}

// ownSection applies a section of lan6d's own file, and warns if it does not belong there.
func (b *builder) ownSection(s *uci.Section) {
	switch s.Type {
	case "lan6d":
		if b.usable(s) {
			b.apply(s, daemonOptions(&b.daemon), true)
		}
	case "interface":
		if b.usable(s) {
			b.override(s)
		}
	case "host", "boot6", "odhcpd", "dhcp":
		b.warn(s.Pos, s.Type, "section has no effect here, it belongs in /etc/config/dhcp")
	case "":
	default:
		b.warn(s.Pos, s.Type, "unknown section, allowed are lan6d and interface")
	}
}

func (b *builder) bootFile(s *uci.Section) {
	var f bootFile
	f.Default = true
	switch {
	case !b.apply(s, bootOptions(&f), false):
	case f.URL == "":
		b.fail(s.Pos, "url", "is missing"+spoiled)
	default:
		b.config.Server.BootFiles = append(b.config.Server.BootFiles, f.BootFile)
	}
}
