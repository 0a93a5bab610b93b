package openwrt

import "lan6d/openwrt/uci"

// dhcp applies a "dhcp" section of /etc/config/dhcp.
func (b *builder) dhcp(s *uci.Section) {
	o := s.Get("interface")
	if !b.usable(s) {
		b.spoil(s.Name)
		if o != nil {
			b.spoil(o.Values[0])
		}
		return
	}
	if s.Anonymous && o == nil {
		b.warn(s.Pos, "interface", "is missing in a section without a name: no interface is called "+s.Name)
	}
	if name, ok := b.interfaceName(s); ok {
		b.sections[s.Name] = b.addInterface(s, name, false)
	}
}

// spoil notes that the "dhcp" section of that name, or about that interface, is wrong.
func (b *builder) spoil(name string) {
	if _, good := b.sections[name]; !good {
		b.sections[name] = -1
	}
}

// override applies an "interface" section of lan6d's own file to what the "dhcp" sections have made. It names its
// interface or the "dhcp" section of that.
func (b *builder) override(s *uci.Section) {
	if s.Anonymous && s.Get("interface") == nil {
		b.fail(s.Pos, "interface", "section without a name, allowed is: config interface 'lan'")
		return
	}
	name, ok := b.interfaceName(s)
	if !ok {
		return
	}
	n, known := b.index[name]
	if !known {
		n, known = b.sections[name]
	}
	switch {
	case !known && s.Get("dhcpv6") == nil:
		b.warn(s.Pos, "interface", name+" is not in /etc/config/dhcp, and dhcpv6 is not set here: it is not served")
	case known && n < 0: // what stands here would be only half of it
		b.fail(s.Pos, "interface", name+" is not served, its section in /etc/config/dhcp is wrong")
		return
	case known:
		name = b.config.Interfaces[n].Name
		b.noteDoubleService(s, &b.config.Interfaces[n])
	}
	b.addInterface(s, name, true)
}

// noteDoubleService warns where both files have an interface served: odhcpd or dnsmasq, which read only the other one, would
// do so beside lan6d. LuCI's pages set the option there.
func (b *builder) noteDoubleService(s *uci.Section, i *Interface) {
	if o := s.Get("dhcpv6"); o == nil || o.Values[0] == Disabled.String() || i.Mode == Disabled || i.modePos.File == o.Pos.File {
		return
	}
	b.warn(i.modePos, "dhcpv6", "is set in /etc/config/lan6d, too, which counts here; odhcpd and dnsmasq must not serve "+i.Name+
		" beside lan6d: run /usr/libexec/lan6d-handover take, or set dhcp."+i.section+".dhcpv6 to disabled")
}

// DoubleService warns of the interfaces that lan6d serves by what /etc/config/dhcp says. It is for where odhcpd runs, too, which
// reads the same.
func (c *Config) DoubleService() (problems []Problem) {
	for n := range c.Interfaces {
		if i := &c.Interfaces[n]; i.Mode != Disabled && !i.modeOwn && len(c.Files) > 0 {
			problems = append(problems, Problem{i.modePos, Warning, "dhcpv6", "odhcpd, if the ubus object dhcp is its, serves " + i.Name +
				" beside lan6d: run /usr/libexec/lan6d-handover take"})
		}
	}
	return problems
}

// interfaceName is the logical interface that a section is about: its option "interface", else its own name. ok is
// false if that is no name; then the section is not used.
func (b *builder) interfaceName(s *uci.Section) (name string, ok bool) {
	name, pos := s.Name, s.Pos
	if o := s.Get("interface"); o != nil && !o.List {
		name, pos = o.Values[0], o.Pos
	}
	return name, b.check(pos, "interface", checkInterfaceName(name), true)
}

// addInterface applies a section to the interface of that name, which it adds if it is new. It returns the interface's
// index.
func (b *builder) addInterface(s *uci.Section, name string, own bool) int {
	n, ok := b.index[name]
	if !ok {
		n = len(b.config.Interfaces)
		b.index[name] = n
		b.config.Interfaces = append(b.config.Interfaces, newInterface(name))
	}
	i := &b.config.Interfaces[n]
	b.apply(s, interfaceOptions(i), own)
	if o := s.Get("dhcpv6"); o != nil {
		i.modePos, i.section, i.modeOwn = o.Pos, s.Name, own
	}
	if o := s.Get("dhcpv6_relay_servers"); o != nil {
		i.serversPos = o.Pos
	}
	return n
}

// finish settles what depends on several options.
func (b *builder) finish(i *Interface) {
	if i.Device == "" {
		i.Device = i.networkID
	}
	i.refused = i.badNTP // setNTP has told why
	s := &i.Server
	s.MaxPreferred = min(s.MaxPreferred, s.MaxValid)
	if i.fallback && len(s.Search) == 0 {
		s.Search = b.search
	}
}
