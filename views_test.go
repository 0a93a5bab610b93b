package main

import (
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
	"lan6d/openwrt"
)

// TestFirstEnd: the files are written again when a lease ends whose binding goes on, and not for one that ends with it:
// that is an event.
func TestFirstEnd(t *testing.T) {
	table := lease.NewTable(time.Now(), lease.Limits{})
	bind := func(id uint64, valid ...uint32) {
		pool := lease.Pool{Span: lease.Span{First: id, Last: id}}
		b := table.Link("lan").AllocateAddress([]byte{0, 1, byte(id)}, 1, pool, id)
		for i, v := range valid {
			a := netip.AddrFrom16([16]byte{0xfd, byte(i), 15: byte(id)})
			b.Leases = append(b.Leases, lease.Lease{Prefix: netip.PrefixFrom(a, 128), Valid: lease.Time(0).After(v), Withdrawn: v == 50})
		}
		table.Bind(b)
	}
	first := func(now uint32) uint32 {
		return firstEnd(table.Link("lan").Bindings(), lease.Time(0).After(now)).Until(0)
	}
	bind(1, 100)
	bind(2, 500, 500)
	if got := first(0); got != 0xffffffff {
		t.Errorf("of leases that end with their bindings: %d", got)
	}
	bind(3, 300, 50, 700, 200)
	for now, want := range map[uint32]uint32{0: 200, 199: 200, 200: 300, 300: 0xffffffff} {
		if got := first(now); got != want {
			t.Errorf("after %d s: %d, want %d", now, got, want)
		}
	}
}

// TestNoViews: where no file is wanted, the bindings are not looked at.
func TestNoViews(t *testing.T) {
	config := &openwrt.Config{Interfaces: []openwrt.Interface{{Name: "lan", Role: openwrt.Server}}}
	d := &daemon{config: config, clocks: systemClocks(), server: server.New(time.Now(), server.Config{})}
	d.server.Table().Link("lan").AllocateAddress([]byte{0, 1, 1}, 1, lease.Pool{Span: lease.Span{First: 1, Last: 9}}, 1)
	looks := func() float64 { return testing.AllocsPerRun(10, func() { d.viewSet(d.clocks.now()) }) }
	if n := looks(); n != 0 {
		t.Errorf("%v allocations without a file", n)
	}
	config.Daemon.LeaseFile = "/leases"
	if looks() == 0 {
		t.Error("with a file nothing is allocated: is this test still looking at the right thing?")
	}
}
