package relay_test

import (
	"fmt"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/relay"
)

func BenchmarkForward(b *testing.B) {
	l := start(b, allOptions)
	in := from(host(1), message(dhcpv6.Renew, option(dhcpv6.OptionClientID, duid(1)), option(dhcpv6.OptionServerID, serverID(1)),
		option(dhcpv6.OptionORO, make([]byte, 20)), pd(1, promise{prefixA, 0, 0})))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := l.Forward(l.now, in, l.buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReturn gives Replies back to clients that hold a prefix each, among so many.
func BenchmarkReturn(b *testing.B) {
	for _, clients := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			l := start(b, func(s *setup) { s.MaxPerInterface, s.MaxPrefixes = clients, clients })
			in := make([]relay.Datagram, clients)
			for n := range clients {
				prefix := fmt.Sprintf("2001:db8:%x:%x::/64", 0x100+n>>8, n&0xff)
				in[n] = upstream(wrap(dhcpv6.RelayReply, 0, "2001:db8:1::1", host(n).String(),
					reply(dhcpv6.Reply, duid(n), 1, option(dhcpv6.OptionDNSServers, make([]byte, 32)), pd(1, promise{prefix, 1000, 2000})),
					option(dhcpv6.OptionInterfaceID, []byte("lan"))))
			}
			for n := range in {
				l.Return(l.now, in[n], l.buf)
				l.Events()
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if _, err := l.Return(l.now, in[n*7919%clients], l.buf); err != nil {
					b.Fatal(err)
				}
				l.Events()
			}
		})
	}
}

// BenchmarkReturnAdvertise gives back what is not learned from.
func BenchmarkReturnAdvertise(b *testing.B) {
	l := start(b)
	in := answer(reply(dhcpv6.Advertise, duid(1), 1, option(dhcpv6.OptionDNSServers, make([]byte, 32)), pd(1, promise{prefixA, 1000, 2000})))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Return(l.now, in, l.buf); err != nil {
			b.Fatal(err)
		}
	}
}
