package e2e

import "fmt"

// networkd is systemd-networkd, which runs without systemd as process 1 and without D-Bus when it is started by hand.
type networkd struct {
	*host
	proc *process
}

func newNetworkd(h *host) client {
	h.run("install", "-d", "-o", "systemd-network", "-g", "systemd-network", "/run/systemd/netif")
	return &networkd{host: h}
}

func (c *networkd) start(w want) {
	mode := "solicit"
	if w.stateless {
		mode = "information-request"
	}
	c.write("/run/systemd/network/10-eth0.network", 0o644, fmt.Sprintf(`[Match]
Name=eth0
[Network]
IPv6AcceptRA=no
DHCP=ipv6
[DHCPv6]
WithoutRA=%s
RapidCommit=%t
DUIDType=link-layer
UseAddress=%t
UseDelegatedPrefix=%t
`, mode, w.rapid, w.addr, w.prefix))
	c.proc = c.startEnv([]string{"SYSTEMD_LOG_LEVEL=debug", "SYSTEMD_LOG_TARGET=console"}, "/lib/systemd/systemd-networkd")
}

func (c *networkd) release() { c.t.Fatal("systemd-networkd 252 sends no Release") }

func (c *networkd) kill() { c.powerCut() }

// report is the log, with lines such as "DHCP: received delegated prefix 2001:db8:1:4::/62", and the state file with
// the name servers.
func (c *networkd) report() string {
	links := c.command("sh", "-c", "cat /run/systemd/netif/links/*")
	state, _ := links.Output() // not there yet
	return c.proc.log() + string(state)
}
