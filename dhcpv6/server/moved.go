package server

import (
	"bytes"
	"sort"
	"strings"

	"lan6d/dhcpv6/lease"
)

// notePrefixes and the name of a link name the note of the prefixes that the link had last.
const notePrefixes = "prefixes/"

// shorter is by how much lifetimes must have become shorter for clients to be told: the kernel counts whole seconds.
const shorter = 5e9

// tellMoved has the clients come, of links whose prefixes are others than before: appeared, deprecated, shortened, gone;
// or others than before a restart, once the link has any again. While one is about to appear, they are left alone: whoever
// came now might be given nothing, and would give up what it has.
func (s *Server) tellMoved(at lease.Time, before []*link) {
	for _, l := range s.links {
		var old *link
		for _, b := range before {
			if b.Name == l.Name {
				old = b
			}
		}
		none := len(l.prefixes) == 0
		if !l.present || none && (old == nil || len(old.prefixes) == 0 && !old.held) {
			continue
		}
		shortened := old != nil && old.shortened || l.shortenedSince(at, old)
		if l.settling {
			l.held, l.shortened = true, shortened
			continue
		}
		name, list := notePrefixes+l.Name, l.prefixList(at)
		noted := s.table.Note(name)
		same := bytes.Equal(noted, list)
		if !same {
			s.table.SetNote(name, list)
		}
		if noted != nil && s.config.Random != nil && (!same || shortened) {
			s.reconfigureLink(at, l)
		}
	}
}

// prefixList names the prefixes that leases may come from, in an order of its own; never empty.
func (l *link) prefixList(at lease.Time) []byte {
	var names []string
	for i := range l.prefixes {
		if p := &l.prefixes[i]; p.usable(at) && l.allowed(p) {
			names = append(names, p.net.String()+" "+p.subnet.String())
		}
	}
	sort.Slice(names, func(i, j int) bool { return names[i] < names[j] })
	return []byte(strings.Join(names, ",") + ".")
}

// shortenedSince reports whether a prefix ends earlier than clients may have been promised when it was as in old.
func (l *link) shortenedSince(at lease.Time, old *link) bool {
	if old == nil {
		return false
	}
	ends := func(now, was lease.Time, longest uint32) bool {
		return now.Add(shorter) < min(was, at.After(min(longest, l.LeaseTime)))
	}
	for i := range l.prefixes {
		for j := range old.prefixes {
			p, q := &l.prefixes[i], &old.prefixes[j]
			if p.net == q.net && p.subnet == q.subnet &&
				(ends(p.preferred, q.preferred, l.MaxPreferred) || ends(p.valid, q.valid, l.MaxValid)) {
				return true
			}
		}
	}
	return false
}
