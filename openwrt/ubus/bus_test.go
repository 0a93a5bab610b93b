package ubus_test

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"lan6d/openwrt/ubus"
	"lan6d/openwrt/ubus/ubustest"
)

func TestCallsInARow(t *testing.T) {
	checkGoroutines(t)
	bus := ubustest.New(t)
	d, p := daemon(t, bus), stranger(t, bus)
	for i := range 1000 {
		echo(t, p, fmt.Sprint("call ", i))
	}
	if e := p.Call("lan6d", "who", nil); e.Status != ubus.StatusOK {
		t.Error(e.Status)
	} else if user, _ := e.Args.String("user"); os.Getuid() == 0 && user != "root" {
		t.Errorf("called by %q", user)
	}
	if e := p.Call("lan6d", "fail", nil); e.Status != ubus.StatusNoData || e.Args != nil {
		t.Errorf("%v, %x", e.Status, e.Args)
	}
	for method, want := range map[string]ubus.Status{"nosuch": ubus.StatusMethodNotFound, "": ubus.StatusOK} {
		if e := p.Call("lan6d", method, nil); e.Status != want {
			t.Errorf("%q: %v, want %v", method, e.Status, want)
		}
	}
	if e := p.Call("nosuch", "echo", nil); e.Status != ubus.StatusNotFound {
		t.Errorf("no such object: %v", e.Status)
	}
	if e := p.Call("lan6d", "large", nil); e.Status != ubus.StatusOK {
		t.Errorf("large: %v", e.Status)
	} else if text, _ := e.Args.String("text"); len(text) != 900<<10 {
		t.Errorf("%d octets", len(text))
	}
	d.Do(func(c *ubus.Client) {
		if got := c.Counters(); got != (ubus.Counters{Connects: 1, Calls: 1003}) {
			t.Errorf("counters %+v", got)
		}
	})
}

// TestConcurrentCalls has several programs call the daemon, whose method calls another program before it answers.
func TestConcurrentCalls(t *testing.T) {
	checkGoroutines(t)
	bus := ubustest.New(t)
	netifd(t, bus, "br-lan")
	waiting := make(map[int]*ubus.Event)
	cfg := ours(bus.Path)
	d := ubustest.Join(t, cfg, func(c *ubus.Client, e *ubus.Event) {
		switch e.Kind {
		case ubus.Called:
			tag := len(waiting)
			waiting[tag] = e
			c.Invoke(time.Now(), "network.interface", "dump", nil, time.Minute, tag)
		case ubus.Answered:
			call := waiting[e.Tag]
			waiting[e.Tag] = nil
			c.Reply(call, e.Status, ubustest.Object(func(w *ubus.Writer) {
				text, _ := call.Args.String("text")
				for _, i := range e.Args.Elements("interface").All() {
					device, _ := i.String("l3_device")
					w.String("text", text+" "+device)
				}
			}))
		}
	})
	d.AwaitKind(ubus.Published, "lan6d")
	var all sync.WaitGroup
	for i := range 5 {
		p := stranger(t, bus)
		all.Go(func() {
			for n := range 100 {
				text := fmt.Sprint(i, " ", n)
				e := p.Call("lan6d", "echo", ubustest.Object(func(w *ubus.Writer) { w.String("text", text) }))
				if got, _ := e.Args.String("text"); e.Status != ubus.StatusOK || got != text+" br-lan" {
					t.Errorf("%v, %q, want %q", e.Status, got, text)
				}
			}
		})
	}
	all.Wait()
}

// TestOdhcpdLeaves has odhcpd own dhcp before the daemon comes, start anew, and leave.
func TestOdhcpdLeaves(t *testing.T) {
	checkGoroutines(t)
	bus := ubustest.New(t)
	odhcpd := func() *ubustest.Peer {
		p := ubustest.Join(t, ubus.Config{Path: bus.Path, Objects: []ubus.Object{{Path: "dhcp", Methods: []ubus.Method{{Name: "ipv4leases"}}}}},
			func(c *ubus.Client, e *ubus.Event) {
				if e.Kind == ubus.Called {
					c.Reply(e, ubus.StatusOK, nil)
				}
			})
		p.AwaitKind(ubus.Published, "dhcp")
		return p
	}
	first := odhcpd()
	d := ubustest.Join(t, ours(bus.Path), answer)
	d.AwaitKind(ubus.Published, "lan6d")
	if e := d.AwaitKind(ubus.Refused, "dhcp"); e.Status != ubus.StatusInvalidArgument {
		t.Errorf("refused: %v", e.Status)
	}
	p := stranger(t, bus)
	has := func(method string) bool { return p.Call("dhcp", method, nil).Status == ubus.StatusOK }
	if !has("ipv4leases") || has("ipv6leases") {
		t.Error("dhcp is not odhcpd's")
	}
	first.Leave()
	second := odhcpd()
	d.Skip(15 * time.Second)
	if !has("ipv4leases") {
		t.Error("dhcp was taken from an odhcpd that only started anew")
	}
	second.Leave()
	poll(t, "dhcp without owner", func() bool { return !slices.Contains(bus.Objects(), "dhcp") })
	poll(t, "dhcp taken", func() bool {
		d.Skip(time.Second)
		time.Sleep(30 * time.Millisecond) // or ubusd seems not to answer, on a slow machine
		return slices.Contains(bus.Objects(), "dhcp")
	})
	d.AwaitKind(ubus.Published, "dhcp")
	if !has("ipv6leases") || has("ipv4leases") {
		t.Error("dhcp is not the daemon's")
	}
	d.Leave()
	poll(t, "all removed", func() bool { return len(bus.Objects()) == 0 })
}

// TestUbusdRestarts has ubusd come late, and start anew.
func TestUbusdRestarts(t *testing.T) {
	checkGoroutines(t)
	bus := ubustest.New(t)
	bus.Stop()
	d := ubustest.Join(t, ours(bus.Path), answer)
	d.AwaitKind(ubus.Disconnected, "")
	bus.Start()
	for range 3 {
		reconnect(t, d)
		d.AwaitKind(ubus.Connected, "")
		d.AwaitKind(ubus.Published, "lan6d")
		d.AwaitKind(ubus.Published, "dhcp")
		n := netifd(t, bus, "br-lan")
		d.AwaitKind(ubus.Followed, "network.interface")
		p := stranger(t, bus)
		p.AwaitKind(ubus.Followed, "lan6d")
		echo(t, p, "after restart")
		p.Leave()
		n.Leave()
		bus.Restart()
		if e := d.AwaitKind(ubus.Disconnected, ""); e.Err == nil {
			t.Error("disconnected without a reason")
		}
	}
	reconnect(t, d)
	d.AwaitKind(ubus.Connected, "")
	bus.Stop()
	// Nobody is told twice.
	d.AwaitKind(ubus.Disconnected, "")
	for range 10 {
		d.Skip(time.Minute)
	}
	if events := d.Events(); len(events) != 0 {
		t.Errorf("%+v", events[0])
	}
}

// TestNetifdRestarts follows netifd's notifications beyond its end.
func TestNetifdRestarts(t *testing.T) {
	checkGoroutines(t)
	bus := ubustest.New(t)
	d := daemon(t, bus)
	for i := range 3 {
		device := fmt.Sprint("br-lan", i)
		n := netifd(t, bus, device)
		d.AwaitKind(ubus.Followed, "network.interface")
		e := d.Call("network.interface", "dump", nil)
		for _, i := range e.Args.Elements("interface").All() {
			if got, _ := i.String("l3_device"); got != device {
				t.Errorf("device %q, want %q", got, device)
			}
		}
		for _, name := range []string{"interface.down", "interface.update"} {
			poll(t, "somebody subscribes", func() (yes bool) {
				n.Do(func(c *ubus.Client) { yes = c.Subscribed("network.interface") })
				return yes
			})
			n.Do(func(c *ubus.Client) {
				c.Notify("network.interface", name, ubustest.Object(func(w *ubus.Writer) { w.String("interface", "lan") }))
			})
			e := d.AwaitKind(ubus.Notified, "network.interface")
			if what, _ := e.Args.String("interface"); e.Name != name || what != "lan" {
				t.Errorf("notified of %q by %q", what, e.Name)
			}
		}
		n.Leave()
		d.AwaitKind(ubus.Unfollowed, "network.interface")
	}
	if e := d.Call("network.interface", "dump", nil); e.Status != ubus.StatusNotFound {
		t.Errorf("netifd is gone: %v", e.Status)
	}
}

// TestEvents sends events and notifications to others, and hears theirs.
func TestEvents(t *testing.T) {
	checkGoroutines(t)
	bus := ubustest.New(t)
	d := daemon(t, bus)
	event := ubustest.Object(func(w *ubus.Writer) { w.String("interface", "lan") })
	d.Do(func(c *ubus.Client) {
		if c.Subscribed("lan6d") {
			t.Error("nobody can have subscribed")
		}
		if err := c.Notify("lan6d", "dhcp.lease6", event); err != nil {
			t.Error(err)
		}
	})
	p := stranger(t, bus)
	p.AwaitKind(ubus.Followed, "lan6d")
	poll(t, "somebody subscribes", func() (yes bool) {
		d.Do(func(c *ubus.Client) { yes = c.Subscribed("lan6d") })
		return yes
	})
	for i := range 10 {
		name := fmt.Sprint("dhcp.lease6.", i)
		d.Do(func(c *ubus.Client) {
			c.Notify("lan6d", name, event)
			c.Send(name, event)
			c.Send("test.own", event) // comes not back
		})
		e := p.AwaitKind(ubus.Notified, "lan6d")
		if what, _ := e.Args.String("interface"); e.Name != name || what != "lan" {
			t.Errorf("notified of %q by %q", what, e.Name)
		}
		e = p.Await("event", func(e *ubus.Event) bool { return e.Kind == ubus.Heard })
		if what, _ := e.Args.String("interface"); e.Name != name || what != "lan" {
			t.Errorf("heard of %q by %q", what, e.Name)
		}
	}
	p.Do(func(c *ubus.Client) { c.Send("test.other", event) })
	if e := d.Await("event", func(e *ubus.Event) bool { return e.Kind == ubus.Heard }); e.Name != "test.other" {
		t.Errorf("heard %q", e.Name)
	}
	p.Leave()
	poll(t, "nobody subscribes", func() (no bool) {
		d.Do(func(c *ubus.Client) { no = !c.Subscribed("lan6d") })
		return no
	})
}

// TestLateReply answers a call after others that came later.
func TestLateReply(t *testing.T) {
	checkGoroutines(t)
	bus := ubustest.New(t)
	var calls []*ubus.Event
	d := ubustest.Join(t, ours(bus.Path), func(c *ubus.Client, e *ubus.Event) {
		if e.Kind == ubus.Called {
			calls = append(calls, e)
		}
	})
	d.AwaitKind(ubus.Published, "lan6d")
	p := stranger(t, bus)
	const n = 50
	p.Do(func(c *ubus.Client) {
		for i := range n {
			c.Invoke(p.Now(), "lan6d", "echo", ubustest.Object(func(w *ubus.Writer) { w.Int32("n", int32(i)) }), time.Minute, i)
		}
	})
	poll(t, "all calls came", func() (yes bool) {
		d.Do(func(*ubus.Client) { yes = len(calls) == n })
		return yes
	})
	d.Do(func(c *ubus.Client) {
		for _, call := range slices.Backward(calls) {
			n, _ := call.Args.Int("n")
			c.Reply(call, ubus.StatusOK, ubustest.Object(func(w *ubus.Writer) { w.Int64("n", n) }))
		}
	})
	for i := n - 1; i >= 0; i-- {
		e := p.AwaitKind(ubus.Answered, "lan6d")
		if got, _ := e.Args.Int("n"); e.Tag != i || got != int64(i) || e.Status != ubus.StatusOK {
			t.Errorf("answer to %d: %d, %v, want %d", e.Tag, got, e.Status, i)
		}
	}
}
