package e2e

import "lan6d/netif/netnstest"

// join puts an interface of a host on another's bridge.
func join(a *host, bridge, port string, b *host, ifname string) {
	a.t.Helper()
	netnstest.Link(a.t, a.NS, port, b.NS, ifname)
	a.ip("link set %s master %s", port, bridge)
	a.LinkLocal(a.t, bridge)
}
