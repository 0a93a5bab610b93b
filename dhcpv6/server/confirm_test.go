package server_test

import (
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
	"lan6d/dhcpv6/server"
)

// Confirm: section 18.3.3.
func TestConfirm(t *testing.T) {
	const (
		notOnLink = `000d 0002 0004                              # Status Code: NotOnLink`
		second    = `0003 0028 00000002 00000000 00000000        # IA_NA 2
			0005 0018 20010db8 00010000 00000000 00000abc 00000000 00000000 # 2001:db8:1::abc
		`
	)
	tests := []struct {
		name    string
		change  func(*setup)
		in      string
		want    string
		silence bool
	}{
		{name: "an address on the link, bound or not", in: nameNA1, want: success},
		{name: "all on the link", in: nameNA1 + second, want: success},
		{name: "an address of another link", in: foreignNA1, want: notOnLink},
		{name: "one of two in an IA",
			in: `0003 0044 00000001 00000000 00000000
				0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000
				0005 0018 20010db8 00990000 00000000 00000e71 00000000 00000000`,
			want: notOnLink},
		{name: "one of two IAs", in: second + foreignNA1, want: notOnLink},
		{name: "the other of two IAs", in: foreignNA1 + second, want: notOnLink},
		{name: "in our prefix, but not on the link: a client that was behind another router",
			in: `0003 0028 00000001 00000000 00000000
				0005 0018 20010db8 000100c4 00000000 00000e71 00000000 00000000 # 2001:db8:1:c4::e71`,
			want: notOnLink},
		{name: "no IA", in: "", silence: true},
		{name: "no address", in: askNA1, silence: true},
		{name: "an IA_PD has no say", in: namePD1, silence: true},
		{name: "an IA_PD has no say beside an IA_NA", in: nameNA1 + foreignPD1, want: success},
		{name: "the link has no prefix, there is no knowing",
			change: func(s *setup) { s.only() }, in: nameNA1, silence: true},
		{name: "the link has no prefix, even of an address that is none of ours",
			change: func(s *setup) { s.only() }, in: foreignNA1, silence: true},
		{name: "a prefix that gives no addresses is on the link all the same",
			change: func(s *setup) { s.lan().Addresses = false }, in: nameNA1, want: success},
		{name: "a ULA beside a global prefix",
			change: func(s *setup) { s.address(0, "fd00:1::1/64") },
			in: `0003 0044 00000001 00000000 00000000
				0005 0018 20010db8 00010000 00000000 00000e71 00000000 00000000
				0005 0018 fd000001 00000000 00000000 00000e71 00000000 00000000`,
			want: success},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := start(t)
			if tt.change != nil {
				l = start(t, tt.change)
			}
			if tt.silence {
				l.wantDrop(`04 a1b2c3`+fromA+tt.in, server.DropCannotJudge)
			} else {
				l.want(`04 a1b2c3`+fromA+tt.in, `07 a1b2c3`+fromA+byUs+tt.want)
			}
			l.wantEvents()
			if n := l.Table().Link("lan").Len(); n != 0 {
				t.Errorf("a Confirm made %d bindings", n)
			}
		})
	}
}

// A Confirm does not make a binding last longer.
func TestConfirmChangesNothing(t *testing.T) {
	l := start(t)
	l.ask(dhcpv6test.Hex(t, bindA))
	before := l.Table().Link("lan").Bindings()[0].Deadline
	l.now = l.now.Add(1e12)
	l.want(`04 a1b2c3`+fromA+nameNA1, `07 a1b2c3`+fromA+byUs+success)
	if after := l.Table().Link("lan").Bindings()[0].Deadline; after != before {
		t.Errorf("deadline moved from %v to %v", before, after)
	}
}

// Raw options and the like belong to a configuration, not to the answer to a Confirm: it says yes or no.
func TestConfirmAnswersStatusOnly(t *testing.T) {
	l := start(t, everyOption)
	a := l.request(dhcpv6.Confirm, duid(1), na(1, "2001:db8:1::e71"), option(dhcpv6.OptionORO, []byte{0, 23, 0, 24, 0, 82}))
	for code := range a.Options.All() {
		switch code {
		case dhcpv6.OptionClientID, dhcpv6.OptionServerID, dhcpv6.OptionStatusCode:
		default:
			t.Errorf("%v in the answer to a Confirm", code)
		}
	}
}
