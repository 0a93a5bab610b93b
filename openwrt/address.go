package openwrt

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"lan6d/dhcpv6/server"
)

// maxOption is the most octets that an option holds.
const maxOption = 65535

// parseServerAddr reads the address of a DNS server. IPv4 addresses are for DHCPv4: ok is false.
func parseServerAddr(s string) (a netip.Addr, ok bool, err error) {
	a, err = netip.ParseAddr(s)
	switch {
	case err != nil || a.Zone() != "":
		return a, false, fmt.Errorf("%.80q is no IP address", s)
	case a.IsUnspecified():
		return a, false, fmt.Errorf("%s is no address of a server", s)
	}
	return a, a.Is6(), nil
}

// parseAddr6 reads an IPv6 address of a host: not the unspecified one, not multicast, without a zone.
func parseAddr6(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is6() || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
		return netip.Addr{}, fmt.Errorf("%.80q is no IPv6 unicast address", s)
	}
	return a, nil
}

// parsePrefix6 reads an IPv6 prefix, which must have its length.
func parsePrefix6(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || !p.Addr().Is6() {
		return netip.Prefix{}, fmt.Errorf("%.80q is no IPv6 prefix with its length, such as 2001:db8:1::/48", s)
	}
	return p, nil
}

// errUnspecified is the error for :: or 0.0.0.0 as a time server, for which odhcpd gives up the interface.
var errUnspecified = errors.New("no address of a server, the interface is not served")

// parseNTP reads a time server: an IPv6 address or a name. IPv4 addresses are for DHCPv4: ok is false.
func parseNTP(s string) (n server.NTPServer, ok bool, err error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		if a.IsUnspecified() {
			return n, false, fmt.Errorf("%s is %w", s, errUnspecified)
		}
		return server.NTPServer{Addr: a}, a.Is6(), nil
	}
	name, err := parseDomain(s)
	if err != nil || isDigit(name[len(name)-1]) && allDigits(name[strings.LastIndexByte(name, '.')+1:]) {
		return n, false, fmt.Errorf("%.80q is neither an IP address nor a domain name", s)
	}
	return server.NTPServer{Name: name}, true, nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// parseMAC reads an Ethernet address: six groups of one or two hexadecimal digits with colons between them.
func parseMAC(s string) (mac [6]byte, err error) {
	rest := s
	for i := range mac {
		group, after, more := strings.Cut(rest, ":")
		n, err := parseHexNumber(group)
		if err != nil || len(group) > 2 || more != (i < len(mac)-1) {
			return mac, fmt.Errorf("%.80q is no MAC address such as 02:00:5e:10:00:01", s)
		}
		mac[i], rest = byte(n), after
	}
	return mac, nil
}
