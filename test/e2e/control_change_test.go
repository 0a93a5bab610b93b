package e2e

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestControlEnds: del_lease ends a client's leases, whatever it names them by: the routes go, and with its next Renew the
// client has all again.
func TestControlEnds(t *testing.T) {
	t.Parallel()
	c := newControlled(t)
	w := c.router.listen("dhcp.*")
	duid, _ := c.had.option(optClientID)
	addr, prefix := told(c.had.leases(optIANA))[0], told(c.had.leases(optIAPD))[0]
	for _, tt := range []struct {
		command string
		kinds   []string
	}{
		{c.duid, []string{"address", "prefix"}}, {c.duid + "%2", []string{"prefix"}}, {addr, []string{"address"}},
		{prefix + " --interface lan", []string{"prefix"}},
	} {
		out := c.ctlPrints("del-lease "+tt.command, "ended: lan: ", "of "+c.duid)
		if n := strings.Count(out, "\n"); n != len(tt.kinds) {
			t.Errorf("del-lease %s prints\n%s", tt.command, out)
		}
		for _, kind := range tt.kinds {
			w.binding("dhcp.expire6", "deleted", kind, duid)
			var left ctlLeases
			if c.call("leases", object{"kind": kind}, &left); len(left.Leases) > 0 {
				t.Errorf("del-lease %s leaves %+v", tt.command, left)
			}
		}
		if slices.Contains(tt.kinds, "prefix") {
			c.settles("routes", c.cell.routed, nil)
		}
		c.keeps(c.had)
		c.settles("routes", c.cell.routed, c.had.leases(optIAPD))
	}
	c.fails("del_lease", object{"duid": c.duid, "iaid": 77}, -32000, "nobody has such a lease")
}

// TestControlReconfigure: clients that accept it ask for their configuration when they are told to, and so do all.
func TestControlReconfigure(t *testing.T) {
	t.Parallel()
	c := newControlled(t)
	a := newAccepter(c.simulated(1)[0], iaTypes...)
	a.attach()
	for _, command := range []string{fmt.Sprintf("reconfigure --duid %x", a.duid), "reconfigure --interface lan", "reconfigure --all"} {
		since, all := c.capture.mark(), !strings.Contains(command, "--duid")
		c.ctlPrints(command, map[bool]string{true: "clients told: 2\n", false: "clients told: 1\n"}[all])
		a.follow("Renew", time.Now())
		if all {
			c.renewal(c.had, since)
		}
	}
	a.quiet()
	// The key of a client that accepts is nobody else's business.
	dump := c.call("dump", nil, &object{})
	if !strings.Contains(dump, fmt.Sprintf("%x", a.duid)) {
		t.Errorf("the client is not in the dump: %s", dump)
	}
	for i := range len(a.trust.key) - 3 {
		if part := a.trust.key[i : i+4]; strings.Contains(dump, fmt.Sprintf("%x", part)) || strings.Contains(dump, string(part)) {
			t.Errorf("octets %d to %d of the key %x are in the dump", i, i+3, a.trust.key)
		}
	}
}

// TestControlAddLease: a host that was added gives a client its addresses, until the next reload.
func TestControlAddLease(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	members := r.simulated(3)
	w := r.listen("dhcp.*")
	for i, m := range members[:2] {
		m.codes = iaTypes
		r.ctlPrints(fmt.Sprintf("add-lease --duid %x --hostid 7%d --name host%d --prefix a%d0", m.duid, i, i, i), "added, until the next reload")
	}
	members[2].codes = iaTypes
	first, second := members[0], members[1]
	first.crowd.join([]*member{first})
	if got := told(first.leases[optIANA]); !slices.Equal(got, []string{"2001:db8:1::70", "fd00:1::70"}) {
		t.Errorf("the client is given %q", got)
	}
	if got := told(first.leases[optIAPD]); len(got) == 0 || !strings.HasPrefix(got[0], "2001:db8:1:a00::/") {
		t.Errorf("the client is delegated %q", got)
	}
	e := w.binding("dhcp.lease6", "bound", "address", first.duid)
	if e.Hostname != "host0" {
		t.Errorf("event %+v", e)
	}
	var leases ctlLeases
	if r.dial().call("leases", object{"hostname": "HOST0"}, &leases); len(leases.Leases) != 2 || !leases.Leases[0].Static {
		t.Errorf("leases of host0: %+v", leases)
	}
	r.ctlPrints("reload", "configuration changed: what was read is in use now")
	second.crowd.join([]*member{second, members[2]})
	if got := told(second.leases[optIANA]); len(got) != 2 || got[0] == "2001:db8:1::71" {
		t.Errorf("after the reload the other client is given %q", got)
	}
	first.crowd.renew([]*member{first}) // keeps what it has

	// Who has a lease is moved with its next Renew.
	third := members[2]
	r.ctlPrints(fmt.Sprintf("add-lease --duid %x --hostid 72", third.duid), "added, ")
	var reply *message
	third.does(func() { reply = third.exchange("Renew", third.leases, nil) })
	if got := told(reply.leases(optIANA)); !slices.Equal(got, []string{"2001:db8:1::72", "fd00:1::72"}) {
		t.Errorf("the third client is moved to %q", got)
	}
}

// TestControlReload: a configuration with mistakes is refused with all of them, and the old one goes on.
func TestControlReload(t *testing.T) {
	t.Parallel()
	c := newControlled(t)
	w := c.router.listen("config")
	const bad = config + "\toption dhcpv6_pd_min_len 'many'\n\toption dhcpv6 'sever'\n"
	c.configure(bad)
	for _, how := range []string{"reload", "check"} {
		status, stdout, stderr := c.ctl(how)
		if status != 1 || !strings.Contains(stdout, "error: /run/e2e/config/dhcp:7: dhcpv6_pd_min_len: ") ||
			!strings.Contains(stdout, "error: /run/e2e/config/dhcp:8: dhcpv6: ") || !strings.HasPrefix(stderr, "lan6d ctl: the configuration has errors") {
			t.Errorf("ctl %s: exit status %d, %s%s", how, status, stdout, stderr)
		}
	}
	var refused ctlReload
	if c.call("reload", nil, &refused); refused.Changed || len(refused.Problems) != 2 || refused.Problems[0].Line != 7 {
		t.Errorf("reload %+v", refused)
	}
	c.lan6d.signal(syscall.SIGHUP)
	for range 3 {
		var e struct {
			ctlReload
			Cause string
		}
		w.await("config", &e, func() bool { return true })
		if e.Changed || e.Cause != "refused" || len(e.Problems) != 2 || e.Problems[1].Line != 8 {
			t.Errorf("event %+v", e)
		}
	}
	c.keeps(c.had)

	c.configure(strings.ReplaceAll(config, nameserver, "2001:db8:1::54"))
	c.ctlPrints("reload", "configuration changed: what was read is in use now\n")
	var e struct {
		ctlReload
		Cause string
	}
	w.await("config", &e, func() bool { return true })
	if !e.Changed || e.Cause != "reloaded" || len(e.Problems) > 0 {
		t.Errorf("event %+v", e)
	}
	c.knows("2001:db8:1::54")
	c.keeps(c.had)

	// What does no harm is told, and no reason not to take the rest.
	c.configure(config + "\toption ra_management '1'\n")
	c.ctlPrints("reload", "warning: /run/e2e/config/dhcp:7: ra_management: ", "configuration changed: ")
	c.ctlPrints("status", "warning: /run/e2e/config/dhcp:7: ra_management: ")

	c.run("rm", "/run/e2e/config/dhcp", "/run/e2e/config/lan6d")
	if status, stdout, stderr := c.ctl("reload"); status != 1 || stdout != "" || !strings.Contains(stderr, "there is no configuration") {
		t.Errorf("without a configuration: exit status %d, %s%s", status, stdout, stderr)
	}
	c.keeps(c.had)
}

// TestControlLogLevel: what is logged changes at once.
func TestControlLogLevel(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	m := r.simulated(1)[0]
	r.ctlPrints("loglevel", "debug\n")
	r.ctlPrints("loglevel error", "error\n")
	m.crowd.join([]*member{m})
	r.ctlPrints("loglevel info", "info\n")
	if r.lan6d.hasLogged("bound") {
		t.Error("at level error a lease was logged")
	}
	m.leave(false)
	m.begin()
	m.crowd.join([]*member{m})
	r.lan6d.logged("bound", fmt.Sprintf("%x", m.duid))
}
