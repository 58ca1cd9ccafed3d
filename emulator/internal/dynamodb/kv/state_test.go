package kv

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestNewestState finds the state of a file without its header pages, after each
// of many changes, and compares it with that of the newer one. Few spaces make a
// root that is one page, many one that is a tree.
func TestNewestState(t *testing.T) {
	t.Parallel()
	for _, spaces := range []int{1, 30} {
		t.Run(fmt.Sprint(spaces), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(1, uint64(spaces)))
			file := filepath.Join(t.TempDir(), "test.db")
			s, err := Open(file, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for space := range spaces {
				put(t, s, Put(0, fmt.Append(nil, space), fmt.Append(nil, 1+space)))
			}
			for i := range 100 {
				space, key := uint64(1+rnd.IntN(spaces)), fmt.Append(nil, rnd.IntN(40))
				if rnd.IntN(3) == 0 {
					put(t, s, Delete(space, key))
				} else {
					put(t, s, Put(space, key, bytes.Repeat([]byte("x"), rnd.IntN(1200))))
				}
				sameState(t, file, i)
			}
		})
	}
}

func sameState(t *testing.T, file string, change int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, got := &pageReader{file: f}, &pageReader{file: f}
	if err := want.readMetas(); err != nil {
		t.Fatal(err)
	}
	if err := got.findState(); err != nil {
		t.Fatalf("change %d: %v", change, err)
	}
	if got.meta.Transaction != want.meta.Transaction || got.meta.Pages != want.meta.Pages || got.buckets(got.meta.Root) != want.buckets(want.meta.Root) {
		t.Errorf("change %d: got %+v, want what %+v is", change, got.meta, want.meta)
	}
}
