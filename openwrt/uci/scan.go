package uci

import "bytes"

// maxWords is how many words of a statement are kept: enough to tell that there are too many.
const maxWords = 4

// A mark is a place to resume reading at; its zero value is none.
type mark struct{ pos, line int }

// A statement is a line and what quotes and backslashes joined to it, cut into words.
type statement struct {
	line    int // where it begins
	keyword string
	words   []string // without empty ones at the end: a trailing '' is as good as nothing
	err     string   // set when the text cannot be cut into words
	spill   mark     // the line after the first quote that runs over a line end opened
}

// at returns the line to blame: where quoted text ran out of hand if it did, else where the statement begins.
func (st *statement) at() int {
	if st.spill != (mark{}) {
		return st.spill.line - 1
	}
	return st.line
}

// word returns a word, or nothing if there are not as many.
func (st *statement) word(i int) string {
	if i < len(st.words) {
		return st.words[i]
	}
	return ""
}

// A scanner cuts text into statements.
type scanner struct {
	text    []byte
	mark         // the next byte and its line
	rewound int  // bytes read twice because of resume
	done    bool // the statement has ended before the line end, at # or ;
	word    []byte
	st      statement
}

func newScanner(text []byte) *scanner {
	return &scanner{text: text, mark: mark{0, 1}}
}

// resume goes back to m, and reports whether it did. Text in which every line opens a quote that no other closes
// would be read to its end once a line; so no more than some dozen times its length is ever read again.
func (s *scanner) resume(m mark) bool {
	n := s.pos - m.pos
	if s.rewound+n > 32*len(s.text) {
		return false
	}
	s.rewound += n
	s.mark = m
	return true
}

// next returns the next statement that is not empty. Its first word is the keyword if there is to be one; keywords
// know neither quotes nor comments.
func (s *scanner) next(keyword bool) (*statement, bool) {
	s.skipToText()
	if s.pos >= len(s.text) {
		return nil, false
	}
	s.st = statement{line: s.line, words: s.st.words[:0]}
	s.done = false
	if keyword {
		s.st.keyword = s.bareWord()
	}
	for s.st.err == "" && s.skipBlanks() {
		s.nextWord()
	}
	for n := len(s.st.words); n > 0 && s.st.words[n-1] == ""; n-- {
		s.st.words = s.st.words[:n-1]
	}
	return &s.st, true
}

// skipToText skips empty lines, comment lines and leading white space.
func (s *scanner) skipToText() {
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '\n':
			s.line++
		case c == '#':
			s.skipLine()
			s.pos-- // the line end is still to be counted
		case !isSpace(c):
			return
		}
	}
}

// skipLine goes to the line end, which it leaves.
func (s *scanner) skipLine() {
	if n := bytes.IndexByte(s.text[s.pos:], '\n'); n >= 0 {
		s.pos += n
	} else {
		s.pos = len(s.text)
	}
}

// skipBlanks reports whether the statement goes on.
func (s *scanner) skipBlanks() bool {
	for !s.done && s.pos < len(s.text) && s.text[s.pos] != '\n' {
		if !isSpace(s.text[s.pos]) {
			return true
		}
		s.pos++
	}
	return false
}

func (s *scanner) bareWord() string {
	from := s.pos
	for s.pos < len(s.text) && !isSpace(s.text[s.pos]) {
		s.pos++
	}
	return string(s.text[from:s.pos])
}

// nextWord reads one word, which must begin here, and adds it to the statement.
func (s *scanner) nextWord() {
	s.word = s.word[:0]
	quoted := false // the word is not just its bytes as they stand
	for s.pos < len(s.text) && !isSpace(s.text[s.pos]) && s.st.err == "" && !s.done {
		switch c := s.text[s.pos]; c {
		case '\'':
			quoted = true
			s.singleQuoted()
		case '"':
			quoted = true
			s.doubleQuoted()
		case '\\':
			quoted = s.escape() || quoted
		case '#':
			s.done = true
			s.skipLine()
		case ';':
			s.semicolon(quoted)
		default:
			s.word = append(s.word, c)
			s.pos++
		}
	}
	if bytes.IndexByte(s.word, 0) >= 0 {
		s.st.err = "NUL byte: text has none"
	}
	if (quoted || len(s.word) > 0) && len(s.st.words) < maxWords {
		s.st.words = append(s.st.words, string(s.word))
	}
}

// semicolon ends the statement. libuci intended ; to separate statements on one line, but after a plain word it
// overwrites the ; in its buffer with the word's end mark and never sees the rest of the line.
func (s *scanner) semicolon(quoted bool) {
	s.done = true
	if quoted || len(s.word) == 0 {
		s.pos++
	} else {
		s.skipLine()
	}
}

func (s *scanner) singleQuoted() {
	open := s.mark
	s.pos++
	n := bytes.IndexByte(s.text[s.pos:], '\'')
	if n < 0 {
		s.unterminated(open)
		return
	}
	body := s.text[s.pos : s.pos+n]
	s.word = append(s.word, body...)
	s.pos += n + 1
	s.line += bytes.Count(body, []byte{'\n'})
	s.noteSpill(open)
}

func (s *scanner) doubleQuoted() {
	open := s.mark
	s.pos++
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case '"':
			s.pos++
			s.noteSpill(open)
			return
		case '\\':
			s.escape()
		case '\n':
			s.line++
			fallthrough
		default:
			s.word = append(s.word, c)
			s.pos++
		}
	}
	s.unterminated(open)
}

// escape reads a backslash and what it quotes, and reports whether that is text: a line end is not.
func (s *scanner) escape() bool {
	s.pos++
	rest := s.text[s.pos:]
	switch {
	case len(rest) == 0:
		return false
	case rest[0] == '\n':
		s.pos++
		s.line++
		return false
	case bytes.HasPrefix(rest, []byte("\r\n")):
		s.pos += 2
		s.line++
		return false
	}
	s.word = append(s.word, rest[0])
	s.pos++
	return true
}

// noteSpill remembers where to resume should the statement prove bad, if the quote opened at open runs over a line
// end and is the first to do so. A quote that lacks its end turns all later ones inside out, so that the one found
// open at the end of the file is as a rule not the one to blame.
func (s *scanner) noteSpill(open mark) {
	if s.st.spill != (mark{}) || s.line == open.line && s.st.err == "" {
		return
	}
	s.st.spill = mark{len(s.text), open.line + 1}
	if n := bytes.IndexByte(s.text[open.pos:], '\n'); n >= 0 {
		s.st.spill.pos = open.pos + n + 1
	}
}

func (s *scanner) unterminated(open mark) {
	s.st.err = "unterminated quote: " + string(s.text[open.pos]) + " opens a text that never ends"
	s.pos = len(s.text)
	s.noteSpill(open)
}

// isSpace is C's isspace.
func isSpace(c byte) bool {
	return c == ' ' || '\t' <= c && c <= '\r'
}
