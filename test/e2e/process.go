package e2e

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A process is a program that goes on running on a host. When the test fails, what it printed is shown.
type process struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended

	mu     sync.Mutex
	output bytes.Buffer
}

// packages names the Debian package of each program that the tests need; test/install.sh installs them.
var packages = map[string]string{
	"dhclient":                      "isc-dhcp-client",
	"dhcpcd":                        "dhcpcd-base",
	"dhcp6c":                        "wide-dhcpv6-client",
	"dibbler-client":                "dibbler-client",
	"/lib/systemd/systemd-networkd": "systemd",
	"dhcrelay":                      "isc-dhcp-relay",
	"dibbler-relay":                 "dibbler-relay",
	"dhcp6relay":                    "wide-dhcpv6-relay",
	"kea-dhcp6":                     "kea-dhcp6-server",
	"dhcpd":                         "isc-dhcp-server",
	"dibbler-server":                "dibbler-server",
	"dnsmasq":                       "dnsmasq-base",
	"dhcp6s":                        "wide-dhcpv6-server",
	"ping":                          "iputils-ping",
	"tshark":                        "tshark",
	"ip":                            "iproute2",
}

// start starts a program; the test's end stops it.
func (h *host) start(argv ...string) *process {
	h.t.Helper()
	return h.startEnv(nil, argv...)
}

// startEnv is start with additions to the environment.
func (h *host) startEnv(env []string, argv ...string) *process {
	h.t.Helper()
	p := &process{t: h.t, name: h.name + ": " + strings.Join(argv, " "), cmd: h.command(argv...), done: make(chan struct{})}
	p.cmd.Env = append(p.cmd.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.WaitDelay = time.Second // helpers that outlive it may hold the pipe
	if err := p.cmd.Start(); err != nil {
		h.t.Fatalf("%s: %v", p.name, err)
	}
	h.programs = append(h.programs, p)
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	h.t.Cleanup(func() {
		p.kill()
		if h.t.Failed() {
			h.t.Logf("---- %s\n%s", p.name, lastLines(p.log(), 300))
		}
	})
	return p
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(b)
}

// log returns what the program printed so far.
func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// What a program is sent to sleep and woken up with.
const stop, resume = syscall.SIGSTOP, syscall.SIGCONT

func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Errorf("%s: %v: %v", p.name, sig, err)
	}
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the program as a power cut would.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// wait returns the exit code of a program that ends by itself within limit.
func (p *process) wait(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		p.t.Fatalf("%s: still running after %v", p.name, limit)
		return -1
	}
}

// terminate asks the program to end and waits until it has.
func (p *process) terminate(limit time.Duration) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		p.t.Logf("%s: %v", p.name, err)
	}
	return p.wait(limit)
}

// logged waits for a line that holds all the words.
func (p *process) logged(words ...string) {
	p.t.Helper()
	eventually(p.t, 5*time.Second, "a log line with "+strings.Join(words, ", "), func() bool {
		return p.hasLogged(words...)
	})
}

func (p *process) hasLogged(words ...string) bool {
lines:
	for line := range strings.Lines(p.log()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue lines
			}
		}
		return true
	}
	return false
}

func lastLines(s string, n int) string {
	lines := strings.SplitAfter(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
