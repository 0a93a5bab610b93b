package server_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/server"
)

// What a client says that accepts Reconfigure, and what the tables' server answers: the first key, with the first replay
// detection value, the upper half of which is the time of the epoch.
const (
	accepts = `0014 0000                                           # Reconfigure Accept
`
	accepted = accepts
	firstKey = `000b 001c 03 01 00 6b03f280 00000001 01 00000000000000000000000000000001 # Authentication: RKAP, HMAC-MD5, key
`
)

// reconfigures lets the server do Reconfigure. Its keys are 1, 2, 3 and so on.
func reconfigures(s *setup) {
	n := uint32(0)
	s.Random = func(b []byte) {
		if len(b) != 16 {
			panic("a key of 128 bits has 16 octets")
		}
		n++
		clear(b)
		binary.BigEndian.PutUint32(b[12:], n)
	}
}

func acceptOption() []byte { return option(dhcpv6.OptionReconfAccept) }

// Sections 20.4.2 and 21.20: who gets a key, and when.
func TestReconfigureAccept(t *testing.T) {
	const noAddress = `0003 0012 00000001 00000000 00000000 000d 0002 0002
`
	tests := []struct {
		name     string
		change   func(*setup)
		in, want string
		peer     string
	}{
		{name: "Solicit", in: `01 a1b2c3` + fromA + accepts + askNA1, want: `02 a1b2c3` + fromA + byUs + grantNA1 + accepted},
		{name: "Solicit with Rapid Commit", in: `01 a1b2c3` + fromA + rapidCommit + accepts + askNA1,
			want: `07 a1b2c3` + fromA + byUs + grantNA1 + rapidCommit + accepted + firstKey},
		{name: "Solicit with Rapid Commit for nothing", in: `01 a1b2c3` + fromA + rapidCommit + accepts,
			want: `07 a1b2c3` + fromA + byUs + rapidCommit},
		{name: "Request", in: `03 a1b2c3` + fromA + toUs + askNA1 + accepts, want: `07 a1b2c3` + fromA + byUs + grantNA1 + accepted + firstKey},
		{name: "Request, before other options of the answer", change: func(s *setup) { s.lan().Raw = []byte{0xfd, 0xe8, 0, 0} },
			in:   `03 a1b2c3` + fromA + toUs + askNA1 + accepts,
			want: `07 a1b2c3` + fromA + byUs + grantNA1 + accepted + firstKey + `fde8 0000`},
		{name: "Request without", in: `03 a1b2c3` + fromA + toUs + askNA1, want: `07 a1b2c3` + fromA + byUs + grantNA1},
		{name: "Request that gets nothing", change: func(s *setup) { s.lan().Addresses = false },
			in: `03 a1b2c3` + fromA + toUs + askNA1 + accepts, want: `07 a1b2c3` + fromA + byUs + noAddress},
		{name: "Renew of what the server has forgotten", in: `05 a1b2c3` + fromA + toUs + accepts + nameNA1,
			want: `07 a1b2c3` + fromA + byUs + grantNA1 + accepted + firstKey},
		{name: "Rebind of what the server has forgotten", in: `06 a1b2c3` + fromA + accepts + nameNA1,
			want: `07 a1b2c3` + fromA + byUs + grantNA1 + accepted + firstKey},
		{name: "Information-request", in: `0b a1b2c3` + fromA + accepts, want: `07 a1b2c3` + fromA + byUs + accepted + firstKey},
		{name: "Information-request of nobody", in: `0b a1b2c3` + accepts, want: `07 a1b2c3` + byUs},
		{name: "Confirm", in: `04 a1b2c3` + fromA + accepts + nameNA1, want: `07 a1b2c3` + fromA + byUs + success},
		{name: "no Reconfigure", change: func(s *setup) { s.Random = nil },
			in: `03 a1b2c3` + fromA + toUs + askNA1 + accepts, want: `07 a1b2c3` + fromA + byUs + grantNA1},
		{name: "not from a link-local address", peer: "2001:db8:1::77",
			in: `03 a1b2c3` + fromA + toUs + askNA1 + accepts, want: `07 a1b2c3` + fromA + byUs + grantNA1},
		{name: "an Authentication option of the client's is not looked at",
			in:   `03 a1b2c3` + fromA + toUs + askNA1 + accepts + `000b 0002 0301`,
			want: `07 a1b2c3` + fromA + byUs + grantNA1 + accepted + firstKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, reconfigures)
			if tt.change != nil {
				l = start(t, reconfigures, tt.change)
			}
			in := multicast(dhcpv6test.Hex(t, tt.in))
			if tt.peer != "" {
				in.Peer = netip.AddrPortFrom(netip.MustParseAddr(tt.peer), 546)
			}
			out, err := l.handle(in)
			if err != nil {
				t.Fatal(err)
			}
			l.compare(out.Payload, tt.want)
			told := 0
			if keyIn(t, out.Payload) != nil {
				told = 1
			}
			if bound, stateless := l.Clients(); bound+stateless != told {
				t.Errorf("%d bound and %d stateless clients, %d told a key", bound, stateless, told)
			}
		})
	}
}

// keyIn is the key in an answer without relay header, nil if it has none.
func keyIn(t testing.TB, payload []byte) []byte {
	t.Helper()
	a := read(t, payload)
	auth, ok := a.Options.Get(dhcpv6.OptionAuth)
	_, accepted := a.Options.Get(dhcpv6.OptionReconfAccept)
	if n := a.Options.Count(dhcpv6.OptionAuth); ok && (!accepted || n != 1) {
		t.Errorf("%d Authentication options, Reconfigure Accept %v", n, accepted)
	}
	if !ok {
		return nil
	}
	if len(auth) != 28 || !bytes.Equal(auth[:3], []byte{3, 1, 0}) || auth[11] != 1 {
		t.Fatalf("Authentication %x", auth)
	}
	return bytes.Clone(auth[12:])
}

// keyOf asks, and is the number of the key in the answer: 0 if there is none.
func (l *lab) keyOf(t dhcpv6.MessageType, client dhcpv6.DUID, options ...[]byte) uint32 {
	l.Helper()
	key := keyIn(l, l.ask(message(t, client, options...)))
	if key == nil {
		return 0
	}
	return binary.BigEndian.Uint32(key[12:])
}

func (l *lab) wantKey(want uint32, t dhcpv6.MessageType, client dhcpv6.DUID, options ...[]byte) {
	l.Helper()
	if got := l.keyOf(t, client, options...); got != want {
		l.Errorf("%v is told key %d, want %d", t, got, want)
	}
}

// A client that begins anew gets its key again; it is another one only after the client did not accept for once.
func TestKeyStaysTheSame(t *testing.T) {
	l := start(t, reconfigures)
	rapid, accept := option(dhcpv6.OptionRapidCommit), acceptOption()
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), accept)
	l.wantKey(0, dhcpv6.Renew, duid(1), na(1), accept)
	l.wantKey(0, dhcpv6.Rebind, duid(1), na(1), accept)
	l.wantKey(0, dhcpv6.Renew, duid(1), na(1))
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), accept)
	l.wantKey(0, dhcpv6.Solicit, duid(1), na(1), accept)
	l.wantKey(1, dhcpv6.Solicit, duid(1), na(1), rapid, accept)
	l.wantKey(1, dhcpv6.InformationRequest, duid(1), accept)
	l.wantKey(2, dhcpv6.Request, duid(2), na(1), accept)
	l.wantKey(0, dhcpv6.Release, duid(1), na(1, "2001:db8:1::e71"), accept)
	l.wantKey(1, dhcpv6.InformationRequest, duid(1), accept)
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), accept)
	last := uint32(2)
	for _, without := range []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.InformationRequest} {
		var ia []byte
		if without != dhcpv6.InformationRequest {
			ia = na(1)
		}
		l.wantKey(0, without, duid(1), ia)
		if bound, stateless := l.Clients(); bound != 1 || stateless != 0 {
			t.Errorf("%v without: %d bound, %d stateless", without, bound, stateless)
		}
		last++
		l.wantKey(last, dhcpv6.Renew, duid(1), na(1), accept)
	}
}

// The same DUID on two links is two clients, with a key each.
func TestKeyOnEachLink(t *testing.T) {
	l := start(t, reconfigures, func(s *setup) { s.secondLink("2001:db8:2::1/64") })
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	a := l.requestOn(3, dhcpv6.Request, duid(1), na(1), acceptOption())
	auth, _ := a.Options.Get(dhcpv6.OptionAuth)
	if len(auth) != 28 || auth[27] != 2 {
		t.Errorf("Authentication on the other link: %x", auth)
	}
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	for link, want := range map[string]int{"": 2, "lan": 1, "guest": 1} {
		if n, err := l.Reconfigure(l.now, link, duid(1), 0); n != want || err != nil {
			t.Errorf("link %q: %d clients, %v", link, n, err)
		}
	}
}

// An answer that is not sent tells nobody a key: nothing is remembered.
func TestKeyNotSent(t *testing.T) {
	l := start(t, reconfigures)
	whole := l.buf
	in := multicast(message(dhcpv6.Request, duid(1), na(1), acceptOption()))
	out, err := l.handle(in)
	if err != nil {
		t.Fatal(err)
	}
	full := len(out.Payload)
	for n := range full {
		l = start(t, reconfigures)
		l.buf = whole[:n]
		l.wantDropOf(in, server.DropReplyTooLong)
		if bound, stateless := l.Clients(); bound+stateless != 0 {
			t.Errorf("a client is remembered after an answer of %d octets did not fit %d", full, n)
		}
	}
}

// The same behind relay agents: another Interface-Id, another interface, another relay agent.
func TestRelayedPathFollows(t *testing.T) {
	l := start(t, reconfigures, func(s *setup) { s.secondLink("2001:db8:2::1/64") })
	tests := []struct {
		ifindex         int
		interfaceID, to string
	}{
		{2, "a", "[2001:db8:2::9]:547"},
		{2, "b", "[2001:db8:2::9]:547"},
		{3, "b", "[2001:db8:2::9]:547"},
		{3, "b", "[2001:db8:2::8]:547"},
	}
	for _, tt := range tests {
		in := multicast(relay(netip.MustParseAddr("2001:db8:2::9"), message(dhcpv6.Request, duid(1), na(1), acceptOption()),
			option(dhcpv6.OptionInterfaceID, []byte(tt.interfaceID))))
		in.Ifindex, in.Peer = tt.ifindex, netip.MustParseAddrPort(tt.to)
		if _, err := l.handle(in); err != nil {
			t.Fatal(err)
		}
		l.Reconfigure(l.now, "guest", nil, 0)
		got := l.pull()
		if len(got) != 1 || got[0].Ifindex != tt.ifindex || got[0].Peer.String() != tt.to ||
			!bytes.Contains(got[0].Payload, option(dhcpv6.OptionInterfaceID, []byte(tt.interfaceID))) {
			t.Errorf("%v: sent %v", tt, got)
		}
	}
}

// A relay agent that says that its port counts, and has none, is no way to anybody.
func TestPathWithoutPort(t *testing.T) {
	l := start(t, reconfigures)
	in := multicast(relay(netip.MustParseAddr("2001:db8:1::9"), message(dhcpv6.Request, duid(1), na(1), acceptOption()),
		option(dhcpv6.OptionRelayPort, []byte{0, 0})))
	in.Peer = netip.MustParseAddrPort("[2001:db8:1::9]:0")
	if _, err := l.handle(in); err != nil {
		t.Fatal(err)
	}
	if bound, stateless := l.Clients(); bound+stateless != 0 {
		t.Error("a client is remembered that cannot be reached")
	}
}

// Where a client can be reached is what its last message says, whether that accepts or not.
func TestPathFollows(t *testing.T) {
	l := start(t, reconfigures)
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	in := multicast(message(dhcpv6.Renew, duid(1), na(1)))
	in.Peer = netip.MustParseAddrPort("[fe80::99]:1000")
	if _, err := l.handle(in); err != nil {
		t.Fatal(err)
	}
	l.Reconfigure(l.now, "", nil, 0)
	if got := l.pull(); len(got) != 1 || got[0].Peer != netip.MustParseAddrPort("[fe80::99]:546") {
		t.Errorf("sent %v", got)
	}
	// From where there is no way back nothing changes.
	in.Peer = netip.MustParseAddrPort("[2001:db8:1::e71]:546")
	if _, err := l.handle(in); err != nil {
		t.Fatal(err)
	}
	l.Reconfigure(l.now, "", nil, 0)
	if got := l.pull(); len(got) != 1 || got[0].Peer != netip.MustParseAddrPort("[fe80::99]:546") {
		t.Errorf("sent %v", got)
	}
}
