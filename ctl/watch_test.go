package ctl

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// screen is a terminal of a test: a pseudo-terminal, and what is on it.
type screen struct {
	master, slave *os.File
	before        unix.Termios

	mu          sync.Mutex
	all         bytes.Buffer // as it came
	lines       []string
	row, column int
	width       int
	second      bool // the second screen is shown
	hidden      bool // the cursor is
	noWrap      bool
	unknown     string // the first thing that screen does not understand
}

func newScreen(t *testing.T, width, height uint16) *screen {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{master: master, slave: slave, before: termios(t, slave)}
	s.resize(t, width, height)
	read := make(chan struct{})
	go func() {
		defer close(read)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			if err != nil {
				return
			}
			s.show(b[:n])
		}
	}()
	t.Cleanup(func() {
		slave.Close()
		<-read // the kernel ends it when nobody has the other side any more
		master.Close()
	})
	return s
}

func termios(t *testing.T, f *os.File) unix.Termios {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *state
}

func (s *screen) resize(t *testing.T, width, height uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: height, Col: width}); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.width = int(width)
}

// show is what a terminal does with what it is told.
func (s *screen) show(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all.Write(b)
	for i := 0; i < len(b); i++ {
		for len(s.lines) <= s.row {
			s.lines = append(s.lines, "")
		}
		line := s.lines[s.row]
		switch b[i] {
		case '\r':
			s.column = 0
		case '\n':
			s.row++
		case 0x1b:
			end := i + bytes.IndexFunc(b[i:], func(r rune) bool { return r >= 'A' && r != '[' })
			if end < i {
				s.unknown = fmt.Sprintf("%q", b[i:])
				return
			}
			s.control(string(b[i+1 : end+1]))
			i = end
		default:
			s.lines[s.row] = fmt.Sprintf("%-*.*s%c", s.column, s.column, line, b[i])
			if s.column+1 < len(line) {
				s.lines[s.row] += line[s.column+1:]
			}
			if !s.noWrap || s.column+1 < s.width { // else the cursor stays on the last cell
				s.column++
			}
		}
	}
}

func (s *screen) control(sequence string) {
	switch sequence {
	case "[H":
		s.row, s.column = 0, 0
	case "[K":
		s.lines[s.row] = s.lines[s.row][:min(s.column, len(s.lines[s.row]))]
	case "[J":
		s.lines[s.row] = s.lines[s.row][:min(s.column, len(s.lines[s.row]))]
		s.lines = s.lines[:s.row+1]
	case "[?1049h", "[?1049l":
		s.second = sequence == "[?1049h"
		s.lines, s.row, s.column = nil, 0, 0
	case "[?25h", "[?25l":
		s.hidden = sequence == "[?25l"
	case "[?7h", "[?7l":
		s.noWrap = sequence == "[?7l"
	case "[0m", "[1m", "[2m", "[31m", "[33m", "[m":
	default:
		s.unknown = sequence
	}
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unknown != "" {
		return "not understood: " + s.unknown
	}
	return strings.Join(s.lines, "\n")
}

// start runs lan6d ctl on the terminal, as a shell would.
func (s *screen) start(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := program(t, args...)
	cmd.Env = append(append(cmd.Env, "TERM=xterm", "NO_COLOR="), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.slave, s.slave, s.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

// wants waits until the screen shows that.
func (s *screen) wants(t *testing.T, want string) {
	t.Helper()
	until(t, "the screen shows\n"+want, func() bool { return s.String() == want })
}

// restored checks that the terminal is as it was.
func (s *screen) restored(t *testing.T) {
	t.Helper()
	if now := termios(t, s.slave); now != s.before {
		t.Errorf("the terminal's state is %+v, was %+v", now, s.before)
	}
	until(t, "the screen is as it was", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !s.second && !s.hidden && !s.noWrap
	})
}

const watchReply = `{"leases":[
	{"interface":"lan","state":"bound","duid":"0001","iaid":1,"hostname":"laptop","leases":[{"address":"fd00::1","preferred":60,"valid":120}]},
	{"interface":"lan","state":"free","duid":"0002","iaid":2,"hostname":"phone-with-a-long-name","leases":[]}]}`

const watchTable = `lan6d ctl leases, every 1s; q ends it
INTERFACE  HOST                    LEASE    PREFERRED  VALID  STATE  CLIENT
lan        laptop                  fd00::1  1m0s       2m0s   bound  0001%1
lan        phone-with-a-long-name                             free   0002%2`

func TestWatch(t *testing.T) {
	s := newStub(t, map[string]string{"leases": watchReply})
	screen := newScreen(t, 80, 10)
	cmd := screen.start(t, nil, "-s", s.path, "leases", "--watch", "1")
	screen.wants(t, watchTable)

	// What changes is drawn over what was there, and nothing of that remains.
	s.do <- func() { s.replies["leases"] = `{"leases":[]}` }
	screen.wants(t, "lan6d ctl leases, every 1s; q ends it\nnone")
	s.do <- func() { s.replies["leases"] = watchReply }
	screen.wants(t, watchTable)

	// Another size, while it runs.
	screen.resize(t, 64, 3)
	screen.wants(t, `lan6d ctl leases, every 1s; q ends it
INTERFACE  HOST         LEASE    PREFERRED  VALID  STATE  CLIENT
(2 more lines)`)
	screen.resize(t, 200, 40)
	screen.wants(t, watchTable)

	// Keys that mean nothing, then the one that does.
	screen.master.WriteString("x\x1b[A\x1a")
	s.do <- func() { s.replies["leases"] = "!busy" }
	screen.wants(t, "lan6d ctl leases, every 1s; q ends it\nbusy")
	screen.master.WriteString("q")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	screen.restored(t)
}

// TestWatchFull: lines that fill the screen are shown whole, that in its last row as well.
func TestWatchFull(t *testing.T) {
	s := newStub(t, map[string]string{"leases": watchReply})
	screen := newScreen(t, uint16(strings.LastIndexByte(watchTable, '2')-strings.LastIndexByte(watchTable, '\n')), 4)
	screen.start(t, nil, "-s", s.path, "leases", "--watch", "1")
	screen.wants(t, watchTable)
}

// TestWatchCut: what of a line is beyond the edge of the screen is missed, in a table or not.
func TestWatchCut(t *testing.T) {
	s := newStub(t, map[string]string{"leases": `{"leases":[]}`})
	screen := newScreen(t, 30, 10)
	screen.start(t, nil, "-s", s.path, "leases", "--watch", "1")
	screen.wants(t, "lan6d ctl leases, every 1s; ..\nnone")
	s.do <- func() { s.replies["leases"] = "!no answer, for a reason that takes more than a line" }
	screen.wants(t, "lan6d ctl leases, every 1s; ..\nno answer, for a reason that..")
}

// TestWatchEnds: whatever ends it, the terminal is as before.
func TestWatchEnds(t *testing.T) {
	s := newStub(t, map[string]string{"leases": watchReply})
	for name, end := range map[string]func(*screen, *exec.Cmd){
		"Ctrl-C":  func(s *screen, _ *exec.Cmd) { s.master.WriteString("\x03") },
		"SIGINT":  func(_ *screen, c *exec.Cmd) { c.Process.Signal(unix.SIGINT) },
		"SIGTERM": func(_ *screen, c *exec.Cmd) { c.Process.Signal(unix.SIGTERM) },
		"SIGHUP":  func(_ *screen, c *exec.Cmd) { c.Process.Signal(unix.SIGHUP) },
	} {
		screen := newScreen(t, 80, 24)
		cmd := screen.start(t, nil, "-s", s.path, "leases", "--watch=1")
		screen.wants(t, watchTable)
		end(screen, cmd)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		screen.restored(t)
	}
}

// TestWatchRestart: the view outlives the daemon.
func TestWatchRestart(t *testing.T) {
	dir := shortDir(t)
	first := startStub(t, dir, map[string]string{"leases": watchReply}, short)
	screen := newScreen(t, 200, 24)
	cmd := screen.start(t, nil, "-d", dir, "leases", "--watch", "1")
	screen.wants(t, watchTable)
	first.end()
	screen.wants(t, "lan6d ctl leases, every 1s; q ends it\nlan6d is not running: nobody listens on "+first.path)
	startStub(t, dir, map[string]string{"leases": `{"leases":[]}`}, short)
	screen.wants(t, "lan6d ctl leases, every 1s; q ends it\nnone")
	screen.master.WriteString("q")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	screen.restored(t)
}

// TestTerminal: colour and width are those of the terminal, if it has colours and they are wanted.
func TestTerminal(t *testing.T) {
	s := newStub(t, map[string]string{"leases": watchReply})
	const table = `INTERFACE  HOST              LEASE    PREFERRED  VALID  STATE  CLIENT
lan        laptop            fd00::1  1m0s       2m0s   bound  0001%1
lan        phone-with-a-l..                             free   0002%2
`
	colored := "\x1b[1m" + strings.Replace(strings.Replace(table, "CLIENT\n", "CLIENT\x1b[0m\n", 1), "lan        phone", "\x1b[2mlan        phone", 1)
	colored = strings.TrimSuffix(colored, "\n") + "\x1b[0m\n"
	for _, tt := range []struct {
		env  []string
		want string
	}{
		{nil, colored},
		{[]string{"NO_COLOR=1"}, table},
		{[]string{"TERM=dumb"}, table},
		{[]string{"TERM="}, table},
	} {
		screen := newScreen(t, 69, 24)
		if err := screen.start(t, tt.env, "-s", s.path, "leases").Wait(); err != nil {
			t.Error(err)
		}
		want := strings.ReplaceAll(tt.want, "\n", "\r\n")
		until(t, "the table is shown", func() bool {
			screen.mu.Lock()
			defer screen.mu.Unlock()
			return screen.all.Len() >= len(want)
		})
		if got := screen.all.String(); got != want {
			t.Errorf("%v:\n%q\nwant\n%q", tt.env, got, want)
		}
	}
	screen := newScreen(t, 0, 0)
	cmd := screen.start(t, []string{"TERM=dumb"}, "-s", s.path, "leases", "--watch")
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != wrongUsage {
		t.Errorf("--watch on a dumb terminal: status %d", status)
	}
	screen.wants(t, "lan6d ctl: --watch needs a terminal that can move its cursor")
}
