package openwrt

import (
	"fmt"
	"testing"
)

const twoUsers = `
config odhcpd 'lan6d'
	option leasefile '/tmp/lan6d.leases'

config odhcpd 'odhcpd'
	option leasefile '/tmp/odhcpd.leases'
	option hostsdir '/tmp/hosts'
`

// lan6d and odhcpd, each as its own user, replace their files in the directory of the hosts files and in /tmp, whichever
// starts first, is started or reloaded again, or ran as root before.
func TestTwoUsers(t *testing.T) {
	for _, tt := range []struct {
		name  string
		order []string
	}{
		{"lan6d first", []string{"lan6d start", "odhcpd start"}},
		{"odhcpd first", []string{"odhcpd start", "lan6d start"}},
		{"again", []string{"odhcpd start", "lan6d start", "odhcpd reload", "lan6d reload", "odhcpd start"}},
		{"and the other way", []string{"lan6d start", "odhcpd start", "lan6d reload", "odhcpd reload", "lan6d start"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRouter(t)
			r.write("etc/config/dhcp", twoUsers, 0o600)
			r.write("etc/config/lan6d", "config lan6d 'daemon'\n\toption leasefile '/tmp/lan6d.leases'\n", 0o600)
			for _, file := range []string{"tmp/lan6d.leases", "tmp/odhcpd.leases", "tmp/.lan6d.tmp", "tmp/hosts/lan6d.hosts.lan", "tmp/hosts/.lan6d.tmp"} {
				r.write(file, "left by root\n", 0o644)
			}
			r.write("tmp/answer", "", 0o644)
			for _, action := range tt.order {
				r.run("sh", "-c", "/etc/init.d/"+action)
			}
			for round := range 2 {
				text := fmt.Sprint("round ", round)
				for _, owner := range []struct {
					name string
					user uint32
				}{{"lan6d", lan6dUser}, {"odhcpd", odhcpdUser}} {
					for _, file := range []string{"/tmp/" + owner.name + ".leases", "/tmp/hosts/" + owner.name + ".hosts.lan"} {
						if out, status := r.tryAs(owner.user, "replace", owner.name, file, text); status != 0 {
							t.Errorf("round %d: %s cannot replace %s: %s", round, owner.name, file, out)
						} else if r.read(file) != text {
							t.Errorf("%s holds %q", file, r.read(file))
						}
					}
				}
			}
			// Nor can they touch each other's.
			if _, status := r.tryAs(odhcpdUser, "replace", "odhcpd", "/tmp/hosts/lan6d.hosts.lan", "odhcpd's"); status == 0 {
				t.Error("odhcpd has replaced a file of lan6d's")
			}
			if got := r.owner("tmp/hosts"); got != "root 1777" {
				t.Errorf("/tmp/hosts: %s", got)
			}
		})
	}
}

// Where odhcpd is root's, nobody but lan6d gets the directory of the hosts files.
func TestHostsDirectoryIsNotSharedWithoutNeed(t *testing.T) {
	r := newRouter(t)
	r.users("lan6d")
	r.write("etc/config/dhcp", twoUsers, 0o600)
	r.run("sh", "-c", "/etc/init.d/odhcpd start; /etc/init.d/lan6d start")
	if got := r.owner("tmp/hosts"); got != "lan6d 0755" {
		t.Errorf("/tmp/hosts: %s", got)
	}
	if out, status := r.tryAs(lan6dUser, "replace", "lan6d", "/tmp/hosts/lan6d.hosts.lan", "x"); status != 0 {
		t.Error(out)
	}
}
