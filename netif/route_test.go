package netif

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/netif/netnstest"
)

// routed is a link and the routes of its namespace.
type routed struct {
	*Routes
	ns    *netnstest.NS
	index int
}

// openRoutes makes a namespace with the interface lan0, which has an address
// of 2001:db8::/64, and opens its routes.
func openRoutes(t *testing.T) *routed {
	t.Helper()
	ns := netnstest.New(t)
	netnstest.Link(t, ns, "lan0", netnstest.New(t), "eth0")
	ns.AddAddr(t, "lan0", "2001:db8::1/64")
	r, err := OpenRoutes(ns.FD())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return &routed{Routes: r, ns: ns, index: ns.Ifindex(t, "lan0")}
}

// route makes a route by way of lan0.
func (r *routed) route(prefix, gateway string) Route {
	return Route{netip.MustParsePrefix(prefix), netip.MustParseAddr(gateway), r.index, DefaultRouteMetric}
}

// check compares the routes, in any order.
func (r *routed) check(t *testing.T, want ...Route) {
	t.Helper()
	got, err := r.List()
	if err != nil {
		t.Fatal(err)
	}
	wrong := len(got) != len(want)
	for _, route := range want {
		wrong = wrong || !slices.Contains(got, route)
	}
	if wrong {
		t.Errorf("routes %v, not %v", got, want)
	}
}

// sync fails the test if Sync does not do what it should, without errors.
func (r *routed) sync(t *testing.T, added, deleted int, wanted ...Route) {
	t.Helper()
	a, d, errs := r.Sync(wanted)
	if a != added || d != deleted || errs != nil {
		t.Errorf("added %d, deleted %d, %v, not %d and %d", a, d, errs, added, deleted)
	}
	r.check(t, wanted...)
}

// shown is what the program ip says about the routes to a prefix.
func (r *routed) shown(t *testing.T, prefix string) string {
	t.Helper()
	return r.ns.IP(t, "route show "+prefix)
}

func TestRouteAddDelete(t *testing.T) {
	r := openRoutes(t)
	r.check(t)
	local := r.route("2001:db8:0:10::/60", "fe80::1")
	global := r.route("2001:db8:0:20::/60", "2001:db8::2")
	def := r.route("::/0", "fe80::2")
	onLink := Route{netip.MustParsePrefix("2001:db8:0:30::/64"), netip.Addr{}, r.index, 77}
	all := []Route{local, global, def, onLink}
	for _, route := range all {
		if err := r.Add(route); err != nil {
			t.Error(err)
		}
		if err := r.Add(route); !errors.Is(err, unix.EEXIST) {
			t.Errorf("%v added twice: %v", route, err)
		}
	}
	r.check(t, all...)
	contains(t, r.shown(t, "2001:db8:0:10::/60"), "via fe80::1 dev lan0 proto 109 metric 1024")
	contains(t, r.shown(t, "2001:db8:0:20::/60"), "via 2001:db8::2 dev lan0 proto 109 metric 1024")
	for i, route := range all {
		for range 2 { // the second time it is gone already
			if err := r.Delete(route); err != nil {
				t.Error(err)
			}
		}
		r.check(t, all[i+1:]...)
	}
}

func TestRouteNormal(t *testing.T) {
	r := openRoutes(t)
	loose := Route{netip.MustParsePrefix("2001:db8:0:1f::1/60"), netip.MustParseAddr("fe80::1%lan0"), r.index, 0}
	if a, d, errs := r.Sync([]Route{loose, loose}); a != 1 || d != 0 || errs != nil {
		t.Error(a, d, errs)
	}
	if a, d, errs := r.Sync([]Route{loose}); a != 0 || d != 0 || errs != nil {
		t.Error(a, d, errs)
	}
	r.check(t, r.route("2001:db8:0:10::/60", "fe80::1"))
	if err := r.Delete(loose); err != nil {
		t.Error(err)
	}
	r.check(t)
}

func TestRouteErrors(t *testing.T) {
	r := openRoutes(t)
	missing := r.route("2001:db8:0:10::/60", "fe80::1")
	missing.Ifindex = 4711
	err := r.Add(missing)
	if !errors.Is(err, unix.ENODEV) {
		t.Errorf("interface missing: %v", err)
	}
	contains(t, fmt.Sprint(err), "route 2001:db8:0:10::/60 via fe80::1 on interface 4711: ")
	good := r.route("2001:db8:0:30::/60", "fe80::1")
	a, d, errs := r.Sync([]Route{{}, r.route("192.0.2.0/24", "fe80::1"), r.route("2001:db8::/60", "192.0.2.1"), missing,
		{Prefix: missing.Prefix}, r.route("2001:db8:0:20::/60", "2001:db8:ffff::1"), good})
	if a != 1 || d != 0 || len(errs) != 6 {
		t.Errorf("added %d, deleted %d, %v", a, d, errs)
	}
	r.check(t, good)
	if err := r.Delete(Route{}); !errors.Is(err, errRoute) {
		t.Error(err)
	}
	r.Close()
	if _, _, errs := r.Sync(nil); len(errs) != 1 {
		t.Errorf("closed: %v", errs)
	}
	if _, err := OpenRoutes(1 << 20); err == nil {
		t.Error("a namespace that is none")
	}
}

// Who has the same prefix and metric keeps it.
func TestRouteOfOthers(t *testing.T) {
	r := openRoutes(t)
	const a, b = "2001:db8:0:10::/60", "2001:db8:0:20::/60"
	r.ns.IP(t, "route add "+a+" via fe80::9 dev lan0 proto static metric 1024",
		"route add "+b+" via fe80::1 dev lan0 proto static metric 2048",
		"route add unreachable 2001:db8:0:30::/60 proto 109 metric 1024",
		"route add 2001:db8:0:40::/60 via fe80::1 dev lan0 proto 109 metric 1024 table 1000")
	before := r.ns.IP(t, "route show table all")
	if err := r.Add(r.route(a, "fe80::1")); !errors.Is(err, unix.EEXIST) {
		t.Errorf("the same prefix and metric: %v", err)
	}
	other := r.route(b, "fe80::1")
	other.Metric = 2048
	for _, route := range []Route{r.route(a, "fe80::9"), other, r.route("2001:db8:0:40::/60", "fe80::1")} {
		if err := r.Delete(route); err != nil {
			t.Error(err)
		}
	}
	r.sync(t, 0, 0)
	if _, _, errs := r.Sync([]Route{r.route(a, "fe80::1")}); len(errs) != 1 || !errors.Is(errs[0], unix.EEXIST) {
		t.Errorf("the same prefix and metric: %v", errs)
	}
	r.sync(t, 1, 0, r.route(b, "fe80::1"))
	r.sync(t, 0, 1)
	if after := r.ns.IP(t, "route show table all"); after != before {
		t.Errorf("routes changed:\n%s\n%s", before, after)
	}
}

func TestRouteSync(t *testing.T) {
	r := openRoutes(t)
	a, b := r.route("2001:db8:0:10::/60", "fe80::1"), r.route("2001:db8:0:20::/60", "fe80::2")
	c := r.route("2001:db8:0:30::/60", "fe80::3")
	r.sync(t, 2, 0, a, b)
	r.sync(t, 0, 0, a, b)
	r.sync(t, 1, 1, b, c)
	moved := r.route("2001:db8:0:20::/60", "fe80::4")
	r.sync(t, 1, 1, c, moved)
	r.sync(t, 0, 0, moved, c)
	r.ns.IP(t, "link set lan0 down")
	r.check(t)
	r.ns.IP(t, "link set lan0 up")
	r.sync(t, 2, 0, c, moved)
	r.sync(t, 0, 2)
}

// More than fits into one datagram.
func TestRouteSyncMany(t *testing.T) {
	r := openRoutes(t)
	var many []Route
	for i := range 2000 {
		many = append(many, r.route(fmt.Sprintf("2001:db8:1:%x::/64", i), "fe80::1"))
	}
	start := time.Now()
	r.sync(t, len(many), 0, many...)
	r.sync(t, 0, 1000, many[:1000]...)
	t.Logf("%v", time.Since(start))
}

func TestRouteMultipath(t *testing.T) {
	r := openRoutes(t)
	const prefix = "2001:db8:0:10::/60"
	r.ns.IP(t, "route add "+prefix+" proto 109 metric 1024 nexthop via fe80::1 dev lan0 nexthop via fe80::2 dev lan0")
	r.check(t, r.route(prefix, "fe80::1"), r.route(prefix, "fe80::2"))
	r.sync(t, 0, 1, r.route(prefix, "fe80::2"))
	if s := r.shown(t, prefix); strings.Contains(s, "fe80::1 ") {
		t.Error(s)
	}
}

// The answer to a request that was given up comes before that to the next.
func TestRouteLateAnswers(t *testing.T) {
	r := openRoutes(t)
	a, b := r.route("2001:db8:0:10::/60", "fe80::1"), r.route("2001:db8:0:20::/60", "fe80::1")
	giveUp := func() {
		if err := r.conn.SetDeadline(time.Now().Add(-time.Second)); err != nil {
			t.Fatal(err)
		}
		request := message{Type: unix.RTM_DELROUTE, Flags: unix.NLM_F_REQUEST | unix.NLM_F_ACK, Data: make([]byte, unix.SizeofRtMsg)}.append(nil)
		if err := unix.Send(r.fd(t), request, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := r.conn.receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("past the deadline: %v", err)
		}
	}
	giveUp()
	if err := r.Add(a); err != nil {
		t.Error(err)
	}
	giveUp()
	r.check(t, a)
	giveUp()
	r.sync(t, 1, 1, b)
}

// fd is the socket's file descriptor.
func (r *routed) fd(t *testing.T) (n int) {
	t.Helper()
	if err := r.conn.raw.Control(func(fd uintptr) { n = int(fd) }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRouteNotPermitted(t *testing.T) {
	runtime.LockOSThread() // not unlocked: the thread ends with the test
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capset(&header, &caps[0]); err != nil {
		t.Fatal(err)
	}
	r, err := OpenRoutes(0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	route := Route{netip.MustParsePrefix("2001:db8::/64"), netip.MustParseAddr("fe80::1"), 1, 0}
	for _, err := range []error{r.Add(route), r.Delete(route)} {
		if !errors.Is(err, unix.EPERM) {
			t.Errorf("without CAP_NET_ADMIN: %v", err)
		}
	}
}

// routeData is a message of a route by way of interface 3.
func routeData(attrs ...[]byte) []byte {
	b := []byte{unix.AF_INET6, 60, 0, 0, unix.RT_TABLE_MAIN, RouteProtocol, 0, unix.RTN_UNICAST, 0, 0, 0, 0}
	for _, a := range append(attrs, attr(unix.RTA_OIF, u32(3)...)) {
		b = append(b, a...)
	}
	return b
}

func TestRouteMessageErrors(t *testing.T) {
	for name, b := range map[string][]byte{
		"short":            routeData()[:11],
		"attribute":        append(routeData(), 3, 0, 0, 0),
		"IPv4":             routeData(attr(unix.RTA_DST, 192, 0, 2, 1)),
		"table":            routeData(attr(unix.RTA_TABLE, 1)),
		"next hop":         routeData(attr(unix.RTA_MULTIPATH, 8, 0, 0)),
		"next hop, long":   routeData(attr(unix.RTA_MULTIPATH, append(u32(12), u32(3)...)...)),
		"next hop, length": routeData(attr(unix.RTA_MULTIPATH, append(u32(0), u32(3)...)...)),
	} {
		if routes, err := appendRoutes(nil, b); err == nil || routes != nil {
			t.Errorf("%s: %v, %v", name, routes, err)
		}
	}
}

func FuzzRouteMessage(f *testing.F) {
	r := Route{netip.MustParsePrefix("2001:db8::/60"), netip.MustParseAddr("fe80::1"), 3, 7}
	if routes, err := appendRoutes(nil, r.message()); err != nil || len(routes) != 1 || routes[0] != r {
		f.Errorf("own message: %v, %v", routes, err)
	}
	f.Add(r.message())
	f.Add(routeData(attr(unix.RTA_MULTIPATH, append(u32(8), u32(3)...)...)))
	f.Fuzz(func(t *testing.T, b []byte) {
		routes, _ := appendRoutes(nil, b)
		for _, route := range routes {
			if !route.Prefix.IsValid() || !route.Prefix.Addr().Is6() {
				t.Errorf("%+v", route)
			}
			_ = route.String()
		}
	})
}

// Toward tells by which interface an address is reached, as the kernel decides.
func TestRouteToward(t *testing.T) {
	r := openRoutes(t)
	netnstest.Link(t, r.ns, "wan0", netnstest.New(t), "eth0")
	wan := r.ns.Ifindex(t, "wan0")
	r.ns.AddAddr(t, "wan0", "2001:db8:ffff::1/64")
	r.ns.IP(t, "route add 2001:db8:5::/48 via fe80::1 dev wan0", "route add 2001:db8:5:1::/64 via fe80::1 dev lan0",
		"route add unreachable 2001:db8:6::/48")
	for addr, want := range map[string]int{
		"2001:db8::5": r.index, "2001:db8:ffff::5": wan, "2001:db8:5:2::1": wan, "2001:db8:5:1::1": r.index,
	} {
		if got, err := r.Toward(netip.MustParseAddr(addr)); got != want || err != nil {
			t.Errorf("%s: interface %d, %v, want %d", addr, got, err, want)
		}
	}
	for _, addr := range []string{"2001:db8:7::1", "2001:db8:6::1", "2001:db8::1"} {
		if got, err := r.Toward(netip.MustParseAddr(addr)); err == nil {
			t.Errorf("%s: interface %d, want an error", addr, got)
		}
	}
	r.sync(t, 0, 0)
}
