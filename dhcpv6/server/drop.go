package server

// Drop is the reason for which a datagram got no answer. It is an error without allocation.
type Drop uint8

// The reasons. Each has a counter.
const (
	DropMalformed      Drop = iota // a length that does not fit, or an option too short
	DropMessageType                // not a message that clients or relays send
	DropNotServed                  // arrived on an interface that is not served
	DropSource                     // from an address that nobody has
	DropNoClientID                 // section 16: no Client Identifier
	DropClientID                   // Client Identifier of less than 3 or more than 130 octets
	DropServerID                   // Server Identifier of less than 3 or more than 130 octets
	DropDuplicateID                // two Client or Server Identifiers
	DropNoServerID                 // section 16: no Server Identifier
	DropUnwantedServer             // section 16: a Server Identifier where none is allowed
	DropOtherServer                // section 16: meant for another server
	DropUnwantedIA                 // section 16.12: IA in an Information-request
	DropOwnDUID                    // the client's DUID is ours: our own packet came back
	DropUnicast                    // sent to a unicast address where that is not allowed
	DropIgnored                    // the configuration says to ignore this client
	DropRelayDepth                 // relayed more than 9 times: see maxRelays
	DropRelayMessage               // a Relay-forward without exactly one Relay Message
	DropCannotJudge                // Confirm or Rebind about which this server knows nothing
	DropReplyTooLong               // the answer does not fit a datagram
	numDrops
)

var dropTexts = [numDrops]string{
	DropMalformed:      "malformed message",
	DropMessageType:    "not a message that clients or relays send",
	DropNotServed:      "interface not served",
	DropSource:         "impossible source address",
	DropNoClientID:     "no Client Identifier",
	DropClientID:       "Client Identifier not of 3 to 130 octets",
	DropServerID:       "Server Identifier not of 3 to 130 octets",
	DropDuplicateID:    "more than one Client or Server Identifier",
	DropNoServerID:     "no Server Identifier",
	DropUnwantedServer: "Server Identifier in a message to all servers",
	DropOtherServer:    "meant for another server",
	DropUnwantedIA:     "IA in an Information-request",
	DropOwnDUID:        "client has this server's DUID",
	DropUnicast:        "sent to a unicast address",
	DropIgnored:        "client ignored by configuration",
	DropRelayDepth:     "relayed too often",
	DropRelayMessage:   "Relay-forward without exactly one Relay Message",
	DropCannotJudge:    "nothing known about these leases",
	DropReplyTooLong:   "answer does not fit a datagram",
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

// Counters count what a Server received, sent and dropped since it was made.
type Counters struct {
	Received [16]uint64 // by message type; index 0: unknown types
	Sent     [16]uint64 // by message type of the answer, not counting Relay-reply around it
	Dropped  [numDrops]uint64
	BadNames uint64 // Client FQDN options whose name is not a host name

	GivenUp     uint64 // clients that did not follow a Reconfigure, told eight times
	KeysDropped uint64 // clients without bindings that were forgotten for more recent ones: see Config.MaxStateless
}
