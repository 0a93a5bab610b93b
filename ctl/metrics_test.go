package ctl

import (
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// TestMetrics has Prometheus' own library read what is written.
func TestMetrics(t *testing.T) {
	var m Metrics
	m.Family("lan6d_dropped_total", "counter", "Messages dropped.")
	m.Value(3, "reason", "no Client Identifier", "interface", "lan")
	hostile := "a\"b\\c\nd\x1b[31m\xff\u202e{}, =#"
	m.Value(1<<62, "reason", hostile, "interface", "")
	m.Family("lan6d_up", "gauge", "1 when it runs.")
	m.Value(-1)
	const want = `# HELP lan6d_dropped_total Messages dropped.
# TYPE lan6d_dropped_total counter
lan6d_dropped_total{reason="no Client Identifier",interface="lan"} 3
lan6d_dropped_total{reason="a\"b\\c\\u000ad\\u001b[31m` + "\ufffd" + `\\u202e{}, =#",interface=""} 4611686018427387904
# HELP lan6d_up 1 when it runs.
# TYPE lan6d_up gauge
lan6d_up -1
`
	if m.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &m, want)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(m.String()))
	if err != nil {
		t.Fatal(err)
	}
	dropped := families["lan6d_dropped_total"]
	if len(families) != 2 || dropped.GetHelp() != "Messages dropped." || dropped.GetType().String() != "COUNTER" || len(dropped.GetMetric()) != 2 {
		t.Fatalf("%d families: %v", len(families), families)
	}
	second := dropped.GetMetric()[1]
	if v := second.GetCounter().GetValue(); v != 1<<62 {
		t.Errorf("value %v", v)
	}
	if v := second.GetLabel()[0].GetValue(); v != `a"b\c\u000ad\u001b[31m`+"\ufffd"+`\u202e{}, =#` {
		t.Errorf("label %q", v)
	}
	if v := families["lan6d_up"].GetMetric()[0].GetGauge().GetValue(); v != -1 {
		t.Errorf("gauge %v", v)
	}
}

func FuzzMetrics(f *testing.F) {
	f.Add("lan", int64(1))
	f.Add("a\"b\\c\nd\x1b[31m\xff\u202e", int64(-1)<<63)
	f.Fuzz(func(t *testing.T, label string, n int64) {
		var m Metrics
		m.Family("lan6d_x", "gauge", "X.")
		m.Value(n, "a", label, "b", "c")
		m.Value(n)
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(m.String()))
		if err != nil || len(families) != 1 || len(families["lan6d_x"].GetMetric()) != 2 {
			t.Fatalf("%q: %v\n%s", label, err, &m)
		}
		if v := families["lan6d_x"].GetMetric()[0].GetGauge().GetValue(); v != float64(n) {
			t.Fatalf("%d reads as %v", n, v)
		}
	})
}
