package main

import (
	"slices"
	"strconv"
	"time"

	"lan6d/openwrt"
	"lan6d/openwrt/ubus"
)

// netifd's object, how long it may take to answer, and how long to wait before it is asked again if it does not.
const (
	netifdObject  = "network.interface"
	netifdTimeout = 10 * time.Second
	netifdPause   = 10 * time.Second
)

// askNetifd asks for all interfaces: what it tells of one is not all that matters. It tells a lot at a time, and one question
// behind the last of that will do.
func (d *daemon) askNetifd(now time.Time) {
	if d.bus.again = d.bus.asked; d.bus.again {
		return
	}
	d.bus.dumps++
	d.bus.asked, d.bus.retry = true, time.Time{}
	d.bus.writer.Reset()
	d.bus.writer.BeginObject("")
	d.bus.writer.EndObject()
	d.bus.Invoke(now, netifdObject, "dump", &d.bus.writer, netifdTimeout, d.bus.dumps)
}

// answeredNetifd takes up what netifd tells.
func (d *daemon) answeredNetifd(now time.Time, e *ubus.Event) {
	d.bus.asked = false
	switch e.Status {
	case ubus.StatusOK:
		if networks := parseNetworks(e.Args); d.netifd == nil || !openwrt.SameNetworks(networks, d.netifd) {
			d.netifd = networks
			d.useNetworks()
		}
	case ubus.StatusConnectionFailed, ubus.StatusNotFound: // it is followed again when it is there again
	default:
		if e.Status != d.bus.refused {
			d.log.warnf("ubus call %s dump: %v", netifdObject, e.Status)
		}
		d.bus.retry = now.Add(netifdPause)
	}
	d.bus.refused = e.Status
	if d.bus.again {
		d.bus.again = false
		d.askNetifd(now)
	}
}

// parseNetworks reads the reply to network.interface dump.
func parseNetworks(dump ubus.Args) []openwrt.Network {
	networks := []openwrt.Network{}
	for _, status := range dump.Elements("interface").All() {
		name, ok := status.String("interface")
		if !ok {
			continue
		}
		n := openwrt.Network{Name: name, Delegated: len(status.Elements("ipv6-prefix")) > 0}
		if up, _ := status.Bool("up"); up {
			n.Device, _ = status.String("l3_device")
		}
		n.Data = parseData(status.Elements("data"))
		networks = append(networks, n)
	}
	return networks
}

// parseData reads the single values in a table, as the text that an option has.
func parseData(table ubus.Args) (data []openwrt.Datum) {
	for name := range table.All() {
		value, ok := table.String(name)
		if n, isInt := table.Int(name); isInt {
			value, ok = strconv.FormatInt(n, 10), true
		} else if yes, isBool := table.Bool(name); isBool {
			value, ok = strconv.FormatBool(yes), true
		}
		if ok {
			data = append(data, openwrt.Datum{Name: name, Value: value})
		}
	}
	return data
}

// networks is what netifd tells, where it is to be heard.
func (d *daemon) networks() []openwrt.Network {
	if !d.base.Daemon.UBus {
		return nil
	}
	return d.netifd
}

// withNetworks is a configuration of the files with what is known from the bus, and what is wrong with that beside the known
// problems.
func (d *daemon) withNetworks(base *openwrt.Config, known []openwrt.Problem) (config *openwrt.Config, found []openwrt.Problem) {
	config, problems := base.WithNetworks(d.networks())
	if d.bus.taken {
		problems = append(problems, config.DoubleService()...)
	}
	for _, p := range problems {
		if !slices.Contains(known, p) {
			found = append(found, p)
		}
	}
	return config, found
}

// useNetworks makes the running configuration of that of the files and what netifd tells.
func (d *daemon) useNetworks() {
	config, found := d.withNetworks(d.base, d.problems)
	if !slices.Equal(found, d.found) {
		d.logProblems(found)
	}
	d.config, d.found, d.changed, d.views.changed = config, found, true, true
	if d.snapshot != nil {
		d.configure()
		d.routes.sync(d.server.Table().At(d.clocks.now()))
	}
}
