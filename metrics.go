package main

import (
	"lan6d/ctl"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
	"lan6d/netif"
	"lan6d/openwrt"
	"lan6d/relay"
)

func (d *daemon) callMetrics(arguments) (reply, error) {
	text := d.metrics()
	return func(w ctl.Writer) {
		w.BeginObject("")
		w.String("text", text)
		w.EndObject()
	}, nil
}

// metrics is the state in numbers, in Prometheus' text format.
func (d *daemon) metrics() string {
	m := &ctl.Metrics{}
	m.Family("lan6d_info", "gauge", "Version of lan6d.")
	m.Value(1, "version", version)
	m.Family("lan6d_uptime_seconds", "gauge", "Time since lan6d was started.")
	m.Value(int64(d.clocks.now().Sub(d.born).Seconds()))
	d.serverMetrics(m)
	d.poolMetrics(m)
	d.relayMetrics(m)
	d.systemMetrics(m)
	return m.String()
}

func (d *daemon) serverMetrics(m *ctl.Metrics) {
	c := d.server.Counters()
	typeMetrics(m, "lan6d_received_total", "Messages of clients and relay agents, by type.", &c.Received)
	typeMetrics(m, "lan6d_sent_total", "Messages sent to clients, by type.", &c.Sent)
	m.Family("lan6d_dropped_total", "counter", "Messages without an answer, by reason.")
	for _, drop := range server.Drops() {
		m.Value(int64(c.Dropped[drop]), "reason", drop.Error())
	}
	m.Family("lan6d_bad_names_total", "counter", "Client FQDN options whose name is no host name.")
	m.Value(int64(c.BadNames))
	m.Family("lan6d_reconfigure_given_up_total", "counter", "Clients that did not follow a Reconfigure.")
	m.Value(int64(c.GivenUp))
	m.Family("lan6d_reconfigure_forgotten_total", "counter", "Clients without leases forgotten for more recent ones.")
	m.Value(int64(c.KeysDropped))
}

func typeMetrics(m *ctl.Metrics, name, help string, counts *[16]uint64) {
	m.Family(name, "counter", help)
	for t := range counts {
		if name := typeName(t); counts[t] > 0 || t <= 13 {
			m.Value(int64(counts[t]), "type", name)
		}
	}
}

func (d *daemon) poolMetrics(m *ctl.Metrics) {
	status := d.server.Status(d.clocks.now())
	m.Family("lan6d_bindings", "gauge", "Bindings, by interface, kind and state.")
	for i := range status.Links {
		l := &status.Links[i]
		for _, kind := range [...]lease.Kind{lease.Address, lease.Prefix} {
			n := &l.Bindings[kind]
			for _, of := range [...]struct {
				state lease.State
				count int
			}{{lease.Bound, n.Bound}, {lease.Offered, n.Offered}, {lease.Declined, n.Declined}, {lease.Free, n.Free}} {
				m.Value(int64(of.count), "interface", l.Name, "kind", kindName(kind), "state", of.state.String())
			}
		}
	}
	m.Family("lan6d_pool_used", "gauge", "Interface ids and numbers of /64s in use, by interface and kind.")
	for i := range status.Links {
		for kind, p := range status.Links[i].Pools {
			m.Value(count(p.Used), "interface", status.Links[i].Name, "kind", kindName(lease.Kind(kind)))
		}
	}
	m.Family("lan6d_pool_free", "gauge", "Interface ids and numbers of /64s that can be given out, by interface and kind.")
	for i := range status.Links {
		for kind, p := range status.Links[i].Pools {
			m.Value(count(p.Free), "interface", status.Links[i].Name, "kind", kindName(lease.Kind(kind)))
		}
	}
	m.Family("lan6d_reconfigurable", "gauge", "Clients that a Reconfigure can reach.")
	m.Value(int64(status.Bound), "leases", "some")
	m.Value(int64(status.Stateless), "leases", "none")
}

func (d *daemon) relayMetrics(m *ctl.Metrics) {
	c := d.relay.Counters()
	typeMetrics(m, "lan6d_relay_received_total", "Messages on client-side interfaces, by type.", &c.Received)
	typeMetrics(m, "lan6d_relay_returned_total", "Messages relayed to clients, by type.", &c.Returned)
	m.Family("lan6d_relay_dropped_total", "counter", "Messages not relayed, by reason.")
	for _, drop := range relay.Drops() {
		m.Value(int64(c.Dropped[drop]), "reason", drop.Error())
	}
	for _, of := range [...]struct {
		name, help string
		value      uint64
	}{
		{"forwarded", "Messages relayed to servers.", c.Forwarded},
		{"copies", "Relay-forwards sent, one for each server.", c.Copies},
		{"unreachable", "Relay-forwards not sent, as nothing leads to the server.", c.Unreachable},
		{"rewritten", "Replies relayed with other DNS servers.", c.Rewritten},
		{"unroutable", "Delegated prefixes that cannot be anybody's.", c.Unroutable},
		{"beyond_limit", "Delegated prefixes without a route, as there are too many.", c.BeyondLimit},
		{"contested", "Delegated prefixes that another next hop holds.", c.Contested},
		{"releases_ignored", "IA_PDs in Releases of others than their holder.", c.ReleasesIgnored},
	} {
		m.Family("lan6d_relay_"+of.name+"_total", "counter", of.help)
		m.Value(int64(of.value))
	}
	to, unreached := d.relay.Ways(d.clocks.now())
	m.Family("lan6d_relay_destinations", "gauge", "Where messages are relayed to: servers, and groups on each upstream interface.")
	m.Value(int64(len(to)), "reached", "yes")
	m.Value(int64(len(unreached)), "reached", "no")
	m.Family("lan6d_relay_unanswered", "gauge", "Messages relayed since the last answer of a server.")
	m.Value(int64(d.relay.silence.asked))
	m.Family("lan6d_relay_prefixes", "gauge", "Bindings with delegated prefixes that are routed, by interface.")
	for i := range d.config.Interfaces {
		if k := &d.config.Interfaces[i]; k.Role == openwrt.Relay && !k.Master {
			m.Value(int64(d.relay.Table().Link(k.Name).Len()), "interface", k.Name)
		}
	}
}

func (d *daemon) systemMetrics(m *ctl.Metrics) {
	m.Family("lan6d_journal_ok", "gauge", "Whether leases are written, by file.")
	for _, s := range d.stores() {
		m.Value(truth(s.health() == nil), "file", s.path)
		if s.persist.path != "" {
			m.Value(truth(s.persist.err == nil), "file", s.persist.path)
		}
	}
	m.Family("lan6d_journal_octets", "gauge", "Length of the journals, by file.")
	for _, s := range d.stores() {
		if s.journal != nil {
			m.Value(s.journal.Size(), "file", s.path)
		}
	}
	m.Family("lan6d_files_ok", "gauge", "Whether the lease file and the hosts files are as they are to be, and the lease trigger has run.")
	m.Value(truth(len(d.views.writer.Failures()) == 0))
	m.Family("lan6d_netlink_overruns_total", "counter", "Changes of interfaces, addresses and routes that the kernel could not queue.")
	m.Value(int64(d.watcher.Overruns()))
	m.Family("lan6d_netlink_restarts_total", "counter", "Times that all interfaces and addresses were read anew, after an overrun or an error.")
	m.Value(int64(d.watcher.Restarts()))
	m.Family("lan6d_routes_ok", "gauge", "Whether all routes to delegated prefixes are installed.")
	m.Value(truth(d.routes.said == ""))
	m.Family("lan6d_routes", "gauge", "Routes to delegated prefixes.")
	n := 0
	for _, list := range d.routes.of {
		n += len(list)
	}
	m.Value(int64(n))
	m.Family("lan6d_interface_served", "gauge", "Whether an interface that is to be served or relayed is, by interface.")
	for i := range d.config.Interfaces {
		if k := &d.config.Interfaces[i]; k.Role != openwrt.Disabled {
			m.Value(truth(d.whyNot(k) == ""), "interface", k.Name)
		}
	}
	d.socketMetrics(m)
}

func (d *daemon) socketMetrics(m *ctl.Metrics) {
	for _, of := range [...]struct {
		name, help string
		value      func(*netif.Counters) uint64
	}{
		{"received", "Datagrams received, by device.", func(c *netif.Counters) uint64 { return c.Received }},
		{"truncated", "Datagrams received that were cut, by device.", func(c *netif.Counters) uint64 { return c.Truncated }},
		{"overrun", "Datagrams that the kernel dropped, by device.", func(c *netif.Counters) uint64 { return c.Dropped }},
		{"receive_errors", "Errors of the kernel while receiving, by device.", func(c *netif.Counters) uint64 { return c.ReceiveErrors }},
		{"sent", "Datagrams sent, by device.", func(c *netif.Counters) uint64 { return c.Sent }},
		{"send_errors", "Datagrams that could not be sent, by device.", sendErrors},
	} {
		m.Family("lan6d_socket_"+of.name+"_total", "counter", of.help)
		for i := range d.config.Interfaces {
			if s := d.served[d.config.Interfaces[i].Name]; s != nil && s.socket != nil {
				c := s.socket.Counters()
				m.Value(int64(of.value(&c)), "device", s.device)
			}
		}
	}
}

func sendErrors(c *netif.Counters) (n uint64) {
	for _, k := range c.SendErrors {
		n += k
	}
	return n
}

func truth(ok bool) int64 {
	if ok {
		return 1
	}
	return 0
}
