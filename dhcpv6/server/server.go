package server

import (
	"net/netip"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// offerTime is how long an Advertise reserves what it offers.
const offerTime = time.Minute

// Datagram is a UDP datagram, received or to be sent. Payload belongs to the caller: of a received one it must not
// change until Handle returns, the payload of an answer aliases the buffer given to Handle.
type Datagram struct {
	Payload []byte
	Ifindex int            // the interface it arrived on or leaves by
	Peer    netip.AddrPort // where it came from or goes to, without zone
	Local   netip.Addr     // our address: the destination of a received one, the source of an answer
}

// Server is the state machine. New makes one.
type Server struct {
	config   Config
	hosts    hosts
	table    *lease.Table
	links    []*link // in the order of the configuration
	given    []Link  // what SetLinks was told last
	events   []Event
	counters Counters
	clients  clients
	health   Health
	request  request // scratch of Handle, kept to allocate nothing

	heldUntil lease.Time // when the first lease ends that another link does without: see heldElsewhere

	behindLink     link // likewise: see behind
	behindPrefix   [1]prefix
	behindOwn      lease.Reserved
	behindReserved lease.Reserved
	behindPools    []lease.Pool
}

// New makes a server without links. The table's epoch becomes now.
func New(now time.Time, config Config) *Server {
	s := &Server{
		table: lease.NewTable(now, lease.Limits{}), clients: clients{all: make(map[clientKey]*client)}, heldUntil: lease.Never,
	}
	s.startRun(now.Unix())
	s.SetConfig(now, config)
	return s
}

// SetConfig changes the configuration. Bindings stay; what the new configuration no longer grants ends with the
// client's next Renew or when it expires. Clients that accept it are told with Reconfigure when options have changed.
func (s *Server) SetConfig(now time.Time, config Config) {
	before := s.links
	s.config = config
	s.table.SetLimits(lease.Limits{Offers: config.MaxOffers})
	s.hosts = newHosts(config.Hosts)
	s.SetLinks(now, s.given)
	s.keepDUID()
	s.clients.maxStateless = DefaultMaxStateless
	if config.MaxStateless > 0 {
		s.clients.maxStateless = config.MaxStateless
	}
	if config.Random == nil {
		s.forgetAll()
		return
	}
	s.forgetOldest()
	s.reconfigureChanged(s.table.At(now), before)
}

// Counters counts what happened since New.
func (s *Server) Counters() *Counters { return &s.counters }

// Table holds the bindings; for reading only.
func (s *Server) Table() *lease.Table { return s.table }

// Handle answers one datagram from a client or relay. The answer is built in buf, at most dhcpv6.MaxPayload octets, and
// aliases it. An error is a Drop: RFC 9915 or the configuration asks for silence.
func (s *Server) Handle(now time.Time, in Datagram, buf []byte) (out Datagram, err error) {
	r, events := &s.request, len(s.events)
	r.begin(s, s.table.At(now), in, buf)
	payload, err := r.answer()
	if err != nil {
		if drop, ok := err.(Drop); ok {
			s.counters.Dropped[drop]++
		}
		r.abandon()
		s.settleEnded(s.events[events:])
		return Datagram{}, err
	}
	s.counters.Sent[r.reply&15]++
	r.commit()
	s.settleEnded(s.events[events:])
	out = Datagram{Payload: payload, Ifindex: in.Ifindex, Peer: r.peer(), Local: in.Local}
	if !in.Local.IsValid() || in.Local.IsMulticast() {
		out.Local = r.arrival.sourceFor(in.Peer.Addr())
	}
	return out, nil
}

// Tick ends what has run out by now and returns when to call it, and NextReconfigure, again; the zero time if nothing runs
// out. It may be called at any time.
func (s *Server) Tick(now time.Time) (next time.Time) {
	at, events := s.table.At(now), len(s.events)
	for {
		b, was := s.table.Expire(at)
		if b == nil {
			break
		}
		if was == lease.Bound {
			s.emit(at, Expired, b, netip.Addr{})
		}
	}
	s.settleEnded(s.events[events:])
	if s.heldUntil <= at {
		s.setPrefixPools(at)
	}
	if at := min(s.table.Next(), s.clients.nextWake(), s.heldUntil); at != lease.Never {
		return s.table.Wall(at)
	}
	return time.Time{}
}

// messageIndex is the index of a message type in Counters.
func messageIndex(t dhcpv6.MessageType) int {
	if t > dhcpv6.RelayReply {
		return 0
	}
	return int(t)
}
