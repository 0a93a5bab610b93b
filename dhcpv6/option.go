package dhcpv6

import (
	"encoding/binary"
	"iter"

	"lan6d/dhcpv6/tinyfmt"
)

// OptionCode names an option (section 21, and the registry "DHCPv6 Option Codes" of IANA).
type OptionCode uint16

// The options that lan6d reads or writes.
const (
	OptionClientID        OptionCode = 1
	OptionServerID        OptionCode = 2
	OptionIANA            OptionCode = 3
	OptionIATA            OptionCode = 4 // obsolete
	OptionIAAddr          OptionCode = 5
	OptionORO             OptionCode = 6
	OptionPreference      OptionCode = 7
	OptionElapsedTime     OptionCode = 8
	OptionRelayMsg        OptionCode = 9
	OptionAuth            OptionCode = 11
	OptionUnicast         OptionCode = 12 // obsolete
	OptionStatusCode      OptionCode = 13
	OptionRapidCommit     OptionCode = 14
	OptionUserClass       OptionCode = 15
	OptionVendorClass     OptionCode = 16
	OptionVendorOpts      OptionCode = 17
	OptionInterfaceID     OptionCode = 18
	OptionReconfMsg       OptionCode = 19
	OptionReconfAccept    OptionCode = 20
	OptionDNSServers      OptionCode = 23 // RFC 3646
	OptionDomainList      OptionCode = 24 // RFC 3646
	OptionIAPD            OptionCode = 25
	OptionIAPrefix        OptionCode = 26
	OptionSNTPServers     OptionCode = 31 // RFC 4075
	OptionInformationTime OptionCode = 32 // Information Refresh Time
	OptionRemoteID        OptionCode = 37 // RFC 4649
	OptionSubscriberID    OptionCode = 38 // RFC 4580
	OptionClientFQDN      OptionCode = 39 // RFC 4704
	OptionPOSIXTimezone   OptionCode = 41 // RFC 4833
	OptionTZDBTimezone    OptionCode = 42 // RFC 4833
	OptionERO             OptionCode = 43 // RFC 4994: Echo Request
	OptionRelayID         OptionCode = 53 // RFC 5460
	OptionNTPServer       OptionCode = 56 // RFC 5908
	OptionBootFileURL     OptionCode = 59 // RFC 5970
	OptionClientArch      OptionCode = 61 // RFC 5970
	OptionClientLinkLayer OptionCode = 79 // RFC 6939
	OptionSolMaxRT        OptionCode = 82
	OptionInfMaxRT        OptionCode = 83
	OptionCaptivePortal   OptionCode = 103 // RFC 8910
	OptionRelayPort       OptionCode = 135 // RFC 8357: Relay Source Port
	OptionDNR             OptionCode = 144 // RFC 9463
)

var optionNames = map[OptionCode]string{
	OptionClientID: "Client Identifier", OptionServerID: "Server Identifier", OptionIANA: "IA_NA", OptionIATA: "IA_TA",
	OptionIAAddr: "IA Address", OptionORO: "Option Request", OptionPreference: "Preference",
	OptionElapsedTime: "Elapsed Time", OptionRelayMsg: "Relay Message", OptionAuth: "Authentication",
	OptionUnicast: "Server Unicast", OptionStatusCode: "Status Code", OptionRapidCommit: "Rapid Commit",
	OptionUserClass: "User Class", OptionVendorClass: "Vendor Class", OptionVendorOpts: "Vendor-specific Information",
	OptionInterfaceID: "Interface-Id", OptionReconfMsg: "Reconfigure Message",
	OptionReconfAccept: "Reconfigure Accept", OptionDNSServers: "DNS Recursive Name Server",
	OptionDomainList: "Domain Search List", OptionIAPD: "IA_PD", OptionIAPrefix: "IA Prefix",
	OptionSNTPServers: "SNTP Servers", OptionInformationTime: "Information Refresh Time", OptionRemoteID: "Remote-Id",
	OptionSubscriberID: "Subscriber-Id", OptionClientFQDN: "Client FQDN", OptionPOSIXTimezone: "POSIX Timezone",
	OptionTZDBTimezone: "TZDB Timezone", OptionERO: "Echo Request", OptionRelayID: "Relay-Id",
	OptionNTPServer: "NTP Server", OptionBootFileURL: "Boot File URL", OptionClientArch: "Client Architecture",
	OptionClientLinkLayer: "Client Link-Layer Address", OptionSolMaxRT: "SOL_MAX_RT", OptionInfMaxRT: "INF_MAX_RT",
	OptionCaptivePortal: "Captive Portal", OptionRelayPort: "Relay Source Port", OptionDNR: "DNR",
}

// String is the option's name in its RFC, or "option 999".
func (c OptionCode) String() string {
	if name, ok := optionNames[c]; ok {
		return name
	}
	return tinyfmt.Sprintf("option %d", uint16(c))
}

// Options is a run of options whose lengths ParseOptions has checked. It aliases the packet.
type Options []byte

// ParseOptions checks that every option lies within b (section 21.1). One to three stray octets behind the last option,
// too few to be one, are cut off: nothing can be lost with them, and some clients pad.
func ParseOptions(b []byte) (Options, error) {
	n := 0
	for len(b)-n >= 4 {
		end := n + 4 + int(binary.BigEndian.Uint16(b[n+2:]))
		if end > len(b) {
			return nil, ErrOptionLength
		}
		n = end
	}
	return Options(b[:n:n]), nil
}

// All iterates the options in the order of the packet. The data aliases the packet and must not be written to.
func (o Options) All() iter.Seq2[OptionCode, []byte] {
	return func(yield func(OptionCode, []byte) bool) {
		for rest := o; len(rest) >= 4; {
			end := 4 + int(binary.BigEndian.Uint16(rest[2:]))
			if end > len(rest) || !yield(OptionCode(binary.BigEndian.Uint16(rest)), rest[4:end:end]) {
				return // rest[4:end:end]: appending to data can never reach the next option
			}
			rest = rest[end:]
		}
	}
}

// Cut takes the first option off: for loops that need not be the fastest, as All is inlined with the whole loop. Of no
// options it gives none.
func (o Options) Cut() (code OptionCode, data []byte, rest Options) {
	if len(o) < 4 {
		return 0, nil, nil
	}
	end := 4 + int(binary.BigEndian.Uint16(o[2:]))
	if end > len(o) {
		return 0, nil, nil
	}
	return OptionCode(binary.BigEndian.Uint16(o)), o[4:end:end], o[end:]
}

// Get returns the data of the first option of that code. An option that is there but empty gives a slice of length 0
// and true.
func (o Options) Get(code OptionCode) (data []byte, ok bool) {
	for c, data := range o.All() {
		if c == code {
			return data, true
		}
	}
	return nil, false
}

// Count tells how often the option occurs.
func (o Options) Count(code OptionCode) (n int) {
	for c := range o.All() {
		if c == code {
			n++
		}
	}
	return n
}

// OptionCodes is the content of an Option Request option or Echo Request option: codes of two octets each. An odd last
// octet is no code and is not looked at.
type OptionCodes []byte

// Has reports whether the list names the option.
func (l OptionCodes) Has(code OptionCode) bool {
	for ; len(l) >= 2; l = l[2:] {
		if OptionCode(binary.BigEndian.Uint16(l)) == code {
			return true
		}
	}
	return false
}
