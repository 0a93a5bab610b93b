package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"lan6d/netif/netnstest"
)

// A host is a machine of the simulated network: a network and a mount namespace, the latter held open by a sleeping
// process. What its programs write under /etc, /var and /run is the host's own, so that two clients of one kind never
// meet and nothing reaches the machine that runs the tests.
type host struct {
	*netnstest.NS
	t    testing.TB
	name string
	pid  int

	programs []*process
}

// boot lays copy-on-write layers over what Debian's clients write to at fixed paths. A read-only /sys tells
// systemd-networkd that there is no udev to wait for.
const boot = `set -eu
mount -t tmpfs tmpfs /run
for d in etc var; do
	mkdir /run/$d /run/$d.work
	mount -t overlay overlay -o "lowerdir=/$d,upperdir=/run/$d,workdir=/run/$d.work" /$d
done
mount -t sysfs -o ro sysfs /sys
mkdir /run/e2e
echo up
exec sleep infinity`

func newHost(t testing.TB, name string) *host {
	t.Helper()
	h := &host{NS: netnstest.New(t), t: t, name: name}
	cmd := h.NS.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", boot)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	netnstest.Start(t, cmd)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatalf("%s did not come up: %q, %v", name, line, err)
	}
	h.pid = cmd.Process.Pid
	return h
}

// command prepares a program that runs on the host.
func (h *host) command(argv ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"-t", strconv.Itoa(h.pid), "-n", "-m", "--"}, argv...)...)
}

// run runs a program on the host to its end and returns what it printed.
func (h *host) run(argv ...string) string {
	h.t.Helper()
	out, err := h.command(argv...).CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s: %s: %v\n%s", h.name, strings.Join(argv, " "), err, out)
	}
	return string(out)
}

// ip runs one line of ip(8).
func (h *host) ip(format string, args ...any) string {
	h.t.Helper()
	return h.IP(h.t, fmt.Sprintf(format, args...))
}

// powerCut ends every program on the host without warning; its interfaces forget the addresses they were given. Files and
// wires stay.
func (h *host) powerCut() {
	h.t.Helper()
	home := "/proc/" + strconv.Itoa(h.pid)
	own, err := os.Readlink(home + "/ns/mnt")
	if err != nil {
		h.t.Fatal(err)
	}
	spaces, err := filepath.Glob("/proc/[0-9]*/ns/mnt")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, space := range spaces {
		if other, err := os.Readlink(space); err != nil || other != own {
			continue // not this host's, or just gone
		}
		pid, err := strconv.Atoi(strings.Split(space, "/")[2])
		if err == nil && pid != h.pid {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	for _, p := range h.programs {
		<-p.done
	}
	h.ip("addr flush dev eth0 scope global")
}

// write puts a file on the host; only the host and the test see it.
func (h *host) write(path string, mode os.FileMode, content string) {
	h.t.Helper()
	path = h.path(path)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(content), mode)
	}
	if err == nil {
		err = os.Chmod(path, mode) // whatever the umask
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// read returns a file of the host, or nothing while there is none.
func (h *host) read(path string) string {
	h.t.Helper()
	content, err := os.ReadFile(h.path(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.t.Fatal(err)
	}
	return string(content)
}

// path is where the test sees a file of the host.
func (h *host) path(path string) string { return fmt.Sprintf("/proc/%d/root%s", h.pid, path) }

// eventually polls until ok, and fails the test when that takes longer than limit.
func eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", limit, what)
		}
	}
}
