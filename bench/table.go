package main

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// figures are what one run gave.
type figures struct {
	perSecond, p50, p99         float64 // the latter in ms
	serverCPU, functionsCPU     float64 // µs for each operation
	serverMB, functionsMB       float64 // resident, at the end
	serverCores, functionsCores float64
	ratio                       float64 // to what the run is compared with
}

// work does operations; it returns their number and how long each took.
type work func() (n int, took []time.Duration, err error)

// run measures one run of f.
func (s *system) run(f work) (figures, error) {
	s0, f0 := s.usage()
	begin := time.Now()
	n, took, err := f()
	seconds := time.Since(begin).Seconds()
	s1, f1 := s.usage()
	if err == nil && n == 0 {
		err = errors.New("nothing was done")
	}
	if err != nil {
		return figures{}, err
	}
	server, functions := s1.cpu-s0.cpu, f1.cpu-f0.cpu
	return figures{
		perSecond: float64(n) / seconds, p50: quantile(took, 0.5), p99: quantile(took, 0.99),
		serverCPU: server / float64(n) * 1e6, functionsCPU: functions / float64(n) * 1e6,
		serverMB: s1.rss, functionsMB: f1.rss,
		serverCores: server / seconds, functionsCores: functions / seconds,
	}, nil
}

// repeat measures f as often as the bench is told to.
func (b *bench) repeat(s *system, f work) (all []figures, err error) {
	for range b.runs {
		r, err := s.run(f)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// median is the median of one figure.
func median(all []figures, of func(figures) float64) float64 {
	values := make([]float64, len(all))
	for i, r := range all {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// quantile is in milliseconds.
func quantile(d []time.Duration, q float64) float64 {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[int(q*float64(len(d)-1))].Seconds() * 1e3
}

func (b *bench) header() {
	fmt.Fprintln(b.w, "path\tper second\tp50 ms\tp99 ms\tserver CPU µs\tfunctions CPU µs\tserver MB\tfunctions MB\t")
}

// row prints the medians of some runs, and a note.
func (b *bench) row(name string, all []figures, note string, args ...any) {
	if b.each && len(all) > 1 {
		for _, r := range all {
			b.row("  "+name, []figures{r}, "")
		}
	}
	of := func(f func(figures) float64) float64 { return median(all, f) }
	fmt.Fprintf(b.w, "%s\t%.0f\t%.2f\t%.2f\t%.0f\t%.0f\t%.0f\t%.0f\t%s\n", name,
		of(func(r figures) float64 { return r.perSecond }), of(func(r figures) float64 { return r.p50 }), of(func(r figures) float64 { return r.p99 }),
		of(func(r figures) float64 { return r.serverCPU }), of(func(r figures) float64 { return r.functionsCPU }),
		of(func(r figures) float64 { return r.serverMB }), of(func(r figures) float64 { return r.functionsMB }),
		fmt.Sprintf(note, args...))
}
