// Package dhcpv6test helps tests to write packets down: as hex that a person can check against the RFC.
package dhcpv6test

import (
	"encoding/hex"
	"strings"
	"testing"
)

// Hex decodes hexadecimal digits; blanks and newlines between them are skipped, and so is everything from a # to the
// end of its line.
func Hex(t testing.TB, s string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(line, "#")
		for field := range strings.FieldsSeq(line) {
			digits.WriteString(field)
		}
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("hex of a packet: %v in\n%s", err, s)
	}
	return b
}
