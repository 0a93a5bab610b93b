package bench

import (
	"fmt"
	"testing"
	"time"

	"lan6d/netif/netnstest"
)

func TestMain(m *testing.M) { netnstest.Main(m) }

// sizes are how many leases lan6d holds.
var sizes = []int{100, 1_000, 10_000, 100_000}

// round is how many exchanges are measured at a time: enough for the processor's caches to be lan6d's own, few enough for
// all to be measured under the same conditions.
const round = 5000

// BenchmarkRenew measures Renew with more and more leases. An iteration is a round of each.
func BenchmarkRenew(b *testing.B) {
	b.Run("journal", func(b *testing.B) { benchmarkRenew(b, config) })
	b.Run("files", func(b *testing.B) { benchmarkRenew(b, config+files) })
}

func benchmarkRenew(b *testing.B, config string) {
	lans := make([]*lan, len(sizes))
	for i, size := range sizes {
		lans[i] = newLAN(b, config)
		lans[i].crowd.join(size)
	}
	pin(b)
	took := make([]time.Duration, len(sizes))
	for b.Loop() {
		for i, l := range lans {
			took[i] += l.measure(func() { l.crowd.renew(round) })
		}
	}
	report(b, took[0], "µs@100", round)
	for i, size := range sizes[1:] {
		b.ReportMetric(float64(took[i+1])/float64(took[0]), fmt.Sprintf("%d:100", size))
	}
	b.ReportMetric(lans[2].resident(), "kB@10000")
}

// BenchmarkJoin measures the exchange from Solicit to Reply, each with a new client. A link has room for 131,072, that is
// for so many iterations.
func BenchmarkJoin(b *testing.B) {
	const round = 1000
	l := newLAN(b, config)
	pin(b)
	var took time.Duration
	for b.Loop() {
		took += l.measure(func() { l.crowd.join(round) })
	}
	report(b, took, "µs", round)
}

// report tells of the processor time of an exchange, in place of time on the clock.
func report(b *testing.B, took time.Duration, unit string, exchanges int) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took)/float64(b.N*exchanges)/float64(time.Microsecond), unit)
}

// TestCrowd: the clients get addresses, keep them when they renew, and lan6d's time is counted.
func TestCrowd(t *testing.T) {
	l := newLAN(t, config+files)
	took := l.measure(func() {
		l.crowd.join(50)
		l.crowd.renew(500)
	})
	if heard := l.crowd.heard.Load(); heard != 2*50+500 || took <= 0 {
		t.Errorf("%d answers, which took %v", heard, took)
	}
	for i, a := range l.crowd.held {
		if !a.IsValid() || i > 0 && a == l.crowd.held[i-1] {
			t.Errorf("client %d has %v", i, a)
		}
	}
}
