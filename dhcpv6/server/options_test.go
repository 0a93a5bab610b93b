package server_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/server"
)

// everyOption configures all there is.
func everyOption(s *setup) {
	s.POSIXTimezone, s.TZDBTimezone = "UTC0", "Etc/UTC"
	s.BootFiles = []server.BootFile{{URL: "tftp://x/7", Arch: 7}, {URL: "http://y/0", Default: true}, {URL: "tftp://z/0", Arch: 0}}
	lan := s.lan()
	lan.Preference = 9
	lan.OwnDNS = true
	lan.Search = []string{"lan.example", "home"}
	lan.CaptivePortal = "https://c"
	lan.Raw = []byte{0xfd, 0xe8, 0, 2, 1, 2, 0xfd, 0xe9, 0, 0}
	lan.SolMaxRT, lan.InfMaxRT, lan.InformationTime = 3600, 7200, 86400
	lan.NTP = []server.NTPServer{{Addr: netip.MustParseAddr("2001:db8::7b")}, {Addr: netip.MustParseAddr("ff05::101")}, {Name: "ntp.example"}}
	lan.SNTP = []netip.Addr{netip.MustParseAddr("2001:db8::7b"), netip.MustParseAddr("ff05::101")}
	lan.DNR = []server.DNR{
		{Priority: 1, Name: "dns.example", Addrs: []netip.Addr{netip.MustParseAddr("2001:db8::53")}, Params: []byte{0, 1, 0, 3, 2, 'h', '2'}},
		{Priority: 2, Name: "b.example"},
	}
	lan.CERIDCode = 65001
}

// The options of everyOption as they are to be on the wire.
const (
	preferenceOption = `0007 0001 09
`
	dnsOption = `0017 0010 20010db8000100000000000000000001      # DNS: our own address
`
	searchOption = `0018 0013 03 6c616e 07 6578616d706c65 00  04 686f6d65 00 # Domain Search List: lan.example, home
`
	portalOption = `0067 0009 68747470733a2f2f63                  # Captive Portal "https://c"
`
	rawOptions = `fde8 0002 0102
fde9 0000
`
	solMaxRT = `0052 0004 00000e10
`
	infMaxRT = `0053 0004 00001c20
`
	refresh = `0020 0004 00015180                                 # Information Refresh Time: a day
`
	ntpOption = `0038 0039                                         # NTP Server, RFC 5908
	0001 0010 20010db800000000000000000000007b                     # unicast address
	0002 0010 ff050000000000000000000000000101                     # multicast address
	0003 000d 03 6e7470 07 6578616d706c65 00                       # name ntp.example
`
	sntpOption = `001f 0020 20010db800000000000000000000007b ff050000000000000000000000000101
`
	posixOption = `0029 0004 55544330                              # "UTC0"
`
	tzdbOption = `002a 0007 4574632f555443                          # "Etc/UTC"
`
	dnrOptions = `0090 002a 0001 000d 03 646e73 07 6578616d706c65 00 # DNR: priority 1, dns.example
	0010 20010db8000000000000000000000053                          # its address
	0001 0003 026832                                               # alpn=h2
0090 000f 0002 000b 01 62 07 6578616d706c65 00                    # DNR: priority 2, b.example, name only
`
	cerOption = `fde9 0010
`
	unasked = dnsOption + searchOption + portalOption + rawOptions
	allORO  = `0006 0020 0007 0017 0018 0067 0052 0053 0020 0038 001f 0029 002a 0090 003b 0027 fde9 0063 # ORO: all of these
`
)

// wantOptions compares the options of an answer, identifiers, IAs and status left out, in any order.
func (l *lab) wantOptions(payload []byte, want string) {
	l.Helper()
	list := func(options dhcpv6.Options) (s []string) {
		for code, data := range options.All() {
			switch code {
			case dhcpv6.OptionClientID, dhcpv6.OptionServerID, dhcpv6.OptionIANA, dhcpv6.OptionIAPD, dhcpv6.OptionStatusCode,
				dhcpv6.OptionRapidCommit:
			default:
				s = append(s, fmt.Sprintf("%04x %04x %x # %v", uint16(code), len(data), data, code))
			}
		}
		slices.Sort(s)
		return s
	}
	got, w := list(read(l, payload).Options), list(dhcpv6.Options(dhcpv6test.Hex(l, want)))
	if !slices.Equal(got, w) {
		l.Errorf("options\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(w, "\n\t"))
	}
}

func TestOptions(t *testing.T) {
	const cerID = `fde9 0010 20010db8000100000000000000000001
`
	tests := []struct {
		name, in, want string
	}{
		{"Advertise, unasked", `01 a1b2c3` + fromA, preferenceOption + unasked},
		{"Advertise, all asked for", `01 a1b2c3` + fromA + allORO,
			preferenceOption + unasked + solMaxRT + infMaxRT + ntpOption + sntpOption + posixOption + tzdbOption + dnrOptions},
		{"Advertise with IA_NA", `01 a1b2c3` + fromA + askNA1, preferenceOption + unasked},
		{"Advertise with IA_PD", `01 a1b2c3` + fromA + askPD1, preferenceOption + unasked + cerID},
		{"Reply to Solicit", `01 a1b2c3` + rapidCommit + fromA + askNA1, unasked},
		{"Reply to Request, unasked", `03 a1b2c3` + fromA + toUs + askNA1, unasked},
		{"Reply to Request, all asked for", `03 a1b2c3` + allORO + fromA + toUs + askPD1,
			unasked + solMaxRT + infMaxRT + ntpOption + sntpOption + posixOption + tzdbOption + dnrOptions + cerID},
		{"Reply to Renew, all asked for", `05 a1b2c3` + allORO + fromA + toUs + askPD1,
			unasked + solMaxRT + infMaxRT + ntpOption + sntpOption + posixOption + tzdbOption + dnrOptions + cerID},
		{"Reply to Rebind, all asked for", `06 a1b2c3` + allORO + fromA + namePD1,
			unasked + solMaxRT + infMaxRT + ntpOption + sntpOption + posixOption + tzdbOption + dnrOptions + cerID},
		{"Reply to Information-request, unasked", `0b a1b2c3` + fromA, unasked},
		{"Reply to Information-request, all asked for", `0b a1b2c3` + allORO,
			unasked + solMaxRT + infMaxRT + refresh + ntpOption + sntpOption + posixOption + tzdbOption + dnrOptions},
		{"refresh time asked for", `0b a1b2c3 0006 0002 0020`, unasked + refresh},
		{"SOL_MAX_RT asked for", `0b a1b2c3 0006 0002 0052`, unasked + solMaxRT},
		{"INF_MAX_RT asked for", `0b a1b2c3 0006 0002 0053`, unasked + infMaxRT},
		{"NTP asked for", `0b a1b2c3 0006 0002 0038`, unasked + ntpOption},
		{"SNTP asked for", `0b a1b2c3 0006 0002 001f`, unasked + sntpOption},
		{"POSIX time zone asked for", `0b a1b2c3 0006 0002 0029`, unasked + posixOption},
		{"TZDB time zone asked for", `0b a1b2c3 0006 0002 002a`, unasked + tzdbOption},
		{"DNR asked for", `0b a1b2c3 0006 0002 0090`, unasked + dnrOptions},
		{"asked for twice", `0b a1b2c3 0006 0004 0052 0052`, unasked + solMaxRT},
		{"empty ORO", `0b a1b2c3 0006 0000`, unasked},
		{"ORO of an odd length: half a code counts for nothing", `0b a1b2c3 0006 0003 0052 00`, unasked + solMaxRT},
		{"ORO of one octet", `0b a1b2c3 0006 0001 52`, unasked},
		{"ORO whose codes would match at odd places", `0b a1b2c3 0006 0004 0000 5200`, unasked},
		{"ORO at an odd place", `0b a1b2c3 fde8 0001 00 0006 0002 0053`, unasked + infMaxRT},
		{"architecture with a boot file", `0b a1b2c3 003d 0002 0007`, unasked + `003b 000a 746674703a2f2f782f37`},
		{"architecture 0", `0b a1b2c3 003d 0002 0000`, unasked + `003b 000a 746674703a2f2f7a2f30`},
		{"architecture with none: the default", `0b a1b2c3 003d 0002 0063`, unasked + `003b 000a 687474703a2f2f792f30`},
		{"second architecture has one", `0b a1b2c3 003d 0004 0063 0007`, unasked + `003b 000a 746674703a2f2f782f37`},
		{"first architecture is preferred", `0b a1b2c3 003d 0004 0000 0007`, unasked + `003b 000a 746674703a2f2f7a2f30`},
		{"architecture of one octet", `0b a1b2c3 003d 0001 00`, unasked},
		{"no architecture", `0b a1b2c3 003d 0000`, unasked},
		{"architecture and half of one", `0b a1b2c3 003d 0003 0007 00`, unasked + `003b 000a 746674703a2f2f782f37`},
		{"boot file asked for, no architecture", `0b a1b2c3 0006 0002 003b`, unasked},
		{"architecture in a Request", `03 a1b2c3 003d 0002 0007` + "\n" + fromA + toUs, unasked + `003b 000a 746674703a2f2f782f37`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, everyOption)
			l.wantOptions(l.ask(dhcpv6test.Hex(t, tt.in)), tt.want)
		})
	}
}

// Nothing configured, nothing sent, but what RFC 9915 gives defaults for.
func TestNoOptions(t *testing.T) {
	l := start(t, func(s *setup) { s.lan().PDMinLength = 62 })
	l.wantOptions(l.ask(dhcpv6test.Hex(t, `01 a1b2c3`+allORO+`003d 0002 0007`+"\n"+fromA+askNA1+askPD1)), `
		0052 0004 0000003c
		0053 0004 0000003c`)
	l.wantOptions(l.ask(dhcpv6test.Hex(t, `0b a1b2c3`+allORO)), `
		0052 0004 0000003c
		0053 0004 0000003c
		0020 0004 00000258`)
}

// The options belong to the client's link, not to the one the relay agent's message arrived on.
func TestOptionsOfTheRelayedLink(t *testing.T) {
	l := start(t, everyOption, func(s *setup) {
		s.secondLink("2001:db8:2::1/56")
		s.Interfaces[1] = newInterface("guest")
		s.Interfaces[1].Search = []string{"guest"}
	})
	in := relay(netip.MustParseAddr("2001:db8:2::9"), message(dhcpv6.InformationRequest, duid(1)))
	out, err := l.handle(multicast(in))
	if err != nil {
		t.Fatal(err)
	}
	_, inner := checkRelays(t, in, out.Payload)
	l.wantOptions(inner, `0018 0007 05 6775657374 00`)
}

// Without configured servers our own address: a ULA before a global one, of two the one preferred for longer.
func TestDNSServers(t *testing.T) {
	tests := []struct {
		name   string
		change func(*setup)
		want   string // addresses, 16 octets each
	}{
		{"configured", func(s *setup) {
			s.lan().DNS = []netip.Addr{netip.MustParseAddr("2001:db8::53"), netip.MustParseAddr("2001:db8::54")}
		}, `20010db8000000000000000000000053 20010db8000000000000000000000054`},
		{"own", func(*setup) {}, `20010db8000100000000000000000001`},
		{"own ULA after a global one", func(s *setup) { s.address(0, "fd00:1::1/64") }, `fd000001000000000000000000000001`},
		{"own ULA before a global one", func(s *setup) { s.only("fd00:1::1/64", "2001:db8:1::1/64") }, `fd000001000000000000000000000001`},
		{"the one preferred for longer", func(s *setup) {
			s.only()
			s.limited("2001:db8:1::1/64", 100, 1000)
			s.limited("2001:db8:2::1/64", 200, 1000)
			s.limited("2001:db8:3::1/64", 150, 2000)
		}, `20010db8000200000000000000000001`},
		{"a ULA, however short", func(s *setup) { s.limited("fd00:1::1/64", 10, 1000) }, `fd000001000000000000000000000001`},
		{"link-local, for lack of another", func(s *setup) { s.only() }, `fe800000000000000000000000000001`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, func(s *setup) { s.lan().OwnDNS = true }, tt.change)
			want := dhcpv6test.Hex(t, tt.want)
			l.wantOptions(l.ask(message(dhcpv6.InformationRequest, duid(1))), fmt.Sprintf("0017 %04x %x", len(want), want))
		})
	}
	// And it follows the link.
	l := start(t, func(s *setup) { s.lan().OwnDNS = true })
	l.relink(func(s *setup) { s.only("2001:db8:7::1/64") })
	l.wantOptions(l.ask(message(dhcpv6.InformationRequest, duid(1))), `0017 0010 20010db8000700000000000000000001`)
	// dns_service 0: none.
	l = start(t)
	l.wantOptions(l.ask(message(dhcpv6.InformationRequest, duid(1))), ``)
}

// CER-ID: the configured address, else the interface's lowest global one.
func TestCERID(t *testing.T) {
	for _, tt := range []struct{ configured, want string }{
		{"", "20010db8000100000000000000000001"}, {"2001:db8:ffff::1", "20010db8ffff00000000000000000001"},
	} {
		l := start(t, func(s *setup) {
			s.only("fd00:1::1/56", "2001:db8:2::1/56", "2001:db8:1::1/56")
			if s.lan().CERIDCode = 65001; tt.configured != "" {
				s.lan().CERID = netip.MustParseAddr(tt.configured)
			}
		})
		l.wantOptions(l.ask(message(dhcpv6.Request, duid(1), pd(1))), `fde9 0010 `+tt.want)
		l.wantOptions(l.ask(message(dhcpv6.Request, duid(1), na(1))), ``)
	}
}

// Clients whose User Class is filter_class are ignored (section 21.15: a list of classes).
func TestFilterClass(t *testing.T) {
	class := func(names ...string) []byte {
		var data []byte
		for _, n := range names {
			data = binary.BigEndian.AppendUint16(data, uint16(len(n)))
			data = append(data, n...)
		}
		return option(dhcpv6.OptionUserClass, data)
	}
	tests := []struct {
		name    string
		class   []byte
		ignored bool
	}{
		{"the class", class("HOMENET"), true},
		{"the class among others", class("a", "HOMENET", "b"), true},
		{"no class", nil, false},
		{"another", class("HOMENE"), false},
		{"one that begins so", class("HOMENET2"), false},
		{"lower case", class("homenet"), false},
		{"empty", class(""), false},
		{"empty before the class", class("", "HOMENET"), true},
		{"no list at all", option(dhcpv6.OptionUserClass, []byte("HOMENET")), false},
		{"length past the end", option(dhcpv6.OptionUserClass, []byte{0, 9}, []byte("HOMENET")), false},
	}
	for _, tt := range tests {
		for typ := range answersTo {
			l := start(t, func(s *setup) { s.lan().FilterClass = "HOMENET" })
			options := [][]byte{tt.class}
			if typ != dhcpv6.InformationRequest {
				options = append(options, na(1, "2001:db8:1::e71"))
			}
			in := multicast(message(typ, duid(1), options...))
			if tt.ignored {
				l.wantDropOf(in, server.DropIgnored)
			} else if _, err := l.handle(in); err != nil {
				t.Errorf("%s: %v: %v", tt.name, typ, err)
			}
		}
	}
	// Without a filter nobody is ignored, not even the nameless.
	for _, c := range [][]byte{class(""), class("HOMENET"), option(dhcpv6.OptionUserClass)} {
		start(t).request(dhcpv6.Solicit, duid(1), na(1), c)
	}
}

// Information-requests of ignored or filtered clients behind a relay: the filter is that of the client's link.
func TestFilterClassOfTheRelayedLink(t *testing.T) {
	l := start(t, func(s *setup) {
		s.secondLink("2001:db8:2::1/56")
		s.Interfaces[1].FilterClass = "X"
	})
	x := option(dhcpv6.OptionUserClass, []byte{0, 1, 'X'})
	l.wantDropOf(multicast(relay(netip.MustParseAddr("2001:db8:2::9"), message(dhcpv6.Solicit, duid(1), x))), server.DropIgnored)
	if _, err := l.handle(multicast(relay(netip.MustParseAddr("2001:db8:1::9"), message(dhcpv6.Solicit, duid(1), x)))); err != nil {
		t.Error(err)
	}
}

// An interface with a very long search list, DNR or raw options: the option, or a refusal, and never a wrong length.
func TestLongOptions(t *testing.T) {
	l := start(t, func(s *setup) {
		for i := range 300 {
			s.lan().Search = append(s.lan().Search, fmt.Sprintf("%060d.example%d", i, i))
		}
	})
	a := read(t, l.ask(message(dhcpv6.InformationRequest, duid(1))))
	if data, _ := a.Options.Get(dhcpv6.OptionDomainList); len(data) < 300*60 {
		t.Errorf("search list of %d octets", len(data))
	}
	l.buf = l.buf[:1232]
	l.wantDropOf(multicast(message(dhcpv6.InformationRequest, duid(1))), server.DropReplyTooLong)
}
