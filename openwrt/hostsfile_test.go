package openwrt

import (
	"testing"

	"lan6d/dhcpv6/lease"
)

func TestHosts(t *testing.T) {
	table, l := newLink()
	bound(t, table, l, "0001", 1, 128, 0x20, "printer", 60, "2001:db8::20/128", "fd12::20/128")
	bound(t, table, l, "0002", 1, 128, 0x21, "", 60, "2001:db8::21/128")
	for i, name := range []string{"-", "a b", "a\nb", "-a", "a..b", "<b>", "\xff"} {
		bound(t, table, l, "0003", uint32(i), 128, uint64(0x30+i), name, 60, "2001:db8::22/128")
	}
	bound(t, table, l, "0004", 1, 60, 0x10, "router", 60, "2001:db8:1::/60")
	bound(t, table, l, "0005", 1, 128, 0x40, "over", 0, "2001:db8::40/128")
	table.Free(bound(t, table, l, "0006", 1, 128, 0x41, "free", 60, "2001:db8::41/128"))
	bound(t, table, l, "0007", 1, 128, 0x42, "a.b_c", 60, "2001:db8::42/128", "fd12::42/128").Leases[0].Withdrawn = true

	i := &ViewInterface{Name: "lan", Device: "br-lan", Leases: l.Bindings()}
	if got, want := string(AppendHosts(nil, i, viewNow)), "2001:db8::20\tprinter\nfd12::20\tprinter\nfd12::42\ta.b_c\n"; got != want {
		t.Errorf("without a domain: %q, want %q", got, want)
	}
	i.Domain = "example.lan"
	want := "# mine\n2001:db8::20\tprinter.example.lan\tprinter\nfd12::20\tprinter.example.lan\tprinter\nfd12::42\ta.b_c.example.lan\ta.b_c\n"
	if got := string(AppendHosts([]byte("# mine\n"), i, viewNow)); got != want {
		t.Errorf("with a domain: %q, want %q", got, want)
	}
}

func TestNamesHash(t *testing.T) {
	table, l := newLink()
	guests := table.Link("guest")
	b := bound(t, table, l, "0001", 1, 128, 0x20, "printer", 60, "2001:db8::20/128", "fd12::20/128")
	bound(t, table, guests, "0002", 1, 128, 0x20, "phone", 60, "2001:db8:1::20/128")
	interfaces := []ViewInterface{{Name: "lan", Leases: l.Bindings()}, {Name: "guest", Leases: guests.Bindings()}}
	before := NamesHash(interfaces, viewNow)
	same := func(what string, want bool, change func()) {
		t.Helper()
		change()
		for i := range interfaces {
			interfaces[i].Leases = table.Link(interfaces[i].Name).Bindings()
		}
		after := NamesHash(interfaces, viewNow)
		if (after == before) != want {
			t.Errorf("%s: it stays the same: %v", what, after == before)
		}
		before = after
	}
	same("nothing", true, func() {})
	same("the order of addresses", true, func() { b.Leases[0], b.Leases[1] = b.Leases[1], b.Leases[0] })
	same("the order of interfaces", true, func() { interfaces[0], interfaces[1] = interfaces[1], interfaces[0] })
	same("a renewal", true, func() { b.Leases[0].Valid, b.Leases[0].Preferred = lease.Never, lease.Never })
	same("a client without a name", true, func() { bound(t, table, l, "0003", 1, 128, 0x30, "", 60, "fd12::30/128") })
	same("a client with a bad name", true, func() { bound(t, table, l, "0003", 2, 128, 0x31, "\n", 60, "fd12::31/128") })
	same("a prefix with a name", true, func() { bound(t, table, l, "0003", 1, 60, 0x30, "cpe", 60, "2001:db8:30::/60") })
	same("another name", false, func() { b.Hostname = "scanner" })
	same("another address", false, func() { bound(t, table, l, "0004", 2, 128, 0x40, "tv", 60, "fd12::40/128") })
	same("a withdrawn lease", false, func() { b.Leases[0].Withdrawn = true })
	same("a lease that is over", false, func() { b.Leases[1].Valid = viewNow })
	same("another domain", false, func() { interfaces[1].Domain = "lan" })
	same("a released one", false, func() { table.Free(guests.Address(0x20)) })
	if n := NamesHash(nil, viewNow); n != 0 {
		t.Errorf("of nothing: %d", n)
	}
}
