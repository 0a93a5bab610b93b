package json

import (
	stdjson "encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
)

func TestWriter(t *testing.T) {
	w := NewWriter([]byte("> "))
	w.BeginObject("")
	w.String("s", "a\"\\\n\x00\x7f\xffé\u009b\u202e\U000e0001")
	w.BeginArray("a")
	w.String("ignored", "x")
	w.Int32("", math.MinInt32)
	w.BeginObject("ignored")
	w.EndObject()
	w.BeginArray("")
	w.EndArray()
	w.Bool("", true)
	w.EndArray()
	w.BeginObject("o\n")
	w.Int64("n", math.MinInt64)
	w.Bool("", false)
	w.EndObject()
	w.EndObject()
	const want = `> {"s":"a\"\\\u000a\u0000\u007f` + "\ufffdé" + `\u009b\u202e\udb40\udc01","a":["x",-2147483648,{},[],true],` +
		`"o\u000a":{"n":-9223372036854775808,"":false}}`
	if got := string(w.Bytes()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// FuzzWriter writes what the octets of a program say, and has encoding/json read it back.
func FuzzWriter(f *testing.F) {
	f.Add([]byte("sa(so)[]{}ntf)"), "a\x00b", int64(-1))
	f.Add([]byte("[[[[sn"), "\u009b\U0010ffff\xed\xa0\x80", int64(1)<<62)
	f.Fuzz(func(t *testing.T, program []byte, text string, n int64) {
		w := NewWriter(nil)
		w.BeginObject("")
		want := run(w, &program, text, n, true, 0)
		w.EndObject()
		var got any
		decoder := stdjson.NewDecoder(strings.NewReader(string(w.Bytes())))
		decoder.UseNumber()
		if err := decoder.Decode(&got); err != nil {
			t.Fatalf("%s: %v", w.Bytes(), err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s reads as\n%v, want\n%v", w.Bytes(), got, want)
		}
		for _, r := range string(w.Bytes()) {
			if !strconv.IsPrint(r) {
				t.Fatalf("%q is not to be shown on a terminal", w.Bytes())
			}
		}
		if _, err := Parse(string(w.Bytes()), 1<<20); err != nil {
			t.Fatalf("%s: %v", w.Bytes(), err)
		}
	})
}

// run writes members until the program closes the object or array, and returns what was written.
func run(w *Writer, program *[]byte, text string, n int64, object bool, depth int) any {
	members, elements := make(map[string]any), []any{}
	for len(*program) > 0 {
		c := (*program)[0]
		*program = (*program)[1:]
		name := fmt.Sprint(text, len(*program)) // no two have the same
		var v any
		switch {
		case c == 's':
			w.String(name, text)
			v = string([]rune(text))
		case c == 'n':
			w.Int64(name, n)
			v = n
		case c == 'i':
			w.Int32(name, int32(n))
			v = int32(n)
		case c == 't' || c == 'f':
			w.Bool(name, c == 't')
			v = c == 't'
		case c == '{' && depth < MaxDepth-1:
			w.BeginObject(name)
			v = run(w, program, text, n, true, depth+1)
			w.EndObject()
		case c == '[' && depth < MaxDepth-1:
			w.BeginArray(name)
			v = run(w, program, text, n, false, depth+1)
			w.EndArray()
		case c == '}' && depth > 0:
			return result(object, members, elements)
		default:
			continue
		}
		members[string([]rune(name))] = v
		elements = append(elements, v)
	}
	return result(object, members, elements)
}

func result(object bool, members map[string]any, elements []any) any {
	if object {
		return members
	}
	return elements
}
