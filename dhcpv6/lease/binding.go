package lease

import (
	"math"
	"net/netip"
	"time"

	"lan6d/dhcpv6"
)

// Kind tells addresses (IA_NA) from delegated prefixes (IA_PD).
type Kind uint8

// The kinds of binding.
const (
	Address Kind = iota // IA_NA
	Prefix              // IA_PD
)

// String is the RFC's name of the IA of that kind.
func (k Kind) String() string {
	if k == Prefix {
		return "IA_PD"
	}
	return "IA_NA"
}

// State tells where a binding is in its life.
type State uint8

// The states of a binding. Free bindings are remembered so that a client that comes back finds its own; they are given
// to somebody else when no unused id is left, the longest unused first.
const (
	New      State = iota // being made: the caller of Allocate has not decided yet
	Offered               // in an Advertise, not yet promised
	Bound                 // promised to a client
	Free                  // released or expired, remembered
	Declined              // somebody else uses the address: not given out until the deadline
)

// String is the state's name in lower case, for logs and tables.
func (s State) String() string {
	return [...]string{New: "new", Offered: "offered", Bound: "bound", Free: "free", Declined: "declined"}[s]
}

// Time is a moment on the table's own clock, in nanoseconds since the table was made. It follows the monotonic clock
// and so does not jump when a router learns the time of day.
type Time int64

// Never is later than every moment.
const Never Time = math.MaxInt64

// Add is the moment d after t; Never stays Never.
func (t Time) Add(d time.Duration) Time {
	if t == Never || d > 0 && t > Never-Time(d) {
		return Never
	}
	return t + Time(d)
}

// After is the moment the given number of seconds after t: Never for dhcpv6.Infinity.
func (t Time) After(seconds uint32) Time {
	if seconds == dhcpv6.Infinity {
		return Never
	}
	return t.Add(time.Duration(seconds) * time.Second)
}

// Until is what remains from now to t in whole seconds: 0 when t is past, dhcpv6.Infinity for Never.
func (t Time) Until(now Time) uint32 {
	switch {
	case t == Never:
		return dhcpv6.Infinity
	case t <= now:
		return 0
	}
	// Largest finite lifetime: 136 years. A router's clock will not get there, a hostile lifetime may.
	return uint32(min((t-now)/Time(time.Second), dhcpv6.Infinity-1))
}

// Lease is one address or prefix of a binding. An address is a prefix of 128 bits.
type Lease struct {
	Prefix           netip.Prefix
	Preferred, Valid Time // when these lifetimes end
	// Withdrawn: the client was promised this lease earlier and must be told that it is over, until Valid, when it
	// forgets it by itself.
	Withdrawn bool
}

// Key names an IA: a client's DUID as a string of octets, the IAID and the kind.
type Key struct {
	DUID string
	IAID uint32
	Kind Kind
}

// Binding is what one IA holds on one link. Only the Table changes it; readers may look.
type Binding struct {
	Key
	Link     *Link
	State    State
	Fixed    bool       // the id comes from the configuration
	Length   uint8      // of the leases: 128 for addresses
	ID       uint64     // interface id; or subnet id, counted in /64s from the start of the interface prefix
	Hostname string     // what the client calls itself, of any octets: whoever writes it anywhere must look; empty: none
	Peer     netip.Addr // where the client's last message came from: its link-local address, or its relay's
	PeerLink string     // of a delegated prefix, the link that Peer is on; empty: the binding's
	Leases   []Lease
	Deadline Time // when the state ends: the last valid lifetime; the end of the offer or quarantine; Never when Free

	wake       Time // deadline as the heap knows it: never later than Deadline
	heapIndex  int  // in Table.deadlines; -1: not in it
	prev, next *Binding
	list       *list // that prev and next link it into; nil: none
	marked     bool  // it is in Table.marked
	recorded   bool  // records tell of its id
	kept       bool  // its link has it, by its id

	room [2]Lease // where Leases begins: most bindings need no more memory, and have this at hand
}

// Client is the DUID of the client; empty for a quarantined address that nobody holds.
func (b *Binding) Client() dhcpv6.DUID { return dhcpv6.DUID(b.DUID) }

// Find returns the lease of exactly that address or prefix, or nil.
func (b *Binding) Find(p netip.Prefix) *Lease {
	for i := range b.Leases {
		if b.Leases[i].Prefix == p {
			return &b.Leases[i]
		}
	}
	return nil
}

// Size is the number of ids the binding takes: 1 for addresses, the number of /64s for prefixes.
func (b *Binding) Size() uint64 { return IDs(b.Length) }

// IDs is the number of consecutive ids that a lease of that length takes: an address, or a prefix of 1 to 64 bits.
//
//go:noinline
func IDs(length uint8) uint64 {
	if length >= 64 {
		return 1
	}
	return 1 << (64 - length)
}
