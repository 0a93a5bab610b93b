// Package openwrt tests what is installed on a router: the scripts, under busybox ash in a directory tree that is made to
// look like OpenWrt, with small stand-ins for uci, procd and the rest (standin and testdata/root); the daemon, as the user
// it has there; and the packages, built, taken apart, and their programs run as on each machine.
package openwrt
