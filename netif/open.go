package netif

import (
	"os"
	"runtime"

	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"
)

// open opens a socket in a network namespace given by its file descriptor or 0. socket.Socket does the same; for the way
// into a namespace, which only tests take, it would bring package fmt and all of reflection into the binary.
func open(family, kind, protocol int, name string, netns int) (*socket.Conn, error) {
	var fd int
	var err error
	if netns == 0 {
		fd, err = unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	} else {
		opened := make(chan struct{})
		go func() {
			defer close(opened)
			runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
			if err = unix.Setns(netns, unix.CLONE_NEWNET); err == nil {
				fd, err = unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
			}
		}()
		<-opened
	}
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	return socket.New(fd, name)
}
