package json

import (
	"strconv"
	"strings"
)

// Value is a JSON value. The methods that take a name read the member of that name, as the arguments of a call are read;
// where there is none, or there is no value at all (nil), they find nothing.
type Value struct {
	Name  string  // as a member of an object
	Raw   string  // its text
	Items []Value // the members of an object, the elements of an array
	text  string  // what a string says
}

// Get is the member of that name; nil if there is none.
func (v *Value) Get(name string) *Value {
	if v.kind() == "object" {
		for i := len(v.Items) - 1; i >= 0; i-- {
			if v.Items[i].Name == name {
				return &v.Items[i]
			}
		}
	}
	return nil
}

// Has reports whether there is a member of that name.
func (v *Value) Has(name string) bool { return v.Get(name) != nil }

// Kind is the kind of the member of that name: "string", "array", "object", "number", "boolean" or "null"; "" without one.
func (v *Value) Kind(name string) string { return v.Get(name).kind() }

// String is the string of that name.
func (v *Value) String(name string) (string, bool) { return v.Get(name).Text() }

// Strings is the array of that name, if there is nothing but strings in it. A string alone counts as an array of one.
func (v *Value) Strings(name string) (list []string, ok bool) {
	found := v.Get(name)
	if s, ok := found.Text(); ok {
		return []string{s}, true
	}
	if found.kind() != "array" {
		return nil, false
	}
	for i := range found.Items {
		s, ok := found.Items[i].Text()
		if !ok {
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}

// Int is the number of that name, if it is written as an integer and int64 can hold it.
func (v *Value) Int(name string) (int64, bool) {
	found := v.Get(name)
	if found == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(found.Raw, 10, 64)
	return n, err == nil
}

// Bool is the boolean of that name.
func (v *Value) Bool(name string) (value, ok bool) {
	value = v.is(name, "true")
	return value, value || v.is(name, "false")
}

func (v *Value) is(name, raw string) bool {
	found := v.Get(name)
	return found != nil && found.Raw == raw
}

// Text is what a string says.
func (v *Value) Text() (string, bool) {
	if v.kind() != "string" {
		return "", false
	}
	return v.text, true
}

func (v *Value) kind() string {
	if v == nil {
		return ""
	}
	switch v.Raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// Indent is the value for people: a line for each member and element. newline is what begins these lines.
func (v *Value) Indent(newline string) string {
	var b strings.Builder
	v.indent(&b, newline)
	return b.String()
}

func (v *Value) indent(b *strings.Builder, newline string) {
	kind := v.Raw[0]
	if kind != '{' && kind != '[' {
		b.WriteString(v.Raw)
		return
	}
	before := v.Raw[:1]
	for i := range v.Items {
		b.WriteString(before + newline + "  ")
		if kind == '{' {
			b.WriteString(Quote(v.Items[i].Name) + ": ")
		}
		v.Items[i].indent(b, newline+"  ")
		before = ","
	}
	if before == "," {
		before = newline
	}
	b.WriteString(before + v.Raw[len(v.Raw)-1:])
}
