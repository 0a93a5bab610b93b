package ubus

import (
	"encoding/binary"
	"iter"
)

// Args is the content of a message, whole or a part: the elements of a table or array. Its form has been checked. It
// aliases the message, which is the reader's for as long as it wants.
type Args []byte

// ParseArgs checks all elements, in whatever depth.
func ParseArgs(b []byte) (Args, error) {
	if err := checkElements(b, 1); err != nil {
		return nil, err
	}
	return Args(b), nil
}

func checkElements(b []byte, depth int) error {
	for len(b) > 0 {
		if depth > maxDepth {
			return errDepth
		}
		_, v, rest, ok := element(b)
		if !ok {
			return errElement
		}
		if err := checkElements(v.elements(), depth+1); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// element takes the first element off b.
func element(b []byte) (name []byte, v value, rest []byte, ok bool) {
	head, payload, rest, ok := cut(b)
	if !ok || head&extended == 0 || len(payload) < 4 {
		return nil, value{}, nil, false
	}
	n := 2 + int(binary.BigEndian.Uint16(payload)) // where the name ends
	if pad(n+1) > len(payload) || payload[n] != 0 {
		return nil, value{}, nil, false
	}
	if v = (value{head &^ extended >> 24, payload[pad(n+1):]}); !v.sound() {
		return nil, value{}, nil, false
	}
	return payload[2:n:n], v, rest, true
}

// All iterates the elements in their order: their names, which those of an array do not have, and if they are tables or
// arrays what is in them.
func (a Args) All() iter.Seq2[string, Args] {
	return func(yield func(string, Args) bool) {
		for rest := []byte(a); len(rest) > 0; {
			name, v, next, ok := element(rest)
			if !ok || !yield(string(name), v.elements()) {
				return
			}
			rest = next
		}
	}
}

// get returns the first element of that name.
func (a Args) get(name string) (found value) {
	for rest := []byte(a); len(rest) > 0; {
		n, v, next, ok := element(rest)
		if !ok || string(n) == name {
			return v
		}
		rest = next
	}
	return found
}

// Has reports whether there is an element of that name.
func (a Args) Has(name string) bool { return a.get(name).data != nil }

// Kind returns what the element is in terms of JSON: string, array, object, number, boolean, null; or "": there is none.
func (a Args) Kind(name string) string {
	v := a.get(name)
	if v.data == nil {
		return ""
	}
	return kinds[v.kind]
}

// Elements returns what is in a table or array; nil if it is neither.
func (a Args) Elements(name string) Args { return a.get(name).elements() }

// String returns an element that is a string.
func (a Args) String(name string) (s string, ok bool) { return a.get(name).text() }

// Strings returns an element that is an array of strings.
func (a Args) Strings(name string) (list []string, ok bool) {
	v := a.get(name)
	if v.kind != typeArray {
		return nil, false
	}
	list = []string{}
	for rest := v.data; len(rest) > 0; {
		_, e, next, _ := element(rest)
		s, ok := e.text()
		if !ok {
			return nil, false
		}
		list, rest = append(list, s), next
	}
	return list, true
}

// Int returns an element that is a whole number.
func (a Args) Int(name string) (n int64, ok bool) {
	v := a.get(name)
	if v.kind != typeInt64 && v.kind != typeInt32 && v.kind != typeInt16 {
		return 0, false
	}
	n = int64(int8(v.data[0])) // the sign
	for _, b := range v.data[1:] {
		n = n<<8 | int64(b)
	}
	return n, true
}

// Bool returns an element that is a truth value.
func (a Args) Bool(name string) (v, ok bool) {
	e := a.get(name)
	if e.kind != typeInt8 {
		return false, false
	}
	return e.data[0] != 0, true
}

// value is that of one element, or nothing.
type value struct {
	kind uint32
	data []byte // nil: there is no element
}

// What is known of the types: what they are in JSON, and the size of their values. Those of size -1 vary.
var (
	kinds = [...]string{typeNull: "null", typeArray: "array", typeTable: "object", typeString: "string",
		typeInt64: "number", typeInt32: "number", typeInt16: "number", typeInt8: "boolean", typeDouble: "number"}
	sizes = [...]int8{typeArray: -1, typeTable: -1, typeString: -1, typeInt64: 8, typeInt32: 4, typeInt16: 2, typeInt8: 1, typeDouble: 8}
)

// sound reports whether the value is one of its type. Into arrays and tables it does not look.
func (v value) sound() bool {
	if v.kind >= uint32(len(sizes)) {
		return false
	}
	size := int(sizes[v.kind])
	return size == len(v.data) || size < 0 && (v.kind != typeString || isText(v.data))
}

func (v value) text() (s string, ok bool) {
	if v.kind != typeString {
		return "", false
	}
	return string(v.data[:len(v.data)-1]), true
}

func (v value) elements() Args {
	if v.kind != typeArray && v.kind != typeTable {
		return nil
	}
	return Args(v.data)
}
