package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os/exec"
	"strings"
)

// check has tshark dissect every packet that the router sent: a malformed one, or one with an error, fails the test. If the
// test failed, for that or another reason, the packets are shown.
func (c *capture) check() {
	packets := c.all()
	var sent []packet
	for _, p := range packets {
		if p.sent {
			sent = append(sent, p)
		}
	}
	if faults, err := dissect(sent, faulty); err != nil {
		c.t.Errorf("tshark: %v (install the Debian package tshark)", err)
	} else if faults != "" {
		c.t.Errorf("tshark finds fault with what lan6d sent:\n%s", faults)
	}
	if !c.t.Failed() || len(packets) == 0 {
		return
	}
	c.t.Logf("---- packets: %s", summary(packets))
	if text, err := dissect(packets, "-V", "-O", "dhcpv6"); err == nil {
		c.t.Logf("---- in full:\n%s", text)
	}
}

// faulty shows only the packets that tshark holds to be broken, with the reason.
const faulty = `_ws.malformed || _ws.expert.severity >= "Error"`

// dissect runs tshark over packets and returns what it prints.
func dissect(packets []packet, args ...string) (string, error) {
	if len(args) == 1 {
		args = []string{"-V", "-Y", args[0]}
	}
	if len(packets) == 0 {
		return "", nil
	}
	// A home of its own keeps tshark from reading the developer's preferences.
	cmd := exec.Command("tshark", append([]string{"-n", "-r", "-"}, args...)...)
	cmd.Env = append(cmd.Environ(), "HOME=/nonexistent")
	cmd.Stdin = bytes.NewReader(pcap(packets))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), nil
}

// pcap writes packets in the file format of libpcap.
func pcap(packets []packet) []byte {
	const linkTypeEthernet = 1
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4) // times in microseconds
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = le.AppendUint32(b, 65535)
	b = le.AppendUint32(b, linkTypeEthernet)
	for _, p := range packets {
		b = le.AppendUint32(b, uint32(p.at.Unix()))
		b = le.AppendUint32(b, uint32(p.at.Nanosecond()/1000))
		b = le.AppendUint32(b, uint32(len(p.frame)))
		b = le.AppendUint32(b, uint32(len(p.frame)))
		b = append(b, p.frame...)
	}
	return b
}
