package netif

import (
	"errors"
	"os"
	"testing"
	"time"
)

// TestFeed checks that two batches circulate, and no more.
func TestFeed(t *testing.T) {
	checkGoroutines(t)
	a, b := loopback(t)
	o := newOutbox(t)
	batches := make(chan *Batch)
	ended := make(chan error, 1)
	go func() {
		ended <- b.Feed(batches, func(err error) { t.Error(err) })
	}()
	send := func(s string) {
		o.Add(a, copy(o.Buffer(), s), toB, here, 0)
		if failed := o.Flush(); len(failed) != 0 {
			t.Fatal(failed)
		}
	}
	expect := func(want string) *Batch {
		t.Helper()
		select {
		case batch := <-batches:
			if got := string(batch.At(0).Payload); batch.Len() != 1 || got != want || batch.Socket() != b {
				t.Fatalf("%d datagrams, first %q, of %v; want %q", batch.Len(), got, batch.Socket(), want)
			}
			return batch
		case <-time.After(5 * time.Second):
			t.Fatalf("no %q", want)
			return nil
		}
	}
	send("1")
	first := expect("1")
	send("2")
	second := expect("2")
	send("3")
	select {
	case <-batches:
		t.Fatal("a third batch")
	case <-time.After(20 * time.Millisecond):
	}
	first.Release()
	first = expect("3")
	second.Release()
	send("4") // taken out of the socket, but not out of the channel
	time.Sleep(10 * time.Millisecond)

	b.Close()
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Feed ended by %v", err)
	}
	if got := string(first.At(0).Payload); got != "3" {
		t.Errorf("batch held over Close has %q", got)
	}
	first.Release()
	if first.mem.mem != nil || second.mem.mem != nil {
		t.Error("memory not given back")
	}
}

// TestFeedError closes the socket under the feeder's feet in a way that gives
// errors, which must neither end it nor make it spin.
func TestFeedError(t *testing.T) {
	checkGoroutines(t)
	s := listen(t, "lo")
	if err := s.conn.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	var reports int
	ended := make(chan error, 1)
	go func() {
		ended <- s.Feed(make(chan *Batch), func(error) { reports++ })
	}()
	time.Sleep(50 * time.Millisecond)
	s.Close()
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Feed ended by %v", err)
	}
	if reports != 1 {
		t.Errorf("%d reports of one error", reports)
	}
}
