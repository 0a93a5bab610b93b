package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/lease"
)

// fill binds so many clients to an address each, for an hour.
func fill(s *store, clients int) {
	link, now := s.table.Link("lan"), s.table.At(s.clocks.now())
	pool := lease.Pool{Span: lease.Span{First: 0x100, Last: 1<<32 - 1}}
	for n := range clients {
		duid := binary.BigEndian.AppendUint32([]byte{0, 3, 0, 1, 2, 0}, uint32(n))
		b := link.AllocateAddress(duid, 1, pool, 0)
		a := [16]byte{0x20, 1, 0xd, 0xb8}
		binary.BigEndian.PutUint64(a[8:], b.ID)
		b.Leases = append(b.Leases, lease.Lease{Prefix: netip.PrefixFrom(netip.AddrFrom16(a), 128), Preferred: now.After(2700), Valid: now.After(3600)})
		b.Peer = netip.MustParseAddr("fe80::2")
		s.table.Bind(b)
	}
	s.record()
}

// BenchmarkLoad takes up the journal of a daemon that crashed, and begins a new one, in memory as on a router.
func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		b.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	for _, clients := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			var out bytes.Buffer
			path := filepath.Join(dir, fmt.Sprint(clients))
			s := newServerStore(path, &out)
			s.load()
			fill(s, clients)
			s.journal.Close()
			before := processorTime(b)
			for b.Loop() {
				s = newServerStore(path, &out)
				s.load()
				s.journal.Close()
			}
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N)/1000, "cpu-ms/op")
			if n := s.table.Link("lan").Len(); n != clients {
				b.Fatalf("%d bindings are restored, want %d: %s", n, clients, &out)
			}
		})
	}
}

// processorTime is what this process has taken so far, its garbage collector included.
func processorTime(b *testing.B) time.Duration {
	var t unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Utime.Nano() + t.Stime.Nano())
}
