// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html

package dynamodb

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/tidwall/btree"
)

// lag lets reads that are eventually consistent see the state of some time ago.
// It keeps what writes have replaced since.
type lag struct {
	mu  sync.Mutex
	by  time.Duration
	log []replaced // in order
}

// replaced is what a key had before a write.
type replaced struct {
	at    time.Time
	space uint64
	key   string
	value []byte // nil: there was none
}

// Lag makes what is eventually consistent late by d of the engine's time: reads
// that do not ask for consistency, and global secondary indexes. 0, which is
// how an Engine begins, ends that.
func (e *Engine) Lag(d time.Duration) {
	e.lag.mu.Lock()
	defer e.lag.mu.Unlock()
	if e.lag.by = max(d, 0); e.lag.by == 0 {
		e.lag.log = nil
	}
}

// forget makes the present what late reads see.
func (l *lag) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = nil
}

// lagging is a store that keeps what its writes replace.
type lagging struct {
	store
	e *Engine
}

func (s lagging) update(f func(reader) ([]write, error), undo ...func()) error {
	return s.store.update(func(r reader) ([]write, error) {
		writes, err := f(r)
		if err == nil {
			s.e.lag.keep(r, writes, s.e.cfg.Clock.Now())
		}
		return writes, err
	}, undo...)
}

// keep notes what the writes are about to replace. Should they fail, it has
// noted what is there.
func (l *lag) keep(r reader, writes []write, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == 0 {
		return
	}
	old := 0
	for old < len(l.log) && !l.log[old].at.After(now.Add(-l.by)) {
		old++
	}
	if old > len(l.log)/2 { // no write has to copy much more than has gone by
		l.log = slices.Clone(l.log[old:])
	}
	seen := map[uint64]map[string][]byte{} // by earlier ones of these writes
	for _, w := range writes {
		if w.key == nil {
			r.scan(w.space, nil, nil, false, func(key, value []byte) bool {
				l.log = append(l.log, replaced{now, w.space, string(key), bytes.Clone(value)})
				return true
			})
			continue
		}
		before, ok := seen[w.space][string(w.key)]
		if !ok {
			before = bytes.Clone(r.get(w.space, w.key))
		}
		l.log = append(l.log, replaced{now, w.space, string(w.key), before})
		if seen[w.space] == nil {
			seen[w.space] = map[string][]byte{}
		}
		seen[w.space][string(w.key)] = w.value
	}
}

// late gives a reader of a space's past, or r itself if the read is consistent
// or nothing lags.
func (e *Engine) late(r reader, consistent bool) reader {
	l := &e.lag
	l.mu.Lock()
	defer l.mu.Unlock()
	if consistent || l.by == 0 {
		return r
	}
	limit := e.cfg.Clock.Now().Add(-l.by)
	past := lateReader{r, map[uint64]*btree.Map[string, []byte]{}}
	for i := len(l.log) - 1; i >= 0 && l.log[i].at.After(limit); i-- {
		old := l.log[i]
		if past.old[old.space] == nil {
			past.old[old.space] = &btree.Map[string, []byte]{}
		}
		past.old[old.space].Set(old.key, old.value)
	}
	return past
}

// lateReader reads a state of the past: what has been replaced since stands
// before what is there.
type lateReader struct {
	reader
	old map[uint64]*btree.Map[string, []byte]
}

func (p lateReader) get(space uint64, key []byte) []byte {
	if old := p.old[space]; old != nil {
		if value, ok := old.Get(string(key)); ok {
			return value
		}
	}
	return p.reader.get(space, key)
}

func (p lateReader) scan(space uint64, from, to []byte, backwards bool, f func(key, value []byte) bool) {
	if p.old[space] == nil {
		p.reader.scan(space, from, to, backwards, f)
		return
	}
	var old []replaced // of the range, in the order of the scan
	one := memorySpaces{space: {Map: *p.old[space]}}
	one.scan(space, from, to, backwards, func(key, value []byte) bool {
		old = append(old, replaced{key: string(key), value: value})
		return true
	})
	before := func(a, b string) bool { return a != b && (a < b) != backwards }
	more := true
	give := func(r replaced) bool { return r.value == nil || f([]byte(r.key), r.value) }
	p.reader.scan(space, from, to, backwards, func(key, value []byte) bool {
		for more && len(old) > 0 && before(old[0].key, string(key)) {
			more = give(old[0])
			old = old[1:]
		}
		switch {
		case !more:
		case len(old) > 0 && old[0].key == string(key):
			more = give(old[0])
			old = old[1:]
		default:
			more = f(key, value)
		}
		return more
	})
	for ; more && len(old) > 0; old = old[1:] {
		more = give(old[0])
	}
}
