package dhcpv6_test

import (
	"errors"
	"net/netip"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
)

func TestParseIA(t *testing.T) { // sections 21.4 and 21.21
	got, err := dhcpv6.ParseIA(dhcpv6test.Hex(t, `01020304 00000708 ffffffff   # IAID, T1, T2
		000d 0002 0002`)) // Status Code: NoAddrsAvail
	if err != nil {
		t.Fatal(err)
	}
	if got.IAID != 0x01020304 || got.T1 != 1800 || got.T2 != dhcpv6.Infinity {
		t.Errorf("IAID %#x, T1 %d, T2 %d", got.IAID, got.T1, got.T2)
	}
	if list := list(got.Options); list != "13=0002" {
		t.Errorf("options %q", list)
	}
}

func TestParseIAAddr(t *testing.T) { // section 21.6
	got, err := dhcpv6.ParseIAAddr(dhcpv6test.Hex(t, `20010db8000000000000000000000001 00000e10 00001c20
		000d 0002 0000`))
	if err != nil {
		t.Fatal(err)
	}
	if got.Addr != netip.MustParseAddr("2001:db8::1") || got.Preferred != 3600 || got.Valid != 7200 {
		t.Errorf("%v, preferred %d, valid %d", got.Addr, got.Preferred, got.Valid)
	}
	if list := list(got.Options); list != "13=0000" {
		t.Errorf("options %q", list)
	}
}

func TestParseIAPrefix(t *testing.T) { // section 21.22
	tests := []struct {
		name, in string
		want     string
		err      error
	}{
		{name: "/56", in: "38 20010db8000000000000000000000000", want: "2001:db8::/56"},
		{name: "a hint of a length alone", in: "3e 00000000000000000000000000000000", want: "::/62"},
		{name: "length 0", in: "00 00000000000000000000000000000000", want: "::/0"},
		{name: "length 64", in: "40 20010db8000000000000000000000000", want: "2001:db8::/64"},
		{name: "length 65", in: "41 20010db8000000000000000000000000", want: "2001:db8::/65"},
		{name: "length 128", in: "80 20010db8000000000000000000000001", want: "2001:db8::1/128"},
		{name: "length 129", in: "81 20010db8000000000000000000000000", err: dhcpv6.ErrPrefixLength},
		{name: "length 255", in: "ff 20010db8000000000000000000000000", err: dhcpv6.ErrPrefixLength},
		{name: "bits behind the length stay", in: "38 20010db80000000000000000000000ff", want: "2001:db8::ff/56"},
		{name: "an IPv4-mapped address is no IPv4 address", in: "80 00000000000000000000ffffc0000201",
			want: "::ffff:192.0.2.1/128"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := dhcpv6.ParseIAPrefix(dhcpv6test.Hex(t, "00000e10 00001c20"+tt.in+"000d 0002 0000"))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if got.Prefix.String() != tt.want || got.Preferred != 3600 || got.Valid != 7200 {
				t.Errorf("%v, preferred %d, valid %d, want %v", got.Prefix, got.Preferred, got.Valid, tt.want)
			}
			if list := list(got.Options); list != "13=0000" {
				t.Errorf("options %q", list)
			}
		})
	}
}

// Each fixed part, one octet short and shorter, must be refused although more of the packet follows in memory.
func TestFixedPartTooShort(t *testing.T) {
	tests := []struct {
		name  string
		size  int
		parse func([]byte) error
	}{
		{"IA", 12, func(b []byte) error { _, err := dhcpv6.ParseIA(b); return err }},
		{"IA Address", 24, func(b []byte) error { _, err := dhcpv6.ParseIAAddr(b); return err }},
		{"IA Prefix", 25, func(b []byte) error { _, err := dhcpv6.ParseIAPrefix(b); return err }},
		{"Status Code", 2, func(b []byte) error { _, err := dhcpv6.ParseStatus(b); return err }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packet := make([]byte, 64)
			for n := range tt.size {
				if err := tt.parse(packet[:n]); err != dhcpv6.ErrShortOption {
					t.Errorf("%d octets: error %v, want %v", n, err, dhcpv6.ErrShortOption)
				}
			}
			if err := tt.parse(packet[:tt.size]); err != nil {
				t.Errorf("%d octets: error %v", tt.size, err)
			}
		})
	}
}

func TestParseStatus(t *testing.T) { // section 21.13
	tests := []struct {
		name, in string
		code     dhcpv6.StatusCode
		message  string
	}{
		{"no message", "0000", dhcpv6.StatusSuccess, ""},
		{"message", "0003 6e6f", dhcpv6.StatusNoBinding, "no"},
		{"unknown code", "ffff", 0xffff, ""},
		{"the message is taken as it is", "0001 000aff", dhcpv6.StatusUnspecFail, "\x00\n\xff"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := dhcpv6.ParseStatus(dhcpv6test.Hex(t, tt.in))
			if err != nil || got.Code != tt.code || string(got.Message) != tt.message {
				t.Errorf("%v %q %v, want %v %q", got.Code, got.Message, err, tt.code, tt.message)
			}
		})
	}
}

func TestStatusCodes(t *testing.T) { // section 21.13, registry "DHCPv6 Status Codes"
	tests := []struct {
		code dhcpv6.StatusCode
		want uint16
		name string
	}{
		{dhcpv6.StatusSuccess, 0, "Success"},
		{dhcpv6.StatusUnspecFail, 1, "UnspecFail"},
		{dhcpv6.StatusNoAddrsAvail, 2, "NoAddrsAvail"},
		{dhcpv6.StatusNoBinding, 3, "NoBinding"},
		{dhcpv6.StatusNotOnLink, 4, "NotOnLink"},
		{dhcpv6.StatusUseMulticast, 5, "UseMulticast"},
		{dhcpv6.StatusNoPrefixAvail, 6, "NoPrefixAvail"},
		{7, 7, "status 7"},
		{65535, 65535, "status 65535"},
	}
	for _, tt := range tests {
		if uint16(tt.code) != tt.want || tt.code.String() != tt.name {
			t.Errorf("status %d %q, want %d %q", uint16(tt.code), tt.code, tt.want, tt.name)
		}
	}
}
