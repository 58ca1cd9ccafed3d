package kv

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/tidwall/btree"
)

// Lagging is a Store that keeps what its writes replace, so that readers may see
// the state of some time ago. Its methods may be called at the same time.
type Lagging struct {
	Store
	now func() time.Time

	mu  sync.Mutex
	by  time.Duration
	log []replaced // in order
}

// NewLagging makes a Lagging of a Store, which begins without a lag. The time now
// gives must not go back.
func NewLagging(s Store, now func() time.Time) *Lagging { return &Lagging{Store: s, now: now} }

// replaced is what a key had before a write.
type replaced struct {
	at    time.Time
	space uint64
	key   string
	value []byte // nil: there was none
}

// Lag makes what Late gives late by d. 0 ends that.
func (l *Lagging) Lag(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by = max(d, 0); l.by == 0 {
		l.log = nil
	}
}

// Forget makes the present what late readers see.
func (l *Lagging) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = nil
}

// Update is that of the Store.
func (l *Lagging) Update(f func(Reader) ([]Write, error), undo ...func()) error {
	return l.Store.Update(func(r Reader) ([]Write, error) {
		writes, err := f(r)
		if err == nil {
			l.keep(r, writes, l.now())
		}
		return writes, err
	}, undo...)
}

// keep notes what the writes are about to replace. Should they fail, it has
// noted what is there.
func (l *Lagging) keep(r Reader, writes []Write, now time.Time) {
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
		if w.drop {
			r.Scan(w.space, nil, nil, false, func(key, value []byte) bool {
				l.log = append(l.log, replaced{now, w.space, string(key), bytes.Clone(value)})
				return true
			})
			continue
		}
		before, ok := seen[w.space][string(w.key)]
		if !ok {
			before = bytes.Clone(r.Get(w.space, w.key))
		}
		l.log = append(l.log, replaced{now, w.space, string(w.key), before})
		if seen[w.space] == nil {
			seen[w.space] = map[string][]byte{}
		}
		seen[w.space][string(w.key)] = w.value
	}
}

// Late gives a reader of the past for one of the present; r itself if nothing lags.
// What it tells of totals is the present.
func (l *Lagging) Late(r Reader) Reader {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == 0 {
		return r
	}
	limit := l.now().Add(-l.by)
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
	Reader
	old map[uint64]*btree.Map[string, []byte]
}

func (p lateReader) Get(space uint64, key []byte) []byte {
	if old := p.old[space]; old != nil {
		if value, ok := old.Get(string(key)); ok {
			return value
		}
	}
	return p.Reader.Get(space, key)
}

func (p lateReader) Scan(space uint64, from, to []byte, backwards bool, f func(key, value []byte) bool) {
	if p.old[space] == nil {
		p.Reader.Scan(space, from, to, backwards, f)
		return
	}
	var old []replaced // of the range, in the order of the scan
	one := memorySpaces{space: {Map: *p.old[space]}}
	one.Scan(space, from, to, backwards, func(key, value []byte) bool {
		old = append(old, replaced{key: string(key), value: value})
		return true
	})
	before := func(a, b string) bool { return a != b && (a < b) != backwards }
	more := true
	give := func(r replaced) bool { return r.value == nil || f([]byte(r.key), r.value) }
	p.Reader.Scan(space, from, to, backwards, func(key, value []byte) bool {
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
