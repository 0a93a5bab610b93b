package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestRelayedPrefix: a host behind a client of the relay answers pings from the server's side as long as the client holds
// its prefix: also after the relay was killed and started again, no more after the Release, or when the lease has expired.
func TestRelayedPrefix(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"release", "expiry"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			r := newRelayRouter(t, named(t, "Kea"))
			r.servers[0].times = lifetimes{24, 48}
			c := relayedCell{newCell(t, dhclientKind, r.router, r.guest("client")), r}
			inner := newHost(t, "inner")
			c.host.ip("link add dn0 type bridge\nlink set dn0 up")
			join(c.host, "dn0", "port", inner, "eth0")
			r.open()
			first := c.lease()
			target := c.use(first.leases(optIAPD)[0].prefix, inner)
			server := r.servers[0]
			reached := func() bool { return server.pings(target) }
			eventually(t, 10*time.Second, "an answer from behind the client", reached)

			r.lan6d.kill()
			r.lan6d.forget()
			r.ip("route flush proto 0x6d")
			r.serve()
			r.lan6d.logged("restored from")
			c.routed(first.leases(optIAPD))
			eventually(t, 10*time.Second, "an answer after the relay's crash", reached)

			if end == "release" {
				c.client.release()
			} else {
				c.client.kill() // without Release; and its address on eth0 goes, not that on dn0
			}
			eventually(t, time.Duration(server.times.valid+30)*time.Second, "the route to be gone", func() bool { return r.ownRoutes() == "" })
			if reached() {
				t.Errorf("pings still come back after %s", end)
			}
			if end == "expiry" {
				r.lan6d.logged("lan: ", "expired", first.leases(optIAPD)[0].prefix.String())
			}
		})
	}
}

// named is the server of that name.
func named(t *testing.T, name string) serverKind {
	t.Helper()
	for _, k := range serverKinds {
		if k.name == name {
			return k
		}
	}
	t.Fatalf("there is no server %s", name)
	return serverKind{}
}

// use has the client route a delegated prefix to a host behind it, on dn0, and returns that host's address.
func (c relayedCell) use(prefix netip.Prefix, inner *host) netip.Addr {
	c.Helper()
	near := prefix.Addr().Next()
	far := near.Next()
	c.host.AddAddr(c, "dn0", near.String()+"/64")
	c.host.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
	c.host.ip("route add default via %v dev eth0", c.router.LinkLocal(c, "lan0"))
	inner.AddAddr(c, "eth0", far.String()+"/64")
	inner.ip("route add default via %v", near)
	return far
}

// pings reports whether an address answers a ping from the host.
func (h *host) pings(a netip.Addr) bool {
	return h.command("ping", "-6", "-n", "-c", "1", "-W", "1", a.String()).Run() == nil
}

// TestRelayChain: two relays in a row, lan6d twice, and lan6d with dhcrelay both ways round. The one near the client is lan6d
// or dhcrelay; its messages pass the other on the way to the server.
func TestRelayChain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ near, far, to string }{
		{"lan6d", "lan6d", "ff05::1:3"},
		{"lan6d", "dhcrelay", "ff02::1:2%wan"}, // dhcrelay does not listen to the other group
		{"dhcrelay", "lan6d", ""},
	} {
		t.Run(test.near+" behind "+test.far, func(t *testing.T) {
			t.Parallel()
			// The far relay is the one of the tests above. The near one is on its lan0, and has lan1 for clients.
			r := newRelayRouter(t, named(t, "dhcpd"))
			near := newHost(t, "near")
			near.ip("link add lan1 address 02:00:00:00:05:01 type bridge mcast_snooping 0\nlink set lan1 up")
			near.AddAddr(t, "lan1", relayedAddr)
			r.chain(near)
			if test.near == "lan6d" {
				near.capture("lan1") // for tshark, like all that lan6d sends
			}
			h := near.behind("client")
			for _, s := range r.servers {
				s.serve()
			}
			if test.far == "lan6d" {
				r.serve()
			} else {
				r.lan6d = r.host.start("dhcrelay", "-6", "-d", "--no-pid", "-I", "-l", "lan0", "-u", "wan0")
			}
			if r.awaitService(); test.near == "lan6d" {
				near.relays("lan1", "eth0", test.to)
			} else {
				near.start("dhcrelay", "-6", "-d", "--no-pid", "-I", "-l", "lan1", "-u", "eth0")
			}
			c := relayedCell{newCell(t, dhclientKind, r.router, h), r}
			c.client.start(c.want())
			bind := r.up.relayedThrough(2, 20*time.Second, "Request", "Reply")
			reply := bind.got.client()
			c.checkAddrs(reply.leases(optIANA))
			c.checkPrefixes(reply.leases(optIAPD))
			var want []string
			for _, l := range reply.leases(optIAPD) {
				want = append(want, fmt.Sprintf("%v via 2001:db8:1:6::2 dev lan0", l.prefix))
			}
			if test.far == "lan6d" {
				r.checkOwnRoutes(want...)
			}
			if test.near == "lan6d" {
				eventually(t, 5*time.Second, "the near relay's route", func() bool {
					return strings.Contains(near.ip("route show proto 0x6d"), fmt.Sprintf("via %v dev lan1", h.LinkLocal(t, "eth0")))
				})
			}
			c.client.release()
			r.up.relayedThrough(2, 10*time.Second, "Release", "Reply")
			if test.far == "lan6d" {
				r.checkOwnRoutes()
			}
		})
	}
}

// chain plugs a relay into lan0, which gets another address than its clients are to have.
func (r *relayRouter) chain(near *host) {
	r.t.Helper()
	r.ip("addr del %s dev lan0", relayedAddr)
	r.AddAddr(r.t, "lan0", "2001:db8:1:6::1/64")
	r.ports++
	join(r.host, "lan0", fmt.Sprintf("port%d", r.ports), near, "eth0")
	near.AddAddr(r.t, "eth0", "2001:db8:1:6::2/64")
	near.ip("route add default via 2001:db8:1:6::1")
	r.servers[0].ip("route add 2001:db8:1:6::/64 via %s", r.servers[0].relay)
}

// relays starts lan6d as a relay on another host than the router under test.
func (h *host) relays(lan, wan, to string) *process {
	h.t.Helper()
	config := strings.NewReplacer("lan0", lan, "wan0", wan).Replace(relayConfig) + "\tlist dhcpv6_relay_servers '" + to + "'\n"
	h.write("/run/e2e/config/dhcp", 0o644, config)
	h.run("mkdir", "-p", "/run/e2e/state")
	p := h.start(server(h.t), "-c", "/run/e2e/config", "-d", "/run/e2e/state", "-l", "debug")
	p.logged("lan6d", "started")
	return p
}

// relayedThrough waits for a message that so many relays carry, and the answer to it.
func (c *capture) relayedThrough(relays int, limit time.Duration, asked, got string) pair {
	c.t.Helper()
	var p pair
	c.await(0, limit, fmt.Sprintf("%s and %s through %d relays", asked, got, relays), func(answer packet) bool {
		if answer.kind != "Relay-reply" || depth(answer.message) != relays || answer.client().kind != got {
			return false
		}
		for _, q := range c.all() {
			if q.kind == "Relay-forward" && depth(q.message) == relays && q.client().kind == asked && q.client().xid == answer.client().xid {
				p = pair{q, answer}
				return true
			}
		}
		return false
	})
	return p
}

// depth is the number of relays that carry a message.
func depth(m *message) (n int) {
	for ; m.inner != nil; m = m.inner {
		n++
	}
	return n
}

// TestTwoServers: with two servers upstream each gets a copy, and the client one of the two offers.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	r := newRelayRouter(t, named(t, "dhcpd"), named(t, "Kea"))
	c := relayedCell{newCell(t, dhclientKind, r.router, r.guest("client")), r}
	r.open()
	c.client.start(c.want())
	reply := r.capture.exchanged(0, 20*time.Second, "Request", "Reply").got.message
	c.checkAddrs(reply.leases(optIANA))
	c.routed(reply.leases(optIAPD))
	offers := make(map[string]bool)
	eventually(t, 5*time.Second, "an Advertise from both servers", func() bool {
		for _, p := range r.capture.all() {
			if id, ok := p.option(optServerID); ok && p.kind == "Advertise" {
				offers[string(id)] = true
			}
		}
		return len(offers) == 2
	})
	forwards := make(map[string]bool)
	for _, p := range r.up.all() {
		if p.sent && p.kind == "Relay-forward" {
			forwards[p.dst.Addr().String()] = true
		}
	}
	if len(forwards) != 2 || !forwards["ff05::1:3"] || !forwards[r.servers[1].addr] {
		t.Errorf("Relay-forwards go to %v", forwards)
	}
}

// TestRecreated: the client-side interface is created anew, with another index, while a message is at the server. The
// answer finds the client all the same.
func TestRecreated(t *testing.T) {
	t.Parallel()
	r := newRelayRouter(t, named(t, "dhcpd"))
	c := relayedCell{newCell(t, dhclientKind, r.router, r.guest("client")), r}
	r.open()
	server := r.servers[0].proc
	server.signal(stop)
	c.client.start(want{addr: true})
	r.up.await(0, 10*time.Second, "a Solicit at the server", func(p packet) bool { return p.sent && p.client().kind == "Solicit" })

	was := r.Ifindex(t, "lan0")
	r.ip("link set port1 nomaster\nlink del lan0")
	r.addLAN()
	r.ip("link set port1 master lan0")
	r.LinkLocal(t, "lan0")
	if r.Ifindex(t, "lan0") == was {
		t.Fatal("lan0 has the index it had")
	}
	r.awaitService()
	r.capture.mark()
	server.signal(resume)
	p := r.capture.await(0, 10*time.Second, "the Advertise", func(p packet) bool { return p.sent && p.kind == "Advertise" })
	if first := r.up.all()[0]; p.xid != first.client().xid {
		t.Errorf("the answer has transaction id %x, the first question %x", p.xid, first.client().xid)
	}
	reply := r.capture.exchanged(0, 20*time.Second, "Request", "Reply").got.message
	c.checkAddrs(reply.leases(optIANA))
}

// TestHybrid: an interface in hybrid mode relays until a prefix appears on the router, then it is served; and relays again
// when the prefix has gone.
func TestHybrid(t *testing.T) {
	t.Parallel()
	r := newRelayRouter(t, named(t, "dhcpd"))
	r.configure(strings.ReplaceAll(relayConfig, "'relay'", "'hybrid'"))
	r.ip("addr del %s dev lan0", relayedAddr)
	c := relayedCell{newCell(t, dhclientKind, r.router, r.guest("client")), r}
	r.open()
	r.lan6d.logged("lan: relaying from clients")

	r.AddAddr(t, "lan0", global)
	r.lan6d.logged("lan: from now on serving")
	r.lan6d.logged("wan: no longer served")
	since := r.up.mark()
	c.client.start(want{addr: true, prefix: true})
	reply := r.capture.exchanged(0, 10*time.Second, "Request", "Reply").got.message
	c.checkAddrs(reply.leases(optIANA))
	c.checkPrefixes(reply.leases(optIAPD))
	r.lan6d.logged("lan: bound", reply.leases(optIANA)[0].prefix.Addr().String())
	if packets := r.up.all()[since:]; len(packets) > 0 {
		t.Errorf("relayed while it is served: %s", summary(packets))
	}

	r.ip("addr del %s dev lan0", global)
	r.lan6d.logged("lan: from now on relaying from clients")
	r.lan6d.logged("wan: relaying to servers")
	c.client.kill()
	since = r.up.mark()
	c.client.start(want{addr: true, prefix: true})
	r.up.await(since, 10*time.Second, "a Relay-forward", func(p packet) bool { return p.sent && p.kind == "Relay-forward" })
}
