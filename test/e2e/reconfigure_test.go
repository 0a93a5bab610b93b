package e2e

import (
	"bytes"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reconfigurable is what a client wants that is to have at once what has changed.
var reconfigurable = want{addr: true, prefix: true, reconfigure: true}

// TestReconfigure: clients that accept Reconfigure messages have a new prefix at once: dhcpcd, and simulated ones, which
// check every message. One that does not accept them is never sent any.
func TestReconfigure(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c := newCell(t, dhcpcdKind, r, r.client("client"))
	had := c.lease(reconfigurable)
	members := r.simulated(3)
	bound, stateless, plain := newAccepter(members[0], iaTypes...), newAccepter(members[1]), members[2]
	told := bound.attach()
	stateless.attach()
	plain.crowd.join([]*member{plain})
	r.EnableDAD(t, "lan0") // as on a router that is none of a test's
	for _, move := range []struct{ how, from, to string }{
		{removed, global, movedGlobal},
		{deprecated, local, movedLocal},
		{removed, movedGlobal, global},
	} {
		since := r.capture.mark()
		r.renumber(move.how, move.from, move.to)
		changed := r.awaitAddr(move.to)
		reply := bound.follow("Renew", changed)
		checkMoved(t, told, reply, move.from, move.to)
		stateless.follow("Information-request", changed)
		told = reply

		reply, at := c.moves(had, move.from, move.to, since)
		c.settles("routes", c.routed, reply.leases(optIAPD))
		if late := at.Sub(changed); late > prompt {
			t.Errorf("dhcpcd knows after %v", late)
		}
		had = reply
	}
	bound.quiet()
	stateless.quiet()
}

// TestReconfigureGap: the prefix is gone, and clients have given up what they had, before there is another.
func TestReconfigureGap(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config, global)
	c := newCell(t, dhcpcdKind, r, r.client("client"))
	had := c.lease(reconfigurable)
	a := newAccepter(r.simulated(1)[0], iaTypes...)
	told := a.attach()
	r.EnableDAD(t, "lan0") // as on a router that is none of a test's

	r.ip("addr del %s dev lan0", global)
	gone := a.follow("Renew", time.Now())
	for _, code := range iaTypes {
		if voids := gone.ias(code)[0].leases; len(voids) != 1 || voids[0] != (lease{prefix: told.leases(code)[0].prefix}) {
			t.Errorf("had %v, is told %v", told.leases(code), voids)
		}
	}
	c.uses(gone)
	c.settles("routes", c.routed, nil)

	since := r.capture.mark()
	r.AddAddr(t, "lan0", movedGlobal)
	checkMoved(t, told, a.follow("Renew", time.Now()), global, movedGlobal)
	reply, _ := c.renewal(had, since) // dhcpcd solicits by now, and ignores the Reconfigure
	c.uses(reply)
	c.settles("routes", c.routed, reply.leases(optIAPD))
}

// TestReconfigureAgain: a Reconfigure message is sent again, after 2 s and then after twice as long each time, until the
// client answers (RFC 9915, sections 7.6 and 18.3.11).
func TestReconfigureAgain(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	members := r.simulated(2)
	awake, asleep := newAccepter(members[0], iaTypes...), newAccepter(members[1], iaTypes...)
	awake.attach()
	asleep.attach()
	r.renumber(removed, global, movedGlobal)
	for range 3 {
		awake.called("Renew")
		asleep.called("Renew")
	}
	awake.ask("Renew", awake.leases)
	asleep.called("Renew")
	awake.quiet() // its fourth message would have been sent together with that of the other

	var sent []packet
	eventually(t, 5*time.Second, "the capture to have the fourth message", func() bool {
		sent = r.capture.reconfigures(asleep)
		return len(sent) == 4
	})
	for i, least := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second} {
		// It may be late with the first of the two as well as with the second.
		if gap := sent[i+1].at.Sub(sent[i].at); gap < least*3/4 || gap > least*2 {
			t.Errorf("after message %d it took %v, not %v", i+1, gap, least)
		}
	}
}

// reconfigures are the Reconfigure messages to a client.
func (c *capture) reconfigures(a *accepter) (list []packet) {
	for _, p := range c.all() {
		if m := p.client(); m.kind == "Reconfigure" && m.is(a.duid) {
			list = append(list, p)
		}
	}
	return list
}

// TestReconfigureRelayed: clients behind a relay are told through it, also by a lan6d that knows of the relay only from what
// an earlier one has left.
func TestReconfigureRelayed(t *testing.T) {
	t.Parallel()
	for _, relay := range relayKinds {
		t.Run(relay.name, func(t *testing.T) {
			t.Parallel()
			r := newRouter(t, config)
			h := newRelayHost(t, "relay", 5)
			r.plug(h, "eth0")
			h.AddAddr(t, "eth0", "2001:db8:1::2/64")
			c := newCell(t, dhcpcdKind, r, h.behind("client"))
			a := newAccepter(newCrowd(h.behind("simulated"), newRandom(t), new(ledger), 1).members[0], iaTypes...)
			relay.start(h)
			c.client.start(reconfigurable)
			had := r.capture.exchanged(0, 15*time.Second, "Request", "Reply").got.client()
			c.uses(had)
			told := a.attach()
			since := r.capture.mark()
			move := func(from, to string, changed time.Time) {
				t.Helper()
				reply := a.follow("Renew", changed)
				checkMoved(t, told, reply, from, to)
				told = reply
				reply, at := c.moves(had, from, to, since)
				if late := at.Sub(changed); late > prompt {
					t.Errorf("dhcpcd knows after %v", late)
				}
				had = reply
				r.checkRoutes("moved to "+to, r.kept())
			}
			r.renumber(removed, local, movedLocal)
			move(local, movedLocal, r.awaitAddr(movedLocal))

			r.lan6d.kill()
			r.renumber(removed, movedLocal, local)
			since = r.capture.mark()
			r.serve()
			r.awaitService()
			move(movedLocal, local, r.awaitAddr(local))
			a.quiet()
			for _, p := range r.capture.reconfigures(a) {
				if p.kind != "Relay-reply" {
					t.Errorf("the client behind a relay is sent a %s", p.kind)
				}
			}
		})
	}
}

// TestReconfigureOnReload: options that a reload has changed are fetched: with Renew by clients that have leases, with
// Information-request by others. A reload that changes none leaves them alone.
func TestReconfigureOnReload(t *testing.T) {
	t.Parallel()
	const other = "2001:db8:1::54"
	r := newRouter(t, config)
	members := r.simulated(2)
	bound, stateless := newAccepter(members[0], iaTypes...), newAccepter(members[1])
	bound.attach()
	stateless.attach()
	cells := []cell{newCell(t, dhcpcdKind, r, r.client("bound")), newCell(t, dhcpcdKind, r, r.client("stateless"))}
	cells[0].client.start(reconfigurable)
	cells[1].client.start(want{stateless: true, reconfigure: true})
	for _, c := range cells {
		c.knows(nameserver)
	}
	r.reload(config + "\toption leasetime '1h'\n")
	bound.ask("Renew", bound.leases)
	stateless.ask("Information-request", nil)
	bound.quiet()
	stateless.quiet()

	since := r.capture.mark()
	r.reload(strings.ReplaceAll(config, nameserver, other))
	changed := time.Now()
	for _, reply := range []*message{bound.follow("Renew", changed), stateless.follow("Information-request", changed)} {
		if dns, _ := reply.option(optDNSServers); !bytes.Equal(dns, netip.MustParseAddr(other).AsSlice()) {
			t.Errorf("after the reload the DNS servers are % x", dns)
		}
	}
	for _, c := range cells {
		at := c.host.LinkLocal(t, "eth0")
		p := r.capture.await(since, 20*time.Second, "a Reply to "+c.host.name, func(p packet) bool {
			return p.kind == "Reply" && p.dst.Addr() == at
		})
		if late := p.at.Sub(changed); late > prompt {
			t.Errorf("%s knows after %v", c.host.name, late)
		}
		c.knows(other)
	}
}

// knows waits until a client has reported a name server.
func (c cell) knows(server string) {
	c.Helper()
	eventually(c, 20*time.Second, c.host.name+" to know "+server, func() bool {
		return strings.Contains(c.client.report(), server)
	})
}

// reload has lan6d read another configuration.
func (r *router) reload(config string) {
	r.t.Helper()
	const told = "configuration read again"
	before := strings.Count(r.lan6d.log(), told)
	r.configure(config)
	r.lan6d.signal(syscall.SIGHUP)
	eventually(r.t, 5*time.Second, told, func() bool { return strings.Count(r.lan6d.log(), told) > before })
}
