package main

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/openwrt/ubus"
	"lan6d/openwrt/ubus/ubustest"
)

// lan0 is what netifd tells of the LAN of most tests.
var lan0 = network{name: "lan", device: "lan0"}

// TestBusMethods: over ubus every method answers what it answers over the control channel. The clocks stand still.
func TestBusMethods(t *testing.T) {
	m := startBusMachine(t, onNetifd, lan0)
	m.client.ask(dhcpv6.Request, 1)
	names := []string{"list"}
	for _, method := range methods() {
		names = append(names, method.Name)
	}
	for _, path := range []string{ownObject, odhcpdObject} {
		if got := m.bus.Methods(path); path == ownObject && !slices.Equal(got, names) || path == odhcpdObject && !slices.Equal(got, []string{"ipv6leases", "add_lease"}) {
			t.Errorf("methods of %s: %v", path, got)
		}
	}
	for _, method := range []string{"list", "status", "interfaces", "leases", "ipv6leases", "reload", "check", "loglevel", "metrics", "dump"} {
		if bus, channel := m.query(method), m.overChannel(method, "{}"); len(bus) == 0 || !reflect.DeepEqual(bus, channel) {
			t.Errorf("%s: over ubus    %v\nthe channel has %v", method, bus, channel)
		}
	}
	for _, tt := range []struct {
		method string
		write  func(w *ubus.Writer)
		status ubus.Status
		want   string
	}{
		{"leases", func(w *ubus.Writer) { w.String("kind", "prefix") }, ubus.StatusOK, `"kind":"prefix"`},
		{"leases", func(w *ubus.Writer) { w.String("kind", "prefix"); w.String("ubus_rpc_session", "0") }, ubus.StatusOK, `"kind":"prefix"`},
		{"leases", func(w *ubus.Writer) { w.String("kind", "both") }, ubus.StatusInvalidArgument, ""},
		{"leases", func(w *ubus.Writer) { w.Int32("kind", 1) }, ubus.StatusInvalidArgument, ""},
		{"leases", func(w *ubus.Writer) { w.String("interface", "wan") }, ubus.StatusInvalidArgument, ""},
		{"loglevel", func(w *ubus.Writer) { w.String("level", "debug") }, ubus.StatusOK, `{"level":"debug"}`},
		{"loglevel", func(w *ubus.Writer) { w.String("level", "loud") }, ubus.StatusInvalidArgument, ""},
		{"reconfigure", nil, ubus.StatusInvalidArgument, ""},
		{"reconfigure", func(w *ubus.Writer) { w.Int32("all", 1) }, ubus.StatusInvalidArgument, ""},
		{"reconfigure", func(w *ubus.Writer) { w.Bool("all", true) }, ubus.StatusOK, `{"sent":0}`},
		{"del_lease", nil, ubus.StatusInvalidArgument, ""},
		{"del_lease", func(w *ubus.Writer) { w.String("duid", "0003"); w.String("iaid", "1") }, ubus.StatusInvalidArgument, ""},
		{"del_lease", func(w *ubus.Writer) { w.String("duid", "0003") }, ubus.StatusUnknownError, ""},
		{"del_lease", func(w *ubus.Writer) { w.String("duid", "00030001020000000001"); w.Int64("iaid", 1) }, ubus.StatusOK, `of 00030001020000000001`},
		{"no_such", nil, ubus.StatusMethodNotFound, ""},
	} {
		status, answer := m.call(ownObject, tt.method, tt.write)
		if text := asJSON(answer); status != tt.status || !strings.Contains(text, tt.want) || tt.want == "" && text != "{}" {
			t.Errorf("%s: %v, %s, want %v, %s", tt.method, status, text, tt.status, tt.want)
		}
	}
}

// TestBusLeaseTypes: the answer of ipv6leases has odhcpd's members, in odhcpd's order, of odhcpd's types.
func TestBusLeaseTypes(t *testing.T) {
	m := startBusMachine(t, onNetifd, lan0)
	m.client.ask(dhcpv6.Request, 1)
	const lease = "{duid:string iaid:int32 hostname:string accept-reconf:bool assigned:int%s flags:[:string] " +
		"ipv6-%s:[:{address:string preferred-lifetime:int32 valid-lifetime:int32%s}] valid:int32}"
	want := "device:{lan0:{leases:[:" + fmt.Sprintf(lease, "64", "addr", "") + " :" + fmt.Sprintf(lease, "32", "prefix", " prefix-length:int32") + "]}}"
	for _, path := range []string{ownObject, odhcpdObject} {
		e := m.caller.Call(path, "ipv6leases", ubustest.Object(nil))
		if got := shape(e.Args); got != want {
			t.Errorf("%s: got  %s\nwant %s", path, got, want)
		}
	}

	m.write("config/dhcp", m.config(strings.ReplaceAll(onNetifd, "'server'", "'server'\n\toption leasetime infinite\n\toption max_valid_lifetime infinite\n\toption max_preferred_lifetime infinite")))
	m.reload()
	m.client.ask(dhcpv6.Renew, 1)
	if text := asJSON(m.query("ipv6leases")); strings.Count(text, `"valid":-1`) != 2 || strings.Count(text, `"valid-lifetime":-1`) != 2 || strings.Count(text, `"preferred-lifetime":-1`) != 2 {
		t.Errorf("for ever: %s", text)
	}
}

// shape is the names and types in a blobmsg, by a reader of its own.
func shape(b []byte) string {
	names := [...]string{1: "[", 2: "{", 3: "string", 4: "int64", 5: "int32", 6: "int16", 7: "bool"}
	var list []string
	for len(b) > 0 {
		head := binary.BigEndian.Uint32(b)
		size := int(head & 0xffffff)
		named := int(binary.BigEndian.Uint16(b[4:]))
		text := string(b[6:][:named]) + ":" + names[head>>24&0x7f]
		value := b[4+(2+named+1+3)/4*4 : size]
		switch head >> 24 & 0x7f {
		case 1:
			text += shape(value) + "]"
		case 2:
			text += shape(value) + "}"
		}
		list = append(list, text)
		b = b[(size+3)/4*4:]
	}
	return strings.Join(list, " ")
}

// TestBusAddLease: add_lease takes arrays, as odhcpd does, and strings, as it did in OpenWrt 24.10.
func TestBusAddLease(t *testing.T) {
	m := startBusMachine(t, onNetifd, lan0)
	array := func(w *ubus.Writer, name string, values ...string) {
		w.BeginArray(name)
		for _, v := range values {
			w.String("", v)
		}
		w.EndArray()
	}
	for _, tt := range []struct {
		name   string
		write  func(w *ubus.Writer)
		number byte   // of the client that it is for
		id     string // that it gets; empty: it is refused
	}{
		{"arrays", func(w *ubus.Writer) {
			array(w, "mac", "02:00:00:00:00:09", "02:00:00:00:00:01")
			w.String("hostid", "aa1")
			w.String("name", "one")
		}, 1, "::aa1"},
		{"strings", func(w *ubus.Writer) { w.String("mac", "02:00:00:00:00:02"); w.String("hostid", "aa2") }, 2, "::aa2"},
		{"array of DUIDs", func(w *ubus.Writer) {
			array(w, "duid", "00030001020000000003%1")
			w.String("ip", "192.168.1.103")
		}, 3, "::103"},
		{"DUID", func(w *ubus.Writer) { w.String("duid", "00030001020000000004"); w.String("hostid", "aa4") }, 4, "::aa4"},
		{"another's id", func(w *ubus.Writer) { w.String("mac", "02:00:00:00:00:05"); w.String("hostid", "aa4") }, 0, ""},
		{"the router's id", func(w *ubus.Writer) { w.String("mac", "02:00:00:00:00:05"); w.String("hostid", "1") }, 0, ""},
		{"nobody's", func(w *ubus.Writer) { w.String("hostid", "aa5") }, 0, ""},
		{"number", func(w *ubus.Writer) { w.String("mac", "02:00:00:00:00:05"); w.Int32("hostid", 5) }, 0, ""},
		{"array of numbers", func(w *ubus.Writer) { w.BeginArray("mac"); w.Int32("", 1); w.EndArray() }, 0, ""},
		{"table", func(w *ubus.Writer) { w.BeginObject("mac"); w.EndObject() }, 0, ""},
		{"array for a string", func(w *ubus.Writer) { w.String("mac", "02:00:00:00:00:05"); array(w, "hostid", "5") }, 0, ""},
		{"no address", func(w *ubus.Writer) { w.String("mac", "02:00:00:00:00:0g") }, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := m.call(odhcpdObject, "add_lease", tt.write)
			if len(answer) > 0 || tt.id == "" && status != ubus.StatusInvalidArgument || tt.id != "" && status != ubus.StatusOK {
				t.Fatalf("%v, %v", status, answer)
			}
			if tt.id == "" {
				return
			}
			m.client.ask(dhcpv6.Request, tt.number)
			if text := asJSON(m.query("ipv6leases")); !strings.Contains(text, `"2001:db8:1`+tt.id+`"`) {
				t.Errorf("no address with %s: %s", tt.id, text)
			}
		})
	}
	for _, client := range [][3]string{ // one takes the place of the other
		{"mac", "02:00:00:00:00:06", "aa6"}, {"duid", "00030001020000000006", "aa6"}, {"mac", "02:00:00:00:00:06", "aa7"},
	} {
		if status, _ := m.call(odhcpdObject, "add_lease", func(w *ubus.Writer) {
			w.String(client[0], client[1])
			w.String("hostid", client[2])
		}); status != ubus.StatusOK {
			t.Errorf("%s: %v", client, status)
		}
	}
	m.client.ask(dhcpv6.Request, 6)
	if text := asJSON(m.query("ipv6leases")); !strings.Contains(text, `"2001:db8:1::aa7"`) {
		t.Errorf("no address with ::aa7: %s", text)
	}
	if hosts := m.daemon.config.Server.Hosts; len(hosts) != 5 {
		t.Errorf("%d hosts", len(hosts))
	}
	m.reload()
	m.settled()
	if hosts := m.daemon.config.Server.Hosts; len(hosts) != 0 {
		t.Errorf("%d hosts after a reload", len(hosts))
	}
}

// TestBusBesideOdhcpd: the path dhcp is odhcpd's as long as that is there, and a while longer: it may only start anew.
func TestBusBesideOdhcpd(t *testing.T) {
	m := newBusMachine(t, onNetifd, lan0)
	odhcpd := func() *ubustest.Peer {
		p := ubustest.Join(t, ubus.Config{Path: m.bus.Path, Objects: []ubus.Object{{Path: odhcpdObject, Methods: []ubus.Method{{Name: "ipv6ra"}}}}}, nil)
		p.AwaitKind(ubus.Connected, "")
		return p
	}
	published := func() bool { return slices.Contains(m.bus.Methods(odhcpdObject), "add_lease") }
	p := odhcpd()
	p.AwaitKind(ubus.Published, odhcpdObject)
	m.start()
	defer m.kill()
	m.logged("ubus object lan6d is published")
	m.logged("ubus object dhcp is not published: it is odhcpd's")
	m.eventually("netifd to be followed", func() bool {
		return asJSON(m.query("status")["ubus"]) == `{"connected":true,"enabled":true,"netifd":true,"objects":["lan6d"]}`
	})

	const double = "odhcpd, if the ubus object dhcp is its, serves lan beside lan6d: run /usr/libexec/lan6d-handover take"
	m.logged("config/dhcp:3: dhcpv6: " + double)
	if text := asJSON(m.query("status")["config"]); !strings.Contains(text, double) {
		t.Errorf("status %s", text)
	}

	p.Leave() // restarted
	m.eventually("odhcpd to leave", func() bool { return len(m.bus.Methods(odhcpdObject)) == 0 })
	m.pass(9 * time.Second)
	m.query("loglevel")
	p = odhcpd()
	p.AwaitKind(ubus.Published, odhcpdObject)
	m.pass(time.Minute)
	m.query("loglevel") // after lan6d has tried again, in vain

	p.Leave() // for good
	m.eventually("odhcpd to leave", func() bool { return len(m.bus.Methods(odhcpdObject)) == 0 })
	for range 9 {
		m.pass(time.Second)
		m.query("loglevel") // as time goes by
	}
	if published() {
		t.Error("dhcp is taken at once")
	}
	m.passing("lan6d to take dhcp", published)
	if status, _ := m.call(odhcpdObject, "ipv6leases", nil); status != ubus.StatusOK {
		t.Errorf("dhcp ipv6leases: %v", status)
	}
	if text := asJSON(m.query("status")["ubus"]); text != `{"connected":true,"enabled":true,"netifd":true,"objects":["lan6d","dhcp"]}` {
		t.Errorf("status %s", text)
	}

	if text := asJSON(m.query("status")["config"]); !strings.Contains(text, `"problems":[]`) || strings.Count(string(m.read("log")), double) != 1 {
		t.Errorf("odhcpd is gone: status %s, log %s", text, m.read("log"))
	}

	p = odhcpd() // which is refused, and does not ask again
	p.AwaitKind(ubus.Refused, odhcpdObject)
	m.pass(time.Minute)
	if !published() {
		t.Error("lan6d has given dhcp away")
	}
}

// TestBusForbidden: the access rules let lan6d have no object dhcp. All else works.
func TestBusForbidden(t *testing.T) {
	m := newBusMachine(t, onNetifd, lan0)
	m.bus.Forbid("publish dhcp")
	m.start()
	defer m.kill()
	m.logged("ubus object dhcp is not published")
	m.logged("lan: serving, on device lan0")
	m.client.ask(dhcpv6.Request, 1)
	for range 30 { // five minutes
		m.pass(10 * time.Second)
		m.query("loglevel")
	}
	if n := strings.Count(string(m.read("log")), "dhcp is not published"); n != 1 || m.objects() != "lan6d" {
		t.Errorf("told %d times, %s", n, m.objects())
	}
	m.bus.Allow("publish dhcp")
	m.passing("dhcp", func() bool { return m.objects() == "dhcp lan6d" })
}

// TestBusEvents: who listens, and who follows the objects, is told what happens. Renewals, which happen all the time, are
// for those who follow.
func TestBusEvents(t *testing.T) {
	m := startBusMachine(t, onNetifd, lan0)
	follower := m.join(ownObject, odhcpdObject)
	m.query("loglevel") // lan6d knows of its followers by now
	m.caller.Events()
	told := func(name, own string, want ...string) {
		t.Helper()
		heard := m.caller.Await("event "+name, func(e *ubus.Event) bool { return e.Kind == ubus.Heard && e.Name == name })
		notes := []*ubus.Event{heard}
		for _, path := range []string{ownObject, odhcpdObject} {
			notes = append(notes, follower.Await("notification "+own+" of "+path, func(e *ubus.Event) bool {
				return e.Kind == ubus.Notified && e.Name == own && e.Path == path
			}))
		}
		for _, e := range notes {
			for _, w := range want {
				if text := asJSON(object(e.Args)); !strings.Contains(text, w) {
					t.Errorf("%s: %s, want %s", name, text, w)
				}
			}
		}
	}
	const who = `"duid":"00030001020000000001"`
	m.client.ask(dhcpv6.Request, 1)
	told("dhcp.lease6", "dhcp.lease6", who, `"interface":"lan"`, `"device":"lan0"`, `"address":"2001:db8:1:`, `"cause":"bound"`, `"valid":5400`)
	told("dhcp.prefix6", "dhcp.prefix6", who, `"prefix":"2001:db8:1:`, `"routes":["2001:db8:1:`)

	m.client.ask(dhcpv6.Renew, 1)
	for range 2 {
		for _, path := range []string{ownObject, odhcpdObject} {
			e := follower.Await("renewal", func(e *ubus.Event) bool { return e.Kind == ubus.Notified && e.Path == path })
			if text := asJSON(object(e.Args)); e.Name != "dhcp.renew6" || !strings.Contains(text, who) {
				t.Errorf("%s %s", e.Name, text)
			}
		}
	}
	m.overChannel("del_lease", `{"duid":"00030001020000000001"}`)
	told("dhcp.expire6", "dhcp.expire6", who, `"cause":"deleted"`) // and the renewals were no events, or they would have come before
	if list := m.caller.Events(); slices.ContainsFunc(list, func(e *ubus.Event) bool { return e.Name == "dhcp.renew6" }) {
		t.Error("a renewal is an event")
	}
	m.reload()
	told("lan6d.config", "config", `"cause":"reloaded"`, `"problems":[]`)
	m.write("config/dhcp", []byte("config dhcp 'lan'\n\toption dhcpv6 'on'\n"))
	m.reload()
	told("lan6d.config", "config", `"cause":"refused"`, `"option":"dhcpv6"`, `"line":2`)
	m.netifd.tell(1, network{name: "lan"})
	told("lan6d.interface", "interface", `"name":"lan"`, `"device":"lan0"`, `"cause":"no longer served"`)
	told("lan6d.interface", "interface", `"name":"lan"`, `"cause":"no device"`)
	m.netifd.tell(1, lan0)
	told("lan6d.interface", "interface", `"name":"lan"`, `"device":"lan0"`, `"cause":"serving"`)
}

// TestBusDoubleService: LuCI's pages have odhcpd serve the LAN again beside lan6d. Log, status and event name the remedy.
func TestBusDoubleService(t *testing.T) {
	m := newBusMachine(t, "config dhcp 'lan'\n\toption dhcpv6 'disabled'\n", lan0)
	m.write("config/lan6d", []byte("config interface 'lan'\n\toption dhcpv6 'server'\n"))
	m.start()
	defer m.kill()
	m.logged("ubus object lan6d is published")
	m.caller.Events()
	m.write("config/dhcp", m.config(onNetifd))
	m.reload()
	const remedy = "run /usr/libexec/lan6d-handover take, or set dhcp.lan.dhcpv6 to disabled"
	m.logged(remedy)
	e := m.caller.Await("the event", func(e *ubus.Event) bool { return e.Name == "lan6d.config" })
	for _, text := range []string{asJSON(m.query("status")["config"]), asJSON(object(e.Args))} {
		if !strings.Contains(text, remedy) {
			t.Errorf("no remedy in %s", text)
		}
	}
	m.client.ask(dhcpv6.Request, 1)
}
