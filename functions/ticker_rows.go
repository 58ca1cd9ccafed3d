package functions

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"crypto-ticker/shared/push"
	"crypto-ticker/shared/store"
)

const (
	lookInterval = 500 * time.Millisecond // of reading the rows of new connections
	fullLooks    = 4                      // each one of so many looks reads all rows
	newRows      = 30 * time.Second       // what is new

	settled    = 30 * time.Second // a connection that is gone after it has ended; one gone before may not be open yet
	lateRow    = 10 * time.Second // a younger row may be missing in an eventually consistent read
	leftover   = 6 * time.Second  // after which the leader greets whom nobody has greeted
	greetings  = 16               // of those at the same time
	forgotten  = 30 * time.Second // how long a removed row may still be read
	adviceFrom = 90 * time.Minute // API Gateway ends a connection after 2 hours
	adviceSpan = 26               // minutes, so that those who came together do not come again together
)

// connections is what the leader knows of the rows, guarded by its mu.
type connections struct {
	rows     map[string]*row      // by connection id
	removed  map[string]time.Time // ids that must not come back from a late read
	occupied time.Time            // when there was a row last
	greeting int
}

type row struct {
	store.Connection
	tried   time.Time // to greet it
	advised bool
}

func newConnections(now time.Time) connections {
	return connections{rows: map[string]*row{}, removed: map[string]time.Time{}, occupied: now}
}

// follow keeps the connections up to date until ctx ends.
func (l *leader) follow(ctx context.Context, first *store.Connection) {
	var greets sync.WaitGroup
	defer greets.Wait()
	if first != nil {
		greets.Go(func() { l.finishGreeting(ctx, *first) })
	}
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for look := 0; ; look++ {
		if err := l.look(ctx, look%fullLooks == 0, &greets); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "connections cannot be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// lastLook finds the clients that somebody has greeted just now with the prices
// last saved: the next leader will not know the ticks since.
func (l *leader) lastLook(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, renewInterval/2)
	defer cancel()
	var greets sync.WaitGroup
	if err := l.look(ctx, false, &greets); err != nil {
		slog.WarnContext(ctx, "connections cannot be read", "error", err)
	}
	greets.Wait()
}

// look reads rows: all of them, or those of the last seconds.
func (l *leader) look(ctx context.Context, full bool, greets *sync.WaitGroup) error {
	var since time.Time
	if !full {
		since = time.Now().Add(-newRows)
	}
	seen := map[string]bool{}
	for shard := range store.Shards {
		rows, err := l.store.Connections(ctx, shard, since, false)
		if err != nil {
			return err
		}
		for _, c := range rows {
			seen[c.ConnectionID] = true
			l.take(ctx, c, greets)
		}
	}
	if full {
		l.drop(seen, time.Now())
	}
	return nil
}

// take takes over a row that was read.
func (l *leader) take(ctx context.Context, c store.Connection, greets *sync.WaitGroup) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if _, removed := l.conns.removed[c.ConnectionID]; removed {
		return
	}
	r := l.conns.rows[c.ConnectionID]
	if r == nil {
		r = &row{}
		l.conns.rows[c.ConnectionID] = r
	}
	r.Connection = c
	switch {
	case c.Greeted:
		since := l.since // the former leader has sent all ticks before that
		if c.Epoch == l.epoch {
			since = c.Seq
		}
		l.pusher.Put(c.ConnectionID, c.Symbols, c.Mode == store.ModeLatest, since)
	case c.Age(now) > leftover && now.Sub(r.tried) > leftover && l.conns.greeting < greetings:
		r.tried = now
		l.conns.greeting++
		greets.Go(func() { l.greetLeftover(ctx, c) })
	}
}

// drop forgets the connections whose rows are gone.
func (l *leader) drop(seen map[string]bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, r := range l.conns.rows {
		if !seen[id] && r.Age(now) > lateRow {
			delete(l.conns.rows, id)
			l.pusher.Remove(id)
		}
	}
	for id, at := range l.conns.removed {
		if now.Sub(at) > forgotten {
			delete(l.conns.removed, id)
		}
	}
}

// unused says whether nobody has been connected for a while.
func (l *leader) unused(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns.rows) > 0 {
		l.conns.occupied = now
	}
	return now.Sub(l.conns.occupied) >= l.idle
}

// stay counts the idle time anew.
func (l *leader) stay(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns.occupied = now
}

// keep maintains the connections each second until ctx ends, also while their
// rows cannot be read.
func (l *leader) keep(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			l.maintain(now)
			l.pusher.Maintain(now)
		}
	}
}

// maintain ends connections whose tokens have expired, and advises old ones to
// connect again.
func (l *leader) maintain(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, r := range l.conns.rows {
		switch {
		case !now.Before(r.ExpiresAt):
			l.pusher.Put(id, nil, false, 0) // it may not have been greeted yet
			l.pusher.Close(id, push.Message{
				Type: push.TypeError, Code: codeExpired, Message: "the token is no longer valid: connect again with a new one",
			}.JSON())
		case !r.advised && r.Greeted && r.Age(now) >= adviceAge(id):
			r.advised = true
			l.pusher.Send(id, push.Message{Type: push.TypeReconnect, Message: "the connection will end soon: make a new one first"}.JSON())
		}
	}
}

// adviceAge is a whole number of minutes from 90 to 115, always the same one for
// a connection, whoever leads.
func adviceAge(connectionID string) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(connectionID))
	return adviceFrom + time.Duration(h.Sum32()%adviceSpan)*time.Minute
}

// greetLeftover greets a connection whose own greeting has failed.
func (l *leader) greetLeftover(ctx context.Context, c store.Connection) {
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.conns.greeting--
	}()
	err := l.welcome(ctx, c, 0)
	if errors.Is(err, push.ErrGone) {
		l.gone(c.ConnectionID)
		return
	}
	if err != nil {
		notGreeted(ctx, c.ConnectionID, err)
		return
	}
	l.finishGreeting(ctx, c)
}

// finishGreeting sends the snapshot and serves the connection from then on.
func (l *leader) finishGreeting(ctx context.Context, c store.Connection) {
	lease := store.Lease{State: store.LeaseRunning, Epoch: l.epoch, Seq: l.pusher.Seq(), Prices: l.quotes()}
	if err := l.snapshot(ctx, c, lease); err != nil {
		notGreeted(ctx, c.ConnectionID, err)
		return
	}
	l.pusher.Put(c.ConnectionID, c.Symbols, c.Mode == store.ModeLatest, lease.Seq)
}

// gone is called when API Gateway does not know a connection. A young one may
// not be open yet; the others are removed, since $disconnect may have been
// missed.
func (l *leader) gone(id string) {
	c, ok := l.ref(id)
	switch {
	case !ok:
		l.pusher.Remove(id)
	case c.Age(time.Now()) >= settled:
		slog.Info("client is gone", "connection_id", id)
		l.forget(c)
	}
}

// closed is called when a connection was ended from here.
func (l *leader) closed(id string) {
	if c, ok := l.ref(id); ok {
		slog.Info("client was disconnected", "connection_id", id)
		l.forget(c)
	}
}

func (l *leader) ref(id string) (store.ConnectionRef, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.conns.rows[id]
	if r == nil {
		return store.ConnectionRef{}, false
	}
	return r.ConnectionRef, true
}

// forget removes a connection and its row.
func (l *leader) forget(c store.ConnectionRef) {
	l.mu.Lock()
	delete(l.conns.rows, c.ConnectionID)
	l.conns.removed[c.ConnectionID] = time.Now()
	l.mu.Unlock()
	l.pusher.Remove(c.ConnectionID)
	ctx, cancel := context.WithTimeout(context.Background(), leaseTime)
	defer cancel()
	if err := l.store.RemoveConnection(ctx, c); err != nil {
		slog.Warn("row cannot be removed", "connection_id", c.ConnectionID, "error", err)
	}
}
