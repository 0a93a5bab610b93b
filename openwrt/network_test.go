package openwrt

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// withNetworks builds a configuration, and then one with what netifd tells.
func withNetworks(t *testing.T, dhcp string, networks ...Network) (base, with *Config, problems []string) {
	t.Helper()
	base, wrong := build(t, dhcp, "")
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	with, found := base.WithNetworks(networks)
	with.ResolveModes(func(i *Interface) bool { return i.Delegated })
	for _, p := range found {
		problems = append(problems, p.Severity.String()+" "+p.String())
	}
	return base, with, problems
}

// TestNetworkDevice: the device is netifd's. An interface that is down has none, not even one with its logical name.
func TestNetworkDevice(t *testing.T) {
	const file = "config dhcp lan\n\toption ifname eth9\n\toption dhcpv6 server\nconfig dhcp guest\n\toption dhcpv6 server\n"
	for _, tt := range []struct {
		name       string
		networks   []Network
		lan, guest string
	}{
		{name: "netifd not asked", lan: "eth9", guest: "guest"},
		{name: "known", networks: []Network{{Name: "lan", Device: "br-lan"}, {Name: "guest", Device: "br-guest"}}, lan: "br-lan", guest: "br-guest"},
		{name: "down", networks: []Network{{Name: "lan"}, {Name: "guest"}}},
		{name: "unknown", networks: []Network{{Name: "wan", Device: "eth0"}}, lan: "eth9", guest: "guest"},
		{name: "names of devices", networks: []Network{{Name: "eth9", Device: "eth0"}, {Name: "guest", Device: "lan"}}, lan: "eth9", guest: "lan"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base, with, problems := withNetworks(t, file, tt.networks...)
			if len(problems) > 0 {
				t.Error(problems)
			}
			if lan, guest := with.Interface("lan").DeviceName(), with.Interface("guest").DeviceName(); lan != tt.lan || guest != tt.guest {
				t.Errorf("devices %q, %q, want %q, %q", lan, guest, tt.lan, tt.guest)
			}
			for _, i := range with.Interfaces {
				if known := findNetwork(tt.networks, i.Name); i.Known != (known != nil) || i.Down != (known != nil && known.Device == "") || i.Role != Server {
					t.Errorf("%s: known %v, down %v, %v", i.Name, i.Known, i.Down, i.Role)
				}
			}
			if d := base.Interface("lan").DeviceName(); d != "eth9" {
				t.Errorf("the original has changed: %s", d)
			}
		})
	}
}

// TestNetworkData: what the handler of a protocol has put there counts as if it stood in the section, where the option is a
// single value.
func TestNetworkData(t *testing.T) {
	const file = `
config dhcp lan
	option dhcpv6 server
	option leasetime 2h
	option dns 2001:db8::53
	list upstream wan
	list upstream wan6
`
	plain, _ := build(t, file, "")
	for _, tt := range []struct {
		name    string
		data    map[string][]Datum // by network
		want    func(i *Interface)
		problem string
	}{
		{name: "text", data: map[string][]Datum{"lan": {{"leasetime", "1h"}}}, want: func(i *Interface) { i.Server.LeaseTime = 3600 }},
		{name: "number", data: map[string][]Datum{"lan": {{"leasetime", "1800"}, {"preference", "7"}}},
			want: func(i *Interface) { i.Server.LeaseTime, i.Server.Preference = 1800, 7 }},
		{name: "boolean", data: map[string][]Datum{"lan": {{"dhcpv6_pd", "false"}, {"dns_service", "0"}}},
			want: func(i *Interface) { i.Server.Prefixes, i.Server.OwnDNS = false, false }},
		{name: "mode", data: map[string][]Datum{"lan": {{"dhcpv6", "relay"}}}, want: func(i *Interface) { i.Mode, i.Role = Relay, Relay }},
		{name: "of the upstream", data: map[string][]Datum{"wan6": {{"leasetime", "1h"}}}, want: func(i *Interface) { i.Server.LeaseTime = 3600 }},
		{name: "of all: the own count last", data: map[string][]Datum{
			"wan": {{"leasetime", "1h"}, {"preference", "1"}, {"sol_max_rt", "100"}}, "wan6": {{"leasetime", "3h"}, {"preference", "2"}}, "lan": {{"leasetime", "4h"}},
		}, want: func(i *Interface) { i.Server.LeaseTime, i.Server.Preference, i.Server.SolMaxRT = 4*3600, 2, 100 }},
		{name: "of another", data: map[string][]Datum{"guest": {{"leasetime", "1h"}}}},
		{name: "lists", data: map[string][]Datum{"lan": {{"dns", "2001:db8::54"}, {"upstream", "guest"}, {"domain", "example"}}}},
		{name: "name of the section", data: map[string][]Datum{"lan": {{"interface", "guest"}}}},
		{name: "unknown", data: map[string][]Datum{"lan": {{"passthru", "0017"}, {"zone", "wan"}, {"", ""}, {"ra", "server"}}}},
		{name: "wrong", data: map[string][]Datum{"lan": {{"leasetime", "soon"}, {"preference", "9"}}},
			want: func(i *Interface) { i.Server.Preference = 9 }, problem: "error netifd's data of lan: leasetime: "},
		{name: "wrong, of the upstream", data: map[string][]Datum{"wan": {{"dhcpv6", "on"}}}, problem: "error netifd's data of wan: dhcpv6: "},
		{name: "preferred longer than valid", data: map[string][]Datum{"lan": {{"max_preferred_lifetime", "9h"}, {"max_valid_lifetime", "3h"}}},
			want: func(i *Interface) { i.Server.MaxPreferred, i.Server.MaxValid = 3*3600, 3*3600 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			networks := []Network{{Name: "lan", Device: "br-lan"}}
			for name, data := range tt.data {
				if name == "lan" {
					networks[0].Data = data
					continue
				}
				networks = append(networks, Network{Name: name, Data: data})
			}
			base, with, problems := withNetworks(t, file, networks...)
			want := plain.Interfaces[0]
			want.Device, want.Known = "br-lan", true
			if tt.want != nil {
				tt.want(&want)
			}
			if got := with.Interfaces[0]; !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if !reflect.DeepEqual(base, plain) {
				t.Errorf("the original has changed: %+v", base)
			}
			if tt.problem == "" && len(problems) > 0 || tt.problem != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0], tt.problem)) {
				t.Errorf("problems %q, want %q", problems, tt.problem)
			}
		})
	}
}

// TestNetworkTwins: that two interfaces share a device, as lan and lan6 do on many a router, only netifd knows. So does it
// that they do not, although the files give both the same.
func TestNetworkTwins(t *testing.T) {
	const file = "config dhcp lan\n\toption dhcpv6 server\nconfig dhcp lan6\n\toption dhcpv6 server\nconfig dhcp off\n"
	const told = "error dhcp:4: dhcpv6: device br-lan is served as interface lan already, not as lan6 too"
	for _, tt := range []struct {
		name, lan, lan6, roles string
		problems               []string
	}{
		{name: "twins", lan: "br-lan", lan6: "br-lan", roles: "server disabled disabled", problems: []string{told}},
		{name: "two devices", lan: "br-lan", lan6: "eth1", roles: "server server disabled"},
		{name: "the first is down", lan6: "br-lan", roles: "server server disabled"},
		{name: "the second is down", lan: "br-lan", roles: "server server disabled"},
		{name: "both are down", roles: "server server disabled"},
		{name: "the name of the one that is down", lan6: "lan", roles: "server server disabled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, with, problems := withNetworks(t, file, Network{Name: "lan", Device: tt.lan}, Network{Name: "lan6", Device: tt.lan6}, Network{Name: "off", Device: "br-lan"})
			if got := roles(with); got != tt.roles || !slices.Equal(problems, tt.problems) {
				t.Errorf("%s, %q, want %s, %q", got, problems, tt.roles, tt.problems)
			}
			if len(tt.problems) > 0 && with.Interface("lan6").Describe() != "its device is another's" {
				t.Error(with.Interface("lan6").Describe())
			}
		})
	}

	base, problems := build(t, "config dhcp lan\n\toption ifname eth0\n\toption dhcpv6 server\nconfig dhcp guest\n\toption ifname eth0\n\toption dhcpv6 server\n", "")
	if len(problems) != 1 || roles(base) != "server disabled" {
		t.Fatal(problems, roles(base))
	}
	with, _ := base.WithNetworks([]Network{{Name: "lan", Device: "br-lan"}, {Name: "guest", Device: "br-guest"}})
	with.ResolveModes(func(*Interface) bool { return false })
	if roles(with) != "server server" {
		t.Errorf("with a device each: %s", roles(with))
	}
	with, found := base.WithNetworks(nil)
	with.ResolveModes(func(*Interface) bool { return false })
	if roles(with) != "server disabled" || len(found) != 1 {
		t.Errorf("without netifd: %s, %v", roles(with), found)
	}
}

// TestNetworkRefused: what an option has spoiled, netifd does not mend.
func TestNetworkRefused(t *testing.T) {
	base, problems := build(t, "config dhcp lan\n\toption ntp ::\n\toption dhcpv6 server\nconfig dhcp lan6\n\toption dhcpv6 server\n", "")
	if len(problems) != 1 {
		t.Fatal(problems)
	}
	with, found := base.WithNetworks([]Network{{Name: "lan", Device: "br-lan"}, {Name: "lan6", Device: "br-lan"}})
	with.ResolveModes(func(*Interface) bool { return false })
	if got := roles(with); got != "disabled server" || len(found) > 0 {
		t.Errorf("%s, %v: who is not served is nobody's twin", got, found)
	}
}

func TestNetworkDelegated(t *testing.T) {
	const file = "config dhcp lan\n\toption dhcpv6 hybrid\nconfig dhcp wan\n\toption dhcpv6 hybrid\n\toption master 1\n"
	for delegated, want := range map[bool]string{true: "server disabled", false: "relay relay"} {
		_, with, problems := withNetworks(t, file, Network{Name: "lan", Device: "br-lan"}, Network{Name: "wan", Device: "pppoe-wan", Delegated: delegated})
		if got := roles(with); got != want || len(problems) > 0 {
			t.Errorf("delegated %v: %s, %v", delegated, got, problems)
		}
	}
}

func TestSameNetworks(t *testing.T) {
	list := func() []Network {
		return []Network{{Name: "lan", Device: "br-lan", Data: []Datum{{"zone", "lan"}}}, {Name: "wan", Delegated: true}}
	}
	if !SameNetworks(list(), list()) || !SameNetworks(nil, []Network{}) {
		t.Error("the same is not")
	}
	for n, change := range []func(l []Network){
		func(l []Network) { l[0].Name = "lan6" },
		func(l []Network) { l[0].Device = "" },
		func(l []Network) { l[1].Delegated = false },
		func(l []Network) { l[0].Data = nil },
		func(l []Network) { l[0].Data[0].Value = "guest" },
		func(l []Network) { l[0], l[1] = l[1], l[0] },
	} {
		other := list()
		if change(other); SameNetworks(list(), other) {
			t.Errorf("change %d makes no difference", n)
		}
	}
	if SameNetworks(list(), list()[:1]) {
		t.Error("one is missing")
	}
}

func TestFormatMAC(t *testing.T) {
	for want, mac := range map[string][6]byte{"00:00:00:00:00:00": {}, "02:0a:b0:00:ff:10": {2, 0xa, 0xb0, 0, 0xff, 0x10}} {
		if got := FormatMAC(mac[:]); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if back, err := parseMAC(want); back != mac || err != nil {
			t.Errorf("%s: %v, %v", want, back, err)
		}
	}
}

// TestParseHost: the options of a host as add_lease has them.
func TestParseHost(t *testing.T) {
	type options = map[string][]string
	h, err := ParseHost(options{
		"duid": {"00030001020000000001%7", "0003000102aa"}, "mac": {"02:00:00:00:00:02"}, "name": {"printer"}, "hostid": {"bed"},
		"leasetime": {"1h"}, "prefix": {"2001:db8:1:20::/60"}, "dns": {"1"}, "tag": {"x"},
	})
	switch {
	case err != nil:
		t.Fatal(err)
	case len(h.DUIDs) != 2 || h.DUIDs[0].IAID != 7 || !h.DUIDs[0].HasIAID || h.DUIDs[1].HasIAID || len(h.MACs) != 1 || h.MACs[0] != [6]byte{2, 5: 2}:
		t.Errorf("identities %+v, %v", h.DUIDs, h.MACs)
	case h.Name != "printer" || h.HostID != 0xbed || h.LeaseTime != 3600 || h.Prefix != netip.MustParsePrefix("2001:db8:1:20::/60"):
		t.Errorf("%+v", h)
	}
	if h, err = ParseHost(options{"ip": {"192.168.1.120"}}); err != nil || h.HostID != 0x120 {
		t.Errorf("id %x by the IPv4 address, %v", h.HostID, err)
	}
	if h, err = ParseHost(nil); err != nil || len(h.DUIDs)+len(h.MACs) > 0 {
		t.Errorf("nothing: %+v, %v", h, err)
	}
	for _, tt := range []struct {
		options options
		want    string
	}{
		{options{"duid": {"0003", "003"}}, `duid: "003" is no DUID, `},
		{options{"duid": {"0003%"}}, `duid: "0003%" has no IAID`},
		{options{"mac": {"02:00:00:00:00"}}, "mac: "},
		{options{"hostid": {"::20"}, "name": {"-x"}}, `hostid: "::20" is no hexadecimal number`},
		{options{"name": {"-x"}}, "name: "},
		{options{"ip": {"2001:db8::1"}}, `ip: "2001:db8::1" is no IPv4 address`},
		{options{"leasetime": {"soon"}}, "leasetime: "},
		{options{"prefix": {"2001:db8::/80"}}, "prefix: 2001:db8::/80 cannot be delegated"},
	} {
		h, err := ParseHost(tt.options)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "section") {
			t.Errorf("%v: %+v, %v, want %s", tt.options, h, err, tt.want)
		}
	}
}

// TestOdhcpdServesToo: where the mode of an interface stands in /etc/config/dhcp, odhcpd reads it, too.
func TestOdhcpdServesToo(t *testing.T) {
	base, _ := build(t, "config dhcp lan\n\toption dhcpv6 disabled\nconfig dhcp guest\n\toption dhcpv6 relay\nconfig dhcp iot\n\toption dhcpv6 hybrid\nconfig dhcp off\n",
		"config interface lan\n\toption dhcpv6 server\nconfig interface iot\n\toption preference 7\nconfig interface off\n\toption preference 7\n")
	if got := base.DoubleService(); len(got) > 0 {
		t.Errorf("built in: %v", got)
	}
	base.Files = []string{"dhcp", "lan6d"}
	var got []string
	for _, p := range base.DoubleService() {
		got = append(got, p.Severity.String()+" "+p.String())
	}
	wantProblems(t, got, "warning dhcp:4: dhcpv6: odhcpd, if the ubus object dhcp is its, serves guest beside lan6d: run /usr/libexec/lan6d-handover take",
		"warning dhcp:6: dhcpv6: odhcpd, if the ubus object dhcp is its, serves iot beside lan6d: ")
}
