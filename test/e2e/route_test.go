package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestRoutes: a delegated prefix has one route under each prefix of the LAN, through the client; after a crash it is
// there again, and a stale one is not; somebody else's stays; after the release there is none.
func TestRoutes(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c, had := leaseholder(t, r)
	routes := func() string { return r.run("ip", "-6", "route", "show", "proto", "109") }
	all := func() bool {
		text := routes()
		for _, l := range had.leases(optIAPD) {
			if !strings.Contains(text, l.prefix.String()+" via fe80::") {
				return false
			}
		}
		return len(had.leases(optIAPD)) == 2 && strings.Count(text, "dev lan0 metric 1024") == 2
	}
	eventually(t, 2*time.Second, "the routes", all)

	r.lan6d.kill()
	r.run("ip", "-6", "route", "del", had.leases(optIAPD)[0].prefix.String(), "proto", "109")
	r.run("ip", "-6", "route", "add", "2001:db8:1:ff00::/60", "via", "fe80::1234", "dev", "lan0", "proto", "109")
	r.run("ip", "-6", "route", "add", "2001:db8:1:fe00::/60", "via", "fe80::1234", "dev", "lan0")
	r.serve()
	r.awaitService()
	eventually(t, 2*time.Second, "the routes after a crash", all)
	if text := r.run("ip", "-6", "route"); !strings.Contains(text, "2001:db8:1:fe00::/60") {
		t.Errorf("another's route is gone:\n%s", text)
	}
	c.client.release()
	eventually(t, 5*time.Second, "no route", func() bool { return routes() == "" })
}
