package dhcpv6test

import (
	"fmt"
	"strings"

	"lan6d/dhcpv6"
)

// Dump shows a message as the tables of packets write it: an option a line, what is in it indented.
func Dump(b []byte) string {
	var s strings.Builder
	dump(&s, "\t", b)
	return s.String()
}

func dump(s *strings.Builder, indent string, b []byte) {
	head := 4
	if len(b) > 0 && dhcpv6.MessageType(b[0]).Relayed() {
		head = 34
	}
	if len(b) < head {
		fmt.Fprintf(s, "%s%x # cut short\n", indent, b)
		return
	}
	fmt.Fprintf(s, "%s%x # %v\n", indent, b[:head], dhcpv6.MessageType(b[0]))
	options, _ := dhcpv6.ParseOptions(b[head:])
	for code, data := range options.All() {
		fmt.Fprintf(s, "%s%04x %04x", indent, uint16(code), len(data))
		if code == dhcpv6.OptionRelayMsg {
			fmt.Fprintf(s, " # %v\n", code)
			dump(s, indent+"\t", data)
		} else {
			fmt.Fprintf(s, " %x # %v\n", data, code)
		}
	}
	if rest := b[head+len(options):]; len(rest) > 0 {
		fmt.Fprintf(s, "%s%x # no option\n", indent, rest)
	}
}
