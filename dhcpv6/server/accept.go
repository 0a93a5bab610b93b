package server

import "lan6d/dhcpv6"

// maxChain bounds what is remembered of the relays before a client. A path is 34 octets for each relay and its options.
const maxChain = 1024

// acceptance is what a message says about Reconfigure, and what its answer says to that.
type acceptance struct {
	judged  bool // the answer is of a kind that says something
	first   bool // the exchange is one that a client begins with: what it does not accept here it does not accept at all
	accepts bool // and the server will remember it
	known   *client
	key     reconfigureKey // for a client that is not known
	moved   bool           // path is another one than what is known
	path    path
}

// writeAcceptance appends what the answer says about Reconfigure: that it is accepted (section 21.20), and the key. The
// key goes with the first Reply (section 20.4.2), and again to a client that begins anew, which has lost it. To a Renew or
// Rebind it goes when there is none: then it was the server who lost it.
func (r *request) writeAcceptance() {
	if r.config.Random == nil || r.client == nil {
		return
	}
	a := &r.acceptance
	a.judged, a.first = true, r.msg.Type != dhcpv6.Renew && r.msg.Type != dhcpv6.Rebind
	a.known = r.clients.find(r.link.Name, r.client)
	_, accepts := r.msg.Options.Get(dhcpv6.OptionReconfAccept)
	if a.known == nil && !(accepts && r.mayLearn()) {
		return
	}
	if a.accepts = r.readPath() && accepts; !a.accepts {
		return
	}
	r.w.Option(dhcpv6.OptionReconfAccept, nil)
	switch {
	case r.reply == dhcpv6.Advertise:
	case a.known == nil:
		r.config.Random(a.key[:])
		writeAuth(&r.w, r.nextReplay(), rkapKey, a.key)
	case a.first:
		writeAuth(&r.w, r.nextReplay(), rkapKey, a.known.key)
	}
}

// mayLearn reports whether a client that is not known may be: nobody is remembered who asks for leases and gets none.
func (r *request) mayLearn() bool {
	return r.reply == dhcpv6.Advertise || r.msg.Type == dhcpv6.InformationRequest || len(r.pending) > 0
}

// readPath finds out how the client can be reached and whether this is news, and reports whether it can be reached at all.
func (r *request) readPath() bool {
	a, chain, peer := &r.acceptance, r.buf[:r.chain], r.peer()
	if len(chain) > maxChain || len(r.arrival.Name) > 0xff || peer.Port() == 0 ||
		r.relays == 0 && !peer.Addr().IsLinkLocalUnicast() {
		return false
	}
	if c := a.known; c != nil && c.path.via == r.arrival.Name && c.path.peer == peer && c.path.chain == string(chain) {
		return true
	}
	a.moved = true
	if r.reply != dhcpv6.Advertise {
		a.path = path{r.arrival.Name, peer, string(chain)}
	}
	return true
}

// commitAcceptance makes what the answer says about Reconfigure true.
func (r *request) commitAcceptance() {
	a := &r.acceptance
	c := a.known
	switch {
	case !a.judged:
		return
	case a.first && !a.accepts:
		if c != nil {
			r.forget(c)
		}
		return
	case c != nil:
		c.heard(r.msg.Type)
	case a.accepts && r.reply != dhcpv6.Advertise:
		c = r.learn(r.link.leases, string(r.client), a.key)
	}
	if c == nil || r.reply == dhcpv6.Advertise {
		return
	}
	if a.moved {
		c.path = a.path
		r.table.SetNote(c.noteName(), c.note())
	}
	r.settle(c)
}

// chainMarks finds the Relay Message options in a chain: Relay-replies as wrap writes them, each ending with the header
// of the Relay Message option that the next one is in. The lengths in these headers mean nothing.
func chainMarks(chain string) (marks []dhcpv6.Mark, ok bool) {
	for at := 0; at < len(chain); {
		if dhcpv6.MessageType(chain[at]) != dhcpv6.RelayReply || len(marks) == maxRelays {
			return nil, false
		}
		for at += 34; ; {
			if at+4 > len(chain) {
				return nil, false
			}
			code := dhcpv6.OptionCode(chain[at])<<8 | dhcpv6.OptionCode(chain[at+1])
			length := int(chain[at+2])<<8 | int(chain[at+3])
			if at += 4; code == dhcpv6.OptionRelayMsg {
				marks = append(marks, dhcpv6.Mark(at))
				break
			}
			at += length
		}
	}
	return marks, true
}

// isPath reports whether something restored is a path that readPath could have noted.
func (p *path) isPath() bool {
	_, ok := chainMarks(p.chain)
	a := p.peer.Addr()
	if !ok || p.via == "" || len(p.chain) > maxChain || p.peer.Port() == 0 || !dhcpv6.IsPeer(a) {
		return false
	}
	return p.chain != "" || a.IsLinkLocalUnicast() && p.peer.Port() == dhcpv6.ClientPort
}
