// Package journal keeps lease records in files. What a record says is package lease's affair: here a file is
// lease.Header and the framed records behind it. It changes in two ways only, each of which a power failure can
// interrupt at any octet: as a whole, by a new file that takes its name, and by records that are appended.
package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/tinyfmt"
)

// A journal below this length is not worth a compaction, however much of it is out of date.
const minGrown = 64 << 10

// In a file system that is almost full, a compaction that spares so many octets is worth it, too.
const (
	slack = 8 << 10
	page  = 4 << 10
)

var errClosed = errors.New("journal is closed")

// A Journal is a file of records that is open for more of them. One goroutine owns it.
type Journal struct {
	path   string
	sync   bool
	file   *os.File // nil once closed
	fresh  int64    // octets in the file when it was last written as a whole
	size   int64    // octets in the file, all of them whole records
	looked int64    // size when the room left was looked at last
	failed error    // why nothing can be appended until the next Rewrite
}

// Create replaces the file by content, as Save does, and opens it for more records. With sync, the disk has what is
// appended when Append returns.
func Create(path string, content []byte, sync bool) (*Journal, error) {
	f, err := replace(path, content)
	if err != nil {
		if f != nil {
			f.Close()
		}
		return nil, err
	}
	j := &Journal{path: path, sync: sync}
	j.adopt(f, content)
	return j, nil
}

// SetSync changes what Create was told of sync.
func (j *Journal) SetSync(sync bool) { j.sync = sync }

// Append writes records, framed as package lease does it, to the end of the file: all of them, or none if it returns an
// error. After an error it writes nothing more and returns the same error, until Rewrite has made a new file.
func (j *Journal) Append(records []byte) error {
	if j.failed != nil || len(records) == 0 {
		return j.failed
	}
	_, err := j.file.Write(records) // one write(2), unless the kernel takes only a part
	if err == nil && j.sync {
		err = j.flush()
	}
	if err != nil {
		j.fail(err)
		return j.failed
	}
	j.size += int64(len(records))
	return nil
}

// Rewrite replaces the file by content, as Save does; what is appended next goes behind that. It heals a journal to
// which Append failed. If it fails itself, the old file stays and is appended to as before. But if only the directory
// cannot be synced, the new file is in place, and Append fails until another Rewrite.
func (j *Journal) Rewrite(content []byte) error {
	if j.file == nil {
		return j.failed
	}
	f, err := replace(j.path, content)
	if f == nil {
		return err
	}
	// The old file is out of reach now: not even its errors matter any more.
	j.file.Close()
	j.adopt(f, content)
	j.failed = err // the name may still be the old file's after a power failure, so what is appended may be lost
	return err
}

// Grown tells whether the file has become so long that a Rewrite is worth it: longer than twice what the last Create or
// Rewrite wrote, and longer than 64 KiB; or so long that there is hardly room for a new file beside it.
func (j *Journal) Grown() bool {
	return j.size > 2*j.fresh && j.size > minGrown || j.size > j.fresh+slack && j.cramped()
}

// cramped tells whether the file system has hardly room for another file of that length. It looks once for each page.
func (j *Journal) cramped() bool {
	if j.size < j.looked+page {
		return false
	}
	j.looked = j.size
	var fs unix.Statfs_t
	err := unix.Fstatfs(int(j.file.Fd()), &fs)
	return err == nil && int64(fs.Bavail)*int64(fs.Bsize) < j.size+slack
}

// Err returns why nothing can be appended until the next Rewrite; nil: something can.
func (j *Journal) Err() error { return j.failed }

// Size returns the length of the file in octets, lease.Header included.
func (j *Journal) Size() int64 {
	return j.size
}

// Close closes the file. After that Append and Rewrite only return an error.
func (j *Journal) Close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file, j.failed = nil, tinyfmt.Errorf("%s: %w", j.path, errClosed)
	return err
}

// adopt makes f, which has just been written with content, the journal's file.
func (j *Journal) adopt(f *os.File, content []byte) {
	j.file, j.failed = f, nil
	j.size = int64(len(orHeader(content)))
	j.fresh, j.looked = j.size, j.size
}

// flush waits until the disk has the records, and the length of the file with them. File.Sync would wait for the file's
// times, too.
func (j *Journal) flush() error {
	for {
		err := unix.Fdatasync(int(j.file.Fd()))
		if err == nil {
			return nil
		}
		if err != unix.EINTR {
			return tinyfmt.Errorf("sync %s: %w", j.path, err)
		}
	}
}

// fail takes back what Append may have written of records. The kernel reports a failed sync only once, and a part that
// could not be taken back would spoil what comes behind it: so nothing is tried again on this file.
func (j *Journal) fail(err error) {
	j.failed = tinyfmt.Errorf("append to the journal: %w", err)
	if err := j.file.Truncate(j.size); err != nil {
		j.failed = tinyfmt.Errorf("%w; take it back: %w", j.failed, err)
	}
}

// orHeader returns content, or an empty journal for none: records without a header in front would be lost.
func orHeader(content []byte) []byte {
	if len(content) == 0 {
		return []byte(lease.Header)
	}
	return content
}
