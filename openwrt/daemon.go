package openwrt

import (
	"math"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
	"lan6d/relay"
)

// Daemon is what the configuration says about the program as a whole.
type Daemon struct {
	LogLevel     LogLevel
	LeaseFile    string // in odhcpd's format, for LuCI; empty: not written
	HostsDir     string // one hosts file per interface; empty: none is written
	LeaseTrigger string // program to run when leases changed; empty: none

	SyncJournal     bool   // wait for the disk after each write of the journal: the state directory is not in memory
	Persist         string // a second copy of the leases, on flash; empty: none
	PersistInterval uint32 // seconds from one write of it to the next, at least
	RouteMetric     uint32 // of the routes to delegated prefixes

	UBus bool // take part in ubus

	RelayRoutes      bool        // to the prefixes that relayed clients are delegated
	RelayMaxPrefixes int         // that routes are kept for
	RelayID          dhcpv6.DUID // sent to servers (RFC 5460); nil: none is
}

// DefaultPersistInterval is a quarter of an hour, in seconds: flash wears out.
const DefaultPersistInterval = 15 * 60

// DefaultRouteMetric is the kernel's own.
const DefaultRouteMetric = 1024

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

// syslogLevels are those of the severities of syslog, 0 to 7.
var syslogLevels = [8]LogLevel{LogError, LogError, LogError, LogError, LogWarn, LogInfo, LogInfo, LogDebug}

// ParseLogLevel reads a level: its name or a severity of syslog, 0 to 7.
func ParseLogLevel(s string) (LogLevel, error) {
	for l, name := range logLevelNames {
		if s == name {
			return LogLevel(l), nil
		}
	}
	n, err := parseInt(s, 0, 7)
	if err != nil {
		return 0, wrong(s, "is no log level, allowed are error, warn, info, debug, 0..7")
	}
	return syslogLevels[n], nil
}

// daemon gathers the sections for the program as a whole, in odhcpd's file and then in lan6d's own.
type daemon struct {
	Daemon
	sendZone  bool // the time zone is sent on request
	maxOffers int
}

func newDaemon() daemon {
	return daemon{
		Daemon: Daemon{
			LogLevel: LogInfo, PersistInterval: DefaultPersistInterval, RouteMetric: DefaultRouteMetric,
			UBus: true, RelayRoutes: true, RelayMaxPrefixes: relay.DefaultMaxPrefixes,
		},
		sendZone: true, maxOffers: server.DefaultMaxOffersTotal,
	}
}

func sharedDaemonOptions(d *daemon) []option {
	return []option{
		{name: "leasefile", field: &d.LeaseFile, one: setPath},
		{name: "hostsdir", field: &d.HostsDir, one: setPath},
		{name: "leasetrigger", field: &d.LeaseTrigger, one: setPath},
		{name: "enable_tz", field: &d.sendZone, one: setBool},
	}
}

// odhcpdOptions are the options of an "odhcpd" section in /etc/config/dhcp.
func odhcpdOptions(d *daemon) table {
	return table{foreign: "maindhcp piodir", options: append(sharedDaemonOptions(d),
		option{name: "loglevel", field: &d.LogLevel, one: setSyslogLevel},
		option{name: "hostsfile", gone: "hostsdir replaced it"},
		option{name: "legacy", gone: "and nothing replaces it"},
		option{name: "piofolder", gone: "piodir replaced it"},
	)}
}

// daemonOptions are the options of a "lan6d" section in /etc/config/lan6d.
func daemonOptions(d *daemon) table {
	return table{options: append([]option{
		{name: "loglevel", field: &d.LogLevel, one: setLogLevel},
		{name: "max_offers", field: &d.maxOffers, one: setInt, low: 1, high: 65535},
		{name: "journal_sync", field: &d.SyncJournal, one: setJournalSync},
		{name: "persist", field: &d.Persist, one: setPath},
		{name: "persist_interval", field: &d.PersistInterval, one: setTime},
		{name: "route_metric", field: &d.RouteMetric, one: setInt, low: 1, high: math.MaxInt32},
		{name: "ubus", field: &d.UBus, one: setBool},
		{name: "relay_routes", field: &d.RelayRoutes, one: setBool},
		{name: "relay_max_prefixes", field: &d.RelayMaxPrefixes, one: setInt, low: 1, high: 65535},
		{name: "relay_id", field: &d.RelayID, one: setRelayID},
	}, sharedDaemonOptions(d)...)}
}

func setPath(o *option, v string) error {
	for i := range len(v) {
		if v[i] < ' ' || v[i] == 0x7f {
			return wrong(v, "is no path, control characters are not allowed")
		}
	}
	return o.setText(v)
}

func setJournalSync(o *option, v string) error {
	if v != "none" && v != "batch" {
		return wrong(v, "is no way to write the journal, allowed are none, batch")
	}
	*o.field.(*bool) = v == "batch"
	return nil
}

func setLogLevel(o *option, v string) error {
	level, err := ParseLogLevel(v)
	if err == nil {
		*o.field.(*LogLevel) = level
	}
	return err
}

// setSyslogLevel takes any number and, as odhcpd does, its last three bits.
func setSyslogLevel(o *option, v string) error {
	n, ok := parseNumber(v)
	if !ok {
		return wrong(v, "is no log level of syslog, allowed are 0..7; names are allowed in /etc/config/lan6d")
	}
	*o.field.(*LogLevel) = syslogLevels[n&7]
	return nil
}
