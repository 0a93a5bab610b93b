package tinyfmt_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/tinyfmt"
)

// TestSprintf holds each kind of format that the binary has against package fmt.
func TestSprintf(t *testing.T) {
	for _, tt := range []struct {
		format string
		args   []any
	}{
		{"plain", nil},
		{"", nil},
		{"100%% of %s.", []any{"it"}},
		{"%s:%d: %s", []any{"dhcp", 31, "dhcpv6"}},
		{"%d %d %d %d %d", []any{-1, uint8(255), uint16(65535), uint32(1 << 31), uint64(1 << 63)}},
		{"%v %v %v", []any{0, "x", uint16(7)}},
		{"%v, %s", []any{netip.MustParseAddr("fe80::1"), netip.MustParsePrefix("2001:db8::/32")}},
		{"%v %s", []any{dhcpv6.DUID{0, 3, 0, 1, 2}, dhcpv6.OptionClientID}},
		{"%v: %s", []any{io.EOF, errors.New("no")}},
		{"%v", []any{nil}},
		{"%08x|%04x|%02x|%x", []any{uint32(0xbeef), uint16(0xbeef), 300, 5}},
		{"%q %+q %q", []any{"a\n\"ü", "ü\xff\x1b", ""}},
		{"%.80q", []any{string(make([]byte, 100))}},
		{"%.3q|%.3q|%.0s|%.2s", []any{"äöüß", "\xff\xfeab", "gone", "a"}},
		{"%-6s|%6s|%2s|%-3d|%3d", []any{"äb", "äb", "long", 1, 2}},
	} {
		if got, want := tinyfmt.Sprintf(tt.format, tt.args...), fmt.Sprintf(tt.format, tt.args...); got != want {
			t.Errorf("%q: %q, want %q", tt.format, got, want)
		}
	}
}

func TestErrorf(t *testing.T) {
	other := &wrong{}
	for _, tt := range []struct {
		format string
		args   []any
		eof    bool
		other  bool
	}{
		{"octet %d", []any{3}, false, false},
		{"octet %d: %w", []any{3, io.EOF}, true, false},
		{"%v: 5%% %w", []any{io.EOF, other}, false, true},
		{"%s: %w: set it aside as %s: %w", []any{"f", io.EOF, "g", other}, true, true},
	} {
		got, want := tinyfmt.Errorf(tt.format, tt.args...), fmt.Errorf(tt.format, tt.args...)
		if got.Error() != want.Error() {
			t.Errorf("%q: %q, want %q", tt.format, got, want)
		}
		var as *wrong
		if errors.Is(got, io.EOF) != tt.eof || errors.As(got, &as) != tt.other {
			t.Errorf("%q: wraps EOF: %v, the other error: %v", tt.format, errors.Is(got, io.EOF), errors.As(got, &as))
		}
	}
}

func TestParseHex(t *testing.T) {
	for _, s := range []string{"", "00", "0aFf10", "0", "0g", "+1", "-1", "_1", "1_", "0x", " 1", "abc", "é"} {
		got, err := tinyfmt.ParseHex(s)
		if want, wantErr := hex.DecodeString(s); (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Errorf("%q: % x, %v, want % x, %v", s, got, err, want, wantErr)
		}
	}
}

type wrong struct{}

func (*wrong) Error() string { return "wrong" }
