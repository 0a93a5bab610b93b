package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPersist: the copy is written when bindings changed, at most every interval, and on stop; when the journal is gone
// after a reboot, the bindings come from it.
func TestPersist(t *testing.T) {
	dir := t.TempDir()
	copied := filepath.Join(dir, "flash", "leases")
	var out bytes.Buffer
	s := newStore(filepath.Join(dir, "leases.journal"), &out)
	now := time.Now()
	s.clocks.now = func() time.Time { return now }
	s.setPersist(copied, time.Minute)
	s.load()
	settle := func() {
		s.record()
		s.copy()
		if done := s.persist.done; done != nil {
			s.copied(<-done)
		}
	}
	bind(s, 0x100)
	settle()
	if !strings.Contains(out.String(), "copy to "+copied) {
		t.Fatalf("that it cannot be written is not said: %s", &out)
	}
	if err := os.Mkdir(filepath.Dir(copied), 0o755); err != nil {
		t.Fatal(err)
	}
	if settle(); s.persist.err == nil || s.nextCopy() != now.Add(time.Minute) {
		t.Fatal("tried again at once")
	}
	now = now.Add(time.Minute)
	if settle(); s.persist.err != nil {
		t.Fatalf("not written: %s", &out)
	}
	restored := func() int {
		again := newStore(filepath.Join(t.TempDir(), "leases.journal"), &out)
		again.setPersist(copied, time.Minute)
		again.load()
		return again.table.Link("lan").Len()
	}
	if n := restored(); n != 1 {
		t.Errorf("%d bindings are restored from the copy, want 1\n%s", n, &out)
	}
	bind(s, 0x101)
	if settle(); restored() != 1 {
		t.Error("written again too soon")
	}
	s.close()
	if n := restored(); n != 2 {
		t.Errorf("%d bindings are restored after a stop, want 2\n%s", n, &out)
	}
}

// TestPersistOlder: a journal of this boot wins over an older copy.
func TestPersistOlder(t *testing.T) {
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "leases.journal"), filepath.Join(dir, "copy")
	var out bytes.Buffer
	s := newStore(path, &out)
	s.setPersist(copied, time.Hour)
	s.load()
	bind(s, 0x100)
	s.record()
	s.copy()
	s.copied(<-s.persist.done)
	time.Sleep(1100 * time.Millisecond) // records tell whole seconds
	bind(s, 0x101)
	s.record()
	again := newStore(path, &out)
	again.setPersist(copied, time.Hour)
	if again.load(); again.table.Link("lan").Len() != 2 {
		t.Errorf("%d bindings are restored, want the 2 of the journal\n%s", again.table.Link("lan").Len(), &out)
	}
}

// TestPersistIsJournal: a copy in place of the journal would cut it off from what is recorded next.
func TestPersistIsJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases.journal")
	var out bytes.Buffer
	s := newStore(path, &out)
	s.setPersist(filepath.Dir(path)+"/./leases.journal", time.Minute)
	s.load()
	for id := range uint64(2) {
		bind(s, 0x100+id)
		s.record()
		s.copy()
		if done := s.persist.done; done != nil {
			s.copied(<-done)
		}
	}
	again := newStore(path, &out)
	if again.load(); again.table.Link("lan").Len() != 2 {
		t.Errorf("%d bindings are restored, want 2: %s", again.table.Link("lan").Len(), &out)
	}
	if !strings.Contains(out.String(), "is the journal itself") {
		t.Errorf("it is not said: %s", &out)
	}
}
