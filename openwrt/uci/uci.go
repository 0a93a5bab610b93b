package uci

import "strconv"

// MaxSize is the largest file that is read, in bytes.
const MaxSize = 1 << 20

// maxProblems keeps a file of garbage from filling the log.
const maxProblems = 100

// A Pos is a place in a file. Line counts from 1; 0 means the file as a whole.
type Pos struct {
	File string
	Line int
}

// String returns "file:line".
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// A Problem is something wrong in a file: what it is, and what would be right.
type Problem struct {
	Pos     Pos
	Text    string
	Pending bool // it is in the changes not yet committed
}

// Error returns "file:line: text".
func (p Problem) Error() string { return p.Pos.String() + ": " + p.Text }

// A Package is one configuration file, its sections in file order.
type Package struct {
	Name     string
	Sections []*Section
}

// A Section is one config statement and the options under it.
//
// An anonymous section's Name is its internal id as libuci computes it, such as cfg03fe63. The id depends on the
// section's type and place in the file.
type Section struct {
	Type, Name string
	Anonymous  bool
	Bad        bool // a line of it is wrong: do not use it. Type may be empty, Name is valid always
	Pos        Pos
	Options    []*Option          // no two of one name
	byName     map[string]*Option // of Options, for the editor
}

// An Option is a named value, or a named list of values.
type Option struct {
	Name   string
	Pos    Pos // where it was set last, or, of a list, where it began
	List   bool
	Values []string // never empty; an element of a list may be the empty string
	at     []Pos
}

// Get returns the option of the given name, or nil.
func (s *Section) Get(name string) *Option {
	for _, o := range s.Options {
		if o.Name == name {
			return o
		}
	}
	return nil
}

// ValuePos returns where Values[i] was written.
func (o *Option) ValuePos(i int) Pos {
	if i < 0 || i >= len(o.at) {
		return o.Pos
	}
	return o.at[i]
}

// quote makes text from a file fit for a message: short, and with no control bytes.
func quote(s string) string {
	const limit = 40
	if len(s) > limit {
		return strconv.Quote(s[:limit]) + "..."
	}
	return strconv.Quote(s)
}

// invalid is the problem with text that breaks a rule.
func invalid(what, text, rule string) string { return what + " " + quote(text) + ": " + rule }

// libuci's character rules, for shell scripts' sake.
const (
	nameRule    = "letters, digits and _ are allowed"
	typeRule    = "printable ASCII without blanks is allowed"
	packageRule = "letters, digits, _ and - are allowed"
)

func validName(s string) bool {
	return every(s, isNameByte)
}

func validPackage(s string) bool {
	return every(s, func(c byte) bool { return c == '-' || isNameByte(c) })
}

func validType(s string) bool {
	return every(s, func(c byte) bool { return c > ' ' && c < 0x7f })
}

// validText is libuci's rule for the values of pending changes.
func validText(s string) bool {
	return s == "" || every(s, func(c byte) bool { return c >= ' ' || c == '\t' || c == '\n' || c == '\r' })
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// every reports whether s is not empty and ok holds for each byte.
func every(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return s != ""
}
