package netif

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/tinyfmt"
)

// Neighbours looks into the kernel's neighbour table. It is for one goroutine.
type Neighbours struct {
	conn *routeConn
}

// OpenNeighbours returns the neighbours of a network namespace given by its
// file descriptor, or of the caller's if that is 0.
func OpenNeighbours(netns int) (*Neighbours, error) {
	conn, err := dialRoute(0, netns)
	if err != nil {
		return nil, err
	}
	return &Neighbours{conn: conn}, nil
}

// Close closes the socket.
func (n *Neighbours) Close() error { return n.conn.Close() }

// LinkLayer returns the link-layer address of a neighbour on an interface: nil
// if the kernel has not learnt it. It is valid until the next call. (Kernels
// before 5.0 cannot be asked.)
func (n *Neighbours) LinkLayer(ifindex int, neighbour netip.Addr) []byte {
	request := make([]byte, unix.SizeofNdMsg, 32)
	request[0] = unix.AF_INET6
	binary.NativeEndian.PutUint32(request[4:], uint32(ifindex))
	m, err := n.conn.ask(unix.RTM_GETNEIGH, 0, appendAddrAttr(request, unix.NDA_DST, neighbour))
	if err != nil || m.Type != unix.RTM_NEWNEIGH || len(m.Data) < unix.SizeofNdMsg {
		return nil
	}
	const known = unix.NUD_REACHABLE | unix.NUD_STALE | unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_PERMANENT
	if binary.NativeEndian.Uint16(m.Data[8:])&known == 0 {
		return nil
	}
	ad := attributes{rest: m.Data[unix.SizeofNdMsg:]}
	var address []byte
	for ad.Next() {
		if ad.Type() == unix.NDA_LLADDR {
			address = ad.Bytes()
		}
	}
	if ad.Err() != nil {
		return nil
	}
	return address
}

// Probe has the kernel find out whether a neighbour is still there, as if there
// were a datagram for it. When it is not, LinkLayer is nil a few seconds later.
func (n *Neighbours) Probe(ifindex int, neighbour netip.Addr) error {
	request := make([]byte, unix.SizeofNdMsg, 32)
	request[0] = unix.AF_INET6
	binary.NativeEndian.PutUint32(request[4:], uint32(ifindex))
	request[10] = unix.NTF_USE
	_, err := n.conn.ask(unix.RTM_NEWNEIGH, unix.NLM_F_ACK|unix.NLM_F_CREATE, appendAddrAttr(request, unix.NDA_DST, neighbour))
	if err != nil {
		return tinyfmt.Errorf("probe neighbour %v: %w", neighbour, err)
	}
	return nil
}
