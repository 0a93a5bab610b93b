package netif

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"sort"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
)

// skipStats keeps counters, two thirds of a link's message, out of a dump.
const skipStats = 1 << 3 // RTEXT_FILTER_SKIP_STATS

// state is what rtnetlink has told so far.
type state struct {
	links  map[int]Link     // without addresses
	addrs  map[addrKey]Addr // may be known before their link
	now    func() time.Time // when a lifetime is read
	report func(error)      // of messages that make no sense
	dumps  int              // how often everything was read
}

// addrKey is what tells addresses apart: the same link-local address may be on
// every link.
type addrKey struct {
	ifindex int
	addr    netip.Addr
}

func newState(now func() time.Time, report func(error)) *state {
	return &state{links: make(map[int]Link), addrs: make(map[addrKey]Addr), now: now, report: report}
}

// snapshot copies the state.
func (s *state) snapshot() *Snapshot {
	byLink := make(map[int][]Addr, len(s.links))
	for k, a := range s.addrs {
		byLink[k.ifindex] = insert(byLink[k.ifindex], a)
	}
	indexes := make([]int, 0, len(s.links))
	for index := range s.links {
		indexes = append(indexes, index)
	}
	sort.Slice(indexes, func(i, j int) bool { return indexes[i] < indexes[j] })
	snap := &Snapshot{Links: make([]Link, len(indexes))}
	for i, index := range indexes {
		snap.Links[i] = s.links[index]
		snap.Links[i].Addrs = byLink[index]
	}
	return snap
}

// insert puts an address into its place in a sorted list. A sorting function
// made for Addr would weigh more than the time it saves is worth.
func insert(addrs []Addr, a Addr) []Addr {
	i := len(addrs)
	for i > 0 && a.Prefix.Addr().Less(addrs[i-1].Prefix.Addr()) {
		i--
	}
	addrs = append(addrs, Addr{})
	copy(addrs[i+1:], addrs[i:])
	addrs[i] = a
	return addrs
}

// apply takes in one message, of a dump or of a notification. One that makes
// no sense is reported and skipped: it must not hide the others.
func (s *state) apply(m message) {
	var err error
	switch m.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		err = s.applyLink(m.Type == unix.RTM_DELLINK, m.Data)
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		err = s.applyAddr(m.Type == unix.RTM_DELADDR, m.Data)
	}
	if err != nil {
		s.report(tinyfmt.Errorf("rtnetlink message of type %d: %w", m.Type, err))
	}
}

var (
	errShortLink = errors.New("link message shorter than its header")
	errShortAddr = errors.New("address message shorter than its header")
	errNoAddr    = errors.New("address message without an IPv6 address")
)

func (s *state) applyLink(gone bool, b []byte) error {
	if len(b) < unix.SizeofIfInfomsg {
		return errShortLink
	}
	if b[0] != unix.AF_UNSPEC {
		// A bridge tells of its ports on the same channel: a port that has
		// left it would look like a deleted link.
		return nil
	}
	flags := binary.NativeEndian.Uint32(b[8:])
	l := Link{
		Type:    binary.NativeEndian.Uint16(b[2:]),
		Index:   int(int32(binary.NativeEndian.Uint32(b[4:]))),
		Up:      flags&unix.IFF_UP != 0,
		Running: flags&unix.IFF_UP != 0 && flags&unix.IFF_RUNNING != 0,
	}
	if gone {
		delete(s.links, l.Index)
		for k := range s.addrs {
			if k.ifindex == l.Index {
				delete(s.addrs, k)
			}
		}
		return nil
	}
	full, err := l.attributes(b[unix.SizeofIfInfomsg:])
	if err != nil {
		return tinyfmt.Errorf("link %d: %w", l.Index, err)
	}
	if full {
		// Counted here, because a snapshot may come too late to show a change and its undoing.
		old, known := s.links[l.Index]
		if l.Restarts = old.Restarts; !known {
			l.Restarts = s.dumps << 16 // another number after each dump: who knows what it missed
		}
		if known && (l.Running && !old.Running || l.MTU != old.MTU) {
			l.Restarts++
		}
		s.links[l.Index] = l
	}
	return nil
}

// attributes reads a link's attributes. It reports whether the message
// describes the link: an event of the wireless extensions does not.
func (l *Link) attributes(b []byte) (full bool, err error) {
	ad := attributes{rest: b}
	full = true
	for ad.Next() {
		switch ad.Type() {
		case unix.IFLA_IFNAME:
			l.Name = ad.String()
		case unix.IFLA_ADDRESS:
			l.HardwareAddr = bytes.Clone(ad.Bytes())
		case unix.IFLA_MTU:
			l.MTU = int(ad.Uint32())
		case unix.IFLA_MASTER:
			l.Master = int(ad.Uint32())
		case unix.IFLA_WIRELESS:
			full = false
		}
	}
	return full, ad.Err()
}

func (s *state) applyAddr(gone bool, b []byte) error {
	if len(b) < unix.SizeofIfAddrmsg {
		return errShortAddr
	}
	if b[0] != unix.AF_INET6 {
		return nil
	}
	ifindex := int(binary.NativeEndian.Uint32(b[4:]))
	a := Addr{
		Flags:     AddrFlags(b[2]),
		Scope:     b[3],
		Preferred: Infinity,
		Valid:     Infinity,
		Read:      s.now(),
	}
	if err := a.attributes(int(b[1]), b[unix.SizeofIfAddrmsg:]); err != nil {
		return tinyfmt.Errorf("address of link %d: %w", ifindex, err)
	}
	k := addrKey{ifindex, a.Prefix.Addr()}
	if gone {
		delete(s.addrs, k)
	} else {
		s.addrs[k] = a
	}
	return nil
}

// attributes reads an address's attributes. bits is the prefix length.
func (a *Addr) attributes(bits int, b []byte) error {
	ad := attributes{rest: b}
	var local, address netip.Addr
	for ad.Next() {
		switch ad.Type() {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(ad.Bytes())
		case unix.IFA_ADDRESS:
			address, _ = netip.AddrFromSlice(ad.Bytes())
		case unix.IFA_FLAGS: // all 32 bits of them; the header has room for 8
			a.Flags = AddrFlags(ad.Uint32())
		case unix.IFA_CACHEINFO:
			if c := ad.Bytes(); len(c) >= 8 {
				a.Preferred = binary.NativeEndian.Uint32(c)
				a.Valid = binary.NativeEndian.Uint32(c[4:])
			}
		}
	}
	if err := ad.Err(); err != nil {
		return err
	}
	// With a peer, IFA_ADDRESS is the peer's. Without one, IFA_LOCAL is absent.
	switch {
	case !local.IsValid():
		local = address
	case local != address:
		a.Peer = address
	}
	if a.Prefix = netip.PrefixFrom(local, bits); !local.Is6() || !a.Prefix.IsValid() {
		return errNoAddr
	}
	return nil
}

// dumpAttempts is how often a dump is asked for that the kernel says was
// interrupted by a change. What is missing then arrives as a notification,
// unless an entry was skipped because another went.
const dumpAttempts = 5

// dump replaces the state by what the kernel has now.
func (s *state) dump(netns int) error {
	conn, err := dialRoute(0, netns)
	if err != nil {
		return err
	}
	defer conn.Close()

	links := make([]byte, unix.SizeofIfInfomsg, unix.SizeofIfInfomsg+8)
	links = binary.NativeEndian.AppendUint16(links, 8)
	links = binary.NativeEndian.AppendUint16(links, unix.IFLA_EXT_MASK)
	links = binary.NativeEndian.AppendUint32(links, skipStats)
	addrs := make([]byte, unix.SizeofIfAddrmsg)
	addrs[0] = unix.AF_INET6

	s.dumps++
	for range dumpAttempts {
		clear(s.links)
		clear(s.addrs)
		whole := true
		for _, req := range []struct {
			kind uint16
			data []byte
		}{{unix.RTM_GETLINK, links}, {unix.RTM_GETADDR, addrs}} {
			w, err := conn.dump(req.kind, req.data, s.apply)
			if err != nil {
				return err
			}
			whole = whole && w
		}
		if whole {
			break
		}
	}
	return nil
}
