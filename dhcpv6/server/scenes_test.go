package server_test

import (
	"net/netip"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// What changes around the server of a play: its configuration and its links.

// reload changes the configuration: what lan gives and for how long, and which ids are a host's who never comes.
func (p *play) reload(how int) {
	who := p.next()
	p.reconfigure(func(s *setup) {
		lan := s.lan()
		lan.Addresses, lan.Prefixes = how&3 != 1, how&3 != 2
		lan.MaxValid = []uint32{server.DefaultMaxValid, server.DefaultMaxPreferred, 600}[how>>2&3%3]
		lan.PrefixFilter = []netip.Prefix{{}, {}, {}, netip.MustParsePrefix("fd00::/8")}[how>>4&3]
		s.Hosts = s.Hosts[:3:3]
		p.taken = server.Host{}
		if held := p.heldIAs(duid(3 + who%8)); len(held) > 0 && how&0x40 != 0 {
			p.taken = p.takes(held[who>>3%len(held)])
			s.Hosts = append(s.Hosts, p.taken)
		}
	})
	p.told.allMaybe()
	p.wantMoved(p.moved())
}

// takes is a host that has the id of an IA.
func (p *play) takes(option []byte) server.Host {
	ia, _ := dhcpv6.ParseIA(option[4:])
	for code, data := range ia.All() {
		if code == dhcpv6.OptionIAAddr {
			a, _ := dhcpv6.ParseIAAddr(data)
			id, _ := (&net{subnet: netip.PrefixFrom(a.Addr, 64).Masked(), whole: netip.PrefixFrom(a.Addr, 64)}).idIn(lease.Address, netip.PrefixFrom(a.Addr, 128))
			return server.Host{HostID: id}
		}
		k, _ := dhcpv6.ParseIAPrefix(data)
		id, _ := (&net{whole: netip.PrefixFrom(k.Prefix.Addr(), 56).Masked()}).idIn(lease.Prefix, k.Prefix)
		return server.Host{SubnetID: id, HasSubnet: true}
	}
	return server.Host{}
}

// changeLinks renumbers, takes down or brings back the links. Our own ids stay, so that no client's must go.
func (p *play) changeLinks(how int) {
	p.relink(p.linksOf(how))
	p.told.allMaybe()
	p.wantMoved(p.moved())
}

func (p *play) linksOf(how int) func(*setup) {
	if how%8 >= 4 {
		return p.anyLinks()
	}
	return func(s *setup) {
		s.Links[0].Addresses, s.Links[1].Addresses = nil, nil
		switch how % 4 {
		case 1: // no provider
			s.address(0, "fd00:1::1/56")
			s.address(1, "2001:db8:2::1/124")
			s.address(1, "2001:db8:3::1/62")
			return
		case 2: // renumbered
			s.address(0, "2001:db8:4::1/60")
			s.address(0, "fd00:1::1/56")
			s.address(1, "2001:db8:2::1/124")
			s.address(1, "2001:db8:5::1/62")
			return
		case 3: // the old prefix runs out
			s.address(0, "2001:db8:1::1/60")
			s.Links[0].Addresses[0].Preferred, s.Links[0].Addresses[0].Valid = p.now.Add(600*time.Second), p.now.Add(700*time.Second)
			s.address(0, "fd00:1::1/56")
			return
		}
		s.only("2001:db8:1::1/60", "fd00:1::1/56")
		s.address(1, "2001:db8:2::1/124")
		s.address(1, "2001:db8:3::1/62")
	}
}

// anyLinks gives each of the prefixes that there may be some lifetimes, or none at all.
func (p *play) anyLinks() func(*setup) {
	states := p.next()<<8 | p.next()
	return func(s *setup) {
		s.Links[0].Addresses, s.Links[1].Addresses = nil, nil
		for i, prefix := range []string{"2001:db8:1::1/60", "2001:db8:4::1/60", "fd00:1::1/56", "2001:db8:3::1/62", "2001:db8:5::1/62", "2001:db8:2::1/124"} {
			if states>>(2*i)&3 == 0 {
				continue
			}
			link := i / 3
			s.address(link, prefix)
			a := &s.Links[link].Addresses[len(s.Links[link].Addresses)-1]
			switch kind := states>>(2*i)&3 + states>>12&4; kind {
			case 2: // runs out
				a.Preferred, a.Valid = p.now.Add(600*time.Second), p.now.Add(700*time.Second)
			case 3, 7: // deprecated
				a.Preferred, a.Valid = p.now, p.now.Add(2*time.Hour)
			case 6: // not ready yet
				a.Unready = true
			}
		}
	}
}
