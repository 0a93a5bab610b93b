package relay_test

import (
	"bytes"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/relay"
)

// forward passes a datagram and checks what must hold of every Relay-forward.
func (l *lab) forward(in relay.Datagram) ([]byte, []relay.Destination, error) {
	l.Helper()
	before := bytes.Clone(in.Payload)
	out, to, err := l.Forward(l.now, in, l.buf)
	if err == nil {
		checkForward(l, in, out)
		if len(to) == 0 || len(out) > 0 && &out[0] != &l.buf[0] {
			l.Error("to nobody, or not in the buffer")
		}
		for _, d := range to {
			if !l.IsUpstream(d.Ifindex) {
				l.Errorf("Relay-forward leaves by interface %d", d.Ifindex)
			}
		}
	}
	l.checkCall(in.Payload, before, err)
	return out, to, err
}

// giveBack passes a datagram and checks what must hold of everything that goes back to the client side.
func (l *lab) giveBack(in relay.Datagram) (relay.Datagram, error) {
	l.Helper()
	before := bytes.Clone(in.Payload)
	out, err := l.Return(l.now, in, l.buf)
	if err == nil {
		checkReturn(l, in.Payload, out.Payload)
		if l.IsUpstream(out.Ifindex) || out.Ifindex != lan && out.Ifindex != guest && out.Ifindex < 100 {
			l.Errorf("reply leaves by interface %d", out.Ifindex)
		}
		if len(out.Payload) > 0 && &out.Payload[0] != &l.buf[0] {
			l.Error("not in the buffer")
		}
	}
	l.checkCall(in.Payload, before, err)
	return out, err
}

func (l *lab) checkCall(in, before []byte, err error) {
	l.Helper()
	if _, ok := err.(relay.Drop); err != nil && !ok {
		l.Errorf("error is no Drop: %v", err)
	}
	if !bytes.Equal(in, before) {
		l.Error("the datagram was written to")
	}
	l.check()
}

// checkForward verifies that a Relay-forward is well-formed, counts hops and holds what came, as it came.
func checkForward(t testing.TB, in relay.Datagram, out []byte) {
	t.Helper()
	m, err := dhcpv6.ParseRelayMessage(out)
	if err != nil || m.Type != dhcpv6.RelayForward || len(m.Options) != len(out)-34 || len(out) > dhcpv6.MaxPayload {
		t.Fatalf("%v, %v of %d octets:\n%s", err, m.Type, len(out), dhcpv6test.Dump(out))
	}
	inner, _ := m.Options.Get(dhcpv6.OptionRelayMsg)
	if m.Options.Count(dhcpv6.OptionRelayMsg) != 1 || !bytes.Equal(inner, in.Payload) {
		t.Errorf("Relay-forward\n%sof\n%s", dhcpv6test.Dump(out), dhcpv6test.Dump(in.Payload))
	}
	hops := 0
	if in.Payload[0] == byte(dhcpv6.RelayForward) {
		hops = int(in.Payload[1]) + 1
	}
	if int(m.HopCount) != hops || hops > dhcpv6.HopCountLimit {
		t.Errorf("hop-count %d, want %d", m.HopCount, hops)
	}
	if m.PeerAddress != in.Peer.Addr() || m.Options.Count(dhcpv6.OptionInterfaceID) != 1 {
		t.Errorf("peer-address %v of a message from %v, or no Interface-Id", m.PeerAddress, in.Peer)
	}
	if m.LinkAddress.IsLinkLocalUnicast() || m.LinkAddress.IsMulticast() {
		t.Errorf("link-address %v", m.LinkAddress)
	}
}

// checkReturn verifies that what goes on is what the Relay-reply holds, but for the DNS servers.
func checkReturn(t testing.TB, in, out []byte) {
	t.Helper()
	m, err := dhcpv6.ParseRelayMessage(in)
	if err != nil || m.Type != dhcpv6.RelayReply || m.Options.Count(dhcpv6.OptionRelayMsg) != 1 {
		t.Fatalf("relayed, and no Relay-reply (%v):\n%s", err, dhcpv6test.Dump(in))
	}
	inner, _ := m.Options.Get(dhcpv6.OptionRelayMsg)
	if len(inner) != len(out) || !bytes.Equal(withoutDNS(inner), withoutDNS(out)) {
		t.Errorf("returned\n%sof\n%s", dhcpv6test.Dump(out), dhcpv6test.Dump(inner))
	}
	content := innermost(out)
	if kind := dhcpv6.MessageType(content[0]); strings.HasPrefix(kind.String(), "message type") {
		return
	}
	if _, err := dhcpv6.ParseMessage(content); err != nil {
		t.Errorf("%v in\n%s", err, dhcpv6test.Dump(out))
	}
}

// innermost is the message within relay agents' headers.
func innermost(b []byte) []byte {
	for len(b) > 34 && dhcpv6.MessageType(b[0]).Relayed() {
		m, err := dhcpv6.ParseRelayMessage(b)
		if err != nil {
			break
		}
		b, _ = m.Options.Get(dhcpv6.OptionRelayMsg)
	}
	return b
}

// withoutDNS is a copy of a message with zeros for DNS servers.
func withoutDNS(b []byte) []byte {
	b = bytes.Clone(b)
	m, err := dhcpv6.ParseMessage(innermost(b))
	if err == nil {
		for code, data := range m.Options.All() {
			if code == dhcpv6.OptionDNSServers {
				clear(data)
			}
		}
	}
	return b
}

// wantDrop expects that Forward, or Return for a datagram from upstream, drops a datagram, for that reason and counted.
func (l *lab) wantDrop(in relay.Datagram, want relay.Drop) {
	l.Helper()
	before := l.Counters().Dropped[want]
	err := l.pass(in)
	if err != want {
		l.Errorf("dropped: %v; want: %v; of\n%s", err, want, dhcpv6test.Dump(in.Payload))
	} else if n := l.Counters().Dropped[want] - before; n != 1 {
		l.Errorf("%d drops counted for one (%v)", n, want)
	}
}

// pass passes a datagram in the direction that its interface tells.
func (l *lab) pass(in relay.Datagram) error {
	l.Helper()
	if l.IsUpstream(in.Ifindex) {
		_, err := l.giveBack(in)
		return err
	}
	_, _, err := l.forward(in)
	return err
}
