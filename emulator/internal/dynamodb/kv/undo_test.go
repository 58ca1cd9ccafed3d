package kv

import (
	"errors"
	"sync"
	"testing"
)

// TestUndo has updates that change something outside of the store and then fail,
// alone or with the commit that they share: no other update may see the change.
func TestUndo(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			changed, bad := false, errors.New("no")
			var wg sync.WaitGroup
			for i := range 60 {
				wg.Go(func() {
					switch i % 3 {
					case 0:
						if err := s.Update(func(Reader) ([]Write, error) {
							changed = true
							return nil, bad
						}, func() { changed = false }); err == nil {
							t.Error("no error of an update that fails")
						}
					case 1:
						if name != "file" { // what memory is told to keep it keeps
							return
						}
						if err := s.Update(func(Reader) ([]Write, error) {
							changed = true
							return []Write{Put(1, make([]byte, 1<<16), nil)}, nil
						}, func() { changed = false }); err == nil {
							t.Error("no error for a key that is too long")
						}
					default:
						s.Update(func(Reader) ([]Write, error) {
							if changed {
								t.Error("what a failed update changed is still so")
							}
							return nil, nil
						})
					}
				})
			}
			wg.Wait()
		})
	}
}
