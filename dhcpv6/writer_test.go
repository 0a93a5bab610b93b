package dhcpv6_test

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
)

var (
	addr1   = netip.MustParseAddr("2001:db8::1")
	addr2   = netip.MustParseAddr("fe80::2")
	prefix1 = netip.MustParsePrefix("2001:db8:0:100::/56")
)

var writes = []struct {
	name  string
	write func(w *dhcpv6.Writer)
	want  string
}{
	{"nothing", func(*dhcpv6.Writer) {}, ""},
	{"Uint8", func(w *dhcpv6.Writer) { w.Uint8(0xa1) }, "a1"},
	{"Uint16", func(w *dhcpv6.Writer) { w.Uint16(0xa1b2) }, "a1b2"},
	{"Uint32", func(w *dhcpv6.Writer) { w.Uint32(0xa1b2c3d4) }, "a1b2c3d4"},
	{"Bytes", func(w *dhcpv6.Writer) { w.Bytes([]byte{1, 2, 3}) }, "010203"},
	{"Bytes, none", func(w *dhcpv6.Writer) { w.Bytes(nil) }, ""},
	{"Text", func(w *dhcpv6.Writer) { w.Text("lan") }, "6c616e"},
	{"Addr", func(w *dhcpv6.Writer) { w.Addr(addr1) }, "20010db8000000000000000000000001"},
	{"Addr, the zero value is ::", func(w *dhcpv6.Writer) { w.Addr(netip.Addr{}) }, "00000000000000000000000000000000"},
	{"section 8: Message", func(w *dhcpv6.Writer) { w.Message(dhcpv6.Advertise, 0xa1b2c3) }, "02 a1b2c3"},
	{"section 8: the transaction ID has 24 bits", func(w *dhcpv6.Writer) { w.Message(dhcpv6.Reply, 0xffa1b2c3) },
		"07 a1b2c3"},
	{"section 9: RelayMessage", func(w *dhcpv6.Writer) { w.RelayMessage(dhcpv6.RelayReply, 3, addr1, addr2) },
		"0d 03 20010db8000000000000000000000001 fe800000000000000000000000000002"},
	{"section 21.1: Option", func(w *dhcpv6.Writer) { w.Option(dhcpv6.OptionClientID, []byte{0, 3, 0, 1}) },
		"0001 0004 00030001"},
	{"Option, empty", func(w *dhcpv6.Writer) { w.Option(dhcpv6.OptionRapidCommit, nil) }, "000e 0000"},
	{"OptionUint32", func(w *dhcpv6.Writer) { w.OptionUint32(dhcpv6.OptionSolMaxRT, 3600) }, "0052 0004 00000e10"},
	{"section 21.13: Status", func(w *dhcpv6.Writer) { w.Status(dhcpv6.StatusNoBinding, "no") }, "000d 0004 0003 6e6f"},
	{"Status, no message", func(w *dhcpv6.Writer) { w.Status(dhcpv6.StatusSuccess, "") }, "000d 0002 0000"},
	{"section 21.6: IAAddr", func(w *dhcpv6.Writer) { w.IAAddr(addr1, 3600, dhcpv6.Infinity) },
		"0005 0018 20010db8000000000000000000000001 00000e10 ffffffff"},
	{"section 21.22: IAPrefix", func(w *dhcpv6.Writer) { w.IAPrefix(prefix1, 3600, 7200) },
		"001a 0019 00000e10 00001c20 38 20010db8000001000000000000000000"},
	{"nesting", writeNested, `
		0c 00 20010db8000000000000000000000001 fe800000000000000000000000000002
		0012 0004 65746830                               # Interface-Id
		0009 0020 07 a1b2c3                              # Relay Message: REPLY
		  0003 0014 00000001 00000708 00000b40           # IA_NA
		    000d 0004 0002 6e6f                          # Status Code: NoAddrsAvail
		  000e 0000                                      # Rapid Commit`},
}

func writeNested(w *dhcpv6.Writer) {
	w.RelayMessage(dhcpv6.RelayForward, 0, addr1, addr2)
	w.Option(dhcpv6.OptionInterfaceID, []byte("eth0"))
	relayed := w.Begin(dhcpv6.OptionRelayMsg)
	w.Message(dhcpv6.Reply, 0xa1b2c3)
	ia := w.Begin(dhcpv6.OptionIANA)
	w.Uint32(1)
	times := w.Mark()
	w.Uint32(0)
	w.Uint32(0)
	w.Status(dhcpv6.StatusNoAddrsAvail, "no")
	w.End(ia)
	w.SetUint32(times, 1800)
	w.SetUint32(times+4, 2880)
	w.Option(dhcpv6.OptionRapidCommit, nil)
	w.End(relayed)
}

func TestWriter(t *testing.T) {
	for _, tt := range writes {
		t.Run(tt.name, func(t *testing.T) {
			want := dhcpv6test.Hex(t, tt.want)
			for size := range len(want) {
				checkFull(t, size, tt.write)
			}
			for size := len(want); size <= len(want)+5; size++ {
				checkFits(t, size, tt.write, want)
			}
		})
	}
}

// guarded is a buffer of that size within a larger one, for checkGuard to see whether anything wrote behind it.
func guarded(size int) []byte {
	return bytes.Repeat([]byte{0xee}, size+64)[:size]
}

func checkGuard(t *testing.T, buf []byte) {
	t.Helper()
	behind := buf[len(buf):cap(buf)]
	if !bytes.Equal(behind, bytes.Repeat([]byte{0xee}, len(behind))) {
		t.Errorf("buffer of %d octets: written behind its end: %x", len(buf), behind)
	}
}

func checkFits(t *testing.T, size int, write func(*dhcpv6.Writer), want []byte) {
	t.Helper()
	buf := guarded(size)
	w := dhcpv6.NewWriter(buf)
	write(&w)
	got, err := w.Finish()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("buffer of %d octets: %x, %v, want %x", size, got, err, want)
	}
	if cap(got) != len(got) {
		t.Errorf("buffer of %d octets: the message has a capacity of %d, want its length %d", size, cap(got), len(got))
	}
	checkGuard(t, buf)
}

// checkFull writes into a buffer too small, and then what would fit: the error must stay.
func checkFull(t *testing.T, size int, write func(*dhcpv6.Writer)) {
	t.Helper()
	buf := guarded(size)
	w := dhcpv6.NewWriter(buf)
	write(&w)
	w.Bytes(nil)
	w.End(w.Begin(0))
	w.SetUint32(w.Mark(), 0)
	if got, err := w.Finish(); !errors.Is(err, dhcpv6.ErrBufferFull) || got != nil {
		t.Errorf("buffer of %d octets: %x, %v, want %v", size, got, err, dhcpv6.ErrBufferFull)
	}
	checkGuard(t, buf)
}

// A large write that does not fit must not be followed by a small one that does: the message would lack its middle.
func TestWriterFullIsSticky(t *testing.T) {
	w := dhcpv6.NewWriter(make([]byte, 4))
	w.Uint8(1)
	w.Uint32(2)
	w.Uint8(3)
	if got, err := w.Finish(); !errors.Is(err, dhcpv6.ErrBufferFull) {
		t.Errorf("%x, %v, want %v", got, err, dhcpv6.ErrBufferFull)
	}
}

func TestWriterWithoutBuffer(t *testing.T) {
	for _, buf := range [][]byte{nil, {}} {
		empty := dhcpv6.NewWriter(buf)
		if got, err := empty.Finish(); err != nil || len(got) != 0 {
			t.Errorf("nothing written: %x, %v", got, err)
		}
		w := dhcpv6.NewWriter(buf)
		writeNested(&w)
		if _, err := w.Finish(); !errors.Is(err, dhcpv6.ErrBufferFull) {
			t.Errorf("error %v, want %v", err, dhcpv6.ErrBufferFull)
		}
	}
}

// Section 21.1: option-len has 16 bits. Buffers are larger when a Relay-reply is built.
func TestWriterOptionLength(t *testing.T) {
	tests := []struct {
		name  string
		write func(w *dhcpv6.Writer)
		size  int
		err   error
	}{
		{"65,535 octets", func(w *dhcpv6.Writer) { w.Option(1, make([]byte, 65535)) }, 65539, nil},
		{"65,536 octets", func(w *dhcpv6.Writer) { w.Option(1, make([]byte, 65536)) }, 0, dhcpv6.ErrBufferFull},
		{"65,535 octets of options within", func(w *dhcpv6.Writer) { writeTwo(w, 40000, 65535-8-40000) }, 65539, nil},
		{"65,536 octets of options within", func(w *dhcpv6.Writer) { writeTwo(w, 40000, 65536-8-40000) }, 0,
			dhcpv6.ErrBufferFull},
		{"twice 40,000 octets", func(w *dhcpv6.Writer) { writeTwo(w, 40000, 40000) }, 0, dhcpv6.ErrBufferFull},
		{"more than one option long", func(w *dhcpv6.Writer) {
			w.Option(1, make([]byte, 40000))
			w.Option(1, make([]byte, 40000))
		}, 80008, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := dhcpv6.NewWriter(make([]byte, 100000))
			tt.write(&w)
			w.Bytes(nil)
			got, err := w.Finish()
			if !errors.Is(err, tt.err) || len(got) != tt.size {
				t.Fatalf("%d octets, %v, want %d, %v", len(got), err, tt.size, tt.err)
			}
			if o, err := dhcpv6.ParseOptions(got); err != nil || len(o) != tt.size {
				t.Errorf("what was written does not parse: %v", err)
			}
		})
	}
}

// writeTwo writes an option that holds two, of that many octets.
func writeTwo(w *dhcpv6.Writer, a, b int) {
	m := w.Begin(dhcpv6.OptionRelayMsg)
	w.Option(1, make([]byte, a))
	w.Option(2, make([]byte, b))
	w.End(m)
}
