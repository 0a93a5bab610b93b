package main

import (
	"strings"

	"lan6d/ctl"
	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/openwrt"
)

// filter says which bindings are meant.
type filter struct {
	link, duid, hostname, kind, state string // empty: any
}

// parseDUID reads the argument of that name; "" without one.
func parseDUID(a arguments) (string, error) {
	text := text(a, "duid")
	if text == "" {
		return "", nil
	}
	b, err := tinyfmt.ParseHex(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(b) == 0 || len(b) > dhcpv6.MaxDUIDLength {
		return "", errArguments("duid: " + text + " is no DUID in hexadecimal digits")
	}
	return string(b), nil
}

func (f *filter) matches(b *lease.Binding) bool {
	if f.state == "" && b.State == lease.Free || f.state != "" && f.state != b.State.String() {
		return false
	}
	return (f.link == "" || f.link == b.Link.Name) && (f.duid == "" || f.duid == b.DUID) &&
		(f.hostname == "" || strings.EqualFold(f.hostname, b.Hostname)) && (f.kind == "" || f.kind == kindName(b.Kind))
}

func kindName(k lease.Kind) string {
	if k == lease.Prefix {
		return "prefix"
	}
	return "address"
}

// bindings are those that match, of the server's and then those that the relay agent has seen.
func (d *daemon) bindings(f *filter) (given, relayed []*lease.Binding) {
	return matching(d.server.Table(), f), matching(d.relay.Table(), f)
}

func matching(table *lease.Table, f *filter) (list []*lease.Binding) {
	for _, l := range table.Links() {
		for _, b := range l.Bindings() {
			if f.matches(b) {
				list = append(list, b)
			}
		}
	}
	return list
}

func (d *daemon) callLeases(a arguments) (reply, error) {
	f := &filter{hostname: text(a, "hostname"), kind: text(a, "kind"), state: text(a, "state")}
	var err error
	if f.link, err = d.interfaceOf(a); err == nil {
		f.duid, err = parseDUID(a)
	}
	if err != nil {
		return nil, err
	}
	return func(w ctl.Writer) {
		w.BeginObject("")
		d.writeLeases(w, f)
		w.EndObject()
	}, nil
}

func (d *daemon) writeLeases(w ctl.Writer, f *filter) {
	now := d.server.Table().At(d.clocks.now())
	given, relayed := d.bindings(f)
	w.BeginArray("leases")
	for _, b := range given {
		d.writeBinding(w, b, now, false)
	}
	for _, b := range relayed {
		d.writeBinding(w, b, now, true)
	}
	w.EndArray()
}

func (d *daemon) writeBinding(w ctl.Writer, b *lease.Binding, now lease.Time, relayed bool) {
	w.BeginObject("")
	w.String("interface", b.Link.Name)
	w.String("device", d.deviceOf(b.Link.Name))
	w.String("kind", kindName(b.Kind))
	w.String("state", b.State.String())
	if b.DUID != "" {
		writeClient(w, b.Key, b.Hostname)
	}
	if mac, ok := b.Client().MAC(); ok {
		w.String("mac", openwrt.FormatMAC(mac))
	}
	if relayed {
		writeLeaseList(w, b.Leases, now)
	} else {
		writeLeaseList(w, d.server.LeasesOf(b), now)
	}
	if b.Peer.IsValid() {
		w.String("client", b.Peer.String())
	}
	if b.State == lease.Offered || b.State == lease.Declined {
		w.Int64("valid", seconds(b.Deadline.Until(now)))
	}
	w.Bool("static", b.Fixed)
	if !relayed {
		w.Bool("accept_reconfigure", d.server.Accepts(b.Link.Name, b.DUID))
	}
	w.Bool("relayed", relayed)
	w.EndObject()
}

// writeClient tells whose a binding is. The IAID is the number that the RFC has: without a sign.
func writeClient(w ctl.Writer, key lease.Key, hostname string) {
	w.String("duid", dhcpv6.DUID(key.DUID).String())
	w.Int64("iaid", int64(key.IAID))
	if server.ValidHostname(hostname) {
		w.String("hostname", hostname)
	}
}

func writeLeaseList(w ctl.Writer, leases []lease.Lease, now lease.Time) {
	w.BeginArray("leases")
	for i := range leases {
		l := &leases[i]
		w.BeginObject("")
		if l.Prefix.IsSingleIP() {
			w.String("address", l.Prefix.Addr().String())
		} else {
			w.String("prefix", l.Prefix.String())
		}
		w.Int64("preferred", seconds(l.Preferred.Until(now)))
		w.Int64("valid", seconds(l.Valid.Until(now)))
		if l.Withdrawn {
			w.Bool("withdrawn", true)
		}
		w.EndObject()
	}
	w.EndArray()
}

// seconds is a lifetime, with -1 for ever.
func seconds(lifetime uint32) int64 {
	if lifetime == dhcpv6.Infinity {
		return -1
	}
	return int64(lifetime)
}

// deviceOf is the device of a logical interface, or its name where that has none: it may be down, or no longer configured.
func (d *daemon) deviceOf(name string) string {
	if c := d.config.Interface(name); c != nil && !c.Down {
		return c.DeviceName()
	}
	return name
}

// callIPv6Leases answers as odhcpd does: with the same members, in the same order, of the same types.
func (d *daemon) callIPv6Leases(arguments) (reply, error) {
	return func(w ctl.Writer) {
		now := d.server.Table().At(d.clocks.now())
		w.BeginObject("")
		w.BeginObject("device")
		for i := range d.config.Interfaces {
			c := &d.config.Interfaces[i]
			if c.Role != openwrt.Server || c.Down {
				continue
			}
			w.BeginObject(c.DeviceName())
			w.BeginArray("leases")
			for _, b := range d.server.Table().Link(c.Name).Bindings() {
				if b.State != lease.Free {
					d.writeOdhcpd(w, b, now)
				}
			}
			w.EndArray()
			w.EndObject()
		}
		w.EndObject()
		w.EndObject()
	}, nil
}

// noDUID stands in ipv6leases for the client of an address that somebody else uses.
const noDUID = "00000000000000000000"

func (d *daemon) writeOdhcpd(w ctl.Writer, b *lease.Binding, now lease.Time) {
	w.BeginObject("")
	if b.DUID == "" {
		w.String("duid", noDUID)
	} else {
		w.String("duid", b.Client().String())
	}
	w.Int32("iaid", int32(b.IAID))
	if name := b.Hostname; server.ValidHostname(name) {
		w.String("hostname", name)
	} else {
		w.String("hostname", "") // whoever shows it may not expect what is in it
	}
	w.Bool("accept-reconf", d.server.Accepts(b.Link.Name, b.DUID))
	if b.Kind == lease.Address {
		w.Int64("assigned", int64(b.ID))
	} else {
		w.Int32("assigned", int32(b.ID))
	}
	w.BeginArray("flags")
	if b.State == lease.Bound {
		w.String("", "bound")
	}
	if b.Fixed {
		w.String("", "static")
	}
	w.EndArray()
	if b.Kind == lease.Address {
		w.BeginArray("ipv6-addr")
	} else {
		w.BeginArray("ipv6-prefix")
	}
	leases := d.server.LeasesOf(b)
	for i := range leases {
		if l := &leases[i]; !l.Withdrawn && l.Valid > now {
			w.BeginObject("")
			w.String("address", l.Prefix.Addr().String())
			w.Int32("preferred-lifetime", int32(l.Preferred.Until(now)))
			w.Int32("valid-lifetime", int32(l.Valid.Until(now)))
			if b.Kind == lease.Prefix {
				w.Int32("prefix-length", int32(l.Prefix.Bits()))
			}
			w.EndObject()
		}
	}
	w.EndArray()
	w.Int32("valid", int32(b.Deadline.Until(now))) // 0xffffffff, for ever, becomes -1
	w.EndObject()
}
