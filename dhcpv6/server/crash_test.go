package server_test

import (
	"fmt"
	"net/netip"
	"time"

	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// How a play's server ends, at any moment, and another one takes up what it has left: package main in miniature.

// disk is what outlives a server, and the machine's clocks.
type disk struct {
	journal  []byte
	written  time.Time // when the last record was
	copied   []byte    // the second copy; nil: there is none
	atCopy   holdings  // when it was made
	copiedAt time.Time
	boot     byte
	booted   time.Time
	wall     time.Duration // by which the wall clock is wrong
	ended    int           // servers
}

// holdings are the bindings that must outlive the server.
type holdings map[boundKey]holding

type holding struct {
	what   string // all but the times
	leases map[netip.Prefix]time.Time
	until  time.Time
}

// forEver is when a lease of infinite lifetime ends.
var forEver = epoch.AddDate(1000, 0, 0)

func wallOf(table *lease.Table, t lease.Time) time.Time {
	if t == lease.Never {
		return forEver
	}
	return table.Wall(t)
}

func (p *play) clock() lease.Clock {
	return lease.Clock{Boot: [16]byte{p.disk.boot + 1}, Since: int64(p.now.Sub(p.disk.booted)), Wall: p.now.Add(p.disk.wall).UnixNano()}
}

// record does what must be done before an answer is sent.
func (p *play) record() {
	n := len(p.disk.journal)
	if p.disk.journal = p.Table().AppendChanges(p.disk.journal, p.Table().At(p.now), p.clock()); len(p.disk.journal) > n {
		p.disk.written = p.now
	}
	p.was = nil
}

// rewrite makes the journal anew: at the start, or because it has grown.
func (p *play) rewrite() {
	p.disk.journal = p.Table().AppendAll(nil, p.Table().At(p.now), p.clock())
	p.disk.written, p.was = p.now, nil
}

// copy makes the second copy.
func (p *play) copy() {
	p.disk.copied = p.Table().AppendCopy(nil, p.Table().At(p.now), p.clock())
	p.disk.atCopy, p.disk.copiedAt = p.holdings(), p.now
}

func (p *play) holdings() holdings {
	all := make(holdings)
	for _, link := range p.Table().Links() {
		for b := range link.All() {
			if b.State != lease.Bound && b.State != lease.Declined {
				continue
			}
			key := boundKey{link.Name, b.Key}
			if b.State == lease.Declined {
				key.DUID, key.IAID = "declined", uint32(b.ID)
			}
			h := holding{
				what:   fmt.Sprint(b.State, b.Fixed, b.Length, b.ID, b.Hostname, b.Peer, b.PeerLink),
				leases: make(map[netip.Prefix]time.Time), until: wallOf(p.Table(), b.Deadline),
			}
			for _, k := range b.Leases {
				h.what += fmt.Sprint(" ", k.Prefix, k.Withdrawn)
				h.leases[k.Prefix] = wallOf(p.Table(), k.Valid)
			}
			all[key] = h
		}
	}
	return all
}

// downs are how long a server may be gone.
var downs = [...]time.Duration{
	time.Second, time.Second, 5 * time.Second, 61 * time.Second, 30 * time.Minute, 2 * time.Hour, 13 * time.Hour, 48 * time.Hour,
}

// end ends the server and starts another one. What is bound then must be what was, in one of the states it went through
// in the last step.
func (p *play) end(how int, was ...holdings) {
	p.disk.ended++
	content := p.disk.journal
	bound, stateless := p.Clients()
	if p.disk.copied != nil && p.disk.copied[len(lease.Header)+9] == p.clock().Boot[0] &&
		lease.Newer(p.disk.copied, content, p.clock()) && len(was) == 1 {
		if err := was[0].differ(p.disk.atCopy, p.now, 0, 0); err != nil {
			p.Errorf("the copy counts as newer than the journal: %v", err)
		}
	}
	p.now = p.now.Add(downs[how&7])
	reboot, lost := how>>4&1 != 0, false
	if reboot {
		p.disk.boot++
		p.disk.booted = p.now.Add(-min(downs[how&7], time.Duration(p.next())*time.Second))
		if lost = how>>3&1 != 0 && p.disk.copied != nil; lost {
			content, was, p.disk.written = p.disk.copied, []holdings{p.disk.atCopy}, p.disk.copiedAt
		}
	}
	if how>>5&1 != 0 {
		p.step()
	}
	if how>>6 == 3 {
		p.changeSetup(p.linksOf(p.next()))
		p.told.allMaybe()
	}
	n, _ := lease.Whole(content)
	next := &lab{TB: p.TB, setup: p.setup, now: p.now, buf: p.whole}
	next.Server = server.New(p.now, server.Config{})
	if err := next.Restore(content[:n], p.now, p.clock()); err != nil {
		p.Error(err)
	}
	p.lab, p.any = next, nil
	p.wantHoldings(reboot, was)
	p.lengthen()
	p.rewrite()
	p.SetConfig(p.now, p.setup.Config)
	p.SetLinks(p.now, p.setup.Links)
	moved := p.moved()
	if len(was) > 1 || lost {
		p.adopt()
	} else if b, s := p.Clients(); b != bound || s != stateless {
		p.Errorf("after restart %d: %d and %d clients can be reached, were %d and %d", p.disk.ended, b, s, bound, stateless)
	} else {
		p.wantMoved(moved)
	}
	p.tick()
	if p.disk.copied != nil {
		p.copy() // the number of the run must not get lost
	}
}

// step sets the wall clock: right, a day back, ten years on, or to what it is without a battery.
func (p *play) step() {
	p.disk.wall = [...]time.Duration{
		0, -24 * time.Hour, 10 * 365 * 24 * time.Hour, time.Unix(60, 0).Sub(p.now),
	}[p.next()&3]
}

// wantHoldings compares what the new server has with what the old one had. Within a boot times are exact but for being
// rounded up to a second. After a reboot what remained with the last record remains, less the time since the boot, and
// nothing lasts longer than it can have been given for.
func (p *play) wantHoldings(reboot bool, was []holdings) {
	p.Helper()
	early, late := time.Millisecond, time.Second
	if reboot {
		late = p.disk.booted.Sub(p.disk.written) + 2*time.Second
	}
	now := p.holdings()
	if len(was) == 1 {
		if err := was[0].differ(now, p.now, early, late); err != nil {
			p.Errorf("after restart %d: %v", p.disk.ended, err)
		}
	}
	for key, h := range now {
		known := false
		for _, before := range was {
			old, ok := before[key]
			known = known || ok && old.differ(h, p.now, early, late) == nil
		}
		if !known {
			p.Errorf("after restart %d: %x has %v, which it never had", p.disk.ended, key, h)
		}
		if h.until.After(p.now.Add((server.DefaultMaxValid+1)*time.Second)) && h.until != forEver {
			p.Errorf("after restart %d: %x has %v, for longer than it can have been given", p.disk.ended, key, h)
		}
	}
	for key := range was[0] {
		always := true
		for _, hs := range was {
			_, still := hs[key]
			always = always && still
		}
		if always && now[key].leases == nil {
			p.Errorf("after restart %d: %x is lost", p.disk.ended, key)
		}
	}
}

// differ tells in what other holdings are not the same. Times may be earlier and later by so much, if they are after now.
func (hs holdings) differ(others holdings, now time.Time, early, late time.Duration) error {
	for key, h := range hs {
		other, ok := others[key]
		if !ok {
			return fmt.Errorf("%x is lost: %v", key, h)
		}
		if err := h.differ(other, now, early, late); err != nil {
			return fmt.Errorf("%x: %w", key, err)
		}
	}
	if len(others) > len(hs) {
		return fmt.Errorf("%d bindings have become %d", len(hs), len(others))
	}
	return nil
}

func (h holding) differ(other holding, now time.Time, early, late time.Duration) error {
	outside := func(was, is time.Time) bool {
		return (was.After(now) || is.After(now)) && (is.Before(was.Add(-early)) || is.Sub(was) > late)
	}
	if h.what != other.what || outside(h.until, other.until) {
		return fmt.Errorf("%s until %v has become %s until %v", h.what, h.until, other.what, other.until)
	}
	for k, until := range h.leases {
		if outside(until, other.leases[k]) {
			return fmt.Errorf("%v until %v is until %v", k, until, other.leases[k])
		}
	}
	return nil
}
