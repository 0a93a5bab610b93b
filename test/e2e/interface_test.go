package e2e

import (
	"testing"
	"time"
)

// TestInterfaceReplaced: the served interface goes and comes back with another index, as when netifd sets up a bridge
// anew.
func TestInterfaceReplaced(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c, had := leaseholder(t, r)
	old := r.Ifindex(t, "lan0")
	r.ip("link del lan0")
	time.Sleep(500 * time.Millisecond) // long enough for lan6d to see that it is gone
	r.addLAN()
	r.ip("link set port1 master lan0")
	r.LinkLocal(t, "lan0")
	r.awaitService()
	if r.Ifindex(t, "lan0") == old {
		t.Fatal("lan0 has its old index again")
	}
	c.keeps(had)
}

// TestInterfaceDown: the served interface goes down and comes up again, as when a cable is pulled.
func TestInterfaceDown(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c, had := leaseholder(t, r)
	r.ip("link set lan0 down")
	time.Sleep(500 * time.Millisecond)
	r.ip("link set lan0 up")
	r.LinkLocal(t, "lan0")
	for _, a := range r.addrs { // the kernel takes them away with the link
		r.ip("addr replace %s dev lan0 nodad", a)
	}
	r.awaitService()
	time.Sleep(time.Second / 2) // until lan6d knows the addresses
	c.keeps(had)
}

// TestInterfaceLosesIPv6: with an MTU too small for IPv6 the kernel takes IPv6 from the interface, groups included, and the
// socket does not learn of it. If that is over at once, two snapshots look the same.
func TestInterfaceLosesIPv6(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c, had := leaseholder(t, r)
	r.ip("link set lan0 mtu 1000")
	r.ip("link set lan0 mtu 1500")
	r.LinkLocal(t, "lan0")
	for _, a := range r.addrs {
		r.ip("addr replace %s dev lan0 nodad", a)
	}
	time.Sleep(time.Second) // until lan6d knows the addresses
	c.keeps(had)
}

// TestInterfaceLater: lan6d starts before the interface that it is to serve exists, as it may at boot.
func TestInterfaceLater(t *testing.T) {
	t.Parallel()
	r := bareRouter(t, config, global, local)
	r.serve()
	time.Sleep(500 * time.Millisecond)
	select {
	case <-r.lan6d.done:
		t.Fatal("lan6d ended")
	default:
	}
	r.addLAN()
	c, had := leaseholder(t, r)
	c.keeps(had)
}
