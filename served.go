package main

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/netif"
	"lan6d/openwrt"
)

// retryInterval is how long to wait before trying again to open a socket that could not be opened.
const retryInterval = 10 * time.Second

// served is an interface that the configuration wants served or relayed.
type served struct {
	name   string // logical
	device string
	role   openwrt.Mode  // Server or Relay
	master bool          // of relaying: the side of the servers
	socket *netif.Socket // nil: not served at the moment
	link   netif.Link    // as of the last snapshot; Index 0: the device is not there
	missed string        // what was said of the device that is not there
	shared string        // what was said of addresses of the router's that other nodes have, too
	err    error         // why there is no socket although the device is there
	retry  time.Time     // when to try again; zero: no need
}

func (s *served) close() {
	if s.socket != nil {
		s.socket.Close()
		s.socket = nil
	}
}

// configure brings the sockets, the server and the relay agent in line with the configuration and the last snapshot of the
// interfaces.
func (d *daemon) configure() {
	if d.config.ResolveModes(d.delegated) {
		d.changed = true
	}
	wanted := make(map[string]*served)
	for i := range d.config.Interfaces {
		if c := &d.config.Interfaces[i]; c.Role != openwrt.Disabled {
			wanted[c.Name] = d.wanted(c)
		}
	}
	for name, s := range d.served {
		if wanted[name] != s && s.socket != nil {
			s.close()
			d.log.infof("%s: no longer served", name)
			d.announceInterface(name, s.device, "no longer served")
		}
	}
	d.served = wanted
	d.setDUID()
	for _, s := range d.served {
		d.follow(s)
	}
	d.index()
	now := d.clocks.now()
	if d.changed {
		config := d.config.ServerConfig()
		config.DUID = d.duid
		config.Random = random
		d.server.SetConfig(now, config)
	}
	d.server.SetLinks(now, d.links())
	d.configureRelay(now)
	d.changed = false
}

// wanted is the entry of an interface: the one it has, unless it is to have another socket.
func (d *daemon) wanted(c *openwrt.Interface) *served {
	master := c.Master && c.Role == openwrt.Relay
	s := d.served[c.Name]
	if s == nil || s.device != c.DeviceName() || s.master != master {
		return &served{name: c.Name, device: c.DeviceName(), role: c.Role, master: master}
	}
	if s.role != c.Role {
		s.role = c.Role
		if s.socket != nil {
			d.log.infof("%s: from now on %s", s.name, s.work())
			d.announceInterface(s.name, s.device, s.work())
		}
	}
	return s
}

// work is what is done on the interface.
func (s *served) work() string {
	switch {
	case s.master:
		return "relaying to servers"
	case s.role == openwrt.Relay:
		return "relaying from clients"
	}
	return "serving"
}

// index notes which interfaces have sockets.
func (d *daemon) index() {
	clear(d.sockets)
	for _, s := range d.served {
		if s.socket != nil {
			d.sockets[s.socket.Ifindex()] = s
		}
	}
}

// setDUID decides on the server's DUID, once there is something to make it from.
func (d *daemon) setDUID() {
	if configured := d.config.Server.DUID; configured != nil {
		d.duid = configured
		return
	}
	if d.ownDUID == nil {
		var err error
		if d.ownDUID, err = serverDUID(d.options.stateDir, d.server.NotedDUID(), d.servedLinks()); err != nil {
			d.log.errorf("server DUID: %v", err)
		}
	}
	d.duid = d.ownDUID
}

// servedLinks are the links of served interfaces in the order of the configuration, then all others.
func (d *daemon) servedLinks() (links []netif.Link) {
	for i := range d.config.Interfaces {
		if s := d.served[d.config.Interfaces[i].Name]; s != nil {
			if link, ok := d.snapshot.LinkByName(s.device); ok {
				links = append(links, link)
			}
		}
	}
	return append(links, d.snapshot.Links...)
}

// follow opens, keeps or closes an interface's socket as its link demands.
func (d *daemon) follow(s *served) {
	was := s.link
	link, ok := d.snapshot.LinkByName(s.device)
	s.link = link
	switch {
	case !ok:
		d.miss(s)
		s.close()
		s.err, s.retry, s.shared = nil, time.Time{}, ""
		return
	case s.socket != nil && s.socket.Ifindex() != link.Index:
		s.close()
	case s.socket != nil && link.Restarts != was.Restarts:
		if err := s.socket.Rejoin(); err != nil {
			d.log.warnf("%s: %v", s.name, err)
			s.close()
		}
	}
	s.missed = ""
	if shared := s.sharedAddresses(); shared != s.shared {
		if s.shared = shared; shared != "" {
			d.log.warnf("%s", shared)
		}
	}
	if s.socket == nil {
		d.listen(s)
	}
	if link.Running != was.Running && was.Index == link.Index {
		state := map[bool]string{true: "running", false: "down"}[link.Running]
		d.log.infof("%s: %s is %s", s.name, s.device, state)
		d.announceInterface(s.name, s.device, state)
	}
}

// miss logs why an interface has no device, where that is new.
func (d *daemon) miss(s *served) {
	why := d.absence(s.name)
	switch {
	case why == s.missed:
		return
	case why == untold:
		d.log.infof("%s: %s", s.name, why)
	default:
		d.log.warnf("%s: %s", s.name, why)
	}
	s.missed = why
	d.announceInterface(s.name, s.device, "no device")
}

// sharedAddresses says which addresses of the router's failed duplicate address detection.
func (s *served) sharedAddresses() string {
	var list []string
	for _, a := range s.link.Addrs {
		if a.Flags.Has(netif.DADFailed) {
			list = append(list, a.Prefix.String())
		}
	}
	if list == nil {
		return ""
	}
	return s.name + ": another node has " + strings.Join(list, ", ") +
		", too (duplicate address detection): neither the address is used nor its prefix"
}

// untold is how it is at each start: no reason to worry yet.
const untold = "waiting for netifd to name its device"

// absence says why an interface has no device.
func (d *daemon) absence(name string) string {
	c := d.config.Interface(name)
	switch {
	case c.Down:
		return "netifd says that the interface is down: waiting for it"
	case c.Known:
		return "there is no device " + c.Device + ": waiting for it"
	case c.Device == "" && d.networks() != nil:
		return "netifd knows no interface " + name + ", and there is no device of that name: waiting for it"
	case c.Device == "" && d.bus.Client != nil && !d.bus.absent:
		return untold
	}
	if c.Device != "" {
		return "there is no device " + c.Device + ": waiting for it"
	}
	return "there is no device " + c.DeviceName() + ": waiting for it (option ifname names another)"
}

// listen opens the interface's socket and starts its receiver. A failure is logged when it is new, and tried again.
func (d *daemon) listen(s *served) {
	// Relay agents behind this one may send to the servers' group.
	groups := []netip.Addr{dhcpv6.AllRelayAgentsAndServers, dhcpv6.AllServers}
	if s.master {
		groups = nil
	}
	socket, err := netif.Listen(netif.Config{Name: s.device, Ifindex: s.link.Index, Groups: groups})
	if err != nil {
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			err = tinyfmt.Errorf("%w: lan6d needs to run as root, or with the capabilities NET_BIND_SERVICE and NET_RAW", err)
		}
		if s.err == nil || s.err.Error() != err.Error() {
			d.log.errorf("%s: not served: %v", s.name, err)
			d.announceInterface(s.name, s.device, "not served")
		}
		s.err, s.retry = err, d.clocks.now().Add(retryInterval)
		return
	}
	s.socket, s.err, s.retry = socket, nil, time.Time{}
	go func() {
		if err := socket.Feed(d.batches, d.report); !errors.Is(err, os.ErrClosed) {
			d.report(tinyfmt.Errorf("%s: receiving ended: %w", s.device, err))
			d.lost <- socket
		}
	}()
	d.log.infof("%s: %s, on device %s", s.name, s.work(), s.device)
	d.announceInterface(s.name, s.device, s.work())
}

// drop closes a socket that receives no more, and has it opened anew later.
func (d *daemon) drop(socket *netif.Socket) {
	for _, s := range d.served {
		if s.socket == socket {
			s.close()
			s.retry = d.clocks.now().Add(retryInterval)
		}
	}
	d.index()
}

// retry opens the sockets that could not be opened, where it is time to.
func (d *daemon) retry() {
	now := d.clocks.now()
	for _, s := range d.served {
		if !s.retry.IsZero() && !s.retry.After(now) {
			d.listen(s)
		}
	}
	d.index()
}

// nextRetry is when retry is needed next; the zero time: not at all.
func (d *daemon) nextRetry() (next time.Time) {
	for _, s := range d.served {
		if !s.retry.IsZero() && (next.IsZero() || s.retry.Before(next)) {
			next = s.retry
		}
	}
	return next
}

// names are the logical names of the interfaces with a part to play, by index.
func (d *daemon) names() map[int]string {
	names := make(map[int]string)
	for _, s := range d.served {
		if s.link.Index != 0 {
			names[s.link.Index] = s.name
		}
	}
	return names
}

// links is the last snapshot as the server wants it: interfaces under their logical names, the others without one, for the
// server must know which prefixes they use.
func (d *daemon) links() (links []server.Link) {
	names := d.names()
	for _, l := range d.snapshot.Links {
		links = append(links, server.Link{
			Name: names[l.Index], Ifindex: l.Index, LinkLocal: l.LinkLocal(), Addresses: addresses(l.Addrs),
		})
	}
	return links
}

// addresses are an interface's as the server wants them.
func addresses(addrs []netif.Addr) (list []server.LinkAddress) {
	for _, a := range addrs {
		preferred, _ := a.PreferredUntil()
		valid, _ := a.ValidUntil()
		list = append(list, server.LinkAddress{
			Prefix: a.Prefix, Preferred: preferred, Valid: valid, Unready: unready(a),
			Tentative: !a.Usable() && !a.Flags.Has(netif.DADFailed),
		})
	}
	return list
}

// unready reports whether an address is of no use: a tentative one may turn out to be a duplicate, a temporary one
// (RFC 8981) is not the router's for long.
func unready(a netif.Addr) bool { return !a.Usable() || a.Flags.Has(netif.Temporary) }
