package openwrt

import (
	"strings"
	"testing"

	"lan6d/dhcpv6"
)

func TestParseDomain(t *testing.T) {
	long := strings.Repeat("a.", 126) + "b" // 253 octets, 255 on the wire
	for text, want := range map[string]string{
		"lan": "lan", "lan.": "lan", "Example.ORG": "Example.ORG", "a-b.c_d": "a-b.c_d", "_dns.resolver.arpa": "_dns.resolver.arpa",
		"1.2": "1.2", strings.Repeat("a", 63): strings.Repeat("a", 63), long: long, long + ".": long,
	} {
		got, err := parseDomain(text)
		if got != want || err != nil {
			t.Errorf("parseDomain(%q) = %q, %v", text, got, err)
		}
		if wire, err := dhcpv6.AppendName(nil, got); err != nil || len(wire) != nameLength(got) {
			t.Errorf("%q: %d octets, %v; nameLength says %d", got, len(wire), err, nameLength(got))
		}
	}
	for _, text := range []string{
		"", ".", "..", ".lan", "a..b", "lan..", "a b", "a\tb", "a\nb", "a\x00b", "a\\046b", "münchen.example", "a/b", "a:b",
		strings.Repeat("a", 64), "x" + long,
	} {
		if got, err := parseDomain(text); err == nil {
			t.Errorf("parseDomain(%q) = %q, no error", text, got)
		}
	}
}

func TestCheckHostName(t *testing.T) {
	for _, text := range []string{"a", "Printer", "ap-kitchen", "bad_-host", "a.b", "1", "x--y", strings.Repeat("a", 63)} {
		if err := checkHostName(text); err != nil {
			t.Errorf("checkHostName(%q): %v", text, err)
		}
	}
	for _, text := range []string{
		"", ".", "a.", ".a", "a..b", "-a", "a-", "_a", "a_", "a.-b", "a b", "a\nb", "ä", "*", strings.Repeat("a", 64),
		strings.Repeat("a.", 200) + "a",
	} {
		if checkHostName(text) == nil {
			t.Errorf("checkHostName(%q): no error", text)
		}
	}
}

func TestParseMAC(t *testing.T) {
	for text, want := range map[string][6]byte{
		"02:00:5e:10:00:01": {2, 0, 0x5e, 0x10, 0, 1}, "2:0:5E:10:0:1": {2, 0, 0x5e, 0x10, 0, 1},
	} {
		if got, err := parseMAC(text); got != want || err != nil {
			t.Errorf("parseMAC(%q) = %x, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", ":", "02:00:5e:10:00", "02:00:5e:10:00:01:02", "02:00:5e:10:00:01:", "02-00-5e-10-00-01", "02005e100001",
		"02:00:5e:10:00:0g", "02:00:5e:10:00:001", "02:00:5e:10::01", "02:00:*:*:*:*", "0x:00:5e:10:00:01", "+2:00:5e:10:00:01",
	} {
		if got, err := parseMAC(text); err == nil {
			t.Errorf("parseMAC(%q) = %x, no error", text, got)
		}
	}
}

func TestParseSearch(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"nameserver 127.0.0.1\n", ""},
		{"search lan\nnameserver ::1\n", "lan"},
		{"search lan example.org. lan\n", "lan example.org"},
		{"domain lan other\n", "lan"},
		{"search a b\ndomain c\n", "c"},
		{"domain c\nsearch a b", "a b"},
		{"search\tbad..name good\r\n", "good"},
		{"# search x\n;search y\nsearch\n searchlist z\n", ""},
		{"# Interface wan6\nnameserver 2001:db8::1\nsearch isp.example\n", "isp.example"},
	} {
		if got := strings.Join(parseSearch(tt.text), " "); got != tt.want {
			t.Errorf("parseSearch(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
	many := "search " + strings.Repeat(strings.Repeat("a", 60)+"%d ", 1)
	var b strings.Builder
	b.WriteString(many)
	for i := range 3000 {
		b.WriteString(strings.Repeat("a", 50) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + " ")
	}
	total := 0
	for _, name := range parseSearch(b.String()) {
		total += nameLength(name)
	}
	if total > maxOption || total < maxOption-60 {
		t.Errorf("a search list of %d octets, want as many as fit an option", total)
	}
}
