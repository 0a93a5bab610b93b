package server_test

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

// Request: section 18.3.2.
func TestRequest(t *testing.T) {
	tests := []struct {
		name     string
		change   func(*setup)
		in, want string
	}{
		{name: "without a Solicit before",
			in:   `03 a1b2c3` + fromA + toUs + askNA1 + askPD1,
			want: `07 a1b2c3` + fromA + byUs + grantNA1 + grantPD1},
		{name: "naming what was advertised",
			in:   `03 a1b2c3` + fromA + toUs + nameNA1 + namePD1,
			want: `07 a1b2c3` + fromA + byUs + grantNA1 + grantPD1},
		{name: "Rapid Commit in a Request means nothing",
			in:   `03 a1b2c3` + fromA + toUs + askNA1 + rapidCommit,
			want: `07 a1b2c3` + fromA + byUs + grantNA1},
		{name: "no IA",
			in:   `03 a1b2c3` + fromA + toUs,
			want: `07 a1b2c3` + fromA + byUs},
		{name: "address of another link",
			in: `03 a1b2c3` + fromA + toUs + `0003 0028 00000001 00000000 00000000
				0005 0018 20010db8 00990000 00000000 00000e71 00000000 00000000 # 2001:db8:99::e71`,
			want: `07 a1b2c3` + fromA + byUs + `
				0003 0012 00000001 00000000 00000000 000d 0002 0004   # IA_NA 1: NotOnLink`},
		{name: "one of two addresses of another link, and the other IAs are served",
			in: `03 a1b2c3` + fromA + toUs + askPD1 + `0003 0044 00000002 00000000 00000000
				0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000 # 2001:db8:1::e71
				0005 0018 20010db8 00990000 00000000 00000e71 00000000 00000000 # 2001:db8:99::e71
				` + askNA1,
			want: `07 a1b2c3` + fromA + byUs + grantPD1 + `
				0003 0012 00000002 00000000 00000000 000d 0002 0004   # IA_NA 2: NotOnLink
				` + grantNA1},
		{name: "an address in our prefix, but not on the link",
			in: `03 a1b2c3` + fromA + toUs + `0003 0028 00000001 00000000 00000000
				0005 0018 20010db8 000100c4 00000000 00000e71 00000000 00000000 # 2001:db8:1:c4::e71, in what we delegate`,
			want: `07 a1b2c3` + fromA + byUs + `
				0003 0012 00000001 00000000 00000000 000d 0002 0004   # IA_NA 1: NotOnLink`},
		{name: "a prefix of somebody else's is only a hint",
			in: `03 a1b2c3` + fromA + toUs + `0019 0029 00000001 00000000 00000000
				001a 0019 00000000 00000000 3e 20010db8 009900c4 00000000 00000000 # 2001:db8:99:c4::/62`,
			want: `07 a1b2c3` + fromA + byUs + grantPD1},
		{name: "nothing to give",
			change: func(s *setup) { s.only() },
			in:     `03 a1b2c3` + fromA + toUs + nameNA1 + namePD1,
			want: `07 a1b2c3` + fromA + byUs + `
				0003 0012 00000001 00000000 00000000 000d 0002 0002   # IA_NA 1: NoAddrsAvail
				0019 0012 00000001 00000000 00000000 000d 0002 0006   # IA_PD 1: NoPrefixAvail`},
		{name: "one that can be granted between two that cannot",
			change: func(s *setup) { s.lan().Prefixes = false },
			in: `03 a1b2c3` + fromA + toUs + askPD1 + askNA1 + `
				0019 000c 00000002 00000000 00000000                  # IA_PD 2`,
			want: `07 a1b2c3` + fromA + byUs + `
				0019 0012 00000001 00000000 00000000 000d 0002 0006   # IA_PD 1: NoPrefixAvail
				` + grantNA1 + `
				0019 0012 00000002 00000000 00000000 000d 0002 0006   # IA_PD 2: NoPrefixAvail`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changes := []func(*setup){}
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			start(t, changes...).want(tt.in, tt.want)
		})
	}
}

// The event says what is bound, and a retransmission gets the same answer.
func TestRequestIsBound(t *testing.T) {
	l := start(t)
	l.want(`03 a1b2c3`+fromA+toUs+askNA1+askPD1, `07 a1b2c3`+fromA+byUs+grantNA1+grantPD1)
	events := slices.Clone(l.Events())
	if len(events) != 2 {
		t.Fatalf("%d events", len(events))
	}
	e := events[0]
	if e.Kind != server.Bound || e.Link != "lan" || e.Key.DUID != string(duid(1)) || e.Key.IAID != 1 || e.ID != 0xe71 ||
		e.Fixed || e.Client != client || len(e.Leases) != 1 {
		t.Errorf("event %+v", e)
	}
	for range 3 {
		l.want(`03 a1b2c3`+fromA+toUs+nameNA1+namePD1, `07 a1b2c3`+fromA+byUs+grantNA1+grantPD1)
		l.wantEvents("renewed lan IA_NA 2001:db8:1::e71", "renewed lan IA_PD 2001:db8:1:c4::/62")
	}
}

// An address that another client has is not given twice, whatever is asked.
func TestRequestForAnothersLease(t *testing.T) {
	l := start(t)
	l.want(`03 a1b2c3`+fromA+toUs+askNA1+askPD1, `07 a1b2c3`+fromA+byUs+grantNA1+grantPD1)
	for n := 2; n < 10; n++ {
		a := l.request(dhcpv6.Request, duid(n), na(1, "2001:db8:1::e71"), pd(1, "2001:db8:1:c4::/62"))
		if g := a.ias[0].grants(); len(g) != 1 || g[0] == "2001:db8:1::e71" {
			t.Errorf("client %d is granted %v", n, g)
		}
		if g := a.ias[1].grants(); len(g) != 1 || netip.MustParsePrefix(g[0]).Overlaps(netip.MustParsePrefix("2001:db8:1:c4::/62")) {
			t.Errorf("client %d is granted %v", n, g)
		}
	}
	// Another IAID of the same client is another IA.
	a := l.request(dhcpv6.Request, duid(1), na(2, "2001:db8:1::e71"))
	if g := a.ias[0].grants(); len(g) != 1 || g[0] == "2001:db8:1::e71" {
		t.Errorf("IA 2 is granted %v", g)
	}
}

// IAIDs are separate for each kind (section 4.2), and an IAID twice in a message is one binding (CVE-2026-53918).
func TestSameIAIDTwice(t *testing.T) {
	foreign := "2001:db8:99::1"
	tests := []struct {
		name    string
		options [][]byte
	}{
		{"NA NA", [][]byte{na(1), na(1)}},
		{"NA, NA not on link, NA", [][]byte{na(1), na(1, foreign), na(2)}},
		{"NA not on link, NA", [][]byte{na(1, foreign), na(1), na(2)}},
		{"NA with another wish", [][]byte{na(1, "2001:db8:1::aaa"), na(1, "2001:db8:1::bbb"), na(1)}},
		{"NA PD", [][]byte{na(1), pd(1), na(1), pd(1)}},
		{"PD of two lengths", [][]byte{pd(1), pd(1, "::/64")}},
		{"PD of three lengths", [][]byte{pd(1, "::/64"), pd(1, "::/63"), pd(1, "::/62"), pd(2, "::/64"), pd(3, "::/64")}},
		{"PD of two prefixes", [][]byte{pd(1, "2001:db8:1:10::/64"), pd(1, "2001:db8:1:20::/64")}},
	}
	for _, tt := range tests {
		for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind} {
			for _, before := range []dhcpv6.MessageType{0, dhcpv6.Solicit, dhcpv6.Request} {
				l := start(t)
				if before != 0 {
					l.request(before, duid(1), na(1), pd(1))
				}
				out, err := l.handle(multicast(message(typ, duid(1), tt.options...)))
				if err != nil && (typ != dhcpv6.Rebind || err != server.DropCannotJudge) {
					t.Fatalf("%v %s: %v", typ, tt.name, err)
				}
				if err == nil && typ != dhcpv6.Solicit {
					l.wantKept(duid(1), read(t, out.Payload))
				}
			}
		}
	}
}

// wantKept expects that what a client was told is what the table says.
func (l *lab) wantKept(client dhcpv6.DUID, a answer) {
	l.Helper()
	now := l.Table().At(l.now)
	for _, ia := range a.ias {
		for _, k := range ia.leases {
			if k.valid == 0 {
				continue
			}
			b := l.Table().Link("lan").Lookup(client, ia.iaid, ia.kind)
			if b == nil {
				l.Errorf("%v is promised, but %v %d is not in the table", k.prefix, ia.kind, ia.iaid)
				continue
			}
			kept := b.Find(k.prefix)
			if kept == nil || kept.Withdrawn {
				l.Errorf("%v is promised, the table has %+v", k.prefix, b.Leases)
			} else if p, v := kept.Preferred.Until(now), kept.Valid.Until(now); p != k.preferred || v != k.valid {
				l.Errorf("%v: told %d and %d s, kept %d and %d", k.prefix, k.preferred, k.valid, p, v)
			}
		}
	}
}

// 1, 21, 40 and 300 IAs, of one kind and mixed, those that fail included: each is answered.
func TestManyIAs(t *testing.T) {
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew} {
		for _, n := range []int{1, 21, 40, 300} {
			l := start(t, func(s *setup) { s.only("2001:db8:1::1/56", "fd00:1::1/56") })
			var options [][]byte
			for i := range n {
				switch i % 3 {
				case 0:
					options = append(options, na(uint32(i)))
				case 1:
					options = append(options, pd(uint32(i), "::/64"))
				case 2:
					options = append(options, na(uint32(i), "2001:db8:99::1"))
				}
			}
			a := l.request(typ, duid(1), options...)
			if len(a.ias) != n {
				t.Fatalf("%v: %d answers to %d IAs", typ, len(a.ias), n)
			}
			for i, ia := range a.ias {
				if want := typ != dhcpv6.Request || i%3 != 2; (len(ia.grants()) == 2) != want {
					t.Errorf("%v: IA %d: %+v", typ, i, ia)
				}
			}
		}
	}
}

// An answer that does not fit is not sent at all, is counted, and promises nothing.
func TestReplyTooLong(t *testing.T) {
	var options [][]byte
	for i := range uint32(300) {
		options = append(options, na(i), pd(1000+i))
	}
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew} {
		l := start(t, func(s *setup) { s.only("2001:db8:1::1/48") })
		whole := l.buf
		for size := 0; size < 2000; size += 7 {
			l.buf = make([]byte, size)
			l.wantDropOf(multicast(message(typ, duid(1), options...)), server.DropReplyTooLong)
		}
		l.wantEvents()
		if n := l.Table().Link("lan").Len(); n != 0 {
			t.Errorf("%d bindings of answers that were not sent", n)
		}
		l.buf = whole
		if a := l.request(typ, duid(1), options...); len(a.ias) != 600 {
			t.Errorf("%d answers to 600 IAs", len(a.ias))
		}
	}
}

// A refused message takes nothing away from a client that has a binding.
func TestReplyTooLongKeepsBindings(t *testing.T) {
	for i, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.Rebind} {
		l := start(t)
		l.request(dhcpv6.Request, duid(1), na(1), pd(1))
		l.Events()
		whole := l.buf
		l.buf = make([]byte, 60-15*i)
		l.wantDropOf(multicast(message(typ, duid(1), na(1), pd(1), na(2), pd(2))), server.DropReplyTooLong)
		l.wantEvents()
		if _, bound := states(l); bound != 2 {
			t.Errorf("%d of 2 bindings left after a %v without answer", bound, typ)
		}
		l.buf = whole
		for _, ia := range l.request(dhcpv6.Renew, duid(1), na(1), pd(1)).ias {
			if len(ia.grants()) != 1 || len(ia.withdrawn()) != 0 {
				t.Errorf("after that: %+v", ia)
			}
		}
	}
}

// The answer is built in the caller's buffer, exactly up to its end.
func TestBufferOfExactlyTheSize(t *testing.T) {
	in := message(dhcpv6.Request, duid(1), na(1), pd(1))
	want := start(t).ask(in)
	l := start(t)
	l.buf = make([]byte, len(want)-1)
	l.wantDropOf(multicast(in), server.DropReplyTooLong)
	l.buf = make([]byte, len(want))
	if got := l.ask(in); !bytes.Equal(got, want) {
		t.Errorf("answer\n%swant\n%s", dump(got), dump(want))
	}
}

// An address of :: is a wish for any, not an address of another link.
func TestRequestForAnyAddress(t *testing.T) {
	ia := start(t).request(dhcpv6.Request, duid(1), na(1, "::")).ias[0]
	if got := ia.grants(); len(got) != 1 || ia.status != "" {
		t.Errorf("granted %v, status %q", got, ia.status)
	}
}
