package e2e

import (
	"strings"
	"syscall"
	"time"
)

// testRapidCommit: RFC 9915, section 18.3.1: a Solicit with Rapid Commit is answered by a Reply with Rapid Commit.
func testRapidCommit(c cell) {
	w := want{addr: true, prefix: true, rapid: true}
	c.client.start(w)
	p := c.router.capture.exchanged(0, 10*time.Second, "Solicit", "Reply")
	for _, side := range []packet{p.asked, p.got} {
		if _, ok := side.option(optRapidCommit); !ok {
			c.Errorf("%s without Rapid Commit", side.kind)
		}
	}
	c.bound(w, p.got.message)
	for _, q := range c.router.capture.all() {
		if q.kind == "Advertise" || q.kind == "Request" {
			c.Errorf("a %s in spite of Rapid Commit", q.kind)
		}
	}
}

// testConfirm: a client that lost its link asks whether its addresses fit the one it is on now.
func testConfirm(c cell) {
	w := want{addr: true}
	leased := c.lease(w)
	c.client.kill()
	since := c.router.capture.mark()
	c.client.start(w)
	p := c.router.capture.exchanged(since, 10*time.Second, "Confirm", "Reply")
	if s := p.got.status(); s != statusSuccess {
		c.Errorf("status %d", s)
	}
	if _, ok := p.got.option(optStatus); !ok {
		c.Error("the Reply to a Confirm has no Status Code (RFC 9915, section 18.3.3)")
	}
	c.checkAddrs(leased.leases(optIANA))
}

// testRenew gives the client short lifetimes first and longer ones when it renews.
func testRenew(c cell) {
	w := want{addr: true, prefix: true}
	end := c.router.shortly(c.kind.preferred, 120)
	first := c.request(w)
	end()
	since := c.router.capture.mark()
	c.bound(w, first)
	p := c.router.capture.exchanged(since, c.kind.renewing, "Renew", "Reply")
	c.extended(first, p.got.message)
}

// testRebind lets lan6d sleep from before T1 until after T2. When it wakes up it finds both a Renew and a Rebind.
func testRebind(c cell) {
	w := want{addr: true, prefix: true}
	end := c.router.shortly(c.kind.preferred, 120)
	first := c.request(w)
	end()
	since := c.router.capture.mark()
	c.router.lan6d.signal(syscall.SIGSTOP)
	c.router.capture.await(since, c.kind.rebinding, "Rebind", func(p packet) bool { return p.kind == "Rebind" })
	c.router.lan6d.signal(syscall.SIGCONT)
	p := c.router.capture.exchanged(since, 15*time.Second, "Rebind", "Reply")
	c.extended(first, p.got.message)
	c.checkAddrs(first.leases(optIANA))
}

// testRestart: a client that was restarted asks any server whether it may keep its prefix.
func testRestart(c cell) {
	w := want{addr: true, prefix: true}
	first := c.lease(w)
	c.client.kill()
	since := c.router.capture.mark()
	c.client.start(w)
	p := c.router.capture.exchanged(since, 10*time.Second, "Rebind", "Reply")
	if got, want := p.got.leases(optIAPD), first.leases(optIAPD); len(got) == 0 || got[0].prefix != want[0].prefix {
		c.Errorf("had %v, has %v", want, got)
	}
	c.checkAddrs(first.leases(optIANA))
}

// extended checks that a Reply gives the client more time for what it has already.
func (c cell) extended(first, next *message) {
	c.Helper()
	for _, a := range next.ias() {
		if len(a.leases) == 0 {
			c.Errorf("the Reply holds nothing in %v", a)
		}
		for _, l := range a.leases {
			if held(first, l) == nil {
				c.Errorf("%v is new; the client had %v", l, first.leases(a.code))
			} else if l.preferred <= held(first, l).preferred {
				c.Errorf("%v: no more time than in %v", l, *held(first, l))
			}
			c.router.lan6d.logged("renewed", strings.TrimSuffix(l.prefix.String(), "/128"))
		}
	}
}

// held finds what a message leases of the same address or prefix.
func held(m *message, l lease) *lease {
	for _, code := range []uint16{optIANA, optIAPD} {
		for _, old := range m.leases(code) {
			if old.prefix == l.prefix {
				return &old
			}
		}
	}
	return nil
}

// testInformation: a client that needs no address asks for the rest.
func testInformation(c cell) {
	c.client.start(want{stateless: true})
	p := c.router.capture.exchanged(0, 10*time.Second, "Information-request", "Reply")
	if _, ok := p.got.option(optDNSServers); !ok {
		c.Error("the Reply names no DNS server")
	}
	if ias := p.got.ias(); len(ias) > 0 {
		c.Errorf("the Reply holds IAs: %v", ias)
	}
	eventually(c, 5*time.Second, "the client to report "+c.kind.informed, func() bool {
		return strings.Contains(c.client.report(), c.kind.informed)
	})
}

// testRelease: the client gives everything back when it ends.
func testRelease(c cell) {
	leased := c.lease(want{addr: true, prefix: true})
	since := c.router.capture.mark()
	c.client.release()
	p := c.router.capture.exchanged(since, 5*time.Second, "Release", "Reply")
	if s := p.got.status(); s != statusSuccess {
		c.Errorf("status %d", s)
	}
	for _, code := range []uint16{optIANA, optIAPD} {
		for _, l := range leased.leases(code) {
			c.router.lan6d.logged("released", strings.TrimSuffix(l.prefix.String(), "/128"))
		}
	}
	eventually(c, 5*time.Second, "the client to drop its addresses", func() bool { return len(c.host.addrs("eth0")) == 0 })
}
