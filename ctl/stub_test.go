package ctl

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lan6d/ctl/json"
)

// stub is a daemon for tests: its loop answers with what replies has for a method, and emits what it is told to.
type stub struct {
	*Server
	path    string
	replies map[string]string // JSON by method; "!message" fails
	calls   chan string       // each call, with its arguments
	emit    chan event
	do      chan func() // run by the loop
	end     func()
}

type event struct {
	name, params string
}

var stubMethods = []Method{
	{Name: "status", Doc: "what the daemon does"},
	{Name: "interfaces", Doc: "its interfaces"},
	{Name: "leases", Doc: "who has what", Args: []Arg{
		{Name: "interface", Doc: "on this interface"}, {Name: "duid", Doc: "of this client"}, {Name: "hostname", Doc: "of this host"},
		{Name: "kind", Values: []string{"address", "prefix"}, Doc: "of this kind"}, {Name: "state", Values: []string{"bound", "offered", "declined", "free"}, Doc: "in this state"},
	}},
	{Name: "add_lease", Doc: "a fixed lease until the next reload", Changes: true, Args: []Arg{
		{Name: "duid", Type: Strings, Doc: "DUIDs, with %IAID"}, {Name: "mac", Type: Strings, Doc: "hardware addresses"},
		{Name: "name", Doc: "host name"}, {Name: "ip", Doc: "address"}, {Name: "hostid", Doc: "interface id"},
		{Name: "prefix", Doc: "prefix"}, {Name: "leasetime", Doc: "valid lifetime"},
	}},
	{Name: "del_lease", Doc: "end leases", Changes: true, Args: []Arg{
		{Name: "duid"}, {Name: "iaid", Type: Integer}, {Name: "address"}, {Name: "prefix"}, {Name: "interface"},
	}},
	{Name: "reconfigure", Doc: "tell clients to come", Changes: true, Args: []Arg{
		{Name: "interface"}, {Name: "duid"}, {Name: "all", Type: Boolean, Doc: "all clients"},
	}},
	{Name: "reload", Doc: "read the configuration again", Changes: true},
	{Name: "check", Doc: "what is wrong in the configuration"},
	{Name: "loglevel", Doc: "what is logged", Changes: true, Args: []Arg{{Name: "level", Values: []string{"error", "warn", "info", "debug"}}}},
	{Name: "metrics", Doc: "counters"},
	{Name: "dump", Doc: "all state"},
}

var stubEvents = []string{"dhcp.lease6", "dhcp.renew6", "dhcp.release6", "dhcp.expire6", "dhcp.decline6", "dhcp.prefix6", "interface", "config"}

// newStub starts a stub whose socket is in a directory of its own. It ends with the test.
func newStub(t testing.TB, replies map[string]string) *stub {
	t.Helper()
	return startStub(t, shortDir(t), replies, patience{idle: time.Minute, whole: time.Minute, write: time.Minute})
}

func startStub(t testing.TB, dir string, replies map[string]string, patience patience) *stub {
	t.Helper()
	s := &stub{
		path: filepath.Join(dir, SocketName), replies: replies, calls: make(chan string, 1<<16), emit: make(chan event), do: make(chan func()),
	}
	var err error
	s.Server, err = listen(Config{Path: s.path, Methods: stubMethods, Events: stubEvents, Report: func(err error) { t.Error(err) }}, patience)
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		s.loop(stop)
	}()
	s.end = sync.OnceFunc(s.Close)
	t.Cleanup(func() {
		s.end()
		close(stop)
		<-stopped
		if _, err := os.Lstat(s.path); !os.IsNotExist(err) {
			t.Errorf("the socket is left behind: %v", err)
		}
	})
	return s
}

// shortDir is a directory whose path is short enough for sockets.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// loop is the daemon's event loop.
func (s *stub) loop(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case f := <-s.do:
			f()
		case e := <-s.emit:
			s.Emit(e.name, copyOf(e.params))
		case r := <-s.Requests():
			call := r.Method
			if r.Args != nil {
				call += " " + r.Args.Raw
			}
			select {
			case s.calls <- call:
			default:
			}
			reply := s.replies[r.Method]
			if message, ok := strings.CutPrefix(reply, "!"); ok {
				r.Fail(Failed, message)
			} else {
				r.Reply(copyOf(reply))
			}
			r.Fail(Failed, "answered twice") // which is ignored
		}
	}
}

// copyOf writes what a JSON text says, as the daemon writes its state.
func copyOf(text string) func(Writer) {
	if text == "" {
		return nil
	}
	v, err := json.Parse(text, 1<<20)
	if err != nil {
		panic(text + ": " + err.Error())
	}
	return func(w Writer) { writeValue(w, "", v) }
}

func writeValue(w Writer, name string, v *json.Value) {
	switch v.Raw[0] {
	case '{':
		w.BeginObject(name)
		for i := range v.Items {
			writeValue(w, v.Items[i].Name, &v.Items[i])
		}
		w.EndObject()
	case '[':
		w.BeginArray(name)
		for i := range v.Items {
			writeValue(w, "", &v.Items[i])
		}
		w.EndArray()
	case '"':
		s, _ := v.Text()
		w.String(name, s)
	case 't', 'f':
		w.Bool(name, v.Raw == "true")
	default:
		number, err := json.Parse(`{"n":`+v.Raw+"}", 2)
		if err != nil {
			panic(err)
		}
		n, _ := number.Int("n")
		w.Int64(name, n)
	}
}
