package e2e

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
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
	if s.PID <= 1 || s.Uptime < 0 || s.Uptime > 60 || len(s.ServerDUID) != 20 {
		t.Errorf("status %+v", s)
	}
	if out, err := exec.Command(serverPath, "version").Output(); err != nil || !strings.HasPrefix(string(out), "lan6d "+s.Version+" linux/") {
		t.Errorf("status says version %q, the program %q (%v)", s.Version, out, err)
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
	c.ctlPrints("status", "lan6d "+s.Version+", up ", "configuration  /run/e2e/config/dhcp, /run/e2e/config/lan6d, read ", "server DUID    "+s.ServerDUID,
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
		{"add-lease --mac 02:00:00:00:00:01 --hostid 1", 2, "hostid: 1 is that of the router (2001:db8:1::1) already"},
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

// TestControlSocket: a second lan6d says who runs, and the first one goes on; the socket of one that was killed is replaced.
func TestControlSocket(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	r.awaitChannel()
	var s ctlStatus
	r.dial().call("status", nil, &s)
	journal := r.run("stat", "-c", "%i %Y %s", journalPath)
	for _, want := range []string{" on the state directory /run/e2e/state", ": it listens on " + socketPath} {
		second := r.start(r.argv()...)
		want = fmt.Sprintf("lan6d is already running with process id %d%s", s.PID, want)
		if status := second.wait(5 * time.Second); status != 1 || !strings.Contains(second.log(), want) || strings.Contains(second.log(), "started") {
			t.Errorf("the second lan6d ended with status %d: %s, want %s", status, second.log(), want)
		}
		r.run("rm", "/run/e2e/state/lan6d.lock") // and then there is only the socket to tell
	}
	if now := r.run("stat", "-c", "%i %Y %s", journalPath); now != journal {
		t.Errorf("the journal is %s, was %s", now, journal)
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
