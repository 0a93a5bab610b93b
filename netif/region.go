package netif

import (
	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
)

// MaxPayload is the largest payload of a UDP datagram over IPv6 that is not a
// jumbogram: 65,535 octets less the UDP header.
const MaxPayload = 65535 - 8

const (
	// slotSize is the distance of two datagrams in a region, a multiple of
	// every page size Linux has (4, 16 or 64 KiB).
	slotSize = 1 << 16

	// calm is the number of slots whose first page stays resident when the
	// load is low.
	calm = 4

	// lull is how many times in a row no more slots than that must have been
	// used for the load to be low: under load, small batches come between
	// large ones.
	lull = 16
)

// region is memory for a number of datagrams, each of which may have the full
// 65,527 octets. It costs address space, and only those pages that datagrams
// have touched cost memory: one page per slot for datagrams of usual size.
//
// A batch of 32 takes 2 MiB of address space, a socket with its two batches 4
// MiB: 16 served interfaces need 64 MiB of the 2 GiB a process has on MIPS.
//
// Resident, with pages of 4 KiB: 128 KiB a region after a burst of 32 small
// datagrams; up to 2 MiB while 32 of the largest are being processed, and 4 to
// 16 KiB when that is over.
type region struct {
	mem     []byte
	touched int // slots before this one may have resident pages
	quiet   int // times in a row that no more than calm were used
}

// pageSize of the running kernel, in octets.
var pageSize = unix.Getpagesize()

func newRegion(slots int) (region, error) {
	mem, err := unix.Mmap(-1, 0, slots*slotSize, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return region{}, tinyfmt.Errorf("map %d octets for datagrams: %w", slots*slotSize, err)
	}
	// A huge page would make all slots resident with the first. Kernels
	// without huge pages answer EINVAL, which is as good.
	_ = unix.Madvise(mem, unix.MADV_NOHUGEPAGE)
	return region{mem: mem}, nil
}

// slot returns the i-th slot, slotSize octets.
func (r *region) slot(i int) []byte {
	return r.mem[i*slotSize : (i+1)*slotSize : (i+1)*slotSize]
}

// trim gives back what n octets in the i-th slot touched beyond its first page.
func (r *region) trim(i, n int) {
	if n > pageSize {
		_ = unix.Madvise(r.slot(i)[pageSize:], unix.MADV_DONTNEED)
	}
}

// settle is called when the first n slots have been used and are free again.
// Once few are in use, what a burst made resident is given back: not before,
// since under load the pages would be wanted again at once.
func (r *region) settle(n int) {
	r.touched = max(r.touched, n)
	if r.quiet++; n > calm {
		r.quiet = 0
	}
	if r.quiet >= lull && r.touched > calm {
		_ = unix.Madvise(r.mem[calm*slotSize:r.touched*slotSize], unix.MADV_DONTNEED)
		r.touched = calm
	}
}

// free unmaps the region. No slot of it may be used any more.
func (r *region) free() {
	if r.mem != nil {
		_ = unix.Munmap(r.mem)
		r.mem = nil
	}
}
