package server

import (
	"net/netip"
	"time"

	"lan6d/dhcpv6/lease"
)

// Status is how a server is doing, for those who look at it. It is a copy: later changes do not show in it.
type Status struct {
	Health
	Links     []LinkStatus // in the order of the configuration
	Bound     int          // clients with bindings that Reconfigure can reach
	Stateless int          // clients without bindings that it can reach
	Counters  Counters
}

// Health is what the server does not know by itself: how the records of its bindings fare.
type Health struct {
	Journal error // why a restart would lose what is promised now; nil: it would not
	Copy    error // why the second copy is out of date; nil: it is not
}

// LinkStatus is a served interface.
type LinkStatus struct {
	Name      string
	Present   bool // the kernel has the interface
	Ifindex   int
	LinkLocal netip.Addr // the zero value: none
	Prefixes  []PrefixStatus
	Bindings  [2]BindingCount // by lease.Kind
	Pools     [2]PoolStatus   // by lease.Kind
}

// PrefixStatus is an address of the interface and what is given from its prefix. Lifetimes are what remains of them in
// seconds, dhcpv6.Infinity for ever.
type PrefixStatus struct {
	Prefix           netip.Prefix // with the router's address
	Preferred, Valid uint32
	Addresses        bool // clients get addresses from it
	Delegates        bool // clients get prefixes from it
}

// BindingCount counts the bindings of a link by their states.
type BindingCount struct{ Offered, Bound, Free, Declined int }

// SetHealth tells the server what Status is to say of its records.
func (s *Server) SetHealth(h Health) { s.health = h }

// Status tells how the server is doing at now. It looks at every binding.
func (s *Server) Status(now time.Time) Status {
	at := s.table.At(now)
	status := Status{
		Health: s.health, Bound: s.clients.bound.n, Stateless: s.clients.stateless.n, Counters: s.counters,
	}
	for _, l := range s.links {
		status.Links = append(status.Links, l.status(at))
	}
	return status
}

func (l *link) status(at lease.Time) LinkStatus {
	s := LinkStatus{Name: l.Name, Present: l.present, Ifindex: l.ifindex, LinkLocal: l.linkLocal}
	for i := range l.prefixes {
		p := &l.prefixes[i]
		usable := p.usable(at)
		s.Prefixes = append(s.Prefixes, PrefixStatus{
			Prefix: netip.PrefixFrom(p.address, p.net.Bits()), Preferred: p.preferred.Until(at), Valid: p.valid.Until(at),
			Addresses: p.addresses && usable, Delegates: p.delegates && usable,
		})
	}
	for kind := range s.Pools {
		s.Pools[kind] = l.poolStatus(lease.Kind(kind))
	}
	for b := range l.leases.All() {
		n := &s.Bindings[b.Kind]
		switch b.State {
		case lease.Offered:
			n.Offered++
		case lease.Bound:
			n.Bound++
		case lease.Free:
			n.Free++
		case lease.Declined:
			n.Declined++
		}
	}
	return s
}
