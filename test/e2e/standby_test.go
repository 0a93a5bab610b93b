package e2e

import (
	"testing"
	"time"
)

// TestStandby: two Kea servers in hot standby beyond the relay. The active one is killed while a crowd of clients is busy:
// they go on renewing, and others get leases, from the one that is left; nobody gets what another has.
func TestStandby(t *testing.T) {
	t.Parallel()
	r := newRelayRouter(t, named(t, "Kea"), named(t, "Kea"))
	for _, s := range r.servers {
		s.partners = r.servers
		s.times = lifetimes{1800, 3600} // longer than the test: who cannot renew would not lose what it has
	}
	r.guest("idle") // gives the LAN its carrier
	r.open()
	for i, s := range r.servers {
		eventually(t, 60*time.Second, "both servers to be ready", func() bool {
			return s.proc.hasLogged("HA_STATE_TRANSITION", "to HOT-STANDBY state") && (i == 0 || s.proc.hasLogged("server2"))
		})
	}
	var l ledger
	c := r.newCrowd(newRandom(t), &l, 60)
	early, late := c.members[:40], c.members[40:]
	c.join(early)
	c.renew(early)
	before := l.all()

	// Every message waits for its answer, and is sent again until it comes: also while the standby server makes up its mind.
	go r.servers[0].proc.cmd.Process.Kill()
	c.renew(early)
	r.servers[1].proc.logged("HA_STATE_TRANSITION", "to PARTNER-DOWN state")
	c.renew(early)
	c.join(late)
	c.renew(c.members)
	if n := len(since(before, l.all())); n != len(before) {
		t.Errorf("of %d leases %d are left", len(before), n)
	}
}
