package e2e

import "time"

// lasting is the configuration of a router whose leases never end: dibbler notices that an address is taken only if the
// kernel keeps it then, which it does for addresses without a lifetime.
const lasting = config + `
	option leasetime 'infinite'
	option max_preferred_lifetime 'infinite'
	option max_valid_lifetime 'infinite'
`

// testDecline: the address that the client will get is in use by a neighbour. The client tells lan6d, and is given
// another.
func testDecline(c cell) {
	r := c.router
	w := want{addr: true}
	taken := c.lease(w).leases(optIANA)[0].prefix
	c.client.release()

	neighbour := r.client("neighbour")
	neighbour.AddAddr(c, "eth0", taken.String())
	since := r.capture.mark()
	c.client.start(w)
	p := r.capture.exchanged(since, 20*time.Second, "Decline", "Reply")
	ias := p.asked.ias(optIANA)
	if len(ias) != 1 || len(ias[0].leases) != 1 || ias[0].leases[0].prefix != taken {
		c.Fatalf("%v is in use by a neighbour, but the client declines %v", taken, ias)
	}
	r.lan6d.logged("declined", taken.Addr().String())

	c.client.kill() // dibbler crashes after its Decline; the others ask again by themselves
	since = r.capture.mark()
	c.client.start(w)
	reply := r.capture.exchanged(since, 20*time.Second, "Request", "Reply").got
	for _, l := range reply.leases(optIANA) {
		if l.prefix == taken {
			c.Errorf("%v was declined and is leased again", taken)
		}
	}
	c.checkAddrs(reply.leases(optIANA))
}
