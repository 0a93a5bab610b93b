package lease

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"

	"lan6d/dhcpv6/tinyfmt"
)

// What is kept of a table over a restart is a sequence of octets: Header, then records, each of them
//
//	length   2 octets   of body, at least 1
//	checksum 4 octets   CRC-32C of length and body
//	body                a type and what it needs, see record.go
//
// in network byte order. A record that is cut short or damaged, and all behind it, counts for nothing.
const (
	// Header begins every file of records; the number is the version of all that follows.
	Header = headerName + "1\n"

	headerName = "lan6d journal "
	frameHead  = 2 + 4
	maxBody    = 1<<16 - 1
)

// What can be wrong with a sequence of records as such.
var (
	ErrNotRecords = errors.New("not a journal of lan6d")
	ErrVersion    = errors.New("a journal of another version")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// beginRecord appends room for a record's frame and returns the index that endRecord wants.
func beginRecord(b []byte) ([]byte, int) {
	return append(b, 0, 0, 0, 0, 0, 0), len(b)
}

// endRecord completes the record that began at start. One that is too long is taken back.
func endRecord(b []byte, start int) []byte {
	body := b[start+frameHead:]
	if len(body) > maxBody {
		return b[:start]
	}
	binary.BigEndian.PutUint16(b[start:], uint16(len(body)))
	binary.BigEndian.PutUint32(b[start+2:], checksum(b[start:start+2], body))
	return b
}

func checksum(length, body []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, length), castagnoli, body)
}

// Whole returns how many of the octets, Header included, are whole records. The error says what is wrong with the rest:
// ErrNotRecords or ErrVersion if it is not even a beginning, when the number is 0.
func Whole(b []byte) (n int, err error) {
	if !strings.HasPrefix(string(b[:min(len(b), len(Header))]), Header) {
		if len(b) > len(headerName) && string(b[:len(headerName)]) == headerName {
			return 0, ErrVersion
		}
		return 0, ErrNotRecords
	}
	n = len(Header)
	for n < len(b) {
		body, err := cutRecord(b[n:])
		if err != nil {
			return n, tinyfmt.Errorf("octet %d: %w", n, err)
		}
		n += frameHead + len(body)
	}
	return n, nil
}

var (
	errCutShort = errors.New("record cut short")
	errChecksum = errors.New("record with a wrong checksum")
)

// cutRecord returns the body of the first record in b.
func cutRecord(b []byte) (body []byte, err error) {
	if len(b) < frameHead {
		return nil, errCutShort
	}
	length := int(binary.BigEndian.Uint16(b))
	if len(b) < frameHead+length {
		return nil, errCutShort
	}
	body = b[frameHead : frameHead+length]
	if length == 0 || checksum(b[:2], body) != binary.BigEndian.Uint32(b[2:]) {
		return nil, errChecksum
	}
	return body, nil
}
