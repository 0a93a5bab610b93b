package uci

import (
	"strings"
	"testing"
)

const deltaBase = `
config dnsmasq
config dhcp lan
	option a 1
	list b x
	list b y
	list b x
config host
	option name one
config host
	option name two
`

func TestApply(t *testing.T) {
	const (
		dnsmasq = "*dnsmasq cfg01411c:\n"
		lan     = "dhcp lan: a=1 b=[x y x]\n"
		one     = "*host cfg03fe63: name=one\n"
		two     = "*host cfg04fe63: name=two"
	)
	for _, tt := range []parseTest{
		{name: "empty", want: dnsmasq + lan + one + two},
		{name: "set", in: "dhcp.lan.a='2'\ndhcp.lan.c='it'\\''s'", want: dnsmasq + "dhcp lan: a=2 b=[x y x] c=it's\n" + one + two},
		{name: "set multi-line", in: "dhcp.lan.a='2\n3'\ndhcp.lan.b='='\n", want: dnsmasq + "dhcp lan: a=2\\n3 b==\n" + one + two},
		{name: "set empty deletes", in: "dhcp.lan.a=''\ndhcp.lan.z=''\ndhcp.cfg03fe63=''", want: dnsmasq + "dhcp lan: b=[x y x]\n" + two},
		{name: "set by internal id", in: "dhcp.cfg04fe63.name='2'", want: dnsmasq + lan + one + "*host cfg04fe63: name=2"},
		{name: "set by type and index", in: "dhcp.@host[1].name='2'\ndhcp.@host[-2].name='1'",
			want: dnsmasq + lan + "*host cfg03fe63: name=1\n*host cfg04fe63: name=2"},
		{name: "named sections have an index, too", in: "dhcp.@dhcp[0].a='2'", want: dnsmasq + "dhcp lan: a=2 b=[x y x]\n" + one + two},
		{name: "new named section", in: "dhcp.wan='dhcp'\ndhcp.wan.a='1'", want: dnsmasq + lan + one + two + "\ndhcp wan: a=1"},
		{name: "new anonymous section", in: "+dhcp.cfg05fe63='host'\ndhcp.cfg05fe63.name='x'",
			want: dnsmasq + lan + one + two + "\n*host cfg05fe63: name=x"},
		{name: "set type", in: "dhcp.lan='relay'", want: dnsmasq + "relay lan: a=1 b=[x y x]\n" + one + two},
		{name: "add to list", in: "|dhcp.lan.b='z z'\n|dhcp.lan.a='2'\n|dhcp.lan.c='1'",
			want: dnsmasq + "dhcp lan: a=[1 2] b=[x y x \"z z\"] c=[1]\n" + one + two},
		{name: "remove from list", in: "~dhcp.lan.b='x'\n~dhcp.lan.a='1'\n~dhcp.lan.z='1'", want: dnsmasq + "dhcp lan: a=1 b=[y]\n" + one + two},
		{name: "remove all of a list", in: "~dhcp.lan.b='x'\n~dhcp.lan.b='y'", want: dnsmasq + "dhcp lan: a=1\n" + one + two},
		{name: "delete option and section", in: "-dhcp.lan.a\n-dhcp.cfg03fe63\n-dhcp.@host[0]\n-dhcp.cfg01411c", want: "dhcp lan: b=[x y x]"},
		{name: "delete what is not there", in: "-dhcp.lan.z\n-dhcp.wan\n-dhcp.wan.a\n-dhcp.@host[7]", want: dnsmasq + lan + one + two},
		{name: "delete list element", in: "-dhcp.lan.b='1'\n-dhcp.lan.b='7'", want: dnsmasq + "dhcp lan: a=1 b=[x x]\n" + one + two},
		{name: "deleted option comes back last", in: "-dhcp.lan.a\ndhcp.lan.a='2'", want: dnsmasq + "dhcp lan: b=[x y x] a=2\n" + one + two},
		{name: "deleted section comes back last", in: "-dhcp.lan\ndhcp.lan='dhcp'", want: dnsmasq + one + two + "\ndhcp lan:"},
		{name: "rename section", in: "@dhcp.cfg03fe63='first'\ndhcp.first.name='1'\n@dhcp.lan='lan'",
			want: dnsmasq + lan + "host first: name=1\n" + two},
		{name: "rename option", in: "@dhcp.lan.a='z'\n@dhcp.lan.z='z'\ndhcp.lan.z='2'", want: dnsmasq + "dhcp lan: z=2 b=[x y x]\n" + one + two},
		{name: "reorder", in: "^dhcp.lan='0'\n^dhcp.cfg01411c='99'", want: lan + one + two + "\n*dnsmasq cfg01411c:"},
		{name: "comments, empty lines and CR LF", in: "\n# x\ndhcp.lan.a='2'\r\n''\n", want: dnsmasq + "dhcp lan: a=2 b=[x y x]\n" + one + two},
		{name: "bad changes are dropped alone", want: dnsmasq + "dhcp lan: a=2 b=[x y x]\n" + one + two, in: strings.Join([]string{
			"network.lan.a='1'", "dhcp.wan.a='1'", "dhcp", "dhcp.lan.a", "dhcp.lan.a.b='1'", "dhcp.lan.a-b='1'", "dhcp.lan='a b'",
			"dhcp.a-b='host'", "dhcp.@host='x'", "dhcp.@host[2].name='x'", "dhcp.@host[x].name='y'", "+dhcp.lan.a='1'",
			"|dhcp.lan='x'", "~dhcp.lan.b", "@dhcp.lan", "@dhcp.lan='a-b'", "@dhcp.lan='cfg03fe63'", "@dhcp.lan.a='b'",
			"@dhcp.lan.z='y'", "^dhcp.lan='-1'", "^dhcp.lan.a='1'", "^dhcp.wan='1'", "-dhcp.lan.b='x'", "dhcp.lan.a='\x01'",
			"dhcp.lan.a='\x00'", "dhcp.lan.a='1' x", "=", "dhcp..a='1'", "dhcp.lan.a='2'"}, "\n"),
			problems: []string{`1: change for package "network": this is "dhcp"`, `2: no section "wan"`, "3: is allowed",
				"4: pkg.section[.option]='value' is allowed", "5: is allowed", "6: option name", "7: section type", "8: section name", "9: section",
				"10: there are 2", "11: @type[n] is allowed", "12: +pkg.section='type' is allowed", "13: is allowed", "14: is allowed",
				"15: is allowed", "16: new name", "17: another section has it", "18: another option has it", `19: no option "z"`,
				"20: position", "21: is allowed", "22: no section", "23: a number is allowed", "24: control byte", "25: NUL byte",
				"26: is allowed", "27: is allowed", "28: no section"}},
		{name: "unterminated quote", in: "dhcp.lan.a='2\ndhcp.lan.c='3'\ndhcp.lan.d='4'", problems: []string{"1: unterminated quote"},
			want: dnsmasq + "dhcp lan: a=1 b=[x y x] c=3 d=4\n" + one + two},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pkg, problems := Parse("/etc/config/dhcp", []byte(deltaBase))
			checkProblems(t, problems, nil)
			checkProblems(t, pkg.Apply("/tmp/.uci/dhcp", []byte(tt.in)), tt.problems)
			checkDump(t, pkg, tt.want)
		})
	}
}

func TestApplyTooLarge(t *testing.T) {
	pkg, _ := Parse("dhcp", nil)
	checkProblems(t, pkg.Apply("d", make([]byte, MaxSize+1)), []string{"0: file too large"})
}

func TestApplyPositions(t *testing.T) {
	pkg, _ := Parse("c", []byte("config t n\nlist a 1\n"))
	pkg.Apply("d", []byte("\n|c.n.a='2'\n|c.n.a='3'\n~c.n.a='2'\n"))
	o := pkg.Sections[0].Get("a")
	if o.ValuePos(0) != (Pos{"c", 2}) || o.ValuePos(1) != (Pos{"d", 3}) {
		t.Errorf("got %v, %v", o.ValuePos(0), o.ValuePos(1))
	}
}

// Moves and deletions search the package, so an absurd number of them is refused.
func TestApplyWorkIsLimited(t *testing.T) {
	pkg, _ := Parse("c", []byte(strings.Repeat("c t\n", 200000)))
	problems := pkg.Apply("d", []byte(strings.Repeat("^c.cfg01b619='1'\n", 1000)))
	if len(problems) == 0 || !strings.Contains(problems[0].Text, "too many deletions and moves") || len(pkg.Sections) != 200000 {
		t.Errorf("got %d sections, problems %v", len(pkg.Sections), problems)
	}
}
