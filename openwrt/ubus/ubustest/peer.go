package ubustest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"lan6d/openwrt/ubus"
)

// Peer is a program on the bus: a ubus.Client, and a loop that owns it.
type Peer struct {
	t      testing.TB
	client *ubus.Client
	handle func(*ubus.Client, *ubus.Event)
	start  time.Time
	do     chan func(*ubus.Client)
	stop   chan struct{}
	ended  sync.WaitGroup

	mu     sync.Mutex // guards what follows
	events []*ubus.Event
	skip   time.Duration
	tag    int
}

// Patience is how long Peers wait for anything.
const Patience = 20 * time.Second

// Join starts a Peer. Its loop calls handle, unless that is nil, with all that happens. It leaves at the end of the test.
func Join(t testing.TB, cfg ubus.Config, handle func(*ubus.Client, *ubus.Event)) *Peer {
	t.Helper()
	p := &Peer{
		t: t, handle: handle, start: time.Now(), do: make(chan func(*ubus.Client)), stop: make(chan struct{}),
		tag: 1 << 20, client: ubus.New(time.Now(), cfg),
	}
	stop := p.stop
	p.ended.Go(func() { p.loop(stop) })
	t.Cleanup(p.Leave)
	return p
}

// Leave ends the Peer.
func (p *Peer) Leave() {
	p.mu.Lock()
	stop := p.stop
	p.stop = nil
	p.mu.Unlock()
	if stop != nil {
		close(stop)
	}
	p.ended.Wait()
}

// Now is the time for the Peer.
func (p *Peer) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.start.Add(time.Since(p.start) + p.skip)
}

// Skip takes the Peer to a later time.
func (p *Peer) Skip(d time.Duration) {
	p.mu.Lock()
	p.skip += d
	p.mu.Unlock()
	p.Do(func(*ubus.Client) {})
}

func (p *Peer) loop(stop <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	defer p.client.Close()
	for {
		select {
		case in := <-p.client.Inbox():
			p.client.Handle(p.Now(), in)
		case f := <-p.do:
			f(p.client)
		case <-timer.C:
		case <-stop:
			return
		}
		p.drain()
		next := p.client.Tick(p.Now())
		p.drain()
		if !next.IsZero() {
			timer.Reset(next.Sub(p.Now()))
		}
	}
}

func (p *Peer) drain() {
	for e := p.client.Next(); e != nil; e = p.client.Next() {
		if p.handle != nil {
			p.handle(p.client, e)
		}
		p.mu.Lock()
		p.events = append(p.events, e)
		p.mu.Unlock()
	}
}

// Do runs f in the loop, and returns afterwards.
func (p *Peer) Do(f func(*ubus.Client)) {
	p.t.Helper()
	done := make(chan struct{})
	select {
	case p.do <- func(c *ubus.Client) { f(c); close(done) }:
		<-done
	case <-time.After(Patience):
		p.t.Fatal("the loop is stuck")
	}
}

// Events are all that happened and was not awaited yet. They are forgotten.
func (p *Peer) Events() []*ubus.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	events := p.events
	p.events = nil
	return events
}

// Await waits for an event that match accepts, and forgets it and all that happened before.
func (p *Peer) Await(what string, match func(*ubus.Event) bool) *ubus.Event {
	p.t.Helper()
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		p.mu.Lock()
		if i := slices.IndexFunc(p.events, match); i >= 0 {
			e := p.events[i]
			p.events = p.events[i+1:]
			p.mu.Unlock()
			return e
		}
		p.mu.Unlock()
	}
	p.t.Fatalf("no %s", what)
	return nil
}

// AwaitKind waits for an event of that kind and path.
func (p *Peer) AwaitKind(kind ubus.EventKind, path string) *ubus.Event {
	p.t.Helper()
	return p.Await(fmt.Sprintf("event of kind %d about %q", kind, path), func(e *ubus.Event) bool { return e.Kind == kind && e.Path == path })
}

// Call calls a method and waits for the answer.
func (p *Peer) Call(path, method string, args *ubus.Writer) *ubus.Event {
	p.t.Helper()
	var tag int
	p.Do(func(c *ubus.Client) {
		p.tag++
		tag = p.tag
		c.Invoke(p.Now(), path, method, args, Patience, tag)
	})
	return p.Await("answer of "+path+" "+method, func(e *ubus.Event) bool { return e.Kind == ubus.Answered && e.Tag == tag })
}

// Object returns a Writer with what write writes in the outermost object.
func Object(write func(w *ubus.Writer)) *ubus.Writer {
	w := new(ubus.Writer)
	w.BeginObject("")
	if write != nil {
		write(w)
	}
	w.EndObject()
	return w
}
