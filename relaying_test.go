package main

import (
	"bytes"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/ctl"
	"lan6d/ctl/json"
	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/netif"
	"lan6d/netif/netnstest"
)

// relayedConfig is a configuration that relays from lan0 to wan0.
const relayedConfig = `
config dhcp 'lan'
	option ifname 'lan0'
	option dhcpv6 'relay'

config dhcp 'wan'
	option ifname 'wan0'
	option dhcpv6 'relay'
	option master '1'
`

// A relayMachine relays to a server at the other end of the wire from wan0.
type relayMachine struct {
	*machine
	wan      *netnstest.NS // where the server is
	server   *peer
	expected uint64 // messages to be relayed
	asked    struct {
		forward dhcpv6.RelayMessage
		inner   dhcpv6.Message
		from    netip.AddrPort
	} // the last one
}

// newRelayMachine makes a machine with that configuration.
func newRelayMachine(t testing.TB, config string) *relayMachine {
	t.Helper()
	m := &relayMachine{machine: newMachine(t, config)}
	wan := netnstest.Veth(t, "wan0")
	wan.Here.AddAddr(t, "wan0", "2001:db8:ffff::1/64")
	wan.Peer.AddAddr(t, "eth0", "2001:db8:ffff::547/64")
	m.wan, m.server = wan.Peer, newPeer(t, wan.Peer, dhcpv6.ServerPort, netif.AllServers)
	return m
}

// relayedBy waits for a message that the machine relays to the server.
func (m *relayMachine) relayedBy() (forward dhcpv6.RelayMessage, inner dhcpv6.Message, from netip.AddrPort) {
	m.Helper()
	in := m.server.receive()
	forward, err := dhcpv6.ParseRelayMessage(bytes.Clone(in.Payload))
	if err != nil || forward.Type != dhcpv6.RelayForward {
		m.Fatalf("%x: %v", in.Payload, err)
	}
	data, _ := forward.Options.Get(dhcpv6.OptionRelayMsg)
	if inner, err = dhcpv6.ParseMessage(data); err != nil {
		m.Fatal(err)
	}
	return forward, inner, in.From
}

// answer has the server answer what it received last: it delegates a prefix, unless that is empty.
func (m *relayMachine) answer(prefix string) {
	m.Helper()
	forward, inner, from := m.relayedBy()
	m.reply(forward, inner, from, prefix)
}

func (m *relayMachine) reply(forward dhcpv6.RelayMessage, inner dhcpv6.Message, from netip.AddrPort, prefix string) {
	m.Helper()
	w := dhcpv6.NewWriter(m.server.outbox.Buffer())
	w.RelayMessage(dhcpv6.RelayReply, 0, forward.LinkAddress, forward.PeerAddress)
	id, _ := forward.Options.Get(dhcpv6.OptionInterfaceID)
	w.Option(dhcpv6.OptionInterfaceID, id)
	relayMessage := w.Begin(dhcpv6.OptionRelayMsg)
	w.Message(dhcpv6.Reply, inner.TransactionID)
	client, _ := inner.Options.Get(dhcpv6.OptionClientID)
	w.Option(dhcpv6.OptionClientID, client)
	w.Option(dhcpv6.OptionServerID, serverID)
	if prefix != "" {
		p := netip.MustParsePrefix(prefix)
		address := p.Addr().As16()
		ia := w.Begin(dhcpv6.OptionIAPD)
		w.Uint32(1)
		w.Uint32(0)
		w.Uint32(0)
		o := w.Begin(dhcpv6.OptionIAPrefix)
		w.Uint32(1800)
		w.Uint32(3600)
		w.Bytes([]byte{byte(p.Bits())})
		w.Bytes(address[:])
		w.End(o)
		w.End(ia)
	}
	w.End(relayMessage)
	m.server.send(&w, from)
}

// gets waits for the answer to the client with that number.
func (m *relayMachine) gets(number byte) {
	m.Helper()
	reply, err := dhcpv6.ParseMessage(m.client.receive().Payload)
	if err != nil || reply.Type != dhcpv6.Reply || reply.TransactionID != uint32(number) {
		m.Fatalf("%v: %v", reply, err)
	}
}

// ctl calls a method over the control channel.
func (m *machine) ctl(method string, args ...string) *json.Value {
	m.Helper()
	c, err := ctl.Dial(m.path("state/" + ctl.SocketName))
	if err != nil {
		m.Fatal(err)
	}
	defer c.Close()
	v, err := c.Call(method, "{"+strings.Join(args, ",")+"}")
	if err != nil {
		m.Fatal(err)
	}
	return v
}

// warnings are what is wrong, as the status tells.
func (m *machine) warnings() (list []string) {
	m.Helper()
	list, _ = m.ctl("status").Strings("warnings")
	return list
}

// wantWarnings compares them with what they are to begin with.
func (m *machine) wantWarnings(want ...string) {
	m.Helper()
	if got := m.warnings(); !slices.EqualFunc(got, want, strings.HasPrefix) {
		m.Errorf("warnings %q, want %q", got, want)
	}
}

// awaitWarning waits until one of the warnings has the text in it.
func (m *machine) awaitWarning(text string) {
	m.Helper()
	m.eventually("a warning: "+text, func() bool { return strings.Contains(strings.Join(m.warnings(), "\n"), text) })
}

// awaitMetric waits until the metrics have a line.
func (m *machine) awaitMetric(line string) {
	m.Helper()
	m.eventually("the metric "+line, func() bool {
		text, _ := m.ctl("metrics").String("text")
		return strings.Contains(text, line+"\n")
	})
}

// TestSilentServers: whoever looks for the reason why relayed clients get nothing finds it in log, status and metrics. And
// nothing is kept for messages that nobody answers.
func TestSilentServers(t *testing.T) {
	m := newRelayMachine(t, relayedConfig)
	m.start()
	for number := range byte(20) {
		m.client.tell(dhcpv6.Solicit, number)
		m.relayedBy()
	}
	m.wantWarnings()
	m.pass(time.Minute)
	m.client.tell(dhcpv6.Solicit, 20)
	m.relayedBy()
	m.awaitLog("warn: relay: no answer to the last 21 messages, the first 1m ago, sent to ff05::1:3 on wan\n")
	m.wantWarnings("relay: no answer to the last 21 messages")
	m.awaitMetric("lan6d_relay_unanswered 21")
	m.client.tell(dhcpv6.Solicit, 21)
	m.relayedBy()
	m.awaitMetric("lan6d_relay_unanswered 22")
	if n := bytes.Count(m.read("log"), []byte("no answer")); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	m.awaitMetric(`lan6d_relay_prefixes{interface="lan"} 0`)

	// An answer that cannot be relayed is named.
	m.client.tell(dhcpv6.Solicit, 22)
	forward, inner, from := m.relayedBy()
	lost := forward
	lost.PeerAddress = netip.IPv6Unspecified()
	m.reply(lost, inner, from, "")
	m.awaitWarning("there was one that is not relayed: impossible peer-address")

	m.reply(forward, inner, from, "")
	m.gets(22)
	m.awaitLog("relay: servers answer again")
	m.wantWarnings()
	m.awaitMetric("lan6d_relay_unanswered 0")
	m.kill()
}

// TestNoWay: what keeps messages from servers is said when there are messages.
func TestNoWay(t *testing.T) {
	for _, tt := range []struct{ name, config, want string }{
		{"no master there", strings.ReplaceAll(relayedConfig, "'wan0'", "'wan9'"),
			"relay: nothing leads to ff05::1:3: no upstream interface is there at the moment"},
		{"no route", relayedConfig + "\tlist dhcpv6_relay_servers '2001:db8:9::1'\n",
			"relay: nothing leads to 2001:db8:9::1: it is not routed to an upstream interface, as is wan"},
		{"a route elsewhere", relayedConfig + "\tlist dhcpv6_relay_servers '2001:db8:1::53'\n",
			"relay: nothing leads to 2001:db8:1::53: it is not routed to an upstream interface, as is wan"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newRelayMachine(t, tt.config)
			m.start()
			for number := range byte(3) {
				m.client.tell(dhcpv6.Solicit, number)
			}
			m.awaitLog("warn: " + tt.want + "\n")
			m.wantWarnings(tt.want)
			m.awaitMetric(`lan6d_relay_destinations{reached="no"} 1`)
			m.awaitMetric(`lan6d_relay_dropped_total{reason="no server can be reached"} 3`)
			if n := bytes.Count(m.read("log"), []byte("nothing leads")); n != 1 {
				t.Errorf("it is said %d times", n)
			}
			m.write("config/dhcp", []byte(relayedConfig))
			m.signals <- unix.SIGHUP
			m.client.tell(dhcpv6.Solicit, 9)
			m.answer("")
			m.gets(9)
			m.wantWarnings()
			m.kill()
		})
	}
}

// TestPathFailure: a way to a server that the kernel refuses to tell is said to be so once.
func TestPathFailure(t *testing.T) {
	m := newRelayMachine(t, relayedConfig+"\tlist dhcpv6_relay_servers '2001:db8:9::1'\n")
	netnstest.Here(t).IP(t, "route add blackhole 2001:db8:9::1")
	m.start()
	m.awaitLog("warn: relay: route to 2001:db8:9::1: ")
	m.pass(pathInterval)
	m.pass(pathInterval)
	m.settled()
	if n := bytes.Count(m.read("log"), []byte("route to")); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	netnstest.Here(t).IP(t, "route replace 2001:db8:9::1 via 2001:db8:ffff::547 dev wan0")
	m.pass(pathInterval)
	m.awaitMetric(`lan6d_relay_destinations{reached="yes"} 1`)
	m.kill()
}

// TestSharedPrefix: what the server has delegated is not routed to whom another server has told the same, as long as that
// goes on.
func TestSharedPrefix(t *testing.T) {
	m := newRelayMachine(t, relayedConfig+`
config dhcp 'office'
	option ifname 'lan1'
	option dhcpv6 'server'
`)
	lan1 := netnstest.Veth(t, "lan1")
	lan1.Here.AddAddr(t, "lan1", "2001:db8:2::1/48")
	office := newClient(t, lan1.Peer)
	here := netnstest.Here(t)
	routes := func(want string) {
		t.Helper()
		m.eventually("the route "+want, func() bool { return strings.TrimSpace(here.IP(t, "route show proto 0x6d")) == want })
	}
	m.start()
	office.ask(dhcpv6.Request, 1)
	route, _, _ := strings.Cut(here.IP(t, "route show proto 0x6d"), " via ")
	prefix := strings.TrimSpace(route)
	toOffice, toLAN := "", ""
	for dev, to := range map[string]*string{"lan1": &toOffice, "lan0": &toLAN} {
		peer := lan1.Peer
		if dev == "lan0" {
			peer = m.lan
		}
		*to = prefix + " via " + peer.LinkLocal(t, "eth0").String() + " dev " + dev + " metric 1024 pref medium"
	}
	routes(toOffice)

	relay := func(kind dhcpv6.MessageType) {
		m.client.tell(kind, 2)
		m.answer(prefix)
		m.gets(2)
	}
	relay(dhcpv6.Request)
	m.awaitMetric(`lan6d_relay_prefixes{interface="lan"} 1`)
	routes(toOffice)
	m.ctl("del_lease", `"interface":"office"`, `"prefix":"`+prefix+`"`)
	routes(toLAN)
	office.ask(dhcpv6.Request, 1)
	routes(toOffice)
	relay(dhcpv6.Renew)
	m.awaitMetric("lan6d_routes_ok 1")
	routes(toOffice)
	m.ctl("del_lease", `"interface":"lan"`, `"prefix":"`+prefix+`"`)
	m.awaitMetric(`lan6d_relay_prefixes{interface="lan"} 0`)
	routes(toOffice)
	m.ctl("del_lease", `"interface":"office"`, `"prefix":"`+prefix+`"`)
	routes("")
	if log := m.read("log"); bytes.Contains(log, []byte("error")) {
		t.Errorf("%s", log)
	}
	m.kill()
}

// TestDeleteIA: an IAID of the upper half is found by its number, and by the one that it has on ubus.
func TestDeleteIA(t *testing.T) {
	b := &lease.Binding{Key: lease.Key{IAID: 0xfffffffe}}
	for text, want := range map[string]bool{`{"iaid":4294967294}`: true, `{"iaid":-2}`: true, `{"iaid":2}`: false, `{}`: true, `{"iaid":-4294967298}`: false} {
		v, err := json.Parse(text, 100)
		if err != nil {
			t.Fatal(err)
		}
		if got := isOf(v, b); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestRelayedJournal: what relayed clients hold is kept in a journal and in a copy on flash of its own; routes to it come back
// after a power cut, and go and come with the option for them.
func TestRelayedJournal(t *testing.T) {
	const prefix = "2001:db8:8000::/56"
	m := newRelayMachine(t, relayedConfig)
	flash := func(more string) []byte {
		return m.config(withCopy + "\toption ubus '0'\n" + more)
	}
	m.write("config/lan6d", flash(""))
	m.start()
	route := prefix + " via " + m.lan.LinkLocal(t, "eth0").String() + " dev lan0"
	routed := func(want string) {
		t.Helper()
		m.eventually("the route "+want, func() bool {
			got := netnstest.Here(t).IP(t, "route show proto 0x6d")
			return strings.HasPrefix(got, want) && (want == "") == (got == "")
		})
	}
	relay := func(kind dhcpv6.MessageType) {
		m.client.tell(kind, 1)
		m.answer(prefix)
		m.gets(1)
	}
	relay(dhcpv6.Request)
	routed(route)
	m.pass(time.Minute)
	m.eventually("the copy", func() bool { return bytes.Contains(m.read("flash/leases.relayed"), duidOf(1)) })
	if bytes.Contains(m.read("flash/leases"), duidOf(1)) {
		t.Error("the server's copy has it, too")
	}
	m.kill()
	if err := os.RemoveAll(m.path("state")); err != nil { // it is in memory
		t.Fatal(err)
	}
	netnstest.Here(t).IP(t, "route flush proto 0x6d")
	m.timepiece.boot, m.timepiece.booted = 2, m.elapsed
	m.start()
	m.awaitLog("bindings restored from " + m.path("flash/leases.relayed"))
	routed(route)

	m.write("config/lan6d", flash("\toption relay_routes '0'\n"))
	m.signals <- unix.SIGHUP
	routed("")
	relay(dhcpv6.Renew)
	m.settled()
	routed("")
	m.write("config/lan6d", flash(""))
	m.signals <- unix.SIGHUP
	routed(route)

	// Flash that cannot be written: clients are served, the status tells.
	if err := os.RemoveAll(m.path("flash")); err != nil {
		t.Fatal(err)
	}
	m.write("flash", nil)
	relay(dhcpv6.Renew)
	m.pass(time.Minute)
	m.eventually("the status to tell", func() bool {
		ok, _ := m.ctl("status").Get("relay_journal").Get("copy").Bool("ok")
		return !ok
	})
	m.awaitMetric(`lan6d_journal_ok{file="` + m.path("flash/leases.relayed") + `"} 0`)
	m.awaitMetric(`lan6d_journal_ok{file="` + m.path("state/relayed.journal") + `"} 1`)
	relay(dhcpv6.Renew)
	m.kill()
}

// TestTwoMasters: each upstream interface gets its copy for the group; a unicast server gets one, on the interface that it is
// routed to at the time.
func TestTwoMasters(t *testing.T) {
	m := newRelayMachine(t, relayedConfig+`	list dhcpv6_relay_servers 'ff05::1:3'
	list dhcpv6_relay_servers '2001:db8:9::1'

config dhcp 'wwan'
	option ifname 'wan1'
	option dhcpv6 'hybrid'
	option master '1'
`)
	wan1 := netnstest.Veth(t, "wan1")
	wan1.Here.AddAddr(t, "wan1", "2001:db8:fffe::1/64")
	wan1.Peer.AddAddr(t, "eth0", "2001:db8:fffe::547/64")
	second := newPeer(t, wan1.Peer, dhcpv6.ServerPort, netif.AllServers)
	for _, host := range []*netnstest.NS{m.wan, wan1.Peer} {
		host.AddAddr(t, "eth0", "2001:db8:9::1/128")
	}
	here := netnstest.Here(t)
	here.IP(t, "route add 2001:db8:9::1 via 2001:db8:ffff::547 dev wan0")
	m.start()
	arrive := func(p *peer, want ...string) {
		t.Helper()
		for range want {
			in := p.receive()
			if !slices.Contains(want, in.To.String()) {
				t.Errorf("a copy to %v, want to %v", in.To, want)
			}
		}
	}
	m.client.tell(dhcpv6.Solicit, 1)
	arrive(m.server, "ff05::1:3", "2001:db8:9::1")
	arrive(second, "ff05::1:3")
	here.IP(t, "route replace 2001:db8:9::1 via 2001:db8:fffe::547 dev wan1")
	m.pass(pathInterval)
	m.settled()
	m.client.tell(dhcpv6.Solicit, 2)
	arrive(m.server, "ff05::1:3")
	arrive(second, "ff05::1:3", "2001:db8:9::1")
	here.IP(t, "route del 2001:db8:9::1")
	m.pass(pathInterval)
	m.settled()
	m.client.tell(dhcpv6.Solicit, 3)
	arrive(m.server, "ff05::1:3")
	arrive(second, "ff05::1:3")
	m.wantWarnings("relay: nothing leads to 2001:db8:9::1: it is not routed to an upstream interface, as is wan, wwan")
	here.IP(t, "link set wan0 down")
	m.awaitLog("wan: wan0 is down")
	m.client.tell(dhcpv6.Solicit, 4)
	arrive(second, "ff05::1:3")
	m.awaitMetric("lan6d_relay_unanswered 4")
	m.kill()
}
