package openwrt

import (
	"slices"
	"strings"

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
	if p.Option == "" {
		return p.Pos.String() + ": " + p.Text
	}
	return p.Pos.String() + ": " + p.Option + ": " + p.Text
}

// HasErrors reports whether a problem among them is more than a warning.
func HasErrors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == Error })
}

// warning is the error of a setter that did apply the value, but not as written.
type warning string

func (w warning) Error() string { return string(w) }

// sortProblems puts them in the order of their files and lines.
func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if c := strings.Compare(a.Pos.File, b.Pos.File); c != 0 {
			return c
		}
		return a.Pos.Line - b.Pos.Line
	})
}
