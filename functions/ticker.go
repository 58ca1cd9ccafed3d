package functions

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/shared/market"
	"crypto-ticker/shared/push"
	"crypto-ticker/shared/store"
)

// Ticker returns the handler that moves prices and sends them to everybody. Its
// events are those of the schedule, and
//
//	{"type":"wake","attempt":1}
//	{"type":"greet","connection_id":"…","connected_at":1779634513402,"actor":"user:demo","symbols":["BTC-USD"]}
//
// which have it look for work at once, or first greet a connection that was just
// made. At any time one invocation leads, by the lease in TICKER_TABLE; all
// others leave. The leader stays until nobody is connected or its time is up.
//
// TICK_INTERVAL, DELIVERY_INTERVAL, MAX_POSTS_PER_SECOND, SYMBOLS and
// PRICE_SOURCE say what it does.
func Ticker(_ context.Context, getenv func(string) string) (lambda.Handler, error) {
	t, err := newTicker(getenv)
	if err != nil {
		return nil, err
	}
	// A post leaves 27 KB of garbage on a small heap: with the default of 100,
	// collecting it costs a quarter of the time.
	debug.SetGCPercent(400)
	if limit := memoryLimit(getenv); limit > 0 {
		debug.SetMemoryLimit(limit)
	}
	return lambda.NewHandler(t.handle), nil
}

// memoryLimit is how many bytes may be used before garbage is collected more
// often: most of the function's memory, beyond which Lambda ends it; 0 if that is
// not known.
func memoryLimit(getenv func(string) string) int64 {
	megabytes, err := strconv.ParseInt(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 10, 32)
	if err != nil || megabytes <= 0 {
		return 0
	}
	return megabytes << 20 / 10 * 8
}

type ticker struct {
	build    string
	store    *store.Store
	push     *push.Client
	symbols  []string
	source   string
	tick     time.Duration
	delivery time.Duration
	maxPosts float64
	idle     time.Duration // without anybody connected, before the leader leaves
}

func newTicker(getenv func(string) string) (*ticker, error) {
	t := &ticker{source: getenv("PRICE_SOURCE"), idle: idleTime}
	var err error
	if t.build, err = tickerBuild(getenv); err != nil {
		return nil, err
	}
	if t.store, err = store.Open(getenv); err != nil {
		return nil, err
	}
	if t.push, err = push.Open(getenv); err != nil {
		return nil, err
	}
	if t.symbols, err = market.ParseSymbols(getenv("SYMBOLS")); err != nil {
		return nil, fmt.Errorf("SYMBOLS: %w", err)
	}
	if len(t.symbols) > push.MaxSymbols {
		return nil, fmt.Errorf("SYMBOLS has %d symbols: use at most %d", len(t.symbols), push.MaxSymbols)
	}
	if !market.IsSource(t.source) {
		return nil, fmt.Errorf("PRICE_SOURCE is %q: set it to simulated, coinbase or kraken", t.source)
	}
	if t.tick, err = duration(getenv, "TICK_INTERVAL"); err != nil {
		return nil, err
	}
	if t.delivery, err = duration(getenv, "DELIVERY_INTERVAL"); err != nil {
		return nil, err
	}
	t.delivery = max(t.delivery, t.tick)
	t.maxPosts, err = strconv.ParseFloat(getenv("MAX_POSTS_PER_SECOND"), 64)
	if err != nil || !(t.maxPosts >= 1 && t.maxPosts <= 1e6) {
		return nil, fmt.Errorf("MAX_POSTS_PER_SECOND is %q: set it to a number from 1 to 1000000", getenv("MAX_POSTS_PER_SECOND"))
	}
	return t, nil
}

// duration reads an interval from 1 ms to 1 h, such as 10ms.
func duration(getenv func(string) string, name string) (time.Duration, error) {
	d, err := time.ParseDuration(getenv(name))
	if err != nil || d < time.Millisecond || d > time.Hour {
		return 0, fmt.Errorf("%s is %q: set it to a time such as 10ms or 1s", name, getenv(name))
	}
	return d, nil
}

// The types of tickerEvent; the schedule's events have none.
const (
	eventGreet = "greet"
	eventWake  = "wake"
)

type tickerEvent struct {
	Type         string   `json:"type"`
	Attempt      int      `json:"attempt,omitempty"` // of a wake, how often the ticker was woken for one that was woken there too
	ConnectionID string   `json:"connection_id,omitempty"`
	ConnectedAt  int64    `json:"connected_at,omitempty"` // milliseconds since 1970
	Actor        string   `json:"actor,omitempty"`
	Symbols      []string `json:"symbols,omitempty"`
}

func (t *ticker) handle(ctx context.Context, event tickerEvent) error {
	owner := rand.Text()
	switch event.Type {
	case eventGreet:
		if event.ConnectionID == "" || event.ConnectedAt == 0 {
			return errors.New("ticker: a greet event needs connection_id and connected_at")
		}
		return t.greet(ctx, owner, event)
	case eventWake, "":
		return t.look(ctx, owner)
	}
	return fmt.Errorf("ticker: unknown event type %q: use %s or %s", event.Type, eventGreet, eventWake)
}

// look leads if anybody is connected and nobody leads.
func (t *ticker) look(ctx context.Context, owner string) error {
	busy, err := t.store.HasConnections(ctx)
	if err != nil {
		return fmt.Errorf("ticker: %w", err)
	}
	if !busy {
		return nil
	}
	return t.leadIfNobodyDoes(ctx, owner, true)
}

func (t *ticker) leadIfNobodyDoes(ctx context.Context, owner string, patient bool) error {
	held, err := t.contend(ctx, owner, patient)
	if errors.Is(err, errLed) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ticker: %w", err)
	}
	return t.lead(ctx, held, nil)
}

// greet sends a new connection its welcome and a snapshot of the prices, and
// leads if nobody does. When there have never been prices, it has to lead
// before it can send any.
func (t *ticker) greet(ctx context.Context, owner string, event tickerEvent) error {
	conn := store.Connection{
		ConnectionRef: store.ConnectionRef{ConnectionID: event.ConnectionID, ConnectedAt: event.ConnectedAt},
		Actor:         event.Actor, Symbols: event.Symbols,
	}
	patience := min(greetTime, greetTime-conn.Age(time.Now()))
	if patience <= 0 {
		// The event has waited too long: a leader greets the connection.
		return t.leadIfNobodyDoes(ctx, owner, false)
	}
	switch err := t.store.ClaimGreeting(ctx, conn.ConnectionRef, owner); {
	case errors.Is(err, store.ErrConflict):
		// This event has come before, or the client has left.
		return t.leadIfNobodyDoes(ctx, owner, false)
	case err != nil:
		return fmt.Errorf("ticker: %w", err)
	}
	if err := t.welcome(ctx, conn, patience); err != nil {
		// Its row is there, for a leader to try again later or to remove.
		notGreeted(ctx, conn.ConnectionID, err)
		return t.leadIfNobodyDoes(ctx, owner, false)
	}
	lease, err := t.prices(ctx)
	if err != nil {
		return fmt.Errorf("ticker: %w", err)
	}
	if len(lease.Prices) == 0 {
		held, err := t.contend(ctx, owner, false)
		if err == nil {
			return t.lead(ctx, held, &conn)
		}
		if !errors.Is(err, errLed) {
			return fmt.Errorf("ticker: %w", err)
		}
		if lease, err = t.prices(ctx); err != nil { // somebody was faster, and has some by now
			return fmt.Errorf("ticker: %w", err)
		}
	}
	if err := t.snapshot(ctx, conn, lease); err != nil {
		notGreeted(ctx, conn.ConnectionID, err)
	}
	return t.leadIfNobodyDoes(ctx, owner, false)
}

const (
	greetTime   = 5 * time.Second // how long a new connection may take to be open
	greetFirst  = 5 * time.Millisecond
	greetPause  = 250 * time.Millisecond // at most, between two tries
	pricesPause = 50 * time.Millisecond
	pricesTries = 20
	staleAfter  = 10 * time.Second // of a price that nobody watches
)

// welcome sends the first message. API Gateway says that the connection is gone
// until $connect has returned and the client has its answer, so it is tried for
// a time.
func (t *ticker) welcome(ctx context.Context, c store.Connection, patience time.Duration) error {
	body := push.Message{
		Type: push.TypeWelcome, UserID: c.Actor, Protocol: push.Subprotocol, Symbols: c.Symbols,
	}.JSON()
	began := time.Now()
	for wait := greetFirst; ; wait = min(2*wait, greetPause) {
		err := t.push.Post(ctx, c.ConnectionID, body)
		if err == nil || time.Since(began) > patience || ctx.Err() != nil {
			return err
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// notGreeted logs why a client has not got its first messages.
func notGreeted(ctx context.Context, connectionID string, err error) {
	slog.Log(ctx, notGreetedLevel(err), "client cannot be greeted", "connection_id", connectionID, "error", err)
}

// notGreetedLevel is that of a warning, except for clients that leave at once:
// those are ordinary.
func notGreetedLevel(err error) slog.Level {
	if errors.Is(err, push.ErrGone) {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// prices returns the lease with the prices that its holder has saved. A holder
// that has just begun saves its first ones within moments.
func (t *ticker) prices(ctx context.Context) (store.Lease, error) {
	for try := 1; ; try++ {
		lease, err := t.store.Lease(ctx)
		if err != nil || len(lease.Prices) > 0 || lease.State == store.LeaseFree || try == pricesTries {
			return lease, err
		}
		if err := pause(ctx, pricesPause); err != nil {
			return lease, err
		}
	}
}

// snapshot sends the prices of a connection's symbols, and marks it as greeted,
// from when on the leader serves it.
func (t *ticker) snapshot(ctx context.Context, c store.Connection, lease store.Lease) error {
	var quotes []market.Quote
	for _, q := range lease.Prices {
		for _, symbol := range c.Symbols {
			if q.Symbol == symbol {
				// A leader knows whether its source confirms a price, however old it
				// is. What nobody watches is only as good as it is young.
				q.Stale = q.Stale || lease.State == store.LeaseFree && time.Since(q.Time) > staleAfter
				quotes = append(quotes, q)
			}
		}
	}
	if len(quotes) > 0 {
		if err := t.push.Post(ctx, c.ConnectionID, push.Snapshot(lease.Epoch, lease.Seq, quotes)); err != nil {
			return err
		}
	}
	err := t.store.MarkGreeted(ctx, c.ConnectionRef, lease.Epoch, lease.Seq)
	if errors.Is(err, store.ErrConflict) {
		return nil // it has left, or somebody else was faster
	}
	return err
}
