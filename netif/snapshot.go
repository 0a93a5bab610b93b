package netif

import (
	"bytes"
	"net/netip"
	"sort"
	"time"

	"golang.org/x/sys/unix"
)

// Infinity is the lifetime of an address that never expires.
const Infinity = 0xffffffff

// A Snapshot is the state of all links and their IPv6 addresses at one time.
// It is never changed once it has been handed over.
type Snapshot struct {
	Links []Link // by ascending index
}

// Link returns the link with an index.
func (s *Snapshot) Link(ifindex int) (Link, bool) {
	i := sort.Search(len(s.Links), func(i int) bool { return s.Links[i].Index >= ifindex })
	if i == len(s.Links) || s.Links[i].Index != ifindex {
		return Link{}, false
	}
	return s.Links[i], true
}

// LinkByName returns the link with a name.
func (s *Snapshot) LinkByName(name string) (Link, bool) {
	for i := range s.Links {
		if s.Links[i].Name == name {
			return s.Links[i], true
		}
	}
	return Link{}, false
}

// A Link is a network interface.
type Link struct {
	Index        int
	Name         string
	Type         uint16 // ARPHRD_*: the hardware type, of a DUID-LL too
	HardwareAddr []byte // empty for links that have none
	Up           bool   // set up by the administrator
	Running      bool   // up and with a carrier: datagrams can be sent
	MTU          int
	Restarts     int    // another number each time it comes up or changes its MTU: see Socket.Rejoin
	Master       int    // index of the bridge or bond it is a port of; 0 if none
	Addrs        []Addr // IPv6 addresses, sorted
}

// LinkLocal returns the first usable link-local address, the source of
// multicast and of answers to multicast requests; the zero Addr if the link
// has none.
func (l Link) LinkLocal() netip.Addr {
	for _, a := range l.Addrs {
		if a.Prefix.Addr().IsLinkLocalUnicast() && a.Usable() {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// An Addr is an IPv6 address of a link.
type Addr struct {
	Prefix    netip.Prefix // the address itself, with the length of the on-link prefix
	Peer      netip.Addr   // the other end of a point-to-point link, whose prefix it then is; else the zero Addr
	Scope     uint8        // RT_SCOPE_*
	Flags     AddrFlags
	Preferred uint32 // seconds left at the time Read, or Infinity
	Valid     uint32
	Read      time.Time
}

// AddrFlags are the kernel's IFA_F_* flags.
type AddrFlags uint32

// The flags that matter here.
const (
	Temporary  AddrFlags = unix.IFA_F_TEMPORARY
	Optimistic AddrFlags = unix.IFA_F_OPTIMISTIC
	DADFailed  AddrFlags = unix.IFA_F_DADFAILED // another node has the address
	Deprecated AddrFlags = unix.IFA_F_DEPRECATED
	Tentative  AddrFlags = unix.IFA_F_TENTATIVE // not yet known to be unique
	Permanent  AddrFlags = unix.IFA_F_PERMANENT
)

// Has reports whether any of the flags is set.
func (f AddrFlags) Has(flags AddrFlags) bool { return f&flags != 0 }

// Usable reports whether datagrams can be sent from the address.
func (a Addr) Usable() bool {
	return !a.Flags.Has(DADFailed) && (!a.Flags.Has(Tentative) || a.Flags.Has(Optimistic))
}

// PreferredUntil returns when the address becomes deprecated; ok is false if
// it never does.
func (a Addr) PreferredUntil() (t time.Time, ok bool) { return until(a.Read, a.Preferred) }

// ValidUntil returns when the kernel will remove the address; ok is false if
// it never does.
func (a Addr) ValidUntil() (t time.Time, ok bool) { return until(a.Read, a.Valid) }

func until(read time.Time, lifetime uint32) (time.Time, bool) {
	if lifetime == Infinity {
		return time.Time{}, false
	}
	return read.Add(time.Duration(lifetime) * time.Second), true
}

// deadlineTolerance is by how much the deadlines of an unchanged address may
// differ from one reading to the next: the kernel tells whole seconds.
const deadlineTolerance = 3 * time.Second

func (s *Snapshot) equal(t *Snapshot) bool {
	if len(s.Links) != len(t.Links) {
		return false
	}
	for i := range s.Links {
		if !s.Links[i].equal(&t.Links[i]) {
			return false
		}
	}
	return true
}

func (l *Link) equal(m *Link) bool {
	if l.Index != m.Index || l.Name != m.Name || l.Type != m.Type || l.Up != m.Up || l.Running != m.Running ||
		l.MTU != m.MTU || l.Restarts != m.Restarts || l.Master != m.Master ||
		!bytes.Equal(l.HardwareAddr, m.HardwareAddr) || len(l.Addrs) != len(m.Addrs) {
		return false
	}
	for i := range l.Addrs {
		if !l.Addrs[i].equal(&m.Addrs[i]) {
			return false
		}
	}
	return true
}

// equal tells changes apart from lifetimes that merely count down.
func (a *Addr) equal(b *Addr) bool {
	return a.Prefix == b.Prefix && a.Peer == b.Peer && a.Scope == b.Scope && a.Flags == b.Flags &&
		sameDeadline(a.Read, a.Preferred, b.Read, b.Preferred) && sameDeadline(a.Read, a.Valid, b.Read, b.Valid)
}

func sameDeadline(r time.Time, l uint32, s time.Time, m uint32) bool {
	if l == m && (l == 0 || l == Infinity) {
		return true // 0 does not count down any further
	}
	t, ok := until(r, l)
	u, finite := until(s, m)
	return ok && finite && t.Sub(u).Abs() <= deadlineTolerance
}
