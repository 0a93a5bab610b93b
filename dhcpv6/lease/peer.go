package lease

import (
	"encoding/binary"
	"net/netip"
)

// notePeer begins the name of a note about a peer that is on another link than its binding: then come the binding's ids, as
// appendID has them; the value is the address and the link's name. It stands before the binding's record, so that one torn
// from the other says nothing. Versions that know nothing of it take it for somebody's note, and the binding for one
// without a peer.
const notePeer = "peer/"

// appendPeer appends that note.
func appendPeer(b []byte, binding *Binding) []byte {
	b, start := beginRecord(b)
	b = append(b, recordNote)
	b = binary.BigEndian.AppendUint16(b, uint16(len(notePeer)+1+1+8+2+len(binding.Link.Name)))
	b = appendID(append(b, notePeer...), binding)
	addr := binding.Peer.As16()
	b = append(b, addr[:]...)
	return endRecord(append(b, binding.PeerLink...), start)
}

// takePeer gives the binding the peer of the note about its ids, if there is one.
func (p *past) takePeer(b *Binding, ids []byte) {
	if value := p.peers[string(ids)]; len(value) > 16 {
		b.Peer, b.PeerLink = netip.AddrFrom16([16]byte(value)), string(value[16:])
	}
}
