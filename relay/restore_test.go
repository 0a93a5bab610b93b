package relay_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/relay"
)

// clock is a reading of the machine's clocks, right or not.
func (l *lab) clock() lease.Clock {
	return lease.Clock{Boot: [16]byte{1}, Since: int64(l.now.Sub(epoch) + time.Hour), Wall: l.now.UnixNano()}
}

// restart ends the relay agent and has another one take up its records.
func (l *lab) restart(records []byte, down time.Duration) {
	l.Helper()
	l.now = l.now.Add(down)
	r := relay.New(l.now, relay.Config{})
	if err := r.Restore(records, l.now, l.clock()); err != nil {
		l.Error(err)
	}
	l.Relay = r
	l.SetConfig(l.now, l.setup.Config)
	l.SetLinks(l.now, l.setup.Links)
	l.SetPaths(l.now, l.setup.Paths)
	l.check()
}

func (l *lab) changes(b []byte) []byte {
	return l.Table().AppendChanges(b, l.Table().At(l.now), l.clock())
}

// A relay agent that ends at any moment routes as before when it is back (RFC 8987, S-1).
func TestRestart(t *testing.T) {
	l := start(t)
	journal := l.Table().AppendAll(nil, 0, l.clock())
	record := func() { journal = l.changes(journal) }
	l.grant(1, prefixA, "2001:db8:20::/60")
	record()
	l.grant(2, "2001:db8:30::/60")
	record()
	l.tellOn("guest", host(1), reply(dhcpv6.Reply, duid(1), 1, pd(1, promise{"2001:db8:40::/60", dhcpv6.Infinity, dhcpv6.Infinity})))
	record()
	l.wait(500 * time.Second)
	l.grant(1, prefixA)
	l.giveUp(2, host(2), "2001:db8:30::/60")
	l.grant(3, "2001:db8:30::/60")
	record()
	routes := []string{viaA, "2001:db8:20::/60 via fe80::1001 dev 2", "2001:db8:30::/60 via fe80::1003 dev 2", "2001:db8:40::/60 via fe80::1001 dev 3"}
	l.wantRoutes(routes...)

	l.restart(journal, 600*time.Second)
	l.wantRoutes(routes...)
	if got := l.changes(nil); len(got) != 0 {
		t.Errorf("%d octets changed by restoring", len(got))
	}
	l.grant(1, prefixA) // a Renew that was on its way
	l.wantEvents("renewed lan 1 2001:db8:10::/60 2001:db8:20::/60 via fe80::1001")
	l.grant(9, prefixA)
	l.wantRoutes(routes...)
	journal = l.Table().AppendAll(nil, l.Table().At(l.now), l.clock())
	l.restart(journal, 899*time.Second)
	l.wantRoutes(routes...)
	l.restart(journal, 1*time.Second)
	l.wait(0)
	l.wantRoutes(viaA, "2001:db8:30::/60 via fe80::1003 dev 2", "2001:db8:40::/60 via fe80::1001 dev 3")
	l.restart(journal, 9999*time.Second)
	l.wait(0)
	l.wantRoutes("2001:db8:40::/60 via fe80::1001 dev 3")
	l.grant(1, "2001:db8:50::/60")
	l.wantRoutes("2001:db8:40::/60 via fe80::1001 dev 3", "2001:db8:50::/60 via fe80::1001 dev 2")
}

// Which server gave what is not restored: the word of any counts, as that of the one did.
func TestRestartForgetsServers(t *testing.T) {
	l := start(t)
	l.grant(1, prefixA)
	l.restart(l.Table().AppendAll(nil, 0, l.clock()), time.Second)
	l.tell(host(1), reply(dhcpv6.Reply, duid(1), 2, pdStatus(1, dhcpv6.StatusNoBinding)))
	l.wantRoutes()
}

// Records that are not of this relay agent's making are not taken up, and forgotten.
func TestRestoreNonsense(t *testing.T) {
	table := lease.NewTable(epoch, lease.Limits{})
	link := table.Link("lan")
	pool := lease.Pool{Span: lease.Span{First: 0, Last: 1 << 20}}
	bind := func(client []byte, via string, prefixes ...string) *lease.Binding {
		b := link.AllocatePrefix(client, 1, pool, 64, 1<<30)
		b.Peer = netip.MustParseAddr(via)
		for _, p := range prefixes {
			b.Leases = append(b.Leases, lease.Lease{Prefix: netip.MustParsePrefix(p), Preferred: lease.Time(time.Hour), Valid: lease.Time(2 * time.Hour)})
		}
		table.Bind(b)
		return b
	}
	bind(duid(1), "fe80::1001", "2001:db8:10::/60", "2001:db8:10::/60")
	bind(duid(2), "::", "2001:db8:20::/60")
	bind(duid(3), "ff02::1", "2001:db8:30::/60")
	bind([]byte{1}, "fe80::1001", "2001:db8:40::/60")
	bind(make([]byte, 131), "fe80::1001", "2001:db8:50::/60")
	table.Free(bind(duid(4), "fe80::1001", "2001:db8:60::/60"))
	bind(duid(5), "fe80::1005", "2001:db8:70::/60")
	bind(duid(6), "fe80::1006")
	bind(duid(7), "fe80::1007", "::/0", "2001:db8::/32") // routable or not shows later
	address := link.AllocateAddress(duid(8), 1, pool, 5)
	address.Peer, address.Leases = host(8), []lease.Lease{{Prefix: netip.MustParsePrefix("2001:db8:1::5/128"), Valid: lease.Never}}
	table.Bind(address)
	link.AllocatePrefix(duid(9), 1, lease.Pool{Span: lease.Span{First: 0, Last: 1<<64 - 1}}, 64, 1<<64-1)

	l := start(t)
	l.restart(table.AppendAll(nil, 0, l.clock()), time.Second)
	l.wantRoutes("2001:db8:10::/60 via fe80::1001 dev 2", "2001:db8:70::/60 via fe80::1005 dev 2")
	n := 0
	for b := range l.Table().Link("lan").All() {
		if !slices.ContainsFunc([]int{1, 5, 7}, func(n int) bool { return string(duid(n)) == b.DUID }) {
			t.Errorf("kept %x", b.DUID)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d bindings", n)
	}
	if len(l.changes(nil)) == 0 {
		t.Error("what was left out stays recorded")
	}
}

// Of two who hold a prefix in the records, one does.
func TestRestoreConflict(t *testing.T) {
	l := start(t)
	l.grant(1, prefixA)
	first := l.changes([]byte(lease.Header))
	other := start(t)
	other.grant(2, prefixA)
	both := other.changes(first)
	l.restart(both, time.Second)
	if n := len(l.routes()); n != 1 {
		t.Errorf("%d routes", n)
	}
}
