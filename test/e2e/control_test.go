package e2e

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	dhcpserver "lan6d/dhcpv6/server"
	"lan6d/relay"
)

// A controlled is a router with a client that has an address and a prefix, and a connection to its lan6d.
type controlled struct {
	*router
	cell
	*channel
	had  *message
	duid string // the client's, in hexadecimal digits
}

func newControlled(t *testing.T) *controlled {
	r := newRouter(t, config)
	c := newCell(t, dhcpcdKind, r, r.client("client"))
	had := c.lease(reconfigurable)
	duid, _ := had.option(optClientID)
	return &controlled{r, c, r.dial(), had, fmt.Sprintf("%x", duid)}
}

// TestControlReads: what is told of a router and its client, by each method that changes nothing.
func TestControlReads(t *testing.T) {
	t.Parallel()
	c := newControlled(t)
	addrs, prefixes := told(c.had.leases(optIANA)), told(c.had.leases(optIAPD))
	for name, check := range map[string]func(*testing.T, *controlled, []string, []string){
		"status": checkStatus, "leases": checkLeases, "ipv6leases": checkIPv6Leases, "list": checkList, "wrong": checkWrong,
	} {
		t.Run(name, func(t *testing.T) { check(t, c, addrs, prefixes) })
	}
}

func checkStatus(t *testing.T, c *controlled, addrs, prefixes []string) {
	var s ctlStatus
	c.call("status", nil, &s)
	if s.PID <= 1 || s.Uptime < 0 || s.Uptime > 60 || s.Version == "" || len(s.ServerDUID) != 20 {
		t.Errorf("status %+v", s)
	}
	if !slices.Equal(s.Config.Files, []string{"/run/e2e/config/dhcp", "/run/e2e/config/lan6d"}) || s.Config.Dir != "/run/e2e/config" {
		t.Errorf("configuration %+v", s.Config)
	}
	if !s.Journal.OK || s.Journal.Path != journalPath || s.Journal.Size == 0 || !s.RelayJournal.OK || s.Journal.Copy != nil {
		t.Errorf("journals %+v, %+v", s.Journal, s.RelayJournal)
	}
	if n := s.Counters; n.Received["Solicit"] < 1 || n.Received["Request"] < 1 || n.Sent["Advertise"] < 1 || n.Sent["Reply"] < 1 || len(n.Relayed) > 0 {
		t.Errorf("counters %+v", s.Counters)
	}
	if len(s.Interfaces) != 1 || len(s.Warnings) > 0 || len(s.Config.Problems) > 0 {
		t.Fatalf("status %+v", s)
	}
	i := s.Interfaces[0]
	if i.Name != "lan" || i.Device != "lan0" || i.Mode != "server" || i.Role != "server" || !i.Up || i.Reason != "" || i.Master {
		t.Errorf("interface %+v", i)
	}
	if len(i.Prefixes) != 2 || i.Prefixes[0].Prefix != global || i.Prefixes[0].Valid != -1 || !i.Prefixes[0].Addresses || !i.Prefixes[0].Delegates {
		t.Errorf("prefixes %+v", i.Prefixes)
	}
	if i.Leases.Addresses != 1 || i.Leases.Prefixes != 1 || i.Pools.AddressesUsed != 1 || i.Pools.AddressesFree != 3839 || i.Pools.PrefixesFree == 0 {
		t.Errorf("leases %+v, pools %+v", i.Leases, i.Pools)
	}
	var again struct{ Interfaces []ctlInterface }
	if c.call("interfaces", object{}, &again); len(again.Interfaces) != 1 || again.Interfaces[0].Leases != i.Leases {
		t.Errorf("interfaces %+v", again)
	}
	c.ctlPrints("status", "lan6d devel, up ", "configuration  /run/e2e/config/dhcp, /run/e2e/config/lan6d, read ", "server DUID    "+s.ServerDUID,
		"leases in      "+journalPath, "lan        lan0    up     server  server  1          3839  1 ", "lan        "+global+"  forever    forever",
		"received       Solicit ")
	c.ctlPrints("interfaces", "lan        lan0    up     server  server  1 ")
	c.ctlPrints("--json interfaces", `{"interfaces":[{"name":"lan","device":"lan0",`)
}

func checkLeases(t *testing.T, c *controlled, addrs, prefixes []string) {
	var all ctlLeases
	c.call("leases", nil, &all)
	if len(all.Leases) != 2 {
		t.Fatalf("leases %+v", all)
	}
	mac := strings.Join(regexp.MustCompile("..").FindAllString(c.duid[8:], -1), ":")
	peer := c.cell.host.LinkLocal(t, "eth0").String()
	for i, kind := range []string{"address", "prefix"} {
		b := all.Leases[i]
		if b.Interface != "lan" || b.Device != "lan0" || b.Kind != kind || b.State != "bound" || b.DUID != c.duid || b.MAC != mac ||
			b.Client != peer || b.IAID != int64(i+1) || b.Static || b.Relayed || b.Accepts == nil || !*b.Accepts {
			t.Errorf("%s: %+v", kind, b)
		}
		if got, want := names(b.Leases), [][]string{addrs, prefixes}[i]; !slices.Equal(got, want) {
			t.Errorf("leases %q, the client has %q", got, want)
		}
		if l := b.Leases[0]; l.Valid <= 0 || l.Valid > 5400 || l.Preferred <= 0 || l.Preferred > l.Valid || l.Withdrawn {
			t.Errorf("lease %+v", l)
		}
	}
	for _, tt := range []struct {
		filter object
		want   int
	}{
		{object{"interface": "lan"}, 2}, {object{"interface": "lan0"}, 2}, {object{"duid": strings.ToUpper(c.duid)}, 2},
		{object{"duid": c.duid[:18] + "ff"}, 0}, {object{"hostname": "nobody"}, 0}, {object{"kind": "address"}, 1}, {object{"kind": "prefix"}, 1},
		{object{"state": "bound"}, 2}, {object{"state": "offered"}, 0}, {object{"state": "declined"}, 0}, {object{"state": "free"}, 0},
		{object{"interface": "lan", "duid": c.duid, "kind": "prefix", "state": "bound"}, 1},
	} {
		var some ctlLeases
		if c.call("leases", tt.filter, &some); len(some.Leases) != tt.want {
			t.Errorf("%v: %+v, want %d", tt.filter, some, tt.want)
		}
	}
	c.fails("leases", object{"interface": "wan"}, -32602, "interface: there is no wan, only lan")
	c.fails("leases", object{"duid": "xyz"}, -32602, "duid: xyz is no DUID in hexadecimal digits")
	c.fails("leases", object{"kind": "route"}, -32602, `kind: "route" is not one of address prefix`)
	c.ctlPrints("leases --kind prefix", "LEASE", prefixes[0], "bound", c.duid+"%2")
	c.ctlPrints("leases --state free", "none")
}

// checkIPv6Leases: names, order and types are those of odhcpd, which others have been written for.
func checkIPv6Leases(t *testing.T, c *controlled, addrs, prefixes []string) {
	want := `{"device":{"lan0":{"leases":[` +
		`{"duid":"` + c.duid + `","iaid":1,"hostname":"","accept-reconf":true,"assigned":N,"flags":["bound"],` +
		`"ipv6-addr":[{"address":"` + addrs[0] + `","preferred-lifetime":N,"valid-lifetime":N},` +
		`{"address":"` + addrs[1] + `","preferred-lifetime":N,"valid-lifetime":N}],"valid":N},` +
		`{"duid":"` + c.duid + `","iaid":2,"hostname":"","accept-reconf":true,"assigned":N,"flags":["bound"],` +
		`"ipv6-prefix":[{"address":"` + strings.Split(prefixes[0], "/")[0] + `","preferred-lifetime":N,"valid-lifetime":N,"prefix-length":62},` +
		`{"address":"` + strings.Split(prefixes[1], "/")[0] + `","preferred-lifetime":N,"valid-lifetime":N,"prefix-length":62}],"valid":N}]}}}`
	got := c.call("ipv6leases", nil, &object{})
	got = regexp.MustCompile(`("assigned"|"valid"|"preferred-lifetime"|"valid-lifetime"):[1-9][0-9]*`).ReplaceAllString(got, "$1:N")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func checkList(t *testing.T, c *controlled, _, _ []string) {
	var list struct {
		Methods []struct {
			Name, Doc string
			Changes   bool
			Arguments []struct {
				Name, Type, Doc string
				Values          []string
			}
		}
		Events []string
	}
	c.call("list", nil, &list)
	var change []string
	for _, m := range list.Methods {
		if m.Doc == "" {
			t.Errorf("%s has no doc", m.Name)
		}
		if m.Changes {
			change = append(change, m.Name)
			continue
		}
		if m.Name != "listen" { // changes nothing, and needs nothing
			c.call(m.Name, nil, &object{})
		}
	}
	if !slices.Equal(change, []string{"add_lease", "del_lease", "reconfigure", "reload", "loglevel"}) {
		t.Errorf("%q change something", change)
	}
	if len(list.Events) != 8 {
		t.Errorf("events %q", list.Events)
	}
	c.ctlPrints("list", "METHOD", "del_lease", "address", "events: dhcp.lease6, ")
	c.ctlPrints(`call leases {"kind":"address"}`, `"kind": "address"`)
	c.ctlPrints("check", "lan (lan0): server")
}

// checkWrong: exit statuses and messages of what cannot be done.
func checkWrong(t *testing.T, c *controlled, _, _ []string) {
	for _, tt := range []struct {
		command string
		status  int
		message string
	}{
		{"call nonsense", 2, "there is no method nonsense"},
		{"nonsense", 2, "there is no command nonsense"},
		{"leases --kind route", 2, `kind: "route" is not one of`},
		{"add-lease --hostid 5", 2, "duid, mac: one of them is needed"},
		{"add-lease --duid 0001 --hostid xyz", 2, "hostid"},
		{"del-lease 2001:db8::dead", 1, "nobody has such a lease"},
		{"del-lease 2001:db8::/99x", 2, "99x"},
		{"reconfigure", 2, "one of interface, duid, all is needed"},
		{"reconfigure --duid 000100", 1, "no client 000100 that accepts it"},
		{"reconfigure --interface wan", 2, "there is no wan, only lan"},
		{"loglevel loud", 2, `level: "loud" is not one of`},
		{"-s /nonexistent status", 3, "lan6d is not running: nobody listens on /nonexistent"},
	} {
		status, stdout, stderr := c.ctl(strings.Fields(tt.command)...)
		if status != tt.status || stdout != "" || !strings.HasPrefix(stderr, "lan6d ctl: ") || !strings.Contains(stderr, tt.message) {
			t.Errorf("ctl %s: exit status %d, %s%s, want %d and %q", tt.command, status, stdout, stderr, tt.status, tt.message)
		}
	}
}

// TestControlEnds: del_lease ends a client's leases, whatever it names them by: the routes go, and with its next Renew the
// client has all again.
func TestControlEnds(t *testing.T) {
	t.Parallel()
	c := newControlled(t)
	w := c.router.listen("dhcp.*")
	duid, _ := c.had.option(optClientID)
	addr, prefix := told(c.had.leases(optIANA))[0], told(c.had.leases(optIAPD))[0]
	for _, tt := range []struct {
		command string
		kinds   []string
	}{
		{c.duid, []string{"address", "prefix"}}, {c.duid + "%2", []string{"prefix"}}, {addr, []string{"address"}},
		{prefix + " --interface lan", []string{"prefix"}},
	} {
		out := c.ctlPrints("del-lease "+tt.command, "ended: lan: ", "of "+c.duid)
		if n := strings.Count(out, "\n"); n != len(tt.kinds) {
			t.Errorf("del-lease %s prints\n%s", tt.command, out)
		}
		for _, kind := range tt.kinds {
			w.binding("dhcp.expire6", "deleted", kind, duid)
			var left ctlLeases
			if c.call("leases", object{"kind": kind}, &left); len(left.Leases) > 0 {
				t.Errorf("del-lease %s leaves %+v", tt.command, left)
			}
		}
		if slices.Contains(tt.kinds, "prefix") {
			c.settles("routes", c.cell.routed, nil)
		}
		c.keeps(c.had)
		c.settles("routes", c.cell.routed, c.had.leases(optIAPD))
	}
	c.fails("del_lease", object{"duid": c.duid, "iaid": 77}, -32000, "nobody has such a lease")
}

// TestControlReconfigure: clients that accept it ask for their configuration when they are told to, and so do all.
func TestControlReconfigure(t *testing.T) {
	t.Parallel()
	c := newControlled(t)
	a := newAccepter(c.simulated(1)[0], iaTypes...)
	a.attach()
	for _, command := range []string{fmt.Sprintf("reconfigure --duid %x", a.duid), "reconfigure --interface lan", "reconfigure --all"} {
		since, all := c.capture.mark(), !strings.Contains(command, "--duid")
		c.ctlPrints(command, map[bool]string{true: "clients told: 2\n", false: "clients told: 1\n"}[all])
		a.follow("Renew", time.Now())
		if all {
			c.renewal(c.had, since)
		}
	}
	a.quiet()
	// The key of a client that accepts is nobody else's business.
	dump := c.call("dump", nil, &object{})
	if !strings.Contains(dump, fmt.Sprintf("%x", a.duid)) {
		t.Errorf("the client is not in the dump: %s", dump)
	}
	for i := range len(a.trust.key) - 3 {
		if part := a.trust.key[i : i+4]; strings.Contains(dump, fmt.Sprintf("%x", part)) || strings.Contains(dump, string(part)) {
			t.Errorf("octets %d to %d of the key %x are in the dump", i, i+3, a.trust.key)
		}
	}
}

// TestControlAddLease: a host that was added gives a client its addresses, until the next reload.
func TestControlAddLease(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	members := r.simulated(3)
	w := r.listen("dhcp.*")
	for i, m := range members[:2] {
		m.codes = iaTypes
		r.ctlPrints(fmt.Sprintf("add-lease --duid %x --hostid 7%d --name host%d --prefix a%d0", m.duid, i, i, i), "added, until the next reload")
	}
	members[2].codes = iaTypes
	first, second := members[0], members[1]
	first.crowd.join([]*member{first})
	if got := told(first.leases[optIANA]); !slices.Equal(got, []string{"2001:db8:1::70", "fd00:1::70"}) {
		t.Errorf("the client is given %q", got)
	}
	if got := told(first.leases[optIAPD]); len(got) == 0 || !strings.HasPrefix(got[0], "2001:db8:1:a00::/") {
		t.Errorf("the client is delegated %q", got)
	}
	e := w.binding("dhcp.lease6", "bound", "address", first.duid)
	if e.Hostname != "host0" {
		t.Errorf("event %+v", e)
	}
	var leases ctlLeases
	if r.dial().call("leases", object{"hostname": "HOST0"}, &leases); len(leases.Leases) != 2 || !leases.Leases[0].Static {
		t.Errorf("leases of host0: %+v", leases)
	}
	r.ctlPrints("reload", "configuration changed: what was read is in use now")
	second.crowd.join([]*member{second, members[2]})
	if got := told(second.leases[optIANA]); len(got) != 2 || got[0] == "2001:db8:1::71" {
		t.Errorf("after the reload the other client is given %q", got)
	}
	first.crowd.renew([]*member{first}) // keeps what it has

	// Who has a lease is moved with its next Renew.
	third := members[2]
	r.ctlPrints(fmt.Sprintf("add-lease --duid %x --hostid 72", third.duid), "added, ")
	var reply *message
	third.crowd.each([]*member{third}, "renew", func(m *member) { reply = m.exchange("Renew", m.leases, nil) })
	if got := told(reply.leases(optIANA)); !slices.Equal(got, []string{"2001:db8:1::72", "fd00:1::72"}) {
		t.Errorf("the third client is moved to %q", got)
	}
}

// TestControlReload: a configuration with mistakes is refused with all of them, and the old one goes on.
func TestControlReload(t *testing.T) {
	t.Parallel()
	c := newControlled(t)
	w := c.router.listen("config")
	const bad = config + "\toption dhcpv6_pd_min_len 'many'\n\toption dhcpv6 'sever'\n"
	c.configure(bad)
	for _, how := range []string{"reload", "check"} {
		status, stdout, stderr := c.ctl(how)
		if status != 1 || !strings.Contains(stdout, "error: /run/e2e/config/dhcp:7: dhcpv6_pd_min_len: ") ||
			!strings.Contains(stdout, "error: /run/e2e/config/dhcp:8: dhcpv6: ") || !strings.HasPrefix(stderr, "lan6d ctl: the configuration has errors") {
			t.Errorf("ctl %s: exit status %d, %s%s", how, status, stdout, stderr)
		}
	}
	var refused ctlReload
	if c.call("reload", nil, &refused); refused.Changed || len(refused.Problems) != 2 || refused.Problems[0].Line != 7 {
		t.Errorf("reload %+v", refused)
	}
	c.lan6d.signal(syscall.SIGHUP)
	for range 3 {
		var e struct {
			ctlReload
			Cause string
		}
		w.await("config", &e, func() bool { return true })
		if e.Changed || e.Cause != "refused" || len(e.Problems) != 2 || e.Problems[1].Line != 8 {
			t.Errorf("event %+v", e)
		}
	}
	c.keeps(c.had)

	c.configure(strings.ReplaceAll(config, nameserver, "2001:db8:1::54"))
	c.ctlPrints("reload", "configuration changed: what was read is in use now\n")
	var e struct {
		ctlReload
		Cause string
	}
	w.await("config", &e, func() bool { return true })
	if !e.Changed || e.Cause != "reloaded" || len(e.Problems) > 0 {
		t.Errorf("event %+v", e)
	}
	c.knows("2001:db8:1::54")
	c.keeps(c.had)

	// What does no harm is told, and no reason not to take the rest.
	c.configure(config + "\toption ra_management '1'\n")
	c.ctlPrints("reload", "warning: /run/e2e/config/dhcp:7: ra_management: ", "configuration changed: ")
	c.ctlPrints("status", "warning: /run/e2e/config/dhcp:7: ra_management: ")

	c.run("rm", "/run/e2e/config/dhcp", "/run/e2e/config/lan6d")
	if status, stdout, stderr := c.ctl("reload"); status != 1 || stdout != "" || !strings.Contains(stderr, "there is no configuration") {
		t.Errorf("without a configuration: exit status %d, %s%s", status, stdout, stderr)
	}
	c.keeps(c.had)
}

// TestControlLogLevel: what is logged changes at once.
func TestControlLogLevel(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	m := r.simulated(1)[0]
	r.ctlPrints("loglevel", "debug\n")
	r.ctlPrints("loglevel error", "error\n")
	m.crowd.join([]*member{m})
	r.ctlPrints("loglevel info", "info\n")
	if r.lan6d.hasLogged("bound") {
		t.Error("at level error a lease was logged")
	}
	m.leave(false)
	m.begin()
	m.crowd.join([]*member{m})
	r.lan6d.logged("bound", fmt.Sprintf("%x", m.duid))
}

// TestControlMetrics: Prometheus' own library can read them, and everything that can be counted has a counter.
func TestControlMetrics(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	m := r.simulated(1)[0]
	m.codes = iaTypes
	m.crowd.join([]*member{m})
	if _, err := m.door.WriteToUDPAddrPort([]byte{1, 0, 0, 1, 0, 8, 0, 2, 0, 0}, m.crowd.servers); err != nil { // a Solicit of nobody's
		t.Fatal(err)
	}
	drop := func(of map[string]float64, reason string) float64 {
		return of[`lan6d_dropped_total{reason="`+reason+`"}`]
	}
	var values map[string]float64
	eventually(t, 5*time.Second, "the bad packet to be counted", func() bool {
		values = r.metrics()
		return drop(values, dhcpserver.DropNoClientID.Error()) > 0
	})
	for _, reason := range dhcpserver.Drops() {
		want := 0.0
		if reason == dhcpserver.DropNoClientID {
			want = 1
		}
		if _, ok := values[`lan6d_dropped_total{reason="`+reason.Error()+`"}`]; !ok || drop(values, reason.Error()) != want {
			t.Errorf("dropped as %v: %v, %v", reason, ok, drop(values, reason.Error()))
		}
	}
	for _, reason := range relay.Drops() {
		if _, ok := values[`lan6d_relay_dropped_total{reason="`+reason.Error()+`"}`]; !ok {
			t.Errorf("not relayed as %v: no counter", reason)
		}
	}
	for _, family := range []string{"received", "sent", "relay_received", "relay_returned"} {
		for _, kind := range messageNames[1:] {
			if _, ok := values["lan6d_"+family+`_total{type="`+kind+`"}`]; !ok {
				t.Errorf("%s %s: no counter", family, kind)
			}
		}
	}
	for name, want := range map[string]float64{
		`lan6d_bindings{interface="lan",kind="address",state="bound"}`: 1, `lan6d_bindings{interface="lan",kind="prefix",state="bound"}`: 1,
		`lan6d_pool_used{interface="lan",kind="address"}`: 1, `lan6d_pool_free{interface="lan",kind="address"}`: 3839,
		`lan6d_journal_ok{file="` + journalPath + `"}`: 1, `lan6d_routes_ok`: 1, `lan6d_routes`: 2, `lan6d_interface_served{interface="lan"}`: 1,
		`lan6d_socket_overrun_total{device="lan0"}`: 0,
	} {
		if got, ok := values[name]; !ok || got != want {
			t.Errorf("%s: %v, %v, want %v", name, ok, got, want)
		}
	}
}

// metrics are what lan6d ctl metrics prints, by name and labels.
func (r *router) metrics() map[string]float64 {
	r.t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(r.ctlPrints("metrics")))
	if err != nil {
		r.t.Fatal(err)
	}
	values := make(map[string]float64)
	for name, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			key := name
			if labels != nil {
				key += "{" + strings.Join(labels, ",") + "}"
			}
			if family.GetType().String() == "COUNTER" != strings.HasSuffix(name, "_total") {
				r.t.Errorf("%s is a %v", name, family.GetType())
			}
			values[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values
}

// TestControlEvents: whoever listens is told what happens to leases, interfaces and the configuration.
func TestControlEvents(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config, global)
	m := r.simulated(1)[0]
	m.codes = iaTypes
	c, w, only := r.dial(), r.listen(), r.listen("dhcp.decline6", "inter*")
	shown := r.start(server(t), "ctl", "-s", socketPath, "listen", "dhcp.lease6", "dhcp.p*")
	does := func(what string, do func()) {
		t.Helper()
		m.crowd.each([]*member{m}, what, func(*member) { do() })
	}
	via := m.door.LocalAddr().(*net.UDPAddr).IP.String()

	end := r.shortly(4, 8)
	eventually(t, 5*time.Second, "lan6d to know the lifetimes", func() bool {
		var i struct{ Interfaces []ctlInterface }
		c.call("interfaces", nil, &i)
		return len(i.Interfaces[0].Prefixes) == 1 && i.Interfaces[0].Prefixes[0].Valid >= 0
	})
	does("join", m.join)
	address := w.binding("dhcp.lease6", "bound", "address", m.duid)
	if !slices.Equal(names(address.Leases), told(m.leases[optIANA])) || address.IAID != 1 || address.Interface != "lan" || address.Device != "lan0" ||
		address.Via != via || address.Routes != nil || address.Leases[0].Valid <= 0 || address.Leases[0].Valid > 8 {
		t.Errorf("event %+v", address)
	}
	prefix := w.binding("dhcp.prefix6", "bound", "prefix", m.duid)
	if want := told(m.leases[optIAPD]); !slices.Equal(names(prefix.Leases), want) || !slices.Equal(prefix.Routes, want) || prefix.Via != via {
		t.Errorf("event %+v", prefix)
	}
	does("renew", m.renew)
	for _, kind := range []string{"address", "prefix"} {
		w.binding("dhcp.renew6", "renewed", kind, m.duid)
	}
	for _, kind := range []string{"address", "prefix"} {
		if e := w.binding("dhcp.expire6", "expired", kind, m.duid); e.Routes != nil || len(e.Leases) != 1 || e.Leases[0].Valid != 0 {
			t.Errorf("event %+v", e)
		}
	}
	end()
	does("join", m.join)
	w.binding("dhcp.lease6", "bound", "address", m.duid)
	duid := m.duid
	does("leave", func() { m.leave(true) })
	for _, l := range []*watcher{w, only} {
		if e := l.binding("dhcp.decline6", "declined", "address", duid); !slices.Equal(names(e.Leases), names(address.Leases)) {
			t.Errorf("event %+v", e)
		}
	}
	if e := w.binding("dhcp.release6", "released", "prefix", duid); !slices.Equal(names(e.Leases), names(prefix.Leases)) || e.Routes != nil {
		t.Errorf("event %+v", e)
	}
	var declined ctlLeases
	if c.call("leases", object{"state": "declined"}, &declined); len(declined.Leases) != 1 || declined.Leases[0].Valid < 3500 ||
		declined.Leases[0].DUID != "" || !slices.Equal(names(declined.Leases[0].Leases), names(address.Leases)) {
		t.Errorf("declined: %+v", declined)
	}
	r.ctlPrints("leases", "  declined\n")
	r.ctlPrints("del-lease "+address.Leases[0].Address, "ended: lan: "+address.Leases[0].Address+" (declined)\n")
	var offer *message
	m.codes = iaTypes
	does("solicit", func() { offer = m.exchange("Solicit", nil, nil) })
	var offered ctlLeases
	if c.call("leases", object{"state": "offered"}, &offered); len(offered.Leases) != 2 {
		t.Fatalf("offered: %+v", offered)
	}
	for i, code := range iaTypes {
		if b := offered.Leases[i]; b.Valid < 50 || b.Valid > 60 || b.Leases[0].Valid != b.Valid || !slices.Equal(names(b.Leases), told(offer.leases(code))) {
			t.Errorf("offered: %+v", b)
		}
	}
	does("request", m.join)
	shown.logged("dhcp.lease6 lan: bound address ", fmt.Sprintf(", %x%%1, via %s", m.duid, via))
	shown.logged("dhcp.prefix6 lan: bound prefix ", fmt.Sprintf(", %x%%1, via %s", m.duid, via))
	duid = m.duid
	does("release", func() { m.leave(false) })
	w.binding("dhcp.release6", "released", "prefix", duid)
	var free ctlLeases
	if c.call("leases", object{"state": "free", "duid": fmt.Sprintf("%x", duid)}, &free); len(free.Leases) != 2 || free.Leases[1].Valid != 0 ||
		!slices.Equal(names(free.Leases[1].Leases), told(offer.leases(optIAPD))) {
		t.Errorf("free: %+v", free)
	}

	for _, tt := range []struct{ command, cause string }{
		{"link set lan0 down", "down"}, {"link set lan0 up", "running"}, {"link del lan0", "no device"},
	} {
		r.ip("%s", tt.command)
		var e struct{ Name, Device, Cause string }
		only.await("interface", &e, func() bool { return e.Cause == tt.cause })
		if e.Name != "lan" || e.Device != "lan0" {
			t.Errorf("event %+v", e)
		}
	}
	for _, l := range only.seen {
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

// TestControlSocket: a second lan6d says who runs, and the first one goes on; the socket of one that was killed is replaced.
func TestControlSocket(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	r.awaitChannel()
	var s ctlStatus
	r.dial().call("status", nil, &s)
	second := r.start(r.argv()...)
	if status := second.wait(5 * time.Second); status != 1 || !strings.Contains(second.log(), fmt.Sprintf("lan6d is already running with process id %d ", s.PID)) {
		t.Errorf("the second lan6d ended with status %d: %s", status, second.log())
	}
	r.ctlPrints("status", fmt.Sprintf("process %d\n", s.PID))
	r.lan6d.kill()
	if status, _, stderr := r.ctl("status"); status != 3 || stderr != "lan6d ctl: lan6d is not running: nobody listens on "+socketPath+"\n" {
		t.Errorf("after the kill: exit status %d, %s", status, stderr)
	}
	r.run("test", "-S", socketPath)
	r.serve()
	eventually(t, 5*time.Second, "the new lan6d to answer", func() bool {
		status, _, _ := r.ctl("status")
		return status == 0
	})
	if mode := strings.TrimSpace(r.run("stat", "-c", "%a", socketPath)); mode != "660" {
		t.Errorf("mode %s", mode)
	}
	r.lan6d.terminate(2 * time.Second)
	if status, _, _ := r.ctl("status"); status != 3 {
		t.Errorf("after the end: exit status %d", status)
	}
	if _, err := r.command("test", "-e", socketPath).CombinedOutput(); err == nil {
		t.Error("the socket is still there")
	}
}

// awaitChannel waits until lan6d can be asked.
func (r *router) awaitChannel() {
	r.t.Helper()
	eventually(r.t, 5*time.Second, "lan6d to answer", func() bool {
		status, _, _ := r.ctl("status")
		return status == 0
	})
}
