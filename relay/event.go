package relay

import (
	"net/netip"
	"time"

	"lan6d/dhcpv6/lease"
)

// EventKind says what happened.
type EventKind uint8

// The kinds of event.
const (
	Learned   EventKind = iota // a client has delegated prefixes that it did not have before
	Renewed                    // a client has its prefixes for longer, nothing else changed
	Released                   // a client gave prefixes back
	Withdrawn                  // the server took prefixes away
	Replaced                   // prefixes went to another IA, of the same client or another one
	Expired                    // prefixes ran out
	Forgotten                  // see Forget
	Contested                  // a client was given prefixes that another next hop holds, or parts of them, or with its DUID; see NextHopGone
	Full                       // prefixes were not learned, as there are too many; at most once a minute for each interface
)

// String is the kind as a verb in the past tense, for log lines.
func (k EventKind) String() string {
	return [...]string{
		"learned", "renewed", "released", "withdrawn", "replaced", "expired", "forgotten", "contested", "full",
	}[k]
}

// Event tells of a change that the daemon may log or act on. All that the IA still holds the table tells.
type Event struct {
	Kind   EventKind
	At     lease.Time
	Link   string        // the logical interface
	Key    lease.Key     // of all but Full
	Leases []lease.Lease // learned, renewed or contested: all of the IA; else those that are over. Until the next call
	Via    netip.Addr    // the next hop
	Rival  netip.Addr    // of Contested: the next hop that the prefixes do not go to
}

const fullInterval = time.Minute

// Events returns what happened since the last call. The slice is used again by the next call of Forward, Return or Tick.
func (r *Relay) Events() []Event {
	events := r.events
	r.events = r.events[:0]
	return events
}

//go:noinline
func (r *Relay) emit(now lease.Time, kind EventKind, b *lease.Binding, leases []lease.Lease) {
	r.events = append(r.events, Event{Kind: kind, At: now, Link: b.Link.Name, Key: b.Key, Leases: leases, Via: b.Peer})
}

// emitFull tells once a minute that nothing more is learned on an interface.
func (r *Relay) emitFull(now lease.Time, name string) {
	l := linkByName(r.clients, []byte(name))
	if l == nil || now < l.quietUntil {
		return
	}
	l.quietUntil = now.Add(fullInterval)
	r.events = append(r.events, Event{Kind: Full, At: now, Link: name})
}
