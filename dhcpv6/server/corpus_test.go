package server_test

import (
	"net/netip"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/server"
)

// datagram is a packet of the regression corpus. The first line of its file says "# drop: <reason>" or
// "# reply: <type> [<status of the message>]".
func datagram(s dhcpv6test.Sample) server.Datagram {
	in := multicast(s.Payload)
	if s.Unicast {
		in.Local = netip.MustParseAddr("fe80::1")
	}
	return in
}

// Each packet of the corpus meets a server that has just begun, which must do as the file says, and one that has clients,
// hosts and all options.
func TestCorpus(t *testing.T) {
	for _, s := range dhcpv6test.Corpus(t) {
		t.Run(s.Name, func(t *testing.T) {
			l := start(t)
			out, err := l.handle(datagram(s))
			if got := outcome(t, s.Payload, out, err); got != s.Want {
				t.Errorf("got %s, want %s", got, s.Want)
			}
			l = start(t, everyOption, withHosts(server.Host{DUIDs: byDUID(duid(1)), HostID: 0xabc, Name: "box"}))
			l.request(dhcpv6.Request, duid(1), na(1), pd(1))
			l.request(dhcpv6.Request, duid(3), na(1), pd(1))
			for range 3 {
				l.handle(datagram(s))
			}
		})
	}
}

// outcome is what came of a packet, as the files of the corpus write it.
func outcome(t testing.TB, query []byte, out server.Datagram, err error) string {
	if err != nil {
		return "drop: " + err.Error()
	}
	_, inner := checkRelays(t, query, out.Payload)
	a := read(t, inner)
	return strings.TrimSpace("reply: " + a.Type.String() + " " + a.status)
}
