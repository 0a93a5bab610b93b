package dhcpv6_test

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"

	"lan6d/dhcpv6"
)

// rewrite writes a message again from what the parsers make of it. Octets that belong to no option get lost, so it
// gives the same octets for a message without such.
func rewrite(w *dhcpv6.Writer, b []byte) {
	if m, err := dhcpv6.ParseMessage(b); err == nil {
		w.Message(m.Type, m.TransactionID)
		rewriteOptions(w, m.Options)
	} else if m, err := dhcpv6.ParseRelayMessage(b); err == nil {
		w.RelayMessage(m.Type, m.HopCount, m.LinkAddress, m.PeerAddress)
		rewriteOptions(w, m.Options)
	} else {
		w.Bytes(b)
	}
}

func rewriteOptions(w *dhcpv6.Writer, o dhcpv6.Options) {
	for code, data := range o.All() {
		m := w.Begin(code)
		rewriteData(w, code, data)
		w.End(m)
	}
}

// rewriteData writes the data of an option. What does not parse is written as it is.
func rewriteData(w *dhcpv6.Writer, code dhcpv6.OptionCode, data []byte) {
	switch code {
	case dhcpv6.OptionRelayMsg:
		rewrite(w, data)
		return
	case dhcpv6.OptionIANA, dhcpv6.OptionIAPD:
		if ia, err := dhcpv6.ParseIA(data); err == nil {
			w.Uint32(ia.IAID)
			w.Uint32(ia.T1)
			w.Uint32(ia.T2)
			rewriteOptions(w, ia.Options)
			return
		}
	case dhcpv6.OptionIAAddr:
		if a, err := dhcpv6.ParseIAAddr(data); err == nil {
			w.Addr(a.Addr)
			w.Uint32(a.Preferred)
			w.Uint32(a.Valid)
			rewriteOptions(w, a.Options)
			return
		}
	case dhcpv6.OptionIAPrefix:
		if p, err := dhcpv6.ParseIAPrefix(data); err == nil {
			w.Uint32(p.Preferred)
			w.Uint32(p.Valid)
			w.Uint8(uint8(p.Prefix.Bits()))
			w.Addr(p.Prefix.Addr())
			rewriteOptions(w, p.Options)
			return
		}
	case dhcpv6.OptionStatusCode:
		if s, err := dhcpv6.ParseStatus(data); err == nil {
			w.Uint16(uint16(s.Code))
			w.Bytes(s.Message)
			return
		}
	}
	w.Bytes(data)
}

// generator writes random messages that are well formed.
type generator struct{ *rand.Rand }

func (g generator) octets(n int) []byte {
	b := make([]byte, g.IntN(n+1))
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func (g generator) addr() netip.Addr {
	var b [16]byte
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return netip.AddrFrom16(b)
}

func (g generator) message(w *dhcpv6.Writer, depth int) {
	if depth > 0 && g.IntN(2) == 0 {
		w.RelayMessage(dhcpv6.RelayForward, uint8(g.Uint32()), g.addr(), g.addr())
		w.Option(dhcpv6.OptionInterfaceID, g.octets(9))
		m := w.Begin(dhcpv6.OptionRelayMsg)
		g.message(w, depth-1)
		w.End(m)
		return
	}
	w.Message(dhcpv6.MessageType(g.IntN(int(dhcpv6.InformationRequest)+1)), g.Uint32())
	for range g.IntN(8) {
		g.option(w)
	}
}

func (g generator) option(w *dhcpv6.Writer) {
	switch g.IntN(4) {
	case 0:
		g.ia(w, dhcpv6.OptionIANA, func() { w.IAAddr(g.addr(), g.Uint32(), g.Uint32()) })
	case 1:
		g.ia(w, dhcpv6.OptionIAPD, func() {
			w.IAPrefix(netip.PrefixFrom(g.addr(), g.IntN(129)), g.Uint32(), g.Uint32())
		})
	case 2:
		w.Status(dhcpv6.StatusCode(g.Uint32()), string(g.octets(20)))
	default:
		w.Option(dhcpv6.OptionCode(g.Uint32N(100)+100), g.octets(40))
	}
}

func (g generator) ia(w *dhcpv6.Writer, code dhcpv6.OptionCode, lease func()) {
	m := w.Begin(code)
	w.Uint32(g.Uint32())
	w.Uint32(g.Uint32())
	w.Uint32(g.Uint32())
	for range g.IntN(4) {
		lease()
	}
	w.End(m)
}

func TestRoundTrip(t *testing.T) {
	for seed := range uint64(500) {
		w := dhcpv6.NewWriter(make([]byte, 8192))
		generator{rand.New(rand.NewPCG(seed, 0))}.message(&w, 8)
		want, err := w.Finish()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		again := dhcpv6.NewWriter(make([]byte, len(want)))
		rewrite(&again, want)
		if got, err := again.Finish(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("seed %d: %x, %v, want %x", seed, got, err, want)
		}
	}
}

// The writer's fields must come back from the parser under their names, not only in the same octets.
func TestFieldsRoundTrip(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(1, 2))}
	for range 100 {
		address := dhcpv6.IAAddr{Addr: g.addr(), Preferred: g.Uint32(), Valid: g.Uint32()}
		prefix := dhcpv6.IAPrefix{Prefix: netip.PrefixFrom(g.addr(), g.IntN(129)), Preferred: g.Uint32(), Valid: g.Uint32()}
		w := dhcpv6.NewWriter(make([]byte, 128))
		w.IAAddr(address.Addr, address.Preferred, address.Valid)
		w.IAPrefix(prefix.Prefix, prefix.Preferred, prefix.Valid)
		o, err := w.Finish()
		if err != nil {
			t.Fatal(err)
		}
		data, _ := dhcpv6.Options(o).Get(dhcpv6.OptionIAAddr)
		a, err := dhcpv6.ParseIAAddr(data)
		if a.Options = nil; err != nil || !reflect.DeepEqual(a, address) {
			t.Errorf("%+v reads %+v, %v", address, a, err)
		}
		data, _ = dhcpv6.Options(o).Get(dhcpv6.OptionIAPrefix)
		p, err := dhcpv6.ParseIAPrefix(data)
		if p.Options = nil; err != nil || !reflect.DeepEqual(p, prefix) {
			t.Errorf("%+v reads %+v, %v", prefix, p, err)
		}
	}
}
