package main

import (
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/netif"
	"lan6d/openwrt"
	"lan6d/relay"
)

// pathInterval is how often the ways to unicast servers are looked up again: nothing tells when routes change.
const pathInterval = 10 * time.Second

// relaying is what the daemon needs to be a relay agent.
type relaying struct {
	*relay.Relay
	store      *store // of the prefixes that relayed clients are delegated
	neighbours *netif.Neighbours
	copies     []byte       // scratch of forward
	unicast    []netip.Addr // servers to which the kernel must tell the way
	paths      []relay.Path // as looked up last
	lookup     time.Time    // when to look again; zero: no need
	failed     string       // what went wrong then, as it was logged
	suspects   []suspect    // in the order of their times
	silence    silence
}

// suspect is a next hop that may have gone: another has come with what it holds.
type suspect struct {
	link string
	via  netip.Addr
	due  time.Time // when the kernel will know
}

// The kernel asks three times, a second apart, after up to five seconds in which it is confident.
const (
	suspectTime = 10 * time.Second
	maxSuspects = 64
)

// forward relays a message of a client's, or of a relay agent behind us, to the servers.
func (d *daemon) forward(now time.Time, in *netif.Datagram) error {
	payload, to, err := d.relay.Forward(now, relayed(in), d.buffer())
	d.asked(now, err)
	if err != nil {
		return err
	}
	if len(to) > 1 {
		d.relay.copies = append(d.relay.copies[:0], payload...)
	}
	for i := range to {
		if i > 0 {
			copy(d.buffer(), d.relay.copies)
		}
		d.post(to[i].Ifindex, len(payload), to[i].Peer, to[i].Local)
	}
	return nil
}

// giveBack relays what a server sends to the client.
func (d *daemon) giveBack(now time.Time, in *netif.Datagram) error {
	out, err := d.relay.Return(now, relayed(in), d.buffer())
	d.answered(in.Payload, err)
	if err == nil {
		d.post(out.Ifindex, len(out.Payload), out.Peer, out.Local)
	}
	return err
}

func relayed(in *netif.Datagram) relay.Datagram {
	return relay.Datagram{Payload: in.Payload, Ifindex: in.Ifindex, Peer: in.From, Local: in.To}
}

// delegated reports whether a prefix is delegated to a master interface. Where netifd does not tell, it is taken for
// delegated if an interface beside it has a global prefix to give from.
func (d *daemon) delegated(master *openwrt.Interface) bool {
	if master.Known {
		return master.Delegated
	}
	for i := range d.config.Interfaces {
		c := &d.config.Interfaces[i]
		if c.Master || c.Mode != openwrt.Hybrid {
			continue
		}
		if link, ok := d.snapshot.LinkByName(c.DeviceName()); ok && hasGlobal(link) {
			return true
		}
	}
	return false
}

// hasGlobal reports whether a link has an address of a global prefix that its clients could use.
func hasGlobal(l netif.Link) bool {
	for _, a := range l.Addrs {
		ip := a.Prefix.Addr()
		if a.Usable() && !a.Flags.Has(netif.Temporary|netif.Deprecated) && ip.IsGlobalUnicast() && !ip.IsPrivate() && a.Prefix.Bits() < 128 {
			return true
		}
	}
	return false
}

// configureRelay tells the relay agent of its configuration, if that has changed, and of the links.
func (d *daemon) configureRelay(now time.Time) {
	if d.changed {
		config := d.config.RelayConfig()
		config.LinkLayer = d.linkLayer
		d.relay.unicast = d.relay.unicast[:0]
		for _, s := range config.Servers {
			if s.Interface == "" && !s.Addr.IsMulticast() {
				d.relay.unicast = append(d.relay.unicast, s.Addr)
			}
		}
		d.relay.SetConfig(now, config)
		d.relay.silence = silence{}
	}
	d.relay.SetLinks(now, d.relayLinks())
	d.relay.lookup = time.Time{}
	d.findPaths(now)
}

// findPaths asks the kernel by which interfaces the unicast servers are reached, again and again.
func (d *daemon) findPaths(now time.Time) {
	r := &d.relay
	if len(r.unicast) == 0 || r.lookup.After(now) {
		return
	}
	r.paths, r.lookup = r.paths[:0], now.Add(pathInterval)
	failed := ""
	for _, server := range r.unicast {
		ifindex, err := d.routes.kernel.Toward(server)
		switch {
		case err == nil:
			r.paths = append(r.paths, relay.Path{Server: server, Ifindex: ifindex})
		case !errors.Is(err, unix.ENETUNREACH) && !errors.Is(err, unix.EHOSTUNREACH):
			failed = err.Error()
		}
	}
	if failed != r.failed && failed != "" {
		d.log.warnf("relay: %s", failed)
	}
	r.failed = failed
	r.SetPaths(now, r.paths)
}

// suspect has the kernel find out whether a next hop has gone.
func (d *daemon) suspect(now time.Time, e *relay.Event) {
	r := &d.relay
	s := d.served[e.Link]
	if s == nil || len(r.suspects) == maxSuspects {
		return
	}
	for _, k := range r.suspects {
		if k.link == e.Link && k.via == e.Via {
			return // two rivals that take turns are no reason to ask the kernel all the time
		}
	}
	if err := r.neighbours.Probe(s.link.Index, e.Via); err != nil {
		d.log.debugf("%s: %v", e.Link, err)
		return
	}
	r.suspects = append(r.suspects, suspect{e.Link, e.Via, now.Add(suspectTime)})
}

// clearSuspects tells the relay agent which next hops have gone.
func (d *daemon) clearSuspects(now time.Time) {
	r := &d.relay
	for len(r.suspects) > 0 && !r.suspects[0].due.After(now) {
		k := r.suspects[0]
		r.suspects = r.suspects[1:]
		if s := d.served[k.link]; s != nil && r.neighbours.LinkLayer(s.link.Index, k.via) == nil {
			r.NextHopGone(now, k.link, k.via)
		}
	}
}

// due is when the relay agent's outer world needs a look next; the zero time: not by itself.
func (r *relaying) due() time.Time {
	if len(r.suspects) > 0 {
		return earliest(r.lookup, r.suspects[0].due)
	}
	return r.lookup
}

// linkLayer is the link-layer address of a neighbour, for servers that want to know it.
func (d *daemon) linkLayer(ifindex int, neighbour netip.Addr) (hardwareType uint16, address []byte) {
	link, ok := d.snapshot.Link(ifindex)
	if !ok {
		return 0, nil
	}
	return link.Type, d.relay.neighbours.LinkLayer(ifindex, neighbour)
}

// relayLinks is the last snapshot as the relay agent wants it: those with a part to play under their logical names.
func (d *daemon) relayLinks() (links []relay.Link) {
	names := d.names()
	for _, l := range d.snapshot.Links {
		link := relay.Link{Name: names[l.Index], Ifindex: l.Index, LinkLocal: l.LinkLocal()}
		for _, a := range l.Addrs {
			preferred, _ := a.PreferredUntil()
			valid, _ := a.ValidUntil()
			link.Addresses = append(link.Addresses, relay.LinkAddress{
				Prefix: a.Prefix, Preferred: preferred, Valid: valid, Unready: unready(a),
			})
		}
		links = append(links, link)
	}
	return links
}
