package e2e

import (
	"strings"
	"syscall"
	"time"
)

// dhcpcd is the client of Roy Marples.
type dhcpcd struct {
	*host
	proc *process
}

func newDhcpcd(h *host) client {
	h.write("/run/e2e/dhcpcd-script", 0o755, "#!/bin/sh\nenv | grep -e dhcp6_ -e reason >>/run/e2e/report\n")
	return &dhcpcd{host: h}
}

func (c *dhcpcd) start(w want) {
	conf := []string{"duid ll", "debug", "ipv6only", "noipv6rs", "script /run/e2e/dhcpcd-script", "option domain_name_servers"}
	if w.rapid {
		conf = append(conf, "option rapid_commit")
	}
	conf = append(conf, "interface eth0")
	if w.stateless {
		conf = append(conf, "inform6")
	}
	if w.addr {
		conf = append(conf, "ia_na 1")
	}
	if w.prefix {
		conf = append(conf, "ia_pd 2")
	}
	c.write("/etc/dhcpcd.conf", 0o644, strings.Join(conf, "\n")+"\n")
	c.proc = c.host.start("dhcpcd-base", "dhcpcd", "-6", "-B", "-d", "eth0")
}

// dhcpcd releases when it gets SIGALRM; that is what dhcpcd -k sends.
func (c *dhcpcd) release() {
	c.proc.signal(syscall.SIGALRM)
	c.proc.wait(10 * time.Second)
}

func (c *dhcpcd) kill() { c.powerCut() }

func (c *dhcpcd) report() string { return c.read("/run/e2e/report") }
