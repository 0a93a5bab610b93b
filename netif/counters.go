package netif

import (
	"encoding/binary"
	"maps"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Counters are what a socket has done since Listen.
type Counters struct {
	Received      uint64 // datagrams, truncated ones included
	Truncated     uint64
	Dropped       uint64 // by the kernel: its queue was full
	ReceiveErrors uint64
	Sent          uint64
	Resourced     uint64 // sent in the end, without the source address asked for, which the interface lacked
	SendErrors    map[unix.Errno]uint64
}

// counts is what is behind Counters. The atomic types keep 64-bit counters
// aligned on 32-bit machines.
type counts struct {
	received, truncated, receiveErrors, sent, resourced atomic.Uint64

	mu         sync.Mutex
	sendErrors map[unix.Errno]uint64
}

// Counters returns the present values.
func (s *Socket) Counters() Counters {
	c := &s.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	return Counters{
		Received:      c.received.Load(),
		Truncated:     c.truncated.Load(),
		Dropped:       s.dropped(),
		ReceiveErrors: c.receiveErrors.Load(),
		Sent:          c.sent.Load(),
		Resourced:     c.resourced.Load(),
		SendErrors:    maps.Clone(c.sendErrors),
	}
}

func (s *Socket) countSendError(errno unix.Errno) {
	c := &s.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sendErrors == nil {
		c.sendErrors = make(map[unix.Errno]uint64)
	}
	c.sendErrors[errno]++
}

// dropped asks the kernel how many datagrams it dropped because the socket's
// queue was full; 0 where it cannot tell (before Linux 4.12).
func (s *Socket) dropped() uint64 {
	const drops = 8 // SK_MEMINFO_DROPS, an index into an array of u32
	var info [(drops + 1) * 4]byte
	n, err := s.conn.GetsockoptBytes(unix.SOL_SOCKET, unix.SO_MEMINFO, info[:])
	if err != nil || n < len(info) {
		return 0
	}
	return uint64(binary.NativeEndian.Uint32(info[drops*4:]))
}
