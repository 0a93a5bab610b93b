package server_test

import (
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
)

// crowded has one client fill the pool of addresses, 3840, and give all of them back: they are remembered.
func crowded(t testing.TB) *lab {
	l := start(t)
	const batch = 1280
	for from := 0; from < 3840; from += batch {
		l.Handle(l.now, multicast(message(dhcpv6.Request, duid(1), manyIAs(from, batch)...)), l.buf)
	}
	for iaid := range uint32(3840) {
		b := l.Table().Link("lan").Lookup(duid(1), iaid, lease.Address)
		l.Handle(l.now, multicast(message(dhcpv6.Release, duid(1), na(iaid, b.Leases[0].Prefix.Addr().String()))), l.buf)
	}
	if free, bound := l.count(lease.Free), l.count(lease.Bound); free != 3840 || bound != 0 {
		t.Fatalf("%d bindings remembered, %d bound", free, bound)
	}
	return l
}

func manyIAs(from, n int) (ias [][]byte) {
	for i := range n {
		ias = append(ias, na(uint32(from+i)))
	}
	return ias
}

func (l *lab) count(s lease.State) (n int) {
	for b := range l.Table().Link("lan").All() {
		if b.State == s {
			n++
		}
	}
	return n
}

// A message of as many IAs as fit takes as many remembered ids, the longest unused first, and looks at no others.
func TestManyIAsReuse(t *testing.T) {
	l := crowded(t)
	before := l.Table().Walked()
	a := l.request(dhcpv6.Request, duid(2), manyIAs(0, 1280)...)
	for _, ia := range a.ias {
		if len(ia.grants()) != 1 {
			t.Fatalf("IA %d: %q", ia.iaid, ia.status)
		}
	}
	if n := l.Table().Walked() - before; n != 1280 {
		t.Errorf("%d bindings looked at for 1280 IAs", n)
	}
}

// Where others are remembered for longer, on another link, one message has them looked at a few times: the IAs after that
// get nothing.
func TestManyIAsWalk(t *testing.T) {
	l := crowded(t)
	l.reconfigure(func(s *setup) { s.secondLink("2001:db8:2::1/120") })
	l.relink(func(*setup) {})
	ask := func(t dhcpv6.MessageType, client int) (granted int, ias [][]byte) {
		for i, ia := range l.requestOn(3, t, duid(client), manyIAs(0, 240)...).ias {
			granted += len(ia.grants())
			ias = append(ias, na(uint32(i), ia.grants()...))
		}
		return granted, ias
	}
	n, all := ask(dhcpv6.Request, 1)
	if n != 240 {
		t.Fatalf("%d IAs bound", n)
	}
	l.requestOn(3, dhcpv6.Release, duid(1), all...)
	before := l.Table().Walked()
	n, _ = ask(dhcpv6.Request, 2)
	if walked := l.Table().Walked() - before; n < 10 || walked > 70_000 {
		t.Errorf("%d IAs bound, %d bindings looked at", n, walked)
	}
}

// A Rebind that names what no pool has costs no search of a pool, and takes nothing that is remembered.
func TestManyIAsRebind(t *testing.T) {
	l := crowded(t)
	before := l.Table().Walked()
	var ias [][]byte
	for i := range 1000 {
		ias = append(ias, na(uint32(i), "2001:db8:1::50"))
	}
	in := multicast(message(dhcpv6.Rebind, duid(2), ias...))
	if _, err := l.handle(in); err == nil {
		t.Error("an answer")
	}
	if n := l.Table().Walked() - before; n != 0 || l.count(lease.Free) != 3840 {
		t.Errorf("%d bindings looked at, %d left", n, l.count(lease.Free))
	}
}

func BenchmarkManyIAsReuse(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		l := crowded(b)
		in := multicast(message(dhcpv6.Request, duid(2), manyIAs(0, 1280)...))
		b.StartTimer()
		if _, err := l.Handle(l.now, in, l.buf); err != nil {
			b.Fatal(err)
		}
	}
}
