package functions_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/functions"
	"crypto-ticker/shared/auth"
	"crypto-ticker/shared/store"
	"crypto-ticker/shared/store/storetest"
)

const stageURL = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod"

// keyRecord is what an operator sees of a key.
type keyRecord struct {
	APIKey     string `json:"api_key"`
	Lookup     string
	UserID     string `json:"user_id"`
	Role       string
	Policies   []string
	CreatedAt  time.Time `json:"created_at"`
	DisabledAt time.Time `json:"disabled_at"`
}

// operate invokes Keys with an event and reads its answer.
func operate[T any](t *testing.T, h lambda.Handler, event string) (answer T) {
	t.Helper()
	out, err := h.Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%s: answer %s: %v", event, out, err)
	}
	return answer
}

func TestKeysLife(t *testing.T) {
	t.Parallel()
	env, s := newEnv(t)
	h := newHandler(t, functions.Keys, env.With("WEBSOCKET_ENDPOINT", stageURL))
	exchange := newHandler(t, functions.Token, env)

	plain := operate[keyRecord](t, h, `{"action":"create","user_id":"ada"}`)
	full := operate[keyRecord](t, h, `{"action":"create","user_id":"bob@example.com","role":"guest","policies":["suspended_policy","bitcoin_policy","bitcoin_policy"]}`)
	if lookup, ok := auth.ParseKey(plain.APIKey); !ok || lookup != plain.Lookup || plain.UserID != "ada" || plain.Role != "user" || plain.Policies != nil {
		t.Errorf("created %+v", plain)
	}
	if age := time.Since(plain.CreatedAt); age < 0 || age > time.Minute {
		t.Errorf("created %v ago", age)
	}
	if full.UserID != "bob@example.com" || full.Role != "guest" || !reflect.DeepEqual(full.Policies, []string{"bitcoin_policy", "suspended_policy"}) {
		t.Errorf("created %+v", full)
	}
	record, err := s.Key(t.Context(), plain.Lookup)
	if err != nil || strings.Contains(fmt.Sprintf("%+v", record), plain.APIKey[13:]) {
		t.Errorf("stored %+v, %v; want no secret in it", record, err)
	}

	raw, err := h.Invoke(t.Context(), []byte(`{"action":"list"}`))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "api_key") || strings.Contains(string(raw), "hash") || strings.Contains(string(raw), record.Hash) {
		t.Errorf("the list %s holds a key or a hash", raw)
	}
	list := operate[struct{ Keys []keyRecord }](t, h, `{"action":"list"}`).Keys
	var users []string
	for _, k := range list {
		users = append(users, k.UserID)
		if !k.DisabledAt.IsZero() {
			t.Errorf("%s is disabled", k.UserID)
		}
	}
	if slices.Sort(users); !reflect.DeepEqual(users, []string{"ada", "bob@example.com"}) {
		t.Errorf("listed %v", users)
	}

	for _, k := range []struct{ apiKey, event string }{
		{plain.APIKey, fmt.Sprintf(`{"action":"revoke","lookup":%q}`, plain.Lookup)},
		{full.APIKey, fmt.Sprintf(`{"action":"revoke","api_key":%q}`, full.APIKey)},
	} {
		if res := exchangeKey(t, exchange, body(keyBody(k.apiKey))); res.StatusCode != 200 {
			t.Errorf("before: %d %s; want 200", res.StatusCode, res.Body)
		}
		if r := operate[keyRecord](t, h, k.event); r.DisabledAt.IsZero() || r.APIKey != "" {
			t.Errorf("%s: %+v; want it disabled, without the key", k.event, r)
		}
		if res := exchangeKey(t, exchange, body(keyBody(k.apiKey))); res.StatusCode != 401 {
			t.Errorf("after: %d %s; want 401", res.StatusCode, res.Body)
		}
	}
}

func TestKeysEmptyList(t *testing.T) {
	t.Parallel()
	env, _ := newEnv(t)
	h := newHandler(t, functions.Keys, env.With("WEBSOCKET_ENDPOINT", stageURL))
	out, err := h.Invoke(t.Context(), []byte(`{"action":"list"}`))
	if err != nil || string(out) != `{"keys":[]}` {
		t.Errorf("got %s, %v; want an empty list", out, err)
	}
}

// The demo key works after each start: it is the same, and valid again.
func TestKeysDemo(t *testing.T) {
	t.Parallel()
	env, _ := newEnv(t)
	h := newHandler(t, functions.Keys, env.With("WEBSOCKET_ENDPOINT", stageURL))
	exchange := newHandler(t, functions.Token, env)
	first := operate[keyRecord](t, h, `{"action":"demo"}`)
	if first.UserID != "demo" || first.Role != "user" {
		t.Errorf("demo is %+v", first)
	}
	operate[keyRecord](t, h, fmt.Sprintf(`{"action":"revoke","api_key":%q}`, first.APIKey))
	if res := exchangeKey(t, exchange, body(keyBody(first.APIKey))); res.StatusCode != 401 {
		t.Errorf("revoked: %d %s; want 401", res.StatusCode, res.Body)
	}
	second := operate[keyRecord](t, h, `{"action":"demo"}`)
	if second.APIKey != first.APIKey || !second.DisabledAt.IsZero() || second.CreatedAt.Unix() != first.CreatedAt.Unix() {
		t.Errorf("demo is %+v; want %+v", second, first)
	}
	if res := exchangeKey(t, exchange, body(keyBody(first.APIKey))); res.StatusCode != 200 {
		t.Errorf("demo again: %d %s; want 200", res.StatusCode, res.Body)
	}
	if list := operate[struct{ Keys []keyRecord }](t, h, `{"action":"list"}`).Keys; len(list) != 1 {
		t.Errorf("keys %+v; want one", list)
	}
}

// connectionsAPI stands for the management API of the stage; the tests of the
// whole system use the real one. It answers with the status of each connection.
type connectionsAPI struct {
	*httptest.Server
	status map[string]int

	mu      sync.Mutex
	deleted []string
}

func newConnectionsAPI(t *testing.T, status map[string]int) *connectionsAPI {
	a := &connectionsAPI{status: status}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, ok := strings.CutPrefix(r.URL.Path, "/prod/@connections/")
		if !ok || r.Method != http.MethodDelete {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		status := a.status[id]
		a.deleted = append(a.deleted, id)
		if status == http.StatusGone {
			w.Header().Set("x-amzn-ErrorType", "GoneException")
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(a.Close)
	return a
}

// TestKeysRevokeCloses: revoking a token or a key closes its connections, and no
// other one.
func TestKeysRevokeCloses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status map[string]int // of the connections
		age    time.Duration  // of them
		closed float64
		fails  bool
	}{
		{"no connection", nil, 0, 0, false},
		{"two connections", map[string]int{"one=": 204, "two=": 204}, time.Minute, 2, false},
		{"one is gone", map[string]int{"one=": 410, "two=": 204}, time.Minute, 1, false},
		{"one cannot be closed", map[string]int{"one=": 403, "two=": 204}, time.Minute, 1, true},
		{"one is about to open", map[string]int{"one=": 410}, 0, 0, false},
		{"many connections", manyConnections(40), time.Minute, 40, false},
	} {
		for _, what := range []string{"token", "key"} {
			t.Run(what+" of "+tt.name, func(t *testing.T) {
				t.Parallel()
				env, s := newEnv(t)
				api := newConnectionsAPI(t, tt.status)
				h := newHandler(t, functions.Keys, env.With("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI", api.URL+"/prod", "WEBSOCKET_ENDPOINT", stageURL))
				tok := addToken(t, env, s, unchanged, asIs)
				record, err := s.Token(t.Context(), auth.HashToken(tok))
				if err != nil {
					t.Fatal(err)
				}
				addConnection(t, s, "other=", store.Token{Hash: auth.HashToken("another token"), KeyLookup: "abcdefgh"}, 0)
				if what == "key" {
					record.Hash = auth.HashToken("another token of the key")
				}
				for id := range tt.status {
					addConnection(t, s, id, record, tt.age)
				}

				event := fmt.Sprintf(`{"action":"revoke_token","token":%q}`, tok)
				if what == "key" {
					event = fmt.Sprintf(`{"action":"revoke","lookup":%q}`, record.KeyLookup)
				}
				out, err := h.Invoke(t.Context(), []byte(event))
				if (err != nil) != tt.fails {
					t.Fatalf("error %v; want one: %v", err, tt.fails)
				}
				if slices.Sort(api.deleted); !slices.Equal(api.deleted, slices.Sorted(maps.Keys(tt.status))) {
					t.Errorf("closed %v; want %v", api.deleted, tt.status)
				}
				checkRevoked(t, s, what, record)
				checkEnded(t, s)
				if want := fmt.Sprintf(`"connections_closed":%v`, tt.closed); !tt.fails && !strings.Contains(string(out), want) {
					t.Errorf("answer %s; want %s in it", out, want)
				}
			})
		}
	}
}

func manyConnections(n int) map[string]int {
	all := map[string]int{}
	for i := range n {
		all[fmt.Sprint("c", i, "=")] = http.StatusNoContent
	}
	return all
}

// checkEnded: the time of all connections is over, so that the ticker ends those
// that open later; that of the other one is not.
func checkEnded(t *testing.T, s *store.Store) {
	t.Helper()
	for shard := range store.Shards {
		rows, err := s.Connections(t.Context(), shard, time.Time{}, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range rows {
			if ended := !time.Now().Before(c.ExpiresAt); ended != (c.ConnectionID != "other=") {
				t.Errorf("connection %s expires at %v", c.ConnectionID, c.ExpiresAt)
			}
		}
	}
}

func checkRevoked(t *testing.T, s *store.Store, what string, record store.Token) {
	t.Helper()
	switch key, err := s.Key(t.Context(), record.KeyLookup); {
	case err != nil:
		t.Error(err)
	case key.DisabledAt.IsZero() == (what == "key"):
		t.Errorf("the key is %+v", key)
	}
	if what == "key" {
		return
	}
	if _, err := s.Token(t.Context(), record.Hash); err == nil {
		t.Error("the token is still there")
	}
}

func addConnection(t *testing.T, s *store.Store, id string, tok store.Token, age time.Duration) {
	t.Helper()
	err := s.AddConnection(t.Context(), store.Connection{
		ConnectionRef: store.ConnectionRef{ConnectionID: id, ConnectedAt: time.Now().Add(-age).UnixMilli()},
		TokenHash:     tok.Hash, KeyLookup: tok.KeyLookup, ExpiresAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestKeysRefuses(t *testing.T) {
	t.Parallel()
	env, s := newEnv(t)
	h := newHandler(t, functions.Keys, env.With("WEBSOCKET_ENDPOINT", stageURL))
	valid := addKey(t, env, s, asIs)
	foreign := addToken(t, env.With("TOKEN_KEY", strings.Repeat("k", 32)), s, unchanged, asIs)
	const usage = "action is create"
	for _, tt := range []struct{ name, event, want string }{
		{"null", `null`, usage},
		{"an array", `[]`, usage},
		{"no action", `{}`, `unknown action ""`},
		{"unknown action", `{"action":"delete"}`, usage},
		{"unknown field", `{"action":"create","user_id":"ada","policy":["x"]}`, `"policy"`},
		{"field of another type", `{"action":"create","user_id":1}`, usage},
		{"create without user", `{"action":"create"}`, "user_id"},
		{"create for a bad user", `{"action":"create","user_id":"a b"}`, "user_id"},
		{"create with a bad role", `{"action":"create","user_id":"ada","role":"<b>"}`, "role"},
		{"create for a long user", `{"action":"create","user_id":"` + strings.Repeat("a", 65) + `"}`, "64"},
		{"create with an unknown policy", `{"action":"create","user_id":"ada","policies":["root_policy"]}`, `"root_policy"`},
		{"revoke nothing", `{"action":"revoke"}`, "lookup"},
		{"revoke a malformed lookup", `{"action":"revoke","lookup":"x"}`, "lookup"},
		{"revoke an unknown key", `{"action":"revoke","lookup":"abcdefgh"}`, "no key abcdefgh"},
		{"revoke a malformed key", `{"action":"revoke","api_key":"` + valid + `x"}`, "api_key"},
		{"revoke two keys", `{"action":"revoke","api_key":"` + valid + `","lookup":"abcdefgh"}`, "lookup"},
		{"revoke no token", `{"action":"revoke_token"}`, "token"},
		{"revoke a foreign token", `{"action":"revoke_token","token":"` + foreign + `"}`, "not issued here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := h.Invoke(t.Context(), []byte(tt.event))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %s, error %v; want one with %s", out, err, tt.want)
			}
			if strings.Contains(err.Error(), valid) || strings.Contains(err.Error(), foreign) {
				t.Errorf("error %q holds a secret", err)
			}
		})
	}
	if _, err := s.Token(t.Context(), auth.HashToken(foreign)); err != nil {
		t.Errorf("the foreign token's record: %v; want it untouched", err)
	}
}

func TestKeysNeedsItsEnvironment(t *testing.T) {
	t.Parallel()
	env := storetest.Env{"KEYS_TABLE": "Keys", "TOKEN_KEY": strings.Repeat("k", 32),
		"KEY_PEPPER": strings.Repeat("p", 32), "WEBSOCKET_ENDPOINT": stageURL}
	if _, err := functions.Keys(t.Context(), env.Getenv); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"KEYS_TABLE", "TOKEN_KEY", "KEY_PEPPER", "WEBSOCKET_ENDPOINT"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := functions.Keys(t.Context(), env.With(name, "").Getenv)
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("error = %v; want one with %s", err, name)
			}
		})
	}
}
