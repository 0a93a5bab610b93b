package lease_test

import (
	"encoding/binary"
	"testing"
	"time"

	"lan6d/dhcpv6/lease"
)

// FuzzRestore: whatever the records say, the table is in order afterwards, and comes back when it is recorded again. The
// bodies of the records each have their length before them, as in a journal; the checksums are right.
func FuzzRestore(f *testing.F) {
	_, records := filled(f)
	var bodies []byte
	for b := records[len(lease.Header):]; len(b) > 0; {
		end := 6 + int(binary.BigEndian.Uint16(b))
		bodies = append(append(bodies, b[:2]...), b[6:end]...)
		b = b[end:]
	}
	for _, boot := range []byte{0, 1, 2} {
		f.Add(bodies, boot, int64(time.Hour), int64(0))
	}
	f.Add([]byte("\x00\x03\x02\x00\x80"), byte(1), int64(0), int64(1<<62))
	f.Fuzz(func(t *testing.T, bodies []byte, boot byte, since, wall int64) {
		records := []byte(lease.Header)
		for len(bodies) > 2 {
			end := min(2+int(binary.BigEndian.Uint16(bodies)), len(bodies))
			records = lease.AppendRecord(records, bodies[2:end])
			bodies = bodies[end:]
		}
		n, _ := lease.Whole(records)
		clock := lease.Clock{Boot: [16]byte{boot}, Since: since, Wall: wall}
		table := lease.NewTable(time.Now(), lease.Limits{})
		_ = table.Restore(records[:n], 0, clock)
		if err := table.Check(); err != nil {
			t.Fatal(err)
		}
		if b := table.AppendChanges(nil, 0, clock); len(b) > 0 {
			t.Fatalf("what was restored is recorded as a change: %x", b)
		}
		again := restored(t, table.AppendAll(nil, 0, clock), clock)
		for _, l := range table.Links() {
			if got := again.Link(l.Name).Len(); got != l.Len() {
				t.Fatalf("%d bindings come back of %d", got, l.Len())
			}
		}
		lease.Newer(records, table.AppendCopy(nil, 0, clock), clock)
	})
}

// FuzzWhole: of any octets those counted whole are, and can be restored.
func FuzzWhole(f *testing.F) {
	_, records := filled(f)
	f.Add(records)
	f.Add(records[:len(records)-1])
	f.Add(records[len(lease.Header):])
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := lease.Whole(b)
		if n > len(b) || (err == nil) != (n == len(b) && n > 0) {
			t.Fatalf("%d of %d octets are whole: %v", n, len(b), err)
		}
		if again, err := lease.Whole(b[:n]); n > 0 && (again != n || err != nil) {
			t.Fatalf("%d octets are whole, of these %d: %v", n, again, err)
		}
		table := lease.NewTable(time.Now(), lease.Limits{})
		_ = table.Restore(b[:n], 0, boot)
		if err := table.Check(); err != nil {
			t.Fatal(err)
		}
	})
}
