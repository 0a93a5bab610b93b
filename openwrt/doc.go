// Package openwrt is what only OpenWrt knows: its configuration files and, read from them, what the server is to do.
//
// The files are those of odhcpd, whose options, types, defaults and ranges hold: "network" (the server's DUID), "dhcp"
// (interfaces and hosts) and "system" (the time zone). A file of lan6d's own, "lan6d", has what odhcpd lacks: a section
// "lan6d" for the daemon, and "interface" sections whose options override those of the "dhcp" section of that name.
//
// One wrong line does not disable the rest, and nothing is dropped in silence: Load returns all problems with file and
// line, and a configuration without what is wrong in it. Whatever the files say, every value that gets into the
// configuration is in its range and can be encoded.
package openwrt
