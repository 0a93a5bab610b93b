package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestControlReloadBusy: while a crowd of clients is served, some 500 messages a second, the configuration is read again ten
// times, once a bad one. No message and no lease is lost, and what has changed is told at once.
func TestControlReloadBusy(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	var l ledger
	const members = 50
	c := r.newCrowd(newRandom(t), &l, members+1)
	asker := c.members[members] // who only asks for information
	c.stop = make(chan struct{})
	for _, m := range c.members[:members] {
		c.live.Go(m.wander)
	}
	t.Cleanup(c.halt)

	began := time.Now()
	for i := range 10 {
		wanted := c.served.Load() + 250
		eventually(t, 20*time.Second, "the crowd to be busy", func() bool { return c.served.Load() >= wanted })
		server, status := fmt.Sprintf("2001:db8:1::%d", 100+i), 0
		next := strings.ReplaceAll(config, nameserver, server)
		if i == 5 {
			next, server, status = next+"\toption leasetime 'long'\n", "2001:db8:1::104", 1
		}
		r.configure(next)
		if got, _, stderr := r.ctl("reload"); got != status || (status != 0) != strings.Contains(stderr, "the old one goes on") {
			t.Errorf("reload %d: exit status %d, %s", i+1, got, stderr)
		}
		dns, _ := asker.exchange("Information-request", nil, nil).option(optDNSServers)
		if got := fmt.Sprintf("%x", dns); !strings.HasSuffix(got, "0"+server[len(server)-3:]) {
			t.Errorf("after reload %d the DNS server is %s", i+1, got)
		}
	}
	c.halt()
	rate := float64(c.served.Load()) / time.Since(began).Seconds()
	eventually(t, 10*time.Second, "an answer to each message", func() bool { return c.heard.Load() >= c.sent.Load() })
	t.Logf("%d messages answered, %.0f a second; %d waited longer than %v", c.served.Load(), rate, c.again.Load(), patience)
	if c.heard.Load() != c.sent.Load() {
		t.Errorf("%d answers to %d messages", c.heard.Load(), c.sent.Load())
	}
	c.renew(c.members[:members])
	r.lan6d.terminate(2 * time.Second)
	k, claims := r.kept(), l.all()
	if k.torn > 0 || len(claims) < members/4 {
		t.Errorf("%d octets of the journal are no record, %d claims", k.torn, len(claims))
	}
	r.checkKept("in the end", k, claims)
}
