package dhcpv6

import (
	"errors"
	"strings"

	"lan6d/dhcpv6/tinyfmt"
)

// Limits of RFC 1035, section 2.3.4, in octets of the wire form.
const (
	MaxNameLength  = 255
	MaxLabelLength = 63
)

// ErrName is the error for a domain name that is not well formed. RFC 9915 allows no compression (section 10), so a
// compression pointer is an error too.
var ErrName = errors.New("malformed domain name")

// AppendName appends the wire form of a domain name given as text: labels separated by dots, an optional final dot. It
// checks lengths, not characters. On error it returns b unchanged.
func AppendName(b []byte, name string) ([]byte, error) {
	out, err := AppendPartialName(b, name)
	if err != nil {
		return b, err
	}
	return append(out, 0), nil
}

// AppendPartialName is AppendName without the root label at the end: RFC 4704 (section 4.2) writes a name that is not
// fully qualified like that.
func AppendPartialName(b []byte, name string) ([]byte, error) {
	out := b
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > MaxLabelLength {
			return b, tinyfmt.Errorf("domain name %q: a label has 1 to %d octets", name, MaxLabelLength)
		}
		out = append(out, byte(len(label)))
		out = append(out, label...)
	}
	if len(out)-len(b) >= MaxNameLength { // no room for the root label
		return b, tinyfmt.Errorf("domain name %q: longer than %d octets", name, MaxNameLength)
	}
	return out, nil
}

// ParseName reads one domain name in wire form from the start of b. It appends the text, labels joined by dots without
// a final dot, to dst and returns what follows the name in b. A name that ends with b instead of with the root label
// is partial (full is false). The octets of a label are taken as they are: a dot, a blank or a newline within one must
// be looked for by the caller. dst is not grown if its capacity is MaxNameLength.
func ParseName(dst, b []byte) (text, rest []byte, full bool, err error) {
	start, size := len(dst), 0
	for len(b) > 0 {
		n := int(b[0])
		if n == 0 {
			return dst, b[1:], true, nil
		}
		size += 1 + n
		if n > MaxLabelLength || n >= len(b) || size >= MaxNameLength {
			return dst[:start], b, false, ErrName
		}
		if len(dst) > start {
			dst = append(dst, '.')
		}
		dst = append(dst, b[1:1+n]...)
		b = b[1+n:]
	}
	return dst, b, false, nil
}
