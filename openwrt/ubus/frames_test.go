package ubus

import (
	"bytes"
	"math"
	"os"
	"reflect"
	"strconv"
	"testing"
)

// TestEncode makes every captured frame of what it says, octet by octet.
func TestEncode(t *testing.T) {
	for _, c := range captures(t) {
		for i, f := range c.Frames {
			kind, ok := kindNumbers[f.Type]
			if !ok {
				t.Fatalf("%s: unknown type %s", c.Name, f.Type)
			}
			var w buffer
			start := w.frame(kind, f.Seq, f.Peer)
			for _, a := range f.Attrs {
				encodeAttribute(t, &w, a)
			}
			w.end(start)
			if want := f.bytes(t); !bytes.Equal(w.b, want) {
				t.Errorf("%s, frame %d:\n%x, want\n%x", c.Name, i, w.b, want)
			}
		}
	}
}

func encodeAttribute(t *testing.T, w *buffer, a attribute) {
	id := attrNumbers[a.name]
	switch id {
	case attrStatus, attrObjID, attrObjType, attrTarget:
		w.number(id, decode[uint32](t, a.value))
	case attrObjPath, attrMethod, attrUser, attrGroup:
		w.text(id, decode[string](t, a.value))
	case attrActive, attrNoReply:
		w.bytes(id, []byte{decode[uint8](t, a.value)})
	case attrSubscribers:
		var ids buffer
		for _, n := range decode[[]uint32](t, a.value) {
			ids.number(0, n)
		}
		w.bytes(id, ids.b)
	case attrSignature, attrData:
		w.bytes(id, encodeItems(t, decode[[]item](t, a.value)))
	default:
		t.Fatalf("unknown attribute %s", a.name)
	}
}

// encodeItems writes a blobmsg with a Writer.
func encodeItems(t *testing.T, items []item) []byte {
	var w Writer
	w.BeginObject("")
	writeItems(t, &w, items)
	w.EndObject()
	b, err := w.content()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeItems(t *testing.T, w *Writer, items []item) {
	for _, i := range items {
		switch i.Type {
		case "table":
			w.BeginObject(i.Name)
			writeItems(t, w, decode[[]item](t, i.Value))
			w.EndObject()
		case "array":
			w.BeginArray(i.Name)
			writeItems(t, w, decode[[]item](t, i.Value))
			w.EndArray()
		case "string":
			w.String(i.Name, decode[string](t, i.Value))
		case "int32":
			w.Int32(i.Name, decode[int32](t, i.Value))
		case "int64":
			w.Int64(i.Name, decode[int64](t, i.Value))
		case "bool":
			w.Bool(i.Name, decode[bool](t, i.Value))
		case "int16": // others send what the Writer does not
			start := w.name(typeInt16, i.Name)
			n := decode[int16](t, i.Value)
			w.b = append(w.b, uint8(n>>8), uint8(n))
			w.close(start)
		case "double":
			start := w.name(typeDouble, i.Name)
			bits := math.Float64bits(decode[float64](t, i.Value))
			w.word(uint32(bits >> 32))
			w.word(uint32(bits))
			w.close(start)
		case "null":
			w.close(w.name(typeNull, i.Name))
		default:
			t.Fatalf("unknown type %s", i.Type)
		}
	}
}

// TestDecode reads every captured frame, compares it with what it says, and writes it again from what was read.
func TestDecode(t *testing.T) {
	for _, c := range captures(t) {
		for i, f := range c.Frames {
			frame := f.bytes(t)
			read, err := readFrame(bytes.NewReader(frame))
			if err != nil || !bytes.Equal(read, frame) {
				t.Fatalf("%s, frame %d: read as %x, %v", c.Name, i, read, err)
			}
			var m message
			if !m.parse(frame) || m.kind != kindNumbers[f.Type] || m.seq != f.Seq || m.peer != f.Peer {
				t.Fatalf("%s, frame %d: %+v", c.Name, i, m)
			}
			for _, a := range f.Attrs {
				checkAttribute(t, &m, a)
			}
			if again := rewriteFrame(&m); !bytes.Equal(again, frame) {
				t.Errorf("%s, frame %d: written again\n%x, want\n%x", c.Name, i, again, frame)
			}
		}
	}
}

func checkAttribute(t *testing.T, m *message, a attribute) {
	id := attrNumbers[a.name]
	var got, want any
	switch id {
	case attrStatus, attrObjID, attrObjType, attrTarget:
		got, want = m.number(id), decode[uint32](t, a.value)
	case attrObjPath, attrMethod, attrUser, attrGroup:
		got, want = m.text(id), decode[string](t, a.value)
	case attrActive, attrNoReply:
		got, want = m.flag(id), decode[uint8](t, a.value) != 0
	case attrSignature, attrData:
		args, err := ParseArgs(m.get(id, -1))
		if err != nil {
			t.Fatal(err)
		}
		checkItems(t, args, decode[[]item](t, a.value))
	}
	if got != want {
		t.Errorf("%s: %v, want %v", a.name, got, want)
	}
}

// checkItems compares by name, as programs read, so only the first of each name; in arrays all.
func checkItems(t *testing.T, args Args, items []item) {
	t.Helper()
	n := 0
	for name := range args.All() {
		if n >= len(items) || name != items[n].Name {
			t.Fatalf("element %d is %q, want %+v", n, name, items)
		}
		n++
	}
	if n != len(items) {
		t.Fatalf("%d elements, want %d", n, len(items))
	}
	seen := make(map[string]bool)
	for n, i := range items {
		one := nth(args, n)
		checkItem(t, one, i)
		if !seen[i.Name] {
			checkItem(t, args, i)
		}
		seen[i.Name] = true
	}
}

// nth is the args with nothing but their nth element.
func nth(args Args, n int) Args {
	for ; n > 0; n-- {
		_, _, args, _ = element(args)
	}
	_, _, rest, _ := element(args)
	return args[:len(args)-len(rest)]
}

func checkItem(t *testing.T, args Args, i item) {
	t.Helper()
	var got, want any
	ok := true
	kind := "number"
	switch i.Type {
	case "table":
		kind = "object"
		checkItems(t, args.Elements(i.Name), decode[[]item](t, i.Value))
	case "array":
		kind = "array"
		checkItems(t, args.Elements(i.Name), decode[[]item](t, i.Value))
	case "string":
		kind, want = "string", decode[string](t, i.Value)
		got, ok = args.String(i.Name)
	case "bool":
		kind, want = "boolean", decode[bool](t, i.Value)
		got, ok = args.Bool(i.Name)
	case "int16", "int32", "int64":
		want = decode[int64](t, i.Value)
		got, ok = args.Int(i.Name)
	case "null":
		kind = "null"
	}
	if got != want || !ok || !args.Has(i.Name) || args.Kind(i.Name) != kind {
		t.Errorf("%q: %v, %v, kind %q; want %v of kind %q", i.Name, got, ok, args.Kind(i.Name), want, kind)
	}
}

// rewriteFrame writes a frame from what was read of it, to the bottom where it can be read to the bottom.
func rewriteFrame(m *message) []byte {
	var w buffer
	start := w.frame(m.kind, m.seq, m.peer)
	for rest := m.attrs; len(rest) > 0; {
		head, payload, next, _ := cut(rest)
		id := head >> 24
		if args, err := ParseArgs(payload); err == nil && (id == attrData || id == attrSignature) {
			payload = rewriteArgs(args)
		}
		w.bytes(id, payload)
		rest = next
	}
	w.end(start)
	return w.b
}

func rewriteArgs(args Args) []byte {
	var w Writer
	w.BeginObject("")
	rewrite(&w, args)
	w.EndObject()
	return w.b
}

func rewrite(w *Writer, args Args) {
	for rest := []byte(args); len(rest) > 0; {
		name, v, next, _ := element(rest)
		start := w.name(v.kind, string(name))
		if v.kind == typeArray || v.kind == typeTable {
			rewrite(w, v.elements())
		} else {
			w.b = append(w.b, v.data...)
		}
		w.close(start)
		rest = next
	}
}

func TestVectors(t *testing.T) {
	b, err := os.ReadFile("testdata/blobmsg-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	file := decode[struct {
		Vectors []struct {
			JSON    string
			Hex     string `json:"table_payload_hex"`
			Decoded []item
		}
	}](t, b)
	if len(file.Vectors) < 30 {
		t.Fatalf("only %d vectors", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		want := unhex(t, v.Hex)
		if got := encodeItems(t, v.Decoded); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", v.JSON, got, want)
		}
		args, err := ParseArgs(want)
		if err != nil {
			t.Fatalf("%s: %v", v.JSON, err)
		}
		checkItems(t, args, v.Decoded)
	}
}

// TestDump reads what netifd says of its interfaces, as package main does.
func TestDump(t *testing.T) {
	var m message
	m.parse(find(t, "dump", "ubusd>client", "DATA", 2).bytes(t))
	args, err := ParseArgs(m.get(attrData, -1))
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, i := range args.Elements("interface").All() {
		name, _ := i.String("interface")
		device, _ := i.String("l3_device")
		up, _ := i.Bool("up")
		row := []string{name, device, map[bool]string{true: "up", false: "down"}[up]}
		for _, p := range i.Elements("ipv6-prefix").All() {
			address, _ := p.String("address")
			mask, _ := p.Int("mask")
			row = append(row, address+"/"+strconv.FormatInt(mask, 10))
		}
		if i.Kind("data") != "object" {
			t.Errorf("%s: data is %q", name, i.Kind("data"))
		}
		got = append(got, row)
	}
	want := [][]string{{"lan", "br-lan", "up"}, {"loopback", "lo", "up"}, {"wan6", "wan0", "up", "2001:db8:100::/48"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("interfaces %q, want %q", got, want)
	}
}
