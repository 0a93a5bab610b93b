package ubus

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// maxQueue bounds what waits until ubusd reads it: room for a message as long as they come behind others.
const maxQueue = 2 * maxMessage

// link is one connection to ubusd: a socket, and two goroutines that wait for it. (Package net would do, and weighs as
// much as an eighth of the whole program.)
type link struct {
	file  *os.File
	inbox chan<- Input
	wake  chan struct{} // holds a token when there is something to write
	done  chan struct{} // closed by close

	mu      sync.Mutex // guards what follows
	queue   []byte     // frames to be written
	waiting int        // octets not written yet, those that are being written included
}

// Input is what a link has to tell. It goes from Inbox to Handle.
type Input struct {
	link  *link
	frame []byte
	err   error // the link is of no use any more
}

// dial connects to ubusd. It does not wait: a socket that cannot be connected at once is an error.
func dial(path string, inbox chan<- Input) (*link, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		_ = unix.Close(fd)
		return nil, &os.PathError{Op: "connect to ubusd at", Path: path, Err: err}
	}
	l := newLink(inbox)
	l.file = os.NewFile(uintptr(fd), path)
	go l.read()
	go l.write()
	return l, nil
}

func newLink(inbox chan<- Input) *link {
	return &link{inbox: inbox, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// read hands frames over until there is an error. What ubusd sends meanwhile waits in its own queue.
func (l *link) read() {
	for {
		frame, err := readFrame(l.file)
		if !l.tell(Input{l, frame, err}) || err != nil {
			return
		}
	}
}

// tell hands over, or returns false when the link is closed before.
func (l *link) tell(in Input) bool {
	select {
	case l.inbox <- in:
		return true
	case <-l.done:
		return false
	}
}

// send queues frames. It returns false if ubusd does not read what waits already.
func (l *link) send(frames []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting+len(frames) > maxQueue {
		return false
	}
	l.waiting += len(frames)
	l.queue = append(l.queue, frames...)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

// write writes what send has queued, until there is an error.
func (l *link) write() {
	var frames []byte
	for {
		select {
		case <-l.wake:
		case <-l.done:
			return
		}
		for frames = l.take(frames); len(frames) > 0; frames = l.take(frames) {
			if _, err := l.file.Write(frames); err != nil {
				l.tell(Input{l, nil, err})
				return
			}
		}
	}
}

// take returns the queue and puts the one that has been written in its place.
func (l *link) take(written []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting -= len(written)
	frames := l.queue
	if l.queue = written[:0]; cap(written) > keepSpace {
		l.queue = nil
	}
	return frames
}

// close ends the goroutines. It is to be called once.
func (l *link) close() {
	close(l.done)
	_ = l.file.Close()
}
