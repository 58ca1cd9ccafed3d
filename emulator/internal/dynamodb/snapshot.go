package dynamodb

import (
	"bytes"
	"fmt"
	"slices"
)

// Snapshot is the state of an Engine's tables at one moment. It never changes,
// and can be restored any number of times, into other Engines too.
type Snapshot struct {
	records []fileRecord
	streams map[string]streamInfo // those that record, by table
}

// Snapshot keeps all tables with their items and settings. What streams have
// recorded is no part of it.
func (e *Engine) Snapshot() (*Snapshot, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	s := &Snapshot{streams: map[string]streamInfo{}}
	err := e.store.view(func(r reader) error {
		for name, t := range e.tables {
			if stream := t.stream.Load(); stream.open() {
				s.streams[name] = stream.streamInfo
			}
		}
		for _, space := range e.spaces() {
			r.scan(space, nil, nil, false, func(key, value []byte) bool {
				s.records = append(s.records, fileRecord{space, bytes.Clone(key), append([]byte{}, value...)})
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
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.restoreTables(s); err != nil {
		return fmt.Errorf("dynamodb: restore a snapshot: %w", err)
	}
	for name, info := range s.streams {
		t, enabled := e.tables[name], true
		if t.stream.Load().open() {
			continue
		}
		if err := e.setStream(t, &streamSpecification{&enabled, info.View}); err != nil {
			return fmt.Errorf("dynamodb: restore the stream of table %s: %w", name, err)
		}
	}
	e.wake(e.cfg.Clock.Now().Unix()) // something may have to expire
	return nil
}

// restoreTables is Restore but for streams that have ended. e.mu is held.
func (e *Engine) restoreTables(s *Snapshot) error {
	ends := slices.DeleteFunc(e.streams.list(), func(x *stream) bool { return !x.open() || s.streams[x.Table].Label == x.Label })
	err := e.store.update(func(reader) ([]write, error) {
		writes := []write{{space: tokens}}
		for _, x := range ends {
			w, err := x.close(e.cfg.Clock.Now())
			if err != nil {
				return nil, err
			}
			writes = append(writes, w)
		}
		for _, space := range e.spaces() {
			writes = append(writes, write{space: space})
		}
		for _, r := range s.records {
			writes = append(writes, write(r))
		}
		for _, t := range e.tables {
			t.dropped.Store(true)
		}
		return writes, nil
	}, func() {
		for _, x := range ends {
			x.reopen()
		}
		for _, t := range e.tables {
			t.dropped.Store(false)
		}
	})
	if err != nil {
		return err
	}
	for _, x := range ends {
		e.ended(x)
	}
	clear(e.tables)
	e.lag.forget()
	return e.store.view(e.loadTables)
}

// Reset deletes all items. Tables stay, with their settings; faults and the lag
// go.
func (e *Engine) Reset() error {
	e.ClearFaults()
	e.Lag(0)
	e.mu.RLock()
	defer e.mu.RUnlock()
	err := e.store.update(func(reader) ([]write, error) {
		writes := []write{{space: tokens}}
		for _, t := range e.tables {
			for _, space := range t.spaces() {
				writes = append(writes, write{space: space})
			}
		}
		return writes, nil
	})
	if err != nil {
		return fmt.Errorf("dynamodb: delete all items: %w", err)
	}
	return nil
}
