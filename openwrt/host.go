package openwrt

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/openwrt/uci"
)

// host is a "host" section while it is read.
type host struct {
	server.Host
	hasID bool       // the option hostid is there
	ip    netip.Addr // the IPv4 address, which stands in for a missing hostid
}

// hostOptions are the options of a "host" section. As in odhcpd, some of them spoil the whole host when they are wrong.
func hostOptions(h *host) table {
	return table{foreign: "dns tag instance match_tag broadcast", options: []option{
		{name: "duid", field: &h.DUIDs, many: setDUIDs, vital: true},
		{name: "mac", field: &h.MACs, many: setMACs, vital: true},
		{name: "hostid", field: h, one: setHostID, vital: true},
		{name: "ip", field: &h.ip, one: setHostIP},
		{name: "name", field: &h.Name, one: setHostName, vital: true},
		{name: "leasetime", field: &h.LeaseTime, one: setTime},
		{name: "prefix", field: h, one: setHostPrefix},
	}}
}

func setDUIDs(l *list) {
	for i, v := range l.values {
		if d, err := parseHostDUID(v); l.take(i, 0, true, err) {
			f := l.field.(*[]server.HostDUID)
			*f = append(*f, d)
		}
	}
}

// parseHostDUID reads a DUID with or without an IAID: "00030001020000000001%976a5f51".
func parseHostDUID(s string) (h server.HostDUID, err error) {
	duid, iaid, hasIAID := strings.Cut(s, "%")
	b, err := tinyfmt.ParseHex(duid)
	if err != nil || len(b) < 1 || len(b) > dhcpv6.MaxDUIDLength {
		return h, wrong(s, "is no DUID, allowed are "+duidLengths(1)+", % and an IAID")
	}
	if hasIAID {
		n, err := strconv.ParseUint(iaid, 16, 32)
		if err != nil || len(iaid) > 8 {
			return h, wrong(s, "has no IAID behind the %, allowed are 1 to 8 hexadecimal digits")
		}
		h.IAID = uint32(n)
	}
	h.DUID, h.HasIAID = b, hasIAID
	return h, nil
}

func setMACs(l *list) {
	for i, v := range l.values {
		if m, err := parseMAC(v); l.take(i, 0, true, err) {
			f := l.field.(*[][6]byte)
			*f = append(*f, m)
		}
	}
}

func setHostID(o *option, v string) error {
	h := o.field.(*host)
	h.hasID = true
	if v == "ignore" {
		h.Ignore = true
		return nil
	}
	id, err := parseHexNumber(v)
	if err != nil {
		return about(err.Error()+",", "nor is it ignore")
	}
	h.HostID = id
	return nil
}

// setHostIP takes "ignore", too, which is for DHCPv4 only.
func setHostIP(o *option, v string) error {
	if v == "ignore" {
		return nil
	}
	a, err := netip.ParseAddr(v)
	if err != nil || !a.Is4() {
		return wrong(v, "is no IPv4 address")
	}
	return o.setAddr(a)
}

func setHostName(o *option, v string) error {
	if err := checkHostName(v); err != nil {
		return err
	}
	return o.setText(v)
}

// setHostPrefix takes a whole prefix to delegate, or the hexadecimal number of a subnet.
func setHostPrefix(o *option, v string) error {
	h := o.field.(*host)
	if !strings.ContainsAny(v, "/:") {
		n, err := parseHexNumber(v)
		if err != nil {
			return wrong(v, "is neither a subnet id in hexadecimal digits nor a prefix such as 2001:db8:1:20::/60")
		}
		h.SubnetID, h.HasSubnet, h.Prefix = n, true, netip.Prefix{}
		return nil
	}
	p, err := parsePrefix6(v)
	if err != nil {
		return err
	}
	whole := p.Masked()
	switch {
	case p.Bits() < 1 || p.Bits() > 64:
		err = about(v, "cannot be delegated, allowed lengths are 1 to 64")
	case !p.Addr().IsGlobalUnicast() || whole.Addr().IsUnspecified():
		err = about(v, "cannot be delegated, allowed are global and unique local prefixes")
	case p != whole:
		err = about(v, "has bits behind its length, is "+whole.String()+" meant?")
	default:
		h.Prefix, h.HasSubnet, h.SubnetID = p, false, 0
	}
	return err
}

// result is the host when its section is read. A host with an IPv4 address and no hostid gets the last number of that
// address, in decimal, as the hexadecimal digits of its interface id: 192.168.1.120 becomes ::120.
func (h *host) result() server.Host {
	if !h.hasID && h.ip.IsValid() {
		last := h.ip.As4()[3]
		h.HostID, _ = parseHexNumber(strconv.Itoa(int(last))) // three decimal digits always are hexadecimal ones
	}
	return h.Host
}

// ParseHost makes a host of the options of a "host" section, given by their names. The error is the first thing that is
// wrong.
func ParseHost(options map[string][]string) (server.Host, error) {
	var h host
	b, section := newBuilder(), &uci.Section{Type: "host"}
	for _, o := range hostOptions(&h).options {
		if values := options[o.name]; len(values) > 0 {
			section.Options = append(section.Options, &uci.Option{Name: o.name, List: o.many != nil, Values: values})
		}
	}
	b.apply(section, hostOptions(&h), false)
	if len(b.problems) > 0 {
		return server.Host{}, errors.New(b.problems[0].Option + ": " + strings.TrimSuffix(b.problems[0].Text, spoiled))
	}
	return h.result(), nil
}
