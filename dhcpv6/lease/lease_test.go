package lease

import (
	"testing"
	"time"

	"lan6d/dhcpv6"
)

var epoch = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// client is the DUID of the n-th test client: a DUID-LL.
func client(n int) dhcpv6.DUID {
	return dhcpv6.NewDUIDLL(dhcpv6.HardwareEthernet, []byte{2, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func newLink(limits Limits) (*Table, *Link) {
	t := NewTable(epoch, limits)
	return t, t.Link("lan")
}

// ids is a pool without reserved ids.
func ids(first, last uint64, reserved ...Span) Pool {
	return Pool{Span: Span{first, last}, Reserved: NewReserved(reserved)}
}

// seconds is a moment on the table's clock.
func seconds(n int) Time { return Time(n) * Time(time.Second) }

// bind binds b until the given moment.
func bind(t *Table, b *Binding, until Time) *Binding {
	b.Leases = append(b.Leases[:0], Lease{Preferred: until, Valid: until})
	t.Bind(b)
	return b
}

// address allocates an id for a new client and fails the test if there is none.
func address(t *testing.T, l *Link, n int, pool Pool, want uint64) *Binding {
	t.Helper()
	b := l.AllocateAddress(client(n), 1, pool, want)
	if b == nil {
		t.Fatalf("client %d: no address", n)
	}
	return b
}

// prefix likewise.
func prefix(t *testing.T, l *Link, n int, pool Pool, length uint8, want uint64) *Binding {
	t.Helper()
	b := l.AllocatePrefix(client(n), 1, pool, length, want)
	if b == nil {
		t.Fatalf("client %d: no prefix", n)
	}
	return b
}

// noWish is an id that no pool of these tests has.
const noWish = 1<<64 - 1

// checkTable must hold after everything that was done to a table.
func checkTable(t *testing.T, table *Table) {
	t.Helper()
	if err := table.Check(); err != nil {
		t.Fatal(err)
	}
}

func checkID(t *testing.T, b *Binding, want uint64) {
	t.Helper()
	switch {
	case b == nil:
		t.Errorf("no binding, want id %#x", want)
	case b.ID != want:
		t.Errorf("id %#x, want %#x", b.ID, want)
	}
}
