package netif

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lan6d/netif/netnstest"
)

// TestLayout checks what the kernel expects of structures, on every machine.
func TestLayout(t *testing.T) {
	word := int(unsafe.Sizeof(uintptr(0)))
	if got, want := sizeofPktinfo, unix.CmsgSpace(unix.SizeofInet6Pktinfo); got != want {
		t.Errorf("control message takes %d octets, not %d", got, want)
	}
	if got, want := pktinfoLen, unix.CmsgLen(unix.SizeofInet6Pktinfo); got != want {
		t.Errorf("control message has length %d, not %d", got, want)
	}
	if got, want := int(unsafe.Offsetof(pktinfo{}.Inet6Pktinfo)), unix.CmsgLen(0); got != want {
		t.Errorf("control message's data at %d, not %d", got, want)
	}
	if got, want := int(unsafe.Sizeof(unix.Mmsghdr{})), 8*word; got != want {
		t.Errorf("mmsghdr takes %d octets, not %d", got, want)
	}
	if got, want := int(unsafe.Offsetof(unix.Mmsghdr{}.Len)), 7*word; got != want {
		t.Errorf("msg_len at %d, not %d", got, want)
	}
	if got := ntohs(htons(0x0223)); got != 0x0223 {
		t.Errorf("port %#x", got)
	}
}

// loopback returns two sockets on lo, a on port 547 and b on port 1547.
func loopback(t testing.TB) (a, b *Socket) {
	return listen(t, "lo"), listenPort(t, "lo", 1547)
}

var (
	here = netip.IPv6Loopback()
	toA  = netip.AddrPortFrom(here, Port)
	toB  = netip.AddrPortFrom(here, 1547)
)

// TestLoopback needs neither veth nor multicast, so that it runs in emulators.
func TestLoopback(t *testing.T) {
	a, b := loopback(t)
	batch, o := newBatch(t), newOutbox(t)
	for _, size := range []int{0, 1, 100, 1500, 65527} {
		payload := bytes.Repeat([]byte{0xa6}, size)
		o.Add(a, copy(o.Buffer(), payload), toB, here, 0)
		o.Add(a, copy(o.Buffer(), payload), toB, netip.Addr{}, 1)
		if failed := o.Flush(); len(failed) != 0 {
			t.Fatal(failed)
		}
		for n := 0; n < 2; n += batch.Len() {
			batch.Release()
			receive(t, b, batch)
			for i := range batch.Len() {
				d := batch.At(i)
				if !bytes.Equal(d.Payload, payload) || d.From != toA || d.To != here || d.Ifindex != 1 || d.Truncated {
					t.Errorf("%d octets: got %d from %v to %v on %d, truncated %t",
						size, len(d.Payload), d.From, d.To, d.Ifindex, d.Truncated)
				}
			}
		}
		batch.Release()
	}
	if c := a.Counters(); c.Sent != 10 || len(c.SendErrors) != 0 {
		t.Errorf("sender: %+v", c)
	}
	if c := b.Counters(); c.Received != 10 || c.Truncated != 0 || c.Dropped != 0 {
		t.Errorf("receiver: %+v", c)
	}
}

func TestWholeBatch(t *testing.T) {
	a, b := loopback(t)
	batch, o := newBatch(t), newOutbox(t)
	for i := range BatchSize {
		if o.Full() {
			t.Fatalf("full with %d", i)
		}
		o.Add(a, copy(o.Buffer(), fmt.Sprint(i)), toB, here, 0)
	}
	if !o.Full() || o.Buffer() != nil || o.Len() != BatchSize {
		t.Error("not full")
	}
	if failed := o.Flush(); len(failed) != 0 {
		t.Fatal(failed)
	}
	receive(t, b, batch)
	if batch.Len() != BatchSize {
		t.Fatalf("%d datagrams", batch.Len())
	}
	for i := range BatchSize {
		if got := string(batch.At(i).Payload); got != fmt.Sprint(i) {
			t.Errorf("datagram %d holds %q", i, got)
		}
	}
	batch.Release()
	o.Add(a, copy(o.Buffer(), "after"), toB, here, 0)
	o.Flush()
	receive(t, b, batch)
	if d := batch.At(0); batch.Len() != 1 || string(d.Payload) != "after" || d.To != here {
		t.Errorf("after a full batch: %d datagrams, the first %+v", batch.Len(), d)
	}
}

// TestLarge sends the largest datagrams there are over a link, in fragments.
func TestLarge(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	s := listen(t, "lan0", AllRelayAgentsAndServers)
	c := newClient(t, lan.Peer, "eth0")
	b, o := newBatch(t), newOutbox(t)
	payload := make([]byte, MaxPayload)
	for i := range payload {
		payload[i] = byte(i * 7)
	}
	for _, to := range []netip.Addr{AllRelayAgentsAndServers, lan.Here.LinkLocal(t, "lan0")} {
		c.send(to, payload)
		receive(t, s, b)
		d := b.At(0)
		if !bytes.Equal(d.Payload, payload) || d.Truncated {
			t.Errorf("received %d octets, truncated %t", len(d.Payload), d.Truncated)
		}
		o.Add(s, copy(o.Buffer(), d.Payload), d.From, lan.Here.LinkLocal(t, "lan0"), d.Ifindex)
		b.Release()
		if failed := o.Flush(); len(failed) != 0 {
			t.Fatal(failed)
		}
		if got, _ := c.receive(); !bytes.Equal(got, payload) {
			t.Errorf("answer of %d octets differs", len(got))
		}
	}
	for _, r := range []*region{&b.mem, &o.mem} {
		if got := resident(t, r); got != 1 {
			t.Errorf("%d pages resident after one large datagram", got)
		}
	}
}

// TestTruncated gives a slot less room than it has: no datagram is larger
// than a slot, but for jumbograms.
func TestTruncated(t *testing.T) {
	a, b := loopback(t)
	batch, o := newBatch(t), newOutbox(t)
	batch.iovs[1].SetLen(3)
	for range 3 {
		o.Add(a, copy(o.Buffer(), "four"), toB, here, 0)
	}
	o.Flush()
	receive(t, b, batch)
	for i, want := range []string{"four", "fou", "four"} {
		if d := batch.At(i); string(d.Payload) != want || d.Truncated != (want == "fou") {
			t.Errorf("datagram %d: %+v", i, d)
		}
	}
	if c := b.Counters(); c.Truncated != 1 || c.Received != 3 {
		t.Errorf("counters %+v", c)
	}
}

// TestMemory checks that neither a burst nor large datagrams keep memory.
func TestMemory(t *testing.T) {
	a, b := loopback(t)
	batch, o := newBatch(t), newOutbox(t)
	exchange := func(count, size int) {
		t.Helper()
		for range count {
			o.Buffer()[size-1] = 1
			o.Add(a, size, toB, here, 0)
		}
		if failed := o.Flush(); len(failed) != 0 {
			t.Fatal(failed)
		}
		for n := 0; n < count; n += batch.Len() {
			batch.Release()
			receive(t, b, batch)
		}
		batch.Release()
	}
	check := func(when string, want int) {
		t.Helper()
		for _, r := range []*region{&batch.mem, &o.mem} {
			if got := resident(t, r); got > want {
				t.Errorf("%s: %d pages resident, more than %d", when, got, want)
			}
		}
	}
	check("at first", 0)
	exchange(1, 100)
	check("one small datagram", 1)
	exchange(1, MaxPayload)
	check("one large datagram", 1)
	exchange(BatchSize, 100)
	check("a burst", BatchSize)
	for range lull - 1 {
		exchange(1, 100)
	}
	if got := resident(t, &o.mem); got < BatchSize {
		t.Errorf("%d pages resident between large batches, less than %d", got, BatchSize)
	}
	exchange(1, 100)
	check("calm again", calm)
	o.Buffer()[MaxPayload-1] = 1 // written to, but never sent
	o.Flush()
	check("nothing sent", calm)
}

// resident counts the resident pages of a region.
func resident(t *testing.T, r *region) (n int) {
	t.Helper()
	vec := make([]byte, len(r.mem)/pageSize)
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&r.mem[0])), uintptr(len(r.mem)),
		uintptr(unsafe.Pointer(&vec[0]))); errno != 0 {
		t.Fatal(errno)
	}
	for _, v := range vec {
		n += int(v & 1)
	}
	return n
}

// roundTrip sends n datagrams from a to b, where each is answered.
func roundTrip(t testing.TB, a, b *Socket, batch *Batch, o *Outbox, n int) {
	for range n {
		o.Add(a, copy(o.Buffer(), "Solicit"), toB, here, 0)
	}
	if failed := o.Flush(); len(failed) != 0 {
		t.Fatal(failed)
	}
	for got := 0; got < n; {
		if err := b.Receive(batch); err != nil {
			t.Fatal(err)
		}
		for i := range batch.Len() {
			d := batch.At(i)
			o.Add(b, copy(o.Buffer(), d.Payload), d.From, d.To, d.Ifindex)
		}
		got += batch.Len()
		batch.Release()
		if failed := o.Flush(); len(failed) != 0 {
			t.Fatal(failed)
		}
	}
	for got := 0; got < n; {
		if err := a.Receive(batch); err != nil {
			t.Fatal(err)
		}
		got += batch.Len()
		batch.Release()
	}
}

func TestAllocs(t *testing.T) {
	a, b := loopback(t)
	batch, o := newBatch(t), newOutbox(t)
	for _, n := range []int{1, BatchSize} {
		if got := testing.AllocsPerRun(100, func() { roundTrip(t, a, b, batch, o, n) }); got != 0 {
			t.Errorf("%d datagrams there and back: %v allocations", n, got)
		}
	}
}

// BenchmarkRoundTrip reports the time for one datagram to be sent, received,
// answered and the answer received.
func BenchmarkRoundTrip(b *testing.B) {
	for _, n := range []int{1, 8, BatchSize} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			x, y := loopback(b)
			batch, o := newBatch(b), newOutbox(b)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += n {
				roundTrip(b, x, y, batch, o, n)
			}
		})
	}
}

func TestClose(t *testing.T) {
	checkGoroutines(t)
	s := listen(t, "lo")
	got := make(chan error, 1)
	b := newBatch(t)
	go func() { got <- s.Receive(b) }()
	time.Sleep(10 * time.Millisecond)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-got; !errors.Is(err, os.ErrClosed) {
		t.Errorf("waiting Receive: %v", err)
	}
	if err := s.Receive(b); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Receive: %v", err)
	}
	if err := s.Rejoin(); err != nil {
		t.Errorf("Rejoin without groups: %v", err)
	}
	s.Counters()
}
