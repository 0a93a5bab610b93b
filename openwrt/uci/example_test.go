package uci_test

import (
	"fmt"

	"lan6d/openwrt/uci"
)

func Example() {
	pkg, problems := uci.Parse("/etc/config/dhcp", []byte(`
config dhcp 'lan'
	option dhcpv6 'server'
	list domain 'lan'
	list domain 'it'\''s.example'

config host 'my-pc'
	option duid '0003000102000000001'
`))
	problems = append(problems, pkg.Apply("/tmp/.uci/dhcp", []byte(`dhcp.lan.leasetime='1h'`))...)
	for _, p := range problems {
		fmt.Println(p)
	}
	for _, s := range pkg.Sections {
		if s.Bad {
			continue
		}
		fmt.Println(s.Type, s.Name)
		for _, o := range s.Options {
			fmt.Println(" ", o.Pos, o.Name, o.Values)
		}
	}
	// Output:
	// /etc/config/dhcp:7: section name "my-pc": letters, digits and _ are allowed
	// dhcp lan
	//   /etc/config/dhcp:3 dhcpv6 [server]
	//   /etc/config/dhcp:4 domain [lan it's.example]
	//   /tmp/.uci/dhcp:1 leasetime [1h]
}
