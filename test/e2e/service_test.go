package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// leaseholder has a client get an address and a prefix from r, and returns what it got.
func leaseholder(t *testing.T, r *router) (c cell, had *message) {
	t.Helper()
	c = newCell(t, dhcpcdKind, r, r.client("client")) // dhcpcd renews at once when told to
	return c, c.lease(want{addr: true, prefix: true})
}

// keeps has the client renew and checks that it gets what it had.
func (c cell) keeps(had *message) {
	c.Helper()
	since := c.router.capture.mark()
	c.client.(*dhcpcd).renew()
	p := c.router.capture.exchanged(since, 5*time.Second, "Renew", "Reply")
	for _, code := range []uint16{optIANA, optIAPD} {
		want, got := had.leases(code), p.got.leases(code)
		if len(want) != len(got) {
			c.Errorf("had %v, renewed %v", want, got)
			continue
		}
		for i := range want {
			if want[i].prefix != got[i].prefix {
				c.Errorf("had %v, renewed %v", want[i], got[i])
			}
		}
	}
}

// TestStop: SIGTERM ends lan6d with success, soon.
func TestStop(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c, _ := leaseholder(t, r)
	if code := c.router.lan6d.terminate(2 * time.Second); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// TestSecondInstance: who starts lan6d twice is told why that cannot be and what to do, and the first goes on.
func TestSecondInstance(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c, had := leaseholder(t, r)
	for _, test := range []struct{ state, word string }{
		{"/run/e2e/state", "already running"},
		{"/run/e2e/other", "another DHCPv6 server (odhcpd, dnsmasq?) already listens on UDP port 547 of lan0"},
	} {
		argv := r.argv()
		argv[slices.Index(argv, "/run/e2e/state")] = test.state
		second := r.start(argv...)
		if code := second.wait(5 * time.Second); code <= 0 {
			t.Errorf("with the state directory %s the second instance ended with status %d", test.state, code)
		}
		if !strings.Contains(second.log(), test.word) {
			t.Errorf("with the state directory %s the second instance does not say %q: %s", test.state, test.word, second.log())
		}
	}
	c.keeps(had)
}

// TestRestart: leases outlive lan6d, whether it was stopped or killed; without its files, the same client is given the
// same address and prefix again.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		stop func(*router)
	}{
		{"stopped", func(r *router) { r.lan6d.terminate(2 * time.Second) }},
		{"killed", func(r *router) { r.lan6d.kill() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRouter(t, config)
			c, had := leaseholder(t, r)
			test.stop(r)
			r.serve()
			r.awaitService()
			c.keeps(had)
		})
	}
	t.Run("without memory while leased", func(t *testing.T) {
		t.Parallel()
		r := newRouter(t, config)
		c, had := leaseholder(t, r)
		r.lan6d.kill()
		r.run("rm", "-r", "/run/e2e/state")
		r.serve()
		r.awaitService()
		c.keeps(had)
	})
	t.Run("without memory", func(t *testing.T) {
		t.Parallel()
		r := newRouter(t, config)
		c, had := leaseholder(t, r)
		r.lan6d.terminate(2 * time.Second)
		c.client.release() // unheard
		r.run("rm", "-r", "/run/e2e/state")
		r.serve()
		r.awaitService()
		again := c.lease(want{addr: true, prefix: true})
		for _, code := range []uint16{optIANA, optIAPD} {
			if a, b := had.leases(code), again.leases(code); a[0].prefix != b[0].prefix {
				t.Errorf("had %v, is given %v", a, b)
			}
		}
	})
}

// TestReboot: a reboot takes the state directory, which is in memory, and the router's link-layer address has become
// another. The copy on flash has the leases and the DUID that the client knows its server by.
func TestReboot(t *testing.T) {
	t.Parallel()
	r := newPersistingRouter(t)
	c, had := leaseholder(t, r)
	r.ctlPrints("status", "leases in      "+journalPath, "and in         /run/e2e/flash/leases\n")
	r.shutDown()
	r.ip("link set lan0 address 02:00:00:00:00:77")
	r.serve()
	r.awaitService()
	r.lan6d.logged("restored from /run/e2e/flash/leases")
	c.keeps(had)
}

// newPersistingRouter is a router with a second copy of the leases, on flash.
func newPersistingRouter(t *testing.T) *router {
	r := bareRouter(t, config, global, local)
	r.write("/run/e2e/config/lan6d", 0o644, "config lan6d\n\toption persist '/run/e2e/flash/leases'\n")
	r.run("mkdir", "/run/e2e/flash")
	r.addLAN()
	r.serve()
	return r
}

// shutDown ends lan6d, and with it goes what is in memory.
func (r *router) shutDown() {
	r.t.Helper()
	r.lan6d.terminate(2 * time.Second)
	r.run("rm", "-r", "/run/e2e/state")
}

// TestReload: a configuration with a mistake leaves the old one in force, and says where the mistake is; a good one
// takes effect. No lease is lost.
func TestReload(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c, had := leaseholder(t, r)

	r.configure(config + "\toption dhcpv6_pd_min_len 'many'\n\toption dhcpv6 'sever'\n")
	r.lan6d.signal(syscall.SIGHUP)
	r.lan6d.logged("/run/e2e/config/dhcp:7", "dhcpv6_pd_min_len")
	r.lan6d.logged("/run/e2e/config/dhcp:8", "sever")
	c.keeps(had)

	r.configure(strings.ReplaceAll(config, nameserver, "2001:db8:1::54"))
	r.lan6d.signal(syscall.SIGHUP)
	since := r.capture.mark()
	h := r.client("asker")
	dhclientKind.make(h).start(want{stateless: true})
	p := r.capture.exchanged(since, 5*time.Second, "Information-request", "Reply")
	if dns, _ := p.got.option(optDNSServers); len(dns) != 16 || dns[15] != 0x54 {
		t.Errorf("after the reload the DNS servers are % x", dns)
	}
	c.keeps(had)
}
