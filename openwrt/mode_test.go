package openwrt

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/relay"
)

func TestResolveModes(t *testing.T) {
	for _, tt := range []struct{ in, want, prefix string }{ // see modes; prefix: with one delegated to a master, if that matters
		{in: "server", want: "server"},
		{in: "disabled", want: "disabled"},
		{in: "*server", want: "server"},
		{in: "relay", want: "relay"},     // stays relay even with no master
		{in: "hybrid", want: "server"},   // no master at all
		{in: "*relay", want: "disabled"}, // nobody to relay for
		{in: "*relay server", want: "disabled server"},
		{in: "*relay relay", want: "relay relay"},
		{in: "*relay hybrid", want: "relay relay"},
		{in: "hybrid *relay", want: "relay relay"},
		{in: "*relay hybrid server", want: "relay relay server"},
		{in: "*disabled hybrid", want: "disabled server"},
		{in: "*server hybrid", want: "server server"},
		{in: "*hybrid hybrid", want: "relay relay", prefix: "disabled server"},
		{in: "*hybrid relay hybrid", want: "relay relay relay", prefix: "disabled relay server"},
		{in: "*hybrid *relay hybrid", want: "relay relay relay", prefix: "disabled relay relay"},
		{in: "*hybrid server", want: "disabled server"},
		{in: "*hybrid", want: "disabled"},
		{in: "*relay -hybrid", want: "disabled disabled"},
		{in: "-*hybrid hybrid", want: "disabled server"},
	} {
		c := &Config{Interfaces: modes(t, tt.in)}
		for _, delegated := range []bool{false, true, false} {
			want := tt.want
			if delegated && tt.prefix != "" {
				want = tt.prefix
			}
			before := roles(c)
			changed := c.ResolveModes(func(master *Interface) bool {
				if !master.Master {
					t.Errorf("%s: asked for the prefix of an interface that is no master", tt.in)
				}
				return delegated
			})
			if got := roles(c); got != want || changed != (got != before) {
				t.Errorf("%s: got %s from %s (changed: %v), want %s", tt.in, got, before, changed, want)
			}
		}
	}
}

// modes are interfaces of these modes: * marks a master, - one that is refused.
func modes(t *testing.T, in string) (list []Interface) {
	for _, word := range strings.Fields(in) {
		i := newInterface("lan")
		word, i.refused = strings.CutPrefix(word, "-")
		word, i.Master = strings.CutPrefix(word, "*")
		var err error
		if i.Mode, err = parseMode(word); err != nil {
			t.Fatal(err)
		}
		list = append(list, i)
	}
	return list
}

func roles(c *Config) string {
	var list []string
	for n := range c.Interfaces {
		list = append(list, c.Interfaces[n].Role.String())
	}
	return strings.Join(list, " ")
}

func TestRelayToNowhere(t *testing.T) {
	_, problems := build(t, "config dhcp lan\n option dhcpv6 relay\nconfig dhcp guest\n option dhcpv6 hybrid\nconfig dhcp wan6\n option master 1\n", "")
	wantProblems(t, problems, "warning dhcp:2: dhcpv6: relay: there is no upstream interface to relay to")
	for _, mode := range []string{"relay", "hybrid"} {
		_, problems = build(t, "config dhcp lan\n option dhcpv6 relay\nconfig dhcp wan6\n option master 1\n option dhcpv6 "+mode+"\n", "")
		wantProblems(t, problems)
	}
}

// A server behind an interface that is not upstream is asked by nobody.
func TestRelayServersElsewhere(t *testing.T) {
	const masters = "config dhcp wan\n option dhcpv6 relay\n option master 1\n option ifname eth1\n" +
		"config dhcp wwan\n option dhcpv6 hybrid\n option master 1\n"
	for _, tt := range []struct{ servers, rest, want string }{
		{"fe80::1%wan ff05::1:3%wwan fe80::1%eth1 2001:db8::1", masters, ""},
		{"fe80::1%eth7", masters, ""}, // perhaps netifd has that for wwan
		{"fe80::1%eth7", masters + " option ifname eth2\n", "eth7 is no upstream interface, as is wan, wwan"},
		{"2001:db8::1 fe80::1%lan", masters, "lan is no upstream interface, as is wan, wwan"},
		{"fe80::1%guest", masters + "config dhcp guest\n option master 1\n option dhcpv6 server\n", "guest is no upstream interface, as is wan, wwan"},
	} {
		_, problems := build(t, "config dhcp lan\n option dhcpv6 relay\n option dhcpv6_relay_servers '"+tt.servers+"'\n"+tt.rest, "")
		if tt.want == "" {
			wantProblems(t, problems)
			continue
		}
		wantProblems(t, problems, "warning dhcp:3: dhcpv6_relay_servers: fe80::1%"+strings.Fields(tt.want)[0]+": is not asked, "+tt.want)
	}
}

// What an interface that is to relay does says why, when it does not.
func TestDescribeRole(t *testing.T) {
	for _, tt := range []struct {
		in        string
		delegated bool
		want      string
	}{
		{"*relay", false, "disabled, as no other interface relays"},
		{"*hybrid", true, "disabled, as no other interface relays"},
		{"*hybrid hybrid", true, "disabled, as a prefix is delegated to it"},
		{"*hybrid hybrid", false, "relay, upstream, unless a prefix is delegated to it"},
		{"*disabled hybrid", false, "disabled"},
		{"*server", false, "server"},
	} {
		c := &Config{Interfaces: modes(t, tt.in)}
		c.ResolveModes(func(*Interface) bool { return tt.delegated })
		if got := c.Interfaces[0].Describe(); got != tt.want {
			t.Errorf("%s, %v: %q, want %q", tt.in, tt.delegated, got, tt.want)
		}
	}
}

// Messages go to all servers, whatever section they stand in.
func TestDescribeServers(t *testing.T) {
	c, problems := build(t, "config dhcp lan\n option dhcpv6 relay\nconfig dhcp guest\n option dhcpv6 relay\n option dhcpv6_relay_servers 2001:db8::1\n"+
		"config dhcp wan\n option dhcpv6 relay\n option master 1\n option dhcpv6_relay_servers 'fe80::1%wan'\n", "")
	wantProblems(t, problems)
	var text strings.Builder
	Describe(&text, c)
	if n := strings.Count(text.String(), "relays to             2001:db8::1\n                        fe80::1 on wan\n"); n != 3 {
		t.Errorf("%s", &text)
	}
}

// The one interface that is to be served keeps those to relay to.
func TestOnlyRelay(t *testing.T) {
	const config = "config dhcp lan\n option dhcpv6 hybrid\nconfig dhcp guest\n option dhcpv6 relay\nconfig dhcp office\n option dhcpv6 server\n" +
		"config dhcp wan\n option dhcpv6 relay\n option master 1\nconfig dhcp dmz\n option dhcpv6 server\n option master 1\n"
	for name, want := range map[string]string{"lan": "relay relay", "guest": "relay relay", "office": "server", "dmz": "server", "wan": "disabled"} {
		c, problems := build(t, config, "")
		wantProblems(t, problems)
		if err := c.Only(name); err != nil || roles(c) != want || c.Interface(name) == nil {
			t.Errorf("%s: %s, %v, want %s", name, roles(c), err, want)
		}
	}
}

func TestRelayConfig(t *testing.T) {
	c, problems := build(t, `
config dhcp lan
	option dhcpv6 hybrid
	option ifname br-lan
	list dns 2001:db8::53
config dhcp guest
	option dhcpv6 relay
	list dhcpv6_relay_servers 'ff05::1:3%eth1'
config dhcp office
	option dhcpv6 server
config dhcp wan
	option dhcpv6 relay
	option master 1
	option ifname eth1
	option dhcpv6_relay_servers '2001:db8::1 fe80::1%wan'
`, `
config lan6d
	option relay_id 00030001020000000001
	option relay_max_prefixes 7
	option relay_routes 0
config interface guest
	option relay_link_address strict
	option relay_remote_id '1:x'
	option relay_subscriber_id y
	option relay_client_mac 1
`)
	wantProblems(t, problems)
	want := relay.Config{
		Interfaces: []relay.Interface{
			{Name: "lan", RewriteDNS: true, DNS: addrs("2001:db8::53")},
			{Name: "guest", StrictLinkAddress: true, RemoteID: &relay.RemoteID{Enterprise: 1, ID: []byte("x")}, SubscriberID: []byte("y"),
				ClientLinkLayer: true},
		},
		Upstreams: []string{"wan"},
		Servers: []relay.Server{
			{Addr: netip.MustParseAddr("ff05::1:3"), Interface: "wan"},
			{Addr: netip.MustParseAddr("2001:db8::1")},
			{Addr: netip.MustParseAddr("fe80::1"), Interface: "wan"},
		},
		RelayID:     dhcpv6.DUID("\x00\x03\x00\x01\x02\x00\x00\x00\x00\x01"),
		MaxPrefixes: 7,
	}
	if got := c.RelayConfig(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if s := c.ServerConfig(); len(s.Interfaces) != 1 || s.Interfaces[0].Name != "office" {
		t.Errorf("served: %+v", s.Interfaces)
	}
}

// An interface that both files have served, as after a click in LuCI, has two servers.
func TestDoubleService(t *testing.T) {
	_, problems := build(t, "config dhcp lan\n option dhcpv6 server\n", "config interface lan\n option dhcpv6 server\n")
	wantProblems(t, problems, "warning dhcp:2: dhcpv6: is set in /etc/config/lan6d, too, which counts here; odhcpd and dnsmasq must not"+
		" serve lan beside lan6d: run /usr/libexec/lan6d-handover take, or set dhcp.lan.dhcpv6 to disabled")
	for _, alone := range [][2]string{
		{"server", "disabled"}, {"disabled", "server"}, {"disabled", "disabled"},
	} {
		_, problems = build(t, "config dhcp lan\n option dhcpv6 "+alone[0]+"\n", "config interface lan\n option dhcpv6 "+alone[1]+"\n")
		wantProblems(t, problems)
	}
	_, problems = build(t, "config dhcp lan\n option dhcpv6 server\n", "config interface lan\n option preference 1\n")
	wantProblems(t, problems)
	_, problems = build(t, "", "config interface lan\n option dhcpv6 server\nconfig interface lan\n option dhcpv6 relay\n")
	wantProblems(t, problems, "warning lan6d:4: dhcpv6: relay: there is no upstream")
}
