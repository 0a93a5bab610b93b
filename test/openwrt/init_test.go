package openwrt

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const dhcpFile = `
config dnsmasq
	option domain 'lan'

config dhcp 'lan'
	option interface 'lan'
	option dhcpv6 'server'

config odhcpd 'odhcpd'
	option leasefile '/tmp/odhcpd.leases'
	option hostsdir '/tmp/hosts'
`

// started returns a router on which lan6d was started, with that configuration of its own.
func started(t *testing.T, own string) *router {
	t.Helper()
	r := newRouter(t)
	r.write("etc/config/dhcp", dhcpFile, 0o600)
	r.write("etc/config/lan6d", own, 0o600)
	r.run("/etc/init.d/lan6d", "start")
	return r
}

func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestStart(t *testing.T) {
	r := started(t, "config lan6d 'daemon'\n")
	wantLines(t, r.asked(),
		"start lan6d",
		"procd_open_instance",
		"procd_set_param command /usr/sbin/lan6d -S",
		"procd_set_param respawn 3600 10 0",
		"procd_set_param term_timeout 15",
		"procd_set_param stderr 1",
		"procd_add_jail lan6d", // and no other word: it has the file system and the processes of all
		"procd_set_param capabilities /etc/capabilities/lan6d.json",
		"procd_set_param no_new_privs 1",
		"procd_set_param user lan6d",
		"procd_set_param group lan6d",
		"procd_close_instance",
		"procd_add_reload_trigger dhcp lan6d network system",
	)
	if log := r.read("var/log/messages"); log != "" {
		t.Errorf("logged: %s", log)
	}
	if got := r.owner("var/run/lan6d"); got != "lan6d 0755" {
		t.Errorf("state directory: %s", got)
	}
}

// lan6d starts after the network (20) and after odhcpd, which asks for the ubus object dhcp once only.
func TestOrder(t *testing.T) {
	r := newRouter(t)
	r.run("/etc/init.d/lan6d", "enable")
	wantLines(t, strings.Fields(r.run("ls", "/etc/rc.d")), "K85lan6d", "S36lan6d")
	if !strings.HasPrefix(r.read("etc/init.d/lan6d"), "#!/bin/sh /etc/rc.common\n") || !strings.Contains(r.read("etc/init.d/lan6d"), "\nUSE_PROCD=1\n") {
		t.Error("it is no init script for procd")
	}
}

// What would make procd run lan6d as root without a word, or without capabilities, is said, and lan6d serves.
func TestStartWithoutJail(t *testing.T) {
	for _, missing := range []string{"/sbin/ujail", "/etc/capabilities/lan6d.json", "/etc/passwd"} {
		r := newRouter(t)
		r.run("rm", missing)
		r.write("etc/config/dhcp", dhcpFile, 0o600)
		r.run("/etc/init.d/lan6d", "start")
		calls := strings.Join(r.asked(), "\n")
		if !strings.Contains(calls, "command /usr/sbin/lan6d -S") || strings.Contains(calls, "jail") || strings.Contains(calls, "user") || strings.Contains(calls, "capabilities") {
			t.Errorf("without %s:\n%s", missing, calls)
		}
		if log := r.read("var/log/messages"); !strings.Contains(log, "runs as root") || !strings.Contains(log, "install procd-ujail") {
			t.Errorf("without %s, logged: %q", missing, log)
		}
		if got := r.owner("etc/config/dhcp"); got != "root 0600" {
			t.Errorf("/etc/config/dhcp: %s", got)
		}
	}
}

// Without native ubus, lan6d hears of its interfaces by procd.
func TestTriggers(t *testing.T) {
	for _, tt := range []struct {
		ubus string
		want bool
	}{{"", false}, {"1", false}, {"0", true}, {"false", true}} {
		r := started(t, "config lan6d 'daemon'\n\toption ubus '"+tt.ubus+"'\nconfig interface 'lan'\nconfig interface 'guest'\nconfig interface\n\toption interface 'my-if'\n")
		asked := r.asked()
		for _, name := range []string{"lan", "guest", "my-if"} {
			if got := slices.ContainsFunc(asked, func(s string) bool { return strings.TrimSpace(s) == "procd_add_reload_interface_trigger "+name }); got != tt.want {
				t.Errorf("ubus %q, %s: %v", tt.ubus, name, got)
			}
		}
	}
}

// A reload says what lan6d says, and has its exit status.
func TestReload(t *testing.T) {
	r := started(t, "")
	for status, answer := range map[string]string{
		"0": "", "1": "/etc/config/dhcp:7: leasetime: \"x\" is no time\n", "3": "lan6d is not running: nobody listens on /var/run/lan6d/ctl.sock\n",
	} {
		r.write("tmp/answer", answer, 0o644)
		r.write("tmp/status", status, 0o644)
		out, got := r.try("/etc/init.d/lan6d", "reload")
		if out != answer || string(rune('0'+got)) != status {
			t.Errorf("got %d, %q; want %s, %q", got, out, status, answer)
		}
	}
	if asked := r.read("tmp/asked"); asked != "ctl\nreload\n" {
		t.Errorf("lan6d was asked %q", asked)
	}
}

// uci makes files that root alone may read, in directories that root alone may enter.
func TestConfigurationIsReadable(t *testing.T) {
	r := newRouter(t)
	for _, dir := range []string{"etc/config", "tmp/.uci", "var/run/uci"} {
		for _, file := range []string{"dhcp", "lan6d", "system", "network", "wireless"} {
			r.write(dir+"/"+file, "", 0o600)
		}
	}
	r.run("chmod", "700", "/tmp/.uci", "/var/run/uci")
	r.run("/etc/init.d/lan6d", "start")
	readable := func(user uint32, file string) bool {
		_, status := r.tryAs(user, "cat", file)
		return status == 0
	}
	for _, dir := range []string{"/etc/config/", "/tmp/.uci/", "/var/run/uci/"} {
		for _, file := range []string{"dhcp", "lan6d", "system", "network"} {
			if !readable(lan6dUser, dir+file) {
				t.Errorf("lan6d cannot read %s%s: %s", dir, file, r.owner(dir+file))
			}
		}
		for _, file := range []string{"network", "wireless"} {
			if readable(otherUser, dir+file) {
				t.Errorf("anybody can read %s%s: %s", dir, file, r.owner(dir+file))
			}
		}
		if readable(lan6dUser, dir+"wireless") {
			t.Errorf("lan6d can read %swireless", dir)
		}
		if _, status := r.tryAs(otherUser, "ls", dir); status == 0 && dir != "/etc/config/" {
			t.Errorf("anybody can list %s", dir)
		}
	}
	// Nor does uci take that back when it writes a file anew.
	r.run("sh", "-c", "uci set dhcp.lan=dhcp && uci commit dhcp")
	if !readable(lan6dUser, "/etc/config/dhcp") {
		t.Errorf("lan6d cannot read /etc/config/dhcp after uci commit: %s", r.owner("etc/config/dhcp"))
	}
	// The group of network is lost, until lan6d is reloaded, for which the change is a reason.
	r.run("sh", "-c", "uci set network.globals=globals && uci commit network; echo >/tmp/answer; /etc/init.d/lan6d reload")
	if !readable(lan6dUser, "/etc/config/network") || readable(otherUser, "/etc/config/network") {
		t.Errorf("/etc/config/network: %s", r.owner("etc/config/network"))
	}
}

// A directory in /tmp that somebody else has made is not one of uci's.
func TestForeignUCIDirectory(t *testing.T) {
	r := newRouter(t)
	r.write("etc/shadow", "", 0o600)
	r.check(unix.Mkdir(r.path("tmp/.uci"), 0o755))
	r.check(unix.Symlink("/etc/shadow", r.path("tmp/.uci/dhcp")))
	r.chown("tmp/.uci", otherUser)
	r.run("/etc/init.d/lan6d", "start")
	if got := r.owner("etc/shadow"); got != "root 0600" {
		t.Errorf("/etc/shadow: %s", got)
	}
}

func TestDirectories(t *testing.T) {
	const warning = "name a directory of its own"
	for _, tt := range []struct {
		name, options, prepare string
		owners                 map[string]string
		warning                bool
	}{
		{name: "a directory for the copy on flash", options: "option persist '/etc/lan6d/leases'",
			owners: map[string]string{"etc/lan6d": "lan6d 0755", "etc": "root 0755"}},
		{name: "one that is there", options: "option persist '/etc/lan6d/leases'", prepare: "mkdir /etc/lan6d; chown lan6d /etc/lan6d; echo >/etc/lan6d/leases",
			owners: map[string]string{"etc/lan6d": "lan6d 0755", "etc/lan6d/leases": "lan6d 0644"}},
		{name: "not everybody's /etc", options: "option persist '/etc/lan6d.leases'", warning: true,
			owners: map[string]string{"etc": "root 0755"}},
		{name: "not /etc for the hosts files", options: "option hostsdir '/etc'", warning: true,
			owners: map[string]string{"etc": "root 0755"}},
		{name: "not the file of somebody else", options: "option leasefile '/etc/passwd'", warning: true,
			owners: map[string]string{"etc": "root 0755", "etc/passwd": "root 0644"}},
		{name: "a lease file in a new directory", options: "option leasefile '/tmp/lan6d/leases'",
			owners: map[string]string{"tmp/lan6d": "lan6d 0755", "tmp": "root 1777"}},
		{name: "no link in place of the hosts directory", options: "option hostsdir '/tmp/hosts'", prepare: "ln -s /etc /tmp/hosts",
			owners: map[string]string{"etc": "root 0755", "tmp/hosts": "root 0777"}},
		{name: "no link in place of the lease file", options: "option leasefile '/tmp/lan6d.leases'", prepare: "ln -s /etc/passwd /tmp/lan6d.leases",
			owners: map[string]string{"etc/passwd": "root 0644"}},
		{name: "odhcpd's lease file", options: "option leasefile '/tmp/odhcpd.leases'", prepare: "echo >/tmp/odhcpd.leases; chown odhcpd /tmp/odhcpd.leases",
			owners: map[string]string{"tmp/odhcpd.leases": "odhcpd 0644"}},
		{name: "a way out of /tmp", options: "option hostsdir '/tmp/../etc'", owners: map[string]string{"etc": "root 0755"}},
		{name: "no path at all", options: "option hostsdir 'etc'", owners: map[string]string{"etc": "root 0755"}},
		{name: "state of a run as root", prepare: "mkdir /var/run/lan6d; echo >/var/run/lan6d/leases.journal; ln -s /etc/passwd /var/run/lan6d/link",
			owners: map[string]string{"var/run/lan6d/leases.journal": "lan6d 0644", "etc/passwd": "root 0644"}},
		{name: "nothing", options: "option leasefile ''", owners: map[string]string{"tmp": "root 1777"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRouter(t)
			r.write("etc/config/dhcp", "", 0o644)
			r.write("etc/config/lan6d", "config lan6d\n\t"+tt.options+"\n", 0o644)
			r.run("sh", "-c", tt.prepare)
			r.run("/etc/init.d/lan6d", "start")
			for path, want := range tt.owners {
				if got := r.owner(path); got != want {
					t.Errorf("/%s: %s, want %s", path, got, want)
				}
			}
			if log := r.read("var/log/messages"); strings.Contains(log, warning) != tt.warning {
				t.Errorf("logged: %q", log)
			}
		})
	}
}

// When odhcpd is gone, dnsmasq takes DHCPv6 for itself if it can.
func TestWarningOfDnsmasq(t *testing.T) {
	const serving, remedy = "config dhcp 'lan'\n\toption ra 'server'\n", "uci set dhcp.lan.dhcpv6=disabled"
	for _, tt := range []struct {
		name, features, dhcp, prepare string
		want                          bool
	}{
		{name: "odhcpd is enabled", features: "DHCPv6", dhcp: serving, prepare: "/etc/init.d/odhcpd enable"},
		{name: "odhcpd is not enabled", features: "DHCPv6", dhcp: serving, want: true},
		{name: "odhcpd is gone", features: "DHCPv6", dhcp: serving, prepare: "/etc/init.d/odhcpd enable; rm /usr/sbin/odhcpd", want: true},
		{name: "its script is gone", features: "DHCPv6", dhcp: serving, prepare: "rm /etc/init.d/odhcpd", want: true},
		{name: "dnsmasq cannot", features: "no-DHCPv6", dhcp: serving},
		{name: "there is no dnsmasq", features: "DHCPv6", dhcp: serving, prepare: "rm /usr/sbin/dnsmasq"},
		{name: "dnsmasq need not", features: "DHCPv6", dhcp: serving + "\toption dhcpv6 'disabled'\n"},
		{name: "dnsmasq does not advertise", features: "DHCPv6", dhcp: "config dhcp 'lan'\n\toption dhcpv6 'server'\n"},
		{name: "dnsmasq is told to ignore it", features: "DHCPv6", dhcp: serving + "\toption ignore '1'\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRouter(t)
			r.write("usr/sbin/odhcpd", "", 0o755)
			r.write("tmp/features", tt.features, 0o644)
			r.write("tmp/answer", "", 0o644)
			r.write("etc/config/dhcp", tt.dhcp, 0o644)
			r.run("sh", "-c", tt.prepare)
			for _, action := range []string{"start", "reload"} {
				r.run("/etc/init.d/lan6d", action)
				log := r.read("var/log/messages")
				r.run("rm", "-f", "/var/log/messages")
				if (log != "") != tt.want || tt.want && !strings.Contains(log, remedy) {
					t.Errorf("%s, logged: %q", action, log)
				}
				noted := r.run("sh", "-c", "cat /var/run/lan6d.warnings 2>/dev/null || true")
				if (noted != "") != tt.want || tt.want && (!strings.Contains(noted, remedy) || strings.Count(noted, "\n") != 1) {
					t.Errorf("%s, noted for the status: %q", action, noted)
				}
			}
		})
	}
}
