package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"strconv"

	"lan6d/ctl"
	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
	"lan6d/openwrt"
)

// hostArguments are the options of a section of type host that add_lease takes.
var hostArguments = [...]string{"duid", "mac", "name", "hostid", "ip", "prefix", "leasetime"}

// callAddLease adds a host to the configuration in memory. It comes before those of the files, so that it counts, and in place
// of what was added for the same client before.
func (d *daemon) callAddLease(a arguments) (reply, error) {
	options := make(map[string][]string)
	for _, name := range hostArguments {
		if values, ok := a.Strings(name); ok {
			options[name] = values
		} else if value := text(a, name); value != "" {
			options[name] = []string{value}
		}
	}
	host, err := openwrt.ParseHost(options)
	if err != nil {
		return nil, errArguments(err.Error())
	}
	if len(host.DUIDs)+len(host.MACs) == 0 {
		return nil, errArguments("duid, mac: one of them is needed, to tell the client by")
	}
	if holder := d.holderOf(&host); holder != "" {
		return nil, errArguments("hostid: " + strconv.FormatUint(host.HostID, 16) + " is that of " + holder + " already")
	}
	all := d.base.Server.Hosts
	hosts := []server.Host{host}
	for i := range all {
		if i >= d.added || !sameClient(&host, &all[i]) {
			hosts = append(hosts, all[i])
		}
	}
	d.added += len(hosts) - len(all)
	d.base.Server.Hosts = hosts
	d.useNetworks()
	return nil, nil
}

// holderOf names who has the interface id that a host is to have: another host, or the router itself.
func (d *daemon) holderOf(h *server.Host) string {
	if h.HostID == 0 {
		return ""
	}
	for i := range d.base.Server.Hosts {
		if k := &d.base.Server.Hosts[i]; k.HostID == h.HostID && !sameClient(h, k) {
			return clientText(k)
		}
	}
	for _, s := range d.served {
		for _, a := range s.link.Addrs {
			b := a.Prefix.Addr().As16()
			if s.role == openwrt.Server && !a.Prefix.Addr().IsLinkLocalUnicast() && binary.BigEndian.Uint64(b[8:]) == h.HostID {
				return "the router (" + a.Prefix.Addr().String() + ")"
			}
		}
	}
	return ""
}

// sameClient reports whether two hosts are one client, or have one among others. Most DUIDs have a link-layer address in them.
func sameClient(a, b *server.Host) bool {
	for _, mac := range a.MACs {
		if hasMAC(b, mac) {
			return true
		}
	}
	for _, mac := range b.MACs {
		if hasMAC(a, mac) {
			return true
		}
	}
	for i := range a.DUIDs {
		for j := range b.DUIDs {
			x, y := &a.DUIDs[i], &b.DUIDs[j]
			if bytes.Equal(x.DUID, y.DUID) && (!x.HasIAID || !y.HasIAID || x.IAID == y.IAID) {
				return true
			}
		}
	}
	return false
}

func hasMAC(h *server.Host, mac [6]byte) bool {
	for i := range h.DUIDs {
		if b, ok := h.DUIDs[i].DUID.MAC(); ok && [6]byte(b) == mac {
			return true
		}
	}
	return slices.Contains(h.MACs, mac)
}

// clientText names a host, which has a DUID or a link-layer address.
func clientText(h *server.Host) string {
	switch {
	case h.Name != "":
		return h.Name
	case len(h.DUIDs) > 0:
		return h.DUIDs[0].DUID.String()
	case len(h.MACs) > 0:
		return hex.EncodeToString(h.MACs[0][:])
	}
	return "a host without client"
}

// callDelLease ends bindings. Their clients are not told: they get what they ask for when they renew.
func (d *daemon) callDelLease(a arguments) (reply, error) {
	f, p, err := d.meant(a)
	if err != nil {
		return nil, err
	}
	var ended []string
	now := d.clocks.now()
	given, relayed := d.bindings(f)
	for _, b := range given {
		leases := d.server.LeasesOf(b)
		if b.State != lease.Free && isOf(a, b) && holds(leases, p) {
			ended = append(ended, endedText(b, leases))
			d.server.End(now, b)
		}
	}
	for _, b := range relayed {
		if isOf(a, b) && holds(b.Leases, p) {
			ended = append(ended, endedText(b, b.Leases))
			d.relay.Forget(now, b)
		}
	}
	if ended == nil {
		return nil, errors.New("nobody has such a lease")
	}
	return func(w ctl.Writer) {
		w.BeginObject("")
		w.BeginArray("leases")
		for _, text := range ended {
			w.String("", text)
		}
		w.EndArray()
		w.EndObject()
	}, nil
}

// meant reads which bindings are to end: those of a client, or the one with a lease.
func (d *daemon) meant(a arguments) (f *filter, p netip.Prefix, err error) {
	f = &filter{}
	if f.link, err = d.interfaceOf(a); err != nil {
		return nil, p, err
	}
	if f.duid, err = parseDUID(a); err != nil {
		return nil, p, err
	}
	switch address, prefix := text(a, "address"), text(a, "prefix"); {
	case address != "":
		var addr netip.Addr
		if addr, err = netip.ParseAddr(address); err == nil {
			p = netip.PrefixFrom(addr, addr.BitLen())
		} else {
			err = errors.New("address: " + address + " is no IPv6 address")
		}
	case prefix != "":
		if p, err = netip.ParsePrefix(prefix); err != nil {
			err = errors.New("prefix: " + prefix + " is no prefix, such as 2001:db8:1::/56")
		}
	case f.duid == "":
		err = errors.New("one of duid, address, prefix is needed")
	}
	if err != nil {
		return nil, p, errArguments(err.Error())
	}
	return f, p, nil
}

// isOf reports whether a binding is that of the IA in the arguments. On ubus, where there are no numbers without a sign, the
// upper half of the IAIDs is negative.
func isOf(a arguments, b *lease.Binding) bool {
	iaid, ok := a.Int("iaid")
	return !ok || iaid == int64(b.IAID) || iaid == int64(int32(b.IAID))
}

// holds reports whether the lease is one of them; the zero Prefix means any.
func holds(leases []lease.Lease, p netip.Prefix) bool {
	return !p.IsValid() || slices.ContainsFunc(leases, func(l lease.Lease) bool { return l.Prefix == p })
}

func endedText(b *lease.Binding, leases []lease.Lease) string {
	text := b.Link.Name + ": "
	if list := leaseList(leases); list != "" {
		text += list + " "
	}
	if b.DUID == "" {
		return text + "(" + b.State.String() + ")"
	}
	return text + "of " + b.Client().String()
}

func (d *daemon) callReconfigure(a arguments) (reply, error) {
	link, err := d.interfaceOf(a)
	if err != nil {
		return nil, err
	}
	duid, err := parseDUID(a)
	if err != nil {
		return nil, err
	}
	if all, _ := a.Bool("all"); !all && link == "" && duid == "" {
		return nil, errArguments("one of interface, duid, all is needed")
	}
	var client dhcpv6.DUID
	if duid != "" {
		client = dhcpv6.DUID(duid)
	}
	n, err := d.server.Reconfigure(d.clocks.now(), link, client, 0)
	if err != nil {
		return nil, err
	}
	return func(w ctl.Writer) {
		w.BeginObject("")
		w.Int32("sent", int32(n))
		w.EndObject()
	}, nil
}
