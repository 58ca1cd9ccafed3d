package kv

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func stores(t *testing.T) map[string]Store {
	t.Helper()
	options := Options{Size: func(value []byte) int { return 100 + len(value) }}
	file, err := Open(filepath.Join(t.TempDir(), "test.db"), options)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]Store{"memory": Memory(options), "file": file}
	t.Cleanup(func() {
		for _, s := range all {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return all
}

// TestStoreAgainstModel compares both stores with a sorted list of keys.
func TestStoreAgainstModel(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(3, 4))
			key := func() []byte { return []byte{1, byte(rnd.IntN(6)), byte(rnd.IntN(6))}[:2+rnd.IntN(2)] }
			model := map[string]string{}
			for round := range 300 {
				var writes []Write
				for range 1 + rnd.IntN(4) {
					if rnd.IntN(3) > 0 {
						writes = append(writes, Put(7, key(), fmt.Append(nil, round)))
					} else {
						writes = append(writes, Delete(7, key()))
					}
				}
				if err := s.Update(func(Reader) ([]Write, error) { return writes, nil }); err != nil {
					t.Fatal(err)
				}
				for _, w := range writes {
					if delete(model, string(w.key)); w.value != nil {
						model[string(w.key)] = string(w.value)
					}
				}
				from, to, backwards := key(), key(), rnd.IntN(2) == 0
				if rnd.IntN(4) == 0 {
					from = nil
				}
				if rnd.IntN(4) == 0 {
					to = nil
				}
				total := Total{Keys: len(model)}
				for _, value := range model {
					total.Size += 100 + len(value)
				}
				var want, got []string
				for _, k := range slices.Sorted(maps.Keys(model)) {
					if k >= string(from) && (to == nil || k < string(to)) {
						want = append(want, k+"="+model[k])
					}
				}
				if backwards {
					slices.Reverse(want)
				}
				s.View(func(r Reader) error {
					if r.Total(7) != total {
						t.Errorf("got %+v, want %+v", r.Total(7), total)
					}
					r.Scan(7, from, to, backwards, func(k, v []byte) bool {
						got = append(got, string(k)+"="+string(v))
						if !bytes.Equal(r.Get(7, k), v) {
							t.Errorf("get %x is not what scan gives", k)
						}
						return true
					})
					return nil
				})
				if !slices.Equal(got, want) {
					t.Fatalf("scan %x to %x, backwards %v: got %q, want %q", from, to, backwards, got, want)
				}
			}
		})
	}
}

func TestStoreFailedUpdate(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			bad := errors.New("no")
			var wg sync.WaitGroup
			for i := range 50 { // good ones and bad ones share commits
				wg.Go(func() {
					err := s.Update(func(Reader) ([]Write, error) {
						writes := []Write{Put(1, []byte{byte(i)}, []byte{1})}
						if i%2 == 0 {
							return writes, bad
						}
						return writes, nil
					})
					if want := i%2 == 0; errors.Is(err, bad) != want || err != nil && !want {
						t.Errorf("%d: got %v", i, err)
					}
				})
			}
			wg.Wait()
			n := 0
			s.View(func(r Reader) error {
				r.Scan(1, nil, nil, false, func(k, _ []byte) bool { n++; return k[0]%2 == 1 })
				return nil
			})
			if n != 25 {
				t.Errorf("got %d keys, want the 25 of the good updates", n)
			}
			if err := s.Update(func(Reader) ([]Write, error) { return []Write{Drop(1), Drop(99)}, nil }); err != nil {
				t.Fatal(err)
			}
			s.View(func(r Reader) error {
				r.Scan(1, nil, nil, false, func(k, _ []byte) bool { t.Errorf("key %x is left", k); return true })
				return nil
			})
		})
	}
}

func TestPanicInUpdate(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "test.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(func(Reader) ([]Write, error) { panic("bug") })
	if err == nil || !strings.Contains(err.Error(), "panic: bug") {
		t.Errorf("got %v", err)
	}
	// A key that bbolt refuses fails the commit, and that only.
	undone := 0
	tooLong := func(Reader) ([]Write, error) { return []Write{Put(1, make([]byte, 1<<16), nil)}, nil }
	if err := s.Update(tooLong, func() { undone++ }); err == nil || undone != 1 {
		t.Errorf("a key that is too long: got %v, and %d undone", err, undone)
	}
	if err := s.Update(func(Reader) ([]Write, error) { return []Write{Put(1, []byte{1}, nil)}, nil }); err != nil {
		t.Error(err)
	}
}
