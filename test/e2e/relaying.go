package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A relayRouter is a router whose lan6d relays: clients are on lan0, servers beyond wan0.
type relayRouter struct {
	*router
	up      *capture // on wan0
	servers []*upstream
}

// The relay's LAN, and its address there.
const (
	relayedLAN  = "2001:db8:1:5::/64"
	relayedAddr = "2001:db8:1:5::1/64"
)

// relayConfig has lan6d relay from lan0 to wan0. More options of the section wan may follow.
const relayConfig = `
config dhcp 'lan'
	option ifname 'lan0'
	option dhcpv6 'relay'

config dhcp 'wan'
	option ifname 'wan0'
	option dhcpv6 'relay'
	option master '1'
`

// newRelayRouter makes a router that relays to servers of these kinds, which run already.
func newRelayRouter(t testing.TB, kinds ...serverKind) *relayRouter {
	t.Helper()
	server(t) // built before the mount namespaces are made: they shall see the file
	config := relayConfig
	r := &relayRouter{}
	for i, k := range kinds {
		s := newUpstream(t, k, fmt.Sprintf("server%d", i+1), i+1)
		r.servers = append(r.servers, s)
		if !k.multicast {
			config += "\tlist dhcpv6_relay_servers '" + s.addr + "'\n"
		} else if len(kinds) > 1 {
			config += "\tlist dhcpv6_relay_servers 'ff05::1:3'\n"
		}
	}
	r.router = bareRouter(t, config, relayedAddr)
	r.addLAN()
	r.addWAN()
	return r
}

// addWAN makes wan0, a bridge, with the servers on it.
func (r *relayRouter) addWAN() {
	r.t.Helper()
	r.ip("link add wan0 address 02:00:00:00:ff:01 type bridge mcast_snooping 0\nlink set wan0 up")
	for i, s := range r.servers {
		join(r.host, "wan0", fmt.Sprintf("up%d", i+1), s.host, "eth0")
	}
	r.AddAddr(r.t, "wan0", "2001:db8:ffff::99/64")
	r.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
	for _, s := range r.servers {
		s.connect()
	}
	r.up = r.host.capture("wan0")
}

// open starts the servers and lan6d.
func (r *relayRouter) open() {
	r.t.Helper()
	for _, s := range r.servers {
		s.serve()
	}
	r.serve()
	r.awaitService()
}

// relayed waits until lan6d relays from lan0.
func (r *relayRouter) relayed() {
	r.t.Helper()
	eventually(r.t, 5*time.Second, "a route of lan6d's", func() bool { return r.ownRoutes() != "" })
}

// ownRoutes are the kernel's routes that lan6d has installed.
func (r *router) ownRoutes() string {
	r.t.Helper()
	return strings.TrimSpace(r.ip("route show proto 0x6d"))
}

// guest makes a host on lan0 before anybody serves it.
func (r *relayRouter) guest(name string) *host {
	r.t.Helper()
	h := newHost(r.t, name)
	r.ports++
	join(r.host, "lan0", fmt.Sprintf("port%d", r.ports), h, "eth0")
	h.EnableDAD(r.t, "eth0")
	return h
}
