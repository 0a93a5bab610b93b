package openwrt

import (
	_ "embed" // for the default files
	"fmt"

	"lan6d/openwrt/uci"
)

// The configuration files that come with lan6d, which explain every option. On a router the package's /etc/config/lan6d
// is DefaultLAN6D; DefaultDHCP stands in for /etc/config/dhcp where there is none.
var (
	//go:embed files/lan6d.config
	DefaultLAN6D string
	//go:embed files/dhcp.config
	DefaultDHCP string
)

// Default is the configuration for one device where there are no files: the defaults, with that device served under
// its own name.
func Default(device string) (*Config, []Problem) {
	dhcp, problems := uci.Parse("dhcp", []byte(DefaultDHCP))
	own, more := uci.Parse("lan6d", []byte(DefaultLAN6D))
	config, all := Build(Packages{DHCP: dhcp, LAN6D: own})
	all = append(append(parserProblems(problems, Error), parserProblems(more, Error)...), all...)

	var name string
	if err := setDevice(&name, device); err != nil || device == "" {
		all = append(all, Problem{Severity: Error, Text: fmt.Sprintf("interface %q: no name of a network device", device)})
		config.Interfaces = nil
	}
	for n := range config.Interfaces {
		i := &config.Interfaces[n]
		i.Name, i.Device, i.Server.Name = name, name, name
	}
	return config, all
}
