// Package netnstest runs tests in network namespaces of their own.
//
//	func TestMain(m *testing.M) { netnstest.Main(m) }
//
//	func TestEcho(t *testing.T) {
//		lan := netnstest.Veth(t, "lan0")
//		lan.Peer.AddAddr(t, "eth0", "2001:db8::2/64")
//		lan.Peer.Do(func() { /* sockets opened here are the peer's */ })
//		lan.Peer.Command("ip", "route").Run()
//	}
//
// Nothing tests do there reaches the machine they run on: network, mounts and
// processes are those of new namespaces, which end with the test binary.
// Duplicate address detection is off, so that addresses can be used at once;
// EnableDAD turns it on for an interface.
package netnstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inside is set in the environment of the re-executed test binary.
const inside = "NETNSTEST_INSIDE"

// Main runs the tests in new network, mount and process namespaces, by
// executing the test binary again, and exits. Who is not root becomes root of
// a new user namespace. The network namespace has lo up; mounts are private to
// the tests.
//
// Where that is not permitted Main says so and exits with failure: a test that
// has not run is not one that passed.
func Main(m *testing.M) {
	if os.Getenv(inside) != "" {
		if err := settle(); err != nil {
			fmt.Fprintln(os.Stderr, "netnstest:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	// The child gets SIGKILL when the thread that started it ends.
	runtime.LockOSThread()
	code, err := reexec()
	if err != nil {
		fmt.Fprintf(os.Stderr, "netnstest: NO TEST OF THIS PACKAGE HAS RUN: "+
			"new network, mount and process namespaces: %v (run as root, or permit user namespaces)\n", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// reexec runs the test binary in new namespaces and returns its exit code. An
// error means that the namespaces cannot be made.
func reexec() (int, error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if uid := os.Geteuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	// The go command asks for a stack trace with SIGQUIT.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGQUIT, unix.SIGTERM, unix.SIGINT)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go func() {
		for sig := range signals {
			_ = cmd.Process.Signal(sig)
		}
	}()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() < 0 {
			fmt.Fprintln(os.Stderr, "netnstest: the tests ended by", exit)
			return 1, nil
		}
		return exit.ExitCode(), nil
	}
	return 0, err
}

// settle makes the new namespaces fit to live in.
func settle() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// /proc shows the processes of whoever mounted it.
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	// /sys/class/net likewise shows links; not all systems permit this one,
	// and few programs look there.
	_ = unix.Mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	return prepare()
}

// prepare readies the network namespace of the calling thread.
func prepare() error {
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	for _, which := range []string{"all", "default"} {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+which+"/accept_dad", []byte("0"), 0); err != nil {
			return err
		}
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}
