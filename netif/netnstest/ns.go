package netnstest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// An NS is a network namespace.
type NS struct {
	f *os.File
}

// New returns a new network namespace with lo up. It ends when the test does,
// unless a process or socket still uses it.
func New(t testing.TB) *NS {
	t.Helper()
	ns, err := newNS()
	if err != nil {
		t.Fatalf("new network namespace: %v", err)
	}
	t.Cleanup(func() { ns.f.Close() })
	return ns
}

// Here returns the network namespace the test itself runs in.
func Here(t testing.TB) *NS {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f, err := current()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &NS{f}
}

func newNS() (ns *NS, err error) {
	err = isolated(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		if err := prepare(); err != nil {
			return err
		}
		f, err := current()
		ns = &NS{f}
		return err
	})
	return ns, err
}

// current opens the calling thread's network namespace.
func current() (*os.File, error) { return os.Open("/proc/thread-self/ns/net") }

// isolated runs fn, which may change the network namespace of its thread, and
// undoes that. Sockets fn has opened and processes it has started stay where
// they were made; goroutines it starts run anywhere.
func isolated(fn func() error) error {
	runtime.LockOSThread()
	old, err := current()
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() { // also when fn ends its goroutine, as t.Fatal does
		defer old.Close()
		if err := unix.Setns(int(old.Fd()), unix.CLONE_NEWNET); err != nil {
			return // still locked: the thread ends with the goroutine
		}
		runtime.UnlockOSThread()
	}()
	return fn()
}

// FD returns a file descriptor of the namespace, for NetNS of a Config. It is
// valid until the test ends.
func (n *NS) FD() int { return int(n.f.Fd()) }

// path names the namespace for other programs.
func (n *NS) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.f.Fd()) }

// Do runs fn, in the calling goroutine, in the namespace. Sockets that fn
// opens belong to it; goroutines that fn starts do not run in it.
func (n *NS) Do(fn func()) {
	if err := isolated(func() error {
		if err := unix.Setns(n.FD(), unix.CLONE_NEWNET); err != nil {
			return err
		}
		fn()
		return nil
	}); err != nil {
		panic(fmt.Sprintf("netnstest: enter network namespace: %v", err))
	}
}

// Command returns a command that runs a program in the namespace. Its process
// is that of the program.
func (n *NS) Command(name string, args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--net=" + n.path(), "--", name}, args...)...)
}

// private is a shell script: mount over what is named up to "--", then run the
// rest. Each is "where", for an empty directory, or "what:where", for a file
// or directory to be seen there.
const private = `set -e
while [ "$1" != -- ]; do
	case "$1" in
	*:*) mount -n --bind "${1%%:*}" "${1#*:}" ;;
	*) mount -n -t tmpfs tmpfs "$1" ;;
	esac
	shift
done
shift
exec "$@"`

// PrivateCommand is Command with mounts that only this program sees: an empty
// directory over each path in mounts, or, for an entry "what:where", the file
// or directory what in place of where. Several instances of one program can
// thus have each its own /run or /etc/config.
func (n *NS) PrivateCommand(mounts []string, name string, args ...string) *exec.Cmd {
	cmd := []string{"--mount", "--propagation", "private", "sh", "-c", private, "sh"}
	cmd = append(cmd, mounts...)
	cmd = append(cmd, "--", name)
	return n.Command("unshare", append(cmd, args...)...)
}

// Start starts a command and kills it when the test ends.
func Start(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %v: %v", cmd, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// Sysctl sets a kernel parameter of the namespace, such as
// net/ipv6/conf/all/forwarding.
func (n *NS) Sysctl(t testing.TB, name, value string) {
	t.Helper()
	var err error
	n.Do(func() { err = os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0) })
	if err != nil {
		t.Fatalf("set %s to %s: %v", name, value, err)
	}
}

// IP runs the program ip in the namespace, with the words of each line of
// commands as arguments, and returns its output. All lines run in one process.
func (n *NS) IP(t testing.TB, commands ...string) string {
	t.Helper()
	cmd := n.Command("ip", "-6", "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v\n%s", strings.Join(commands, "; "), err, out)
	}
	return string(out)
}

// Hide mounts an empty, writable file system over a directory for the rest of
// the test, or binds an empty file over a file. All namespaces see it.
func Hide(t testing.TB, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		err = unix.Mount("tmpfs", path, "tmpfs", 0, "mode=755")
	} else {
		empty := filepath.Join(t.TempDir(), "empty")
		if err := os.WriteFile(empty, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		err = unix.Mount(empty, path, "", unix.MS_BIND, "")
	}
	if err != nil {
		t.Fatalf("hide %s: %v", path, err)
	}
	t.Cleanup(func() { _ = unix.Unmount(path, unix.MNT_DETACH) })
}
