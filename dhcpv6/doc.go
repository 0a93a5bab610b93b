// Package dhcpv6 is the wire codec of DHCPv6: messages, options, identity associations, DUIDs and domain names.
//
// Section numbers in the comments of lan6d are those of RFC 9915 (STD 102, January 2026), which obsoletes RFC 8415 and
// keeps the numbering of its sections 16 to 21. Names are the RFC's.
//
// Reading does not copy. ParseMessage and ParseOptions check every length of one level once; what they return aliases
// the caller's bytes and can be iterated without further checks. The contents of an option that holds options of its own
// (an IA, an IA Address, a Relay Message) are checked by that option's Parse function.
//
// Writing goes through a Writer into a buffer of the caller's that cannot grow: one check, at the end.
//
// The package does no I/O, reads no clock, keeps no state and imports the standard library only.
package dhcpv6
