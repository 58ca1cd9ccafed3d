package functions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"crypto-ticker/shared/market"
	"crypto-ticker/shared/push"
	"crypto-ticker/shared/store"
)

const (
	handoverTime = 90 * time.Second // before the invocation's end: the schedule wakes a successor each minute
	releaseTime  = 5 * time.Second  // before the invocation's end, with or without a successor
	idleTime     = 30 * time.Second // a client that connects again soon finds the leader
	renewRetry   = 200 * time.Millisecond
	maxCatchUp   = 250 * time.Millisecond // of ticks that a busy machine has missed; the rest is left out
)

// leader is the one ticker while it holds the lease.
type leader struct {
	*ticker
	source market.Source
	pusher *push.Pusher
	epoch  int64
	since  int64              // the tick that the former leader has ended with
	cancel context.CancelFunc // ends all work at once

	mu     sync.Mutex
	latest map[string]market.Quote
	conns  connections
}

// lead holds the lease, moves prices and sends them until somebody else takes
// over, nobody is connected or the time is up. first is a connection that has
// got its welcome and waits for the first prices; nil if there is none.
func (t *ticker) lead(ctx context.Context, held claim, first *store.Connection) error {
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	source, err := market.Open(work, market.Config{Name: t.source, Symbols: t.symbols, Last: held.Prices, Confirmed: held.saved})
	if err != nil {
		return errors.Join(err, t.store.ReleaseLease(ctx, held.Lease))
	}
	l := &leader{
		ticker: t, source: source, epoch: held.Epoch, since: held.Seq, cancel: cancel,
		latest: map[string]market.Quote{}, conns: newConnections(time.Now()),
	}
	l.pusher = push.New(push.Config{
		Client: t.push, Symbols: t.symbols, Epoch: held.Epoch, Seq: held.Seq,
		TickInterval: t.tick, DeliveryInterval: t.delivery, MaxPostsPerSecond: t.maxPosts,
		Gone: l.gone, Closed: l.closed,
	})
	slog.InfoContext(ctx, "ticker started", "epoch", held.Epoch, "source", t.source)
	why, err := l.run(ctx, work, held, first)
	slog.InfoContext(ctx, "ticker stopped", "epoch", held.Epoch, "reason", why, "connections", l.pusher.Len())
	if err != nil {
		return fmt.Errorf("ticker: %w", err)
	}
	return nil
}

// run does the leader's work, and gives the lease up at the end.
func (l *leader) run(ctx, work context.Context, held claim, first *store.Connection) (why string, err error) {
	// From when on another process may take the lease, this one must be silent.
	guard := time.AfterFunc(time.Until(held.since.Add(leaseTime-renewInterval)), l.cancel)
	defer guard.Stop()
	l.advance(time.Now()) // the prices to begin with: there is something to save and to show

	ticking, stopTicking := context.WithCancel(work)
	var prices, posts sync.WaitGroup
	prices.Go(func() { l.ticks(ticking) })
	posts.Go(func() { l.pusher.Run(work) })
	posts.Go(func() { l.follow(ticking, first) })
	posts.Go(func() { l.keep(ticking) })

	why, lease := l.hold(work, held.Lease, guard)
	stopTicking()
	prices.Wait()
	switch why {
	case stopLost, stopSilent:
		l.cancel()
	case stopHandover, stopTime:
		l.lastLook(work)
	}
	l.pusher.Flush(work) // the next leader does not know who has got what
	l.pusher.Stop()
	posts.Wait() // those in flight may end, as long as the guard lets them
	l.cancel()
	switch why {
	case stopLost:
		return why, nil
	case stopSilent:
		return why, errors.New(stopSilent) // whoever is told of failures wakes a successor
	}
	release, done := context.WithTimeout(context.WithoutCancel(ctx), releaseTime/2)
	defer done()
	lease.Seq, lease.Prices = l.pusher.Seq(), l.quotes()
	if err := l.store.ReleaseLease(release, lease); err != nil && !errors.Is(err, store.ErrConflict) {
		return why, err
	}
	return why, nil
}

// Why a leader stops.
const (
	stopLost     = "somebody else has the lease"
	stopSilent   = "the lease could not be renewed in time"
	stopIdle     = "nobody is connected"
	stopHandover = "handed over"
	stopTime     = "time is up"
)

// hold renews the lease until there is a reason to stop, and returns the lease
// as it then is.
func (l *leader) hold(ctx context.Context, lease store.Lease, guard *time.Timer) (why string, _ store.Lease) {
	leaving := int64(0) // the version from which on a challenger is a successor
	for {
		lease.State, lease.Build = l.state(ctx, lease), l.build
		lease.Seq, lease.Prices = l.pusher.Seq(), l.quotes()
		sent := time.Now()
		renewed, err := l.renew(ctx, lease)
		wait := renewInterval
		switch {
		case errors.Is(err, store.ErrConflict):
			return stopLost, lease
		case ctx.Err() != nil:
			return stopSilent, lease
		case err != nil:
			slog.WarnContext(ctx, "lease cannot be renewed", "error", err)
			wait = renewRetry
		default:
			guard.Reset(time.Until(sent.Add(leaseTime - renewInterval)))
			lease = renewed
		}
		switch {
		case timeLeft(ctx) < releaseTime:
			return stopTime, lease
		case err != nil:
		case lease.State == store.LeaseHandover:
			if leaving == 0 {
				leaving = lease.Version
			}
			if lease.Challenged >= leaving {
				return stopHandover, lease
			}
		case lease.State == store.LeaseDraining:
			if l.deserted(ctx, sent.Add(renewInterval/2)) {
				return stopIdle, lease
			}
			wait = 0
		}
		if pause(ctx, time.Until(sent.Add(wait))) != nil {
			return stopSilent, lease
		}
	}
}

// state is what the leader is about to do.
func (l *leader) state(ctx context.Context, lease store.Lease) store.LeaseState {
	switch {
	case l.unused(time.Now()):
		return store.LeaseDraining
	case timeLeft(ctx) < handoverTime, lease.Wanted != "" && lease.Wanted != l.build:
		return store.LeaseHandover
	}
	return store.LeaseRunning
}

func (l *leader) renew(ctx context.Context, lease store.Lease) (store.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, renewInterval)
	defer cancel()
	return l.store.RenewLease(ctx, lease)
}

// deserted looks a last time, after all can see that the leader is about to
// leave: a client that has come before is seen by this, and one that comes
// after it sees that it has to wait for the lease. Without an answer in time
// for the next renewal, it stays.
func (l *leader) deserted(ctx context.Context, until time.Time) bool {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	busy, err := l.store.HasConnections(ctx)
	if err != nil {
		slog.WarnContext(ctx, "connections cannot be read", "error", err)
	}
	if busy || err != nil {
		l.stay(time.Now())
		return false
	}
	return true
}

// timeLeft is how long the invocation may take yet; without a deadline it is a
// long time.
func timeLeft(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return time.Until(end)
	}
	return time.Hour
}

// ticks moves the prices each interval. It neither drifts nor makes up for a
// long time in which the machine was stopped.
func (l *leader) ticks(ctx context.Context) {
	next := time.Now().Add(l.tick)
	timer := time.NewTimer(l.tick)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		now := time.Now()
		if now.Sub(next) > max(maxCatchUp, l.tick) {
			next = now
		}
		for ; !next.After(now); next = next.Add(l.tick) {
			l.advance(next)
		}
		timer.Reset(time.Until(next))
	}
}

// advance makes one tick.
func (l *leader) advance(at time.Time) {
	quotes := l.source.Next(at)
	if len(quotes) > 0 {
		l.mu.Lock()
		for _, q := range quotes {
			l.latest[q.Symbol] = q
		}
		l.mu.Unlock()
	}
	l.pusher.Tick(quotes)
}

// quotes returns the latest prices, in the order of the symbols.
func (l *leader) quotes() []market.Quote {
	l.mu.Lock()
	defer l.mu.Unlock()
	var quotes []market.Quote
	for _, symbol := range l.symbols {
		if q, ok := l.latest[symbol]; ok {
			quotes = append(quotes, q)
		}
	}
	return quotes
}
