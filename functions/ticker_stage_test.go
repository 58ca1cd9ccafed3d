package functions

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/emulator"
	"crypto-ticker/shared/store"
	"crypto-ticker/shared/store/storetest"
)

// stage stands for the WebSocket API's management API, so that tests say who
// is gone and when. The tests of the whole system use the real one.
type stage struct {
	mu     sync.Mutex
	posts  map[string][]string // bodies, by connection
	closed map[string]int
	status map[string]int // of answers, by connection
	gone   map[string]int // how many times a connection is gone before it is open
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/prod/@connections/")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status[id]
	if s.gone[id] > 0 {
		s.gone[id]--
		status = http.StatusGone
	}
	switch {
	case status == http.StatusGone:
		w.Header().Set("X-Amzn-ErrorType", "GoneException")
		w.WriteHeader(status)
	case status != 0:
		w.WriteHeader(status)
	case r.Method == http.MethodDelete:
		s.closed[id]++
		s.status[id] = http.StatusGone
		w.WriteHeader(http.StatusNoContent)
	default:
		s.posts[id] = append(s.posts[id], string(body))
	}
}

// got returns the messages of a connection.
func (s *stage) got(id string) []stageMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []stageMessage
	for _, body := range s.posts[id] {
		m := stageMessage{body: body}
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			panic(err) // every message is JSON
		}
		all = append(all, m)
	}
	return all
}

func (s *stage) count(id, kind string) (n int) {
	for _, m := range s.got(id) {
		if m.Type == kind {
			n++
		}
	}
	return n
}

func (s *stage) closes(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed[id]
}

type stageMessage struct {
	body             string
	Type, Code       string
	UserID           string `json:"user_id"`
	Symbols          []string
	Epoch, From, Seq int64
	Data             []struct{ Symbol string }
}

// newStage returns an environment with empty tables and a stage, and both.
func newStage(t *testing.T) (storetest.Env, *store.Store, *stage) {
	t.Helper()
	g := &stage{posts: map[string][]string{}, closed: map[string]int{}, status: map[string]int{}, gone: map[string]int{}}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	env := storetest.New(t, emulator.RunDynamoDB(t).URL()).With(
		"WEBSOCKET_ENDPOINT", server.URL+"/prod", "SYMBOLS", "BTC-USD,ETH-USD,SOL-USD",
		"TICK_INTERVAL", "10ms", "DELIVERY_INTERVAL", "20ms", "MAX_POSTS_PER_SECOND", "1000",
		"PRICE_SOURCE", "simulated", "ALLOWED_ORIGINS", "*", "TICKER_FUNCTION", "app-TickerFunction-1A2B3C")
	s, err := store.Open(env.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	return env, s, g
}

// testRow is a connection that was made some time ago.
func testRow(id string, age time.Duration) store.Connection {
	return store.Connection{
		ConnectionRef: store.ConnectionRef{ConnectionID: id, ConnectedAt: time.Now().Add(-age).UnixMilli()},
		Actor:         "user:demo", TokenHash: "c0ffee", ExpiresAt: time.Now().Add(time.Hour),
		Symbols: []string{"BTC-USD", "ETH-USD", "SOL-USD"}, Greeted: true,
	}
}

func addRow(t *testing.T, s *store.Store, c store.Connection) {
	t.Helper()
	if err := s.AddConnection(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// allRows returns the connections by id.
func allRows(t *testing.T, s *store.Store) map[string]store.Connection {
	t.Helper()
	all := map[string]store.Connection{}
	for shard := range store.Shards {
		rows, err := s.Connections(t.Context(), shard, time.Time{}, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range rows {
			all[c.ConnectionID] = c
		}
	}
	return all
}

func newTestHandler(t *testing.T, c Constructor, env storetest.Env) lambda.Handler {
	t.Helper()
	return NewInstances(t, c, env.Getenv)
}

// soon waits for what other goroutines do over the network.
func soon(t *testing.T, what string, done func() bool) {
	t.Helper()
	const patience = 20 * time.Second
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen within %v", what, patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
