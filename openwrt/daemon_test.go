package openwrt

import (
	"strings"
	"testing"

	"lan6d/dhcpv6"
)

// pathRows are the options that an "odhcpd" and a "lan6d" section share.
var pathRows = []row[daemon]{
	{lines: "option leasefile '/tmp/odhcpd.leases'", want: func(d *daemon) { d.LeaseFile = "/tmp/odhcpd.leases" }},
	{lines: "option leasefile '/tmp/a\nb'", problem: "error leasefile: "},
	{lines: "option hostsdir '/tmp/hosts'", want: func(d *daemon) { d.HostsDir = "/tmp/hosts" }},
	{lines: "option hostsdir '\x7f'", problem: "error hostsdir: "},
	{lines: "option leasetrigger '/usr/sbin/odhcpd-update'", want: func(d *daemon) { d.LeaseTrigger = "/usr/sbin/odhcpd-update" }},
	{lines: "option leasetrigger '\x01'", problem: "error leasetrigger: "},
	{lines: "option enable_tz '0'", want: func(d *daemon) { d.sendZone = false }},
	{lines: "option enable_tz 'no'", problem: "error enable_tz: "},
}

func TestOdhcpdOptions(t *testing.T) {
	level := func(l LogLevel) func(*daemon) { return func(d *daemon) { d.LogLevel = l } }
	testTable(t, odhcpdOptions, newDaemon, append([]row[daemon]{
		{lines: "option loglevel '0'", want: level(LogError)},
		{lines: "option loglevel '3'", want: level(LogError)},
		{lines: "option loglevel '4'", want: level(LogWarn)},
		{lines: "option loglevel '5'", want: level(LogInfo)},
		{lines: "option loglevel '6'", want: level(LogInfo)},
		{lines: "option loglevel '7'", want: level(LogDebug)},
		{lines: "option loglevel '15'", want: level(LogDebug)}, // its last three bits
		{lines: "option loglevel '8'", want: level(LogError)},
		{lines: "option loglevel '-1'", want: level(LogDebug)},
		{lines: "option loglevel 'debug'", problem: `error loglevel: "debug" is no log level of syslog, allowed are 0..7`},
		{lines: "option hostsfile '/tmp/hosts/odhcpd'", problem: "warning hostsfile: no longer works, hostsdir replaced it"},
		{lines: "option legacy '1'", problem: "warning legacy: no longer works, and nothing replaces it"},
		{lines: "option piofolder '/tmp/pio'", problem: "warning piofolder: no longer works, piodir replaced it"},
		{lines: "option maindhcp '1'\noption piodir '/tmp/odhcpd-piodir'"},
	}, pathRows...))
}

func TestDaemonOptions(t *testing.T) {
	level := func(l LogLevel) func(*daemon) { return func(d *daemon) { d.LogLevel = l } }
	testTable(t, daemonOptions, newDaemon, append([]row[daemon]{
		{lines: "option loglevel 'error'", want: level(LogError)},
		{lines: "option loglevel 'warn'", want: level(LogWarn)},
		{lines: "option loglevel 'info'"},
		{lines: "option loglevel 'debug'", want: level(LogDebug)},
		{lines: "option loglevel '7'", want: level(LogDebug)},
		{lines: "option loglevel '8'", problem: `error loglevel: "8" is no log level, allowed are error, warn, info, debug, 0..7`},
		{lines: "option loglevel 'verbose'", problem: "error loglevel: "},
		{lines: "option max_offers '1'", want: func(d *daemon) { d.maxOffers = 1 }},
		{lines: "option max_offers '65535'", want: func(d *daemon) { d.maxOffers = 65535 }},
		{lines: "option max_offers '0'", problem: "error max_offers: 0 is outside 1..65535"},
		{lines: "option max_offers '65536'", problem: "error max_offers: "},
		{lines: "option journal_sync 'batch'", want: func(d *daemon) { d.SyncJournal = true }},
		{lines: "option journal_sync 'none'"},
		{lines: "option journal_sync '1'", problem: `error journal_sync: "1" is no way to write the journal, allowed are none, batch`},
		{lines: "option persist '/etc/lan6d.leases'", want: func(d *daemon) { d.Persist = "/etc/lan6d.leases" }},
		{lines: "option persist 'a\x02'", problem: "error persist: "},
		{lines: "option persist_interval '1h'", want: func(d *daemon) { d.PersistInterval = 3600 }},
		{lines: "option persist_interval 'often'", problem: "error persist_interval: "},
		{lines: "option route_metric '512'", want: func(d *daemon) { d.RouteMetric = 512 }},
		{lines: "option route_metric '0'", problem: "error route_metric: 0 is outside 1..2147483647"},
		{lines: "option ubus '0'", want: func(d *daemon) { d.UBus = false }},
		{lines: "option ubus 'off'", problem: "error ubus: "},
		{lines: "option relay_routes '0'", want: func(d *daemon) { d.RelayRoutes = false }},
		{lines: "option relay_routes 'no'", problem: "error relay_routes: "},
		{lines: "option relay_max_prefixes '10'", want: func(d *daemon) { d.RelayMaxPrefixes = 10 }},
		{lines: "option relay_max_prefixes '0'", problem: "error relay_max_prefixes: 0 is outside 1..65535"},
		{lines: "option relay_id '000300'", want: func(d *daemon) { d.RelayID = dhcpv6.DUID{0, 3, 0} }},
		{lines: "option relay_id '0003'", problem: `error relay_id: "0003" is no DUID, allowed are 3 to 130 octets in hexadecimal digits`},
	}, pathRows...))
	if d := newDaemon(); d.LogLevel != LogInfo || d.maxOffers != 1024 || !d.sendZone || d.LeaseFile+d.HostsDir+d.LeaseTrigger != "" {
		t.Errorf("defaults %+v", d)
	}
}

func TestBootOptions(t *testing.T) {
	testTable(t, bootOptions, func() (f bootFile) {
		f.Default = true
		return f
	}, []row[bootFile]{
		{lines: "option url 'http://[2001:db8::1]/boot'", want: func(f *bootFile) { f.URL = "http://[2001:db8::1]/boot" }},
		{lines: "option url 'boot'", problem: "error url: ", spoiled: true},
		{lines: "option url 'tftp://a b'", problem: "error url: ", spoiled: true},
		{lines: "option arch '0'", want: func(f *bootFile) { f.Default = false }},
		{lines: "option arch '65535'", want: func(f *bootFile) { f.Arch, f.Default = 65535, false }},
		{lines: "option arch '65536'", problem: "error arch: ", spoiled: true},
		{lines: "option arch 'x86'", problem: "error arch: ", spoiled: true},
	})
}

func TestGlobalsOptions(t *testing.T) {
	testTable(t, globalsOptions, func() globals { return globals{} }, []row[globals]{
		{lines: "option dhcp_default_duid '0003000102AABBCCDDEE'", want: func(g *globals) {
			g.duid = dhcpv6.DUID("\x00\x03\x00\x01\x02\xaa\xbb\xcc\xdd\xee")
		}},
		{lines: "option dhcp_default_duid '" + strings.Repeat("00", 130) + "'", want: func(g *globals) { g.duid = make(dhcpv6.DUID, 130) }},
		{lines: "option dhcp_default_duid 'auto'"},
		{lines: "option dhcp_default_duid '000300010200000000'", problem: "error dhcp_default_duid: "},
		{lines: "option dhcp_default_duid '" + strings.Repeat("00", 131) + "'", problem: "error dhcp_default_duid: "},
		{lines: "option dhcp_default_duid '0003000102AABBCCDDEEF'", problem: "error dhcp_default_duid: "},
		{lines: "option ula_prefix 'fd12:3456:789a::/48'"},
	})
}

func TestSystemOptions(t *testing.T) {
	testTable(t, systemOptions, func() system { return system{} }, []row[system]{
		{lines: "option timezone 'CET-1CEST,M3.5.0,M10.5.0/3'", want: func(s *system) { s.timezone = "CET-1CEST,M3.5.0,M10.5.0/3" }},
		{lines: "option timezone 'a\tb'", problem: "error timezone: "},
		{lines: "option zonename 'America/New York'", want: func(s *system) { s.zonename = "America/New_York" }},
		{lines: "option zonename 'Zürich'", problem: "error zonename: "},
		{lines: "option zonename '" + strings.Repeat("x", 65536) + "'", problem: "error zonename: "},
		{lines: "option hostname 'OpenWrt'"},
	})
}
