// Package eventsource is the part of AWS Lambda that reads streams of tables and
// invokes functions with what it reads: event source mappings.
//
// A mapping has one batch at a time on its way, so that its function sees the
// changes in their order. It waits to be told of new records instead of asking
// for them, and what it has dealt with is remembered beside the stream.
//
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
package eventsource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/dynamodb"
	"crypto-ticker/emulator/internal/template"
)

// Config says what New makes ready. All of it is required.
type Config struct {
	Sources []*template.EventSource
	Tables  *dynamodb.Engine
	// Invoke runs a function and returns its answer, or a
	// *lambda.FunctionError, or what kept it from running.
	Invoke func(ctx context.Context, functionARN string, event []byte) ([]byte, error)
	Clock  *clock.Clock // times windows, the wait before a retry, and ages
	Log    *slog.Logger
}

// Runner runs mappings until it is closed.
type Runner struct {
	pollers []*poller
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// New reads the mappings. Their tables must be there. The error joins those of all
// filters, with their places.
func New(cfg Config) (*Runner, error) {
	r := &Runner{cancel: func() {}}
	var errs []error
	for _, s := range cfg.Sources {
		p, err := newPoller(cfg, s)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", s.Pos, s.Name, err))
			continue
		}
		r.pollers = append(r.pollers, p)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

// Start begins the mappings that are enabled.
func (r *Runner) Start() {
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	for _, p := range r.pollers {
		if p.source.Enabled {
			r.running.Go(func() { p.run(ctx) })
		}
	}
}

// Close ends the mappings. A batch whose function has not answered comes again
// when the stream is next read.
func (r *Runner) Close() {
	r.cancel()
	r.running.Wait()
}
