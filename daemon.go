package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
	"lan6d/netif"
	"lan6d/openwrt"
)

// daemon is the program while it runs. Its loop is the one goroutine that owns all of this; the feeders (a receiver for
// each socket, the watcher, signals, the timer) hand it values through channels.
type daemon struct {
	options  options
	clocks   clocks
	log      *logger
	config   *openwrt.Config
	server   *server.Server
	store    *store
	routes   *routes
	views    views
	watcher  *netif.Watcher
	snapshot *netif.Snapshot
	batches  chan *netif.Batch
	reports  chan error         // from the feeders
	lost     chan *netif.Socket // whose receiver has ended
	outbox   *netif.Outbox
	served   map[string]*served // by logical name
	tick     chan struct{}
	timer    *time.Timer // sends to tick
	wake     time.Time   // when timer fires
	duid     dhcpv6.DUID // the server's: the configured one, or ownDUID
	ownDUID  dhcpv6.DUID // the one in the state directory
	started  bool
	changed  bool // the configuration, since the server was told

	lastRefused time.Time // when an answer too long was logged
}

// serve runs the server until it is told to stop.
func serve(o options, stderr io.Writer) (err error) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGHUP, unix.SIGTERM, unix.SIGINT)
	defer signal.Stop(signals)
	log := newLogger(stderr)
	if o.syslog {
		if err := log.useSyslog(); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				log.errorf("%v", err)
			}
		}()
	}
	config, problems, err := o.load()
	if err != nil {
		for _, p := range problems {
			log.errorf("%s", p)
		}
		return err
	}
	lock, err := lockState(o.stateDir)
	if err != nil {
		return err
	}
	defer lock.Close()
	d := &daemon{
		options: o, log: log, batches: make(chan *netif.Batch), reports: make(chan error, 16),
		lost:   make(chan *netif.Socket),
		served: make(map[string]*served), tick: make(chan struct{}, 1),
	}
	d.timer = time.AfterFunc(time.Hour, d.alarm)
	d.clocks = systemClocks()
	d.clocks.stepped = watchSteps(d.report)
	d.server = server.New(d.clocks.now(), server.Config{})
	kernel, err := netif.OpenRoutes(0)
	if err != nil {
		return err
	}
	defer kernel.Close()
	d.views.writer, d.views.until = openwrt.NewViews(d.report), lease.Never
	defer d.lastView()
	d.routes = &routes{kernel: kernel, clocks: d.clocks, log: log, server: d.server, until: lease.Never}
	d.store = &store{path: filepath.Join(o.stateDir, "leases.journal"), clocks: d.clocks, log: log, table: d.server.Table(), restore: d.server.Restore}
	d.logProblems(problems)
	d.apply(config)
	d.store.load()
	defer d.store.close()
	if d.outbox, err = netif.NewOutbox(); err != nil {
		return err
	}
	d.watcher, err = netif.Watch(netif.WatchConfig{Report: d.report})
	if err != nil {
		return fmt.Errorf("watch the interfaces: %w", err)
	}
	defer d.watcher.Close()
	defer d.close()
	return d.loop(signals)
}

// report takes a feeder's error to the loop; if the loop is far behind, to nobody: a feeder must not wait for it.
func (d *daemon) report(err error) {
	select {
	case d.reports <- err:
	default:
	}
}

// alarm wakes the loop. (The channel of a time.Timer would do, and brings 33 KB of time formats.)
func (d *daemon) alarm() {
	select {
	case d.tick <- struct{}{}:
	default:
	}
}

func (d *daemon) loop(signals <-chan os.Signal) error {
	for {
		select {
		case b := <-d.batches:
			d.handle(b)
		case d.snapshot = <-d.watcher.Snapshots():
			d.configure()
			d.views.changed = true
			d.routes.sync(d.server.Table().At(d.clocks.now()))
			if err := d.start(); err != nil {
				return err
			}
		case <-d.tick:
			d.wake = time.Time{}
			d.retry()
		case <-d.clocks.stepped:
			d.views.changed = true // the lease file has the time of day
		case err := <-d.reports:
			d.log.warnf("%v", err)
		case socket := <-d.lost:
			d.drop(socket)
		case s := <-signals:
			if s != unix.SIGHUP {
				d.log.infof("stopped by %v", s)
				return nil
			}
			d.reload()
		}
		d.settle()
	}
}

// start looks at the outcome of the first configuration: when not one interface can be served although it is there,
// something is wrong that the user must mend, and a daemon that runs and serves nobody would hide it.
func (d *daemon) start() error {
	if d.started {
		return nil
	}
	d.started = true
	failed := 0
	for _, s := range d.served {
		if s.err != nil {
			failed++
		}
	}
	if failed > 0 && failed == len(d.served) {
		return errors.New("no interface can be served")
	}
	d.log.infof("lan6d %s started, server DUID %s", version, d.duid)
	return nil
}

// handle answers a batch of datagrams: first all of them, then one system call sends the answers.
func (d *daemon) handle(b *netif.Batch) {
	now := d.clocks.now()
	for i := range b.Len() {
		in := b.At(i)
		if in.Truncated {
			continue // counted by the socket
		}
		buf := d.outbox.Buffer()
		if buf == nil {
			d.flush()
			buf = d.outbox.Buffer()
		}
		out, err := d.server.Handle(now, server.Datagram{Payload: in.Payload, Ifindex: in.Ifindex, Peer: in.From, Local: in.To}, buf)
		switch {
		case err == nil:
			d.outbox.Add(b.Socket(), len(out.Payload), out.Peer, out.Local, out.Ifindex)
		case err == server.DropReplyTooLong:
			d.refused(b.Socket().Name(), in.From.Addr(), now)
		case d.log.packet(now):
			d.log.debugf("%s: message from %v dropped: %v", b.Socket().Name(), in.From.Addr(), err)
		}
	}
	d.flush()
	b.Release()
}

// refused tells of an answer that does not fit a datagram, once a minute: anybody can ask for too much.
func (d *daemon) refused(device string, client netip.Addr, now time.Time) {
	if now.Sub(d.lastRefused) < time.Minute {
		return
	}
	d.lastRefused = now
	d.log.warnf("%s: the answer to %v does not fit a datagram, refused; %d so far",
		device, client, d.server.Counters().Dropped[server.DropReplyTooLong])
}

// flush sends what the outbox holds, after what it promises has been written.
func (d *daemon) flush() {
	d.store.record()
	for _, e := range d.outbox.Flush() {
		if d.log.packet(d.clocks.now()) {
			d.log.debugf("%v", e)
		}
	}
}

// settle carries out what the last turn of the loop led to, and sets the timer for the next deadline.
func (d *daemon) settle() {
	now := d.clocks.now()
	d.reconfigure(now)
	next := d.server.Tick(now)
	d.store.record()
	at := d.server.Table().At(now)
	for _, e := range d.server.Events() {
		d.logEvent(&e)
		d.views.changed = true
		d.routes.update(at, &e)
	}
	if due := d.routes.next(); d.snapshot != nil && !due.IsZero() && !due.After(now) {
		d.routes.sync(at)
	}
	d.store.copy()
	d.server.SetHealth(server.Health{Journal: d.store.health(), Copy: d.store.persist.err})
	d.view(now)
	for _, at := range [...]time.Time{d.nextRetry(), d.store.retry, d.store.nextCopy(), d.routes.next(), d.views.next(d.server.Table())} {
		if next.IsZero() || !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	if next.IsZero() || next.Equal(d.wake) {
		return
	}
	d.wake = next
	d.timer.Reset(max(next.Sub(now), 0))
}

// lastView writes the lease and hosts files before the program ends, if they are not up to date.
func (d *daemon) lastView() {
	d.views.due = time.Time{}
	d.view(d.clocks.now())
	d.views.writer.Close()
}

// maxReconfigure bounds how many Reconfigure messages are sent in one turn of the loop: clients must not wait for all.
const maxReconfigure = 64

// reconfigure sends the Reconfigure messages that are due. Those that one turn has no room for are sent in the next.
func (d *daemon) reconfigure(now time.Time) {
	if !d.server.ReconfigureDue(now) {
		return // a buffer asked for in vain costs a system call
	}
	for range maxReconfigure {
		buf := d.outbox.Buffer()
		if buf == nil {
			d.flush()
			buf = d.outbox.Buffer()
		}
		out, ok := d.server.NextReconfigure(now, buf)
		if !ok {
			break
		}
		for _, s := range d.served {
			if s.socket != nil && s.socket.Ifindex() == out.Ifindex {
				d.outbox.Add(s.socket, len(out.Payload), out.Peer, out.Local, out.Ifindex)
			}
		}
	}
	d.flush()
}

func (d *daemon) close() {
	for _, s := range d.served {
		s.close()
	}
}
