package apigw

import (
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"crypto-ticker/emulator/internal/clock"
)

const (
	maxCachedGrants = 10_000 // of an authorizer
	evictedGrants   = 1_000  // at once, so that making room is seldom
)

// grants keeps an authorizer's answers by the values of its identity sources.
type grants[T any] struct {
	mu   sync.Mutex
	kept map[grantKey]kept[T]
}

// grantKey is the hash of the values: these may be long, and secret.
type grantKey [sha256.Size]byte

type kept[T any] struct {
	grant T
	until time.Time
}

// of returns the answer that is kept for values, or calls for one and keeps it for
// ttl: unless that is 0, or there are no values to tell callers apart.
func (g *grants[T]) of(c *clock.Clock, values []string, ttl time.Duration, call func() (T, error)) (T, error) {
	if ttl == 0 || len(values) == 0 {
		return call()
	}
	key := grantKey(sha256.Sum256(encode(values)))
	if grant, ok := g.get(key, c.Now()); ok {
		return grant, nil
	}
	grant, err := call()
	if err == nil {
		now := c.Now()
		g.keep(key, grant, now, now.Add(ttl))
	}
	return grant, err
}

// ask calls the authorizer of a request that Close does not know of yet.
func ask[T any](g *Gateway, s *step, functionARN string, timeout time.Duration, event any, parse func(out []byte) (T, error)) (grant T, err error) {
	out, err := g.task(s, functionARN, timeout, encode(event))
	if err != nil {
		return grant, err
	}
	grant, err = parse(out)
	s.end(http.StatusOK, err)
	return grant, err
}

// get returns the answer for a key, if it has not expired.
func (g *grants[T]) get(key grantKey, now time.Time) (grant T, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k, ok := g.kept[key]
	if !ok || !now.Before(k.until) {
		return grant, false
	}
	return k.grant, true
}

// keep remembers an answer; what has expired makes room, and else anything.
func (g *grants[T]) keep(key grantKey, grant T, now, until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.kept) >= maxCachedGrants {
		for k, v := range g.kept {
			if !now.Before(v.until) {
				delete(g.kept, k)
			}
		}
		for k := range g.kept {
			if len(g.kept) <= maxCachedGrants-evictedGrants {
				break
			}
			delete(g.kept, k)
		}
	}
	if g.kept == nil {
		g.kept = map[grantKey]kept[T]{}
	}
	g.kept[key] = kept[T]{grant, until}
}
