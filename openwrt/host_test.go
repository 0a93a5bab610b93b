package openwrt

import (
	"net/netip"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

var hostRows = []row[host]{
	{lines: "option duid '00030001020000000001'", want: func(h *host) {
		h.DUIDs = []server.HostDUID{{DUID: dhcpv6.DUID("\x00\x03\x00\x01\x02\x00\x00\x00\x00\x01")}}
	}},
	{lines: "list duid '00AAff%976A5F51'\nlist duid '01%1'\nlist duid '01%0'", want: func(h *host) {
		h.DUIDs = []server.HostDUID{
			{DUID: dhcpv6.DUID("\x00\xaa\xff"), IAID: 0x976a5f51, HasIAID: true},
			{DUID: dhcpv6.DUID("\x01"), IAID: 1, HasIAID: true},
			{DUID: dhcpv6.DUID("\x01"), HasIAID: true},
		}
	}},
	{lines: "option duid '" + strings.Repeat("00", 130) + "'", want: func(h *host) {
		h.DUIDs = []server.HostDUID{{DUID: make(dhcpv6.DUID, 130)}}
	}},
	{lines: "option duid '" + strings.Repeat("00", 131) + "'", problem: "error duid: ", spoiled: true},
	{lines: "list duid '0003'\nlist duid '003'", problem: `error duid: "003" is no DUID`, spoiled: true},
	{lines: "option duid '00:03:00:01:02:00:00:00:00:01'", problem: "error duid: ", spoiled: true},
	{lines: "option duid '%1'", problem: "error duid: ", spoiled: true},
	{lines: "option duid '0003%'", problem: `error duid: "0003%" has no IAID`, spoiled: true},
	{lines: "option duid '0003%123456789'", problem: "error duid: ", spoiled: true},
	{lines: "option duid '0003%000000001'", problem: "error duid: ", spoiled: true},
	{lines: "option duid '0003%1%2'", problem: "error duid: ", spoiled: true},

	{lines: "option mac '02:00:00:00:00:01 2:0:0:0:0:fF'", want: func(h *host) {
		h.MACs = [][6]byte{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 0xff}}
	}},
	{lines: "list mac '02-00-00-00-00-01'", problem: "error mac: ", spoiled: true},

	{lines: "option hostid '20'", want: func(h *host) { h.HostID, h.hasID = 0x20, true }},
	{lines: "option hostid '0xFFFFffffFFFFffff'", want: func(h *host) { h.HostID, h.hasID = 1<<64-1, true }},
	{lines: "option hostid '0'", want: func(h *host) { h.hasID = true }},
	{lines: "option hostid 'ignore'", want: func(h *host) { h.Ignore, h.hasID = true, true }},
	{lines: "option hostid '::20'", problem: `error hostid: "::20" is no hexadecimal number of up to 64 bits, nor is it ignore; the whole`, spoiled: true},
	{lines: "option hostid '10000000000000000'", problem: "error hostid: ", spoiled: true},

	{lines: "option ip '192.168.1.120'", want: func(h *host) { h.ip = netip.MustParseAddr("192.168.1.120") }},
	{lines: "option ip 'ignore'"},
	{lines: "option ip '2001:db8::1'", problem: "error ip: "},
	{lines: "option ip '192.168.1.300'", problem: "error ip: "},

	{lines: "option name 'ap-kitchen.lan'", want: func(h *host) { h.Name = "ap-kitchen.lan" }},
	{lines: "option name '-x'", problem: "error name: ", spoiled: true},

	{lines: "option leasetime '7d'", want: func(h *host) { h.LeaseTime = 604800 }},
	{lines: "option leasetime '1'", want: func(h *host) { h.LeaseTime = 60 }},
	{lines: "option leasetime 'infinite'", want: func(h *host) { h.LeaseTime = dhcpv6.Infinity }},
	{lines: "option leasetime 'long'", problem: "error leasetime: "},

	{lines: "option prefix '10'", want: func(h *host) { h.SubnetID, h.HasSubnet = 0x10, true }},
	{lines: "option prefix '0'", want: func(h *host) { h.HasSubnet = true }},
	{lines: "option prefix '0xffff'", want: func(h *host) { h.SubnetID, h.HasSubnet = 0xffff, true }},
	{lines: "option prefix '2001:db8:1:20::/60'", want: func(h *host) { h.Prefix = netip.MustParsePrefix("2001:db8:1:20::/60") }},
	{lines: "option prefix '2001:db8:1:20::/64'", want: func(h *host) { h.Prefix = netip.MustParsePrefix("2001:db8:1:20::/64") }},
	{lines: "option prefix '2001:db8:1:21::/60'", problem: "error prefix: 2001:db8:1:21::/60 has bits behind its length, is 2001:db8:1:20::/60 meant?"},
	{lines: "option prefix '2001:db8:1:20::'", problem: "error prefix: "},
	{lines: "option prefix '2001:db8::/65'", problem: "error prefix: 2001:db8::/65 cannot be delegated, allowed lengths are 1 to 64"},
	{lines: "option prefix '::/0'", problem: "error prefix: "},
	{lines: "option prefix '::/60'", problem: "error prefix: "},
	{lines: "option prefix 'fe80::/64'", problem: "error prefix: "},
	{lines: "option prefix 'ff05::/64'", problem: "error prefix: "},
	{lines: "option prefix '10.0.0.0/8'", problem: "error prefix: "},
	{lines: "option prefix 'lan'", problem: "error prefix: "},

	// LuCI's options for dnsmasq.
	{lines: "option dns '1'\nlist tag 'a'\noption instance 'x'\nlist match_tag 'a'\noption broadcast '1'"},
}

func TestHostOptions(t *testing.T) {
	testTable(t, hostOptions, func() host { return host{} }, hostRows)
}

// The last number of the IPv4 address stands in for a missing hostid.
func TestHostIDFromIPv4(t *testing.T) {
	for lines, want := range map[string]uint64{
		"option ip '192.168.1.120'":                         0x120,
		"option ip '192.168.1.255'":                         0x255,
		"option ip '192.168.1.7'":                           0x7,
		"option ip '192.168.1.0'":                           0,
		"option ip '192.168.1.120'\noption hostid '2a'":     0x2a,
		"option hostid '0'\noption ip '192.168.1.120'":      0,
		"option hostid 'ignore'\noption ip '192.168.1.120'": 0,
	} {
		c, problems := build(t, "config host\n"+lines+"\n", "")
		if len(problems) > 0 || len(c.Server.Hosts) != 1 || c.Server.Hosts[0].HostID != want {
			t.Errorf("%q: hosts %+v, problems %v, want id %x", lines, c.Server.Hosts, problems, want)
		}
	}
}
