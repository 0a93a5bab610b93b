package e2e

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestReconfigureFaults shows that the check of Reconfigure messages at the end of every test can fail: it breaks sound
// ones in various ways, and what they depend on.
func TestReconfigureFaults(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	a := newAccepter(r.simulated(1)[0], iaTypes...)
	a.attach()
	r.renumber(removed, global, movedGlobal)
	a.called("Renew")
	a.ask("Renew", a.leases)
	r.capture.exchanged(0, 5*time.Second, "Renew", "Reply")
	sound := r.capture.all()
	if faults := reconfigureFaults(sound); faults != "" {
		t.Fatalf("sound packets: %s", faults)
	}
	set := func(code uint16, at int, value byte) func(*packet) {
		return func(p *packet) {
			data, _ := p.option(code)
			data[at] = value
		}
	}
	flip := func(code uint16, at int) func(*packet) {
		return func(p *packet) {
			data, _ := p.option(code)
			data[at] ^= 1
		}
	}
	without := func(code uint16) func(*packet) {
		return func(p *packet) {
			p.opts = slices.DeleteFunc(p.opts, func(o option) bool { return o.code == code })
		}
	}
	elsewhere := netip.MustParseAddrPort("[2001:db8:2::99]:547")
	for _, test := range []struct {
		name   string
		kind   string // of the packet that is broken
		breaks func(*packet)
		want   string
	}{
		{"another digest", "Reconfigure", flip(optAuth, 27), "the digest is"},
		{"another message than the digest is of", "Reconfigure", set(optReconfMsg, 0, 6), "the digest is"},
		{"another key", "Reply", flip(optAuth, 27), "the digest is"},
		{"an old message again", "Reconfigure", set(optAuth, 3, 0), "replay detection value 00"},
		{"another protocol", "Reconfigure", set(optAuth, 0, 2), "Authentication 02"},
		{"another algorithm", "Reconfigure", set(optAuth, 1, 2), "Authentication 03 02"},
		{"another replay detection method", "Reconfigure", set(optAuth, 2, 1), "Authentication 03 01 01"},
		{"a key in place of a digest", "Reconfigure", set(optAuth, 11, rkapKey), "Authentication 03"},
		{"a request for a Solicit", "Reconfigure", set(optReconfMsg, 0, 1), "Reconfigure Message 01"},
		{"no authentication", "Reconfigure", without(optAuth), "options 1,2,19"},
		{"no server", "Reconfigure", without(optServerID), "options 1,19,11"},
		{"an option too many", "Reconfigure",
			func(p *packet) { p.opts = append(p.opts, option{code: optIANA}) }, "options 1,2,19,11,3"},
		{"a transaction ID", "Reconfigure", func(p *packet) { p.xid = 1 }, "transaction ID 000001"},
		{"a client that was told no key", "Reply", without(optAuth), "was told no key"},
		{"a key without acceptance", "Reply", without(optReconfAccept), "tells a key"},
		{"a key in an Advertise", "Reply", func(p *packet) { p.kind = "Advertise" }, "Advertise tells a key"},
		{"a client that does not accept", "Request", without(optReconfAccept), "does not accept any"},
		{"to another address", "Reconfigure", func(p *packet) { p.dst = elsewhere }, "is answered to [2001:db8:2::99]:547"},
		{"from a global address", "Reconfigure", func(p *packet) { p.src = elsewhere }, "comes from [2001:db8:2::99]:547"},
	} {
		broken := slices.Clone(sound)
		i := slices.IndexFunc(sound, func(p packet) bool { return p.kind == test.kind })
		broken[i], _ = decodeFrame(slices.Clone(sound[i].frame))
		broken[i].sent = sound[i].sent
		test.breaks(&broken[i])
		if faults := reconfigureFaults(broken); !strings.Contains(faults, test.want) {
			t.Errorf("%s: the faults are %q, not %q", test.name, faults, test.want)
		}
	}
}
