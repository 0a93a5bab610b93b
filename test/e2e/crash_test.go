package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tight is how a router is configured whose clients get in each other's way: there are few addresses and prefixes, so that
// whoever gets one at random would often get one that is taken.
const tight = config + "\toption dhcpv6_hostidlength '12'\n"

var tightAddrs = []string{"2001:db8:1::1/54", "fd00:1::1/54"}

// TestCrash: lan6d is killed, or stopped, at random moments while 200 clients are busy. Whenever that is, what a client
// was promised is on disk; after the restart it still has it, nobody else has it, and the routes are those of the bound
// prefixes.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		times  int
		kinds  []kind
		signal syscall.Signal
		status int // what lan6d ends with
	}{
		{"killed", 50, clientKinds, syscall.SIGKILL, -1},
		{"stopped", 12, []kind{dhcpcdKind}, syscall.SIGTERM, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSiege(t, test.kinds, 200)
			s.crowd.start()
			for i := range test.times {
				s.round(fmt.Sprintf("crash %d", i+1), i, test.signal, test.status)
			}
			s.end(test.times)
		})
	}
}

// A siege is a router that is ended again and again while its clients are busy.
type siege struct {
	*router
	random    *rand.Rand
	ledger    ledger
	residents []cell // real clients, who keep what they have
	crowd     *crowd
	cut       int // messages that waited for an answer when lan6d was ended, in all
}

// newSiege makes a router with so many clients. The real ones have leases.
func newSiege(t *testing.T, kinds []kind, clients int) *siege {
	s := &siege{router: newRouter(t, tight, tightAddrs...), random: newRandom(t)}
	w := want{addr: true, prefix: true}
	for _, k := range kinds {
		c := newCell(t, k, s.router, s.client(k.name))
		c.client.start(w)
		s.residents = append(s.residents, c)
	}
	for _, c := range s.residents {
		s.enter(s.replyPacket(c.host, 0, optIAPD))
	}
	s.crowd = s.newCrowd(s.random, &s.ledger, clients-len(kinds))
	return s
}

// replyPacket waits for a Reply that gives a host leases in IAs of that type.
func (r *router) replyPacket(h *host, since int, code uint16) packet {
	r.t.Helper()
	at := h.LinkLocal(r.t, "eth0")
	return r.capture.await(since, 20*time.Second, "a Reply to "+h.name, func(p packet) bool {
		return p.sent && p.kind == "Reply" && p.dst.Addr() == at && len(p.leases(code)) > 0
	})
}

// enter notes what a real client was promised.
func (s *siege) enter(p packet) {
	s.t.Helper()
	if len(p.leases(optIANA)) == 0 || len(p.leases(optIAPD)) == 0 {
		s.t.Errorf("a client is given %v", p.ias())
	}
	if err := s.ledger.enterReply(p); err != nil {
		s.t.Error(err)
	}
}

// round lets lan6d serve for a while, ends it, checks what it kept, and starts it again. Two times of three that is at the
// very moment when an answer comes: what it promises must be on disk then. Every other time the crowd waits until the new
// lan6d has been looked at; else it goes on, and the new one may be ended even before it serves.
func (s *siege) round(when string, i int, sig syscall.Signal, status int) {
	time.Sleep(time.Duration(s.random.IntN(300)) * time.Millisecond)
	s.cut += int(s.crowd.waiting.Load())
	if i%3 == 0 {
		s.lan6d.signal(sig)
	} else {
		s.crowd.onAnswer(func() { s.lan6d.signal(sig) })
	}
	// One that was stopped before it has said anything may not have come as far as to hear of signals.
	if got := s.lan6d.wait(5 * time.Second); got != status && (s.lan6d.log() != "" || got != -1) {
		s.t.Errorf("%s: lan6d ended with status %d: %s", when, got, lastLines(s.lan6d.log(), 20))
	}
	quiet := i%2 == 0
	if quiet {
		s.crowd.pause()
		defer s.crowd.resume()
	}
	// No lan6d runs: whatever is claimed now was promised by this one or one before it.
	claims := s.ledger.all()
	k := s.kept()
	s.checkKept(when, k, claims)
	s.lan6d.forget()
	s.serve()
	if quiet {
		s.awaitService()
		s.checkRestored(when, k)
		s.checkRoutes(when, k)
	}
}

// checkRestored: lan6d says that it has taken up everything, and speaks of a torn end if there is one.
func (r *router) checkRestored(when string, k keep) {
	r.t.Helper()
	if n := k.len(); n > 0 {
		r.lan6d.logged(fmt.Sprintf("%d bindings restored from %s", n, journalPath))
	}
	if torn := r.lan6d.hasLogged("octets from there on are ignored"); torn != (k.torn > 0) {
		r.t.Errorf("%s: %d octets at the journal's end are no record, and the log says: %s", when, k.torn, r.lan6d.log())
	}
}

// forget drops what an ended program has printed: nobody will want to read the log of the 17th one of fifty.
func (p *process) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.output.Reset()
}

// end: everybody still has what was promised, and can renew it.
func (s *siege) end(times int) {
	s.t.Helper()
	s.awaitService()
	s.crowd.halt()
	s.crowd.renew(s.crowd.members)
	for _, c := range s.residents {
		s.rejoin(c)
	}
	k := s.kept()
	claims := s.ledger.all()
	s.checkKept("in the end", k, claims)
	s.checkRoutes("in the end", k)
	served := s.crowd.served.Load()
	s.t.Logf("%d messages of the crowd were answered, %d waited when lan6d was ended; %d claims in the end", served, s.cut, len(claims))
	if served < int64(10*times) || s.cut < times || len(claims) < 50 {
		s.t.Error("that was no load")
	}
	if strings.Contains(s.lan6d.log(), "error:") {
		s.t.Errorf("the last lan6d complains: %s", s.lan6d.log())
	}
}

// rejoin has a real client renew, or come back after a power cut if it cannot be told to, and checks that it gets what it
// had.
func (s *siege) rejoin(c cell) {
	s.t.Helper()
	since := s.capture.mark()
	if d, ok := c.client.(*dhcpcd); ok {
		d.renew()
	} else {
		c.client.kill()
		c.client.start(want{addr: true, prefix: true})
	}
	for _, code := range []uint16{optIANA, optIAPD} {
		if code == optIANA && c.kind.name == "dibbler" {
			continue // it confirms its addresses
		}
		p := s.replyPacket(c.host, since, code)
		duid, _ := p.option(optClientID)
		for _, had := range s.ledger.all() {
			if had.duid == string(duid) && had.code == code && !samePrefixes(had.leases, p.leases(code)) {
				s.t.Errorf("%s had %v, and is given %v", c.host.name, had.leases, p.ias(code))
			}
		}
	}
}
