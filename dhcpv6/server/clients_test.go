package server_test

import (
	"fmt"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

func (l *lab) wantClients(bound, stateless int, dropped uint64) {
	l.Helper()
	b, s := l.Clients()
	if d := l.Counters().KeysDropped; b != bound || s != stateless || d != dropped {
		l.Errorf("%d bound, %d stateless, %d dropped; want %d, %d, %d", b, s, d, bound, stateless, dropped)
	}
	if err := l.CheckClients(); err != nil {
		l.Error(err)
	}
}

// inform has the clients with these numbers send an Information-request.
func (l *lab) inform(first, last int) {
	l.Helper()
	for n := first; n <= last; n++ {
		if _, err := l.Handle(l.now, multicast(message(dhcpv6.InformationRequest, duid(n), acceptOption())), l.buf); err != nil {
			l.Fatal(err)
		}
	}
}

// Of the clients without bindings the thousand that were heard last are known. Those with bindings do not count.
func TestStatelessClients(t *testing.T) {
	l := start(t, reconfigures)
	for n := range 20 {
		l.request(dhcpv6.Request, duid(10_000+n), na(1), acceptOption())
	}
	l.inform(1, 1000)
	l.wantClients(20, 1000, 0)
	l.inform(1, 1) // heard again: not the oldest any more
	l.inform(1001, 1002)
	l.wantClients(20, 1000, 2)
	for n, want := range map[int]bool{1: true, 2: false, 3: false, 4: true, 1000: true, 1002: true} {
		if got, err := l.Reconfigure(l.now, "", duid(n), 0); (got == 1) != want || (err == nil) != want {
			t.Errorf("client %d: %d, %v", n, got, err)
		}
	}
	// One that gives back what it has is one more.
	for n := range 20 {
		l.request(dhcpv6.Release, duid(10_000+n), na(1, l.addressOf(duid(10_000+n))))
	}
	l.wantClients(0, 1000, 22)
	l.reconfigure(func(s *setup) { s.MaxStateless = 10 })
	l.wantClients(0, 10, 22+990)
	if n, _ := l.Reconfigure(l.now, "", duid(10_019), 0); n != 1 {
		t.Error("the last one is forgotten")
	}
	l.reconfigure(func(s *setup) { s.Random = nil })
	l.wantClients(0, 0, 22+990)
}

// addressOf is the first address that the client is bound to on lan.
func (l *lab) addressOf(client dhcpv6.DUID) string {
	l.Helper()
	b := l.Table().Link("lan").Lookup(client, 1, 0)
	if b == nil || len(b.Leases) == 0 {
		l.Fatalf("%v has no address", client)
	}
	return b.Leases[0].Prefix.Addr().String()
}

// However its last binding ends, a client is without.
func TestClientBecomesStateless(t *testing.T) {
	tests := []struct {
		name string
		end  func(*lab)
	}{
		{"Release", func(l *lab) { l.request(dhcpv6.Release, duid(1), na(1, "2001:db8:1::e71")) }},
		{"Decline", func(l *lab) { l.request(dhcpv6.Decline, duid(1), na(1, "2001:db8:1::e71")) }},
		{"time", func(l *lab) { l.wait(13 * time.Hour) }},
		{"replaced by another of the host's", func(l *lab) {
			l.reconfigure(withHosts(server.Host{Name: "h", DUIDs: byDUID(duid(1), duid(2)), HostID: 0xe71}))
			l.request(dhcpv6.Request, duid(2), na(1))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t, reconfigures)
			l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
			l.wantClients(1, 0, 0)
			tt.end(l)
			l.wantClients(0, 1, 0)
			l.Reconfigure(l.now, "", duid(1), 0)
			l.wantSent("Information-request 1 fe80::2")
			l.ask(message(dhcpv6.Request, duid(1), na(1), acceptOption()))
			if bound, stateless := l.Clients(); bound+stateless != 1 {
				t.Errorf("%d bound, %d stateless", bound, stateless)
			}
		})
	}
}

// A binding that is moved within one message, or by one that is then not answered, is no end of it too many.
func TestClientMoves(t *testing.T) {
	l := start(t, reconfigures, func(s *setup) { s.MaxStateless = 1 })
	l.wantKey(1, dhcpv6.InformationRequest, duid(9), acceptOption())
	l.wantKey(2, dhcpv6.Request, duid(1), na(1), acceptOption())
	l.reconfigure(withHosts(server.Host{Name: "h", DUIDs: byDUID(duid(1)), HostID: 0xabc}))
	l.Reconfigure(l.now, "", nil, 0)
	l.wantKey(0, dhcpv6.Renew, duid(1), na(1), acceptOption())
	l.wantClients(1, 1, 0)
	l.wantSent("Information-request 9 fe80::2")
	l.reconfigure(withHosts(server.Host{Name: "h", DUIDs: byDUID(duid(1)), HostID: 0xdef}))
	whole := l.buf
	l.buf = l.buf[:60]
	l.wantDropOf(multicast(message(dhcpv6.Renew, duid(1), na(1), acceptOption())), server.DropReplyTooLong)
	l.buf = whole
	l.wantClients(1, 1, 0)
}

// A flood costs no memory without end: of messages that get nothing, of offers, of ever new clients.
func TestClientFlood(t *testing.T) {
	l := start(t, reconfigures, func(s *setup) { s.MaxStateless = 50; s.only("2001:db8:1::1/120") })
	for n := range 5000 {
		typ := []dhcpv6.MessageType{dhcpv6.Solicit, dhcpv6.Request, dhcpv6.InformationRequest, dhcpv6.Renew}[n%4]
		options := [][]byte{acceptOption()}
		if typ != dhcpv6.InformationRequest {
			options = append(options, na(uint32(n)))
		}
		l.Handle(l.now, multicast(message(typ, duid(n), options...)), l.buf)
		l.Events()
	}
	bound, stateless := l.Clients()
	if bindings := l.Table().Link("lan").Len(); bound > bindings || bound > 256 || stateless != 50 {
		t.Errorf("%d bound clients with %d bindings, %d stateless", bound, bindings, stateless)
	}
	if err := l.CheckClients(); err != nil {
		t.Error(err)
	}
}

// BenchmarkNextReconfigure sends to so many clients; it should cost the same for each.
func BenchmarkNextReconfigure(b *testing.B) {
	for _, clients := range []int{100, 10_000} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			l := start(b, reconfigures, func(s *setup) { s.MaxStateless = clients })
			l.inform(1, clients)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := l.NextReconfigure(l.now, l.buf); !ok {
					b.StopTimer()
					l.Reconfigure(l.now, "", nil, 0)
					b.StartTimer()
				}
			}
		})
	}
}
