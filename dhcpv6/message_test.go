package dhcpv6_test

import (
	"errors"
	"net/netip"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
)

func TestParseMessage(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want dhcpv6.Message // without Options
		list string
		err  error
	}{
		{name: "no octet", in: "", err: dhcpv6.ErrShortMessage},
		{name: "one octet", in: "01", err: dhcpv6.ErrShortMessage},
		{name: "two octets", in: "01a1", err: dhcpv6.ErrShortMessage},
		{name: "three octets", in: "01a1b2", err: dhcpv6.ErrShortMessage},
		{name: "section 8: header alone", in: "01a1b2c3",
			want: dhcpv6.Message{Type: dhcpv6.Solicit, TransactionID: 0xa1b2c3}},
		{name: "transaction ID of 24 ones", in: "0bffffff",
			want: dhcpv6.Message{Type: dhcpv6.InformationRequest, TransactionID: 0xffffff}},
		{name: "type 0", in: "00000001", want: dhcpv6.Message{TransactionID: 1}},
		{name: "type unknown", in: "ff000001", want: dhcpv6.Message{Type: 255, TransactionID: 1}},
		{name: "section 9: Relay-forward", in: "0ca1b2c3", err: dhcpv6.ErrMessageType},
		{name: "section 9: Relay-reply", in: "0da1b2c3", err: dhcpv6.ErrMessageType},
		{name: "options in order", in: "01a1b2c3 0006 0002 0017 0001 0003 000301 000e 0000",
			want: dhcpv6.Message{Type: dhcpv6.Solicit, TransactionID: 0xa1b2c3}, list: "6=0017 1=000301 14="},
		{name: "option past the end", in: "01a1b2c3 0001 0004 000301", err: dhcpv6.ErrOptionLength},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := dhcpv6.ParseMessage(dhcpv6test.Hex(t, tt.in))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if got.Type != tt.want.Type || got.TransactionID != tt.want.TransactionID {
				t.Errorf("%v %#x, want %v %#x", got.Type, got.TransactionID, tt.want.Type, tt.want.TransactionID)
			}
			if list := list(got.Options); list != tt.list {
				t.Errorf("options %q, want %q", list, tt.list)
			}
		})
	}
}

const relayHeader = `
	0c 07                               # RELAY-FORW, hop-count 7
	20010db8000000000000000000000001    # link-address
	fe800000000000000000000000000002    # peer-address
`

func TestParseRelayMessage(t *testing.T) {
	link, peer := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("fe80::2")
	tests := []struct {
		name string
		in   string
		want dhcpv6.RelayMessage // without Options
		list string
		err  error
	}{
		{name: "section 9: header alone", in: relayHeader,
			want: dhcpv6.RelayMessage{Type: dhcpv6.RelayForward, HopCount: 7, LinkAddress: link, PeerAddress: peer}},
		{name: "link-address :: and hop-count 255",
			in: "0d ff 00000000000000000000000000000000 fe800000000000000000000000000002",
			want: dhcpv6.RelayMessage{Type: dhcpv6.RelayReply, HopCount: 255, LinkAddress: netip.IPv6Unspecified(),
				PeerAddress: peer}},
		{name: "a client's message", in: "01 07 20010db8000000000000000000000001 fe800000000000000000000000000002",
			err: dhcpv6.ErrMessageType},
		{name: "options", in: relayHeader + "0012 0000 0009 0004 01a1b2c3",
			want: dhcpv6.RelayMessage{Type: dhcpv6.RelayForward, HopCount: 7, LinkAddress: link, PeerAddress: peer},
			list: "18= 9=01a1b2c3"},
		{name: "Relay Message past the end", in: relayHeader + "0009 0005 01a1b2c3", err: dhcpv6.ErrOptionLength},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := dhcpv6.ParseRelayMessage(dhcpv6test.Hex(t, tt.in))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if list := list(got.Options); list != tt.list {
				t.Errorf("options %q, want %q", list, tt.list)
			}
			if got.Type != tt.want.Type || got.HopCount != tt.want.HopCount ||
				got.LinkAddress != tt.want.LinkAddress || got.PeerAddress != tt.want.PeerAddress {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestParseRelayMessageTooShort(t *testing.T) {
	b := dhcpv6test.Hex(t, relayHeader)
	for n := range b {
		if _, err := dhcpv6.ParseRelayMessage(b[:n:n]); !errors.Is(err, dhcpv6.ErrShortMessage) {
			t.Errorf("%d octets: error %v, want %v", n, err, dhcpv6.ErrShortMessage)
		}
	}
}

func TestMessageTypes(t *testing.T) {
	names := map[dhcpv6.MessageType]string{
		0: "message type 0",
		// Section 7.3.
		1: "Solicit", 2: "Advertise", 3: "Request", 4: "Confirm", 5: "Renew", 6: "Rebind", 7: "Reply", 8: "Release",
		9: "Decline", 10: "Reconfigure", 11: "Information-request", 12: "Relay-forward", 13: "Relay-reply",
		14: "message type 14", 255: "message type 255",
	}
	for mt, want := range names {
		if got := mt.String(); got != want {
			t.Errorf("message type %d: %q, want %q", uint8(mt), got, want)
		}
		if got, want := mt.Relayed(), mt == 12 || mt == 13; got != want {
			t.Errorf("%v: Relayed is %v, want %v", mt, got, want)
		}
	}
}

func TestConstants(t *testing.T) {
	for _, tt := range []struct {
		name      string
		got, want uint32
	}{
		{"section 7.2: client port", dhcpv6.ClientPort, 546},
		{"section 7.2: server port", dhcpv6.ServerPort, 547},
		{"section 7.6: HOP_COUNT_LIMIT", dhcpv6.HopCountLimit, 8},
		{"section 7.7: infinity", dhcpv6.Infinity, 0xffffffff},
		{"RFC 8200, section 3: payload length, less the UDP header", dhcpv6.MaxPayload, 65527},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, tt.got, tt.want)
		}
	}
}

func TestMulticastAddresses(t *testing.T) { // section 7.1
	for a, want := range map[netip.Addr]string{
		dhcpv6.AllRelayAgentsAndServers: "ff02::1:2",
		dhcpv6.AllServers:               "ff05::1:3",
	} {
		if a.String() != want {
			t.Errorf("%v, want %v", a, want)
		}
	}
}
