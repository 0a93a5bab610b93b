package uci

import (
	"slices"
	"strconv"
	"strings"

	"lan6d/dhcpv6/tinyfmt"
)

// An editor changes a package as the text of a file says. It finds sections and options by name without searching, so
// that a file of many small ones does not cost quadratic time.
type editor struct {
	file     string
	pending  bool
	scan     *scanner
	problems []Problem
	pkg      *Package
	sections map[string]*Section
	work     int // steps spent in what must search or move sections
}

func newEditor(pkg *Package, file string, text []byte, pending bool) *editor {
	e := &editor{file: file, pending: pending, pkg: pkg, sections: make(map[string]*Section)}
	for _, s := range pkg.Sections {
		e.index(s)
		s.byName = make(map[string]*Option)
		for _, o := range s.Options {
			s.byName[o.Name] = o
		}
	}
	if len(text) > MaxSize {
		e.problem(0, "file too large: at most "+strconv.Itoa(MaxSize)+" bytes are read")
		text = nil
	}
	e.scan = newScanner(text)
	return e
}

func (e *editor) pos(line int) Pos { return Pos{e.file, line} }

// problem adds to what is wrong, up to maxProblems.
func (e *editor) problem(line int, text string) {
	if len(e.problems) == maxProblems {
		text = "further problems are not listed"
	}
	if len(e.problems) <= maxProblems {
		e.problems = append(e.problems, Problem{e.pos(line), text, e.pending})
	}
}

// resync resumes reading after the line in which a bad statement's quoted text begins, if it runs over a line end.
func (e *editor) resync(st *statement) {
	if st.spill != (mark{}) && !e.scan.resume(st.spill) {
		e.problem(st.at(), "too many such quotes: what this one runs over is not read")
	}
}

// index makes s known by its name. Should a named section have taken an anonymous one's id, the first wins.
func (e *editor) index(s *Section) {
	if e.sections[s.Name] == nil {
		e.sections[s.Name] = s
	}
}

// addSection appends a section, anonymous if it has no name.
func (e *editor) addSection(typ, name string, pos Pos) *Section {
	s := &Section{Type: typ, Name: name, Anonymous: name == "", Pos: pos, byName: make(map[string]*Option)}
	e.pkg.Sections = append(e.pkg.Sections, s)
	if s.Anonymous {
		s.Name = anonymousName(len(e.pkg.Sections), typ)
	}
	e.index(s)
	return s
}

// anonymousName returns libuci's id for the nth section, n from 1. The hash is D. J. Bernstein's, of the type.
func anonymousName(n int, typ string) string {
	hash := uint32(5381)
	for i := range len(typ) {
		hash = hash*33 + uint32(typ[i])
	}
	return tinyfmt.Sprintf("cfg%02x%04x", n, uint16(hash))
}

// section returns the section of a name, an anonymous section's id, or @type[n]; wrong tells why there is none.
func (e *editor) section(ref string) (s *Section, wrong string) {
	if strings.HasPrefix(ref, "@") {
		return e.nth(ref)
	}
	if s = e.sections[ref]; s == nil {
		wrong = "no section " + quote(ref)
	}
	return s, wrong
}

// nth returns the section @type[n]: n from 0, or from -1 backwards from the end. Named ones count, too.
func (e *editor) nth(ref string) (s *Section, wrong string) {
	typ, index, _ := strings.Cut(ref[1:], "[")
	index, closed := strings.CutSuffix(index, "]")
	n, err := strconv.Atoi(index)
	if err != nil || !closed {
		return nil, "section " + quote(ref) + ": @type[n] is allowed"
	}
	if !e.spend(len(e.pkg.Sections)) {
		return nil, tooMuchWork
	}
	count := 0
	for _, s := range e.pkg.Sections {
		if s.Type == typ {
			count++
		}
	}
	if n < 0 {
		n += count
	}
	for _, s := range e.pkg.Sections {
		if s.Type == typ {
			if n == 0 {
				return s, ""
			}
			n--
		}
	}
	return nil, "no section " + quote(ref) + ": there are " + strconv.Itoa(count) + " of that type"
}

const tooMuchWork = "too many deletions and moves at once: commit the changes"

// spend refuses once more than some ten million steps were asked for.
func (e *editor) spend(steps int) bool {
	const limit = 1 << 26
	if steps > limit-e.work {
		return false
	}
	e.work += steps
	return true
}

// move makes a section the one at index to, and reports whether it did.
func (e *editor) move(s *Section, to int) bool {
	all := e.pkg.Sections
	if !e.spend(len(all)) {
		return false
	}
	from := slices.Index(all, s)
	copy(all[from:], all[from+1:])
	copy(all[to+1:], all[to:])
	all[to] = s
	return true
}

// forget makes a section unknown by its name.
func (e *editor) forget(s *Section) {
	if e.sections[s.Name] == s {
		delete(e.sections, s.Name)
	}
}

// compact removes the options that were unset.
func (e *editor) compact() {
	for _, s := range e.pkg.Sections {
		kept := s.Options[:0]
		for _, o := range s.Options {
			if len(o.Values) > 0 {
				kept = append(kept, o)
			}
		}
		s.Options = kept
	}
}

// put makes an option one plain value, whatever it was, or appends to a list, of which a plain value becomes the first
// element.
func (s *Section) put(name, value string, list bool, pos Pos) {
	o := s.byName[name]
	if o == nil {
		o = &Option{Name: name, Pos: pos}
		s.Options = append(s.Options, o)
		s.byName[name] = o
	}
	if o.List = list; !list {
		o.Pos, o.Values, o.at = pos, nil, nil
	}
	o.Values, o.at = append(o.Values, value), append(o.at, pos)
}

// drop removes the values of o that match. An option that has none left is unset.
func (s *Section) drop(o *Option, match func(i int) bool) {
	n := 0
	for i, v := range o.Values {
		if !match(i) {
			o.Values[n] = v
			if i < len(o.at) {
				o.at[n] = o.at[i]
			}
			n++
		}
	}
	if o.Values, o.at = o.Values[:n], o.at[:min(n, len(o.at))]; n == 0 {
		s.unset(o)
	}
}

// unset takes an option out. It stays in its section, without values, until compact.
func (s *Section) unset(o *Option) {
	delete(s.byName, o.Name)
	o.Values, o.at = nil, nil
}
