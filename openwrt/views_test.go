package openwrt

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// views is a Views under test, with what it reported.
type views struct {
	*Views
	t       *testing.T
	dir     string
	started bool
	mu      sync.Mutex
	reports []string
}

// makeViews makes one without its goroutine: what put does is done when it returns.
func makeViews(t *testing.T, retry time.Duration) *views {
	v := &views{t: t, dir: t.TempDir()}
	v.Views = newViews(func(err error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.reports = append(v.reports, strings.ReplaceAll(err.Error(), v.dir, "DIR"))
	}, retry)
	return v
}

func startViews(t *testing.T, retry time.Duration) *views {
	v := makeViews(t, retry)
	v.started = true
	go v.run()
	return v
}

func (v *views) path(name string) string { return filepath.Join(v.dir, name) }

// put has the set written.
func (v *views) put(set ViewSet) {
	v.t.Helper()
	if !v.started {
		v.set = set
		v.sync()
		return
	}
	// The goroutine has done with a set when it takes another one.
	for range 2 {
		v.Write(set)
		v.eventually("take the set", func() bool { return len(v.next) == 0 })
	}
}

func (v *views) eventually(what string, done func() bool) {
	v.t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			v.t.Fatalf("it does not %s", what)
		}
	}
}

func (v *views) checkReports(want ...string) {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.Equal(v.reports, want) {
		v.t.Errorf("reported:\n%s\nwant:\n%s", strings.Join(v.reports, "\n"), strings.Join(want, "\n"))
	}
	v.reports = nil
}

func (v *views) checkFailures(want ...string) {
	v.t.Helper()
	got := v.Failures()
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], v.dir, "DIR")
	}
	if !slices.Equal(got, want) {
		v.t.Errorf("failures %q, want %q", got, want)
	}
}

func (v *views) checkFile(name, want string) {
	v.t.Helper()
	if got, err := os.ReadFile(v.path(name)); err != nil || string(got) != want {
		v.t.Errorf("%s: %q, %v; want %q", name, got, err, want)
	}
}

func (v *views) checkNames(dir string, want ...string) {
	v.t.Helper()
	var names []string
	entries, err := os.ReadDir(v.path(dir))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if err != nil || !slices.Equal(names, want) {
		v.t.Errorf("in %s: %q, %v; want %q", dir, names, err, want)
	}
}

func (v *views) inode(name string) uint64 {
	v.t.Helper()
	st, err := os.Stat(v.path(name))
	if err != nil {
		v.t.Fatal(err)
	}
	return st.Sys().(*syscall.Stat_t).Ino
}

func (v *views) leases(content string) ViewSet {
	return ViewSet{LeaseFile: v.path("leases"), LeaseContent: []byte(content)}
}

func (v *views) hosts(dir string, interfaces ...string) ViewSet {
	set := ViewSet{HostsDir: v.path(dir)}
	for _, i := range interfaces {
		set.Hosts = append(set.Hosts, HostsFile{i, []byte("hosts of " + i + "\n")})
	}
	return set
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("old\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestViewsFiles(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	v := startViews(t, time.Hour)
	set := v.hosts("a/b/hosts", "lan", "guest")
	set.LeaseFile, set.LeaseContent = v.path("c/d/leases"), []byte("# leases\n")
	v.Write(set)
	v.Close()
	v.checkReports()
	v.checkFile("c/d/leases", "# leases\n")
	v.checkFile("a/b/hosts/lan6d.hosts.lan", "hosts of lan\n")
	v.checkNames("a/b/hosts", "lan6d.hosts.guest", "lan6d.hosts.lan")
	v.checkNames("c/d", "leases")
	for _, name := range []string{"c/d/leases", "a/b/hosts/lan6d.hosts.guest"} {
		if st, err := os.Stat(v.path(name)); err != nil || st.Mode() != 0o644 {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
}

func TestViewsNothing(t *testing.T) {
	v := startViews(t, time.Hour)
	v.put(ViewSet{})
	v.put(ViewSet{Names: 1, Hosts: []HostsFile{{"lan", nil}}})
	v.Close()
	v.checkReports()
	v.checkNames("")
}

func TestViewsRewrite(t *testing.T) {
	v := makeViews(t, time.Hour)
	v.put(v.leases("one"))
	first := v.inode("leases")
	v.put(v.leases("one"))
	if v.inode("leases") != first {
		t.Error("what has not changed is written again")
	}
	v.put(v.leases("two"))
	v.checkFile("leases", "two")
	v.put(v.leases(""))
	v.checkFile("leases", "")

	os.Remove(v.path("leases"))
	v.put(v.leases(""))
	v.checkFile("leases", "")
	v.put(v.leases("three"))
	os.WriteFile(v.path("leases"), []byte("of somebody else"), 0o644)
	v.put(v.leases("three"))
	v.checkFile("leases", "three")
	v.checkReports()
}

// A temporary that is a link to elsewhere is not written through.
func TestViewsTemporary(t *testing.T) {
	v := startViews(t, time.Hour)
	touch(t, v.path("victim"))
	if err := os.Symlink(v.path("victim"), v.path(".leases.tmp")); err != nil {
		t.Fatal(err)
	}
	v.Write(v.leases("new"))
	v.Close()
	v.checkFile("victim", "old\n")
	v.checkFile("leases", "new")
	v.checkNames("", "leases", "victim")
}

// A reader finds the whole of one content or of another.
func TestViewsAtomic(t *testing.T) {
	v := startViews(t, time.Hour)
	contents := [][]byte{bytes.Repeat([]byte("a"), 100_000), bytes.Repeat([]byte("b"), 150_000), {}}
	v.put(ViewSet{LeaseFile: v.path("leases"), LeaseContent: contents[0]})
	stop, torn := make(chan struct{}), make(chan int, 1)
	go func() {
		defer close(torn)
		for {
			select {
			case <-stop:
				return
			default:
			}
			got, err := os.ReadFile(v.path("leases"))
			if err != nil || !slices.ContainsFunc(contents, func(c []byte) bool { return bytes.Equal(c, got) }) {
				torn <- len(got)
				return
			}
		}
	}()
	for i := range 200 {
		v.put(ViewSet{LeaseFile: v.path("leases"), LeaseContent: contents[i%3]})
	}
	close(stop)
	if n, ok := <-torn; ok {
		t.Errorf("a reader found %d octets", n)
	}
	v.Close()
	v.checkReports()
}

func TestViewsStale(t *testing.T) {
	v := makeViews(t, time.Hour)
	for _, name := range []string{"lan6d.hosts.old", "lan6d.hosts.lan", "odhcpd.hosts.lan", "lan6d.hostsfile", "lan6d.hosts.keep"} {
		touch(t, v.path("h1/"+name))
	}
	for i := range 300 { // more than one read of the directory brings
		touch(t, v.path("h1/lan6d.hosts.a-long-name-of-an-interface-"+strconv.Itoa(i)))
	}
	set := v.hosts("h1", "lan", "guest")
	set.LeaseFile = v.path("h1/lan6d.hosts.keep") // no good name, but his
	v.put(set)
	v.checkNames("h1", "lan6d.hosts.guest", "lan6d.hosts.keep", "lan6d.hosts.lan", "lan6d.hostsfile", "odhcpd.hosts.lan")
	v.put(v.hosts("h1", "guest"))
	v.checkNames("h1", "lan6d.hosts.guest", "lan6d.hostsfile", "odhcpd.hosts.lan")
	v.put(v.hosts("h1", "guest", "lan"))
	v.checkFile("h1/lan6d.hosts.lan", "hosts of lan\n")

	touch(t, v.path("h2/lan6d.hosts.old"))
	v.put(v.hosts("h2", "lan"))
	v.checkNames("h1", "lan6d.hostsfile", "odhcpd.hosts.lan")
	v.checkNames("h2", "lan6d.hosts.lan")
	v.put(v.hosts("h1", "lan"))
	v.checkFile("h1/lan6d.hosts.lan", "hosts of lan\n")
	v.checkNames("h2")
	v.put(v.hosts("h1"))
	v.put(ViewSet{})
	v.checkNames("h1", "lan6d.hostsfile", "odhcpd.hosts.lan")
	v.put(v.hosts("h3")) // not there: nothing to do
	v.checkReports()
}

func TestViewsStaleTrouble(t *testing.T) {
	v := makeViews(t, time.Hour)
	touch(t, v.path("h1/lan6d.hosts.dir/file"))
	v.put(v.hosts("h1", "lan"))
	v.put(v.hosts("h2", "lan"))
	v.put(v.hosts("h3", "lan"))
	v.checkReports("remove DIR/h1/lan6d.hosts.dir: is a directory")
	v.checkNames("h1", "lan6d.hosts.dir")
	v.checkNames("h2")
	v.checkNames("h3", "lan6d.hosts.lan")
	os.RemoveAll(v.path("h1/lan6d.hosts.dir"))
	touch(t, v.path("h1/lan6d.hosts.last"))
	v.put(v.hosts("h3", "lan"))
	v.checkNames("h1")
	v.checkReports()
}

// block puts a file where the directory of others should be, which stops root too.
func (v *views) block(dir string) {
	v.t.Helper()
	if err := errors.Join(os.RemoveAll(v.path(dir)), os.WriteFile(v.path(dir), nil, 0o644)); err != nil {
		v.t.Fatal(err)
	}
}

func TestViewsReports(t *testing.T) {
	v := makeViews(t, time.Hour)
	set := v.leases("x")
	set.LeaseFile = v.path("d/leases")
	const notDir = "write DIR/d/leases: open DIR/d/.leases.tmp: not a directory"
	v.block("d")
	v.put(set)
	v.put(set)
	v.checkReports(notDir)
	v.checkFailures(notDir)
	os.Remove(v.path("d"))
	touch(t, v.path("d/leases/file"))
	v.put(set)
	v.checkReports("write DIR/d/leases: rename DIR/d/.leases.tmp: is a directory")
	v.checkNames("d", "leases")
	v.block("d")
	v.put(set) // known
	v.checkReports()
	os.Remove(v.path("d"))
	v.put(set)
	v.checkFile("d/leases", "x")
	v.checkFailures()
	v.block("d")
	v.put(set)
	v.checkReports(notDir)

	set.LeaseFile = v.path("d/e/f/leases")
	v.put(set)
	v.checkReports("write DIR/d/e/f/leases: open DIR/d/e/f/.leases.tmp: not a directory")
	v.checkFailures("write DIR/d/e/f/leases: open DIR/d/e/f/.leases.tmp: not a directory") // the old path is nobody's any more
	os.Remove(v.path("d"))
	if err := os.Symlink("nowhere", v.path("d")); err != nil {
		t.Fatal(err)
	}
	v.put(set)
	v.checkReports("write DIR/d/e/f/leases: make the directory DIR/d/e: no such file or directory")
}

// What could not be written of an interface that is gone is no trouble any more.
func TestViewsFailuresEnd(t *testing.T) {
	v := makeViews(t, time.Hour)
	name := strings.Repeat("x", 250)
	v.put(v.hosts("h", "lan", name))
	v.checkFailures("write DIR/h/lan6d.hosts." + name + ": open DIR/h/.lan6d.hosts." + name + ".tmp: file name too long")
	v.put(v.hosts("h", "lan"))
	v.checkFailures()
}

// asNobody does something that root is not to be able to do: its thread is another user meanwhile, as far as files go.
func asNobody(t *testing.T, do func()) {
	if os.Getuid() != 0 {
		do()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, err := unix.SetfsuidRetUid(65534); err != nil {
		t.Fatal(err)
	}
	defer unix.SetfsuidRetUid(0)
	do()
}

func TestViewsUnwritable(t *testing.T) {
	v := makeViews(t, time.Hour)
	os.Chmod(v.dir, 0o555)
	asNobody(t, func() {
		v.put(v.leases("x"))
		v.put(v.leases("y"))
	})
	v.checkReports("write DIR/leases: open DIR/.leases.tmp: permission denied")
	os.Chmod(v.dir, 0o755)
	v.put(v.leases("y"))
	v.checkFile("leases", "y")
}

func TestViewsRetry(t *testing.T) {
	v := startViews(t, 10*time.Millisecond)
	defer v.Close()
	v.block("d")
	set := v.hosts("d", "lan")
	set.Trigger, set.Names = v.script("echo x >>$OUT"), 1
	v.put(set)
	if _, err := os.Stat(v.path("out")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the trigger runs before the files are in place: %v", err)
	}
	os.Remove(v.path("d"))
	v.eventually("run the trigger", func() bool { return v.out() == "x\n" })
	v.checkFile("d/lan6d.hosts.lan", "hosts of lan\n")
}

// script makes a trigger. $DIR is the directory of the test, $OUT a file in it.
func (v *views) script(text string) string {
	v.t.Helper()
	path := v.path("trigger")
	text = "#!/bin/sh\nDIR='" + v.dir + "'\nOUT=$DIR/out\n" + text + "\n"
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		v.t.Fatal(err)
	}
	return path
}

func (v *views) out() string {
	got, _ := os.ReadFile(v.path("out"))
	return string(got)
}

func TestViewsTrigger(t *testing.T) {
	t.Setenv("LAN6D_TEST", "environment")
	v := startViews(t, time.Hour)
	set := v.hosts("hosts", "lan")
	set.Trigger = v.script(`
	fds=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)
	echo "$fds" >"$DIR/new"
	cat "$DIR/hosts/lan6d.hosts.lan" - >>"$DIR/new"
	echo "$0 $# $LAN6D_TEST" >>"$DIR/new"
	echo "ran" >>"$OUT"`)
	v.put(set) // the number is 0: it is the first write all the same
	v.eventually("run the trigger", func() bool { return v.out() == "ran\n" })
	got, _ := os.ReadFile(v.path("new"))
	if want := "/dev/null\n/dev/null\n/dev/null\nhosts of lan\n" + set.Trigger + " 0 environment\n"; string(got) != want {
		t.Errorf("the trigger tells %q, want %q", got, want)
	}
	set.Hosts = []HostsFile{{"lan", []byte("another\n")}}
	v.put(set)
	set.Names = 7
	v.put(set)
	v.eventually("run the trigger again", func() bool { return v.out() == "ran\nran\n" })
	v.put(set)
	set.Trigger = ""
	v.put(set)
	set.Names = 8
	v.put(set)
	set.Trigger, set.Names = v.path("trigger"), 7
	v.put(set)
	set.Names = 9
	v.put(set)
	v.eventually("run the trigger a third time", func() bool { return v.out() == "ran\nran\nran\n" })
	v.Close()
	v.checkReports()
	v.checkNoChild()
}

// checkNoChild reports whether all triggers were reaped. It leaves them to whom they belong.
func (v *views) checkNoChild() {
	v.t.Helper()
	v.eventually("reap its trigger", func() bool {
		children, _ := filepath.Glob("/proc/self/task/*/children")
		for _, path := range children {
			if text, _ := os.ReadFile(path); len(text) > 0 {
				return false
			}
		}
		return true
	})
}

// A trigger that still runs when the next is due runs once more after it has ended, however often it was due.
func TestViewsTriggerSlow(t *testing.T) {
	v := startViews(t, time.Hour)
	set := v.hosts("hosts", "lan")
	set.Trigger = v.script(`mkdir "$DIR/running" || echo twice >>"$OUT"
	echo begin >>"$OUT"
	while ! [ -e "$DIR/go" ]; do sleep 0.01; done
	rmdir "$DIR/running"
	echo end >>"$OUT"`)
	v.put(set)
	v.eventually("run the trigger", func() bool { return v.out() == "begin\n" })
	for i := range 5 {
		set.Names = uint64(i)
		v.put(set)
	}
	if got := v.out(); got != "begin\n" {
		t.Errorf("while it runs: %q", got)
	}
	touch(t, v.path("go"))
	v.eventually("run the trigger once more", func() bool { return v.out() == "begin\nend\nbegin\nend\n" })
	v.checkNoChild()
	v.put(set)
	v.Close()
	v.checkNoChild()
	if got := v.out(); got != "begin\nend\nbegin\nend\n" {
		t.Errorf("afterwards: %q", got)
	}
	v.checkReports()
}

func TestViewsTriggerFails(t *testing.T) {
	v := startViews(t, time.Hour)
	plain := v.path("plain")
	touch(t, plain)
	os.WriteFile(v.path("code"), nil, 0o644)
	script := v.script(`echo >>"$OUT"; c=$(cat "$DIR/code"); case $c in kill) kill -9 $$;; esac; exit $c`)
	n := uint64(0)
	run := func(path, code string) {
		t.Helper()
		n++
		if err := os.WriteFile(v.path("code"), []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
		before := len(v.out())
		v.put(ViewSet{Trigger: path, Names: n})
		if path == script {
			v.eventually("run the trigger", func() bool { return len(v.out()) > before })
			v.checkNoChild()
			v.put(ViewSet{}) // its end may be taken after this, but not after that
			v.put(ViewSet{})
		}
	}
	reported := func(want string) {
		t.Helper()
		v.eventually("report "+want, func() bool { v.mu.Lock(); defer v.mu.Unlock(); return len(v.reports) > 0 })
		v.checkReports(want)
	}
	run(v.path("none"), "")
	v.checkReports("run DIR/none: no such file or directory")
	run(v.path("none"), "")
	run("trigger", "") // it is not looked for
	v.checkReports("run trigger: no such file or directory")
	run(plain, "")
	v.checkReports("run DIR/plain: permission denied")
	run(script, "3")
	reported("run DIR/trigger: exit status 3")
	run(script, "3")
	run(script, "kill")
	reported("run DIR/trigger: signal 9 (killed)")
	run(script, "0")
	run(script, "3")
	reported("run DIR/trigger: exit status 3")
	v.Close()
}

// Close has the last set written, and none before it need be.
func TestViewsClose(t *testing.T) {
	v := startViews(t, time.Hour)
	const n = 300
	for i := range n {
		set := v.leases(strconv.Itoa(i))
		set.Trigger, set.Names = "/bin/true", 1
		v.Write(set)
	}
	v.Close()
	v.checkFile("leases", strconv.Itoa(n-1))
	v.checkReports()
	v.checkNoChild()

	plain := NewViews(func(err error) { t.Error(err) })
	plain.Write(v.leases("last"))
	plain.Close()
	v.checkFile("leases", "last")
}
