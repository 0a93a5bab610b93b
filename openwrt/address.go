package openwrt

import (
	"errors"
	"net/netip"
	"strings"

	"lan6d/dhcpv6/server"
	"lan6d/dhcpv6/tinyfmt"
)

// maxOption is the most octets that an option holds.
const maxOption = 65535

// checkRoom tests that what is of that many octets fits an option.
func checkRoom(what string, octets, room int) error {
	if octets <= room {
		return nil
	}
	return tinyfmt.Errorf("%s %d octets, an option has room for %d", what, octets, room)
}

// errUnspecified is the error for :: and 0.0.0.0.
var errUnspecified = errors.New("is no address of a server")

// parseAddr reads an address of a host or a group, without a zone.
func parseAddr(s string) (a netip.Addr, err error) {
	a, err = netip.ParseAddr(s)
	switch {
	case err != nil || a.Zone() != "":
		err = wrong(s, "is no IP address")
	case a.IsUnspecified():
		err = errUnspecified
	}
	return a, err
}

// parseServerAddr reads the address of a DNS server. IPv4 addresses are for DHCPv4: ok is false.
func parseServerAddr(s string) (a netip.Addr, ok bool, err error) {
	a, err = parseAddr(s)
	if err == errUnspecified {
		err = about(s, err.Error())
	}
	return a, a.Is6(), err
}

// parseAddr6 reads an IPv6 address of a host.
func parseAddr6(s string) (netip.Addr, error) {
	a, err := parseAddr(s)
	if err != nil || !a.Is6() || a.IsMulticast() {
		err = wrong(s, "is no IPv6 unicast address")
	}
	return a, err
}

// parsePrefix6 reads an IPv6 prefix, which must have its length.
func parsePrefix6(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || !p.Addr().Is6() {
		return p, wrong(s, "is no IPv6 prefix with its length, such as 2001:db8:1::/48")
	}
	return p, nil
}

// parseNTP reads a time server: an IPv6 address or a name. IPv4 addresses are for DHCPv4: ok is false.
func parseNTP(s string) (n server.NTPServer, ok bool, err error) {
	n.Addr, err = parseAddr(s)
	if err == nil || err == errUnspecified {
		return n, n.Addr.Is6(), err
	}
	n.Addr = netip.Addr{}
	n.Name, err = parseDomain(s)
	if strings.Trim(n.Name[strings.LastIndexByte(n.Name, '.')+1:], "0123456789") == "" { // nor is it one if it is empty
		err = wrong(s, "is neither an IP address nor a domain name")
	}
	return n, true, err
}

// parseMAC reads an Ethernet address: six groups of one or two hexadecimal digits with colons between them.
func parseMAC(s string) (mac [6]byte, err error) {
	rest := s
	for i := range mac {
		group, after, more := strings.Cut(rest, ":")
		n, err := parseHexNumber(group)
		if err != nil || len(group) > 2 || more != (i < len(mac)-1) {
			return mac, wrong(s, "is no MAC address such as 02:00:5e:10:00:01")
		}
		mac[i], rest = byte(n), after
	}
	return mac, nil
}

// FormatMAC is an Ethernet address with colons.
func FormatMAC(mac []byte) string {
	var b []byte
	for i, c := range mac {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return string(b)
}
