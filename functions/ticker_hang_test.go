package functions

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crypto-ticker/shared/store"
	"crypto-ticker/shared/store/storetest"
)

// withGate puts a gate before the database of an environment: a request goes
// through when pass returns, unless it has ended by then.
func withGate(t *testing.T, env storetest.Env, pass func(r *http.Request)) storetest.Env {
	t.Helper()
	database, err := url.Parse(env.Getenv("AWS_ENDPOINT_URL_DYNAMODB"))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(database)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if pass(r); r.Context().Err() == nil {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return env.With("AWS_ENDPOINT_URL_DYNAMODB", server.URL)
}

func isCall(r *http.Request, operation string) bool {
	return strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+operation)
}

// TestQueriesHang: while the rows cannot be read, the leader serves on: it ends
// who has to go, and does not leave because it sees nobody.
func TestQueriesHang(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	var closed atomic.Bool
	env = withGate(t, env, func(r *http.Request) {
		if closed.Load() && isCall(r, "Query") {
			_, _ = io.Copy(io.Discard, r.Body) // or else the end of the connection goes unseen
			<-r.Context().Done()
		}
	})
	tick := newTestTicker(t, env)
	tick.idle = 500 * time.Millisecond
	c := testRow("a", time.Minute)
	c.ExpiresAt = time.Now().Add(3 * time.Second)
	addRow(t, s, c)
	done := make(chan error, 1)
	go func() { done <- tick.handle(lasting(t, 7*time.Second), tickerEvent{}) }()
	soon(t, "a tick", func() bool { return g.count("a", "ticker") > 0 })
	closed.Store(true)
	if err := <-done; err != nil {
		t.Errorf("got %v; want it to lead until its time is up", err)
	}
	if g.closes("a") != 1 {
		t.Errorf("the connection was closed %d times; want once, when its token had expired", g.closes("a"))
	}
	if l, err := s.Lease(t.Context()); err != nil || l.State != store.LeaseFree || l.Epoch != 1 {
		t.Errorf("got lease %+v, %v; want it free, after one leader", l, err)
	}
}
