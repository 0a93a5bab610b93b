package main

import (
	"strings"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/openwrt"
	"lan6d/relay"
)

// logEvent writes one line: who, what, where, for how long. A renewal that changes nothing is of no interest but to
// somebody who looks for an error.
func (d *daemon) logEvent(e *server.Event) {
	level := openwrt.LogInfo
	switch e.Kind {
	case server.Renewed:
		level = openwrt.LogDebug
	case server.PoolFull, server.Declined:
		level = openwrt.LogWarn
	}
	if d.log.enabled(level) {
		d.log.logf(level, "%s", eventLine(e))
	}
}

// eventLine is the event in words:
// "lan: bound 2001:db8::1a3 to 00030001020000000001 IAID 0000001a (laptop) at fe80::2 for 1h30m".
func eventLine(e *server.Event) string {
	if e.Kind == server.PoolFull {
		return tinyfmt.Sprintf("%s: no %s is left for a client", e.Link, map[lease.Kind]string{
			lease.Address: "address", lease.Prefix: "prefix"}[e.Key.Kind])
	}
	client := tinyfmt.Sprintf("%v IAID %08x", dhcpv6.DUID(e.Key.DUID), e.Key.IAID)
	switch {
	case server.ValidHostname(e.Hostname):
		client += " (" + e.Hostname + ")"
	case e.Hostname != "":
		client += tinyfmt.Sprintf(" (%+q)", e.Hostname) // it may try to end the line
	}
	line := tinyfmt.Sprintf("%s: %s %s", e.Link, e.Kind, leaseList(e.Leases))
	switch e.Kind {
	case server.Bound, server.Renewed:
		return tinyfmt.Sprintf("%s to %s at %v for %s", line, client, e.Client, longest(e))
	case server.Declined:
		if e.Quarantine > 0 {
			return tinyfmt.Sprintf("%s by %s: another host uses it, not given out for %s", line, client, lifetime(e.Quarantine))
		}
		return tinyfmt.Sprintf("%s by %s: another host uses it", line, client)
	case server.Expired, server.Replaced, server.Withdrawn, server.Deleted:
		return tinyfmt.Sprintf("%s of %s", line, client)
	}
	return tinyfmt.Sprintf("%s by %s", line, client)
}

// leaseList names the leases that are not withdrawn; if all are, these.
func leaseList(leases []lease.Lease) string {
	var names []string
	all := true
	for _, l := range leases {
		all = all && l.Withdrawn
	}
	for _, l := range leases {
		switch {
		case l.Withdrawn && !all:
		case l.Prefix.IsSingleIP():
			names = append(names, l.Prefix.Addr().String())
		default:
			names = append(names, l.Prefix.String())
		}
	}
	return strings.Join(names, ", ")
}

// longest is the longest valid lifetime among the leases at the time of the event.
func longest(e *server.Event) string {
	var seconds uint32
	for _, l := range e.Leases {
		if !l.Withdrawn {
			seconds = max(seconds, l.Valid.Until(e.At))
		}
	}
	if seconds == dhcpv6.Infinity {
		return "ever"
	}
	return lifetime(time.Duration(seconds) * time.Second)
}

// lifetime is a duration without the parts that are zero: 1h30m, not 1h30m0s.
func lifetime(d time.Duration) string {
	s := d.Truncate(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// logRelayed writes one line of what relayed clients are delegated:
// "lan: learned 2001:db8:8000::/56 of 00030001020000000001 IAID 0000001a through fe80::2".
func (d *daemon) logRelayed(e *relay.Event) {
	level := openwrt.LogInfo
	switch e.Kind {
	case relay.Renewed:
		level = openwrt.LogDebug
	case relay.Contested, relay.Full:
		level = openwrt.LogWarn
	}
	if !d.log.enabled(level) {
		return
	}
	client := tinyfmt.Sprintf("%v IAID %08x through %v", dhcpv6.DUID(e.Key.DUID), e.Key.IAID, e.Via)
	switch e.Kind {
	case relay.Full:
		d.log.logf(level, "%s: too many prefixes, no route for %s", e.Link, client)
	case relay.Contested:
		d.log.logf(level, "%s: %v is given prefixes, too, that are routed to %s: %s", e.Link, e.Rival, client, leaseList(e.Leases))
	default:
		d.log.logf(level, "%s: %s %s of %s", e.Link, e.Kind, leaseList(e.Leases), client)
	}
}
