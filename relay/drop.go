package relay

// Drop is the reason for which a datagram was not relayed. It is an error without allocation.
type Drop uint8

// The reasons. Each has a counter.
const (
	DropMalformed     Drop = iota // a length that does not fit, or an option too short
	DropMessageType               // a message that is not sent in this direction
	DropNotClientSide             // for Forward: arrived on another interface than a client-side one
	DropNotUpstream               // for Return: arrived on another interface than an upstream one
	DropUnicast                   // a client's message to a unicast address
	DropSource                    // from an address that nobody has
	DropLooped                    // our own message came back
	DropHopCount                  // section 19.1.2: relayed as often as HOP_COUNT_LIMIT allows
	DropNesting                   // more relay agents' headers than that, whatever hop-count says
	DropRelayMessage              // not exactly one Relay Message
	DropTooLong                   // does not fit a Relay Message or a datagram once relayed
	DropNoServer                  // no server can be reached
	DropNotServer                 // not from one of the configured servers
	DropInterfaceID               // names no client-side interface, or one that link-address does not belong to
	DropInterfaceGone             // the client-side interface is not there at the moment
	DropPeerAddress               // for an address that nobody has, or for one of ours
	DropAuthenticated             // its DNS servers would have to be replaced, and it is authenticated
	numDrops
)

var dropTexts = [numDrops]string{
	DropMalformed:     "malformed message",
	DropMessageType:   "not a message that is sent in this direction",
	DropNotClientSide: "not on a client-side interface",
	DropNotUpstream:   "not on an upstream interface",
	DropUnicast:       "sent to a unicast address",
	DropSource:        "impossible source address",
	DropLooped:        "our own message",
	DropHopCount:      "relayed too often",
	DropNesting:       "too many relay agents' headers",
	DropRelayMessage:  "not exactly one Relay Message",
	DropTooLong:       "does not fit a datagram once relayed",
	DropNoServer:      "no server can be reached",
	DropNotServer:     "not from a configured server",
	DropInterfaceID:   "no client-side interface named",
	DropInterfaceGone: "client-side interface is gone",
	DropPeerAddress:   "impossible peer-address",
	DropAuthenticated: "DNS servers are authenticated and cannot be replaced",
}

// Error is the reason in words.
func (d Drop) Error() string { return dropTexts[d] }

// Drops are all reasons, for those who list counters.
func Drops() []Drop {
	all := make([]Drop, numDrops)
	for i := range all {
		all[i] = Drop(i)
	}
	return all
}

// Counters count what a Relay did since it was made.
type Counters struct {
	Received    [16]uint64 // for Forward, by message type; index 0: unknown types
	Forwarded   uint64     // of these, relayed
	Copies      uint64     // Relay-forwards to be sent for them: one for each server
	Unreachable uint64     // Relay-forwards not sent, as no upstream interface leads to the server
	Returned    [16]uint64 // Relay-replies relayed, by the type of the message in them
	Rewritten   uint64     // of these, with other DNS servers
	Dropped     [numDrops]uint64

	Unroutable      uint64 // delegated prefixes that were not learned because they cannot be anybody's
	BeyondLimit     uint64 // likewise, because there are too many
	Contested       uint64 // likewise, because another next hop holds them, or what they are part of
	ReleasesIgnored uint64 // IA_PDs in Releases that came from elsewhere than from their holder
}
