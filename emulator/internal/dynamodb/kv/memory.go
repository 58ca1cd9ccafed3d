package kv

import (
	"sync"
	"unsafe"

	"github.com/tidwall/btree"
)

// memoryStore keeps everything in memory, in B-trees.
type memoryStore struct {
	options Options
	mu      sync.RWMutex
	spaces  memorySpaces // nil after Close
}

type memorySpaces map[uint64]*memorySpace

type memorySpace struct {
	btree.Map[string, []byte]
	total Total
}

// Memory makes a store that ends with the process.
func Memory(o Options) Store { return &memoryStore{options: o, spaces: memorySpaces{}} }

func (s *memoryStore) View(f func(Reader) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.spaces == nil {
		return ErrClosed
	}
	return f(s.spaces)
}

func (s *memoryStore) Update(f func(Reader) ([]Write, error), undo ...func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spaces == nil {
		return ErrClosed
	}
	writes, err := f(s.spaces)
	if err != nil {
		for _, f := range undo {
			f()
		}
		return err
	}
	for _, w := range writes {
		s.apply(w)
	}
	return nil
}

func (s *memoryStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spaces = nil
	return nil
}

func (s *memoryStore) apply(w Write) {
	space := s.spaces[w.space]
	switch {
	case w.drop:
		delete(s.spaces, w.space)
	case w.value != nil:
		if space == nil {
			space = &memorySpace{}
			s.spaces[w.space] = space
		}
		old, _ := space.Set(string(w.key), w.value)
		s.options.replace(&space.total, old, w.value)
	case space != nil:
		old, _ := space.Delete(string(w.key))
		s.options.replace(&space.total, old, nil)
	}
}

func (m memorySpaces) Total(space uint64) Total {
	if m[space] == nil {
		return Total{}
	}
	return m[space].total
}

func (m memorySpaces) Get(space uint64, key []byte) []byte {
	if m[space] == nil {
		return nil
	}
	v, _ := m[space].Get(textOf(key))
	return v
}

func (m memorySpaces) Scan(space uint64, from, to []byte, backwards bool, f func(key, value []byte) bool) {
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
