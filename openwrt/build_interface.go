package openwrt

import "lan6d/openwrt/uci"

// interfaces reads the "dhcp" sections and then the "interface" sections of lan6d's own file, which add to them.
func (b *builder) interfaces(dhcp, own *uci.Package) {
	names := make(map[string]string) // of the interface, by that of its "dhcp" section
	b.sections(dhcp, "dhcp", func(s *uci.Section) {
		if s.Anonymous && s.Get("interface") == nil {
			b.warn(s.Pos, "interface", "is missing in a section without a name: no interface is called %s", s.Name)
		}
		if name, ok := b.interfaceName(s); ok {
			names[s.Name] = name
			b.addInterface(s, name, false)
		}
	})
	bad := badInterfaces(dhcp)
	b.sections(own, "interface", func(s *uci.Section) { b.override(s, names, bad) })
	for n := range b.config.Interfaces {
		b.finish(&b.config.Interfaces[n])
	}
	resolveModes(b, b.config.Interfaces)
}

// override applies an "interface" section of lan6d's own file. It names its interface or the "dhcp" section of that.
func (b *builder) override(s *uci.Section, names map[string]string, bad map[string]bool) {
	if s.Anonymous && s.Get("interface") == nil {
		b.fail(s.Pos, "interface", "section without a name, allowed is: config interface 'lan'")
		return
	}
	name, ok := b.interfaceName(s)
	if !ok {
		return
	}
	_, known := b.index[name]
	if !known && names[name] != "" {
		name, known = names[name], true
	}
	if known {
		b.addInterface(s, name, true)
		return
	}
	if bad[name] { // what stands here would be only half of it
		b.fail(s.Pos, "interface", "%s is not served, its section in /etc/config/dhcp is wrong", name)
		return
	}
	if b.addInterface(s, name, true); s.Get("dhcpv6") == nil {
		b.warn(s.Pos, "interface", "%s is not in /etc/config/dhcp, and dhcpv6 is not set here: it is not served", name)
	}
}

// interfaceName is the logical interface that a section is about: its option "interface", else its own name. ok is false
// if that is no name; then the section is not used.
func (b *builder) interfaceName(s *uci.Section) (name string, ok bool) {
	name, pos := s.Name, s.Pos
	if o := s.Get("interface"); o != nil && !o.List {
		name, pos = o.Values[0], o.Pos
	}
	name, err := parseInterfaceName(name)
	return name, b.check(pos, "interface", err, true)
}

// addInterface applies a section to the interface of that name, which it adds if it is new.
func (b *builder) addInterface(s *uci.Section, name string, own bool) {
	n, ok := b.index[name]
	if !ok {
		n = len(b.config.Interfaces)
		b.index[name] = n
		b.config.Interfaces = append(b.config.Interfaces, newInterface(name))
	}
	i := &b.config.Interfaces[n]
	apply(b, i, s, interfaceOptions, own)
	if o := s.Get("dhcpv6"); o != nil {
		i.modePos = o.Pos
	}
}

// badInterfaces are the names of the interfaces with a "dhcp" section that has a wrong line.
func badInterfaces(dhcp *uci.Package) map[string]bool {
	bad := make(map[string]bool)
	if dhcp == nil {
		return bad
	}
	for _, s := range dhcp.Sections {
		if s.Type == "dhcp" && s.Bad {
			bad[s.Name] = true
			if o := s.Get("interface"); o != nil {
				bad[o.Values[0]] = true
			}
		}
	}
	return bad
}

// finish settles what depends on several options.
func (b *builder) finish(i *Interface) {
	if i.Device == "" {
		i.Device = i.networkID
	}
	if i.refused {
		i.Mode = Disabled // setNTP has told why
	}
	s := &i.Server
	s.MaxPreferred = min(s.MaxPreferred, s.MaxValid)
	if i.fallback && len(s.Search) == 0 {
		s.Search = b.search
	}
}
