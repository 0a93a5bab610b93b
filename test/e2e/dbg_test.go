package e2e
import ("testing";"slices")
func TestDbg(t *testing.T){
	r := newRouter(t, config)
	c := newCell(t, clientKinds[0], r, r.client("client"))
	c.lease(want{addr: true, prefix: true})
	sent := r.capture.all()[1]
	for _, off := range []int{-1, 2, 3, 14+14+3, 14+14+16+3, 14+14+16} {
	broken := sent
	broken.frame = slices.Clone(broken.frame)
	const firstOption = 14 + 40 + 8 + 4
	t.Logf("%x", broken.frame[firstOption+off:firstOption+off+5])
	if off >= 0 { broken.frame[firstOption+off]-=4 }
	o, err := dissect([]packet{broken}, "-T", "fields", "-e", "dhcpv6.option.type", "-e", "_ws.malformed", "-e", "_ws.expert.severity", "-e", "_ws.expert.message")
	t.Log(o, err)
	}
}
