package apigw

import (
	"sync"
	"time"
)

// maxCachedGrants bounds what is kept of an authorizer's answers.
const maxCachedGrants = 10_000

// grants keeps an authorizer's answers by the values of its identity sources.
type grants[T any] struct {
	mu   sync.Mutex
	kept map[string]kept[T]
}

type kept[T any] struct {
	grant T
	until time.Time
}

// get returns the answer for a key, if it has not expired.
func (g *grants[T]) get(key string, now time.Time) (grant T, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k, ok := g.kept[key]
	if !ok || !now.Before(k.until) {
		return grant, false
	}
	return k.grant, true
}

// keep remembers an answer; what has expired, or else anything, makes room.
func (g *grants[T]) keep(key string, grant T, now, until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.kept) >= maxCachedGrants {
		for k, v := range g.kept {
			if !now.Before(v.until) {
				delete(g.kept, k)
			}
		}
		for k := range g.kept {
			if len(g.kept) < maxCachedGrants {
				break
			}
			delete(g.kept, k)
		}
	}
	if g.kept == nil {
		g.kept = map[string]kept[T]{}
	}
	g.kept[key] = kept[T]{grant, until}
}
