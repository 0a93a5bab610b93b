package ctl

import (
	"strconv"
	"strings"

	"lan6d/ctl/json"
)

// Metrics writes Prometheus' text format.
type Metrics struct {
	text   strings.Builder
	family string
}

// Family begins a family of metrics. kind is "counter" or "gauge"; help is a line without a backslash.
func (m *Metrics) Family(name, kind, help string) {
	m.family = name
	m.text.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

// Value writes a metric of the family, with its labels: name, value, name, value ...
func (m *Metrics) Value(value int64, labels ...string) {
	m.text.WriteString(m.family)
	for i := 0; i+1 < len(labels); i += 2 {
		m.text.WriteByte("{,"[min(i, 1)])
		m.text.WriteString(labels[i] + "=" + strconv.Quote(json.Printable(labels[i+1])))
	}
	if len(labels) > 0 {
		m.text.WriteByte('}')
	}
	m.text.WriteString(" " + strconv.FormatInt(value, 10) + "\n")
}

// String is what was written.
func (m *Metrics) String() string { return m.text.String() }
