package uci

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// seeds are files that readers get wrong.
var seeds = []string{
	"",
	"\n",
	"config dhcp 'lan'\n\toption interface 'lan'\n\tlist dns '2001:db8::1'\n\tlist dns 'fe80::1'\n",
	"package dhcp\nconfig host\n\toption name 'it'\\''s'\n\tlist duid '0003000102%1'\n",
	"c t\no a x\\\r\ny\nl a \"z\\\"\"\n",
	"config t n\r\noption a 'x\r\ny'\r\n",
	"config t n; option a 1\noption a '1'; option b 2 # c\n",
	"config t n\noption a plain#x\n#'\n",
	"config t n\noption a 'x\noption b 'y'\nconfig t m\noption c 'z z'\n",
	"config t n\noption a \"\\\"\nconfig u n\noption a \\''\n",
	"\ufeffconfig t n\noption a ''\nlist b ''\noption b",
	"config a.b-c@[0] n\noption a-b 1\nconfig t my-pc\n",
	"config t cfg02b619\nconfig t\nconfig t cfg02b619\noption a 1\n",
	"option a 1\nconfig\nlist\noptoin x\n\x00\nconfig t \x00\n",
	"config '\xff\xfe' '\x01'\noption a '\x01\x7f\xff'\n",
	"'\n\"\n\\\n;\n#\n'';''\n",
	// As forged host names and DUIDs might look, should they ever get into a file.
	"config host 'evil'\n\toption name 'a\nconfig dhcp wan\n\toption dhcpv6 server'\n",
	"config host\n\toption name '<script>alert(1)</script>'\n\toption duid '" + strings.Repeat("ff", 300) + "'\n",
	"config host\n\toption name '`reboot`$(reboot)%s%n'\n\tlist mac '../../etc/shadow'\n",
}

var deltaSeeds = []string{
	"",
	"dhcp.lan.a='1'\ndhcp.lan='dhcp'\n",
	"+dhcp.cfg03fe63='host'\n|dhcp.cfg03fe63.duid='x'\n~dhcp.cfg03fe63.duid='x'\n-dhcp.cfg03fe63\n",
	"@dhcp.lan='wan'\n@dhcp.wan.a='b'\n^dhcp.wan='0'\n",
	"dhcp.@host[0].name='it'\\''s\nnew'\n-dhcp.@host[-1]\n",
	"dhcp.lan.a='x\ndhcp.lan.b='y'\n",
	"-dhcp.lan.b='0'\n|dhcp.lan.a=''\ndhcp.lan.a=''\ndhcp.lan=''\n",
	"^dhcp.@dhcp[-1]='4294967295'\n^dhcp.@dhcp[99999999999999999999]='0'\n",
	"+dhcp.lan='host'\n@dhcp.lan='cfg01411c'\n-dhcp.cfg01411c\n-dhcp.cfg01411c\n",
	"....\n=\n+\n-.\n@.=\n~..=\n|a.b.c.d=e\n\x00\n'\n",
}

func FuzzParse(f *testing.F) {
	for _, s := range append(seeds, deltaBase) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		pkg, problems := Parse("/etc/config/dhcp", text)
		if !bytes.Equal(before, text) {
			t.Fatal("Parse changed its input")
		}
		checkSound(t, pkg)
		checkReported(t, pkg, problems, 1+bytes.Count(text, []byte{'\n'}))
		again := format(pkg)
		if len(again) > MaxSize {
			return
		}
		pkg2, _ := Parse("/etc/config/dhcp", again)
		if got, want := dump(pkg2), dump(pkg); got != want {
			t.Fatalf("formatted as\n%s\nread again as\n%s\nbut was\n%s", again, got, want)
		}
	})
}

func FuzzApply(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(deltaBase), []byte(s))
	}
	for _, s := range deltaSeeds {
		f.Add([]byte(deltaBase), []byte(s))
		f.Add([]byte("config dhcp lan\noption a\nx"), []byte(s))
	}
	f.Fuzz(func(t *testing.T, text, delta []byte) {
		pkg, _ := Parse("/etc/config/dhcp", text)
		problems := pkg.Apply("/tmp/.uci/dhcp", delta)
		checkSound(t, pkg)
		checkLines(t, problems, 1+bytes.Count(delta, []byte{'\n'}))
	})
}

// checkSound checks what must hold of any package.
func checkSound(t *testing.T, pkg *Package) {
	t.Helper()
	for _, s := range pkg.Sections {
		if !validName(s.Name) || !validType(s.Type) && !(s.Bad && s.Type == "") {
			t.Fatalf("section %q of type %q, bad %v", s.Name, s.Type, s.Bad)
		}
		var names []string
		for _, o := range s.Options {
			if !validName(o.Name) || slices.Contains(names, o.Name) {
				t.Fatalf("option %q in section %q", o.Name, s.Name)
			}
			names = append(names, o.Name)
			checkValues(t, o)
		}
	}
}

func checkValues(t *testing.T, o *Option) {
	t.Helper()
	if len(o.Values) == 0 || len(o.Values) != len(o.at) || !o.List && (len(o.Values) > 1 || o.Values[0] == "") {
		t.Fatalf("option %s: list %v, values %q at %v", o.Name, o.List, o.Values, o.at)
	}
	for _, v := range o.Values {
		if strings.Contains(v, "\x00") {
			t.Fatalf("option %s: NUL byte in %q", o.Name, v)
		}
	}
}

// checkReported checks that no section is bad without a problem.
func checkReported(t *testing.T, pkg *Package, problems []Problem, lines int) {
	t.Helper()
	checkLines(t, problems, lines)
	bad := slices.ContainsFunc(pkg.Sections, func(s *Section) bool { return s.Bad })
	if bad && len(problems) == 0 {
		t.Fatalf("a bad section, but no problem: %s", dump(pkg))
	}
}

func checkLines(t *testing.T, problems []Problem, lines int) {
	t.Helper()
	for _, p := range problems {
		if p.Pos.Line < 0 || p.Pos.Line > lines || strings.ContainsAny(p.Text, "\n\x00\x1b") {
			t.Fatalf("problem %q of a text of %d lines", p, lines)
		}
	}
}

// format writes a package as a file that reads the same.
func format(p *Package) []byte {
	var b bytes.Buffer
	for _, s := range p.Sections {
		fmt.Fprintf(&b, "config %s", quoted(s.Type))
		if !s.Anonymous {
			fmt.Fprintf(&b, " %s", quoted(s.Name))
		}
		b.WriteByte('\n')
		for _, o := range s.Options {
			keyword := "option"
			if o.List {
				keyword = "list"
			}
			for _, v := range o.Values {
				fmt.Fprintf(&b, "\t%s %s %s\n", keyword, o.Name, quoted(v))
			}
		}
		if s.Bad {
			b.WriteString("bad\n")
		}
	}
	return b.Bytes()
}

func quoted(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
