package openwrt

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"lan6d/openwrt/uci"
)

func addrTexts(addrs []netip.Addr) (texts []string) {
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return texts
}

// build parses and builds the texts of /etc/config/dhcp and /etc/config/lan6d. All problems are returned, as their texts
// with the severity in front.
func build(t testing.TB, dhcp, own string) (*Config, []string) {
	t.Helper()
	return buildAll(t, map[string]string{"dhcp": dhcp, "lan6d": own})
}

func buildAll(t testing.TB, texts map[string]string) (*Config, []string) {
	t.Helper()
	var problems []Problem
	parse := func(name string) *uci.Package {
		pkg, bad := uci.Parse(name, []byte(texts[name]))
		for _, p := range bad {
			problems = append(problems, Problem{Pos: p.Pos, Severity: Error, Text: p.Text})
		}
		return pkg
	}
	c, more := Build(Packages{
		Network: parse("network"), DHCP: parse("dhcp"), LAN6D: parse("lan6d"), System: parse("system"),
		Search: []string{"isp.example"},
	})
	problems = append(problems, more...)
	sortProblems(problems)
	var shown []string
	for _, p := range problems {
		shown = append(shown, p.Severity.String()+" "+p.String())
	}
	return c, shown
}

// want compares problems with the beginnings of the expected ones.
func wantProblems(t testing.TB, got []string, want ...string) {
	t.Helper()
	ok := len(got) == len(want)
	for n := range min(len(got), len(want)) {
		ok = ok && strings.HasPrefix(got[n], want[n])
	}
	if !ok {
		t.Errorf("problems\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestOwnFileOverrides(t *testing.T) {
	c, problems := build(t, `
config dhcp 'lan'
	option dhcpv6 'server'
	option leasetime '1h'
	list dns '2001:db8::1'
	list domain 'a.example'
	option preference '5'
config dhcp 'pool'
	option interface 'guest'
	option dhcpv6 'disabled'
`, `
config interface 'lan'
	option leasetime '2h'
	list dns '2001:db8::2'
	list dns '2001:db8::3'
	option domain 'bad..name'
	option max_valid_lifetime '3h'
config interface
	option interface 'guest'
	option dhcpv6 'server'
config interface 'pool'
	option preference '7'
config interface 'new'
	option dhcpv6 'server'
`)
	wantProblems(t, problems, `error lan6d:6: domain: domain name "bad..name"`)
	if len(c.Interfaces) != 3 {
		t.Fatalf("interfaces %+v", c.Interfaces)
	}
	lan, guest, added := c.Interface("lan").Server, c.Interface("guest"), c.Interface("new")
	if lan.LeaseTime != 7200 || strings.Join(addrTexts(lan.DNS), " ") != "2001:db8::2 2001:db8::3" ||
		strings.Join(lan.Search, " ") != "a.example" || lan.MaxValid != 10800 || lan.Preference != 5 {
		t.Errorf("lan: %+v", lan)
	}
	if guest.Role != Server || guest.Server.Preference != 7 || added.Role != Server {
		t.Errorf("guest: %+v, new: %+v", guest, added)
	}
	if s := c.ServerConfig(); len(s.Interfaces) != 3 || s.Interfaces[1].Name != "guest" {
		t.Errorf("server: %+v", s)
	}
}

func TestOwnFileTellsTypos(t *testing.T) {
	_, problems := build(t, "config dhcp 'lan'\n option dhcpv6 server\n option decline_tiem 1h\n", `
config lan6d
	option max_offer '5'
config interface 'lan'
	option decline_tiem '1h'
	option zzz '1'
	option ra 'server'
config interface 'lna'
	option preference '1'
config interface
	option preference '1'
config host
	option prefix '1'
config lan6
config interface 'x'
	option interface 'a/b'
`)
	wantProblems(t, problems,
		`warning lan6d:3: max_offer: unknown option, did you mean "max_offers"?`,
		`warning lan6d:5: decline_tiem: unknown option, did you mean "decline_time"?`,
		`warning lan6d:6: zzz: unknown option`,
		`warning lan6d:7: ra: does not concern DHCPv6`,
		`warning lan6d:8: interface: lna is not in /etc/config/dhcp, and dhcpv6 is not set here`,
		`error lan6d:10: interface: section without a name`,
		`warning lan6d:12: host: section has no effect here, it belongs in /etc/config/dhcp`,
		`warning lan6d:14: lan6: unknown section`,
		`error lan6d:16: interface: "a/b" is no interface name`,
	)
}

func TestDaemonSections(t *testing.T) {
	c, problems := build(t, `
config odhcpd 'odhcpd'
	option leasefile '/tmp/odhcpd.leases'
	option hostsdir '/tmp/hosts'
	option loglevel '4'
`, "")
	wantProblems(t, problems)
	want := newDaemon().Daemon
	want.LogLevel, want.LeaseFile, want.HostsDir = LogWarn, "/tmp/odhcpd.leases", "/tmp/hosts"
	if !reflect.DeepEqual(c.Daemon, want) || c.Server.MaxOffers != 1024 {
		t.Errorf("odhcpd only: %+v", c)
	}
	c, problems = build(t, "config odhcpd\n option leasefile /a\n option loglevel 4\n", `
config lan6d
	option leasefile '/b'
	option loglevel 'debug'
	option max_offers '7'
`)
	wantProblems(t, problems)
	want.LogLevel, want.LeaseFile, want.HostsDir = LogDebug, "/b", ""
	if !reflect.DeepEqual(c.Daemon, want) || c.Server.MaxOffers != 7 {
		t.Errorf("both: %+v", c)
	}
}

// One wrong line costs its own section only, and all problems are told at once.
func TestBadSectionsAreSkipped(t *testing.T) {
	c, problems := build(t, `config dhcp 'lan'
	option dhcpv6 'server'
	option leasetime 'x'
	option dhcpv6_pd 'off'
config dhcp 'guest'
	option dhcpv6 server please
config dhcp 'iot'
	option dhcpv6 'server'
	list ntp '0.0.0.0'
config host
	option name 'a b'
config host
	option name 'good'
config host
	option mac "02:00:00:00:00:01
config boot6
	option arch '7'
config boot6
	option url 'http://a/b'
config dhcp 'office'
	option dhcpv6 'server'
`, `config interface 'guest'
	option dhcpv6 'server'
config interface 'iot'
	option preference '1'
config interface 'office'
	option preference '1' '2'
`)
	wantProblems(t, problems,
		`error dhcp:3: leasetime: "x" is no time`,
		`error dhcp:4: dhcpv6_pd: "off" is no boolean`,
		`error dhcp:5: dhcp: section guest is not used`,
		`error dhcp:6: too many arguments`,
		`error dhcp:9: ntp: 0.0.0.0 is no address of a server, the interface is not served`,
		`error dhcp:11: name: "a b" is no host name`,
		`error dhcp:14: host: section cfg`,
		`error dhcp:15: `,
		`error dhcp:16: url: is missing`,
		`error lan6d:1: interface: guest is not served, its section in /etc/config/dhcp is wrong`,
		`error lan6d:5: interface: section office is not used`,
		`error lan6d:6: too many arguments`,
	)
	s := c.ServerConfig()
	if len(s.Interfaces) != 2 || s.Interfaces[0].Name != "lan" || s.Interfaces[1].Name != "office" {
		t.Errorf("served: %+v", s.Interfaces)
	}
	if lan := s.Interfaces[0]; lan.LeaseTime != 43200 || !lan.Prefixes {
		t.Errorf("lan: %+v", lan)
	}
	if len(s.Hosts) != 1 || s.Hosts[0].Name != "good" || len(s.BootFiles) != 1 || !s.BootFiles[0].Default {
		t.Errorf("hosts %+v, boot files %+v", s.Hosts, s.BootFiles)
	}
}

// A later time server that is right takes back what a wrong one did.
func TestRefusedInterfaceRecovers(t *testing.T) {
	c, problems := build(t, "config dhcp lan\n option dhcpv6 server\n option ntp '::'\n", "config interface lan\n option ntp 2001:db8::1\n")
	wantProblems(t, problems, "error dhcp:3: ntp:")
	if lan := c.Interface("lan"); lan.Role != Server || len(lan.Server.NTP) != 1 {
		t.Errorf("lan: %+v", lan)
	}
}

func TestAnonymousSections(t *testing.T) {
	c, problems := build(t, `
config dhcp
	option interface 'lan'
	option dhcpv6 'server'
	option networkid 'eth1'
config dhcp
	option dhcpv6 'server'
config dhcp
	option interface 'lan'
	option ifname 'eth0'
	option preference '3'
`, "")
	wantProblems(t, problems, "warning dhcp:6: interface: is missing in a section without a name")
	if len(c.Interfaces) != 2 || !strings.HasPrefix(c.Interfaces[1].Name, "cfg") {
		t.Fatalf("interfaces %+v", c.Interfaces)
	}
	if lan := c.Interfaces[0]; lan.Role != Server || lan.Device != "eth0" || lan.Server.Preference != 3 {
		t.Errorf("lan: %+v", lan)
	}
}

func TestDevice(t *testing.T) {
	for lines, want := range map[string]string{
		"": "", "option ifname a": "a", "option networkid b": "b", "option networkid b\noption ifname a": "a",
		"option ifname a\noption networkid b": "a", "option ifname 'a b'\noption networkid b": "b",
	} {
		c, _ := build(t, "config dhcp lan\n"+lines+"\n", "")
		if got := c.Interface("lan").Device; got != want {
			t.Errorf("%q: device %q, want %q", lines, got, want)
		}
	}
}

func TestLifetimesFitEachOther(t *testing.T) {
	c, problems := build(t, "config dhcp lan\n option max_valid_lifetime 30m\n", "")
	wantProblems(t, problems)
	if s := c.Interface("lan").Server; s.MaxPreferred != 1800 || s.MaxValid != 1800 {
		t.Errorf("preferred %d, valid %d", s.MaxPreferred, s.MaxValid)
	}
}

func TestDomainFallback(t *testing.T) {
	for own, want := range map[string]string{
		"": "", "option domain_fallback 0": "", "option domain_fallback 1": "isp.example",
		"option domain_fallback 1\noption domain 'lan'": "lan",
	} {
		c, problems := build(t, "config dhcp lan\n", "config interface lan\n"+own+"\n")
		wantProblems(t, problems)
		if got := strings.Join(c.Interface("lan").Server.Search, " "); got != want {
			t.Errorf("%q: search list %q, want %q", own, got, want)
		}
	}
}

func TestNetworkAndSystem(t *testing.T) {
	texts := map[string]string{
		"network": "config globals 'globals'\n option dhcp_default_duid '00046d1f0a5a7c2e4f3b9d8e1a2b3c4d5e6f'\n",
		"system":  "config system\n option timezone UTC\n option zonename 'Etc/UTC'\nconfig timeserver 'ntp'\n option timezone X\n",
	}
	c, problems := buildAll(t, texts)
	wantProblems(t, problems)
	if s := c.Server; s.DUID.String() != "00046d1f0a5a7c2e4f3b9d8e1a2b3c4d5e6f" || s.POSIXTimezone != "UTC" || s.TZDBTimezone != "Etc/UTC" {
		t.Errorf("%+v", s)
	}
	texts["dhcp"] = "config odhcpd\n option enable_tz 0\n"
	if c, _ = buildAll(t, texts); c.Server.POSIXTimezone != "" || c.Server.TZDBTimezone != "" {
		t.Errorf("enable_tz 0: %+v", c.Server)
	}
	texts["lan6d"] = "config lan6d\n option enable_tz 1\n"
	if c, _ = buildAll(t, texts); c.Server.POSIXTimezone != "UTC" {
		t.Errorf("enable_tz 1 in lan6d: %+v", c.Server)
	}
}

func TestLongValuesAreClipped(t *testing.T) {
	long := strings.Repeat("ä", 100000)
	_, problems := build(t, "config dhcp lan\n option dhcpv6 '"+long+"'\n list domain '"+long+"'\n list dns '"+long+"'\n option leasetime '"+
		strings.Repeat("9", 100000)+"'\n list dnr '1 "+strings.Repeat("a.", 50000)+"'\nconfig host\n option name '"+
		strings.Repeat("a.", 50000)+"a'\n", "")
	if len(problems) != 6 {
		t.Errorf("%d problems", len(problems))
	}
	for _, p := range problems {
		if len(p) > 600 {
			t.Errorf("problem of %d octets: %.100s", len(p), p)
		}
	}
}

func TestNilPackages(t *testing.T) {
	c, problems := Build(Packages{})
	if c == nil || len(problems) != 0 || len(c.Interfaces) != 0 || c.Daemon.LogLevel != LogInfo {
		t.Errorf("%+v, %v", c, problems)
	}
}
