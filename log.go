package main

import (
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
	"lan6d/openwrt"
)

// logger writes lines with their level to standard error, or to the system's log. One goroutine owns it.
type logger struct {
	level  openwrt.LogLevel
	out    io.Writer
	path   string // where the system's log listens
	syslog int    // file descriptor of a socket connected to path; -1: none

	second  int64 // the second that the debug lines are counted in
	printed int   // debug lines about bad packets in it
}

// Severities of syslog by level, and the facility daemon (RFC 5424, section 6.2.1).
var severities = [...]int{openwrt.LogError: 3, openwrt.LogWarn: 4, openwrt.LogInfo: 6, openwrt.LogDebug: 7}

const facilityDaemon = 3 << 3

func newLogger(out io.Writer) *logger {
	return &logger{level: openwrt.LogInfo, out: out, path: "/dev/log", syslog: -1}
}

// useSyslog sends all further lines to the system's log. Should the log's daemon be restarted, it is connected to again.
func (l *logger) useSyslog() error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return tinyfmt.Errorf("-S: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: l.path}); err != nil {
		unix.Close(fd)
		return tinyfmt.Errorf("-S: %s: %w", l.path, err)
	}
	if l.syslog >= 0 {
		unix.Close(l.syslog)
	}
	l.syslog = fd
	return nil
}

func (l *logger) errorf(format string, args ...any) { l.logf(openwrt.LogError, format, args...) }
func (l *logger) warnf(format string, args ...any)  { l.logf(openwrt.LogWarn, format, args...) }
func (l *logger) infof(format string, args ...any)  { l.logf(openwrt.LogInfo, format, args...) }
func (l *logger) debugf(format string, args ...any) { l.logf(openwrt.LogDebug, format, args...) }

// enabled reports whether lines of the level are written; ask before making arguments that cost something.
func (l *logger) enabled(level openwrt.LogLevel) bool { return level <= l.level }

// packet tells whether one more line about a bad packet may be written: ten a second at most, at level debug.
func (l *logger) packet(now time.Time) bool {
	if !l.enabled(openwrt.LogDebug) {
		return false
	}
	if second := now.Unix(); second != l.second {
		l.second, l.printed = second, 0
	}
	l.printed++
	return l.printed <= 10
}

func (l *logger) logf(level openwrt.LogLevel, format string, args ...any) {
	if !l.enabled(level) {
		return
	}
	line := tinyfmt.Sprintf(format, args...)
	if l.syslog < 0 {
		io.WriteString(l.out, tinyfmt.Sprintf("%s: %s\n", level, line))
		return
	}
	// Without a time of ours: the log's daemon puts its own, and its formats would weigh 25 KB on a router.
	message := tinyfmt.Sprintf("<%d>lan6d[%d]: %s", facilityDaemon|severities[level], os.Getpid(), line)
	if _, err := unix.Write(l.syslog, []byte(message)); err != nil && l.useSyslog() == nil {
		unix.Write(l.syslog, []byte(message))
	}
}
