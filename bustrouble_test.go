package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/openwrt/ubus"
	"lan6d/openwrt/ubus/ubustest"
)

// TestNoBus: without ubusd lan6d serves by what the files say, and tells once that it is not on ubus. When ubusd comes, all is
// as if it had been there.
func TestNoBus(t *testing.T) {
	m := newBusMachine(t, plain+"config dhcp 'guest'\n\toption dhcpv6 'server'\n")
	m.bus.Stop()
	m.start()
	defer m.kill()
	m.client.ask(dhcpv6.Request, 1)
	for range 100 {
		m.pass(10 * time.Second)
	}
	m.client.ask(dhcpv6.Renew, 1)
	text := string(m.read("log"))
	if strings.Count(text, "not on ubus: connect to ubusd at "+m.bus.Path+": no such file or directory\n") != 1 || strings.Count(text, "not on ubus") != 1 {
		t.Errorf("log %s", text)
	}
	if status := m.overChannel("status", "{}"); asJSON(status["ubus"]) != `{"connected":false,"enabled":true,"netifd":false,"objects":[]}` {
		t.Errorf("status %s", asJSON(status["ubus"]))
	}
	if n := strings.Count(text, "warn: guest: there is no device guest: waiting for it (option ifname names another)"); n != 1 {
		t.Errorf("told %d times: %s", n, text)
	}
	m.netifd.tell(0, lan0)
	m.bus.Start()
	m.passing("both objects", func() bool { return m.objects() == "dhcp lan6d" })
	m.client.ask(dhcpv6.Renew, 1)
}

// TestBusRestarts: when ubusd starts anew, everything is there again: objects, what is followed, those who are told.
func TestBusRestarts(t *testing.T) {
	m := startBusMachine(t, onNetifd, lan0)
	for n := range 3 {
		m.bus.Restart()
		m.client.ask(dhcpv6.Request, 1)
		m.passing("both objects", func() bool { return m.objects() == "dhcp lan6d" })
		m.caller.AwaitKind(ubus.Connected, "")
		m.netifd.AwaitKind(ubus.Published, netifdObject)
		m.passing("netifd to be followed", func() bool { return m.query("status")["ubus"].(map[string]any)["netifd"].(bool) })
		down := network{name: "lan"}
		m.netifd.tell(1, down)
		m.eventually("lan to be down", func() bool { return m.iface("lan")["reason"] != nil })
		m.netifd.tell(1, lan0)
		m.eventually("lan to be up", func() bool { return m.iface("lan")["reason"] == nil })
		m.caller.Events()
		m.client.ask(dhcpv6.Request, byte(10+n))
		m.caller.Await("an event", func(e *ubus.Event) bool { return e.Kind == ubus.Heard && e.Name == "dhcp.lease6" })
	}
	if text := string(m.read("log")); strings.Count(text, "not on ubus") != 3 || strings.Count(text, "connected to ubus") != 4 {
		t.Errorf("log %s", text)
	}
}

// TestBusOff: with option ubus 0 there is no connection. A reload turns it off and on, whoever asks for the reload.
func TestBusOff(t *testing.T) {
	const off = "config lan6d\n\toption ubus '0'\n"
	m := newBusMachine(t, onNetifd, lan0)
	m.write("config/lan6d", []byte(off))
	m.start()
	defer m.kill()
	m.logged("warn: lan: there is no device lan: waiting for it (option ifname names another)")
	m.pass(time.Minute)
	if status := m.overChannel("status", "{}"); asJSON(status["ubus"]) != `{"enabled":false}` || m.objects() != "" || m.netifd.asked() > 0 {
		t.Errorf("off: %s, %s, netifd was asked %d times", asJSON(status["ubus"]), m.objects(), m.netifd.asked())
	}
	for _, way := range []struct {
		name   string
		reload func()
	}{
		{"signal", m.reload},
		{"control channel", func() { m.overChannel("reload", "{}") }},
		{"ubus", func() {
			if status, answer := m.call(ownObject, "reload", nil); status != ubus.StatusOK || answer["changed"] != true {
				t.Errorf("reload over ubus: %v, %v", status, answer)
			}
		}},
	} {
		m.write("config/lan6d", nil)
		m.reload()
		m.passing("both objects", func() bool { return m.objects() == "dhcp lan6d" })
		m.passing("lan to be served", func() bool { return m.iface("lan")["reason"] == nil })
		m.client.ask(dhcpv6.Request, 1)

		m.write("config/lan6d", []byte(off))
		way.reload()
		m.passing("lan6d to leave", func() bool { return m.objects() == "" })
		status := m.overChannel("status", "{}")
		if text := asJSON(status); asJSON(status["ubus"]) != `{"enabled":false}` || !strings.Contains(text, "there is no device lan: waiting for it") {
			t.Errorf("%s: %s", way.name, text)
		}
	}

	m.write("config/lan6d", nil)
	m.reload()
	m.passing("both objects", func() bool { return m.objects() == "dhcp lan6d" })
	m.write("config/lan6d", []byte(off))
	m.reload()
	m.write("config/lan6d", nil) // before it has left
	m.reload()
	m.passing("lan to be served", func() bool { return m.iface("lan")["reason"] == nil })
	if m.pass(time.Minute); m.objects() != "dhcp lan6d" {
		t.Error("has left after all")
	}
}

// TestBusFlood: somebody calls ten thousand times. Clients are served meanwhile, and each call is answered.
func TestBusFlood(t *testing.T) {
	m := startBusMachine(t, onNetifd, lan0)
	m.client.ask(dhcpv6.Request, 1)
	const calls = 10000
	for n := 0; n < calls; {
		m.caller.Do(func(c *ubus.Client) {
			for range min(200, calls-n) { // as many as a Client has at a time
				n++
				c.Invoke(m.caller.Now(), ownObject, []string{"status", "leases", "add_lease", "no_such"}[n%4], ubustest.Object(nil), ubustest.Patience, n)
			}
		})
		m.client.ask(dhcpv6.Renew, 1)
		m.caller.Await(fmt.Sprint("answer ", n), func(e *ubus.Event) bool { return e.Kind == ubus.Answered && e.Tag == n })
	}
	if m.query("loglevel"); m.daemon.bus.Counters().Calls < calls*3/4 {
		t.Errorf("%d calls came", m.daemon.bus.Counters().Calls)
	}
}

// TestBusNeverReads: answers of 900 KiB to somebody who does not read them, and events to a ubusd that does not, are nobody
// else's trouble. lan6d gives up a ubusd that is stuck, and tries again.
func TestBusNeverReads(t *testing.T) {
	m := startBusMachine(t, onNetifd, lan0)
	for host := range 16 {
		m.call(ownObject, "add_lease", func(w *ubus.Writer) {
			w.BeginArray("duid")
			for n := range 200 {
				w.String("", fmt.Sprintf("%0260x", 200*host+n+1))
			}
			w.EndArray()
			w.String("hostid", strconv.Itoa(host+10))
		})
	}
	if e := m.caller.Call(ownObject, "dump", nil); len(e.Args) < 900<<10 {
		t.Fatalf("%v: a dump has %d octets only", e.Status, len(e.Args))
	}
	deaf := m.join()
	gate := make(chan bool)
	entered := make(chan bool)
	go deaf.Do(func(c *ubus.Client) {
		for n := range 20 {
			c.Invoke(deaf.Now(), ownObject, "dump", ubustest.Object(nil), ubustest.Patience, n)
		}
		close(entered)
		<-gate
	})
	<-entered
	defer close(gate)
	for range 20 {
		m.client.ask(dhcpv6.Request, 1)
		m.query("leases")
	}

	m.write("config/dhcp", []byte(strings.Repeat("config host\n\toption mac '"+strings.Repeat("x", 50)+"'\n", 300))) // a long event
	m.bus.Hold(true)
	m.eventually("ubusd to be given up", func() bool {
		m.overChannel("reload", "{}")
		m.client.ask(dhcpv6.Renew, 1)
		return bytes.Contains(m.read("log"), []byte("not on ubus: ubusd does not read what it is sent"))
	})
	m.bus.Hold(false)
	m.passing("both objects", func() bool { return m.objects() == "dhcp lan6d" })
}

// TestRenewOnBusAllocatesNothing: neither does a renewal on a bus where nobody wants to be told.
func TestRenewOnBusAllocatesNothing(t *testing.T) {
	m := startBusMachine(t, onNetifd, lan0)
	m.passing("dhcp", func() bool { return m.objects() == "dhcp lan6d" })
	m.client.ask(dhcpv6.Request, 1)
	m.query("loglevel")
	if n := testing.AllocsPerRun(200, func() {
		m.pass(time.Minute)
		m.client.ask(dhcpv6.Renew, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if !m.daemon.bus.Connected() {
		t.Error("not on the bus")
	}
	follower := m.join(ownObject)
	m.query("loglevel") // lan6d knows of its follower by now
	m.client.ask(dhcpv6.Renew, 1)
	follower.Await("a renewal", func(e *ubus.Event) bool { return e.Kind == ubus.Notified && e.Name == "dhcp.renew6" })
	if slices.ContainsFunc(m.caller.Events(), func(e *ubus.Event) bool { return e.Name == "dhcp.renew6" }) {
		t.Error("a renewal is an event")
	}
}
