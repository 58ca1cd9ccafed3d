// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html

package dynamodb

import (
	"bytes"
	"encoding/binary"
	"math"
	"sync"
	"time"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// sweepDelay is how long after its expiry an item is deleted, unless ExpireAfter
// says otherwise. AWS promises no more than a few days; code has to check expiry
// itself, here too.
const sweepDelay = time.Minute

// maxSweep is how many items one update deletes at most.
const maxSweep = 256

// sweeper deletes expired items, when the first of them is due.
type sweeper struct {
	mu      sync.Mutex
	timer   *clock.Timer
	due     int64 // seconds since 1970; when the timer runs
	delay   int64 // seconds after the expiry; negative: nothing is deleted
	running sync.WaitGroup
	stopped bool
}

// ExpireAfter sets how long after its expiry an item is deleted, in whole
// seconds: 0 is at once, and less than 0 is never. An Engine begins with a
// minute; AWS takes up to some days.
func (e *Engine) ExpireAfter(d time.Duration) {
	s := &e.sweeper
	s.mu.Lock()
	s.delay = int64(d / time.Second)
	if d < 0 {
		s.delay = -1
	}
	s.due = never
	s.mu.Unlock()
	e.sweep()
}

const (
	never     = math.MaxInt64
	farFuture = 1 << 40 // seconds; keeps sums of times from overflowing
)

// startSweeper sees to what has expired while no Engine was there.
func (e *Engine) startSweeper() {
	s := &e.sweeper
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = int64(sweepDelay / time.Second)
	s.due = e.cfg.Clock.Now().Add(sweepDelay).Unix()
	s.timer = e.cfg.Clock.AfterFunc(sweepDelay, e.sweep)
}

// expect makes the sweeper run some time after what is old has become so.
func (e *Engine) expect(at int64) {
	e.wake(max(at, e.cfg.Clock.Now().Unix()) + int64(sweepDelay/time.Second))
}

// expectExpiry makes the sweeper run when an item that expires is to be deleted.
func (e *Engine) expectExpiry(at int64) {
	if delay := e.sweeper.after(); delay >= 0 {
		e.wake(min(at, farFuture) + delay + 1)
	}
}

// wake makes the sweeper run at a time, or earlier.
func (e *Engine) wake(due int64) {
	s := &e.sweeper
	s.mu.Lock()
	defer s.mu.Unlock()
	due = min(due, 2*farFuture)
	if due >= s.due || s.stopped {
		return
	}
	s.due = due
	s.timer.Reset(time.Unix(due, 0).Sub(e.cfg.Clock.Now()))
}

// after gives how many seconds after its expiry an item is deleted.
func (s *sweeper) after() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.delay
}

// stop waits for a sweep that runs, and lets none begin; first is false if it
// has been called before.
func (s *sweeper) stop() (first bool) {
	s.mu.Lock()
	first = !s.stopped
	s.stopped = true
	s.timer.Stop()
	s.mu.Unlock()
	s.running.Wait()
	return first
}

// sweep deletes what has expired, and sets the timer for what comes next.
func (e *Engine) sweep() {
	s := &e.sweeper
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return
	}
	s.running.Add(1)
	s.due = never
	s.mu.Unlock()
	defer s.running.Done()

	e.mu.RLock()
	var tables []*table
	for _, t := range e.tables {
		if t.ttl.Load() != nil {
			tables = append(tables, t)
		}
	}
	e.mu.RUnlock()
	for _, s := range e.streams.list() {
		if err := e.sweepStream(s); err != nil {
			e.cfg.Log.Error("dynamodb: old stream records stay", "stream", s.arn, "error", err)
			e.expect(e.cfg.Clock.Now().Unix()) // try again
		}
	}
	for _, t := range tables {
		if err := e.sweepTable(t); err != nil {
			e.cfg.Log.Error("dynamodb: expired items stay", "table", t.name, "error", err)
			e.expect(e.cfg.Clock.Now().Unix()) // try again
		}
	}
}

// sweepTable deletes the expired items of a table.
func (e *Engine) sweepTable(t *table) error {
	for more := true; more; {
		err := e.store.Update(func(r kv.Reader) (writes []kv.Write, err error) {
			writes, more, err = e.expired(r, t)
			return writes, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// expired gives the writes that delete expired items; more says that there are
// others. When there are none, it has the sweeper wait for the next.
func (e *Engine) expired(r kv.Reader, t *table) (writes []kv.Write, more bool, err error) {
	ttl := t.ttl.Load()
	if ttl == nil || t.dropped.Load() {
		return nil, false, nil
	}
	delay := e.sweeper.after()
	if delay < 0 {
		return nil, false, nil
	}
	limit, items := e.cfg.Clock.Now().Unix()-delay, 0
	r.Scan(ttl.Space, nil, nil, false, func(entry, _ []byte) bool {
		at := int64(binary.BigEndian.Uint64(entry))
		if at >= limit {
			e.expectExpiry(at)
			return false
		}
		if items++; items > maxSweep {
			more = true
			return false
		}
		entry = bytes.Clone(entry)
		key := entry[8:]
		writes = append(writes, kv.Delete(ttl.Space, entry), kv.Delete(t.space, key))
		writes, err = e.expire(r, t, key, writes)
		return err == nil
	})
	return writes, more, err
}

// expire appends the writes that take an item out of its table's indexes and
// record that it has expired.
func (e *Engine) expire(r kv.Reader, t *table, key []byte, writes []kv.Write) ([]kv.Write, error) {
	stored := r.Get(t.space, key)
	if stored == nil || len(t.indexes()) == 0 && !t.stream.Load().open() {
		return writes, nil
	}
	it, err := decodeStored(stored)
	if err != nil {
		return nil, err
	}
	for _, x := range t.indexes() {
		if entry := x.entry(it, key); entry != nil {
			writes = append(writes, kv.Delete(x.space, entry))
		}
	}
	return e.emit(writes, r, t, it, nil, true), nil
}

// deriveExpiry appends the writes that keep the list of expiries in step with
// an item.
func (e *Engine) deriveExpiry(writes []kv.Write, ttl *ttlSetting, key []byte, old, next item) []kv.Write {
	now := e.cfg.Clock.Now()
	before, had := ttl.expiry(old, time.Time{}) // it may be listed since it was not too old
	after, has := ttl.expiry(next, now)
	if had && (!has || before != after) {
		writes = append(writes, kv.Delete(ttl.Space, expiryEntry(before, key)))
	}
	if has && (!had || before != after) {
		writes = append(writes, kv.Put(ttl.Space, expiryEntry(after, key), nil))
		e.expectExpiry(after)
	}
	return writes
}

func expiryEntry(seconds int64, key []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(seconds)), key...)
}
