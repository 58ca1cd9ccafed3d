package push

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"crypto-ticker/shared/market"
)

// gateway answers as API Gateway's management API does, and keeps what was
// posted. The SDK is the real one; only the network is missing, so that virtual
// time can pass.
type gateway struct {
	mu     sync.Mutex
	got    map[string][]post
	closed map[string]int
	status map[string]int           // by connection: 0 means 200
	delay  map[string]time.Duration // before the answer
	busy   map[string]int           // requests in flight
	most   int                      // requests in flight, at most, to one connection
}

type post struct {
	at   time.Time
	body string
}

func newGateway() *gateway {
	return &gateway{
		got: map[string][]post{}, closed: map[string]int{}, status: map[string]int{},
		delay: map[string]time.Duration{}, busy: map[string]int{},
	}
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/prod/@connections/")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	status, delay := g.enter(id)
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
	}
	g.leave(id)
	switch status {
	case 0:
	case http.StatusGone:
		w.Header().Set("X-Amzn-ErrorType", "GoneException")
	case http.StatusTooManyRequests:
		w.Header().Set("X-Amzn-ErrorType", "LimitExceededException")
	}
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	if r.Context().Err() == nil {
		g.note(w, r.Method, id, string(body))
	}
}

func (g *gateway) enter(id string) (status int, delay time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy[id]++
	g.most = max(g.most, g.busy[id])
	return g.status[id], g.delay[id]
}

func (g *gateway) leave(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy[id]--
}

func (g *gateway) note(w http.ResponseWriter, method, id, body string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if method == http.MethodDelete {
		g.closed[id]++
		g.status[id] = http.StatusGone
		w.WriteHeader(http.StatusNoContent)
		return
	}
	g.got[id] = append(g.got[id], post{time.Now(), body})
}

func (g *gateway) set(id string, status int, delay time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.status[id], g.delay[id] = status, delay
}

func (g *gateway) posts(id string) []post {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]post(nil), g.got[id]...)
}

func (g *gateway) closes(id string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed[id]
}

// RoundTrip serves a request in this process, and like a real transport it
// returns when the request's context ends.
func (g *gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// client is a client of the gateway without a network.
func (g *gateway) client() *Client {
	return testClient(&http.Client{Transport: g}, "http://gateway.example/prod")
}

func testClient(c *http.Client, endpoint string) *Client {
	return newClient(aws.Config{
		Region: "eu-west-1", HTTPClient: c,
		Credentials: aws.CredentialsProviderFunc(staticCredentials),
	}, &endpoint)
}

// tickerMessage is a ticker message as a client reads it.
type tickerMessage struct {
	Type     string
	Epoch    int64
	From     int64
	Seq      int64
	Interval int64
	Data     []struct {
		Symbol    string
		Price     json.Number
		Timestamp int64
		Time      int64
		Source    string
		Stale     bool
	}
}

func decode(t testing.TB, body string) (m tickerMessage) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("message %s: %v", body, err)
	}
	return m
}

var testSymbols = []string{"BTC-USD", "ETH-USD", "SOL-USD"}

// quotesAt has a price of each symbol.
func quotesAt(at time.Time) []market.Quote {
	return []market.Quote{
		{Symbol: "BTC-USD", Price: "42000.01", Time: at, Source: "simulated"},
		{Symbol: "ETH-USD", Price: "2500.02", Time: at, Source: "simulated"},
		{Symbol: "SOL-USD", Price: "95.03", Time: at, Source: "simulated"},
	}
}
