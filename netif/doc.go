// Package netif is all that lan6d asks of Linux: UDP sockets that know which
// address and which interface a datagram came to, and a watch on links and
// their IPv6 addresses. It knows nothing of DHCPv6 but its port and groups.
//
// Interfaces are named by their index everywhere; a name serves messages only.
// Addresses never carry a zone.
//
// All unsafe code of lan6d is in batch.go.
package netif
