package apigw

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"crypto-ticker/emulator/internal/template"
)

var regexpKey = regexp.MustCompile(`"Sec-WebSocket-Key":"([^"]+)"`)

const allow = `{"principalId":"user:demo","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}]},"context":{"role":"user","expiresAt":1779638113,"admin":false}}`

func TestEventsAreThoseOfTheService(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("authorizer", "$connect", "$default", "$disconnect"), functions{"authorizer": respond(allow)})
	c := f.dial("/test?token=a%20b&token=c", &websocket.DialOptions{
		Subprotocols: []string{"ticker.v1"},
		HTTPHeader: http.Header{"User-Agent": {"TestBrowser/1.0"}, "Origin": {"https://ticker.example"},
			"Sec-WebSocket-Key": nil},
		CompressionMode: websocket.CompressionDisabled,
	})
	write(t, c, `{"a":"<ä>&"}`)
	golden(t, "ws_message.json", f.event("$default", 0))
	c.Close(4000, "bye")
	golden(t, "ws_disconnect.json", f.event("$disconnect", 0))
	scrub := func(event []byte) []byte { // the key is random
		key := regexpKey.FindSubmatch(event)[1]
		return []byte(strings.ReplaceAll(string(event), string(key), "KEY"))
	}
	golden(t, "ws_authorizer_request.json", scrub(f.event("authorizer", 0)))
	golden(t, "ws_connect.json", scrub(f.event("$connect", 0)))

	first, second := contextOf(t, f.event("authorizer", 0)), contextOf(t, f.event("$connect", 0))
	if first.RequestID != second.RequestID || first.RequestID != first.ExtendedRequestID {
		t.Errorf("request ids: authorizer %s and %s, $connect %s: want them equal",
			first.RequestID, first.ExtendedRequestID, second.RequestID)
	}
	third := contextOf(t, f.event("$default", 0))
	if third.RequestID == first.RequestID || third.MessageID == third.RequestID {
		t.Error("a message's event has no ids of its own")
	}
	if first.ConnectionID != third.ConnectionID || first.ConnectedAt != third.ConnectedAt {
		t.Error("the connection's id and time differ between its events")
	}
}

func TestAbsentPartsAreAbsent(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$default"), nil)
	c := f.dial("/test", &websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {""}}})
	write(t, c, "{}")
	for _, tt := range []struct {
		function string
		keys     string
	}{
		{"$connect", "headers isBase64Encoded multiValueHeaders requestContext"},
		{"$default", "body isBase64Encoded requestContext"},
	} {
		if got := strings.Join(keysOf(t, f.event(tt.function, 0)), " "); got != tt.keys {
			t.Errorf("%s: got keys %s, want %s", tt.function, got, tt.keys)
		}
	}
	if ctx := string(f.event("$connect", 0)); strings.Contains(ctx, "userAgent") || strings.Contains(ctx, `"authorizer"`) {
		t.Errorf("the event of a client without User-Agent and authorizer has them: %s", ctx)
	}
}

func TestResultOfConnectDecidesTheHandshake(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		fn     func(context.Context, []byte) ([]byte, error)
		status int // 0 is accepted
		body   string
	}{
		{"2xx", respond(`{"statusCode":204}`), 0, ""},
		{"status as a string", respond(`{"statusCode":"200"}`), 0, ""},
		{"400", respond(`{"statusCode":400,"body":"dropped"}`), 400, "Bad Request"},
		{"418", respond(`{"statusCode":418}`), 418, "I'm a teapot"},
		{"503", respond(`{"statusCode":503}`), 503, "Service Unavailable"},
		{"3xx", respond(`{"statusCode":302,"headers":{"Location":"/"}}`), 302, "Found"},
		{"1xx", respond(`{"statusCode":100}`), 502, "Internal server error"},
		{"function error", fail("boom"), 502, "Internal server error"},
		{"no statusCode", respond(`{}`), 502, "Internal server error"},
		{"statusCode in another case", respond(`{"StatusCode":200}`), 502, "Internal server error"},
		{"null", respond(`null`), 502, "Internal server error"},
		{"no JSON", respond(`oops`), 502, "Internal server error"},
		{"header injection", respond(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"a\r\nX: y"}}`), 502, "Internal server error"},
		{"not invocable", func(context.Context, []byte) ([]byte, error) { return nil, errors.New("throttled") }, 500, "Internal server error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, socketStack("$connect", "$disconnect"), functions{"$connect": tt.fn})
			if tt.status == 0 {
				f.dial("/test", nil)
				return
			}
			status, body := f.refused("/test", nil)
			var got struct{ Message, ConnectionID, RequestID string }
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("body %q: %v", body, err)
			}
			if status != tt.status || got.Message != tt.body || got.ConnectionID != f.connectionID(0) || got.RequestID == "" {
				t.Errorf("got %d %s, want %d %s", status, body, tt.status, tt.body)
			}
			f.Close(t.Context())
			if f.count("$disconnect") != 0 {
				t.Error("$disconnect ran though $connect refused")
			}
		})
	}
}

func TestIntegrationTimeoutOfConnectIs504(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), functions{"$connect": hang})
	go func() {
		f.event("$connect", 0)
		f.clock.Advance(29 * time.Second)
	}()
	if status, body := f.refused("/test", nil); status != 504 || !strings.Contains(body, "Endpoint request timed out") {
		t.Errorf("got %d %s, want 504", status, body)
	}
}

func TestNoConnectRouteAcceptsWithoutACall(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$default"), nil)
	c := f.dial("/test/", nil)
	write(t, c, "hello")
	f.event("$default", 0)
}

func TestOnlyTheSubprotocolOfTheAnswerReachesTheClient(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), functions{
		"$connect": respond(`{"statusCode":200,"headers":{"sec-websocket-protocol":" b","X-Other":"y"},"body":"z"}`)})
	c, resp, err := websocket.Dial(t.Context(), "ws://"+f.host+"/test", &websocket.DialOptions{Subprotocols: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if c.Subprotocol() != "b" || resp.Header.Get("X-Other") != "" {
		t.Errorf("got protocol %q and headers %v", c.Subprotocol(), resp.Header)
	}
	var ev socketEvent
	json.Unmarshal(f.event("$connect", 0), &ev)
	if got := ev.Headers["Sec-WebSocket-Protocol"]; got != "a,b" && got != "a, b" {
		t.Errorf("$connect got Sec-WebSocket-Protocol %q", got)
	}

	g := start(t, socketStack("$connect"), nil)
	if c := g.dial("/test", &websocket.DialOptions{Subprotocols: []string{"a"}}); c.Subprotocol() != "" {
		t.Errorf("got protocol %q that no function selected", c.Subprotocol())
	}
}

func TestCaseOfSubprotocols(t *testing.T) {
	t.Parallel()
	ev := socketEvent{MultiValueHeaders: map[string][]string{"sec-websocket-protocol": {"A, b"}}}
	for protocol, want := range map[string]bool{"A": true, "b": true, "a": false, "c": false} {
		if got := offers(ev, protocol); got != want {
			t.Errorf("%s: got %t, want %t", protocol, got, want)
		}
	}
	ans := answer{headers: map[string]string{"sec-websocket-protocol": "a", "Sec-WebSocket-Protocol": "b", "x": "c"}}
	for range 20 { // whatever the order of maps is
		if got, err := subprotocol(ans); got != "b" || err != nil {
			t.Fatalf("got %q, %v, want that of the first header in order", got, err)
		}
	}
}

func TestInvalidHandshakesAreRefused(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil)
	upgrade := []string{"Connection", "keep-alive, Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13",
		"Sec-WebSocket-Key", "MDEyMzQ1Njc4OWFiY2RlZg=="}
	change := func(name, value string) []string {
		h := append([]string{}, upgrade...)
		for i := 0; i < len(h); i += 2 {
			if h[i] == name {
				h[i+1] = value
			}
		}
		return h
	}
	for _, tt := range []struct {
		name, method, path string
		headers            []string
		status             int
	}{
		{"POST", "POST", "/test", upgrade, 426},
		{"no Upgrade", "GET", "/test", change("Upgrade", "h2c"), 426},
		{"no Connection: upgrade", "GET", "/test", change("Connection", "close"), 426},
		{"version 8", "GET", "/test", change("Sec-WebSocket-Version", "8"), 426},
		{"short key", "GET", "/test", change("Sec-WebSocket-Key", "MDEy"), 400},
		{"long URL", "GET", "/test?" + strings.Repeat("x", 4096), upgrade, 414},
	} {
		if resp, body := f.request(tt.method, tt.path, "", tt.headers...); resp.StatusCode != tt.status {
			t.Errorf("%s: got %d %s, want %d", tt.name, resp.StatusCode, body, tt.status)
		}
	}
	if f.count("$connect") != 0 {
		t.Error("$connect was called")
	}
}

func TestUnknownStageIsForbidden(t *testing.T) {
	t.Parallel()
	stack := socketStack("$connect")
	stack.HTTPAPIs = httpStack("$default").HTTPAPIs
	f := start(t, stack, nil)
	for _, path := range []string{"/", "/prod", "/Test", "/test/x"} {
		if status, body := f.refused(path, nil); status != 403 || body != `{"message":"Forbidden"}` {
			t.Errorf("%s: got %d %s, want 403", path, status, body)
		}
	}
}

func TestMessagesAreRoutedByTheSelectionExpression(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$disconnect", "$default", "ping"), nil)
	c := f.dial("/test", nil)
	counts := map[string]int{"$connect": 1}
	for _, tt := range []struct{ message, route string }{
		{`{"type":"ping"}`, "ping"},
		{`{"type":"Ping"}`, "$default"},
		{`{"type":"$default"}`, "$default"},
		{`{"type":"$connect"}`, "$default"},
		{`{"type":"$disconnect"}`, "$default"},
		{`{}`, "$default"},
		{`no JSON`, "$default"},
		{``, "$default"},
	} {
		write(t, c, tt.message)
		ev := f.event(tt.route, counts[tt.route])
		counts[tt.route]++
		if got := contextOf(t, ev); got.RouteKey != tt.route || got.EventType != "MESSAGE" {
			t.Errorf("%s: got %s of route %s, want %s", tt.message, got.EventType, got.RouteKey, tt.route)
		}
	}
}

func TestMessageWithoutARouteIsForbidden(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "ping"), nil)
	c := f.dial("/test", nil)
	for range 2 { // the connection stays
		write(t, c, `{"type":"other"}`)
		checkErrorFrame(t, f, read(t, c), "Forbidden")
	}
}

// checkErrorFrame compares an error frame to the last byte, ids aside.
func checkErrorFrame(t *testing.T, f *fixture, got, message string) {
	t.Helper()
	var ids struct{ RequestID string }
	if err := json.Unmarshal([]byte(got), &ids); err != nil {
		t.Fatalf("frame %q: %v", got, err)
	}
	want := `{"message": "` + message + `", "connectionId":"` + f.connectionID(0) + `", "requestId":"` + ids.RequestID + `"}`
	if got != want || !isConnectionID(ids.RequestID) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFailedIntegrationsGiveAnErrorFrame(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fn   func(context.Context, []byte) ([]byte, error)
	}{
		{"function error", fail("boom")},
		{"malformed answer", respond(`"text"`)},
		{"not invocable", func(context.Context, []byte) ([]byte, error) { return nil, errors.New("no") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, socketStack("$connect", "$default"), functions{"$default": tt.fn})
			c := f.dial("/test", nil)
			write(t, c, "x")
			got := read(t, c)
			checkErrorFrame(t, f, got, "Internal server error")
			if id := contextOf(t, f.event("$default", 0)).RequestID; !strings.Contains(got, id) {
				t.Errorf("frame %s has not the event's request id %s", got, id)
			}
		})
	}
}

func TestIntegrationTimeoutGivesAnErrorFrame(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$default"), functions{"$default": hang})
	c := f.dial("/test", nil)
	write(t, c, "x")
	f.event("$default", 0)
	f.clock.Advance(29 * time.Second)
	checkErrorFrame(t, f, read(t, c), "Endpoint request timed out")
}

func TestDisconnectIsNotRetried(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$disconnect"), functions{"$disconnect": fail("boom")})
	f.dial("/test", nil).Close(websocket.StatusNormalClosure, "")
	f.event("$disconnect", 0)
	f.clock.Advance(time.Hour)
	if err := f.Close(t.Context()); err != nil { // what runs has ended
		t.Fatal(err)
	}
	if n := f.count("$disconnect"); n != 1 {
		t.Errorf("it ran %d times, want once", n)
	}
}

func TestOnlyTwoWayRoutesAnswer(t *testing.T) {
	t.Parallel()
	stack := socketStack("$connect", "one", "two", "empty", "error")
	for _, key := range []string{"two", "empty", "error"} {
		stack.WebSocketAPIs[0].Routes[key].TwoWay = true
	}
	f := start(t, stack, functions{
		"one": respond(`{"statusCode":200,"body":"dropped"}`), "two": respond(`{"statusCode":200,"body":"sent"}`),
		"empty": respond(`{"statusCode":200}`), "error": respond(`{"statusCode":500,"body":"sent too"}`)})
	c := f.dial("/test", nil)
	for i, key := range []string{"one", "empty", "error", "two"} {
		write(t, c, `{"type":"`+key+`"}`)
		f.event(key, 0)
		if i == 2 {
			if got := read(t, c); got != "sent too" {
				t.Errorf("got %q, want the body of a route that answers 500", got)
			}
		}
	}
	if got := read(t, c); got != "sent" {
		t.Errorf("got %q, want what the two-way route sent", got)
	}
}

func TestMessagesAreHandledConcurrentlyAndBounded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	f := start(t, socketStack("$connect", "$default"), functions{
		"$default": func(ctx context.Context, _ []byte) ([]byte, error) {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return []byte(`{"statusCode":200}`), nil
		}})
	c := f.dial("/test", nil)
	for range maxInFlight + 4 {
		write(t, c, "x")
	}
	f.event("$default", maxInFlight-1) // all at once, or this would wait for ever
	if n := f.count("$default"); n != maxInFlight {
		t.Errorf("got %d messages at once, want %d", n, maxInFlight)
	}
	close(release)
	f.event("$default", maxInFlight+3)
}

func TestStageVariablesAreOnEveryEvent(t *testing.T) {
	t.Parallel()
	stack := socketStack("$connect", "$default", "$disconnect")
	stack.WebSocketAPIs[0].StageVariables = map[string]string{"k": "v"}
	stack.WebSocketAPIs[0].Authorizer = &template.Authorizer{FunctionARN: "authorizer", IdentitySource: []string{"stageVariables.k"}}
	f := start(t, stack, functions{"authorizer": respond(allow)})
	c := f.dial("/test", nil)
	write(t, c, "x")
	c.Close(websocket.StatusNormalClosure, "")
	for _, fn := range []string{"authorizer", "$connect", "$default", "$disconnect"} {
		var ev socketEvent
		if json.Unmarshal(f.event(fn, 0), &ev); ev.StageVariables["k"] != "v" {
			t.Errorf("%s got stage variables %v", fn, ev.StageVariables)
		}
	}
}
