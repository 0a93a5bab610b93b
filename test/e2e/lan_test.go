package e2e

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestOneLAN runs all clients on one LAN at the same time: each has addresses and prefixes that no other has.
func TestOneLAN(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	var cells []cell
	for _, k := range clientKinds {
		c := newCell(t, k, r, r.client(k.name))
		c.client.start(want{addr: true, prefix: true})
		cells = append(cells, c)
	}
	var taken []netip.Prefix
	for _, c := range cells {
		reply := r.replyTo(c.host)
		c.bound(want{addr: true, prefix: true}, reply)
		for _, l := range append(reply.leases(optIANA), reply.leases(optIAPD)...) {
			for _, p := range taken {
				if p.Overlaps(l.prefix) {
					t.Errorf("%v of %s overlaps %v of another client", l.prefix, c.host.name, p)
				}
			}
			taken = append(taken, l.prefix)
		}
	}
}

// replyTo waits for the Reply to a host's Request.
func (r *router) replyTo(h *host) *message {
	r.t.Helper()
	at := h.LinkLocal(r.t, "eth0")
	return r.capture.await(0, 20*time.Second, "a Reply to "+h.name, func(p packet) bool {
		return p.sent && p.kind == "Reply" && p.dst.Addr() == at
	}).message
}

// TestMovedClient: a client wakes up on a link with another prefix and confirms the address that it had. It learns that the
// address is of no use there, and asks for one that is.
func TestMovedClient(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config, global)
	c := newCell(t, dhclientKind, r, r.client("client"))
	w := want{addr: true}
	c.lease(w)
	c.client.kill()
	r.ip("addr del %s dev lan0", global)
	r.AddAddr(t, "lan0", "2001:db8:2::1/48")
	time.Sleep(time.Second / 2) // until lan6d knows
	since := r.capture.mark()
	c.client.start(w)
	confirm := r.capture.exchanged(since, 10*time.Second, "Confirm", "Reply")
	if s := confirm.got.status(); s != statusNotOnLink {
		t.Errorf("status %d for an address of another link", s)
	}
	reply := r.capture.exchanged(since, 10*time.Second, "Request", "Reply").got
	c.checkAddrs(reply.leases(optIANA))
}

// TestTwoLANs: clients on a second interface get addresses of that interface, and those on the first are none the wiser.
func TestTwoLANs(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config+strings.ReplaceAll(config, "lan", "guest"), global)
	r.ip("link add guest0 type bridge mcast_snooping 0\nlink set guest0 up")
	r.AddAddr(t, "guest0", "2001:db8:2::1/48")
	guest := newHost(t, "guest")
	join(r.host, "guest0", "guestport", guest, "eth0")
	guest.EnableDAD(t, "eth0")
	c, had := leaseholder(t, r)
	dhclientKind.make(guest).start(want{addr: true, prefix: true})
	eventually(t, 15*time.Second, "the guest to have an address of its network", func() bool {
		addrs := guest.addrs("eth0")
		return len(addrs) == 1 && strings.HasPrefix(addrs[0].addr.String(), "2001:db8:2:")
	})
	r.lan6d.logged("guest: bound", "2001:db8:2:", "/62")
	for _, code := range []uint16{optIANA, optIAPD} {
		if leases := had.leases(code); len(leases) != 1 || !strings.HasPrefix(leases[0].prefix.String(), "2001:db8:1:") {
			t.Errorf("leased on lan0: %v", leases)
		}
	}
	c.keeps(had)
}

// TestExpiry: a client that is gone loses its lease when it runs out.
func TestExpiry(t *testing.T) {
	t.Parallel()
	const valid = 8
	r := newRouter(t, config, global)
	end := r.shortly(valid/2, valid)
	c := newCell(t, dhclientKind, r, r.client("client"))
	addr := c.request(want{addr: true}).leases(optIANA)[0].prefix.Addr().String()
	c.client.kill() // before it renews
	end()
	eventually(t, 2*valid*time.Second, "the lease to expire", func() bool {
		return r.lan6d.hasLogged("expired", addr)
	})
}
