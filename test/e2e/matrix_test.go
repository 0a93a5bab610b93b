package e2e

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// A cell is one exchange with one client: a router, a host with the client, and nothing else.
type cell struct {
	*testing.T
	kind   kind
	router *router
	host   *host
	client client
}

// The exchanges of RFC 9915, in the order of its section 18.
var exchanges = []struct {
	name   string
	test   func(cell)
	config string
	addrs  []string
}{
	{name: "address (IA_NA)", test: func(c cell) { c.lease(want{addr: true}) }},
	{name: "prefix (IA_PD)", test: func(c cell) { c.lease(want{prefix: true}) }},
	{name: "address and prefix", test: func(c cell) { c.lease(want{addr: true, prefix: true}) }},
	{name: "Rapid Commit", test: testRapidCommit},
	{name: "Confirm", test: testConfirm},
	{name: "Renew", test: testRenew},
	{name: "Rebind", test: testRebind},
	{name: "Rebind after restart", test: testRestart},
	{name: "Information-request", test: testInformation},
	{name: "Release", test: testRelease},
	{name: "Decline", test: testDecline, config: lasting, addrs: []string{global}},
}

// limits names the exchanges that a client, as Debian 12 ships it, cannot do, and why.
var limits = map[string]map[string]string{
	"dhcpcd": {
		"Decline": "dhcpcd 9.4.1 on Linux never learns that the address is taken: the kernel removes it, or leaves it " +
			"tentative, and dhcpcd waits for detection to end",
	},
	"dhcp6c": {
		"Confirm":              noLeaseFile6c,
		"Rebind after restart": noLeaseFile6c,
		"Decline":              "dhcp6c does not look whether duplicate address detection failed",
	},
	"dibbler": {
		"Rebind after restart": "dibbler confirms addresses and asks for its prefixes anew with Solicit",
	},
	"networkd": {
		"Confirm":              noLeaseFileNetworkd,
		"Rebind after restart": noLeaseFileNetworkd,
		"Release":              "systemd-networkd sends Release since version 253 (systemd#19728); Debian 12 has 252",
		"Decline":              "systemd-networkd has a Decline for DHCPv4 only",
	},
}

const (
	noLeaseFile6c       = "dhcp6c keeps its DUID but no leases (FILES in its manual page): a restart solicits"
	noLeaseFileNetworkd = "systemd-networkd keeps no DHCPv6 leases: a restart solicits"
)

// TestClients runs every exchange with every client.
func TestClients(t *testing.T) {
	t.Parallel()
	outcome := matrix{title: "exchange"}
	for _, k := range clientKinds {
		outcome.cols = append(outcome.cols, k.name)
	}
	t.Run("exchange", func(t *testing.T) {
		for _, x := range exchanges {
			outcome.rows = append(outcome.rows, x.name)
			for _, k := range clientKinds {
				if why := limits[k.name][x.name]; why != "" {
					outcome.limit(x.name, k.name, why)
					continue
				}
				t.Run(x.name+"/"+k.name, func(t *testing.T) {
					t.Parallel()
					outcome.set(x.name, k.name, "FAILED")
					r := newRouter(t, cmp.Or(x.config, config), x.addrs...)
					x.test(newCell(t, k, r, r.client("client")))
					if !t.Failed() {
						outcome.set(x.name, k.name, "ok")
					}
				})
			}
		}
	})
	outcome.show(t, "clients.md")
	for _, x := range exchanges {
		if n := outcome.limited(x.name); len(clientKinds)-n < 2 {
			t.Errorf("%s is tested with fewer than two clients", x.name)
		}
	}
}

func newCell(t *testing.T, k kind, r *router, h *host) cell { return cell{t, k, r, h, k.make(h)} }

// lease runs the client until it has what it wants and uses it, and returns the Reply that gave it.
func (c cell) lease(w want) *message {
	c.Helper()
	reply := c.request(w)
	c.bound(w, reply)
	return reply
}

// request starts the client, which gets what it wants by Solicit, Advertise, Request and Reply.
func (c cell) request(w want) *message {
	c.Helper()
	since := c.router.capture.mark()
	c.client.start(w)
	offer := c.router.capture.exchanged(since, 10*time.Second, "Solicit", "Advertise")
	bind := c.router.capture.exchanged(since, 10*time.Second, "Request", "Reply")
	reply := bind.got.message
	for _, l := range reply.leases(optIANA) {
		if held(offer.got.message, l) == nil {
			c.Errorf("leased %v, but offered %v", l, offer.got.leases(optIANA))
		}
	}
	return reply
}

// bound checks that the client uses what a Reply gave it, and that lan6d says so in its log.
func (c cell) bound(w want, reply *message) {
	c.Helper()
	ias := reply.ias()
	for _, a := range ias {
		if a.t1 != ias[0].t1 || a.t2 != ias[0].t2 {
			c.Errorf("T1 and T2 differ between IAs: %v", ias)
		}
	}
	if w.addr {
		c.checkAddrs(reply.leases(optIANA))
		c.router.lan6d.logged("bound", reply.leases(optIANA)[0].prefix.Addr().String())
	}
	if w.prefix {
		c.checkPrefixes(reply.leases(optIAPD))
		c.router.lan6d.logged("bound", reply.leases(optIAPD)[0].prefix.String())
	}
}

// checkAddrs waits until every address that was leased is configured and may be used, and checks that no other is.
func (c cell) checkAddrs(leases []lease) {
	c.Helper()
	if len(leases) == 0 {
		c.Fatal("the Reply holds no address")
	}
	var want []netip.Addr
	for _, l := range leases {
		want = append(want, l.prefix.Addr())
	}
	var got []netip.Addr
	eventually(c, 10*time.Second, "the client's interface to have the addresses of the Reply", func() bool {
		got = nil
		for _, a := range c.host.addrs("eth0") {
			got = append(got, a.addr)
		}
		return len(got) > 0 && !slices.ContainsFunc(want, func(a netip.Addr) bool { return !slices.Contains(got, a) })
	})
	for _, a := range got {
		if !slices.Contains(want, a) {
			c.Errorf("the client has address %v; leased are %v", a, want)
		}
	}
}

// checkPrefixes waits until the client reports the delegated prefixes.
func (c cell) checkPrefixes(leases []lease) {
	c.Helper()
	if len(leases) == 0 {
		c.Fatal("the Reply holds no prefix")
	}
	for _, l := range leases {
		eventually(c, 5*time.Second, "the client to report prefix "+l.prefix.String(), func() bool {
			return strings.Contains(c.client.report(), l.prefix.Addr().String())
		})
	}
}
