package main

import (
	"bytes"
	"testing"

	"lan6d/netif/netnstest"
)

// TestDuplicateAddress: an address that another node has, too, is said to be of no use, once, as long as it is there.
func TestDuplicateAddress(t *testing.T) {
	m := newMachine(t, "config dhcp 'lan'\n\toption ifname 'lan0'\n\toption dhcpv6 'server'\n")
	here := netnstest.Here(t)
	m.lan.AddAddr(t, "eth0", "2001:db8:2::1/64")
	here.EnableDAD(t, "lan0")
	m.start()
	m.wantWarnings()
	here.IP(t, "addr add 2001:db8:2::1/64 dev lan0")
	const want = "lan: another node has 2001:db8:2::1/64, too (duplicate address detection): neither the address is used nor its prefix"
	m.awaitLog("warn: " + want + "\n")
	m.wantWarnings(want)
	here.AddAddr(t, "lan0", "2001:db8:3::1/64")
	m.settled()
	if n := bytes.Count(m.read("log"), []byte("another node")); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	here.IP(t, "addr del 2001:db8:2::1/64 dev lan0")
	m.eventually("the warning to end", func() bool { return len(m.warnings()) == 0 })
	m.kill()
}
