package openwrt

import (
	"strings"

	"lan6d/dhcpv6"
)

// parseDomain reads a domain name for a search list, an NTP or a DNS server, and drops the final dot. Names end up in
// packets and in hosts files: only letters, digits, - and _ are taken, other scripts in their xn-- form.
func parseDomain(s string) (string, error) {
	name := strings.TrimSuffix(s, ".")
	for i := range len(name) {
		if c := name[i]; !isDigit(c) && !isLetter(c) && c != '-' && c != '_' && c != '.' {
			return "", wrong(s, "is no domain name, allowed are letters, digits, -, _ and dots")
		}
	}
	if _, err := dhcpv6.AppendName(nil, name); err != nil {
		return "", err
	}
	if strings.HasSuffix(name, ".") { // AppendName takes one final dot
		return "", wrong(s, "is no domain name, it has an empty label")
	}
	return name, nil
}

// nameLength is the length of a valid domain name on the wire, in octets.
func nameLength(name string) int { return len(name) + 2 }

// checkHostName tests the name of a host: labels of letters and digits, with - and _ within a label.
func checkHostName(s string) error {
	for _, label := range strings.Split(s, ".") {
		if label == "" {
			return wrong(s, "is no host name: it has an empty label")
		}
		for i := range len(label) {
			c := label[i]
			inside := 0 < i && i < len(label)-1
			if !isDigit(c) && !isLetter(c) && !(inside && (c == '-' || c == '_')) {
				return wrong(s, "is no host name, allowed are letters, digits, and within a label - and _")
			}
		}
	}
	_, err := dhcpv6.AppendPartialName(nil, s)
	return err
}
