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
	conf := []string{"duid ll", "debug", "ipv6only", "noipv6rs", "script /run/e2e/dhcpcd-script",
		"option domain_name_servers"}
	if w.rapid {
		conf = append(conf, "option rapid_commit")
	}
	if w.reconfigure { // without authprotocol, which is for other protocols than RKAP: with it, dhcpcd 9.4.1 does not send this
		conf = append(conf, "option dhcp6_reconfigure_accept")
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
	c.write("/run/e2e/dhcpcd.conf", 0o644, strings.Join(conf, "\n")+"\n")
	c.proc = c.host.start("dhcpcd", "-6", "-B", "-d", "-f", "/run/e2e/dhcpcd.conf", "eth0")
}

// dhcpcd releases when it gets SIGALRM; that is what dhcpcd -k sends.
func (c *dhcpcd) release() {
	c.signal(syscall.SIGALRM)
	c.proc.wait(10 * time.Second)
}

// renew has dhcpcd renew at once, as dhcpcd -N does.
func (c *dhcpcd) renew() { c.signal(syscall.SIGUSR1) }

// signal lets a script that is about to end do so first: dhcpcd 9.4.1 may hang when it gets a signal while it waits for
// one.
func (c *dhcpcd) signal(sig syscall.Signal) {
	time.Sleep(time.Second)
	c.proc.signal(sig)
}

func (c *dhcpcd) kill() { c.powerCut() }

func (c *dhcpcd) report() string { return c.read("/run/e2e/report") }
