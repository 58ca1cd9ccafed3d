package lambda

import (
	"slices"
	"testing"
	"time"
)

// BenchmarkInvoke is a warm invocation, through the Runtime API and back. It
// reports the median and the 99th percentile too.
func BenchmarkInvoke(b *testing.B) {
	r := start(b, echo())
	event := []byte(`{"Print":""}`)
	r.echo(b, string(event))
	took := make([]time.Duration, 0, b.N)
	b.ReportAllocs()
	for b.Loop() {
		begun := time.Now()
		if _, err := r.Invoke(b.Context(), "Echo", event); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkColdStart is the first invocation of a new process.
func BenchmarkColdStart(b *testing.B) {
	r := start(b, echo())
	for b.Loop() {
		r.echo(b, `{}`)
		r.order[0].use(r.order[0].binary)
	}
}
