package server_test

import (
	"bytes"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// Client FQDN: RFC 4704. The answer has S=0, N=1, and O=1 if the client had S=1.
func TestFQDN(t *testing.T) {
	const oro = `0006 0002 0027
`
	named := func(s *setup) { s.Hosts = []server.Host{{DUIDs: byDUID(duid(1)), Name: "printer"}} }
	namedByIAID := func(s *setup) { s.Hosts = []server.Host{{DUIDs: byIAID(duid(1), 1), Name: "printer"}} }
	domain := func(s *setup) { s.lan().Search = []string{"lan", "example"} }
	tests := []struct {
		name   string
		change func(*setup)
		oro    string
		in     string // content of the client's option
		want   string // of the answer's; "none": no option
		host   string // name of the binding
	}{
		{"name", nil, oro, `00 04 686f7374`, `04 04 686f7374`, "host"},
		{"S", nil, oro, `01 04 686f7374`, `06 04 686f7374`, "host"},
		{"N", nil, oro, `04 04 686f7374`, `04 04 686f7374`, "host"},
		{"S, O and N, which makes no sense", nil, oro, `07 04 686f7374`, `06 04 686f7374`, "host"},
		{"reserved flags", nil, oro, `f8 04 686f7374`, `04 04 686f7374`, "host"},
		{"not in the ORO", nil, ``, `01 04 686f7374`, `none`, "host"},
		{"ORO names others", nil, `0006 0004 0017 2700`, `01 04 686f7374`, `none`, "host"},
		{"fully qualified", nil, oro, `00 04 686f7374 05 6c6f63616c 00`, `04 04 686f7374`, "host"},
		{"a second label that is none", nil, oro, `00 04 686f7374 05 6c6f 0a 616c 00`, `04 04 686f7374`, "host"},
		{"a dot within a label", nil, oro, `00 05 6f732e2062`, `04 02 6f73`, "os"},
		{"partial with two labels", nil, oro, `00 04 686f7374 05 6c6f63616c`, `04 04 686f7374`, "host"},
		{"in our domain", domain, oro, `00 04 686f7374`, `04 04 686f7374 03 6c616e 00`, "host"},
		{"fully qualified, in our domain", domain, oro, `00 04 686f7374 05 6c6f63616c 00`, `04 04 686f7374 03 6c616e 00`, "host"},
		{"name of the configuration", named, oro, `00 04 686f7374`, `04 07 7072696e746572`, "printer"},
		{"name of the configuration, the client has none", named, oro, `00`, `04 07 7072696e746572`, "printer"},
		{"name of the configuration in our domain", func(s *setup) { named(s); domain(s) }, oro, `01 04 686f7374`,
			`06 07 7072696e746572 03 6c616e 00`, "printer"},
		{"name of the configuration for this IAID", namedByIAID, oro, `00 04 686f7374`, `04 07 7072696e746572`, "printer"},
		{"no name", nil, oro, `01`, `06`, ""},
		{"digits, hyphen, underscore, capitals", nil, oro, `00 06 41622d5f3037`, `04 06 41622d5f3037`, "Ab-_07"},
		{"63 octets", nil, oro, `00 3f` + strings.Repeat("61", 63), `04 3f` + strings.Repeat("61", 63), strings.Repeat("a", 63)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changes := []func(*setup){}
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			l := start(t, changes...)
			fqdn := option(dhcpv6.OptionClientFQDN, dhcpv6test.Hex(t, tt.in))
			for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind} {
				a := l.request(typ, duid(1), na(1), fqdn, dhcpv6test.Hex(t, tt.oro))
				got, ok := a.Options.Get(dhcpv6.OptionClientFQDN)
				if tt.want == "none" {
					if ok {
						t.Errorf("%v: %x, want none", typ, got)
					}
				} else if want := dhcpv6test.Hex(t, tt.want); !ok || !bytes.Equal(got, want) {
					t.Errorf("%v: %x, want %x", typ, got, want)
				}
			}
			if b := l.Table().Link("lan").Lookup(duid(1), 1, lease.Address); b.Hostname != tt.host {
				t.Errorf("binding is named %q, want %q", b.Hostname, tt.host)
			}
			if n := l.Counters().BadNames; n != 0 {
				t.Errorf("%d bad names counted", n)
			}
		})
	}
}

// Names that are none: the client is served, its name counted and kept for people to look at, if it can be read at all.
func TestBadNames(t *testing.T) {
	long := strings.Repeat("3f"+strings.Repeat("61", 63), 4)
	tests := []struct{ name, in, want string }{
		{"root only", `00 00`, ""},
		{"compression pointer", `00 c00c`, ""},
		{"compression pointer to itself", `00 04 686f7374 c000`, ""},
		{"label of 64 octets", `00 40` + strings.Repeat("61", 64), ""},
		{"more than 255 octets", `00` + long + "00", ""},
		{"label past the end", `00 05 686f7374`, ""},
		{"label past the end after a good one", `00 04 686f7374 3f 61`, ""},
		{"NUL", `00 05 686f007374`, "ho\x00st"},
		{"newline", `00 05 686f0a7374`, "ho\nst"},
		{"carriage return", `00 05 686f0d7374`, "ho\rst"},
		{"blank", `00 05 686f207374`, "ho st"},
		{"quote", `00 05 686f227374`, "ho\"st"},
		{"apostrophe", `00 05 686f277374`, "ho'st"},
		{"HTML", `00 08 3c7363726970743e`, "<script>"},
		{"slash", `00 05 686f2f7374`, "ho/st"},
		{"dot dot", `00 02 2e2e`, ""},
		{"hyphen first", `00 04 2d6f7374`, "-ost"},
		{"hyphen last", `00 04 686f732d`, "hos-"},
		{"underscore first", `00 04 5f6f7374`, "_ost"},
		{"UTF-8", `00 05 68c3b67374`, "höst"},
		{"DEL", `00 05 686f7f7374`, "ho\x7fst"},
		{"backslash", `00 05 686f5c7374`, "ho\\st"},
		{"asterisk", `00 01 2a`, "*"},
		{"63 octets of anything", `00 3f` + strings.Repeat("ff", 63), strings.Repeat("\xff", 63)},
		{"two names", `00 04 686f7374 00 04 686f7374 00`, ""},
		{"octets after the name", `00 04 686f7374 00 61`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, func(s *setup) { s.lan().Search = []string{"lan"} })
			fqdn := option(dhcpv6.OptionClientFQDN, dhcpv6test.Hex(t, tt.in))
			a := l.request(dhcpv6.Request, duid(1), na(1), fqdn, option(dhcpv6.OptionORO, []byte{0, 39}))
			if only(t, a.ias[0]) != "2001:db8:1::e71" {
				t.Errorf("%+v", a.ias[0])
			}
			if got, ok := a.Options.Get(dhcpv6.OptionClientFQDN); ok && (len(got) != 1 || got[0] != 4) {
				t.Errorf("answer with %x", got)
			}
			if b := l.Table().Link("lan").Lookup(duid(1), 1, lease.Address); b.Hostname != tt.want {
				t.Errorf("binding is named %q, want %q", b.Hostname, tt.want)
			}
			if l.Counters().BadNames != 1 {
				t.Errorf("%d bad names counted", l.Counters().BadNames)
			}
		})
	}
}

// An empty option is not an answerable one, and of two the first counts.
func TestFQDNEmptyAndTwice(t *testing.T) {
	l := start(t)
	oro := option(dhcpv6.OptionORO, []byte{0, 39})
	a := l.request(dhcpv6.Request, duid(1), na(1), oro, option(dhcpv6.OptionClientFQDN))
	if got, ok := a.Options.Get(dhcpv6.OptionClientFQDN); ok {
		t.Errorf("answer to an empty option: %x", got)
	}
	a = l.request(dhcpv6.Request, duid(1), na(1), oro, option(dhcpv6.OptionClientFQDN, []byte{0, 1, 'x'}),
		option(dhcpv6.OptionClientFQDN, []byte{1, 1, 'y'}))
	if got, _ := a.Options.Get(dhcpv6.OptionClientFQDN); !bytes.Equal(got, []byte{4, 1, 'x'}) || a.Options.Count(dhcpv6.OptionClientFQDN) != 1 {
		t.Errorf("answer %x", got)
	}
	a = l.request(dhcpv6.Request, duid(1), na(1), oro)
	if got, ok := a.Options.Get(dhcpv6.OptionClientFQDN); ok {
		t.Errorf("answer %x to a client that sent none (RFC 4704, section 6)", got)
	}
	if b := l.Table().Link("lan").Lookup(duid(1), 1, lease.Address); b.Hostname != "x" {
		t.Errorf("name %q: one that was given stays when a Renew has none", b.Hostname)
	}
	l.request(dhcpv6.Renew, duid(1), na(1), option(dhcpv6.OptionClientFQDN, []byte{1, 1, 'z'}))
	if b := l.Table().Link("lan").Lookup(duid(1), 1, lease.Address); b.Hostname != "z" {
		t.Errorf("name %q after the client has changed it", b.Hostname)
	}
}

// A name and a domain that do not fit together: never a name that is too long (RFC 1035: 255 octets).
func TestFQDNTooLongTogether(t *testing.T) {
	label := strings.Repeat("d", 63)
	l := start(t, func(s *setup) {
		s.lan().Search = []string{label + "." + label + "." + label + "." + strings.Repeat("e", 50)}
	})
	a := l.request(dhcpv6.Request, duid(1), na(1), option(dhcpv6.OptionORO, []byte{0, 39}),
		option(dhcpv6.OptionClientFQDN, append([]byte{0, 60}, strings.Repeat("n", 60)...)))
	if got, _ := a.Options.Get(dhcpv6.OptionClientFQDN); len(got) == 0 || len(got) > 256 {
		t.Errorf("answer of %d octets", len(got))
	}
}

func TestValidHostname(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "a-b": true, "a_b": true, "bad_-host": true, "a.b": true, "0": true, strings.Repeat("a", 63): true,
		"": false, ".": false, "a.": false, ".a": false, "a..b": false, "-": false, "a-": false, "-a": false, "a b": false,
		strings.Repeat("a", 64): false, "a\n": false, "é": false, "a.-b": false,
	} {
		if got := server.ValidHostname(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
		if got := server.ValidHostname([]byte(name)); got != want {
			t.Errorf("%q as octets: %v", name, got)
		}
	}
}
