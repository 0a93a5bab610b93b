package uci

import (
	"bytes"
	"path/filepath"
	"strconv"
)

// Parse reads the text of a configuration file. The file name is for messages, and its last element names the
// package. The package is never nil; sections with a problem are in it and marked bad.
func Parse(file string, text []byte) (*Package, []Problem) {
	pkg := &Package{Name: filepath.Base(file)}
	p := parser{editor: newEditor(pkg, file, text, false)}
	if rest, found := bytes.CutPrefix(p.scan.text, []byte("\ufeff")); found {
		// libuci takes it for part of the first keyword. What is meant is beyond doubt, so nothing is spoiled.
		p.problem(1, "byte order mark: a file must begin with its first line's text")
		p.scan.text = rest
	}
	for {
		st, ok := p.scan.next(true)
		if !ok {
			return pkg, p.problems
		}
		p.statement(st)
	}
}

// A parser builds a package from statements.
type parser struct {
	*editor
	cur *Section // the section that options go to, nil before the first
}

func (p *parser) statement(st *statement) {
	if st.err != "" {
		p.broken(st, st.err)
		return
	}
	switch st.keyword {
	case "package", "p":
		p.packageName(st)
	case "config", "c":
		p.config(st)
	case "option", "o":
		p.option(st, "option", false)
	case "list", "l":
		p.option(st, "list", true)
	default:
		p.reject(st, st.line, "unknown keyword "+quote(st.keyword)+": package, config, option and list are allowed")
	}
}

func (p *parser) packageName(st *statement) {
	name := st.word(0)
	switch {
	case name == "":
		p.broken(st, "package without a name: package <name> is allowed")
	case len(st.words) > 1:
		p.broken(st, "too many arguments: package <name> is allowed")
	case !validPackage(name):
		p.broken(st, invalid("package name", name, packageRule))
	}
}

func (p *parser) config(st *statement) {
	typ, name := st.word(0), st.word(1)
	known := p.sections[name]
	switch {
	case typ == "":
		p.broken(st, "config without a type: config <type> [<name>] is allowed")
	case len(st.words) > 2:
		p.broken(st, "too many arguments: config <type> [<name>] is allowed")
	case !validType(typ):
		p.broken(st, invalid("section type", typ, typeRule))
	case name != "" && !validName(name):
		p.broken(st, invalid("section name", name, nameRule))
	case known == nil:
		p.cur = p.addSection(typ, name, p.pos(st.line))
	case known.Type != typ:
		p.reject(st, st.line, "section "+quote(name)+" is of type "+quote(known.Type)+" since line "+
			strconv.Itoa(known.Pos.Line)+": a name has one type")
	default:
		p.cur = known // sections of one name and type merge
	}
}

func (p *parser) option(st *statement, keyword string, list bool) {
	name, value := st.word(0), st.word(1)
	form := keyword + " <name> <value> is allowed"
	switch {
	case name == "":
		p.broken(st, keyword+" without a name: "+form)
	case len(st.words) > 2:
		p.broken(st, "too many arguments: "+form+", and a value with blanks needs quotes")
	case !validName(name):
		p.broken(st, invalid(keyword+" name", name, nameRule))
	case p.cur == nil:
		p.reject(st, st.line, keyword+" before the first section: a config line must come first")
	case list || value != "": // an empty value leaves the option as it is; libuci lists may hold empty values, though
		p.cur.put(name, value, list, p.pos(st.line))
	}
}

// broken rejects a statement that may lack a closing quote. If quoted text in it runs over a line end, all after
// that line is read again as statements of their own.
func (p *parser) broken(st *statement, text string) {
	if st.spill != (mark{}) && st.err == "" {
		text += " (quoted text runs from here to line " + strconv.Itoa(p.scan.line) + ")"
	}
	p.reject(st, st.at(), text)
	p.resync(st)
}

// reject reports a statement and marks what it belongs to. A config line that is bad opens a bad section, so that
// the options after it do not end up in the section before it.
func (p *parser) reject(st *statement, line int, text string) {
	p.problem(line, text)
	if st.keyword == "config" || st.keyword == "c" {
		typ := st.word(0)
		if !validType(typ) {
			typ = ""
		}
		p.cur = p.addSection(typ, "", p.pos(st.line))
	}
	if p.cur != nil {
		p.cur.Bad = true
	}
}
