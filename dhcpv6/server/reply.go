package server

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// when says in which answers an option goes.
type when uint8

const (
	always      when = iota
	onRequest        // the Option Request option names it
	advertise        // in an Advertise
	information      // in the Reply to an Information-request that asks for it (section 21.23)
	delegated        // with an IA_PD
)

// option is an option of a link's answers, made ready when the configuration or the link changes.
type option struct {
	code dhcpv6.OptionCode
	when when
	data []byte
}

// setOptions makes ready all options that do not depend on the client.
func (l *link) setOptions(c *Config) {
	l.options = nil
	if l.Preference > 0 {
		l.add(dhcpv6.OptionPreference, advertise, []byte{l.Preference})
	}
	l.add(dhcpv6.OptionSolMaxRT, onRequest, number(l.SolMaxRT))
	l.add(dhcpv6.OptionInfMaxRT, onRequest, number(l.InfMaxRT))
	l.add(dhcpv6.OptionInformationTime, information, number(l.InformationTime))
	l.add(dhcpv6.OptionDNSServers, always, appendAddrs(nil, l.dnsServers()))
	l.add(dhcpv6.OptionDomainList, always, appendNames(nil, l.Search))
	for i := range l.DNR {
		l.add(dhcpv6.OptionDNR, onRequest, appendDNR(nil, &l.DNR[i]))
	}
	l.add(dhcpv6.OptionNTPServer, onRequest, appendNTP(nil, l.NTP))
	l.add(dhcpv6.OptionSNTPServers, onRequest, appendAddrs(nil, l.SNTP))
	l.add(dhcpv6.OptionPOSIXTimezone, onRequest, []byte(c.POSIXTimezone))
	l.add(dhcpv6.OptionTZDBTimezone, onRequest, []byte(c.TZDBTimezone))
	l.add(dhcpv6.OptionCaptivePortal, always, []byte(l.CaptivePortal))
	if cer := l.customerEdgeRouter(); l.CERIDCode != 0 && cer.IsValid() {
		l.add(l.CERIDCode, delegated, appendAddrs(nil, []netip.Addr{cer}))
	}
	l.domain = []byte{}
	if len(l.Search) > 0 {
		l.domain = appendNames(nil, l.Search[:1])
	}
}

// add makes an option ready that is not empty.
//
//go:noinline
func (l *link) add(code dhcpv6.OptionCode, when when, data []byte) {
	if len(data) > 0 && len(data) <= 0xffff {
		l.options = append(l.options, option{code, when, data})
	}
}

//go:noinline
func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// writeOptions appends the options that configure the client: all but the IAs, to all answers but those to Confirm,
// Release and Decline.
func (r *request) writeOptions() {
	for i := range r.link.options {
		if o := &r.link.options[i]; r.wants(o) {
			r.w.Option(o.code, o.data)
		}
	}
	r.writeBootFile()
	r.writeFQDN()
	r.writeAcceptance()
	r.w.Bytes(r.link.Raw)
}

func (r *request) wants(o *option) bool {
	switch o.when {
	case always:
		return true
	case onRequest:
		return r.oro.Has(o.code)
	case advertise:
		return r.reply == dhcpv6.Advertise
	case information:
		return r.msg.Type == dhcpv6.InformationRequest && r.oro.Has(o.code)
	case delegated:
		for i := range r.pending {
			if r.pending[i].binding.Kind == lease.Prefix {
				return true
			}
		}
	}
	return false
}

// writeBootFile appends the boot file's URL for the first architecture that the client names and we know, else the
// default one; nothing if the client names none (RFC 5970).
func (r *request) writeBootFile() {
	archs, ok := r.msg.Options.Get(dhcpv6.OptionClientArch)
	if !ok || len(archs) < 2 {
		return
	}
	if url := r.bootFile(archs); url != "" {
		m := r.w.Begin(dhcpv6.OptionBootFileURL)
		r.w.Text(url)
		r.w.End(m)
	}
}

func (s *Server) bootFile(archs []byte) string {
	for ; len(archs) >= 2; archs = archs[2:] {
		for i := range s.config.BootFiles {
			if f := &s.config.BootFiles[i]; !f.Default && f.Arch == binary.BigEndian.Uint16(archs) {
				return f.URL
			}
		}
	}
	for i := range s.config.BootFiles {
		if s.config.BootFiles[i].Default {
			return s.config.BootFiles[i].URL
		}
	}
	return ""
}

// dnsServers are the configured ones, or our own address: a ULA rather than a global one, since it stays when the
// provider's prefix changes; of two the one preferred for longer; link-local if there is no other.
func (l *link) dnsServers() []netip.Addr {
	if len(l.DNS) > 0 || !l.OwnDNS {
		return l.DNS
	}
	var best *prefix
	for i := range l.prefixes {
		p := &l.prefixes[i]
		switch {
		case best == nil,
			p.address.IsPrivate() && !best.address.IsPrivate(),
			p.address.IsPrivate() == best.address.IsPrivate() && p.preferred > best.preferred:
			best = p
		}
	}
	switch {
	case best != nil:
		return []netip.Addr{best.address}
	case l.linkLocal.IsValid():
		return []netip.Addr{l.linkLocal}
	}
	return nil
}

// customerEdgeRouter is the address for the CER-ID option: the configured one, else the lowest global one.
func (l *link) customerEdgeRouter() netip.Addr {
	lowest := l.CERID
	if lowest.IsValid() {
		return lowest
	}
	for i := range l.prefixes {
		if a := l.prefixes[i].address; !a.IsPrivate() && (!lowest.IsValid() || a.Less(lowest)) {
			lowest = a
		}
	}
	return lowest
}

func appendAddrs(b []byte, addrs []netip.Addr) []byte {
	for _, a := range addrs {
		octets := a.As16()
		b = append(b, octets[:]...)
	}
	return b
}

// appendNames appends domain names in wire form; the configuration has checked them.
func appendNames(b []byte, names []string) []byte {
	for _, name := range names {
		b, _ = dhcpv6.AppendName(b, name)
	}
	return b
}

// appendDNR appends the content of a DNR option (RFC 9463, section 4.1).
func appendDNR(b []byte, d *DNR) []byte {
	name := appendNames(nil, []string{d.Name})
	b = binary.BigEndian.AppendUint16(b, d.Priority)
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	b = append(b, name...)
	if len(d.Addrs) == 0 {
		return b
	}
	b = binary.BigEndian.AppendUint16(b, uint16(16*len(d.Addrs)))
	b = appendAddrs(b, d.Addrs)
	return append(b, d.Params...)
}

// appendNTP appends the suboptions of an NTP Server option (RFC 5908, section 4): 1 unicast, 2 multicast, 3 name.
func appendNTP(b []byte, servers []NTPServer) []byte {
	for _, n := range servers {
		code, data := uint16(1), appendAddrs(nil, []netip.Addr{n.Addr})
		switch {
		case !n.Addr.IsValid():
			code, data = 3, appendNames(nil, []string{strings.TrimSuffix(n.Name, ".")})
		case n.Addr.IsMulticast():
			code = 2
		}
		b = binary.BigEndian.AppendUint16(b, code)
		b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
		b = append(b, data...)
	}
	return b
}
