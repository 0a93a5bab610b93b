package main

import (
	"strconv"

	"lan6d/openwrt"
	"lan6d/openwrt/ubus"
)

// parseNetworks reads the reply to network.interface dump.
func parseNetworks(dump ubus.Args) (networks []openwrt.Network) {
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

// useNetworks makes the running configuration of that of the files and what netifd tells.
func (d *daemon) useNetworks() {
	config, problems := d.base.WithNetworks(d.netifd)
	d.config, d.changed, d.views.changed = config, true, true
	d.logProblems(problems)
	if d.snapshot != nil {
		d.configure()
		d.routes.sync(d.server.Table().At(d.clocks.now()))
	}
}
