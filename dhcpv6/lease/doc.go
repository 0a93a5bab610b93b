// Package lease keeps the DHCPv6 bindings: which IA of which client holds which interface id or subnet id on a link, and
// until when. It knows nothing of packets, sockets, files or clocks.
//
// A binding belongs to one IA (DUID, IAID, kind) on one link and has one id. The addresses or prefixes in it, its
// leases, are what that id gives under each of the link's prefixes. So when a prefix changes, the id stays and only the
// leases change; and two bindings of a link have different ids, hence different addresses.
//
// A Table is not safe for concurrent use: one goroutine owns it.
package lease
