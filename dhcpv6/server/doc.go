// Package server is a DHCPv6 server (RFC 9915) as a state machine: datagrams, the time and the state of the links go in,
// datagrams and events come out. It has no socket, clock, file, log or goroutine.
//
// Handle answers one datagram, SetLinks tells about interfaces and their prefixes, SetConfig changes the configuration,
// Tick ends what has run out, Events tells what happened. A Server is not safe for concurrent use.
//
// Read exchange.go first: one function for each message a client sends.
package server
