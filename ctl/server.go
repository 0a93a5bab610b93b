package ctl

import (
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Config says what a Server offers.
type Config struct {
	Path    string      // of the socket
	Methods []Method    // beside list and listen, which need no daemon
	Events  []string    // the names that Emit is called with
	Report  func(error) // is told when connections cannot be accepted, once while it lasts; nil: nobody is
}

// Limits. Root and the daemon's own user find room when others have taken all connections.
const (
	MaxRequest     = 64 << 10 // octets in a line
	maxValues      = 2000     // strings, numbers and so on in a request
	maxConnections = 32
	maxReserved    = 8        // more of them, for root and the daemon's own user
	maxQueue       = 64 << 10 // octets of events that wait for one listener
)

// patience is how long the server waits for a client. Nothing that it waits for keeps the loop from its work.
type patience struct {
	idle  time.Duration // for a request; a listener may be silent as long as it likes
	whole time.Duration // for the rest of a line
	write time.Duration // for an answer to be read
}

// Server is the daemon's side of the channel. A goroutine for each connection reads requests, and hands those that pass
// all checks to the loop, one at a time.
type Server struct {
	config    Config
	patience  patience
	socket    *os.File
	uid       int
	requests  chan *Request
	listeners atomic.Int32
	done      chan struct{}
	running   sync.WaitGroup

	mu    sync.Mutex // guards what follows, and conn.events
	conns map[*conn]bool
}

// Listen opens the channel. A socket that a process left behind is replaced; one that a process listens on is an error
// that tells which.
func Listen(config Config) (*Server, error) {
	return listen(config, patience{idle: 5 * time.Minute, whole: 10 * time.Second, write: 30 * time.Second})
}

func listen(config Config, patience patience) (*Server, error) {
	socket, err := listenOn(config.Path)
	if err != nil {
		return nil, err
	}
	config.Methods = append([]Method{
		{Name: "list", Doc: "the methods with their arguments, and the events"},
		{Name: "listen", Doc: "send events, as notifications on this connection", Args: []Arg{
			{Name: "events", Type: Strings, Doc: "which: names, or beginnings of names with a * behind"},
		}},
	}, config.Methods...)
	s := &Server{
		config: config, patience: patience, socket: socket, uid: unix.Geteuid(),
		requests: make(chan *Request), done: make(chan struct{}), conns: make(map[*conn]bool),
	}
	s.running.Add(1)
	go s.accept()
	return s, nil
}

// Requests gives the calls that the loop is to answer.
func (s *Server) Requests() <-chan *Request { return s.requests }

// Listeners is how many clients want events. While there is none, Emit does nothing.
func (s *Server) Listeners() int { return int(s.listeners.Load()) }

// WriteList writes what the method list answers, for other ways to call the same methods.
func (s *Server) WriteList(w Writer) { s.config.writeList(w) }

// Emit sends an event to those who want it, and waits for nobody: who does not read loses events, and is told how many.
func (s *Server) Emit(name string, write func(w Writer)) {
	if s.Listeners() == 0 {
		return
	}
	line := notification(name, write)
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.events != nil {
			c.events.add(name, line)
		}
	}
}

// Close ends all connections, and removes the socket.
func (s *Server) Close() {
	close(s.done)
	unix.Unlink(s.config.Path)
	s.socket.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.file.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

func (s *Server) closed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// acceptPause is how long to wait after an error: there may be no file descriptor left.
const acceptPause = 100 * time.Millisecond

// accept serves connections until Close. An error is reported once while it lasts.
func (s *Server) accept() {
	defer s.running.Done()
	for ok := true; ; {
		fd, err := accept(s.socket)
		if err == nil {
			ok = true
			s.welcome(fd, peerOf(fd))
			continue
		}
		if s.closed() {
			return
		}
		if ok && s.config.Report != nil {
			s.config.Report(pathError("accept connections on", s.config.Path, err))
		}
		ok = false
		time.Sleep(acceptPause)
	}
}

// welcome serves a new connection, or says that there are too many.
func (s *Server) welcome(fd int, peer Peer) {
	c := &conn{server: s, peer: peer, gone: make(chan struct{})}
	if s.add(c, fd) {
		go c.serve()
		return
	}
	unix.Write(fd, []byte(failure(null, Failed, strconv.Itoa(s.room(peer))+" connections are open already")))
	unix.Close(fd)
}

// add takes a connection among those that Close closes, if there is room.
func (s *Server) add(c *conn, fd int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) >= s.room(c.peer) || s.closed() {
		return false
	}
	c.file = os.NewFile(uintptr(fd), s.config.Path)
	c.lines = lines{file: c.file, max: MaxRequest}
	s.conns[c] = true
	s.running.Add(1)
	return true
}

// room is how many connections may be open for the peer to get one.
func (s *Server) room(p Peer) int {
	if s.trusts(p) {
		return maxConnections + maxReserved
	}
	return maxConnections
}

// trusts reports whether the peer may change something.
func (s *Server) trusts(p Peer) bool { return p.UID == 0 || int(p.UID) == s.uid }

// subscribe has the connection hear of events that match a pattern, after the answer.
func (s *Server) subscribe(c *conn, patterns []string, answer string) {
	l := c.events
	if l == nil {
		l = &listener{ready: make(chan struct{}, 1)}
	}
	l.mu.Lock()
	l.patterns = patterns
	l.queue = append(l.queue, answer...)
	l.mu.Unlock()
	if c.events == nil {
		s.mu.Lock()
		c.events = l
		s.mu.Unlock()
		s.listeners.Add(1)
		go c.tell(l)
	}
	l.wake()
}
