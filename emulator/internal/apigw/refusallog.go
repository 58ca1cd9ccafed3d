package apigw

import (
	"sync"
	"time"

	"crypto-ticker/emulator/internal/clock"
)

// refusalLog keeps the log readable while very much is refused.
type refusalLog struct {
	mu     sync.Mutex
	recent map[refusalOf]*refusals
}

// refusalOf is of what there is at most one line a second.
type refusalOf struct{ quota, api string }

// refusals counts those since the last line.
type refusals struct {
	count int
	timer *clock.Timer // for the next line
}

// exceeded logs that something is refused: at once, if that is new, and otherwise
// with what else is refused within a second of the emulator's time.
func (g *Gateway) exceeded(quota, api string) {
	l, what := &g.refusals, refusalOf{quota, api}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.recent[what]; r != nil {
		r.count++
		return
	}
	if l.recent == nil {
		l.recent = map[refusalOf]*refusals{}
	}
	l.recent[what] = &refusals{timer: g.cfg.Clock.AfterFunc(time.Second, func() { g.tellRefusals(what) })}
	g.cfg.Log.Warn("quota exceeded", "quota", quota, "api", api, "refused", 1)
}

// tellRefusals logs what has been refused since the last line, and forgets what
// has ended.
func (g *Gateway) tellRefusals(what refusalOf) {
	l := &g.refusals
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.recent[what]
	switch {
	case r == nil: // closed
	case r.count == 0:
		delete(l.recent, what)
	default:
		g.cfg.Log.Warn("quota exceeded", "quota", what.quota, "api", what.api, "refused", r.count)
		r.count = 0
		r.timer.Reset(time.Second)
	}
}

// closeRefusals logs what has not been told yet.
func (g *Gateway) closeRefusals() {
	l := &g.refusals
	l.mu.Lock()
	defer l.mu.Unlock()
	for what, r := range l.recent {
		r.timer.Stop()
		if r.count > 0 {
			g.cfg.Log.Warn("quota exceeded", "quota", what.quota, "api", what.api, "refused", r.count)
		}
	}
	l.recent = nil
}
