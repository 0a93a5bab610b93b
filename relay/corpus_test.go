package relay_test

import (
	"net/netip"
	"strings"
	"testing"

	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/relay"
)

// datagram is a packet of the regression corpus. The first line of its file says "# forward: relayed" or
// "# return: drop: <reason>", for a packet from the client side or from upstream.
func datagram(s dhcpv6test.Sample) relay.Datagram {
	if strings.HasPrefix(s.Want, "return: ") {
		return upstream(s.Payload)
	}
	in := from(host(1), s.Payload)
	if s.Unicast {
		in.Local = netip.MustParseAddr("2001:db8:1::1")
	}
	return in
}

// Each packet of the corpus meets a relay agent that has just begun, which must do as the file says, and one with all
// options whose clients hold prefixes.
func TestCorpus(t *testing.T) {
	for _, s := range dhcpv6test.Corpus(t) {
		t.Run(s.Name, func(t *testing.T) {
			got := "relayed"
			if err := start(t).pass(datagram(s)); err != nil {
				got = "drop: " + err.Error()
			}
			if _, want, _ := strings.Cut(s.Want, ": "); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			l := start(t, allOptions, rewrites("fd00::1"), secondWAN)
			l.grant(1, prefixA, "2001:db8:20::/60")
			l.grant(2, "2001:db8:30::/60")
			for range 3 {
				l.pass(datagram(s))
			}
		})
	}
}
