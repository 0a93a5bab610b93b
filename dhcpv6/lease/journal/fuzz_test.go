package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lan6d/dhcpv6/lease"
)

// FuzzLoad finds any octets in the place of a journal. What is whole at their beginning is used, what is no journal is
// set aside as it is, and the new journal loses nothing that is recorded in it.
func FuzzLoad(f *testing.F) {
	content, ends := records("first", "second")
	f.Add(content)
	f.Add(content[:ends[1]+3])
	f.Add(content[:5])
	f.Add([]byte{})
	f.Add([]byte("lan6d journal 2\n"))
	f.Add([]byte("# Lease file\n"))
	f.Add(append(bytes.Clone(content[:ends[1]]), 0, 0, 0, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "leases.journal")
		write(t, path, b)
		got, err := Load(path)
		if !bytes.HasPrefix(b, got) || got != nil && !bytes.HasPrefix(got, []byte(lease.Header)) {
			t.Fatalf("loaded %q", got)
		}
		if n, e := lease.Whole(got); got != nil && (n != len(got) || e != nil) {
			t.Fatalf("loaded %d octets, of which %d are whole: %v", len(got), n, e)
		}
		if (err == nil) != (len(b) > 0 && bytes.Equal(got, b)) {
			t.Fatalf("loaded %d octets of %d: %v", len(got), len(b), err)
		}
		if got == nil && !strings.HasPrefix(lease.Header, string(b)) {
			wantFile(t, path+".bad", b)
		} else if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, b) {
			t.Fatalf("loading has changed the file: %v", err)
		}
		j, err := Create(path, got, false)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		if err := j.Append(record("more")); err != nil {
			t.Fatal(err)
		}
		want := append(orHeader(bytes.Clone(got)), record("more")...)
		if again, err := Load(path); err != nil || !bytes.Equal(again, want) {
			t.Fatalf("%d octets come back, want %d: %v", len(again), len(want), err)
		}
	})
}
