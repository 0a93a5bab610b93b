// Package relay is a DHCPv6 relay agent (RFC 9915, section 19) as a state machine: datagrams, the time and the state of
// the links go in, datagrams and events come out. It has no socket, clock, file, log or goroutine.
//
// Forward takes what arrives on a client-side interface to the servers, Return takes what arrives on an upstream one back
// to the clients. Between the two nothing is remembered: the Interface-Id that the server gives back is the interface's
// name, so a reply finds its client also when the interface has been created anew meanwhile. SetLinks tells about
// interfaces, SetPaths about routes to servers, SetConfig changes the configuration, Tick ends what has run out, Events
// tells what happened. A Relay is not safe for concurrent use.
//
// # Delegated prefixes
//
// What a Relay does remember are the delegated prefixes in the Replies that pass (RFC 8987), for their clients are reached
// through it: AppendRoutes tells the routes. A prefix is held by an IA of a client on a link, through a next hop: the
// peer-address that the Reply is sent to, so the client's link-local address, or the address of the next relay agent.
// They are the bindings of a lease.Table, which records and restores them.
//
// # Who may change a route
//
// A DUID is no secret: whoever has a client's can have a server renew or release what the client holds, and nothing tells
// the server. Here, though, everybody has an address of their own, and messages come from it. So what counts is the next
// hop that holds a prefix, and that hosts cannot send from each other's addresses; who can do that, by answering for
// them in neighbour discovery, has their traffic without DHCPv6.
//
//   - A prefix is given up when its next hop releases it, when it runs out, or when the server that gave it tells so in a
//     Reply to that next hop. Releases from elsewhere, and what servers tell others about it, are relayed and change nothing.
//   - Until then it does not pass to another next hop, whoever the server gives it to meanwhile; nor does any part of it,
//     whose route would win. A larger one around it may: the smallest that has an address in it says whose that is.
//   - A client whose address has changed looks just like somebody who has stolen its DUID, unless the neighbours' link-layer
//     addresses are known and are the same. Else it waits, as a rival: the prefix is its own as soon as the holder's is over,
//     for one of the above reasons, or because NextHopGone says that nobody is at the old address any more. Event Contested
//     is the moment to find that out.
//   - The number of prefixes is bounded for each client (a DUID at one next hop: nobody can use up another's share), for each
//     interface and in all. Beyond, nothing is learned and nothing lost; only of its own a client may lose an older one in
//     the same IA to a newer one.
//   - Only prefixes that a server may delegate are learned: not ::/0, nothing that is shorter than /24 or not global, that
//     has an address of ours in it, or that is part of what is on one of our links.
//
// Who comes first with a client's DUID, while the client is away, is the client: nobody can tell them apart then. And
// whoever can send on an upstream link can pretend to be a server, unless unicast servers are configured.
package relay
