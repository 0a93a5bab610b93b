package tinyfmt

import (
	"errors"
	"strconv"
)

var errHex = errors.New("not an even number of hexadecimal digits")

// ParseHex is hex.DecodeString, whose errors would bring package fmt.
func ParseHex(s string) ([]byte, error) {
	if len(s)%2 != 0 {
		return nil, errHex
	}
	b := make([]byte, len(s)/2)
	for i := range b {
		digits := s[2*i : 2*i+2]
		n, err := strconv.ParseUint(digits, 16, 8)
		if err != nil {
			return nil, errHex
		}
		b[i] = byte(n)
	}
	return b, nil
}
