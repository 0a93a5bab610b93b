package ctl

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/ctl/json"
)

// until waits for a condition.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func (s *Server) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// short is patience for tests that wait for its end.
var short = patience{idle: 50 * time.Millisecond, whole: 50 * time.Millisecond, write: 50 * time.Millisecond}

// TestHostileLines: after each of them the connection goes on, or is closed with a word.
func TestHostileLines(t *testing.T) {
	s := newStub(t, nil)
	const frame = `{"jsonrpc":"2.0","id":1,"method":"dump","params":%s}`
	deep := strings.Repeat(`{"a":[`, 5000)
	for _, tt := range []struct{ name, line, want string }{
		{"deep", fmt.Sprintf(frame, deep), `"code":-32700,"message":"not JSON: octet 144: want at most 32 arrays and objects in each other"`},
		{"many values", fmt.Sprintf(frame, "["+strings.Repeat("1,", 30000)+"1]"), `"code":-32700,"message":"not JSON: octet 4040: want fewer values"`},
		{"many members", fmt.Sprintf(frame, "{"+strings.Repeat(`"":1,`, 1900)+`"x":1}`), `"code":-32602,"message":"there is no argument ; dump takes none"`},
		{"a million digits", fmt.Sprintf(frame, `{"all":`+strings.Repeat("9", 60000)+"}"), `there is no argument all`},
		{"zero octets", strings.Repeat("\x00", 1000), `"code":-32700,"message":"not JSON: octet 0: want a value"`},
		{"longest line", `{"jsonrpc":"2.0","id":1,"method":"dump"` + strings.Repeat(" ", MaxRequest-40) + "}", `"result":{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dialRaw(t, s.path)
			if got := c.ask(t, tt.line); !strings.Contains(got, tt.want) || len(got) > 1000 {
				t.Errorf("got %.200s, want %s", got, tt.want)
			}
			if got := c.ask(t, ping); !strings.Contains(got, "result") {
				t.Errorf("then %s", got)
			}
		})
	}
}

func TestLineTooLong(t *testing.T) {
	s := newStub(t, nil)
	for _, size := range []int{MaxRequest + 1, 1 << 20} {
		c := dialRaw(t, s.path)
		go io.WriteString(c.Conn, strings.Repeat("x", size)+"\n"+ping+"\n") // fails when the server closes
		want := `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"a request has at most 65536 octets"}}` + "\n"
		if got := c.ended(t); got != want {
			t.Errorf("%d octets: %q", size, got)
		}
	}
	until(t, "the connections are forgotten", func() bool { return s.open() == 0 })
	s.alive(t)
}

// TestSilence: who sends nothing, or half a line, or octet by octet, is dropped; a listener may be silent.
func TestSilence(t *testing.T) {
	s := startStub(t, shortDir(t), nil, short)
	for name, send := range map[string]func(c *raw){
		"silent":    func(*raw) {},
		"half line": func(c *raw) { c.send(t, `{"jsonrpc":`) },
		"slow": func(c *raw) {
			go func() {
				for {
					if _, err := c.Conn.Write([]byte("x")); err != nil {
						return
					}
					time.Sleep(5 * time.Millisecond)
				}
			}()
		},
		"half line of a listener": func(c *raw) {
			c.ask(t, `{"jsonrpc":"2.0","id":1,"method":"listen"}`)
			c.send(t, `{"jsonrpc":`)
		},
	} {
		c := dialRaw(t, s.path)
		send(c)
		if got := c.ended(t); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	listener, silent := dialRaw(t, s.path), dialRaw(t, s.path)
	listener.ask(t, `{"jsonrpc":"2.0","id":1,"method":"listen"}`)
	silent.ended(t)
	s.emit <- event{"config", `{"cause":"reload"}`}
	if got := listener.line(t); !strings.Contains(got, "reload") {
		t.Errorf("the listener hears %s", got)
	}
	if got := listener.ask(t, ping); !strings.Contains(got, "result") {
		t.Errorf("the listener is told %s", got)
	}
}

// TestManyConnections: of 500, those for which there is no room are told so, and when others go there is.
func TestManyConnections(t *testing.T) {
	s := newStub(t, nil)
	first := dialRaw(t, s.path)
	var conns []*raw
	for range 500 {
		conns = append(conns, dialRaw(t, s.path))
	}
	refused := 0
	for _, c := range conns[maxConnections+maxReserved:] {
		if got := c.ended(t); got == `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"40 connections are open already"}}`+"\n" {
			refused++
		}
	}
	if want := 500 - maxConnections - maxReserved; refused != want {
		t.Errorf("%d are refused, want %d", refused, want)
	}
	if got := first.ask(t, ping); !strings.Contains(got, "result") {
		t.Errorf("the first one is told %s", got)
	}
	client, err := Dial(s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Call("dump", ""); err == nil || err.Error() != "40 connections are open already" {
		t.Errorf("one more: %v", err)
	}
	for _, c := range conns {
		c.Close()
	}
	until(t, "there is room again", func() bool { return s.open() == 1 })
	s.alive(t)
}

// dialAs connects as another user, which takes root.
func dialAs(t *testing.T, path string, uid uintptr) (c *raw) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine, and with it the other user
		const same = ^uintptr(0)
		_, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, same, uid, same)
		fd, err := connect(path)
		if errno != 0 {
			err = errno
		}
		if err == nil {
			c = newRaw(t, fd)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRoomForRootOnSocket: others cannot keep root out, on the socket itself, and do not take root's places.
func TestRoomForRootOnSocket(t *testing.T) {
	if os.Geteuid() != 0 {
		return // TestRoomForRoot goes without
	}
	s := newStub(t, nil)
	const stranger = 4711
	os.Chmod(filepath.Dir(s.path), 0o755)
	os.Chmod(s.path, 0o666)
	for range maxConnections + maxReserved {
		dialAs(t, s.path, stranger)
	}
	for range maxReserved {
		if got := dialRaw(t, s.path).ask(t, ping); !strings.Contains(got, "result") {
			t.Errorf("root is told %s", got)
		}
	}
	for want, c := range map[string]*raw{"32": dialAs(t, s.path, stranger), "40": dialRaw(t, s.path)} {
		if got := c.ended(t); !strings.Contains(got, `"`+want+" connections are open already") {
			t.Errorf("want %s, got %s", want, got)
		}
	}
}

// TestRoomForRoot: others cannot keep root out.
func TestRoomForRoot(t *testing.T) {
	s := newStub(t, nil)
	for range maxConnections {
		s.connectAs(t, Peer{UID: 4711})
	}
	if got := s.connectAs(t, Peer{UID: 4711}).ended(t); !strings.Contains(got, "32 connections are open already") {
		t.Errorf("one too many is told %s", got)
	}
	if got := s.connectAs(t, Peer{UID: 0}).ask(t, ping); !strings.Contains(got, "result") {
		t.Errorf("root is told %s", got)
	}
}

// TestNeverReading: who asks and does not read is dropped, and meanwhile keeps nobody from being served.
func TestNeverReading(t *testing.T) {
	s := startStub(t, shortDir(t), map[string]string{"status": `{"x":"` + strings.Repeat("x", 1<<20) + `"}`},
		patience{idle: time.Minute, whole: time.Minute, write: 500 * time.Millisecond})
	var conns []*raw
	for range 20 {
		c := dialRaw(t, s.path)
		c.send(t, strings.Repeat(`{"jsonrpc":"2.0","id":1,"method":"status"}`+"\n", 100))
		conns = append(conns, c)
	}
	for range 20 {
		s.alive(t)
	}
	until(t, "they are dropped", func() bool { return s.open() == 0 })
	for _, c := range conns {
		if n := len(c.ended(t)); n > 1<<20 {
			t.Errorf("%d octets were sent to one who did not read", n)
		}
	}
}

// TestVanishing: who goes before, while and after asking leaves nothing behind.
func TestVanishing(t *testing.T) {
	s := newStub(t, map[string]string{"status": `{"x":"` + strings.Repeat("x", 1<<16) + `"}`})
	var wait sync.WaitGroup
	for _, text := range []string{"", "{", ping + "\n", ping, `{"jsonrpc":"2.0","id":1,"method":"listen"}` + "\n", strings.Repeat(`{"jsonrpc":"2.0","id":1,"method":"status"}`+"\n", 5)} {
		wait.Go(func() {
			for range 100 {
				fd, err := connect(s.path)
				if err != nil {
					t.Error(err)
					return
				}
				unix.Write(fd, []byte(text))
				unix.Close(fd)
			}
		})
	}
	wait.Wait()
	// The last of them may still wait in the kernel's queue.
	until(t, "there is room", func() bool {
		c, err := Dial(s.path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = c.Call("dump", "")
		return err == nil
	})
	until(t, "all are forgotten", func() bool { return s.open() == 0 && s.Listeners() == 0 })
}

// TestCloseWithClients: the server ends at once, whatever its clients do.
func TestCloseWithClients(t *testing.T) {
	s := newStub(t, map[string]string{"status": `{"x":"` + strings.Repeat("x", 1<<20) + `"}`})
	silent, half, stuck, listener := dialRaw(t, s.path), dialRaw(t, s.path), dialRaw(t, s.path), dialRaw(t, s.path)
	silent.ask(t, ping)
	half.send(t, "{")
	stuck.send(t, `{"jsonrpc":"2.0","id":1,"method":"status"}`+"\n")
	listener.ask(t, `{"jsonrpc":"2.0","id":1,"method":"listen"}`)
	// What remains is done when the test ends.
}

func TestEvents(t *testing.T) {
	s := newStub(t, nil)
	s.emit <- event{"config", `{"cause":"nobody hears this"}`}
	all, some, none := dialRaw(t, s.path), dialRaw(t, s.path), dialRaw(t, s.path)
	const done = `{"jsonrpc":"2.0","id":1,"result":{}}`
	for c, params := range map[*raw]string{all: "", some: `,"params":{"events":["interface","dhcp.re*"]}`, none: `,"params":{"events":[]}`} {
		if got := c.ask(t, `{"jsonrpc":"2.0","id":1,"method":"listen"`+params+"}"); got != done {
			t.Errorf("listen is answered %s", got)
		}
	}
	if n := s.Listeners(); n != 3 {
		t.Errorf("%d listeners", n)
	}
	for _, name := range stubEvents {
		s.emit <- event{name, `{"cause":"test"}`}
	}
	for c, names := range map[*raw][]string{all: stubEvents, some: {"dhcp.renew6", "dhcp.release6", "interface"}, none: nil} {
		for _, name := range names {
			if got, want := c.line(t), `{"jsonrpc":"2.0","method":"`+name+`","params":{"cause":"test"}}`; got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
		}
		if got := c.ask(t, ping); got != done {
			t.Errorf("then %s", got)
		}
	}
	// Another choice takes the place of the first one.
	if got := none.ask(t, `{"jsonrpc":"2.0","id":1,"method":"listen","params":{"events":"config"}}`); got != done {
		t.Errorf("another time: %s", got)
	}
	if n := s.Listeners(); n != 3 {
		t.Errorf("%d listeners", n)
	}
	s.emit <- event{"interface", `{}`}
	s.emit <- event{"config", `{"n":1}`}
	if got, want := none.line(t), `{"jsonrpc":"2.0","method":"config","params":{"n":1}}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for _, c := range []*raw{all, some, none} {
		c.Close()
	}
	until(t, "nobody listens", func() bool { return s.Listeners() == 0 })
}

// TestLostEvents: a listener that does not read never holds up the loop. When it reads again, it is told of each event, or
// how many are missing, in order.
func TestLostEvents(t *testing.T) {
	s := newStub(t, nil)
	c := dialRaw(t, s.path)
	c.ask(t, `{"jsonrpc":"2.0","id":1,"method":"listen"}`)
	const total = 20000
	for i := range total {
		s.emit <- event{"interface", fmt.Sprintf(`{"n":%d}`, i)}
	}
	s.alive(t)
	next, gaps := int64(0), 0
	for next < total {
		v, err := json.Parse(c.line(t), 100)
		if err != nil {
			t.Fatal(err)
		}
		params := v.Get("params")
		if text(v, "method") == LostEvents {
			n, _ := params.Int("events")
			next += n
			gaps++
		} else if n, _ := params.Int("n"); n != next {
			t.Fatalf("event %d comes as number %d", n, next)
		} else {
			next++
		}
	}
	if next != total || gaps == 0 {
		t.Errorf("%d events, of %d; %d gaps", next, total, gaps)
	}
	s.emit <- event{"interface", `{"n":-1}`}
	if got := c.line(t); !strings.Contains(got, `{"n":-1}`) {
		t.Errorf("then %s", got)
	}
}

// TestEmitWithoutListeners costs nothing.
func TestEmitWithoutListeners(t *testing.T) {
	s := newStub(t, nil)
	write := func(Writer) { t.Error("an event is written though nobody listens") }
	if n := testing.AllocsPerRun(100, func() { s.Emit("config", write) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzRequests has a server answer lines. Each answer must be JSON-RPC, and the loop must get only what passes its table.
func FuzzRequests(f *testing.F) {
	s := newStub(f, nil)
	f.Add(ping)
	f.Add(`{"jsonrpc":"2.0","id":"x","method":"leases","params":{"kind":"prefix"}}`)
	f.Add(`{"jsonrpc":"2.0","method":"listen","params":{"events":["dhcp.*"]}}`)
	f.Add(`[{}]`)
	f.Add(`{"jsonrpc":"2.0","id":1,"method":"add_lease","params":{"duid":["a","b"],"mac":"c","ubus_rpc_session":{}}}`)
	f.Add(`{"jsonrpc":"2.0","id":1,"method":"del_lease","params":{"iaid":1e2}}`)
	f.Fuzz(func(t *testing.T, line string) {
		if len(line) > MaxRequest {
			return
		}
		for len(s.calls) > 0 {
			<-s.calls
		}
		c := dialRaw(t, s.path)
		defer c.Close()
		c.send(t, strings.ReplaceAll(line, "\n", " ")+"\n")
		for n := 0; ; n++ {
			answer := c.ask(t, strings.Replace(ping, "1", "4711", 1))
			v, err := json.Parse(answer, 1<<20)
			if err != nil || text(v, "jsonrpc") != "2.0" || v.Has("result") == v.Has("error") || !v.Has("id") || n > 1 {
				t.Fatalf("answer %d to %q is %s: %v", n, line, answer, err)
			}
			if v.Get("id").Raw == "4711" {
				break
			}
		}
		if call := <-s.calls; call != "dump" {
			checkCall(t, call)
		}
	})
}

// checkCall checks what the loop is asked.
func checkCall(t *testing.T, call string) {
	t.Helper()
	method, args, _ := strings.Cut(call, " ")
	for i := range stubMethods {
		if m := &stubMethods[i]; m.Name == method {
			v, err := json.Parse("["+args+"]", maxValues)
			if err == nil && len(v.Items) > 0 {
				if wrong := m.check(&v.Items[0]); wrong != "" {
					t.Fatalf("the loop is asked %s: %s", call, wrong)
				}
			}
			return
		}
	}
	t.Fatalf("the loop is asked %s", call)
}
