package server

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// What outlives the process beside the bindings are notes of the table: the server's DUID, the number of the run and the
// clients that accept Reconfigure.
const (
	noteDUID   = "duid"
	noteRun    = "run"
	noteClient = "client/" // link, a zero octet, DUID
)

// Restore takes up what the table's AppendAll and AppendChanges wrote, after New and before anything else. See
// lease.Table.Restore.
func (s *Server) Restore(content []byte, now time.Time, clock lease.Clock) error {
	err := s.table.Restore(content, s.table.At(now), clock)
	s.startRun(clock.Wall / int64(time.Second))
	s.keepDUID()
	for name, value := range s.table.Notes() {
		if key, ok := strings.CutPrefix(name, noteClient); ok && !s.restoreClient(key, value) {
			s.table.SetNote(name, nil)
		}
	}
	if s.config.Random != nil { // else SetConfig is to come, with the limit
		s.forgetOldest()
	}
	return err
}

// startRun begins to count replay detection values (section 20.3): the number of the run in the upper half, in the lower
// half how many there were in this run. So they go on growing after a restart that has lost the last of them. The number
// of the run is one more than that of the last, or the time if that is more: also when what is restored is an old copy.
func (s *Server) startRun(seconds int64) {
	run := uint32(min(max(seconds, 1), 1<<32-1))
	if b := s.table.Note(noteRun); len(b) == 4 {
		last := binary.BigEndian.Uint32(b)
		run = max(run, last, last+1) // a damaged note may say that it is the last of all
	}
	s.clients.replay = uint64(run) << 32
	s.keepRun()
}

//go:noinline
func (s *Server) keepRun() {
	s.table.SetNote(noteRun, binary.BigEndian.AppendUint32(nil, uint32(s.clients.replay>>32)))
}

// nextReplay is the replay detection value for an Authentication option: higher than all before.
func (s *Server) nextReplay() uint64 {
	s.clients.replay++
	if uint32(s.clients.replay) == 0 {
		s.keepRun()
	}
	return s.clients.replay
}

// keepDUID notes the server's DUID.
func (s *Server) keepDUID() {
	if id := s.config.DUID; len(id) > 0 && !bytes.Equal(id, s.table.Note(noteDUID)) {
		s.table.SetNote(noteDUID, bytes.Clone(id))
	}
}

// NotedDUID is the DUID that the server had last, if it is known from what was restored; else nil.
func (s *Server) NotedDUID() dhcpv6.DUID {
	id, err := dhcpv6.ParseDUID(s.table.Note(noteDUID))
	if err != nil {
		return nil
	}
	return bytes.Clone(id)
}

func (k clientKey) noteName() string { return noteClient + k.link + "\x00" + k.duid }

// clientNote is the version of the notes of clients. Then come the key, the peer's address and port, the name of the
// interface with its length before it, and the chain.
const (
	clientNote      = 1
	clientNoteFixed = 1 + md5Size + 16 + 2 + 1 // octets of all but the last two
)

// note is what is known of a client. Whether it is bound its bindings tell.
func (c *client) note() []byte {
	addr := c.path.peer.Addr().As16()
	b := make([]byte, clientNoteFixed+len(c.path.via)+len(c.path.chain))
	b[0] = clientNote
	copy(b[1:], c.key[:])
	copy(b[17:], addr[:])
	binary.BigEndian.PutUint16(b[33:], c.path.peer.Port())
	b[35] = byte(len(c.path.via))
	copy(b[copy(b[clientNoteFixed:], c.path.via)+clientNoteFixed:], c.path.chain)
	return b
}

// restoreClient takes up the note of a client, and reports whether it is one.
func (s *Server) restoreClient(name string, b []byte) bool {
	link, duid, ok := strings.Cut(name, "\x00")
	if !ok || len(duid) < dhcpv6.MinDUIDLength || len(duid) > dhcpv6.MaxDUIDLength ||
		len(b) < clientNoteFixed || b[0] != clientNote || len(b)-clientNoteFixed < int(b[35]) {
		return false
	}
	peer := netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[17:])), binary.BigEndian.Uint16(b[33:]))
	via, chain := b[clientNoteFixed:][:b[35]], b[clientNoteFixed+int(b[35]):]
	p := path{string(via), peer, string(chain)}
	if !p.isPath() {
		return false
	}
	c := s.learn(s.table.Link(link), duid, reconfigureKey(b[1:]))
	c.path = p
	s.queueOf(c).push(&c.home)
	return true
}
