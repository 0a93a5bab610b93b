package server_test

import (
	"bytes"
	"net/netip"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// What must hold of every answer and of the table after every message. All tests go through here.

// answersTo are the types of answer to each type of query: section 18.3.
var answersTo = map[dhcpv6.MessageType]dhcpv6.MessageType{
	dhcpv6.Solicit: dhcpv6.Advertise, dhcpv6.Request: dhcpv6.Reply, dhcpv6.Confirm: dhcpv6.Reply, dhcpv6.Renew: dhcpv6.Reply,
	dhcpv6.Rebind: dhcpv6.Reply, dhcpv6.Release: dhcpv6.Reply, dhcpv6.Decline: dhcpv6.Reply,
	dhcpv6.InformationRequest: dhcpv6.Reply,
}

// checkRelays checks the relay levels of an answer against those of the query (section 19.3) and returns what is inside.
func checkRelays(t testing.TB, query, answer []byte) (innerQuery, innerAnswer []byte) {
	t.Helper()
	for depth := 0; dhcpv6.MessageType(query[0]) == dhcpv6.RelayForward; depth++ {
		q, err := dhcpv6.ParseRelayMessage(query)
		if err != nil || depth == 9 {
			t.Fatalf("answer to a Relay-forward %d deep (%v)\n%s", depth+1, err, dump(query))
		}
		a, err := dhcpv6.ParseRelayMessage(answer)
		if err != nil || len(a.Options) != len(answer)-34 {
			t.Fatalf("malformed Relay-reply (%v): %x", err, answer)
		}
		if a.Type != dhcpv6.RelayReply || a.HopCount != q.HopCount || a.LinkAddress != q.LinkAddress || a.PeerAddress != q.PeerAddress {
			t.Fatalf("header of the Relay-reply %x, of the Relay-forward %x", answer[:34], query[:34])
		}
		if n := a.Options.Count(dhcpv6.OptionRelayMsg); n != 1 {
			t.Fatalf("Relay-reply with %d Relay Messages", n)
		}
		query, _ = q.Options.Get(dhcpv6.OptionRelayMsg)
		answer, _ = a.Options.Get(dhcpv6.OptionRelayMsg)
	}
	return query, answer
}

// checkAnswer checks a client's answer against its query.
func checkAnswer(t testing.TB, query, payload []byte) {
	t.Helper()
	q, err := dhcpv6.ParseMessage(query)
	if err != nil {
		t.Fatalf("answer to a malformed message: %x", query)
	}
	a := read(t, payload)
	_, rapid := q.Options.Get(dhcpv6.OptionRapidCommit)
	want := answersTo[q.Type]
	if q.Type == dhcpv6.Solicit && rapid && a.Type == dhcpv6.Reply {
		want = dhcpv6.Reply
	}
	if a.Type != want {
		t.Fatalf("%v as answer to %v", a.Type, q.Type)
	}
	if n := a.Options.Count(dhcpv6.OptionRapidCommit); (n == 1) != (q.Type == dhcpv6.Solicit && want == dhcpv6.Reply) || n > 1 {
		t.Errorf("%d Rapid Commit options in the %v to a %v", n, a.Type, q.Type)
	}
	if a.TransactionID != q.TransactionID {
		t.Errorf("transaction ID %06x, of the query %06x", a.TransactionID, q.TransactionID)
	}
	asked, _ := q.Options.Get(dhcpv6.OptionClientID)
	got, ok := a.Options.Get(dhcpv6.OptionClientID)
	if !bytes.Equal(asked, got) || ok != (asked != nil) || a.Options.Count(dhcpv6.OptionClientID) > 1 {
		t.Errorf("Client Identifier %x, of the query %x", got, asked)
	}
	if id, _ := a.Options.Get(dhcpv6.OptionServerID); !bytes.Equal(id, ourID) || a.Options.Count(dhcpv6.OptionServerID) != 1 {
		t.Errorf("Server Identifier %x", id)
	}
	checkIAs(t, q, a)
}

// checkIAs checks that every IA of the query is answered, in order, and that the times agree.
func checkIAs(t testing.TB, q dhcpv6.Message, a answer) {
	t.Helper()
	var asked []answerIA
	for code, data := range q.Options.All() {
		if code == dhcpv6.OptionIANA || code == dhcpv6.OptionIAPD {
			ia, _ := dhcpv6.ParseIA(data)
			kind := lease.Address
			if code == dhcpv6.OptionIAPD {
				kind = lease.Prefix
			}
			asked = append(asked, answerIA{kind: kind, iaid: ia.IAID})
		}
	}
	useMulticast := a.status == "UseMulticast"
	switch q.Type {
	case dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew:
		if !useMulticast && len(a.ias) != len(asked) {
			t.Errorf("%d answers to %d IAs", len(a.ias), len(asked))
		}
	case dhcpv6.Confirm, dhcpv6.InformationRequest:
		asked = nil
	}
	next := 0
	for _, ia := range a.ias {
		for next < len(asked) && (asked[next].kind != ia.kind || asked[next].iaid != ia.iaid) {
			next++
		}
		if next == len(asked) {
			t.Fatalf("%v %d in the answer was not asked for, or not in this order", ia.kind, ia.iaid)
		}
		next++
	}
	checkTimes(t, a)
}

// checkTimes checks lifetimes, T1 and T2: sections 21.4 and 21.21.
func checkTimes(t testing.TB, a answer) {
	t.Helper()
	shortest, valid, deprecated := uint32(dhcpv6.Infinity), uint32(server.DefaultMaxPreferred), true
	for _, ia := range a.ias {
		for _, l := range ia.leases {
			if l.preferred > l.valid {
				t.Errorf("%v: preferred %d above valid %d", l.prefix, l.preferred, l.valid)
			}
			if l.preferred > 0 {
				shortest, deprecated = min(shortest, l.preferred), false
			}
			if l.valid > 0 {
				valid = min(valid, l.valid)
			}
		}
	}
	if deprecated {
		shortest = valid
	}
	t1, t2 := shortest/2, uint32(uint64(shortest)*8/10)
	if shortest == dhcpv6.Infinity {
		t1, t2 = dhcpv6.Infinity, dhcpv6.Infinity
	}
	for _, ia := range a.ias {
		if len(ia.grants()) == 0 && (ia.t1 != 0 || ia.t2 != 0) {
			t.Errorf("%v %d grants nothing and has T1 %d, T2 %d", ia.kind, ia.iaid, ia.t1, ia.t2)
		}
		if len(ia.grants()) > 0 && (ia.t1 != t1 || ia.t2 != t2) {
			t.Errorf("%v %d: T1 %d, T2 %d, want %d, %d", ia.kind, ia.iaid, ia.t1, ia.t2, t1, t2)
		}
		if len(ia.grants()) > 0 && ia.status != "" && ia.status != "Success" {
			t.Errorf("%v %d grants %v with status %s", ia.kind, ia.iaid, ia.grants(), ia.status)
		}
	}
}

// checkGrants checks what an answer grants against our own addresses, and that no address or prefix is granted to two IAs.
func (l *lab) checkGrants(payload []byte) {
	l.Helper()
	type holder struct {
		kind lease.Kind
		iaid uint32
	}
	held := make(map[netip.Prefix]holder)
	var delegated []netip.Prefix
	for _, ia := range read(l, payload).ias {
		for _, k := range ia.leases {
			if k.valid == 0 {
				continue
			}
			by := holder{ia.kind, ia.iaid}
			if other, ok := held[k.prefix]; ok && other != by {
				l.Errorf("%v is granted to IA %d and to IA %d", k.prefix, other.iaid, ia.iaid)
			} else if !ok && ia.kind == lease.Prefix {
				delegated = append(delegated, k.prefix)
			}
			held[k.prefix] = by
			l.checkOwn(ia.kind, k.prefix)
		}
	}
	checkDisjoint(l, delegated)
}

func (l *lab) checkOwn(kind lease.Kind, p netip.Prefix) {
	l.Helper()
	if p != p.Masked() {
		l.Errorf("%v is not aligned", p)
	}
	for _, link := range l.setup.Links {
		for _, own := range link.Addresses {
			a := own.Prefix.Addr()
			switch subnet := netip.PrefixFrom(a, 64); {
			case kind == lease.Address && p.Addr() == a:
				l.Errorf("our own address %v is granted", a)
			case kind == lease.Prefix && subnet.Overlaps(p):
				l.Errorf("%v is delegated and has our own address %v in it", p, a)
			}
		}
	}
}

func checkDisjoint(t testing.TB, prefixes []netip.Prefix) {
	t.Helper()
	for i, p := range prefixes {
		for _, q := range prefixes[:i] {
			if p.Overlaps(q) {
				t.Errorf("delegated prefixes %v and %v overlap", p, q)
			}
		}
	}
}

// checkTable checks that the table is consistent and that nobody shares an address or a prefix.
func checkTable(t testing.TB, table *lease.Table) {
	t.Helper()
	if c, ok := any(table).(interface{ Check() error }); ok {
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
	}
	type id struct {
		link string
		id   uint64
	}
	holders := make(map[netip.Prefix]*lease.Binding)
	ids := make(map[id]*lease.Binding)
	var delegated []netip.Prefix
	offers := 0
	for _, link := range table.Links() {
		linkOffers := 0
		for _, b := range link.Bindings() {
			switch b.State {
			case lease.New:
				t.Errorf("binding %v %x is left unfinished", b.Kind, b.Client())
			case lease.Offered:
				linkOffers++
			}
			if b.Kind == lease.Address {
				if ids[id{link.Name, b.ID}] != nil {
					t.Errorf("two bindings on %s with interface id %x", link.Name, b.ID)
				}
				ids[id{link.Name, b.ID}] = b
			}
			if b.State != lease.Bound {
				continue
			}
			var last lease.Time
			for _, k := range b.Leases {
				last = max(last, k.Valid)
				if k.Withdrawn {
					continue
				}
				if other := holders[k.Prefix]; other != nil {
					t.Errorf("%v belongs to %x/%d and to %x/%d", k.Prefix, b.Client(), b.IAID, other.Client(), other.IAID)
				}
				holders[k.Prefix] = b
				if b.Kind == lease.Prefix {
					delegated = append(delegated, k.Prefix)
				}
			}
			if b.Deadline != last {
				t.Errorf("binding of %x ends at %d, its last lease at %d", b.Client(), b.Deadline, last)
			}
		}
		if offers += linkOffers; linkOffers > server.DefaultMaxOffers {
			t.Errorf("%d offers outstanding on %s", linkOffers, link.Name)
		}
	}
	if offers > server.DefaultMaxOffersTotal {
		t.Errorf("%d offers outstanding", offers)
	}
	if len(delegated) <= 300 {
		checkDisjoint(t, delegated)
	}
}
