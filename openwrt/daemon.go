package openwrt

import (
	"fmt"
	"strings"

	"lan6d/dhcpv6/server"
)

// Daemon is what the configuration says about the program as a whole.
type Daemon struct {
	LogLevel     LogLevel
	LeaseFile    string // in odhcpd's format, for LuCI; empty: not written
	HostsDir     string // one hosts file per interface; empty: none is written
	LeaseTrigger string // program to run when leases changed; empty: none
}

// LogLevel is the least severity that is logged.
type LogLevel uint8

// The log levels, in ascending order of what they let through.
const (
	LogError LogLevel = iota
	LogWarn
	LogInfo
	LogDebug
)

var logLevelNames = [...]string{LogError: "error", LogWarn: "warn", LogInfo: "info", LogDebug: "debug"}

// String is the level's name as the option has it.
func (l LogLevel) String() string { return logLevelNames[l] }

// syslogLevel converts a severity of syslog, 0 to 7.
func syslogLevel(n int64) LogLevel {
	switch {
	case n <= 3:
		return LogError
	case n == 4:
		return LogWarn
	case n <= 6:
		return LogInfo
	}
	return LogDebug
}

// ParseLogLevel reads a level: its name or a severity of syslog, 0 to 7.
func ParseLogLevel(s string) (LogLevel, error) {
	for l, name := range logLevelNames {
		if s == name {
			return LogLevel(l), nil
		}
	}
	n, err := parseInt(s, 0, 7)
	if err != nil {
		return 0, fmt.Errorf("%.80q is no log level, allowed are error, warn, info, debug, 0..7", s)
	}
	return syslogLevel(n), nil
}

// daemon gathers the sections for the program as a whole, in odhcpd's file and then in lan6d's own.
type daemon struct {
	Daemon
	sendZone  bool // the time zone is sent on request
	maxOffers int
}

func newDaemon() daemon {
	return daemon{Daemon: Daemon{LogLevel: LogInfo}, sendZone: true, maxOffers: server.DefaultMaxOffersTotal}
}

var sharedDaemonOptions = []option[daemon]{
	text("leasefile", func(d *daemon, v string) error { return setPath(&d.LeaseFile, v) }),
	text("hostsdir", func(d *daemon, v string) error { return setPath(&d.HostsDir, v) }),
	text("leasetrigger", func(d *daemon, v string) error { return setPath(&d.LeaseTrigger, v) }),
	boolean("enable_tz", func(d *daemon) *bool { return &d.sendZone }),
}

// odhcpdOptions are the options of an "odhcpd" section in /etc/config/dhcp.
var odhcpdOptions = concat(sharedDaemonOptions, []option[daemon]{
	text("loglevel", setSyslogLevel),
	gone[daemon]("hostsfile", "hostsdir"),
	gone[daemon]("legacy", ""),
	gone[daemon]("piofolder", "piodir"),
}, foreign[daemon]("maindhcp", "piodir"))

// daemonOptions are the options of a "lan6d" section in /etc/config/lan6d.
var daemonOptions = concat([]option[daemon]{
	text("loglevel", func(d *daemon, v string) error { return assign(&d.LogLevel, v, ParseLogLevel) }),
	integer("max_offers", 1, 65535, func(d *daemon, n int64) { d.maxOffers = int(n) }),
}, sharedDaemonOptions)

func setPath(path *string, v string) error {
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("%.80q is no path, control characters are not allowed", v)
	}
	*path = v
	return nil
}

// setSyslogLevel takes any number and, as odhcpd does, its last three bits.
func setSyslogLevel(d *daemon, v string) error {
	n, ok := parseNumber(v)
	if !ok {
		return fmt.Errorf("%.80q is no log level of syslog, allowed are 0..7; names are allowed in /etc/config/lan6d", v)
	}
	d.LogLevel = syslogLevel(n & 7)
	return nil
}
