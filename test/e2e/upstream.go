package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A serverKind is a DHCPv6 server program that the tests run behind a relay.
type serverKind struct {
	name      string
	start     func(s *upstream) *process
	multicast bool // it listens to ff05::1:3
	prefixes  bool // it delegates prefixes
	// forClient: it delegates prefixes only to clients that its configuration names.
	forClient bool
}

// serverKinds lease addresses of the relay's LAN, 2001:db8:1:5::/64, and prefixes for short, so that clients renew soon.
var serverKinds = []serverKind{
	{name: "dnsmasq", start: startDnsmasq, multicast: true}, // first: no lease is shorter than two minutes
	{name: "Kea", start: startKea, prefixes: true},          // joins no group but ff02::1:2
	{name: "dhcpd", start: startDhcpd, multicast: true, prefixes: true},
	{name: "dibbler", start: startDibblerServer, multicast: true, prefixes: true},
	{name: "dhcp6s", start: startDhcp6s, multicast: true, prefixes: true, forClient: true},
	{name: "lan6d", start: startServer, multicast: true, prefixes: true},
}

// An upstream is a host beyond a relay that runs a server on eth0.
type upstream struct {
	*host
	kind  serverKind
	addr  string // of eth0
	duids []string
	relay string // the relay's address on the link between them
	times lifetimes
	proc  *process

	partners []*upstream // Kea: it and the others that keep its leases with it, the active one first
}

// lifetimes are in seconds.
type lifetimes struct{ preferred, valid int }

// relayedPool is what the servers delegate from, in prefixes of 56 bits.
const relayedPool = "2001:db8:8000::/40"

// newUpstream makes the host of a server. It knows the way to what lies behind the relay.
func newUpstream(t testing.TB, k serverKind, name string, number int) *upstream {
	t.Helper()
	return &upstream{
		host: newHost(t, name), kind: k, addr: fmt.Sprintf("2001:db8:ffff::%d", number), relay: "2001:db8:ffff::99",
		times: lifetimes{24, 120},
	}
}

// connect gives eth0 its address and the host its routes.
func (s *upstream) connect() {
	s.t.Helper()
	s.AddAddr(s.t, "eth0", s.addr+"/64")
	s.ip("route add %s via %s\nroute add %s via %s", relayedLAN, s.relay, relayedPool, s.relay)
}

// serve starts the server and waits until it listens.
func (s *upstream) serve() {
	s.t.Helper()
	s.proc = s.kind.start(s)
	eventually(s.t, 20*time.Second, s.kind.name+" to listen", func() bool {
		return strings.Contains(s.run("cat", "/proc/self/net/udp6"), ":0223 ")
	})
}

func startKea(s *upstream) *process {
	s.run("mkdir", "-p", "/run/kea", "/var/lib/kea", "/run/lock/kea")
	s.write("/run/e2e/kea.conf", 0o644, fmt.Sprintf(`{ "Dhcp6": {
	"interfaces-config": { "interfaces": [ "eth0/%s" ], "service-sockets-max-retries": 50, "service-sockets-retry-wait-time": 200 },
	"lease-database": { "type": "memfile", "name": "/var/lib/kea/leases6.csv", "lfc-interval": 0 },
	"preferred-lifetime": %d, "valid-lifetime": %d, "calculate-tee-times": true,
	"mac-sources": [ "client-link-addr-option" ],
	"option-data": [ { "name": "dns-servers", "data": "%s" } ],
	"subnet6": [ { "id": 1, "subnet": "%s",
		"pools": [ { "pool": "2001:db8:1:5::1000-2001:db8:1:5::1fff" } ],
		"pd-pools": [ { "prefix": "2001:db8:8000::", "prefix-len": 40, "delegated-len": 56 } ] } ],
	"loggers": [ { "name": "kea-dhcp6", "output_options": [ { "output": "stdout" } ], "severity": "INFO" } ]%s
} }`, s.addr, s.times.preferred, s.times.valid, nameserver, relayedLAN, s.standby()))
	return s.startEnv([]string{"KEA_PIDFILE_DIR=/run/kea", "KEA_LOCKFILE_DIR=none"}, "kea-dhcp6", "-c", "/run/e2e/kea.conf")
}

// standby is the part of Kea's configuration that has it share its leases with its partners: hot standby. All have one
// DUID, so that clients can renew with whichever answers.
func (s *upstream) standby() string {
	if s.partners == nil {
		return ""
	}
	var peers []string
	for i, p := range s.partners {
		peers = append(peers, fmt.Sprintf(`{ "name": "%s", "url": "http://[%s]:8000/", "role": "%s", "auto-failover": true }`,
			p.name, p.addr, []string{"primary", "standby"}[i]))
	}
	return fmt.Sprintf(`,
	"server-id": { "type": "LL", "htype": 1, "identifier": "020000004b01", "persist": false },
	"multi-threading": { "enable-multi-threading": true, "thread-pool-size": 2 },
	"hooks-libraries": [ { "library": "%[1]s/libdhcp_lease_cmds.so" }, { "library": "%[1]s/libdhcp_ha.so", "parameters": { "high-availability": [ {
		"this-server-name": "%[2]s", "mode": "hot-standby", "heartbeat-delay": 500, "max-response-delay": 1500, "max-unacked-clients": 0,
		"multi-threading": { "enable-multi-threading": true, "http-dedicated-listener": true, "http-listener-threads": 2, "http-client-threads": 2 },
		"peers": [ %[3]s ] } ] } } ]`, keaHooks(s.t), s.name, strings.Join(peers, ", "))
}

// keaHooks is the directory of Kea's hooks.
func keaHooks(t testing.TB) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*/kea/hooks")
	if err != nil || len(found) != 1 {
		t.Fatalf("Kea's hooks: %v, %v", found, err)
	}
	return found[0]
}

func startDhcpd(s *upstream) *process {
	s.write("/run/e2e/dhcpd.leases", 0o644, "")
	s.write("/run/e2e/dhcpd.conf", 0o644, fmt.Sprintf(`preferred-lifetime %d;
default-lease-time %d;
option dhcp-renewal-time %d;
option dhcp-rebinding-time %d;
option dhcp6.name-servers %s;
subnet6 2001:db8:ffff::/64 { }
subnet6 %s {
	range6 2001:db8:1:5::1000 2001:db8:1:5::1fff;
	prefix6 2001:db8:8000:: 2001:db8:80ff:ff00:: /56;
}
`, s.times.preferred, s.times.valid, s.times.preferred/2, s.times.preferred*4/5, nameserver, relayedLAN))
	return s.host.start("dhcpd", "-6", "-f", "-d", "--no-pid", "-cf", "/run/e2e/dhcpd.conf", "-lf", "/run/e2e/dhcpd.leases", "eth0")
}

func startDibblerServer(s *upstream) *process {
	s.write("/etc/dibbler/server.conf", 0o644, fmt.Sprintf(`log-level 8
log-mode full
guess-mode
iface relay1 {
	relay eth0
	t1 %d
	t2 %d
	preferred-lifetime %d
	valid-lifetime %d
	class { pool 2001:db8:1:5::1000-2001:db8:1:5::1fff }
	pd-class { pd-pool %s pd-length 56 }
	option dns-server %s
}
`, s.times.preferred/2, s.times.preferred*4/5, s.times.preferred, s.times.valid, relayedPool, nameserver))
	return s.host.start("dibbler-server", "run")
}

func startDnsmasq(s *upstream) *process {
	return s.host.start("dnsmasq", "--conf-file=/dev/null", "--no-daemon", "--port=0", "--interface=eth0", "--user=root", "--group=root",
		"--log-dhcp", "--dhcp-leasefile=/run/e2e/dnsmasq.leases", "--no-resolv", "--no-hosts",
		fmt.Sprintf("--dhcp-range=2001:db8:1:5::1000,2001:db8:1:5::1fff,64,%d", s.times.valid),
		"--dhcp-option=option6:dns-server,["+nameserver+"]", "--pid-file=/run/e2e/dnsmasq.pid")
}

func startDhcp6s(s *upstream) *process {
	conf := fmt.Sprintf(`option domain-name-servers %s;
interface eth0 { address-pool pool1 %d %d; };
pool pool1 { range 2001:db8:1:5::1000 to 2001:db8:1:5::1fff; };
`, nameserver, s.times.preferred, s.times.valid)
	for i, duid := range s.duids {
		conf += fmt.Sprintf("host client%d {\n\tduid %s;\n\tprefix 2001:db8:80%02x::/56 %d %d;\n\taddress-pool pool1 %[4]d %[5]d;\n};\n",
			i, duid, i+1, s.times.preferred, s.times.valid)
	}
	s.write("/run/e2e/dhcp6s.conf", 0o644, conf)
	return s.host.start("dhcp6s", "-f", "-D", "-c", "/run/e2e/dhcp6s.conf", "-P", "/run/e2e/dhcp6s.pid", "eth0")
}

// startServer runs lan6d as the server: the relay's link-address lies in the prefix of its interface.
func startServer(s *upstream) *process {
	s.AddAddr(s.t, "eth0", "2001:db8:1::1/48")
	s.write("/run/e2e/config/dhcp", 0o644, fmt.Sprintf(`config dhcp 'up'
	option ifname 'eth0'
	option dhcpv6 'server'
	option leasetime '%ds'
	option max_preferred_lifetime '%ds'
	list dns '%s'
`, s.times.valid, max(s.times.preferred, 60), nameserver))
	s.run("mkdir", "-p", "/run/e2e/state")
	return s.host.start(server(s.t), "-c", "/run/e2e/config", "-d", "/run/e2e/state", "-l", "debug")
}
