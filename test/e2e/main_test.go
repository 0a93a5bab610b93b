package e2e

import (
	"flag"
	"testing"

	"lan6d/netif/netnstest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait for clients far more than they compute: without more than a test for each processor at a time they
	// would take many minutes.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		f.Value.Set("24")
	}
	netnstest.Main(m)
}
