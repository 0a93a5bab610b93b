package lease_test

import (
	"bytes"
	"net/netip"
	"testing"

	"lan6d/dhcpv6/lease"
)

// TestPeerLink: where a binding's peer is comes back with the binding's record, and neither without nor after it.
func TestPeerLink(t *testing.T) {
	table, records := filled(t) // with a prefix whose peer is on another link
	b := table.Link("lan").PrefixAt(0x110, 1)
	want := func(records []byte, peer netip.Addr, link string) {
		t.Helper()
		again := restored(t, records, boot)
		got := again.Link("lan").PrefixAt(0x110, 1)
		if got.Peer != peer || got.PeerLink != link {
			t.Errorf("peer %v on %q, want %v on %q", got.Peer, got.PeerLink, peer, link)
		}
		for name := range again.Notes() {
			t.Errorf("note %q", name)
		}
	}
	want(records, b.Peer, "guest")
	want(table.AppendAll(nil, 0, boot), b.Peer, "guest")
	want(table.AppendCopy(nil, 0, boot), b.Peer, "guest")

	b.Peer, b.PeerLink = netip.MustParseAddr("fe80::3"), "wan"
	table.Bind(b)
	changes := table.AppendChanges(nil, 0, boot)
	want(append(bytes.Clone(records), changes...), b.Peer, "wan")
	n := 0 // of what is whole before the last record
	for i := range changes {
		if whole, err := lease.Whole(append([]byte(lease.Header), changes[:i]...)); err == nil {
			n = whole - len(lease.Header)
		}
	}
	want(append(bytes.Clone(records), changes[:n]...), netip.MustParseAddr("fe80::2"), "guest")
	want(append(bytes.Clone(records), changes[n:]...), netip.Addr{}, "")

	b.PeerLink = ""
	table.Bind(b)
	want(append(append(records, changes...), table.AppendChanges(nil, 0, boot)...), b.Peer, "")
}
