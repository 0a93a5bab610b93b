package relay_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/relay"
)

// sample is a file of the regression corpus: a packet, and what is to come of it. Its first line says "# forward: relayed"
// or "# return: drop: <reason>", for a packet from the client side or from upstream; "# unicast" may follow.
type sample struct {
	name, want       string
	upstream, toHost bool
	payload          []byte
}

func corpus(t testing.TB) (samples []sample) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in testdata (%v)", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, rest, _ := strings.Cut(string(b), "\n")
		direction, want, _ := strings.Cut(strings.TrimPrefix(first, "# "), ": ")
		samples = append(samples, sample{
			name: strings.TrimSuffix(filepath.Base(file), ".hex"), want: want, upstream: direction == "return",
			toHost: strings.HasPrefix(rest, "# unicast\n"), payload: dhcpv6test.Hex(t, string(b)),
		})
	}
	return samples
}

func (s sample) datagram() relay.Datagram {
	if s.upstream {
		return upstream(s.payload)
	}
	in := from(host(1), s.payload)
	if s.toHost {
		in.Local = netip.MustParseAddr("2001:db8:1::1")
	}
	return in
}

// Each packet of the corpus meets a relay agent that has just begun, which must do as the file says, and one with all
// options whose clients hold prefixes.
func TestCorpus(t *testing.T) {
	for _, s := range corpus(t) {
		t.Run(s.name, func(t *testing.T) {
			got := "relayed"
			if err := start(t).pass(s.datagram()); err != nil {
				got = "drop: " + err.Error()
			}
			if got != s.want {
				t.Errorf("got %s, want %s", got, s.want)
			}
			l := start(t, allOptions, rewrites("fd00::1"), secondWAN)
			l.grant(1, prefixA, "2001:db8:20::/60")
			l.grant(2, "2001:db8:30::/60")
			for range 3 {
				l.pass(s.datagram())
			}
		})
	}
}
