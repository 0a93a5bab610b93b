package netif

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"lan6d/netif/netnstest"
)

// TestFailedDatagrams has datagrams that cannot be sent between good ones, in
// all places, and more than one socket.
func TestFailedDatagrams(t *testing.T) {
	a, b := loopback(t)
	closed := listenPort(t, "lo", 2547)
	closed.Close()
	batch, o := newBatch(t), newOutbox(t)
	nowhere := netip.MustParseAddrPort("[2001:db8::1]:546")
	type datagram struct {
		from    *Socket
		to      netip.AddrPort
		ifindex int
		want    unix.Errno
	}
	good := datagram{a, toB, 0, 0}
	noRoute := datagram{a, nowhere, 0, unix.ENETUNREACH}
	wrongIf := datagram{a, toB, 4711, unix.EINVAL}
	gone := datagram{closed, toB, 0, unix.EBADF}
	for _, tt := range [][]datagram{
		{noRoute},
		{noRoute, good},
		{good, noRoute, good},
		{good, wrongIf, wrongIf, good, noRoute},
		{gone, good, gone, good},
		{wrongIf, noRoute, gone},
	} {
		var sent int
		var want, got []string
		for i, d := range tt {
			o.Add(d.from, copy(o.Buffer(), fmt.Sprint(i)), d.to, here, d.ifindex)
			if d.want == 0 {
				sent++
			} else {
				want = append(want, fmt.Sprintf("send to %v on lo: %v", d.to, d.want))
			}
		}
		for _, err := range o.Flush() {
			got = append(got, err.Error())
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("errors %q, want %q", got, want)
		}
		for n := 0; n < sent; n += batch.Len() {
			batch.Release()
			receive(t, b, batch)
		}
		batch.Release()
	}
	c := a.Counters()
	if c.SendErrors[unix.ENETUNREACH] != 5 || c.SendErrors[unix.EINVAL] != 3 || len(c.SendErrors) != 2 || c.Sent != 7 {
		t.Errorf("counters %+v", c)
	}
	if n := closed.Counters().SendErrors[unix.EBADF]; n != 3 {
		t.Errorf("%d of the closed socket", n)
	}
	expectSilence(t, b, batch)
	if err := error(SendError{a, toB, unix.ENOBUFS}); !errors.Is(err, unix.ENOBUFS) {
		t.Error(err)
	}
}

// TestSourceGone answers from an address that was there when the request came.
func TestSourceGone(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	lan.Here.AddAddr(t, "lan0", "2001:db8::1/64")
	s := listen(t, "lan0")
	c := newClient(t, lan.Peer, "eth0")
	o := newOutbox(t)
	lan.Here.IP(t, "addr del 2001:db8::1/64 dev lan0")
	to := netip.AddrPortFrom(lan.Peer.LinkLocal(t, "eth0"), 546)
	ll := lan.Here.LinkLocal(t, "lan0")
	for i, from := range []netip.Addr{ll, netip.MustParseAddr("2001:db8::1"), ll} {
		o.Add(s, copy(o.Buffer(), fmt.Sprint(i)), to, from, 0)
	}
	if failed := o.Flush(); len(failed) != 0 {
		t.Fatal(failed)
	}
	for i := range 3 {
		payload, from := c.receive()
		if string(payload) != fmt.Sprint(i) || from.Addr() != ll {
			t.Errorf("%q from %v; want %d from %v", payload, from, i, ll)
		}
	}
	if c := s.Counters(); c.Sent != 3 || c.Resourced != 1 || len(c.SendErrors) != 0 {
		t.Errorf("counters %+v", c)
	}
}

// TestInterfaceDown sends while there is no way out.
func TestInterfaceDown(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	s := listen(t, "lan0")
	c := newClient(t, lan.Peer, "eth0")
	o := newOutbox(t)
	to := netip.AddrPortFrom(lan.Peer.LinkLocal(t, "eth0"), 546)
	send := func(from netip.Addr) []SendError {
		o.Add(s, copy(o.Buffer(), "x"), to, from, 0)
		return o.Flush()
	}
	ll := lan.Here.LinkLocal(t, "lan0")
	lan.Here.IP(t, "link set lan0 down")
	if failed := send(ll); len(failed) != 1 {
		t.Errorf("errors %v", failed)
	}
	lan.Here.IP(t, "link set lan0 up")
	if failed := send(lan.Here.LinkLocal(t, "lan0")); len(failed) != 0 {
		t.Error(failed)
	}
	lan.Peer.LinkLocal(t, "eth0")
	c.receive()
}

// TestFullSendBuffer has room for hardly anything: Flush must come back soon,
// with what it could not send.
func TestFullSendBuffer(t *testing.T) {
	netnstest.Veth(t, "lan0")
	s := listen(t, "lan0")
	if err := s.conn.SetsockoptInt(unix.SOL_SOCKET, unix.SO_SNDBUF, 1); err != nil { // the least there is
		t.Fatal(err)
	}
	o := newOutbox(t)
	// No neighbour answers: datagrams wait for address resolution and hold
	// their share of the buffer.
	for i := range BatchSize {
		o.Add(s, copy(o.Buffer(), make([]byte, 1400)), netip.AddrPortFrom(netip.MustParseAddr(fmt.Sprintf("fe80::%x", i+1)), 546),
			netip.Addr{}, 0)
	}
	failed := o.Flush()
	if len(failed) == 0 || len(failed) == BatchSize {
		t.Errorf("%d of %d failed", len(failed), BatchSize)
	}
	for _, err := range failed {
		if err.Errno != unix.EAGAIN {
			t.Error(err)
		}
	}
}

func TestAddPanics(t *testing.T) {
	s := listen(t, "lo")
	o := newOutbox(t)
	for name, f := range map[string]func(){
		"too long": func() { o.Add(s, MaxPayload+1, toB, here, 0) },
		"negative": func() { o.Add(s, -1, toB, here, 0) },
		"full": func() {
			for {
				o.Add(s, 1, toB, here, 0)
			}
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
