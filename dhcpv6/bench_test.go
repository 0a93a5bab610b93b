package dhcpv6_test

import (
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
)

const solicit = `
	01 a1b2c3                                                         # SOLICIT
	0001 000e 0001 0001 2a3b4c5d 020000000001                         # Client Identifier: DUID-LLT
	0008 0002 0000                                                    # Elapsed Time
	0006 0008 0017 0018 0052 0053                                     # Option Request
	0003 0028 00000001 00000000 00000000                              # IA_NA
	  0005 0018 20010db8000000000000000000000001 00000000 00000000    # IA Address
	0019 0029 00000001 00000000 00000000                              # IA_PD
	  001a 0019 00000000 00000000 3e 00000000000000000000000000000000 # IA Prefix
	000e 0000                                                         # Rapid Commit`

// readSolicit looks at everything in the message, two levels deep.
func readSolicit(b []byte) (n int) {
	m, err := dhcpv6.ParseMessage(b)
	if err != nil {
		return 0
	}
	for code, data := range m.Options.All() {
		switch code {
		case dhcpv6.OptionClientID:
			d, _ := dhcpv6.ParseDUID(data)
			mac, _ := d.MAC()
			n += len(mac)
		case dhcpv6.OptionORO:
			if dhcpv6.OptionCodes(data).Has(dhcpv6.OptionDNSServers) {
				n++
			}
		case dhcpv6.OptionIANA, dhcpv6.OptionIAPD:
			n += readIA(data)
		}
	}
	return n
}

func readIA(data []byte) (n int) {
	ia, err := dhcpv6.ParseIA(data)
	if err != nil {
		return 0
	}
	for code, data := range ia.All() {
		switch code {
		case dhcpv6.OptionIAAddr:
			a, _ := dhcpv6.ParseIAAddr(data)
			n += a.Addr.BitLen()
		case dhcpv6.OptionIAPrefix:
			p, _ := dhcpv6.ParseIAPrefix(data)
			n += p.Prefix.Bits()
		}
	}
	return n
}

var (
	clientID = dhcpv6.NewDUIDLL(dhcpv6.HardwareEthernet, []byte{2, 0, 0, 0, 0, 1})
	serverID = dhcpv6.NewDUIDLL(dhcpv6.HardwareEthernet, []byte{2, 0, 0, 0, 0, 2})
)

func writeAdvertise(buf []byte) ([]byte, error) {
	w := dhcpv6.NewWriter(buf)
	w.Message(dhcpv6.Advertise, 0xa1b2c3)
	w.Option(dhcpv6.OptionClientID, clientID)
	w.Option(dhcpv6.OptionServerID, serverID)
	ia := w.Begin(dhcpv6.OptionIANA)
	w.Uint32(1)
	times := w.Mark()
	w.Uint32(0)
	w.Uint32(0)
	w.IAAddr(addr1, 3600, 7200)
	w.End(ia)
	w.SetUint32(times, 1800)
	ia = w.Begin(dhcpv6.OptionIAPD)
	w.Uint32(1)
	w.Uint32(1800)
	w.Uint32(2880)
	w.IAPrefix(prefix1, 3600, 7200)
	w.End(ia)
	w.Status(dhcpv6.StatusSuccess, "")
	w.OptionUint32(dhcpv6.OptionSolMaxRT, 3600)
	dns := w.Begin(dhcpv6.OptionDNSServers)
	w.Addr(addr1)
	w.Addr(addr2)
	w.End(dns)
	return w.Finish()
}

func BenchmarkParseSolicit(b *testing.B) {
	packet := dhcpv6test.Hex(b, solicit)
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	for b.Loop() {
		readSolicit(packet)
	}
}

func BenchmarkWriteAdvertise(b *testing.B) {
	buf := make([]byte, 1232)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := writeAdvertise(buf); err != nil {
			b.Fatal(err)
		}
	}
}
