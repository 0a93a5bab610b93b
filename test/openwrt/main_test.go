package openwrt

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"lan6d/netif/netnstest"
)

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		becomeRoot()
	}
	netnstest.Main(m)
}

// becomeRoot runs the tests in a user namespace that has all the users which they need.
func becomeRoot() {
	exe, err := os.Executable()
	if err == nil {
		cmd := exec.Command("unshare", append([]string{"--map-root-user", "--map-auto", exe}, os.Args[1:]...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		err = cmd.Run()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "NO TEST OF THIS PACKAGE HAS RUN:", err)
		os.Exit(1)
	}
	if err == nil {
		os.Exit(0)
	}
	os.Exit(exit.ExitCode())
}
