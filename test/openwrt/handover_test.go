package openwrt

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lan6d/openwrt"
	"lan6d/openwrt/uci"
)

const handover = "/usr/libexec/lan6d-handover"

// stock is what a router has after the first boot of OpenWrt 25.12, and some of what users add.
const stock = `
config dnsmasq
	option domainneeded '1'
	list server '/lan/192.168.1.1'
	option ra 'it'\''s quoted'

config dhcp 'lan'
	option interface 'lan'
	option start '100'
	option dhcpv6 'server'
	option ra 'server'
	list ra_flags 'managed-config'
	list ra_flags 'other-config'

config dhcp 'wan'
	option interface 'wan'
	option ignore '1'

config odhcpd 'odhcpd'
	option maindhcp '0'
	option leasefile '/tmp/odhcpd.leases'
	option leasetrigger '/usr/sbin/odhcpd-update'
	option hostsdir '/tmp/hosts'

config host
	option name 'printer'
	list duid '00030001020000000001'

config dhcp
	option dhcpv6 'hybrid'
	option interface 'guest'

config dhcp 'iot'
	option dhcpv6 'relay'

config dhcp 'off'
	option dhcpv6 'disabled'

config dhcp 'wrong'
	option dhcpv6 'Server'

config dhcp 'listed'
	list dhcpv6 'server'

config dhcp 'absent'
	option ra 'server'

config dhcp
	option dhcpv6 'server'

config dhcp 'daemon'
	option dhcpv6 'server'
`

// take has lan6d take over, and returns the router.
func take(t *testing.T, dhcp string) *router {
	t.Helper()
	r := newRouter(t)
	r.write("etc/config/dhcp", dhcp, 0o600)
	r.run(handover, "take")
	return r
}

func (r *router) export(name string) string {
	r.t.Helper()
	return r.run("uci", "export", name)
}

// The configuration that results is the one that lan6d serves, and odhcpd serves nothing that lan6d does.
func TestTake(t *testing.T) {
	r := take(t, stock)
	config, problems := openwrt.Load(openwrt.Dirs{Config: r.path("etc/config")})
	for name, want := range map[string]openwrt.Mode{"lan": openwrt.Server, "guest": openwrt.Hybrid, "iot": openwrt.Relay, "off": openwrt.Disabled} {
		if i := config.Interface(name); i == nil || i.Mode != want {
			t.Errorf("%s: %+v, want mode %v", name, i, want)
		}
	}
	for _, p := range problems {
		if strings.Contains(p.String(), "config/lan6d") && p.Option != "dhcpv6" { // what becomes of a mode is not of concern here
			t.Error(p)
		}
	}
	d := config.Daemon
	if d.LeaseFile != "/tmp/lan6d.leases" || d.HostsDir != "/tmp/hosts" || d.LeaseTrigger != "/usr/libexec/lan6d-update" {
		t.Errorf("files: %q, %q, %q", d.LeaseFile, d.HostsDir, d.LeaseTrigger)
	}
	if got := r.read("etc/lan6d.taken"); got != "lan lan server\nguest @1 hybrid\niot iot relay\ndaemon daemon server\n" {
		t.Errorf("taken: %q", got)
	}

	dhcp := parse(t, r, "dhcp")
	modes, odhcpd := map[string]string{}, []string{}
	for _, s := range dhcp.Sections {
		if o := s.Get("dhcpv6"); o != nil && !s.Anonymous {
			modes[s.Name] = o.Values[0]
		}
		if s.Type == "odhcpd" {
			odhcpd = append(odhcpd, s.Name+" "+s.Get("leasefile").Values[0])
		}
	}
	for name, want := range map[string]string{"lan": "disabled", "iot": "disabled", "wrong": "Server", "listed": "server", "daemon": "disabled"} {
		if modes[name] != want {
			t.Errorf("dhcp.%s.dhcpv6 is %q, want %q", name, modes[name], want)
		}
	}
	// odhcpd uses the last section of that type, LuCI all.
	wantLines(t, odhcpd, "lan6d /tmp/lan6d.leases", "odhcpd /tmp/odhcpd.leases")
}

func parse(t *testing.T, r *router, name string) *uci.Package {
	t.Helper()
	pkg, problems := uci.Parse(name, []byte(r.read("etc/config/"+name)))
	for _, p := range problems {
		t.Error(p)
	}
	return pkg
}

// The file that explains lan6d's options keeps its explanations.
func TestTakeKeepsComments(t *testing.T) {
	r := take(t, stock)
	if own := r.read("etc/config/lan6d"); !strings.HasPrefix(own, openwrt.DefaultLAN6D) {
		t.Errorf("/etc/config/lan6d:\n%s", own)
	}
}

// Taking and giving back leaves the configuration as it was, to the byte.
func TestGiveBack(t *testing.T) {
	for name, dhcp := range map[string]string{
		"stock":     stock,
		"nothing":   "\nconfig dnsmasq\n",
		"no odhcpd": "\nconfig dhcp 'lan'\n\toption dhcpv6 'server'\n",
		"all off":   "\nconfig dhcp 'lan'\n\toption dhcpv6 'disabled'\n\nconfig odhcpd 'odhcpd'\n",
		"24.10":     "\nconfig dhcp 'lan'\n\toption dhcpv6 'server'\n\nconfig odhcpd 'odhcpd'\n\toption leasefile '/tmp/hosts/odhcpd'\n",
		"anonymous": "\nconfig odhcpd\n\toption loglevel '4'\n\nconfig dhcp\n\toption interface 'lan'\n\toption dhcpv6 'server'\n\nconfig dhcp 'x'\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRouter(t)
			r.write("etc/config/dhcp", dhcp, 0o600)
			before := r.export("dhcp")
			for range 2 {
				r.run(handover, "take")
				r.run(handover, "give-back")
				if after := r.export("dhcp"); after != before {
					t.Fatalf("before:\n%s\nafter:\n%s", before, after)
				}
			}
			if r.read("etc/lan6d.taken") != "" || r.owner("etc/config/dhcp") != "root 0600" {
				t.Error("something is left behind")
			}
			// With nothing taken, nothing is given.
			r.run(handover, "give-back")
			if after := r.export("dhcp"); after != before {
				t.Errorf("after a second time:\n%s", after)
			}
		})
	}
}

// Taking again changes nothing, unless dhcpv6 has been set since, as LuCI's selector does.
func TestTakeAgain(t *testing.T) {
	r := take(t, stock)
	dhcp, own := r.export("dhcp"), r.export("lan6d")
	r.run(handover, "take")
	if r.export("dhcp") != dhcp || r.export("lan6d") != own {
		t.Errorf("dhcp:\n%s\nlan6d:\n%s", r.export("dhcp"), r.export("lan6d"))
	}
	r.run("sh", "-c", "uci set dhcp.iot.dhcpv6=server; uci set dhcp.off.dhcpv6=server; uci commit dhcp")
	r.run(handover, "take")
	if got := r.run("uci", "get", "lan6d.iot.dhcpv6") + r.run("uci", "get", "lan6d.off.dhcpv6") + r.run("uci", "get", "dhcp.iot.dhcpv6"); got != "server\nserver\ndisabled\n" {
		t.Errorf("got %q", got)
	}
	if got := r.read("etc/lan6d.taken"); got != "lan lan server\nguest @1 hybrid\ndaemon daemon server\niot iot server\noff off server\n" {
		t.Errorf("taken: %q", got)
	}
	if got := r.read("tmp/.uci/dhcp") + r.read("tmp/.uci/lan6d"); got != "" {
		t.Errorf("not committed: %s", got)
	}
}

// What the user decided while lan6d served is respected.
func TestGiveBackAfterChanges(t *testing.T) {
	for _, tt := range []struct{ name, change, option, want string }{
		{"another mode", "uci set lan6d.lan.dhcpv6=relay", "dhcp.lan.dhcpv6", "relay"},
		{"switched off", "uci set lan6d.lan.dhcpv6=disabled", "dhcp.lan.dhcpv6", "disabled"},
		{"section deleted", "uci delete lan6d.lan", "dhcp.lan.dhcpv6", "server"},
		{"option deleted", "uci delete lan6d.lan.dhcpv6", "dhcp.lan.dhcpv6", "server"},
		{"no mode", "uci set lan6d.lan.dhcpv6=Relay", "dhcp.lan.dhcpv6", "server"},
		{"reset in LuCI", "uci delete dhcp.lan.dhcpv6", "dhcp.lan.dhcpv6", "server"},
		{"given back before", "uci set dhcp.lan.dhcpv6=hybrid", "dhcp.lan.dhcpv6", "hybrid"},
		{"never taken", "uci set lan6d.off=interface; uci set lan6d.off.dhcpv6=server", "dhcp.off.dhcpv6", "disabled"},
		{"another option", "uci set dhcp.lan.leasetime=1h", "dhcp.lan.leasetime", "1h"},
		{"not committed", "uci set lan6d.lan.preference=1", "dhcp.lan.dhcpv6", "server"},
		{"renamed interface", "uci set dhcp.lan.interface=home", "dhcp.lan.dhcpv6", "server"},
		{"another order", "uci reorder dhcp.lan=9", "dhcp.lan.dhcpv6", "server"},
		{"LuCI's section deleted", "uci delete dhcp.lan6d", "dhcp.lan.dhcpv6", "server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := take(t, stock)
			r.run("sh", "-c", tt.change)
			r.run(handover, "give-back")
			if got := r.run("uci", "get", tt.option); got != tt.want+"\n" {
				t.Errorf("%s is %q, want %s", tt.option, got, tt.want)
			}
			if strings.Contains(r.export("dhcp"), "lan6d") {
				t.Error("lan6d's section is left")
			}
		})
	}
}

// Each section gets back what it had, whatever became of /etc/config/lan6d.
func TestGiveBackExactly(t *testing.T) {
	const two = "\nconfig dhcp 'lan'\n\toption dhcpv6 'server'\n\nconfig dhcp 'lan2'\n\toption interface 'lan'\n\toption dhcpv6 'relay'\n"
	const nameless = "\nconfig dhcp\n\toption interface 'lan'\n\toption dhcpv6 '"
	for _, tt := range []struct{ name, dhcp, change, from, to string }{
		{name: "two sections", dhcp: two},
		{"two sections, changed", two, "uci set lan6d.lan.dhcpv6=hybrid", "'(server|relay)'", "'hybrid'"},
		{"two sections, one set again", two, "uci set dhcp.lan.dhcpv6=hybrid; uci commit dhcp; " + handover + " take", "'server'", "'hybrid'"},
		{name: "nameless", dhcp: nameless + "server'\n" + nameless + "disabled'\n" + nameless + "relay'\n\nconfig dhcp\n\toption interface 'x'\n\toption dhcpv6 'hybrid'\n"},
		{name: "the package's file", dhcp: stock, change: "cp /etc/config/lan6d.plain /etc/config/lan6d"},
		{name: "an empty file", dhcp: stock, change: ": >/etc/config/lan6d"},
		{name: "no file", dhcp: stock, change: "rm /etc/config/lan6d"},
		{name: "a broken file", dhcp: stock, change: "echo config interface a-b >>/etc/config/lan6d"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRouter(t)
			r.run("cp", "/etc/config/lan6d", "/etc/config/lan6d.plain")
			r.write("etc/config/dhcp", tt.dhcp, 0o600)
			want := r.export("dhcp")
			if tt.from != "" {
				want = regexp.MustCompile(tt.from).ReplaceAllString(want, tt.to)
			}
			r.run(handover, "take")
			r.run("sh", "-c", tt.change)
			r.run(handover, "give-back")
			if got := r.export("dhcp"); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if got := r.read("etc/lan6d.taken"); got != "" {
				t.Errorf("noted: %q", got)
			}
		})
	}
}

// What cannot be given back stays noted, and is told. It can be given back later, and taken again.
func TestGiveBackLater(t *testing.T) {
	const left = "// could not be given back:\n"
	for _, tt := range []struct{ name, taken, change, repair, told, left, option, want string }{
		{"section deleted", "lan lan server\niot iot relay\n", "uci delete dhcp.lan; uci commit dhcp", "uci set dhcp.lan=dhcp",
			"DHCPv6 on lan (as server) cannot be given back: its section is not in /etc/config/dhcp", left + "lan lan server\n", "dhcp.lan.dhcpv6", "server"},
		{"no file", "lan lan server\n", "mv /etc/config/dhcp /tmp/dhcp", "mv /tmp/dhcp /etc/config/dhcp",
			"DHCPv6 on lan (as server) cannot be given back", left + "lan lan server\n", "dhcp.lan.dhcpv6", "server"},
		{"an old note", "lan\niot\n", "uci delete lan6d.lan; uci commit lan6d", "uci set lan6d.lan=interface; uci set lan6d.lan.dhcpv6=relay",
			"DHCPv6 on lan cannot be given back: how it was served is not in /etc/config/lan6d", left + "lan\n", "dhcp.lan.dhcpv6", "relay"},
		{"an old note without a section", "lan\ngone\n", ":", "uci set dhcp.gone=dhcp; uci set dhcp.gone.dhcpv6=server",
			"DHCPv6 on gone cannot be given back: its section is not in /etc/config/dhcp", left + "gone\n", "dhcp.lan.dhcpv6", "server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := take(t, stock)
			r.write("etc/lan6d.taken", tt.taken, 0o644)
			r.run("sh", "-c", tt.change)
			if told := r.run("sh", "-c", handover+" give-back 2>&1 >/dev/null"); !strings.Contains(told, tt.told) {
				t.Errorf("told: %q", told)
			}
			if got := r.read("etc/lan6d.taken"); got != tt.left {
				t.Errorf("noted: %q", got)
			}
			r.run("sh", "-c", tt.repair)
			if told := r.run("sh", "-c", handover+" give-back 2>&1 >/dev/null"); told != "" {
				t.Errorf("told: %q", told)
			}
			if got := r.run("uci", "get", tt.option); got != tt.want+"\n" || r.read("etc/lan6d.taken") != "" {
				t.Errorf("%s is %q; noted: %q", tt.option, got, r.read("etc/lan6d.taken"))
			}
		})
	}
}

// Where uci cannot read /etc/config/dhcp, lan6d goes on, and nothing is forgotten.
func TestGiveBackToABrokenFile(t *testing.T) {
	r := take(t, stock)
	r.run("/etc/init.d/lan6d", "enable")
	r.asked()
	taken := r.read("etc/lan6d.taken")
	r.run("sh", "-c", "echo config dhcp a-b >>/etc/config/dhcp")
	out, status := r.try(handover, "give-back")
	if status != 1 || !strings.Contains(out, "nothing is given back, as uci cannot read /etc/config/dhcp") || r.read("etc/lan6d.taken") != taken {
		t.Errorf("%d, %q; noted: %q", status, out, r.read("etc/lan6d.taken"))
	}
	if r.run("ls", "/etc/rc.d") == "" || slices.Contains(r.asked(), "stop lan6d") {
		t.Error("lan6d is stopped")
	}
}

// After removal, an installation takes over also when something could not be given back.
func TestInstallAfterIncompleteGiveBack(t *testing.T) {
	r := take(t, stock)
	r.run("sh", "-c", "uci delete dhcp.iot; uci commit dhcp")
	r.run(handover, "give-back")
	r.run("sh", "-c", ". /lib/functions.sh; default_postinst")
	if got := r.run("uci", "get", "dhcp.lan.dhcpv6"); got != "disabled\n" {
		t.Errorf("dhcp.lan.dhcpv6 is %q", got)
	}
	if got := r.read("etc/lan6d.taken"); got != "iot iot relay\nlan lan server\nguest @1 hybrid\ndaemon daemon server\n" {
		t.Errorf("taken: %q", got)
	}
}

// Interfaces may have names that no section of uci can, or that another section has. Both files stay such that uci reads them,
// and lan6d serves what odhcpd served.
func TestTakeNames(t *testing.T) {
	const own = "config lan6d\n\toption leasefile '/tmp/lan6d.leases'\n"
	for _, tt := range []struct{ name, interfaceName, own string }{
		{"a dash", "my-if", own},
		{"a dot", "eth0.2", own},
		{"a quote", "it's", own},
		{"a double quote and more", `"$(id)\;#*`, own},
		{"64 characters", strings.Repeat("a", 64), own},
		{"lan6d's own section", "main", "config lan6d 'main'\n\toption leasefile '/tmp/mine'\n"},
		{"the section that take makes", "daemon", own},
		{"a section about another interface", "guest", own + "\nconfig interface 'guest'\n\toption interface 'other'\n\toption dhcpv6 'disabled'\n"},
		{"a section of another name", "my-if", own + "\nconfig interface 'mine'\n\toption interface 'my-if'\n\toption preference '7'\n"},
		{"lan6d's section has another type", "lan", own + "\nconfig interface 'daemon'\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRouter(t)
			r.write("etc/config/lan6d", tt.own, 0o600)
			r.write("etc/config/dhcp", "\nconfig dhcp 'a'\n\toption interface '"+strings.ReplaceAll(tt.interfaceName, "'", `'\''`)+"'\n\toption dhcpv6 'relay'\n", 0o600)
			before := r.export("dhcp")
			for range 2 {
				r.run(handover, "take")
				r.export("lan6d")
				config, problems := openwrt.Load(openwrt.Dirs{Config: r.path("etc/config")})
				if i := config.Interface(tt.interfaceName); i == nil || i.Mode != openwrt.Relay || openwrt.HasErrors(problems) {
					t.Errorf("%+v, %v", i, problems)
				}
				if other := config.Interface("other"); other != nil && other.Mode != openwrt.Disabled {
					t.Errorf("other: %v", other.Mode)
				}
				if got := r.run("uci", "get", "dhcp.a.dhcpv6"); got != "disabled\n" {
					t.Errorf("odhcpd still serves it: %q", got)
				}
			}
			if n := strings.Count(r.read("etc/config/lan6d"), "dhcpv6 'relay'"); n != 1 {
				t.Errorf("%d sections in\n%s", n, r.read("etc/config/lan6d"))
			}
			r.run("sh", "-c", handover+" give-back 2>/dev/null")
			if after := r.export("dhcp"); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

// What lan6d cannot serve stays odhcpd's, and is told.
func TestTakeRefusesNames(t *testing.T) {
	for _, name := range []string{"a b", "a/b", "l\u00e4n", "a\tb", strings.Repeat("a", 65)} {
		r := newRouter(t)
		r.write("etc/config/dhcp", "\nconfig dhcp 'a'\n\toption interface '"+name+"'\n\toption dhcpv6 'server'\n\nconfig dhcp 'b'\n\toption interface '"+name+"'\n", 0o600)
		told := r.run("sh", "-c", handover+" take 2>&1 >/dev/null")
		if !strings.HasPrefix(told, "lan6d-handover: dhcp.a stays odhcpd's: lan6d takes no interface of that name") || strings.Count(told, "\n") != 1 {
			t.Errorf("%q: told %q", name, told)
		}
		if got := r.run("uci", "get", "dhcp.a.dhcpv6"); got != "server\n" || r.read("etc/lan6d.taken") != "" {
			t.Errorf("%q: %q", name, got)
		}
	}
}

// The notes of before modes were noted are understood, alone and among others.
func TestOldNotes(t *testing.T) {
	for _, tt := range []struct{ name, prepare, option, want string }{
		{"as it is in lan6d", ":", "dhcp.lan.dhcpv6", "server"},
		{"changed", "uci set lan6d.lan.dhcpv6=relay", "dhcp.lan.dhcpv6", "relay"},
		{"switched off", "uci set lan6d.lan.dhcpv6=disabled", "dhcp.lan.dhcpv6", "disabled"},
		{"given back before", "uci set dhcp.lan.dhcpv6=hybrid; uci delete lan6d.lan", "dhcp.lan.dhcpv6", "hybrid"},
		{"taken again", "uci set dhcp.lan.dhcpv6=hybrid; " + handover + " take", "dhcp.lan.dhcpv6", "hybrid"},
		{"taken again, and lost", "uci set dhcp.lan.dhcpv6=hybrid; " + handover + " take; uci delete lan6d.lan", "dhcp.lan.dhcpv6", "hybrid"},
		{"nameless", ":", "dhcp.@dhcp[0].dhcpv6", "server"},
		{"another section", "uci set dhcp.lan_4=dhcp; uci set dhcp.lan_4.interface=lan; uci set dhcp.lan_4.dhcpv4=server", "dhcp.lan.dhcpv6", "server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := take(t, stock)
			r.write("etc/lan6d.taken", "lan\nguest\niot\n", 0o644)
			r.run("sh", "-c", tt.prepare)
			if told := r.run("sh", "-c", handover+" give-back 2>&1 >/dev/null"); told != "" {
				t.Errorf("told: %q", told)
			}
			if got := r.run("uci", "get", tt.option); got != tt.want+"\n" || r.read("etc/lan6d.taken") != "" {
				t.Errorf("%s is %q, want %s; noted: %q", tt.option, got, tt.want, r.read("etc/lan6d.taken"))
			}
			if got, status := r.try("uci", "get", "dhcp.lan_4.dhcpv6"); status == 0 {
				t.Errorf("dhcp.lan_4.dhcpv6 is %q", got)
			}
		})
	}
}

// What the user has set for lan6d, or for both, stays.
func TestTakeRespectsOptions(t *testing.T) {
	for _, tt := range []struct{ name, from, to, own, leasefile, hostsdir, trigger string }{
		{name: "stock", leasefile: "/tmp/lan6d.leases", hostsdir: "/tmp/hosts", trigger: "/usr/libexec/lan6d-update"},
		{"24.10", "\toption hostsdir '/tmp/hosts'\n", "", "", "/tmp/lan6d.leases", "/tmp/hosts", "/usr/libexec/lan6d-update"},
		{"lease file", "", "", "leasefile '/tmp/mine'", "/tmp/mine", "/tmp/hosts", "/usr/libexec/lan6d-update"},
		{"hosts of both", "/tmp/hosts", "/tmp/names", "", "/tmp/lan6d.leases", "/tmp/names", "/usr/libexec/lan6d-update"},
		{"trigger of both", "/usr/sbin/odhcpd-update", "/root/trigger", "", "/tmp/lan6d.leases", "/tmp/hosts", "/root/trigger"},
		{"trigger of lan6d", "", "", "leasetrigger '/root/trigger'", "/tmp/lan6d.leases", "/tmp/hosts", "/root/trigger"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRouter(t)
			r.write("etc/config/dhcp", replaced(stock, tt.from, tt.to), 0o600)
			r.write("etc/config/lan6d", "config lan6d 'daemon'\n\toption "+cmp.Or(tt.own, "loglevel 'info'")+"\n", 0o600)
			r.run(handover, "take")
			config, _ := openwrt.Load(openwrt.Dirs{Config: r.path("etc/config")})
			if d := config.Daemon; d.LeaseFile != tt.leasefile || d.LeaseTrigger != tt.trigger || d.HostsDir != tt.hostsdir {
				t.Errorf("got %q, %q, %q", d.LeaseFile, d.HostsDir, d.LeaseTrigger)
			}
			if got := r.run("uci", "get", "dhcp.lan6d.leasefile"); got != tt.leasefile+"\n" {
				t.Errorf("LuCI reads %q", got)
			}
			if own := r.read("etc/config/lan6d"); tt.hostsdir == "/tmp/names" && strings.Contains(own, "hostsdir") {
				t.Errorf("what is said for both is said again:\n%s", own)
			}
		})
	}
}

// replaced is text with to in place of from, if that is anything.
func replaced(text, from, to string) string {
	if from == "" {
		return text
	}
	return strings.ReplaceAll(text, from, to)
}

// odhcpd leaves port 547 before lan6d asks for it, and the other way round.
func TestOrderOfReloads(t *testing.T) {
	r := newRouter(t)
	r.write("etc/config/dhcp", stock, 0o600)
	r.write("tmp/answer", "", 0o644)
	r.run("sh", "-c", "touch /var/run/running.odhcpd /var/run/running.lan6d")
	r.run(handover, "take")
	wantLines(t, r.asked(), "reload odhcpd", "reload lan6d") // dnsmasq does not run

	daemon := r.command(0, "/usr/sbin/lan6d")
	r.check(daemon.Start())
	defer daemon.Wait()
	defer daemon.Process.Kill()
	r.run("sh", "-c", "until pidof lan6d; do sleep 0.1; done")
	r.run("/etc/init.d/lan6d", "enable")
	r.run("touch", "/var/run/running.dnsmasq")
	r.run(handover, "give-back")
	wantLines(t, r.asked(), "stop lan6d", "lan6d has ended", "reload odhcpd", "reload dnsmasq")
	if got := r.run("ls", "/etc/rc.d"); got != "" {
		t.Errorf("lan6d is still enabled: %s", got)
	}
}

// It says what it does.
func TestHandoverTells(t *testing.T) {
	r := newRouter(t)
	r.write("etc/config/dhcp", "config dhcp 'lan'\n\toption dhcpv6 'server'\n", 0o600)
	for action, want := range map[string]string{
		"take": "lan6d serves DHCPv6 on lan now (as server), odhcpd does not.\n", "give-back": "odhcpd serves DHCPv6 on lan again (as server).\n",
	} {
		r.run("sh", "-c", handover+" take; [ "+action+" = give-back ] || "+handover+" give-back")
		if got := r.run(handover, action); got != want {
			t.Errorf("%s says %q", action, got)
		}
	}
	r.write("etc/config/dhcp", "config dhcp 'lan'\n\toption dhcpv6 'disabled'\n", 0o600)
	r.run("rm", "-f", "/etc/lan6d.taken")
	if got := r.run(handover, "take"); !strings.Contains(got, "serves nothing yet") {
		t.Errorf("take says %q", got)
	}
}

func TestHandoverUsage(t *testing.T) {
	r := newRouter(t)
	if out, status := r.try(handover, "both"); status != 2 || !strings.Contains(out, "take|give-back") {
		t.Errorf("%d, %q", status, out)
	}
}

// A life with the package: installed, upgraded after the user has given an interface back, removed.
func TestPackageLife(t *testing.T) {
	r := newRouter(t)
	r.write("etc/config/dhcp", stock, 0o600)
	before := r.export("dhcp")
	r.write("usr/lib/opkg/info/lan6d.prerm-pkg", prerm(t), 0o755)
	defaults := r.read("etc/uci-defaults/60_lan6d")
	r.run("touch", "/var/run/running.rpcd")

	r.run("sh", "-c", ". /lib/functions.sh; default_postinst")
	if r.run("uci", "get", "dhcp.lan.dhcpv6") != "disabled\n" || r.read("etc/uci-defaults/60_lan6d") != "" {
		t.Error("the defaults have not been run, or not to their end")
	}
	asked := r.asked()
	if start := slices.Index(asked, "start lan6d"); start < 0 || !slices.Contains(asked[:start], "reload rpcd") {
		t.Errorf("rpcd must know the rules first: %q", asked)
	}

	r.run("sh", "-c", "uci set dhcp.iot.dhcpv6=relay; uci commit dhcp")
	dhcp := r.export("dhcp")
	r.run("sh", "-c", "export PKG_UPGRADE=1; . /lib/functions.sh; default_prerm")
	if r.export("dhcp") != dhcp {
		t.Errorf("an upgrade gives something back:\n%s", r.export("dhcp"))
	}
	r.write("etc/uci-defaults/60_lan6d", defaults, 0o755)
	r.run("sh", "-c", "export PKG_UPGRADE=1; . /lib/functions.sh; default_postinst")
	if r.export("dhcp") != dhcp {
		t.Errorf("an upgrade takes something:\n%s", r.export("dhcp"))
	}

	r.run("sh", "-c", ". /lib/functions.sh; default_prerm")
	if r.export("dhcp") != before {
		t.Errorf("after removal:\n%s", r.export("dhcp"))
	}
	if got := r.run("ls", "/etc/rc.d"); got != "" {
		t.Errorf("left in /etc/rc.d: %s", got)
	}
}

// While an image is made, there is nothing to hand over.
func TestPrermOfAnImage(t *testing.T) {
	r := take(t, stock)
	r.write("tmp/prerm-pkg", prerm(t), 0o755)
	for _, environment := range []string{"IPKG_INSTROOT=/image", "PKG_UPGRADE=1"} {
		r.run("sh", "-c", environment+" sh /tmp/prerm-pkg")
		if r.read("etc/lan6d.taken") == "" {
			t.Errorf("with %s, something was given back", environment)
		}
	}
}

// prerm is the package's own part of that script, as openwrt/Makefile has it.
func prerm(t *testing.T) string {
	t.Helper()
	_, script, _ := strings.Cut(string(read(t, "../../openwrt/Makefile")), "define Package/lan6d/prerm\n")
	script, _, found := strings.Cut(script, "endef")
	if !found {
		t.Fatal("openwrt/Makefile has no prerm")
	}
	return strings.ReplaceAll(script, "$$", "$")
}
