package e2e

import (
	"strings"
	"time"
)

// dibbler is the client of Tomasz Mrugalski.
type dibbler struct {
	*host
	proc *process
}

func newDibbler(h *host) client { return &dibbler{host: h} }

func (c *dibbler) start(w want) {
	conf := []string{"log-level 8", "log-mode full", "duid-type duid-ll", `downlink-prefix-ifaces "none"`,
		"iface eth0 {", "option dns-server"}
	if w.rapid {
		conf = append(conf, "rapid-commit yes")
	}
	if w.stateless {
		conf = append(conf, "stateless")
	}
	if w.addr {
		conf = append(conf, "ia")
	}
	if w.prefix {
		conf = append(conf, "pd")
	}
	c.write("/etc/dibbler/client.conf", 0o644, strings.Join(append(conf, "}"), "\n")+"\n")
	c.proc = c.host.start("dibbler-client", "run")
}

// dibbler releases whenever it is told to end.
func (c *dibbler) release() { c.proc.terminate(10 * time.Second) }

// kill also takes away the leases if one was declined: dibbler 1.0.1 crashes when its Decline is answered, and its file
// then still holds the address.
func (c *dibbler) kill() {
	c.powerCut()
	if c.proc.hasLogged("Sending DECLINE") {
		c.run("rm", "-f", "/var/lib/dibbler/client-AddrMgr.xml")
	}
}

// report is the log: the script that dibbler can run is not told of a Reply with Rapid Commit.
func (c *dibbler) report() string { return c.proc.log() }
