package functions_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"crypto-ticker/emulator"
)

// TestTokenExchange is the first section of the acceptance list: the bodies
// stand there to the letter.
func TestTokenExchange(t *testing.T) {
	t.Parallel()
	a := startApp(t, emulator.Options{})

	t.Run("valid key", func(t *testing.T) {
		status, header, body := a.post(fmt.Sprintf(`{"api_key":%q}`, a.apiKey))
		var answer struct{ Token string }
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatalf("body %s: %v", body, err)
		}
		want := fmt.Sprintf(`{"token":%q,"user_id":"demo","role":"user","expires_in":3600}`, answer.Token)
		if status != http.StatusOK || body != want || answer.Token == "" {
			t.Errorf("got %d %s; want 200 %s", status, body, want)
		}
		if got := header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("got Cache-Control %q; want no-store", got)
		}
	})

	wrongSecret := a.apiKey[:len(a.apiKey)-7] + "x" + a.apiKey[len(a.apiKey)-6:]
	refused := []struct {
		name, method, body string
		status             int
		want               string
	}{
		{"no JSON", "POST", `api_key`, 400, `{"error":"invalid JSON"}`},
		{"empty body", "POST", ``, 400, `{"error":"invalid JSON"}`},
		{"null", "POST", `null`, 400, `{"error":"invalid JSON"}`},
		{"an array", "POST", `[]`, 400, `{"error":"invalid JSON"}`},
		{"a number", "POST", `1`, 400, `{"error":"invalid JSON"}`},
		{"no key", "POST", `{}`, 400, `{"error":"api_key required"}`},
		{"empty key", "POST", `{"api_key":""}`, 400, `{"error":"api_key required"}`},
		{"key is a number", "POST", `{"api_key":1}`, 400, `{"error":"api_key required"}`},
		{"key is null", "POST", `{"api_key":null}`, 400, `{"error":"api_key required"}`},
		{"malformed key", "POST", `{"api_key":"nonsense"}`, 401, `{"error":"invalid API key"}`},
		{"wrong secret", "POST", fmt.Sprintf(`{"api_key":%q}`, wrongSecret), 401, `{"error":"invalid API key"}`},
		{"GET", "GET", ``, 405, `{"error":"method not allowed"}`},
		{"PUT", "PUT", `{}`, 405, `{"error":"method not allowed"}`},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			status, header, body := a.request(tt.method, "/auth/token", tt.body, nil)
			if status != tt.status || body != tt.want {
				t.Errorf("got %d %s; want %d %s", status, body, tt.status, tt.want)
			}
			if allow := header.Get("Allow"); status == http.StatusMethodNotAllowed && allow != "POST" {
				t.Errorf("got Allow %q; want POST", allow)
			}
		})
	}

	t.Run("revoked key", func(t *testing.T) {
		var key struct {
			APIKey string `json:"api_key"`
		}
		a.invoke("KeysFunction", `{"action":"create","user_id":"ann"}`, &key)
		a.token(key.APIKey)
		var revoked any
		a.invoke("KeysFunction", fmt.Sprintf(`{"action":"revoke","api_key":%q}`, key.APIKey), &revoked)
		if status, _, body := a.post(fmt.Sprintf(`{"api_key":%q}`, key.APIKey)); status != 401 || body != `{"error":"invalid API key"}` {
			t.Errorf("got %d %s; want 401 invalid API key", status, body)
		}
	})

	t.Run("preflight", func(t *testing.T) {
		status, header, _ := a.request("OPTIONS", "/auth/token", "", http.Header{
			"Origin": {"https://other.example"}, "Access-Control-Request-Method": {"POST"},
			"Access-Control-Request-Headers": {"content-type"},
		})
		if got := header.Get("Access-Control-Allow-Origin"); status != http.StatusNoContent || got != "*" {
			t.Errorf("got %d, allowed origin %q; want 204 and *", status, got)
		}
	})

	t.Run("database down", func(t *testing.T) {
		broken := startApp(t, emulator.Options{EnvVars: envFile(t, `{"TokenFunction":{"KEYS_TABLE":"Missing"}}`)})
		if status, _, body := broken.post(fmt.Sprintf(`{"api_key":%q}`, broken.apiKey)); status != 500 || body != `{"error":"database unavailable"}` {
			t.Errorf("got %d %s; want 500 database unavailable", status, body)
		}
	})
	t.Run("tokens cannot be signed", func(t *testing.T) {
		broken := startApp(t, emulator.Options{EnvVars: envFile(t, `{"TokenFunction":{"TOKEN_KEYS_SECRET":"missing"}}`)})
		if status, _, body := broken.post(fmt.Sprintf(`{"api_key":%q}`, broken.apiKey)); status != 500 || body != `{"error":"token store unavailable"}` {
			t.Errorf("got %d %s; want 500 token store unavailable", status, body)
		}
	})
	t.Run("tokens cannot be stored", func(t *testing.T) {
		broken := startApp(t, emulator.Options{EnvVars: envFile(t, `{"TokenFunction":{"TOKENS_TABLE":"Missing"}}`)})
		if status, _, body := broken.post(fmt.Sprintf(`{"api_key":%q}`, broken.apiKey)); status != 500 || body != `{"error":"token creation failed"}` {
			t.Errorf("got %d %s; want 500 token creation failed", status, body)
		}
	})
}

// envFile makes a file for the emulator's EnvVars.
func envFile(t *testing.T, content string) string {
	t.Helper()
	name := t.TempDir() + "/env.json"
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestStream follows one client from its handshake until it leaves.
func TestStream(t *testing.T) {
	t.Parallel()
	a := startApp(t, emulator.Options{})
	token := a.token(a.apiKey)
	ways := []struct {
		name, path string
		options    *websocket.DialOptions
		protocol   string
	}{
		{"header", "/prod", bearer(token), ""},
		{"sub-protocol", "/prod", &websocket.DialOptions{Subprotocols: []string{"crypto-ticker.v1", "bearer." + token}}, "crypto-ticker.v1"},
		{"query", "/ws/ticker?x-auth-token=" + token, nil, ""},
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			c, status := a.dial(way.path, way.options)
			if c == nil {
				t.Fatalf("handshake: got %d; want 101", status)
			}
			c.t = t
			if got := c.conn.Subprotocol(); got != way.protocol {
				t.Errorf("got sub-protocol %q; want %q", got, way.protocol)
			}
			if m := c.next(); m.Type != "welcome" || m.UserID != "user:demo" {
				t.Errorf("first message: got %+v; want the welcome of user:demo", m)
			}
			checkSnapshot(t, c.next())
			checkTicks(t, c)
			c.send(`{"type":"ping","id":7}`)
			if m := c.until("pong"); string(m.ID) != "7" {
				t.Errorf("pong: got id %s; want 7", m.ID)
			}
		})
	}
}

func checkSnapshot(t *testing.T, m message) {
	t.Helper()
	var symbols []string
	for _, d := range m.Data {
		symbols = append(symbols, d.Symbol)
	}
	slices.Sort(symbols)
	if want := []string{"BTC-USD", "ETH-USD", "SOL-USD"}; m.Type != "ticker" || !slices.Equal(symbols, want) {
		t.Errorf("second message: got %s of %v; want a snapshot of %v", m.Type, symbols, want)
	}
}

// checkTicks: prices come with a resolution of 10 ms, in order, without a gap.
func checkTicks(t *testing.T, c *client) {
	t.Helper()
	const want = 100
	var times []int64
	var last message
	for len(times) < want {
		m := c.until("ticker")
		if m.Epoch < last.Epoch || m.Epoch == last.Epoch && m.Seq <= last.Seq {
			t.Errorf("(epoch, seq) went from (%d, %d) to (%d, %d)", last.Epoch, last.Seq, m.Epoch, m.Seq)
		}
		last = m
		for _, d := range m.Data {
			if d.Price <= 0 || d.Timestamp != d.Time/1000 {
				t.Errorf("got entry %+v; want a price, and one time in both units", d)
			}
			if d.Symbol == "BTC-USD" {
				times = append(times, d.Time)
			}
		}
	}
	if !slices.IsSorted(times) {
		t.Errorf("ticks are not in time order: %v", times)
	}
	step := float64(times[len(times)-1]-times[0]) / float64(len(times)-1)
	if math.Abs(step-10) > 5 { // a busy machine skips ticks; a resolution of 1 s would be 1000
		t.Errorf("ticks are %.1f ms apart; want 10", step)
	}
}

func TestLeaving(t *testing.T) {
	t.Parallel()
	a := startApp(t, emulator.Options{})
	c := a.connect()
	c.until("ticker")
	if n := a.rows("ConnectionsTable"); n != 1 {
		t.Errorf("got %d rows of connections; want 1", n)
	}
	if err := c.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("close: %v", err)
	}
	eventually(t, "removal of the row", func() bool { return a.rows("ConnectionsTable") == 0 })
}

func TestHandshakeIsRefused(t *testing.T) {
	t.Parallel()
	a := startApp(t, emulator.Options{Parameters: map[string]string{
		"AllowedOrigins": "https://good.example", "AllowQueryToken": "false",
	}})
	token := a.token(a.apiKey)
	forged := token[:len(token)-2] + map[bool]string{true: "AB", false: "CD"}[!strings.HasSuffix(token, "AB")]
	withOrigin := func(origin string) *websocket.DialOptions {
		o := bearer(token)
		o.HTTPHeader.Set("Origin", origin)
		return o
	}
	tests := []struct {
		name, path string
		options    *websocket.DialOptions
		want       int
	}{
		{"no token", "/prod", nil, 401},
		{"empty token", "/prod", bearer(""), 401},
		{"nonsense", "/prod", bearer("nonsense"), 401},
		{"forged signature", "/prod", bearer(forged), 401},
		{"API key instead of a token", "/prod", bearer(a.apiKey), 401},
		{"token in the query where that is off", "/prod?x-auth-token=" + token, nil, 401},
		{"foreign origin", "/prod", withOrigin("https://evil.example"), 403},
		{"allowed origin", "/prod", withOrigin("https://good.example"), 101},
		{"the stack's own page", "/prod", withOrigin(a.URL()), 101},
		{"no origin", "/prod", bearer(token), 101},
		{"unknown stage", "/nowhere", bearer(token), 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, got := a.dial(tt.path, tt.options); got != tt.want {
				t.Errorf("got %d; want %d", got, tt.want)
			}
		})
	}
	t.Run("token exchange", func(t *testing.T) {
		for origin, want := range map[string]string{"https://good.example": "https://good.example", "https://evil.example": ""} {
			_, header, _ := a.request("POST", "/auth/token", keyBody(a.apiKey), http.Header{"Origin": {origin}})
			if got := header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("origin %s: got Access-Control-Allow-Origin %q; want %q", origin, got, want)
			}
		}
	})
	t.Run("policy that refuses", func(t *testing.T) {
		var key struct {
			APIKey string `json:"api_key"`
		}
		a.invoke("KeysFunction", `{"action":"create","user_id":"eve","policies":["suspended_policy"]}`, &key)
		if _, got := a.dial("/prod", bearer(a.token(key.APIKey))); got != http.StatusForbidden {
			t.Errorf("got %d; want 403", got)
		}
	})
	t.Run("GET without upgrade", func(t *testing.T) {
		for _, path := range []string{"/prod", "/ws/ticker"} {
			if status, _, _ := a.request("GET", path, "", http.Header{"Authorization": {"Bearer " + token}}); status != http.StatusUpgradeRequired {
				t.Errorf("GET %s: got %d; want 426", path, status)
			}
		}
	})
}

func TestExpiredTokenIsRefused(t *testing.T) {
	t.Parallel()
	a := startApp(t, emulator.Options{Parameters: map[string]string{"TokenLifetime": "1s"}})
	token := a.token(a.apiKey)
	eventually(t, "refusal of the token", func() bool {
		_, status := a.dial("/prod", bearer(token))
		return status == http.StatusUnauthorized
	})
}

func TestConnectionEndsWithItsToken(t *testing.T) {
	t.Parallel()
	a := startApp(t, emulator.Options{Parameters: map[string]string{"TokenLifetime": "3s"}})
	if got := a.connect().closed(); got != websocket.StatusNormalClosure {
		t.Errorf("got close code %v; want 1000", got)
	}
}

// TestRevokingClosesConnections: those of the token or key that is revoked end,
// and the others stay.
func TestRevokingClosesConnections(t *testing.T) {
	t.Parallel()
	a := startApp(t, emulator.Options{})
	var key struct {
		APIKey string `json:"api_key"`
	}
	a.invoke("KeysFunction", `{"action":"create","user_id":"ann"}`, &key)
	other := a.connect()
	token, second := a.token(key.APIKey), a.token(key.APIKey)
	for _, tt := range []struct{ token, event string }{
		{token, fmt.Sprintf(`{"action":"revoke_token","token":%q}`, token)},
		{second, fmt.Sprintf(`{"action":"revoke","api_key":%q}`, key.APIKey)},
	} {
		c, status := a.dial("/prod", bearer(tt.token))
		if c == nil {
			t.Fatalf("handshake: got %d; want 101", status)
		}
		c.until("ticker")
		var answer struct {
			Closed int `json:"connections_closed"`
		}
		if a.invoke("KeysFunction", tt.event, &answer); answer.Closed != 1 {
			t.Errorf("%.20s: closed %d; want 1", tt.event, answer.Closed)
		}
		if got := c.closed(); got != websocket.StatusNormalClosure {
			t.Errorf("got close code %v; want 1000", got)
		}
		if _, status := a.dial("/prod", bearer(tt.token)); status != http.StatusUnauthorized {
			t.Errorf("handshake with what is revoked: got %d; want 401", status)
		}
	}
	other.until("ticker")
}

func TestMessagesOfTheClient(t *testing.T) {
	t.Parallel()
	a := startApp(t, emulator.Options{})
	c := a.connect()
	c.until("ticker")
	for _, bad := range []string{`no JSON`, `[1]`, `"text"`, `null`, `{"type":1}`, `{"type":"subscribe","symbols":"BTC-USD"}`} {
		c.send(bad)
		if m := c.until("error"); m.Code == "" {
			t.Errorf("%s: got an error without a code", bad)
		}
	}
	c.send(`{"type":"whatever"}`) // is ignored
	c.send(`{"type":"subscribe","symbols":["ETH-USD"],"id":"s1"}`)
	m := c.until("subscribed")
	if string(m.ID) != `"s1"` || !slices.Contains(m.Symbols, "ETH-USD") {
		t.Errorf("got %+v; want the subscription of ETH-USD with id s1", m)
	}
	c.send(`{"type":"unsubscribe","symbols":["BTC-USD","SOL-USD"]}`)
	c.until("unsubscribed")
	eventually(t, "a message of ETH-USD alone", func() bool {
		m := c.until("ticker")
		return !slices.ContainsFunc(m.Data, func(e entry) bool { return e.Symbol != "ETH-USD" })
	})
}

// TestLogsKeepSecrets: logs tell of clients, and never hold what would let
// somebody else in.
func TestLogsKeepSecrets(t *testing.T) {
	t.Parallel()
	a := startApp(t, emulator.Options{})
	token := a.token(a.apiKey)
	c, _ := a.dial("/ws/ticker?x-auth-token="+token, nil)
	c.until("ticker")
	const private = "do not log what I say"
	c.send(fmt.Sprintf(`{"type":"%s"}`, private))
	c.send(private)
	c.until("error")
	c.send(`{"type":"unsubscribe","symbols":["BTC-USD"]}`)
	c.until("unsubscribed")
	c.send(`{"type":"subscribe"}`)
	c.until("subscribed")
	c.conn.Close(websocket.StatusNormalClosure, "")
	for _, event := range []string{"ticker started", "client joined", "unsubscribed", "subscribed", "client left"} {
		eventually(t, "log of "+event, func() bool { return strings.Contains(a.out.String(), `"msg":"`+event+`"`) })
	}
	for line := range strings.Lines(a.out.String()) {
		if _, text, ok := strings.Cut(line, " | "); !ok || !strings.HasSuffix(line, "\n") || !json.Valid([]byte(text)) {
			t.Errorf("log line %q is no JSON", line)
		}
	}
	for name, secret := range map[string]string{"API key": a.apiKey, "token": token, "message": private} {
		if strings.Contains(a.out.String(), secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}
