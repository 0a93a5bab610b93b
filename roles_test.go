package main

import (
	"bytes"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6"
	"lan6d/netif"
	"lan6d/netif/netnstest"
	"lan6d/relay"
)

// reloaded has the daemon take up another configuration.
func (m *machine) reloaded(config string) {
	m.Helper()
	m.write("config/dhcp", m.config(config))
	m.signals <- unix.SIGHUP
	m.settled()
}

// wantSockets checks on which devices somebody listens for DHCPv6, and to the clients' group.
func (m *machine) wantSockets(when string, sockets int, joined ...string) {
	m.Helper()
	udp, err := os.ReadFile("/proc/thread-self/net/udp6")
	if err != nil {
		m.Fatal(err)
	}
	if n := strings.Count(string(udp), ":0223 "); n != sockets {
		m.Errorf("%s: %d sockets, want %d", when, n, sockets)
	}
	igmp, err := os.ReadFile("/proc/thread-self/net/igmp6")
	if err != nil {
		m.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(igmp)) {
		if f := strings.Fields(line); f[2] == "ff020000000000000000000000010002" {
			got = append(got, f[1])
		}
	}
	if slices.Sort(got); !slices.Equal(got, joined) {
		m.Errorf("%s: the group is joined on %q, want %q", when, got, joined)
	}
}

// TestRoles: what an interface does changes while the daemon runs. Nothing of what it did before is left.
func TestRoles(t *testing.T) {
	serving := strings.NewReplacer("'relay'\n\nconfig", "'server'\n\nconfig").Replace(relayedConfig)
	swapped := strings.NewReplacer("lan0", "wan0", "wan0", "lan0").Replace(relayedConfig)
	nothing := strings.NewReplacer("'relay'", "'disabled'").Replace(relayedConfig)
	m := newRelayMachine(t, relayedConfig)
	m.start()
	relay := func(kind dhcpv6.MessageType, prefix string) {
		t.Helper()
		m.client.tell(kind, 1)
		m.answer(prefix)
		m.gets(1)
	}
	const prefix = "2001:db8:8000::/56"
	routes := func(want ...string) {
		t.Helper()
		m.settled()
		got := slices.DeleteFunc(strings.Split(netnstest.Here(t).IP(t, "route show proto 0x6d"), "\n"), func(s string) bool { return s == "" })
		slices.Sort(got)
		if !slices.EqualFunc(got, want, strings.HasPrefix) {
			t.Errorf("routes %q, want %q", got, want)
		}
	}
	via := " via " + m.lan.LinkLocal(t, "eth0").String() + " dev lan0"
	relay(dhcpv6.Request, prefix)
	m.wantSockets("relay", 2, "lan0")
	routes(prefix + via)

	m.reloaded(serving)
	m.wantSockets("server", 1, "lan0")
	routes(prefix + via) // the client has it until it ends
	m.client.ask(dhcpv6.Request, 2)
	m.wantSockets("server", 1, "lan0")

	m.reloaded(nothing)
	m.wantSockets("nothing", 0)
	routes()

	m.reloaded(relayedConfig)
	m.wantSockets("relay again", 2, "lan0")
	relay(dhcpv6.Renew, prefix)
	m.reloaded(swapped)
	m.wantSockets("swapped", 2, "wan0")
	w := dhcpv6.NewWriter(m.server.outbox.Buffer())
	w.Message(dhcpv6.Solicit, 3)
	m.server.send(&w, toServers)
	m.awaitMetric("lan6d_relay_unanswered 1") // it went out on lan0
	m.reloaded(relayedConfig)
	m.wantSockets("swapped back", 2, "lan0")
	relay(dhcpv6.Renew, prefix)
	if log := m.read("log"); bytes.Contains(log, []byte("error: ")) {
		t.Errorf("%s", log)
	}
	m.kill()
}

// TestClosedInFlight: what a socket has received that is closed since is nobody's.
func TestClosedInFlight(t *testing.T) {
	m := newRelayMachine(t, relayedConfig)
	d := m.byHand()
	m.client.tell(dhcpv6.Solicit, 1)
	clients := <-d.batches
	w := dhcpv6.NewWriter(m.server.outbox.Buffer())
	w.Message(dhcpv6.Solicit, 2)
	m.server.send(&w, netip.AddrPortFrom(netip.MustParseAddr("2001:db8:ffff::1"), dhcpv6.ServerPort))
	servers := <-d.batches
	m.write("config/dhcp", []byte(strings.NewReplacer("lan0", "wan0", "wan0", "lan0").Replace(relayedConfig)))
	if _, err := d.reload(); err != nil {
		t.Fatal(err)
	}
	d.handle(clients)
	d.handle(servers)
	if c := d.relay.Counters(); c.Forwarded != 0 || c.Received != [16]uint64{} || c.Dropped[relay.DropMessageType] != 0 {
		t.Errorf("%+v", c)
	}
}

// TestFlood: while one LAN is flooded, the clients of another wait for a few batches of it, however much there is, and so do
// the servers' answers. Everything lies in the sockets before anything is handled, so that it is the order that counts, not how
// fast the machine is.
func TestFlood(t *testing.T) {
	m := newRelayMachine(t, relayedConfig+"\nconfig dhcp 'flooded'\n\toption ifname 'lan1'\n\toption dhcpv6 'relay'\n")
	lan1 := netnstest.Veth(t, "lan1")
	lan1.Here.AddAddr(t, "lan1", "2001:db8:2::1/64")
	flooder := newClient(t, lan1.Peer)
	d := m.byHand()
	counters := func(name string) netif.Counters { return d.served[name].socket.Counters() }
	const messages, limit = 120, 2 * netif.BatchSize // a socket keeps some more, and one batch each is on the way
	flood := func() {
		t.Helper()
		before := counters("flooded").Received
		for range messages {
			flooder.tell(dhcpv6.Solicit, 100)
		}
		m.eventually("the flood", func() bool { return counters("flooded").Received > before })
		m.expected += messages
	}
	for round := range byte(10) {
		flood()
		m.expected++
		m.client.tell(dhcpv6.Solicit, round)
		m.eventually("the client's message", func() bool { return counters("lan").Received == uint64(round)+1 })
		if n := m.handle(d, "lan"); n > limit {
			t.Errorf("%d messages of the flood come before the client's", n)
		}
		asked := m.asked
		m.handle(d, "")

		flood()
		m.reply(asked.forward, asked.inner, asked.from, "")
		m.eventually("the answer", func() bool { return counters("wan").Received == uint64(round)+1 })
		if n := m.handle(d, "wan"); n > limit {
			t.Errorf("%d messages of the flood come before the answer", n)
		}
		m.gets(round)
		m.handle(d, "")
	}
}

// handle has the daemon handle what has come up to the next batch of an interface, and the server take it. It returns how much
// has come on others. Without a name, that is all that is to be relayed.
func (m *relayMachine) handle(d *daemon, name string) (others int) {
	m.Helper()
	relayed := func() uint64 { return d.relay.Counters().Forwarded }
	for name != "" || relayed() < m.expected {
		b := <-d.batches
		mine, n, before := d.sockets[b.Socket().Ifindex()].name == name, b.Len(), relayed()
		d.handle(b)
		for range relayed() - before {
			m.asked.forward, m.asked.inner, m.asked.from = m.relayedBy()
		}
		if mine {
			return others
		}
		others += n
	}
	return others
}
