package dynamodb

import (
	"sync"
	"unsafe"

	"github.com/tidwall/btree"
)

// memoryStore keeps everything in memory, in B-trees.
type memoryStore struct {
	mu     sync.RWMutex
	spaces memorySpaces // nil after close
}

type memorySpaces map[uint64]*memorySpace

type memorySpace struct {
	btree.Map[string, []byte]
	total total
}

func newMemoryStore() *memoryStore { return &memoryStore{spaces: memorySpaces{}} }

func (s *memoryStore) view(f func(reader) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.spaces == nil {
		return errClosed
	}
	return f(s.spaces)
}

func (s *memoryStore) update(f func(reader) ([]write, error), undo ...func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spaces == nil {
		return errClosed
	}
	writes, err := f(s.spaces)
	if err != nil {
		for _, f := range undo {
			f()
		}
		return err
	}
	for _, w := range writes {
		s.spaces.apply(w)
	}
	return nil
}

func (s *memoryStore) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spaces = nil
	return nil
}

func (m memorySpaces) apply(w write) {
	space := m[w.space]
	switch {
	case w.key == nil:
		delete(m, w.space)
	case w.value != nil:
		if space == nil {
			space = &memorySpace{}
			m[w.space] = space
		}
		old, _ := space.Set(string(w.key), w.value)
		space.total.replace(old, w.value)
	case space != nil:
		old, _ := space.Delete(string(w.key))
		space.total.replace(old, nil)
	}
}

func (m memorySpaces) total(space uint64) total {
	if m[space] == nil {
		return total{}
	}
	return m[space].total
}

func (m memorySpaces) get(space uint64, key []byte) []byte {
	if m[space] == nil {
		return nil
	}
	v, _ := m[space].Get(textOf(key))
	return v
}

func (m memorySpaces) scan(space uint64, from, to []byte, backwards bool, f func(key, value []byte) bool) {
	tree := m[space]
	if tree == nil {
		return
	}
	first, end := textOf(from), textOf(to)
	if !backwards {
		tree.Ascend(first, func(k string, v []byte) bool {
			return (to == nil || k < end) && f(bytesOf(k), v)
		})
		return
	}
	down := func(k string, v []byte) bool {
		if to != nil && k >= end {
			return true
		}
		return k >= first && f(bytesOf(k), v)
	}
	if to == nil {
		tree.Reverse(down)
	} else {
		tree.Descend(end, down)
	}
}

// textOf and bytesOf are conversions without a copy: keys are not written to.
func textOf(b []byte) string  { return unsafe.String(unsafe.SliceData(b), len(b)) }
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
