package server

import (
	"net/netip"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// hosts finds the configuration's host for a client.
type hosts struct {
	all    []Host
	byIA   map[hostIA]*Host // DUID and IAID
	byDUID map[string]*Host
	byMAC  map[[6]byte]*Host
}

type hostIA struct {
	duid string
	iaid uint32
}

// newHosts indexes the hosts. Of two that name the same client the first counts.
func newHosts(all []Host) hosts {
	h := hosts{all, make(map[hostIA]*Host), make(map[string]*Host), make(map[[6]byte]*Host)}
	for i := len(all) - 1; i >= 0; i-- {
		for _, d := range all[i].DUIDs {
			if d.HasIAID {
				h.byIA[hostIA{string(d.DUID), d.IAID}] = &all[i]
			} else {
				h.byDUID[string(d.DUID)] = &all[i]
			}
		}
		for _, mac := range all[i].MACs {
			h.byMAC[mac] = &all[i]
		}
	}
	return h
}

// find returns the host with that DUID and IAID; else the one with that DUID; else the one with that MAC, which is nil or
// has 6 octets; else the one with the MAC in the DUID; else nil.
func (h *hosts) find(duid dhcpv6.DUID, iaid uint32, mac []byte) *Host {
	if host, ok := h.byIA[hostIA{string(duid), iaid}]; ok {
		return host
	}
	return h.findClient(duid, mac)
}

// findClient is find without an IAID.
func (h *hosts) findClient(duid dhcpv6.DUID, mac []byte) *Host {
	if host, ok := h.byDUID[string(duid)]; ok {
		return host
	}
	if len(mac) == 6 {
		if host, ok := h.byMAC[[6]byte(mac)]; ok {
			return host
		}
	}
	if mac, ok := duid.MAC(); ok {
		return h.byMAC[[6]byte(mac)]
	}
	return nil
}

// is reports whether the client of a binding is this host.
func (h *hosts) is(host *Host, key lease.Key) bool {
	return host != nil && h.find(dhcpv6.DUID(key.DUID), key.IAID, nil) == host
}

// reservedSubnets are the subnet ids under net that are fixed for hosts.
func (h *hosts) reservedSubnets(net netip.Prefix, minLength int) (spans []lease.Span) {
	for i := range h.all {
		switch host := &h.all[i]; {
		case host.HasSubnet:
			size := uint64(1) << (64 - fixedLength(host.SubnetID, minLength))
			spans = append(spans, lease.Span{First: host.SubnetID, Last: host.SubnetID + size - 1})
		case host.Prefix.IsValid() && net.Contains(host.Prefix.Addr()) &&
			host.Prefix.Bits() > net.Bits() && host.Prefix.Bits() <= 64:
			spans = append(spans, subnetSpan(net, host.Prefix.Addr(), host.Prefix.Bits()))
		}
	}
	return spans
}
