package ubus

import "strings"

// A blobmsg is what JSON is elsewhere: a sequence of elements, each an attribute with the extended flag, the type as id,
// and the payload
//
//	length of the name 2 octets
//	name, a zero octet, padding to a multiple of 4 octets
//	value
//
// where the value of an array or table is a sequence of elements again. In an array their names are empty.
const (
	typeNull uint32 = iota
	typeArray
	typeTable
	typeString
	typeInt64
	typeInt32
	typeInt16
	typeInt8 // a truth value
	typeDouble
)

const (
	// maxDepth bounds how deep tables and arrays may be in each other, the outermost included.
	maxDepth = 32

	// maxData is the longest content of a message. What is left of maxMessage is for the attributes around it, the
	// user's and group's names that ubusd adds, and a status behind it: ubusd queues no more than maxMessage for anybody.
	maxData = maxMessage - 4096
	maxName = 1024
)

// Writer writes the content of a message. The zero Writer is ready; Reset makes it so again. The outermost object is the
// content itself. What does not fit, or is not well formed, is left out and remembered, and whoever is handed the Writer
// says so; nothing needs to be checked before.
type Writer struct {
	buffer
	open   [maxDepth]int32 // where the arrays and tables begin that have no end yet
	arrays uint32          // bit n: open[n] is an array
	depth  int
	done   bool // the outermost object has ended
	err    error
}

// Reset begins anew.
func (w *Writer) Reset() {
	w.reset()
	w.arrays, w.depth, w.done, w.err = 0, 0, false, nil
}

// BeginObject begins a table. The outermost one has no name.
func (w *Writer) BeginObject(name string) {
	if w.depth == 0 && !w.done {
		w.depth = 1
		return
	}
	w.nest(typeTable, name)
}

// EndObject ends the table that began last.
func (w *Writer) EndObject() {
	if w.depth == 1 {
		w.depth, w.done = 0, true
		return
	}
	w.unnest(0)
}

// BeginArray begins an array.
func (w *Writer) BeginArray(name string) { w.nest(typeArray, name) }

// EndArray ends the array that began last.
func (w *Writer) EndArray() { w.unnest(1) }

// String writes a string. On the bus a string ends where its first zero octet is.
func (w *Writer) String(name, value string) {
	if n := strings.IndexByte(value, 0); n >= 0 {
		value = value[:n]
	}
	start := w.name(typeString, name)
	w.string(value)
	w.close(start)
}

// Int32 writes a number of 32 bits.
func (w *Writer) Int32(name string, value int32) {
	start := w.name(typeInt32, name)
	w.word(uint32(value))
	w.close(start)
}

// Int64 writes a number of 64 bits.
func (w *Writer) Int64(name string, value int64) {
	start := w.name(typeInt64, name)
	w.word(uint32(value >> 32))
	w.word(uint32(value))
	w.close(start)
}

// Bool writes a truth value.
func (w *Writer) Bool(name string, value bool) {
	start := w.name(typeInt8, name)
	if value {
		w.octet(1)
	} else {
		w.octet(0)
	}
	w.close(start)
}

// content returns what was written, which is the Writer's until Reset.
func (w *Writer) content() ([]byte, error) {
	if w == nil {
		return nil, nil
	}
	if w.depth > 0 {
		w.fail(errNesting)
	}
	return w.b, w.err
}

// fail remembers what is wrong. What is written from now on does not count.
func (w *Writer) fail(err Error) {
	if w.err == nil {
		w.err = err
	}
}

// name writes an element up to its value.
func (w *Writer) name(kind uint32, name string) (start int) {
	if len(w.b) > maxData {
		w.b = w.b[:maxData] // it has failed, and must not grow on
	}
	if w.depth == 0 {
		w.fail(errNesting)
	} else if w.arrays>>(w.depth-1)&1 != 0 {
		name = ""
	}
	if len(name) > maxName {
		w.fail(ErrTooLong)
		name = ""
	}
	start = w.begin(extended | kind<<24)
	w.octet(uint8(len(name) >> 8))
	w.octet(uint8(len(name)))
	w.string(name)
	w.pad()
	return start
}

// close completes the element that began at start.
func (w *Writer) close(start int) {
	w.end(start)
	if len(w.b) > maxData {
		w.fail(ErrTooLong)
	}
}

func (w *Writer) nest(kind uint32, name string) {
	start := w.name(kind, name)
	if w.depth == maxDepth {
		w.fail(errNesting)
	}
	if w.err != nil {
		return
	}
	w.open[w.depth] = int32(start)
	w.arrays &^= 1 << w.depth
	if kind == typeArray {
		w.arrays |= 1 << w.depth
	}
	w.depth++
}

// unnest ends what began last, if it is an array (1) or table (0) as it should be.
func (w *Writer) unnest(array uint32) {
	if w.err != nil {
		return
	}
	if w.depth < 2 || w.arrays>>(w.depth-1)&1 != array {
		w.fail(errNesting)
		return
	}
	w.depth--
	w.close(int(w.open[w.depth]))
}
