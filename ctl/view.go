package ctl

import (
	"strconv"
	"strings"

	"lan6d/ctl/json"
)

// show writes a reply as a view says. Each line of a view begins with an octet that says what it is:
//
//	'-' a line: shown if something that is named in it is there, or nothing is named; '#' a heading, '!' an error
//	'*' a list, and the line that is shown for each of its elements
//	'|' a list, and the columns of a table of it: the heading, and what stands in the cells. Behind a colon a list within
//	    the elements may be named, whose elements are {.name}: each gets a row; with + before it, a row of its own
//	'=' a text of several lines
//	'$' all of it, as JSON
//
// {name} is a member, {a/b} one of a member. What is in brackets is left out if something that is named in it is not
// there.
func (p *page) show(view string, v *json.Value) {
	for _, line := range strings.Split(view, "\n") {
		path, rest, _ := strings.Cut(line[1:], " ")
		switch line[0] {
		case '*':
			elements := get(v, path).Items
			for i := range elements {
				p.fillLine(colorOf(&elements[i]), rest, &elements[i])
			}
		case '|':
			p.showTable(strings.Split(rest, "|"), path, v)
		case '=':
			p.lines(text(v, path))
		case '$':
			p.lines(v.Indent("\n"))
		case '#':
			p.fillLine(bold, rest, v)
		case '!':
			p.fillLine(red, rest, v)
		default:
			p.fillLine(plain, rest, v)
		}
	}
}

func (p *page) lines(text string) {
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		p.line(plain, line)
	}
}

// fillLine writes the line that a template gives, if something that is named in it is there, or nothing is named.
func (p *page) fillLine(color, template string, v *json.Value) {
	if text, some, _ := fill(template, v, nil); some || strings.IndexByte(template, '{') < 0 {
		p.line(color, text)
	}
}

// showTable writes a table of a list, and of one within its elements, whose name stands behind a colon.
func (p *page) showTable(columns []string, path string, v *json.Value) {
	path, within, _ := strings.Cut(path, ":")
	within, apart := strings.CutPrefix(within, "+")
	rows := make([]row, 1)
	for i := range columns {
		heading := ""
		heading, columns[i], _ = strings.Cut(columns[i], " ")
		rows[0].cells = append(rows[0].cells, heading)
	}
	rows[0].color = bold
	elements := get(v, path).Items
	for i := range elements {
		e := &elements[i]
		var inner []json.Value
		if within != "" {
			inner = get(e, within).Items
		}
		outer := e
		if apart || len(inner) == 0 {
			rows = append(rows, fillRow(columns, e, e, nil))
			outer = nil
		}
		for n := range inner {
			rows = append(rows, fillRow(columns, e, outer, &inner[n]))
			outer = nil
		}
	}
	if len(elements) == 0 {
		p.line(plain, "none")
		return
	}
	p.table(rows)
}

func fillRow(columns []string, e, outer, inner *json.Value) row {
	r := row{color: colorOf(e)}
	for _, c := range columns {
		text, _, _ := fill(c, outer, inner)
		r.cells = append(r.cells, text)
	}
	return r
}

// colorOf is the colour for an element of a list.
func colorOf(e *json.Value) string {
	switch is := text(e, "severity") + text(e, "state"); {
	case is == "error" || e.Has("reason"):
		return red
	case is == "warning" || is == "declined" || e.Raw[0] == '"':
		return yellow
	case is == "offered" || is == "free":
		return dim
	}
	return plain
}

// fill puts what v has in the place of the names in a template, and what inner has in the place of those that begin with a
// point. It returns whether some and whether all of that is there.
func fill(template string, v, inner *json.Value) (filled string, some, all bool) {
	all = true
	for {
		i := strings.IndexAny(template, "{[")
		if i < 0 {
			return filled + template, some, all
		}
		filled += template[:i]
		var name, text string
		if template[i] == '{' {
			name, template, _ = strings.Cut(template[i+1:], "}")
			text = named(name, v, inner)
			all = all && text != ""
		} else {
			name, template, _ = strings.Cut(template[i+1:], "]")
			var whole bool
			if text, _, whole = fill(name, v, inner); !whole {
				text = ""
			}
		}
		filled += text
		some = some || text != ""
	}
}

// named is what a name in a template stands for.
func named(path string, v, inner *json.Value) string {
	if path != "" && path[0] == '.' {
		path, v = path[1:], inner
	}
	return say(get(v, path), path[strings.LastIndexByte(path, '/')+1:], ", ")
}

// get follows a path: of an empty one, v itself; nothing is nil.
func get(v *json.Value, path string) *json.Value {
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, "/")
		if v = v.Get(name); v == nil {
			return nothing
		}
	}
	if v == nil {
		return nothing
	}
	return v
}

var nothing = &json.Value{Raw: "null"}

// say is a value for people, which is a member of that name.
func say(v *json.Value, name, separator string) string {
	all := ""
	switch v.Raw[0] {
	case '"':
		all, _ = v.Text()
	case 't':
		return name
	case 'f':
		switch name {
		case "up":
			return "down"
		case "connected":
			return "not connected"
		}
	case 'n':
	case '{':
		for i := range v.Items {
			e := &v.Items[i]
			all += separator + e.Name + " " + say(e, e.Name, " ")
		}
		all = strings.TrimPrefix(all, separator)
	case '[':
		for i := range v.Items {
			all += ", " + say(&v.Items[i], "", " ")
		}
		all = strings.TrimPrefix(all, ", ")
	default:
		return sayNumber(v.Raw, name)
	}
	return all
}

func sayNumber(number, name string) string {
	n, _ := strconv.ParseInt(number, 10, 64)
	switch {
	case strings.Contains(" valid preferred uptime loaded ", " "+name+" "):
		return span(n)
	case name == "iaid":
		return strconv.FormatInt(n, 16)
	case n == 0 && (name == "offers" || name == "declined"):
		return ""
	case len(number) > 9:
		return "many"
	}
	return number
}

// span is seconds for people, in the two largest units; -1 is for ever.
func span(seconds int64) string {
	const hour, minute = 3600, 60
	days, s := int(seconds/(24*hour)), int(seconds%(24*hour))
	switch {
	case seconds < 0:
		return "forever"
	case days > 0:
		return units(days, "d", s/hour, "h")
	case s >= hour:
		return units(s/hour, "h", s%hour/minute, "m")
	case s >= minute:
		return units(s/minute, "m", s%minute, "s")
	}
	return strconv.Itoa(s) + "s"
}

func units(n int, unit string, rest int, smaller string) string {
	return strconv.Itoa(n) + unit + strconv.Itoa(rest) + smaller
}
