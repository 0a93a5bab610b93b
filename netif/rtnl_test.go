package netif

import (
	"encoding/binary"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// attr is a netlink attribute.
func attr(kind uint16, data ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, data...)
	return append(b, make([]byte, -len(b)&3)...)
}

func u32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

func linkMessage(family byte, attrs ...[]byte) []byte {
	b := []byte{family, 0}
	b = binary.NativeEndian.AppendUint16(b, 1)
	b = append(b, u32(7)...)
	b = append(b, u32(unix.IFF_UP|unix.IFF_RUNNING)...)
	b = append(b, u32(0)...)
	for _, a := range attrs {
		b = append(b, a...)
	}
	return b
}

func addrMessage(family, bits byte, attrs ...[]byte) []byte {
	b := append([]byte{family, bits, 0x80, 0}, u32(7)...)
	for _, a := range attrs {
		b = append(b, a...)
	}
	return b
}

// testState holds one link with one address.
func testState(report func(error)) *state {
	s := newState(func() time.Time { return time.Unix(0, 0) }, report)
	s.apply(message{Type: unix.RTM_NEWLINK, Data: linkMessage(0, attr(unix.IFLA_IFNAME, []byte("lan0\x00")...),
		attr(unix.IFLA_MTU, u32(1500)...))})
	s.apply(message{Type: unix.RTM_NEWADDR, Data: addrMessage(unix.AF_INET6, 64, attr(unix.IFA_ADDRESS, address...))})
	return s
}

var address = []byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}

// TestOddMessages checks that messages which are none of ours, or make no
// sense, change nothing.
func TestOddMessages(t *testing.T) {
	for _, tt := range []struct {
		name    string
		kind    uint16
		data    []byte
		reports int
	}{
		{"bridge port gone", unix.RTM_DELLINK, linkMessage(unix.AF_BRIDGE), 0},
		{"wireless event", unix.RTM_NEWLINK, linkMessage(0, attr(unix.IFLA_WIRELESS, 1, 2, 3, 4)), 0},
		{"IPv4 address", unix.RTM_NEWADDR, addrMessage(unix.AF_INET, 24, attr(unix.IFA_LOCAL, 192, 0, 2, 1)), 0},
		{"IPv4 address gone", unix.RTM_DELADDR, addrMessage(unix.AF_INET, 24), 0},
		{"other message", unix.RTM_NEWROUTE, nil, 0},
		{"empty link", unix.RTM_NEWLINK, nil, 1},
		{"short link", unix.RTM_DELLINK, linkMessage(0)[:15], 1},
		{"short MTU", unix.RTM_NEWLINK, linkMessage(0, attr(unix.IFLA_MTU, 1)), 1},
		{"attribute past the end", unix.RTM_NEWLINK, linkMessage(0, attr(unix.IFLA_IFNAME, 'x')[:4]), 1},
		{"attribute shorter than its header", unix.RTM_NEWLINK, linkMessage(0, []byte{3, 0, 0, 3}), 1},
		{"stray bytes", unix.RTM_NEWLINK, linkMessage(0, []byte{0, 0}), 1},
		{"empty address", unix.RTM_NEWADDR, nil, 1},
		{"short address header", unix.RTM_DELADDR, addrMessage(unix.AF_INET6, 64)[:7], 1},
		{"no address", unix.RTM_NEWADDR, addrMessage(unix.AF_INET6, 64), 1},
		{"short address", unix.RTM_NEWADDR, addrMessage(unix.AF_INET6, 64, attr(unix.IFA_ADDRESS, address[:15]...)), 1},
		{"IPv4 address as IPv6", unix.RTM_NEWADDR, addrMessage(unix.AF_INET6, 24, attr(unix.IFA_ADDRESS, 192, 0, 2, 1)), 1},
		{"prefix length 129", unix.RTM_NEWADDR, addrMessage(unix.AF_INET6, 129, attr(unix.IFA_ADDRESS, address...)), 1},
		{"short flags", unix.RTM_NEWADDR, addrMessage(unix.AF_INET6, 64, attr(unix.IFA_ADDRESS, address...), attr(unix.IFA_FLAGS, 1)), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var reports []error
			s := testState(func(err error) { reports = append(reports, err) })
			before := s.snapshot()
			if len(before.Links) != 1 || len(before.Links[0].Addrs) != 1 || len(reports) != 0 {
				t.Fatalf("at first %+v, %v", before, reports)
			}
			s.apply(message{Type: tt.kind, Data: tt.data})
			if after := s.snapshot(); !after.equal(before) {
				t.Errorf("became %+v", after)
			}
			if len(reports) != tt.reports {
				t.Errorf("reports %v", reports)
			}
		})
	}
}

// TestLinkGoneTakesAddresses deletes a link without its addresses.
func TestLinkGoneTakesAddresses(t *testing.T) {
	s := testState(func(err error) { t.Error(err) })
	s.apply(message{Type: unix.RTM_DELLINK, Data: linkMessage(0)})
	if len(s.links) != 0 || len(s.addrs) != 0 {
		t.Errorf("left over: %v, %v", s.links, s.addrs)
	}
}

func TestSameDeadline(t *testing.T) {
	t0 := time.Unix(1e9, 0)
	for _, tt := range []struct {
		l, m  uint32
		later time.Duration
		want  bool
	}{
		{100, 100, 0, true},
		{100, 90, 10 * time.Second, true},
		{100, 88, 10 * time.Second, true},
		{100, 96, 10 * time.Second, false},
		{100, 100, 10 * time.Second, false},
		{0, 0, time.Hour, true},
		{5, 0, time.Hour, false},
		{Infinity, Infinity, time.Hour, true},
		{Infinity, Infinity - 1, 0, false},
		{100, Infinity, 0, false},
	} {
		if got := sameDeadline(t0, tt.l, t0.Add(tt.later), tt.m); got != tt.want {
			t.Errorf("%d and, %v later, %d: %t", tt.l, tt.later, tt.m, got)
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add(uint16(unix.RTM_NEWLINK), linkMessage(0, attr(unix.IFLA_IFNAME, 'x', 0), attr(unix.IFLA_ADDRESS, 2, 0, 0, 0, 0, 1)))
	f.Add(uint16(unix.RTM_DELLINK), linkMessage(0))
	f.Add(uint16(unix.RTM_NEWADDR), addrMessage(unix.AF_INET6, 64, attr(unix.IFA_LOCAL, address...),
		attr(unix.IFA_CACHEINFO, make([]byte, 16)...), attr(unix.IFA_FLAGS, 1, 2, 3, 4)))
	f.Add(uint16(unix.RTM_DELADDR), addrMessage(unix.AF_INET6, 64, attr(unix.IFA_ADDRESS, address...)))
	f.Fuzz(func(t *testing.T, kind uint16, data []byte) {
		s := testState(func(error) {})
		s.apply(message{Type: kind, Data: data})
		snap := s.snapshot()
		for _, l := range snap.Links {
			for _, a := range l.Addrs {
				if !a.Prefix.IsValid() || !a.Prefix.Addr().Is6() {
					t.Errorf("address %+v", a)
				}
			}
		}
		if !snap.equal(snap) {
			t.Error("differs from itself")
		}
	})
}
