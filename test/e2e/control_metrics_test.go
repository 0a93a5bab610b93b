package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	dhcpserver "lan6d/dhcpv6/server"
	"lan6d/relay"
)

// TestControlMetrics: Prometheus' own library can read them, and everything that can be counted has a counter.
func TestControlMetrics(t *testing.T) {
	t.Parallel()
	r := newRouter(t, config)
	m := r.simulated(1)[0]
	m.codes = iaTypes
	m.crowd.join([]*member{m})
	if _, err := m.door.WriteToUDPAddrPort([]byte{1, 0, 0, 1, 0, 8, 0, 2, 0, 0}, m.crowd.servers); err != nil { // a Solicit of nobody's
		t.Fatal(err)
	}
	drop := func(of map[string]float64, reason string) float64 {
		return of[`lan6d_dropped_total{reason="`+reason+`"}`]
	}
	var values map[string]float64
	eventually(t, 5*time.Second, "the bad packet to be counted", func() bool {
		values = r.metrics()
		return drop(values, dhcpserver.DropNoClientID.Error()) > 0
	})
	for _, reason := range dhcpserver.Drops() {
		want := 0.0
		if reason == dhcpserver.DropNoClientID {
			want = 1
		}
		if _, ok := values[`lan6d_dropped_total{reason="`+reason.Error()+`"}`]; !ok || drop(values, reason.Error()) != want {
			t.Errorf("dropped as %v: %v, %v", reason, ok, drop(values, reason.Error()))
		}
	}
	for _, reason := range relay.Drops() {
		if _, ok := values[`lan6d_relay_dropped_total{reason="`+reason.Error()+`"}`]; !ok {
			t.Errorf("not relayed as %v: no counter", reason)
		}
	}
	for _, family := range []string{"received", "sent", "relay_received", "relay_returned"} {
		for _, kind := range messageNames[1:] {
			if _, ok := values["lan6d_"+family+`_total{type="`+kind+`"}`]; !ok {
				t.Errorf("%s %s: no counter", family, kind)
			}
		}
	}
	for name, want := range map[string]float64{
		`lan6d_bindings{interface="lan",kind="address",state="bound"}`: 1, `lan6d_bindings{interface="lan",kind="prefix",state="bound"}`: 1,
		`lan6d_pool_used{interface="lan",kind="address"}`: 1, `lan6d_pool_free{interface="lan",kind="address"}`: 3839,
		`lan6d_journal_ok{file="` + journalPath + `"}`: 1, `lan6d_routes_ok`: 1, `lan6d_routes`: 2, `lan6d_interface_served{interface="lan"}`: 1,
		`lan6d_socket_overrun_total{device="lan0"}`: 0,
	} {
		if got, ok := values[name]; !ok || got != want {
			t.Errorf("%s: %v, %v, want %v", name, ok, got, want)
		}
	}
}

// metrics are what lan6d ctl metrics prints, by name and labels.
func (r *router) metrics() map[string]float64 {
	r.t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(r.ctlPrints("metrics")))
	if err != nil {
		r.t.Fatal(err)
	}
	values := make(map[string]float64)
	for name, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			key := name
			if labels != nil {
				key += "{" + strings.Join(labels, ",") + "}"
			}
			if family.GetType().String() == "COUNTER" != strings.HasSuffix(name, "_total") {
				r.t.Errorf("%s is a %v", name, family.GetType())
			}
			values[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values
}
