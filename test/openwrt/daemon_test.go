package openwrt

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/netif/netnstest"
)

// solicit asks for an address and a prefix, at once.
const solicit = `
	01 a1b2c3                               # SOLICIT, transaction-id
	0001 000a 0003 0001 020000000001        # Client Identifier: DUID-LL
	0008 0002 0000                          # Elapsed Time
	000e 0000                               # Rapid Commit
	0003 000c 00000001 00000000 00000000    # IA_NA 1
	0019 000c 00000001 00000000 00000000    # IA_PD 1`

// As procd starts it, as its own user with three capabilities, the real lan6d can do all that it does: read the
// configuration, listen on port 547, add a route, replace its files.
func TestDaemonAsItsOwnUser(t *testing.T) {
	r := newRouter(t)
	lan6d := os.Getenv("LAN6D")
	if lan6d == "" {
		lan6d = program(t, "lan6d")
	}
	r.install(lan6d, "usr/sbin/lan6d")
	r.write("etc/config/dhcp", `
config odhcpd 'odhcpd'
	option leasefile '/tmp/odhcpd.leases'
	option hostsdir '/tmp/hosts'

config dhcp 'lan'
	option ifname 'br-lan'
	option dhcpv6 'server'
`, 0o600)
	r.write("etc/config/network", "config globals 'globals'\n\toption dhcp_default_duid '00030001020000000009'\n", 0o600)
	r.run("sh", "-c", `printf "\nconfig lan6d 'daemon'\n\toption persist '/etc/lan6d/leases'\n" >>/etc/config/lan6d`)
	r.run(handover, "take")
	r.run("sh", "-c", "/etc/init.d/odhcpd start; /etc/init.d/lan6d start")
	r.run("uci", "set", "dhcp.lan.leasetime=10m")
	r.run("/etc/init.d/lan6d", "start") // which lets lan6d read what is not committed yet

	r.write("var/log/procd", "", 0o666)

	lan := netnstest.Veth(t, "br-lan")
	lan.Here.AddAddr(t, "br-lan", "2001:db8:1::1/48")
	daemon := r.command(lan6dUser, "/usr/sbin/lan6d")
	daemon.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_NET_BIND_SERVICE, unix.CAP_NET_ADMIN, unix.CAP_NET_RAW}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	r.check(err)
	daemon.Stderr = log
	r.check(daemon.Start())
	defer daemon.Process.Kill()
	said := func() string { return string(read(t, log.Name())) }
	wait := func(what string, done func() bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: lan6d says\n%s", what, said())
			}
		}
	}

	var client *net.UDPConn
	lan.Peer.Do(func() { client, err = net.ListenUDP("udp6", &net.UDPAddr{Port: 546}) })
	r.check(err)
	defer client.Close()
	group := &net.UDPAddr{IP: net.ParseIP("ff02::1:2"), Port: 547, Zone: strconv.Itoa(lan.Peer.Ifindex(t, "eth0"))}
	var answer []byte
	wait("no answer", func() bool {
		client.WriteToUDP(dhcpv6test.Hex(t, solicit), group)
		client.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		buf := make([]byte, 1500)
		n, _, err := client.ReadFromUDP(buf)
		answer = buf[:n]
		return err == nil
	})
	if answer[0] != 7 || !bytes.Contains(answer, dhcpv6test.Hex(t, "0002 000a 0003 0001 020000000009")) {
		t.Errorf("no Reply of the DUID in /etc/config/network: %x", answer)
	}
	wait("no files", func() bool {
		return strings.Contains(r.read("tmp/lan6d.leases"), " 00030001020000000001 1 ") && fileExists(r.path("tmp/hosts/lan6d.hosts.lan"))
	})
	wait("no route", func() bool {
		routes, _ := lan.Here.Command("ip", "-6", "route", "show", "proto", "109").Output()
		return bytes.Contains(routes, []byte("2001:db8:1:"))
	})
	if got := r.owner("tmp/lan6d.leases") + ", " + r.owner("tmp/hosts") + ", " + r.owner("etc/lan6d"); got != "lan6d 0644, root 1777, lan6d 0755" {
		t.Errorf("files: %s", got)
	}
	checkPermissions(t, r)
	r.check(daemon.Process.Signal(unix.SIGTERM))
	r.check(daemon.Wait())
	if got := r.owner("etc/lan6d/leases"); got != "lan6d 0600" {
		t.Errorf("the copy on flash: %s", got)
	}
	if asked := r.read("var/log/procd"); !strings.HasPrefix(asked, "ubus call service signal") {
		t.Errorf("dnsmasq was not told: %q", asked)
	}
	for _, bad := range []string{"error:", "warn:"} {
		if strings.Contains(said(), bad) {
			t.Errorf("lan6d says\n%s", said())
		}
	}
	if !strings.Contains(said(), "for 10m") {
		t.Errorf("the change that was not committed did not count:\n%s", said())
	}
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
