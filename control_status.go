package main

import (
	"os"
	"slices"
	"strings"

	"lan6d/ctl"
	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
	"lan6d/netif"
	"lan6d/openwrt"
	"lan6d/relay"
)

func (d *daemon) callStatus(arguments) (reply, error) {
	return func(w ctl.Writer) {
		w.BeginObject("")
		d.writeStatus(w)
		w.EndObject()
	}, nil
}

func (d *daemon) writeStatus(w ctl.Writer) {
	now := d.clocks.now()
	w.String("version", version)
	w.Int64("uptime", int64(now.Sub(d.born).Seconds()))
	w.Int32("pid", int32(os.Getpid()))
	w.BeginObject("config")
	w.String("dir", d.options.configDir)
	w.BeginArray("files")
	for _, file := range d.config.Files {
		w.String("", file)
	}
	w.EndArray()
	w.Int64("loaded", int64(now.Sub(d.loaded).Seconds()))
	writeProblems(w, append(slices.Clip(d.problems), d.found...))
	w.EndObject()
	d.writeBus(w)
	w.String("server_duid", d.duid.String())
	d.writeInterfaces(w)
	d.writeJournal(w)
	d.writeCounters(w)
	w.BeginArray("warnings")
	for _, text := range d.warnings() {
		w.String("", text)
	}
	w.EndArray()
}

// writeBus tells what lan6d has to do with ubus.
func (d *daemon) writeBus(w ctl.Writer) {
	w.BeginObject("ubus")
	w.Bool("enabled", d.base.Daemon.UBus)
	if d.bus.Client != nil {
		w.Bool("connected", d.bus.Connected())
		w.Bool("netifd", d.bus.Following(netifdObject))
		w.BeginArray("objects")
		for _, path := range [...]string{ownObject, odhcpdObject} {
			if d.bus.Publishes(path) {
				w.String("", path)
			}
		}
		w.EndArray()
	}
	w.EndObject()
}

func writeProblems(w ctl.Writer, problems []openwrt.Problem) {
	w.BeginArray("problems")
	for i := range problems {
		p := &problems[i]
		w.BeginObject("")
		w.String("severity", p.Severity.String())
		if p.Pos.File != "" {
			w.String("file", p.Pos.File)
			w.Int32("line", int32(p.Pos.Line))
		}
		if p.Option != "" {
			w.String("option", p.Option)
		}
		w.String("text", p.Text)
		w.EndObject()
	}
	w.EndArray()
}

func (d *daemon) callInterfaces(arguments) (reply, error) {
	return func(w ctl.Writer) {
		w.BeginObject("")
		d.writeInterfaces(w)
		w.EndObject()
	}, nil
}

func (d *daemon) writeInterfaces(w ctl.Writer) {
	status := d.server.Status(d.clocks.now())
	w.BeginArray("interfaces")
	for i := range d.config.Interfaces {
		c := &d.config.Interfaces[i]
		var l *server.LinkStatus
		for n := range status.Links {
			if status.Links[n].Name == c.Name {
				l = &status.Links[n]
			}
		}
		d.writeInterface(w, c, l)
	}
	w.EndArray()
}

// writeInterface writes an interface of the configuration; status is nil unless it is served.
func (d *daemon) writeInterface(w ctl.Writer, c *openwrt.Interface, status *server.LinkStatus) {
	w.BeginObject("")
	w.String("name", c.Name)
	w.String("device", c.DeviceName())
	w.String("mode", c.Mode.String())
	w.String("role", c.Role.String())
	w.Bool("master", c.Master)
	link, there := d.link(c.DeviceName())
	w.Bool("up", there && link.Running)
	if why := d.whyNot(c); why != "" {
		w.String("reason", why)
	}
	w.BeginArray("prefixes")
	if status != nil {
		for i := range status.Prefixes {
			writePrefix(w, &status.Prefixes[i])
		}
	}
	w.EndArray()
	if status != nil {
		writePools(w, status)
	} else if c.Role == openwrt.Relay && !c.Master {
		writeRelayed(w, d.relay.Table().Link(c.Name))
	}
	w.EndObject()
}

// link is the device of that name in the last snapshot.
func (d *daemon) link(device string) (netif.Link, bool) {
	if d.snapshot == nil {
		return netif.Link{}, false
	}
	return d.snapshot.LinkByName(device)
}

// whyNot is why an interface is not served or relayed although it is to be; empty: it is.
func (d *daemon) whyNot(c *openwrt.Interface) string {
	s := d.served[c.Name]
	switch {
	case c.Mode == openwrt.Disabled:
		return ""
	case c.Role == openwrt.Disabled:
		return c.Describe()
	case s == nil || s.missed != "":
		return d.absence(c.Name)
	case s.err != nil:
		return s.err.Error()
	case s.socket == nil:
		return "its socket is closed"
	}
	return ""
}

func writePrefix(w ctl.Writer, p *server.PrefixStatus) {
	w.BeginObject("")
	w.String("prefix", p.Prefix.String())
	w.Int64("preferred", seconds(p.Preferred))
	w.Int64("valid", seconds(p.Valid))
	w.Bool("deprecated", p.Preferred == 0)
	w.Bool("addresses", p.Addresses)
	w.Bool("delegates", p.Delegates)
	w.EndObject()
}

func writePools(w ctl.Writer, s *server.LinkStatus) {
	addresses, prefixes := s.Bindings[lease.Address], s.Bindings[lease.Prefix]
	w.BeginObject("leases")
	w.Int32("addresses", int32(addresses.Bound))
	w.Int32("prefixes", int32(prefixes.Bound))
	w.Int32("offers", int32(addresses.Offered+prefixes.Offered))
	w.Int32("declined", int32(addresses.Declined))
	w.EndObject()
	w.BeginObject("pools")
	for _, kind := range [...]lease.Kind{lease.Address, lease.Prefix} {
		name := [...]string{lease.Address: "addresses", lease.Prefix: "prefixes"}[kind]
		w.Int64(name+"_used", count(s.Pools[kind].Used))
		w.Int64(name+"_free", count(s.Pools[kind].Free))
	}
	w.EndObject()
}

// count is a number of ids as JSON's readers can have it.
func count(n uint64) int64 { return int64(min(n, 1<<53)) }

func writeRelayed(w ctl.Writer, l *lease.Link) {
	w.BeginObject("leases")
	w.Int32("prefixes", int32(l.Len()))
	w.EndObject()
}

func (d *daemon) writeJournal(w ctl.Writer) {
	for _, s := range d.stores() {
		if s == d.store {
			w.BeginObject("journal")
		} else {
			w.BeginObject("relay_journal")
		}
		w.String("path", s.path)
		if s.journal != nil {
			w.Int64("size", s.journal.Size())
		}
		writeHealth(w, s.health())
		if s.persist.path != "" {
			w.BeginObject("copy")
			w.String("path", s.persist.path)
			writeHealth(w, s.persist.err)
			w.EndObject()
		}
		w.EndObject()
	}
}

func writeHealth(w ctl.Writer, err error) {
	w.Bool("ok", err == nil)
	if err != nil {
		w.String("error", err.Error())
	}
}

// writeCounters writes the counters that are not zero.
func (d *daemon) writeCounters(w ctl.Writer) {
	c := d.server.Counters()
	w.BeginObject("counters")
	writeTypes(w, "received", &c.Received)
	writeTypes(w, "sent", &c.Sent)
	w.BeginObject("dropped")
	for _, drop := range server.Drops() {
		writeCount(w, drop.Error(), c.Dropped[drop])
	}
	w.EndObject()
	r := d.relay.Counters()
	writeTypes(w, "relayed", &r.Received)
	writeTypes(w, "returned", &r.Returned)
	w.BeginObject("not_relayed")
	for _, drop := range relay.Drops() {
		writeCount(w, drop.Error(), r.Dropped[drop])
	}
	w.EndObject()
	w.EndObject()
}

func writeTypes(w ctl.Writer, name string, counts *[16]uint64) {
	w.BeginObject(name)
	for t := range counts {
		writeCount(w, typeName(t), counts[t])
	}
	w.EndObject()
}

// typeName is the name of a message type, by its index in counters.
func typeName(index int) string {
	if index == 0 {
		return "unknown"
	}
	return dhcpv6.MessageType(index).String()
}

func writeCount(w ctl.Writer, name string, n uint64) {
	if n > 0 {
		w.Int64(name, int64(n))
	}
}

func (d *daemon) callCheck(arguments) (reply, error) {
	config, problems, err := d.options.load()
	if err != nil {
		return nil, err
	}
	if d.snapshot != nil {
		var found []openwrt.Problem
		config, found = d.withNetworks(config, problems)
		config.ResolveModes(d.delegated)
		problems = append(problems, found...)
	}
	return func(w ctl.Writer) {
		var text strings.Builder
		openwrt.Describe(&text, config)
		w.BeginObject("")
		writeProblems(w, problems)
		w.String("text", text.String())
		w.EndObject()
	}, nil
}

func (d *daemon) callReload(arguments) (reply, error) {
	problems, err := d.reload()
	if err != nil && err != errRefused {
		return nil, err
	}
	return func(w ctl.Writer) {
		w.BeginObject("")
		w.Bool("changed", err == nil)
		writeProblems(w, problems)
		w.EndObject()
	}, nil
}

func (d *daemon) callLogLevel(a arguments) (reply, error) {
	if level := text(a, "level"); level != "" {
		l, err := openwrt.ParseLogLevel(level)
		if err != nil {
			return nil, errArguments("level: " + err.Error())
		}
		d.log.level = l
	}
	return func(w ctl.Writer) {
		w.BeginObject("")
		w.String("level", d.log.level.String())
		w.EndObject()
	}, nil
}

// callDump is what a bug report needs: everything but keys.
func (d *daemon) callDump(arguments) (reply, error) {
	return func(w ctl.Writer) {
		w.BeginObject("")
		d.writeStatus(w)
		var text strings.Builder
		openwrt.Describe(&text, d.config)
		w.BeginArray("configuration")
		for line := range strings.Lines(text.String()) {
			w.String("", strings.TrimSuffix(line, "\n"))
		}
		w.EndArray()
		w.BeginArray("links")
		if d.snapshot != nil {
			for i := range d.snapshot.Links {
				writeLink(w, &d.snapshot.Links[i])
			}
		}
		w.EndArray()
		for _, state := range [...]string{"bound", "offered", "declined", "free"} {
			w.BeginObject(state)
			d.writeLeases(w, &filter{state: state})
			w.EndObject()
		}
		w.EndObject()
	}, nil
}

func writeLink(w ctl.Writer, l *netif.Link) {
	w.BeginObject("")
	w.String("name", l.Name)
	w.Int32("index", int32(l.Index))
	w.Bool("running", l.Running)
	w.Int32("mtu", int32(l.MTU))
	w.BeginArray("addresses")
	for _, a := range l.Addrs {
		w.BeginObject("")
		w.String("address", a.Prefix.String())
		w.Int64("flags", int64(a.Flags))
		w.Int64("preferred", seconds(a.Preferred))
		w.Int64("valid", seconds(a.Valid))
		w.EndObject()
	}
	w.EndArray()
	w.EndObject()
}
