package server_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/server"
)

// sample is a file of the regression corpus: a packet, and what is to come of it. Its first line says
// "# drop: <reason>" or "# reply: <type> [<status of the message>]"; "# unicast" may follow.
type sample struct {
	name, want string
	unicast    bool
	payload    []byte
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
		text := string(b)
		first, rest, _ := strings.Cut(text, "\n")
		samples = append(samples, sample{
			name:    strings.TrimSuffix(filepath.Base(file), ".hex"),
			want:    strings.TrimPrefix(first, "# "),
			unicast: strings.HasPrefix(rest, "# unicast\n"),
			payload: dhcpv6test.Hex(t, text),
		})
	}
	return samples
}

func (s sample) datagram() server.Datagram {
	in := multicast(s.payload)
	if s.unicast {
		in.Local = netip.MustParseAddr("fe80::1")
	}
	return in
}

// Each packet of the corpus meets a server that has just begun, which must do as the file says, and one that has clients,
// hosts and all options.
func TestCorpus(t *testing.T) {
	for _, s := range corpus(t) {
		t.Run(s.name, func(t *testing.T) {
			l := start(t)
			out, err := l.handle(s.datagram())
			if got := outcome(t, s.payload, out, err); got != s.want {
				t.Errorf("got %s, want %s", got, s.want)
			}
			l = start(t, everyOption, withHosts(server.Host{DUIDs: byDUID(duid(1)), HostID: 0xabc, Name: "box"}))
			l.request(dhcpv6.Request, duid(1), na(1), pd(1))
			l.request(dhcpv6.Request, duid(3), na(1), pd(1))
			for range 3 {
				l.handle(s.datagram())
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
