package lease

import (
	"bytes"
	"iter"
	"strings"
)

// A note is what the table's owner wants to outlive the process beside the bindings, such as the keys of clients. It is
// recorded and restored with them; what it says is the owner's affair.
type note struct {
	value  []byte
	marked bool // it is in Table.markedNotes
}

// Note returns the value of the note of that name, nil if there is none. It must not be changed.
func (t *Table) Note(name string) []byte {
	if n := t.notes[name]; n != nil {
		return n.value
	}
	return nil
}

// SetNote sets the value of a note, at most 60,000 octets with its name, and keeps it; nil deletes the note.
//
//go:noinline
func (t *Table) SetNote(name string, value []byte) {
	n := t.notes[name]
	if n == nil {
		if len(value) == 0 {
			return
		}
		n = &note{}
		t.notes[name] = n
	}
	n.value = value
	if !n.marked {
		n.marked = true
		t.markedNotes = append(t.markedNotes, name)
	}
}

// Notes iterates all notes, in no order. SetNote may be called meanwhile.
func (t *Table) Notes() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for name, n := range t.notes {
			if len(n.value) > 0 && !yield(name, n.value) {
				return
			}
		}
	}
}

// appendNoteChanges appends a record of each note that has changed since the last call.
func (t *Table) appendNoteChanges(b []byte) []byte {
	for i, name := range t.markedNotes {
		t.markedNotes[i] = ""
		n := t.notes[name]
		if n == nil {
			continue // set before Restore, and deleted by a record
		}
		n.marked = false
		b = appendNote(b, name, n.value)
		if len(n.value) == 0 {
			delete(t.notes, name)
		}
	}
	t.markedNotes = t.markedNotes[:0]
	return b
}

func appendNote(b []byte, name string, value []byte) []byte {
	b, start := beginRecord(b)
	b = append(b, recordNote)
	b = appendText(b, name)
	return endRecord(append(b, value...), start)
}

func (t *Table) restoreNote(r *reader, past *past) {
	name := r.text()
	value := r.take(len(r.b))
	if ids, ok := strings.CutPrefix(name, notePeer); ok && !r.bad {
		past.peers[ids] = value
	} else if r.bad || len(value) == 0 {
		delete(t.notes, name)
	} else {
		t.notes[name] = &note{value: bytes.Clone(value)} // the rest of the records is to go
	}
}
