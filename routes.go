package main

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
	"lan6d/netif"
	"lan6d/relay"
)

// routes keeps the kernel's routes to delegated prefixes in line with the bindings: those that the server has given, and
// those that the relay agent has seen given. Both tables have the same epoch.
type routes struct {
	kernel *netif.Routes
	clocks clocks
	log    *logger
	server *server.Server
	relay  *relay.Relay
	metric uint32
	of     map[routeOwner][]netif.Route // those of each binding
	until  lease.Time                   // when the next lease ends, or earlier; Never: there is none
	retry  time.Time                    // when to try again what did not succeed; zero: no need
	said   string                       // the last failure logged
	shared bool                         // there are prefixes that two bindings hold

	given   []server.Route // scratch, like those below
	relayed []relay.Route
	want    []netif.Route
}

// routeOwner names a binding.
type routeOwner struct {
	relayed bool
	link    string
	key     lease.Key
}

// table is where the bindings are.
func (r *routes) table(relayed bool) *lease.Table {
	if relayed {
		return r.relay.Table()
	}
	return r.server.Table()
}

// wanted appends the routes that a binding needs.
func (r *routes) wanted(list []netif.Route, now lease.Time, relayed bool, b *lease.Binding) []netif.Route {
	r.given = r.given[:0]
	if !relayed {
		r.given = r.server.AppendRoutes(r.given, now, b)
	} else {
		r.relayed = r.relay.AppendRoutes(r.relayed[:0], now, b)
		for _, w := range r.relayed {
			r.given = append(r.given, server.Route(w))
		}
	}
	for _, w := range r.given {
		r.until = min(r.until, w.Until)
		list = append(list, netif.Route{Prefix: w.Prefix, Gateway: w.Via, Ifindex: w.Ifindex, Metric: r.metric})
	}
	return list
}

// update brings the routes of a binding in line that an event tells of.
func (r *routes) update(now lease.Time, owner routeOwner) {
	key := owner.key
	if key.Kind != lease.Prefix {
		return
	}
	old := r.of[owner]
	r.want = r.wanted(r.want[:0], now, owner.relayed, r.table(owner.relayed).Link(owner.link).Lookup([]byte(key.DUID), key.IAID, key.Kind))
	want := r.want
	if slices.Equal(old, want) {
		return
	}
	for _, route := range old {
		if !slices.Contains(want, route) {
			r.tell(r.kernel.Delete(route))
			if r.shared { // it may be another's now
				r.retry = r.clocks.now()
			}
		}
	}
	for _, route := range want {
		if slices.Contains(old, route) {
			continue
		}
		switch err := r.kernel.Add(route); {
		case errors.Is(err, unix.EEXIST) && r.isHeld(route.Prefix):
			r.retry = r.clocks.now() // sync says whose it is
		default:
			r.tell(err)
		}
	}
	if r.of[owner] = slices.Clone(want); len(want) == 0 {
		delete(r.of, owner)
	}
}

// isHeld reports whether a binding has a route to the prefix.
func (r *routes) isHeld(p netip.Prefix) bool {
	for _, list := range r.of {
		if slices.ContainsFunc(list, func(route netif.Route) bool { return route.Prefix == p }) {
			return true
		}
	}
	return false
}

// sync brings all routes in line, those that an earlier lan6d has left too. A prefix that a relayed client was given, and a
// client of the server's too, is the latter's: what the server gives out is ours now.
func (r *routes) sync(now lease.Time) {
	r.of, r.until, r.retry, r.shared = make(map[routeOwner][]netif.Route), lease.Never, time.Time{}, false
	var all []netif.Route
	given := make(map[netip.Prefix]bool)
	for _, relayed := range [...]bool{false, true} {
		for _, route := range all {
			given[route.Prefix] = true
		}
		isGiven := func(route netif.Route) bool { return given[route.Prefix] }
		for _, l := range r.table(relayed).Links() {
			for b := range l.Prefixes() {
				want := r.wanted(nil, now, relayed, b)
				r.shared = r.shared || slices.ContainsFunc(want, isGiven)
				if want = slices.DeleteFunc(want, isGiven); len(want) > 0 {
					r.of[routeOwner{relayed, l.Name, b.Key}] = want
					all = append(all, want...)
				}
			}
		}
	}
	_, _, errs := r.kernel.Sync(all)
	for _, err := range errs {
		r.tell(err)
	}
	if len(errs) == 0 {
		r.said = ""
	}
}

// tell logs a failure, unless it is the last one again, and has all routes looked at again soon.
func (r *routes) tell(err error) {
	if err == nil {
		return
	}
	r.retry = r.clocks.now().Add(retryInterval)
	text := err.Error()
	if errors.Is(err, unix.EPERM) {
		text = "no routes to delegated prefixes: lan6d needs to run as root, or with the capability NET_ADMIN"
	}
	if r.said != text {
		r.said = text
		r.log.errorf("%s", text)
	}
}

// next is when sync is needed next; the zero time: not by itself.
func (r *routes) next() time.Time {
	at := r.retry
	if r.until != lease.Never {
		if end := r.server.Table().Wall(r.until); at.IsZero() || end.Before(at) {
			at = end
		}
	}
	return at
}
