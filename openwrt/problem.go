package openwrt

import (
	"sort"

	"lan6d/openwrt/uci"
)

// Severity tells how bad a problem is.
type Severity uint8

const (
	Warning Severity = iota // applied in another form than written, or without effect
	Error                   // wrong and not applied
)

// String is "warning" or "error".
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// Problem is something wrong in the configuration.
type Problem struct {
	Pos      uci.Pos
	Severity Severity
	Option   string // or a word for the section; may be empty
	Text     string // what is wrong, what is allowed
}

// String is "file:line: option: what is wrong, what is allowed", without the severity.
func (p Problem) String() string {
	text := p.Pos.String() + ": "
	if p.Option != "" {
		text += p.Option + ": "
	}
	return text + p.Text
}

// HasErrors reports whether a problem among them is more than a warning.
func HasErrors(problems []Problem) bool {
	for i := range problems {
		if problems[i].Severity == Error {
			return true
		}
	}
	return false
}

// warning is the error of a setter that did apply the value, but not as written.
type warning string

func (w warning) Error() string { return string(w) }

// sortProblems puts them in the order of their files and lines. (Their numbers are sorted: a stable sort would be 1.7 KB more.)
func sortProblems(problems []Problem) {
	order := make([]int, len(problems))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool {
		a, b := &problems[order[i]].Pos, &problems[order[j]].Pos
		switch {
		case a.File != b.File:
			return a.File < b.File
		case a.Line != b.Line:
			return a.Line < b.Line
		}
		return order[i] < order[j]
	})
	sorted := make([]Problem, 0, len(problems))
	for _, i := range order {
		sorted = append(sorted, problems[i])
	}
	copy(problems, sorted)
}
