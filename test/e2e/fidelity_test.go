package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLifetimes: the kernel counts down the lifetimes that the Reply gave, and all IAs of a Reply are due at one time.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	const seconds = 300                                                             // less than what lan6d gives by itself
	for _, k := range []kind{dhclientKind, dhcpcdKind, dibblerKind, networkdKind} { // not dhcp6c: it tells the kernel none
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			short := config + fmt.Sprintf("\toption max_preferred_lifetime '%d'\n\toption leasetime '%d'\n", seconds, 2*seconds)
			r := newRouter(t, short)
			c := newCell(t, k, r, r.client("client"))
			begin := time.Now()
			reply := c.lease(want{addr: true, prefix: true})
			for _, a := range c.host.addrs("eth0") {
				passed := uint32(time.Since(begin)/time.Second) + 1
				l := c.given(reply, a)
				if a.preferred > l.preferred || a.preferred+passed < l.preferred ||
					a.valid > l.valid || a.valid+passed < l.valid {
					t.Errorf("the Reply says %v, and %d s later the kernel %v", l, passed, a)
				}
			}
			c.checkTimes(reply, seconds)
		})
	}
}

// given finds the lease of an address that the client has configured.
func (c cell) given(reply *message, a kernelAddr) lease {
	c.Helper()
	for _, l := range reply.leases(optIANA) {
		if l.prefix.Addr() == a.addr {
			return l
		}
	}
	c.Fatalf("the client has %v, which nobody gave it", a.addr)
	return lease{}
}

// checkTimes: T1 and T2 are 0.5 and 0.8 of the shortest preferred lifetime (RFC 9915, section 21.4), in all IAs.
func (c cell) checkTimes(reply *message, preferred uint32) {
	c.Helper()
	ias := reply.ias()
	if len(ias) != 2 {
		c.Fatalf("%d IAs in the Reply", len(ias))
	}
	for _, a := range ias {
		if a.t1 != preferred/2 || a.t2 != preferred*4/5 {
			c.Errorf("T1 is %d and T2 %d with a preferred lifetime of %d", a.t1, a.t2, preferred)
		}
		for _, l := range a.leases {
			if l.preferred != preferred || l.valid != 2*preferred {
				c.Errorf("lifetimes %v; configured are %d and %d", l, preferred, 2*preferred)
			}
		}
	}
}

// TestStableAddress: a client that forgot all but its DUID gets what it had before.
func TestStableAddress(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	h := r.client("client")
	var first string
	for range 2 {
		c := newCell(t, dhclientKind, r, h)
		reply := c.lease(want{addr: true, prefix: true})
		got := fmt.Sprint(reply.leases(optIANA), reply.leases(optIAPD))
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("had %s, then %s", first, got)
		}
		c.client.kill()
		h.run("rm", "/run/e2e/dhclient.leases")
	}
}

// TestReservation: a host section in the configuration gives the client with its DUID the address it names.
func TestReservation(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	h := r.client("client")
	mac := strings.TrimSpace(h.run("cat", "/sys/class/net/eth0/address"))
	duid := "00030001" + strings.ReplaceAll(mac, ":", "") // a DUID-LL
	r.lan6d.terminate(2 * time.Second)
	r.configure(config + "\nconfig host\n\toption name 'printer'\n\tlist duid '" + duid + "'\n\toption hostid 'bed'\n")
	r.serve()
	r.awaitService()
	c := newCell(t, dhclientKind, r, h)
	leases := c.lease(want{addr: true}).leases(optIANA)
	if len(leases) != 2 || leases[0].prefix.String() != "2001:db8:1::bed/128" {
		t.Errorf("reserved is ::bed, leased are %v", leases)
	}
	r.lan6d.logged("bound", "printer")
}
