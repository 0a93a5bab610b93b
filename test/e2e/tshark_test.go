package e2e

import (
	"slices"
	"testing"
)

// TestDissectorFindsFault shows that the check at the end of every test can fail.
func TestDissectorFindsFault(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	c := newCell(t, clientKinds[0], r, r.client("client"))
	c.lease(want{addr: true})
	var sent []packet
	for _, p := range r.capture.all() {
		if p.sent {
			sent = append(sent, p)
		}
	}
	if faults, err := dissect(sent, faulty); err != nil || faults != "" {
		t.Fatalf("a sound packet: %v\n%s", err, faults)
	}
	broken := sent[0]
	broken.frame = slices.Clone(broken.frame)
	const firstOption = 14 + 40 + 8 + 4
	broken.frame[firstOption+2] = 0xff // its length now runs past the packet
	if faults, err := dissect([]packet{broken}, faulty); err != nil || faults == "" {
		t.Errorf("tshark finds no fault with a broken packet: %v", err)
	}
}
