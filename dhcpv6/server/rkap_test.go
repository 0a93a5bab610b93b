package server_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"testing"

	"lan6d/dhcpv6/server"
)

// The digests are those of the standard library, for messages of all lengths around the ends of blocks.
func TestHMACMD5(t *testing.T) {
	key := [16]byte{0xfe, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff}
	for n := range 400 {
		b := bytes.Repeat([]byte{0xab, 0x01, 0x80}, n)[:n]
		if got, want := server.MD5(bytes.Clone(b)), md5.Sum(b); got != want {
			t.Errorf("MD5 of %d octets: %x, want %x", n, got, want)
		}
		mac := hmac.New(md5.New, key[:])
		mac.Write(b)
		if got := server.HMACMD5(key, b); !bytes.Equal(got[:], mac.Sum(nil)) {
			t.Errorf("HMAC-MD5 of %d octets: %x, want %x", n, got, mac.Sum(nil))
		}
	}
}
