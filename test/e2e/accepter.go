package e2e

import "time"

// An accepter is a simulated client that accepts Reconfigure messages, and judges them as a client must.
type accepter struct {
	*member
	trust trust
	calls chan *message // the Reconfigure messages for it
}

// newAccepter makes an accepter of a member. It wants leases in IAs of these types; without any it is stateless.
func newAccepter(m *member, codes ...uint16) *accepter {
	a := &accepter{member: m, calls: make(chan *message, 16)}
	m.codes, m.more = codes, appendOption(nil, optReconfAccept, nil)
	m.crowd.accepters.Store(string(m.duid), a.calls)
	return a
}

// reconfigured hands a Reconfigure message, which has no transaction ID, to the client that it names.
func (c *crowd) reconfigured(m *message) {
	duid, _ := m.option(optClientID)
	calls, ok := c.accepters.Load(string(duid))
	if !ok {
		c.fault("a Reconfigure for client %x, which does not accept any", duid)
		return
	}
	calls.(chan *message) <- m
}

// attach gets leases, with Solicit and Request, or information, and the key.
func (a *accepter) attach() *message {
	a.crowd.t.Helper()
	if a.codes == nil {
		return a.ask("Information-request", nil)
	}
	offer := a.ask("Solicit", nil)
	a.server, _ = offer.option(optServerID)
	leases := make(map[uint16][]lease)
	for _, code := range a.codes {
		leases[code] = offer.leases(code)
	}
	return a.ask("Request", leases)
}

// ask sends a message and takes what the answer says: leases, and the key if there is one.
func (a *accepter) ask(kind string, leases map[uint16][]lease) (answer *message) {
	a.crowd.t.Helper()
	a.crowd.each([]*member{a.member}, "be answered", func(*member) {
		answer = a.exchange(kind, leases, nil)
	})
	if answer.kind == "Reply" {
		a.leases = make(map[uint16][]lease)
		for _, code := range a.codes {
			a.leases[code] = answer.leases(code)
		}
	}
	if err := a.trust.learn(answer); err != nil {
		a.crowd.t.Error(err)
	}
	return answer
}

// called waits for a Reconfigure message, which must be as it should be and ask for a message of that kind.
func (a *accepter) called(kind string) {
	a.crowd.t.Helper()
	select {
	case m := <-a.calls:
		if err := a.trust.verify(m); err != nil {
			a.crowd.t.Errorf("a Reconfigure: %v", err)
		}
		if m.asks() != kind {
			a.crowd.t.Errorf("a Reconfigure asks for %q, not %s", m.asks(), kind)
		}
	case <-time.After(20 * time.Second):
		a.crowd.t.Fatalf("waited for a Reconfigure that asks for %s", kind)
	}
}

// prompt is how soon a client that accepts Reconfigure messages has what has changed.
const prompt = 3 * time.Second

// follow waits for a Reconfigure message because of something that has changed at that time, sends what it asks for, and
// returns what it gets.
func (a *accepter) follow(kind string, changed time.Time) *message {
	a.crowd.t.Helper()
	a.called(kind)
	reply := a.ask(kind, a.leases)
	for len(a.calls) > 0 { // sent before the answer: on a busy machine it takes more than 2 s to ask
		a.called(kind)
	}
	if late := time.Since(changed); late > prompt {
		a.crowd.t.Errorf("the client knows after %v", late)
	}
	return reply
}

// quiet checks that there is no Reconfigure message for the client.
func (a *accepter) quiet() {
	a.crowd.t.Helper()
	if n := len(a.calls); n > 0 {
		a.crowd.t.Errorf("%d Reconfigure messages too many for client %x", n, a.duid)
	}
}

// simulated plugs a host with so many simulated clients into the LAN. Unlike those of a crowd, their packets are captured.
func (r *router) simulated(size int) []*member {
	r.t.Helper()
	h := newHost(r.t, "simulated")
	r.plug(h, "eth0")
	return newCrowd(h, newRandom(r.t), new(ledger), size).members
}
