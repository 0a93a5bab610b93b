// Package ctl is the control channel: JSON-RPC 2.0 over a unix stream socket, one JSON object a line. It has the server's
// side, the client's, and the command line with its tables. What the methods do is the daemon's: it gives Listen a table
// of them, and answers the requests that pass its checks. docs/CTL.md is the contract of both sides.
package ctl
