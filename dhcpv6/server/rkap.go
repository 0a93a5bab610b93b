package server

import (
	"encoding/binary"

	"lan6d/dhcpv6"
)

// The Reconfiguration Key Authentication Protocol (section 20.4): a key travels to the client once, in the clear, and
// from then on the digest of each Reconfigure message shows that its sender knows it.

// Fields of the Authentication option (section 21.11) and of the authentication information (section 20.4.1).
const (
	rkapProtocol  = 3
	rkapAlgorithm = 1 // HMAC-MD5
	rkapMonotonic = 0 // replay detection method: a number that only grows
	rkapKey       = 1 // type: the key
	rkapDigest    = 2 // type: the digest of the message
)

// reconfigureKey is the key of a client.
type reconfigureKey [md5Size]byte

// writeAuth appends an Authentication option. Value is the key, or the digest of the message.
func writeAuth(w *dhcpv6.Writer, replay uint64, kind uint8, value [md5Size]byte) {
	b := [12 + md5Size]byte{rkapProtocol, rkapAlgorithm, rkapMonotonic, 11: kind}
	binary.BigEndian.PutUint64(b[3:], replay)
	copy(b[12:], value[:])
	w.Option(dhcpv6.OptionAuth, b[:])
}

// hmacMD5 is the HMAC-MD5 of RFC 2104, for keys no longer than a block.
func hmacMD5(key *reconfigureKey, message []byte) [md5Size]byte {
	inner := md5Sum(append(hmacPad(key, 0x36, len(message)), message...))
	return md5Sum(append(hmacPad(key, 0x5c, len(inner)), inner[:]...))
}

// hmacPad is a block of padding with the key in it, with room for n octets and those that md5Sum appends.
func hmacPad(key *reconfigureKey, with byte, n int) []byte {
	b := make([]byte, md5Block, md5Block+n+72)
	copy(b, key[:])
	for i := range b {
		b[i] ^= with
	}
	return b
}
