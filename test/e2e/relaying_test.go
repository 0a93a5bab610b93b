package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestServers runs clients behind the relay, with each server beyond it.
func TestServers(t *testing.T) {
	t.Parallel()
	outcome := matrix{title: "server"}
	clients := []kind{dhclientKind, dhcpcdKind, dhcp6cKind}
	for _, k := range clients {
		outcome.cols = append(outcome.cols, k.name)
	}
	t.Run("before", func(t *testing.T) {
		for _, s := range serverKinds {
			for _, x := range relayedExchanges {
				row := s.name + ": " + x.name(s)
				outcome.rows = append(outcome.rows, row)
				for _, k := range clients {
					t.Run(row+"/"+k.name, func(t *testing.T) {
						t.Parallel()
						outcome.set(row, k.name, "FAILED")
						r := newRelayRouter(t, s)
						h := r.guest("client")
						c := relayedCell{newCell(t, k, r.router, h), r}
						r.servers[0].duids = []string{duidLL(h)}
						r.open()
						x.test(c)
						if !t.Failed() {
							outcome.set(row, k.name, "ok")
						}
					})
				}
			}
		}
	})
	outcome.show(t, "servers.md")
}

// A relayedCell is a cell whose router relays to a server.
type relayedCell struct {
	cell
	relay *relayRouter
}

// want is all that the server has.
func (c relayedCell) want() want { return want{addr: true, prefix: c.relay.servers[0].kind.prefixes} }

var relayedExchanges = []struct {
	name func(serverKind) string
	test func(relayedCell)
}{
	{func(s serverKind) string {
		if s.prefixes {
			return "address, prefix, Renew, Rebind, Release"
		}
		return "address, Renew, Rebind, Release"
	}, testRelayedLife},
	{func(serverKind) string { return "Information-request" }, testRelayedInformation},
}

// lease has the client get all that the server has, and use it.
func (c relayedCell) lease() *message {
	c.Helper()
	reply := c.request(c.want())
	c.checkAddrs(reply.leases(optIANA))
	if c.want().prefix {
		c.checkPrefixes(reply.leases(optIAPD))
		c.routed(reply.leases(optIAPD))
	}
	return reply
}

// routed waits until the relay's own routes are those to the prefixes, through the client.
func (c relayedCell) routed(prefixes []lease) {
	c.Helper()
	var want []string
	for _, l := range prefixes {
		want = append(want, fmt.Sprintf("%v via %v dev lan0", l.prefix, c.host.LinkLocal(c, "eth0")))
	}
	c.relay.checkOwnRoutes(want...)
}

// checkOwnRoutes waits until lan6d's routes begin like these and there are no others.
func (r *router) checkOwnRoutes(want ...string) {
	r.t.Helper()
	slices.Sort(want)
	var got []string
	defer func() {
		if r.t.Failed() {
			r.t.Logf("routes %q, want %q", got, want)
		}
	}()
	eventually(r.t, 5*time.Second, fmt.Sprintf("the routes %q", want), func() bool {
		got = slices.DeleteFunc(strings.Split(r.ownRoutes(), "\n"), func(s string) bool { return s == "" })
		slices.Sort(got)
		return slices.EqualFunc(got, want, strings.HasPrefix)
	})
}

// testRelayedLife: everything from the first Solicit to the Release. For a Rebind the server does not answer from before T1
// until after T2.
func testRelayedLife(c relayedCell) {
	first, capture := c.lease(), c.router.capture
	since := capture.mark()
	p := capture.exchanged(since, 75*time.Second, "Renew", "Reply")
	c.kept(first, p.got.message)

	since = capture.mark()
	server := c.relay.servers[0].proc
	server.signal(stop)
	capture.await(since, 150*time.Second, "Rebind", func(p packet) bool { return p.kind == "Rebind" })
	server.signal(resume)
	p = capture.exchanged(since, 20*time.Second, "Rebind", "Reply")
	c.kept(first, p.got.message)
	c.routed(first.leases(optIAPD))

	since = capture.mark()
	c.client.release()
	capture.exchanged(since, 5*time.Second, "Release", "Reply")
	c.routed(nil)
}

// kept checks that a Reply has what an earlier one had.
func (c relayedCell) kept(first, next *message) {
	c.Helper()
	if len(next.ias()) == 0 {
		c.Error("the Reply has no IA")
	}
	for _, a := range next.ias() {
		for _, l := range a.leases {
			if held(first, l) == nil {
				c.Errorf("%v is new; the client had %v", l, first.leases(a.code))
			}
		}
	}
}

// testRelayedInformation: a client that wants no leases.
func testRelayedInformation(c relayedCell) { testInformation(c.cell) }
