package uci

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// dump writes a package in short, a line for each section: "dhcp lan: a=1 b=[x y]", values quoted where they are not
// plain. * stands before anonymous sections, ! before bad ones.
func dump(p *Package) string {
	var b strings.Builder
	for _, s := range p.Sections {
		if s.Bad {
			b.WriteByte('!')
		}
		if s.Anonymous {
			b.WriteByte('*')
		}
		fmt.Fprintf(&b, "%s %s:", s.Type, s.Name)
		for _, o := range s.Options {
			if o.List {
				fmt.Fprintf(&b, " %s=%s", o.Name, plain(fmt.Sprintf("%s", mapped(o.Values))))
			} else {
				fmt.Fprintf(&b, " %s=%s", o.Name, mapped(o.Values)[0])
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func mapped(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = plain(v)
		if strings.ContainsAny(v, " ") || v == "" {
			out[i] = fmt.Sprintf("%q", v)
		}
	}
	return out
}

func plain(s string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\0`).Replace(s)
}

// parseTest is a file and what must come of it. Problems are given as "line: words that must be in the text".
type parseTest struct {
	name     string
	in       string
	want     string
	problems []string
}

func (tt parseTest) run(t *testing.T) {
	pkg, problems := Parse("/etc/config/dhcp", []byte(tt.in))
	checkDump(t, pkg, tt.want)
	checkProblems(t, problems, tt.problems)
}

func checkDump(t *testing.T, pkg *Package, want string) {
	t.Helper()
	if want != "" {
		want += "\n"
	}
	if got := dump(pkg); got != want {
		t.Errorf("got sections\n%swant\n%s", got, want)
	}
}

func checkProblems(t *testing.T, got []Problem, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got problems %v, want %q", got, want)
		return
	}
	for i, p := range got {
		line, text, _ := strings.Cut(want[i], ": ")
		if fmt.Sprint(p.Pos.Line) != line || !strings.Contains(p.Text, text) {
			t.Errorf("problem %d: got %v, want %q", i, p, want[i])
		}
	}
}

func runParseTests(t *testing.T, tests []parseTest) {
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}

func TestParseStatements(t *testing.T) {
	runParseTests(t, []parseTest{
		{name: "empty file"},
		{name: "keywords", in: "package dhcp\nconfig dhcp lan\n\toption a 1\n\tlist b x\n", want: "dhcp lan: a=1 b=[x]"},
		{name: "one-letter keywords", in: "p dhcp\nc dhcp lan\no a 1\nl b x\n", want: "dhcp lan: a=1 b=[x]"},
		{name: "white space before keywords", in: " \t config dhcp lan\n \v\f option\ta \t 1  \n", want: "dhcp lan: a=1"},
		{name: "no final newline", in: "config dhcp lan\noption a 1", want: "dhcp lan: a=1"},
		{name: "CR LF", in: "config dhcp lan\r\n\toption a 1\r\n\r\n\toption b '2'\r\n", want: "dhcp lan: a=1 b=2"},
		{name: "package line is ignored", in: "package other-one\nconfig t n\npackage x\noption a 1", want: "t n: a=1"},
		{name: "type of any printable bytes", in: "config wifi-iface.x/@%! n", want: "wifi-iface.x/@%! n:"},
		{name: "quoted type and name", in: "config 'dhcp' \"lan\"\noption 'a' 1", want: "dhcp lan: a=1"},
		{name: "anonymous sections", in: "config dnsmasq\nconfig odhcpd o\nconfig host\nconfig host ''",
			want: "*dnsmasq cfg01411c:\nodhcpd o:\n*host cfg03fe63:\n*host cfg04fe63:"},
		{name: "same name and type merge", in: "config t n\noption a 1\noption b 1\nconfig t m\nconfig t n\noption a 2\noption c 3",
			want: "t n: a=2 b=1 c=3\nt m:"},
		{name: "merged section takes no number", in: "config t n\nconfig t n\nconfig host", want: "t n:\n*host cfg02fe63:"},
		{name: "last option wins", in: "config t n\noption a 1\noption a 2", want: "t n: a=2"},
		{name: "list appends", in: "config t n\nlist a x\nlist b 1\nlist a 'y z'\n", want: `t n: a=[x "y z"] b=[1]`},
		{name: "option then list", in: "config t n\noption a 1\nlist a 2", want: "t n: a=[1 2]"},
		{name: "list then option", in: "config t n\nlist a 1\nlist a 2\noption a 3", want: "t n: a=3"},
		{name: "option without value", in: "config t n\noption a\noption b 1", want: "t n: b=1"},
		{name: "option with empty value", in: "config t n\noption a ''\noption b \"\"", want: "t n:"},
		{name: "empty value leaves an option as it is", in: "config t n\noption a 1\noption a ''\noption a", want: "t n: a=1"},
		{name: "list with empty value", in: "config t n\nlist a ''\nlist a x", want: `t n: a=["" x]`},
	})
}

func TestParseText(t *testing.T) {
	const section = "config t n\n"
	tests := []parseTest{
		{name: "single quotes are literal", in: `option a 'x\n"y" #;$ z'`, want: `a="x\\n\"y\" #;$ z"`},
		{name: "double quotes", in: `option a "it's \"\t\\"`, want: `a="it's \"t\\"`},
		{name: "multi-line value", in: "option a 'x\ny\n\nz'\noption b 2", want: `a=x\ny\n\nz b=2`},
		{name: "multi-line value in double quotes", in: "option a \"x\n  y\"\noption b 2", want: `a="x\n  y" b=2`},
		{name: "multi-line value keeps CR", in: "option a 'x\r\ny'", want: `a=x\r\ny`},
		{name: "backslash quotes one byte", in: `option a x\ y\#\'\"\\z`, want: `a="x y#'\"\\z"`},
		{name: "backslash newline joins", in: "option a x\\\ny", want: "a=xy"},
		{name: "backslash CR LF joins", in: "option a x\\\r\ny", want: "a=xy"},
		{name: "backslash newline in double quotes joins", in: "option a \"x\\\ny\\\r\nz\"", want: "a=xyz"},
		{name: "backslash newline between words", in: "option a \\\n\tx", want: "a=x"},
		{name: "backslash newline in single quotes is literal", in: "option a 'x\\\ny'", want: `a=x\\ny`},
		{name: "backslash at the end of the file", in: "option a x\\", want: "a=x"},
		{name: "pieces stick together", in: `option a 'it'\''s'` + "\n" + `option b 'x'"y"z`, want: "a=it's b=xyz"},
		{name: "comment line", in: "# it's\n  # 'x\noption a 1\n#", want: "a=1"},
		{name: "comment in unquoted text", in: "option a plain#x y z\noption b 2", want: "a=plain b=2"},
		{name: "comment after a quote", in: "option a 'x'#y\noption b 2 # it's", want: "a=x b=2"},
		{name: "comment ends at a backslash newline", in: "option a 1 # x\\\noption b 2", want: "a=1 b=2"},
		{name: "semicolon drops the rest of the line", in: "option a 1; option b 'x\noption c 3", want: "a=1 c=3"},
		{name: "semicolon after a quote separates", in: "option a '1'; option b 2 ; option c 3", want: "a=1 b=2 c=3"},
		{name: "semicolon in quotes", in: "option a 'x;y'", want: "a=x;y"},
		{name: "any byte in a value", in: "option a '\x01\x7f\xff\xc3\xa4'", want: "a=\x01\x7f\xff\xc3\xa4"},
	}
	for _, tt := range tests {
		tt.in = section + tt.in
		pkg, problems := Parse("dhcp", []byte(tt.in))
		t.Run(tt.name, func(t *testing.T) {
			checkProblems(t, problems, nil)
			if got := strings.TrimSuffix(strings.TrimPrefix(dump(pkg), "t n: "), "\n"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	runParseTests(t, []parseTest{
		{name: "unknown keyword", in: "config t n\noptoin a 1\noption b 2\nconfig t m\noption c 3",
			want: "!t n: b=2\nt m: c=3", problems: []string{`2: unknown keyword "optoin": package, config, option and list`}},
		{name: "unknown keyword with a multi-line value", in: "config t n\noptoin a 'x\nconfig t m'\noption b 2",
			want: "!t n: b=2", problems: []string{`2: unknown keyword "optoin"`}},
		{name: "insufficient arguments", in: "config\noption a 1\nconfig t n\noption\nlist ''\npackage",
			want: "!* cfg011505: a=1\n!t n:", problems: []string{"1: config without a type", "4: option without a name", "5: list without", "6: package without"}},
		{name: "too many arguments", in: "config t n x\noption a 1\nconfig t m\noption a 1 2\npackage a b",
			want: "!*t cfg01b619: a=1\n!t m:", problems: []string{"1: too many", "4: too many", "5: too many"}},
		{name: "name of other characters", in: "config t my-pc\noption a 1\nconfig t n\noption a-b 1\nconfig t é\npackage a.b",
			want: "!*t cfg01b619: a=1\n!t n:\n!*t cfg03b619:", problems: []string{
				`1: section name "my-pc": letters, digits and _`, `4: option name "a-b"`, "5: section name", `6: package name "a.b"`}},
		{name: "type of other characters", in: "config 'a b' n\noption a 1\nconfig é",
			want: "!* cfg011505: a=1\n!* cfg021505:", problems: []string{`1: section type "a b": printable`, "3: section type"}},
		{name: "option before the first section", in: "option a 1\nconfig t n\noption b 2",
			want: "t n: b=2", problems: []string{"1: option before the first section"}},
		{name: "bad line before the first section", in: "confg t m\nlist a 1\nconfig t n\noption b 2",
			want: "t n: b=2", problems: []string{"1: unknown keyword", "2: list before the first"}},
		{name: "section of different type", in: "config t n\noption a 1\nconfig u n\noption a 2\nconfig t n\noption b 3",
			want: "t n: a=1 b=3\n!*u cfg02b61a: a=2", problems: []string{`3: section "n" is of type "t" since line 1`}},
		{name: "merging into a bad section", in: "config t n\nx\nconfig t m\nconfig t n\noption a 1",
			want: "!t n: a=1\nt m:", problems: []string{"2: unknown keyword"}},
		{name: "byte order mark", in: "\ufeffconfig t n\noption a 1", want: "t n: a=1", problems: []string{"1: byte order mark"}},
		{name: "NUL bytes", in: "config t n\noption a x\x00y\n\x00\nconfig t m # \x00\noption b 1",
			want: "!t n:\nt m: b=1", problems: []string{"2: NUL byte", `3: unknown keyword "\x00"`}},
		{name: "stray quote", in: "config t n\n'\noption a 1", want: "!t n: a=1", problems: []string{"2: unknown keyword \"'\""}},
	})
}

func TestParseBrokenQuotes(t *testing.T) {
	runParseTests(t, []parseTest{
		{name: "last line", in: "config t n\noption a 1\noption b 'x", want: "!t n: a=1", problems: []string{"3: unterminated quote: '"}},
		{name: "double quote", in: "config t n\noption b \"x\\\"\noption a 1\n", want: "!t n: a=1", problems: []string{`2: unterminated quote: "`}},
		{name: "no later quotes", in: "config t n\noption b 'x\nconfig t m\noption a 1\n",
			want: "!t n:\nt m: a=1", problems: []string{"2: unterminated quote"}},
		{name: "later quotes inside out", in: "config t n\noption b 'x\noption a '1'\nconfig t 'm'\noption a '1'\nconfig t o\noption c '2 3'\n# don't\n",
			want:     "!t n: a=1\nt m: a=1\nt o: c=\"2 3\"",
			problems: []string{"2: too many arguments: option <name> <value> is allowed, and a value with blanks needs quotes (quoted text runs from here to line 8)"}},
		{name: "later quotes inside out to the end", in: "config t n\noption b 'x\noption a '1'\nconfig t 'm'\noption a '1'\n",
			want: "!t n: a=1\nt m: a=1", problems: []string{"2: unterminated quote"}},
		{name: "closed by a later comment", in: "config t n\noption b 'x\n# don't panic\nconfig t m\n",
			want: "!t n:\nt m:", problems: []string{"2: too many arguments"}},
		{name: "closed as if meant so", in: "config t n\noption b 'x\n# don't\nconfig t m\n", want: "t n: b=\"x\\n# dont\"\nt m:"},
		{name: "config line", in: "config t n\nconfig t 'm\noption a '1'\nconfig t o\noption a 2",
			want: "t n:\n!*t cfg02b619: a=1\nt o: a=2", problems: []string{"2: unterminated quote"}},
		{name: "config line closed by the next quote", in: "config t n\nconfig t 'm\noption a 1'\nconfig t o\noption a 2",
			want: "t n:\n!*t cfg02b619:\nt o: a=2", problems: []string{"2: section name", "3: unterminated quote"}},
		{name: "config line to the end", in: "config t n\nconfig t 'm\noption a 1\nconfig t o",
			want: "t n:\n!*t cfg02b619: a=1\nt o:", problems: []string{"2: unterminated quote"}},
		{name: "two of them", in: "config t n\noption a \"1\nconfig t m\noption b 'x\nconfig t o\noption a 1",
			want: "!t n:\n!t m:\nt o: a=1", problems: []string{"2: unterminated quote", "4: unterminated quote"}},
		{name: "after a good multi-line value", in: "config t n\noption a 'x\ny'\noption b 'z\nconfig t m",
			want: "!t n: a=x\\ny\nt m:", problems: []string{"4: unterminated quote"}},
	})
}

func TestPositions(t *testing.T) {
	pkg, _ := Parse("f", []byte("# c\nconfig t n\noption a 'x\ny'\nlist b 1\n\nlist b 2\nconfig t n\noption a z\\\nz\noption c 1"))
	s := pkg.Sections[0]
	a, b, c := s.Get("a"), s.Get("b"), s.Get("c")
	for _, tt := range []struct {
		what string
		got  Pos
		line int
	}{
		{"section", s.Pos, 2}, {"a", a.Pos, 9}, {"a[0]", a.ValuePos(0), 9}, {"b", b.Pos, 5}, {"b[0]", b.ValuePos(0), 5},
		{"b[1]", b.ValuePos(1), 7}, {"b[2]", b.ValuePos(2), 5}, {"c", c.Pos, 11},
	} {
		if want := (Pos{"f", tt.line}); tt.got != want {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, want)
		}
	}
	if s.Get("d") != nil {
		t.Error("Get of an option that is not there: got one")
	}
}

func TestProblemsAreLimited(t *testing.T) {
	pkg, problems := Parse("f", []byte("config t n\n"+strings.Repeat("x\n", 1000)+"config t m"))
	if n := len(problems); n != maxProblems+1 || !pkg.Sections[0].Bad || pkg.Sections[1].Bad {
		t.Errorf("got %d problems and %s", n, dump(pkg))
	}
}

func TestTooLarge(t *testing.T) {
	pkg, problems := Parse("f", make([]byte, MaxSize+1))
	if len(problems) != 1 || problems[0].Error() != "f: file too large: at most 1048576 bytes are read" || len(pkg.Sections) > 0 {
		t.Errorf("got %v", problems)
	}
}

// Nothing may take quadratic time, which would be thousands of times that of as many comments.
func TestHostileFilesAreQuick(t *testing.T) {
	fill := func(unit string) string { return strings.Repeat(unit, (MaxSize-64)/len(unit)) }
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < MaxSize-64; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	took := func(text string) time.Duration {
		start := time.Now()
		pkg, _ := Parse("f", []byte(text))
		pkg.Apply("d", []byte(strings.Repeat("^f.cfg01b619='99999'\n-f.@t[0]\n~f.cfg02b619.a='2'\n", 20000)))
		return time.Since(start)
	}
	harmless := took(fill("#\n"))
	for name, text := range map[string]string{
		"sections":             fill("c t\n"),
		"named sections":       numbered("c t n%d\n"),
		"options":              "c t\n" + numbered("o a%d 1\n"),
		"list":                 "c t\n" + fill("l a 1\n"),
		"words":                "c t " + fill("a "),
		"bad lines":            fill("x\n"),
		"single quotes":        fill("'\n"),
		"every line opens":     "c t\n" + fill("o a \\''\n"),
		"every line breaks":    "c t\n" + fill("o a \\'' ''\n"),
		"both kinds of quotes": "c t\n" + fill("o a '\"'\n"),
		"backslashes":          "c t\no a " + fill("\\\n"),
		"one quote":            "c t\no a '" + fill("\n"),
	} {
		d := took(text)
		if t.Logf("%s: %v, of comments it is %v", name, d, harmless); d > 100*harmless {
			t.Errorf("%s: that is out of proportion", name)
		}
	}
}
