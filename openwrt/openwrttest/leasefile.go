// Package openwrttest reads what lan6d writes for other programs the way these do.
package openwrttest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Lease is a line of the lease file.
type Lease struct {
	Device, DUID, IAID, Hostname string // Hostname as it is escaped; empty: none
	Expires                      int64  // seconds left, 0 when it is over; -1: never
	ID                           uint64
	Length                       int // 128: addresses
	Addresses                    []netip.Addr
}

// LuCI reads a line into 512 octets, of which the last is zero, and its addresses into an array of ten.
const (
	maxLine      = 511
	maxAddresses = 10
)

// ParseLeaseFile reads a lease file by LuCI's rules (rpcd-mod-luci), now being the time in seconds of Unix time. What
// LuCI would skip, cut or take for something else is an error, and so is what odhcpd would not write.
func ParseLeaseFile(text string, now int64) ([]Lease, error) {
	var leases []Lease
	for n := 1; text != ""; n++ {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			return nil, fmt.Errorf("line %d: no newline at its end", n)
		}
		if len(line)+1 > maxLine {
			return nil, fmt.Errorf("line %d: %d octets, LuCI reads %d", n, len(line)+1, maxLine)
		}
		l, err := parseLine(line, now)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w: %q", n, err, line)
		}
		leases = append(leases, l)
		text = rest
	}
	return leases, nil
}

func parseLine(line string, now int64) (l Lease, err error) {
	f := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if strings.Join(f, " ") != line {
		return l, fmt.Errorf("fields that are not separated by one blank")
	}
	if len(f) < 8 || f[0] != "#" {
		return l, fmt.Errorf("not '#' and seven more fields")
	}
	l = Lease{Device: f[1], DUID: f[2], IAID: f[3], Hostname: f[4]}
	for _, name := range f[1:5] {
		if !plain(name) {
			return l, fmt.Errorf("%q is not escaped", name)
		}
	}
	if l.Hostname == "-" {
		l.Hostname = ""
	}
	if len(l.DUID)%2 != 0 || strings.Trim(l.DUID, "0123456789abcdef") != "" {
		return l, fmt.Errorf("DUID %q is not lower-case hex", l.DUID)
	}
	if iaid, err := strconv.ParseUint(l.IAID, 16, 32); err != nil || strconv.FormatUint(iaid, 16) != l.IAID {
		return l, fmt.Errorf("IAID %q is not hex without leading zeros", l.IAID)
	}
	until, err := strconv.ParseInt(f[5], 10, 64)
	if err != nil || until < -1 {
		return l, fmt.Errorf("time %q is none", f[5])
	}
	if l.Expires = -1; until >= 0 {
		l.Expires = max(until-now, 0)
	}
	if l.ID, err = strconv.ParseUint(f[6], 16, 64); err != nil {
		return l, fmt.Errorf("id %q is not hex", f[6])
	}
	if l.Length, err = strconv.Atoi(f[7]); err != nil || l.Length < 1 || l.Length > 128 {
		return l, fmt.Errorf("length %q is outside 1..128", f[7])
	}
	if n := len(f) - 8; n > maxAddresses {
		return l, fmt.Errorf("%d addresses, LuCI takes %d", n, maxAddresses)
	}
	for _, text := range f[8:] {
		p, err := netip.ParsePrefix(text)
		if err != nil || !p.Addr().Is6() || p.Bits() != l.Length || p != p.Masked() {
			return l, fmt.Errorf("address %q is none of /%d", text, l.Length)
		}
		l.Addresses = append(l.Addresses, p.Addr())
	}
	return l, nil
}

// plain reports whether a field consists of letters, digits, '.', '_', '-' and \xNN.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '.', c == '_', c == '-':
		case c == '\\' && len(s) >= i+4 && s[i+1] == 'x' && strings.Trim(s[i+2:i+4], "0123456789abcdef") == "":
			i += 3
		default:
			return false
		}
	}
	return s != ""
}
