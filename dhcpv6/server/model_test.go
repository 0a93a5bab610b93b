package server_test

import (
	"bytes"
	"maps"
	"net/netip"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// A naive model of what the clients of a play have been told: it knows of addresses, prefixes and times as clients do, and of
// nothing that is in the server.

type boundKey struct {
	link string
	lease.Key
}

// beliefs are the leases that clients were told of, by IA.
type beliefs map[boundKey]map[netip.Prefix]belief

type belief struct {
	until time.Time // when the client forgets it by itself
	end   time.Time // when the server does: later after a reboot
	over  bool      // the client was told to
}

// model is all that is known of the clients.
type model struct {
	beliefs  beliefs
	replaced map[boundKey]bool               // IAs whose binding was taken away in this step
	ids      map[boundKey]uint64             // that an IA_NA on lan had last, to have again
	declined map[string]map[uint64]time.Time // ids of addresses, by link, and until when nobody gets them
	usable   map[string]string               // by link, the prefixes that were usable when the server was told of them last
	any      map[string]bool                 // whether this server was told of any prefix then
	taken    server.Host                     // one that has an id which a client was given
	accept   map[clientOn]bool               // clients with bindings that have accepted Reconfigure
}

type clientOn struct{ link, duid string }

func newModel() model {
	return model{
		beliefs: make(beliefs), replaced: make(map[boundKey]bool), ids: make(map[boundKey]uint64), declined: make(map[string]map[uint64]time.Time),
		usable: make(map[string]string), accept: make(map[clientOn]bool),
	}
}

// asks is an IA of a query.
type asks struct {
	boundKey
	own     map[netip.Prefix]bool // what it names
	named   map[netip.Prefix]bool // what all of the same IAID name
	found   answerIA
	ok      bool // it was answered
	again   bool // it came earlier in the message
	offered bool // by an Advertise
}

// pair reads the IAs of a query and finds their answers, which come in the same order.
func pair(link string, q dhcpv6.Message, a answer) (all []asks) {
	who, _ := q.Options.Get(dhcpv6.OptionClientID)
	for code, data := range q.Options.All() {
		kind := lease.Address
		switch code {
		case dhcpv6.OptionIANA:
		case dhcpv6.OptionIAPD:
			kind = lease.Prefix
		default:
			continue
		}
		ia, _ := dhcpv6.ParseIA(data)
		x := asks{boundKey: boundKey{link, lease.Key{DUID: string(who), IAID: ia.IAID, Kind: kind}}, own: make(map[netip.Prefix]bool)}
		for code, data := range ia.All() {
			if k, err := dhcpv6.ParseIAAddr(data); err == nil && code == dhcpv6.OptionIAAddr && kind == lease.Address {
				x.own[netip.PrefixFrom(k.Addr, 128)] = true
			}
			if k, err := dhcpv6.ParseIAPrefix(data); err == nil && code == dhcpv6.OptionIAPrefix && kind == lease.Prefix {
				x.own[k.Prefix.Masked()] = true
			}
		}
		all = append(all, x)
	}
	for i := range all {
		all[i].named = make(map[netip.Prefix]bool)
		for k, other := range all {
			if other.boundKey == all[i].boundKey {
				maps.Copy(all[i].named, other.own)
				all[i].again = all[i].again || k < i
			}
		}
	}
	next := 0
	for _, ia := range a.ias {
		for next < len(all) && (all[next].Kind != ia.kind || all[next].IAID != ia.iaid) {
			next++
		}
		if next < len(all) {
			for i := range ia.leases {
				ia.leases[i].prefix = ia.leases[i].prefix.Masked() // what is over is told of as it is named
			}
			all[next].found, all[next].ok = ia, true
			next++
		}
	}
	return all
}

// hostPrefix is fixed for host 2, the subnet ids from hostSubnet on, where there is a prefix around it.
var hostPrefix = netip.MustParsePrefix("2001:db8:1:4::/63")

const hostSubnet = 4

// hostOf numbers the hosts with fixed leases that newPlay configures; 0: none of them.
func hostOf(d dhcpv6.DUID) int {
	switch {
	case bytes.Equal(d, duid(5)), bytes.Equal(d, duid(6)):
		return 1
	case bytes.Equal(d, duid(4)):
		return 2
	}
	return 0
}
