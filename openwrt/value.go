package openwrt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

// parseBool reads a boolean. odhcpd takes these four spellings and no other; yes, on and the like, which shell scripts
// take, leave its default in place, so they are errors here.
func parseBool(s string) (bool, error) {
	switch s {
	case "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	}
	return false, fmt.Errorf("%.80q is no boolean, allowed are 0, 1, true, false", s)
}

// parseInt reads an integer within the limits given.
func parseInt(s string, low, high int64) (int64, error) {
	n, ok := parseNumber(s)
	switch {
	case !ok && octal(s):
		return 0, fmt.Errorf("%.80q is no number, as a 0 in front makes it octal; allowed are %d..%d", s, low, high)
	case !ok:
		return 0, fmt.Errorf("%.80q is no number, allowed are %d..%d", s, low, high)
	case (n < low || n > high) && (octal(s) || strings.ContainsAny(s, "xX")):
		return 0, fmt.Errorf("%s, which is %d, is outside %d..%d", s, n, low, high)
	case n < low || n > high:
		return 0, fmt.Errorf("%s is outside %d..%d", s, low, high)
	}
	return n, nil
}

// parseClamped is parseInt for an option that, when it is outside the limits, counts as the nearest limit. The warning
// that tells so comes with the number.
func parseClamped(s string, low, high int64) (int64, error) {
	n, ok := parseNumber(s)
	if !ok {
		return parseInt(s, low, high)
	}
	if clamped := min(max(n, low), high); clamped != n {
		return clamped, warning(fmt.Sprintf("%s is outside %d..%d, %d is used", s, low, high, clamped))
	}
	return n, nil
}

// parseNumber reads an integer as C's strtol with base 0 does: 0x begins hexadecimal digits and 0 octal ones. What does
// not fit 62 bits is cut to the largest number that does.
func parseNumber(s string) (n int64, ok bool) {
	digits, base := unsigned(s), 10
	switch {
	case len(digits) > 2 && (digits[:2] == "0x" || digits[:2] == "0X"):
		digits, base = digits[2:], 16
	case octal(s):
		digits, base = digits[1:], 8
	}
	u, err := strconv.ParseUint(digits, base, 62)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	if s[0] == '-' {
		return -int64(u), true
	}
	return int64(u), true
}

// unsigned is s without the one sign that it may have.
func unsigned(s string) string {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[1:]
	}
	return s
}

// octal reports whether C reads s as an octal number.
func octal(s string) bool {
	s = unsigned(s)
	return len(s) > 1 && s[0] == '0' && s[1]|0x20 != 'x'
}

// errTime says what a time is.
var errTime = errors.New("allowed are a number with s, m, h, d or w behind it (or nothing: seconds) and infinite")

// parseTime reads a time in seconds: a number, a unit of which only the first letter counts, or "infinite" for
// dhcpv6.Infinity. As in odhcpd, the number may have decimals and an exponent but loses its fraction before the unit is
// applied ("1.5h" is one hour), and less than a minute becomes one.
func parseTime(s string) (uint32, error) {
	if s == "infinite" {
		return dhcpv6.Infinity, nil
	}
	n := numberLength(s)
	number, err := strconv.ParseFloat(s[:n], 64)
	if n == 0 || (err != nil && !errors.Is(err, strconv.ErrRange)) {
		return 0, fmt.Errorf("%.80q is no time, %w", s, errTime)
	}
	unit := uint64(1)
	if n < len(s) {
		switch s[n] {
		case 's':
		case 'm':
			unit = 60
		case 'h':
			unit = 60 * 60
		case 'd':
			unit = 24 * 60 * 60
		case 'w':
			unit = 7 * 24 * 60 * 60
		default:
			return 0, fmt.Errorf("%.80q has an unknown unit, %w", s, errTime)
		}
	}
	if number < 0 || number >= dhcpv6.Infinity || uint64(number)*unit >= dhcpv6.Infinity {
		return 0, fmt.Errorf("%.80q is outside 0..%d seconds, for ever is infinite", s, uint32(dhcpv6.Infinity-1))
	}
	return max(uint32(number)*uint32(unit), server.MinLifetime), nil
}

// numberLength is the length of the decimal number that s begins with: a sign, digits with a point among them, and an
// exponent if there are digits behind its e.
func numberLength(s string) int {
	i, digits := 0, 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	for point := false; i < len(s) && (isDigit(s[i]) || s[i] == '.' && !point); i++ {
		if s[i] == '.' {
			point = true
		} else {
			digits++
		}
	}
	if digits == 0 {
		return 0
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '-' || s[j] == '+') {
			j++
		}
		if j < len(s) && isDigit(s[j]) {
			for i = j; i < len(s) && isDigit(s[i]); i++ {
			}
		}
	}
	return i
}

// parseHexNumber reads a number of up to 64 bits in hexadecimal digits, with or without 0x in front.
func parseHexNumber(s string) (uint64, error) {
	digits := s
	if len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X") {
		digits = s[2:]
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("%.80q is no hexadecimal number of up to 64 bits", s)
	}
	return n, nil
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isVisible reports whether s is made of printable ASCII without blanks only: what a URI or a time zone is made of.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
