package openwrt

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// The moment of the tests in this package, on both clocks.
const (
	viewNow  = lease.Time(100 * time.Second)
	viewWall = 1795420000
)

var viewEpoch = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func newLink() (*lease.Table, *lease.Link) {
	table := lease.NewTable(viewEpoch, lease.Limits{})
	return table, table.Link("lan")
}

// bound makes a bound binding with leases that are valid for that many seconds.
func bound(t testing.TB, table *lease.Table, l *lease.Link, duid string, iaid uint32, length uint8, id uint64, name string, seconds uint32, prefixes ...string) *lease.Binding {
	t.Helper()
	octets, err := hex.DecodeString(duid)
	if err != nil {
		t.Fatal(err)
	}
	pool := lease.Pool{Span: lease.Span{First: 0, Last: 1<<64 - 1}}
	var b *lease.Binding
	if length == 128 {
		b = l.AllocateAddress(octets, iaid, pool, id)
	} else {
		b = l.AllocatePrefix(octets, iaid, pool, length, id)
	}
	if b == nil || b.ID != id {
		t.Fatalf("id %#x is not to be had", id)
	}
	b.Hostname = name
	for _, p := range prefixes {
		b.Leases = append(b.Leases, lease.Lease{Prefix: netip.MustParsePrefix(p), Preferred: viewNow.After(seconds / 2), Valid: viewNow.After(seconds)})
	}
	table.Bind(b)
	return b
}

func leaseFile(l *lease.Link) string {
	return string(AppendLeaseFile(nil, []ViewInterface{{Name: "lan", Device: "br-lan", Leases: l.Bindings()}}, viewNow, viewWall))
}

// The lines that odhcpd wrote.
func TestLeaseFile(t *testing.T) {
	table, l := newLink()
	bound(t, table, l, "00030001020000000001", 0x976a5f51, 128, 0x20, "printer", 1139, "2001:db8:100:10::20/128", "fd12:3456:789a:10::20/128")
	bound(t, table, l, "0003000102aaaaaaaaaa", 1, 62, 4, "laptop", 4739, "2001:db8:100:14::/62", "fd12:3456:789a:14::/62")
	bound(t, table, l, "000300010200000000dd", 0xd219aa47, 128, 0xbed, "-", dhcpv6.Infinity, "2001:db8:100:10::bed/128")
	guests := table.Link("guest")
	bound(t, table, guests, "00030001020000000001", 0, 128, 0xfedcba9876543210, "", 60, "2001:db8:100:18:fedc:ba98:7654:3210/128")

	interfaces := []ViewInterface{{Device: "br-lan", Leases: l.Bindings()}, {Device: "br guest\n", Leases: guests.Bindings()}}
	got := string(AppendLeaseFile([]byte("x\n"), interfaces, viewNow, viewWall))
	want := `x
# br-lan 00030001020000000001 976a5f51 printer 1795421139 20 128 2001:db8:100:10::20/128 fd12:3456:789a:10::20/128
# br-lan 000300010200000000dd d219aa47 broken\x20- -1 bed 128 2001:db8:100:10::bed/128
# br-lan 0003000102aaaaaaaaaa 1 laptop 1795424739 4 62 2001:db8:100:14::/62 fd12:3456:789a:14::/62
# br\x20guest\x0a 00030001020000000001 0 - 1795420060 fedcba9876543210 128 2001:db8:100:18:fedc:ba98:7654:3210/128
`
	if got != want {
		t.Errorf("lease file:\n%swant:\n%s", got, want)
	}
}

func TestLeaseFileLeavesOut(t *testing.T) {
	const head, one, other = "# br-lan 0003000102 1 pc ", "2001:db8::5/128", "fd00::5/128"
	for _, tt := range []struct {
		name   string
		change func(table *lease.Table, b *lease.Binding)
		want   string
	}{
		{"nothing", func(*lease.Table, *lease.Binding) {}, head + "1795420060 5 128 " + one + " " + other + "\n"},
		{"a withdrawn lease", func(_ *lease.Table, b *lease.Binding) { b.Leases[0].Withdrawn = true }, head + "1795420060 5 128 " + other + "\n"},
		{"a lease that is over", func(_ *lease.Table, b *lease.Binding) { b.Leases[1].Valid = viewNow }, head + "1795420060 5 128 " + one + "\n"},
		{"the time of a withdrawn lease", func(_ *lease.Table, b *lease.Binding) {
			b.Leases[0].Withdrawn, b.Leases[0].Valid = true, lease.Never
		}, head + "1795420060 5 128 " + other + "\n"},
		{"all leases withdrawn", func(_ *lease.Table, b *lease.Binding) { b.Leases[0].Withdrawn, b.Leases[1].Withdrawn = true, true }, ""},
		{"all leases over", func(_ *lease.Table, b *lease.Binding) { b.Leases[0].Valid, b.Leases[1].Valid = 1, viewNow }, ""},
		{"the later time", func(_ *lease.Table, b *lease.Binding) { b.Leases[0].Valid = viewNow.After(90) }, head + "1795420090 5 128 " + one + " " + other + "\n"},
		{"less than a second", func(_ *lease.Table, b *lease.Binding) { b.Leases[0].Valid, b.Leases[1].Valid = viewNow+1, 0 },
			head + "1795420000 5 128 " + one + "\n"},
		{"never", func(_ *lease.Table, b *lease.Binding) { b.Leases[1].Valid = lease.Never }, head + "-1 5 128 " + one + " " + other + "\n"},
		{"released", func(table *lease.Table, b *lease.Binding) { table.Free(b) }, ""},
		{"declined", func(table *lease.Table, b *lease.Binding) { table.Decline(b, lease.Never) }, ""},
		{"held", func(table *lease.Table, b *lease.Binding) { table.Free(b); table.Hold(b) }, ""},
		{"offered", func(table *lease.Table, b *lease.Binding) { table.Free(b); table.Offer(b, lease.Never, 9) }, ""},
		{"removed", func(table *lease.Table, b *lease.Binding) { table.Remove(b) }, ""},
	} {
		table, l := newLink()
		b := bound(t, table, l, "0003000102", 1, 128, 5, "pc", 60, one, other)
		tt.change(table, b)
		if got := leaseFile(l); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// LuCI would take the end of a line that is too long for another line.
func TestLeaseFileCuts(t *testing.T) {
	long := make([]string, 14) // addresses that cannot be written shorter
	for i := range long {
		long[i] = "2001:1db8:1000:1000:1000:1000:1000:1" + strings.Repeat(string(rune('a'+i%6)), 3) + "/128"
	}
	short := strings.Split(strings.Repeat("fd00::1/128 ", 14), " ")[:14]
	duid := strings.Repeat("ab", dhcpv6.MaxDUIDLength)
	for _, tt := range []struct {
		name, duid, host string
		leases           []string
		addresses        int
		hasName          bool
	}{
		{"ten addresses", "0003", "a", short, 10, true},
		{"long addresses", "0003", "a", long, 10, true},
		{"long name", "0003", strings.Repeat("a", 300), long, 3, true},
		{"the last place for a short one", "0003", strings.Repeat("a", 300), append(long[:3:3], long[3], "fd00::1/128"), 4, true},
		{"long DUID", duid, "a", long, 4, true},
		{"long DUID and name", duid, strings.Repeat("a", 253), long, 4, false},
		{"name that, marked as broken, leaves just no room", duid, strings.Repeat("a", 146), long[:1], 1, false},
		{"name that leaves just room", duid, strings.Repeat("a", 145), long[:1], 1, true},
		{"forged name", "0003", strings.Repeat("\n", 120), long[:2], 2, false},
	} {
		table, l := newLink()
		bound(t, table, l, tt.duid, 0xffffffff, 128, 1<<64-1, tt.host, 60, tt.leases...)
		line := leaseFile(l)
		if n := strings.Count(line, "/"); n != tt.addresses || len(line) > maxLine || strings.Count(line, "\n") != 1 {
			t.Errorf("%s: %d addresses in %d octets, want %d: %s", tt.name, n, len(line), tt.addresses, line)
		}
		if hasName := !strings.Contains(line, " - "); hasName != tt.hasName {
			t.Errorf("%s: it has its name: %v: %s", tt.name, hasName, line)
		}
	}
	table, l := newLink()
	bound(t, table, l, strings.Repeat("ab", 300), 1, 128, 1, "a", 60, "fd00::1/128")
	bound(t, table, l, "0003", 1, 128, 2, "a", 60, "fd00::2/128")
	if got := leaseFile(l); got != "# br-lan 0003 1 a 1795420060 2 128 fd00::2/128\n" {
		t.Errorf("with a DUID that is no DUID: %q", got)
	}
}

func BenchmarkLeaseFile(b *testing.B) {
	table, l := newLink()
	for i := range 5000 {
		bound(b, table, l, "000300010200000000dd", uint32(i), 128, uint64(i)*7919+256, "printer", 1139, "2001:db8:100:10::20/128", "fd12:3456:789a:10::20/128")
	}
	interfaces := []ViewInterface{{Name: "lan", Device: "br-lan", Domain: "lan", Leases: l.Bindings()}}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendLeaseFile(buf[:0], interfaces, viewNow, viewWall)
	}
}
