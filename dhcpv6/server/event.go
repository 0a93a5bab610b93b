package server

import (
	"net/netip"
	"time"

	"lan6d/dhcpv6/lease"
)

// EventKind says what happened.
type EventKind uint8

// The kinds of event.
const (
	Bound     EventKind = iota // a client has a new binding, or leases it did not have before
	Renewed                    // a client has its binding for longer, nothing else changed
	Released                   // a client gave its binding back
	Replaced                   // the server took a binding away: its client has another, or another IA of the client has it
	Expired                    // a binding ran out
	Withdrawn                  // a client was told that it has no lease any more; the binding waits for a prefix until it runs out
	Declined                   // a client found an address in use by another host
	Deleted                    // somebody had the server end a binding: see End
	PoolFull                   // no address or prefix is left for a client; at most once a minute for each pool
)

// String is the kind as a verb in the past tense, for log lines.
func (k EventKind) String() string {
	return [...]string{"bound", "renewed", "released", "replaced", "expired", "withdrawn", "declined", "deleted", "pool full"}[k]
}

// Event tells of a change that the daemon may log or act on. Leases alias the table: later calls of the Server's may
// change their lifetimes.
type Event struct {
	Kind       EventKind
	At         lease.Time
	Link       string // the logical interface
	Key        lease.Key
	Hostname   string // as that of the binding: of any octets
	ID         uint64
	Fixed      bool
	Leases     []lease.Lease
	Client     netip.Addr    // source of the client's message, its link-local address as a rule; or the relay's
	Quarantine time.Duration // of a declined address: how long it is not given out
}

const poolFullInterval = time.Minute

// Events returns what happened since the last call. The slice is used again by the next call of Handle or Tick.
func (s *Server) Events() []Event {
	events := s.events
	s.events = s.events[:0]
	return events
}

func (s *Server) emit(at lease.Time, kind EventKind, b *lease.Binding, client netip.Addr) {
	s.events = append(s.events, Event{
		Kind: kind, At: at, Link: b.Link.Name, Key: b.Key, Hostname: b.Hostname, ID: b.ID, Fixed: b.Fixed, Leases: b.Leases,
		Client: client,
	})
}

// emitPoolFull tells once a minute that a pool of the link has nothing left.
func (s *Server) emitPoolFull(l *link, kind lease.Kind, now lease.Time) {
	if now < l.quietUntil[kind] {
		return
	}
	l.quietUntil[kind] = now.Add(poolFullInterval)
	s.events = append(s.events, Event{Kind: PoolFull, At: now, Link: l.Name, Key: lease.Key{Kind: kind}})
}
