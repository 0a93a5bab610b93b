package server_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// What most packets of the tables begin with. Client A gets interface id 0e71 and subnet ids 00c4 to 00c7 in the tables'
// network, 2001:db8:1::/56: TestIDsFollowFromTheClient says why.
const (
	fromA = `0001 000a 0003 0001 020000000001                      # Client Identifier: DUID-LL
`
	fromB = `0001 000a 0003 0001 020000000003                      # Client Identifier: DUID-LL
`
	toUs = `0002 000a 0003 0001 020000000002                       # Server Identifier: DUID-LL
`
	byUs     = toUs
	toOthers = `0002 000a 0003 0001 0200000000ff                   # Server Identifier: somebody else's
`
	rapidCommit = `000e 0000                                       # Rapid Commit
`
	askNA1 = `0003 000c 00000001 00000000 00000000                 # IA_NA 1
`
	askPD1 = `0019 000c 00000001 00000000 00000000                 # IA_PD 1
`
	// What client A is granted: T1 is half of 2700 s, T2 0.8 of it.
	grantNA1 = `0003 0028 00000001 00000546 00000870               # IA_NA 1, T1 1350, T2 2160
	0005 0018 20010db8 00010000 00000000 00000e71 00000a8c 00001518 # 2001:db8:1::e71, 2700, 5400
`
	grantPD1 = `0019 0029 00000001 00000546 00000870               # IA_PD 1, T1 1350, T2 2160
	001a 0019 00000a8c 00001518 3e 20010db8 000100c4 00000000 00000000 # 2001:db8:1:c4::/62, 2700, 5400
`
	// The same as the client names them: section 18.2.4 has it send lifetimes of 0.
	nameNA1 = `0003 0028 00000001 00000000 00000000                # IA_NA 1
	0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000 # 2001:db8:1::e71
`
	namePD1 = `0019 0029 00000001 00000000 00000000                # IA_PD 1
	001a 0019 00000000 00000000 3e 20010db8 000100c4 00000000 00000000 # 2001:db8:1:c4::/62
`
	success = `000d 0002 0000                                      # Status Code: Success
`
)

var (
	epoch  = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	ourID  = dhcpv6.NewDUIDLL(1, []byte{2, 0, 0, 0, 0, 2})
	client = netip.MustParseAddr("fe80::2")
)

// setup is what a test's server begins with.
type setup struct {
	server.Config
	Links []server.Link
}

func (s *setup) lan() *server.Interface { return &s.Interfaces[0] }

// address gives the interface of that number an address, for ever.
func (s *setup) address(link int, prefix string) {
	a := server.LinkAddress{Prefix: netip.MustParsePrefix(prefix)}
	s.Links[link].Addresses = append(s.Links[link].Addresses, a)
}

// limited gives the interface "lan" an address with what remains of its lifetimes, in seconds.
func (s *setup) limited(prefix string, preferred, valid int) {
	s.address(0, prefix)
	a := &s.Links[0].Addresses[len(s.Links[0].Addresses)-1]
	a.Preferred = epoch.Add(time.Duration(preferred) * time.Second)
	a.Valid = epoch.Add(time.Duration(valid) * time.Second)
}

func (s *setup) only(prefixes ...string) {
	s.Links[0].Addresses = nil
	for _, p := range prefixes {
		s.address(0, p)
	}
}

// secondLink adds a served interface "guest" with ifindex 3.
func (s *setup) secondLink(prefixes ...string) {
	guest := *s.lan()
	guest.Name = "guest"
	s.Interfaces = append(s.Interfaces, guest)
	s.Links = append(s.Links, server.Link{Name: "guest", Ifindex: 3, LinkLocal: netip.MustParseAddr("fe80::1")})
	for _, p := range prefixes {
		s.address(1, p)
	}
}

func newInterface(name string) server.Interface {
	return server.Interface{
		Name: name, LeaseTime: server.DefaultLeaseTime, MaxPreferred: server.DefaultMaxPreferred,
		MaxValid: server.DefaultMaxValid, Dynamic: true, Addresses: true, Prefixes: true, AssignAll: true,
		HostIDLength: server.DefaultHostIDLength, PDMinLength: server.DefaultPDMinLength,
		DeclineTime: server.DefaultDeclineTime, SolMaxRT: server.DefaultMaxRT, InfMaxRT: server.DefaultMaxRT,
		InformationTime: server.DefaultInformationTime,
	}
}

// lab is a server under test, its clock and its buffer.
type lab struct {
	testing.TB
	*server.Server
	setup setup
	now   time.Time
	buf   []byte
}

// start makes a server with one link, "lan", 2001:db8:1::1/56, and the changes.
func start(t testing.TB, changes ...func(*setup)) *lab {
	t.Helper()
	s := setup{
		Config: server.Config{DUID: ourID, Interfaces: []server.Interface{newInterface("lan")}},
		Links:  []server.Link{{Name: "lan", Ifindex: 2, LinkLocal: netip.MustParseAddr("fe80::1")}},
	}
	s.address(0, "2001:db8:1::1/56")
	for _, change := range changes {
		change(&s)
	}
	l := &lab{TB: t, setup: s, now: epoch, buf: make([]byte, dhcpv6.MaxPayload)}
	l.Server = server.New(epoch, s.Config)
	l.SetLinks(epoch, s.Links)
	return l
}

// wait lets time pass and the server notice.
func (l *lab) wait(d time.Duration) {
	l.now = l.now.Add(d)
	l.Tick(l.now)
}

// relink changes the links.
func (l *lab) relink(change func(*setup)) {
	links := make([]server.Link, len(l.setup.Links))
	for i, k := range l.setup.Links {
		links[i] = k
		links[i].Addresses = append([]server.LinkAddress(nil), k.Addresses...)
	}
	l.setup.Links = links
	change(&l.setup)
	l.SetLinks(l.now, l.setup.Links)
}

// reconfigure changes the configuration.
func (l *lab) reconfigure(change func(*setup)) {
	l.setup.Interfaces = append([]server.Interface(nil), l.setup.Interfaces...)
	l.setup.Hosts = append([]server.Host(nil), l.setup.Hosts...)
	change(&l.setup)
	l.SetConfig(l.now, l.setup.Config)
}

// multicast is a datagram as clients send them.
func multicast(payload []byte) server.Datagram {
	return server.Datagram{
		Payload: payload, Ifindex: 2, Peer: netip.AddrPortFrom(client, dhcpv6.ClientPort),
		Local: dhcpv6.AllRelayAgentsAndServers,
	}
}

// handle passes a datagram and checks what must hold of every answer.
func (l *lab) handle(in server.Datagram) (server.Datagram, error) {
	l.Helper()
	out, err := l.Handle(l.now, in, l.buf)
	if err == nil && len(out.Payload) == 0 {
		l.Fatal("neither an answer nor the reason for silence")
	}
	if err == nil {
		query, answer := checkRelays(l, in.Payload, out.Payload)
		checkAnswer(l, query, answer)
		l.checkGrants(answer)
	}
	checkTable(l, l.Table())
	return out, err
}

// ask sends a client's message and returns the answer.
func (l *lab) ask(payload []byte) []byte {
	l.Helper()
	out, err := l.handle(multicast(payload))
	if err != nil {
		l.Fatalf("no answer: %v; to\n%s", err, dump(payload))
	}
	return bytes.Clone(out.Payload)
}

// want sends a client's message and compares the answer.
func (l *lab) want(in, want string) {
	l.Helper()
	l.compare(l.ask(dhcpv6test.Hex(l, in)), want)
}

func (l *lab) compare(got []byte, want string) {
	l.Helper()
	if w := dhcpv6test.Hex(l, want); !bytes.Equal(got, w) {
		l.Errorf("answer\n%swant\n%s", dump(got), dump(w))
	}
}

// wantDrop sends a client's message and expects silence, for that reason and counted.
func (l *lab) wantDrop(in string, want server.Drop) {
	l.Helper()
	l.wantDropOf(multicast(dhcpv6test.Hex(l, in)), want)
}

func (l *lab) wantDropOf(in server.Datagram, want server.Drop) {
	l.Helper()
	before := l.Counters().Dropped[want]
	out, err := l.handle(in)
	if err == nil {
		l.Errorf("answer to what must be dropped (%v):\n%s", want, dump(out.Payload))
		return
	}
	if err != want {
		l.Errorf("dropped because: %v; want: %v", err, want)
	}
	if n := l.Counters().Dropped[want] - before; err == want && n != 1 {
		l.Errorf("%d drops counted for one (%v)", n, want)
	}
}

// wantEvents compares the events since the last call: "bound lan IA_NA 2001:db8:1::e71".
func (l *lab) wantEvents(want ...string) {
	l.Helper()
	var got []string
	for _, e := range l.Events() {
		s := fmt.Sprintf("%v %s %v", e.Kind, e.Link, e.Key.Kind)
		for _, k := range e.Leases {
			s += " " + strings.TrimSuffix(k.Prefix.String(), "/128")
			if k.Withdrawn {
				s += " withdrawn"
			}
		}
		got = append(got, s)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		l.Errorf("events\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// duid is the DUID-LL of the client with that number; 1 is client A of the tables, no one is the server.
func duid(n int) dhcpv6.DUID {
	mac := mac(n)
	return dhcpv6.NewDUIDLL(1, mac[:])
}

func mac(n int) [6]byte {
	if n != 1 {
		n |= 1 << 24
	}
	return [6]byte{2, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

// option is an option with its header.
func option(code dhcpv6.OptionCode, data ...[]byte) []byte {
	d := bytes.Join(data, nil)
	b := binary.BigEndian.AppendUint16(nil, uint16(code))
	return append(binary.BigEndian.AppendUint16(b, uint16(len(d))), d...)
}

// ia is an IA_NA or IA_PD that names addresses or prefixes: "2001:db8::1", "2001:db8::/62".
func ia(code dhcpv6.OptionCode, iaid uint32, named ...string) []byte {
	data := binary.BigEndian.AppendUint32(nil, iaid)
	data = append(data, make([]byte, 8)...)
	for _, s := range named {
		if code == dhcpv6.OptionIANA {
			a := netip.MustParseAddr(s).As16()
			data = append(data, option(dhcpv6.OptionIAAddr, a[:], make([]byte, 8))...)
		} else {
			p := netip.MustParsePrefix(s)
			a := p.Addr().As16()
			data = append(data, option(dhcpv6.OptionIAPrefix, make([]byte, 8), []byte{byte(p.Bits())}, a[:])...)
		}
	}
	return option(code, data)
}

func na(iaid uint32, named ...string) []byte { return ia(dhcpv6.OptionIANA, iaid, named...) }
func pd(iaid uint32, named ...string) []byte { return ia(dhcpv6.OptionIAPD, iaid, named...) }

// message is a client's message with the identifiers that its type needs.
func message(t dhcpv6.MessageType, client dhcpv6.DUID, options ...[]byte) []byte {
	b := append([]byte{byte(t), 0xa1, 0xb2, 0xc3}, option(dhcpv6.OptionClientID, client)...)
	switch t {
	case dhcpv6.Request, dhcpv6.Renew, dhcpv6.Release, dhcpv6.Decline:
		b = append(b, option(dhcpv6.OptionServerID, ourID)...)
	}
	return append(b, bytes.Join(options, nil)...)
}

// answer is what a client reads in an answer.
type answer struct {
	dhcpv6.Message
	status string // of the message; empty: none
	ias    []answerIA
}

type answerIA struct {
	kind         lease.Kind
	iaid, t1, t2 uint32
	leases       []answerLease
	status       string
}

type answerLease struct {
	prefix           netip.Prefix // an address is a prefix of 128 bits
	preferred, valid uint32
}

// grants are the leases with a valid lifetime, as text, without "/128".
func (a answerIA) grants() (s []string) {
	for _, l := range a.leases {
		if l.valid > 0 {
			s = append(s, strings.TrimSuffix(l.prefix.String(), "/128"))
		}
	}
	return s
}

// withdrawn are the leases with lifetimes of zero.
func (a answerIA) withdrawn() (s []string) {
	for _, l := range a.leases {
		if l.valid == 0 && l.preferred == 0 {
			s = append(s, strings.TrimSuffix(l.prefix.String(), "/128"))
		}
	}
	return s
}

// request sends a message made by message and reads the answer.
func (l *lab) request(t dhcpv6.MessageType, client dhcpv6.DUID, options ...[]byte) answer {
	l.Helper()
	return read(l, l.ask(message(t, client, options...)))
}

// read reads a client's answer; every length must be exact.
func read(t testing.TB, b []byte) (a answer) {
	t.Helper()
	var err error
	if a.Message, err = dhcpv6.ParseMessage(b); err != nil || len(a.Options) != len(b)-4 {
		t.Fatalf("answer is malformed (%v):\n%x", err, b)
	}
	for code, data := range a.Options.All() {
		switch code {
		case dhcpv6.OptionStatusCode:
			a.status = readStatus(t, data)
		case dhcpv6.OptionIANA:
			a.ias = append(a.ias, readIA(t, lease.Address, data))
		case dhcpv6.OptionIAPD:
			a.ias = append(a.ias, readIA(t, lease.Prefix, data))
		}
	}
	return a
}

func readStatus(t testing.TB, data []byte) string {
	s, err := dhcpv6.ParseStatus(data)
	if err != nil {
		t.Fatal(err)
	}
	return s.Code.String()
}

func readIA(t testing.TB, kind lease.Kind, data []byte) answerIA {
	t.Helper()
	got, err := dhcpv6.ParseIA(data)
	if err != nil || len(got.Options) != len(data)-12 {
		t.Fatalf("IA is malformed (%v): %x", err, data)
	}
	a := answerIA{kind: kind, iaid: got.IAID, t1: got.T1, t2: got.T2}
	for code, data := range got.All() {
		switch {
		case code == dhcpv6.OptionStatusCode:
			a.status = readStatus(t, data)
		case code == dhcpv6.OptionIAAddr && kind == lease.Address:
			addr, err := dhcpv6.ParseIAAddr(data)
			if err != nil || len(data) != 24 {
				t.Fatalf("IA Address is malformed: %x", data)
			}
			a.leases = append(a.leases, answerLease{netip.PrefixFrom(addr.Addr, 128), addr.Preferred, addr.Valid})
		case code == dhcpv6.OptionIAPrefix && kind == lease.Prefix:
			p, err := dhcpv6.ParseIAPrefix(data)
			if err != nil || len(data) != 25 {
				t.Fatalf("IA Prefix is malformed: %x", data)
			}
			a.leases = append(a.leases, answerLease{p.Prefix, p.Preferred, p.Valid})
		default:
			t.Fatalf("%v in an %v of an answer", code, kind)
		}
	}
	return a
}

// dump shows a message an option a line, as the tables write them.
func dump(b []byte) string {
	var s strings.Builder
	switch {
	case len(b) >= 34 && dhcpv6.MessageType(b[0]).Relayed():
		fmt.Fprintf(&s, "\t%02x %02x %x %x # %v\n", b[0], b[1], b[2:18], b[18:34], dhcpv6.MessageType(b[0]))
		dumpOptions(&s, "\t", b[34:])
	case len(b) >= 4:
		fmt.Fprintf(&s, "\t%02x %x # %v\n", b[0], b[1:4], dhcpv6.MessageType(b[0]))
		dumpOptions(&s, "\t", b[4:])
	default:
		fmt.Fprintf(&s, "\t%x\n", b)
	}
	return s.String()
}

func dumpOptions(s *strings.Builder, indent string, b []byte) {
	for len(b) >= 4 {
		code, n := dhcpv6.OptionCode(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			break
		}
		data := b[4 : 4+n]
		fmt.Fprintf(s, "%s%04x %04x", indent, uint16(code), n)
		switch {
		case (code == dhcpv6.OptionIANA || code == dhcpv6.OptionIAPD) && n >= 12:
			fmt.Fprintf(s, " %x %x %x # %v\n", data[:4], data[4:8], data[8:12], code)
			dumpOptions(s, indent+"\t", data[12:])
		case code == dhcpv6.OptionRelayMsg:
			fmt.Fprintf(s, " # %v\n%s", code, dump(data))
		default:
			fmt.Fprintf(s, " %x # %v\n", data, code)
		}
		b = b[4+n:]
	}
	if len(b) > 0 {
		fmt.Fprintf(s, "%s%x # stray\n", indent, b)
	}
}
