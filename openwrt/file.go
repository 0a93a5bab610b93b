package openwrt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
)

// What of package os looks at files brings package time's formats, 37 KB on a router, so the kernel is asked directly.

// temporary is the path of a file in the making. Each has its own: others in the directory may be made at the same time.
// dnsmasq skips files whose names begin with a dot.
func temporary(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
}

// ReplaceFile puts a new file with that content in place of what is there, at once, and makes the directory if need be.
// All may read it. After an error the old one is there.
func ReplaceFile(path string, content []byte) error {
	temporary := temporary(path)
	err := writeNew(temporary, content)
	if errors.Is(err, fs.ErrNotExist) {
		if err := MakeDirectory(filepath.Dir(path)); err != nil {
			return err
		}
		err = writeNew(temporary, content)
	}
	if err != nil {
		return err
	}
	if err := unix.Rename(temporary, path); err != nil {
		unix.Unlink(temporary)
		return tinyfmt.Errorf("rename %s: %w", temporary, err)
	}
	return nil
}

// writeNew makes a file that all may read, and returns when the disk has it. There is no file after an error.
func writeNew(path string, content []byte) error {
	// One that an earlier process left may be a link to elsewhere. If it cannot be removed, opening it tells.
	unix.Unlink(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	if err = unix.Fchmod(int(f.Fd()), 0o644); err != nil { // whatever the umask
		err = tinyfmt.Errorf("chmod %s: %w", path, err)
	} else if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		unix.Unlink(path)
	}
	return err
}

// MakeDirectory makes a directory and those above it, where they are missing, for all to read.
func MakeDirectory(dir string) error {
	err := unix.Mkdir(dir, 0o755)
	if parent := filepath.Dir(dir); err == unix.ENOENT && parent != dir {
		if err := MakeDirectory(parent); err != nil {
			return err
		}
		err = unix.Mkdir(dir, 0o755)
	}
	if err == nil || err == unix.EEXIST {
		return nil // if it is no directory, opening a file in it tells
	}
	return tinyfmt.Errorf("make the directory %s: %w", dir, err)
}
