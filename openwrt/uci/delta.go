package uci

import (
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
	e := newEditor(p, file, text, true)
	for {
		st, ok := e.scan.next(false)
		if !ok {
			e.compact()
			return e.problems
		}
		if st.err == "" && len(st.words) == 0 {
			continue
		}
		c := change{pos: e.pos(st.line)}
		if wrong := c.parse(st); wrong != "" { // it cannot be understood
			e.problem(st.at(), wrong)
			e.resync(st)
		} else if wrong := e.change(&c); wrong != "" { // it cannot be carried out
			e.problem(st.at(), wrong)
		}
	}
}

// A change is one line of a delta file.
type change struct {
	op                          *op
	pkg, section, option, value string
	pos                         Pos
}

// An op says how a change of its kind must look and what it does; do returns what is wrong, or nothing.
type op struct {
	sign          byte
	form          string
	option, value need
	do            func(*editor, *change) (wrong string)
}

type need uint8

const (
	optional need = iota
	required
	refused
)

func (n need) ok(present bool) bool {
	return n == optional || present == (n == required)
}

// ops begins with the op of the lines that have no sign.
var ops = [...]op{
	{'=', "pkg.section[.option]='value'", optional, required, (*editor).set},
	{'+', "+pkg.section='type'", refused, required, (*editor).set},
	{'|', "|pkg.section.option='value'", required, required, (*editor).listAdd},
	{'~', "~pkg.section.option='value'", required, required, (*editor).listRemove},
	{'-', "-pkg.section[.option]", optional, optional, (*editor).remove},
	{'@', "@pkg.section[.option]='name'", optional, required, (*editor).rename},
	{'^', "^pkg.section='position'", refused, required, (*editor).reorder},
}

// parse reads a change from a statement that is not empty.
func (c *change) parse(st *statement) (wrong string) {
	if st.err != "" {
		return st.err
	}
	text := st.words[0]
	c.op = &ops[0]
	for i := 1; i < len(ops); i++ {
		if text != "" && text[0] == ops[i].sign {
			c.op, text = &ops[i], text[1:]
			break
		}
	}
	path, value, hasValue := strings.Cut(text, "=")
	parts := strings.SplitN(path, ".", 4)
	hasOption := len(parts) == 3
	if len(st.words) > 1 || len(parts) < 2 || len(parts) > 3 || !c.op.option.ok(hasOption) || !c.op.value.ok(hasValue) {
		return "change " + quote(st.words[0]) + ": " + c.op.form + " is allowed"
	}
	c.pkg, c.section, c.value = parts[0], parts[1], value
	if hasOption {
		c.option = parts[2]
	}
	switch {
	case hasOption && !validName(c.option):
		return invalid("option name", c.option, nameRule)
	case !validText(value):
		return "control byte in a value: tab, carriage return and newline are allowed"
	}
	return ""
}

func (e *editor) change(c *change) (wrong string) {
	if c.pkg != e.pkg.Name {
		return invalid("change for package", c.pkg, "this is "+quote(e.pkg.Name))
	}
	return c.op.do(e, c)
}

func (e *editor) set(c *change) (wrong string) {
	if c.value == "" {
		return e.remove(c)
	}
	if c.option == "" {
		return e.setType(c)
	}
	return e.put(c, false)
}

func (e *editor) setType(c *change) (wrong string) {
	if !validType(c.value) {
		return invalid("section type", c.value, typeRule)
	}
	s, wrong := e.section(c.section)
	if wrong != "" {
		if !validName(c.section) {
			return invalid("section name", c.section, nameRule)
		}
		s = e.addSection(c.value, c.section, c.pos)
	}
	s.Type = c.value
	s.Anonymous = s.Anonymous || c.op.sign == '+'
	return ""
}

func (e *editor) listAdd(c *change) (wrong string) { return e.put(c, true) }

func (e *editor) put(c *change, list bool) (wrong string) {
	s, wrong := e.section(c.section)
	if wrong == "" {
		s.put(c.option, c.value, list, c.pos)
	}
	return wrong
}

// listRemove removes every element that equals the value. libuci does not touch a plain option.
func (e *editor) listRemove(c *change) (wrong string) {
	s, wrong := e.section(c.section)
	if wrong != "" {
		return wrong
	}
	o := s.byName[c.option]
	if o == nil || !o.List {
		return ""
	}
	if !e.spend(len(o.Values)) {
		return tooMuchWork
	}
	s.drop(o, func(i int) bool { return o.Values[i] == c.value })
	return ""
}

func (e *editor) remove(c *change) (wrong string) {
	s, wrong := e.section(c.section)
	switch {
	case wrong == tooMuchWork:
		return wrong
	case wrong != "":
		return ""
	case c.option == "":
		return e.removeSection(s)
	}
	if o := s.byName[c.option]; o != nil {
		return e.removeOption(s, o, c.value)
	}
	return ""
}

func (e *editor) removeSection(s *Section) (wrong string) {
	last := len(e.pkg.Sections) - 1
	if !e.move(s, last) {
		return tooMuchWork
	}
	e.pkg.Sections = e.pkg.Sections[:last]
	e.forget(s)
	return ""
}

// removeOption unsets o, or, given an index, takes one element from a list.
func (e *editor) removeOption(s *Section, o *Option, index string) (wrong string) {
	if index == "" || !o.List {
		s.unset(o)
		return ""
	}
	n, err := strconv.Atoi(index)
	switch {
	case err != nil:
		return "element " + quote(index) + " of list " + quote(o.Name) + ": a number is allowed"
	case !e.spend(len(o.Values)):
		return tooMuchWork
	}
	s.drop(o, func(i int) bool { return i == n })
	return ""
}

func (e *editor) rename(c *change) (wrong string) {
	if !validName(c.value) {
		return invalid("new name", c.value, nameRule)
	}
	s, wrong := e.section(c.section)
	if wrong != "" {
		return wrong
	}
	if c.option != "" {
		return s.rename(c.option, c.value)
	}
	if taken := e.sections[c.value]; taken != nil && taken != s {
		return invalid("new name", c.value, "another section has it")
	}
	e.forget(s)
	s.Name, s.Anonymous = c.value, false
	e.index(s)
	return ""
}

func (s *Section) rename(from, to string) (wrong string) {
	o := s.byName[from]
	switch {
	case o == nil:
		return "no option " + quote(from) + " in section " + quote(s.Name)
	case from == to:
		return ""
	case s.byName[to] != nil:
		return invalid("new name", to, "another option has it")
	}
	delete(s.byName, from)
	s.byName[to] = o
	o.Name = to
	return ""
}

func (e *editor) reorder(c *change) (wrong string) {
	n, err := strconv.ParseUint(c.value, 10, 31)
	if err != nil {
		return invalid("position", c.value, "a number from 0 is allowed")
	}
	s, wrong := e.section(c.section)
	if wrong == "" && !e.move(s, min(int(n), len(e.pkg.Sections)-1)) { // beyond the end is the end
		wrong = tooMuchWork
	}
	return wrong
}
