package uci

import (
	"bytes"
	"path/filepath"
)

// Parse reads the text of a configuration file. The file name is for messages, and its last element names the
// package. The package is never nil; sections with a problem are in it and marked bad.
func Parse(file string, text []byte) (*Package, []Problem) {
	pkg := &Package{Name: filepath.Base(file)}
	p := parser{file: file, editor: newEditor(pkg)}
	if p.tooLarge(file, text) {
		return pkg, p.problems
	}
	if rest, found := bytes.CutPrefix(text, []byte("\ufeff")); found {
		// libuci takes it for part of the first keyword. What is meant is beyond doubt, so nothing is spoiled.
		p.problems.addf(Pos{file, 1}, "byte order mark: a file must begin with its first line's text")
		text = rest
	}
	p.scan = newScanner(text)
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
	file string
	scan *scanner
	cur  *Section // the section that options go to, nil before the first
}

func (p *parser) statement(st *statement) {
	if st.err != "" {
		p.broken(st, "%s", st.err)
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
		p.reject(st, st.line, "unknown keyword %s: package, config, option and list are allowed", quote(st.keyword))
	}
}

func (p *parser) packageName(st *statement) {
	switch {
	case len(st.words) == 0 || st.words[0] == "":
		p.broken(st, "package without a name: package <name> is allowed")
	case len(st.words) > 1:
		p.broken(st, "too many arguments: package <name> is allowed")
	case !validPackage(st.words[0]):
		p.broken(st, "package name %s: %s", quote(st.words[0]), packageRule)
	}
}

func (p *parser) config(st *statement) {
	words := append(st.words, "", "")
	typ, name := words[0], words[1]
	switch {
	case typ == "":
		p.broken(st, "config without a type: config <type> [<name>] is allowed")
	case len(st.words) > 2:
		p.broken(st, "too many arguments: config <type> [<name>] is allowed")
	case !validType(typ):
		p.broken(st, "section type %s: %s", quote(typ), typeRule)
	case name != "" && !validName(name):
		p.broken(st, "section name %s: %s", quote(name), nameRule)
	case name == "" || p.sections[name] == nil:
		p.cur = p.addSection(typ, name, Pos{p.file, st.line})
	case p.sections[name].Type != typ:
		first := p.sections[name]
		p.reject(st, st.line, "section %s is of type %s since line %d: a name has one type",
			quote(name), quote(first.Type), first.Pos.Line)
	default:
		p.cur = p.sections[name] // sections of one name and type merge
	}
}

func (p *parser) option(st *statement, keyword string, list bool) {
	words := append(st.words, "", "")
	name, value := words[0], words[1]
	pos := Pos{p.file, st.line}
	switch {
	case name == "":
		p.broken(st, "%s without a name: %[1]s <name> <value> is allowed", keyword)
	case len(st.words) > 2:
		p.broken(st, "too many arguments: %s <name> <value> is allowed, and a value with blanks needs quotes", keyword)
	case !validName(name):
		p.broken(st, "%s name %s: %s", keyword, quote(name), nameRule)
	case p.cur == nil:
		p.reject(st, st.line, "%s before the first section: a config line must come first", keyword)
	case list:
		p.addValue(p.cur, name, value, pos)
	case value != "": // an empty value leaves the option as it is; libuci lists may hold empty values, though
		p.setValue(p.cur, name, value, pos)
	}
}

// broken rejects a statement that may lack a closing quote. If quoted text in it runs over a line end, all after
// that line is read again as statements of their own.
func (p *parser) broken(st *statement, format string, args ...any) {
	if st.spill != (mark{}) && st.err == "" {
		format += " (quoted text runs from here to line %d)"
		args = append(args, p.scan.line)
	}
	p.reject(st, st.at(), format, args...)
	p.resync(p.scan, st, p.file)
}

// reject reports a statement and marks what it belongs to. A config line that is bad opens a bad section, so that
// the options after it do not end up in the section before it.
func (p *parser) reject(st *statement, line int, format string, args ...any) {
	p.problems.addf(Pos{p.file, line}, format, args...)
	if st.keyword == "config" || st.keyword == "c" {
		p.cur = p.addSection(firstType(st), "", Pos{p.file, st.line})
	}
	if p.cur != nil {
		p.cur.Bad = true
	}
}

// firstType returns the type of a bad config statement if that much of it is right.
func firstType(st *statement) string {
	if len(st.words) > 0 && validType(st.words[0]) {
		return st.words[0]
	}
	return ""
}
