package apigw

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"

	"crypto-ticker/emulator/internal/template"
)

// logged collects log lines.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// has checks that a quota is named in the log.
func (l *logged) has(t *testing.T, quota string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !strings.Contains(l.buf.String(), `quota="`+quota+`"`) {
		t.Errorf("the log does not name the quota %q: %s", quota, &l.buf)
	}
}

// limitedTo is an option that sets quotas and collects the log.
func limitedTo(q Quotas) (*logged, func(*Config)) {
	l := &logged{}
	return l, func(c *Config) { c.Quotas, c.Log = q, slog.New(slog.NewTextHandler(l, nil)) }
}

func TestAccountThrottleIsSharedByAllAPIs(t *testing.T) {
	t.Parallel()
	stack := socketStack("$connect", "$default")
	stack.HTTPAPIs = httpStack("GET /x").HTTPAPIs
	// One token in 100 s, so that the time which a test takes gives none.
	log, option := limitedTo(Quotas{RequestsPerSecond: 0.01, Burst: 4})
	f := start(t, stack, nil, option)
	c := f.dial("/test", nil)
	write(t, c, "x")
	f.event("$default", 0)
	id := f.connectionID(0)
	for name, status := range map[string]int{"@connections": f.post(id), "HTTP API": f.get()} {
		if status != 200 {
			t.Fatalf("%s: got %d within the burst", name, status)
		}
	}

	if resp, body := f.request("GET", "/x", ""); resp.StatusCode != 429 || body != `{"message":"Too Many Requests"}` {
		t.Errorf("HTTP API: got %s %s", resp.Status, body)
	}
	if resp, body := f.manage("POST", id, "x"); resp.StatusCode != 429 || resp.Header.Get("x-amzn-ErrorType") != "LimitExceededException" {
		t.Errorf("@connections: got %s %v %s", resp.Status, resp.Header, body)
	}
	if status, body := f.refused("/test", nil); status != 429 || !strings.Contains(body, `"message":"Too Many Requests"`) {
		t.Errorf("handshake: got %d %s", status, body)
	}
	read(t, c) // what was posted first
	write(t, c, "x")
	checkErrorFrame(t, f, read(t, c), "Too Many Requests")
	log.has(t, quotaRequests)
	if n := f.count("$default") + f.count("$connect") + f.count("GET /x"); n != 3 {
		t.Errorf("functions were called %d times, want 3", n)
	}

	for advance, want := range map[time.Duration]int{100 * time.Second: 1, 200 * time.Second: 2} {
		f.clock.Advance(advance)
		got := 0
		for f.get() == 200 {
			got++
		}
		if got != want {
			t.Errorf("after %v: got %d requests through, want %d", advance, got, want)
		}
	}
}

func (f *fixture) get() int {
	resp, _ := f.request("GET", "/x", "")
	return resp.StatusCode
}

func (f *fixture) post(id string) int {
	resp, _ := f.manage("POST", id, "x")
	return resp.StatusCode
}

func TestNewConnectionsPerSecond(t *testing.T) {
	t.Parallel()
	log, option := limitedTo(Quotas{ConnectionsPerSecond: 0.01})
	f := start(t, socketStack("$connect"), nil, option)
	f.dial("/test", nil)
	if status, body := f.refused("/test", nil); status != 429 || !strings.Contains(body, `"message":"Too Many Requests"`) {
		t.Errorf("got %d %s", status, body)
	}
	log.has(t, quotaConnections)
	if status := f.post(f.connectionID(0)); status != 200 {
		t.Errorf("a post got %d, though only new connections are limited", status)
	}
	f.clock.Advance(100 * time.Second)
	f.dial("/test", nil)
}

func TestChangedSizes(t *testing.T) {
	t.Parallel()
	log, option := limitedTo(Quotas{FrameBytes: 10, MessageBytes: 15})
	f := start(t, socketStack("$connect", "$default"), nil, option)
	ten := strings.Repeat("x", 10)
	c := f.raw()
	c.send(masked(ws.OpText, true, ten), masked(ws.OpText, true, ten+"x"))
	f.event("$default", 0)
	c.closed(1009)
	log.has(t, quotaFrame)
	c = f.raw()
	c.send(masked(ws.OpText, false, ten), masked(ws.OpContinuation, true, "xxxxxx"))
	c.closed(1009)
	log.has(t, quotaMessage)

	f.raw()
	id := f.connectionID(2)
	for size, want := range map[int]int{15: 200, 16: 413} {
		if resp, body := f.manage("POST", id, strings.Repeat("x", size)); resp.StatusCode != want {
			t.Errorf("%d bytes: got %s %s, want %d", size, resp.Status, body, want)
		}
	}
}

// TestEventsOfMessagesFitLambda: with a quota that lets pass what Lambda does not
// take.
func TestEventsOfMessagesFitLambda(t *testing.T) {
	t.Parallel()
	log, option := limitedTo(Quotas{FrameBytes: maxEvent, MessageBytes: maxEvent})
	f := start(t, socketStack("$connect", "$default"), nil, option)
	c := f.dial("/test", nil)
	write(t, c, strings.Repeat("x", maxEvent))
	checkErrorFrame(t, f, read(t, c), "Internal server error")
	if n := f.count("$default"); n != 0 {
		t.Errorf("the function was called %d times, want 0", n)
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	if !strings.Contains(log.buf.String(), errTooLarge.Error()) {
		t.Errorf("the log does not say that the event is too large: %s", &log.buf)
	}
}

func TestChangedTimes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, quota string
		quotas      Quotas
	}{
		{"idle", quotaIdle, Quotas{Idle: time.Minute}},
		{"duration", quotaDuration, Quotas{Duration: time.Minute}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			log, option := limitedTo(tt.quotas)
			f := start(t, socketStack("$connect"), nil, option)
			c := f.dial("/test", nil)
			f.clock.Advance(50 * time.Second)
			if status := f.post(f.connectionID(0)); status != 200 {
				t.Fatalf("got %d before the time", status)
			}
			f.clock.Advance(map[bool]time.Duration{true: time.Minute, false: 10 * time.Second}[tt.quotas.Idle > 0])
			if code, _ := closure(t, c); code != websocket.StatusGoingAway {
				t.Errorf("got %d, want 1001", code)
			}
			log.has(t, tt.quota)
		})
	}
	t.Run("integration timeout", func(t *testing.T) {
		t.Parallel()
		stack := socketStack("$connect", "$default")
		stack.HTTPAPIs = httpStack("GET /x").HTTPAPIs
		log, option := limitedTo(Quotas{IntegrationTimeout: time.Second})
		f := start(t, stack, functions{"$default": hang, "GET /x": hang}, option)
		c := f.dial("/test", nil)
		write(t, c, "x")
		f.event("$default", 0)
		go func() {
			f.event("GET /x", 0)
			f.clock.Advance(time.Second)
		}()
		if status := f.get(); status != 503 {
			t.Errorf("HTTP API: got %d, want 503", status)
		}
		checkErrorFrame(t, f, read(t, c), "Endpoint request timed out")
		log.has(t, quotaTimeout)
	})
}

func TestBucket(t *testing.T) {
	t.Parallel()
	start := time.Unix(0, 0)
	b := newBucket(2, 3, start)
	for n, tt := range []struct {
		at   time.Duration
		want bool
	}{
		{0, true}, {0, true}, {0, true}, {0, false}, // the burst
		{400 * time.Millisecond, false}, {500 * time.Millisecond, true}, {500 * time.Millisecond, false},
		{time.Second, true}, {400 * time.Millisecond, false}, {time.Second, false}, // time does not run back
		{time.Hour, true}, {time.Hour, true}, {time.Hour, true}, {time.Hour, false},
	} {
		if got := b.take(func() time.Time { return start.Add(tt.at) }); got != tt.want {
			t.Errorf("%d, at %v: got %t, want %t", n, tt.at, got, tt.want)
		}
	}
}

// throttleRoutes gives the WebSocket API and the HTTP API of a stack one token in 100 s
// for each route, and two at first; their routes "free" have no limit that
// matters, and "shut" lets nothing through.
func throttleRoutes(c *Config) {
	s := template.StageSettings{DefaultThrottle: &template.Throttle{Rate: 0.01, Burst: 2}, Throttles: map[string]template.Throttle{
		"free": {Rate: 1000, Burst: 1000}, "GET /free": {Rate: 1000, Burst: 1000},
		"shut": {Rate: 0, Burst: -1}, "GET /shut": {Rate: -1, Burst: 0}, "GET /one": {Rate: -1, Burst: 1}}}
	c.Stack.HTTPAPIs[0].StageSettings, c.Stack.WebSocketAPIs[0].StageSettings = s, s
	c.Quotas.RouteThrottles = true
}

func TestRouteThrottles(t *testing.T) {
	t.Parallel()
	stack := socketStack("$connect", "$disconnect", "$default", "free", "shut")
	stack.HTTPAPIs = httpStack("GET /x", "GET /free", "GET /shut", "GET /one", "GET /else").HTTPAPIs
	log, option := limitedTo(Quotas{})
	f := start(t, stack, nil, option, throttleRoutes)
	statuses := func(path string) (got []int) {
		for range 3 {
			resp, body := f.request("GET", path, "")
			if resp.StatusCode == 429 && body != `{"message":"Too Many Requests"}` {
				t.Errorf("%s: got %s", path, body)
			}
			got = append(got, resp.StatusCode)
		}
		return got
	}
	for path, want := range map[string][]int{"/x": {200, 200, 429}, "/else": {200, 200, 429}, "/free": {200, 200, 200},
		"/shut": {429, 429, 429}, "/one": {200, 429, 429}} {
		if got := statuses(path); !slices.Equal(got, want) {
			t.Errorf("%s: got %v; want %v", path, got, want)
		}
	}
	log.has(t, quotaRoute)

	c, other := f.dial("/test", nil), f.dial("/test", nil)
	if status, body := f.refused("/test", nil); status != 429 || !strings.Contains(body, `"message":"Too Many Requests"`) {
		t.Errorf("handshake: got %d %s", status, body)
	}
	write(t, c, "x")
	write(t, other, "x") // the connections share the route's bucket
	f.event("$default", 1)
	for _, text := range []string{"x", `{"type":"shut"}`} {
		write(t, c, text)
		if got := read(t, c); !strings.HasPrefix(got, `{"message": "Too Many Requests", "connectionId":"`) {
			t.Errorf("%s: got %s", text, got)
		}
	}
	for n := range 10 {
		write(t, c, `{"type":"free"}`)
		f.event("free", n)
	}
	f.clock.Advance(100 * time.Second)
	write(t, c, "x")
	f.event("$default", 2)
	c.CloseNow()
	other.CloseNow()
	f.event("$disconnect", 1) // which is not throttled
}

func TestRouteThrottlesAreOffUntilTheQuotaIsOn(t *testing.T) {
	t.Parallel()
	stack := socketStack("$connect", "$default")
	stack.HTTPAPIs = httpStack("GET /x").HTTPAPIs
	log, option := limitedTo(Quotas{})
	f := start(t, stack, nil, option, throttleRoutes, func(c *Config) { c.Quotas.RouteThrottles = false })
	log.has(t, quotaRoute) // the start says so
	c := f.dial("/test", nil)
	for n := range 5 {
		if status := f.get(); status != 200 {
			t.Errorf("got %d", status)
		}
		write(t, c, "x")
		f.event("$default", n)
	}
}

func TestHalfAThrottleIsCompletedByTheAccounts(t *testing.T) {
	t.Parallel()
	f := start(t, httpStack("GET /x"), nil, func(c *Config) { c.Quotas.RouteThrottles = true })
	got := f.newThrottles("Http", template.StageSettings{Throttles: map[string]template.Throttle{
		"rate": {Rate: 2, Burst: -1}, "burst": {Rate: -1, Burst: 3}, "none": {Rate: -1, Burst: -1},
	}}, []string{"rate", "burst", "none", "other"})
	if r, b := got["rate"], got["burst"]; len(got) != 2 || r.rate != 2 || r.size != 5000 || b.rate != 10_000 || b.size != 3 {
		t.Errorf("got %+v and %+v of %d", r, b, len(got))
	}
}
