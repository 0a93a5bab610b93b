package openwrt

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestDefault(t *testing.T) {
	c, found := Default("eth0")
	if len(found) > 0 || len(c.Interfaces) != 1 || len(c.Files) > 0 {
		t.Fatalf("%+v, %v", c, found)
	}
	want := newInterface("eth0")
	want.Device, want.Mode, want.Role = "eth0", Server, Server
	i := c.Interfaces[0]
	if i.Name != "eth0" || i.Device != "eth0" || i.Role != Server || i.Server.Name != "eth0" {
		t.Errorf("interface %+v", i)
	}
	if s := c.ServerConfig(); len(s.Interfaces) != 1 || s.Interfaces[0].LeaseTime != want.Server.LeaseTime {
		t.Errorf("server %+v", s)
	}
	// It is what comes of the files.
	files, problems := build(t, DefaultDHCP, DefaultLAN6D)
	wantProblems(t, problems)
	lan := files.Interfaces[0]
	lan.Name, lan.Device, lan.Server.Name, lan.modePos, lan.section = "eth0", "eth0", "eth0", i.modePos, i.section
	if files.Interfaces[0] = lan; !reflect.DeepEqual(c, files) {
		t.Errorf("got  %+v\nwant %+v", c, files)
	}
	for _, device := range []string{"", "a b", "..", "a/b", strings.Repeat("x", 16)} {
		if c, problems := Default(device); !HasErrors(problems) || len(c.Interfaces) > 0 {
			t.Errorf("Default(%q): %+v, %v", device, c, problems)
		}
	}
}

// uncommented is a default file with its commented options in force: a tab behind the # marks them.
func uncommented(text string) string {
	return regexp.MustCompile(`(?m)^#(\t(option|list) |config )`).ReplaceAllString(text, "$1")
}

// Every option that odhcpd lacks is explained in the file that the package installs, with its default, and whatever is
// in a comment there can be put in force.
func TestDefaultFilesExplainTheOptions(t *testing.T) {
	options := interfaceOptions(&Interface{}).options
	first := slices.IndexFunc(options, func(o option) bool { return o.name == "preference" })
	end := slices.IndexFunc(options, func(o option) bool { return o.gone != "" })
	dhcp, own := options[:first], options[first:end]
	for _, o := range own {
		if !strings.Contains(DefaultLAN6D, "#\toption "+o.name+" '") {
			t.Errorf("interface option %s is not explained", o.name)
		}
	}
	for _, o := range daemonOptions(&daemon{}).options {
		if !strings.Contains(DefaultLAN6D, "#\toption "+o.name+" '") {
			t.Errorf("daemon option %s is not explained", o.name)
		}
	}
	for _, o := range dhcp {
		name := regexp.MustCompile(`(option|list) ` + o.name + ` '`)
		relay := map[string]bool{"master": true, "upstream": true, "dhcpv6_relay_servers": true}
		rare := map[string]bool{"ifname": true, "networkid": true, "dhcpv6_raw": true}
		if !relay[o.name] && !rare[o.name] && !name.MatchString(DefaultDHCP) {
			t.Errorf("option %s is not explained", o.name)
		}
	}
	if !strings.Contains(DefaultDHCP, "#\toption prefix '") || !strings.Contains(DefaultLAN6D, "option prefix") {
		t.Error("host option prefix is not explained")
	}

	plain, problems := build(t, DefaultDHCP, DefaultLAN6D)
	wantProblems(t, problems)
	if i := plain.Interface("lan"); i.Role != Server || len(plain.Interfaces) != 1 {
		t.Errorf("%+v", plain.Interfaces)
	}
	c, problems := build(t, uncommented(DefaultDHCP), uncommented(DefaultLAN6D))
	wantProblems(t, problems)
	if len(c.Interfaces) != 1 || len(c.Server.Hosts) != 1 || c.Server.Hosts[0].SubnetID != 0x10 {
		t.Errorf("%+v", c)
	}
	// The defaults that the comments name are the defaults.
	want, got := plain.Interfaces[0].Server, c.Interfaces[0].Server
	if got.LeaseTime != want.LeaseTime || got.MaxPreferred != want.MaxPreferred || got.MaxValid != want.MaxValid ||
		got.Dynamic != want.Dynamic || got.Addresses != want.Addresses || got.Prefixes != want.Prefixes ||
		got.PDMinLength != want.PDMinLength || got.AssignAll != want.AssignAll || got.HostIDLength != want.HostIDLength ||
		got.PrefixFilter != want.PrefixFilter || got.OwnDNS != want.OwnDNS || got.Preference != want.Preference ||
		got.DeclineTime != want.DeclineTime || got.SolMaxRT != want.SolMaxRT || got.InfMaxRT != want.InfMaxRT ||
		got.InformationTime != want.InformationTime || got.CERIDCode != want.CERIDCode || got.MaxOffers != want.MaxOffers {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if c.Daemon.LogLevel != plain.Daemon.LogLevel || c.Server.MaxOffers != plain.Server.MaxOffers {
		t.Errorf("daemon %+v", c)
	}
}
