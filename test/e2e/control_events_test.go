package e2e

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestControlEvents: whoever listens is told what happens to leases.
func TestControlEvents(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config, global)
	m := r.simulated(1)[0]
	m.codes = iaTypes
	c, w := r.dial(), r.listen()
	via := m.door.LocalAddr().(*net.UDPAddr).IP.String()

	end := r.shortly(4, 8)
	eventually(t, 5*time.Second, "lan6d to know the lifetimes", func() bool {
		var i struct{ Interfaces []ctlInterface }
		c.call("interfaces", nil, &i)
		return len(i.Interfaces[0].Prefixes) == 1 && i.Interfaces[0].Prefixes[0].Valid >= 0
	})
	m.does(m.join)
	address := w.binding("dhcp.lease6", "bound", "address", m.duid)
	if !slices.Equal(names(address.Leases), told(m.leases[optIANA])) || address.IAID != 1 || address.Interface != "lan" || address.Device != "lan0" ||
		address.Via != via || address.Routes != nil || address.Leases[0].Valid <= 0 || address.Leases[0].Valid > 8 {
		t.Errorf("event %+v", address)
	}
	prefix := w.binding("dhcp.prefix6", "bound", "prefix", m.duid)
	if want := told(m.leases[optIAPD]); !slices.Equal(names(prefix.Leases), want) || !slices.Equal(prefix.Routes, want) || prefix.Via != via {
		t.Errorf("event %+v", prefix)
	}
	m.does(m.renew)
	for _, kind := range []string{"address", "prefix"} {
		w.binding("dhcp.renew6", "renewed", kind, m.duid)
	}
	for _, kind := range []string{"address", "prefix"} {
		if e := w.binding("dhcp.expire6", "expired", kind, m.duid); e.Routes != nil || len(e.Leases) != 1 || e.Leases[0].Valid != 0 {
			t.Errorf("event %+v", e)
		}
	}
	end()
	m.does(m.join)
	w.binding("dhcp.lease6", "bound", "address", m.duid)
	duid := m.duid
	m.does(func() { m.leave(true) })
	if e := w.binding("dhcp.decline6", "declined", "address", duid); !slices.Equal(names(e.Leases), names(address.Leases)) {
		t.Errorf("event %+v", e)
	}
	if e := w.binding("dhcp.release6", "released", "prefix", duid); !slices.Equal(names(e.Leases), names(prefix.Leases)) || e.Routes != nil {
		t.Errorf("event %+v", e)
	}
}

// does has the member do something now.
func (m *member) does(what func()) {
	m.crowd.t.Helper()
	m.crowd.each([]*member{m}, "do it", func(*member) { what() })
}

// TestControlStates: what is offered, declined or only remembered is told of with its addresses and prefixes, too.
func TestControlStates(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	m := r.simulated(1)[0]
	c, w := r.dial(), r.listen("dhcp.release6")
	bindings := func(state string, n int) []ctlBinding {
		t.Helper()
		var found ctlLeases
		if c.call("leases", object{"state": state}, &found); len(found.Leases) != n {
			t.Fatalf("%s: %+v, want %d", state, found, n)
		}
		return found.Leases
	}

	m.codes = iaTypes
	var offer *message
	m.does(func() { offer = m.exchange("Solicit", nil, nil) })
	for i, b := range bindings("offered", 2) {
		if b.Valid < 50 || b.Valid > 60 || b.Leases[0].Valid != b.Valid || !slices.Equal(names(b.Leases), told(offer.leases(iaTypes[i]))) {
			t.Errorf("offered: %+v", b)
		}
	}
	r.ctlPrints("interfaces", "  0 +2 offered  ")

	m.does(m.join)
	duid := m.duid
	m.does(func() { m.leave(false) })
	for _, kind := range []string{"address", "prefix"} {
		w.binding("dhcp.release6", "released", kind, duid)
	}
	for i, b := range bindings("free", 2) {
		if b.Valid != 0 || !slices.Equal(names(b.Leases), told(offer.leases(iaTypes[i]))) {
			t.Errorf("free: %+v", b)
		}
	}

	m.codes = []uint16{optIANA}
	m.does(m.join)
	taken := told(m.leases[optIANA])
	m.does(func() { m.leave(true) })
	b := bindings("declined", 1)[0]
	if b.Valid < 3500 || b.DUID != "" || !slices.Equal(names(b.Leases), taken) {
		t.Errorf("declined: %+v", b)
	}
	r.ctlPrints("leases", "  declined\n")
	r.ctlPrints("del-lease "+taken[0], "ended: lan: "+strings.Join(taken, ", ")+" (declined)\n")
	bindings("declined", 0)
}

// TestControlListen: whoever listens to some events hears no others; of interfaces when their devices come and go.
func TestControlListen(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config, global)
	m := r.simulated(1)[0]
	m.codes = iaTypes
	w := r.listen("dhcp.decline6", "inter*")
	shown := r.start(server(t), "ctl", "-s", socketPath, "listen", "dhcp.lease6", "dhcp.p*")
	via := m.door.LocalAddr().(*net.UDPAddr).IP.String()
	eventually(t, 20*time.Second, "lan6d ctl to print events", func() bool { // some time after it was started
		m.does(func() { m.leave(false) })
		m.codes = iaTypes
		m.does(m.join)
		return shown.hasLogged("dhcp.prefix6 lan: bound prefix ")
	})
	shown.logged("dhcp.lease6 lan: bound address ", fmt.Sprintf(", %x%%1, via %s", m.duid, via))
	shown.logged("dhcp.prefix6 lan: bound prefix ", fmt.Sprintf(", %x%%1, via %s", m.duid, via))
	for _, tt := range []struct{ command, cause string }{
		{"link set lan0 down", "down"}, {"link set lan0 up", "running"}, {"link del lan0", "no device"},
	} {
		r.ip("%s", tt.command)
		var e struct{ Name, Device, Cause string }
		w.await("interface", &e, func() bool { return e.Cause == tt.cause })
		if e.Name != "lan" || e.Device != "lan0" {
			t.Errorf("event %+v", e)
		}
	}
	for _, l := range w.seen {
		t.Errorf("an event that was not wanted, or twice: %s %s", l.Method, l.Params)
	}
	r.ctlPrints("status", "lan is not served: there is no device lan0")
	r.lan6d.terminate(2 * time.Second)
	if status := shown.wait(5 * time.Second); status != 1 || !strings.Contains(shown.log(), "lan6d ctl: lan6d has closed the connection on "+socketPath) {
		t.Errorf("ctl listen ends with status %d: %s", status, shown.log())
	}
}

// TestControlRelay: a relay agent tells of the prefixes that others have delegated through it.
func TestControlRelay(t *testing.T) {
	t.Parallel()
	r := newRelayRouter(t, named(t, "lan6d"))
	c := relayedCell{newCell(t, dhclientKind, r.router, r.guest("client")), r}
	r.open()
	w := r.listen("dhcp.*")
	had := c.lease()
	duid, _ := had.option(optClientID)
	prefix := told(had.leases(optIAPD))
	peer := c.host.LinkLocal(t, "eth0").String()
	e := w.binding("dhcp.prefix6", "learned", "prefix", duid)
	if !slices.Equal(names(e.Leases), prefix) || !slices.Equal(e.Routes, prefix) || e.Via != peer || e.Interface != "lan" {
		t.Errorf("event %+v", e)
	}
	var leases ctlLeases
	if r.dial().call("leases", nil, &leases); len(leases.Leases) != 1 {
		t.Fatalf("leases %+v", leases)
	}
	if b := leases.Leases[0]; !b.Relayed || b.Kind != "prefix" || b.State != "bound" || b.Client != peer || !slices.Equal(names(b.Leases), prefix) {
		t.Errorf("lease %+v", b)
	}
	var s ctlStatus
	r.dial().call("status", nil, &s)
	if n := s.Counters; n.Relayed["Solicit"] < 1 || n.Relayed["Request"] < 1 || n.Returned["Reply"] < 1 || len(n.Received) > 0 {
		t.Errorf("counters %+v", n)
	}
	for _, i := range s.Interfaces {
		if i.Role != "relay" || i.Master != (i.Name == "wan") || !i.Up || i.Reason != "" || i.Leases.Prefixes != map[string]int{"lan": 1}[i.Name] {
			t.Errorf("interface %+v", i)
		}
	}
	r.ctlPrints("status", "lan        lan0    up     relay  relay         ", "wan        wan0    up     relay  relay master", "relayed        Solicit ", "returned       Advertise ")
	values := r.metrics()
	for name, least := range map[string]float64{
		`lan6d_relay_received_total{type="Solicit"}`: 1, `lan6d_relay_returned_total{type="Reply"}`: 1, "lan6d_relay_forwarded_total": 2,
		`lan6d_relay_prefixes{interface="lan"}`: 1, "lan6d_routes": 1,
	} {
		if values[name] < least {
			t.Errorf("%s is %v", name, values[name])
		}
	}
	r.ctlPrints("del-lease "+prefix[0], "ended: lan: "+prefix[0])
	w.binding("dhcp.expire6", "forgotten", "prefix", duid)
	c.routed(nil)
}
