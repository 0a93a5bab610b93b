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

// table writes rows, the first of which has the headings. Columns whose heading begins with ~ are cut where the page is
// too narrow; if that is not enough, all lines are.
func (p *page) table(rows []row) {
	headings := rows[0].cells
	flexible, widths := make([]bool, len(headings)), make([]int, len(headings))
	for i := range headings {
		headings[i], flexible[i] = strings.CutPrefix(headings[i], "~")
	}
	for _, r := range rows {
		for i := range r.cells {
			r.cells[i] = json.Printable(r.cells[i])
			widths[i] = max(widths[i], utf8.RuneCountInString(r.cells[i]))
		}
	}
	p.shrink(flexible, widths)
	for _, r := range rows {
		line := ""
		for i, cell := range r.cells {
			line += pad(cut(cell, widths[i]), widths[i]+gap)
		}
		for strings.HasSuffix(line, " ") {
			line = line[:len(line)-1]
		}
		if p.width > 0 {
			line = cut(line, p.width)
		}
		p.line(r.color, line)
	}
}

// gap is between columns, and minWidth is what is left of one at least.
const (
	gap      = 2
	minWidth = 8
)

// shrink takes from the widest of the flexible columns until the table is as wide as the page.
func (p *page) shrink(flexible []bool, widths []int) {
	total := -gap
	for _, w := range widths {
		total += w + gap
	}
	for ; p.width > 0 && total > p.width; total-- {
		widest := -1
		for i, w := range widths {
			if flexible[i] && w > minWidth && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
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

// pad makes a text that wide.
func pad(text string, width int) string {
	for n := utf8.RuneCountInString(text); n < width; n++ {
		text += " "
	}
	return text
}
