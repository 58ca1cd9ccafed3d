package kv

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"
)

// TestLagging writes at random as time passes, whole spaces too, and compares what
// a late reader gives, both ways, with what was there at that time.
func TestLagging(t *testing.T) {
	t.Parallel()
	const by = 3
	now := time.Unix(0, 0)
	s := NewLagging(Memory(Options{}), func() time.Time { return now })
	s.Lag(by * time.Second)
	rnd := rand.New(rand.NewPCG(12, 13))
	state := func(late, backwards bool) map[string]string {
		all := map[string]string{}
		s.View(func(r Reader) error {
			if late {
				r = s.Late(r)
			}
			for space := range uint64(2) {
				r.Scan(space, nil, nil, backwards, func(key, value []byte) bool {
					all[fmt.Sprintf("%d/%s", space, key)] = string(value)
					if string(r.Get(space, key)) != string(value) {
						t.Errorf("get %d/%s is not what scan gives", space, key)
					}
					return true
				})
			}
			return nil
		})
		return all
	}
	past := make([]map[string]string, by)
	for second := range 100 {
		var writes []Write
		for range rnd.IntN(4) {
			space, key := rnd.Uint64N(2), fmt.Append(nil, rnd.IntN(6))
			switch rnd.IntN(6) {
			case 0:
				writes = append(writes, Drop(space))
			case 1:
				writes = append(writes, Delete(space, key))
			default:
				writes = append(writes, Put(space, key, fmt.Append(nil, second)))
			}
		}
		put(t, s, writes...)
		past = append(past, state(false, false))
		want := past[second]
		for _, backwards := range []bool{false, true} {
			if got := state(true, backwards); !maps.Equal(got, want) {
				t.Fatalf("second %d, backwards %v: got %v, want %v", second, backwards, got, want)
			}
		}
		now = now.Add(time.Second)
	}
	s.Forget()
	if got, want := state(true, false), state(false, false); !maps.Equal(got, want) {
		t.Errorf("after Forget: got %v, want %v", got, want)
	}
}
