package ctl

const statusReply = `{"version":"0.3","uptime":273600,"pid":1234,
	"config":{"dir":"/etc/config","files":["/etc/config/dhcp","/etc/config/lan6d"],"loaded":2592,"problems":[
		{"severity":"error","file":"/etc/config/dhcp","line":31,"option":"dhcpv6_pd_min_len","text":"99 is outside 1..62"},
		{"severity":"warning","file":"/etc/config/lan6d","line":3,"text":"section without a name"},
		{"severity":"warning","text":"built-in configuration"}]},
	"ubus":{"enabled":true,"connected":true,"netifd":true,"objects":["lan6d","dhcp"]},
	"server_duid":"0003000102000000002a",
	"interfaces":[
		{"name":"lan","device":"br-lan","mode":"server","role":"server","up":true,
			"prefixes":[{"prefix":"2001:db8:1::1/48","preferred":1800,"valid":3600,"deprecated":false},{"prefix":"fd00:1::1/48","preferred":0,"valid":-1,"deprecated":true}],
			"leases":{"addresses":12,"prefixes":2,"offers":1,"declined":3},"pools":{"addresses_used":12,"addresses_free":4294966783,"prefixes_used":4,"prefixes_free":65532}},
		{"name":"guest","device":"br-guest","mode":"hybrid","role":"relay","up":false,"prefixes":[],"leases":{"addresses":0,"prefixes":0,"offers":0,"declined":0},"pools":{}},
		{"name":"iot","device":"br-iot","mode":"server","role":"server","up":false,"reason":"there is no device br-iot","prefixes":[]}],
	"journal":{"path":"/var/run/lan6d/leases.journal","size":8123,"ok":false,"error":"leases are not written: no space left on device","copy":{"path":"/etc/lan6d.leases","ok":true}},
	"counters":{"received":{"Solicit":7,"Request":5},"sent":{"Advertise":7,"Reply":5},"dropped":{"no Client Identifier":2}},
	"warnings":["odhcpd serves DHCPv6 on lan as well: set option dhcpv6 'disabled' in /etc/config/dhcp"]}`

const leasesReply = `{"leases":[
	{"interface":"lan","device":"br-lan","kind":"address","state":"bound","duid":"00030001020000000001","iaid":1,"hostname":"laptop","mac":"02:00:00:00:00:01",
		"leases":[{"address":"2001:db8:1::1a3","preferred":792,"valid":2592,"withdrawn":false},{"address":"fd00:1::1a3","preferred":-1,"valid":-1,"withdrawn":false}],
		"client":"fe80::2","static":false,"accept_reconfigure":true,"relayed":false},
	{"interface":"lan","device":"br-lan","kind":"prefix","state":"bound","duid":"00030001020000000002","iaid":4294967295,"hostname":"",
		"leases":[{"prefix":"2001:db8:1:4::/62","preferred":0,"valid":43200,"withdrawn":true}],"client":"fe80::3","static":true,"accept_reconfigure":false,"relayed":true},
	{"interface":"guest","device":"br-guest","kind":"address","state":"offered","duid":"00030001020000000003","iaid":0,"hostname":"a\u001b]0;owned\u0007\u202eb\n\u009b31m",
		"leases":[{"address":"2001:db8:2::99","preferred":40,"valid":59,"withdrawn":false}]},
	{"interface":"guest","device":"br-guest","kind":"address","state":"declined","duid":"","iaid":0,"hostname":"","leases":[{"address":"2001:db8:2::9a","preferred":0,"valid":3599}]},
	{"interface":"guest","device":"br-guest","kind":"address","state":"free","duid":"000200007ed90102030405060708090a0b0c0d0e0f","iaid":7,"hostname":"phone","leases":[]}]}`
