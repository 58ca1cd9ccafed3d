package functions

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"crypto-ticker/shared/store"
)

// The hash of the token, and the lookup of its key, in the events of $connect.
const (
	connectToken = "c0ffee"
	connectKey   = "5pGq0ZkT"
)

// newConnect returns Connect's handler, what it invokes, and its tables.
func newConnect(t *testing.T, lambdaStatus int, nameValues ...string) (handle func(change func(map[string]any)) (events.APIGatewayProxyResponse, error), wakes <-chan string, s *store.Store) {
	t.Helper()
	calls := make(chan string, 10)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		calls <- r.URL.Path + " " + r.Header.Get("X-Amz-Invocation-Type") + " " + string(body)
		w.WriteHeader(lambdaStatus)
	}))
	t.Cleanup(api.Close)
	env, s, _ := newStage(t)
	token := store.Token{Hash: connectToken, UserID: "demo", ExpiresAt: time.Now().Add(time.Hour)}
	if err := s.AddToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if err := s.AddKey(t.Context(), store.Key{Lookup: connectKey, UserID: "demo", CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	h := newTestHandler(t, Connect, env.With("AWS_ENDPOINT_URL_LAMBDA", api.URL).With(nameValues...))
	return func(change func(map[string]any)) (answer events.APIGatewayProxyResponse, err error) {
		out, err := h.Invoke(t.Context(), GoldenEvent(t, "connect.json", change))
		if err == nil {
			err = json.Unmarshal(out, &answer)
		}
		return answer, err
	}, calls, s
}

func as(map[string]any) {}

// offer adds a header as clients send it.
func offer(name string, values ...string) func(map[string]any) {
	return func(event map[string]any) {
		event["headers"].(map[string]any)[name] = values[len(values)-1]
		event["multiValueHeaders"].(map[string]any)[name] = values
	}
}

func withAuthorizer(name, value string) func(map[string]any) {
	return func(event map[string]any) {
		event["requestContext"].(map[string]any)["authorizer"].(map[string]any)[name] = value
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	handle, wakes, s := newConnect(t, http.StatusAccepted)
	answer, err := handle(as)
	if err != nil || answer.StatusCode != 200 || len(answer.Headers) != 0 {
		t.Fatalf("got %+v, %v; want 200 without headers", answer, err)
	}
	const connectedAt = 1779634513402
	want := store.Connection{
		ConnectionRef: store.ConnectionRef{ConnectionID: "Q7xkTfGLDoECJqw=", ConnectedAt: connectedAt},
		Actor:         "user:demo", TokenHash: "c0ffee", KeyLookup: "5pGq0ZkT", ExpiresAt: time.Unix(1779638113, 0),
		Symbols: []string{"BTC-USD", "ETH-USD", "SOL-USD"},
	}
	got, err := s.Connection(t.Context(), want.ConnectionRef)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got.Symbols)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("row: got %+v; want %+v", got, want)
	}
	wantWake := `/2015-03-31/functions/app-TickerFunction-1A2B3C/invocations Event ` +
		`{"type":"greet","connection_id":"Q7xkTfGLDoECJqw=","connected_at":1779634513402,"actor":"user:demo","symbols":["BTC-USD","ETH-USD","SOL-USD"]}`
	if got := <-wakes; got != wantWake {
		t.Errorf("wake: got %s; want %s", got, wantWake)
	}
}

func TestConnectOrigins(t *testing.T) {
	t.Parallel()
	tests := []struct {
		allowed, origin string
		want            int
	}{
		{"*", "https://any.example", 200},
		{"https://a.example,https://b.example", "https://b.example", 200},
		{"https://a.example, https://b.example", "https://B.example", 200},
		{"https://a.example", "https://b.example", 403},
		{"https://a.example", "http://a.example", 403},
		{"https://a.example", "https://a.example.evil", 403},
		{"https://a.example", "null", 403},
		{"https://a.example", "", 200}, // no browser
		{"", "https://a.example", 403},
	}
	for _, tt := range tests {
		t.Run(tt.allowed+" "+tt.origin, func(t *testing.T) {
			t.Parallel()
			handle, _, s := newConnect(t, http.StatusAccepted, "ALLOWED_ORIGINS", tt.allowed)
			answer, err := handle(func(event map[string]any) {
				offer("Origin", tt.origin)(event)
				if tt.origin == "" {
					delete(event["headers"].(map[string]any), "Origin")
					delete(event["multiValueHeaders"].(map[string]any), "Origin")
				}
			})
			if err != nil || answer.StatusCode != tt.want {
				t.Errorf("got %d, %v; want %d", answer.StatusCode, err, tt.want)
			}
			if rows := len(allRows(t, s)); (rows == 1) != (tt.want == 200) {
				t.Errorf("got %d rows", rows)
			}
		})
	}
}

func TestConnectSubprotocols(t *testing.T) {
	t.Parallel()
	ours := map[string]string{"Sec-WebSocket-Protocol": "crypto-ticker.v1"}
	tests := []struct {
		name    string
		offered func(map[string]any)
		want    map[string]string
	}{
		{"ours and the token", offer("Sec-WebSocket-Protocol", "crypto-ticker.v1, bearer.secret"), ours},
		{"in another order and spelling of the name", offer("sec-websocket-protocol", "bearer.secret,crypto-ticker.v1"), ours},
		{"in two headers", offer("Sec-WebSocket-Protocol", "bearer.secret", "crypto-ticker.v1"), ours},
		{"the token alone", offer("Sec-WebSocket-Protocol", "bearer.secret"), nil},
		{"another one", offer("Sec-WebSocket-Protocol", "crypto-ticker.v10"), nil},
		{"none", as, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			handle, _, _ := newConnect(t, http.StatusAccepted)
			answer, err := handle(tt.offered)
			if err != nil || answer.StatusCode != 200 || !maps.Equal(answer.Headers, tt.want) {
				t.Errorf("got %d %v, %v; want 200 %v", answer.StatusCode, answer.Headers, err, tt.want)
			}
		})
	}
}

func TestConnectSubscribesToWhatIsAllowed(t *testing.T) {
	t.Parallel()
	handle, _, s := newConnect(t, http.StatusAccepted)
	if _, err := handle(withAuthorizer("policies", "bitcoin_policy")); err != nil {
		t.Fatal(err)
	}
	for _, c := range allRows(t, s) {
		if !slices.Equal(c.Symbols, []string{"BTC-USD"}) {
			t.Errorf("got symbols %v; want BTC-USD alone", c.Symbols)
		}
	}
}

// TestConnectFindsItsRow: the SDK repeats a request whose answer was lost, so the
// row may be there already. The client must get in all the same.
func TestConnectFindsItsRow(t *testing.T) {
	t.Parallel()
	handle, wakes, s := newConnect(t, http.StatusAccepted)
	for range 2 {
		if answer, err := handle(as); err != nil || answer.StatusCode != 200 {
			t.Fatalf("got %d, %v; want 200", answer.StatusCode, err)
		}
		<-wakes
	}
	if n := len(allRows(t, s)); n != 1 {
		t.Errorf("got %d rows; want 1", n)
	}
}

// TestConnectRefusesWhatIsRevoked: token or key are revoked after the authorizer
// has seen them, and before there is a row by which the connection could be found.
func TestConnectRefusesWhatIsRevoked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		revoke func(*store.Store) error
		event  func(map[string]any)
	}{
		{"token", func(s *store.Store) error {
			_, err := s.DeleteToken(t.Context(), connectToken)
			return err
		}, as},
		{"key", func(s *store.Store) error { return s.DisableKey(t.Context(), connectKey, time.Now()) }, as},
		{"key that is gone", func(*store.Store) error { return nil }, withAuthorizer("key_id", "abcdefgh")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			handle, wakes, s := newConnect(t, http.StatusAccepted)
			if err := tt.revoke(s); err != nil {
				t.Fatal(err)
			}
			answer, err := handle(tt.event)
			if err != nil || answer.StatusCode != http.StatusUnauthorized {
				t.Errorf("got %d, %v; want 401", answer.StatusCode, err)
			}
			if n := len(allRows(t, s)); n != 0 || len(wakes) != 0 {
				t.Errorf("got %d rows and %d wake-ups; want none", n, len(wakes))
			}
		})
	}
}

func TestConnectFails(t *testing.T) {
	t.Parallel()
	t.Run("no authorizer", func(t *testing.T) {
		t.Parallel()
		handle, _, s := newConnect(t, http.StatusAccepted)
		_, err := handle(func(event map[string]any) { delete(event["requestContext"].(map[string]any), "authorizer") })
		if err == nil || !strings.Contains(err.Error(), "authorizer") || len(allRows(t, s)) != 0 {
			t.Errorf("got %v; want an error that says what is missing", err)
		}
	})
	t.Run("no table", func(t *testing.T) {
		t.Parallel()
		handle, _, _ := newConnect(t, http.StatusAccepted, "CONNECTIONS_TABLE", "Missing")
		if _, err := handle(as); err == nil {
			t.Error("got no error")
		}
	})
	for _, table := range []string{"TOKENS_TABLE", "KEYS_TABLE"} {
		t.Run("without "+table, func(t *testing.T) {
			t.Parallel()
			handle, _, s := newConnect(t, http.StatusAccepted, table, "Missing")
			if _, err := handle(as); err == nil || len(allRows(t, s)) != 0 {
				t.Errorf("got %v; want an error, and no row left", err)
			}
		})
	}
	t.Run("the ticker cannot be woken", func(t *testing.T) {
		t.Parallel()
		handle, _, s := newConnect(t, http.StatusForbidden)
		if answer, err := handle(as); err != nil || answer.StatusCode != 200 || len(allRows(t, s)) != 1 {
			t.Errorf("got %d, %v; want 200 and the row", answer.StatusCode, err)
		}
	})
}

func TestDisconnect(t *testing.T) {
	t.Parallel()
	env, s, _ := newStage(t)
	h := newTestHandler(t, Disconnect, env)
	c := testRow("Q7xkTfGLDoECJqw=", 0)
	c.ConnectedAt = 1779634513402
	addRow(t, s, c)
	addRow(t, s, testRow("other", 0))
	for range 2 { // it may be repeated
		out, err := h.Invoke(t.Context(), GoldenEvent(t, "disconnect.json", as))
		if err != nil || !strings.Contains(string(out), `"statusCode":200`) {
			t.Errorf("got %s, %v; want 200", out, err)
		}
	}
	if rows := allRows(t, s); len(rows) != 1 || rows["other"].ConnectionID == "" {
		t.Errorf("got %v; want the other row alone", rows)
	}
	broken := newTestHandler(t, Disconnect, env.With("CONNECTIONS_TABLE", "Missing"))
	if _, err := broken.Invoke(t.Context(), GoldenEvent(t, "disconnect.json", as)); err == nil {
		t.Error("without its table: got no error")
	}
}

func TestFunctionsOfConnectionsNeedTheirEnvironment(t *testing.T) {
	t.Parallel()
	env, _, _ := newStage(t)
	tests := []struct {
		constructor    Constructor
		variable, text string
		want           string
	}{
		{Connect, "SYMBOLS", "", "SYMBOLS"},
		{Connect, "TICKER_FUNCTION", "", "TICKER_FUNCTION"},
		{Default, "SYMBOLS", "btc", "SYMBOLS"},
		{Default, "WEBSOCKET_ENDPOINT", "", "WEBSOCKET_ENDPOINT"},
		{Ticker, "SYMBOLS", "", "SYMBOLS"},
		{Ticker, "SYMBOLS", manySymbols(65), "at most 64"},
		{Ticker, "WEBSOCKET_ENDPOINT", "", "WEBSOCKET_ENDPOINT"},
		{Ticker, "TICK_INTERVAL", "", "TICK_INTERVAL"},
		{Ticker, "TICK_INTERVAL", "1us", "TICK_INTERVAL"},
		{Ticker, "DELIVERY_INTERVAL", "10", "DELIVERY_INTERVAL"},
		{Ticker, "MAX_POSTS_PER_SECOND", "0", "MAX_POSTS_PER_SECOND"},
		{Ticker, "MAX_POSTS_PER_SECOND", "NaN", "MAX_POSTS_PER_SECOND"},
		{Ticker, "PRICE_SOURCE", "moon", "PRICE_SOURCE"},
	}
	for _, tt := range tests {
		_, err := tt.constructor(t.Context(), env.With(tt.variable, tt.text).Getenv)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s=%q: got %v; want an error with %s", tt.variable, tt.text, err, tt.want)
		}
	}
	for _, constructor := range []Constructor{Connect, Disconnect, Default, Ticker} {
		if _, err := constructor(t.Context(), func(string) string { return "" }); err == nil {
			t.Error("got no error without any environment")
		}
	}
}

func manySymbols(n int) string {
	var all []string
	for i := range n {
		all = append(all, "A"+string(rune('A'+i/26))+string(rune('A'+i%26))+"-USD")
	}
	return strings.Join(all, ",")
}
