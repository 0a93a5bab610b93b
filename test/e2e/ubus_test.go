package e2e

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lan6d/openwrt/ubus"
	"lan6d/openwrt/ubus/ubustest"
)

// busConfig leaves the device to netifd.
const busConfig = `
config dhcp 'lan'
	option dhcpv6 'server'
	option leasetime '1h'
`

// A busRouter is a router with ubusd where OpenWrt has it, netifd and odhcpd.
type busRouter struct {
	*router
	bus    *ubustest.Bus
	netifd *ubustest.Peer
	lan    atomic.Pointer[lanStatus]
}

// lanStatus is what netifd tells of the LAN.
type lanStatus struct {
	device     string // none: it is down
	dnsService string // the option, if upstream has a say
}

func newBusRouter(t *testing.T) *busRouter {
	t.Helper()
	r := &busRouter{router: bareRouter(t, busConfig, global, local)}
	r.addLAN()
	r.run("mkdir", "/run/ubus")
	r.bus = ubustest.NewAt(t, r.path("/run/ubus/ubus.sock"))
	r.lan.Store(&lanStatus{device: "lan0"})
	r.startNetifd()
	return r
}

func (r *busRouter) startNetifd() {
	r.netifd = ubustest.Netifd(r.t, r.bus.Path, func(w *ubus.Writer) {
		w.BeginObject("")
		w.String("interface", "lan")
		lan := r.lan.Load()
		w.Bool("up", lan.device != "")
		if lan.device != "" {
			w.String("l3_device", lan.device)
		}
		w.BeginObject("data")
		if lan.dnsService != "" {
			w.String("dns_service", lan.dnsService)
		}
		w.EndObject()
		w.EndObject()
	})
}

// tell has netifd notify of something new.
func (r *busRouter) tell(lan lanStatus) {
	r.lan.Store(&lan)
	r.netifd.Do(func(c *ubus.Client) {
		c.Notify("network.interface", "interface.update", ubustest.Object(func(w *ubus.Writer) { w.String("interface", "lan") }))
	})
}

// TestUbus is a day in the life of a router: odhcpd is there first and is taken off, netifd takes the LAN down and up and has
// an option from upstream, netifd and ubusd start anew. The client keeps what it has, and has at once what has changed.
func TestUbus(t *testing.T) {
	t.Parallel()
	r := newBusRouter(t)
	odhcpd := ubustest.Join(t, ubus.Config{Path: r.bus.Path, Objects: []ubus.Object{{Path: "dhcp"}}}, nil)
	odhcpd.AwaitKind(ubus.Published, "dhcp")
	r.serve()
	r.plug(newHost(t, "carrier"), "eth0")
	r.lan6d.logged("lan: serving, on device lan0")
	r.lan6d.logged("ubus object dhcp is not published: it is odhcpd's")
	script := ubustest.Join(t, ubus.Config{Path: r.bus.Path, Follow: []string{"lan6d"}, Listen: []string{"dhcp.*", "lan6d.*"}}, nil)
	script.AwaitKind(ubus.Followed, "lan6d")
	odhcpd.Leave()
	left := time.Now()

	c, had := leaseholder(t, r.router)
	lease := script.Await("dhcp.lease6", func(e *ubus.Event) bool { return e.Kind == ubus.Heard && e.Name == "dhcp.lease6" })
	if device, _ := lease.Args.String("device"); device != "lan0" {
		t.Errorf("leased on %q", device)
	}
	a := newAccepter(r.simulated(1)[0], iaTypes...)
	if _, ok := a.attach().option(optDNSServers); !ok {
		t.Error("the router is no name server")
	}
	changed := time.Now()
	r.tell(lanStatus{device: "lan0", dnsService: "0"})
	if _, ok := a.follow("Renew", changed).option(optDNSServers); ok {
		t.Error("the router is a name server still")
	}
	r.tell(lanStatus{device: "lan0", dnsService: "0"}) // nothing new
	a.ask("Renew", a.leases)
	a.quiet()

	r.tell(lanStatus{})
	r.lan6d.logged("lan: netifd says that the interface is down")
	eventually(t, 5*time.Second, "lan6d to leave the group", func() bool { return !r.listening() })
	r.tell(lanStatus{device: "lan0"})
	r.awaitService()
	c.keeps(had)

	r.netifd.Leave()
	r.lan6d.logged("netifd is gone")
	c.keeps(had)
	r.startNetifd()
	if taken := time.Since(left); taken < 9*time.Second && strings.Contains(r.lan6d.log(), "object dhcp is published") {
		t.Errorf("dhcp is taken after %v", taken)
	}
	eventually(t, 20*time.Second, "dhcp to be taken", func() bool { return strings.Contains(r.lan6d.log(), "ubus object dhcp is published") })

	r.bus.Restart()
	script.AwaitKind(ubus.Followed, "lan6d")
	answer := script.Call("lan6d", "ipv6leases", nil)
	if device := answer.Args.Elements("device"); answer.Status != ubus.StatusOK || !device.Has("lan0") {
		t.Errorf("ipv6leases: %v", answer.Status)
	}
	if text := r.run(server(t), "check", "-c", "/run/e2e/config"); !strings.Contains(text, "lan: server") {
		t.Errorf("check: %s", text)
	}
	r.tell(lanStatus{})
	eventually(t, 10*time.Second, "lan6d to follow netifd again", func() bool { return !r.listening() })
}
