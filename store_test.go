package main

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6/lease"
)

// newStore is a store on that path with an empty table.
func newStore(path string, out *bytes.Buffer) *store {
	c := systemClocks()
	table := lease.NewTable(c.now(), lease.Limits{})
	restore := func(content []byte, now time.Time, clock lease.Clock) error {
		return table.Restore(content, table.At(now), clock)
	}
	return &store{path: path, clocks: c, log: newLogger(out), table: table, restore: restore}
}

// bind binds an address for an hour.
func bind(s *store, id uint64) *lease.Binding {
	pool := lease.Pool{Span: lease.Span{First: id, Last: id}}
	b := s.table.Link("lan").AllocateAddress([]byte{0, 1, byte(id)}, 1, pool, id)
	b.Leases = []lease.Lease{{Prefix: netip.MustParsePrefix("2001:db8::1/128"), Valid: s.table.At(s.clocks.now()).After(3600)}}
	s.table.Bind(b)
	return b
}

// TestStore: what was recorded is there after a crash.
func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases.journal")
	var out bytes.Buffer
	s := newStore(path, &out)
	s.load()
	for id := range uint64(20) {
		bind(s, 0x100+id)
		s.record()
	}
	again := newStore(path, &out)
	again.load()
	if n := again.table.Link("lan").Len(); n != 20 {
		t.Errorf("%d bindings are restored, want 20\n%s", n, &out)
	}
	if !strings.Contains(out.String(), "20 bindings restored from "+path) {
		t.Errorf("the log does not say so: %s", &out)
	}
}

// TestStoreUnwritable: bindings are served while the journal cannot be written; that is said once, and when it can be
// written again, all are in it.
func TestStoreUnwritable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	path := filepath.Join(dir, "leases.journal")
	var out bytes.Buffer
	s := newStore(path, &out)
	now := time.Now()
	s.clocks.now = func() time.Time { return now }
	s.load()
	for id := range uint64(3) {
		bind(s, 0x100+id)
		s.record()
	}
	if n := strings.Count(out.String(), "clients are served"); n != 1 || s.err == nil {
		t.Fatalf("said %d times, error %v: %s", n, s.err, &out)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s.record()
	if s.err == nil {
		t.Error("tried again at once")
	}
	now = s.retry
	s.record()
	if s.err != nil || !s.retry.IsZero() {
		t.Fatalf("not made whole: %v", s.err)
	}
	again := newStore(path, &out)
	if again.load(); again.table.Link("lan").Len() != 3 {
		t.Errorf("%d bindings are restored, want 3: %s", again.table.Link("lan").Len(), &out)
	}
}

// TestStoreUnchanged: as long as nothing changes, nothing is written, and no clock is looked at.
func TestStoreUnchanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases.journal")
	s := newStore(path, &bytes.Buffer{})
	s.load()
	bind(s, 0x100)
	s.record()
	size, c, looks := s.journal.Size(), s.clocks, 0
	s.clocks.now = func() time.Time { looks++; return c.now() }
	s.clocks.read = func() lease.Clock { looks++; return c.read() }
	for range 3 {
		s.record()
		s.copy()
	}
	if looks != 0 || s.journal.Size() != size {
		t.Errorf("%d looks at the clocks, the journal grew by %d octets", looks, s.journal.Size()-size)
	}
	s.clocks = c
	s.table.Bind(s.table.Link("lan").Address(0x100))
	if s.record(); s.journal.Size() == size {
		t.Error("what changes is not written")
	}
}
