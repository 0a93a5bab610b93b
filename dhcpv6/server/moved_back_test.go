package server_test

import (
	"fmt"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

// bindings tells of all bindings on "lan", with their ids and ends.
func (l *lab) bindings() (list []string) {
	for _, b := range l.Table().Link("lan").Bindings() {
		leases := b.Leases
		if b.State == lease.Free {
			leases = nil // they mean nothing
		}
		list = append(list, fmt.Sprint(b.State, " ", b.Kind, " ", b.Client(), " ", b.IAID, " ", b.ID, " ", b.Length, " ", b.Fixed, " ", b.Deadline, " ", leases))
	}
	return list
}

// kept are the bindings on "lan" that outlive the process, without their times.
func (l *lab) kept() (list []string) {
	for _, b := range l.Table().Link("lan").Bindings() {
		if b.State != lease.Offered {
			list = append(list, fmt.Sprint(b.State, " ", b.Kind, " ", b.Client(), " ", b.IAID, " ", b.ID))
		}
	}
	return list
}

// A message whose answer does not fit has moved nothing, wherever the buffer ends: what was bound is bound, what was
// offered, remembered or declined is so, here and in the records. The next answer that fits does it.
func TestReplyTooLongMovesNothing(t *testing.T) {
	host := func(ids ...int) func(*setup) {
		return withHosts(server.Host{Name: "h", DUIDs: byDUID(duid(ids[0]), duid(ids[1])), HostID: 0xe71, SubnetID: 0xc4, HasSubnet: true})
	}
	named := [][]byte{na(1, "2001:db8:1::e71"), pd(1, "2001:db8:1:c4::/62")}
	tests := []struct {
		name   string
		before func(*lab)
		typ    dhcpv6.MessageType
		client int
		end    string // the events of the answer that fits
	}{
		{"moved to another id", func(l *lab) {
			l.request(dhcpv6.Request, duid(1), na(1), pd(1))
			l.reconfigure(host(5, 6))
		}, dhcpv6.Renew, 1, "replaced replaced bound bound"},
		{"taken over by the same host", func(l *lab) {
			l.request(dhcpv6.Request, duid(5), named...)
			l.reconfigure(host(5, 6))
		}, dhcpv6.Request, 6, "replaced replaced bound bound"},
		{"a host's, that others have declined", func(l *lab) {
			l.request(dhcpv6.Request, duid(1), na(1))
			l.request(dhcpv6.Decline, duid(1), na(1, "2001:db8:1::e71"))
			l.reconfigure(host(5, 6))
		}, dhcpv6.Request, 5, "bound bound"},
		{"a host's, that others had or are offered", func(l *lab) {
			l.request(dhcpv6.Request, duid(1), named...)
			l.request(dhcpv6.Release, duid(1), named[0])
			l.request(dhcpv6.Release, duid(1), named[1])
			l.request(dhcpv6.Solicit, duid(1), pd(1))
			l.reconfigure(host(5, 6))
		}, dhcpv6.Request, 5, "bound bound"},
		{"what the client had", func(l *lab) {
			l.request(dhcpv6.Request, duid(1), na(1, "2001:db8:1::abc"), pd(1, "2001:db8:1:40::/62"))
			l.wait(13 * time.Hour)
		}, dhcpv6.Request, 1, "bound bound"},
		{"what the client was offered", func(l *lab) {
			l.request(dhcpv6.Solicit, duid(1), na(1, "2001:db8:1::abc"), pd(1, "2001:db8:1:40::/62"))
		}, dhcpv6.Request, 1, "bound bound"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t)
			tt.before(l)
			l.Events()
			in, whole := multicast(message(tt.typ, duid(tt.client), na(1), pd(1))), l.buf
			had, kept, records := l.bindings(), l.kept(), l.records()
			for n := 0; ; n++ {
				l.buf = whole[:n]
				if _, err := l.handle(in); err == nil {
					break
				} else if err != server.DropReplyTooLong {
					t.Fatal(err)
				}
				l.wantEvents()
				if got := l.bindings(); fmt.Sprint(got) != fmt.Sprint(had) {
					t.Fatalf("in %d octets:\n%q\nbefore:\n%q", n, got, had)
				}
				records = append(records, l.changes()...)
			}
			if got := l.restart(records, l.now).kept(); fmt.Sprint(got) != fmt.Sprint(kept) {
				t.Errorf("the records say\n%q\nbefore:\n%q", got, kept)
			}
			l.buf = whole
			kinds := ""
			for _, e := range l.Events() {
				kinds += " " + e.Kind.String()
			}
			if kinds != " "+tt.end {
				t.Errorf("events%s, want %s", kinds, tt.end)
			}
		})
	}
}

// The event of a binding that is replaced tells what was taken away, not what came in its place.
func TestReplacedTellsWhatWas(t *testing.T) {
	l := start(t, func(s *setup) {
		s.limited("fd00:1::1/64", 600, 600)
		s.limited("fd00:2::1/64", 600, 600)
	})
	l.request(dhcpv6.Request, duid(1), na(1))
	l.wait(700 * time.Second)
	l.reconfigure(withHosts(server.Host{DUIDs: byDUID(duid(5)), HostID: 0xe71}))
	l.Events()
	l.request(dhcpv6.Renew, duid(1), na(1))
	l.wantEvents("replaced lan IA_NA 2001:db8:1::e71 fd00:1::e71 fd00:2::e71",
		"bound lan IA_NA 2001:db8:1::e72 2001:db8:1::e71 withdrawn")
}
