package ctl

import (
	"bytes"
	"errors"
	"os"
	"time"
)

var errTooLong = errors.New("line too long")

// lines reads lines from a connection.
type lines struct {
	file *os.File
	max  int    // octets in a line
	buf  []byte // has room for what is read
	rest []byte // of buf: read, and not taken yet
}

// next waits for a line, and returns it without its end. The first octet has to come within idle, and the end within
// whole after that; 0: whenever.
func (l *lines) next(idle, whole time.Duration) (string, error) {
	for seen := 0; ; {
		if i := bytes.IndexByte(l.rest[seen:], '\n'); i >= 0 {
			line := string(l.rest[:seen+i])
			l.rest = l.rest[seen+i+1:]
			return line, nil
		}
		wait := seen == 0
		seen = len(l.rest)
		if seen > l.max {
			return "", errTooLong
		}
		if seen == 0 {
			l.file.SetReadDeadline(deadline(idle))
		} else if wait {
			l.file.SetReadDeadline(deadline(whole))
		}
		if err := l.fill(); err != nil {
			return "", err
		}
	}
}

// fill reads what there is, or waits for something.
func (l *lines) fill() error {
	switch size := len(l.buf); {
	case len(l.rest) == 0 && size != minLine: // also when the long line that it was made for is gone
		l.buf = make([]byte, minLine)
	case len(l.rest) == size:
		l.buf = make([]byte, 2*size)
	}
	n := copy(l.buf, l.rest)
	more, err := l.file.Read(l.buf[n:min(len(l.buf), l.max+1)])
	l.rest = l.buf[:n+more]
	return err
}

// minLine is room for most requests.
const minLine = 2048

func deadline(d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}
