package e2e

import (
	"fmt"
	"sync"
	"time"
)

// A claim is what a client was promised in one IA: the leases of the Reply that it heard last.
type claim struct {
	iaKey
	leases []lease
	asked  time.Time // when the client sent what the Reply answers: the lifetimes began no earlier
}

// An iaKey names an IA.
type iaKey struct {
	duid string
	code uint16
	iaid uint32
}

func (k iaKey) String() string {
	return fmt.Sprintf("IA %d of type %d of client %x", k.iaid, k.code, k.duid)
}

// A ledger has what all clients of a LAN have been promised. It is their view: a claim begins when the client hears the
// Reply, and ends when it sends a Release or Decline, heard or not.
type ledger struct {
	mu     sync.Mutex
	claims map[iaKey]claim
}

// enter notes what a client was promised. The error tells of another client that was promised the same.
func (l *ledger) enter(c claim) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.claims == nil {
		l.claims = make(map[iaKey]claim)
	}
	l.claims[c.iaKey] = c
	for _, other := range l.claims {
		if other.iaKey == c.iaKey {
			continue
		}
		for _, a := range c.leases {
			for _, b := range other.leases {
				if a.prefix.Overlaps(b.prefix) {
					return fmt.Errorf("%v is given to %v, which %v has as %v", a.prefix, c.iaKey, other.iaKey, b.prefix)
				}
			}
		}
	}
	return nil
}

// enterReply notes what a real client was promised.
func (l *ledger) enterReply(p packet) error {
	duid, _ := p.option(optClientID)
	for _, a := range p.ias() {
		c := claim{iaKey{string(duid), a.code, a.iaid}, a.leases, p.at.Add(-10 * time.Second)}
		if err := l.enter(c); err != nil {
			return err
		}
	}
	return nil
}

// strike ends a claim.
func (l *ledger) strike(k iaKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.claims, k)
}

// all returns the claims there are.
func (l *ledger) all() (list []claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.claims {
		list = append(list, c)
	}
	return list
}
