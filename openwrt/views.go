package openwrt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
)

const (
	hostsPrefix   = "lan6d.hosts."
	retryInterval = 5 * time.Second
)

// ViewSet is what other programs shall find. What it refers to is not changed any more by whoever made it.
type ViewSet struct {
	LeaseFile    string // path; empty: no lease file
	LeaseContent []byte
	HostsDir     string // holds lan6d.hosts.INTERFACE; empty: no hosts files
	Hosts        []HostsFile
	Trigger      string // path of a program to run when Names is another number; empty: none
	Names        uint64 // see NamesHash
}

// HostsFile is the hosts file of one interface.
type HostsFile struct {
	Interface string
	Content   []byte
}

// Views writes files for other programs, and runs the trigger, in a goroutine of its own: nobody waits for a slow disk.
// One goroutine calls Write and Close.
type Views struct {
	report func(error)
	retry  time.Duration
	next   chan ViewSet  // holds the newest that is not written yet
	again  chan struct{} // it is time to retry
	ended  chan error    // how the trigger ended
	done   chan struct{}

	mu       sync.Mutex
	failures []failure // what is wrong now

	// What follows belongs to the goroutine.
	set      ViewSet
	written  map[string][]byte   // by path: what we wrote there
	reported map[string][]string // by path: what was reported since it went well
	waiting  bool                // again is going to be sent to
	dirs     map[string]bool     // where hosts files of ours may be
	tidied   string              // the directory and interfaces for which all others are known to be gone
	placed   bool                // the hosts files are as in set
	told     trigger             // what ran last
	running  bool                // it still does
}

// failure is what is wrong with a path.
type failure struct{ path, text string }

// trigger is a program and what it was run for.
type trigger struct {
	path  string
	names uint64
}

// NewViews starts the goroutine. It calls report with what goes wrong, each failure once until the same thing goes well
// again. What fails is tried again with the next Write, and every five seconds.
func NewViews(report func(error)) *Views {
	v := newViews(report, retryInterval)
	go v.run()
	return v
}

func newViews(report func(error), retry time.Duration) *Views {
	return &Views{
		report: report, retry: retry, next: make(chan ViewSet, 1), again: make(chan struct{}, 1), ended: make(chan error, 1),
		done: make(chan struct{}), written: make(map[string][]byte), reported: make(map[string][]string), dirs: make(map[string]bool),
	}
}

// Write has the set written soon, in place of an earlier one that is not written yet. It does not wait.
func (v *Views) Write(set ViewSet) {
	select {
	case <-v.next:
	default:
	}
	v.next <- set // there is room, as nobody else sends
}

// Close returns when all is written, or has failed. It does not wait for a trigger that still runs. While it waits,
// report may be called.
func (v *Views) Close() {
	close(v.next)
	<-v.done
}

// Failures returns what is wrong at the moment: what could not be written, removed or run.
func (v *Views) Failures() (list []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range v.failures {
		list = append(list, f.text)
	}
	return list
}

func (v *Views) run() {
	defer close(v.done)
	for {
		select {
		case set, ok := <-v.next:
			if !ok {
				return
			}
			v.set = set
			v.sync()
		case <-v.again:
			v.waiting = false
			v.sync()
		case err := <-v.ended:
			v.running = false
			v.check(v.told.path, err)
			v.runTrigger()
		}
	}
}

// sync brings the files in line with the set, then runs the trigger if it is due.
func (v *Views) sync() {
	v.forget()
	ok := v.set.LeaseFile == "" || v.write(v.set.LeaseFile, v.set.LeaseContent)
	v.placed = true // a lease file that cannot be written is no reason to keep names from dnsmasq
	if v.set.HostsDir != "" {
		for _, h := range v.set.Hosts {
			v.placed = v.write(filepath.Join(v.set.HostsDir, hostsPrefix+h.Interface), h.Content) && v.placed
		}
	}
	ok = v.tidy() && ok && v.placed
	v.runTrigger()
	if !ok && !v.waiting {
		v.waiting = true
		time.AfterFunc(v.retry, func() { v.again <- struct{}{} })
	}
}

// write puts the content in place, unless it is there already.
func (v *Views) write(path string, content []byte) bool {
	var st unix.Stat_t
	old, ok := v.written[path]
	if ok && bytes.Equal(old, content) && unix.Stat(path, &st) == nil && st.Size == int64(len(content)) {
		v.written[path] = content // so that the old one can go
		return true
	}
	delete(v.written, path)
	err := ReplaceFile(path, content)
	if err != nil {
		err = tinyfmt.Errorf("write %s: %w", path, err)
	} else {
		v.written[path] = content
	}
	return v.check(path, err)
}

// tidy removes the hosts files that are not in the set, whoever left them.
func (v *Views) tidy() bool {
	dir := v.set.HostsDir
	keep := []string{filepath.Base(v.set.LeaseFile)} // whatever it is called
	for _, h := range v.set.Hosts {
		keep = append(keep, hostsPrefix+h.Interface)
	}
	state := dir + "\n" + strings.Join(keep, "\n")
	if state == v.tidied {
		return true
	}
	if dir != "" {
		v.dirs[dir] = true
	}
	v.tidied = state
	for d := range v.dirs {
		wanted := keep
		if d != dir {
			wanted = keep[:1]
		}
		if !v.check(d, removeHosts(d, wanted)) {
			v.tidied = "" // to be tried again
		} else if d != dir {
			delete(v.dirs, d)
		}
	}
	return v.tidied != ""
}

// forget drops the failures of paths that are not to be anything any more.
func (v *Views) forget() {
	v.drop(func(path string) bool {
		for _, h := range v.set.Hosts {
			if path == filepath.Join(v.set.HostsDir, hostsPrefix+h.Interface) {
				return false
			}
		}
		return path != v.set.LeaseFile && path != v.set.Trigger && path != v.set.HostsDir && !v.dirs[path]
	})
}

// drop drops the failures of some paths.
func (v *Views) drop(of func(path string) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	rest := v.failures[:0]
	for _, f := range v.failures {
		if !of(f.path) {
			rest = append(rest, f)
		}
	}
	v.failures = rest
}

// check reports an error about a path unless it was reported already, and returns whether there is none.
func (v *Views) check(path string, err error) bool {
	v.note(path, err)
	if err == nil {
		delete(v.reported, path)
		return true
	}
	if text := err.Error(); !slices.Contains(v.reported[path], text) {
		v.reported[path] = append(v.reported[path], text)
		v.report(err)
	}
	return false
}

// note takes down what is wrong with a path, in place of what was before.
func (v *Views) note(path string, err error) {
	v.drop(func(p string) bool { return p == path })
	if err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.failures = append(v.failures, failure{path, err.Error()})
	}
}

// runTrigger runs the trigger if it is due. If it still runs, its end brings us here again.
func (v *Views) runTrigger() {
	due := trigger{v.set.Trigger, v.set.Names}
	if v.running || !v.placed || due.path == "" || due == v.told {
		return
	}
	pid, err := startProgram(due.path)
	if err != nil {
		v.check(due.path, tinyfmt.Errorf("run %s: %w", due.path, err)) // it stays due
		return
	}
	v.told, v.running = due, true
	go func() { v.ended <- waitFor(due.path, pid) }()
}

// startProgram runs a program without arguments, and with nothing to read from or to write to. On a router os.StartProcess
// would weigh 33 KB more, and package os/exec 152 KB.
func startProgram(path string) (pid int, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	fd := null.Fd()
	return syscall.ForkExec(path, []string{path}, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{fd, fd, fd}})
}

// waitFor returns when the program has ended: nil if it did well.
func waitFor(path string, pid int) error {
	var status unix.WaitStatus
	_, err := unix.Wait4(pid, &status, 0, nil)
	for err == unix.EINTR {
		_, err = unix.Wait4(pid, &status, 0, nil)
	}
	switch {
	case err != nil:
		return tinyfmt.Errorf("run %s: wait for process %d: %w", path, pid, err)
	case status.Signaled():
		return tinyfmt.Errorf("run %s: signal %d (%v)", path, int(status.Signal()), status.Signal())
	case status.ExitStatus() != 0:
		return tinyfmt.Errorf("run %s: exit status %d", path, status.ExitStatus())
	}
	return nil
}

// removeHosts removes the hosts files in a directory, except those with the names to keep.
func removeHosts(dir string, keep []string) error {
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, 4096)
	for {
		n, e := unix.Getdents(int(f.Fd()), buf)
		if e != nil {
			return tinyfmt.Errorf("read %s: %w", dir, e)
		}
		if n <= 0 {
			return err
		}
		for entries := buf[:n]; len(entries) > 0; {
			size := binary.NativeEndian.Uint16(entries[16:]) // d_reclen and d_name of struct linux_dirent64
			name := unix.ByteSliceToString(entries[19:size])
			entries = entries[size:]
			if !strings.HasPrefix(name, hostsPrefix) || slices.Contains(keep, name) {
				continue
			}
			path := filepath.Join(dir, name)
			if e := unix.Unlink(path); e != nil && e != unix.ENOENT {
				err = tinyfmt.Errorf("remove %s: %w", path, e)
			}
		}
	}
}
