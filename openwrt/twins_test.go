package openwrt

import (
	"slices"
	"testing"
)

func TestOneDeviceTwice(t *testing.T) {
	c, problems := build(t, `
config dhcp lan
	option ifname br0
	option dhcpv6 server
config dhcp other
	option ifname br0
	option dhcpv6 server
config dhcp br0
	option dhcpv6 server
config dhcp off
	option ifname br0
`, "")
	want := []string{
		"error dhcp:7: dhcpv6: device br0 is served as interface lan already, not as other too",
		"error dhcp:9: dhcpv6: device br0 is served as interface lan already, not as br0 too",
	}
	if !slices.Equal(problems, want) {
		t.Errorf("problems %q, want %q", problems, want)
	}
	if s := c.ServerConfig(); len(s.Interfaces) != 1 || s.Interfaces[0].Name != "lan" {
		t.Errorf("served: %+v", s.Interfaces)
	}
}

func TestHostsWithTheSameIdentity(t *testing.T) {
	_, problems := build(t, `
config host
	list duid 000300010200000000aa
	list duid 000300010200000000bb%1
	option hostid 20
config host
	list duid 000300010200000000AA
	list duid 000300010200000000bb
	option hostid 0x20
config host
	list duid 000300010200000000bb%01
`, "")
	want := []string{
		"warning dhcp:6: duid: 000300010200000000aa is that of the host in line 2 already, which alone counts",
		"warning dhcp:6: hostid: 20 is that of the host in line 2 already, and only one of the two can have it",
		"warning dhcp:10: duid: 000300010200000000bb%1 is that of the host in line 2 already, which alone counts",
	}
	if !slices.Equal(problems, want) {
		t.Errorf("problems %q, want %q", problems, want)
	}
}
