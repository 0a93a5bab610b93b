package e2e

import (
	"encoding/json"
	"net/netip"
	"strings"
	"time"
)

// A want says what a client is to ask for.
type want struct {
	addr, prefix bool // an IA_NA, an IA_PD
	rapid        bool // with Rapid Commit
	stateless    bool // nothing but configuration: an Information-request
	reconfigure  bool // and accept Reconfigure messages
}

// A client is one DHCPv6 client program on a host, with its interface eth0.
type client interface {
	// start runs the program. It may be called again after release or kill, and then finds its files as it left them.
	start(want)
	// release makes the program give back what it holds, and end.
	release()
	// kill ends the program as a power cut would.
	kill()
	// report is what the program told: prefixes and name servers are in it as text.
	report() string
}

// A kind is a client program that the tests run.
type kind struct {
	name string
	make func(*host) client
	// preferred is the lifetime, in seconds, with which the program renews soonest: clients hold back in their own ways.
	preferred int
	// renewing and rebinding are how long it then takes to.
	renewing, rebinding time.Duration
	// informed is what the program reports when an Information-request was answered.
	informed string
}

var (
	// Counts from before its script ran, which waits for duplicate address detection of two addresses.
	dhclientKind = kind{"dhclient", newDhclient, 20, 20 * time.Second, 30 * time.Second, nameserver}
	dhcpcdKind   = kind{"dhcpcd", newDhcpcd, 8, 15 * time.Second, 20 * time.Second, nameserver}
	// Takes no T2 below 30 s (DHCP6_DURATION_MIN) and makes T1 18 s then.
	dhcp6cKind  = kind{"dhcp6c", newDhcp6c, 8, 30 * time.Second, 45 * time.Second, nameserver}
	dibblerKind = kind{"dibbler", newDibbler, 8, 15 * time.Second, 20 * time.Second, nameserver}
	// Its timers may be 10 s late: with a short T1 it is past T2 before it looks. Version 252 accepts the Reply to an
	// Information-request, but does nothing with it.
	networkdKind = kind{"networkd", newNetworkd, 40, 60 * time.Second, 75 * time.Second, "Processed Reply message"}

	clientKinds = []kind{dhclientKind, dhcpcdKind, dhcp6cKind, dibblerKind, networkdKind}
)

// A kernelAddr is an address as the kernel has it.
type kernelAddr struct {
	addr             netip.Addr
	preferred, valid uint32
}

// addrs returns the global addresses of an interface that may be used.
func (h *host) addrs(ifname string) (addrs []kernelAddr) {
	h.t.Helper()
	var links []struct {
		AddrInfo []struct {
			Local     netip.Addr `json:"local"`
			Preferred uint32     `json:"preferred_life_time"`
			Valid     uint32     `json:"valid_life_time"`
		} `json:"addr_info"`
	}
	out := h.run("ip", "-6", "-json", "addr", "show", "dev", ifname, "scope", "global", "-tentative")
	if err := json.Unmarshal([]byte(out), &links); err != nil {
		h.t.Fatalf("ip -json: %v: %s", err, out)
	}
	for _, link := range links {
		for _, a := range link.AddrInfo {
			if a.Local.IsValid() {
				addrs = append(addrs, kernelAddr{a.Local, a.Preferred, a.Valid})
			}
		}
	}
	return addrs
}

// duidLL is the DUID-LL that the clients under test make of the address of eth0.
func duidLL(h *host) string {
	return "00:03:00:01:" + strings.TrimSpace(h.run("cat", "/sys/class/net/eth0/address"))
}
