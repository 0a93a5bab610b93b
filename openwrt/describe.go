package openwrt

import (
	"encoding/binary"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/relay"
)

// Describe writes the configuration for people: the daemon, every interface, every host.
func Describe(w io.Writer, c *Config) {
	p := &page{w: w}
	p.daemon(c)
	for n := range c.Interfaces {
		i := &c.Interfaces[n]
		p.title = i.label() + ": " + describeRole(i)
		if i.Role == Relay {
			p.relaying(i, c.RelayConfig().Servers)
		}
		if i.Role == Server || i.Role == Relay && i.Mode == Hybrid && !i.Master {
			p.service(&i.Server)
			p.information(&i.Server)
			p.limits(&i.Server)
		}
	}
	p.title = "not served"
	for n := range c.Interfaces {
		if i := &c.Interfaces[n]; i.Role == Disabled {
			p.row(i.label(), describeRole(i))
		}
	}
	p.title = "hosts"
	for n := range c.Server.Hosts {
		p.host(&c.Server.Hosts[n])
	}
}

// page writes rows of two columns, a label and a value, under titles.
type page struct {
	w     io.Writer
	title string // written with the first row under it
	label string // written with the first value beside it
}

// value writes a row, with the label if it is the first beside it. An empty value does not count.
func (p *page) value(v string) {
	if v == "" {
		return
	}
	if p.title != "" {
		io.WriteString(p.w, tinyfmt.Sprintf("\n%s\n", p.title))
	}
	io.WriteString(p.w, tinyfmt.Sprintf("  %-20s  %s\n", p.label, v))
	p.title, p.label = "", ""
}

func (p *page) row(label, v string) {
	p.label = label
	p.value(v)
}

func (p *page) addrs(addrs []netip.Addr) {
	for _, a := range addrs {
		p.value(a.String())
	}
}

func (p *page) daemon(c *Config) {
	from := "built-in configuration"
	if len(c.Files) > 0 {
		from = strings.Join(c.Files, ", ")
	}
	io.WriteString(p.w, tinyfmt.Sprintf("lan6d: %s\n", from))
	p.row("log level", c.Daemon.LogLevel.String())
	p.row("lease file", orNone(c.Daemon.LeaseFile))
	p.row("hosts files in", orNone(c.Daemon.HostsDir))
	p.row("lease trigger", orNone(c.Daemon.LeaseTrigger))
	sync := "the system writes it to disk when it likes"
	if c.Daemon.SyncJournal {
		sync = "on disk before an answer is sent"
	}
	p.row("journal", sync)
	copied := "none"
	if c.Daemon.Persist != "" {
		copied = c.Daemon.Persist + ", at most every " + formatTime(c.Daemon.PersistInterval)
	}
	p.row("second copy", copied)
	p.row("route metric", strconv.Itoa(int(c.Daemon.RouteMetric)))
	if !c.Daemon.RelayRoutes {
		p.row("relayed prefixes", "no routes to them")
	}
	if c.Daemon.RelayID != nil {
		p.row("Relay-Id", c.Daemon.RelayID.String())
	}
	duid := "not configured, made from a MAC address"
	if d := c.Server.DUID; d != nil {
		duid = d.String() + ", a " + d.Type().String()
	}
	p.row("server DUID", duid)
	p.row("offers outstanding", "up to "+strconv.Itoa(c.Server.MaxOffers))
	p.row("time zone", c.Server.POSIXTimezone)
	p.value(c.Server.TZDBTimezone)
	p.label = "boot file"
	for n := range c.Server.BootFiles {
		f := &c.Server.BootFiles[n]
		text := f.URL
		if !f.Default {
			text += " for architecture " + strconv.Itoa(int(f.Arch))
		}
		p.value(text)
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// Describe is what the interface does, and why, if that is not just what is configured.
func (i *Interface) Describe() string { return describeRole(i) }

// describeRole is the mode that came out, and the one configured where it is another.
func describeRole(i *Interface) string {
	switch {
	case i.badNTP:
		return "its time server is wrong"
	case i.refused:
		return "its device is another's"
	case i.Role == Relay && i.Master && i.Mode == Hybrid:
		return "relay, upstream, unless a prefix is delegated to it"
	case i.Role == Relay && i.Master:
		return "relay, upstream"
	case i.Role == Relay && i.Mode == Hybrid:
		return "relay while a master does, else server"
	case i.Role == Disabled && i.idle:
		return "disabled, as no other interface relays"
	case i.Role == Disabled && i.Master && i.Mode == Hybrid:
		return "disabled, as a prefix is delegated to it"
	case i.Role != i.Mode:
		return i.Role.String() + ", as dhcpv6 is " + i.Mode.String()
	}
	return i.Role.String()
}

// relaying is how an interface relays: to all servers, in whatever section they stand.
func (p *page) relaying(i *Interface, servers []relay.Server) {
	r := &i.Relaying
	p.label = "relays to"
	for _, s := range servers {
		to := s.Addr.String()
		if s.Interface != "" {
			to += " on " + s.Interface
		}
		p.value(to)
	}
	if len(servers) == 0 {
		p.value("all servers, ff05::1:3")
	}
	if i.Master {
		return
	}
	link := "of its own, else of the master"
	if r.StrictLink {
		link = "of its own, else ::"
	}
	p.row("link-address", link)
	p.label = "DNS servers"
	switch {
	case !i.rewritesDNS():
		p.value("as the server says")
	case len(i.Server.DNS) > 0:
		p.addrs(i.Server.DNS)
	default:
		p.value("this router")
	}
	if len(r.RemoteID) > 0 {
		p.row("Remote-Id", strconv.FormatUint(uint64(binary.BigEndian.Uint32(r.RemoteID)), 10)+":"+strconv.Quote(string(r.RemoteID[4:])))
	}
	if len(r.SubscriberID) > 0 {
		p.row("Subscriber-Id", strconv.Quote(string(r.SubscriberID)))
	}
	if r.LinkLayer {
		p.row("client's MAC", "sent along")
	}
}

// service is what leases the clients get.
func (p *page) service(s *server.Interface) {
	addresses, prefixes, clients := "none", "none", "all"
	if s.Addresses {
		from := "from the best prefix only"
		if s.AssignAll {
			from = "one from every prefix"
		}
		addresses = from + ", interface ids of " + strconv.Itoa(s.HostIDLength) + " bits"
	}
	switch {
	case !s.Prefixes || !s.Dynamic:
	case s.PDMinLength == 1:
		prefixes = "of any size"
	case s.PDMinLength == 64:
		prefixes = "/64 only"
	default:
		prefixes = "/" + strconv.Itoa(s.PDMinLength) + " and smaller"
	}
	p.row("addresses", addresses)
	p.row("delegated prefixes", prefixes)
	if s.PrefixFilter.IsValid() {
		p.row("prefixes used", "those in "+s.PrefixFilter.String())
	}
	if !s.Dynamic {
		clients = "known hosts only"
	}
	p.row("clients", clients)
	if s.FilterClass != "" {
		p.row("ignored user class", strconv.Quote(s.FilterClass))
	}
	p.row("lease time", formatTime(s.LeaseTime))
	p.row("preferred lifetime", upTo(s.MaxPreferred))
	p.row("valid lifetime", upTo(s.MaxValid))
}

// information is what else the clients are told.
func (p *page) information(s *server.Interface) {
	p.label = "DNS servers"
	switch {
	case len(s.DNS) > 0:
		p.addrs(s.DNS)
	case s.OwnDNS:
		p.value("this router")
	default:
		p.value("none")
	}
	p.label = "search list"
	for _, name := range s.Search {
		p.value(name)
	}
	for n := range s.DNR {
		d := &s.DNR[n]
		p.row("encrypted DNS", d.Name+", priority "+strconv.Itoa(int(d.Priority)))
		p.addrs(d.Addrs)
		p.value(describeParams(d.Params))
	}
	p.label = "time servers"
	for n := range s.NTP {
		if ntp := &s.NTP[n]; ntp.Name != "" {
			p.value(ntp.Name)
		} else {
			p.value(ntp.Addr.String())
		}
	}
	p.row("captive portal", s.CaptivePortal)
	p.label = "raw options"
	for code, data := range dhcpv6.Options(s.Raw).All() {
		unit := " octets"
		if len(data) == 1 {
			unit = " octet"
		}
		p.value(code.String() + ", " + strconv.Itoa(len(data)) + unit)
	}
	if s.CERIDCode != 0 {
		cer := "the lowest global address,"
		if s.CERID.IsValid() {
			cer = s.CERID.String()
		}
		p.row("CER-ID", cer+" in option "+strconv.Itoa(int(s.CERIDCode)))
	}
	if s.Preference > 0 {
		p.row("preference", strconv.Itoa(int(s.Preference)))
	}
}

// limits are the rest: how clients and server pace themselves.
func (p *page) limits(s *server.Interface) {
	p.row("information refresh", formatTime(s.InformationTime))
	p.row("SOL_MAX_RT", formatTime(s.SolMaxRT))
	p.row("INF_MAX_RT", formatTime(s.InfMaxRT))
	rest := "ever"
	if t := uint32(s.DeclineTime / time.Second); t != dhcpv6.Infinity {
		rest = formatTime(t)
	}
	p.row("declined addresses", "rest for "+rest)
	p.row("offers outstanding", "up to "+strconv.Itoa(s.MaxOffers))
}

func (p *page) host(h *server.Host) {
	p.label = h.Name
	if h.Name == "" {
		p.label = "(no name)"
	}
	switch {
	case h.Ignore:
		p.value("ignored, never answered")
	case h.HostID != 0:
		p.value("address  " + interfaceIDText(h.HostID))
	}
	switch {
	case h.Prefix.IsValid():
		p.value("prefix   " + h.Prefix.String())
	case h.HasSubnet:
		p.value("prefix   subnet " + strconv.FormatUint(h.SubnetID, 16))
	}
	if h.LeaseTime != 0 {
		p.value("time     " + formatTime(h.LeaseTime))
	}
	for n := range h.DUIDs {
		d := &h.DUIDs[n]
		text := "DUID     " + d.DUID.String()
		if d.HasIAID {
			text += "%" + strconv.FormatUint(uint64(d.IAID), 16)
		}
		p.value(text)
	}
	for n := range h.MACs {
		p.value("MAC      " + FormatMAC(h.MACs[n][:]))
	}
	if p.label != "" { // none of all that
		p.value("nothing that concerns DHCPv6")
	}
}

// upTo is an upper bound.
func upTo(seconds uint32) string {
	if seconds == dhcpv6.Infinity {
		return formatTime(seconds)
	}
	return "up to " + formatTime(seconds)
}

// formatTime is a time as the options take it: in the largest unit of which it is a multiple, or "infinite".
func formatTime(seconds uint32) string {
	unit := "s"
	switch {
	case seconds == dhcpv6.Infinity:
		return "infinite"
	case seconds == 0 || seconds%60 != 0 || seconds == 60:
	case seconds%86400 == 0:
		seconds, unit = seconds/86400, "d"
	case seconds%3600 == 0:
		seconds, unit = seconds/3600, "h"
	default:
		seconds, unit = seconds/60, "m"
	}
	return strconv.FormatUint(uint64(seconds), 10) + unit
}

// interfaceIDText is an interface id as the end of an address: "::1:20".
func interfaceIDText(id uint64) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[8:], id)
	return netip.AddrFrom16(b).String()
}
