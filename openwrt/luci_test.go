package openwrt

import (
	"encoding/hex"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"lan6d/dhcpv6/lease"
	"lan6d/openwrt/openwrttest"
)

// readBack returns what LuCI finds in the lease file of some interfaces.
func readBack(t *testing.T, interfaces []ViewInterface) []openwrttest.Lease {
	t.Helper()
	leases, err := openwrttest.ParseLeaseFile(string(AppendLeaseFile(nil, interfaces, viewNow, viewWall)), viewWall)
	if err != nil {
		t.Fatal(err)
	}
	return leases
}

// LuCI finds all that is in any table.
func TestLuCIReadsRandomTables(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 6))
		table := lease.NewTable(viewEpoch, lease.Limits{})
		var interfaces []ViewInterface
		var want []openwrttest.Lease
		for n := range r.IntN(4) {
			link := table.Link(strconv.Itoa(n))
			for k := range r.IntN(20) {
				randomBinding(t, r, table, link, k)
			}
			i := ViewInterface{Device: "br-lan" + strconv.Itoa(n), Leases: link.Bindings()}
			interfaces = append(interfaces, i)
			for _, b := range i.Leases {
				if l := expected(i.Device, b); len(l.Addresses) > 0 {
					want = append(want, l)
				}
			}
		}
		if got := readBack(t, interfaces); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d:\n%+v, want\n%+v", seed, got, want)
		}
	}
}

// randomBinding makes one that fits a line whole.
func randomBinding(t *testing.T, r *rand.Rand, table *lease.Table, l *lease.Link, k int) {
	duid := make([]byte, 3+r.IntN(28))
	for i := range duid {
		duid[i] = byte(r.Uint32())
	}
	length, id := uint8(128), r.Uint64()>>r.IntN(64)
	if r.IntN(3) == 0 {
		length, id = uint8(48+r.IntN(17)), uint64(k)<<16
	}
	if l.Address(id) != nil {
		return
	}
	b := bound(t, table, l, hex.EncodeToString(duid), r.Uint32()>>r.IntN(32), length, id, []string{"", "pc", "ap-1.attic"}[r.IntN(3)], 0)
	for range r.IntN(7) {
		var a [16]byte
		for i := range a {
			a[i] = byte(r.Uint32() * r.Uint32N(2)) // with runs of zeros
		}
		a[0] = 0x20
		p, _ := netip.AddrFrom16(a).Prefix(int(length))
		valid := []lease.Time{lease.Never, viewNow, viewNow.After(r.Uint32N(1 << 20))}[r.IntN(3)]
		b.Leases = append(b.Leases, lease.Lease{Prefix: p, Valid: valid, Withdrawn: r.IntN(5) == 0})
	}
	table.Bind(b)
	if r.IntN(5) == 0 {
		table.Free(b)
	}
}

func expected(device string, b *lease.Binding) openwrttest.Lease {
	want := openwrttest.Lease{
		Device: device, DUID: hex.EncodeToString([]byte(b.DUID)), IAID: strconv.FormatUint(uint64(b.IAID), 16), Hostname: b.Hostname,
		ID: b.ID, Length: int(b.Length),
	}
	for _, l := range b.Leases {
		if b.State != lease.Bound || l.Withdrawn || l.Valid <= viewNow {
			continue
		}
		want.Addresses = append(want.Addresses, l.Prefix.Addr())
		if l.Valid == lease.Never {
			want.Expires = -1
		} else if want.Expires >= 0 {
			want.Expires = max(want.Expires, int64(l.Valid-viewNow)/1e9)
		}
	}
	return want
}

// A reader that takes everything is no test.
func TestParseLeaseFileRefuses(t *testing.T) {
	const good = "# br-lan 0003 1 pc 1795420060 5 128 fd00::5/128\n"
	if l, err := openwrttest.ParseLeaseFile(good+good, viewWall); err != nil || len(l) != 2 || l[1].Expires != 60 || l[1].Hostname != "pc" {
		t.Errorf("%+v, %v", l, err)
	}
	for _, bad := range []string{
		"\n", " " + good, strings.TrimSuffix(good, "\n"), good + "#\n", strings.Replace(good, "#", "", 1), strings.Replace(good, "# ", "#", 1),
		strings.Replace(good, " pc", "", 1), strings.Replace(good, "pc", "p c", 1), strings.Replace(good, "pc", "p\tc", 1),
		strings.Replace(good, "pc", "p\nc", 1), strings.Replace(good, "pc", "<p>", 1), strings.Replace(good, "pc", `p\y20`, 1),
		strings.Replace(good, "pc", `p\x2`, 1), strings.Replace(good, "pc", `p\x2G`, 1), strings.Replace(good, "pc", strings.Repeat("a", 500), 1),
		strings.Replace(good, "0003", "003", 1), strings.Replace(good, "0003", "00AB", 1), strings.Replace(good, " 1 ", " 01 ", 1),
		strings.Replace(good, " 1 ", " ipv4 ", 1), strings.Replace(good, "1795420060", "soon", 1), strings.Replace(good, "1795420060", "-2", 1),
		strings.Replace(good, " 5 ", " x5 ", 1), strings.Replace(good, " 128 ", " 0 ", 1), strings.Replace(good, " 128 ", " 64 ", 1),
		strings.Replace(good, "/128", "", 1), strings.Replace(good, "fd00::5", "192.0.2.1", 1),
		"# br-lan 0003 1 pc 1795420060 5 128" + strings.Repeat(" fd00::5/128", 11) + "\n",
	} {
		if l, err := openwrttest.ParseLeaseFile(bad, viewWall); err == nil {
			t.Errorf("%q: %+v, no error", bad, l)
		}
	}
}

// FuzzLeaseFile gives clients names and DUIDs of any octets. No name forges a line or a field, nor costs somebody else
// his.
func FuzzLeaseFile(f *testing.F) {
	for _, name := range []string{
		"", "-", "pc", "broken\\x20pc", "a\n# br-lan 0003 1 evil -1 5 128 fd00::bad/128\n", "a 0 0 128", "\x00", "<script>", "\\", "ä\xff", "\r\n\t\v",
		strings.Repeat("a", 253), strings.Repeat("\n", 600), strings.Repeat("a.", 5000),
	} {
		f.Add(name, []byte{0, 3, 0, 1}, uint32(1), "br-lan")
	}
	f.Add("pc", make([]byte, 130), uint32(1<<32-1), "br lan\n")
	f.Fuzz(func(t *testing.T, name string, duid []byte, iaid uint32, device string) {
		if len(duid) < 3 || len(duid) > 130 || device == "" || len(device) > 15 {
			return
		}
		table, l := newLink()
		duidText := hex.EncodeToString(duid)
		bound(t, table, l, duidText, iaid, 128, 0x20, name, 60, "2001:db8::20/128", "fd12::20/128")
		bound(t, table, l, "00030001", ^iaid, 128, 0x21, "honest", 90, "2001:db8::21/128")
		i := ViewInterface{Device: device, Domain: "lan", Leases: l.Bindings()}
		got := readBack(t, []ViewInterface{i})
		if len(got) != 2 {
			t.Fatalf("%d lines: %+v", len(got), got)
		}
		for k, want := range []openwrttest.Lease{
			{Device: got[0].Device, DUID: duidText, IAID: strconv.FormatUint(uint64(iaid), 16), Hostname: got[0].Hostname, Expires: 60, ID: 0x20,
				Length: 128, Addresses: []netip.Addr{netip.MustParseAddr("2001:db8::20"), netip.MustParseAddr("fd12::20")}[:len(got[0].Addresses)]},
			{Device: got[0].Device, DUID: "00030001", IAID: strconv.FormatUint(uint64(^iaid), 16), Hostname: "honest", Expires: 90, ID: 0x21,
				Length: 128, Addresses: []netip.Addr{netip.MustParseAddr("2001:db8::21")}},
		} {
			if !reflect.DeepEqual(got[k], want) {
				t.Errorf("%+v, want %+v", got[k], want)
			}
		}
		if len(got[0].Addresses) == 0 {
			t.Error("no address")
		}
		for _, line := range strings.SplitAfter(string(AppendHosts(nil, &i, viewNow)), "\n") {
			if line != "" && line != "2001:db8::21\thonest.lan\thonest\n" && line != "2001:db8::20\t"+name+".lan\t"+name+"\n" &&
				line != "fd12::20\t"+name+".lan\t"+name+"\n" {
				t.Errorf("line in the hosts file: %q", line)
			}
		}
	})
}
