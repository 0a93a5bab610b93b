package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"lan6d/openwrt/uci"
)

// uciCommand stands in for the program uci, with the commands that the scripts and the tests use. Changes are kept in
// /tmp/.uci until they are committed, which writes the file anew, without its comments, and keeps its mode.
func uciCommand(args []string, out, errout io.Writer) int {
	c := uciCall{out: out}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		c.quiet, c.names = c.quiet || args[0] == "-q", c.names || args[0] == "-n"
		args = args[1:]
	}
	argument := ""
	if len(args) > 1 {
		argument = args[1]
	}
	err := fmt.Errorf("no such command: %q", args)
	if len(args) > 0 && len(args) < 3 {
		err = c.run(args[0], argument)
	}
	if err != nil && !c.quiet {
		fmt.Fprintln(errout, "uci:", err)
	}
	if err != nil {
		return 1
	}
	return 0
}

type uciCall struct {
	out          io.Writer
	quiet, names bool
}

func (c *uciCall) run(command, argument string) error {
	path, value, _ := strings.Cut(argument, "=")
	quoted := "='" + strings.ReplaceAll(value, "'", `'\''`) + "'\n"
	switch command {
	case "get":
		return c.get(path)
	case "set":
		return change(path, path+quoted)
	case "delete":
		return change(path, "-"+path+"\n")
	case "reorder":
		return change(path, "^"+path+quoted)
	case "export":
		pkg, err := load(argument)
		if err == nil {
			fmt.Fprintf(c.out, "package %s\n%s", pkg.Name, export(pkg, c.names))
		}
		return err
	case "commit":
		return commit(argument)
	}
	return fmt.Errorf("no such command: %q", command)
}

// load is strict, as libuci is.
func load(name string) (*uci.Package, error) {
	pkg, problems, err := uci.SystemDirs().Load(name)
	if len(problems) > 0 && err == nil {
		err = problems[0]
	}
	return pkg, err
}

func (c *uciCall) get(path string) error {
	parts := strings.Split(path, ".")
	pkg, err := load(parts[0])
	if err != nil {
		return err
	}
	for _, s := range pkg.Sections {
		if s.Name != parts[1] && parts[1] != "@"+s.Type+"[0]" {
			continue
		}
		if len(parts) == 2 {
			fmt.Fprintln(c.out, s.Type)
			return nil
		}
		if o := s.Get(parts[2]); o != nil {
			fmt.Fprintln(c.out, strings.Join(o.Values, " "))
			return nil
		}
	}
	return fmt.Errorf("%s: Entry not found", path)
}

func deltaOf(name string) string { return filepath.Join(uci.SystemDirs().Delta, name) }

// change adds a line to the changes that are not yet committed, if it can be carried out.
func change(path, line string) error {
	name, _, _ := strings.Cut(path, ".")
	if _, err := load(name); err != nil {
		return err
	}
	if err := os.MkdirAll(uci.SystemDirs().Delta, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(deltaOf(name), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteString(line); err != nil {
		return err
	}
	_, err = load(name)
	return err
}

// commit writes the file of that name, or all, if there are changes.
func commit(name string) error {
	if name == "" {
		changed, _ := os.ReadDir(uci.SystemDirs().Delta)
		for _, f := range changed {
			if err := commit(f.Name()); err != nil {
				return err
			}
		}
		return nil
	}
	if delta, err := os.ReadFile(deltaOf(name)); err != nil || len(delta) == 0 {
		return nil
	}
	pkg, err := load(name)
	if err != nil {
		return err
	}
	path := filepath.Join(uci.SystemDirs().Config, name)
	temporary := filepath.Join(uci.SystemDirs().Config, "."+name+".uci-123456")
	stat, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(temporary, []byte(export(pkg, false)), 0o600); err != nil {
		return err
	}
	if err := os.Chmod(temporary, stat.Mode()); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return os.Truncate(deltaOf(name), 0)
}

// export is a package as libuci writes it.
func export(pkg *uci.Package, names bool) string {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	var b strings.Builder
	for _, s := range pkg.Sections {
		b.WriteString("\nconfig " + s.Type)
		if names || !s.Anonymous {
			b.WriteString(" " + quote(s.Name))
		}
		b.WriteString("\n")
		for _, o := range s.Options {
			keyword := "option"
			if o.List {
				keyword = "list"
			}
			for _, v := range o.Values {
				b.WriteString("\t" + keyword + " " + o.Name + " " + quote(v) + "\n")
			}
		}
	}
	return b.String() + "\n"
}
