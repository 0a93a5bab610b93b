package json

import (
	stdjson "encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var texts = []struct {
	text string
	err  string // empty: it is JSON
}{
	{`{}`, ""},
	{" \t\r\n[ ]\n", ""},
	{`{"a":1,"b":[true,false,null],"c":{"d":"e"}}`, ""},
	{`"\"\\\/\b\f\n\r\té😀"`, ""},
	{`-0`, ""},
	{`-12.50e+07`, ""},
	{`123456789012345678901234567890`, ""},
	{`1E400`, ""},
	{`"\ud800"`, ""},
	{`{"a":1,"a":2}`, ""},
	{``, "octet 0: want a value"},
	{`{`, "octet 1: want a name in quotes"},
	{`{"a"}`, "octet 4: want ':'"},
	{`{"a":1 "b":2}`, "octet 7: want ',' or '}'"},
	{`{"a":1,}`, "octet 7: want a name in quotes"},
	{`[1,]`, "octet 3: want a value"},
	{`[1 2]`, "octet 3: want ',' or ']'"},
	{`[1}`, "octet 2: want ',' or ']'"},
	{`[] []`, "octet 3: want the end"},
	{`{a:1}`, "octet 1: want a name in quotes"},
	{`{1:2}`, "octet 1: want a name in quotes"},
	{`'a'`, "octet 0: want a value"},
	{`"a`, "octet 2: want '\"' at the end of a string"},
	{"\"a\nb\"", "octet 2: want no control character in a string"},
	{"\"\x00\"", "octet 1: want no control character in a string"},
	{`"\x41"`, "octet 2: want one of"},
	{`"\u12g4"`, "octet 2: want one of"},
	{`"\u123`, "octet 2: want one of"},
	{`"\`, "octet 2: want one of"},
	{`"\"`, "octet 3: want '\"' at the end"},
	{`tru`, "octet 0: want true"},
	{`nul`, "octet 0: want null"},
	{`True`, "octet 0: want a value"},
	{`NaN`, "octet 0: want a value"},
	{`01`, "octet 1: want the end"},
	{`+1`, "octet 0: want a value"},
	{`-`, "octet 1: want a value"},
	{`.5`, "octet 0: want a value"},
	{`1.`, "octet 2: want a digit"},
	{`1.e5`, "octet 2: want a digit"},
	{`1e`, "octet 2: want a digit"},
	{`0x10`, "octet 1: want the end"},
	{"\ufeff{}", "octet 0: want a value"},
	{"{}\x00", "octet 2: want the end"},
	{"\"a\xffb\"", "octet 2: want UTF-8"},
	{"\"\ufffd\xc3\"", "octet 4: want UTF-8"},
	{"\"\ufffd\xef\xbf\"", "octet 4: want UTF-8"},
	{"\"\xed\xa0\x80\"", "octet 1: want UTF-8"},
	{"[" + strings.Repeat("1,", 2000) + "1]", "octet 1999: want fewer values"},
	{strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), ""},
	{strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), "octet 32: want at most 32 arrays and objects in each other"},
	{strings.Repeat(`{"a":[`, 500_000), "octet 96: want at most 32"},
}

func TestParse(t *testing.T) {
	for _, tt := range texts {
		v, err := Parse(tt.text, 1000)
		switch {
		case tt.err == "" && err != nil:
			t.Errorf("%.60q: %v", tt.text, err)
		case tt.err == "" && v.Raw != strings.TrimSpace(tt.text):
			t.Errorf("%.60q is %.60q", tt.text, v.Raw)
		case tt.err != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.err)):
			t.Errorf("%.60q: %v, want %s", tt.text, err, tt.err)
		}
	}
}

func parse(t testing.TB, text string) *Value {
	t.Helper()
	v, err := Parse(text, 1000)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// TestMembers reads members as arguments are read.
func TestMembers(t *testing.T) {
	v := parse(t, `{"s":"x\u00e9","e":"","l":["a","b"],"m":["a",1],"i":-7,"big":9223372036854775807,"bigger":9223372036854775808,
		"f":1.0,"x":1e3,"t":true,"n":null,"o":{"s":"inner"},"d":1,"d":2,"a\u006eg":3, "" : 4}`)
	type member struct {
		name, kind string
		has        bool
		str        string
		strOK      bool
		list       []string
		listOK     bool
		n          int64
		nOK        bool
		b, bOK     bool
	}
	for _, want := range []member{
		{name: "s", kind: "string", has: true, str: "xé", strOK: true, list: []string{"xé"}, listOK: true},
		{name: "e", kind: "string", has: true, strOK: true, list: []string{""}, listOK: true},
		{name: "l", kind: "array", has: true, list: []string{"a", "b"}, listOK: true},
		{name: "m", kind: "array", has: true},
		{name: "i", kind: "number", has: true, n: -7, nOK: true},
		{name: "big", kind: "number", has: true, n: 9223372036854775807, nOK: true},
		{name: "bigger", kind: "number", has: true},
		{name: "f", kind: "number", has: true},
		{name: "x", kind: "number", has: true},
		{name: "t", kind: "boolean", has: true, b: true, bOK: true},
		{name: "n", kind: "null", has: true},
		{name: "o", kind: "object", has: true},
		{name: "d", kind: "number", has: true, n: 2, nOK: true},
		{name: "ang", kind: "number", has: true, n: 3, nOK: true},
		{name: "", kind: "number", has: true, n: 4, nOK: true},
		{name: "missing"},
	} {
		got := member{name: want.name, kind: v.Kind(want.name), has: v.Has(want.name)}
		got.str, got.strOK = v.String(want.name)
		got.list, got.listOK = v.Strings(want.name)
		got.n, got.nOK = v.Int(want.name)
		got.b, got.bOK = v.Bool(want.name)
		if !got.nOK {
			got.n = 0
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %v, want %v", want.name, got, want)
		}
	}
	if s, _ := v.Get("o").String("s"); s != "inner" {
		t.Errorf("of the object within: %q", s)
	}
	for _, other := range []string{`["s"]`, `"s"`, "7", "null"} {
		if parse(t, other).Has("s") {
			t.Errorf("%q has a member", other)
		}
	}
	var none *Value
	if text, ok := none.Text(); none.Has("s") || none.Kind("s") != "" || text != "" || ok {
		t.Error("no value has something in it")
	}
}

func TestIndent(t *testing.T) {
	const want = `{
  "a\"\u001b": [
    1,
    {
      "b": "\u00e9"
    }
  ],
  "c": {},
  "d": []
}`
	v := parse(t, `{"a\"\u001b":[1,{"b":"\u00e9"}],"c":{},"d":[ ]}`)
	if got := v.Indent("\n"); got != want {
		t.Errorf("got %s", got)
	}
}

// FuzzParse compares with encoding/json: what is JSON, and what is in it.
func FuzzParse(f *testing.F) {
	for _, tt := range texts {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse(text, 1000)
		if err != nil && (strings.Contains(err.Error(), "in each other") || strings.Contains(err.Error(), "fewer values")) {
			return
		}
		if want := stdjson.Valid([]byte(text)) && utf8.ValidString(text); (err == nil) != want {
			t.Fatalf("%q: %v; for encoding/json it is valid: %v", text, err, want)
		}
		if err != nil {
			return
		}
		decoder := stdjson.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		compare(t, v, want)
	})
}

// compare checks that a value is what encoding/json made of it.
func compare(t *testing.T, v *Value, want any) {
	t.Helper()
	object := Value{Raw: "{", Items: []Value{{Name: "x", Raw: v.Raw, text: v.text, Items: v.Items}}}
	switch want := want.(type) {
	case nil:
		if object.Kind("x") != "null" {
			t.Fatalf("%s, want null", v.Raw)
		}
	case bool:
		if got, ok := object.Bool("x"); !ok || got != want {
			t.Fatalf("%s reads as %v, want %v", v.Raw, got, want)
		}
	case string:
		if got, ok := object.String("x"); !ok || got != want {
			t.Fatalf("%s reads as %q, want %q", v.Raw, got, want)
		}
	case stdjson.Number:
		n, ok := object.Int("x")
		if i, err := want.Int64(); v.Raw != string(want) || ok != (err == nil) || ok && n != i {
			t.Fatalf("%s reads as %d, %v, want %d, %v", v.Raw, n, ok, i, err)
		}
	case []any:
		if len(v.Items) != len(want) {
			t.Fatalf("%s: %d elements, want %d", v.Raw, len(v.Items), len(want))
		}
		for i := range v.Items {
			compare(t, &v.Items[i], want[i])
		}
	case map[string]any:
		names := make(map[string]bool)
		for i := range v.Items {
			name := v.Items[i].Name
			names[name] = true
			compare(t, v.Get(name), want[name])
		}
		if len(names) != len(want) {
			t.Fatalf("%s: members %q, want %q", v.Raw, slices.Collect(maps.Keys(names)), slices.Collect(maps.Keys(want)))
		}
	}
}
