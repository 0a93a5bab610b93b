package dhcpv6_test

import (
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
)

func TestAllocations(t *testing.T) {
	packet := dhcpv6test.Hex(t, solicit)
	relay := dhcpv6test.Hex(t, relayHeader+"0012 0004 65746830 0009 0004 01a1b2c3")
	name := dhcpv6test.Hex(t, longLabels+label(61)+"00")
	broken := dhcpv6test.Hex(t, "01a1b2c3 0001 ffff")
	buf := make([]byte, 1232)
	text := make([]byte, 0, dhcpv6.MaxNameLength)
	for what, f := range map[string]func(){
		"read a Solicit":           func() { readSolicit(packet) },
		"write an Advertise":       func() { _, _ = writeAdvertise(buf) },
		"write, buffer too small":  func() { _, _ = writeAdvertise(buf[:40]) },
		"parse a relay message":    func() { m, _ := dhcpv6.ParseRelayMessage(relay); m.Options.Get(dhcpv6.OptionRelayMsg) },
		"refuse a broken message":  func() { _, _ = dhcpv6.ParseMessage(broken) },
		"refuse an empty datagram": func() { _, _ = dhcpv6.ParseMessage(nil) },
		"count options":            func() { m, _ := dhcpv6.ParseMessage(packet); m.Options.Count(dhcpv6.OptionIANA) },
		"parse a name":             func() { _, _, _, _ = dhcpv6.ParseName(text, name) },
		"append a name":            func() { _, _ = dhcpv6.AppendName(text, "router.lan.home.arpa.") },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", what, n)
		}
	}
}

func TestReadSolicit(t *testing.T) {
	// 6 octets of MAC, 1 requested option, 128 bits of address, a prefix length of 62.
	if got, want := readSolicit(dhcpv6test.Hex(t, solicit)), 6+1+128+62; got != want {
		t.Errorf("%d, want %d", got, want)
	}
}
