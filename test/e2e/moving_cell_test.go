package e2e

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The router's addresses when it has been given other prefixes.
const (
	movedGlobal = "2001:db8:2::1/48"
	movedLocal  = "fd00:2::1/48"
)

// What becomes of the address in the old prefix, as a line of ip(8).
const (
	removed    = "addr del %s dev lan0"
	deprecated = "addr change %s dev lan0 preferred_lft 0 valid_lft 7200"
)

// renumber gives the router an address in place of another, at one moment as far as lan6d can tell, which sleeps meanwhile
// if it runs: ip may be slow.
func (r *router) renumber(how, from, to string) {
	r.t.Helper()
	if r.lan6d.running() {
		r.lan6d.signal(syscall.SIGSTOP)
		defer r.lan6d.signal(syscall.SIGCONT)
	}
	r.ip(how+"\naddr add %s dev lan0", from, to)
}

// awaitAddr waits until the router can use an address, and returns the time.
func (r *router) awaitAddr(prefix string) time.Time {
	r.t.Helper()
	want := netip.MustParsePrefix(prefix).Addr()
	eventually(r.t, 10*time.Second, "the router to use "+prefix, func() bool {
		return slices.ContainsFunc(r.host.addrs("lan0"), func(a kernelAddr) bool { return a.addr == want })
	})
	return time.Now()
}

// moved is what an address or prefix becomes when one prefix of the router's, of whole octets, becomes another.
func moved(p netip.Prefix, from, to string) netip.Prefix {
	old, now := netip.MustParsePrefix(from), netip.MustParsePrefix(to)
	if !old.Masked().Contains(p.Addr()) {
		return p
	}
	a, head := p.Addr().As16(), now.Addr().As16()
	copy(a[:], head[:now.Bits()/8])
	return netip.PrefixFrom(netip.AddrFrom16(a), p.Bits())
}

// checkMoved: a Reply gives a client the same in the new prefix as it had in the old, takes that back with lifetimes of
// zero, and leaves it what it has in other prefixes. What was taken back before may be so again.
func checkMoved(t testing.TB, had, reply *message, from, to string) {
	t.Helper()
	if len(had.ias()) == 0 || len(reply.ias()) != len(had.ias()) {
		t.Errorf("had %v, is given %v", had.ias(), reply.ias())
	}
	for _, a := range reply.ias() {
		var want []lease
		void := true
		for _, l := range had.leases(a.code) {
			now := moved(l.prefix, from, to)
			want = append(want, lease{prefix: now})
			void = void && (now == l.prefix || slices.Contains(a.leases, lease{prefix: l.prefix}))
		}
		if !void || len(want) == 0 || !samePrefixes(reply.leases(a.code), want) {
			t.Errorf("had %v in %s, is given %v in %s", had.leases(a.code), from, a.leases, to)
		}
	}
}

// uses waits until the client uses the addresses and prefixes of a Reply and no others.
func (c cell) uses(reply *message) {
	c.Helper()
	c.settles("addresses", c.usedAddrs, reply.leases(optIANA))
	c.settles("prefixes", c.usedPrefixes, reply.leases(optIAPD))
}

// settles waits until a list has the prefixes of these leases and no others.
func (c cell) settles(what string, list func() []lease, want []lease) {
	c.Helper()
	var got []lease
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = list(); samePrefixes(got, want) {
			return
		}
	}
	c.Errorf("the %s of %s are %v, not %v", what, c.host.name, got, want)
}

// usedAddrs are the addresses of the client's that are not deprecated.
func (c cell) usedAddrs() (list []lease) {
	c.Helper()
	for _, a := range c.host.addrs("eth0") {
		if a.preferred > 0 {
			list = append(list, lease{netip.PrefixFrom(a.addr, 128), a.preferred, a.valid})
		}
	}
	return list
}

// usedPrefixes are the delegated prefixes that the client makes use of, as its kernel shows it: dhcp6c gives dn0 an address
// in each, dhcpcd rejects what it has not assigned to an interface.
func (c cell) usedPrefixes() (list []lease) {
	c.Helper()
	if c.kind.name == "dhcp6c" {
		for _, a := range c.host.addrs("dn0") {
			p, _ := a.addr.Prefix(62)
			list = append(list, lease{p, a.preferred, a.valid})
		}
		return list
	}
	for line := range strings.Lines(c.host.run("ip", "-6", "route", "show", "type", "unreachable")) {
		list = append(list, lease{prefix: netip.MustParsePrefix(strings.Fields(line)[1])})
	}
	return list
}

// routed are the prefixes that lan6d has a route for through the client.
func (c cell) routed() (list []lease) {
	c.Helper()
	via := c.host.LinkLocal(c, "eth0").String()
	for _, route := range c.router.routes() {
		if prefix, gateway, _ := strings.Cut(route, " via "); gateway == via {
			list = append(list, lease{prefix: netip.MustParsePrefix(prefix)})
		}
	}
	return list
}

// renewal waits until the client that was given had has been given leases in each type of IA again, and returns that as one
// message: dhcp6c renews its IAs one by one. At is when it was complete.
func (c cell) renewal(had *message, since int) (reply *message, at time.Time) {
	c.Helper()
	duid, _ := had.option(optClientID)
	reply = &message{kind: "Reply", opts: []option{{optClientID, duid}}}
	for _, code := range iaTypes {
		p := c.router.capture.await(since, 30*time.Second, "a Reply to "+c.host.name, func(p packet) bool {
			m := p.client()
			return p.sent && m.kind == "Reply" && m.is(duid) && len(m.leases(code)) > 0
		})
		at = p.at
		for _, o := range p.client().opts {
			if o.code == code {
				reply.opts = append(reply.opts, o)
			}
		}
	}
	return reply, at
}

// iaTypes are the types of IAs that clients are given.
var iaTypes = []uint16{optIANA, optIAPD}

// is reports whether a message is from or for the client with that DUID.
func (m *message) is(duid []byte) bool {
	id, _ := m.option(optClientID)
	return bytes.Equal(id, duid)
}

// checkOnce: the client that was given had has renewed each of its IAs once.
func (c cell) checkOnce(had *message, since int) {
	c.Helper()
	duid, _ := had.option(optClientID)
	for _, code := range iaTypes {
		ids := make(map[uint32]bool)
		for _, p := range c.router.capture.all()[since:] {
			if m := p.client(); m.kind == "Renew" && m.is(duid) && len(m.ias(code)) > 0 {
				ids[m.xid] = true
			}
		}
		if len(ids) != 1 {
			c.Errorf("%s has renewed its IA of type %d %d times", c.host.name, code, len(ids))
		}
	}
}

// moves waits until the client that was given had has renewed its leases, once, and uses what it got, which must be the same
// in the new prefix. It returns what that is.
func (c cell) moves(had *message, from, to string, since int) (reply *message, at time.Time) {
	c.Helper()
	reply, at = c.renewal(had, since)
	checkMoved(c, had, reply, from, to)
	c.uses(reply)
	c.checkOnce(had, since)
	return reply, at
}
