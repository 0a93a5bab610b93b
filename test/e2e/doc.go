// Package e2e tests lan6d with real DHCPv6 clients and relays, as Debian ships them, on simulated networks.
//
// Every test builds its own network: a router that runs lan6d on a bridge, client machines plugged into it, sometimes a
// relay between them. A machine is a network and a mount namespace (host.go), and the test binary runs in namespaces of
// its own (netif/netnstest): nothing needs setting up, nothing is left behind. The tests look at real effects: the
// packets on the bridge, the addresses in the client's kernel, what the client told its scripts, the log of lan6d. When
// a test ends, tshark dissects every packet that lan6d sent in it.
//
// The tests need root or unprivileged user namespaces, and the Debian packages that test/install.sh installs. They
// never skip: a program that is missing fails them. They take about a minute, most of it waiting for clients.
//
// The crash tests (crash_test.go, journal_test.go, full_test.go) add a crowd of simulated clients (crowd.go) and a ledger of
// what everybody was promised, and look into the file of leases whenever lan6d was ended (kept.go). What a crowd does is
// random; -seed repeats it, but not the moments at which things happen.
//
// A simulated client that accepts Reconfigure messages (accepter.go) judges each of them by the tests' own code (rkap.go),
// and so does the capture at the end of every test, for every client that it saw.
//
// The control channel is asked by lan6d ctl and by the tests' own code (control.go), which takes no member that docs/CTL.md does
// not name. TestControlHostile needs root, for it is somebody else at times.
//
// Start reading at matrix_test.go. The flag -tables DIR writes the tables of clients and relays as Markdown; -v shows
// them. The environment variable LAN6D names a binary to test in place of this tree's.
package e2e
