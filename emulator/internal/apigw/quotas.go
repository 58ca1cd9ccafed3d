// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html

package apigw

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"crypto-ticker/emulator/internal/template"
)

// Quotas are what API Gateway allows an account. Of sizes and times 0 is the
// service's own value, of rates it is no limit. Nothing may be negative, no rate
// above 1e9 and no size above 1 GiB.
type Quotas struct {
	// RequestsPerSecond refills the bucket that all APIs draw from: a request to
	// an HTTP or REST API, a handshake, a message and a call of @connections take one
	// each. AWS: 10,000.
	RequestsPerSecond float64
	// Burst is the size of that bucket; 0 is half of RequestsPerSecond, as is
	// AWS' 5,000, and at least 1. It needs RequestsPerSecond.
	Burst int
	// ConnectionsPerSecond are the handshakes that all WebSocket APIs take
	// together, accepted or not. AWS: 500.
	ConnectionsPerSecond float64

	// RouteThrottles says whether the limits hold that the template gives routes, in
	// DefaultRouteSettings and RouteSettings. AWS: yes.
	RouteThrottles bool

	FrameBytes   int           // of a client's frame; AWS: 32 KB
	MessageBytes int           // in either direction; AWS: 128 KB
	Idle         time.Duration // without data in either direction; AWS: 10 min
	Duration     time.Duration // of a connection; AWS: 2 h
	// IntegrationTimeout bounds the timeouts of all routes and authorizers; 0
	// leaves them as they are. AWS: 29 s, and 30 s for HTTP APIs.
	IntegrationTimeout time.Duration
}

// The most that quotas may be; whoever wants more wants no limit.
const (
	maxRate = 1e9
	maxSize = 1 << 30
)

// What AWS gives an account.
const (
	accountRate  = 10_000 // requests per second
	accountBurst = 5_000
)

// The names of quotas, for the log.
const (
	quotaRequests    = "requests per second"
	quotaConnections = "new connections per second"
	quotaRoute       = "route throttle"
	quotaFrame       = "frame size"
	quotaMessage     = "message size"
	quotaIdle        = "idle time"
	quotaDuration    = "connection duration"
	quotaTimeout     = "integration timeout"
	quotaPayload     = "payload size"
	quotaHeaders     = "header size"
	quotaURL         = "URL length"
	quotaMethodARN   = "method ARN length"
)

// withDefaults puts in the service's values.
func (q Quotas) withDefaults() (Quotas, error) {
	for _, quota := range []struct {
		name  string
		value float64
	}{
		{"RequestsPerSecond", q.RequestsPerSecond}, {"ConnectionsPerSecond", q.ConnectionsPerSecond}, {"Burst", float64(q.Burst)},
		{"FrameBytes", float64(q.FrameBytes)}, {"MessageBytes", float64(q.MessageBytes)}, {"Idle", float64(q.Idle)},
		{"Duration", float64(q.Duration)}, {"IntegrationTimeout", float64(q.IntegrationTimeout)},
	} {
		if quota.value < 0 || math.IsNaN(quota.value) {
			return q, fmt.Errorf("apigw: quota %s is negative, or no number; 0 leaves it as it is", quota.name)
		}
	}
	if max(q.RequestsPerSecond, q.ConnectionsPerSecond) > maxRate || max(q.FrameBytes, q.MessageBytes) > maxSize {
		return q, fmt.Errorf("apigw: a quota is too large; rates go up to %d per second and sizes up to %d bytes", int(maxRate), maxSize)
	}
	if q.Burst > 0 && q.RequestsPerSecond == 0 {
		return q, errors.New("apigw: a burst without requests per second limits nothing; give both")
	}
	if q.Burst == 0 {
		q.Burst = max(1, int(q.RequestsPerSecond/2))
	}
	if q.FrameBytes == 0 {
		q.FrameBytes = maxFrame
	}
	if q.MessageBytes == 0 {
		q.MessageBytes = maxMessage
	}
	if q.Idle == 0 {
		q.Idle = idleTimeout
	}
	if q.Duration == 0 {
		q.Duration = maxDuration
	}
	return q, nil
}

// bucket holds tokens and gets new ones all the time; nil is no limit.
type bucket struct {
	rate float64 // tokens per second
	size float64

	mu     sync.Mutex
	tokens float64
	at     time.Time // when tokens was right
}

// newBucket returns a full bucket, or an empty one if it would get nothing.
func newBucket(rate, size float64, now time.Time) *bucket {
	if rate == 0 {
		size = 0
	}
	return &bucket{rate: rate, size: size, tokens: size, at: now}
}

// take takes a token if there is one.
func (b *bucket) take(now func() time.Time) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if t := now(); t.After(b.at) {
		b.tokens = min(b.size, b.tokens+b.rate*t.Sub(b.at).Seconds())
		b.at = t
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// allowRequest counts a request to an API; it says no, and logs that, if the
// account may make no more.
func (g *Gateway) allowRequest(api string) bool {
	return g.allow(g.requests, quotaRequests, api)
}

// allowConnection is allowRequest for a handshake.
func (g *Gateway) allowConnection(api string) bool {
	return g.allow(g.connections, quotaConnections, api) && g.allowRequest(api)
}

func (g *Gateway) allow(b *bucket, quota, api string) bool {
	ok := b.take(g.cfg.Clock.Now)
	if !ok {
		g.exceeded(quota, api)
	}
	return ok
}

// throttles are the buckets of a stage's routes by their keys; nil is no limit.
type throttles map[string]*bucket

// newThrottles returns the throttles of routes of a stage, if they are on. Of a
// route that has one limit, the other one is the account's.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
func (g *Gateway) newThrottles(api string, s template.StageSettings, keys []string) throttles {
	if !g.cfg.Quotas.RouteThrottles {
		if len(s.Throttles) > 0 || s.DefaultThrottle != nil {
			g.cfg.Log.Info("what the template says of throttling is off, as is the quota", "quota", quotaRoute, "api", api)
		}
		return nil
	}
	out := throttles{}
	for _, key := range keys {
		rate, burst := -1.0, -1
		if d := s.DefaultThrottle; d != nil {
			rate, burst = d.Rate, d.Burst
		}
		if own, ok := s.Throttles[key]; ok {
			if own.Rate >= 0 {
				rate = own.Rate
			}
			if own.Burst >= 0 {
				burst = own.Burst
			}
		}
		if rate < 0 && burst < 0 {
			continue
		}
		if rate < 0 {
			rate = accountRate
		}
		if burst < 0 {
			burst = accountBurst
		}
		out[key] = newBucket(rate, float64(burst), g.cfg.Clock.Now())
	}
	return out
}

// routeKeys returns the keys of routes.
func routeKeys[T any](routes []T, key func(T) string) []string {
	keys := make([]string, len(routes))
	for i, r := range routes {
		keys[i] = key(r)
	}
	return keys
}

// allowRoute is allowRequest for a route of a stage.
func (g *Gateway) allowRoute(t throttles, key, api string) bool {
	return g.allow(t[key], quotaRoute, api)
}
