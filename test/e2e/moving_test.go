package e2e

import (
	"testing"
)

// TestMovingPrefix: the provider changes the router's prefix. A client that renews is told that what it had there is void,
// is given the same in the new prefix, and uses it; lan6d's routes follow. What it has in a unique local prefix stays.
func TestMovingPrefix(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{dhcpcdKind, dhcp6cKind} {
		for what, how := range map[string]string{"removed": removed, "deprecated": deprecated} {
			t.Run(k.name+"/"+what, func(t *testing.T) {
				t.Parallel()
				testMovingPrefix(t, k, how, global)
			})
			t.Run(k.name+"/"+what+" beside another", func(t *testing.T) {
				t.Parallel()
				testMovingPrefix(t, k, how, global, local)
			})
		}
	}
}

func testMovingPrefix(t *testing.T, k kind, how string, addrs ...string) {
	w := want{addr: true, prefix: true}
	r := newRouter(t, config, addrs...)
	c := newCell(t, k, r, r.client("client"))
	client, routes := c.host.monitor("address"), r.monitor("route")
	end := r.shortly(36, 120) // they renew after 18 s
	had := c.request(w)
	c.bound(w, had)
	end()
	c.uses(had)
	since := r.capture.mark()
	r.renumber(how, global, movedGlobal)
	reply, _ := c.moves(had, global, movedGlobal, since)
	c.settles("routes", c.routed, reply.leases(optIAPD))
	for _, m := range []*process{client, routes} {
		m.logged("Deleted", "2001:db8:1:")
		if m.hasLogged("Deleted", "fd00:1:") {
			t.Errorf("something of the other prefix was deleted: %s", m.log())
		}
	}
}

// monitor starts ip monitor for one kind of object.
func (h *host) monitor(object string) *process {
	h.t.Helper()
	return h.start("ip", "-6", "monitor", object)
}

// TestFlashRenumbering: the prefix changes while lan6d, or the router, is down. A client that renews learns that what it had
// is void; one that accepts Reconfigure messages learns it at once, with the key that it has.
func TestFlashRenumbering(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		stop      func(*router)
		remembers bool
	}{
		{"killed", func(r *router) { r.lan6d.kill() }, true},
		{"rebooted", (*router).shutDown, true},
		{"rebooted without a copy", func(r *router) { r.shutDown(); r.run("rm", "-r", "/run/e2e/flash") }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newPersistingRouter(t)
			c := newCell(t, dhcpcdKind, r, r.client("client"))
			had := c.lease(want{addr: true, prefix: true})
			a := newAccepter(r.simulated(1)[0], iaTypes...)
			told := a.attach()

			r.EnableDAD(t, "lan0") // as on a router that is none of a test's
			test.stop(r)
			r.renumber(removed, global, movedGlobal)
			if !test.remembers {
				r.awaitAddr(movedGlobal)
			}
			since := r.capture.mark()
			r.serve()
			r.awaitService()
			at := r.awaitAddr(movedGlobal)
			if test.remembers {
				checkMoved(t, told, a.follow("Renew", at), global, movedGlobal)
			} else {
				checkMoved(t, told, a.ask("Renew", a.leases), global, movedGlobal)
			}
			c.client.(*dhcpcd).renew()
			reply, _ := c.moves(had, global, movedGlobal, since)
			c.settles("routes", c.routed, reply.leases(optIAPD))
			a.quiet()
		})
	}
}
