package main

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

const lanConfig = "config dhcp 'lan'\n\toption ifname 'lan0'\n\toption dhcpv6 'server'\n"

// TestRefusedReload: what was refused is told by the status until the files are in use, whoever had them read.
func TestRefusedReload(t *testing.T) {
	m := newMachine(t, lanConfig)
	m.start()
	m.wantWarnings()
	m.reloaded(lanConfig + "\toption dhcpv6_pd_min_len 'many'\n\toption leasetime 'never'\n")
	m.wantWarnings("reload: the configuration has errors; the old one goes on",
		m.path("config/dhcp")+":4: dhcpv6_pd_min_len: ", m.path("config/dhcp")+":5: leasetime: ")
	m.reloaded(lanConfig)
	m.wantWarnings()
	for _, file := range []string{"config/dhcp", "config/lan6d"} {
		if err := os.Remove(m.path(file)); err != nil {
			t.Fatal(err)
		}
	}
	m.signals <- unix.SIGHUP
	m.awaitWarning("reload: there is no configuration: neither ")
	m.reloaded("config dhcp 'lan'\n")
	m.wantWarnings("the configuration serves no interface: set option dhcpv6 ")
	m.kill()
}

// TestSystemWarnings: what the init script notes is told, too.
func TestSystemWarnings(t *testing.T) {
	m := newMachine(t, lanConfig)
	m.start()
	m.write("state.warnings", []byte("dnsmasq serves DHCPv6\nand more\n"))
	m.wantWarnings("dnsmasq serves DHCPv6", "and more")
	m.write("state.warnings", nil)
	m.wantWarnings()
	m.kill()
}

// TestFileTrouble: files for others that cannot be written are told as long as that is so.
func TestFileTrouble(t *testing.T) {
	m := newMachine(t, lanConfig)
	m.write("file", nil)
	file := func(path string) {
		m.write("config/lan6d", []byte("config lan6d\n\toption ubus '0'\n\toption leasefile '"+path+"'\n"))
		m.signals <- unix.SIGHUP
		m.settled()
		m.pass(viewsInterval)
	}
	m.start()
	m.awaitMetric("lan6d_files_ok 1")
	file(m.path("file/leases"))
	m.awaitWarning("write " + m.path("file/leases") + ": ")
	m.awaitMetric("lan6d_files_ok 0")
	file(m.path("leases"))
	m.eventually("the warning to end", func() bool { return len(m.warnings()) == 0 })
	m.awaitMetric("lan6d_files_ok 1")
	m.kill()
}
