package dhcpv6_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/dhcpv6test"
)

// hostile are options that brought down or misled other implementations.
var hostile = []struct{ name, in string }{
	{"IA_NA shorter than its fixed part", "0003 000b 00000001 00000000 000000"},
	{"IA_PD, empty", "0019 0000"},
	{"IA Address, empty, in an IA_NA", "0003 0010 00000001 00000000 00000000 0005 0000"},
	{"IA Prefix one octet short", `0019 0028 00000001 00000000 00000000
		001a 0018 00000000 00000000 38 20010db80000000000000000000000`},
	{"IA Prefix of length 129", `0019 0029 00000001 00000000 00000000
		001a 0019 00000000 00000000 81 20010db8000000000000000000000000`},
	{"T1 after T2, preferred after valid", `0003 0028 00000001 ffffffff 00000001
		0005 0018 20010db8000000000000000000000001 ffffffff 00000001`},
	{"the same IAID twice", "0003 000c 00000001 00000000 00000000 0003 000c 00000001 00000000 00000000"},
	{"40 IA_PD", strings.Repeat("0019 000c 00000001 00000000 00000000", 40)},
	{"Client Identifier, empty", "0001 0000"},
	{"Client Identifier of 300 octets", "0001 012c" + strings.Repeat("ff", 300)},
	{"Client Architecture of 1 octet", "003d 0001 00"},
	{"Option Request at an odd offset, of odd length", "000f 0001 aa 0006 0003 001700"},
	{"Client Link-Layer Address of 300 octets", "004f 012c" + strings.Repeat("01", 300)},
	{"option past the end", "0009 0010 01a1b2c3"},
	{"Relay Message, empty", "0009 0000"},
	{"relay in a relay with an inner length past its parent",
		"0009 002a 0c00" + strings.Repeat("00", 32) + "0009 0020 0c010203"},
	{"Client FQDN with a compression loop", "0027 0003 00 c000"},
	{"stray octets in an IA_NA", "0003 000f 00000001 00000000 00000000 000d00"},
}

func FuzzParseOptions(f *testing.F) {
	for _, tt := range optionRuns {
		f.Add(dhcpv6test.Hex(f, tt.in))
	}
	for _, h := range hostile {
		f.Add(dhcpv6test.Hex(f, h.in))
	}
	f.Add(dhcpv6test.Hex(f, solicit)[4:])
	f.Add(nestedRelays(32))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		walk(t, b)
		if !bytes.Equal(b, before) {
			t.Errorf("reading changed the packet to %x", b)
		}
	})
}

// nestedRelays is a Relay Message option that holds a relay message, and so on.
func nestedRelays(depth int) []byte {
	w := dhcpv6.NewWriter(make([]byte, 4096))
	var marks []dhcpv6.Mark
	for range depth {
		marks = append(marks, w.Begin(dhcpv6.OptionRelayMsg))
		w.RelayMessage(dhcpv6.RelayForward, 0, addr1, addr2)
	}
	for i := range marks {
		w.End(marks[depth-1-i])
	}
	b, _ := w.Finish()
	return b
}

// walk parses a run of options, and those in its options, and checks what must hold of each run.
func walk(t *testing.T, b []byte) {
	o, err := dhcpv6.ParseOptions(b)
	if size, ok := optionsSize(b); ok != (err == nil) || len(o) != size {
		t.Fatalf("%x: %d octets of options, %v, want %d, %v", b, len(o), err, size, ok)
	}
	checkIteration(t, o)
	for code, data := range o.All() {
		switch code {
		case dhcpv6.OptionIANA, dhcpv6.OptionIAPD:
			walkBehind(t, data, 12)
		case dhcpv6.OptionIAAddr:
			walkBehind(t, data, 24)
		case dhcpv6.OptionIAPrefix:
			walkBehind(t, data, 25)
		case dhcpv6.OptionRelayMsg:
			if m, err := dhcpv6.ParseMessage(data); err == nil {
				walk(t, m.Options)
			} else if m, err := dhcpv6.ParseRelayMessage(data); err == nil {
				walk(t, m.Options)
			}
		}
	}
	checkRewrite(t, o)
}

func walkBehind(t *testing.T, data []byte, fixed int) {
	if len(data) >= fixed {
		walk(t, data[fixed:])
	}
}

// optionsSize is a second opinion on ParseOptions: how many octets of b are options, and whether b is well formed.
func optionsSize(b []byte) (size int, ok bool) {
	for rest := b; len(rest) > 3; {
		n := int(rest[2])<<8 | int(rest[3])
		if rest = rest[4:]; n > len(rest) {
			return 0, false
		}
		rest = rest[n:]
		size += 4 + n
	}
	return size, true
}

// checkIteration checks that All gives each octet of the run once, and data that cannot be appended to.
func checkIteration(t *testing.T, o dhcpv6.Options) {
	var again []byte
	seen := make(map[dhcpv6.OptionCode]int)
	for code, data := range o.All() {
		if cap(data) != len(data) {
			t.Fatalf("%v has a capacity of %d, want its length %d", code, cap(data), len(data))
		}
		if seen[code]++; seen[code] == 1 {
			if first, ok := o.Get(code); !ok || !bytes.Equal(first, data) {
				t.Fatalf("Get(%v): %x, %v, want %x", code, first, ok, data)
			}
		}
		again = binary.BigEndian.AppendUint16(again, uint16(code))
		again = binary.BigEndian.AppendUint16(again, uint16(len(data)))
		again = append(again, data...)
	}
	if !bytes.Equal(again, o) {
		t.Fatalf("All gives %x, want %x", again, o)
	}
	for code, n := range seen {
		if got := o.Count(code); got != n {
			t.Fatalf("Count(%v): %d, want %d", code, got, n)
		}
	}
}

// checkRewrite writes the run again, parsed to the bottom where it does parse. Only octets that belong to no option
// may be missing; a second pass finds none of those.
func checkRewrite(t *testing.T, o dhcpv6.Options) {
	once := rewritten(t, o)
	twice := rewritten(t, once)
	if !bytes.Equal(once, twice) {
		t.Fatalf("%x is written as %x and then as %x", o, once, twice)
	}
	w := dhcpv6.NewWriter(make([]byte, len(o)))
	for code, data := range o.All() {
		w.Option(code, data)
	}
	if got, err := w.Finish(); err != nil || !bytes.Equal(got, o) {
		t.Fatalf("%x is written as %x, %v", o, got, err)
	}
}

func rewritten(t *testing.T, o dhcpv6.Options) dhcpv6.Options {
	w := dhcpv6.NewWriter(make([]byte, len(o)))
	rewriteOptions(&w, o)
	b, err := w.Finish()
	if err != nil {
		t.Fatalf("%x does not fit where it came from: %v", o, err)
	}
	return b
}

func TestHostileOptions(t *testing.T) {
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) { walk(t, dhcpv6test.Hex(t, h.in)) })
	}
}

func FuzzParseName(f *testing.F) {
	for _, in := range []string{
		"", "00", "03 6c616e 00", "03 6c616e 01 61", "03 6c616e c000", "c000", "03 610062 00", "03 610a62 00", "03 612e62",
		label(63) + "00", label(64) + "00", longLabels + label(61) + "00", longLabels + label(62) + "00",
		strings.Repeat("0161", 127) + "016100",
	} {
		f.Add(dhcpv6test.Hex(f, in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; len(rest) > 0; {
			text, next, full, err := dhcpv6.ParseName(nil, rest)
			if err != nil {
				return
			}
			if len(next) >= len(rest) || !full && len(next) > 0 {
				t.Fatalf("%x: rest %x, full %v", rest, next, full)
			}
			checkName(t, rest[:len(rest)-len(next)], string(text), full)
			rest = next
		}
	})
}

// checkName writes the text of a name again and compares. A dot within a label cannot be told from one between labels,
// and the root alone has no text.
func checkName(t *testing.T, wire []byte, text string, full bool) {
	if len(text) > dhcpv6.MaxNameLength-2 {
		t.Fatalf("%x: a text of %d octets", wire, len(text))
	}
	if text == "" || bytes.IndexByte(wire, '.') >= 0 {
		return
	}
	appendName := dhcpv6.AppendPartialName
	if full {
		appendName = dhcpv6.AppendName
	}
	if got, err := appendName(nil, text); err != nil || !bytes.Equal(got, wire) {
		t.Fatalf("%x reads %q, which is written as %x, %v", wire, text, got, err)
	}
}
