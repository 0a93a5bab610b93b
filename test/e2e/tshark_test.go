package e2e

import (
	"slices"
	"testing"
)

// TestFaults shows that the check at the end of every test can fail: it breaks a packet in various ways.
func TestFaults(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c := newCell(t, dhclientKind, r, r.client("client"))
	c.lease(want{addr: true})
	offer := r.capture.exchanged(0, 0, "Solicit", "Advertise").got
	if faults, err := faults([]packet{offer}); err != nil || faults != "" {
		t.Fatalf("a sound packet: %v\n%s", err, faults)
	}
	const options = 14 + 40 + 8 + 4 // after the headers: two DUID-LL, then an IA_NA
	for _, test := range []struct {
		name  string
		at    int
		value byte
	}{
		{"an option that runs past the packet", options + 2, 0xff},
		{"an option that is too short by one", options + 14 + 3, 9},
		{"an address that runs past its IA", options + 28 + 16 + 3, 0x7f},
		{"an address that is too short", options + 28 + 16 + 3, 20},
		{"another option in place of an address", options + 28 + 16, 0xfb},
	} {
		broken := offer
		broken.frame = slices.Clone(offer.frame)
		broken.frame[test.at] = test.value
		if faults, err := faults([]packet{broken}); err != nil || faults == "" {
			t.Errorf("%s: tshark finds no fault, %v", test.name, err)
		}
	}
}
