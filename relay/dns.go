package relay

import (
	"encoding/binary"
	"net/netip"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// rewriteDNS replaces the DNS servers in an answer, where the configuration wants that: the n-th by our n-th, those beyond
// by our last. No length changes, so it does not matter how many relay agents are still before the client; they find our
// addresses as good as the clients do. The option stands in the message itself (RFC 3646, section 5), not in IAs.
func (r *Relay) rewriteDNS(now lease.Time, to *link, m *message) error {
	if !to.RewriteDNS {
		return nil
	}
	own := [1]netip.Addr{to.dnsServer(now)}
	ours := to.DNS
	if len(ours) == 0 {
		ours = own[:]
	}
	if !ours[0].IsValid() {
		return nil // no address at all, so no clients either
	}
	rewritten, authenticated := false, false
	for o := m.content.Options; len(o) > 0; {
		var code dhcpv6.OptionCode
		var data []byte
		switch code, data, o = o.Cut(); code {
		case dhcpv6.OptionDNSServers:
			rewritten = len(data) >= 16 || rewritten
			replaceAddrs(data, ours)
		case dhcpv6.OptionAuth:
			authenticated = authenticated || !isReconfigureKey(data)
		}
	}
	switch {
	case rewritten && authenticated:
		return DropAuthenticated
	case rewritten:
		r.counters.Rewritten++
	}
	return nil
}

// replaceAddrs overwrites a list of addresses.
func replaceAddrs(b []byte, with []netip.Addr) {
	for ; len(b) >= 16; b = b[16:] {
		a := with[0].As16()
		copy(b, a[:])
		if len(with) > 1 {
			with = with[1:]
		}
	}
}

// isReconfigureKey reports whether an Authentication option only brings the key for later Reconfigure messages (section
// 20.4.1: protocol 3, algorithm 1, in the authentication information type 1 and a key of 16 octets). Such a one
// authenticates nothing of the message that it is in.
func isReconfigureKey(data []byte) bool {
	return len(data) == 3+8+1+16 && binary.BigEndian.Uint16(data) == 3<<8|1 && data[11] == 1
}
