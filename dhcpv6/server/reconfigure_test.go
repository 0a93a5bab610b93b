package server_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/server"
)

// reconfiguration is a Reconfigure message as it was sent.
type reconfiguration struct {
	server.Datagram
	message []byte // without relay headers
	client  dhcpv6.DUID
	asks    dhcpv6.MessageType
	replay  uint64
}

// pull takes all Reconfigure messages that are due.
func (l *lab) pull() (all []reconfiguration) {
	l.Helper()
	for {
		out, ok := l.nextReconfigure()
		if !ok {
			break
		}
		out.Payload = bytes.Clone(out.Payload)
		all = append(all, readReconfigure(l, out))
	}
	if err := l.CheckClients(); err != nil {
		l.Error(err)
	}
	return all
}

// nextReconfigure is NextReconfigure, which must have been said to be due.
func (l *lab) nextReconfigure() (server.Datagram, bool) {
	l.Helper()
	due := l.ReconfigureDue(l.now)
	out, ok := l.NextReconfigure(l.now, l.buf[:1500])
	if ok && !due {
		l.Error("a Reconfigure message is sent that was not due")
	}
	return out, ok
}

// readReconfigure reads a Reconfigure message, which must be exactly as section 18.3.11 says.
func readReconfigure(t testing.TB, out server.Datagram) reconfiguration {
	t.Helper()
	r := reconfiguration{Datagram: out, message: out.Payload}
	for dhcpv6.MessageType(r.message[0]) == dhcpv6.RelayReply {
		m, err := dhcpv6.ParseRelayMessage(r.message)
		if err != nil || len(m.Options) != len(r.message)-34 || m.Options.Count(dhcpv6.OptionRelayMsg) != 1 {
			t.Fatalf("malformed Relay-reply (%v): %x", err, r.message)
		}
		r.message, _ = m.Options.Get(dhcpv6.OptionRelayMsg)
	}
	m, err := dhcpv6.ParseMessage(r.message)
	if err != nil || m.Type != dhcpv6.Reconfigure || m.TransactionID != 0 || len(m.Options) != len(r.message)-4 {
		t.Fatalf("malformed Reconfigure (%v): %x", err, r.message)
	}
	for code, data := range m.Options.All() {
		switch code {
		case dhcpv6.OptionClientID:
			r.client = data
		case dhcpv6.OptionServerID:
			if !bytes.Equal(data, ourID) {
				t.Errorf("Server Identifier %x", data)
			}
		case dhcpv6.OptionReconfMsg:
			r.asks = dhcpv6.MessageType(data[0])
		case dhcpv6.OptionAuth:
			if len(data) != 28 || !bytes.Equal(data[:3], []byte{3, 1, 0}) || data[11] != 2 {
				t.Errorf("Authentication %x", data)
			}
			r.replay = binary.BigEndian.Uint64(data[3:])
		default:
			t.Errorf("%v in a Reconfigure", code)
		}
	}
	return r
}

// authentic reports whether the digest, which is at the end, is one with the key.
func (r *reconfiguration) authentic(key []byte) bool {
	end := len(r.message) - 16
	mac := hmac.New(md5.New, key)
	mac.Write(r.message[:end])
	mac.Write(make([]byte, 16))
	return hmac.Equal(mac.Sum(nil), r.message[end:])
}

// number is the n of the key that reconfigures made.
func number(n uint32) []byte {
	return binary.BigEndian.AppendUint32(make([]byte, 12), n)
}

// wantSent compares what was sent with "Renew 1 fe80::2": what is asked of the client with that number, and where.
func (l *lab) wantSent(want ...string) {
	l.Helper()
	var got []string
	for _, r := range l.pull() {
		n := 0
		for i := range 100 {
			if bytes.Equal(r.client, duid(i)) {
				n = i
			}
		}
		got = append(got, fmt.Sprintf("%v %d %v", r.asks, n, r.Peer.Addr()))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		l.Errorf("sent\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// withZeros is a Reconfigure message with zeros for its digest.
func withZeros(b []byte) []byte { return append(bytes.Clone(b[:len(b)-16]), make([]byte, 16)...) }

const (
	asksRenew = `0013 0001 05                                      # Reconfigure Message: Renew
`
	asksRebind = `0013 0001 06                                     # Reconfigure Message: Rebind
`
	asksInformation = `0013 0001 0b                                # Reconfigure Message: Information-request
`
	secondDigest = `000b 001c 03 01 00 6b03f280 00000002 02 00000000000000000000000000000000 # Authentication: RKAP, HMAC-MD5, digest
`
)

func TestReconfigureMessage(t *testing.T) {
	tests := []struct {
		name, in string
		asks     dhcpv6.MessageType
		want     string
		local    string
		peer     string
		from     string
	}{
		{name: "Renew", in: `03 a1b2c3` + fromA + toUs + askNA1 + accepts, want: `0a 000000` + fromA + byUs + asksRenew + secondDigest},
		{name: "Rebind", in: `03 a1b2c3` + fromA + toUs + askPD1 + accepts, asks: dhcpv6.Rebind,
			want: `0a 000000` + fromA + byUs + asksRebind + secondDigest},
		{name: "Information-request to a client that has bindings", in: `03 a1b2c3` + fromA + toUs + askPD1 + accepts, asks: dhcpv6.InformationRequest,
			want: `0a 000000` + fromA + byUs + asksInformation + secondDigest},
		{name: "Information-request", in: `0b a1b2c3` + fromA + accepts, want: `0a 000000` + fromA + byUs + asksInformation + secondDigest},
		{name: "through a relay agent", from: "[2001:db8:1::9]:547", peer: "[2001:db8:1::9]:547", local: "2001:db8:1::1",
			in: `0c 00` + header1 + `
				0012 0004 65746830                                      # Interface-Id "eth0"
				0009 0038 03 a1b2c3` + fromA + toUs + accepts + askNA1,
			want: `0d 00` + header1 + `
				0012 0004 65746830
				0009 0045 0a 000000` + fromA + byUs + asksRenew + secondDigest},
		{name: "through two relay agents, the outer one with its own port", from: "[fe80::99]:4711", peer: "[fe80::99]:4711",
			in: `0c 01` + header2 + `
				0087 0002 0000                                          # Relay Source Port
				0012 0002 6f31                                          # Interface-Id "o1"
				0025 0006 00000009 abcd                                 # Remote-Id
				002b 0002 0025                                          # Echo Request: 37
				0009 0064 0c 00` + header1 + `
					0012 0002 6931                                      # Interface-Id "i1"
					0026 0002 abcd                                      # Subscriber-Id
					0009 0032 03 a1b2c3` + fromA + toUs + askNA1 + accepts,
			want: `0d 01` + header2 + `0087 0002 0000 0012 0002 6f31 0025 0006 00000009 abcd
				0009 0071 0d 00` + header1 + `0012 0002 6931
					0009 0045 0a 000000` + fromA + byUs + asksRenew + secondDigest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, reconfigures)
			in := multicast(relayedRight(t, dhcpv6test.Hex(t, tt.in)))
			peer, local := "[fe80::2]:546", "fe80::1"
			if tt.from != "" {
				in.Peer, peer = netip.MustParseAddrPort(tt.from), tt.peer
			}
			if tt.local != "" {
				local = tt.local
			}
			if _, err := l.handle(in); err != nil {
				t.Fatal(err)
			}
			if n, err := l.Reconfigure(l.now, "", nil, tt.asks); n != 1 || err != nil {
				t.Fatalf("%d clients, %v", n, err)
			}
			got := l.pull()
			if len(got) != 1 {
				t.Fatalf("%d messages", len(got))
			}
			r := &got[0]
			l.compare(withZeros(r.Payload), tt.want)
			if !r.authentic(number(1)) {
				t.Error("the digest is wrong")
			}
			if r.Ifindex != 2 || r.Local.String() != local || r.Peer.String() != peer {
				t.Errorf("sent from %v to %v on %d; want %s to %s", r.Local, r.Peer, r.Ifindex, local, peer)
			}
			if n := l.Counters().Sent[dhcpv6.Reconfigure]; n != 1 {
				t.Errorf("counted %d", n)
			}
		})
	}
}

// relayedRight corrects the lengths of the Relay Message options in a message: each is the last option.
func relayedRight(t testing.TB, b []byte) []byte {
	t.Helper()
	if dhcpv6.MessageType(b[0]) != dhcpv6.RelayForward {
		return b
	}
	for at := 34; ; {
		code, n := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		if at += 4; dhcpv6.OptionCode(code) == dhcpv6.OptionRelayMsg {
			inner := relayedRight(t, b[at:])
			binary.BigEndian.PutUint16(b[at-2:], uint16(len(inner)))
			return b
		}
		at += n
	}
}

// Sections 7.6 and 18.3.11: 8 messages, the first again after 2 s, then after twice as long each time. Each is numbered anew.
func TestReconfigureTimes(t *testing.T) {
	l := start(t, reconfigures)
	l.wantKey(1, dhcpv6.InformationRequest, duid(1), acceptOption())
	l.Reconfigure(l.now, "lan", duid(1), 0)
	var at []int
	var replay uint64
	for next := l.Tick(l.now); !next.IsZero(); next = l.Tick(l.now) {
		if l.now = next.Add(-time.Nanosecond); len(l.pull()) > 0 {
			t.Errorf("sent too early, before %v", next.Sub(epoch))
		}
		l.now = next
		for _, r := range l.pull() {
			at = append(at, int(l.now.Sub(epoch)/time.Second))
			if r.replay <= replay || !r.authentic(number(1)) || r.asks != dhcpv6.InformationRequest {
				t.Errorf("replay value %x after %x, asks for %v", r.replay, replay, r.asks)
			}
			replay = r.replay
		}
	}
	if want := []int{0, 2, 6, 14, 30, 62, 126, 254}; !slices.Equal(at, want) {
		t.Errorf("sent after %v s, want %v", at, want)
	}
	if c := l.Counters(); l.now.Sub(epoch) != 510*time.Second || c.GivenUp != 1 || c.Sent[dhcpv6.Reconfigure] != 8 {
		t.Errorf("given up after %v; %d given up, %d sent", l.now.Sub(epoch), c.GivenUp, c.Sent[dhcpv6.Reconfigure])
	}
	// The client is still one that accepts.
	l.Reconfigure(l.now, "lan", duid(1), 0)
	l.wantSent("Information-request 1 fe80::2")
}

// What ends a Reconfigure, and what does not.
func TestReconfigureEnds(t *testing.T) {
	const renew, rebind, information = dhcpv6.Renew, dhcpv6.Rebind, dhcpv6.InformationRequest
	tests := []struct {
		name    string
		asks, t dhcpv6.MessageType
		client  int
		options [][]byte
		ends    bool
	}{
		{"what was asked for", renew, renew, 1, [][]byte{na(1)}, true},
		{"Rebind instead", renew, rebind, 1, [][]byte{na(1)}, true},
		{"Request", renew, dhcpv6.Request, 1, [][]byte{na(1), acceptOption()}, true},
		{"Solicit", renew, dhcpv6.Solicit, 1, [][]byte{na(1), acceptOption()}, true},
		{"Solicit that accepts no more", renew, dhcpv6.Solicit, 1, [][]byte{na(1)}, true},
		{"Information-request does not renew", renew, information, 1, [][]byte{acceptOption()}, false},
		{"Information-request does not rebind", rebind, information, 1, [][]byte{acceptOption()}, false},
		{"Information-request that was asked for", information, information, 1, [][]byte{acceptOption()}, true},
		{"Renew brings information", information, renew, 1, [][]byte{na(1)}, true},
		{"Confirm", renew, dhcpv6.Confirm, 1, [][]byte{na(1, "2001:db8:1::e71")}, false},
		{"Release of a part", renew, dhcpv6.Release, 1, [][]byte{na(1, "2001:db8:1::e71")}, false},
		{"Release of all", renew, dhcpv6.Release, 1, [][]byte{na(1, "2001:db8:1::e71"), pd(1, "2001:db8:1:c4::/62")}, true},
		{"Release of all, asked for information", information, dhcpv6.Release, 1, [][]byte{na(1, "2001:db8:1::e71"), pd(1, "2001:db8:1:c4::/62")}, false},
		{"Decline of a part", renew, dhcpv6.Decline, 1, [][]byte{na(1, "2001:db8:1::e71")}, false},
		{"another client's", renew, renew, 2, [][]byte{na(1)}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, reconfigures)
			l.wantKey(1, dhcpv6.Request, duid(1), na(1), pd(1), acceptOption())
			l.Reconfigure(l.now, "", duid(1), tt.asks)
			l.wantSent(fmt.Sprint(tt.asks, " 1 fe80::2"))
			l.ask(message(tt.t, duid(tt.client), tt.options...))
			l.wait(2 * time.Second)
			if sent := l.pull(); len(sent) > 0 == tt.ends {
				t.Errorf("sent again: %v", len(sent) > 0)
			}
		})
	}
}

// A message on another link, or one that is not answered, ends nothing.
func TestReconfigureGoesOn(t *testing.T) {
	l := start(t, reconfigures, func(s *setup) { s.secondLink("2001:db8:2::1/64") })
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	l.Reconfigure(l.now, "lan", nil, 0)
	l.wantSent("Renew 1 fe80::2")
	l.requestOn(3, dhcpv6.Request, duid(1), na(1), acceptOption())
	in := multicast(message(dhcpv6.Renew, duid(1), na(1)))
	in.Local = netip.MustParseAddr("fe80::1") // answered with UseMulticast
	if _, err := l.handle(in); err != nil {
		t.Fatal(err)
	}
	l.buf = l.buf[:40]
	l.wantDropOf(multicast(message(dhcpv6.Renew, duid(1), na(1))), server.DropReplyTooLong)
	l.buf = make([]byte, 1500)
	l.wait(2 * time.Second)
	l.wantSent("Renew 1 fe80::2")
}

// The bindings that a Reconfigure would renew run out.
func TestReconfigureExpires(t *testing.T) {
	l := start(t, reconfigures, func(s *setup) { s.lan().MaxValid, s.lan().MaxPreferred = 60, 60 })
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	l.Reconfigure(l.now, "lan", nil, 0)
	l.pull()
	l.wait(61 * time.Second)
	l.wantSent()
	if bound, stateless := l.Clients(); bound != 0 || stateless != 1 {
		t.Errorf("%d bound, %d stateless", bound, stateless)
	}
	l.Reconfigure(l.now, "lan", nil, 0)
	l.wantSent("Information-request 1 fe80::2")
}

// One that runs begins anew, for what is asked for now.
func TestReconfigureAgain(t *testing.T) {
	l := start(t, reconfigures)
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	l.Reconfigure(l.now, "lan", nil, 0)
	l.pull()
	l.wait(2 * time.Second)
	l.pull()
	l.wait(time.Second)
	l.Reconfigure(l.now, "lan", nil, dhcpv6.Rebind)
	l.wantSent("Rebind 1 fe80::2")
	l.wait(2 * time.Second)
	l.wantSent("Rebind 1 fe80::2")
	l.wait(3 * time.Second) // when the old one's third message was due
	l.wantSent()
}

func TestReconfigureErrors(t *testing.T) {
	l := start(t, reconfigures, func(s *setup) { s.secondLink("2001:db8:2::1/64") })
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	l.wantKey(2, dhcpv6.InformationRequest, duid(2), acceptOption())
	l.wantKey(0, dhcpv6.Request, duid(3), na(1))
	tests := []struct {
		link   string
		client dhcpv6.DUID
		t      dhcpv6.MessageType
		n      int
		err    string
	}{
		{"", nil, 0, 2, ""},
		{"lan", nil, 0, 2, ""},
		{"guest", nil, 0, 0, ""},
		{"lan", nil, dhcpv6.Renew, 1, ""},
		{"lan", nil, dhcpv6.Rebind, 1, ""},
		{"lan", nil, dhcpv6.InformationRequest, 2, ""},
		{"lan", duid(2), 0, 1, ""},
		{"lan", duid(2), dhcpv6.Renew, 0, "reconfigure: client 00030001020001000002 has no bindings, only Information-request can be asked of it"},
		{"lan", duid(3), 0, 0, "reconfigure: no client 00030001020001000003 that accepts it"},
		{"guest", duid(1), 0, 0, "reconfigure: no client 00030001020000000001 that accepts it"},
		{"wan", nil, 0, 0, "reconfigure: interface wan is not served"},
		{"lan", nil, dhcpv6.Solicit, 0, "reconfigure: Solicit cannot be asked for, only Renew, Rebind and Information-request"},
	}
	for _, tt := range tests {
		n, err := l.Reconfigure(l.now, tt.link, tt.client, tt.t)
		if n != tt.n || fmt.Sprint(err) != tt.err && !(err == nil && tt.err == "") {
			t.Errorf("%q %v %v: %d, %v; want %d, %q", tt.link, tt.client, tt.t, n, err, tt.n, tt.err)
		}
	}
	l.relink(func(s *setup) { s.Links = s.Links[1:] })
	if _, err := l.Reconfigure(l.now, "lan", duid(1), 0); fmt.Sprint(err) != "reconfigure: interface lan of client 00030001020000000001 is not there" {
		t.Error(err)
	}
	if _, err := start(t).Reconfigure(l.now, "", nil, 0); fmt.Sprint(err) != "reconfigure: not in use" {
		t.Error(err)
	}
}

// The interface goes, or comes back with another index and address.
func TestReconfigureLinkVanishes(t *testing.T) {
	l := start(t, reconfigures)
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	l.Reconfigure(l.now, "", nil, 0)
	links := l.setup.Links
	l.relink(func(s *setup) { s.Links = nil })
	l.wantSent()
	l.relink(func(s *setup) { s.Links = links })
	l.wait(2 * time.Second)
	l.wantSent()
	l.Reconfigure(l.now, "", nil, 0)
	l.wantSent("Renew 1 fe80::2")
	l.relink(func(s *setup) { s.Links[0].Ifindex, s.Links[0].LinkLocal = 7, netip.MustParseAddr("fe80::7") })
	l.wait(2 * time.Second)
	if got := l.pull(); len(got) != 1 || got[0].Ifindex != 7 || got[0].Local != netip.MustParseAddr("fe80::7") {
		t.Errorf("sent %v", got)
	}
	l.relink(func(s *setup) { s.Links[0].LinkLocal = netip.Addr{} })
	l.wait(4 * time.Second)
	l.wantSent()
}

// A relay agent on one interface names another one's link: the messages leave where it is.
func TestReconfigureOtherLink(t *testing.T) {
	l := start(t, reconfigures, func(s *setup) { s.secondLink("2001:db8:2::1/64") })
	in := multicast(relay(netip.MustParseAddr("2001:db8:2::9"), message(dhcpv6.Request, duid(1), na(1), acceptOption())))
	if _, err := l.handle(in); err != nil {
		t.Fatal(err)
	}
	if n, _ := l.Reconfigure(l.now, "lan", nil, 0); n != 0 {
		t.Errorf("%d clients on lan", n)
	}
	l.Reconfigure(l.now, "guest", nil, 0)
	if got := l.pull(); len(got) != 1 || got[0].Ifindex != 2 {
		t.Errorf("sent %v", got)
	}
}

// A path that takes more than 1 KiB is not remembered.
func TestPathTooLong(t *testing.T) {
	for n, want := range map[int]uint32{1024 - 34 - 8: 1, 1024 - 34 - 7: 0} {
		l := start(t, reconfigures)
		in := relay(netip.MustParseAddr("2001:db8:1::9"), message(dhcpv6.Request, duid(1), na(1), acceptOption()),
			option(dhcpv6.OptionInterfaceID, make([]byte, n)))
		_, answer := checkRelays(t, in, l.ask(in))
		if got := keyIn(t, answer) != nil; got != (want == 1) {
			t.Errorf("Interface-Id of %d octets: key %v", n, got)
		}
		l.Reconfigure(l.now, "", nil, 0)
		if got := l.pull(); len(got) != int(want) {
			t.Errorf("Interface-Id of %d octets: %d sent", n, len(got))
		}
	}
}

// A buffer that is too small ends it: there is nothing to wait for.
func TestReconfigureBufferTooSmall(t *testing.T) {
	l := start(t, reconfigures)
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	l.Reconfigure(l.now, "", nil, 0)
	if out, ok := l.NextReconfigure(l.now, l.buf[:60]); ok {
		t.Errorf("sent %v", out)
	}
	if next := l.Tick(l.now); !next.After(l.now) {
		t.Errorf("next at %v", next)
	}
}

// Options that change on reload are told, to those on the links concerned.
func TestReconfigureOnReload(t *testing.T) {
	tests := []struct {
		name   string
		change func(*setup)
		want   []string
	}{
		{"nothing", func(*setup) {}, nil},
		{"lifetimes", func(s *setup) { s.lan().LeaseTime = 600 }, nil},
		{"preference, which only an Advertise tells", func(s *setup) { s.lan().Preference = 7 }, nil},
		{"DNS server", func(s *setup) { s.lan().DNS = []netip.Addr{netip.MustParseAddr("2001:db8::53")} },
			[]string{"Renew 1 fe80::2", "Information-request 2 fe80::2"}},
		{"raw options", func(s *setup) { s.lan().Raw = []byte{0xfd, 0xe8, 0, 0} },
			[]string{"Renew 1 fe80::2", "Information-request 2 fe80::2"}},
		{"the other link's", func(s *setup) { s.Interfaces[1].Search = []string{"lan"} }, []string{"Renew 3 fe80::2"}},
		{"all links'", func(s *setup) { s.TZDBTimezone = "Etc/UTC" },
			[]string{"Renew 1 fe80::2", "Information-request 2 fe80::2", "Renew 3 fe80::2"}},
		{"a new link", func(s *setup) { s.Interfaces = append(s.Interfaces, newInterface("new")) }, nil},
		{"a link less", func(s *setup) { s.Interfaces = s.Interfaces[:1] }, nil},
		{"no Reconfigure", func(s *setup) { s.Random, s.lan().Search = nil, []string{"lan"} }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, reconfigures, func(s *setup) { s.secondLink("2001:db8:2::1/64"); s.lan().Preference = 3 })
			l.reconfigure(func(s *setup) {})
			l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
			l.wantKey(2, dhcpv6.InformationRequest, duid(2), acceptOption())
			l.requestOn(3, dhcpv6.Request, duid(3), na(1), acceptOption())
			l.reconfigure(tt.change)
			l.wantSent(tt.want...)
		})
	}
}

// Ten thousand clients get one message each and round, and the last costs what the first does.
func TestReconfigureMany(t *testing.T) {
	const clients = 10_000
	l := start(t, reconfigures, func(s *setup) { s.lan().HostIDLength = 32 })
	for n := range clients {
		if _, err := l.Handle(l.now, multicast(message(dhcpv6.Request, duid(n), na(1), acceptOption())), l.buf); err != nil {
			t.Fatal(err)
		}
		l.Events()
	}
	if n, err := l.Reconfigure(l.now, "", nil, 0); n != clients || err != nil {
		t.Fatalf("%d clients, %v", n, err)
	}
	for round := range 3 {
		told := make(map[string]int)
		for _, r := range l.pull() {
			told[string(r.client)]++
		}
		if len(told) != clients {
			t.Errorf("round %d: %d clients", round, len(told))
		}
		for duid, n := range told {
			if n != 1 {
				t.Errorf("round %d: %d messages for %x", round, n, duid)
			}
		}
		if got := l.pull(); len(got) > 0 {
			t.Errorf("round %d: %d messages more", round, len(got))
		}
		l.wait(2 * time.Second << round)
	}
}
