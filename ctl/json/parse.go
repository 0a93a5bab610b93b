package json

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how many arrays and objects may lie in each other.
const MaxDepth = 32

// Parse reads a text that is one JSON value, made of at most that many values.
func Parse(text string, most int) (*Value, error) {
	p := parser{text: text, left: most}
	v := new(Value)
	p.checkEncoding()
	p.value(v)
	if p.space(); p.at < len(text) {
		p.fail("the end")
	}
	if p.err != "" {
		return nil, errors.New("octet " + strconv.Itoa(p.failed) + ": want " + p.err)
	}
	return v, nil
}

// parser goes through a text. At the first octet that is wrong, it notes what it wants there, and goes to the end.
type parser struct {
	text   string
	at     int
	depth  int
	left   int // how many values may still come
	err    string
	failed int // where err is
}

func (p *parser) fail(want string) {
	if p.err == "" {
		p.err, p.failed = want, p.at
	}
	p.at = len(p.text)
}

// checkEncoding fails if the text is not UTF-8.
func (p *parser) checkEncoding() {
	for i, r := range p.text {
		if r == utf8.RuneError && !strings.HasPrefix(p.text[i:], "\ufffd") {
			p.at = i
			p.fail("UTF-8")
			return
		}
	}
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\n\r", p.text[p.at]) >= 0 {
		p.at++
	}
}

// next is the next octet; 0 at the end.
func (p *parser) next() byte {
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// take goes past an octet, and the space before it, if it comes next.
func (p *parser) take(c byte) bool {
	p.space()
	ok := p.next() == c
	if ok {
		p.at++
	}
	return ok
}

// value reads a value, and the space before it.
func (p *parser) value(v *Value) {
	p.space()
	start := p.at
	if p.left--; p.left < 0 {
		p.fail("fewer values")
	}
	switch p.next() {
	case '{':
		p.items(v, '}')
	case '[':
		p.items(v, ']')
	case '"':
		v.text = p.quoted()
	case 't':
		p.word("true")
	case 'f':
		p.word("false")
	case 'n':
		p.word("null")
	default:
		p.number()
	}
	v.Raw = p.text[start:p.at]
}

// items reads an object or an array, whose end tells which.
func (p *parser) items(v *Value, end byte) {
	if p.depth == MaxDepth {
		p.fail("at most " + strconv.Itoa(MaxDepth) + " arrays and objects in each other")
		return
	}
	p.depth++
	p.at++
	for p.err == "" && !p.take(end) {
		if v.Items != nil && !p.take(',') {
			p.fail("',' or '" + string(rune(end)) + "'")
		}
		var item Value
		if end == '}' {
			p.name(&item)
		}
		p.value(&item)
		v.Items = append(v.Items, item)
	}
	p.depth--
}

// name reads a member's name and its colon.
func (p *parser) name(v *Value) {
	p.space()
	if p.next() != '"' {
		p.fail("a name in quotes")
		return
	}
	if v.Name = p.quoted(); !p.take(':') {
		p.fail("':'")
	}
}

func (p *parser) word(word string) {
	if !strings.HasPrefix(p.text[p.at:], word) {
		p.fail(word)
		return
	}
	p.at += len(word)
}

// quoted reads a string, and returns what it says.
func (p *parser) quoted() string {
	p.at++
	start := p.at
	var decoded []byte
	for {
		switch c := p.next(); {
		case c == '"':
			text := p.text[start:p.at]
			if p.at++; decoded != nil {
				text = string(append(decoded, text...))
			}
			return text
		case c == '\\':
			decoded = append(decoded, p.text[start:p.at]...)
			decoded = utf8.AppendRune(decoded, p.escape())
			start = p.at
		case p.at == len(p.text):
			p.fail("'\"' at the end of a string")
			return ""
		case c < ' ':
			p.fail("no control character in a string")
		default:
			p.at++
		}
	}
}

// What may stand behind a backslash, but u, and what it stands for.
const (
	escapes = `"\/bfnrt`
	escaped = "\"\\/\b\f\n\r\t"
)

// escape reads what begins with a backslash.
func (p *parser) escape() rune {
	p.at++
	if unit, ok := p.unit("u"); ok {
		if low, ok := p.unit(`\u`); ok {
			if r := utf16.DecodeRune(unit, low); r != utf8.RuneError {
				return r
			}
			p.at -= len(`\u0000`)
		}
		return unit // utf8.AppendRune makes U+FFFD of half a pair
	}
	i := strings.IndexByte(escapes, p.next())
	if i < 0 {
		p.fail(`one of "\/bfnrt, or u and four hexadecimal digits`)
		return 0
	}
	p.at++
	return rune(escaped[i])
}

// unit reads a prefix and four hexadecimal digits, if these come next.
func (p *parser) unit(prefix string) (rune, bool) {
	digits := p.at + len(prefix)
	if digits+4 > len(p.text) || p.text[p.at:digits] != prefix {
		return 0, false
	}
	n, err := strconv.ParseUint(p.text[digits:digits+4], 16, 16)
	if err != nil {
		return 0, false
	}
	p.at = digits + 4
	return rune(n), true
}

// number reads a number. There are no zeros in front, and there are digits on both sides of a point.
func (p *parser) number() {
	if p.next() == '-' {
		p.at++
	}
	if p.next() == '0' {
		p.at++
	} else {
		p.digits("a value")
	}
	if p.next() == '.' {
		p.at++
		p.digits("a digit")
	}
	if p.next()|0x20 == 'e' {
		p.at++
		if c := p.next(); c == '+' || c == '-' {
			p.at++
		}
		p.digits("a digit")
	}
}

// digits goes past digits, at least one.
func (p *parser) digits(want string) {
	start := p.at
	for c := p.next(); '0' <= c && c <= '9'; c = p.next() {
		p.at++
	}
	if p.at == start {
		p.fail(want)
	}
}
