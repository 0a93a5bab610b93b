package lease_test

import (
	"testing"
	"time"

	"lan6d/dhcpv6/lease"
)

// TestNotes: notes are recorded when they change, and restored; a deleted one is not.
func TestNotes(t *testing.T) {
	table := lease.NewTable(time.Now(), lease.Limits{})
	records := table.AppendAll(nil, 0, boot)
	set := func(name, value string) {
		table.SetNote(name, []byte(value))
		records = table.AppendChanges(records, 0, boot)
	}
	want := func(table *lease.Table, name, value string) {
		t.Helper()
		if got := string(table.Note(name)); got != value {
			t.Errorf("note %s is %q, want %q", name, got, value)
		}
	}
	set("never", "")
	set("a", "1")
	set("b", "2")
	set("a", "3")
	set("b", "")
	n := len(records)
	if records = table.AppendChanges(records, 0, boot); len(records) != n {
		t.Error("recorded although nothing has changed")
	}
	for _, records := range [][]byte{records, table.AppendCopy(nil, 0, boot), table.AppendAll(nil, 0, boot)} {
		again := restored(t, records, boot)
		want(again, "a", "3")
		want(again, "b", "")
		want(again, "never", "")
		for name := range again.Notes() {
			if name != "a" {
				t.Errorf("note %s", name)
			}
		}
		if more := again.AppendChanges(nil, 0, boot); len(more) > 0 {
			t.Error("what was restored is recorded as a change")
		}
	}
}

// TestRestoreDeletedNote: a record deletes a note that is set before the records are restored, as servers do.
func TestRestoreDeletedNote(t *testing.T) {
	old := lease.NewTable(time.Now(), lease.Limits{})
	records := old.AppendAll(nil, 0, boot)
	old.SetNote("a", []byte("1"))
	old.SetNote("a", nil)
	records = old.AppendChanges(records, 0, boot)
	table := lease.NewTable(time.Now(), lease.Limits{})
	table.SetNote("a", []byte("2"))
	if err := table.Restore(records, 0, boot); err != nil {
		t.Fatal(err)
	}
	if v := table.Note("a"); v != nil {
		t.Errorf("note %q", v)
	}
	table.SetNote("a", []byte("3"))
	if again := restored(t, append(records, table.AppendChanges(nil, 0, boot)...), boot); string(again.Note("a")) != "3" {
		t.Errorf("note %q", again.Note("a"))
	}
}

// TestAppendCopy: a copy is as good as a new journal, and the journal goes on as if there had been none.
func TestAppendCopy(t *testing.T) {
	table, records := filled(t)
	table.SetNote("a", []byte("1"))
	link := table.Link("lan")
	for _, b := range link.Bindings() {
		if b.State == lease.Free {
			table.Hold(b) // records tell of it, and it is none to be copied
			copied := restored(t, table.AppendCopy(nil, 0, boot), boot)
			if n := copied.Link("lan").Len(); n != link.Len()-1 {
				t.Errorf("%d bindings in the copy, want %d", n, link.Len()-1)
			}
			table.Remove(b)
			break
		}
	}
	copied := restored(t, table.AppendCopy(nil, 0, later(boot, 24*365*time.Hour)), boot)
	if copied.Note("a") == nil {
		t.Error("the note is not in the copy")
	}
	records = table.AppendChanges(records, 0, boot)
	again := restored(t, records, boot)
	wantSame(t, table, again, 0)
	if again.Note("a") == nil {
		t.Error("the note is not in the journal")
	}
}

// TestGoesOnBehindCopy: a copy that takes the journal's place is gone on with as the journal would be, also when the clocks
// have moved against each other by less than what is recorded.
func TestGoesOnBehindCopy(t *testing.T) {
	for _, drift := range []time.Duration{-900 * time.Millisecond, 900 * time.Millisecond} {
		table, _ := filled(t)
		clock := boot
		clock.Wall += int64(drift)
		content := table.AppendCopy(nil, 0, clock)
		for _, b := range table.Link("lan").Bindings() {
			if b.State == lease.Bound {
				table.Bind(b)
			}
		}
		wantSame(t, table, restored(t, table.AppendChanges(content, 0, clock), clock), 0)
	}
}
