package e2e

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
)

// dhcp6c is the client of WIDE and KAME. It gives a downstream interface, dn0, addresses from the delegated prefixes.
type dhcp6c struct {
	*host
	proc *process
}

func newDhcp6c(h *host) client {
	h.ip("link add dn0 type bridge\nlink set dn0 up")
	// Like the others it has a DUID-LL of eth0. The file begins with the length, in the machine's own byte order.
	duid, err := hex.DecodeString(strings.ReplaceAll(duidLL(h), ":", ""))
	if err != nil {
		h.t.Fatal(err)
	}
	h.write("/var/lib/dhcpv6/dhcp6c_duid", 0o600, string(append(binary.NativeEndian.AppendUint16(nil, uint16(len(duid))), duid...)))
	h.write("/run/e2e/dhcp6c-script", 0o755, "#!/bin/sh\nenv | grep ^new_ >>/run/e2e/report\n")
	return &dhcp6c{host: h}
}

func (c *dhcp6c) start(w want) {
	var conf strings.Builder
	conf.WriteString("interface eth0 {\n\trequest domain-name-servers;\n\tscript \"/run/e2e/dhcp6c-script\";\n")
	if w.rapid {
		conf.WriteString("\tsend rapid-commit;\n")
	}
	if w.stateless {
		conf.WriteString("\tinformation-only;\n")
	}
	if w.addr {
		conf.WriteString("\tsend ia-na 1;\n")
	}
	if w.prefix {
		conf.WriteString("\tsend ia-pd 2;\n")
	}
	conf.WriteString("};\n")
	if w.addr {
		conf.WriteString("id-assoc na 1 { };\n")
	}
	if w.prefix {
		conf.WriteString("id-assoc pd 2 {\n\tprefix ::/62 infinity;\n\tprefix-interface dn0 { sla-id 1; sla-len 2; };\n};\n")
	}
	c.write("/run/e2e/dhcp6c.conf", 0o644, conf.String())
	c.proc = c.host.start("dhcp6c", "-f", "-D", "-c", "/run/e2e/dhcp6c.conf", "-p", "/run/e2e/dhcp6c.pid", "eth0")
}

// dhcp6c releases whenever it is told to end.
func (c *dhcp6c) release() { c.proc.terminate(10 * time.Second) }

func (c *dhcp6c) kill() {
	c.powerCut()
	c.ip("addr flush dev dn0 scope global")
}

// report holds the delegated prefixes in lines of its log, such as "create a prefix 2001:db8:1:4::/62 pltime=...".
func (c *dhcp6c) report() string { return c.read("/run/e2e/report") + c.proc.log() }
