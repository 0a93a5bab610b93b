package relay

import (
	"errors"
	"fmt"
	"maps"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// Check verifies that all that is remembered is in order and tells everything that is not.
func (r *Relay) Check() error {
	problems := []error{r.table.Check()}
	require := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	prefixes, bindings := 0, 0
	counts := make(map[share]int)
	var lengths [129]int
	for _, l := range r.table.Links() {
		for b := range l.All() {
			bindings++
			require(b.Kind == lease.Prefix && b.State == lease.Bound, "%x: %v, %v", b.DUID, b.Kind, b.State)
			require(dhcpv6.IsPeer(b.Peer), "%x: via %v", b.DUID, b.Peer)
			require(len(b.Leases) > 0, "%x: holds nothing", b.DUID)
			for _, k := range b.Leases {
				prefixes++
				lengths[k.Prefix.Bits()]++
				require(r.held[k.Prefix] == b, "%v: not found under its prefix", k.Prefix)
				counts[share{link: l}]++
				counts[share{l, b.DUID, b.Peer}]++
			}
			if w := r.rivals[b]; w != nil {
				require(len(w.leases) > 0 && len(w.leases) <= r.config.MaxPerClient, "rival with %d prefixes", len(w.leases))
			}
		}
	}
	require(len(r.held) == prefixes, "%d prefixes, found by %d", prefixes, len(r.held))
	require(lengths == r.lengths, "lengths %v, counted as %v", lengths, r.lengths)
	require(maps.Equal(counts, r.counts), "prefixes %v, counted as %v", counts, r.counts)
	for b, id := range r.servers {
		require(len(id) <= dhcpv6.MaxDUIDLength, "%d octets of a server's name", len(id))
		require(b.Link.Holds(b), "server of a binding that is over: %x", b.DUID)
	}
	require(len(r.rivals) <= maxRivals, "%d rivals", len(r.rivals))
	for b, w := range r.rivals {
		require(len(w.client)+len(w.server) <= 2*dhcpv6.MaxDUIDLength, "rival with names of %d and %d octets", len(w.client), len(w.server))
		require(b.Link.Holds(b), "rival for a binding that is over: %x", b.DUID)
	}
	require(prefixes <= r.config.MaxPrefixes, "%d prefixes", prefixes)
	for s, n := range counts {
		require(n <= r.config.MaxPerInterface && (s.client == "" || n <= r.config.MaxPerClient), "%d prefixes for %v", n, s)
	}
	return errors.Join(problems...)
}

// Rivals is the number of those who wait for what others hold.
func (r *Relay) Rivals() int { return len(r.rivals) }
