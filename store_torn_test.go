package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// newServerStore is a store of a server's table, as the daemon has it.
func newServerStore(path string, out *bytes.Buffer) *store {
	c := systemClocks()
	s := server.New(c.now(), server.Config{})
	return &store{path: path, clocks: c, log: newLogger(out), table: s.Table(), restore: s.Restore}
}

// delegate binds a prefix for an hour, or what it was for longer.
func delegate(s *store, client byte, seconds uint32) *lease.Binding {
	link, now := s.table.Link("lan"), s.table.At(s.clocks.now())
	b := link.Lookup([]byte{0, 1, client}, 1, lease.Prefix)
	if b == nil {
		b = link.AllocatePrefix([]byte{0, 1, client}, 1, lease.Pool{Span: lease.Span{First: 4, Last: 0xfff}}, 62, 4*uint64(client))
		p := netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 4 * client}), 62)
		b.Leases = []lease.Lease{{Prefix: p}}
	}
	b.Leases[0].Valid = now.After(seconds)
	s.table.Bind(b)
	return b
}

// states tells of all bindings in a table, in an order of their own.
func states(t *lease.Table) (list []string) {
	for _, b := range t.Link("lan").Bindings() {
		list = append(list, fmt.Sprintf("%v %x %d %v %v", b.Kind, b.DUID, b.ID, b.State, len(b.Leases)))
	}
	return list
}

// TestStoreTorn: a journal that ends anywhere in its last three records comes back with what the whole ones say, be it a
// new binding, a change of one, or its end. The log says where it is torn, if it is. What is recorded from then on is not
// lost behind the torn end.
func TestStoreTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases.journal")
	var out bytes.Buffer
	s := newServerStore(path, &out)
	s.load()
	after := [][]string{nil} // what the table held after each change
	for _, change := range []func(){
		func() { bind(s, 0x100) },
		func() { delegate(s, 1, 3600) },
		func() { delegate(s, 2, 3600) },
		func() { bind(s, 0x101) },
		func() { delegate(s, 3, 3600) },
		func() { s.table.Remove(s.table.Link("lan").Address(0x101)) },
		func() { s.table.Free(delegate(s, 1, 7200)) },
	} {
		change()
		s.record()
		after = append(after, states(s.table))
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changes := 0 // that the whole records tell of
	for whole := len(lease.Header); whole < len(content); {
		end := whole + frameLen(content[whole:])
		for n := whole; n < end && changes >= len(after)-4; n++ {
			checkTorn(t, path, content[:n], whole, after[changes])
		}
		if kind := content[whole+6]; kind == 2 || kind == 3 { // of a binding, or of its end
			changes++
		}
		whole = end
	}
	if changes != len(after)-1 {
		t.Fatalf("%d changes are recorded, want %d", changes, len(after)-1)
	}
	checkTorn(t, path, content, len(content), after[changes])
}

// frameLen is the length of the record at the start of b, with its head.
func frameLen(b []byte) int { return 6 + int(binary.BigEndian.Uint16(b)) }

// checkTorn loads a journal of which so many octets are whole, and expects those bindings; then it changes every one and
// loads them again.
func checkTorn(t *testing.T, path string, content []byte, whole int, want []string) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s := newServerStore(path, &out)
	s.load()
	if got := states(s.table); !slices.Equal(got, want) {
		t.Fatalf("of %d octets %q come back, want %q", len(content), got, want)
	}
	told := fmt.Sprintf("octet %d: ", whole)
	if torn := whole < len(content); torn != strings.Contains(out.String(), told) || torn != strings.Contains(out.String(), "error:") {
		t.Fatalf("%d octets of %d are whole, and the log says: %s", whole, len(content), &out)
	}
	delegate(s, 9, 3600)
	for _, b := range s.table.Link("lan").Bindings() {
		b.Leases = append(b.Leases, lease.Lease{Prefix: netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, 15: byte(b.ID)}), 128)})
		s.table.Bind(b)
	}
	s.record()
	again := newServerStore(path, &out)
	again.load()
	if got, want := states(again.table), states(s.table); !slices.Equal(got, want) || len(got) == 0 {
		t.Fatalf("recorded after a journal of %d octets: %q comes back, want %q", len(content), got, want)
	}
}

// TestStoreFlipped: a journal with a damaged octet comes back up to the record it is in.
func TestStoreFlipped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leases.journal")
	var out bytes.Buffer
	s := newServerStore(path, &out)
	s.load()
	for client := range byte(5) {
		delegate(s, client+1, 3600)
		s.record()
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := len(lease.Header); at < len(content); at++ {
		damaged := bytes.Clone(content)
		damaged[at] ^= 0x40
		whole, bindings := len(lease.Header), 0
		for end := whole; ; whole = end {
			end += frameLen(content[end:])
			if at < end {
				break
			}
			if content[whole+6] == 2 {
				bindings++
			}
		}
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		out.Reset()
		s := newServerStore(path, &out)
		s.load()
		if n := s.table.Link("lan").Len(); n != bindings || !strings.Contains(out.String(), fmt.Sprintf("octet %d: ", whole)) {
			t.Fatalf("octet %d is damaged: %d bindings come back, want %d: %s", at, n, bindings, &out)
		}
	}
}
