package main

import (
	"testing"
	"time"

	"lan6d/dhcpv6"
)

// plain is a configuration without anything but the LAN.
const plain = `
config dhcp 'lan'
	option ifname 'lan0'
	option dhcpv6 'server'

config odhcpd 'odhcpd'
`

// TestRenewAllocatesNothing: from the socket to the journal and back, and all that the loop does beside it, also when time
// passes and deadlines come up.
func TestRenewAllocatesNothing(t *testing.T) {
	m := newMachine(t, plain)
	m.start()
	defer m.kill()
	m.client.ask(dhcpv6.Request, 1)
	before := len(m.read("state/leases.journal"))
	const times = 200
	if n := testing.AllocsPerRun(times, func() {
		m.pass(time.Minute)
		m.client.ask(dhcpv6.Renew, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if grown := len(m.read("state/leases.journal")) - before; grown < times*2*100 {
		t.Errorf("the journal grew by %d octets: is it in use?", grown)
	}
}
