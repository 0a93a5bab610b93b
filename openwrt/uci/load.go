package uci

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Dirs says where UCI keeps its files. An empty Shadow or Delta means there is no such directory.
type Dirs struct {
	Config string // the files as committed
	Shadow string // a file here beats the one in Config
	Delta  string // changes not yet committed, which count all the same
}

// SystemDirs returns the directories libuci uses.
func SystemDirs() Dirs {
	return Dirs{Config: "/etc/config", Shadow: "/var/run/uci", Delta: "/tmp/.uci"}
}

// Load reads a package by name, with its pending changes. A name that begins with / or ./ is a path: that file is
// read as it is, without any changes.
//
// The error tells that the file could not be read, and wraps fs.ErrNotExist when there is none; without an error the
// package is not nil, however many problems it has. Pending changes that cannot be read are a problem only.
func (d Dirs) Load(name string) (*Package, []Problem, error) {
	if strings.HasPrefix(name, "/") || strings.HasPrefix(name, "./") {
		return load(name)
	}
	if !validPackage(name) {
		return nil, nil, errors.New(invalid("package name", name, packageRule))
	}
	pkg, problems, err := d.committed(name)
	if err != nil || d.Delta == "" {
		return pkg, problems, err
	}
	delta := filepath.Join(d.Delta, name)
	text, err := ReadFile(delta)
	switch {
	case err == nil:
		problems = append(problems, pkg.Apply(delta, text)...)
	case !errors.Is(err, fs.ErrNotExist):
		problems = append(problems, Problem{Pos{File: delta}, "pending changes are left out: " + cause(err), true})
	}
	return pkg, problems, nil
}

func (d Dirs) committed(name string) (*Package, []Problem, error) {
	if d.Shadow != "" {
		pkg, problems, err := load(filepath.Join(d.Shadow, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return pkg, problems, err
		}
	}
	return load(filepath.Join(d.Config, name))
}

func load(file string) (*Package, []Problem, error) {
	text, err := ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	pkg, problems := Parse(file, text)
	return pkg, problems, nil
}

// ReadFile returns the text of a plain file, cut behind MaxSize.
func ReadFile(file string) ([]byte, error) {
	// Opening a pipe would wait for a writer. The kernel itself tells what the file is: os.Stat would bring all formats of
	// time into the binary.
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &stat); err != nil {
		return nil, &fs.PathError{Op: "read", Path: file, Err: err}
	}
	if stat.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return nil, &fs.PathError{Op: "read", Path: file, Err: errors.New("not a regular file")}
	}
	return io.ReadAll(io.LimitReader(f, MaxSize+1))
}

// cause returns an error without the path, which the problem names already.
func cause(err error) string {
	if pathErr, ok := err.(*fs.PathError); ok {
		err = pathErr.Err
	}
	return err.Error()
}
