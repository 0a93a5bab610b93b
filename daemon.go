package main

import (
	"errors"
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
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/netif"
	"lan6d/openwrt"
	"lan6d/relay"
)

// daemon is the program while it runs. Its loop is the one goroutine that owns all of this; the feeders (a receiver for
// each socket, the watcher, signals, the timer) hand it values through channels.
type daemon struct {
	options  options
	clocks   clocks
	log      *logger
	base     *openwrt.Config   // of the files
	netifd   []openwrt.Network // what netifd tells
	config   *openwrt.Config   // what came of both
	problems []openwrt.Problem // of the files
	added    int               // hosts by add_lease, in front of those of the files
	refusal  []string          // why the files are not what is running, since a reload
	found    []openwrt.Problem // more of them, with what is known from the bus
	loaded   time.Time         // when they were read
	born     time.Time         // when the daemon was started
	control  control
	bus      bus
	server   *server.Server
	relay    relaying
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
	sockets  map[int]*served    // those that have one, by the interface's index
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
	clocks := systemClocks()
	d, err := newDaemon(o, log, clocks)
	if err != nil {
		return err
	}
	defer d.release()
	d.clocks.stepped = watchSteps(d.report)
	d.logProblems(problems)
	if err := d.open(config, problems); err != nil {
		return err
	}
	defer d.stop()
	return d.loop(signals)
}

// newDaemon makes a daemon that has no leases yet and touches nothing. release gives back what it takes.
func newDaemon(o options, log *logger, clocks clocks) (d *daemon, err error) {
	now := clocks.now()
	d = &daemon{
		options: o, log: log, clocks: clocks, batches: make(chan *netif.Batch), reports: make(chan error, 16),
		lost: make(chan *netif.Socket), born: now,
		served: make(map[string]*served), sockets: make(map[int]*served), tick: make(chan struct{}, 1),
		server: server.New(now, server.Config{}), relay: relaying{Relay: relay.New(now, relay.Config{})},
	}
	d.store = d.newStore("leases", "leases.journal", d.server.Table(), d.server.Restore)
	d.relay.store = d.newStore("relayed prefixes", "relayed.journal", d.relay.Table(), d.relay.Restore)
	d.routes = &routes{clocks: clocks, log: log, server: d.server, relay: d.relay.Relay, until: lease.Never}
	if d.routes.kernel, err = netif.OpenRoutes(0); err != nil {
		return nil, err
	}
	if d.relay.neighbours, err = netif.OpenNeighbours(0); err != nil {
		d.routes.kernel.Close()
		return nil, err
	}
	d.timer = time.AfterFunc(time.Hour, d.alarm)
	d.views.writer, d.views.until = openwrt.NewViews(d.report), lease.Never
	return d, nil
}

func (d *daemon) newStore(what, file string, table *lease.Table, restore func([]byte, time.Time, lease.Clock) error) *store {
	return &store{
		what: what, path: filepath.Join(d.options.stateDir, file), clocks: d.clocks, log: d.log, table: table, restore: restore,
	}
}

// open takes up the configuration and the leases, and begins to watch the interfaces. stop ends what it begins. The control
// channel comes first: if another daemon has it, nothing of that one's is touched. (The lock could have been removed.)
func (d *daemon) open(config *openwrt.Config, problems []openwrt.Problem) (err error) {
	if err := d.openControl(); err != nil {
		return err
	}
	d.apply(config, problems)
	for _, s := range d.stores() {
		s.load()
	}
	if d.outbox, err = netif.NewOutbox(); err != nil {
		return err
	}
	if d.watcher, err = netif.Watch(netif.WatchConfig{Now: d.clocks.now, Report: d.report}); err != nil {
		return tinyfmt.Errorf("watch the interfaces: %w", err)
	}
	d.openBus()
	return nil
}

// stop ends the service and writes what is to be written.
func (d *daemon) stop() {
	d.closeBus()
	d.closeControl()
	d.close()
	d.watcher.Close()
	for _, s := range d.stores() {
		s.close()
	}
	d.lastView()
}

// release gives back what newDaemon took.
func (d *daemon) release() {
	d.timer.Stop()
	d.views.writer.Close()
	d.relay.neighbours.Close()
	d.routes.kernel.Close()
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
		case r := <-d.control.requests():
			d.called(r)
		case in := <-d.bus.inbox():
			d.bus.Handle(d.clocks.now(), in)
		case s := <-signals:
			if s != unix.SIGHUP {
				d.log.infof("stopped by a signal: %v", s)
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

// handle answers or relays a batch of datagrams: first all of them, then one system call sends what came of it.
func (d *daemon) handle(b *netif.Batch) {
	now := d.clocks.now()
	s := d.sockets[b.Socket().Ifindex()]
	for i := range b.Len() {
		in := b.At(i)
		if in.Truncated || s == nil || s.socket != b.Socket() {
			continue // counted by the socket, or that has been closed since
		}
		var err error
		switch {
		case s.role == openwrt.Server:
			err = d.answer(now, s, &in)
		case s.master:
			err = d.giveBack(now, &in)
		default:
			err = d.forward(now, &in)
		}
		if err != nil && d.log.packet(now) {
			d.log.debugf("%s: message from %v dropped: %v", s.device, in.From.Addr(), err)
		}
	}
	d.flush()
	b.Release()
}

// answer serves a client or a relay agent.
func (d *daemon) answer(now time.Time, s *served, in *netif.Datagram) error {
	out, err := d.server.Handle(now, server.Datagram{Payload: in.Payload, Ifindex: in.Ifindex, Peer: in.From, Local: in.To}, d.buffer())
	switch {
	case err == nil:
		d.post(out.Ifindex, len(out.Payload), out.Peer, out.Local)
	case err == server.DropReplyTooLong:
		d.refused(s.device, in.From.Addr(), now)
		return nil
	}
	return err
}

// buffer is where the next datagram is built.
func (d *daemon) buffer() []byte {
	if d.outbox.Full() {
		d.flush()
	}
	return d.outbox.Buffer()
}

// post queues the first n octets of buffer, to be sent by the socket of an interface. If that has been closed meanwhile,
// nobody waits for them.
func (d *daemon) post(ifindex, n int, to netip.AddrPort, from netip.Addr) {
	if s := d.sockets[ifindex]; s != nil {
		d.outbox.Add(s.socket, n, to, from, ifindex)
	}
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

// stores are those of the server's bindings and of the prefixes that relayed clients are delegated.
func (d *daemon) stores() [2]*store { return [...]*store{d.store, d.relay.store} }

// flush sends what the outbox holds, after what it promises has been written.
func (d *daemon) flush() {
	d.store.record()
	d.relay.store.record()
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
	d.findPaths(now)
	d.clearSuspects(now)
	d.serveBus(now)
	next := earliest(d.server.Tick(now), d.relay.Tick(now))
	for _, s := range d.stores() {
		s.record()
	}
	d.heed(now)
	for _, s := range d.stores() {
		s.copy()
		next = earliest(next, s.retry, s.nextCopy())
	}
	d.server.SetHealth(server.Health{Journal: d.store.health(), Copy: d.store.persist.err})
	d.view(now)
	next = earliest(next, d.nextRetry(), d.relay.due(), d.routes.next(), d.views.next(d.server.Table()), d.bus.due(now))
	if next.IsZero() || next.Equal(d.wake) {
		return
	}
	d.wake = next
	d.timer.Reset(max(next.Sub(now), 0))
}

// heed acts on what has happened to bindings.
func (d *daemon) heed(now time.Time) {
	at := d.server.Table().At(now)
	given := d.server.Events()
	for i := range given {
		e := &given[i]
		d.logEvent(e)
		d.views.changed = true
		if e.Kind != server.PoolFull {
			d.routes.update(at, routeOwner{false, e.Link, e.Key})
		}
		d.announce(e)
	}
	relayed := d.relay.Events()
	for i := range relayed {
		e := &relayed[i]
		d.logRelayed(e)
		if e.Kind == relay.Contested {
			d.suspect(now, e)
		}
		d.routes.update(at, routeOwner{true, e.Link, e.Key})
		d.announceRelayed(e)
	}
	if due := d.routes.next(); d.snapshot != nil && !due.IsZero() && !due.After(now) {
		d.routes.sync(at)
	}
}

// earliest is the first of some moments; the zero time stands for never.
func earliest(moments ...time.Time) (first time.Time) {
	for _, at := range moments {
		if first.IsZero() || !at.IsZero() && at.Before(first) {
			first = at
		}
	}
	return first
}

// lastView writes the lease and hosts files before the program ends, if they are not up to date.
func (d *daemon) lastView() {
	d.views.due = time.Time{}
	d.view(d.clocks.now())
}

// maxReconfigure bounds how many Reconfigure messages are sent in one turn of the loop: clients must not wait for all.
const maxReconfigure = 64

// reconfigure sends the Reconfigure messages that are due. Those that one turn has no room for are sent in the next.
func (d *daemon) reconfigure(now time.Time) {
	if !d.server.ReconfigureDue(now) {
		return // a buffer asked for in vain costs a system call
	}
	for range maxReconfigure {
		out, ok := d.server.NextReconfigure(now, d.buffer())
		if !ok {
			break
		}
		d.post(out.Ifindex, len(out.Payload), out.Peer, out.Local)
	}
	d.flush()
}

func (d *daemon) close() {
	for _, s := range d.served {
		s.close()
	}
}
