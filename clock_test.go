package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/openwrt/openwrttest"
)

// withFiles is a configuration with a lease file, and leases of an hour.
const withFiles = plain + `	option leasefile 'DIR/files/leases'

config dhcp 'lan'
	option leasetime '1h'
`

// withCopy, of lan6d's own, is that with a copy of the leases on flash.
const withCopy = `
config lan6d
	option persist 'DIR/flash/leases'
	option persist_interval '1m'
`

// ends are when the leases of each client end, in elapsed time, as the client knows it.
type ends map[byte]time.Duration

// ask has the client bind or renew.
func (m *machine) ask(kind dhcpv6.MessageType, number byte) (end time.Duration) {
	m.Helper()
	return m.elapsed + m.client.ask(kind, number)
}

func duidOf(number byte) []byte { return []byte{0, 3, 0, 1, 2, 0, 0, 0, 0, number} }

// wantFile waits until the lease file has an address and a prefix for each client, which end when it says by the wall
// clock, and no others.
func (m *machine) wantFile(when string, want ends) {
	m.Helper()
	lines := make(map[string]int64)
	for number, end := range want {
		for _, length := range []int{128, 62} {
			lines[fmt.Sprintf("%x/%d", duidOf(number), length)] = int64((end + m.wall) / time.Second)
		}
	}
	var got map[string]int64
	for limit := time.Now().Add(5 * time.Second); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		leases, err := openwrttest.ParseLeaseFile(string(m.read("files/leases")), 0)
		if err != nil {
			m.Fatalf("%s: %v", when, err)
		}
		got = make(map[string]int64)
		for _, l := range leases {
			got[fmt.Sprintf("%s/%d", l.DUID, l.Length)] = l.Expires
		}
		if maps.Equal(got, lines) {
			return
		}
	}
	m.Errorf("%s, at %d by the wall clock: the lease file has %v, want %v", when, int64((m.elapsed+m.wall)/time.Second), got, lines)
}

// wantEnd lets time pass until the leases end: not a second too early, and all of them.
func (m *machine) wantEnd(want ends) {
	m.Helper()
	last := time.Duration(0)
	for _, end := range want {
		last = max(last, end)
	}
	m.pass(last - m.elapsed - time.Second)
	maps.DeleteFunc(want, func(_ byte, end time.Duration) bool { return end <= m.elapsed })
	m.wantFile("a second before the end", want)
	m.pass(time.Second)
	m.wantFile("in the end", nil)
}

// restart ends the daemon as a crash does, does something, and starts it again half a minute later.
func (m *machine) restart(meanwhile func()) {
	m.Helper()
	m.kill()
	meanwhile()
	m.timepiece.pass(30 * time.Second)
	m.start()
}

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// steps are what becomes of the wall clock.
var steps = []struct {
	name     string
	from, to time.Duration
}{
	{"a day back", today, today - day},
	{"ten years on", today, today + 10*year},
	{"from 1970", early, today},
}

// TestClockStepped: whenever the wall clock is stepped, while the daemon runs or between a crash and the next start, all
// leases end when their clients believe so, and the lease file says so by the new time at once.
func TestClockStepped(t *testing.T) {
	for _, tt := range steps {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t, withFiles)
			m.setWall(tt.from)
			m.start()
			defer func() { m.kill() }()
			want := ends{1: m.ask(dhcpv6.Request, 1)}
			m.pass(time.Second)
			m.wantFile("bound", want)
			m.pass(10 * time.Minute)
			m.step(tt.to)
			m.wantFile("stepped", want)
			m.restart(func() {})
			m.wantFile("restarted after the step", want)
			want[1], want[2] = m.ask(dhcpv6.Renew, 1), m.ask(dhcpv6.Request, 2)
			m.pass(time.Second)
			m.wantFile("renewed", want)
			m.restart(func() { m.setWall(tt.from) })
			m.wantFile("stepped back while down", want)
			m.restart(func() { m.setWall(tt.to) })
			m.wantFile("stepped while down", want)
			want[3] = m.ask(dhcpv6.Request, 3)
			m.step(tt.from)
			m.restart(func() {})
			m.wantFile("stepped back", want)
			m.wantEnd(want)
		})
	}
}

// TestReboot: of a machine that was off for long and woke up in some year, with nothing but the copy on flash, no lease is
// lost; each has what remained when the copy was written, less the time since the boot. That the clock is set right then
// changes nothing but the time in the lease file. From then on the journal of the new boot counts, not the copy of the
// old one, whatever the wall clock said when it was written.
func TestReboot(t *testing.T) {
	for name, woken := range map[string]time.Duration{
		"in 1970": early, "a day back": today - day, "on time": today + day, "in ten years": today + 10*year,
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, withFiles)
			m.write("config/lan6d", m.config(withCopy))
			m.start()
			defer func() { m.kill() }()
			end := m.ask(dhcpv6.Request, 1)
			m.awaitCopy(1)
			left := end - m.elapsed
			old := m.read("flash/leases")
			m.pass(20 * time.Minute)
			m.restart(func() { m.reboot(day, woken) })
			want := ends{1: m.booted + left}
			m.wantFile("rebooted", want)
			want[1], want[2] = m.ask(dhcpv6.Renew, 1), m.ask(dhcpv6.Request, 2)
			m.restart(func() { m.write("flash/leases", old) })
			m.wantFile("restarted beside the copy of the boot before", want)
			m.step(today + day)
			m.wantFile("the clock is set", want)
			m.restart(func() { m.write("flash/leases", old) })
			m.wantFile("restarted again", want)
			m.wantEnd(want)
		})
	}
}

// TestNewerFile: of a journal and a copy of one boot, the one that was written later counts, whichever it is, and
// whatever became of the wall clock in between.
func TestNewerFile(t *testing.T) {
	m := newMachine(t, withFiles)
	m.write("config/lan6d", m.config(withCopy))
	m.setWall(early)
	m.start()
	defer func() { m.kill() }()
	want := make(ends)
	var journals, copies [][]byte
	for i, wall := range []time.Duration{early, today, today - day, today + 10*year} {
		number := byte(i + 1)
		m.pass(2 * time.Minute)
		m.step(wall)
		want[number] = m.ask(dhcpv6.Request, number)
		m.awaitCopy(number)
		journals, copies = append(journals, m.read("state/leases.journal")), append(copies, m.read("flash/leases"))
	}
	for i := range journals {
		for j := range copies {
			m.restart(func() {
				m.write("state/leases.journal", journals[i])
				m.write("flash/leases", copies[j])
			})
			both := maps.Clone(want)
			maps.DeleteFunc(both, func(number byte, _ time.Duration) bool { return int(number) > max(i, j)+1 })
			m.wantFile(fmt.Sprintf("journal %d and copy %d", i+1, j+1), both)
		}
	}
}

// awaitCopy waits until the copy on flash tells of the client.
func (m *machine) awaitCopy(number byte) {
	m.Helper()
	m.pass(time.Minute) // from one write to the next
	m.eventually("the copy on flash", func() bool { return bytes.Contains(m.read("flash/leases"), duidOf(number)) })
}

// reboot boots the machine, after so long, with that time of day. What was in memory is gone.
func (m *machine) reboot(off, wall time.Duration) {
	m.Helper()
	for _, dir := range []string{"state", "files"} {
		if err := os.RemoveAll(m.path(dir)); err != nil {
			m.Fatal(err)
		}
	}
	m.timepiece.pass(off)
	m.boot++
	m.booted = m.elapsed
	m.setWall(wall)
}

// TestStepTimer: as long as nobody sets the clock, the timer has nothing to say. (What it says then cannot be tested: the
// clock is everybody's.)
func TestStepTimer(t *testing.T) {
	timer, err := stepTimer()
	if err != nil {
		t.Fatal(err)
	}
	defer timer.Close()
	timer.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := timer.Read(make([]byte, 8)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nobody has set the clock, and the timer says: %v", err)
	}
}
