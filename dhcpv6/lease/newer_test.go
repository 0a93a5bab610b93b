package lease_test

import (
	"testing"
	"time"

	"lan6d/dhcpv6/lease"
)

// TestNewer: a copy is newer than the journal only if the journal could not be written after it.
func TestNewer(t *testing.T) {
	table, journal := filled(t)
	at := lease.Time(0)
	now := func() lease.Clock { return later(boot, time.Duration(at)) }
	want := func(name string, a, b []byte, clock lease.Clock, want bool) {
		t.Helper()
		if lease.Newer(a, b, clock) != want {
			t.Errorf("%s: newer %v", name, !want)
		}
	}
	at += lease.Time(10300 * time.Millisecond)
	drifted := now()
	drifted.Wall -= int64(100 * time.Millisecond)
	copied := table.AppendCopy(nil, at, drifted)
	want("the journal ended before the copy", copied, journal, now(), true)
	want("the copy is behind the end of the journal", journal, copied, now(), false)

	at += lease.Time(100 * time.Millisecond)
	table.Free(table.Link("lan").Address(0x200))
	want("both of one second", copied, table.AppendChanges(journal, at, now()), now(), false)

	at += lease.Time(10 * time.Second)
	table.SetNote("a", []byte("1"))
	noted := table.AppendChanges(journal, at, now())
	want("a note behind the copy", copied, noted, now(), false)
	want("a note behind the copy", noted, copied, now(), true)

	at += lease.Time(10 * time.Second)
	table.Remove(table.Link("lan").Address(0x202))
	forgot := table.AppendChanges(noted, at, now())
	want("only something forgotten behind the copy", forgot, noted, now(), true)

	reboot := lease.Clock{Boot: [16]byte{2}, Since: int64(time.Minute), Wall: 1}
	again := lease.NewTable(time.Now(), lease.Limits{}).AppendAll(nil, 0, reboot)
	want("of this boot, by a clock that is behind", again, forgot, reboot, true)
	want("of the boot before", forgot, again, reboot, false)
	third := lease.Clock{Boot: [16]byte{3}, Wall: 1}
	want("both of boots before, by the wall clock", forgot, again, third, true)
	want("both of boots before, by the wall clock", again, forgot, third, false)
}
