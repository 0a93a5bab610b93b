package openwrt

import (
	"strings"
	"testing"

	"lan6d/dhcpv6/dhcpv6test"
)

func TestParseDNR(t *testing.T) {
	for _, tt := range []struct {
		text, name, addrs, params, shown string
		priority                         uint16
	}{
		{text: "1 dns.example", name: "dns.example", priority: 1},
		{text: "65535\tdns.example.", name: "dns.example", priority: 65535},
		{text: "100 dns.example 2001:db8::1", name: "dns.example", addrs: "2001:db8::1", priority: 100},
		{text: "0x10 d 192.0.2.1,2001:db8::1,2001:db8::2", name: "d", addrs: "2001:db8::1 2001:db8::2", priority: 16},
		{
			text: "1 d 2001:db8::1 port=853 alpn=dot,h2", name: "d", addrs: "2001:db8::1", priority: 1,
			params: `0001 0007 03 646f74 02 6832  # alpn: dot, h2
			         0003 0002 0355               # port: 853`,
			shown: "alpn=dot,h2 port=853",
		},
		{
			text: "1 d 2001:db8::1 ohttp dohpath=/q{?dns} port=443 no-default-alpn alpn=h3 _lifetime=600 mandatory=port,alpn",
			name: "d", addrs: "2001:db8::1", priority: 1,
			params: `0000 0004 0001 0003          # mandatory: alpn, port
			         0001 0003 02 6833            # alpn: h3
			         0002 0000                    # no-default-alpn
			         0003 0002 01bb               # port: 443
			         0007 0008 2f717b3f646e737d   # dohpath
			         0008 0000                    # ohttp`,
			shown: "mandatory=alpn,port alpn=h3 no-default-alpn port=443 dohpath=/q{?dns} ohttp",
		},
	} {
		got, ok, err := parseDNR(tt.text)
		if err != nil || !ok {
			t.Errorf("%q: %v, %v", tt.text, ok, err)
			continue
		}
		if got.Priority != tt.priority || got.Name != tt.name || strings.Join(addrTexts(got.Addrs), " ") != tt.addrs {
			t.Errorf("%q: got %+v", tt.text, got)
		}
		if want := dhcpv6test.Hex(t, tt.params); string(got.Params) != string(want) {
			t.Errorf("%q: parameters\n%x, want\n%x", tt.text, got.Params, want)
		}
		if shown := describeParams(got.Params); shown != tt.shown {
			t.Errorf("%q: shown as %q, want %q", tt.text, shown, tt.shown)
		}
	}
	if _, ok, err := parseDNR("1 dns.example 192.0.2.1,192.0.2.2 alpn=dot"); ok || err != nil {
		t.Errorf("entry for DHCPv4: %v, %v, want false and no error", ok, err)
	}
}

func TestParseDNRErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                           "is not of the form",
		"100":                                        "is not of the form",
		"dns.example 2001:db8::1":                    "priority",
		"0 d":                                        "priority 0 is outside 1..65535",
		"65536 d":                                    "is outside",
		"1 bad..name":                                "label",
		"1 d alpn=dot":                               "addresses come third",
		"1 d 2001:db8::1,":                           "no unicast address",
		"1 d ::":                                     "no unicast address",
		"1 d 0.0.0.0":                                "no unicast address",
		"1 d ff02::1":                                "no unicast address",
		"1 d fe80::1%eth0":                           "no unicast address",
		"1 d 2001:db8::1 2001:db8::2":                "no service parameter",
		"1 d 2001:db8::1 ech=abc":                    "ech is not allowed",
		"1 d 2001:db8::1 ipv4hint=192.0.2.1":         "ipv4hint is not allowed",
		"1 d 2001:db8::1 ipv6hint=2001:db8::1":       "ipv6hint is not allowed",
		"1 d 2001:db8::1 ALPN=dot":                   "no service parameter",
		"1 d 2001:db8::1 key9=x":                     "no service parameter",
		"1 d 2001:db8::1 alpn":                       "alpn needs a value",
		"1 d 2001:db8::1 alpn=":                      "alpn needs a value",
		"1 d 2001:db8::1 alpn=dot,,h2":               "alpn",
		"1 d 2001:db8::1 alpn=d\x01":                 "printable",
		"1 d 2001:db8::1 port":                       "port needs a value",
		"1 d 2001:db8::1 port=0":                     "port 0 is outside",
		"1 d 2001:db8::1 port=65536":                 "is outside",
		"1 d 2001:db8::1 port=dns":                   "is no number",
		"1 d 2001:db8::1 dohpath=dns-query{?dns}":    "dohpath",
		"1 d 2001:db8::1 dohpath=/dns-query":         "dohpath",
		"1 d 2001:db8::1 ohttp=1":                    "ohttp takes no value",
		"1 d 2001:db8::1 alpn=h2 no-default-alpn=":   "takes no value",
		"1 d 2001:db8::1 no-default-alpn":            "needs alpn",
		"1 d 2001:db8::1 port=1 port=2":              "port is given twice",
		"1 d 2001:db8::1 mandatory=alpn":             "mandatory",
		"1 d 2001:db8::1 mandatory=mandatory":        "mandatory",
		"1 d 2001:db8::1 port=1 mandatory=port,port": "named twice",
		"1 d 2001:db8::1 port=1 mandatory=":          "mandatory needs a value",
		"1 d " + strings.Repeat("2001:db8::1,", 4100) + "::1":                                                                         "an option has room for",
		"1 d ::1 dohpath=/{?dns}" + strings.Repeat("x", 65000) + " alpn=" + strings.Repeat("y", 250) + "," + strings.Repeat("z", 250): "an option has room for",
		"1 d ::1 alpn=" + strings.Repeat("x,", 32000) + "x":                                                                           "",
		"1 d ::1 alpn=" + strings.Repeat("x", 256):                                                                                    "alpn",
		"1 d ::1 alpn=" + strings.Repeat("xy,", 21845):                                                                                "alpn",
	} {
		_, _, err := parseDNR(text)
		switch {
		case want == "":
			if err != nil {
				t.Errorf("%.60q: %v", text, err)
			}
		case err == nil || !strings.Contains(err.Error(), want):
			t.Errorf("%.60q: error %.200v, want %q", text, err, want)
		}
	}
}
