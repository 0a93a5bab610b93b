package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A router is a host that serves a LAN: lan0, a bridge like OpenWrt's br-lan, with lan6d behind it.
type router struct {
	*host
	addrs   []string // of lan0
	lan6d   *process
	capture *capture
	ports   int
}

// The router's addresses: a global and a unique local one, as routers have.
const (
	global = "2001:db8:1::1/48"
	local  = "fd00:1::1/48"
)

// nameserver is what clients are told to ask.
const nameserver = "2001:db8:1::53"

// config is /etc/config/dhcp of most tests.
const config = `
config dhcp 'lan'
	option interface 'lan'
	option ifname 'lan0'
	option dhcpv6 'server'
	list dns '` + nameserver + `'
`

// newRouter builds a router with lan0, a capture on it, and lan6d serving it. Without addrs lan0 has both addresses.
func newRouter(t testing.TB, config string, addrs ...string) *router {
	t.Helper()
	if addrs == nil {
		addrs = []string{global, local}
	}
	r := bareRouter(t, config, addrs...)
	r.addLAN()
	r.serve()
	return r
}

// bareRouter is a router without a LAN, on which nothing runs yet.
func bareRouter(t testing.TB, config string, addrs ...string) *router {
	t.Helper()
	server(t) // built before the mount namespace is made: it shall see the file
	r := &router{host: newHost(t, "router"), addrs: addrs}
	r.configure(config)
	return r
}

// addLAN makes lan0, gives it its addresses, and captures what passes.
func (r *router) addLAN() {
	r.t.Helper()
	// A bridge without an address of its own changes it with its ports.
	r.ip("link add lan0 address 02:00:00:00:00:01 type bridge mcast_snooping 0\nlink set lan0 up")
	for _, a := range r.addrs {
		r.AddAddr(r.t, "lan0", a)
	}
	r.capture = r.host.capture("lan0")
}

// plug puts a host on the LAN with its interface ifname. The first one gives the bridge its carrier.
func (r *router) plug(h *host, ifname string) {
	r.t.Helper()
	r.ports++
	join(r.host, "lan0", fmt.Sprintf("port%d", r.ports), h, ifname)
	r.awaitService()
}

// client makes a host on the LAN that looks for duplicate addresses, like any.
func (r *router) client(name string) *host {
	r.t.Helper()
	h := newHost(r.t, name)
	r.plug(h, "eth0")
	h.EnableDAD(r.t, "eth0")
	return h
}

// configure writes /etc/config/dhcp; lan6d reads it when it starts and on SIGHUP.
func (r *router) configure(config string) {
	r.t.Helper()
	r.write("/run/e2e/config/dhcp", 0o644, config)
	for _, name := range []string{"lan6d", "network", "system"} {
		r.write("/run/e2e/config/"+name, 0o644, "")
	}
}

// argv is the command line of lan6d.
func (r *router) argv() []string {
	return []string{server(r.t), "-c", "/run/e2e/config", "-d", "/run/e2e/state", "-l", "debug"}
}

// serve starts lan6d.
func (r *router) serve() {
	r.t.Helper()
	r.run("mkdir", "-p", "/run/e2e/state")
	r.lan6d = r.start(r.argv()...)
}

// listening reports whether lan6d has joined the group that clients send to, ff02::1:2, on lan0.
func (r *router) listening() bool {
	for line := range strings.Lines(r.run("cat", "/proc/self/net/igmp6")) {
		if f := strings.Fields(line); f[1] == "lan0" && f[2] == "ff020000000000000000000000010002" {
			return true
		}
	}
	return false
}

// awaitService waits until lan6d serves lan0.
func (r *router) awaitService() {
	r.t.Helper()
	eventually(r.t, 5*time.Second, "lan6d to serve lan0", r.listening)
}

// lifetimes gives the router's addresses lifetimes, as an upstream router does; what clients are told is never more.
func (r *router) lifetimes(preferred, valid string) {
	for _, a := range r.addrs {
		cmd := r.command("ip", "addr", "change", a, "dev", "lan0", "preferred_lft", preferred, "valid_lft", valid)
		if out, err := cmd.CombinedOutput(); err != nil {
			r.t.Errorf("%v: %v\n%s", cmd, err, out)
		}
	}
}

// shortly keeps the lifetimes of the router's addresses at so many seconds, as an upstream router does that announces
// them again and again. The function it returns ends that: from then on they last for ever.
func (r *router) shortly(preferred, valid int) (end func()) {
	r.t.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			r.lifetimes(strconv.Itoa(preferred), strconv.Itoa(valid))
			select {
			case <-stop:
				r.lifetimes("forever", "forever")
				return
			case <-time.After(time.Second / 2):
			}
		}
	}()
	end = sync.OnceFunc(func() {
		close(stop)
		<-done
		time.Sleep(time.Second / 2) // until lan6d knows
	})
	r.t.Cleanup(end)
	return end
}

// server returns the path of the lan6d under test, built as it ships: static, without cgo. The environment variable
// LAN6D names a binary to test instead.
func server(t testing.TB) string {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return serverPath
}

// serverPath lies where every host sees it, in a file system that goes with the mount namespace of the tests.
const serverPath = "/dev/shm/lan6d"

var build = sync.OnceValue(func() error {
	if err := unix.Mount("tmpfs", filepath.Dir(serverPath), "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount %s: %w", filepath.Dir(serverPath), err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", serverPath, "lan6d")
	if path := os.Getenv("LAN6D"); path != "" {
		cmd = exec.Command("cp", path, serverPath)
	}
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
})
