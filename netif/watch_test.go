package netif

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lan6d/netif/netnstest"
)

// watched is a watcher and the last snapshot read from it.
type watched struct {
	*Watcher
	last *Snapshot
}

// watch starts a watcher, of the test's own namespace by default.
func watch(t *testing.T, cfg WatchConfig) *watched {
	t.Helper()
	checkGoroutines(t)
	if cfg.Quiet == 0 {
		cfg.Quiet = 10 * time.Millisecond
	}
	cfg.Report = func(err error) { t.Error(err) }
	w, err := Watch(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		_ = w.Close()
	})
	return &watched{Watcher: w}
}

// await reads snapshots until one has what ok wants to see.
func (w *watched) await(t *testing.T, what string, ok func(*Snapshot) bool) *Snapshot {
	t.Helper()
	timeout := time.After(5 * time.Second)
	for w.last == nil || !ok(w.last) {
		select {
		case w.last = <-w.Snapshots():
		case <-timeout:
			t.Fatalf("no snapshot with %s; the last: %+v", what, w.last)
		}
	}
	return w.last
}

// awaitLink reads snapshots until the link called name is as ok wants it.
func (w *watched) awaitLink(t *testing.T, name, what string, ok func(Link) bool) Link {
	t.Helper()
	s := w.await(t, name+" "+what, func(s *Snapshot) bool {
		l, found := s.LinkByName(name)
		return found && ok(l)
	})
	l, _ := s.LinkByName(name)
	if m, ok := s.Link(l.Index); !ok || m.Name != name {
		t.Errorf("link %d is %+v, %t", l.Index, m, ok)
	}
	return l
}

// address returns a link's address, if it has it.
func (l Link) address(s string) (Addr, bool) {
	i := slices.IndexFunc(l.Addrs, func(a Addr) bool { return a.Prefix.String() == s })
	if i < 0 {
		return Addr{}, false
	}
	return l.Addrs[i], true
}

func has(prefix string, ok func(Addr) bool) func(Link) bool {
	return func(l Link) bool {
		a, found := l.address(prefix)
		return found && ok(a)
	}
}

func hasNot(prefix string) func(Link) bool {
	return func(l Link) bool {
		_, found := l.address(prefix)
		return !found
	}
}

func usable(a Addr) bool { return a.Usable() }

// quiet fails the test if a snapshot arrives.
func (w *watched) quiet(t *testing.T) {
	t.Helper()
	select {
	case s := <-w.Snapshots():
		t.Errorf("a snapshot without a change: %+v", s)
	case <-time.After(100 * time.Millisecond):
	}
}

func TestWatchFirst(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	lan.Here.AddAddr(t, "lan0", "2001:db8::1/56")
	w := watch(t, WatchConfig{})
	if len(w.Snapshots()) != 1 {
		t.Fatal("no snapshot at once")
	}
	s := <-w.Snapshots()
	lo, ok := s.Link(1)
	if a, found := lo.address("::1/128"); !ok || lo.Name != "lo" || !lo.Up || !lo.Running || lo.Type != 772 ||
		!found || !a.Usable() || !a.Flags.Has(Permanent) {
		t.Errorf("lo: %+v", lo)
	}
	l, ok := s.LinkByName("lan0")
	if !ok || l.Index != lan.Here.Ifindex(t, "lan0") || !l.Up || !l.Running || l.Type != 1 || len(l.HardwareAddr) != 6 ||
		l.MTU != 1500 || l.Master != 0 || len(l.Addrs) != 2 {
		t.Errorf("lan0: %+v", l)
	}
	if l.LinkLocal() != lan.Here.LinkLocal(t, "lan0") {
		t.Errorf("link-local address %v", l.LinkLocal())
	}
	if a, ok := l.address("2001:db8::1/56"); !ok || a.Preferred != Infinity || a.Valid != Infinity || a.Peer.IsValid() || a.Scope != 0 {
		t.Errorf("address %+v", a)
	}
	if _, ok := s.LinkByName("lan1"); ok {
		t.Error("there is no lan1")
	}
	if _, ok := s.Link(4711); ok {
		t.Error("there is no link 4711")
	}
	w.quiet(t)
}

func TestWatchLinks(t *testing.T) {
	w := watch(t, WatchConfig{})
	ns := netnstest.Here(t)
	down := func(l Link) bool { return !l.Up && !l.Running }
	none := func(name string) func(*Snapshot) bool {
		return func(s *Snapshot) bool { _, ok := s.LinkByName(name); return !ok }
	}
	ns.IP(t, "link add lan0 index 4000 type veth peer name far0")
	w.awaitLink(t, "lan0", "appears", down)
	ns.IP(t, "link set lan0 up")
	w.awaitLink(t, "lan0", "up without carrier", func(l Link) bool { return l.Up && !l.Running })
	ns.IP(t, "link set far0 up")
	w.awaitLink(t, "lan0", "running", func(l Link) bool { return l.Up && l.Running && l.LinkLocal().IsValid() })
	ns.IP(t, "link set far0 down")
	w.awaitLink(t, "lan0", "without carrier", func(l Link) bool { return l.Up && !l.Running })
	ns.IP(t, "link set lan0 mtu 1400", "link set lan0 addr 02:00:00:00:00:01")
	w.awaitLink(t, "lan0", "changed", func(l Link) bool { return l.MTU == 1400 && l.HardwareAddr[5] == 1 })
	ns.IP(t, "link set lan0 down")
	w.awaitLink(t, "lan0", "down", down)
	ns.IP(t, "link set lan0 name lan1")
	s := w.await(t, "lan1", func(s *Snapshot) bool { return !none("lan1")(s) })
	if l, ok := s.Link(4000); !ok || l.Name != "lan1" || !none("lan0")(s) {
		t.Errorf("after renaming: %+v", s)
	}
	ns.IP(t, "link del lan1", "link add lan1 index 5000 type veth peer name far0")
	w.awaitLink(t, "lan1", "made anew", func(l Link) bool { return l.Index == 5000 })
	ns.IP(t, "link del lan1")
	w.await(t, "no lan1", none("lan1"))
	w.quiet(t)
}

// TestWatchBridge has a port leave a bridge, of which the kernel tells as if
// the link was deleted, but in the name of the bridge.
func TestWatchBridge(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	w := watch(t, WatchConfig{})
	lan.Here.IP(t, "link add br-lan type bridge", "link set br-lan up", "link set lan0 master br-lan")
	t.Cleanup(func() { lan.Here.IP(t, "link del br-lan") })
	index := lan.Here.Ifindex(t, "br-lan")
	w.awaitLink(t, "lan0", "in the bridge", func(l Link) bool { return l.Master == index })
	w.awaitLink(t, "br-lan", "running", func(l Link) bool { return l.Running })
	lan.Here.IP(t, "link set lan0 nomaster")
	w.awaitLink(t, "lan0", "out of the bridge", func(l Link) bool { return l.Master == 0 })
	w.awaitLink(t, "br-lan", "without carrier", func(l Link) bool { return l.Up && !l.Running })
}

func TestWatchAddresses(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	clock := time.Unix(1e9, 0)
	w := watch(t, WatchConfig{Now: func() time.Time { return clock }})
	ip := func(s string) { t.Helper(); lan.Here.IP(t, s+" dev lan0") }

	ip("addr add 2001:db8::1/60 valid_lft 2000 preferred_lft 1000")
	l := w.awaitLink(t, "lan0", "with address", has("2001:db8::1/60", usable))
	a, _ := l.address("2001:db8::1/60")
	if a.Flags.Has(Permanent|Tentative|Deprecated|Temporary|DADFailed) || a.Valid < 1995 || a.Valid > 2000 ||
		a.Preferred < 995 || a.Preferred > 1000 {
		t.Errorf("address %+v", a)
	}
	valid, ok1 := a.ValidUntil()
	preferred, ok2 := a.PreferredUntil()
	if !ok1 || !ok2 || valid.Sub(clock) > 2000*time.Second || valid.Sub(preferred).Round(2*time.Second) != 1000*time.Second {
		t.Errorf("valid until %v, preferred until %v; now it is %v", valid, preferred, clock)
	}
	w.quiet(t)
	ip("addr change 2001:db8::1/60 valid_lft 2000 preferred_lft 1000") // says nothing new
	w.quiet(t)
	ip("addr change 2001:db8::1/60 valid_lft 7200 preferred_lft 1000")
	w.awaitLink(t, "lan0", "with new lifetime", has("2001:db8::1/60", func(a Addr) bool { return a.Valid > 7190 }))
	ip("addr change 2001:db8::1/60 valid_lft forever preferred_lft forever")
	l = w.awaitLink(t, "lan0", "for ever", has("2001:db8::1/60", func(a Addr) bool { return a.Valid == Infinity && a.Preferred == Infinity }))
	a, _ = l.address("2001:db8::1/60")
	if _, ok := a.ValidUntil(); ok || !a.Flags.Has(Permanent) {
		t.Errorf("address %+v", a)
	}
	ip("addr change 2001:db8::1/60 preferred_lft 0")
	l = w.awaitLink(t, "lan0", "deprecated", has("2001:db8::1/60", func(a Addr) bool { return a.Flags.Has(Deprecated) }))
	if a, _ := l.address("2001:db8::1/60"); a.Preferred != 0 || !a.Usable() {
		t.Errorf("address %+v", a)
	}
	ip("addr add 2001:db8::5/128 valid_lft 2 preferred_lft 1")
	w.awaitLink(t, "lan0", "with short-lived address", has("2001:db8::5/128", usable))
	ip("addr del 2001:db8::1/60")
	w.awaitLink(t, "lan0", "without address", hasNot("2001:db8::1/60"))
	w.awaitLink(t, "lan0", "soon deprecated", has("2001:db8::5/128", func(a Addr) bool { return a.Flags.Has(Deprecated) }))
	w.awaitLink(t, "lan0", "soon without address", hasNot("2001:db8::5/128"))

	ip("addr add 2001:db8::9 peer 2001:db8::a/127")
	l = w.awaitLink(t, "lan0", "with a peer", has("2001:db8::9/127", usable))
	if a, _ := l.address("2001:db8::9/127"); a.Peer != netip.MustParseAddr("2001:db8::a") {
		t.Errorf("peer %v", a.Peer)
	}
}

// TestWatchDAD has an address become usable, and one that the other end has too.
func TestWatchDAD(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	lan.Peer.AddAddr(t, "eth0", "2001:db8::2/64")
	w := watch(t, WatchConfig{})
	lan.Here.EnableDAD(t, "lan0")
	lan.Here.Sysctl(t, "net/ipv6/neigh/lan0/retrans_time_ms", "200") // between probe and success
	lan.Here.IP(t, "addr add 2001:db8::1/64 dev lan0", "addr add 2001:db8::2/64 dev lan0")
	l := w.awaitLink(t, "lan0", "tentative", has("2001:db8::1/64", func(a Addr) bool { return a.Flags.Has(Tentative) }))
	if a, _ := l.address("2001:db8::1/64"); a.Usable() {
		t.Errorf("tentative, but usable: %+v", a)
	}
	l = w.awaitLink(t, "lan0", "checked", func(l Link) bool {
		return has("2001:db8::1/64", usable)(l) &&
			has("2001:db8::2/64", func(a Addr) bool { return a.Flags.Has(DADFailed) })(l)
	})
	if a, _ := l.address("2001:db8::2/64"); a.Usable() {
		t.Errorf("a duplicate, but usable: %+v", a)
	}
}

// TestWatchNewest does not read while much changes: the newest snapshot is
// what it gets then, and only that.
func TestWatchNewest(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	w := watch(t, WatchConfig{Quiet: time.Millisecond, MaxDelay: 5 * time.Millisecond})
	for i := range 5 {
		lan.Here.AddAddr(t, "lan0", fmt.Sprintf("2001:db8::%d/64", i+1))
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	s := <-w.Snapshots()
	if l, _ := s.LinkByName("lan0"); len(l.Addrs) != 6 {
		t.Errorf("not the newest: %+v", l)
	}
	w.quiet(t)
}

// TestWatchOverrun has more happen at once than the kernel can queue.
func TestWatchOverrun(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	w := watch(t, WatchConfig{ReadBuffer: 1}) // the least there is
	const n = 400
	for _, tt := range []struct {
		verb string
		want int
	}{{"add", n + 1}, {"del", 1}} {
		lan.Here.IP(t, lines(n, func(i int) string {
			return fmt.Sprintf("addr %s 2001:db8:%x::1/64 dev lan0 nodad", tt.verb, i)
		})...)
		w.awaitLink(t, "lan0", fmt.Sprintf("with %d addresses", tt.want), func(l Link) bool { return len(l.Addrs) == tt.want })
	}
	if w.Overruns() == 0 || w.Restarts() < w.Overruns() {
		t.Errorf("%d overruns, %d restarts", w.Overruns(), w.Restarts())
	}
	t.Logf("%d overruns", w.Overruns())
	lan.Here.AddAddr(t, "lan0", "2001:db8::1/64")
	w.awaitLink(t, "lan0", "with address after all", has("2001:db8::1/64", usable))
}

// TestWatchBroken breaks the watcher's socket.
func TestWatchBroken(t *testing.T) {
	lan := netnstest.Veth(t, "lan0")
	checkGoroutines(t)
	var reports atomic.Int32
	watcher, err := Watch(WatchConfig{Report: func(err error) {
		if reports.Add(1); !strings.HasPrefix(err.Error(), "watch links: ") {
			t.Error(err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{Watcher: watcher}
	defer w.Close()
	w.mu.Lock()
	w.conn.Close()
	w.mu.Unlock()
	lan.Here.AddAddr(t, "lan0", "2001:db8::1/64")
	w.awaitLink(t, "lan0", "with address", has("2001:db8::1/64", usable))
	if reports.Load() != 1 || w.Restarts() != 1 || w.Overruns() != 0 {
		t.Errorf("%d reports, %d restarts, %d overruns", reports.Load(), w.Restarts(), w.Overruns())
	}
	// Closed while it waits before starting anew.
	w.mu.Lock()
	w.conn.Close()
	w.mu.Unlock()
	time.Sleep(10 * time.Millisecond)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestWatchElsewhere watches another namespace.
func TestWatchElsewhere(t *testing.T) {
	ns := netnstest.New(t)
	w := watch(t, WatchConfig{NetNS: ns.FD()})
	if s := <-w.Snapshots(); len(s.Links) != 1 {
		t.Errorf("links %+v", s.Links)
	}
	ns.IP(t, "link add v0 type veth peer name v1")
	w.await(t, "v1", func(s *Snapshot) bool { return len(s.Links) == 3 })
}
