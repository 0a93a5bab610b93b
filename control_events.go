package main

import (
	"net/netip"

	"lan6d/ctl"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
	"lan6d/openwrt"
	"lan6d/relay"
)

// heard reports whether anybody listens to an event: else there is no need to make it.
func (d *daemon) heard(name string) bool {
	return d.control.channel != nil && d.control.channel.Listeners() > 0 || d.bus.heard(name)
}

// emit tells those who listen.
func (d *daemon) emit(name string, write reply) {
	if d.control.channel != nil {
		d.control.channel.Emit(name, write)
	}
	if d.bus.heard(name) {
		d.bus.emit(name, write)
	}
}

// serverEvents are the names for what happens to the server's bindings, and relayEvents to relayed ones.
var (
	serverEvents = map[server.EventKind]string{
		server.Bound: "dhcp.lease6", server.Renewed: "dhcp.renew6", server.Released: "dhcp.release6",
		server.Replaced: "dhcp.expire6", server.Expired: "dhcp.expire6", server.Withdrawn: "dhcp.expire6",
		server.Deleted: "dhcp.expire6", server.Declined: "dhcp.decline6",
	}
	relayEvents = map[relay.EventKind]string{
		relay.Learned: "dhcp.prefix6", relay.Renewed: "dhcp.renew6", relay.Released: "dhcp.release6",
		relay.Withdrawn: "dhcp.expire6", relay.Replaced: "dhcp.expire6", relay.Expired: "dhcp.expire6", relay.Forgotten: "dhcp.expire6",
	}
)

// announce tells what has happened to a binding of the server's.
func (d *daemon) announce(e *server.Event) {
	name, ok := serverEvents[e.Kind]
	if e.Kind == server.Bound && e.Key.Kind == lease.Prefix {
		name = "dhcp.prefix6"
	}
	if !ok || !d.heard(name) {
		return
	}
	d.emit(name, func(w ctl.Writer) {
		d.writeEvent(w, e.Link, e.Kind.String(), e.Key, e.Hostname, e.Leases, e.At, e.Client, routeOwner{false, e.Link, e.Key})
	})
}

// announceRelayed tells what has happened to a prefix that a relayed client holds.
func (d *daemon) announceRelayed(e *relay.Event) {
	name, ok := relayEvents[e.Kind]
	if !ok || !d.heard(name) {
		return
	}
	d.emit(name, func(w ctl.Writer) {
		d.writeEvent(w, e.Link, e.Kind.String(), e.Key, "", e.Leases, e.At, e.Via, routeOwner{true, e.Link, e.Key})
	})
}

func (d *daemon) writeEvent(w ctl.Writer, link, cause string, key lease.Key, hostname string, leases []lease.Lease, at lease.Time, via netip.Addr, owner routeOwner) {
	w.BeginObject("")
	w.String("interface", link)
	w.String("device", d.deviceOf(link))
	w.String("cause", cause)
	w.String("kind", kindName(key.Kind))
	if key.DUID != "" {
		writeClient(w, key, hostname)
	}
	writeLeaseList(w, leases, at)
	if via.IsValid() {
		w.String("via", via.String())
	}
	if routes := d.routes.of[owner]; len(routes) > 0 {
		w.BeginArray("routes")
		for _, r := range routes {
			w.String("", r.Prefix.String())
		}
		w.EndArray()
	}
	w.EndObject()
}

// announceInterface tells that an interface is served or relayed from now on, or no longer, or that its device has come up or
// gone down.
func (d *daemon) announceInterface(name, device, cause string) {
	if !d.heard("interface") {
		return
	}
	d.emit("interface", func(w ctl.Writer) {
		w.BeginObject("")
		w.String("name", name)
		w.String("device", device)
		w.String("cause", cause)
		w.EndObject()
	})
}

// announceConfig tells that the configuration was read again, or not taken.
func (d *daemon) announceConfig(changed bool, problems []openwrt.Problem) {
	if !d.heard("config") {
		return
	}
	cause := "refused"
	if changed {
		cause = "reloaded"
	}
	d.emit("config", func(w ctl.Writer) {
		w.BeginObject("")
		w.String("cause", cause)
		w.Bool("changed", changed)
		writeProblems(w, problems)
		w.EndObject()
	})
}
