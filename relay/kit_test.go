package relay_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/lease"
	"lan6d/relay"
)

// What most packets of the tables have in them.
const (
	solicit = `01 a1b2c3                                                  # Solicit
	0001 000a 0003 0001 020000000001                               # Client Identifier: DUID-LL
	0019 000c 00000001 00000000 00000000                           # IA_PD 1
`
	inLAN = `0012 0003 6c616e                                             # Interface-Id "lan"
`
	fromClient = `fe800000000000000000000000001001                       # peer-address fe80::1001
`
	onLAN = `20010db8000100000000000000000001                             # link-address 2001:db8:1::1
`
	nowhere = `00000000000000000000000000000000                           # link-address ::
`
)

var epoch = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// The interfaces of the tests.
const (
	lan, guest, wan, wan2, idle = 2, 3, 4, 5, 6
)

// setup is what a test's relay agent begins with.
type setup struct {
	relay.Config
	Links []relay.Link
	Paths []relay.Path
}

func (s *setup) lan() *relay.Interface { return &s.Interfaces[0] }

func (s *setup) link(ifindex int) *relay.Link {
	return &s.Links[slices.IndexFunc(s.Links, func(l relay.Link) bool { return l.Ifindex == ifindex })]
}

// addresses gives an interface others than it had, for ever.
func (s *setup) addresses(ifindex int, prefixes ...string) {
	s.link(ifindex).Addresses = nil
	for _, p := range prefixes {
		s.address(ifindex, p, 0, 0)
	}
}

// address gives an interface an address, with what remains of its lifetimes; 0: for ever.
func (s *setup) address(ifindex int, prefix string, preferred, valid time.Duration) {
	a := relay.LinkAddress{Prefix: netip.MustParsePrefix(prefix)}
	if valid != 0 {
		a.Preferred, a.Valid = epoch.Add(preferred), epoch.Add(valid)
	}
	l := s.link(ifindex)
	l.Addresses = append(slices.Clip(l.Addresses), a)
}

// oneServer has only this server, which an interface leads to.
func oneServer(a string, ifindex int) func(*setup) {
	return func(s *setup) {
		s.Servers = []relay.Server{{Addr: netip.MustParseAddr(a)}}
		s.Paths = []relay.Path{{Server: netip.MustParseAddr(a), Ifindex: ifindex}}
	}
}

// lab is a relay agent under test, its clock and its buffer.
type lab struct {
	testing.TB
	*relay.Relay
	setup setup
	now   time.Time
	buf   []byte
}

// start makes a relay agent with the client-side interfaces "lan", 2001:db8:1::1/64, and "guest", 2001:db8:2::1/64, the
// upstream interface "wan", 2001:db8:ffff::2/64, an interface without a part, and the changes.
func start(t testing.TB, changes ...func(*setup)) *lab {
	t.Helper()
	s := setup{Config: relay.Config{
		Interfaces: []relay.Interface{{Name: "lan"}, {Name: "guest"}}, Upstreams: []string{"wan"}, Routes: true,
	}}
	for _, l := range []struct {
		ifindex            int
		name, local, other string
	}{
		{lan, "lan", "fe80::1", "2001:db8:1::1/64"}, {guest, "guest", "fe80::1", "2001:db8:2::1/64"},
		{wan, "wan", "fe80::4", "2001:db8:ffff::2/64"}, {idle, "", "fe80::6", "2001:db8:6::1/64"},
	} {
		s.Links = append(s.Links, relay.Link{Name: l.name, Ifindex: l.ifindex, LinkLocal: netip.MustParseAddr(l.local)})
		s.address(l.ifindex, l.other, 0, 0)
	}
	for _, change := range changes {
		change(&s)
	}
	l := &lab{TB: t, setup: s, now: epoch, buf: make([]byte, dhcpv6.MaxPayload)}
	l.Relay = relay.New(epoch, s.Config)
	l.SetLinks(epoch, s.Links)
	l.SetPaths(epoch, s.Paths)
	return l
}

// secondWAN adds the upstream interface "wan2" with only a link-local address.
func secondWAN(s *setup) {
	s.Upstreams = append(s.Upstreams, "wan2")
	s.Links = append(s.Links, relay.Link{Name: "wan2", Ifindex: wan2, LinkLocal: netip.MustParseAddr("fe80::5")})
}

// change changes configuration and links.
func (l *lab) change(change func(*setup)) {
	l.setup.Links = slices.Clone(l.setup.Links)
	l.setup.Interfaces = slices.Clone(l.setup.Interfaces)
	change(&l.setup)
	l.SetConfig(l.now, l.setup.Config)
	l.SetLinks(l.now, l.setup.Links)
	l.SetPaths(l.now, l.setup.Paths)
	l.check()
}

// wait lets time pass and the relay agent notice.
func (l *lab) wait(d time.Duration) {
	l.Helper()
	l.now = l.now.Add(d)
	l.Tick(l.now)
	l.check()
}

func (l *lab) check() {
	l.Helper()
	if err := l.Check(); err != nil {
		l.Error(err)
	}
}

// from is a datagram as clients and relay agents on "lan" send them.
func from(source netip.Addr, payload []byte) relay.Datagram {
	return relay.Datagram{
		Payload: payload, Ifindex: lan, Peer: netip.AddrPortFrom(source, dhcpv6.ClientPort), Local: dhcpv6.AllRelayAgentsAndServers,
	}
}

// upstream is a datagram from a server.
func upstream(payload []byte) relay.Datagram {
	return relay.Datagram{
		Payload: payload, Ifindex: wan, Peer: netip.MustParseAddrPort("[2001:db8:ffff::547]:547"),
		Local: netip.MustParseAddr("2001:db8:ffff::2"),
	}
}

// wantForward passes a message and compares the Relay-forward and where it goes: "4 [ff05::1:3]:547 from 2001:db8:ffff::2".
func (l *lab) wantForward(in relay.Datagram, want string, to ...string) {
	l.Helper()
	out, destinations, err := l.forward(in)
	if err != nil {
		l.Errorf("dropped: %v", err)
		return
	}
	l.compare(out, want)
	if to == nil {
		return
	}
	var got []string
	for _, d := range destinations {
		got = append(got, fmt.Sprintf("%d %v from %v", d.Ifindex, d.Peer, d.Local))
	}
	if !slices.Equal(got, to) {
		l.Errorf("to\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(to, "\n\t"))
	}
}

func (l *lab) compare(got []byte, want string) {
	l.Helper()
	if w := dhcpv6test.Hex(l, want); !bytes.Equal(got, w) {
		l.Errorf("got\n%swant\n%s", dhcpv6test.Dump(got), dhcpv6test.Dump(w))
	}
}

// wantEvents compares the events since the last call: "learned lan 1 2001:db8:10::/60 via fe80::1001".
func (l *lab) wantEvents(want ...string) {
	l.Helper()
	var got []string
	for _, e := range l.Events() {
		s := fmt.Sprintf("%v %s", e.Kind, e.Link)
		for n := range 20 {
			if string(duid(n)) == e.Key.DUID {
				s += fmt.Sprint(" ", n)
			}
		}
		for _, k := range e.Leases {
			s += " " + k.Prefix.String()
		}
		if e.Kind != relay.Full {
			s += " via " + e.Via.String()
		}
		if e.Rival.IsValid() {
			s += " rival " + e.Rival.String()
		}
		got = append(got, s)
	}
	if !slices.Equal(got, want) {
		l.Errorf("events\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// wantRoutes compares all routes: "2001:db8:10::/60 via fe80::1001 dev 2".
func (l *lab) wantRoutes(want ...string) {
	l.Helper()
	got := []string{}
	for _, k := range l.routes() {
		got = append(got, fmt.Sprintf("%v via %v dev %d", k.Prefix, k.Via, k.Ifindex))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		l.Errorf("routes\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func (l *lab) routes() (all []relay.Route) {
	for _, link := range l.Table().Links() {
		for b := range link.Prefixes() {
			all = l.AppendRoutes(all, l.Table().At(l.now), b)
		}
	}
	return all
}

// tell has a server send a message to a client at an address on "lan", in the client's name, and expects it to pass.
func (l *lab) tell(via netip.Addr, content []byte) {
	l.Helper()
	l.tellOn("lan", via, content)
}

func (l *lab) tellOn(link string, via netip.Addr, content []byte) {
	l.Helper()
	id := option(dhcpv6.OptionInterfaceID, []byte(link))
	if _, err := l.giveBack(upstream(wrap(dhcpv6.RelayReply, 0, "::", via.String(), content, id))); err != nil {
		l.Errorf("dropped: %v", err)
	}
}

// grant has server 1 give client n, at host n, prefixes for 1000 and 2000 seconds.
func (l *lab) grant(n int, prefixes ...string) {
	l.Helper()
	l.tell(host(n), reply(dhcpv6.Reply, duid(n), 1, pd(1, lifetimes(1000, 2000, prefixes...)...)))
}

func lifetimes(preferred, valid uint32, prefixes ...string) (list []promise) {
	for _, p := range prefixes {
		list = append(list, promise{p, preferred, valid})
	}
	return list
}

// giveUp has client n release prefixes, from the address given.
func (l *lab) giveUp(n int, source netip.Addr, prefixes ...string) {
	l.Helper()
	ids := [][]byte{option(dhcpv6.OptionClientID, duid(n)), option(dhcpv6.OptionServerID, serverID(1)), pd(1, lifetimes(0, 0, prefixes...)...)}
	if _, _, err := l.forward(from(source, message(dhcpv6.Release, ids...))); err != nil {
		l.Errorf("dropped: %v", err)
	}
}

// holder is the binding of client n on "lan", or nil.
func (l *lab) holder(n int) *lease.Binding {
	return l.Table().Link("lan").Lookup(duid(n), 1, lease.Prefix)
}

// where is where a datagram goes: "2 [fe80::1001]:546 from fe80::1".
func where(out relay.Datagram) string {
	return fmt.Sprintf("%d %v from %v", out.Ifindex, out.Peer, out.Local)
}
