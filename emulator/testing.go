package emulator

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
)

// TB is the part of testing.TB that RunT needs.
type TB interface {
	Helper()
	Cleanup(func())
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// RunT runs a template for a test: on free ports, in memory, and until the test
// ends. Log lines of the emulator and of the functions go to the test's log,
// unless o says otherwise. An emulator that does not start fails the test.
// Tests that run in parallel have an emulator each.
func RunT(tb TB, o Options) *Emulator {
	tb.Helper()
	lines := &testWriter{tb: tb}
	if o.Output == nil {
		o.Output = lines
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(lines, nil))
	}
	e, err := Run(context.Background(), o)
	if err != nil {
		tb.Fatalf("emulator: %v", err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Logf("emulator: close: %v", err)
		}
		lines.end()
	})
	return e
}

// testWriter writes lines to a test's log for as long as the test runs.
type testWriter struct {
	mu    sync.Mutex
	tb    TB
	ended bool
}

func (w *testWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.tb.Logf("%s", bytes.TrimRight(p, "\n"))
	}
	return len(p), nil
}

func (w *testWriter) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}
