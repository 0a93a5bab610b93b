package ubus

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// rawFrame is a frame with the octets given for attributes.
func rawFrame(attrs ...byte) []byte {
	var w buffer
	start := w.frame(msgData, 1, 2)
	w.b = append(w.b, attrs...)
	w.end(start)
	return w.b
}

func TestReadFrame(t *testing.T) {
	header := func(length uint32) []byte {
		var w buffer
		w.word(0x00020001)
		w.word(0)
		w.word(length)
		return w.b
	}
	for _, tt := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, errClosed},
		{"one octet", []byte{0}, errHalfFrame},
		{"header only", header(4)[:8], errHalfFrame},
		{"empty", header(4), nil},
		{"length below its own head", header(3), errLength},
		{"length 0", header(0), errLength},
		{"half the payload", append(header(12), 1, 2, 3, 4), errHalfFrame},
		{"without payload", header(12), errHalfFrame},
		{"without padding", append(header(5), 1), errHalfFrame},
		{"with padding", append(header(5), 1, 0, 0, 0), nil},
		{"the longest", append(header(maxMessage), make([]byte, maxMessage-4)...), nil},
		{"longer", append(header(maxMessage+1), make([]byte, maxMessage)...), errLength},
		{"the longest that can be said", header(0xffffff), errLength},
		{"extended", header(1<<31 | 4), nil},
	} {
		got, err := readFrame(bytes.NewReader(tt.in))
		if err != tt.want || err == nil && !bytes.Equal(got, tt.in) {
			t.Errorf("%s: %x, %v, want %v", tt.name, got[:min(len(got), 16)], err, tt.want)
		}
		if _, err := readFrame(iotest.OneByteReader(bytes.NewReader(tt.in))); err != tt.want {
			t.Errorf("%s, octet by octet: %v, want %v", tt.name, err, tt.want)
		}
	}
	broken := errors.New("broken")
	if _, err := readFrame(io.MultiReader(bytes.NewReader(header(12)), iotest.ErrReader(broken))); err != broken {
		t.Errorf("%v, want the reader's error", err)
	}
}

func TestParseMessage(t *testing.T) {
	for _, tt := range []struct {
		name  string
		attrs []byte
		ok    bool
		path  string
		objid uint32
	}{
		{"none", nil, true, "", 0},
		{"path", []byte{2, 0, 0, 7, 'a', 'b', 0, 0}, true, "ab", 0},
		{"the last one wins", []byte{2, 0, 0, 6, 'a', 0, 0, 0, 2, 0, 0, 6, 'b', 0, 0, 0}, true, "b", 0},
		{"path without its zero octet", []byte{2, 0, 0, 6, 'a', 'b', 0, 0}, true, "", 0},
		{"path with a zero octet within", []byte{2, 0, 0, 8, 'a', 0, 'b', 0}, true, "", 0},
		{"empty path", []byte{2, 0, 0, 5, 0, 0, 0, 0}, true, "", 0},
		{"path of no octet", []byte{2, 0, 0, 4}, true, "", 0},
		{"id", []byte{3, 0, 0, 8, 1, 2, 3, 4}, true, "", 0x01020304},
		{"id of two octets", []byte{3, 0, 0, 6, 1, 2, 0, 0}, true, "", 0},
		{"good id and one of two octets", []byte{3, 0, 0, 8, 1, 2, 3, 4, 3, 0, 0, 6, 1, 2, 0, 0}, true, "", 0x01020304},
		{"unknown attributes", []byte{0x7f, 0, 0, 4, 0, 0, 0, 4, 3, 0, 0, 8, 1, 2, 3, 4}, true, "", 0x01020304},
		{"length below 4", []byte{3, 0, 0, 3}, false, "", 0},
		{"length 0", []byte{0, 0, 0, 0}, false, "", 0},
		{"past the end", []byte{3, 0, 0, 12, 1, 2, 3, 4}, false, "", 0},
		{"padding past the end", []byte{2, 0, 0, 5, 0}, false, "", 0},
		{"three octets at the end", []byte{3, 0, 0, 4, 1, 2, 3}, false, "", 0},
	} {
		var m message
		if ok := m.parse(rawFrame(tt.attrs...)); ok != tt.ok {
			t.Errorf("%s: parsed %v, want %v", tt.name, ok, tt.ok)
		}
		if tt.ok && (m.text(attrObjPath) != tt.path || m.number(attrObjID) != tt.objid) {
			t.Errorf("%s: path %q, id %x", tt.name, m.text(attrObjPath), m.number(attrObjID))
		}
	}
	var m message
	if m.parse(nil) || m.parse(make([]byte, 11)) {
		t.Error("less than a header is no message")
	}
}

// blobmsg elements in octets.
var (
	one      = []byte{0x85, 0, 0, 12, 0, 1, 'a', 0, 0, 0, 0, 1}
	nameless = []byte{0x85, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 1}
)

func TestParseArgs(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, nil},
		{"a number", one, nil},
		{"a nameless one", nameless, nil},
		{"not extended", append([]byte{5}, one[1:]...), errElement},
		{"no name", []byte{0x85, 0, 0, 4}, errElement},
		{"name longer than the element", []byte{0x85, 0, 0, 12, 0, 9, 'a', 0, 0, 0, 0, 1}, errElement},
		{"name up to the end", []byte{0x80, 0, 0, 12, 0, 6, 'a', 'b', 'c', 'd', 'e', 'f'}, errElement},
		{"name without its zero octet", []byte{0x85, 0, 0, 12, 0, 1, 'a', 'b', 0, 0, 0, 1}, errElement},
		{"number of three octets", []byte{0x85, 0, 0, 11, 0, 1, 'a', 0, 0, 0, 1, 0}, errElement},
		{"number of five octets", []byte{0x85, 0, 0, 13, 0, 1, 'a', 0, 0, 0, 0, 1, 0, 0, 0, 0}, errElement},
		{"null of one octet", []byte{0x80, 0, 0, 9, 0, 1, 'a', 0, 0, 0, 0, 0}, errElement},
		{"null", []byte{0x80, 0, 0, 8, 0, 1, 'a', 0}, nil},
		{"string", []byte{0x83, 0, 0, 10, 0, 1, 'a', 0, 'x', 0, 0, 0}, nil},
		{"string without its zero octet", []byte{0x83, 0, 0, 10, 0, 1, 'a', 0, 'x', 'y', 0, 0}, errElement},
		{"string with a zero octet within", []byte{0x83, 0, 0, 11, 0, 1, 'a', 0, 'x', 0, 0, 0}, errElement},
		{"string of no octet", []byte{0x83, 0, 0, 8, 0, 1, 'a', 0}, errElement},
		{"type 9", []byte{0x89, 0, 0, 8, 0, 1, 'a', 0}, errElement},
		{"type 127", []byte{0xff, 0, 0, 8, 0, 1, 'a', 0}, errElement},
		{"empty table", []byte{0x82, 0, 0, 8, 0, 1, 'a', 0}, nil},
		{"table with half an element", []byte{0x82, 0, 0, 12, 0, 1, 'a', 0, 0x85, 0, 0, 12}, errElement},
		{"length 0", []byte{0x85, 0, 0, 0}, errElement},
		{"past the end", one[:8], errElement},
		{"stray octets", append(slices.Clone(one), 0, 0), errElement},
		{"32 deep", nested(maxDepth), nil},
		{"33 deep", nested(maxDepth + 1), errDepth},
		{"10,000 deep", nested(10000), errDepth},
	} {
		if _, err := ParseArgs(tt.in); err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// nested is a number in tables, depth deep in all.
func nested(depth int) []byte {
	b := one
	for range depth - 1 {
		var w buffer
		start := w.begin(extended | typeTable<<24)
		w.b = append(w.b, 0, 0, 0, 0)
		w.b = append(w.b, b...)
		w.end(start)
		b = w.b
	}
	return b
}

// TestUnchecked reads what ParseArgs would not have let through.
func TestUnchecked(t *testing.T) {
	for _, in := range [][]byte{{0x85, 0, 0, 9, 0, 1, 'a', 0, 1, 0, 0, 0}, {0x87, 0, 0, 8, 0, 1, 'a', 0}, {0x83, 0, 0, 8, 0, 1, 'a', 0}, {1}} {
		a := Args(in)
		a.Int("a")
		a.Bool("a")
		a.String("a")
		a.Strings("a")
		if a.Has("a") || a.Kind("a") != "" || a.Elements("a") != nil {
			t.Errorf("%x has an a", in)
		}
	}
}

func TestArgs(t *testing.T) {
	var w Writer
	w.BeginObject("")
	w.String("s", "text")
	w.Int32("n", -2)
	w.Int64("big", 1<<40)
	w.Bool("yes", true)
	w.Bool("no", false)
	w.BeginArray("list")
	w.String("ignored", "x")
	w.String("", "")
	w.EndArray()
	w.BeginArray("mixed")
	w.String("", "x")
	w.Int32("", 1)
	w.EndArray()
	w.BeginArray("none")
	w.EndArray()
	w.String("s", "again")
	w.EndObject()
	b, err := w.content()
	if err != nil {
		t.Fatal(err)
	}
	a, err := ParseArgs(b)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := a.String("s"); s != "text" || !ok {
		t.Errorf("s: %q, %v; the first counts", s, ok)
	}
	if n, ok := a.Int("n"); n != -2 || !ok {
		t.Errorf("n: %d, %v", n, ok)
	}
	if n, ok := a.Int("big"); n != 1<<40 || !ok {
		t.Errorf("big: %d, %v", n, ok)
	}
	if l, ok := a.Strings("list"); !slices.Equal(l, []string{"x", ""}) || !ok {
		t.Errorf("list: %q, %v", l, ok)
	}
	if l, ok := a.Strings("none"); l == nil || len(l) != 0 || !ok {
		t.Errorf("none: %q, %v", l, ok)
	}
	for _, name := range []string{"mixed", "s", "n", "missing"} {
		if l, ok := a.Strings(name); l != nil || ok {
			t.Errorf("strings of %s: %q, %v", name, l, ok)
		}
	}
	for _, name := range []string{"n", "yes", "list", "missing"} {
		if s, ok := a.String(name); ok {
			t.Errorf("string of %s: %q", name, s)
		}
	}
	for _, name := range []string{"s", "yes", "list", "missing"} {
		if n, ok := a.Int(name); ok {
			t.Errorf("number of %s: %d", name, n)
		}
		if v, ok := a.Bool(name); ok != (name == "yes") || v != ok {
			t.Errorf("truth value of %s: %v, %v", name, v, ok)
		}
	}
	if v, ok := a.Bool("no"); v || !ok {
		t.Errorf("no: %v, %v", v, ok)
	}
	for name := range a.All() { // stops where it is told to
		if name != "s" {
			t.Errorf("first is %s", name)
		}
		break
	}
}

func TestWriterMisuse(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(w *Writer)
		want  error
	}{
		{"nothing", func(w *Writer) {}, nil},
		{"empty object", func(w *Writer) { w.BeginObject(""); w.EndObject() }, nil},
		{"no end", func(w *Writer) { w.BeginObject("") }, errNesting},
		{"no end of an array", func(w *Writer) { w.BeginObject(""); w.BeginArray("a"); w.EndObject() }, errNesting},
		{"no beginning", func(w *Writer) { w.EndObject() }, errNesting},
		{"no beginning of an array", func(w *Writer) { w.BeginObject(""); w.EndArray() }, errNesting},
		{"array first", func(w *Writer) { w.BeginArray("a"); w.EndArray() }, errNesting},
		{"value first", func(w *Writer) { w.Int32("a", 1) }, errNesting},
		{"value behind", func(w *Writer) { w.BeginObject(""); w.EndObject(); w.Bool("a", true) }, errNesting},
		{"second object", func(w *Writer) { w.BeginObject(""); w.EndObject(); w.BeginObject(""); w.EndObject() }, errNesting},
		{"an end too many", func(w *Writer) { w.BeginObject(""); w.EndObject(); w.EndObject() }, errNesting},
		{"wrong ends", func(w *Writer) {
			w.BeginObject("")
			w.BeginArray("a")
			w.BeginObject("")
			w.EndArray()
			w.EndObject()
			w.EndObject()
		}, errNesting},
		{"32 deep", deep(maxDepth), nil},
		{"33 deep", deep(maxDepth + 1), errNesting},
		{"100 deep", deep(100), errNesting},
		{"long name", func(w *Writer) { w.BeginObject(""); w.Int32(strings.Repeat("n", maxName), 1); w.EndObject() }, nil},
		{"too long a name", func(w *Writer) { w.BeginObject(""); w.Int32(strings.Repeat("n", maxName+1), 1); w.EndObject() }, ErrTooLong},
		{"the longest", func(w *Writer) { w.BeginObject(""); w.String("s", strings.Repeat("x", maxData-9)); w.EndObject() }, nil},
		{"too long", func(w *Writer) { w.BeginObject(""); w.String("s", strings.Repeat("x", maxData-8)); w.EndObject() }, ErrTooLong},
		{"much too long", func(w *Writer) { w.BeginObject(""); w.String("s", strings.Repeat("x", 20<<20)); w.EndObject() }, ErrTooLong},
		{"too long in the middle", func(w *Writer) {
			w.BeginObject("")
			w.BeginArray("a")
			for range 1000 {
				w.String("", strings.Repeat("x", maxData/50))
				w.BeginObject("o")
				w.BeginArray("b")
				w.EndArray()
				w.EndObject()
			}
			w.EndArray()
			w.EndObject()
		}, ErrTooLong},
	} {
		var w Writer
		w.Int32("left from before", 1)
		w.Reset()
		tt.write(&w)
		b, err := w.content()
		if err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if err == nil {
			if _, err := ParseArgs(b); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if cap(w.b) > 4*maxMessage && tt.name != "much too long" {
			t.Errorf("%s: grew to %d octets", tt.name, cap(w.b))
		}
	}
}

// deep writes a number in objects and arrays, depth deep in all.
func deep(depth int) func(w *Writer) {
	return func(w *Writer) {
		w.BeginObject("")
		for i := range depth - 1 {
			if i%2 == 0 {
				w.BeginArray("a")
			} else {
				w.BeginObject("o")
			}
		}
		w.Int32("n", 1)
		for i := range depth - 1 {
			if (depth-2-i)%2 == 0 {
				w.EndArray()
			} else {
				w.EndObject()
			}
		}
		w.EndObject()
	}
}

// TestWriterReuse checks that a buffer is used again, unless it has become large.
func TestWriterReuse(t *testing.T) {
	var w Writer
	write := func(size int) {
		w.Reset()
		w.BeginObject("")
		w.BeginArray("a")
		w.String("", strings.Repeat("x", size))
		w.EndArray()
		w.EndObject()
	}
	write(100)
	text := strings.Repeat("x", 100)
	if n := testing.AllocsPerRun(100, func() {
		w.Reset()
		w.BeginObject("")
		w.String("s", text)
		w.Int64("n", 1)
		w.Bool("b", true)
		w.EndObject()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	write(keepSpace)
	if w.Reset(); cap(w.b) != 0 {
		t.Errorf("%d octets are kept", cap(w.b))
	}
}

func TestWriterZeroOctet(t *testing.T) {
	var w Writer
	w.BeginObject("")
	w.String("a", "x\x00y")
	w.EndObject()
	b, _ := w.content()
	a, err := ParseArgs(b)
	if s, ok := a.String("a"); err != nil || s != "x" || !ok {
		t.Errorf("%q, %v, %v", s, ok, err)
	}
}

func TestStatus(t *testing.T) {
	for s, want := range map[Status]string{StatusOK: "ok", StatusPermissionDenied: "permission denied",
		StatusSystemError: "system error", numStatus: "unknown error", 1 << 31: "unknown error"} {
		if s.String() != want {
			t.Errorf("status %d is %q, want %q", s, s.String(), want)
		}
	}
	for s := range numStatus {
		if s.String() == "" {
			t.Errorf("status %d has no text", s)
		}
	}
}
