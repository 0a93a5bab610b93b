package openwrt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The users of a router.
const (
	lan6dUser  = 32768
	odhcpdUser = 455
	otherUser  = 453
)

// What OpenWrt's busybox has of what the scripts use, and the tests. (stat, for one, it has not.)
const applets = "ash awk cat chgrp chmod chown cp cut echo grep head id kill ln ls mkdir mv pidof rm sed sh sleep tail touch"

// A router is a directory tree in which scripts run as on OpenWrt.
type router struct {
	t    *testing.T
	root string
}

// newRouter makes a tree with busybox, the files that the package installs, and the stand-ins of testdata/root.
func newRouter(t *testing.T) *router {
	r := &router{t, t.TempDir()}
	for _, dir := range []string{"dev", "etc/config", "etc/rc.d", "proc", "sbin", "tmp", "usr/lib/opkg/info", "var/log", "var/run"} {
		r.check(os.MkdirAll(r.path(dir), 0o755))
	}
	r.check(os.Chmod(r.root, 0o755)) // all users may look
	r.check(os.Chmod(r.path("tmp"), 0o777|os.ModeSticky))
	r.check(os.CopyFS(r.root, os.DirFS("testdata/root")))
	r.install(lookPath(t, "busybox"), "bin/busybox")
	for applet := range strings.FieldsSeq(applets) {
		r.check(os.Symlink("busybox", r.path("bin/"+applet)))
	}
	r.copy(program(t, "lan6d/test/openwrt/standin"), "sbin/uci")
	r.check(os.Link(r.path("sbin/uci"), r.path("sbin/replace")))
	for from, to := range map[string]string{
		"lan6d.init": "etc/init.d/lan6d", "lan6d.defaults": "etc/uci-defaults/60_lan6d", "lan6d.config": "etc/config/lan6d",
		"lan6d.capabilities": "etc/capabilities/lan6d.json", "lan6d.handover": "usr/libexec/lan6d-handover",
		"lan6d.update": "usr/libexec/lan6d-update", "lan6d.rpcd": "usr/libexec/rpcd/lan6d",
	} {
		r.copy("../../openwrt/files/"+from, to)
	}
	r.write("sbin/ujail", "", 0o755)
	r.write("dev/null", "", 0o666)
	r.users("lan6d", "odhcpd")
	r.check(unix.Mount("proc", r.path("proc"), "proc", 0, ""))
	t.Cleanup(func() { unix.Unmount(r.path("proc"), unix.MNT_DETACH) })
	return r
}

// programs is a file system in memory, which goes with the mount namespace of the tests.
const programs = "/dev/shm"

var mountPrograms = sync.OnceValue(func() error { return unix.Mount("tmpfs", programs, "tmpfs", 0, "") })

// program builds a program of this module, once, and returns its path.
func program(t *testing.T, pkg string) string {
	t.Helper()
	if err := mountPrograms(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(programs, filepath.Base(pkg))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func lookPath(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%v: run test/install.sh test", err)
	}
	return path
}

func (r *router) path(path string) string { return filepath.Join(r.root, path) }

func (r *router) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// copy puts an executable file into the tree.
func (r *router) copy(from, to string) {
	r.t.Helper()
	text, err := os.ReadFile(from)
	r.check(err)
	r.write(to, string(text), 0o755)
}

// install copies a program with the libraries that it is linked with.
func (r *router) install(program, to string) {
	r.t.Helper()
	r.copy(program, to)
	libraries, _ := exec.Command("ldd", program).Output() // fails for a static program
	for word := range strings.FieldsSeq(string(libraries)) {
		if strings.HasPrefix(word, "/") {
			r.copy(word, word)
		}
	}
}

func (r *router) write(path, text string, mode os.FileMode) {
	r.t.Helper()
	r.check(os.MkdirAll(filepath.Dir(r.path(path)), 0o755))
	r.check(os.WriteFile(r.path(path), []byte(text), mode))
	r.check(os.Chmod(r.path(path), mode))
}

// read returns a file's text; that of one that is not there is empty.
func (r *router) read(path string) string {
	r.t.Helper()
	text, err := os.ReadFile(r.path(path))
	if !errors.Is(err, os.ErrNotExist) {
		r.check(err)
	}
	return string(text)
}

// users says which users there are beside root.
func (r *router) users(names ...string) {
	passwd, group := "root:x:0:0:root:/root:/bin/ash\n", "root:x:0:\n"
	for _, name := range names {
		id := map[string]int{"lan6d": lan6dUser, "odhcpd": odhcpdUser}[name]
		passwd += fmt.Sprintf("%s:x:%d:%d:%[1]s:/var/run/%[1]s:/bin/false\n", name, id, id)
		group += fmt.Sprintf("%s:x:%d:\n", name, id)
	}
	r.write("etc/passwd", passwd, 0o644)
	r.write("etc/group", group, 0o644)
}

// command is one that runs in the tree.
func (r *router) command(user uint32, args ...string) *exec.Cmd {
	cmd := &exec.Cmd{Path: "/bin/ash", Args: append([]string{"ash", "-c", `exec "$@"`, "ash"}, args...), Dir: "/"}
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: r.root, Credential: &syscall.Credential{Uid: user, Gid: user}}
	return cmd
}

// try runs a command as root and returns what it prints, to both outputs, and its exit status.
func (r *router) try(args ...string) (output string, status int) {
	r.t.Helper()
	return r.tryAs(0, args...)
}

func (r *router) tryAs(user uint32, args ...string) (output string, status int) {
	r.t.Helper()
	cmd := r.command(user, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		r.check(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// run is try for a command that must succeed.
func (r *router) run(args ...string) string {
	r.t.Helper()
	out, status := r.try(args...)
	if status != 0 {
		r.t.Fatalf("%q: exit status %d: %s", args, status, out)
	}
	return out
}

// asked returns what procd was asked since the last call.
func (r *router) asked() []string {
	r.t.Helper()
	text := r.read("var/log/procd")
	r.check(os.RemoveAll(r.path("var/log/procd")))
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// owner returns the owner of a file and its mode, as in "lan6d 0755" or "root 1777".
func (r *router) owner(path string) string {
	r.t.Helper()
	var st unix.Stat_t
	r.check(unix.Lstat(r.path(path), &st))
	names := map[uint32]string{0: "root", lan6dUser: "lan6d", odhcpdUser: "odhcpd", otherUser: "other"}
	return fmt.Sprintf("%s %04o", names[st.Uid], st.Mode&0o7777)
}

func (r *router) chown(path string, user int) {
	r.t.Helper()
	r.check(os.Lchown(r.path(path), user, user))
}
