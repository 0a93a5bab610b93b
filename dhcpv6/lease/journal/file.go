package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/tinyfmt"
)

// What of package os looks at files (ReadFile, Rename, Stat) brings their times, and with them all of package time's
// formats: 37 KB on a router. So this file asks the kernel itself.

const (
	maxFile = 256 << 20 // no router has memory for a longer one
	maxBad  = 9         // files set aside, besides the first
)

var (
	errTooLong    = errors.New("longer than 256 MiB")
	errNotRegular = errors.New("not a regular file")
	errTorn       = errors.New("torn when it was made, the header is not complete")
)

// Load returns what is in a file: lease.Header and the whole records behind it, or nil if there are none to be had. No
// such file is no problem. Anything else than a whole journal is, but none that keeps a server from starting: a tail
// that is cut short or damaged is ignored, and a file that is no journal, or one of another version, is set aside as
// path.bad, or path.bad.1 to path.bad.9 if that is taken.
func Load(path string) (content []byte, problem error) {
	b, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, errTooLong):
		return nil, setAside(path, err)
	case err != nil:
		// The part that could be read is worth keeping, but whether the file is a journal cannot be told from it.
		n, _ := lease.Whole(b)
		if n == 0 {
			return nil, err
		}
		return b[:n], tinyfmt.Errorf("%w: only the first %d octets are used", err, n)
	case len(b) < len(lease.Header) && strings.HasPrefix(lease.Header, string(b)):
		return nil, tinyfmt.Errorf("%s: %w: %d of %d octets", path, errTorn, len(b), len(lease.Header))
	}
	n, err := lease.Whole(b)
	if n == 0 {
		return nil, setAside(path, err)
	}
	if err != nil {
		return b[:n], tinyfmt.Errorf("%s: %w: %d octets from there on are ignored", path, err, len(b)-n)
	}
	return b, nil
}

// Save replaces the file by content, or by an empty journal if there is none. Whenever the power fails, the file is
// either the old one or the new one, and the new one once Save has returned nil. After an error it is the old one, with
// one exception: when all is written and only the directory cannot be synced, it is the new one.
func Save(path string, content []byte) error {
	f, err := replace(path, content)
	if f != nil {
		f.Close() // all is on the disk already
	}
	return err
}

// replace does what Save does, and returns the new file, open for appending. A file with an error is in place, but may
// not be after a power failure.
func replace(path string, content []byte) (*os.File, error) {
	// The directory comes first: if it cannot be opened, better know before the old file is gone.
	dir, err := os.OpenFile(filepath.Dir(path), os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	temporary := path + ".tmp"
	f, err := create(temporary, orHeader(content))
	if err != nil {
		return nil, err
	}
	if err := unix.Rename(temporary, path); err != nil {
		f.Close()
		unix.Unlink(temporary)
		return nil, tinyfmt.Errorf("rename %s to %s: %w", temporary, path, err)
	}
	// EINVAL: the file system has no such thing, so there is nothing to wait for.
	if err := dir.Sync(); err != nil && !errors.Is(err, unix.EINVAL) {
		return f, err
	}
	return f, nil
}

// create makes a new file with that content, which the disk has when it returns. There is no file after an error.
func create(path string, content []byte) (*os.File, error) {
	// One that an earlier process left may have other permissions, or be a link to elsewhere. If it cannot be removed,
	// opening it tells.
	unix.Unlink(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		f.Close()
		unix.Unlink(path)
		return nil, err
	}
	return f, nil
}

// read returns what is in a file: with an error, the part before it.
func read(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a FIFO must not keep a start waiting
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, tinyfmt.Errorf("stat %s: %w", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, tinyfmt.Errorf("%s: %w", path, errNotRegular)
	}
	if st.Size > maxFile {
		return nil, errTooLong
	}
	// Of exactly that length: a buffer that grows takes twice the memory.
	b := make([]byte, st.Size)
	n, err := io.ReadFull(f, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil // the file has become shorter since, which is as good as torn
	}
	return b[:n], err
}

// setAside renames a file that is no journal, for the reason given, so that a new one does not destroy it.
func setAside(path string, reason error) error {
	bad := badName(path)
	if err := unix.Rename(path, bad); err != nil {
		return tinyfmt.Errorf("%s: %w: set it aside as %s: %w", path, reason, bad, err)
	}
	return tinyfmt.Errorf("%s: %w: set aside as %s", path, reason, bad)
}

// badName returns the first name for a file set aside that is not taken, else the last one: the file that someone may
// still want to look at is the one with which the trouble began.
func badName(path string) string {
	name := path + ".bad"
	var st unix.Stat_t
	for i := 1; i <= maxBad && unix.Lstat(name, &st) == nil; i++ {
		name = path + ".bad." + strconv.Itoa(i)
	}
	return name
}
