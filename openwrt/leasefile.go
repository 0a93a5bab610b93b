package openwrt

import (
	"strconv"

	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// ViewInterface is an interface as other programs see its leases.
type ViewInterface struct {
	Name   string           // of OpenWrt's interface: lan
	Device string           // br-lan
	Domain string           // the first search domain; empty: none
	Leases []*lease.Binding // lease.Link.Bindings
}

// LuCI reads lines in pieces of maxLine octets, the newline included, and takes what is behind them for other lines; of
// the addresses in a line it takes the first maxAddresses.
const (
	maxLine      = 511
	maxAddresses = 10
	maxAddress   = len(" 0000:0000:0000:0000:0000:0000:0000:0000/128")
)

// AppendLeaseFile appends the lease file in odhcpd's format, which LuCI reads: a line for each binding that a client
// holds. now and wall are the same moment, on the clock of the lease table and in seconds of Unix time. (When now is the
// moment at which that second began, a lease always has the same time in its line; else it may differ by a second.)
//
// A line that LuCI would cut is not written: it goes without some of its addresses; without its name, if that would
// leave no room for any address; and there is none for a DUID that takes all the room.
func AppendLeaseFile(b []byte, interfaces []ViewInterface, now lease.Time, wall int64) []byte {
	for i := range interfaces {
		for _, binding := range interfaces[i].Leases {
			if until := lastValid(binding, now); until > now {
				b = appendLine(b, interfaces[i].Device, binding, now, until, wall)
			}
		}
	}
	return b
}

// live reports whether the client of a bound binding may use the lease.
func live(l *lease.Lease, now lease.Time) bool { return !l.Withdrawn && l.Valid > now }

// lastValid is when the last live lease of a binding ends: now if it has none, or is not bound.
func lastValid(b *lease.Binding, now lease.Time) lease.Time {
	until := now
	if b.State != lease.Bound {
		return until
	}
	for i := range b.Leases {
		if l := &b.Leases[i]; live(l, now) {
			until = max(until, l.Valid)
		}
	}
	return until
}

func appendLine(b []byte, device string, binding *lease.Binding, now, until lease.Time, wall int64) []byte {
	if until == lease.Never {
		wall = -1
	} else {
		wall += int64(until.Until(now))
	}
	line := len(b)
	b = appendHead(b, device, binding, binding.Hostname, wall)
	if len(b)-line > maxLine-maxAddress-1 {
		b = appendHead(b[:line], device, binding, "", wall)
	}
	for i, n := 0, 0; i < len(binding.Leases) && n < maxAddresses; i++ {
		l := &binding.Leases[i]
		if !live(l, now) {
			continue
		}
		end := len(b)
		b = l.Prefix.Addr().AppendTo(append(b, ' '))
		b = strconv.AppendUint(append(b, '/'), uint64(l.Prefix.Bits()), 10)
		if n++; len(b)-line > maxLine-1 {
			b, n = b[:end], n-1 // a shorter one may still fit
		}
	}
	if len(b)-line > maxLine-1 {
		return b[:line]
	}
	return append(b, '\n')
}

// appendHead appends a line up to its addresses.
func appendHead(b []byte, device string, binding *lease.Binding, hostname string, until int64) []byte {
	b = append(b, "# "...)
	b = append(appendEscaped(b, device), ' ')
	for i := range len(binding.DUID) {
		c := binding.DUID[i]
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	b = strconv.AppendUint(append(b, ' '), uint64(binding.IAID), 16)
	b = append(b, ' ')
	switch {
	case hostname == "":
		b = append(b, '-')
	case !server.ValidHostname(hostname):
		b = append(b, `broken\x20`...) // as odhcpd marks it
	}
	b = append(appendEscaped(b, hostname), ' ')
	b = strconv.AppendInt(b, until, 10)
	b = strconv.AppendUint(append(b, ' '), binding.ID, 16)
	return strconv.AppendUint(append(b, ' '), uint64(binding.Length), 10)
}

const hexDigits = "0123456789abcdef"

// appendEscaped appends a name without any octet that could end a field or a line, or begin a tag where it is shown.
func appendEscaped(b []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		if isDigit(c) || isLetter(c) || c == '.' || c == '_' || c == '-' {
			b = append(b, c)
		} else {
			b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}
