package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/netif/netnstest"
	"lan6d/openwrt"
	"lan6d/openwrt/ubus"
	"lan6d/openwrt/ubus/ubustest"
)

// TestParseNetworks reads what a real netifd has answered.
func TestParseNetworks(t *testing.T) {
	want := []openwrt.Network{
		{Name: "lan", Device: "br-lan"},
		{Name: "loopback", Device: "lo"},
		{Name: "wan6", Device: "wan0", Delegated: true},
	}
	if got := parseNetworks(dumped(t)); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// dumped is the content of the answer to network.interface dump in a capture.
func dumped(t *testing.T) ubus.Args {
	t.Helper()
	b, err := os.ReadFile("openwrt/ubus/testdata/dump.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Frames []struct{ Dir, Type, Hex string }
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, f := range file.Frames {
		if f.Dir != "ubusd>client" || f.Type != "DATA" {
			continue
		}
		frame, err := hex.DecodeString(f.Hex)
		if err != nil {
			t.Fatal(err)
		}
		for attrs := frame[12:]; len(attrs) > 0; {
			size := int(attrs[1])<<16 | int(attrs[2])<<8 | int(attrs[3])
			if attrs[0] == 7 { // UBUS_ATTR_DATA
				args, err := ubus.ParseArgs(attrs[4:size])
				if err != nil {
					t.Fatal(err)
				}
				return args
			}
			attrs = attrs[(size+3)/4*4:]
		}
	}
	t.Fatal("no answer in the capture")
	return nil
}

// TestParseNetworksOdd: what netifd should not tell.
func TestParseNetworksOdd(t *testing.T) {
	m := newBusMachine(t, onNetifd)
	ask := func(write func(w *ubus.Writer)) []openwrt.Network {
		p := ubustest.Join(t, ubus.Config{Path: m.bus.Path, Objects: []ubus.Object{{Path: "echo", Methods: []ubus.Method{{Name: "echo"}}}}},
			func(c *ubus.Client, e *ubus.Event) {
				if e.Kind == ubus.Called {
					c.Reply(e, ubus.StatusOK, ubustest.Object(write))
				}
			})
		defer p.Leave()
		p.AwaitKind(ubus.Published, "echo")
		return parseNetworks(m.caller.Call("echo", "echo", nil).Args)
	}
	if got := ask(func(w *ubus.Writer) { w.String("interface", "lan") }); got == nil || len(got) > 0 {
		t.Errorf("no array: %+v", got)
	}
	got := ask(func(w *ubus.Writer) {
		w.BeginArray("interface")
		w.String("", "lan")
		for _, write := range []func(){
			func() {},
			func() { w.Int32("interface", 1) },
			func() { w.String("interface", "down"); w.String("l3_device", "lan0") },
			func() {
				w.String("interface", "odd")
				w.Bool("up", true)
				w.Int32("l3_device", 1)
				w.String("ipv6-prefix", "")
			},
			func() {
				w.String("interface", "data")
				w.Bool("up", true)
				w.String("l3_device", "lan0")
				w.BeginObject("data")
				w.String("leasetime", "1h")
				w.Int32("preference", -7)
				w.Int64("big", 1<<40)
				w.Bool("dhcpv6_na", false)
				w.BeginArray("dns")
				w.String("", "::1")
				w.EndArray()
				w.BeginObject("zone")
				w.EndObject()
				w.EndObject()
			},
		} {
			w.BeginObject("")
			write()
			w.EndObject()
		}
		w.EndArray()
	})
	want := []openwrt.Network{
		{Name: "down"}, {Name: "odd"},
		{Name: "data", Device: "lan0", Data: []openwrt.Datum{{Name: "leasetime", Value: "1h"}, {Name: "preference", Value: "-7"},
			{Name: "big", Value: "1099511627776"}, {Name: "dhcpv6_na", Value: "false"}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestNetifdMoves: an interface is served where netifd has it: nowhere while it is down, although there is a device of its
// name. The bindings stay.
func TestNetifdMoves(t *testing.T) {
	m := newBusMachine(t, onNetifd, lan0)
	m.write("config/lan6d", m.config("config lan6d\n\toption leasefile 'DIR/files/leases'\n"))
	other := netnstest.Veth(t, "lan1")
	other.Here.AddAddr(t, "lan1", "2001:db8:2::1/48")
	netnstest.Veth(t, "lan")
	m.start()
	defer m.kill()
	m.logged("lan: serving, on device lan0")
	if strings.Contains(string(m.read("log")), "warn") || strings.Contains(string(m.read("log")), "no device") {
		t.Errorf("needless: %s", m.read("log"))
	}
	m.client.ask(dhcpv6.Request, 1)
	had := asJSON(m.query("leases"))

	m.netifd.tell(1, network{name: "lan"})
	m.logged("lan: netifd says that the interface is down: waiting for it")
	if i := m.iface("lan"); i["reason"] != "netifd says that the interface is down: waiting for it" || i["device"] != "" || i["up"] != false || i["role"] != "server" {
		t.Errorf("down: %v", i)
	}
	if text := asJSON(m.query("ipv6leases")); text != `{"device":{}}` {
		t.Errorf("down: %s", text)
	}
	if text := asJSON(m.query("leases")); text != strings.ReplaceAll(had, `"device":"lan0"`, `"device":"lan"`) {
		t.Errorf("had %s, has %s", had, text)
	}
	m.passing("the lease file", func() bool { return strings.Contains(string(m.read("files/leases")), "# lan 00030001020000000001 ") })

	m.netifd.tell(1, network{name: "lan", device: "lan1"})
	m.logged("lan: serving, on device lan1")
	m.eventually("lan to have a prefix", func() bool { return len(m.iface("lan")["prefixes"].([]any)) > 0 })
	newClient(t, other.Peer).ask(dhcpv6.Request, 2)
	if text := asJSON(m.query("ipv6leases")); !strings.Contains(text, `"lan1"`) || !strings.Contains(text, `"2001:db8:2:`) {
		t.Errorf("moved: %s", text)
	}
	m.netifd.tell(1, lan0)
	m.eventually("lan to be served on lan0 again", func() bool { return m.iface("lan")["device"] == "lan0" && m.iface("lan")["reason"] == nil })
	m.client.ask(dhcpv6.Renew, 1)
}

// TestNetifdLater: netifd comes after lan6d, and the device after that, as one of PPP does.
func TestNetifdLater(t *testing.T) {
	m := newBusMachine(t, "config dhcp 'lan'\n\toption dhcpv6 'server'\nconfig dhcp 'wan'\n\toption dhcpv6 'server'\nconfig dhcp 'vpn'\n\toption dhcpv6 'server'\n")
	m.netifd.Leave()
	m.start()
	defer m.kill()
	m.logged("ubus object lan6d is published")
	if i := m.iface("wan"); i["reason"] != untold || i["device"] != "wan" {
		t.Errorf("without netifd: %v", i)
	}
	m.netifd = newNetifd(t, m.bus, lan0, network{name: "wan", device: "pppoe-wan"})
	m.logged("lan: serving, on device lan0")
	m.client.ask(dhcpv6.Request, 1)
	m.logged("warn: wan: there is no device pppoe-wan: waiting for it")
	m.logged("warn: vpn: netifd knows no interface vpn, and there is no device of that name: waiting for it")
	ppp := netnstest.Veth(t, "pppoe-wan")
	ppp.Here.AddAddr(t, "pppoe-wan", "2001:db8:3::1/48")
	m.logged("wan: serving, on device pppoe-wan")
	m.eventually("wan to have a prefix", func() bool { return len(m.iface("wan")["prefixes"].([]any)) > 0 })
	newClient(t, ppp.Peer).ask(dhcpv6.Request, 2)
}

// TestNetifdRestarts: its interfaces are served on while netifd is away, and asked for when it is back.
func TestNetifdRestarts(t *testing.T) {
	m := startBusMachine(t, onNetifd, lan0)
	for range 3 {
		m.netifd.Leave()
		m.eventually("netifd to be gone", func() bool { return !m.query("status")["ubus"].(map[string]any)["netifd"].(bool) })
		m.client.ask(dhcpv6.Request, 1)
		m.netifd = newNetifd(t, m.bus, lan0)
		m.eventually("netifd to be asked", func() bool { return m.netifd.asked() > 0 })
	}
	m.netifd.tell(1, network{name: "lan"})
	m.logged("netifd says that the interface is down")
	if text := string(m.read("log")); strings.Count(text, "serving") != 1 || strings.Count(text, "netifd is gone") != 3 {
		t.Errorf("log %s", text)
	}
}

// TestNetifdDies: a netifd that ends before it answers is not waited for when there is another.
func TestNetifdDies(t *testing.T) {
	m := newBusMachine(t, onNetifd)
	m.netifd.Leave()
	asked := make(chan bool, 1)
	dying := ubustest.Join(t, ubus.Config{Path: m.bus.Path, Objects: []ubus.Object{{Path: netifdObject, Methods: []ubus.Method{{Name: "dump"}}}}},
		func(c *ubus.Client, e *ubus.Event) {
			if e.Kind == ubus.Called {
				asked <- true
			}
		})
	dying.AwaitKind(ubus.Published, netifdObject)
	m.start()
	defer m.kill()
	<-asked
	dying.Leave()
	m.logged("netifd is gone")
	m.netifd = newNetifd(t, m.bus, lan0)
	m.logged("lan: serving, on device lan0") // no time has passed
	m.client.ask(dhcpv6.Request, 1)
}

// TestNetifdChatters: what netifd tells again changes nothing, and a thousand notifications are not a thousand questions.
func TestNetifdChatters(t *testing.T) {
	m := startBusMachine(t, onNetifd, lan0)
	m.settled()
	config := m.daemon.config
	m.netifd.tell(1000, lan0)
	m.client.ask(dhcpv6.Request, 1)
	asked := m.netifd.asked()
	m.netifd.tell(1, lan0)
	m.eventually("netifd to be asked again", func() bool { return m.netifd.asked() > asked })
	m.netifd.Call(ownObject, "loglevel", nil) // the last of the thousand has come
	if n := m.netifd.asked(); n > 500 {
		t.Errorf("asked %d times", n)
	}
	if m.settled(); m.daemon.config != config {
		t.Error("the configuration was made anew")
	}
}

// TestNetifdHybrid: a master that has a prefix leaves the LAN to be served, and one that has none relays.
func TestNetifdHybrid(t *testing.T) {
	m := newBusMachine(t, "config dhcp 'lan'\n\toption dhcpv6 'hybrid'\nconfig dhcp 'wan'\n\toption dhcpv6 'hybrid'\n\toption master '1'\n")
	netnstest.Veth(t, "wan0")
	wan := network{name: "wan", device: "wan0"}
	m.netifd.tell(0, lan0, wan)
	m.start()
	defer m.kill()
	m.logged("lan: relaying from clients, on device lan0")
	for range 2 {
		for _, delegated := range []bool{false, true} {
			wan.delegated = delegated
			m.netifd.tell(1, lan0, wan)
			want := map[bool]string{true: "server disabled", false: "relay relay"}[delegated]
			m.eventually(want, func() bool { return m.iface("lan")["role"].(string)+" "+m.iface("wan")["role"].(string) == want })
			if delegated {
				m.client.ask(dhcpv6.Request, 1)
			}
		}
	}
}

// TestNetifdData: options that the handler of a protocol has put there count, as long as they are there.
func TestNetifdData(t *testing.T) {
	m := startBusMachine(t, strings.ReplaceAll(onNetifd, "'server'", "'server'\n\tlist upstream 'wan'"), lan0)
	wan := network{name: "wan", device: "wan0"}
	for _, tt := range []struct {
		data func(w *ubus.Writer)
		want time.Duration
	}{
		{func(w *ubus.Writer) { w.String("leasetime", "20m"); w.String("zone", "lan") }, 20 * time.Minute},
		{nil, 90 * time.Minute},
		{func(w *ubus.Writer) { w.Int32("leasetime", 600) }, 10 * time.Minute},
		{func(w *ubus.Writer) { w.String("leasetime", "soon") }, 90 * time.Minute},
	} {
		wan.data = tt.data
		m.netifd.tell(1, lan0, wan)
		m.eventually("the lifetime", func() bool { return m.client.ask(dhcpv6.Request, 1) == tt.want })
	}
	m.logged("error: netifd's data of wan: leasetime: ")
	for range 3 {
		m.netifd.tell(1, lan0, wan, network{name: "guest"})
		m.netifd.tell(1, lan0, wan)
		m.query("reload")
	}
	status := asJSON(m.query("status")["config"])
	if !strings.Contains(status, `"file":"netifd's data of wan"`) || !strings.Contains(asJSON(m.query("check")["problems"]), `"file":"netifd's data of wan"`) {
		t.Errorf("status %s", status)
	}
	if n := strings.Count(string(m.read("log")), "netifd's data of wan"); n != 4 {
		t.Errorf("told %d times, want once and after each reload", n)
	}
}

// TestNetifdTwins: that two interfaces share a device is told by netifd only.
func TestNetifdTwins(t *testing.T) {
	m := startBusMachine(t, onNetifd+"config dhcp 'lan6'\n\toption dhcpv6 'server'\n", lan0, network{name: "lan6", device: "lan0"})
	m.logged("device lan0 is served as interface lan already, not as lan6 too")
	m.client.ask(dhcpv6.Request, 1)
	if i := m.iface("lan6"); i["reason"] != "its device is another's" || i["role"] != "disabled" {
		t.Errorf("%v", i)
	}
	if text := asJSON(m.query("check")); !strings.Contains(text, "served as interface lan already") || !strings.Contains(text, `lan (lan0): server`) {
		t.Errorf("check %s", text)
	}
	m.netifd.tell(1, network{name: "lan"}, network{name: "lan6", device: "lan0"})
	m.logged("lan6: serving, on device lan0")
	m.client.ask(dhcpv6.Request, 2)
}

// TestNetifdSilent: a netifd that does not answer is asked again, until it does.
func TestNetifdSilent(t *testing.T) {
	m := newBusMachine(t, onNetifd)
	m.netifd.Leave()
	answer := make(chan bool, 1)
	calls := make(chan bool, 100)
	netifd := ubustest.Join(t, ubus.Config{Path: m.bus.Path, Objects: []ubus.Object{{Path: netifdObject, Methods: []ubus.Method{{Name: "dump"}}}}},
		func(c *ubus.Client, e *ubus.Event) {
			if e.Kind == ubus.Called {
				calls <- true
			}
			if e.Kind == ubus.Called && len(answer) > 0 {
				c.Reply(e, ubus.StatusOK, ubustest.Object(func(w *ubus.Writer) {
					w.BeginArray("interface")
					w.BeginObject("")
					lan0.write(w)
					w.EndObject()
					w.EndArray()
				}))
			}
		})
	netifd.AwaitKind(ubus.Published, netifdObject)
	m.start()
	defer m.kill()
	m.logged("connected to ubus")
	for range 3 {
		m.passing("netifd to be asked", func() bool { return len(calls) > 0 })
		<-calls
	}
	if text := string(m.read("log")); strings.Count(text, "ubus call network.interface dump: no answer in time") != 1 {
		t.Errorf("log %s", text)
	}
	answer <- true
	m.passing("lan to be served", func() bool { return m.iface("lan")["reason"] == nil })
	m.client.ask(dhcpv6.Request, 1)
}
