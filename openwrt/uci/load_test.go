package uci

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// tempDirs returns directories of a test's own, with the given files: "config/dhcp", "shadow/dhcp", "delta/dhcp".
func tempDirs(t *testing.T, files map[string]string) Dirs {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"config", "shadow", "delta"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Dirs{filepath.Join(root, "config"), filepath.Join(root, "shadow"), filepath.Join(root, "delta")}
}

func TestLoad(t *testing.T) {
	const file, delta = "config t n\noption a 1\n", "dhcp.n.b='2'\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"file", map[string]string{"config/dhcp": file}, "t n: a=1"},
		{"pending changes count", map[string]string{"config/dhcp": file, "delta/dhcp": delta}, "t n: a=1 b=2"},
		{"shadow beats file", map[string]string{"config/dhcp": file, "shadow/dhcp": "config t s"}, "t s:"},
		{"shadow gets the changes", map[string]string{"shadow/dhcp": "config t n", "delta/dhcp": delta}, "t n: b=2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pkg, problems, err := tempDirs(t, tt.files).Load("dhcp")
			if err != nil {
				t.Fatal(err)
			}
			checkProblems(t, problems, nil)
			checkDump(t, pkg, tt.want)
		})
	}
}

func TestLoadProblems(t *testing.T) {
	d := tempDirs(t, map[string]string{"config/dhcp": "config t n\nx\n", "delta/dhcp": "dhcp.m.a='1'"})
	pkg, problems, err := d.Load("dhcp")
	if err != nil || len(problems) != 2 || pkg.Name != "dhcp" {
		t.Fatalf("got %v, %v", problems, err)
	}
	for i, want := range []string{d.Config + "/dhcp:2: unknown keyword", d.Delta + `/dhcp:1: no section "m"`} {
		if !strings.HasPrefix(problems[i].Error(), want) {
			t.Errorf("got %v, want %s", problems[i], want)
		}
		if problems[i].Pending != (i == 1) {
			t.Errorf("%v: pending %v", problems[i], problems[i].Pending)
		}
	}
}

func TestLoadUnreadableChanges(t *testing.T) {
	d := tempDirs(t, map[string]string{"config/dhcp": "config t n"})
	if err := os.Mkdir(filepath.Join(d.Delta, "dhcp"), 0o700); err != nil {
		t.Fatal(err)
	}
	pkg, problems, err := d.Load("dhcp")
	if err != nil {
		t.Fatal(err)
	}
	checkDump(t, pkg, "t n:")
	checkProblems(t, problems, []string{"0: pending changes are left out: not a regular file"})
	if !problems[0].Pending {
		t.Error("the problem is not with the committed file")
	}
}

func TestLoadPath(t *testing.T) {
	d := tempDirs(t, map[string]string{"config/dhcp": "config t n", "delta/dhcp": "dhcp.n.a='1'"})
	pkg, _, err := d.Load(d.Config + "/dhcp")
	if err != nil {
		t.Fatal(err)
	}
	checkDump(t, pkg, "t n:")
	t.Chdir(d.Config)
	if _, _, err := d.Load("./dhcp"); err != nil {
		t.Error(err)
	}
}

func TestLoadErrors(t *testing.T) {
	d := tempDirs(t, nil)
	if _, _, err := d.Load("dhcp"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
	for _, name := range []string{"", "..", "../dhcp", "a.b", "a/b", "a\x00"} {
		if _, _, err := d.Load(name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("name %q: got %v", name, err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(d.Config, "dhcp"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Load("dhcp"); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("pipe: got %v", err)
	}
	if err := os.WriteFile(filepath.Join(d.Shadow, "dhcp"), make([]byte, MaxSize+9), 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems, err := d.Load("dhcp")
	if err != nil {
		t.Fatal(err)
	}
	checkProblems(t, problems, []string{"0: file too large"})
}

func TestSystemDirs(t *testing.T) {
	if d := SystemDirs(); d != (Dirs{"/etc/config", "/var/run/uci", "/tmp/.uci"}) {
		t.Errorf("got %+v", d)
	}
}
