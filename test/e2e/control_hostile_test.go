package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hostileUser is one who is in the group of the socket, and neither root nor lan6d's user.
const hostileUser = 4711

// dialHostile connects to the control channel as the hostile user.
func (r *router) dialHostile() (conn net.Conn, err error) {
	dir, err := unix.Open(r.path("/run/e2e/state"), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread, whose user is another now, ends with the goroutine
		same := ^uintptr(0)
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, same, hostileUser, same); errno != 0 {
			err = fmt.Errorf("become user %d: %w (run as root)", hostileUser, errno)
			return
		}
		var fd int
		if fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return
		}
		file := os.NewFile(uintptr(fd), "hostile")
		defer file.Close()
		if err = unix.Connect(fd, &unix.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d/ctl.sock", dir)}); err == nil {
			conn, err = net.FileConn(file)
		}
	}()
	<-done
	return conn, err
}

// request is one line.
func request(method string) string {
	return fmt.Sprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":%q}\n", method)
}

// attacks are what hostile clients do with a connection.
var attacks = map[string]func(conn net.Conn, stop <-chan struct{}){
	"deep JSON": func(conn net.Conn, _ <-chan struct{}) {
		io.WriteString(conn, strings.Repeat("[", 60000)+"\n"+strings.Repeat(`{"a":`, 12000)+"\n")
		io.Copy(io.Discard, conn)
	},
	"1 MB line": func(conn net.Conn, _ <-chan struct{}) {
		io.WriteString(conn, `{"jsonrpc":"2.0","id":1,"method":"`+strings.Repeat("x", 1<<20)+"\"}\n")
		io.Copy(io.Discard, conn)
	},
	"half a line": func(conn net.Conn, stop <-chan struct{}) {
		io.WriteString(conn, `{"jsonrpc":"2.0","id":1,"met`)
		<-stop
	},
	"silence": func(_ net.Conn, stop <-chan struct{}) { <-stop },
	"never reads": func(conn net.Conn, stop <-chan struct{}) {
		for range 10000 {
			if _, err := io.WriteString(conn, request("dump")); err != nil {
				break
			}
		}
		<-stop
	},
	"asks all the time": func(conn net.Conn, stop <-chan struct{}) {
		for in := bufio.NewReader(conn); ; {
			io.WriteString(conn, request("leases"))
			if _, err := in.ReadString('\n'); err != nil {
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	},
	"never listens": func(conn net.Conn, stop <-chan struct{}) {
		io.WriteString(conn, request("listen"))
		<-stop
	},
}

// TestControlHostile: whatever those do who may connect, lan6d serves DHCPv6 as always, takes no more memory than it may, and
// answers root.
func TestControlHostile(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	var l ledger
	c := r.newCrowd(newRandom(t), &l, 50)
	c.start()
	deaf, err := r.dialHostile() // listens, and reads when all is over
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	io.WriteString(deaf, request("listen"))

	stop, began := make(chan struct{}), c.served.Load()
	var attackers sync.WaitGroup
	for _, attack := range attacks {
		for range 4 {
			attackers.Go(func() { r.attack(attack, stop) })
		}
	}
	endAttack := sync.OnceFunc(func() {
		close(stop)
		attackers.Wait()
	})
	t.Cleanup(endAttack)

	honest := 0
	ask := func() bool {
		honest++
		if status, _, stderr := r.ctl("status"); status != 0 {
			t.Errorf("root's question %d: exit status %d, %s", honest, status, stderr)
		}
		return c.served.Load()-began > 3000
	}
	for range 5 {
		ask()
	}
	attackers.Go(func() { r.crowdIn(500, stop) }) // the others have found room by now
	cell := newCell(t, dhclientKind, r, r.client("client"))
	cell.lease(want{addr: true, prefix: true})
	eventually(t, 30*time.Second, "the crowd to be served", ask)
	peak := r.memory("VmHWM")
	endAttack()
	c.halt()
	eventually(t, 10*time.Second, "an answer to each message", func() bool { return c.heard.Load() >= c.sent.Load() })
	t.Logf("%d messages answered meanwhile, %d waited longer than %v; root asked %d times; %d KiB of memory at most, %d now",
		c.served.Load()-began, c.again.Load(), patience, honest, peak, r.memory("VmRSS"))
	if peak > 64<<10 {
		t.Errorf("lan6d took %d KiB of memory", peak)
	}
	checkDeaf(t, deaf)
	eventually(t, 10*time.Second, "room for others", func() bool {
		conn, err := r.dialHostile()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, request("status"))
		answer, _ := bufio.NewReader(conn).ReadString('\n')
		return strings.Contains(answer, `"result"`)
	})
}

// attack does that with a connection, again and again.
func (r *router) attack(do func(net.Conn, <-chan struct{}), stop <-chan struct{}) {
	for {
		conn, err := r.dialHostile()
		if err != nil {
			r.t.Error(err)
			return
		}
		end := make(chan struct{})
		go func() { // who hangs in the connection is to end, too
			select {
			case <-stop:
				conn.Close()
			case <-end:
			}
		}()
		do(conn, stop)
		close(end)
		conn.Close()
		select {
		case <-stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// crowdIn holds so many connections open, those that lan6d has closed for want of room included.
func (r *router) crowdIn(n int, stop <-chan struct{}) {
	var held []net.Conn
	for range n {
		conn, err := r.dialHostile()
		if err != nil {
			r.t.Error(err)
			break
		}
		held = append(held, conn)
	}
	<-stop
	for _, conn := range held {
		conn.Close()
	}
}

// memory is that of lan6d in KiB.
func (r *router) memory(what string) (kib int) {
	r.t.Helper()
	_, text, _ := strings.Cut(r.read(fmt.Sprintf("/proc/%d/status", r.lan6d.cmd.Process.Pid)), "\n"+what+":")
	if _, err := fmt.Sscan(text, &kib); err != nil {
		r.t.Fatalf("%s of lan6d: %v", what, err)
	}
	return kib
}

// checkDeaf: a listener that has not read is told of the first events, and how many it has lost.
func checkDeaf(t *testing.T, conn net.Conn) {
	t.Helper()
	events, lost := 0, 0
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for in := bufio.NewReader(conn); lost == 0; events++ {
		text, err := in.ReadBytes('\n')
		var l struct {
			Method string
			Params struct{ Events int }
		}
		if err == nil {
			err = json.Unmarshal(text, &l)
		}
		if err != nil {
			t.Fatalf("after %d events: %v: %s", events, err, text)
		}
		lost = l.Params.Events
	}
	t.Logf("who did not read was told of %d events, and that %d were lost", events-2, lost)
	if events < 100 || lost < 1000 {
		t.Error("that were not many")
	}
}
