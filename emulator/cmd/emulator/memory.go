package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Go collects garbage when the heap has doubled, which with a heap as small as
// the emulator's is all the time. So it may grow by garbageMB first, as far as
// that is no more than maxPercent, and at rest it is collected anyway.
const (
	garbageMB  = 48
	maxPercent = 400
)

// heap is what the runtime tells.
type heap struct {
	live      uint64 // bytes found in use by the last collection
	objects   uint64 // bytes that are there, with garbage
	free      uint64 // bytes that the system could have back
	allocated uint64 // bytes ever
}

// tuneMemory makes the collector's work fit the emulator until ctx ends, unless
// the environment says how it is to be (GOGC, GOMEMLIMIT).
func tuneMemory(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(maxPercent)
	look := time.NewTicker(time.Second / 2)
	defer look.Stop()
	for last := (heap{}); ctx.Err() == nil; {
		now := readHeap()
		debug.SetGCPercent(now.percent())
		if now.rests(last) {
			debug.FreeOSMemory()
			now = readHeap()
		}
		last = now
		select {
		case <-look.C:
		case <-ctx.Done():
		}
	}
}

func readHeap() heap {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return heap{s[0].Value.Uint64(), s[1].Value.Uint64(), s[2].Value.Uint64(), s[3].Value.Uint64()}
}

// percent is by how much the heap may grow.
func (h heap) percent() int {
	return int(min(maxPercent, max(100, garbageMB<<20*100/max(h.live, 1))))
}

// rests says whether nothing has happened lately and there is enough to be given
// back.
func (h heap) rests(last heap) bool {
	return h.allocated-last.allocated < 1<<20 && h.objects-min(h.live, h.objects)+h.free > h.live/4+4<<20
}
