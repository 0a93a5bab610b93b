package netif

import (
	"errors"
	"os"
	"time"
)

// Pauses of Feed after an error.
const (
	minPause = 10 * time.Millisecond
	maxPause = time.Second
)

// Feed receives and hands batches over on out until Close; it is to run in a
// goroutine of its own, once. Two batches circulate: one is filled while the
// receiver works on the other and then releases it. An error of the kernel is
// reported once while it lasts, and receiving is tried again.
func (s *Socket) Feed(out chan<- *Batch, report func(error)) error {
	if err := s.makeBatches(2); err != nil {
		return err
	}
	var last string
	wait := minPause
	for {
		b := s.get()
		if b == nil {
			return os.ErrClosed
		}
		err := s.Receive(b)
		if err != nil {
			b.Release()
			if errors.Is(err, os.ErrClosed) {
				return os.ErrClosed
			}
			if err.Error() != last {
				last = err.Error()
				report(err)
			}
			s.sleep(wait)
			wait = min(2*wait, maxPause)
			continue
		}
		last, wait = "", minPause
		select {
		case out <- b:
		case <-s.done:
			b.Release()
			return os.ErrClosed
		}
	}
}

func (s *Socket) makeBatches(n int) error {
	for range n {
		b, err := NewBatch()
		if err != nil {
			return err
		}
		b.sock = s
		s.take(b)
	}
	return nil
}

// sleep pauses, or returns early when the socket is closed.
func (s *Socket) sleep(d time.Duration) { pause(d, s.done) }

// pause waits, or returns false when done is closed before. A time.Timer would
// bring its channel of times, and with it how they are printed, into the
// binary.
func pause(d time.Duration, done <-chan struct{}) bool {
	over := make(chan struct{})
	t := time.AfterFunc(d, func() { close(over) })
	defer t.Stop()
	select {
	case <-over:
		return true
	case <-done:
		return false
	}
}

// take puts a batch among the free ones. A closed socket has no use for it.
func (s *Socket) take(b *Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		b.Free()
		return
	}
	s.free = append(s.free, b)
	select {
	case s.freed <- struct{}{}:
	default:
	}
}

// get waits for a free batch. It returns nil once the socket is closed.
func (s *Socket) get() *Batch {
	for {
		s.mu.Lock()
		if n := len(s.free); n > 0 {
			b := s.free[n-1]
			s.free = s.free[:n-1]
			s.mu.Unlock()
			return b
		}
		s.mu.Unlock()
		select {
		case <-s.freed:
		case <-s.done:
			return nil
		}
	}
}
