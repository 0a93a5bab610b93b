package ctl

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// raw is a client that writes what it likes.
type raw struct {
	net.Conn
	*bufio.Reader
}

func dialRaw(t testing.TB, path string) *raw {
	t.Helper()
	fd, err := connect(path) // net.Dial does not wait in the queue
	if err != nil {
		t.Fatal(err)
	}
	return newRaw(t, fd)
}

func newRaw(t testing.TB, fd int) *raw {
	t.Helper()
	f := os.NewFile(uintptr(fd), "client")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return &raw{c, bufio.NewReader(c)}
}

func (c *raw) send(t testing.TB, text string) {
	t.Helper()
	if _, err := c.Conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// line is the next line, without its end.
func (c *raw) line(t testing.TB) string {
	t.Helper()
	line, err := c.ReadString('\n')
	if err != nil {
		t.Fatalf("after %q: %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// ask sends a line and returns the one that answers it.
func (c *raw) ask(t testing.TB, line string) string {
	t.Helper()
	c.send(t, line+"\n")
	return c.line(t)
}

// ended waits until the server has closed the connection, and returns what it had to say.
func (c *raw) ended(t testing.TB) string {
	t.Helper()
	var all strings.Builder
	_, err := c.WriteTo(&all)
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Fatalf("the connection is still open: %q", &all)
	}
	return all.String()
}

const ping = `{"jsonrpc":"2.0","id":1,"method":"dump"}`

// alive fails the test unless the loop answers.
func (s *stub) alive(t testing.TB) {
	t.Helper()
	c := dialRaw(t, s.path)
	defer c.Close()
	if got, want := c.ask(t, ping), `{"jsonrpc":"2.0","id":1,"result":{`; !strings.HasPrefix(got, want) {
		t.Errorf("the loop answers %s", got)
	}
}

func TestRequests(t *testing.T) {
	s := newStub(t, map[string]string{"status": `{"a":[1,"x\n"]}`, "reload": "!no such file"})
	c := dialRaw(t, s.path)
	for _, tt := range []struct{ name, line, want string }{
		{"object", `{"jsonrpc":"2.0","id":7,"method":"status"}`, `{"jsonrpc":"2.0","id":7,"result":{"a":[1,"x\u000a"]}}`},
		{"string as id", `{"jsonrpc":"2.0","id":"a\u0041\"","method":"status","params":{}}`, `{"jsonrpc":"2.0","id":"a\u0041\"","result":{"a":[1,"x\u000a"]}}`},
		{"odd number as id", `{"jsonrpc":"2.0","id":-1.5E+300,"method":"dump"}`, `{"jsonrpc":"2.0","id":-1.5E+300,"result":{}}`},
		{"null as id", `{"jsonrpc":"2.0","id":null,"method":"dump"}`, `{"jsonrpc":"2.0","id":null,"result":{}}`},
		{"space around", " \t{ \"jsonrpc\" : \"2.0\" , \"id\" : 1 , \"method\" : \"dump\" } \r", `{"jsonrpc":"2.0","id":1,"result":{}}`},
		{"last of two", `{"jsonrpc":"2.0","id":1,"id":2,"method":"status","method":"dump"}`, `{"jsonrpc":"2.0","id":2,"result":{}}`},
		{"other members", `{"jsonrpc":"2.0","id":1,"method":"dump","x":{"y":[]}}`, `{"jsonrpc":"2.0","id":1,"result":{}}`},
		{"failure", `{"jsonrpc":"2.0","id":1,"method":"reload"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no such file"}}`},
		{"no JSON", `{"jsonrpc":"2.0","id":1,"method":"dump"`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"not JSON: octet 39: want ',' or '}'"}}`},
		{"not UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"not JSON: octet 34: want UTF-8"}}`},
		{"batch", `[{"jsonrpc":"2.0","id":1,"method":"dump"}]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches are not served: send one request a line"}}`},
		{"no object", `7`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"jsonrpc: want \"2.0\""}}`},
		{"no version", `{"id":1,"method":"dump"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"jsonrpc: want \"2.0\""}}`},
		{"other version", `{"jsonrpc":2.0,"id":1,"method":"dump"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"jsonrpc: want \"2.0\""}}`},
		{"no method", `{"jsonrpc":"2.0","id":1}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"method: want a string"}}`},
		{"method of another kind", `{"jsonrpc":"2.0","id":1,"method":["dump"]}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"method: want a string"}}`},
		{"object as id", `{"jsonrpc":"2.0","id":{},"method":"dump"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"id: want a string or a number"}}`},
		{"true as id", `{"jsonrpc":"2.0","id":true,"method":"dump"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"id: want a string or a number"}}`},
		{"unknown method", `{"jsonrpc":"2.0","id":1,"method":"Dump"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"there is no method Dump; list tells which there are"}}`},
		{"arguments in an array", `{"jsonrpc":"2.0","id":1,"method":"dump","params":[]}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"params: want an object"}}`},
		{"null for arguments", `{"jsonrpc":"2.0","id":1,"method":"dump","params":null}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"params: want an object"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := c.ask(t, tt.line); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestArguments(t *testing.T) {
	s := newStub(t, nil)
	c := dialRaw(t, s.path)
	long := strings.Repeat("x", 200)
	for _, tt := range []struct{ method, args, want string }{
		{"leases", `{"kind":"prefix","interface":"lan"}`, ""},
		{"leases", `{"ubus_rpc_session":"0123"}`, ""},
		{"add_lease", `{"duid":["01","02"],"mac":"02:00:00:00:00:01"}`, ""},
		{"add_lease", `{"duid":[]}`, ""},
		{"del_lease", `{"duid":"01","iaid":4294967295}`, ""},
		{"reconfigure", `{"all":false}`, ""},
		{"leases", `{"colour":"red"}`, "there is no argument colour; leases takes interface, duid, hostname, kind, state"},
		{"leases", `{"` + long + `":1}`, "there is no argument " + long[:64] + "...; leases takes interface, duid, hostname, kind, state"},
		{"dump", `{"all":true}`, "there is no argument all; dump takes none"},
		{"leases", `{"interface":5}`, "interface: 5 is not of type string"},
		{"leases", `{"interface":null}`, "interface: null is not of type string"},
		{"leases", `{"kind":"banana"}`, `kind: "banana" is not one of address prefix`},
		{"leases", `{"kind":""}`, `kind: "" is not one of address prefix`},
		{"leases", `{"kind":["prefix"]}`, `kind: ["prefix"] is not one of address prefix`},
		{"leases", `{"kind":"prefix","kind":"address"}`, "kind: given twice"},
		{"add_lease", `{"duid":["01",2]}`, `duid: ["01",2] is not of type array of strings`},
		{"add_lease", `{"duid":{"01":"02"}}`, `duid: {"01":"02"} is not of type array of strings`},
		{"del_lease", `{"iaid":"7"}`, `iaid: "7" is not of type integer`},
		{"del_lease", `{"iaid":1.5}`, "iaid: 1.5 is not of type integer"},
		{"del_lease", `{"iaid":9223372036854775808}`, "iaid: 9223372036854775808 is not of type integer"},
		{"reconfigure", `{"all":1}`, "all: 1 is not of type boolean"},
		{"listen", `{"events":["dhcp.lease7"]}`, "events: dhcp.lease7 is not one of dhcp.lease6 dhcp.renew6 dhcp.release6 dhcp.expire6 dhcp.decline6 dhcp.prefix6 interface config"},
		{"listen", `{"events":["interface","x*"]}`, "events: x* is not one of dhcp.lease6 dhcp.renew6 dhcp.release6 dhcp.expire6 dhcp.decline6 dhcp.prefix6 interface config"},
	} {
		want := `{"jsonrpc":"2.0","id":1,"result":{}}`
		if tt.want != "" {
			want = failure("1", InvalidParams, tt.want)
			want = want[:len(want)-1]
		}
		got := c.ask(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, tt.method, tt.args))
		if got != want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", tt.method, tt.args, got, want)
		}
		if tt.want == "" {
			if call := <-s.calls; call != tt.method+" "+tt.args {
				t.Errorf("the loop is asked %s", call)
			}
		}
	}
}

// TestNotifications: what has no id is carried out and not answered, whatever comes of it.
func TestNotifications(t *testing.T) {
	s := newStub(t, map[string]string{"reload": "!no"})
	c := dialRaw(t, s.path)
	got := c.ask(t, `{"jsonrpc":"2.0","method":"dump"}
{"jsonrpc":"2.0","method":"reload"}
{"jsonrpc":"2.0","method":"no such"}
{"jsonrpc":"2.0","method":"list"}

`+"  \n"+`{"jsonrpc":"2.0","method":"leases","params":{"x":1}}
{"jsonrpc":"2.0","id":1,"method":"check"}`)
	if want := `{"jsonrpc":"2.0","id":1,"result":{}}`; got != want {
		t.Errorf("got %s", got)
	}
	for _, want := range []string{"dump", "reload", "check"} {
		if call := <-s.calls; call != want {
			t.Errorf("the loop is asked %s, want %s", call, want)
		}
	}
}

// TestPipelining: requests that are all sent at once are answered in order.
func TestPipelining(t *testing.T) {
	s := newStub(t, map[string]string{"status": `{"x":"` + strings.Repeat("x", 300) + `"}`})
	c := dialRaw(t, s.path)
	const n = 5000
	go func() {
		var all strings.Builder
		for i := range n {
			fmt.Fprintf(&all, `{"jsonrpc":"2.0","id":%d,"method":"status"}`+"\n", i)
		}
		c.Conn.Write([]byte(all.String()))
	}()
	for i := range n {
		if got, want := c.line(t), fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{"x":"xxx`, i); !strings.HasPrefix(got, want) {
			t.Fatalf("answer %d is %s", i, got)
		}
	}
}

// TestList: the reply has the methods of the daemon, those of its own, and the events.
func TestList(t *testing.T) {
	s := newStub(t, nil)
	got := dialRaw(t, s.path).ask(t, `{"jsonrpc":"2.0","id":1,"method":"list"}`)
	for _, want := range []string{
		`{"methods":[{"name":"list","doc":"the methods with their arguments, and the events","changes":false,"arguments":[]},`,
		`{"name":"listen","doc":"send events, as notifications on this connection","changes":false,"arguments":[{"name":"events","type":"array of strings",`,
		`{"name":"kind","type":"string","values":["address","prefix"],"doc":"of this kind"}`,
		`{"name":"reload","doc":"read the configuration again","changes":true,"arguments":[]}`,
		`"events":["dhcp.lease6","dhcp.renew6",`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %s in\n%s", want, got)
		}
	}
}

// connectAs is a connection whose peer the server takes for somebody else.
func (s *stub) connectAs(t *testing.T, peer Peer) *raw {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.welcome(fds[0], peer)
	return newRaw(t, fds[1])
}

// TestPeers: everybody whom the socket lets in may read, only root and the daemon's own user may change something.
func TestPeers(t *testing.T) {
	s := newStub(t, nil)
	own := uint32(unix.Geteuid())
	const stranger = 4711
	done := `{"jsonrpc":"2.0","id":1,"result":{}}`
	denied := func(method string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"%s: only root and the user with id %d may, not the one with id %d"}}`, method, own, stranger)
	}
	for _, tt := range []struct {
		uid          uint32
		method, want string
	}{
		{0, "reload", done},
		{own, "reload", done},
		{own, "dump", done},
		{stranger, "dump", done},
		{stranger, "listen", done},
		{stranger, "reload", denied("reload")},
		{stranger, "add_lease", denied("add_lease")},
		{nobody, "dump", done},
	} {
		c := s.connectAs(t, Peer{UID: tt.uid, GID: own})
		if got := c.ask(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q}`, tt.method)); got != tt.want {
			t.Errorf("user %d, %s: %s", tt.uid, tt.method, got)
		}
	}
	if c := s.connectAs(t, Peer{UID: nobody}); strings.Contains(c.ask(t, `{"jsonrpc":"2.0","id":1,"method":"reload"}`), "result") {
		t.Error("somebody unknown may reload")
	}
}

// TestSocket: who may connect, what is done about a socket that is there, and that it goes.
func TestSocket(t *testing.T) {
	path := filepath.Join(shortDir(t), SocketName)
	old := unix.Umask(0o077)
	s, err := Listen(Config{Path: path})
	unix.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	_, err = Listen(Config{Path: path})
	if want := fmt.Sprintf("lan6d is already running with process id %d: it listens on %s", os.Getpid(), path); err == nil || err.Error() != want {
		t.Errorf("a second one: %v, want %s", err, want)
	}
	if dialRaw(t, path).ask(t, `{"jsonrpc":"2.0","id":1,"method":"list"}`) == "" {
		t.Error("the first one was displaced")
	}
	s.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("after the end: %v", err)
	}
}

func TestStaleSocket(t *testing.T) {
	path := filepath.Join(shortDir(t), SocketName)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	s, err := Listen(Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestListenFails(t *testing.T) {
	dir := shortDir(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(dir, strings.Repeat("x", 108))
	for path, want := range map[string]string{
		file:                           file + " is in the way: it is not a socket",
		long:                           long + ": the path of a socket has at most 107 octets",
		filepath.Join(dir, "no", "no"): "listen on " + filepath.Join(dir, "no", "no") + ": no such file or directory",
		filepath.Join(file, "x"):       "connect to " + filepath.Join(file, "x") + ": not a directory",
	} {
		s, err := Listen(Config{Path: path})
		if err == nil {
			s.Close()
		}
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if content, err := os.ReadFile(file); string(content) != "precious" {
		t.Errorf("the file has %q, %v", content, err)
	}
}
