package relay_test

import (
	"net/netip"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/relay"
)

// rewrites has answers on "lan" rewritten, with these servers.
func rewrites(servers ...string) func(*setup) {
	return func(s *setup) {
		s.lan().RewriteDNS = true
		for _, a := range servers {
			s.lan().DNS = append(s.lan().DNS, netip.MustParseAddr(a))
		}
	}
}

func TestRewriteDNS(t *testing.T) {
	const (
		one   = `0017 0010 20010db800000000000000000000000a `
		three = `0017 0030 20010db800000000000000000000000a 20010db800000000000000000000000b 20010db800000000000000000000000c `
		ours1 = `fd000000000000000000000000000001 `
		ours2 = `fd000000000000000000000000000002 `
		key   = `000b 001c 03 01 00 0000000000000007 01 00112233445566778899aabbccddeeff `
	)
	both := rewrites("fd00::1", "fd00::2")
	tests := []struct {
		name     string
		change   func(*setup)
		in, want string
	}{
		{"off", func(s *setup) { s.lan().DNS = []netip.Addr{netip.MustParseAddr("fd00::1")} }, `07 a1b2c3` + one, `07 a1b2c3` + one},
		{"on another interface", func(s *setup) { s.Interfaces[1].RewriteDNS = true }, `07 a1b2c3` + one, `07 a1b2c3` + one},
		{"one", both, `07 a1b2c3` + one, `07 a1b2c3 0017 0010` + ours1},
		{"three by two", both, `07 a1b2c3` + three, `07 a1b2c3 0017 0030` + ours1 + ours2 + ours2},
		{"three by one", rewrites("fd00::1"), `07 a1b2c3` + three, `07 a1b2c3 0017 0030` + ours1 + ours1 + ours1},
		{"by our own", rewrites(), `07 a1b2c3` + three, `07 a1b2c3 0017 0030` +
			`20010db8000100000000000000000001 20010db8000100000000000000000001 20010db8000100000000000000000001`},
		{"by our unique local one", func(s *setup) { rewrites()(s); s.addresses(lan, "2001:db8:1::1/64", "fd00:1::1/64") },
			`07 a1b2c3` + one, `07 a1b2c3 0017 0010 fd000001000000000000000000000001`},
		{"by our link-local one", func(s *setup) { rewrites()(s); s.addresses(lan) },
			`07 a1b2c3` + one, `07 a1b2c3 0017 0010 fe800000000000000000000000000001`},
		{"by none", func(s *setup) { rewrites()(s); s.addresses(lan); s.link(lan).LinkLocal = netip.Addr{} },
			`07 a1b2c3` + one, `07 a1b2c3` + one},
		{"Advertise", both, `02 a1b2c3` + one, `02 a1b2c3 0017 0010` + ours1},
		{"none in it", both, `07 a1b2c3 0018 0003 016100`, `07 a1b2c3 0018 0003 016100`},
		{"an empty list", both, `07 a1b2c3 0017 0000`, `07 a1b2c3 0017 0000`},
		{"half an address", both, `07 a1b2c3 0017 0018 20010db800000000000000000000000a 1122334455667788`,
			`07 a1b2c3 0017 0018` + ours1 + `1122334455667788`},
		{"two lists", both, `07 a1b2c3` + one + one, `07 a1b2c3 0017 0010` + ours1 + `0017 0010` + ours1},
		{"in an IA_PD it means something else", both, `07 a1b2c3 0019 0020 00000001 00000000 00000000` + one,
			`07 a1b2c3 0019 0020 00000001 00000000 00000000` + one},
		{"in a message of a type to come", both, `25 a1b2c3` + one, `25 a1b2c3` + one},
		{"for a client behind two relay agents", both,
			`0d 01` + nowhere + fromClient + `0009 0046 0d 00` + nowhere + fromClient + `0009 0020 07 a1b2c3` + one + `fde8 0004 00000000 0012 0000`,
			`0d 01` + nowhere + fromClient + `0009 0046 0d 00` + nowhere + fromClient + `0009 0020 07 a1b2c3 0017 0010` + ours1 + `fde8 0004 00000000 0012 0000`},
		{"the key for Reconfigure", both, `07 a1b2c3` + key + one, `07 a1b2c3` + key + `0017 0010` + ours1}, // section 20.4
		{"authenticated, without DNS servers", both, `07 a1b2c3 000b 000b 00 00 00 0000000000000007`, `07 a1b2c3 000b 000b 00 00 00 0000000000000007`},
		{"authenticated, with an empty list", both, `07 a1b2c3 0017 0000 000b 000b 00 00 00 0000000000000007`, `07 a1b2c3 0017 0000 000b 000b 00 00 00 0000000000000007`},
		{"authenticated, and not rewritten", func(s *setup) {}, `07 a1b2c3 000b 000b 00 00 00 0000000000000007` + one, `07 a1b2c3 000b 000b 00 00 00 0000000000000007` + one},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, tt.change)
			out, err := l.giveBack(answer(dhcpv6test.Hex(t, tt.in)))
			if err != nil {
				t.Fatal(err)
			}
			l.compare(out.Payload, tt.want)
		})
	}
}

// answer is what a server sends to host 1 on "lan".
func answer(inner []byte) relay.Datagram {
	return upstream(wrap(dhcpv6.RelayReply, 0, "::", host(1).String(), inner, option(dhcpv6.OptionInterfaceID, []byte("lan"))))
}

// An authenticated answer would no longer be what its server said, so it is no answer (odhcpd drops it too).
func TestRewriteAuthenticated(t *testing.T) {
	const one = `0017 0010 20010db800000000000000000000000a `
	for _, auth := range []string{
		`000b 0000`, `000b 000b 00 00 00 0000000000000007`, // of an unknown kind
		`000b 001c 03 01 00 0000000000000007 02 00112233445566778899aabbccddeeff`, // a digest
		`000b 001b 03 01 00 0000000000000007 01 00112233445566778899aabbccddee`,   // too short for a key
		`000b 001c 02 01 00 0000000000000007 01 00112233445566778899aabbccddeeff`, // delayed authentication (RFC 3315)
		`000b 001c 03 01 00 0000000000000007 01 00112233445566778899aabbccddeeff 000b 0000`,
	} {
		for _, b := range []string{auth + one, one + auth} {
			l := start(t, rewrites("fd00::1"))
			l.wantDrop(answer(dhcpv6test.Hex(t, `07 a1b2c3`+b)), relay.DropAuthenticated)
			l.wantDrop(answer(nested(dhcpv6.RelayReply, 2, dhcpv6test.Hex(t, `07 a1b2c3`+b))), relay.DropAuthenticated)
			if n := l.Counters().Rewritten; n != 0 {
				t.Errorf("%d rewritten", n)
			}
		}
	}
}

// Our own address changes as time passes.
func TestRewriteInTime(t *testing.T) {
	l := start(t, rewrites(), func(s *setup) { s.address(lan, "fd00:1::1/64", 10*time.Second, 20*time.Second) })
	for range 3 {
		out, err := l.giveBack(answer(message(dhcpv6.Reply, option(dhcpv6.OptionDNSServers, make([]byte, 16)))))
		if err != nil {
			t.Fatal(err)
		}
		want := "fd00:1::1"
		if l.now.After(epoch) { // deprecated first, then gone
			want = "2001:db8:1::1"
		}
		if got := netip.AddrFrom16([16]byte(out.Payload[8:])).String(); got != want {
			t.Errorf("after %v: %s, want %s", l.now.Sub(epoch), got, want)
		}
		l.wait(10 * time.Second)
	}
	if n := l.Counters().Rewritten; n != 3 {
		t.Errorf("%d rewritten", n)
	}
}
