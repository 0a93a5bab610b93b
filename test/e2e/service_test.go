package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// holder has a client get an address and a prefix from r, and returns how to find out later that it keeps them.
func holder(t *testing.T, r *router) (c cell, held *message) {
	t.Helper()
	dhcpcd := clientKinds[1] // renews at once when told to
	c = newCell(t, dhcpcd, r, r.client("client"))
	return c, c.lease(want{addr: true, prefix: true})
}

// keeps has the client renew and checks that it gets what it had.
func (c cell) keeps(had *message) {
	c.Helper()
	since := c.router.capture.mark()
	c.client.(*dhcpcd).proc.signal(syscall.SIGUSR1)
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
	c, _ := holder(t, r)
	if code := c.router.lan6d.terminate(2 * time.Second); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// TestSecondInstance: who starts lan6d twice is told why that cannot be and what to do, and the first goes on.
func TestSecondInstance(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c, held := holder(t, r)
	second := r.start("lan6d", r.argv()...)
	if code := second.wait(5 * time.Second); code <= 0 {
		t.Errorf("the second instance ended with status %d", code)
	}
	for _, word := range []string{"547", "lan6d"} {
		if !strings.Contains(second.log(), word) {
			t.Errorf("the second instance does not mention %s: %s", word, second.log())
		}
	}
	c.keeps(held)
}

// TestRestart: leases outlive lan6d, whether it was stopped or killed; without its files, the same client is given the same
// address and prefix again.
func TestRestart(t *testing.T) {
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
			c, held := holder(t, r)
			test.stop(r)
			r.serve()
			eventually(t, 5*time.Second, "lan6d to listen again", r.listening)
			c.keeps(held)
		})
	}
	t.Run("without memory", func(t *testing.T) {
		t.Parallel()
		r := newRouter(t, config)
		c, held := holder(t, r)
		r.lan6d.terminate(2 * time.Second)
		c.client.release() // unheard
		r.run("rm", "-r", "/run/e2e/state")
		r.serve()
		eventually(t, 5*time.Second, "lan6d to listen again", r.listening)
		again := c.lease(want{addr: true, prefix: true})
		for _, code := range []uint16{optIANA, optIAPD} {
			if a, b := held.leases(code), again.leases(code); a[0].prefix != b[0].prefix {
				t.Errorf("had %v, is given %v", a, b)
			}
		}
	})
}

// TestReload: a configuration with a mistake leaves the old one in force, and says where the mistake is; a good one takes
// effect. No lease is lost.
func TestReload(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c, held := holder(t, r)

	r.configure(config + "\toption dhcpv6_pd_min_len 'many'\n\toption dhcpv6 'sever'\n")
	r.lan6d.signal(syscall.SIGHUP)
	r.lan6d.logged("/run/e2e/config/dhcp:7", "dhcpv6_pd_min_len")
	r.lan6d.logged("/run/e2e/config/dhcp:8", "sever")
	c.keeps(held)

	r.configure(strings.ReplaceAll(config, nameserver, "2001:db8:1::54"))
	r.lan6d.signal(syscall.SIGHUP)
	since := r.capture.mark()
	h := r.client("asker")
	clientKinds[0].make(h).start(want{stateless: true})
	p := r.capture.exchanged(since, 5*time.Second, "Information-request", "Reply")
	if dns, _ := p.got.option(optDNSServers); len(dns) != 16 || dns[15] != 0x54 {
		t.Errorf("after the reload the DNS servers are % x", dns)
	}
	c.keeps(held)
}
