package functions

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"crypto-ticker/shared/push"
	"crypto-ticker/shared/store"
)

const defaultID = "Q7xkTfGLDoECJqw="

// newDefault returns a function that sends a message as a client with these
// policies, and returns the answer that the client gets.
func newDefault(t *testing.T, policies string) (say func(body string) string, s *store.Store, g *stage) {
	t.Helper()
	env, s, g := newStage(t)
	h := newTestHandler(t, Default, env)
	c := testRow(defaultID, 0)
	c.ConnectedAt = 1779634513402
	addRow(t, s, c)
	return func(body string) string {
		t.Helper()
		before := len(g.got(defaultID))
		out, err := h.Invoke(t.Context(), GoldenEvent(t, "default_ping.json", func(event map[string]any) {
			event["body"] = body
			withAuthorizer("policies", policies)(event)
		}))
		if err != nil || !strings.Contains(string(out), `"statusCode":200`) {
			t.Fatalf("%s: got %s, %v; want 200", body, out, err)
		}
		var answers []string
		for _, m := range g.got(defaultID)[before:] {
			answers = append(answers, m.body)
		}
		return strings.Join(answers, " ")
	}, s, g
}

func TestDefaultAnswers(t *testing.T) {
	t.Parallel()
	say, _, _ := newDefault(t, "user_policy")
	for _, tt := range []struct{ body, want string }{ // one after the other
		{`{"type":"ping"}`, `{"type":"pong"}`},
		{`{"type":"ping","id":"a"}`, `{"type":"pong","id":"a"}`},
		{`{"type":"ping","id":-1.5}`, `{"type":"pong","id":-1.5}`},
		{`{"type":"ping","symbols":5}`, `{"type":"pong"}`},
		{`{"type":"hello","symbols":5}`, ``},
		{`{"type":"ping","ID":1}`, `{"type":"pong"}`},
		{`{"type":"ticker"}`, ``},
		{`{"type":""}`, ``},
		{`{"type":"unsubscribe","symbols":["SOL-USD","ETH-USD"]}`, `{"type":"unsubscribed","symbols":["BTC-USD"]}`},
		{`{"type":"subscribe","symbols":["SOL-USD","SOL-USD"],"mode":"latest","id":2}`,
			`{"type":"subscribed","id":2,"symbols":["BTC-USD","SOL-USD"],"mode":"latest"}`},
		{`{"type":"unsubscribe"}`, `{"type":"unsubscribed","symbols":[]}`},
		{`{"type":"subscribe"}`, `{"type":"subscribed","symbols":["BTC-USD","ETH-USD","SOL-USD"],"mode":"all"}`},
	} {
		if got := say(tt.body); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.body, got, tt.want)
		}
	}
}

// TestFirstMessageIsTheWelcome: the answer to a client that speaks at once waits
// for the welcome.
func TestFirstMessageIsTheWelcome(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	var reads atomic.Int32
	h := newTestHandler(t, Default, withGate(t, env, func(r *http.Request) {
		if isCall(r, "GetItem") {
			reads.Add(1)
		}
	}))
	c := testRow(defaultID, 0)
	c.Greeted = false
	addRow(t, s, c)
	done := make(chan error, 1)
	go func() {
		_, err := h.Invoke(t.Context(), GoldenEvent(t, "default_ping.json", func(event map[string]any) {
			event["requestContext"].(map[string]any)["connectedAt"] = c.ConnectedAt
		}))
		done <- err
	}()
	soon(t, "a second look for the greeting", func() bool { return reads.Load() > 1 })
	if got := g.got(defaultID); len(got) > 0 {
		t.Errorf("before the welcome got %v", got)
	}
	if err := s.MarkGreeted(t.Context(), c.ConnectionRef, 1, 1); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || g.count(defaultID, "pong") != 1 {
		t.Errorf("after the welcome got %v, %v; want pong", g.got(defaultID), err)
	}
}

func TestDefaultRefuses(t *testing.T) {
	t.Parallel()
	say, s, _ := newDefault(t, "bitcoin_policy")
	for _, tt := range []struct{ body, code, id string }{
		{``, codeInvalid, ""},
		{`ping`, codeInvalid, ""},
		{`null`, codeInvalid, ""},
		{`7`, codeInvalid, ""},
		{`"ping"`, codeInvalid, ""},
		{`[{"type":"ping"}]`, codeInvalid, ""},
		{`{}`, codeInvalid, ""},
		{`{"type":null}`, codeInvalid, ""},
		{`{"TYPE":"ping"}`, codeInvalid, ""},
		{`{"type":7}`, codeInvalid, ""},
		{`{"type":"ping"} {}`, codeInvalid, ""},
		{`{"type":"ping","id":{}}`, codeInvalid, ""},
		{`{"type":"ping","id":true}`, codeInvalid, ""},
		{`{"type":"ping","id":"` + strings.Repeat("x", 64) + `"}`, codeInvalid, ""},
		{`{"type":"subscribe","symbols":"BTC-USD","id":1}`, codeInvalid, "1"},
		{`{"type":"subscribe","symbols":[1],"id":1}`, codeInvalid, "1"},
		{`{"type":"subscribe","symbols":[],"id":1}`, codeInvalid, "1"},
		{`{"type":"subscribe","mode":"fast","id":1}`, codeInvalid, "1"},
		{`{"type":"subscribe","mode":1,"id":1}`, codeInvalid, "1"},
		{`{"type":"subscribe","symbols":["BTC-USD","DOGE-USD"],"id":1}`, codeSymbol, "1"},
		{`{"type":"unsubscribe","symbols":["btc-usd"],"id":1}`, codeSymbol, "1"},
		{`{"type":"subscribe","symbols":["BTC-USD","ETH-USD"],"id":1}`, codeForbidden, "1"},
	} {
		got := say(tt.body)
		var m struct {
			Type, Code, Message string
			ID                  json.RawMessage
		}
		if err := json.Unmarshal([]byte(got), &m); err != nil {
			t.Errorf("%s: got %q; want an error message", tt.body, got)
			continue
		}
		if m.Type != "error" || m.Code != tt.code || string(m.ID) != tt.id || m.Message == "" {
			t.Errorf("%s: got %s; want error %s with id %q", tt.body, got, tt.code, tt.id)
		}
	}
	for _, c := range allRows(t, s) {
		if len(c.Symbols) != 3 {
			t.Errorf("refused messages have changed the subscription to %v", c.Symbols)
		}
	}
	if got, want := say(`{"type":"subscribe"}`), `"mode":"all"`; !strings.Contains(got, want) {
		t.Errorf("subscribing to all that is allowed: got %s", got)
	}
}

func TestDefaultWhenThingsFail(t *testing.T) {
	t.Parallel()
	t.Run("the row is gone", func(t *testing.T) {
		t.Parallel()
		say, s, _ := newDefault(t, "user_policy")
		for _, c := range allRows(t, s) {
			if err := s.RemoveConnection(t.Context(), c.ConnectionRef); err != nil {
				t.Fatal(err)
			}
		}
		got := say(`{"type":"subscribe","id":1}`)
		if !strings.Contains(got, `"code":"internal"`) || !strings.Contains(got, `"id":1`) || strings.Contains(got, "store") {
			t.Errorf("got %s; want an error message that tells nothing of the inside", got)
		}
	})
	t.Run("the client is gone", func(t *testing.T) {
		t.Parallel()
		say, _, g := newDefault(t, "user_policy")
		g.mu.Lock()
		g.status[defaultID] = http.StatusGone
		g.mu.Unlock()
		if got := say(`{"type":"ping"}`); got != "" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("the answer cannot be sent", func(t *testing.T) {
		t.Parallel()
		env, _, g := newStage(t)
		g.status[defaultID] = http.StatusForbidden
		h := newTestHandler(t, Default, env)
		if _, err := h.Invoke(t.Context(), GoldenEvent(t, "default_ping.json", as)); err == nil {
			t.Error("got no error")
		}
	})
}

func FuzzMessage(f *testing.F) {
	for _, seed := range []string{`{"type":"ping","id":1}`, `{"type":"subscribe","symbols":["BTC-USD"],"mode":"all"}`, `[`, `null`, `{"type":"ping","id":"\ud800"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		m, err := parseMessage(body)
		var refused *refusal
		if err != nil && (!errors.As(err, &refused) || refused.code != codeInvalid) {
			t.Errorf("%q: got %v; want a refusal", body, err)
		}
		if err == nil && !json.Valid([]byte(body)) {
			t.Errorf("%q is no JSON, but understood", body)
		}
		answer := push.Message{Type: push.TypePong, ID: m.ID}.JSON()
		if !json.Valid(answer) || len(m.ID) > maxID {
			t.Errorf("%q: got the answer %s", body, answer)
		}
	})
}
