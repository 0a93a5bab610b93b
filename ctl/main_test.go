package ctl

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// runVariable makes of the test's program the command line of the control channel, with the arguments in it, one a line.
const runVariable = "CTL_TEST_ARGUMENTS"

func TestMain(m *testing.M) {
	if args, ok := os.LookupEnv(runVariable); ok {
		os.Exit(Run(strings.Split(args, "\n"), "lan6d ctl", os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// program is lan6d ctl as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), runVariable+"="+strings.Join(args, "\n"))
	return cmd
}

// ctl runs lan6d ctl in this process.
func ctl(args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = Run(args, "lan6d ctl", nil, &out, &err)
	return status, out.String(), err.String()
}

// asSomebody runs lan6d ctl as a user who is neither root nor this one, if this one is root; else as this one.
func asSomebody(t *testing.T, args ...string) (status int, stderr string) {
	t.Helper()
	// A copy of the program where everybody may run it.
	dir := shortDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := program(t, args...)
	content, err := os.ReadFile(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Dir = dir+"/ctl", "/"
	if err := os.WriteFile(cmd.Path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4711, Gid: 4711}}
	}
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}
