// Package ubustest is a ubusd for tests, and programs that take part.
//
//	bus := ubustest.New(t)
//	netifd := ubustest.Join(t, ubus.Config{Path: bus.Path, Objects: ...}, handler)
//	bus.Forbid("publish dhcp")
//	bus.Restart()
//
// The Bus says what a real ubusd was seen to say, refusals included, and can be made to misbehave.
package ubustest

import (
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Bus is a ubusd.
type Bus struct {
	Path string // of its socket

	t       testing.TB
	running sync.WaitGroup

	mu        sync.Mutex // guards what follows
	unheld    *sync.Cond
	held      bool
	pieces    int // octets in one write; 0: all
	listener  net.Listener
	clients   []*client
	objects   []*object
	forbidden []string
	lastID    uint32
	eventSeq  uint16
	refused   int
}

// New starts a Bus. It ends with the test.
func New(t testing.TB) *Bus { return NewAt(t, filepath.Join(t.TempDir(), "ubus.sock")) }

// NewAt starts a Bus whose socket has that path.
func NewAt(t testing.TB, path string) *Bus {
	b := &Bus{Path: path, t: t}
	b.unheld = sync.NewCond(&b.mu)
	b.Start()
	t.Cleanup(b.Stop)
	return b
}

// Start starts a Bus that was stopped.
func (b *Bus) Start() {
	l, err := net.Listen("unix", b.Path)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.listener = l
	b.mu.Unlock()
	b.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b.accept(conn.(*net.UnixConn))
		}
	})
}

// Stop ends the Bus, and returns when nothing of it is left.
func (b *Bus) Stop() {
	b.Hold(false)
	b.mu.Lock()
	l := b.listener
	b.listener = nil
	b.mu.Unlock()
	if l != nil {
		l.Close()
	}
	b.Kick()
	b.running.Wait()
}

// Restart stops and starts.
func (b *Bus) Restart() {
	b.Stop()
	b.Start()
}

// Kick closes all connections.
func (b *Bus) Kick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.clients) > 0 {
		b.leave(b.clients[0])
	}
}

// KickWhenWritten closes all connections when what is to be written is.
func (b *Bus) KickWhenWritten() {
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		b.mu.Lock()
		idle := !slices.ContainsFunc(b.clients, func(c *client) bool { return c.busy() })
		b.mu.Unlock()
		if idle {
			b.Kick()
			return
		}
	}
	b.t.Fatal("a client does not read")
}

// Hold has the Bus not read, so that nobody gets an answer, or go on.
func (b *Bus) Hold(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = on
	b.unheld.Broadcast()
}

// Cut has the Bus write n octets at a time.
func (b *Bus) Cut(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pieces = n
}

// Inject sends octets to all clients.
func (b *Bus) Inject(octets []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.clients {
		c.queue(octets)
	}
}

// Forbid refuses something to all clients: "publish PATH", "subscribe PATH", "listen PATTERN" (without its *), "send
// EVENT", "access PATH METHOD".
func (b *Bus) Forbid(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forbidden = append(b.forbidden, what)
}

// Allow takes a Forbid back.
func (b *Bus) Allow(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forbidden = slices.DeleteFunc(b.forbidden, func(s string) bool { return s == what })
}

// Objects are the paths that are published, sorted.
func (b *Bus) Objects() (paths []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.objects {
		if o.path != "" {
			paths = append(paths, o.path)
		}
	}
	slices.Sort(paths)
	return paths
}

// Methods are those of the object with that path, in their order; nil: there is no such object.
func (b *Bus) Methods(path string) (names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.objects {
		if o.path == path && path != "" {
			for _, m := range o.methods {
				names = append(names, m.name())
			}
		}
	}
	return names
}

// Refused is how often something was refused.
func (b *Bus) Refused() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refused
}

func (b *Bus) allowed(what ...string) bool {
	ok := !slices.Contains(b.forbidden, strings.Join(what, " "))
	if !ok {
		b.refused++
	}
	return ok
}

// client is one connection. A queue keeps the Bus from waiting for it.
type client struct {
	bus         *Bus
	conn        *net.UnixConn
	id          uint32
	user, group string

	mu      sync.Mutex
	ready   *sync.Cond
	waiting []byte
	writing bool
	closed  bool
}

func (c *client) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writing || len(c.waiting) > 0
}

func (b *Bus) accept(conn *net.UnixConn) {
	c := &client{bus: b, conn: conn}
	c.ready = sync.NewCond(&c.mu)
	c.user, c.group = credentials(conn)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listener == nil {
		conn.Close()
		return
	}
	c.id = b.newID()
	b.clients = append(b.clients, c)
	c.send(frame{kind: hello, peer: c.id})
	b.running.Go(c.read)
	b.running.Go(c.write)
}

// newID returns an id that nothing has, and that is negative as an int32 every other time.
func (b *Bus) newID() uint32 {
	b.lastID += 0x71234567
	return b.lastID | 1<<10 // system objects have numbers below
}

func credentials(conn *net.UnixConn) (user, group string) {
	user, group = "nobody", "nogroup"
	raw, err := conn.SyscallConn()
	if err != nil {
		return user, group
	}
	raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			user, group = name(cred.Uid), name(cred.Gid)
		}
	})
	return user, group
}

func name(id uint32) string {
	if id == 0 {
		return "root"
	}
	return strconv.Itoa(int(id))
}

func (c *client) read() {
	for {
		f, err := readFrame(c.conn)
		c.bus.mu.Lock()
		for c.bus.held {
			c.bus.unheld.Wait()
		}
		if err != nil {
			c.bus.leave(c)
		} else if slices.Contains(c.bus.clients, c) {
			c.bus.receive(c, f)
		}
		c.bus.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// leave removes a client and all that is its.
func (b *Bus) leave(c *client) {
	i := slices.Index(b.clients, c)
	if i < 0 {
		return
	}
	b.clients = slices.Delete(b.clients, i, i+1)
	for _, o := range slices.Clone(b.objects) {
		if o.client == c {
			b.remove(o)
		}
	}
	c.mu.Lock()
	c.closed = true
	c.ready.Signal()
	c.mu.Unlock()
	c.conn.Close()
}

func (c *client) send(f frame) { c.queue(f.encode()) }

// queue has octets written. What is more than ubusd queues is lost.
func (c *client) queue(octets []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting)+len(octets) <= maxMessage+12 {
		c.waiting = append(c.waiting, octets...)
		c.ready.Signal()
	}
}

func (c *client) write() {
	for {
		c.mu.Lock()
		c.writing = false
		for len(c.waiting) == 0 && !c.closed {
			c.ready.Wait()
		}
		octets, closed := c.waiting, c.closed
		c.waiting, c.writing = nil, true
		c.mu.Unlock()
		if closed {
			return
		}
		c.bus.mu.Lock()
		n := c.bus.pieces
		c.bus.mu.Unlock()
		if n == 0 {
			n = len(octets)
		}
		for piece := range slices.Chunk(octets, n) {
			c.conn.Write(piece) // an error is one of reading, too
		}
	}
}
