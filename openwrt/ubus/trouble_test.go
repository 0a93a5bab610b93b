package ubus_test

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lan6d/openwrt/ubus"
	"lan6d/openwrt/ubus/ubustest"
)

// TestForbidden lacks the access rules, until they are read anew.
func TestForbidden(t *testing.T) {
	checkGoroutines(t)
	bus := ubustest.New(t)
	netifd(t, bus, "br-lan")
	rules := []string{"publish lan6d", "listen ubus.object.add", "listen ubus.object.remove", "listen test.",
		"subscribe network.interface", "access network.interface dump", "send dhcp.lease6"}
	for _, r := range rules {
		bus.Forbid(r)
	}
	d := ubustest.Join(t, ours(bus.Path), answer)
	for path, want := range map[string]ubus.Status{"ubus.object.add": 6, "ubus.object.remove": 6, "test.*": 6, "lan6d": 2} {
		e := d.Await("refusal of "+path, func(e *ubus.Event) bool { return e.Kind == ubus.Refused && e.Path == path })
		if e.Status != want {
			t.Errorf("%s: %v, want %v", path, e.Status, want)
		}
		d.Leave()
		d = ubustest.Join(t, ours(bus.Path), answer)
	}
	d.AwaitKind(ubus.Published, "dhcp")
	if e := d.Call("network.interface", "dump", nil); e.Status != ubus.StatusNotFound {
		t.Errorf("dump: %v", e.Status) // as all its methods are hidden
	}
	d.Do(func(c *ubus.Client) {
		c.Send("dhcp.lease6", ubustest.Object(nil))
	})
	poll(t, "told of the refusal", func() (yes bool) {
		d.Do(func(c *ubus.Client) { yes = c.Counters().Refused == 1 })
		return yes
	})
	for _, r := range rules {
		bus.Allow(r)
	}
	d.Events()
	d.Skip(30 * time.Second)
	seen := map[ubus.EventKind]bool{}
	d.Await("all that was refused", func(e *ubus.Event) bool {
		seen[e.Kind] = true
		return seen[ubus.Published] && seen[ubus.Followed]
	})
	if !slices.Equal(bus.Objects(), []string{"dhcp", "lan6d", "network.interface", "network.interface.lan"}) {
		t.Errorf("published: %q", bus.Objects())
	}
}

// TestUbusdDoesNotRead sends to an ubusd that does not read, until the connection is given up.
func TestUbusdDoesNotRead(t *testing.T) {
	checkGoroutines(t)
	bus := ubustest.New(t)
	d := daemon(t, bus)
	bus.Hold(true)
	event := ubustest.Object(func(w *ubus.Writer) { w.String("text", strings.Repeat("x", 1000)) })
	n := 0
	for more := true; more; n++ {
		d.Do(func(c *ubus.Client) { // never waits
			c.Send("test", event)
			more = c.Counters().Overflows == 0
		})
	}
	if n < 1900 || n > 3000 { // 2 MiB, and what the socket holds
		t.Errorf("%d events of 1,000 octets were queued", n)
	}
	if e := d.AwaitKind(ubus.Disconnected, ""); e.Err == nil || e.Err.Error() != "ubusd does not read what it is sent" {
		t.Errorf("disconnected: %v", e.Err)
	}
	bus.Hold(false)
	reconnect(t, d)
	d.AwaitKind(ubus.Published, "lan6d")
	echo(t, stranger(t, bus), "again")
}

// TestUbusdDoesNotAnswer gives up waiting.
func TestUbusdDoesNotAnswer(t *testing.T) {
	checkGoroutines(t)
	bus := ubustest.New(t)
	bus.Hold(true)
	d := ubustest.Join(t, ours(bus.Path), answer)
	d.AwaitKind(ubus.Connected, "")
	d.Skip(30 * time.Second)
	if e := d.AwaitKind(ubus.Disconnected, ""); e.Err == nil || e.Err.Error() != "ubusd does not answer" {
		t.Errorf("disconnected: %v", e.Err)
	}
	bus.Hold(false)
	reconnect(t, d)
	d.AwaitKind(ubus.Published, "lan6d")
	d.AwaitKind(ubus.Published, "dhcp")

	// Nor does a method of another program.
	p := stranger(t, bus)
	p.Do(func(c *ubus.Client) { c.Invoke(p.Now(), "lan6d", "never", nil, time.Second, 1) })
	d.AwaitKind(ubus.Called, "lan6d")
	p.Skip(time.Second)
	if e := p.AwaitKind(ubus.Answered, "lan6d"); e.Status != ubus.StatusTimeout {
		t.Errorf("answered: %v", e.Status)
	}
}

// TestSilence connects to what accepts connections and says nothing.
func TestSilence(t *testing.T) {
	checkGoroutines(t)
	path := filepath.Join(t.TempDir(), "ubus.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := ubustest.Join(t, ours(path), answer)
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	d.Skip(30 * time.Second)
	if e := d.AwaitKind(ubus.Disconnected, ""); e.Err == nil || e.Err.Error() != "ubusd does not answer" {
		t.Errorf("disconnected: %v", e.Err)
	}
}

// TestPieces gets everything in small pieces.
func TestPieces(t *testing.T) {
	for _, n := range []int{1, 3, 7, 11, 13, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			checkGoroutines(t)
			bus := ubustest.New(t)
			bus.Cut(n)
			daemon(t, bus)
			p := stranger(t, bus)
			for range 20 {
				echo(t, p, strings.Repeat("x", 300))
			}
		})
	}
}

// TestGarbage has ubusd say what makes no sense.
func TestGarbage(t *testing.T) {
	frame := "\x00\x05\x00\x01\x00\x00\x00\x02\x00\x00\x00\x0c\x03\x00\x00\x08\x00\x00\x00\x01"
	for name, tt := range map[string]struct {
		octets string
		want   string // why the connection is given up; "": it is not
	}{
		"text":              {"HTTP/1.1 400 Bad Request\r\n\r\n", "ubusd sent what is no message: its length is not in 4..1048576"},
		"zeros":             {strings.Repeat("\x00", 100), "ubusd sent what is no message: its length is not in 4..1048576"},
		"length too long":   {"\x00\x02\x00\x01\x00\x00\x00\x02\x00\x10\x00\x01", "ubusd sent what is no message: its length is not in 4..1048576"},
		"half a frame":      {frame[:14], "ubusd closed the connection in the middle of a message"},
		"half a header":     {frame[:5], "ubusd closed the connection in the middle of a message"},
		"long frame":        {"\x00\x02\x00\x01\x00\x00\x00\x02\x00\x10\x00\x00", "ubusd closed the connection in the middle of a message"},
		"frames for nobody": {strings.Repeat(frame, 100), ""},
		"bad attributes":    {"\x00\x05\x00\x01\x00\x00\x00\x02\x00\x00\x00\x0c\x03\x00\x00\x09\x00\x00\x00\x01", ""},
		"unknown type":      {"\x00\xff\x00\x01\x00\x00\x00\x02\x00\x00\x00\x04", ""},
	} {
		t.Run(name, func(t *testing.T) {
			checkGoroutines(t)
			bus := ubustest.New(t)
			d := daemon(t, bus)
			bus.Inject([]byte(tt.octets))
			if strings.HasSuffix(tt.want, "middle of a message") {
				d.Do(func(*ubus.Client) {})
				bus.KickWhenWritten()
			}
			if tt.want != "" {
				if e := d.AwaitKind(ubus.Disconnected, ""); e.Err == nil || e.Err.Error() != tt.want {
					t.Errorf("disconnected: %v, want %s", e.Err, tt.want)
				}
				reconnect(t, d)
				d.AwaitKind(ubus.Published, "lan6d")
			}
			echo(t, stranger(t, bus), "still there")
			if tt.want == "" && slices.ContainsFunc(d.Events(), func(e *ubus.Event) bool { return e.Kind == ubus.Disconnected }) {
				t.Error("disconnected")
			}
		})
	}
}
