package netif

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
)

// WatchConfig is what a Watcher can be told; the zero value will do.
type WatchConfig struct {
	// Now stamps lifetimes as they are read; nil: time.Now.
	Now func() time.Time

	// Report is told of errors, from the watcher's goroutine once Watch has
	// returned. The watcher recovers by itself; nil: nobody is told.
	Report func(error)

	// A snapshot is delivered when Quiet has passed since the last change,
	// and at the latest MaxDelay after the first. 0: 50 ms and 500 ms.
	Quiet, MaxDelay time.Duration

	ReadBuffer int // octets the kernel may queue; 0: the system's default
	NetNS      int // file descriptor of a network namespace; 0: the current one
}

// Pauses before the watcher starts anew: after an overrun, as the burst that
// caused it may still go on, and after other errors.
const (
	overrunPause = 50 * time.Millisecond
	errorPause   = time.Second
)

// A Watcher follows links and IPv6 addresses. It needs no privilege.
type Watcher struct {
	cfg      WatchConfig
	c        chan *Snapshot
	state    *state
	last     *Snapshot // delivered last
	overruns atomic.Uint64
	restarts atomic.Uint64

	done    chan struct{} // closed by Close
	stopped chan struct{} // closed by run

	mu     sync.Mutex // guards what follows
	closed bool
	conn   *routeConn
}

// Watch starts a watcher. The first snapshot is ready when it returns.
func Watch(cfg WatchConfig) (*Watcher, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Report == nil {
		cfg.Report = func(error) {}
	}
	if cfg.Quiet == 0 {
		cfg.Quiet = 50 * time.Millisecond
	}
	if cfg.MaxDelay == 0 {
		cfg.MaxDelay = 500 * time.Millisecond
	}
	w := &Watcher{
		cfg:     cfg,
		c:       make(chan *Snapshot, 1),
		state:   newState(cfg.Now, cfg.Report),
		done:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	if err := w.open(); err != nil {
		return nil, err
	}
	w.publish()
	go w.run()
	return w, nil
}

// Snapshots returns the channel of snapshots. Each is complete. Who does not
// read in time gets only the newest. The channel is never closed.
func (w *Watcher) Snapshots() <-chan *Snapshot { return w.c }

// Overruns returns how often the kernel had more to tell than it could queue.
// The watcher then reads everything anew.
func (w *Watcher) Overruns() uint64 { return w.overruns.Load() }

// Restarts returns how often the watcher read everything anew, be it because
// of an overrun or another error.
func (w *Watcher) Restarts() uint64 { return w.restarts.Load() }

// Close ends the watcher.
func (w *Watcher) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	close(w.done)
	err := w.conn.Close()
	w.mu.Unlock()
	<-w.stopped
	return err
}

// open subscribes and then reads everything: a change in between is told
// twice, never missed. What an earlier subscription has queued is gone with
// its socket, so that no stale notification is applied after the dump.
func (w *Watcher) open() error {
	conn, err := dialRoute(unix.RTMGRP_LINK|unix.RTMGRP_IPV6_IFADDR, w.cfg.NetNS)
	if err != nil {
		return tinyfmt.Errorf("subscribe to link changes: %w", err)
	}
	if w.cfg.ReadBuffer > 0 {
		if err := conn.SetReadBuffer(w.cfg.ReadBuffer); err != nil {
			_ = conn.Close()
			return tinyfmt.Errorf("set rtnetlink buffer of %d octets: %w", w.cfg.ReadBuffer, err)
		}
	}
	if err := w.state.dump(w.cfg.NetNS); err != nil {
		_ = conn.Close()
		return tinyfmt.Errorf("list links and addresses: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		_ = conn.Close()
		return os.ErrClosed
	}
	w.conn = conn
	return nil
}

// run follows notifications until Close.
func (w *Watcher) run() {
	defer close(w.stopped)
	for {
		err := w.follow(w.conn)
		_ = w.conn.Close()
		wait := errorPause
		switch {
		case w.closing():
			return
		case errors.Is(err, unix.ENOBUFS):
			w.overruns.Add(1)
			wait = overrunPause
		default:
			w.cfg.Report(tinyfmt.Errorf("watch links: %w", err))
		}
		if !w.restart(wait) {
			return
		}
	}
}

// closing reports whether Close has been called.
func (w *Watcher) closing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// restart starts anew after a pause, as often as it takes. It returns false
// when the watcher has been closed.
func (w *Watcher) restart(wait time.Duration) bool {
	w.restarts.Add(1)
	for {
		if !pause(wait, w.done) {
			return false
		}
		err := w.open()
		if err == nil {
			w.publish()
			return true
		}
		if w.closing() {
			return false
		}
		w.cfg.Report(err)
		wait = errorPause
	}
}

// follow applies notifications until there is an error, and publishes what
// they add up to.
func (w *Watcher) follow(conn *routeConn) error {
	var first time.Time // when the first change yet unpublished was seen; zero: there is none
	for {
		msgs, err := conn.receive()
		var deadline time.Time
		switch {
		case err == nil:
			for _, m := range msgs {
				w.state.apply(m)
			}
			now := time.Now() // the pace of delivery is that of real time
			if first.IsZero() {
				first = now
			}
			deadline = now.Add(w.cfg.Quiet)
			if latest := first.Add(w.cfg.MaxDelay); latest.Before(deadline) {
				deadline = latest
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.publish()
			first = time.Time{}
		default:
			return err
		}
		if err := conn.SetReadDeadline(deadline); err != nil {
			return err
		}
	}
}

// publish delivers a snapshot if it differs from the last, in place of one
// that has not been read yet.
func (w *Watcher) publish() {
	snap := w.state.snapshot()
	if w.last != nil && w.last.equal(snap) {
		return
	}
	w.last = snap
	select {
	case <-w.c:
	default:
	}
	w.c <- snap // never blocks: there is room for one, and no other sender
}
