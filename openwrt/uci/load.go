package uci

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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
		return nil, nil, fmt.Errorf("package name %s: %s", quote(name), packageRule)
	}
	pkg, problems, err := d.committed(name)
	if err != nil || d.Delta == "" {
		return pkg, problems, err
	}
	delta := filepath.Join(d.Delta, name)
	text, err := read(delta)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		problems = append(problems, Problem{Pos{File: delta}, "pending changes are left out: " + cause(err)})
	default:
		problems = append(problems, pkg.Apply(delta, text)...)
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
	text, err := read(file)
	if err != nil {
		return nil, nil, err
	}
	pkg, problems := Parse(file, text)
	return pkg, problems, nil
}

// read returns a file's text, cut where it is longer than the parser takes.
func read(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for a writer
		return nil, &fs.PathError{Op: "read", Path: file, Err: errors.New("not a regular file")}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxSize+1))
}

// cause returns an error without the path, which the problem names already.
func cause(err error) string {
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return err.Error()
}
