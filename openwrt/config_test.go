package openwrt

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// write makes files under a new directory, by path and text, and returns the directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestRealFiles compares what comes of whole configurations with golden files: the problems, then the description.
func TestRealFiles(t *testing.T) {
	for _, name := range []string{"openwrt-24.10", "openwrt-25.12", "broken"} {
		t.Run(name, func(t *testing.T) {
			c, problems := Load(Dirs{Config: "testdata/" + name})
			var got bytes.Buffer
			for _, p := range problems {
				got.WriteString(p.Severity.String() + ": " + p.String() + "\n")
			}
			Describe(&got, c)
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got\n%s\nwant\n%s", got.Bytes(), want)
			}
			if HasErrors(problems) != (name == "broken") {
				t.Errorf("HasErrors is %v", HasErrors(problems))
			}
		})
	}
}

func TestLoadMissingFiles(t *testing.T) {
	c, problems := Load(Dirs{Config: t.TempDir()})
	if len(problems) > 0 || len(c.Interfaces) > 0 || len(c.Files) > 0 {
		t.Errorf("no files: %+v, %v", c, problems)
	}
	c, problems = Load(Dirs{})
	if len(c.Interfaces) > 0 || HasErrors(problems) {
		t.Errorf("no directory: %+v, %v", c, problems)
	}
	dir := write(t, map[string]string{"lan6d": "config interface 'lan'\n\toption dhcpv6 'server'\n"})
	c, problems = Load(Dirs{Config: dir})
	if len(problems) > 0 || c.Interface("lan").Role != Server || strings.Join(c.Files, " ") != dir+"/lan6d" {
		t.Errorf("only lan6d: %+v, %v", c, problems)
	}
	dir = write(t, map[string]string{"dhcp": "config dhcp 'lan'\n\toption dhcpv6 'server'\n"})
	c, problems = Load(Dirs{Config: dir})
	if len(problems) > 0 || c.Interface("lan").Role != Server || strings.Join(c.Files, " ") != dir+"/dhcp" {
		t.Errorf("only dhcp: %+v, %v", c, problems)
	}
}

func TestLoadUnreadableFile(t *testing.T) {
	dir := write(t, map[string]string{"dhcp/x": "", "lan6d": "config interface 'lan'\n\toption dhcpv6 'server'\n"})
	c, problems := Load(Dirs{Config: dir})
	if len(problems) != 1 || problems[0].Severity != Error || problems[0].Pos.File != dir+"/dhcp" {
		t.Errorf("problems %v", problems)
	}
	if c.Interface("lan") == nil {
		t.Error("the file that can be read was not")
	}
}

// A wrong line in another program's section of the network file is no error of ours; one in our section is.
func TestLoadForeignProblems(t *testing.T) {
	const duid = "\toption dhcp_default_duid '00030001020000000001'\n"
	dir := write(t, map[string]string{"network": "config interface 'lan'\n\toption a b c\nconfig globals 'globals'\n" + duid})
	c, problems := Load(Dirs{Config: dir})
	if len(problems) != 1 || HasErrors(problems) || c.Server.DUID.String() != "00030001020000000001" {
		t.Errorf("%v, DUID %s", problems, c.Server.DUID)
	}
	dir = write(t, map[string]string{"network": "config globals 'globals'\n" + duid + "\toption a b c\n"})
	c, problems = Load(Dirs{Config: dir})
	if len(problems) != 2 || !HasErrors(problems) || c.Server.DUID != nil {
		t.Errorf("%v, DUID %s", problems, c.Server.DUID)
	}
}

// Pending changes count, a shadow beats the committed file, and problems tell the place that is wrong.
func TestLoadDeltaAndShadow(t *testing.T) {
	dir := write(t, map[string]string{
		"config/dhcp":  "config dhcp 'lan'\n\toption dhcpv6 'server'\n",
		"config/lan6d": "config lan6d 'd'\n\toption loglevel 'debug'\n",
		"shadow/lan6d": "config lan6d 'd'\n\toption loglevel 'warn'\n",
		"delta/dhcp":   "dhcp.lan.leasetime='2h'\ndhcp.lan.preference='300'\n",
		"resolv.conf":  "nameserver ::1\nsearch isp.example\n",
	})
	d := Dirs{Config: dir + "/config", Shadow: dir + "/shadow", Delta: dir + "/delta", Resolv: dir + "/resolv.conf"}
	c, problems := Load(d)
	if c.Interface("lan").Server.LeaseTime != 7200 || c.Daemon.LogLevel != LogWarn {
		t.Errorf("%+v", c)
	}
	if len(problems) != 1 || problems[0].String() != dir+"/delta/dhcp:2: preference: 300 is outside 0..255" {
		t.Errorf("problems %v", problems)
	}
	if got := readSearch(d.Resolv); len(got) != 1 || got[0] != "isp.example" {
		t.Errorf("search list %q", got)
	}
	for _, file := range []string{"", dir, dir + "/nothing"} {
		if got := readSearch(file); got != nil {
			t.Errorf("search list of %q: %q", file, got)
		}
	}
}

// A stale change is dropped and told, but it is no error: it must not keep a good configuration from being used. A wrong
// value that a change sets counts as any other.
func TestLoadStaleDelta(t *testing.T) {
	dir := write(t, map[string]string{
		"config/dhcp": "config dhcp 'lan'\n\toption dhcpv6 'server'\n",
		"delta/dhcp":  "dhcp.gone.leasetime='2h'\nnetwork.lan.a='1'\ndhcp.lan.preference='7'\ndhcp.lan.a='\n",
	})
	c, problems := Load(Dirs{Config: dir + "/config", Delta: dir + "/delta"})
	for _, p := range problems {
		if p.Severity != Warning || p.Pos.File != dir+"/delta/dhcp" {
			t.Errorf("%s: %s", p.Severity, p)
		}
	}
	if len(problems) != 3 || HasErrors(problems) || c.Interface("lan").Server.Preference != 7 {
		t.Errorf("%v, %+v", problems, c.Interface("lan"))
	}

	dir = write(t, map[string]string{
		"config/dhcp": "config dhcp 'lan'\nnonsense\n",
		"delta/dhcp":  "dhcp.gone.a='1'\n",
	})
	if _, problems = Load(Dirs{Config: dir + "/config", Delta: dir + "/delta"}); !HasErrors(problems) {
		t.Errorf("the committed file is wrong: %v", problems)
	}
	dir = write(t, map[string]string{
		"config/dhcp": "config dhcp 'lan'\n",
		"delta/dhcp":  "dhcp.lan.preference='256'\n",
	})
	if _, problems = Load(Dirs{Config: dir + "/config", Delta: dir + "/delta"}); !HasErrors(problems) {
		t.Errorf("a value is wrong: %v", problems)
	}
}

func TestServerConfig(t *testing.T) {
	c, _ := build(t, `
config dhcp 'a'
	option dhcpv6 'server'
config dhcp 'b'
config dhcp 'c'
	option dhcpv6 'hybrid'
config host
	option name 'x'
`, "")
	s := c.ServerConfig()
	if len(s.Interfaces) != 2 || s.Interfaces[0].Name != "a" || s.Interfaces[1].Name != "c" || len(s.Hosts) != 1 || s.MaxOffers != 1024 {
		t.Errorf("%+v", s)
	}
}

func TestOnly(t *testing.T) {
	fresh := func() *Config {
		c, _ := build(t, "config dhcp lan\n option ifname br-lan\nconfig dhcp guest\nconfig dhcp x\n option ifname guest\n", "")
		return c
	}
	for name, want := range map[string]string{"lan": "lan", "br-lan": "lan", "guest": "guest", "x": "x"} {
		c := fresh()
		if err := c.Only(name); err != nil || len(c.Interfaces) != 1 || c.Interfaces[0].Name != want {
			t.Errorf("Only(%q): %v, %+v", name, err, c.Interfaces)
		}
	}
	c := fresh()
	if err := c.Only("wan"); err == nil || err.Error() != `interface "wan": the configuration knows only lan (br-lan), guest, x (guest)` {
		t.Errorf("error %v", err)
	}
	if len(c.Interfaces) != 3 {
		t.Errorf("interfaces %+v", c.Interfaces)
	}
	if err := (&Config{}).Only("wan"); err == nil || err.Error() != `interface "wan": the configuration knows no interface` {
		t.Errorf("error %v", err)
	}
}

func TestDescribeExtremes(t *testing.T) {
	c, problems := build(t, `
config dhcp 'lan'
	option dhcpv6 'server'
	option leasetime 'infinite'
	option max_valid_lifetime 'infinite'
	option max_preferred_lifetime 'infinite'
	option decline_time 'infinite'
	option dhcpv6_pd_min_len '0'
	option dynamicdhcp '0'
	option dhcpv6_na '0'
	option cer_id_code '1'
	option pd_cer '2001:db8::1'
	option dhcpv6_raw '00670000fde80001aa'
config dhcp 'b'
	option dhcpv6 'server'
	option dhcpv6_pd_min_len '64'
	option dhcpv6_assignall '0'
config dhcp 'c'
	option dhcpv6 'server'
	option dhcpv6_pd_min_len '1'
config host
	option leasetime 'infinite'
config host
`, "")
	wantProblems(t, problems)
	var text strings.Builder
	Describe(&text, c)
	for _, want := range []string{
		"  lease time            infinite\n", "  preferred lifetime    infinite\n", "  valid lifetime        infinite\n",
		"  declined addresses    rest for ever\n", "  clients               known hosts only\n", "  delegated prefixes    none\n",
		"  addresses             none\n", "  CER-ID                2001:db8::1 in option 1\n",
		"  raw options           Captive Portal, 0 octets\n                        option 65000, 1 octet\n",
		"  delegated prefixes    /64 only\n", "  delegated prefixes    of any size\n",
		"  addresses             from the best prefix only, interface ids of 12 bits\n",
		"  (no name)             time     infinite\n", "  (no name)             nothing that concerns DHCPv6\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}
