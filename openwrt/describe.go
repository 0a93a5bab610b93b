package openwrt

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

// Describe writes the configuration for people: the daemon, every interface, every host.
func Describe(w io.Writer, c *Config) {
	p := page{w}
	p.daemon(c)
	var idle []Interface
	for _, i := range c.Interfaces {
		if i.Role != Server {
			idle = append(idle, i)
			continue
		}
		p.title(i.label() + ": " + describeRole(i))
		p.service(i.Server)
		p.information(i.Server)
		p.limits(i.Server)
	}
	if len(idle) > 0 {
		p.title("not served")
	}
	for _, i := range idle {
		p.row(i.label(), describeRole(i))
	}
	if len(c.Server.Hosts) > 0 {
		p.title("hosts")
	}
	for _, h := range c.Server.Hosts {
		p.host(h)
	}
}

// page writes rows of two columns under titles.
type page struct{ w io.Writer }

func (p page) title(s string) { fmt.Fprintf(p.w, "\n%s\n", s) }

// row writes a label and, beside it, its values one below the other. Without values it writes nothing.
func (p page) row(label string, values ...string) {
	for _, v := range values {
		fmt.Fprintf(p.w, "  %-20s  %s\n", label, v)
		label = ""
	}
}

// some is the value if the condition holds, else none.
func some(condition bool, value string) []string {
	if !condition {
		return nil
	}
	return []string{value}
}

func (p page) daemon(c *Config) {
	from := "built-in configuration"
	if len(c.Files) > 0 {
		from = strings.Join(c.Files, ", ")
	}
	fmt.Fprintf(p.w, "lan6d: %s\n", from)
	p.row("log level", c.Daemon.LogLevel.String())
	p.row("lease file", orNone(c.Daemon.LeaseFile))
	p.row("hosts files in", orNone(c.Daemon.HostsDir))
	p.row("lease trigger", orNone(c.Daemon.LeaseTrigger))
	if duid := c.Server.DUID; duid == nil {
		p.row("server DUID", "not configured, made from a MAC address")
	} else {
		p.row("server DUID", duid.String()+", a "+duid.Type().String())
	}
	p.row("offers outstanding", fmt.Sprintf("up to %d", c.Server.MaxOffers))
	p.row("time zone", append(some(c.Server.POSIXTimezone != "", c.Server.POSIXTimezone),
		some(c.Server.TZDBTimezone != "", c.Server.TZDBTimezone)...)...)
	var boot []string
	for _, f := range c.Server.BootFiles {
		if f.Default {
			boot = append(boot, f.URL)
		} else {
			boot = append(boot, fmt.Sprintf("%s for architecture %d", f.URL, f.Arch))
		}
	}
	p.row("boot file", boot...)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// describeRole is the mode that came out, and the one configured where it is another.
func describeRole(i Interface) string {
	switch {
	case i.refused:
		return "its time server is wrong"
	case i.Role == Relay:
		return "relay, which is not built in yet"
	case i.Role != i.Mode:
		return i.Role.String() + ", as dhcpv6 is " + i.Mode.String()
	}
	return i.Role.String()
}

// service is what leases the clients get.
func (p page) service(s server.Interface) {
	switch {
	case !s.Addresses:
		p.row("addresses", "none")
	case s.AssignAll:
		p.row("addresses", fmt.Sprintf("one from every prefix, interface ids of %d bits", s.HostIDLength))
	default:
		p.row("addresses", fmt.Sprintf("from the best prefix only, interface ids of %d bits", s.HostIDLength))
	}
	switch {
	case !s.Prefixes || !s.Dynamic:
		p.row("delegated prefixes", "none")
	case s.PDMinLength == 1:
		p.row("delegated prefixes", "of any size")
	case s.PDMinLength == 64:
		p.row("delegated prefixes", "/64 only")
	default:
		p.row("delegated prefixes", fmt.Sprintf("/%d and smaller", s.PDMinLength))
	}
	if s.PrefixFilter.IsValid() {
		p.row("prefixes used", "those in "+s.PrefixFilter.String())
	}
	if s.Dynamic {
		p.row("clients", "all")
	} else {
		p.row("clients", "known hosts only")
	}
	p.row("ignored user class", some(s.FilterClass != "", strconv.Quote(s.FilterClass))...)
	p.row("lease time", formatTime(s.LeaseTime))
	p.row("preferred lifetime", upTo(s.MaxPreferred))
	p.row("valid lifetime", upTo(s.MaxValid))
}

// information is what else the clients are told.
func (p page) information(s server.Interface) {
	switch {
	case len(s.DNS) > 0:
		p.row("DNS servers", addrTexts(s.DNS)...)
	case s.OwnDNS:
		p.row("DNS servers", "this router")
	default:
		p.row("DNS servers", "none")
	}
	p.row("search list", s.Search...)
	for _, d := range s.DNR {
		p.row("encrypted DNS", append([]string{fmt.Sprintf("%s, priority %d", d.Name, d.Priority)}, addrTexts(d.Addrs)...)...)
		p.row("", some(len(d.Params) > 0, describeParams(d.Params))...)
	}
	var ntp []string
	for _, n := range s.NTP {
		if n.Addr.IsValid() {
			ntp = append(ntp, n.Addr.String())
		} else {
			ntp = append(ntp, n.Name)
		}
	}
	p.row("time servers", ntp...)
	p.row("captive portal", some(s.CaptivePortal != "", s.CaptivePortal)...)
	p.row("raw options", rawTexts(s.Raw)...)
	if s.CERIDCode != 0 && s.CERID.IsValid() {
		p.row("CER-ID", fmt.Sprintf("%s in option %d", s.CERID, uint16(s.CERIDCode)))
	} else if s.CERIDCode != 0 {
		p.row("CER-ID", fmt.Sprintf("the lowest global address, in option %d", uint16(s.CERIDCode)))
	}
	p.row("preference", some(s.Preference > 0, strconv.Itoa(int(s.Preference)))...)
}

// limits are the rest: how clients and server pace themselves.
func (p page) limits(s server.Interface) {
	p.row("information refresh", formatTime(s.InformationTime))
	p.row("SOL_MAX_RT", formatTime(s.SolMaxRT))
	p.row("INF_MAX_RT", formatTime(s.InfMaxRT))
	if rest := uint32(s.DeclineTime / time.Second); rest == dhcpv6.Infinity {
		p.row("declined addresses", "rest for ever")
	} else {
		p.row("declined addresses", "rest for "+formatTime(rest))
	}
	p.row("offers outstanding", fmt.Sprintf("up to %d", s.MaxOffers))
}

func (p page) host(h server.Host) {
	var rows []string
	switch {
	case h.Ignore:
		rows = append(rows, "ignored, never answered")
	case h.HostID != 0:
		rows = append(rows, "address  "+interfaceIDText(h.HostID))
	}
	switch {
	case h.Prefix.IsValid():
		rows = append(rows, "prefix   "+h.Prefix.String())
	case h.HasSubnet:
		rows = append(rows, fmt.Sprintf("prefix   subnet %x", h.SubnetID))
	}
	if h.LeaseTime != 0 {
		rows = append(rows, "time     "+formatTime(h.LeaseTime))
	}
	for _, d := range h.DUIDs {
		text := "DUID     " + d.DUID.String()
		if d.HasIAID {
			text += fmt.Sprintf("%%%x", d.IAID)
		}
		rows = append(rows, text)
	}
	for _, m := range h.MACs {
		rows = append(rows, fmt.Sprintf("MAC      %02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]))
	}
	if rows == nil {
		rows = []string{"nothing that concerns DHCPv6"}
	}
	name := h.Name
	if name == "" {
		name = "(no name)"
	}
	p.row(name, rows...)
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
	switch {
	case seconds == dhcpv6.Infinity:
		return "infinite"
	case seconds == 0 || seconds%60 != 0 || seconds == 60:
		return fmt.Sprintf("%ds", seconds)
	case seconds%86400 == 0:
		return fmt.Sprintf("%dd", seconds/86400)
	case seconds%3600 == 0:
		return fmt.Sprintf("%dh", seconds/3600)
	}
	return fmt.Sprintf("%dm", seconds/60)
}

// interfaceIDText is an interface id as the end of an address: "::1:20".
func interfaceIDText(id uint64) string {
	var b [16]byte
	for i := range 8 {
		b[15-i] = byte(id >> (8 * i))
	}
	return netip.AddrFrom16(b).String()
}

func addrTexts(addrs []netip.Addr) (texts []string) {
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return texts
}

// rawTexts names the options in raw and their lengths.
func rawTexts(raw []byte) (texts []string) {
	for code, data := range dhcpv6.Options(raw).All() {
		unit := "octets"
		if len(data) == 1 {
			unit = "octet"
		}
		texts = append(texts, fmt.Sprintf("%s, %d %s", code, len(data), unit))
	}
	return texts
}
