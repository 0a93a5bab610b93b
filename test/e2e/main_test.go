package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"lan6d/netif/netnstest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin") // where Debian has clients and relays
	for program, pkg := range packages {
		if _, err := exec.LookPath(program); err != nil {
			fmt.Fprintf(os.Stderr, "%v: install the Debian package %s, or run test/install.sh test\n", err, pkg)
			os.Exit(1)
		}
	}
	// The tests wait for clients far more than they compute: without more than a test for each processor at a time they
	// would take many minutes.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		f.Value.Set("16")
	}
	netnstest.Main(m)
}
