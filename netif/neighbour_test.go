package netif

import (
	"encoding/hex"
	"net/netip"
	"testing"
	"time"

	"lan6d/netif/netnstest"
)

func TestNeighbours(t *testing.T) {
	ns := netnstest.New(t)
	netnstest.Link(t, ns, "lan0", netnstest.New(t), "eth0")
	netnstest.Link(t, ns, "lan1", netnstest.New(t), "eth0")
	n, err := OpenNeighbours(ns.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	ns.IP(t, "neigh add fe80::99 lladdr 02:00:5e:10:00:99 dev lan0 nud reachable",
		"neigh add fe80::98 lladdr 02:00:5e:10:00:98 dev lan0 nud stale",
		"neigh add fe80::97 lladdr 02:00:5e:10:00:97 dev lan0 nud failed")
	for _, tt := range []struct{ ifname, addr, want string }{
		{"lan0", "fe80::99", "02005e100099"},
		{"lan0", "fe80::98", "02005e100098"},
		{"lan0", "fe80::97", ""},
		{"lan0", "fe80::96", ""},
		{"lan1", "fe80::99", ""},
		{"lan0", "fe80::99", "02005e100099"}, // after answers that were errors
	} {
		if got := n.LinkLayer(ns.Ifindex(t, tt.ifname), netip.MustParseAddr(tt.addr)); hex.EncodeToString(got) != tt.want {
			t.Errorf("%s on %s has %x, want %s", tt.addr, tt.ifname, got, tt.want)
		}
	}
	if got := n.LinkLayer(9999, netip.MustParseAddr("fe80::99")); got != nil {
		t.Errorf("on an interface that is not there: %x", got)
	}
}

// TestNeighbourProbe: whoever has gone is not known for long once the kernel was told to look.
func TestNeighbourProbe(t *testing.T) {
	ns, peer := netnstest.New(t), netnstest.New(t)
	netnstest.Link(t, ns, "lan0", peer, "eth0")
	n, err := OpenNeighbours(ns.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	here, gone := peer.LinkLocal(t, "eth0"), netip.MustParseAddr("fe80::99")
	index := ns.Ifindex(t, "lan0")
	ns.IP(t, "neigh add fe80::99 lladdr 02:00:5e:10:00:99 dev lan0 nud stale")
	for _, a := range []netip.Addr{here, gone} {
		if err := n.Probe(index, a); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(30 * time.Second); n.LinkLayer(index, here) == nil || n.LinkLayer(index, gone) != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%v has %x, %v has %x", here, n.LinkLayer(index, here), gone, n.LinkLayer(index, gone))
		}
	}
	if err := n.Probe(9999, here); err == nil {
		t.Error("no error on an interface that is not there")
	}
}
