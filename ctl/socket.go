package ctl

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Where the socket is: in the state directory.
const (
	DefaultDir = "/var/run/lan6d"
	SocketName = "ctl.sock"
)

// maxPath is how long the path of a unix socket may be.
const maxPath = 107

// backlog is how many connections the kernel lets wait. The goroutine that accepts them waits for nothing else.
const backlog = 128

// listenOn opens the socket that clients connect to.
func listenOn(path string) (*os.File, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	if err := clear(path); err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	}
	if err == nil {
		err = unix.Chmod(path, 0o660) // before Listen nobody can connect
	}
	if err == nil {
		err = unix.Listen(fd, backlog)
	}
	if err != nil {
		unix.Close(fd)
		return nil, pathError("listen on", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// checkPath refuses a path that is too long, of which the kernel would only say that something is invalid.
func checkPath(path string) error {
	if len(path) > maxPath {
		return errors.New(path + ": the path of a socket has at most " + strconv.Itoa(maxPath) + " octets")
	}
	return nil
}

// clear removes the socket of a process that is gone. That of one that runs is an error, and so is any other file.
func clear(path string) error {
	fd, err := connect(path)
	switch err {
	case nil:
		peer := peerOf(fd)
		unix.Close(fd)
		return running(" with process id " + strconv.Itoa(int(peer.PID)) + ": it listens on " + path)
	case unix.EAGAIN:
		return running(": it listens on " + path + ", but does not answer")
	case unix.ENOENT:
		return nil
	case unix.ECONNREFUSED:
	default:
		return pathError("connect to", path, err)
	}
	var st unix.Stat_t
	if unix.Lstat(path, &st); st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return errors.New(path + " is in the way: it is not a socket")
	}
	if err := unix.Unlink(path); err != nil {
		return pathError("remove", path, err)
	}
	return nil
}

// ErrRunning is what the errors of Listen are, as errors.Is tells, if another process listens on the socket.
var ErrRunning = errors.New("lan6d is already running")

// running is the error that says where and as what it is running.
type running string

func (r running) Error() string { return ErrRunning.Error() + string(r) }

func (r running) Unwrap() error { return ErrRunning }

func pathError(what, path string, err error) error {
	return errors.New(what + " " + path + ": " + err.Error())
}

// connect opens a connection, for which it waits a few seconds at most. A blocking one, as only these wait in a queue.
func connect(path string) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: 5})
	err = unix.EINTR
	for err == unix.EINTR {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		unix.Close(fd)
	}
	return fd, err
}

// peerOf is who is at the other end of a connection.
func peerOf(fd int) Peer {
	u, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{UID: nobody, GID: nobody}
	}
	return Peer{PID: u.Pid, UID: u.Uid, GID: u.Gid}
}

const nobody = 1<<32 - 1

// accept waits for a connection. (unix.Accept4 would do, and weighs 11 KB, for it knows all kinds of addresses.)
func accept(listener *os.File) (fd int, err error) {
	raw, err := listener.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n uintptr
	var errno unix.Errno
	err = raw.Read(func(listening uintptr) bool {
		errno = unix.EINTR
		for errno == unix.EINTR || errno == unix.ECONNABORTED {
			n, _, errno = unix.Syscall6(unix.SYS_ACCEPT4, listening, 0, 0, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0, 0)
		}
		return errno != unix.EAGAIN
	})
	if err == nil && errno != 0 {
		err = errno
	}
	return int(n), err
}
