package dhcpv6_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
)

// label is the wire form, in hex, of a label of n times the letter a.
func label(n int) string { return dhcpv6.DUID{byte(n)}.String() + strings.Repeat("61", n) }

var longLabels = label(63) + label(63) + label(63) // 192 octets

func TestParseName(t *testing.T) {
	long := strings.TrimSuffix(strings.Repeat(strings.Repeat("a", 63)+".", 3), ".")
	tests := []struct {
		name, in string
		text     string
		rest     string
		full     bool
		err      error
	}{
		{name: "section 10: labels and root", in: "03 6c616e 04 686f6d65 00", text: "lan.home", full: true},
		{name: "one label", in: "03 6c616e 00", text: "lan", full: true},
		{name: "more follows", in: "03 6c616e 00 01 61 00", text: "lan", rest: "01 61 00", full: true},
		{name: "root alone", in: "00", full: true},
		{name: "nothing", in: ""},
		{name: "RFC 4704, section 4.2: partial", in: "03 6c616e", text: "lan"},
		{name: "partial, two labels", in: "03 6c616e 01 61", text: "lan.a"},
		{name: "section 10: compression pointer", in: "03 6c616e c000", rest: "c000", err: dhcpv6.ErrName},
		{name: "compression pointer to itself", in: "c000", rest: "c000", err: dhcpv6.ErrName},
		{name: "compression pointer in one octet", in: "c0", rest: "c0", err: dhcpv6.ErrName},
		{name: "label past the end", in: "03 6c61", rest: "03 6c61", err: dhcpv6.ErrName},
		{name: "length octet alone", in: "01", rest: "01", err: dhcpv6.ErrName},
		{name: "RFC 1035, section 2.3.4: label of 63 octets", in: label(63) + "00",
			text: strings.Repeat("a", 63), full: true},
		{name: "label of 64 octets", in: label(64) + "00", rest: label(64) + "00", err: dhcpv6.ErrName},
		{name: "RFC 1035, section 2.3.4: 255 octets", in: longLabels + label(61) + "00",
			text: long + "." + strings.Repeat("a", 61), full: true},
		{name: "256 octets", in: longLabels + label(62) + "00", rest: label(62) + "00", err: dhcpv6.ErrName},
		{name: "256 octets in short labels", in: strings.Repeat("0161", 127) + "016100", rest: "016100", err: dhcpv6.ErrName},
		{name: "partial, room for the root label", in: longLabels + label(61), text: long + "." + strings.Repeat("a", 61)},
		{name: "partial, no room for the root label", in: longLabels + label(62), rest: label(62), err: dhcpv6.ErrName},
		{name: "NUL in a label", in: "03 610062 00", text: "a\x00b", full: true},
		{name: "newline in a label", in: "03 610a62 00", text: "a\nb", full: true},
		{name: "blank, quote and tag in a label", in: "05 2022273c3e 00", text: ` "'<>`, full: true},
		{name: "dot in a label", in: "03 612e62 00", text: "a.b", full: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dst := make([]byte, 0, dhcpv6.MaxNameLength)
			text, rest, full, err := dhcpv6.ParseName(dst, dhcpv6test.Hex(t, tt.in))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if string(text) != tt.text || full != tt.full {
				t.Errorf("%q, full %v, want %q, full %v", text, full, tt.text, tt.full)
			}
			if want := dhcpv6test.Hex(t, tt.rest); !bytes.Equal(rest, want) {
				t.Errorf("rest %x, want %x", rest, want)
			}
		})
	}
}

func TestParseNameAppends(t *testing.T) {
	for in, want := range map[string]string{"03 6c616e 00": "x lan", "03 6c616e c000": "x ", "00": "x "} {
		if text, _, _, _ := dhcpv6.ParseName([]byte("x "), dhcpv6test.Hex(t, in)); string(text) != want {
			t.Errorf("%s: %q, want %q", in, text, want)
		}
	}
}

func TestAppendName(t *testing.T) {
	a63 := strings.Repeat("a", 63)
	long := a63 + "." + a63 + "." + a63 + "."
	tests := []struct {
		name, in string
		want     string // partial; with the root label, 00 follows
		bad      bool
	}{
		{name: "two labels", in: "lan.home", want: "03 6c616e 04 686f6d65"},
		{name: "final dot", in: "lan.", want: "03 6c616e"},
		{name: "octets are taken as they are", in: "a\x00b", want: "03 610062"},
		{name: "label of 63 octets", in: a63, want: label(63)},
		{name: "label of 64 octets", in: a63 + "a", bad: true},
		{name: "255 octets", in: long + strings.Repeat("a", 61), want: longLabels + label(61)},
		{name: "256 octets", in: long + strings.Repeat("a", 62), bad: true},
		{name: "far too long", in: strings.Repeat("a.", 5000), bad: true},
		{name: "empty", in: "", bad: true},
		{name: "root", in: ".", bad: true},
		{name: "two final dots", in: "lan..", bad: true},
		{name: "leading dot", in: ".lan", bad: true},
		{name: "empty label within", in: "lan..home", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkAppended(t, dhcpv6.AppendName, tt.in, tt.want+"00", tt.bad)
			checkAppended(t, dhcpv6.AppendPartialName, tt.in, tt.want, tt.bad)
		})
	}
}

func checkAppended(t *testing.T, appendName func([]byte, string) ([]byte, error), name, want string, bad bool) {
	t.Helper()
	before := []byte{0xee}
	got, err := appendName(before, name)
	if (err != nil) != bad {
		t.Fatalf("error %v, want one: %v", err, bad)
	}
	if bad {
		want = ""
	}
	if want := append(before, dhcpv6test.Hex(t, want)...); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}
