package netnstest

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A Pair is two interfaces joined by a wire. Both are up.
type Pair struct {
	Name, PeerName string
	Here, Peer     *NS
}

// Veth makes a wire from an interface called name in the test's own namespace
// to one called eth0 in a new namespace.
func Veth(t testing.TB, name string) *Pair {
	t.Helper()
	p := &Pair{Name: name, PeerName: "eth0", Here: Here(t), Peer: New(t)}
	Link(t, p.Here, p.Name, p.Peer, p.PeerName)
	return p
}

var nextIndex atomic.Int32

func init() { nextIndex.Store(100) }

// Link makes a wire between an interface in namespace a and one in namespace
// b, which may be the same, and brings both up. Each has a link-local address
// that can be used when Link returns, as long as both namespaces are of New or
// Main. The wire goes when the test ends.
func Link(t testing.TB, a *NS, aName string, b *NS, bName string) {
	t.Helper()
	// No two interfaces have the same index, even in different namespaces:
	// tests would not notice if one was taken for the other, and the kernel
	// takes a pair with equal indices for no pair and delays its carrier for
	// up to a second.
	index := nextIndex.Add(2)
	a.IP(t,
		fmt.Sprintf("link add name %s index %d address %s type veth peer name %s index %d address %s netns %s",
			aName, index, mac(index), bName, index+1, mac(index+1), b.path()),
		fmt.Sprintf("link set %s up", aName))
	// Deleted now rather than with its namespace, which takes a while: the
	// next test may want the name.
	t.Cleanup(func() { _ = a.Command("ip", "link", "del", aName).Run() })
	b.IP(t, fmt.Sprintf("link set %s up", bName))
	a.LinkLocal(t, aName)
	b.LinkLocal(t, bName)
}

// mac is the link-layer address of the interface with an index. No octet of it
// is a quotation mark or a backslash: dhclient, which makes an IAID of it, does
// not understand its own file of leases then.
func mac(index int32) string {
	return fmt.Sprintf("06:00:4%x:4%x:4%x:4%x", index>>12&15, index>>8&15, index>>4&15, index&15)
}

// LinkLocal returns the link-local address of an interface. The kernel adds it
// some time after the link has come up: LinkLocal waits until it can be used.
func (n *NS) LinkLocal(t testing.TB, ifname string) netip.Addr {
	t.Helper()
	return n.await(t, ifname, netip.Addr.IsLinkLocalUnicast)
}

// AddAddr adds an IPv6 address with a prefix length to an interface, which is
// up, and waits until it can be used. The rest are words for the program ip:
// "valid_lft", "60".
func (n *NS) AddAddr(t testing.TB, ifname, prefix string, rest ...string) {
	t.Helper()
	p, err := netip.ParsePrefix(prefix)
	if err != nil {
		t.Fatal(err)
	}
	n.IP(t, fmt.Sprintf("addr add %s dev %s %s", prefix, ifname, strings.Join(rest, " ")))
	n.await(t, ifname, func(a netip.Addr) bool { return a == p.Addr() })
}

// await waits until an interface has an address that want accepts and that is
// not tentative. Even without duplicate address detection it is so at first,
// and does not answer Neighbor Solicitations, which come a second apart.
func (n *NS) await(t testing.TB, ifname string, want func(netip.Addr) bool) netip.Addr {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		for _, a := range n.usable(ifname) {
			if want(a) {
				return a
			}
		}
	}
	t.Fatalf("interface %s does not get its address", ifname)
	return netip.Addr{}
}

// usable returns those addresses of an interface that are not tentative.
func (n *NS) usable(ifname string) (addrs []netip.Addr) {
	var table []byte
	n.Do(func() { table, _ = os.ReadFile("/proc/thread-self/net/if_inet6") })
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line) // address, index, prefix length, scope, flags, name
		if len(f) != 6 || f[5] != ifname {
			continue
		}
		flags, err := strconv.ParseUint(f[4], 16, 32)
		if err != nil || flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) != 0 {
			continue
		}
		if b, err := hex.DecodeString(f[0]); err == nil && len(b) == 16 {
			addrs = append(addrs, netip.AddrFrom16([16]byte(b)))
		}
	}
	return addrs
}

// EnableDAD turns on duplicate address detection for addresses that the
// interface gets from now on. They are tentative for a second or two.
func (n *NS) EnableDAD(t testing.TB, ifname string) {
	t.Helper()
	n.Sysctl(t, "net/ipv6/conf/"+ifname+"/accept_dad", "1")
}

// Ifindex returns the index of an interface; 0 if there is none of that name.
func (n *NS) Ifindex(t testing.TB, ifname string) int {
	t.Helper()
	ifr, err := unix.NewIfreq(ifname)
	if err != nil {
		t.Fatalf("interface %q: %v", ifname, err)
	}
	var fd int
	n.Do(func() { fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0) })
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0
	}
	return int(ifr.Uint32())
}
