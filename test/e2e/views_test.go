package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lan6d/openwrt/openwrttest"
)

// TestFiles: the lease file and the hosts file tell of what a client got, as LuCI reads them, and the trigger has run;
// after the release they are empty.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	trigger := filepath.Join(dir, "trigger")
	if err := os.WriteFile(trigger, []byte("#!/bin/sh\necho run >>"+trigger+".runs\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "hosts", "leases")
	r := newRouter(t, config+"\nconfig odhcpd 'odhcpd'\n\toption leasefile '"+file+"'\n\toption hostsdir '"+filepath.Dir(file)+
		"'\n\toption leasetrigger '"+trigger+"'\n")
	c, had := leaseholder(t, r)
	read := func(name string) string {
		b, _ := os.ReadFile(name)
		return string(b)
	}
	var leases []openwrttest.Lease
	eventually(t, 5*time.Second, "the leases in the file", func() bool {
		leases, _ = openwrttest.ParseLeaseFile(read(file), time.Now().Unix())
		return len(leases) == 2
	})
	for i, code := range []uint16{optIANA, optIAPD} {
		for _, l := range had.leases(code) {
			if line := strings.Split(read(file), "\n")[i]; !strings.Contains(line, " "+l.prefix.Addr().String()+"/") {
				t.Errorf("%v is not in %q", l.prefix, line)
			}
		}
	}
	if leases[0].Device != "lan0" || leases[0].Expires <= 0 {
		t.Errorf("lease %+v", leases[0])
	}
	eventually(t, 5*time.Second, "the trigger's run", func() bool { return read(trigger+".runs") != "" })
	if _, err := os.Stat(filepath.Join(dir, "hosts", "lan6d.hosts.lan")); err != nil {
		t.Error(err)
	}
	c.client.release()
	eventually(t, 8*time.Second, "an empty file", func() bool { return read(file) == "" })
}
