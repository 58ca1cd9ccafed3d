package main

import "testing"

func TestPercentOfGarbage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		liveMB uint64
		want   int
	}{{0, 400}, {12, 400}, {24, 200}, {48, 100}, {1000, 100}} {
		if got := (heap{live: tt.liveMB << 20}).percent(); got != tt.want {
			t.Errorf("%d MB in use: got %d %%, want %d %%", tt.liveMB, got, tt.want)
		}
	}
}

func TestRests(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	last := heap{live: 8 * mb, objects: 20 * mb, allocated: 500 * mb}
	const little = 500*mb + 1000
	for _, tt := range []struct {
		name string
		now  heap
		want bool
	}{
		{"garbage and nothing to do", heap{8 * mb, 20 * mb, 0, little}, true},
		{"free memory and nothing to do", heap{8 * mb, 8 * mb, 20 * mb, little}, true},
		{"less than at the last collection", heap{8 * mb, 7 * mb, 0, little}, false},
		{"at work", heap{8 * mb, 20 * mb, 20 * mb, 502 * mb}, false},
		{"hardly anything", heap{8 * mb, 9 * mb, mb, little}, false},
	} {
		if got := tt.now.rests(last); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	if now := readHeap(); now.objects == 0 || now.allocated < now.objects {
		t.Errorf("the runtime tells %+v", now)
	}
}
