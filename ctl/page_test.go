package ctl

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"lan6d/ctl/json"
)

func parse(t testing.TB, text string) *json.Value {
	t.Helper()
	v, err := json.Parse(text, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestNarrow: columns that may be cut are, the widest first; if that is not enough, some are left out, and then lines are cut.
func TestNarrow(t *testing.T) {
	leases := parse(t, leasesReply)
	for width, want := range map[int]string{
		200: leasesTable,
		110: `INTERFACE  HOST                LEASE              PREFERRED  VALID    STATE                CLIENT
lan        laptop              2001:db8:1::1a3    13m12s     43m12s   bound                00030001020000000..
                               fd00:1::1a3        forever    forever
lan                            2001:db8:1:4::/62  0s         12h0m    bound static with..  00030001020000000..
guest      a\u001b]0;owned\..  2001:db8:2::99     40s        59s      offered              00030001020000000..
guest                          2001:db8:2::9a     0s         59m59s   declined
guest      phone                                                      free                 000200007ed901020..
`,
		70: `INTERFACE  HOST       LEASE              VALID    STATE      CLIENT
lan        laptop     2001:db8:1::1a3    43m12s   bound      0003000..
                      fd00:1::1a3        forever
lan                   2001:db8:1:4::/62  12h0m    bound s..  0003000..
guest      a\u001b..  2001:db8:2::99     59s      offered    0003000..
guest                 2001:db8:2::9a     59m59s   declined
guest      phone                                  free       0002000..
(no room for PREFERRED)
`,
		60: `INTERFACE  HOST       LEASE              VALID    STATE
lan        laptop     2001:db8:1::1a3    43m12s   bound
                      fd00:1::1a3        forever
lan                   2001:db8:1:4::/62  12h0m    bound st..
guest      a\u001b..  2001:db8:2::99     59s      offered
guest                 2001:db8:2::9a     59m59s   declined
guest      phone                                  free
(no room for PREFERRED, CLIENT)
`,
		40: `INTERFACE  HOST      LEASE            ..
lan        laptop    2001:db8:1::1a3  ..
                     fd00:1::1a3      ..
lan                  2001:db8:1:4::/62..
guest      a\u001..  2001:db8:2::99   ..
guest                2001:db8:2::9a   ..
guest      phone                      ..
(no room for PREFERRED, CLIENT)
`,
	} {
		p := &page{width: width}
		p.show(mustFind(t, "leases").view, leases)
		if p.text.String() != want {
			t.Errorf("%d columns:\n%s\nwant\n%s", width, &p.text, want)
		}
	}
	for width := range 150 {
		p := &page{width: width}
		p.show(mustFind(t, "leases").view, leases)
		for line := range strings.Lines(p.text.String()) {
			if n := utf8.RuneCountInString(line) - 1; n > width && width > 1 {
				t.Errorf("%d columns: a line has %d", width, n)
			}
		}
	}
}

// TestLongAddress: an address of any length leaves room in an ordinary terminal for what it is about.
func TestLongAddress(t *testing.T) {
	p := &page{width: 80}
	p.show(mustFind(t, "leases").view, parse(t, `{"leases":[
		{"interface":"lan","state":"bound","duid":"00010001c792bc9700112233445566","iaid":1,"hostname":"laptop-of-somebody","static":true,
			"leases":[{"address":"2001:db8:1234:5678:9abc:def0:1234:5678","preferred":1800,"valid":43200}]},
		{"interface":"lan","state":"bound","duid":"00010001c792bc9700112233445567","iaid":1,"hostname":"phone","leases":[]}]}`))
	const want = `INTERFACE  HOST        LEASE                                   VALID  STATE
lan        laptop-o..  2001:db8:1234:5678:9abc:def0:1234:5678  12h0m  bound st..
lan        phone                                                      bound
(no room for PREFERRED, CLIENT)
`
	if p.text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &p.text, want)
	}
}

// TestLongTexts: what is told of methods and arguments is there in whole in an ordinary terminal.
func TestLongTexts(t *testing.T) {
	reply := parse(t, `{"methods":[
		{"name":"leases","doc":"who has which address and which prefix","changes":false,"arguments":[
			{"name":"interface","type":"string","doc":"logical name or device"},
			{"name":"state","type":"string","values":["bound","offered","declined","free"],"doc":"of the binding; default: all but free"}]},
		{"name":"reconfigure","doc":"have clients ask","changes":true,"arguments":[{"name":"duid","type":"array of strings","doc":"a`+strings.Repeat("b", 50)+`"}]}],
		"events":["config"]}`)
	const wide = `METHOD       ARGUMENT   TYPE              ABOUT
leases                                    who has which address and which prefix
             interface  string            logical name or device
             state      string            bound, offered, declined, free: of the binding; default: all but free
reconfigure                               have clients ask (changes things: for root and lan6d's own user)
             duid       array of strings  abbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
events: config
`
	const narrow = `METHOD       ARGUMENT   TYPE              ABOUT
leases                                    who has which address and which prefix
             interface  string            logical name or device
             state      string            bound, offered, declined, free: of the
                                          binding; default: all but free
reconfigure                               have clients ask (changes things: for
                                          root and lan6d's own user)
             duid       array of strings  abbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
                                          bbbbbbbbbbbbb
events: config
`
	for width, want := range map[int]string{0: wide, 200: wide, 80: narrow} {
		p := &page{width: width}
		p.show(mustFind(t, "list").view, reply)
		if p.text.String() != want {
			t.Errorf("%d columns:\n%s\nwant\n%s", width, &p.text, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		text       string
		width      int
		line, rest string
	}{
		{"", 3, "", ""}, {"abc", 3, "abc", ""}, {"abc ", 3, "abc", ""}, {"abc d", 3, "abc", "d"}, {"ab cd", 3, "ab", "cd"},
		{"abcd", 3, "abc", "d"}, {" abcd", 3, " ab", "cd"}, {"äöü ß", 3, "äöü", "ß"}, {"äöüß", 1, "ä", "öüß"}, {"    ", 2, "  ", " "},
	} {
		if line, rest := wrap(tt.text, tt.width); line != tt.line || rest != tt.rest {
			t.Errorf("%q in %d: %q and %q", tt.text, tt.width, line, rest)
		}
	}
}

func mustFind(t *testing.T, name string) *command {
	t.Helper()
	c, err := find(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestColors: each row has the colour of what it tells, and without colour nothing of it.
func TestColors(t *testing.T) {
	p := &page{color: true}
	p.show(mustFind(t, "leases").view, parse(t, leasesReply))
	p.show(mustFind(t, "status").view, parse(t, statusReply))
	for _, want := range []string{
		"\x1b[1mINTERFACE  HOST", "\nlan        laptop", "\x1b[2mguest      a", "\x1b[33mguest  ", "\x1b[2mguest      phone",
		"\x1b[1mlan6d 0.3, up 3d4h, process 1234\x1b[0m\n", "\x1b[31mleases are not written: no space left on device\x1b[0m\n",
		"\x1b[31merror: /etc/config/dhcp:31:", "\x1b[33mwarning: /etc/config/lan6d:3:", "\x1b[33mwarning: odhcpd", "\x1b[31miot is not served:",
	} {
		if !strings.Contains(p.text.String(), want) {
			t.Errorf("want %q in\n%s", want, &p.text)
		}
	}
}

// TestSpan: times for people.
func TestSpan(t *testing.T) {
	for seconds, want := range map[int64]string{
		-1: "forever", 0: "0s", 59: "59s", 60: "1m0s", 2592: "43m12s", 3599: "59m59s", 3600: "1h0m", 5430: "1h30m", 86399: "23h59m",
		86400: "1d0h", 90000: "1d1h", 4294967294: "49710d6h",
	} {
		if got := span(seconds); got != want {
			t.Errorf("%d seconds are %s, want %s", seconds, got, want)
		}
	}
}

func TestFill(t *testing.T) {
	v := parse(t, `{"s":"text","n":7,"zero":0,"iaid":255,"valid":90,"yes":true,"no":false,"up":false,"null":null,"list":["a","b"],
		"object":{"a":1,"b":{"c":"d"}},"objects":[{"a":1,"b":"c"},{"a":2}],"many":12345678901,"offers":0}`)
	inner := parse(t, `{"s":"inner"}`)
	for _, tt := range []struct {
		template, want string
		some, all      bool
	}{
		{"", "", false, true},
		{"plain", "plain", false, true},
		{"{s}/{.s}", "text/inner", true, true},
		{"{none}{null}{no}{none/a}{s/a}", "", false, false},
		{"{s} {none}", "text ", true, false},
		{"{yes} {up} {n} {zero} {many} {iaid} {valid}", "yes down 7 0 many ff 1m30s", true, true},
		{"{list}; {object}; {objects}; {object/b/c}", "a, b; a 1, b c d; a 1 b c, a 2; d", true, true},
		{"a[ b]", "a b", true, true},
		{"a[ {none}]c", "ac", false, true},
		{"a[ {n} {none}]c", "ac", false, true},
		{"a[ +{offers} offered][ {n}]", "a 7", true, true},
	} {
		if got, some, all := fill(tt.template, v, inner); got != tt.want || some != tt.some || all != tt.all {
			t.Errorf("%s gives %q, %v, %v", tt.template, got, some, all)
		}
	}
	if got, _, _ := fill("{}", parse(t, `"text"`), nil); got != "text" {
		t.Errorf("a string: %q", got)
	}
	if got, _, _ := fill("{s}[{.s}]", nil, nil); got != "" {
		t.Errorf("nothing: %q", got)
	}
}

// FuzzShow shows what a hostile daemon, or a hostile client through the daemon, may have put in. No view may panic, steer
// the terminal, or be wider than it.
func FuzzShow(f *testing.F) {
	f.Add(statusReply, uint8(80))
	f.Add(leasesReply, uint8(0))
	f.Add(`{"text":"a\u001b[31m\nb","methods":[{"name":"\u202e","arguments":[{"name":"a"}]}],"leases":["a"],"level":5}`, uint8(3))
	f.Add(`{"leases":[{"leases":[[],{},1,null]},7,"x",[]],"interfaces":{"a":{"prefixes":[{"prefix":"\u009b31m"}]}},"problems":[1,"\u0007"],"warnings":"x"}`, uint8(9))
	f.Fuzz(func(t *testing.T, text string, width uint8) {
		v, err := json.Parse(text, 1000)
		if err != nil || v.Raw[0] != '{' {
			return
		}
		for i := range commands {
			view := commands[i].view
			if view == "" {
				continue
			}
			p := &page{width: int(width)}
			p.show(view, v)
			for line := range strings.SplitSeq(p.text.String(), "\n") {
				if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !strconv.IsPrint(r) }) {
					t.Fatalf("%s shows %q", commands[i].name, line)
				}
			}
		}
		if line, _, _ := fill(eventView, v, nil); json.Printable(line) != json.Printable(json.Printable(line)) {
			t.Fatalf("%q", line)
		}
	})
}

func TestNear(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		n    int
	}{
		{"", "", 0}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "ab", 1}, {"ab", "abc", 1}, {"abc", "bc", 1}, {"statsu", "status", 2},
		{"", "ab", 2}, {"kitten", "sitting", 3},
	} {
		for n := range 5 {
			if got := near(tt.a, tt.b, n); got != (n >= tt.n) {
				t.Errorf("%s and %s, %d changes: %v", tt.a, tt.b, n, got)
			}
		}
	}
}
