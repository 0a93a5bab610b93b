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

// boot gives the host private places where Debian's clients write to fixed paths. A read-only /sys tells
// systemd-networkd that there is no udev to wait for. In a user namespace the users do not exist that some clients
// become: they stay root.
const boot = `set -eu
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var
mkdir -p /run/e2e /run/etc /run/etc.work /var/lib/dhcpcd /var/lib/dhcpv6 /var/lib/dibbler /var/log/dibbler /var/tmp
ln -s /run /var/run
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc.work /etc
if ! install -o systemd-network /dev/null /run/e2e/probe 2>/dev/null; then
	sed -E 's/^(systemd-network|dhcpcd):x:[0-9]+:[0-9]+:/\1:x:0:0:/' /etc/passwd >/run/e2e/passwd
	sed -E 's/^(systemd-network):x:[0-9]+:/\1:x:0:/' /etc/group >/run/e2e/group
	mount --bind /run/e2e/passwd /etc/passwd
	mount --bind /run/e2e/group /etc/group
fi
mount -t tmpfs tmpfs /etc/dibbler
mount -t sysfs -o ro sysfs /sys
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

// join puts an interface of a host on another's bridge.
func join(a *host, bridge, port string, b *host, ifname string) {
	a.t.Helper()
	netnstest.Link(a.t, a.NS, port, b.NS, ifname)
	a.ip("link set %s master %s", port, bridge)
	a.LinkLocal(a.t, bridge)
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

// powerCut ends every program on the host without warning; its interfaces forget the addresses they were given. Files
// and wires stay.
func (h *host) powerCut() {
	h.t.Helper()
	own, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", h.pid))
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
