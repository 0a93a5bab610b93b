package dhcpv6_test

import (
	"encoding/hex"
	"fmt"

	"lan6d/dhcpv6"
)

// A Solicit is read and answered with an Advertise, without an allocation and without a copy.
func Example() {
	packet, _ := hex.DecodeString("01a1b2c3" + "0001000a00030001020000000001" + "0003000c000000010000000000000000")

	msg, err := dhcpv6.ParseMessage(packet)
	if err != nil {
		fmt.Println(err)
		return
	}
	w := dhcpv6.NewWriter(make([]byte, 1232))
	w.Message(dhcpv6.Advertise, msg.TransactionID)
	for code, data := range msg.Options.All() {
		switch code {
		case dhcpv6.OptionClientID:
			w.Option(code, data)
		case dhcpv6.OptionIANA:
			ia, err := dhcpv6.ParseIA(data)
			if err != nil {
				continue
			}
			m := w.Begin(dhcpv6.OptionIANA)
			w.Uint32(ia.IAID)
			w.Uint32(0)
			w.Uint32(0)
			w.Status(dhcpv6.StatusNoAddrsAvail, "")
			w.End(m)
		}
	}
	reply, err := w.Finish()
	fmt.Printf("%v %06x: %x %v\n", msg.Type, msg.TransactionID, reply, err)
	// Output:
	// Solicit a1b2c3: 02a1b2c30001000a0003000102000000000100030012000000010000000000000000000d00020002 <nil>
}
