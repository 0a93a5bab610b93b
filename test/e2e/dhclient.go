package e2e

import "time"

// dhclient is the client of ISC DHCP.
type dhclient struct {
	*host
	asked want
	proc  *process
}

func newDhclient(h *host) client {
	h.write("/run/e2e/dhclient-script", 0o755, dhclientScript)
	return &dhclient{host: h}
}

// dhclientScript does what ISC's own script for Linux does: Debian's does not wait for duplicate address detection, so
// with it dhclient never declines. Exit code 3 says that the address is taken; the kernel removes one with a lifetime
// itself.
const dhclientScript = `#!/bin/sh
echo "$reason prefix=$new_ip6_prefix dns=$new_dhcp6_name_servers" >>/run/e2e/report
case $reason in
BOUND6 | RENEW6 | REBIND6)
	[ "$new_ip6_address" ] || exit 0
	ip -6 addr replace "$new_ip6_address/128" dev "$interface" \
		valid_lft "$new_max_life" preferred_lft "$new_preferred_life" || exit 2
	while addr=$(ip -6 addr show dev "$interface" to "$new_ip6_address"); do
		case $addr in
		*dadfailed*) ip -6 addr del "$new_ip6_address/128" dev "$interface"; exit 3 ;;
		*tentative*) sleep 0.1 ;;
		*inet6*) exit 0 ;;
		*) exit 3 ;;
		esac
	done
	;;
EXPIRE6 | RELEASE6 | STOP6)
	[ ! "$old_ip6_address" ] || ip -6 addr del "$old_ip6_address/128" dev "$interface"
	;;
esac
`

func (c *dhclient) argv(more ...string) []string {
	argv := []string{"dhclient", "-6", "-d", "-v", "-D", "LL", "-cf", "/run/e2e/dhclient.conf", "-lf",
		"/run/e2e/dhclient.leases", "-pf", "/run/e2e/dhclient.pid", "-sf", "/run/e2e/dhclient-script"}
	if c.asked.stateless {
		argv = append(argv, "-S")
	}
	if c.asked.addr {
		argv = append(argv, "-N")
	}
	if c.asked.prefix {
		argv = append(argv, "-P")
	}
	return append(append(argv, more...), "eth0")
}

func (c *dhclient) start(w want) {
	conf := "request dhcp6.name-servers;\n"
	if w.rapid {
		conf += "send dhcp6.rapid-commit;\n"
	}
	c.write("/run/e2e/dhclient.conf", 0o644, conf)
	c.asked = w
	c.proc = c.host.start(c.argv()...)
}

func (c *dhclient) release() {
	c.host.start(c.argv("-r")...).wait(10 * time.Second)
	c.proc.wait(5 * time.Second)
}

func (c *dhclient) kill() { c.powerCut() }

func (c *dhclient) report() string { return c.read("/run/e2e/report") }
