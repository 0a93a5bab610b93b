package uci

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Apply carries out pending changes, the text of a file in which `uci set` and its like record what is not yet
// committed:
//
//	pkg.sec.opt='v'   set an option; an empty value deletes it
//	pkg.sec='type'    set a section's type; a new section if there is none
//	+pkg.sec='type'   the same, and the section is anonymous
//	|pkg.sec.opt='v'  add to a list
//	~pkg.sec.opt='v'  remove from a list
//	-pkg.sec          delete a section; with .opt an option; with .opt='n' element n of a list
//	@pkg.sec='new'    rename a section; with .opt an option
//	^pkg.sec='n'      make a section the nth, counted from 0
//
// A section may also be given as @type[n]. To delete what is not there is no problem. A change that is wrong, or for
// a section that is not there, is reported and dropped; the section it names is not marked bad.
func (p *Package) Apply(file string, text []byte) []Problem {
	e := newEditor(p)
	if e.tooLarge(file, text) {
		return e.problems
	}
	scan := newScanner(text)
	for {
		st, ok := scan.next(false)
		if !ok {
			e.compact()
			return e.problems
		}
		if err := e.change(st, file); err != nil {
			e.problems.addf(Pos{file, st.at()}, "%s", err)
			if errors.As(err, new(syntaxError)) {
				e.resync(scan, st, file)
			}
		}
	}
}

// A syntaxError is a change that cannot be understood, as opposed to one that cannot be carried out.
type syntaxError string

func (e syntaxError) Error() string { return string(e) }

func (e *editor) change(st *statement, file string) error {
	if st.err != "" {
		return syntaxError(st.err)
	}
	c, err := parseChange(st)
	if err != nil || c.op == 0 {
		return err
	}
	if c.pkg != e.pkg.Name {
		return fmt.Errorf("change for package %s: this is %s", quote(c.pkg), quote(e.pkg.Name))
	}
	c.pos = Pos{file, st.line}
	return ops[c.op].do(e, c)
}

// A change is one line of a delta file.
type change struct {
	op                          byte // '=' for lines that begin with none
	pkg, section, option, value string
	pos                         Pos
}

// An op says how a change of its kind must look and what it does.
type op struct {
	form          string
	option, value need
	do            func(*editor, change) error
}

type need int

const (
	optional need = iota
	required
	refused
)

func (n need) ok(present bool) bool {
	return n == optional || present == (n == required)
}

var ops = map[byte]op{
	'=': {"pkg.section[.option]='value'", optional, required, (*editor).set},
	'+': {"+pkg.section='type'", refused, required, (*editor).set},
	'|': {"|pkg.section.option='value'", required, required, (*editor).listAdd},
	'~': {"~pkg.section.option='value'", required, required, (*editor).listRemove},
	'-': {"-pkg.section[.option]", optional, optional, (*editor).remove},
	'@': {"@pkg.section[.option]='name'", optional, required, (*editor).rename},
	'^': {"^pkg.section='position'", refused, required, (*editor).reorder},
}

// parseChange returns a change whose op is 0 for an empty line.
func parseChange(st *statement) (c change, err error) {
	if len(st.words) == 0 {
		return c, nil
	}
	text := st.words[0]
	c.op = '='
	if text != "" && ops[text[0]].do != nil && text[0] != '=' {
		c.op, text = text[0], text[1:]
	}
	path, value, hasValue := strings.Cut(text, "=")
	parts := strings.SplitN(path, ".", 4)
	hasOption := len(parts) == 3
	o := ops[c.op]
	if len(st.words) > 1 || len(parts) < 2 || len(parts) > 3 || !o.option.ok(hasOption) || !o.value.ok(hasValue) {
		return c, syntaxError(fmt.Sprintf("change %s: %s is allowed", quote(st.words[0]), o.form))
	}
	c.pkg, c.section, c.value = parts[0], parts[1], value
	if hasOption {
		c.option = parts[2]
	}
	switch {
	case hasOption && !validName(c.option):
		err = syntaxError(fmt.Sprintf("option name %s: %s", quote(c.option), nameRule))
	case !validText(value):
		err = syntaxError("control byte in a value: tab, carriage return and newline are allowed")
	}
	return c, err
}

func (e *editor) set(c change) error {
	if c.value == "" {
		return e.remove(c)
	}
	if c.option == "" {
		return e.setType(c)
	}
	s, err := e.section(c.section)
	if err == nil {
		e.setValue(s, c.option, c.value, c.pos)
	}
	return err
}

func (e *editor) setType(c change) error {
	if !validType(c.value) {
		return fmt.Errorf("section type %s: %s", quote(c.value), typeRule)
	}
	s, err := e.section(c.section)
	if err != nil {
		if !validName(c.section) {
			return fmt.Errorf("section name %s: %s", quote(c.section), nameRule)
		}
		s = e.addSection(c.value, c.section, c.pos)
	}
	s.Type = c.value
	s.Anonymous = s.Anonymous || c.op == '+'
	return nil
}

func (e *editor) listAdd(c change) error {
	s, err := e.section(c.section)
	if err == nil {
		e.addValue(s, c.option, c.value, c.pos)
	}
	return err
}

// listRemove removes every element that equals the value. libuci does not touch a plain option.
func (e *editor) listRemove(c change) error {
	s, err := e.section(c.section)
	if err != nil {
		return err
	}
	o := e.option(s, c.option)
	if o == nil || !o.List {
		return nil
	}
	if err := e.spend(len(o.Values)); err != nil {
		return err
	}
	e.dropValues(s, o, func(i int) bool { return o.Values[i] == c.value })
	return nil
}

func (e *editor) remove(c change) error {
	s, err := e.section(c.section)
	switch {
	case errors.Is(err, errWork):
		return err
	case err != nil:
		return nil
	case c.option == "":
		return e.removeSection(s)
	}
	if o := e.option(s, c.option); o != nil {
		return e.removeOption(s, o, c.value)
	}
	return nil
}

func (e *editor) removeSection(s *Section) error {
	_, err := e.take(s)
	if err == nil {
		e.forget(s)
	}
	return err
}

// removeOption unsets o, or, given an index, takes one element from a list.
func (e *editor) removeOption(s *Section, o *Option, index string) error {
	if index == "" || !o.List {
		e.unset(s, o)
		return nil
	}
	n, err := strconv.Atoi(index)
	if err != nil {
		return fmt.Errorf("element %s of list %s: a number is allowed", quote(index), quote(o.Name))
	}
	if err := e.spend(len(o.Values)); err != nil {
		return err
	}
	e.dropValues(s, o, func(i int) bool { return i == n })
	return nil
}

func (e *editor) rename(c change) error {
	if !validName(c.value) {
		return fmt.Errorf("new name %s: %s", quote(c.value), nameRule)
	}
	s, err := e.section(c.section)
	if err != nil {
		return err
	}
	if c.option != "" {
		return e.renameOption(s, c.option, c.value)
	}
	if taken := e.sections[c.value]; taken != nil && taken != s {
		return fmt.Errorf("new name %s: another section has it", quote(c.value))
	}
	e.forget(s)
	s.Name, s.Anonymous = c.value, false
	e.index(s)
	return nil
}

func (e *editor) renameOption(s *Section, from, to string) error {
	o := e.option(s, from)
	switch {
	case o == nil:
		return fmt.Errorf("no option %s in section %s", quote(from), quote(s.Name))
	case from == to:
		return nil
	case e.option(s, to) != nil:
		return fmt.Errorf("new name %s: another option has it", quote(to))
	}
	delete(e.options, optionKey{s, from})
	e.options[optionKey{s, to}] = o
	o.Name = to
	return nil
}

func (e *editor) reorder(c change) error {
	n, err := strconv.ParseUint(c.value, 10, 31)
	if err != nil {
		return fmt.Errorf("position %s: a number from 0 is allowed", quote(c.value))
	}
	s, err := e.section(c.section)
	if err != nil {
		return err
	}
	if _, err := e.take(s); err != nil {
		return err
	}
	at := min(int(n), len(e.pkg.Sections)) // beyond the end is the end
	e.pkg.Sections = slices.Insert(e.pkg.Sections, at, s)
	return nil
}
