package openwrt

import (
	"strings"
	"testing"

	"lan6d/dhcpv6"
)

func TestParseBool(t *testing.T) {
	for text, want := range map[string]bool{"1": true, "true": true, "0": false, "false": false} {
		if got, err := parseBool(text); got != want || err != nil {
			t.Errorf("parseBool(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "yes", "no", "on", "off", "enabled", "TRUE", "True", "01", "2", " 1"} {
		_, err := parseBool(text)
		if err == nil || !strings.Contains(err.Error(), "allowed are 0, 1, true, false") {
			t.Errorf("parseBool(%q): error %v does not tell what is allowed", text, err)
		}
	}
}

func TestParseInt(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int64
	}{
		{"0", 0}, {"-0", 0}, {"7", 7}, {"+7", 7}, {"-7", -7}, {"010", 8}, {"-010", -8}, {"0x10", 16}, {"0X1f", 31},
		{"-0x10", -16}, {"00", 0}, {"100", 100}, {"-100", -100},
	} {
		if got, err := parseInt(tt.text, -100, 100); got != tt.want || err != nil {
			t.Errorf("parseInt(%q) = %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
	for text, want := range map[string]string{
		"": `"" is no number, allowed are -100..100`, "x": "is no number", "1 ": "is no number", " 1": "is no number",
		"1s": "is no number", "1_0": "is no number", "0b1": "octal", "0o7": "octal", "08": "octal", "0x": "is no number",
		"0xg": "is no number", "--1": "is no number", "-+1": "is no number", "+-01": "is no number", "1.0": "is no number",
		"1e2": "is no number", "٣": "is no number", "101": "101 is outside -100..100", "-101": "is outside",
		"0145":                  "0145, which is 101, is outside -100..100",
		"0xff":                  "0xff, which is 255, is outside",
		"99999999999999999999":  "is outside",
		"-99999999999999999999": "is outside",
	} {
		_, err := parseInt(text, -100, 100)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseInt(%q): error %v, want %q", text, err, want)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]uint32{
		"60": 60, "90": 90, "3600": 3600, "90s": 90, "90sec": 90, "2m": 120, "2minutes": 120, "12h": 43200, "12hours": 43200,
		"7d": 604800, "2w": 1209600, "1.5h": 3600, "1.9m": 60, "2.9h": 7200, "1e3": 1000, "1e2s": 100, "1E2m": 6000,
		"1.5e3": 1500, "0.00000009e9": 90, "123456e-3": 123, "1e-1000000000000": 60, "0e1000000000000": 60, "-0": 60, "00000000000000090": 90, "+5m": 300, "6000e-1": 600, "120.": 120, "infinite": dhcpv6.Infinity,
		// Below a minute it becomes one.
		"0": 60, "1": 60, "59": 60, "59s": 60, "0.5h": 60, ".5h": 60, "0w": 60,
		// The largest.
		"4294967294": 4294967294, "4294967294s": 4294967294, "71582788m": 71582788 * 60, "7101w": 7101 * 604800,
	} {
		if got, err := parseTime(text); got != want || err != nil {
			t.Errorf("parseTime(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "is no time", "h": "is no time", "m5": "is no time", " 5m": "is no time", "e3": "is no time", ".": "is no time",
		".h": "is no time", "-": "is no time", "inf": "is no time", "nan": "is no time", "Infinite": "is no time",
		"12x": "unknown unit", "12 h": "unknown unit", "12H": "unknown unit", "5e": "unknown unit", "5e+": "unknown unit",
		"0x10": "unknown unit", "1,5h": "unknown unit", "1y": "unknown unit", "1..5h": "unknown unit", "infinitely": "is no time",
		"-1": "is outside", "-5m": "is outside", "4294967295": "is outside", "4294967296": "is outside",
		"71582789m": "is outside", "7102w": "is outside", "1e10": "is outside", "1e1000000000000": "is outside", "-0.1": "is outside", "1e400": "is outside", "-1e400": "is outside",
	} {
		_, err := parseTime(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseTime(%q): error %v, want %q", text, err, want)
		}
	}
}

func TestFormatTime(t *testing.T) {
	for text, seconds := range map[string]uint32{
		"60s": 60, "61s": 61, "2m": 120, "45m": 2700, "90m": 5400, "1h": 3600, "12h": 43200, "36h": 129600, "1d": 86400,
		"7d": 604800, "infinite": dhcpv6.Infinity, "4294967294s": 4294967294,
	} {
		if got := formatTime(seconds); got != text {
			t.Errorf("formatTime(%d) = %q, want %q", seconds, got, text)
		}
		if back, err := parseTime(text); back != seconds || err != nil {
			t.Errorf("parseTime(%q) = %d, %v, want %d", text, back, err, seconds)
		}
	}
}

func TestParseHexNumber(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "20": 0x20, "0x20": 0x20, "0XfF": 0xff, "ffffffffffffffff": 1<<64 - 1} {
		if got, err := parseHexNumber(text); got != want || err != nil {
			t.Errorf("parseHexNumber(%q) = %x, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0x", "x", "::20", "10000000000000000", "-1", "+1", "1_0", "router", " 1"} {
		if n, err := parseHexNumber(text); err == nil {
			t.Errorf("parseHexNumber(%q) = %x, no error", text, n)
		}
	}
}
