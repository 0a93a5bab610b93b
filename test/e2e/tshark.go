package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// check has tshark dissect every packet that the router sent, and fails the test if it finds a fault, or if a client would
// find one with a Reconfigure message. If the test failed, for that or another reason, the packets are shown.
func (c *capture) check() {
	packets := c.all()
	var sent []packet
	for _, p := range packets {
		if p.sent {
			sent = append(sent, p)
		}
	}
	if faults, err := faults(sent); err != nil {
		c.t.Errorf("tshark: %v", err)
	} else if faults != "" {
		c.t.Errorf("tshark finds fault with what lan6d sent:\n%s", faults)
	}
	if faults := reconfigureFaults(packets); faults != "" {
		c.t.Errorf("what lan6d sent is not what a client that accepts Reconfigure messages takes:\n%s", faults)
	}
	if !c.t.Failed() || len(packets) == 0 {
		return
	}
	c.t.Logf("---- packets: %s", summary(packets))
	if text, err := tshark(packets, "-V", "-O", "dhcpv6"); err == nil {
		c.t.Logf("---- in full:\n%s", text)
	}
}

// severityError is PI_ERROR, the severity of what tshark calls an error.
const severityError = 0x800000

// faults returns a line for each packet that tshark holds to be malformed, reports an error in, or cannot read to its
// end: at an option that runs past the packet it just stops, so the options that it read are compared with those that
// are there.
func faults(packets []packet) (string, error) {
	if len(packets) == 0 {
		return "", nil
	}
	out, err := tshark(packets, "-T", "fields", "-e", "dhcpv6.option.type", "-e", "_ws.malformed", "-e",
		"_ws.expert.severity", "-e", "_ws.expert.message")
	if err != nil {
		return "", err
	}
	rows := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(rows) != len(packets) {
		return "", fmt.Errorf("%d packets dissected of %d", len(rows), len(packets))
	}
	var faults strings.Builder
	for i, row := range rows {
		column := strings.Split(row, "\t")
		codes, malformed, severities, messages := column[0], column[1], column[2], column[3]
		if want := packets[i].codes(); codes != want {
			fmt.Fprintf(&faults, "%s: tshark reads the options %s of %s: %s\n", packets[i].kind, codes, want, messages)
		}
		if malformed != "" || worst(severities) >= severityError {
			fmt.Fprintf(&faults, "%s: %s\n", packets[i].kind, messages)
		}
	}
	return faults.String(), nil
}

// worst is the highest number in a list with commas.
func worst(list string) (worst int) {
	for s := range strings.SplitSeq(list, ",") {
		if n, err := strconv.Atoi(s); err == nil {
			worst = max(worst, n)
		}
	}
	return worst
}

// tshark runs tshark over packets and returns what it prints.
func tshark(packets []packet, args ...string) (string, error) {
	cmd := exec.Command("tshark", append([]string{"-n", "-r", "-"}, args...)...)
	cmd.Env = append(cmd.Environ(), "HOME=/nonexistent") // not with the developer's preferences
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
