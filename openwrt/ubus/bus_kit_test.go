package ubus_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"lan6d/openwrt/ubus"
	"lan6d/openwrt/ubus/ubustest"
)

// ours is what the daemon takes part in.
func ours(path string) ubus.Config {
	return ubus.Config{
		Path: path, Follow: []string{"network.interface"}, Listen: []string{"test.*"},
		Objects: []ubus.Object{
			{Path: "lan6d", Methods: []ubus.Method{{Name: "echo", Args: []ubus.Arg{{Name: "text", Type: ubus.ArgString}}}, {Name: "who"}, {Name: "large"}, {Name: "fail"}, {Name: "never"}}},
			{Path: "dhcp", Methods: []ubus.Method{{Name: "ipv6leases"}}},
		},
	}
}

// answer answers the calls of the daemon's methods.
func answer(c *ubus.Client, e *ubus.Event) {
	if e.Kind != ubus.Called {
		return
	}
	status := ubus.StatusOK
	w := ubustest.Object(func(w *ubus.Writer) {
		text, _ := e.Args.String("text")
		switch e.Name {
		case "echo":
			w.String("text", text)
		case "who":
			w.String("user", e.User)
			w.String("group", e.Group)
		case "large":
			w.String("text", strings.Repeat("x", 900<<10))
		case "fail":
			status = ubus.StatusNoData
		}
	})
	if e.Name != "never" {
		c.Reply(e, status, w)
	}
}

// daemon joins the bus and waits until all is published.
func daemon(t *testing.T, bus *ubustest.Bus) *ubustest.Peer {
	t.Helper()
	p := ubustest.Join(t, ours(bus.Path), answer)
	p.AwaitKind(ubus.Published, "lan6d")
	p.AwaitKind(ubus.Published, "dhcp")
	return p
}

// netifd joins the bus with an interface lan on the device.
func netifd(t *testing.T, bus *ubustest.Bus, device string) *ubustest.Peer {
	t.Helper()
	return ubustest.Netifd(t, bus.Path, func(w *ubus.Writer) {
		w.BeginObject("")
		w.String("interface", "lan")
		w.String("l3_device", device)
		w.EndObject()
	})
}

// stranger joins the bus without anything to publish.
func stranger(t *testing.T, bus *ubustest.Bus) *ubustest.Peer {
	t.Helper()
	p := ubustest.Join(t, ubus.Config{Path: bus.Path, Follow: []string{"lan6d"}, Listen: []string{"dhcp.*"}}, nil)
	p.AwaitKind(ubus.Connected, "")
	return p
}

// echo calls the daemon and checks its answer.
func echo(t *testing.T, p *ubustest.Peer, text string) {
	t.Helper()
	e := p.Call("lan6d", "echo", ubustest.Object(func(w *ubus.Writer) { w.String("text", text) }))
	if got, _ := e.Args.String("text"); e.Status != ubus.StatusOK || got != text {
		t.Fatalf("%v, %q, want %q", e.Status, got, text)
	}
}

func checkGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for end := time.Now().Add(ubustest.Patience); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				buf := make([]byte, 1<<16)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			}
		}
	})
}

// poll waits until the condition holds.
func poll(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(ubustest.Patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// reconnect makes the pauses between attempts to connect shorter.
func reconnect(t *testing.T, p *ubustest.Peer) {
	t.Helper()
	poll(t, "connected", func() (yes bool) {
		p.Do(func(c *ubus.Client) { yes = c.Connected() })
		if !yes {
			p.Skip(100 * time.Millisecond)
		}
		return yes
	})
}
