package openwrt

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

func addrs(texts ...string) (addrs []netip.Addr) {
	for _, s := range texts {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	return addrs
}

// relaysTo sets the destinations of relaying.
func relaysTo(texts ...string) func(*Interface) {
	return func(i *Interface) {
		for _, text := range texts {
			addr, name, _ := strings.Cut(text, "%")
			i.Relaying.Servers = append(i.Relaying.Servers, RelayServer{netip.MustParseAddr(addr), name})
		}
	}
}

func TestInterfaceDefaults(t *testing.T) {
	s := newInterface("lan").Server
	if s.LeaseTime != 43200 || s.MaxPreferred != 2700 || s.MaxValid != 5400 || !s.Dynamic || !s.Addresses || !s.Prefixes ||
		!s.AssignAll || s.HostIDLength != 12 || s.PDMinLength != 62 || s.MaxOffers != 256 || s.DeclineTime != time.Hour ||
		!s.OwnDNS || s.SolMaxRT != 60 || s.InfMaxRT != 60 || s.InformationTime != 600 || s.Preference != 0 ||
		s.CERIDCode != 0 || s.PrefixFilter.IsValid() || s.Name != "lan" {
		t.Errorf("defaults %+v", s)
	}
}

// only is interfaceOptions with the options of these names.
func only(names ...string) func(*Interface) table {
	return func(i *Interface) (t table) {
		for _, o := range interfaceOptions(i).options {
			if slices.Contains(names, o.name) {
				t.options = append(t.options, o)
			}
		}
		return t
	}
}

// Times and booleans, of which there are many with the same rules.
func TestInterfaceUniformOptions(t *testing.T) {
	type flag = func(*Interface) *bool
	for name, field := range map[string]flag{
		"master":           func(i *Interface) *bool { return &i.Master },
		"dynamicdhcp":      func(i *Interface) *bool { return &i.Server.Dynamic },
		"dns_service":      func(i *Interface) *bool { return &i.Server.OwnDNS },
		"dhcpv6_na":        func(i *Interface) *bool { return &i.Server.Addresses },
		"dhcpv6_pd":        func(i *Interface) *bool { return &i.Server.Prefixes },
		"relay_client_mac": func(i *Interface) *bool { return &i.Relaying.LinkLayer },
		"dhcpv6_assignall": func(i *Interface) *bool { return &i.Server.AssignAll },
		"domain_fallback":  func(i *Interface) *bool { return &i.fallback },
	} {
		testTable(t, only(name), func() Interface { return newInterface("lan") },
			[]row[Interface]{
				{lines: "option " + name + " '1'", want: func(i *Interface) { *field(i) = true }},
				{lines: "option " + name + " 'true'", want: func(i *Interface) { *field(i) = true }},
				{lines: "option " + name + " '0'", want: func(i *Interface) { *field(i) = false }},
				{lines: "option " + name + " 'false'", want: func(i *Interface) { *field(i) = false }},
				{lines: "option " + name + " 'on'", problem: "error " + name + `: "on" is no boolean, allowed are 0, 1, true, false`},
			})
	}
	for name, field := range map[string]func(*Interface) *uint32{
		"leasetime":              func(i *Interface) *uint32 { return &i.Server.LeaseTime },
		"max_preferred_lifetime": func(i *Interface) *uint32 { return &i.Server.MaxPreferred },
		"max_valid_lifetime":     func(i *Interface) *uint32 { return &i.Server.MaxValid },
	} {
		testTable(t, only(name), func() Interface { return newInterface("lan") },
			[]row[Interface]{
				{lines: "option " + name + " '0'", want: func(i *Interface) { *field(i) = 60 }},
				{lines: "option " + name + " '2h'", want: func(i *Interface) { *field(i) = 7200 }},
				{lines: "option " + name + " 'infinite'", want: func(i *Interface) { *field(i) = dhcpv6.Infinity }},
				{lines: "option " + name + " '2y'", problem: "error " + name + `: "2y" has an unknown unit, allowed are`},
				{lines: "option " + name + " '-1'", problem: "error " + name + `: "-1" is outside 0..4294967294 seconds`},
			})
	}
}

// interfaceRows are the options that are not in TestInterfaceUniformOptions.
var interfaceRows = []row[Interface]{
	{lines: "option ifname 'br-lan'", want: func(i *Interface) { i.Device = "br-lan" }},
	{lines: "option ifname 'abcdefghijklmno'", want: func(i *Interface) { i.Device = "abcdefghijklmno" }},
	{lines: "option ifname 'abcdefghijklmnop'", problem: "error ifname: "},
	{lines: "option ifname 'a b'", problem: "error ifname: "},
	{lines: "option ifname '..'", problem: "error ifname: "},
	{lines: "option networkid 'br-lan'", want: func(i *Interface) { i.networkID = "br-lan" }},
	{lines: "option networkid 'a/b'", problem: "error networkid: "},

	{lines: "option dhcpv6 'disabled'"},
	{lines: "option dhcpv6 'server'", want: func(i *Interface) { i.Mode = Server }},
	{lines: "option dhcpv6 'relay'", want: func(i *Interface) { i.Mode = Relay }},
	{lines: "option dhcpv6 'hybrid'", want: func(i *Interface) { i.Mode = Hybrid }},
	{lines: "option dhcpv6 'Server'", problem: `error dhcpv6: "Server" is no mode, allowed are disabled, server, relay, hybrid`},
	{lines: "option dhcpv6 '1'", problem: "error dhcpv6: "},

	{lines: "option upstream 'wan wan6'", want: func(i *Interface) { i.Upstream = []string{"wan", "wan6"} }},
	{lines: "list upstream 'a/b'", problem: "error upstream: "},
	{lines: "list dhcpv6_relay_servers '2001:db8::1'\nlist dhcpv6_relay_servers 'fe80::1%wan'", want: relaysTo("2001:db8::1", "fe80::1%wan")},
	{lines: "option dhcpv6_relay_servers 'ff05::1:3 ff05::1:3%wan ff02::1:2%wan fd00::1'",
		want: relaysTo("ff05::1:3", "ff05::1:3%wan", "ff02::1:2%wan", "fd00::1")},
	{lines: "list dhcpv6_relay_servers '192.0.2.1'", problem: "error dhcpv6_relay_servers: "},
	{lines: "list dhcpv6_relay_servers '::ffff:192.0.2.1'", problem: "error dhcpv6_relay_servers: "},
	{lines: "list dhcpv6_relay_servers '::'", problem: "error dhcpv6_relay_servers: "},
	{lines: "list dhcpv6_relay_servers '::1'", problem: "error dhcpv6_relay_servers: "},
	{lines: "list dhcpv6_relay_servers 'fe80::1'",
		problem: `error dhcpv6_relay_servers: "fe80::1" is link-local, allowed is fe80::1%interface`},
	{lines: "list dhcpv6_relay_servers 'ff02::1:2'", problem: "error dhcpv6_relay_servers: "},
	{lines: "list dhcpv6_relay_servers 'fe80::1%'", problem: "error dhcpv6_relay_servers: "},
	{lines: "list dhcpv6_relay_servers 'dhcp.example'", problem: `error dhcpv6_relay_servers: "dhcp.example" is no address of a DHCPv6 server, `},
	{lines: "option relay_link_address 'auto'"},
	{lines: "option relay_link_address 'strict'", want: func(i *Interface) { i.Relaying.StrictLink = true }},
	{lines: "option relay_link_address 'none'", problem: `error relay_link_address: "none" is no way to find a link-address, allowed are auto, strict`},
	{lines: "option always_rewrite_dns '1'", want: func(i *Interface) { i.Relaying.RewriteDNS = Yes }},
	{lines: "option always_rewrite_dns '0'", want: func(i *Interface) { i.Relaying.RewriteDNS = No }},
	{lines: "option always_rewrite_dns 'auto'", problem: "error always_rewrite_dns: "},
	{lines: "option relay_remote_id '32473:port 7'", want: func(i *Interface) { i.Relaying.RemoteID = []byte("\x00\x00\x7e\xd9port 7") }},
	{lines: "option relay_remote_id '0:0x00ff'", want: func(i *Interface) { i.Relaying.RemoteID = []byte{0, 0, 0, 0, 0, 0xff} }},
	{lines: "option relay_remote_id 'port 7'", problem: `error relay_remote_id: "port 7" is no Remote-Id, allowed is an enterprise number`},
	{lines: "option relay_remote_id '4294967296:x'", problem: "error relay_remote_id: "},
	{lines: "option relay_remote_id '-1:x'", problem: "error relay_remote_id: "},
	{lines: "option relay_remote_id '1:'", problem: "error relay_remote_id: "},
	{lines: "option relay_subscriber_id 'flat 12'", want: func(i *Interface) { i.Relaying.SubscriberID = []byte("flat 12") }},
	{lines: "option relay_subscriber_id '0x0aFF'", want: func(i *Interface) { i.Relaying.SubscriberID = []byte{0x0a, 0xff} }},
	{lines: "option relay_subscriber_id '0xabc'", problem: `error relay_subscriber_id: "0xabc" is not an even number of hexadecimal digits`},
	{lines: "option relay_subscriber_id '0x'", problem: "error relay_subscriber_id: "},
	{lines: "option relay_subscriber_id '" + strings.Repeat("x", 256) + "'", problem: "error relay_subscriber_id: "},

	{lines: "option dns '2001:db8::1 192.0.2.1 fe80::1'", want: func(i *Interface) { i.Server.DNS = addrs("2001:db8::1", "fe80::1") }},
	{lines: "option dns '192.0.2.1'"},
	{lines: "option dns '2001:db8::1 ::'", want: func(i *Interface) { i.Server.DNS = addrs("2001:db8::1") },
		problem: "error dns: :: is no address of a server"},
	{lines: "list dns 'dns.example'", problem: `error dns: "dns.example" is no IP address`},
	{lines: "list dns 'fe80::1%br-lan'", problem: "error dns: "},

	{lines: "option domain 'lan. example.org'", want: func(i *Interface) { i.Server.Search = []string{"lan", "example.org"} }},
	{lines: "list domain 'a..b'", problem: "error domain: "},
	{lines: "list domain '.'", problem: "error domain: "},

	{lines: "list dnr '1 dns.example'", want: func(i *Interface) {
		i.Server.DNR = []server.DNR{{Priority: 1, Name: "dns.example"}}
	}},
	{lines: "list dnr '1 dns.example 192.0.2.1'"},
	{lines: "list dnr '0 dns.example'", problem: "error dnr: priority 0 is outside 1..65535"},
	{lines: "option dnr '1 dns.example'", problem: "error dnr: "},

	{lines: "option ntp '2001:db8::1 192.0.2.1 ff02::101 ntp.example.'", want: func(i *Interface) {
		i.Server.SNTP = addrs("2001:db8::1", "ff02::101")
		i.Server.NTP = []server.NTPServer{
			{Addr: netip.MustParseAddr("2001:db8::1")}, {Addr: netip.MustParseAddr("ff02::101")}, {Name: "ntp.example"}}
	}},
	{lines: "option ntp '::'", want: func(i *Interface) { i.badNTP = true },
		problem: "error ntp: :: is no address of a server, the interface is not served"},
	{lines: "option ntp '0.0.0.0'", want: func(i *Interface) { i.badNTP = true }, problem: "error ntp: 0.0.0.0 is no address"},
	{lines: "option ntp '1.2.3'", problem: `error ntp: "1.2.3" is neither an IP address nor a domain name`},
	{lines: "option ntp 'fe80::1%eth0'", problem: "error ntp: "},
	{lines: "option ntp '2001:db8::g'", problem: "error ntp: "},

	{lines: "option captive_portal_uri 'https://p.example/api'", want: func(i *Interface) { i.Server.CaptivePortal = "https://p.example/api" }},
	{lines: "option captive_portal_uri 'urn:ietf:params:capport:unrestricted'", want: func(i *Interface) {
		i.Server.CaptivePortal = "urn:ietf:params:capport:unrestricted"
	}},
	{lines: "option captive_portal_uri 'p.example/api'", problem: "error captive_portal_uri: "},
	{lines: "option captive_portal_uri 'https://p.example/a b'", problem: "error captive_portal_uri: "},
	{lines: "option captive_portal_uri 'https:'", problem: "error captive_portal_uri: "},
	{lines: "option captive_portal_uri 'https:" + strings.Repeat("x", 65528) + "'", problem: "error captive_portal_uri: URI of"},

	{lines: "option dhcpv6_raw '0067000161'", want: func(i *Interface) { i.Server.Raw = []byte{0, 103, 0, 1, 'a'} }},
	{lines: "option dhcpv6_raw '00670000FFFF0001aA'", want: func(i *Interface) { i.Server.Raw = []byte{0, 103, 0, 0, 255, 255, 0, 1, 0xaa} }},
	{lines: "option dhcpv6_raw '006'", problem: "error dhcpv6_raw: "},
	{lines: "option dhcpv6_raw 'xx'", problem: "error dhcpv6_raw: "},
	{lines: "option dhcpv6_raw '00'", problem: "error dhcpv6_raw: "},
	{lines: "option dhcpv6_raw '006700016100'", problem: "error dhcpv6_raw: "},
	{lines: "option dhcpv6_raw '0067000261'", problem: "error dhcpv6_raw: "},

	{lines: "option dhcpv6_pd_min_len '1'", want: func(i *Interface) { i.Server.PDMinLength = 1 }},
	{lines: "option dhcpv6_pd_min_len '0'", want: func(i *Interface) { i.Server.PDMinLength = 1 }},
	{lines: "option dhcpv6_pd_min_len '64'", want: func(i *Interface) { i.Server.PDMinLength = 64 }},
	{lines: "option dhcpv6_pd_min_len '65'", want: func(i *Interface) { i.Server.PDMinLength = 64 },
		problem: "warning dhcpv6_pd_min_len: 65 is outside 1..64, 64 is used"},
	{lines: "option dhcpv6_pd_min_len '-1'", problem: "error dhcpv6_pd_min_len: -1 is outside 0..64"},
	{lines: "option dhcpv6_pd_min_len '/62'", problem: "error dhcpv6_pd_min_len: "},

	{lines: "option dhcpv6_hostidlength '64'", want: func(i *Interface) { i.Server.HostIDLength = 64 }},
	{lines: "option dhcpv6_hostidlength '020'", want: func(i *Interface) { i.Server.HostIDLength = 16 }},
	{lines: "option dhcpv6_hostidlength '0x20'", want: func(i *Interface) { i.Server.HostIDLength = 32 }},
	{lines: "option dhcpv6_hostidlength '11'", problem: "warning dhcpv6_hostidlength: 11 is outside 12..64, 12 is used"},
	{lines: "option dhcpv6_hostidlength '65'", want: func(i *Interface) { i.Server.HostIDLength = 64 }, problem: "warning"},
	{lines: "option dhcpv6_hostidlength '12bits'", problem: `error dhcpv6_hostidlength: "12bits" is no number, allowed are 12..64`},

	{lines: "option prefix_filter '2001:db8:1::1/48'", want: func(i *Interface) { i.Server.PrefixFilter = netip.MustParsePrefix("2001:db8:1::/48") }},
	{lines: "option prefix_filter '::/0'"},
	{lines: "option prefix_filter '2001:db8::'", problem: "error prefix_filter: "},
	{lines: "option prefix_filter '2001:db8::/129'", problem: "error prefix_filter: "},
	{lines: "option prefix_filter '192.0.2.0/24'", problem: "error prefix_filter: "},

	{lines: "option preference '255'", want: func(i *Interface) { i.Server.Preference = 255 }},
	{lines: "option preference '0'"},
	{lines: "option preference '256'", problem: "error preference: 256 is outside 0..255"},
	{lines: "option preference '-1'", problem: "error preference: "},
	{lines: "option decline_time '2d'", want: func(i *Interface) { i.Server.DeclineTime = 48 * time.Hour }},
	{lines: "option decline_time '1'", want: func(i *Interface) { i.Server.DeclineTime = time.Minute }},
	{lines: "option decline_time 'infinite'", want: func(i *Interface) { i.Server.DeclineTime = dhcpv6.Infinity * time.Second }},
	{lines: "option decline_time 'never'", problem: "error decline_time: "},
	{lines: "option sol_max_rt '60'"},
	{lines: "option sol_max_rt '86400'", want: func(i *Interface) { i.Server.SolMaxRT = 86400 }},
	{lines: "option sol_max_rt '59'", problem: "error sol_max_rt: 59 is outside 60..86400"},
	{lines: "option sol_max_rt '86401'", problem: "error sol_max_rt: "},
	{lines: "option inf_max_rt '3600'", want: func(i *Interface) { i.Server.InfMaxRT = 3600 }},
	{lines: "option inf_max_rt '1h'", problem: "error inf_max_rt: "},
	{lines: "option information_refresh_time '600'"},
	{lines: "option information_refresh_time '1d'", want: func(i *Interface) { i.Server.InformationTime = 86400 }},
	{lines: "option information_refresh_time 'infinite'", want: func(i *Interface) { i.Server.InformationTime = dhcpv6.Infinity }},
	{lines: "option information_refresh_time '599'", problem: `error information_refresh_time: "599" is less than 600 seconds`},
	{lines: "option information_refresh_time 'x'", problem: "error information_refresh_time: "},
	{lines: "option cer_id_code '65535'", want: func(i *Interface) { i.Server.CERIDCode = 65535 }},
	{lines: "option cer_id_code '65536'", problem: "error cer_id_code: "},
	{lines: "option pd_cer '2001:db8::1'", want: func(i *Interface) { i.Server.CERID = netip.MustParseAddr("2001:db8::1") }},
	{lines: "option pd_cer '::'", problem: "error pd_cer: "},
	{lines: "option pd_cer '192.0.2.1'", problem: "error pd_cer: "},
	{lines: "option filter_class 'any text'", want: func(i *Interface) { i.Server.FilterClass = "any text" }},
	{lines: "option filter_class '" + strings.Repeat("x", 65534) + "'", problem: "error filter_class: "},
	{lines: "option max_offers '1'", want: func(i *Interface) { i.Server.MaxOffers = 1 }},
	{lines: "option max_offers '65535'", want: func(i *Interface) { i.Server.MaxOffers = 65535 }},
	{lines: "option max_offers '0'", problem: "error max_offers: 0 is outside 1..65535"},
	{lines: "option max_offers '65536'", problem: "error max_offers: "},

	// Spellings of older versions.
	{lines: "option ra_management '1'", problem: "warning ra_management: no longer works, ra_flags and ra_slaac replaced it"},
	{lines: "option preferred_lifetime '7d'", problem: "warning preferred_lifetime: no longer works, max_preferred_lifetime replaced it"},
	{lines: "option pd_manager '/bin/true'", problem: "warning pd_manager: no longer works, and nothing replaces it"},
	{lines: "option ra_useleasetime '1'", problem: "warning ra_useleasetime: no longer works, max_preferred_lifetime and max_valid_lifetime replaced it"},

	// The section's name was read before.
	{lines: "option interface 'lan'"},
	{lines: "list interface 'lan'", problem: "error interface: is written as a list"},

	// Known, and not for DHCPv6.
	{lines: "option start '100'\noption limit '150'\noption ra 'server'\nlist ra_flags 'none'\noption ndp 'hybrid'\noption ignore '1'\n" +
		"option instance 'x'\nlist dhcp_option '6,192.0.2.1'\noption dhcpv4 'server'"},
}

func TestInterfaceOptions(t *testing.T) {
	uniform := map[string]bool{"master": true, "dynamicdhcp": true, "dns_service": true, "dhcpv6_na": true, "dhcpv6_pd": true,
		"dhcpv6_assignall": true, "domain_fallback": true, "relay_client_mac": true, "leasetime": true, "max_preferred_lifetime": true, "max_valid_lifetime": true}
	var names []string
	for _, o := range interfaceOptions(&Interface{}).options {
		if !uniform[o.name] {
			names = append(names, o.name)
		}
	}
	testTable(t, only(names...), func() Interface { return newInterface("lan") }, interfaceRows)
}

// What one option of a packet has no room for is left out and reported.
func TestListRoom(t *testing.T) {
	i := newInterface("lan")
	errs := interfaceOptions(&i).find("dns").setList(strings.Fields(strings.Repeat("2001:db8::1 ", 4097)))
	if len(i.Server.DNS) != 4095 || errs[4094] != nil || errs[4095] != errRoom || errs[4096] != errRoom {
		t.Errorf("%d addresses, errors %v", len(i.Server.DNS), errs[4094:])
	}
	errs = interfaceOptions(&i).find("ntp").setList(strings.Fields(strings.Repeat("2001:db8::1 ", 4000)))
	if len(i.Server.NTP) != 65535/20 || len(i.Server.SNTP) != 65535/20 || errs[3276] != errRoom {
		t.Errorf("%d servers", len(i.Server.NTP))
	}
}
