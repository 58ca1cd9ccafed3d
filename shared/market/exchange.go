package market

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	pollInterval  = time.Second      // the exchanges allow about one request a second and symbol
	probeInterval = 5 * time.Second  // how often the preferred exchange is tried while the other one serves
	staleAfter    = 10 * time.Second // without confirmation
	failAfter     = 10 * time.Second // without an answer, or after maxFailures
	maxFailures   = 3
	returnAfter   = 60 * time.Second // of health
	maxAnswer     = 1 << 20          // bytes
)

// venue is an exchange with a public ticker.
type venue struct {
	name string
	// fetch returns the last prices of the symbols, without those that the
	// exchange does not trade.
	fetch func(ctx context.Context, client *http.Client, symbols []string) ([]Quote, error)
}

// errNotTraded is an exchange's answer that it does not know a symbol.
var errNotTraded = errors.New("not traded here")

// exchange polls the preferred venue, and the other one while the first fails.
// A price is never invented: what cannot be confirmed goes stale.
type exchange struct {
	client  *http.Client
	symbols []string

	// Only the polling goroutine uses these.
	venues    [2]venue // the preferred one first
	active    int
	failures  int       // of the active venue, one after the other
	answered  time.Time // the active venue's last answer, or the change to it
	probed    time.Time // the last try of the preferred venue
	healthy   time.Time // since when the preferred venue answers again; zero: it does not
	lastError string

	mu     sync.Mutex
	prices map[string]*held
}

// held is the last known price of a symbol.
type held struct {
	Quote
	confirmed time.Time
	moved     bool // Next has not returned it yet
}

func openExchange(ctx context.Context, c Config, preferred, other venue) *exchange {
	e := newExchange(c, preferred, other)
	go e.run(ctx)
	return e
}

func newExchange(c Config, preferred, other venue) *exchange {
	client := c.Client
	if client == nil {
		client = &http.Client{Timeout: 3 * time.Second}
	}
	e := &exchange{client: client, symbols: c.Symbols, venues: [2]venue{preferred, other}, prices: map[string]*held{}}
	for _, q := range c.Last {
		if q.Source == preferred.name || q.Source == other.name {
			h := &held{Quote: q, confirmed: q.Time, moved: true}
			if c.Confirmed.After(q.Time) {
				h.confirmed = c.Confirmed
			}
			e.prices[q.Symbol] = h
		}
	}
	return e
}

func (e *exchange) Next(now time.Time) []Quote {
	e.mu.Lock()
	defer e.mu.Unlock()
	var moved []Quote
	for _, symbol := range e.symbols {
		h := e.prices[symbol]
		if h == nil {
			continue
		}
		if !h.Stale && now.Sub(h.confirmed) > staleAfter {
			h.Stale, h.moved = true, true
		}
		if h.moved {
			h.moved = false
			moved = append(moved, h.Quote)
		}
	}
	return moved
}

// run polls until ctx ends.
func (e *exchange) run(ctx context.Context) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	e.answered = time.Now()
	for {
		e.poll(ctx, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// poll asks the active venue once, and the preferred one if it is time to see
// whether it is back.
func (e *exchange) poll(ctx context.Context, now time.Time) {
	quotes, err := e.venues[e.active].fetch(ctx, e.client, e.symbols)
	switch {
	case ctx.Err() != nil:
		return
	case err == nil:
		e.failures, e.answered = 0, now
		e.confirm(quotes, time.Now())
	default:
		e.report(err)
		if e.failures++; e.failures >= maxFailures || now.Sub(e.answered) >= failAfter {
			e.use(1-e.active, now)
		}
	}
	if e.active != 0 && now.Sub(e.probed) >= probeInterval {
		e.probe(ctx, now)
	}
}

// probe tries the preferred venue and returns to it once it has been healthy
// for long enough.
func (e *exchange) probe(ctx context.Context, now time.Time) {
	e.probed = now
	if _, err := e.venues[0].fetch(ctx, e.client, e.symbols); err != nil {
		e.healthy = time.Time{}
		return
	}
	if e.healthy.IsZero() {
		e.healthy = now
	}
	if now.Sub(e.healthy) >= returnAfter {
		e.use(0, now)
	}
}

// use makes a venue the active one.
func (e *exchange) use(venue int, now time.Time) {
	e.active, e.failures, e.answered = venue, 0, now
	e.probed, e.healthy = now, time.Time{}
	slog.Warn("price source changed", "source", e.venues[venue].name)
}

// report logs an error once, and again when it is another one.
func (e *exchange) report(err error) {
	if text := err.Error(); text != e.lastError {
		e.lastError = text
		slog.Warn("price source failed", "source", e.venues[e.active].name, "error", err)
	}
}

// confirm takes over what a venue has answered.
func (e *exchange) confirm(quotes []Quote, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, q := range quotes {
		h := e.prices[q.Symbol]
		if h == nil {
			h = &held{}
			e.prices[q.Symbol] = h
		}
		if h.Price != q.Price || h.Source != q.Source || h.Stale {
			h.Quote, h.moved = q, true
		}
		h.confirmed = now
	}
}

// getJSON reads a JSON answer into v. The error is errNotTraded for 404.
func getJSON(ctx context.Context, client *http.Client, url string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "crypto-ticker")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return err
	case resp.StatusCode == http.StatusNotFound:
		return errNotTraded
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("answered %s", resp.Status)
	}
	return json.Unmarshal(body, v)
}
