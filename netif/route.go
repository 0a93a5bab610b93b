package netif

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
)

// RouteProtocol is the rtm_protocol of all routes that lan6d installs: 109,
// 0x6d. It tells them from everybody else's.
const RouteProtocol = 0x6d

// DefaultRouteMetric is the metric that the kernel gives to a route without
// one.
const DefaultRouteMetric = 1024

// A Route is an IPv6 unicast route of the main table.
type Route struct {
	Prefix  netip.Prefix // what follows its length is ignored
	Gateway netip.Addr   // link-local or global, without zone; zero if the destinations are on the link itself
	Ifindex int
	Metric  uint32 // 0 stands for DefaultRouteMetric
}

// String describes the route, but for its metric, as it is named in errors.
func (r Route) String() string {
	s := "route " + r.Prefix.String()
	if r.Gateway.IsValid() {
		s += " via " + r.Gateway.String()
	}
	return s + " on interface " + strconv.Itoa(r.Ifindex)
}

var errRoute = errors.New("not an IPv6 route with an interface")

// normal returns the route as the kernel tells of it.
func (r Route) normal() (Route, error) {
	gateway := r.Gateway.Is6() || !r.Gateway.IsValid()
	if !r.Prefix.IsValid() || !r.Prefix.Addr().Is6() || !gateway || r.Ifindex <= 0 {
		return r, errRoute // interface 0 would stand for any
	}
	r.Prefix = r.Prefix.Masked()
	r.Gateway = r.Gateway.WithZone("")
	if r.Metric == 0 {
		r.Metric = DefaultRouteMetric // 0 in a request to delete would stand for any
	}
	return r, nil
}

// message is the data of a request to add or delete the route.
func (r Route) message() []byte {
	b := make([]byte, unix.SizeofRtMsg, 80)
	b[0] = unix.AF_INET6
	b[1] = byte(r.Prefix.Bits())
	b[4] = unix.RT_TABLE_MAIN
	b[5] = RouteProtocol
	b[6] = unix.RT_SCOPE_UNIVERSE
	b[7] = unix.RTN_UNICAST
	b = appendAddrAttr(b, unix.RTA_DST, r.Prefix.Addr())
	if r.Gateway.IsValid() {
		b = appendAddrAttr(b, unix.RTA_GATEWAY, r.Gateway)
	}
	b = appendUint32Attr(b, unix.RTA_OIF, uint32(r.Ifindex))
	return appendUint32Attr(b, unix.RTA_PRIORITY, r.Metric)
}

func appendAddrAttr(b []byte, kind uint16, a netip.Addr) []byte {
	octets := a.As16()
	b = binary.NativeEndian.AppendUint16(b, unix.SizeofRtAttr+16)
	b = binary.NativeEndian.AppendUint16(b, kind)
	return append(b, octets[:]...)
}

func appendUint32Attr(b []byte, kind uint16, v uint32) []byte {
	b = binary.NativeEndian.AppendUint16(b, unix.SizeofRtAttr+4)
	b = binary.NativeEndian.AppendUint16(b, kind)
	return binary.NativeEndian.AppendUint32(b, v)
}

// Routes lists and changes lan6d's own routes, those of RouteProtocol. It is
// for one goroutine.
type Routes struct {
	conn *routeConn
}

// OpenRoutes returns the routes of a network namespace given by its file
// descriptor, or of the caller's if that is 0.
func OpenRoutes(netns int) (*Routes, error) {
	conn, err := dialRoute(0, netns)
	if err != nil {
		return nil, err
	}
	return &Routes{conn: conn}, nil
}

// Close closes the socket. The routes stay.
func (r *Routes) Close() error { return r.conn.Close() }

// Add adds a route. It does not replace one of the same prefix and metric,
// whoever that is of: the error wraps EEXIST then.
func (r *Routes) Add(route Route) error {
	err := r.request(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, route)
	if err != nil {
		return tinyfmt.Errorf("%s: %w", route.String(), err)
	}
	return nil
}

// Delete deletes a route that Add has added. It is no error if that is gone
// already.
func (r *Routes) Delete(route Route) error {
	err := r.request(unix.RTM_DELROUTE, 0, route)
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return tinyfmt.Errorf("%s: %w", route.String(), err)
	}
	return nil
}

// request asks the kernel for a change of a route and waits for the answer.
func (r *Routes) request(kind, flags uint16, route Route) error {
	route, err := route.normal()
	if err != nil {
		return err
	}
	_, err = r.conn.ask(kind, unix.NLM_F_ACK|flags, route.message())
	return err
}

// Toward returns the index of the interface by which datagrams to an address
// leave, as the kernel's routes and rules have it now.
func (r *Routes) Toward(to netip.Addr) (ifindex int, err error) {
	request := make([]byte, unix.SizeofRtMsg, 32)
	request[0], request[1] = unix.AF_INET6, 128
	m, err := r.conn.ask(unix.RTM_GETROUTE, 0, appendAddrAttr(request, unix.RTA_DST, to))
	if err == nil {
		ifindex, err = outgoing(m.Data)
	}
	if err != nil {
		return 0, tinyfmt.Errorf("route to %v: %w", to, err)
	}
	return ifindex, nil
}

// outgoing reads the interface in the data of an RTM_NEWROUTE message.
func outgoing(b []byte) (ifindex int, err error) {
	if len(b) < unix.SizeofRtMsg {
		return 0, errShortRoute
	}
	ad := attributes{rest: b[unix.SizeofRtMsg:]}
	for ad.Next() {
		if ad.Type() == unix.RTA_OIF {
			ifindex = int(ad.Uint32())
		}
	}
	if b[7] != unix.RTN_UNICAST || ifindex == 0 { // unreachable, or an address of our own
		return 0, unix.ENETUNREACH
	}
	return ifindex, ad.Err()
}

var errRoutesChange = errors.New("list routes: they change all the time")

// List returns the kernel's routes of RouteProtocol: unicast, in the main
// table, one for each next hop.
func (r *Routes) List() ([]Route, error) {
	request := make([]byte, unix.SizeofRtMsg)
	request[0] = unix.AF_INET6
	for range dumpAttempts {
		var routes []Route
		var bad error
		if err := r.conn.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
			return nil, err
		}
		whole, err := r.conn.dump(unix.RTM_GETROUTE, request, func(m message) {
			var err error
			if m.Type == unix.RTM_NEWROUTE {
				routes, err = appendRoutes(routes, m.Data)
			}
			if err != nil {
				bad = err
			}
		})
		if err == nil {
			err = bad
		}
		if err != nil {
			return nil, tinyfmt.Errorf("list routes: %w", err)
		}
		if whole {
			return routes, nil
		}
	}
	// Part of them would not do: Sync would add what is there.
	return nil, errRoutesChange
}

// Sync makes the kernel's routes of RouteProtocol those that are wanted. Stale
// ones go first: the kernel takes no second route of the same prefix and
// metric. It returns how many it has added and deleted, and all that went
// wrong; errors of single routes do not keep it from the others.
func (r *Routes) Sync(wanted []Route) (added, deleted int, errs []error) {
	listed, err := r.List()
	if err != nil {
		return 0, 0, []error{err}
	}
	missing := make(map[Route]bool, len(wanted))
	for _, route := range wanted {
		if n, err := route.normal(); err == nil {
			missing[n] = true
		} else {
			errs = append(errs, tinyfmt.Errorf("%s: %w", route.String(), err))
		}
	}
	for _, route := range listed {
		if _, keep := missing[route]; keep {
			missing[route] = false
		} else if err := r.Delete(route); err != nil {
			errs = append(errs, err)
		} else {
			deleted++
		}
	}
	for _, route := range wanted { // in its order, which that of the map is not
		n, _ := route.normal()
		if !missing[n] {
			continue
		}
		missing[n] = false // it may be wanted twice
		if err := r.Add(n); err != nil {
			errs = append(errs, err)
		} else {
			added++
		}
	}
	return added, deleted, errs
}

var (
	errShortRoute   = errors.New("route message shorter than its header")
	errNoRoute      = errors.New("route message without an IPv6 prefix")
	errShortNexthop = errors.New("route message with a next hop of a wrong length")
)

// appendRoutes reads the data of an RTM_NEWROUTE message and appends the
// routes in it, if they are of the kind that Add adds.
func appendRoutes(routes []Route, b []byte) ([]Route, error) {
	if len(b) < unix.SizeofRtMsg {
		return routes, errShortRoute
	}
	// One for a source prefix is not ours. A clone is what the kernel has
	// learnt of one destination: it goes with its route.
	if b[0] != unix.AF_INET6 || b[2] != 0 || b[5] != RouteProtocol || b[7] != unix.RTN_UNICAST ||
		binary.NativeEndian.Uint32(b[8:])&unix.RTM_F_CLONED != 0 {
		return routes, nil
	}
	dst, table := netip.IPv6Unspecified(), uint32(b[4])
	var route Route
	var nexthops []byte
	ad := attributes{rest: b[unix.SizeofRtMsg:]}
	for ad.Next() {
		switch ad.Type() {
		case unix.RTA_DST:
			dst, _ = netip.AddrFromSlice(ad.Bytes())
		case unix.RTA_GATEWAY:
			route.Gateway, _ = netip.AddrFromSlice(ad.Bytes())
		case unix.RTA_OIF:
			route.Ifindex = int(ad.Uint32())
		case unix.RTA_PRIORITY:
			route.Metric = ad.Uint32()
		case unix.RTA_TABLE: // all 32 bits of it; the header has room for 8
			table = ad.Uint32()
		case unix.RTA_MULTIPATH:
			nexthops = ad.Bytes()
		}
	}
	if err := ad.Err(); err != nil {
		return routes, err
	}
	if table != unix.RT_TABLE_MAIN {
		return routes, nil
	}
	if route.Prefix = netip.PrefixFrom(dst, int(b[1])); !dst.Is6() || !route.Prefix.IsValid() {
		return routes, errNoRoute
	}
	if nexthops == nil {
		return append(routes, route), nil
	}
	return appendNexthops(routes, route, nexthops)
}

// appendNexthops appends the route by way of each of its next hops: the value
// of RTA_MULTIPATH, a list of struct rtnexthop, each with attributes.
func appendNexthops(routes []Route, route Route, b []byte) ([]Route, error) {
	for len(b) > 0 {
		if len(b) < unix.SizeofRtNexthop {
			return routes, errShortNexthop
		}
		length := int(binary.NativeEndian.Uint16(b))
		if length < unix.SizeofRtNexthop || length > len(b) {
			return routes, errShortNexthop
		}
		route.Ifindex = int(binary.NativeEndian.Uint32(b[4:]))
		route.Gateway = netip.Addr{}
		ad := attributes{rest: b[unix.SizeofRtNexthop:length]}
		for ad.Next() {
			if ad.Type() == unix.RTA_GATEWAY {
				route.Gateway, _ = netip.AddrFromSlice(ad.Bytes())
			}
		}
		if err := ad.Err(); err != nil {
			return routes, err
		}
		routes = append(routes, route)
		b = b[min((length+3)&^3, len(b)):]
	}
	return routes, nil
}
