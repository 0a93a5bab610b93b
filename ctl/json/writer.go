package json

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Writer writes one JSON value, which is an object: it begins with BeginObject("") and ends with EndObject. Within arrays
// names do not count.
type Writer struct {
	buf  []byte
	ends []byte // what the arrays and objects that are open end with
}

// NewWriter returns a Writer that appends to b.
func NewWriter(b []byte) *Writer { return &Writer{buf: b} }

// Bytes is what was written.
func (w *Writer) Bytes() []byte { return w.buf }

// BeginObject begins an object.
func (w *Writer) BeginObject(name string) { w.open(name, '{', '}') }

// EndObject ends the object that was begun last.
func (w *Writer) EndObject() { w.close() }

// BeginArray begins an array.
func (w *Writer) BeginArray(name string) { w.open(name, '[', ']') }

// EndArray ends the array that was begun last.
func (w *Writer) EndArray() { w.close() }

// String writes a string. Octets that are not UTF-8 become U+FFFD.
func (w *Writer) String(name, value string) {
	w.begin(name)
	w.buf = appendString(w.buf, value)
}

// Int32 writes a number.
func (w *Writer) Int32(name string, value int32) { w.Int64(name, int64(value)) }

// Int64 writes a number.
func (w *Writer) Int64(name string, value int64) {
	w.begin(name)
	w.buf = strconv.AppendInt(w.buf, value, 10)
}

// Bool writes true or false.
func (w *Writer) Bool(name string, value bool) {
	w.begin(name)
	text := "false"
	if value {
		text = "true"
	}
	w.buf = append(w.buf, text...)
}

// begin writes what stands before a value.
func (w *Writer) begin(name string) {
	if len(w.ends) == 0 {
		return
	}
	if last := w.buf[len(w.buf)-1]; last != '{' && last != '[' {
		w.buf = append(w.buf, ',')
	}
	if w.ends[len(w.ends)-1] == '}' {
		w.buf = append(appendString(w.buf, name), ':')
	}
}

func (w *Writer) open(name string, begin, end byte) {
	w.begin(name)
	w.buf = append(w.buf, begin)
	w.ends = append(w.ends, end)
}

func (w *Writer) close() {
	last := len(w.ends) - 1
	w.buf = append(w.buf, w.ends[last])
	w.ends = w.ends[:last]
}

// Quote is a text as a JSON string.
func Quote(s string) string { return string(appendString(nil, s)) }

func appendString(b []byte, s string) []byte {
	return append(appendEscaped(append(b, '"'), s, `"\`), '"')
}

// Printable is a text without what a terminal would not print as it is, control characters above all: those are escaped
// as in JSON strings. So whoever chose a name, it can be shown.
func Printable(s string) string { return string(appendEscaped(nil, s, "")) }

// appendEscaped appends a text with escapes for what is not printable, and a backslash before octets of special.
func appendEscaped(b []byte, s, special string) []byte {
	plain := 0 // octets that are as they are: most texts have no others, and replies may be long
	for plain < len(s) && s[plain] >= ' ' && s[plain] < 0x7f && s[plain] != '"' && s[plain] != '\\' {
		plain++
	}
	b = append(b, s[:plain]...)
	for _, r := range s[plain:] {
		switch {
		case !strconv.IsPrint(r) && r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = appendUnit(appendUnit(b, high), low)
		case !strconv.IsPrint(r):
			b = appendUnit(b, r)
		default:
			if strings.IndexRune(special, r) >= 0 {
				b = append(b, '\\')
			}
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

func appendUnit(b []byte, unit rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[unit>>12&15], digits[unit>>8&15], digits[unit>>4&15], digits[unit&15])
}
