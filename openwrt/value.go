package openwrt

import (
	"errors"
	"strconv"
	"strings"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
	"lan6d/dhcpv6/tinyfmt"
)

// wrong is the error for a value: what it is not, what is allowed.
func wrong(v, rule string) error { return tinyfmt.Errorf("%.80q %s", v, rule) }

// about is an error that begins with what it is about.
func about(what, text string) error { return errors.New(what + " " + text) }

// parseBool reads a boolean. odhcpd takes these four spellings and no other; yes, on and the like, which shell scripts
// take, leave its default in place, so they are errors here.
func parseBool(s string) (bool, error) {
	switch s {
	case "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	}
	return false, wrong(s, "is no boolean, allowed are 0, 1, true, false")
}

// parseInt reads an integer within the limits given.
func parseInt(s string, low, high int64) (int64, error) {
	n, ok := parseNumber(s)
	switch {
	case !ok && octal(s):
		return 0, wrong(s, "is no number, as a 0 in front makes it octal; allowed are "+limits(low, high))
	case !ok:
		return 0, wrong(s, "is no number, allowed are "+limits(low, high))
	case n < low || n > high:
		return 0, outside(s, n, low, high)
	}
	return n, nil
}

// outside is the error for a number beyond its limits.
func outside(s string, n, low, high int64) error {
	if octal(s) || strings.ContainsAny(s, "xX") {
		s += ", which is " + strconv.FormatInt(n, 10) + ","
	}
	return about(s, "is outside "+limits(low, high))
}

func limits(low, high int64) string {
	return strconv.FormatInt(low, 10) + ".." + strconv.FormatInt(high, 10)
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
	if err != nil && !(errors.Is(err, strconv.ErrRange) && isVisible(digits)) { // it looks no further than the number fits
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

// timeRule says what a time is.
const timeRule = "allowed are a number with s, m, h, d or w behind it (or nothing: seconds) and infinite"

// parseTime reads a time in seconds: a number, a unit of which only the first letter counts, or "infinite" for
// dhcpv6.Infinity. As in odhcpd, the number may have decimals and an exponent but loses its fraction before the unit is
// applied ("1.5h" is one hour), and less than a minute becomes one.
func parseTime(s string) (uint32, error) {
	if s == "infinite" {
		return dhcpv6.Infinity, nil
	}
	number, unit, ok := parseDecimal(s)
	if !ok {
		return 0, wrong(s, "is no time, "+timeRule)
	}
	size := uint32(1)
	if unit != "" {
		switch unit[0] {
		case 's':
		case 'm':
			size = 60
		case 'h':
			size = 60 * 60
		case 'd':
			size = 24 * 60 * 60
		case 'w':
			size = 7 * 24 * 60 * 60
		default:
			return 0, wrong(s, "has an unknown unit, "+timeRule)
		}
	}
	if number > (dhcpv6.Infinity-1)/size {
		return 0, wrong(s, "is outside 0.."+strconv.FormatUint(dhcpv6.Infinity-1, 10)+" seconds, for ever is infinite")
	}
	return max(number*size, server.MinLifetime), nil
}

// parseDecimal reads the number that s begins with: a sign, digits with a point among them, and an exponent if there
// are digits behind its e. n is without the fraction. What is negative or too large becomes dhcpv6.Infinity.
func parseDecimal(s string) (n uint32, rest string, ok bool) {
	digits, rest := cutDigits(unsigned(s))
	point := len(digits)
	if strings.HasPrefix(rest, ".") {
		var fraction string
		fraction, rest = cutDigits(rest[1:])
		digits += fraction
	}
	if digits == "" {
		return 0, s, false
	}
	if rest != "" && rest[0]|0x20 == 'e' {
		if exponent, after := cutDigits(unsigned(rest[1:])); exponent != "" {
			e, _ := strconv.Atoi(rest[1 : len(rest)-len(after)])
			point += min(max(e, -1<<30), 1<<30)
			rest = after
		}
	}
	digits = "0" + digits + "0000000000"[:min(max(point-len(digits), 0), 10)]
	whole, err := strconv.ParseUint(digits[:min(max(point, 0)+1, len(digits))], 10, 32)
	if err != nil || s[0] == '-' && strings.Trim(digits, "0") != "" {
		return dhcpv6.Infinity, rest, true
	}
	return uint32(whole), rest, true
}

// cutDigits cuts s behind the decimal digits that it begins with.
func cutDigits(s string) (digits, rest string) {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return s[:n], s[n:]
}

// parseHexNumber reads a number of up to 64 bits in hexadecimal digits, with or without 0x in front.
func parseHexNumber(s string) (uint64, error) {
	digits := s
	if len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X") {
		digits = s[2:]
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return 0, wrong(s, "is no hexadecimal number of up to 64 bits")
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
