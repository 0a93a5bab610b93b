package openwrt

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

// host is a "host" section while it is read.
type host struct {
	server.Host
	hasID bool       // the option hostid is there
	ip    netip.Addr // the IPv4 address, which stands in for a missing hostid
}

// hostOptions are the options of a "host" section. As in odhcpd, some of them spoil the whole host when they are wrong.
var hostOptions = concat([]option[host]{
	vital(list("duid", func(h *host) *[]server.HostDUID { return &h.DUIDs }, each(parseHostDUID), nil)),
	vital(list("mac", func(h *host) *[][6]byte { return &h.MACs }, each(parseMAC), nil)),
	vital(text("hostid", setHostID)),
	text("ip", setHostIP),
	vital(text("name", setHostName)),
	seconds("leasetime", func(h *host) *uint32 { return &h.LeaseTime }),
	text("prefix", setHostPrefix),
}, foreign[host]("dns", "tag", "instance", "match_tag", "broadcast"))

// parseHostDUID reads a DUID with or without an IAID: "00030001020000000001%976a5f51".
func parseHostDUID(s string) (h server.HostDUID, err error) {
	duid, iaid, hasIAID := strings.Cut(s, "%")
	b, err := hex.DecodeString(duid)
	if err != nil || len(b) < 1 || len(b) > dhcpv6.MaxDUIDLength {
		return h, fmt.Errorf("%.80q is no DUID, allowed are 1 to %d octets in hexadecimal digits, %% and an IAID", s, dhcpv6.MaxDUIDLength)
	}
	if hasIAID {
		n, err := strconv.ParseUint(iaid, 16, 32)
		if err != nil || len(iaid) > 8 {
			return h, fmt.Errorf("%.80q has no IAID behind the %%, allowed are 1 to 8 hexadecimal digits", s)
		}
		h.IAID = uint32(n)
	}
	h.DUID, h.HasIAID = b, hasIAID
	return h, nil
}

func setHostID(h *host, v string) error {
	h.hasID = true
	if v == "ignore" {
		h.Ignore = true
		return nil
	}
	if err := assign(&h.HostID, v, parseHexNumber); err != nil {
		return fmt.Errorf("%w, nor is it ignore", err)
	}
	return nil
}

// setHostIP takes "ignore", too, which is for DHCPv4 only.
func setHostIP(h *host, v string) error {
	if v == "ignore" {
		return nil
	}
	a, err := netip.ParseAddr(v)
	if err != nil || !a.Is4() {
		return fmt.Errorf("%.80q is no IPv4 address", v)
	}
	h.ip = a
	return nil
}

func setHostName(h *host, v string) error {
	if err := checkHostName(v); err != nil {
		return err
	}
	h.Name = v
	return nil
}

// setHostPrefix takes a whole prefix to delegate, or the hexadecimal number of a subnet.
func setHostPrefix(h *host, v string) error {
	if !strings.ContainsAny(v, "/:") {
		n, err := parseHexNumber(v)
		if err != nil {
			return fmt.Errorf("%.80q is neither a subnet id in hexadecimal digits nor a prefix such as 2001:db8:1:20::/60", v)
		}
		h.SubnetID, h.HasSubnet, h.Prefix = n, true, netip.Prefix{}
		return nil
	}
	p, err := parsePrefix6(v)
	switch {
	case err != nil:
		return err
	case p.Bits() < 1 || p.Bits() > 64:
		return fmt.Errorf("%s cannot be delegated, allowed lengths are 1 to 64", v)
	case p.Addr().IsMulticast() || p.Addr().IsLinkLocalUnicast() || p.Masked().Addr().IsUnspecified():
		return fmt.Errorf("%s cannot be delegated, allowed are global and unique local prefixes", v)
	case p != p.Masked():
		return fmt.Errorf("%s has bits behind its length, is %s meant?", v, p.Masked())
	}
	h.Prefix, h.HasSubnet, h.SubnetID = p, false, 0
	return nil
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
