package apigw

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"crypto-ticker/emulator/internal/clock"
)

// noticeLog keeps the log readable while very much is refused.
type noticeLog struct {
	mu     sync.Mutex
	recent map[notice]*repeats
	closed bool
}

// notice is of what there is at most one line a second.
type notice struct {
	level            slog.Level
	text, quota, api string // of which the last two may be ""
}

// repeats counts those since the last line.
type repeats struct {
	count int
	timer *clock.Timer // for the next line
}

// exceeded logs that something is refused because of a quota.
func (g *Gateway) exceeded(quota, api string) {
	g.notice(notice{slog.LevelWarn, "quota exceeded", quota, api})
}

// notice logs one: at once, if it is new, and otherwise with how often it comes
// within a second of the emulator's time. More is told of the new one only.
func (g *Gateway) notice(what notice, more ...any) {
	l := &g.notices
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.recent[what]; r != nil {
		r.count++
		return
	}
	if !l.closed {
		if l.recent == nil {
			l.recent = map[notice]*repeats{}
		}
		l.recent[what] = &repeats{timer: g.cfg.Clock.AfterFunc(time.Second, func() { g.tellRepeats(what) })}
	}
	g.tell(what, 1, more...)
}

func (g *Gateway) tell(what notice, count int, more ...any) {
	var args []any
	if what.quota != "" {
		args = append(args, "quota", what.quota)
	}
	if what.api != "" {
		args = append(args, "api", what.api)
	}
	g.cfg.Log.Log(context.Background(), what.level, what.text, append(append(args, "count", count), more...)...)
}

// tellRepeats logs how often one came since the last line, and forgets what
// has ended.
func (g *Gateway) tellRepeats(what notice) {
	l := &g.notices
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.recent[what]
	switch {
	case r == nil: // closed
	case r.count == 0:
		delete(l.recent, what)
	default:
		g.tell(what, r.count)
		r.count = 0
		r.timer.Reset(time.Second)
	}
}

// closeNotices logs what has not been told yet. From here on there are no timers.
func (g *Gateway) closeNotices() {
	l := &g.notices
	l.mu.Lock()
	defer l.mu.Unlock()
	for what, r := range l.recent {
		r.timer.Stop()
		if r.count > 0 {
			g.tell(what, r.count)
		}
	}
	l.recent, l.closed = nil, true
}
