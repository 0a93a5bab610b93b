package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/ctl"
	"lan6d/openwrt/ubus"
	"lan6d/openwrt/ubus/ubustest"
)

// A busMachine is a machine on a bus, with netifd and somebody who calls.
type busMachine struct {
	*machine
	bus    *ubustest.Bus
	netifd *netifd
	caller *ubustest.Peer
}

// onNetifd is a configuration whose device netifd knows.
const onNetifd = `
config dhcp 'lan'
	option dhcpv6 'server'

config odhcpd 'odhcpd'
`

// newBusMachine makes a machine where netifd tells this. lan6d is not started.
func newBusMachine(t testing.TB, config string, networks ...network) *busMachine {
	t.Helper()
	m := &busMachine{machine: newMachine(t, config), bus: ubustest.New(t)}
	m.ubus = m.bus.Path
	m.write("config/lan6d", nil)
	m.netifd = newNetifd(t, m.bus, networks...)
	m.caller = m.join()
	return m
}

// startBusMachine starts lan6d, too, and waits until it serves lan0.
func startBusMachine(t testing.TB, config string, networks ...network) *busMachine {
	t.Helper()
	m := newBusMachine(t, config, networks...)
	m.start()
	t.Cleanup(m.kill)
	m.logged("ubus object lan6d is published")
	m.logged("lan: serving, on device lan0")
	return m
}

// join starts a program that takes part in the bus and follows objects.
func (m *busMachine) join(follow ...string) *ubustest.Peer {
	m.Helper()
	p := ubustest.Join(m, ubus.Config{Path: m.bus.Path, Follow: follow, Listen: []string{"dhcp.*", "lan6d.*"}}, nil)
	p.AwaitKind(ubus.Connected, "")
	for _, path := range follow {
		p.AwaitKind(ubus.Followed, path)
	}
	return p
}

// logged waits until the log has that.
func (m *busMachine) logged(text string) {
	m.Helper()
	m.eventually("the log to have: "+text, func() bool { return bytes.Contains(m.read("log"), []byte(text)) })
}

// passing waits for something while time passes, in steps of half a second.
func (m *busMachine) passing(what string, reached func() bool) {
	m.Helper()
	m.eventually(what, func() bool {
		m.pass(500 * time.Millisecond)
		return reached()
	})
}

// objects are the paths that lan6d publishes, of those that it may.
func (m *busMachine) objects() (list string) {
	for _, path := range m.bus.Objects() {
		if path == ownObject || path == odhcpdObject {
			list += " " + path
		}
	}
	return strings.TrimSpace(list)
}

// call calls a method of lan6d's, with arguments that write writes, and returns the answer as JSON has it.
func (m *busMachine) call(path, method string, write func(w *ubus.Writer)) (ubus.Status, map[string]any) {
	m.Helper()
	e := m.caller.Call(path, method, ubustest.Object(write))
	return e.Status, object(e.Args)
}

// query calls a method of lan6d's that takes no arguments, and must do what it is told.
func (m *busMachine) query(method string) map[string]any {
	m.Helper()
	status, answer := m.call(ownObject, method, nil)
	if status != ubus.StatusOK {
		m.Fatalf("%s: %v", method, status)
	}
	return answer
}

// iface is what the status tells of an interface.
func (m *busMachine) iface(name string) map[string]any {
	m.Helper()
	for _, i := range m.query("interfaces")["interfaces"].([]any) {
		if i := i.(map[string]any); i["name"] == name {
			return i
		}
	}
	m.Fatalf("there is no interface %s", name)
	return nil
}

// overChannel calls a method over the control channel.
func (m *busMachine) overChannel(method, args string) map[string]any {
	m.Helper()
	c, err := ctl.Dial(filepath.Join(m.dir, "state", ctl.SocketName))
	if err != nil {
		m.Fatal(err)
	}
	defer c.Close()
	v, err := c.Call(method, args)
	if err != nil {
		m.Fatalf("%s: %v", method, err)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(v.Indent("\n")), &answer); err != nil {
		m.Fatal(err)
	}
	return answer
}

// reload has lan6d read its configuration again.
func (m *busMachine) reload() {
	m.signals <- unix.SIGHUP
	m.settled()
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// object is a table as JSON has it.
func object(a ubus.Args) map[string]any {
	o := make(map[string]any)
	for name, inner := range a.All() {
		switch a.Kind(name) {
		case "string":
			o[name], _ = a.String(name)
		case "number":
			n, _ := a.Int(name)
			o[name] = float64(n)
		case "boolean":
			o[name], _ = a.Bool(name)
		case "object":
			o[name] = object(inner)
		case "array":
			list := []any{}
			if texts, ok := a.Strings(name); ok {
				for _, s := range texts {
					list = append(list, s)
				}
			} else {
				for _, e := range inner.All() {
					list = append(list, object(e))
				}
			}
			o[name] = list
		}
	}
	return o
}

// network is what netifd tells of an interface; without a device it is down.
type network struct {
	name, device string
	delegated    bool
	data         func(w *ubus.Writer)
}

func (n *network) write(w *ubus.Writer) {
	w.String("interface", n.name)
	w.Bool("up", n.device != "")
	if n.device != "" {
		w.String("l3_device", n.device)
	}
	w.String("device", "eth9") // below a tunnel: of no concern
	w.BeginArray("ipv6-prefix")
	if n.delegated {
		w.BeginObject("")
		w.String("address", "2001:db8::")
		w.Int32("mask", 48)
		w.EndObject()
	}
	w.EndArray()
	w.BeginObject("data")
	if n.data != nil {
		n.data(w)
	}
	w.EndObject()
}

// netifd is a netifd that tells what the test wants.
type netifd struct {
	*ubustest.Peer

	mu       sync.Mutex // guards what follows
	networks []network
	dumps    int // how often it was asked
}

func newNetifd(t testing.TB, bus *ubustest.Bus, networks ...network) *netifd {
	t.Helper()
	n := &netifd{networks: networks}
	n.Peer = ubustest.Netifd(t, bus.Path, func(w *ubus.Writer) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.dumps++
		for i := range n.networks {
			w.BeginObject("")
			n.networks[i].write(w)
			w.EndObject()
		}
	})
	return n
}

// tell has the interfaces be so, and notifies lan6d as often as many.
func (n *netifd) tell(many int, networks ...network) {
	n.mu.Lock()
	n.networks = networks
	n.mu.Unlock()
	n.Do(func(c *ubus.Client) {
		for range many {
			c.Notify("network.interface", "interface.update", ubustest.Object(networks[0].write))
		}
	})
}

func (n *netifd) asked() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dumps
}
