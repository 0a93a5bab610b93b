package e2e

import (
	"fmt"
	"testing"
)

// A relayKind is a relay program that the tests run. It listens to clients on lan1 and sends to servers on eth0.
type relayKind struct {
	name  string
	start func(*host)
}

var relayKinds = []relayKind{
	{"dhcrelay", func(h *host) {
		h.start("dhcrelay", "-6", "-d", "--no-pid", "-I", "-l", "lan1", "-u", "eth0")
	}},
	{"dibbler-relay", func(h *host) {
		h.write("/etc/dibbler/relay.conf", 0o644, `log-level 8
log-mode full
iface eth0 {
	server multicast yes
}
iface lan1 {
	client multicast yes
	interface-id 5020
}
`)
		h.start("dibbler-relay", "run")
	}},
	{"dhcp6relay", func(h *host) {
		h.start("dhcp6relay", "-f", "-d", "-D", "-p", "/run/e2e/relay.pid", "-r", "eth0", "lan1")
	}},
}

// newRelayHost makes a host between two links: eth0 is for the side of the server, lan1 is a bridge for clients. Its
// addresses lie in the prefix of the router's LAN, which is how lan6d knows what to lease to those behind it.
func newRelayHost(t testing.TB, name string, subnet int) *host {
	t.Helper()
	h := newHost(t, name)
	h.ip("link add lan1 address 02:00:00:00:%02x:01 type bridge mcast_snooping 0\nlink set lan1 up", subnet)
	h.AddAddr(t, "lan1", linkAddress(subnet)+"/64")
	return h
}

// linkAddress is the address of the relay that serves a subnet, on that subnet.
func linkAddress(subnet int) string { return fmt.Sprintf("2001:db8:1:%x::1", subnet) }

// behind makes a host on the client side of a relay.
func (h *host) behind(name string) *host {
	h.t.Helper()
	c := newHost(h.t, name)
	join(h, "lan1", "port-"+name, c, "eth0")
	c.EnableDAD(h.t, "eth0")
	return c
}
