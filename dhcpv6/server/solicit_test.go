package server_test

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// Solicit and Advertise: sections 18.3.1 and 18.3.9.
func TestSolicit(t *testing.T) {
	tests := []struct {
		name     string
		change   func(*setup)
		in, want string
	}{
		{name: "IA_NA",
			in:   `01 a1b2c3` + fromA + askNA1,
			want: `02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "IA_PD",
			in:   `01 a1b2c3` + fromA + askPD1,
			want: `02 a1b2c3` + fromA + byUs + grantPD1},
		{name: "IA_NA and IA_PD",
			in:   `01 a1b2c3` + fromA + askNA1 + askPD1,
			want: `02 a1b2c3` + fromA + byUs + grantNA1 + grantPD1},
		{name: "IA_PD before IA_NA",
			in:   `01 a1b2c3` + fromA + askPD1 + askNA1,
			want: `02 a1b2c3` + fromA + byUs + grantPD1 + grantNA1},
		{name: "no IA",
			in:   `01 a1b2c3` + fromA,
			want: `02 a1b2c3` + fromA + byUs},
		{name: "Elapsed Time, ORO, Reconfigure Accept, vendor and unknown options change nothing",
			in: `01 a1b2c3 0008 0002 0064                                # Elapsed Time: 1 s
				0014 0000                                               # Reconfigure Accept
				0006 0004 0017 0018                                     # Option Request: DNS servers, search list
				0010 0008 00000009 0002 6162                            # Vendor Class
				fde8 0003 010203                                        # option 65000` + "\n" + fromA + askNA1,
			want: `02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "IA_TA is ignored",
			in:   `01 a1b2c3` + fromA + `0004 0004 00000001            # IA_TA 1` + "\n" + askNA1,
			want: `02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "IA_TA too short to be one is ignored",
			in:   `01 a1b2c3` + fromA + askNA1 + `0004 0001 00`,
			want: `02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "Server Unicast is ignored",
			in:   `01 a1b2c3` + fromA + `000c 0010 20010db8000100000000000000000001` + "\n" + askNA1,
			want: `02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "Authentication is ignored",
			in:   `01 a1b2c3` + fromA + `000b 000b 03 01 00 0000000000000001` + "\n" + askNA1,
			want: `02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "T1, T2 and lifetimes of the client's do not count", // section 21.6
			in: `01 a1b2c3` + fromA + `0003 0028 00000001 ffffffff 00000001  # IA_NA 1, T1 above T2
				0005 0018 20010db8 00010000 00000000 00000e71 ffffffff 00000001 # preferred above valid`,
			want: `02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "an address that the client would like and may have",
			in: `01 a1b2c3` + fromA + `0003 0028 00000001 00000000 00000000  # IA_NA 1
				0005 0018 20010db8 00010000 00000000 00000abc 00000000 00000000 # 2001:db8:1::abc`,
			want: `02 a1b2c3` + fromA + byUs + `0003 0028 00000001 00000546 00000870
				0005 0018 20010db8 00010000 00000000 00000abc 00000a8c 00001518`},
		{name: "an address of another link as a hint is not minded",
			in: `01 a1b2c3` + fromA + `0003 0028 00000001 00000000 00000000  # IA_NA 1
				0005 0018 20010db8 00990000 00000000 00000abc 00000000 00000000 # 2001:db8:99::abc`,
			want: `02 a1b2c3` + fromA + byUs + grantNA1},
		{name: "an IA Prefix in an IA_NA and an IA Address in an IA_PD are not minded",
			in: `01 a1b2c3` + fromA + `0003 0029 00000001 00000000 00000000
				001a 0019 00000000 00000000 40 20010db8 000100aa 00000000 00000000
				0019 0028 00000001 00000000 00000000
				0005 0018 20010db8 00010000 00000000 00000abc 00000000 00000000`,
			want: `02 a1b2c3` + fromA + byUs + grantNA1 + grantPD1},
		{name: "no prefix on the link",
			change: func(s *setup) { s.only() },
			in:     `01 a1b2c3` + fromA + askNA1 + askPD1,
			want: `02 a1b2c3` + fromA + byUs + `
				0003 0012 00000001 00000000 00000000 000d 0002 0002   # IA_NA 1: NoAddrsAvail
				0019 0012 00000001 00000000 00000000 000d 0002 0006   # IA_PD 1: NoPrefixAvail`},
		{name: "a /64 has nothing to delegate, and the IA_NA has its address",
			change: func(s *setup) { s.only("2001:db8:1::1/64") },
			in:     `01 a1b2c3` + fromA + askPD1 + askNA1,
			want: `02 a1b2c3` + fromA + byUs + `
				0019 0012 00000001 00000000 00000000 000d 0002 0006   # IA_PD 1: NoPrefixAvail` + "\n" + grantNA1},
		{name: "addresses are not served",
			change: func(s *setup) { s.lan().Addresses = false },
			in:     `01 a1b2c3` + fromA + askNA1 + askPD1,
			want: `02 a1b2c3` + fromA + byUs + `
				0003 0012 00000001 00000000 00000000 000d 0002 0002   # IA_NA 1: NoAddrsAvail` + "\n" + grantPD1},
		{name: "prefixes are not served",
			change: func(s *setup) { s.lan().Prefixes = false },
			in:     `01 a1b2c3` + fromA + askNA1 + askPD1,
			want: `02 a1b2c3` + fromA + byUs + grantNA1 + `
				0019 0012 00000001 00000000 00000000 000d 0002 0006   # IA_PD 1: NoPrefixAvail`},
		{name: "only configured hosts are served",
			change: func(s *setup) { s.lan().Dynamic = false },
			in:     `01 a1b2c3` + fromA + askNA1 + askPD1,
			want: `02 a1b2c3` + fromA + byUs + `
				0003 0012 00000001 00000000 00000000 000d 0002 0002   # IA_NA 1: NoAddrsAvail
				0019 0012 00000001 00000000 00000000 000d 0002 0006   # IA_PD 1: NoPrefixAvail`},
		{name: "Rapid Commit",
			in:   `01 a1b2c3` + fromA + askNA1 + askPD1 + rapidCommit,
			want: `07 a1b2c3` + fromA + byUs + grantNA1 + grantPD1 + rapidCommit},
		{name: "Rapid Commit with one IA that can be granted",
			change: func(s *setup) { s.lan().Prefixes = false },
			in:     `01 a1b2c3` + rapidCommit + fromA + askNA1 + askPD1,
			want: `07 a1b2c3` + fromA + byUs + grantNA1 + `
				0019 0012 00000001 00000000 00000000 000d 0002 0006   # IA_PD 1: NoPrefixAvail` + "\n" + rapidCommit},
		{name: "Rapid Commit and nothing to grant",
			change: func(s *setup) { s.only() },
			in:     `01 a1b2c3` + rapidCommit + fromA + askNA1,
			want: `02 a1b2c3` + fromA + byUs + `
				0003 0012 00000001 00000000 00000000 000d 0002 0002   # IA_NA 1: NoAddrsAvail`},
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

// The same DUID and IAID get the same ids from an empty table: FNV-1a of both, folded, into the pool.
func TestIDsFollowFromTheClient(t *testing.T) {
	for n := range 50 {
		for _, iaid := range []uint32{0, 1, 0xffffffff} {
			h := fnv.New64a()
			h.Write(duid(n))
			h.Write(binary.BigEndian.AppendUint32(nil, iaid))
			seed := h.Sum64() ^ h.Sum64()>>32
			address := fmt.Sprintf("2001:db8:1::%x", 0x100+seed%(0x1000-0x100))
			prefix := fmt.Sprintf("2001:db8:1:%x::/62", seed%64*4)
			if seed%64 == 0 {
				prefix = "2001:db8:1:4::/62" // block 0 holds our own /64
			}
			for range 2 { // the second server has never seen the client
				a := start(t).request(dhcpv6.Solicit, duid(n), na(iaid), pd(iaid))
				if got := a.ias[0].grants(); !slices.Equal(got, []string{address}) {
					t.Errorf("client %d, IAID %x: %v, want %s", n, iaid, got, address)
				}
				if got := a.ias[1].grants(); !slices.Equal(got, []string{prefix}) {
					t.Errorf("client %d, IAID %x: %v, want %s", n, iaid, got, prefix)
				}
			}
		}
	}
}

// What is advertised is what a Request then gets.
func TestOfferIsKept(t *testing.T) {
	l := start(t)
	for n := range 200 {
		offered := l.request(dhcpv6.Solicit, duid(n), na(1), pd(1, "::/64"))
		for m := range 3 { // others solicit in between
			l.request(dhcpv6.Solicit, duid(1000+3*n+m), na(1))
		}
		bound := l.request(dhcpv6.Request, duid(n), na(1, offered.ias[0].grants()...), pd(1, offered.ias[1].grants()...))
		for i := range bound.ias {
			if !slices.Equal(bound.ias[i].leases, offered.ias[i].leases) {
				t.Fatalf("client %d: offered %v, granted %v", n, offered.ias[i].leases, bound.ias[i].leases)
			}
		}
	}
}

func states(l *lab) (offered, bound int) {
	for _, link := range l.Table().Links() {
		for _, b := range link.Bindings() {
			switch b.State {
			case lease.Offered:
				offered++
			case lease.Bound:
				bound++
			}
		}
	}
	return offered, bound
}

func TestSolicitReservesNothingForLong(t *testing.T) {
	l := start(t)
	l.request(dhcpv6.Solicit, duid(1), na(1), pd(1))
	if offered, bound := states(l); offered != 2 || bound != 0 {
		t.Fatalf("%d offered, %d bound", offered, bound)
	}
	l.wantEvents() // nothing to write down, no route to set
	next := l.Tick(l.now)
	if next.IsZero() || next.Sub(l.now) > 5*time.Minute {
		t.Errorf("offer is to be looked at at %v", next)
	}
	l.now = next
	l.Tick(l.now)
	if offered, bound := states(l); offered != 0 || bound != 0 {
		t.Errorf("%d offered, %d bound after the offers have run out", offered, bound)
	}
	l.wantEvents()
}

// A flood of Solicits with random DUIDs.
func TestSolicitFlood(t *testing.T) {
	limits := []struct{ perLink, all, wantLink, wantAll int }{
		{0, 0, server.DefaultMaxOffers, 2 * server.DefaultMaxOffers},
		{10, 0, 10, 20},
		{10, 15, 10, 15},
		{0, 7, 7, 7},
	}
	for _, limit := range limits {
		l := start(t, func(s *setup) {
			s.lan().MaxOffers, s.MaxOffers = limit.perLink, limit.all
			s.secondLink("2001:db8:2::1/56")
		})
		l.request(dhcpv6.Request, duid(1), na(1), pd(1))
		l.Events()
		for n := range 1500 {
			in := multicast(message(dhcpv6.Solicit, duid(1000+n), na(1), pd(1, "::/64")))
			in.Ifindex = 2 + n%2
			out, err := l.Handle(l.now, in, l.buf)
			if err != nil {
				t.Fatal(err)
			}
			for _, ia := range read(t, out.Payload).ias {
				if len(ia.grants()) != 1 {
					t.Fatalf("Solicit %d: %v %s", n, ia.kind, ia.status)
				}
			}
		}
		checkTable(t, l.Table())
		offered, bound := states(l)
		if offered > limit.wantAll || bound != 2 {
			t.Errorf("limits %v: %d offered, %d bound", limit, offered, bound)
		}
		perLink := make(map[string]int)
		for _, link := range l.Table().Links() {
			for _, b := range link.Bindings() {
				if b.State == lease.Offered {
					perLink[link.Name]++
				}
			}
		}
		if perLink["lan"] > limit.wantLink || perLink["guest"] > limit.wantLink {
			t.Errorf("limits %v: offers by link: %v", limit, perLink)
		}
		l.wantEvents()
		// The pools are still there for those who mean it.
		a := l.request(dhcpv6.Request, duid(2), na(1), pd(1))
		if len(a.ias[0].grants()) != 1 || len(a.ias[1].grants()) != 1 {
			t.Errorf("after the flood: %+v", a.ias)
		}
		a = l.request(dhcpv6.Renew, duid(1), na(1), pd(1))
		if len(a.ias[0].grants()) != 1 || len(a.ias[1].grants()) != 1 {
			t.Errorf("the bound client after the flood: %+v", a.ias)
		}
	}
}

// A pool of 15 /64s is all offered, then all is asked for by somebody else.
func TestOffersDoNotExhaustAPool(t *testing.T) {
	l := start(t, func(s *setup) { s.only("2001:db8:1::1/60") })
	for n := range 40 {
		l.request(dhcpv6.Solicit, duid(100+n), pd(1, "::/64"))
	}
	for n := range 15 {
		if a := l.request(dhcpv6.Request, duid(200+n), pd(1, "::/64")); len(a.ias[0].grants()) != 1 {
			t.Fatalf("client %d: %s", n, a.ias[0].status)
		}
	}
	if a := l.request(dhcpv6.Request, duid(300), pd(1, "::/64")); a.ias[0].status != "NoPrefixAvail" {
		t.Errorf("sixteenth /64 of fifteen: %+v", a.ias[0])
	}
}

// A client that starts anew: its binding is offered again, and stays bound.
func TestSolicitOfABoundClient(t *testing.T) {
	l := start(t)
	l.want(`03 a1b2c3`+fromA+toUs+askNA1, `07 a1b2c3`+fromA+byUs+grantNA1)
	l.wantEvents("bound lan IA_NA 2001:db8:1::e71")
	l.wait(10 * time.Minute)
	l.want(`01 a1b2c3`+fromA+askNA1, `02 a1b2c3`+fromA+byUs+grantNA1)
	l.wantEvents()
	if _, bound := states(l); bound != 1 {
		t.Error("binding lost by a Solicit")
	}
	// Only the Request made it last longer: an Advertise promises nothing.
	l.wait(5400*time.Second - 10*time.Minute)
	l.wantEvents("expired lan IA_NA 2001:db8:1::e71")
}

// After a renumbering a client that starts anew is offered the new address alone: clients put all that an Advertise has
// into their Request, and for an old address that would be answered with NotOnLink.
func TestAdvertiseHasNoOldAddresses(t *testing.T) {
	for _, typ := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request} {
		l := start(t)
		l.request(dhcpv6.Request, duid(1), na(1), pd(1))
		l.relink(func(s *setup) { s.only("2001:db8:2::1/56") })
		options := [][]byte{na(1), pd(1)}
		if typ == dhcpv6.Request {
			a := l.request(dhcpv6.Solicit, duid(1), options...)
			for i := range a.ias {
				var named []string
				for _, k := range a.ias[i].leases {
					s := k.prefix.String()
					if a.ias[i].kind == lease.Address {
						s = k.prefix.Addr().String()
					}
					named = append(named, s)
				}
				options[i] = ia([]dhcpv6.OptionCode{dhcpv6.OptionIANA, dhcpv6.OptionIAPD}[i], 1, named...)
			}
		}
		a := l.request(typ, duid(1), options...)
		for _, ia := range a.ias {
			if typ == dhcpv6.Solicit && len(ia.leases) != 1 || len(ia.grants()) != 1 || ia.status != "" {
				t.Errorf("%v after the renumbering: %+v", typ, ia)
			}
		}
	}
}

func TestSolicitLeavesNothingOfANameBehind(t *testing.T) {
	l := start(t)
	l.request(dhcpv6.Solicit, duid(1), na(1), option(dhcpv6.OptionClientFQDN, []byte{1, 1, 'x'}))
	for _, b := range l.Table().Link("lan").Bindings() {
		if b.Hostname != "" {
			t.Errorf("a Solicit names a binding %q", b.Hostname)
		}
	}
}

// Several IAs of each kind have different addresses and prefixes.
func TestSolicitSeveralIAs(t *testing.T) {
	l := start(t)
	a := l.request(dhcpv6.Solicit, duid(1), na(1), pd(1), na(2), pd(2, "::/64"), na(3), pd(3, "::/63"))
	seen := make(map[netip.Prefix]bool)
	for _, ia := range a.ias {
		if len(ia.grants()) != 1 || seen[ia.leases[0].prefix] {
			t.Errorf("%v %d: %+v", ia.kind, ia.iaid, ia)
			continue
		}
		seen[ia.leases[0].prefix] = true
	}
}
