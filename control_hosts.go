package main

import (
	"errors"
	"net/netip"
	"slices"

	"lan6d/ctl"
	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
	"lan6d/openwrt"
)

// hostArguments are the options of a section of type host that add_lease takes.
var hostArguments = [...]string{"duid", "mac", "name", "hostid", "ip", "prefix", "leasetime"}

// callAddLease adds a host to the configuration in memory. It comes before those of the files, so that it counts.
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
	d.base.Server.Hosts = append([]server.Host{host}, d.base.Server.Hosts...)
	d.useNetworks()
	return nil, nil
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
		}
	case prefix != "":
		p, err = netip.ParsePrefix(prefix)
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
