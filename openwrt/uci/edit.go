package uci

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An editor changes a package. It finds sections and options by name without searching, so that a file of many
// small ones does not cost quadratic time.
type editor struct {
	problems problems
	pkg      *Package
	sections map[string]*Section
	options  map[optionKey]*Option
	work     int // steps spent in what must search or move sections
}

type optionKey struct {
	section *Section
	name    string
}

func newEditor(pkg *Package) *editor {
	e := &editor{pkg: pkg, sections: make(map[string]*Section), options: make(map[optionKey]*Option)}
	for _, s := range pkg.Sections {
		e.index(s)
		for _, o := range s.Options {
			e.options[optionKey{s, o.Name}] = o
		}
	}
	return e
}

// tooLarge reports, in both senses, text that is too large to be read.
func (e *editor) tooLarge(file string, text []byte) bool {
	if len(text) <= MaxSize {
		return false
	}
	e.problems.addf(Pos{File: file}, "file too large: at most %d bytes are read", MaxSize)
	return true
}

// resync resumes reading after the line in which a bad statement's quoted text begins, if it runs over a line end.
func (e *editor) resync(scan *scanner, st *statement, file string) {
	if st.spill != (mark{}) && !scan.resume(st.spill) {
		e.problems.addf(Pos{file, st.at()}, "too many such quotes: what this one runs over is not read")
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
	s := &Section{Type: typ, Name: name, Anonymous: name == "", Pos: pos}
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
	return fmt.Sprintf("cfg%02x%04x", n, uint16(hash))
}

// section returns the section of a name, an anonymous section's id, or @type[n].
func (e *editor) section(ref string) (*Section, error) {
	if strings.HasPrefix(ref, "@") {
		return e.nth(ref)
	}
	if s := e.sections[ref]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("no section %s", quote(ref))
}

// nth returns the section @type[n]: n from 0, or from -1 backwards from the end. Named ones count, too.
func (e *editor) nth(ref string) (*Section, error) {
	typ, index, _ := strings.Cut(strings.TrimPrefix(ref, "@"), "[")
	n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
	if err != nil || !strings.HasSuffix(index, "]") {
		return nil, fmt.Errorf("section %s: @type[n] is allowed", quote(ref))
	}
	if err := e.spend(len(e.pkg.Sections)); err != nil {
		return nil, err
	}
	var all []*Section
	for _, s := range e.pkg.Sections {
		if s.Type == typ {
			all = append(all, s)
		}
	}
	if n < 0 {
		n += len(all)
	}
	if n < 0 || n >= len(all) {
		return nil, fmt.Errorf("no section %s: there are %d of that type", quote(ref), len(all))
	}
	return all[n], nil
}

var errWork = errors.New("too many deletions and moves at once: commit the changes")

// spend refuses once more than some ten million steps were asked for.
func (e *editor) spend(steps int) error {
	const limit = 1 << 26
	if steps > limit-e.work {
		return errWork
	}
	e.work += steps
	return nil
}

func (e *editor) option(s *Section, name string) *Option {
	return e.options[optionKey{s, name}]
}

func (e *editor) addOption(s *Section, name string, pos Pos) *Option {
	o := &Option{Name: name, Pos: pos}
	s.Options = append(s.Options, o)
	e.options[optionKey{s, name}] = o
	return o
}

// setValue makes an option one plain value, whatever it was.
func (e *editor) setValue(s *Section, name, value string, pos Pos) {
	o := e.option(s, name)
	if o == nil {
		o = e.addOption(s, name, pos)
	}
	o.Pos, o.List = pos, false
	o.Values, o.at = append(o.Values[:0], value), append(o.at[:0], pos)
}

// addValue appends to a list. A plain value becomes its first element.
func (e *editor) addValue(s *Section, name, value string, pos Pos) {
	o := e.option(s, name)
	if o == nil {
		o = e.addOption(s, name, pos)
	}
	o.List = true
	o.Values, o.at = append(o.Values, value), append(o.at, pos)
}

// dropValues removes the values of o that match. An option that has none left is unset.
func (e *editor) dropValues(s *Section, o *Option, match func(i int) bool) {
	var values []string
	var at []Pos
	for i, v := range o.Values {
		if !match(i) {
			values, at = append(values, v), append(at, o.ValuePos(i))
		}
	}
	o.Values, o.at = values, at
	if len(values) == 0 {
		e.unset(s, o)
	}
}

// unset takes an option out. It stays in its section, without values, until compact.
func (e *editor) unset(s *Section, o *Option) {
	delete(e.options, optionKey{s, o.Name})
	o.Values, o.at = nil, nil
}

// compact removes the options that were unset.
func (e *editor) compact() {
	for _, s := range e.pkg.Sections {
		s.Options = slices.DeleteFunc(s.Options, func(o *Option) bool { return len(o.Values) == 0 })
	}
}

// take removes a section from the package's order and returns where it stood.
func (e *editor) take(s *Section) (int, error) {
	if err := e.spend(len(e.pkg.Sections)); err != nil {
		return 0, err
	}
	i := slices.Index(e.pkg.Sections, s)
	e.pkg.Sections = slices.Delete(e.pkg.Sections, i, i+1)
	return i, nil
}

// forget makes a section unknown by its name.
func (e *editor) forget(s *Section) {
	if e.sections[s.Name] == s {
		delete(e.sections, s.Name)
	}
}
