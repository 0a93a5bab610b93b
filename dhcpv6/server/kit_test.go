package server_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
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
	l.changeSetup(change)
	l.SetLinks(l.now, l.setup.Links)
}

// changeSetup changes the links without the server's knowing.
func (l *lab) changeSetup(change func(*setup)) {
	links := make([]server.Link, len(l.setup.Links))
	for i, k := range l.setup.Links {
		links[i] = k
		links[i].Addresses = append([]server.LinkAddress(nil), k.Addresses...)
	}
	l.setup.Links = links
	change(&l.setup)
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
	if err := l.CheckClients(); err != nil {
		l.Error(err)
	}
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

func na(iaid uint32, named ...string) []byte { return ia(dhcpv6.OptionIANA, iaid, named...) }
func pd(iaid uint32, named ...string) []byte { return ia(dhcpv6.OptionIAPD, iaid, named...) }

// request sends a message made by message and reads the answer.
func (l *lab) request(t dhcpv6.MessageType, client dhcpv6.DUID, options ...[]byte) answer {
	l.Helper()
	return read(l, l.ask(message(t, client, options...)))
}

// requestOn is request on another interface than the first.
func (l *lab) requestOn(ifindex int, t dhcpv6.MessageType, client dhcpv6.DUID, options ...[]byte) answer {
	l.Helper()
	in := multicast(message(t, client, options...))
	in.Ifindex = ifindex
	out, err := l.handle(in)
	if err != nil {
		l.Fatal(err)
	}
	return read(l, out.Payload)
}
