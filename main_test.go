package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs lan6d in this process.
func command(args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = run(append([]string{"/usr/sbin/lan6d"}, args...), &out, &err)
	return status, out.String(), err.String()
}

// configDir makes a configuration directory with a file dhcp of that content.
func configDir(t *testing.T, dhcp string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dhcp"), []byte(dhcp), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCommandLine(t *testing.T) {
	empty := t.TempDir()
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		stdout string // what it must contain
		stderr string
	}{
		{"help", []string{"-h"}, 0, "Usage:", ""},
		{"long help", []string{"--help"}, 0, "Usage:", ""},
		{"help command", []string{"help"}, 0, "Usage:", ""},
		{"help of check", []string{"check", "-h"}, 0, "lan6d check [-c DIR]", ""},
		{"help of version", []string{"version", "-h"}, 0, "prints the version", ""},
		{"help of ctl", []string{"ctl", "-h"}, 0, "lan6d ctl COMMAND", ""},
		{"no daemon", []string{"ctl", "-d", empty, "status"}, 3, "", "lan6d ctl: lan6d is not running: nobody listens on " + empty + "/ctl.sock"},
		{"version", []string{"version"}, 0, "lan6d devel linux/", ""},
		{"unknown command", []string{"serve"}, 2, "", `there is no command "serve"; the commands are check, ctl and version`},
		{"unknown option", []string{"-x"}, 2, "", "there is no option -x (lan6d -h tells what is allowed)"},
		{"unknown option of check", []string{"check", "-S"}, 2, "", "there is no option -S (lan6d check -h tells"},
		{"value missing", []string{"-c"}, 2, "", "option -c needs a value"},
		{"value empty", []string{"-i", ""}, 2, "", "option -i needs a value"},
		{"value for a flag", []string{"-Sx"}, 2, "", "there is no option -Sx"},
		{"stray argument", []string{"-S", "lan"}, 2, "", `unexpected argument "lan"`},
		{"bad level", []string{"-l", "loud"}, 2, "", "-l:"},
		{"no such directory", []string{"check", "-c", "/nonexistent"}, 1, "", "-c: directory /nonexistent: no such file or directory"},
		{"no configuration", []string{"check", "-c", empty}, 1, "", "there is no configuration: neither " + empty + "/dhcp nor"},
		{"no configuration, daemon", []string{"-c", empty, "-d", empty}, 1, "", "there is no configuration"},
		{"built-in configuration", []string{"check", "-c", empty, "-i", "eth7"}, 0, "eth7", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := command(tt.args...)
			if status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			if !strings.Contains(stdout, tt.stdout) || (tt.stdout == "") != (stdout == "") {
				t.Errorf("standard output %q, want %q in it", stdout, tt.stdout)
			}
			if !strings.Contains(stderr, tt.stderr) || (tt.stderr == "") != (stderr == "") {
				t.Errorf("standard error %q, want %q in it", stderr, tt.stderr)
			}
		})
	}
}

// TestLink: as lan6ctl, the program is lan6d ctl.
func TestLink(t *testing.T) {
	for _, name := range []string{"lan6ctl", "/usr/sbin/lan6ctl", "./lan6ctl"} {
		var out, err bytes.Buffer
		if status := run([]string{name, "-h"}, &out, &err); status != 0 || !strings.Contains(out.String(), "  lan6ctl COMMAND [options]") {
			t.Errorf("%s -h: status %d, %s%s", name, status, &out, &err)
		}
		if status := run([]string{name, "check", "-d", t.TempDir()}, &out, &err); status != 3 || !strings.HasPrefix(err.String(), "lan6ctl: ") {
			t.Errorf("%s check: status %d, %s", name, status, &err)
		}
	}
}

func TestCheckTellsAllProblems(t *testing.T) {
	dir := configDir(t, "config dhcp lan\n\toption dhcpv6 server\n\toption dhcpv6_pd_min_len banana\n\toption leasetime 12x\n")
	status, stdout, _ := command("check", "-c", dir)
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	for _, want := range []string{dir + "/dhcp:3: dhcpv6_pd_min_len:", dir + "/dhcp:4: leasetime:", "lan"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("want %q in\n%s", want, stdout)
		}
	}
}

func TestCheckOneInterface(t *testing.T) {
	dir := configDir(t, "config dhcp lan\n\toption dhcpv6 server\nconfig dhcp guest\n\toption dhcpv6 server\n")
	if status, stdout, _ := command("check", "-c", dir, "-i", "guest"); status != 0 || strings.Contains(stdout, "lan (") {
		t.Errorf("status %d, output\n%s", status, stdout)
	}
	status, _, stderr := command("check", "-c"+dir, "-i", "wan")
	if want := `-i: interface "wan": the configuration knows only lan, guest`; status != 1 || !strings.Contains(stderr, want) {
		t.Errorf("status %d, %q, want 1 and %q", status, stderr, want)
	}
}
