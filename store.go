package main

import (
	"time"

	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/lease/journal"
	"lan6d/dhcpv6/tinyfmt"
)

// rewriteInterval is how long to wait before trying again to write a journal that could not be written.
const rewriteInterval = 5 * time.Second

// store keeps the bindings on disk. A change is written before the answer that promises it is sent; while the journal
// cannot be written, clients are served all the same.
type store struct {
	what    string // is kept, for the log: "leases"
	path    string
	clocks  clocks
	log     *logger
	table   *lease.Table
	restore func(content []byte, now time.Time, clock lease.Clock) error // Server.Restore
	sync    bool                                                         // wait for the disk
	journal *journal.Journal                                             // nil: it could not be made yet
	persist persist
	buf     []byte
	size    int       // of all that is live, as it was written last
	err     error     // why the journal is not whole; nil: it is
	retry   time.Time // when to make it whole; zero: no need
	swollen error     // why the journal, though whole, cannot be compacted; nil: it can
	compact time.Time // no compaction before
}

// setSync has the journal wait for the disk, or not.
func (s *store) setSync(on bool) {
	if s.sync = on; s.journal != nil {
		s.journal.SetSync(on)
	}
}

// load takes up what the journal holds and begins a new one with it.
func (s *store) load() {
	content, err := journal.Load(s.path)
	if err != nil {
		s.log.errorf("%s: %v", s.what, err)
	}
	clock := s.clocks.read()
	content, path := s.newer(content, clock)
	if err := s.restore(content, s.clocks.now(), clock); err != nil {
		s.log.errorf("%s: %s: %v", s.what, path, err)
	}
	s.rewrite()
	n := 0
	for _, l := range s.table.Links() {
		n += l.Len()
	}
	if n > 0 {
		s.log.infof("%d bindings restored from %s", n, path)
	}
	s.persist.changed = content != nil // the number of this run, at least: see server.Restore
}

// record writes what has changed since the last call.
func (s *store) record() {
	if s.err != nil {
		s.persist.changed = true // perhaps: nothing tells
		if !s.retry.After(s.clocks.now()) {
			s.rewrite()
		}
		return
	}
	if !s.table.Changed() {
		return // without a look at the clocks: on MIPS each is a system call
	}
	s.buf = s.table.AppendChanges(s.buf[:0], s.table.At(s.clocks.now()), s.clocks.read())
	if len(s.buf) == 0 {
		return
	}
	s.persist.changed = true
	if err := s.journal.Append(s.buf); err != nil {
		s.fail(err)
	} else if s.journal.Grown() && !s.compact.After(s.clocks.now()) {
		s.shrink()
	}
}

// shrink makes the journal anew because it has grown. While that cannot be done the old one goes on, which is said once.
func (s *store) shrink() {
	now := s.clocks.now()
	err := s.journal.Rewrite(s.live())
	switch {
	case err == nil:
		s.whole()
		return
	case s.journal.Err() != nil:
		s.fail(err)
		return
	case s.swollen == nil:
		s.log.errorf("%s: the journal cannot be compacted, it goes on growing: %v", s.what, err)
	}
	s.compact = now.Add(rewriteInterval)
	s.swollen = tinyfmt.Errorf("the journal of %s cannot be compacted: %w", s.what, err)
}

// live is all that is live, as the content of a file.
func (s *store) live() []byte {
	content := s.table.AppendCopy(s.room(), s.table.At(s.clocks.now()), s.clocks.read())
	s.size = len(content)
	return content
}

// room is a buffer for all that is live. One that grows from nothing would take three times the memory.
func (s *store) room() []byte { return make([]byte, 0, s.size+1024) }

// health is why the journal is not as it should be; nil: it is.
func (s *store) health() error {
	if s.err != nil {
		return s.err
	}
	return s.swollen
}

// rewrite makes the journal anew, with what is live.
func (s *store) rewrite() {
	content := s.table.AppendAll(s.room(), s.table.At(s.clocks.now()), s.clocks.read())
	s.size = len(content)
	var err error
	if s.journal == nil {
		s.journal, err = journal.Create(s.path, content, s.sync)
	} else {
		err = s.journal.Rewrite(content)
	}
	if err != nil {
		s.fail(err)
		return
	}
	s.whole()
}

// whole notes that the journal is as it should be.
func (s *store) whole() {
	switch {
	case s.err != nil:
		s.log.infof("%s are written again", s.what)
	case s.swollen != nil:
		s.log.infof("the journal of %s is compacted again", s.what)
	}
	s.err, s.swollen, s.retry = nil, nil, time.Time{}
}

// fail notes that the journal cannot be written. It is said once.
func (s *store) fail(err error) {
	if s.err == nil {
		s.log.errorf("%s: %v: clients are served, but a restart would lose what they get now", s.what, err)
	}
	s.err = tinyfmt.Errorf("%s are not written: %w", s.what, err)
	s.retry = s.clocks.now().Add(rewriteInterval)
}

// close writes what is left.
func (s *store) close() {
	s.record()
	s.lastCopy()
	if s.journal != nil {
		s.journal.Close()
	}
}
