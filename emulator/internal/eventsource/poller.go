package eventsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"crypto-ticker/emulator/internal/dynamodb"
	"crypto-ticker/emulator/internal/template"
)

const (
	// enough is how many bytes end a batch: with what is read at once, less
	// than the 6 MB that an event may have.
	enough = 5 << 20
	// retention is how long a stream keeps a record, and the longest that
	// one is retried.
	retention = 24 * time.Hour
	// AWS says only that waits grow.
	firstWait, longestWait = time.Second, time.Minute
)

// poller reads a stream for one mapping.
type poller struct {
	cfg      Config
	source   *template.EventSource
	filters  []filter
	stream   string // its ARN
	consumer *dynamodb.Consumer
	read     string // the sequence number that was read last
	kept     string // the one that was committed last
}

func newPoller(cfg Config, s *template.EventSource) (*poller, error) {
	p := &poller{cfg: cfg, source: s}
	for i, pattern := range s.Filters {
		f, err := parseFilter(pattern)
		if err != nil {
			return nil, fmt.Errorf("pattern %d of FilterCriteria %w", i+1, err)
		}
		p.filters = append(p.filters, f)
	}
	if !s.Enabled {
		return p, nil
	}
	if p.stream = cfg.Tables.LatestStream(s.Table); p.stream == "" {
		return nil, fmt.Errorf("the table %s has no stream", s.Table)
	}
	var err error
	p.consumer, err = cfg.Tables.Consume(p.stream, s.Name, s.Latest)
	return p, err
}

// run carries batches to the function until ctx or the stream ends. It stays with
// its stream: another one that the table gets has another ARN, which is not that
// of the mapping.
func (p *poller) run(ctx context.Context) {
	for ctx.Err() == nil {
		batch, err := p.collect(ctx)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, dynamodb.ErrStreamEnd):
			p.cfg.Log.Warn("event source mapping has ended: its stream was disabled or the table deleted; "+
				"another stream of the table is read from the next start on",
				"mapping", p.source.Name, "place", p.source.Pos.String(), "table", p.source.Table, "stream", p.stream)
			return
		case err != nil:
			p.cfg.Log.Error("stream cannot be read", "mapping", p.source.Name, "error", err)
			p.wait(ctx, longestWait)
		default:
			p.deliver(ctx, batch)
		}
	}
}

// collect reads a batch: as many records as there are, up to the size of a
// batch, and those of the batching window. It is empty if only records came
// that the filters leave out.
func (p *poller) collect(ctx context.Context) ([]dynamodb.StreamRecord, error) {
	var batch []dynamodb.StreamRecord
	var due chan struct{} // closed at the window's end
	size := 0
	for len(batch) < p.source.BatchSize && size < enough {
		records, changed, err := p.consumer.Read(p.source.BatchSize - len(batch))
		if err != nil && len(batch) > 0 {
			return batch, nil // the error comes again
		} else if err != nil {
			return nil, err
		}
		for _, r := range records {
			p.read = r.Sequence
			if p.wanted(r.Event) {
				batch = append(batch, r)
				size += len(r.Event)
			}
		}
		switch {
		case len(records) > 0 && len(batch) == 0:
			return nil, nil
		case len(records) > 0:
			continue
		case len(batch) > 0 && p.source.Window == 0:
			return batch, nil
		case len(batch) > 0 && due == nil:
			due = make(chan struct{})
			timer := p.cfg.Clock.AfterFunc(p.source.Window, func() { close(due) })
			defer timer.Stop()
		}
		select {
		case <-changed:
		case <-due:
			return batch, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return batch, nil
}

// wanted says whether the function is to see a record.
func (p *poller) wanted(event []byte) bool {
	if len(p.filters) == 0 {
		return true
	}
	v, err := decode(event)
	members, ok := v.(map[string]any)
	return err == nil && ok && slices.ContainsFunc(p.filters, func(f filter) bool { return f.match(members) })
}

// part is what is left of a batch, or of a half of one.
type part struct {
	records []dynamodb.StreamRecord
	failed  int // times that the function has failed with it
	refused int // times in a row that it did not reach the function
}

// deliver invokes the function with a batch until all of it is dealt with or
// given up.
func (p *poller) deliver(ctx context.Context, batch []dynamodb.StreamRecord) {
	parts := []part{{records: batch}}
	for len(parts) > 0 && ctx.Err() == nil {
		b := &parts[0]
		p.dropOld(b)
		if len(b.records) == 0 {
			parts = parts[1:]
			continue
		}
		done, outcome := p.invoke(ctx, b.records)
		if done > 0 {
			p.commit(b.records[done-1].Sequence)
			b.records = b.records[done:]
		}
		switch {
		case ctx.Err() != nil || len(b.records) == 0:
			continue
		case outcome == refused: // attempts are of the function
			b.refused++
			p.wait(ctx, backoff(b.refused))
			continue
		case outcome == failed && p.source.Bisect && len(b.records) > 1:
			half := len(b.records) / 2
			rest := part{records: b.records[half:], failed: b.failed}
			b.records = b.records[:half]
			parts = append([]part{*b, rest}, parts[1:]...)
			continue
		}
		b.failed, b.refused = b.failed+1, 0
		if p.source.MaxRetries >= 0 && b.failed > p.source.MaxRetries {
			p.giveUp(b, len(b.records), "RetryAttemptsExhausted")
			continue
		}
		p.wait(ctx, backoff(b.failed))
	}
	if ctx.Err() == nil {
		p.commit(p.read) // with those behind, which the filters left out
	}
}

// dropOld gives up the records that are too old.
func (p *poller) dropOld(b *part) {
	oldest := p.cfg.Clock.Now().Add(-min(retention, p.source.MaxAge))
	n := 0
	for n < len(b.records) && !b.records[n].Created.After(oldest) {
		n++
	}
	if n > 0 {
		p.giveUp(b, n, "RecordAgeExceeded")
	}
}

// giveUp passes over the first records of a part.
func (p *poller) giveUp(b *part, n int, condition string) {
	p.cfg.Log.Error("stream records given up", "mapping", p.source.Name, "condition", condition, "records", n,
		"first", b.records[0].Sequence, "last", b.records[n-1].Sequence, "attempts", b.failed)
	p.commit(b.records[n-1].Sequence)
	b.records = b.records[n:]
}

func (p *poller) commit(sequence string) {
	if sequence == p.kept {
		return
	}
	if err := p.consumer.Commit(sequence); err != nil { // the next commit makes up for it
		p.cfg.Log.Error("progress in a stream is not kept", "mapping", p.source.Name, "error", err)
		return
	}
	p.kept = sequence
}

// backoff is the wait after so many failures.
func backoff(failures int) time.Duration {
	if failures > 6 {
		return longestWait
	}
	return min(firstWait<<(failures-1), longestWait)
}

// wait lets time pass on the emulator's clock.
func (p *poller) wait(ctx context.Context, d time.Duration) {
	over := make(chan struct{})
	timer := p.cfg.Clock.AfterFunc(d, func() { close(over) })
	defer timer.Stop()
	select {
	case <-over:
	case <-ctx.Done():
	}
}
