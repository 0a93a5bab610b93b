package openwrt

import (
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// AppendHosts appends the hosts file of an interface, for dnsmasq: the addresses of clients that have a name.
func AppendHosts(b []byte, i *ViewInterface, now lease.Time) []byte {
	for _, binding := range i.Leases {
		name := binding.Hostname
		if binding.State != lease.Bound || binding.Kind != lease.Address || !server.ValidHostname(name) {
			continue
		}
		for k := range binding.Leases {
			l := &binding.Leases[k]
			if !live(l, now) {
				continue
			}
			b = append(l.Prefix.Addr().AppendTo(b), '\t')
			b = append(b, name...)
			if i.Domain != "" {
				b = append(append(b, '.'), i.Domain...)
				b = append(append(b, '\t'), name...)
			}
			b = append(b, '\n')
		}
	}
	return b
}

// NamesHash is a number that stays the same as long as the hosts files have the same lines, in whatever order.
func NamesHash(interfaces []ViewInterface, now lease.Time) (sum uint64) {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	var b []byte
	for i := range interfaces {
		b = AppendHosts(b[:0], &interfaces[i], now)
		h := uint64(offset)
		for _, c := range b {
			h = (h ^ uint64(c)) * prime
			if c == '\n' {
				sum += h
				h = offset
			}
		}
	}
	return sum
}
