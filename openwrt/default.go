package openwrt

import (
	_ "embed" // for the default files

	"lan6d/dhcpv6/tinyfmt"
)

// The configuration files that come with lan6d, which explain every option. On a router the package's /etc/config/lan6d
// is DefaultLAN6D; DefaultDHCP stands in for /etc/config/dhcp where there is none.
var (
	//go:embed files/lan6d.config
	DefaultLAN6D string
	//go:embed files/dhcp.config
	DefaultDHCP string
)

// Default is the configuration for one device where there are no files: what comes of the default ones, with that
// device served under its own name.
func Default(device string) (*Config, []Problem) {
	config, problems := Build(Packages{})
	if device == "" || checkDevice(device) != nil {
		text := tinyfmt.Sprintf("interface %q: no name of a network device", device)
		return config, append(problems, Problem{Severity: Error, Text: text})
	}
	config.Interfaces = []Interface{newInterface(device)}
	i := &config.Interfaces[0]
	i.Device, i.Mode, i.Role = device, Server, Server
	return config, problems
}
