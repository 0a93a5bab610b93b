package dhcpv6test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Sample is a file of a regression corpus: a packet, and what is to come of it.
type Sample struct {
	Name    string // of the file
	Want    string // what its first line says, behind "# "
	Unicast bool   // its second line is "# unicast": the packet was not sent to a group
	Payload []byte
}

// Corpus reads the files testdata/*.hex, of which there must be some.
func Corpus(t testing.TB) (samples []Sample) {
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
		samples = append(samples, Sample{
			Name:    strings.TrimSuffix(filepath.Base(file), ".hex"),
			Want:    strings.TrimPrefix(first, "# "),
			Unicast: strings.HasPrefix(rest, "# unicast\n"),
			Payload: Hex(t, text),
		})
	}
	return samples
}
