package server_test

import (
	"fmt"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

// benchmark measures Handle and Events with so many clients bound to an address each.
func benchmark(b *testing.B, build func(n int) []byte) {
	for _, bindings := range []int{100, 10_000} {
		b.Run(fmt.Sprint(bindings), func(b *testing.B) {
			l := start(b, func(s *setup) { s.lan().HostIDLength = 32 })
			in := make([]server.Datagram, bindings)
			for n := range bindings {
				if _, err := l.Handle(l.now, multicast(message(dhcpv6.Request, duid(n), na(1))), l.buf); err != nil {
					b.Fatal(err)
				}
				l.Events()
				in[n] = multicast(build(n))
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if _, err := l.Handle(l.now, in[n*7919%bindings], l.buf); err != nil {
					b.Fatal(err)
				}
				l.Events()
			}
		})
	}
}

func BenchmarkSolicit(b *testing.B) {
	benchmark(b, func(n int) []byte { return message(dhcpv6.Solicit, duid(n), na(1)) })
}

// BenchmarkSolicitUnknown is a flood: each client solicits for the first time.
func BenchmarkSolicitUnknown(b *testing.B) {
	benchmark(b, func(n int) []byte { return message(dhcpv6.Solicit, duid(1<<20+n), na(1)) })
}

func BenchmarkRequest(b *testing.B) {
	benchmark(b, func(n int) []byte { return message(dhcpv6.Request, duid(n), na(1)) })
}

func BenchmarkRenew(b *testing.B) {
	benchmark(b, func(n int) []byte { return message(dhcpv6.Renew, duid(n), na(1)) })
}

func BenchmarkInformationRequest(b *testing.B) {
	benchmark(b, func(n int) []byte { return message(dhcpv6.InformationRequest, duid(n)) })
}

func BenchmarkRelayedRenew(b *testing.B) {
	benchmark(b, func(n int) []byte {
		return relay(client, message(dhcpv6.Renew, duid(n), na(1)), option(dhcpv6.OptionInterfaceID, []byte("eth0")))
	})
}

// BenchmarkFullPool is a flood of clients that a full pool has nothing for.
func BenchmarkFullPool(b *testing.B) {
	l := start(b, func(s *setup) { s.only("2001:db8:1::1/48") })
	for n := 0; ; n++ {
		out, err := l.Handle(l.now, multicast(message(dhcpv6.Request, duid(n), pd(1, "::/62"))), l.buf)
		if err != nil {
			b.Fatal(err)
		}
		l.Events()
		if read(b, out.Payload).ias[0].status != "" {
			break
		}
	}
	in := multicast(message(dhcpv6.Request, duid(1<<20), pd(1, "::/62")))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Handle(l.now, in, l.buf); err != nil {
			b.Fatal(err)
		}
		l.Events()
	}
}
