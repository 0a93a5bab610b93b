package dhcpv6_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
)

// list writes options down as "code=data code=data".
func list(o dhcpv6.Options) string {
	var s []string
	for code, data := range o.All() {
		s = append(s, fmt.Sprintf("%d=%x", uint16(code), data))
	}
	return strings.Join(s, " ")
}

// optionRuns are runs of options, as they stand in a message, an IA or an IA Address: what each must be read as.
var optionRuns = []struct {
	name string
	in   string
	list string
	err  error
}{
	{name: "none", in: ""},
	{name: "one", in: "0001 0003 000301", list: "1=000301"},
	{name: "the last one is empty", in: "0006 0002 0017 000e 0000", list: "6=0017 14="},
	{name: "an empty one alone", in: "000e 0000", list: "14="},
	{name: "code 0 is an option like any other", in: "0000 0001 aa 0001 0003 000301", list: "0=aa 1=000301"},
	{name: "code 0, empty, is no end marker", in: "0000 0000 000e 0000", list: "0= 14="},
	{name: "code 65535", in: "ffff 0001 aa", list: "65535=aa"},
	{name: "1 stray octet", in: "000e 0000 00", list: "14="},
	{name: "2 stray octets", in: "000e 0000 0001", list: "14="},
	{name: "3 stray octets", in: "000e 0000 000100", list: "14="},
	{name: "stray octets alone", in: "000100"},
	{name: "odd offsets", in: "000f 0001 aa 0008 0002 0102 000f 0003 aabbcc 0006 0004 00170018",
		list: "15=aa 8=0102 15=aabbcc 6=00170018"},
	{name: "the same option twice", in: "0001 0003 000301 0001 0003 000302", list: "1=000301 1=000302"},
	{name: "length one past the end", in: "0001 0003 0003", err: dhcpv6.ErrOptionLength},
	{name: "length past the end of an option without data", in: "000e 0001", err: dhcpv6.ErrOptionLength},
	{name: "length 65535", in: "0001 ffff 000301", err: dhcpv6.ErrOptionLength},
	{name: "length past the end behind a good option", in: "000e 0000 0001 0003 0003", err: dhcpv6.ErrOptionLength},
}

// Every parser that takes options behind a fixed part must read the same run in the same way.
func TestOptionRuns(t *testing.T) {
	parents := []struct {
		name, header string
		parse        func([]byte) (dhcpv6.Options, error)
	}{
		{"options", "", dhcpv6.ParseOptions},
		{"message", "01a1b2c3", func(b []byte) (dhcpv6.Options, error) {
			m, err := dhcpv6.ParseMessage(b)
			return m.Options, err
		}},
		{"relay message", relayHeader, func(b []byte) (dhcpv6.Options, error) {
			m, err := dhcpv6.ParseRelayMessage(b)
			return m.Options, err
		}},
		{"IA", "00000001 00000002 00000003", func(b []byte) (dhcpv6.Options, error) {
			ia, err := dhcpv6.ParseIA(b)
			return ia.Options, err
		}},
		{"IA Address", "20010db8000000000000000000000001 00000002 00000003", func(b []byte) (dhcpv6.Options, error) {
			a, err := dhcpv6.ParseIAAddr(b)
			return a.Options, err
		}},
		{"IA Prefix", "00000002 00000003 38 20010db8000000000000000000000000", func(b []byte) (dhcpv6.Options, error) {
			p, err := dhcpv6.ParseIAPrefix(b)
			return p.Options, err
		}},
	}
	for _, p := range parents {
		for _, tt := range optionRuns {
			t.Run(p.name+"/"+tt.name, func(t *testing.T) {
				o, err := p.parse(dhcpv6test.Hex(t, p.header+tt.in))
				if !errors.Is(err, tt.err) {
					t.Fatalf("error %v, want %v", err, tt.err)
				}
				if got := list(o); got != tt.list {
					t.Errorf("options %q, want %q", got, tt.list)
				}
			})
		}
	}
}

// The lengths below fit the packet; only the parent shows that they are wrong.
func TestLengthPastParent(t *testing.T) {
	tests := []struct {
		name, in string
		parse    func([]byte) error
	}{
		{"IA Address past its IA_NA", `01a1b2c3
			0003 0010 00000001 00000000 00000000 0005 0018    # IA_NA of 16 octets, an IA Address of 24 in it
			000e0000 000e0000 000e0000 000e0000 000e0000 000e0000`, parseFirstIA},
		{"IA Prefix past its IA_PD", `01a1b2c3
			0019 0010 00000001 00000000 00000000 001a 0018
			000e0000 000e0000 000e0000 000e0000 000e0000 000e0000`, parseFirstIA},
		{"Status Code past its IA_NA", `01a1b2c3
			0003 0012 00000001 00000000 00000000 000d 0004 0002
			000e 0000`, parseFirstIA},
		{"option past its Relay Message", relayHeader + `
			0009 0008 01a1b2c3 0001 0004
			0012 0004 65746830`, func(b []byte) error {
			relay, err := dhcpv6.ParseRelayMessage(b)
			if err != nil {
				return fmt.Errorf("the parent does not parse: %w", err)
			}
			inner, _ := relay.Options.Get(dhcpv6.OptionRelayMsg)
			_, err = dhcpv6.ParseMessage(inner)
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.parse(dhcpv6test.Hex(t, tt.in)); err != dhcpv6.ErrOptionLength {
				t.Errorf("error %v, want %v", err, dhcpv6.ErrOptionLength)
			}
		})
	}
}

// parseFirstIA parses the message and the IA that is its first option.
func parseFirstIA(b []byte) error {
	m, err := dhcpv6.ParseMessage(b)
	if err != nil {
		return fmt.Errorf("the parent does not parse: %w", err)
	}
	for _, data := range m.Options.All() {
		_, err = dhcpv6.ParseIA(data)
		break
	}
	return err
}

func TestOptionsGet(t *testing.T) {
	o, err := dhcpv6.ParseOptions(dhcpv6test.Hex(t, "0006 0002 0017 000e 0000 0006 0002 0018 0000 0001 ff"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		code  dhcpv6.OptionCode
		want  []byte
		ok    bool
		count int
	}{
		{name: "the first of two", code: dhcpv6.OptionORO, want: []byte{0, 0x17}, ok: true, count: 2},
		{name: "an empty one is there", code: dhcpv6.OptionRapidCommit, want: []byte{}, ok: true, count: 1},
		{name: "code 0", code: 0, want: []byte{0xff}, ok: true, count: 1},
		{name: "absent", code: dhcpv6.OptionClientID},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := o.Get(tt.code)
			if ok != tt.ok || !bytes.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
				t.Errorf("Get: %x %v, want %x %v", got, ok, tt.want, tt.ok)
			}
			if n := o.Count(tt.code); n != tt.count {
				t.Errorf("Count: %d, want %d", n, tt.count)
			}
		})
	}
}

func TestOptionsAllAgain(t *testing.T) {
	o, err := dhcpv6.ParseOptions(dhcpv6test.Hex(t, "000e 0000 0008 0002 0000"))
	if err != nil {
		t.Fatal(err)
	}
	for range o.All() {
		break // the loop may end early
	}
	all := o.All()
	for round := range 2 {
		n := 0
		for range all {
			n++
		}
		if n != 2 {
			t.Errorf("round %d: %d options, want 2", round, n)
		}
	}
}

// Options that did not pass ParseOptions give what is whole and nothing else.
func TestOptionsUnchecked(t *testing.T) {
	o := dhcpv6.Options(dhcpv6test.Hex(t, "000e 0000 0001 0003 0003"))
	if got := list(o); got != "14=" {
		t.Errorf("options %q, want %q", got, "14=")
	}
}

func TestAppendToData(t *testing.T) {
	b := dhcpv6test.Hex(t, "000e 0000 0001 0003 000301 0006 0002 0017 ff")
	want := bytes.Clone(b)
	o, err := dhcpv6.ParseOptions(b)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(o, 0xee)
	for _, data := range o.All() {
		_ = append(data, 0xee)
	}
	if !bytes.Equal(b, want) {
		t.Errorf("appending wrote into the packet: %x, want %x", b, want)
	}
}

func TestOptionCodesHas(t *testing.T) {
	tests := []struct {
		name, in string
		code     dhcpv6.OptionCode
		want     bool
	}{
		{"empty list", "", 23, false},
		{"the only one", "0017", 23, true},
		{"the last one", "0018 0052 0017", 23, true},
		{"absent", "0018 0052", 23, false},
		{"across two codes", "0100 1700", 23, false},
		{"odd length, one before", "0017 00", 23, true},
		{"odd length, half a code", "0018 00", 0, false},
		{"one octet", "17", 23, false},
		{"code 0", "0000", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := dhcpv6.OptionCodes(dhcpv6test.Hex(t, tt.in)).Has(tt.code); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestOptionCodes(t *testing.T) { // registry "DHCPv6 Option Codes"
	names := map[dhcpv6.OptionCode]string{
		0: "option 0",
		1: "Client Identifier", 2: "Server Identifier", 3: "IA_NA", 4: "IA_TA", 5: "IA Address", 6: "Option Request",
		7: "Preference", 8: "Elapsed Time", 9: "Relay Message", 11: "Authentication", 12: "Server Unicast",
		13: "Status Code", 14: "Rapid Commit", 15: "User Class", 16: "Vendor Class", 17: "Vendor-specific Information",
		18: "Interface-Id", 19: "Reconfigure Message", 20: "Reconfigure Accept", 23: "DNS Recursive Name Server",
		24: "Domain Search List", 25: "IA_PD", 26: "IA Prefix", 31: "SNTP Servers", 32: "Information Refresh Time",
		37: "Remote-Id", 38: "Subscriber-Id", 39: "Client FQDN", 41: "POSIX Timezone", 42: "TZDB Timezone",
		43: "Echo Request", 53: "Relay-Id", 56: "NTP Server", 59: "Boot File URL", 61: "Client Architecture",
		79: "Client Link-Layer Address", 82: "SOL_MAX_RT", 83: "INF_MAX_RT", 103: "Captive Portal",
		135: "Relay Source Port", 144: "DNR",
		999: "option 999", 65535: "option 65535",
	}
	for code, want := range names {
		if got := code.String(); got != want {
			t.Errorf("option %d: %q, want %q", uint16(code), got, want)
		}
	}
}

// Cut gives what All gives, and nothing where there is nothing.
func TestOptionsCut(t *testing.T) {
	options, err := dhcpv6.ParseOptions(dhcpv6test.Hex(t, `0001 0003 aabbcc 000e 0000 0000 0001 07 0012 0000`))
	if err != nil {
		t.Fatal(err)
	}
	rest := options
	for code, data := range options.All() {
		var c dhcpv6.OptionCode
		var d []byte
		if c, d, rest = rest.Cut(); c != code || !bytes.Equal(d, data) || d == nil || cap(d) != len(d) {
			t.Errorf("cut off %v %x, want %v %x", c, d, code, data)
		}
	}
	if len(rest) != 0 {
		t.Errorf("left: %x", rest)
	}
	for _, bad := range []dhcpv6.Options{nil, {}, {0, 1, 0}, {0, 1, 0, 1}} { // the last two ParseOptions does not return
		if code, data, rest := bad.Cut(); code != 0 || data != nil || rest != nil {
			t.Errorf("of %x: %v %x %x", bad, code, data, rest)
		}
	}
}
