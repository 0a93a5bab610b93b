package e2e

import (
	"net/netip"
	"testing"
	"time"
)

// TestRelays runs clients behind relays: they get addresses and prefixes of the link that the relay names, and lan6d
// says everything through the relay.
func TestRelays(t *testing.T) {
	t.Parallel()
	outcome := matrix{title: "relay"}
	clients := []kind{dhclientKind, dhcpcdKind, dhcp6cKind}
	for _, k := range clients {
		outcome.cols = append(outcome.cols, k.name)
	}
	t.Run("behind", func(t *testing.T) {
		for _, relay := range relayKinds {
			outcome.rows = append(outcome.rows, relay.name)
			for _, k := range clients {
				t.Run(relay.name+"/"+k.name, func(t *testing.T) {
					t.Parallel()
					outcome.set(relay.name, k.name, "FAILED")
					r := newRouter(t, config)
					h := newRelayHost(t, "relay", 5)
					r.plug(h, "eth0")
					h.AddAddr(t, "eth0", "2001:db8:1::2/64")
					client := h.behind("client")
					relay.start(h) // dibbler's wants lan1 to have a carrier
					testRelayed(newCell(t, k, r, client), 5)
					if !t.Failed() {
						outcome.set(relay.name, k.name, "ok")
					}
				})
			}
		}
	})
	outcome.show(t, "relays.md")
}

// TestRelayBehindRelay: what a relay behind another relay sends has two layers, and so has what lan6d sends back.
func TestRelayBehindRelay(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	near, far := newRelayHost(t, "near", 5), newRelayHost(t, "far", 6)
	r.plug(near, "eth0")
	near.AddAddr(t, "eth0", "2001:db8:1::2/64")
	join(near, "lan1", "port-far", far, "eth0")
	far.AddAddr(t, "eth0", "2001:db8:1:5::2/64")
	client := far.behind("client")
	for _, h := range []*host{near, far} {
		up := "eth0"
		if h == far {
			up = linkAddress(5) + "%eth0"
		}
		h.start("dhcrelay", "-6", "-d", "--no-pid", "-I", "-l", "lan1", "-u", up)
	}
	testRelayed(newCell(t, dhclientKind, r, client), 6)
	for _, p := range r.capture.all() {
		if p.inner == nil || p.inner.inner == nil {
			t.Errorf("a %s without two layers", p.kind)
		}
	}
}

// testRelayed has a client behind a relay get an address and a prefix, and give them back.
func testRelayed(c cell, subnet int) {
	r := c.router
	c.client.start(want{addr: true, prefix: true})
	offer := r.capture.exchanged(0, 15*time.Second, "Solicit", "Advertise")
	bind := r.capture.exchanged(0, 10*time.Second, "Request", "Reply")
	for _, p := range []pair{offer, bind} {
		checkLayers(c.T, p, subnet)
	}
	reply := bind.got.client()
	c.checkAddrs(reply.leases(optIANA))
	r.lan6d.logged("bound", reply.leases(optIANA)[0].prefix.Addr().String())
	c.checkPrefixes(reply.leases(optIAPD))
	r.lan6d.logged("bound", reply.leases(optIAPD)[0].prefix.String())

	since := r.capture.mark()
	c.client.release()
	r.capture.exchanged(since, 10*time.Second, "Release", "Reply")
	r.lan6d.logged("released", reply.leases(optIANA)[0].prefix.Addr().String())
}

// checkLayers checks that an answer goes back the way the question came, and that this is through the relay of the subnet.
func checkLayers(t *testing.T, p pair, subnet int) {
	t.Helper()
	if err := p.checkWay(); err != nil {
		t.Error(err)
	}
	var link netip.Addr
	for m := p.asked.message; m.inner != nil; m = m.inner {
		link = m.link
	}
	if link.String() != linkAddress(subnet) {
		t.Errorf("the client is on link %v, not %v", link, linkAddress(subnet))
	}
}
