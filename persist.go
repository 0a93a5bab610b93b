package main

import (
	"path/filepath"
	"time"

	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/lease/journal"
)

// persist keeps the second copy of the bindings, on flash: written seldom, and by a goroutine of its own, for flash is
// slow.
type persist struct {
	path     string        // empty: there is none
	interval time.Duration // from one write to the next, at least
	changed  bool          // the bindings, since the last write began
	due      time.Time     // no write before
	done     chan error    // from the goroutine that writes; nil: none does
	err      error         // of the last write
}

// setPersist says where the copy is and how often it may be written.
func (s *store) setPersist(path string, interval time.Duration) {
	if filepath.Clean(path) == filepath.Clean(s.path) {
		s.log.errorf("leases: %s is the journal itself: there is no copy", path)
		path = ""
	}
	if s.persist.path != path {
		s.persist.path, s.persist.changed = path, true
	}
	s.persist.interval = interval
}

// newer returns the newer one of the journal's content and the copy's.
func (s *store) newer(content []byte, clock lease.Clock) (newest []byte, path string) {
	if s.persist.path == "" {
		return content, s.path
	}
	copied, err := journal.Load(s.persist.path)
	if err != nil {
		s.log.errorf("%s: %v", s.what, err)
	}
	if copied != nil && (content == nil || lease.Newer(copied, content, clock)) {
		return copied, s.persist.path
	}
	return content, s.path
}

// copy begins to write the copy, where it is time to.
func (s *store) copy() {
	p := &s.persist
	if p.done != nil {
		select {
		case err := <-p.done:
			s.copied(err)
		default:
		}
	}
	if p.path == "" || !p.changed || p.done != nil {
		return
	}
	now := s.clocks.now()
	if p.due.After(now) {
		return
	}
	content := s.live()
	path, done := p.path, make(chan error, 1)
	p.changed, p.due, p.done = false, now.Add(p.interval), done
	go func() { done <- journal.Save(path, content) }()
}

// copied notes how the write of a copy went. A failure is said once.
func (s *store) copied(err error) {
	p := &s.persist
	p.done = nil
	switch {
	case err == nil && p.err != nil:
		s.log.infof("the copy of %s is written again", s.what)
	case err != nil && p.err == nil:
		s.log.errorf("%s: copy to %s: %v: tried again every %s", s.what, p.path, err, lifetime(p.interval))
	}
	p.err = err
	p.changed = p.changed || err != nil
}

// nextCopy is when copy is needed next; the zero time: not by itself.
func (s *store) nextCopy() time.Time {
	if p := &s.persist; p.path != "" && (p.changed || p.done != nil) {
		return p.due
	}
	return time.Time{}
}

// lastCopy writes the copy before the program ends, if it is not up to date.
func (s *store) lastCopy() {
	if s.persist.done != nil {
		s.copied(<-s.persist.done)
	}
	s.persist.due = time.Time{}
	if s.copy(); s.persist.done != nil {
		s.copied(<-s.persist.done)
	}
}
