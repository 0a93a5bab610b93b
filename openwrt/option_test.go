package openwrt

import (
	"reflect"
	"strings"
	"testing"

	"lan6d/openwrt/uci"
)

// row is one case of an option table: lines of a section, what they change in a fresh T, and the one problem that they
// cause, "severity option: text" or the beginning of it.
type row[T any] struct {
	lines   string
	want    func(*T) // nil: nothing changes
	problem string   // empty: none
	spoiled bool     // the whole section
}

// testTable applies every row to a fresh T, and makes sure that for every option of the table that has a setter there is
// a row that is right and one that is wrong.
func testTable[T any](t *testing.T, table func(*T) table, fresh func() T, rows []row[T]) {
	t.Helper()
	right, wrong := make(map[string]bool), make(map[string]bool)
	for _, r := range rows {
		pkg, bad := uci.Parse("test", []byte("config section 'lan'\n"+r.lines+"\n"))
		if len(bad) > 0 {
			t.Fatalf("%s: %v", r.lines, bad)
		}
		name := pkg.Sections[0].Options[0].Name
		if r.problem == "" || strings.HasPrefix(r.problem, "warning") {
			right[name] = true
		} else {
			wrong[name] = true
		}
		got, want := fresh(), fresh()
		if r.want != nil {
			r.want(&want)
		}
		b := &builder{config: &Config{}}
		ok := b.apply(pkg.Sections[0], table(&got), false)
		if ok == r.spoiled {
			t.Errorf("%s: section usable: %v", r.lines, ok)
		}
		if !r.spoiled && !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", r.lines, got, want)
		}
		var problem string
		for _, p := range b.problems {
			problem += p.Severity.String() + " " + p.Option + ": " + p.Text
		}
		if r.problem == "" && problem != "" || !strings.HasPrefix(problem, r.problem) {
			t.Errorf("%s: problem %q, want %q", r.lines, problem, r.problem)
		}
	}
	for _, o := range table(new(T)).options {
		if o.gone != "" && !right[o.name] {
			t.Errorf("%s: no row for an option that no longer works", o.name)
		}
		if (o.one != nil || o.many != nil) && (!right[o.name] || !wrong[o.name]) {
			t.Errorf("%s: a right row: %v, a wrong one: %v", o.name, right[o.name], wrong[o.name])
		}
	}
}

// No table has two options of one name.
func TestTablesAreUnambiguous(t *testing.T) {
	testNames(t, "interface", interfaceOptions(&Interface{}))
	testNames(t, "host", hostOptions(&host{}))
	testNames(t, "odhcpd", odhcpdOptions(&daemon{}))
	testNames(t, "lan6d", daemonOptions(&daemon{}))
	testNames(t, "boot6", bootOptions(&bootFile{}))
	testNames(t, "globals", globalsOptions(&globals{}))
	testNames(t, "system", systemOptions(&system{}))
}

func testNames(t *testing.T, name string, table table) {
	seen := make(map[string]bool)
	options := table.options
	for _, foreign := range strings.Fields(table.foreign) {
		options = append(options, option{name: foreign})
	}
	for _, o := range options {
		if seen[o.name] {
			t.Errorf("%s: option %s is in the table twice", name, o.name)
		}
		if o.one != nil && o.many != nil || o.gone != "" && (o.one != nil || o.many != nil) {
			t.Errorf("%s: option %s is of two kinds", name, o.name)
		}
		seen[o.name] = true
	}
}

func TestListShapes(t *testing.T) {
	fresh := func() Interface { return newInterface("lan") }
	domains := func(names ...string) func(*Interface) {
		return func(i *Interface) { i.Server.Search = names }
	}
	for _, r := range []row[Interface]{
		{lines: "option domain 'a b\t c'", want: domains("a", "b", "c")},
		{lines: "list domain 'a'\nlist domain 'b'", want: domains("a", "b")},
		{lines: "option domain 'a'\nlist domain 'b'", want: domains("a", "b")},
		{lines: "list domain 'a'\noption domain 'b'", want: domains("b")},
		{lines: "list domain 'a b'", problem: `error domain: "a b" is no domain name`},
		{lines: "list domain ''", problem: `error domain: `},
		{lines: "option domain ' '", want: domains()},
		{lines: "option domain ''\noption master 0"},
		{lines: "list domain 'a'\nlist domain '-.-..'\nlist domain 'c'", want: domains("a", "c"), problem: "error domain: "},
		{lines: "list master '1'", problem: `error master: is written as a list, allowed is: option master "1"`},
		{lines: "list leasetime '1h'", problem: "error leasetime: is written as a list"},
		{lines: "option nonsense '1'"},
	} {
		pkg, _ := uci.Parse("test", []byte("config section 'lan'\n"+r.lines+"\n"))
		if len(pkg.Sections[0].Options) == 0 {
			t.Fatal(r.lines)
		}
		got, want := fresh(), fresh()
		if r.want != nil {
			r.want(&want)
		}
		b := &builder{config: &Config{}}
		b.apply(pkg.Sections[0], interfaceOptions(&got), false)
		if strings.Join(got.Server.Search, ",") != strings.Join(want.Server.Search, ",") {
			t.Errorf("%s: %q, want %q", r.lines, got.Server.Search, want.Server.Search)
		}
		if (len(b.problems) > 0) != (r.problem != "") {
			t.Errorf("%s: problems %v, want %q", r.lines, b.problems, r.problem)
		}
		for _, p := range b.problems {
			if got := p.Severity.String() + " " + p.Option + ": " + p.Text; !strings.HasPrefix(got, r.problem) {
				t.Errorf("%s: problem %q, want %q", r.lines, got, r.problem)
			}
		}
	}
}

func TestSuggest(t *testing.T) {
	for name, want := range map[string]string{
		"log_level": "loglevel", "loglevle": "loglevel", "max_offer": "max_offers", "leasfile": "leasefile", "host_dir": "hostsdir",
		"x": "", "preference": "", "": "", strings.Repeat("loglevel", 100): "",
	} {
		got := daemonOptions(&daemon{}).suggest(name)
		if want != "" {
			want = `, did you mean "` + want + `"?`
		}
		if got != want {
			t.Errorf("suggest(%q) = %q, want %q", name, got, want)
		}
	}
}
