package main

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
	"lan6d/openwrt"
)

func TestLogLevels(t *testing.T) {
	var out bytes.Buffer
	l := newLogger(&out)
	l.level = openwrt.LogWarn
	l.errorf("one %d", 1)
	l.warnf("two")
	l.infof("three")
	if got, want := out.String(), "error: one 1\nwarn: two\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// listenLog stands in for the system's log, as /dev/log.
func listenLog(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	os.Remove(path)
	log, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	log.SetReadDeadline(time.Now().Add(10 * time.Second))
	return log
}

func readLog(t *testing.T, log *net.UnixConn) string {
	t.Helper()
	b := make([]byte, 1024)
	n, err := log.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestSyslog(t *testing.T) {
	var out bytes.Buffer
	l := newLogger(&out)
	l.path = filepath.Join(t.TempDir(), "log")
	if err := l.useSyslog(); err == nil || !strings.Contains(err.Error(), "-S: "+l.path+": no such file") {
		t.Errorf("without a log: %v", err)
	}
	log := listenLog(t, l.path)
	if err := l.useSyslog(); err != nil {
		t.Fatal(err)
	}
	pid := os.Getpid()
	l.errorf("one")
	if got, want := readLog(t, log), fmt.Sprintf("<27>lan6d[%d]: one", pid); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	log.Close()
	log = listenLog(t, l.path) // it was restarted
	l.infof("two")
	if got, want := readLog(t, log), fmt.Sprintf("<30>lan6d[%d]: two", pid); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if out.Len() > 0 {
		t.Errorf("standard error got %q", out.String())
	}
}

func TestBadPacketsAreLoggedAtALimitedRate(t *testing.T) {
	l := newLogger(&bytes.Buffer{})
	now := time.Unix(1_800_000_000, 0)
	if l.packet(now) {
		t.Error("at level info a bad packet is logged")
	}
	l.level = openwrt.LogDebug
	count := func(now time.Time) (n int) {
		for range 1000 {
			if l.packet(now) {
				n++
			}
		}
		return n
	}
	if n := count(now); n != 10 {
		t.Errorf("%d of 1000 in one second, want 10", n)
	}
	if n := count(now.Add(time.Second)); n != 10 {
		t.Errorf("%d of 1000 in the next second, want 10", n)
	}
}

func TestEventLines(t *testing.T) {
	key := lease.Key{DUID: "\x00\x03\x00\x01\x02\x00\x00\x00\x00\x01", IAID: 0x1a}
	client := netip.MustParseAddr("fe80::2")
	at := lease.Time(5 * time.Second)
	leases := []lease.Lease{
		{Prefix: netip.MustParsePrefix("2001:db8::1a3/128"), Valid: at.After(5400)},
		{Prefix: netip.MustParsePrefix("2001:db8:ff::1a3/128"), Valid: at.After(60), Withdrawn: true},
		{Prefix: netip.MustParsePrefix("fd00::1a3/128"), Valid: at.After(1800)},
	}
	forever := []lease.Lease{{Prefix: netip.MustParsePrefix("2001:db8:0:10::/60"), Valid: at.After(dhcpv6.Infinity)}}
	for _, tt := range []struct {
		event server.Event
		want  string
	}{
		{server.Event{Kind: server.Bound, At: at, Link: "lan", Key: key, Hostname: "laptop", Leases: leases, Client: client},
			"lan: bound 2001:db8::1a3, fd00::1a3 to 00030001020000000001 IAID 0000001a (laptop) at fe80::2 for 1h30m"},
		{server.Event{Kind: server.Renewed, At: at, Link: "lan", Key: key, Leases: forever, Client: client},
			"lan: renewed 2001:db8:0:10::/60 to 00030001020000000001 IAID 0000001a at fe80::2 for ever"},
		{server.Event{Kind: server.Released, At: at, Link: "lan", Key: key, Leases: forever},
			"lan: released 2001:db8:0:10::/60 by 00030001020000000001 IAID 0000001a"},
		{server.Event{Kind: server.Released, At: at, Link: "lan", Key: key, Hostname: "J\u00f6rg's\n\x1b[1m\xff", Leases: forever},
			`lan: released 2001:db8:0:10::/60 by 00030001020000000001 IAID 0000001a ("J\u00f6rg's\n\x1b[1m\xff")`},
		{server.Event{Kind: server.Replaced, At: at, Link: "lan", Key: key, Leases: forever},
			"lan: replaced 2001:db8:0:10::/60 of 00030001020000000001 IAID 0000001a"},
		{server.Event{Kind: server.Expired, At: at, Link: "lan", Key: key, Leases: forever},
			"lan: expired 2001:db8:0:10::/60 of 00030001020000000001 IAID 0000001a"},
		{server.Event{Kind: server.Withdrawn, At: at, Link: "lan", Key: key, Leases: leases[1:2], Client: client},
			"lan: withdrawn 2001:db8:ff::1a3 of 00030001020000000001 IAID 0000001a"},
		{server.Event{Kind: server.Declined, At: at, Link: "lan", Key: key, Leases: leases[:1], Quarantine: time.Hour},
			"lan: declined 2001:db8::1a3 by 00030001020000000001 IAID 0000001a: another host uses it, not given out for 1h"},
		{server.Event{Kind: server.PoolFull, Link: "lan", Key: lease.Key{Kind: lease.Prefix}},
			"lan: no prefix is left for a client"},
	} {
		if got := eventLine(&tt.event); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

func TestLifetime(t *testing.T) {
	for d, want := range map[time.Duration]string{
		90 * time.Minute: "1h30m", time.Hour: "1h", 45 * time.Minute: "45m", 61 * time.Second: "1m1s", 0: "0s",
		20 * time.Second: "20s", 10 * time.Hour: "10h",
	} {
		if got := lifetime(d); got != want {
			t.Errorf("lifetime(%v) = %q, want %q", d, got, want)
		}
	}
}
