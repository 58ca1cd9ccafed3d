package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"crypto-ticker/emulator/internal/dynamodb/kv"
)

// Snapshot is the state of an Engine's tables at one moment. It never changes,
// and can be restored any number of times, into other Engines too.
type Snapshot struct {
	records []kv.Record
	streams map[string]streamInfo // those that record, by table
}

// Snapshot keeps all tables with their items and settings. What streams have
// recorded is no part of it.
func (e *Engine) Snapshot() (*Snapshot, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	s := &Snapshot{streams: map[string]streamInfo{}}
	err := e.store.View(func(r kv.Reader) error {
		for name, t := range e.tables {
			if stream := t.stream.Load(); stream.open() {
				s.streams[name] = stream.streamInfo
			}
		}
		for _, space := range e.spaces() {
			r.Scan(space, nil, nil, false, func(key, value []byte) bool {
				s.records = append(s.records, kv.Record{Space: space, Key: bytes.Clone(key), Value: bytes.Clone(value)})
				return true
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("dynamodb: take a snapshot: %w", err)
	}
	return s, nil
}

// spaces lists the catalog and what belongs to tables. e.mu is held.
func (e *Engine) spaces() []uint64 {
	all := []uint64{catalog}
	for _, t := range e.tables {
		all = append(all, t.spaces()...)
	}
	return all
}

// spaces lists where a table's items, index entries and expiries lie.
func (t *table) spaces() []uint64 {
	all := []uint64{t.space}
	for _, x := range t.indexes() {
		all = append(all, x.space)
	}
	if ttl := t.ttl.Load(); ttl != nil {
		all = append(all, ttl.Space)
	}
	return all
}

// Restore puts the tables back as they were; those made since are gone. That is
// no change that streams record; tokens of transactions are forgotten. A stream
// that has been made since ends, and a table whose stream has ended since gets
// another. A write that is under way meanwhile comes before it, or fails as for
// a deleted table.
func (e *Engine) Restore(s *Snapshot) error {
	if s == nil {
		return errors.New("dynamodb: restore a snapshot: there is none")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	ends, begins := e.restoredStreams(s)
	now := e.cfg.Clock.Now()
	err := e.store.Update(func(kv.Reader) ([]kv.Write, error) {
		for _, x := range ends {
			x.close(now)
		}
		for _, t := range e.tables {
			t.dropped.Store(true)
		}
		return e.restored(s, ends, begins)
	}, func() {
		for _, x := range ends {
			x.reopen()
		}
		for _, t := range e.tables {
			t.dropped.Store(false)
		}
	})
	if err != nil {
		return fmt.Errorf("dynamodb: restore a snapshot: %w", err)
	}
	for _, x := range ends {
		e.finish(x)
	}
	for _, x := range begins {
		e.streams.add(x)
	}
	clear(e.tables)
	e.lag.Forget()
	if err := e.store.View(e.loadTables); err != nil {
		return fmt.Errorf("dynamodb: restore a snapshot: %w", err)
	}
	e.wake(now.Unix()) // something may have to expire
	return nil
}

// restoredStreams gives the streams that end when a snapshot is restored, and by
// table those that begin. e.mu is held.
func (e *Engine) restoredStreams(s *Snapshot) (ends []*stream, begins map[string]*stream) {
	begins = map[string]*stream{}
	for name, info := range s.streams {
		if !e.streams.find(e.streamARN(name, info.Label)).open() {
			begins[name] = e.newStream(name, info.Key, info.View)
		}
	}
	return slices.DeleteFunc(e.streams.list(), func(x *stream) bool { return !x.open() || s.streams[x.Table].Label == x.Label }), begins
}

// restored gives the writes that put a snapshot into the place of what there is.
func (e *Engine) restored(s *Snapshot, ends []*stream, begins map[string]*stream) ([]kv.Write, error) {
	writes := []kv.Write{kv.Drop(tokens)}
	for _, x := range slices.Concat(ends, slices.Collect(maps.Values(begins))) {
		w, err := x.save()
		if err != nil {
			return nil, err
		}
		writes = append(writes, w)
	}
	for _, space := range e.spaces() {
		writes = append(writes, kv.Drop(space))
	}
	for _, r := range s.records {
		if x := begins[string(r.Key)]; r.Space == catalog && x != nil {
			var err error
			if r.Value, err = withStream(r.Value, x); err != nil {
				return nil, fmt.Errorf("dynamodb: the definition of table %q: %w", r.Key, err)
			}
		}
		writes = append(writes, kv.Put(r.Space, r.Key, r.Value))
	}
	return writes, nil
}

// withStream gives a table's definition, as it is stored, with another stream as
// the latest.
func withStream(stored []byte, s *stream) ([]byte, error) {
	var record tableRecord
	if err := json.Unmarshal(stored, &record); err != nil {
		return nil, err
	}
	record.Stream = s.Label
	return json.Marshal(record)
}

// Reset deletes all items. Tables stay, with their settings; faults and the lag
// go.
func (e *Engine) Reset() error {
	e.ClearFaults()
	e.Lag(0)
	e.mu.RLock()
	defer e.mu.RUnlock()
	err := e.store.Update(func(kv.Reader) ([]kv.Write, error) {
		writes := []kv.Write{kv.Drop(tokens)}
		for _, t := range e.tables {
			for _, space := range t.spaces() {
				writes = append(writes, kv.Drop(space))
			}
		}
		return writes, nil
	})
	if err != nil {
		return fmt.Errorf("dynamodb: delete all items: %w", err)
	}
	return nil
}
