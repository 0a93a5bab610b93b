package ctl

import (
	"strings"
	"unicode/utf8"

	"lan6d/ctl/json"
)

// Colours, as a terminal is told.
const (
	plain  = ""
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// page is text for people. What is written to it is made harmless: only what page itself adds can steer a terminal.
type page struct {
	text  strings.Builder
	width int // of the terminal; 0: there is none
	color bool
	fixed bool // the terminal does not go on in the next line
}

// line writes a line.
func (p *page) line(color, text string) {
	text = json.Printable(text)
	if p.fixed {
		text = cut(text, p.width)
	}
	if p.color && color != plain {
		text = color + text + reset
	}
	p.text.WriteString(text + "\n")
}

// row is a line of a table.
type row struct {
	color string
	cells []string
}

// column is a column of a table.
type column struct {
	width    int
	flexible bool // may be narrower than what stands in it
	wraps    bool // what has no room goes on in the next line; else it is cut
	spare    bool // may be left out
	out      bool // is left out
}

// table writes rows, the first of which has the headings. Where the page is too narrow, columns whose heading begins with ~
// are cut, and those with > go on in the next line. If that cannot be enough, those with ? before that are left out, one after the other, and a line tells which. If
// that is not enough either, all lines are cut.
func (p *page) table(rows []row) {
	headings := rows[0].cells
	columns := make([]column, len(headings))
	for i := range columns {
		headings[i], columns[i].spare = strings.CutPrefix(headings[i], "?")
		headings[i], columns[i].wraps = strings.CutPrefix(headings[i], ">")
		headings[i], columns[i].flexible = strings.CutPrefix(headings[i], "~")
		columns[i].flexible = columns[i].flexible || columns[i].wraps
	}
	for _, r := range rows {
		for i := range r.cells {
			r.cells[i] = json.Printable(r.cells[i])
			columns[i].width = max(columns[i].width, utf8.RuneCountInString(r.cells[i]))
		}
	}
	missing := ""
	for i := range columns {
		if columns[i].spare && p.narrow(columns) {
			columns[i].out = true
			missing += ", " + headings[i]
		}
	}
	p.shrink(columns)
	for _, r := range rows {
		p.row(r, columns)
	}
	if missing != "" {
		p.line(dim, cut("(no room for "+missing[2:]+")", p.width))
	}
}

// row writes a row of a table: a line, and more for what goes on.
func (p *page) row(r row, columns []column) {
	for more := true; more; {
		more = p.rowLine(r, columns)
	}
}

// rowLine writes a line of a row, and leaves in its cells what goes on in the next one, if there is more.
func (p *page) rowLine(r row, columns []column) (more bool) {
	line := ""
	for i, cell := range r.cells {
		c := &columns[i]
		r.cells[i] = ""
		if c.out {
			continue
		}
		if c.wraps {
			cell, r.cells[i] = wrap(cell, c.width)
			more = more || r.cells[i] != ""
		}
		line += pad(cut(cell, c.width), c.width+gap)
	}
	for strings.HasSuffix(line, " ") {
		line = line[:len(line)-1]
	}
	if p.width > 0 {
		line = cut(line, p.width)
	}
	p.line(r.color, line)
	return more
}

// gap is between columns, and minWidth is what is left of one at least.
const (
	gap      = 2
	minWidth = 8
)

// least is what the column cannot be narrower than.
func (c *column) least() int {
	if c.flexible {
		return min(c.width, minWidth)
	}
	return c.width
}

// narrow reports whether the page is too narrow for the columns, however much they are cut.
func (p *page) narrow(columns []column) bool {
	total := -gap
	for i := range columns {
		if c := &columns[i]; !c.out {
			total += c.least() + gap
		}
	}
	return p.width > 0 && total > p.width
}

// shrink takes from the widest of the flexible columns until the table is as wide as the page.
func (p *page) shrink(columns []column) {
	total := -gap
	for i := range columns {
		if c := &columns[i]; !c.out {
			total += c.width + gap
		}
	}
	for ; p.width > 0 && total > p.width; total-- {
		var widest *column
		for i := range columns {
			if c := &columns[i]; !c.out && c.width > c.least() && (widest == nil || c.width > widest.width) {
				widest = c
			}
		}
		if widest == nil {
			return
		}
		widest.width--
	}
}

// cut shortens a text to a width, and marks that.
func cut(text string, width int) string {
	const mark = ".."
	if utf8.RuneCountInString(text) <= width || width < len(mark) {
		return text
	}
	n := 0
	for i := range text {
		if n == width-len(mark) {
			return text[:i] + mark
		}
		n++
	}
	return text
}

// wrap takes what has room in a line off a text: as many words as possible, or a part of one that is too long.
func wrap(text string, width int) (line, rest string) {
	n, end, next := 0, 0, 0
	for i, r := range text {
		if r == ' ' && i > 0 {
			end, next = i, i+1
		}
		if n == width {
			if end == 0 {
				end, next = i, i
			}
			return text[:end], text[next:]
		}
		n++
	}
	return text, ""
}

// pad makes a text that wide.
func pad(text string, width int) string {
	for n := utf8.RuneCountInString(text); n < width; n++ {
		text += " "
	}
	return text
}
