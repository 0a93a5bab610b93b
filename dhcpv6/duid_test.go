package dhcpv6_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
)

var duids = []struct {
	name, in string
	kind     string
	mac      string // empty: none
}{
	{name: "DUID-LLT", in: "0001 0001 2a3b4c5d 020000000001", kind: "DUID-LLT", mac: "020000000001"},
	{name: "DUID-LLT, hardware type not Ethernet", in: "0001 0006 2a3b4c5d 020000000001", kind: "DUID-LLT"},
	{name: "DUID-LLT, address of 8 octets", in: "0001 0001 2a3b4c5d 0200000000010203", kind: "DUID-LLT"},
	{name: "DUID-LLT, cut short", in: "0001 0001 2a3b4c5d 0200000001", kind: "DUID-LLT"},
	{name: "DUID-EN", in: "0002 000009bf 020000000001", kind: "DUID-EN"},
	{name: "DUID-EN as long as a DUID-LL", in: "0002 0001 020000000001", kind: "DUID-EN"},
	{name: "DUID-LL", in: "0003 0001 020000000001", kind: "DUID-LL", mac: "020000000001"},
	{name: "DUID-LL, hardware type not Ethernet", in: "0003 0020 020000000001", kind: "DUID-LL"},
	{name: "DUID-LL as long as a DUID-LLT", in: "0003 0001 020000000001 02030405", kind: "DUID-LL"},
	{name: "DUID-UUID", in: "0004 000102030405060708090a0b0c0d0e0f", kind: "DUID-UUID"},
	{name: "type 0", in: "0000 0001 020000000001", kind: "DUID type 0"},
	{name: "type 5, the first unknown", in: "0005 aa", kind: "DUID type 5"},
	{name: "type unknown", in: "0063 aa", kind: "DUID type 99"},
	{name: "type 65535", in: "ffff aa", kind: "DUID type 65535"},
}

func TestDUID(t *testing.T) { // sections 11.2 to 11.5
	for _, tt := range duids {
		t.Run(tt.name, func(t *testing.T) {
			d, err := dhcpv6.ParseDUID(dhcpv6test.Hex(t, tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Type().String(); got != tt.kind {
				t.Errorf("type %q, want %q", got, tt.kind)
			}
			mac, ok := d.MAC()
			if want := dhcpv6test.Hex(t, tt.mac); ok != (tt.mac != "") || ok && !bytes.Equal(mac, want) {
				t.Errorf("MAC %x %v, want %x", mac, ok, want)
			}
			for _, text := range []string{d.String(), strings.ToUpper(d.String())} {
				if again, err := dhcpv6.ParseDUIDText(text); err != nil || !bytes.Equal(again, d) {
					t.Errorf("text %q reads %v, %v", text, again, err)
				}
			}
		})
	}
}

func TestDUIDLength(t *testing.T) { // section 11.1: type code, then 1 to 128 octets
	for size, ok := range map[int]bool{
		0: false, 1: false, 2: false, 3: true, 14: true, 129: true, 130: true, 131: false, 65535: false,
	} {
		d, err := dhcpv6.ParseDUID(make([]byte, size))
		if ok && (err != nil || len(d) != size) || !ok && (!errors.Is(err, dhcpv6.ErrDUIDLength) || d != nil) {
			t.Errorf("%d octets: %v, %v", size, d, err)
		}
		if _, err := dhcpv6.ParseDUIDText(strings.Repeat("00", size)); (err == nil) != ok {
			t.Errorf("%d octets as text: %v", size, err)
		}
	}
}

func TestParseDUIDText(t *testing.T) {
	tests := []struct{ name, in, err string }{
		{"empty", "", `DUID "": 0 octets, allowed are 3 to 130`},
		{"type code alone", "0003", `DUID "0003": 2 octets, allowed are 3 to 130`},
		{"odd", "00030", `DUID "00030": not an even number of hexadecimal digits`},
		{"colons", "00:03:00", `DUID "00:03:00": not an even number of hexadecimal digits`},
		{"blank", " 000300", `DUID " 000300": not an even number of hexadecimal digits`},
		{"no digits", "xyzxyz", `DUID "xyzxyz": not an even number of hexadecimal digits`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := dhcpv6.ParseDUIDText(tt.in); err == nil || err.Error() != tt.err {
				t.Errorf("error %v, want %s", err, tt.err)
			}
		})
	}
}

func TestNewDUIDLL(t *testing.T) { // section 11.4
	d := dhcpv6.NewDUIDLL(dhcpv6.HardwareEthernet, []byte{2, 0, 0, 0, 0, 1})
	if want := "00030001020000000001"; d.String() != want {
		t.Errorf("%v, want %s", d, want)
	}
}

func TestDUIDTypeOfStub(t *testing.T) {
	for want, stubs := range map[dhcpv6.DUIDType][]dhcpv6.DUID{0: {nil, {}, {3}}, dhcpv6.DUIDLL: {{0, 3}}} {
		for _, d := range stubs {
			checkStub(t, d, want)
		}
	}
}

func checkStub(t *testing.T, d dhcpv6.DUID, want dhcpv6.DUIDType) {
	t.Helper()
	if got := d.Type(); got != want {
		t.Errorf("DUID of %d octets: type %v, want %v", len(d), got, want)
	}
	if mac, ok := d.MAC(); ok {
		t.Errorf("DUID of %d octets: MAC %x", len(d), mac)
	}
}
