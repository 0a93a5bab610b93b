package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/netif/netnstest"
)

// A lan is a router that runs lan6d, and a crowd of clients at the other end of the wire.
type lan struct {
	tb     testing.TB
	router *netnstest.NS
	dir    string // in memory: the configuration and what lan6d writes
	lan6d  *exec.Cmd
	crowd  *crowd
}

// config is /etc/config/dhcp. Interface ids have 32 bits: more clients than 3,840 find room. Clients that come are not
// logged, which would measure the log.
const config = `
config dhcp 'lan'
	option ifname 'lan0'
	option dhcpv6 'server'
	option dhcpv6_hostidlength '32'

config odhcpd 'odhcpd'
	option loglevel '4'
`

// files, behind it, has lan6d write what other programs read, too.
const files = `
	option leasefile 'DIR/leases'
	option hostsdir 'DIR/hosts'
`

// newLAN starts lan6d with that configuration, in which DIR is a directory of its own.
func newLAN(tb testing.TB, config string) *lan {
	tb.Helper()
	l := &lan{tb: tb, router: netnstest.New(tb), dir: tb.TempDir()}
	host := netnstest.New(tb)
	netnstest.Link(tb, l.router, "lan0", host, "eth0")
	l.router.AddAddr(tb, "lan0", "2001:db8:1::1/48")
	if err := unix.Mount("tmpfs", l.dir, "tmpfs", 0, ""); err != nil {
		tb.Fatalf("mount %s: %v", l.dir, err)
	}
	tb.Cleanup(func() { unix.Unmount(l.dir, unix.MNT_DETACH) })
	config = strings.ReplaceAll(config, "DIR", l.dir)
	if err := os.WriteFile(filepath.Join(l.dir, "dhcp"), []byte(config), 0o600); err != nil {
		tb.Fatal(err)
	}
	l.start()
	l.crowd = newCrowd(tb, host)
	return l
}

// start runs lan6d, on the first processor, and returns when it serves.
func (l *lan) start() {
	l.tb.Helper()
	log, err := os.Create(filepath.Join(l.dir, "log"))
	if err != nil {
		l.tb.Fatal(err)
	}
	defer log.Close()
	l.lan6d = l.router.Command("taskset", "--cpu-list", "0", program(l.tb), "-c", l.dir, "-d", filepath.Join(l.dir, "state"))
	l.lan6d.Stderr = log
	netnstest.Start(l.tb, l.lan6d)
	for end := time.Now().Add(patience); !l.serves(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			l.tb.Fatalf("lan6d does not serve lan0: %s", l.log())
		}
	}
}

// serves reports whether lan6d has joined the group that clients send to, ff02::1:2.
func (l *lan) serves() bool {
	var groups []byte
	l.router.Do(func() { groups, _ = os.ReadFile("/proc/thread-self/net/igmp6") })
	for line := range strings.Lines(string(groups)) {
		if f := strings.Fields(line); len(f) > 2 && f[1] == "lan0" && f[2] == "ff020000000000000000000000010002" {
			return true
		}
	}
	return false
}

// measure is the processor time that lan6d takes while something is done.
func (l *lan) measure(do func()) time.Duration {
	l.tb.Helper()
	before := l.cpu()
	do()
	return l.cpu() - before
}

// cpu is the processor time that lan6d has taken so far, all of its threads.
func (l *lan) cpu() time.Duration {
	l.tb.Helper()
	var t unix.Timespec
	clock := int32(^l.lan6d.Process.Pid<<3 | 2) // clock_getcpuclockid(3)
	if err := unix.ClockGettime(clock, &t); err != nil {
		l.tb.Fatalf("processor time of lan6d: %v: %s", err, l.log())
	}
	return time.Duration(t.Nano())
}

// resident is the memory that lan6d takes.
func (l *lan) resident() (kilobytes float64) {
	l.tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.lan6d.Process.Pid))
	if err != nil {
		l.tb.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if kilobytes, err = strconv.ParseFloat(strings.Fields(rest + " -")[0], 64); err != nil {
		l.tb.Fatal(err)
	}
	return kilobytes
}

// log is what lan6d has printed.
func (l *lan) log() []byte {
	text, _ := os.ReadFile(filepath.Join(l.dir, "log"))
	return text
}

// program is the path of the lan6d to measure: what the environment variable LAN6D names, or this tree's.
func program(tb testing.TB) string {
	tb.Helper()
	if path := os.Getenv("LAN6D"); path != "" {
		return path
	}
	if err := build(); err != nil {
		tb.Fatal(err)
	}
	return built
}

// built lies in a file system that goes with the mount namespace of the tests.
const built = "/dev/shm/lan6d"

var build = sync.OnceValue(func() error {
	if err := unix.Mount("tmpfs", filepath.Dir(built), "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount %s: %w", filepath.Dir(built), err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", built, "lan6d")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return nil
})

// pin keeps the clients to the last processor: with two of them they do not get in the way of lan6d.
func pin(tb testing.TB) {
	tb.Helper()
	var last unix.CPUSet
	last.Set(runtime.NumCPU() - 1)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		tb.Fatal(err)
	}
	for _, thread := range threads { // those to come inherit it
		id, err := strconv.Atoi(thread.Name())
		if err == nil {
			err = unix.SchedSetaffinity(id, &last)
		}
		if err != nil && err != unix.ESRCH {
			tb.Fatalf("keep thread %s to one processor: %v", thread.Name(), err)
		}
	}
}
