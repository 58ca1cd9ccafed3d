package apigw

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/lambda"
	"crypto-ticker/emulator/internal/template"
)

var update = flag.Bool("update", false, "write the golden files")

// TestMain fails if goroutines of the package outlive its tests.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		code = checkLeaks()
	}
	os.Exit(code)
}

func checkLeaks() int {
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
		n := runtime.Stack(stacks, true)
		if !bytes.Contains(stacks[:n], []byte("internal/apigw.(*")) {
			return 0
		}
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "leaked goroutines:\n%s\n", stacks[:n])
			return 1
		}
	}
}

// functions stands for the functions of a stack, by their ARNs.
type functions map[string]func(ctx context.Context, event []byte) ([]byte, error)

// fixture is a gateway on a port of its own.
type fixture struct {
	*Gateway
	t     testing.TB
	host  string // host:port
	clock *clock.Clock

	mu     sync.Mutex
	events map[string][][]byte // by function
	seen   chan struct{}       // gets a value for each event
}

const stageTest = "test"

// socketStack is a stack with one WebSocket API with the routes given, each
// with a function of the route's name; an authorizer is called "authorizer".
func socketStack(routes ...string) *template.Stack {
	api := &template.WebSocketAPI{LogicalID: "Socket", ID: "socket", Stage: stageTest,
		RouteSelectionExpression: "$request.body.type", Routes: map[string]*template.WebSocketRoute{}}
	for _, key := range routes {
		if key == "authorizer" {
			api.Authorizer = &template.Authorizer{FunctionARN: key}
			continue
		}
		api.Routes[key] = &template.WebSocketRoute{Key: key, FunctionARN: key, Timeout: 29 * time.Second}
	}
	return &template.Stack{Name: "stack", Region: "eu-west-1", AccountID: "123456789012",
		WebSocketAPIs: []*template.WebSocketAPI{api}}
}

// start serves a stack. A function that fns lacks answers {"statusCode":200}.
func start(t testing.TB, stack *template.Stack, fns functions, options ...func(*Config)) *fixture {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	f := &fixture{t: t, host: server.Listener.Addr().String(), clock: clock.New(),
		events: map[string][][]byte{}, seen: make(chan struct{}, 1000)}
	cfg := Config{Stack: stack, Clock: f.clock, Authority: f.host, Log: slog.New(slog.DiscardHandler),
		Invoke: func(ctx context.Context, arn string, event []byte) ([]byte, error) {
			f.mu.Lock()
			f.events[arn] = append(f.events[arn], event)
			f.mu.Unlock()
			select {
			case f.seen <- struct{}{}:
			default:
			}
			if fn := fns[arn]; fn != nil {
				return fn(ctx, event)
			}
			return []byte(`{"statusCode":200}`), nil
		}}
	for _, o := range options {
		o(&cfg)
	}
	g, err := New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	f.Gateway = g
	server.Config.Handler = g
	server.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		g.Close(ctx)
		server.Close()
		f.clock.Close()
	})
	return f
}

// event returns the n-th event of a function, waiting until there is one.
func (f *fixture) event(function string, n int) []byte {
	f.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		f.mu.Lock()
		list := f.events[function]
		f.mu.Unlock()
		if len(list) > n {
			return list[n]
		}
		select {
		case <-f.seen:
		case <-deadline:
			f.t.Fatalf("no event %d for %s", n, function)
		}
	}
}

func (f *fixture) count(function string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.events[function])
}

// connectionID returns the id of the n-th connection, which the stack's
// $connect route must have seen.
func (f *fixture) connectionID(n int) string {
	f.t.Helper()
	return contextOf(f.t, f.event("$connect", n)).ConnectionID
}

func contextOf(t testing.TB, event []byte) socketContext {
	t.Helper()
	var ev socketEvent
	if err := json.Unmarshal(event, &ev); err != nil {
		t.Fatalf("event %s: %v", event, err)
	}
	return ev.RequestContext
}

// dial opens a WebSocket at a path, such as /test.
func (f *fixture) dial(path string, options *websocket.DialOptions) *websocket.Conn {
	f.t.Helper()
	c, _, err := websocket.Dial(f.t.Context(), "ws://"+f.host+path, options)
	if err != nil {
		f.t.Fatalf("dial %s: %v", path, err)
	}
	f.t.Cleanup(func() { c.CloseNow() })
	return c
}

// refused dials and returns the status and body that refuse.
func (f *fixture) refused(path string, options *websocket.DialOptions) (int, string) {
	f.t.Helper()
	c, resp, err := websocket.Dial(f.t.Context(), "ws://"+f.host+path, options)
	if err == nil {
		c.CloseNow()
		f.t.Fatalf("dial %s: accepted", path)
	}
	if resp == nil {
		f.t.Fatalf("dial %s: %v", path, err)
	}
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func write(t testing.TB, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatalf("write: %v", err)
	}
}

func read(t testing.TB, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	typ, b, err := c.Read(ctx)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if typ != websocket.MessageText {
		t.Errorf("got a message of type %v, want text", typ)
	}
	return string(b)
}

// closure reads until the connection is closed and returns code and reason.
func closure(t testing.TB, c *websocket.Conn) (websocket.StatusCode, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, _, err := c.Read(ctx)
		if ce := new(websocket.CloseError); asClose(err, ce) {
			return ce.Code, ce.Reason
		}
		if err != nil {
			t.Fatalf("read: %v; want a close frame", err)
		}
	}
}

// request sends an HTTP request and returns the answer and its body.
func (f *fixture) request(method, path, body string, headers ...string) (*http.Response, string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, "http://"+f.host+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp, string(b)
}

func fail(message string) func(context.Context, []byte) ([]byte, error) {
	return func(context.Context, []byte) ([]byte, error) {
		return nil, &lambda.FunctionError{Kind: "Unhandled",
			Payload: encode(map[string]string{"errorMessage": message, "errorType": "errorString"})}
	}
}

func respond(answer string) func(context.Context, []byte) ([]byte, error) {
	return func(context.Context, []byte) ([]byte, error) { return []byte(answer), nil }
}

// hang answers when its caller has given up.
func hang(ctx context.Context, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// What differs from one run to the next, and what stands for it in golden
// files.
var volatile = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST:PORT"},
	{regexp.MustCompile(`"[A-Za-z0-9_-]{15}="`), `"ID"`},
	{regexp.MustCompile(`Root=1-[0-9a-f]{8}-[0-9a-f]{24}`), "TRACE"},
	{regexp.MustCompile(`\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000`), "TIME"},
	{regexp.MustCompile(`\b1[789]\d{11}\b`), "1"},
	{regexp.MustCompile(`("X-Forwarded-Port": \[?\s*"|"X-Forwarded-Port": "|"x-forwarded-port": ")\d+`), "${1}PORT"},
	{regexp.MustCompile(`"integrationLatency": \d+`), `"integrationLatency": 0`},
}

// golden compares an event with testdata/name, in which keys are sorted.
func golden(t *testing.T, name string, event []byte) {
	t.Helper()
	var v any
	if err := json.Unmarshal(event, &v); err != nil {
		t.Fatalf("event %s: %v", event, err)
	}
	got, _ := json.MarshalIndent(v, "", "  ")
	for _, x := range volatile {
		got = x.re.ReplaceAll(got, []byte(x.to))
	}
	got = append(got, '\n')
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("event differs from %s:\ngot  %s\nwant %s", file, got, want)
	}
}

func TestRequestsAreRoutedByHostAndPath(t *testing.T) {
	t.Parallel()
	stack := socketStack("$connect")
	second := *stack.WebSocketAPIs[0]
	second.LogicalID, second.ID = "Other", "other"
	stack.WebSocketAPIs = append(stack.WebSocketAPIs, &second)
	for _, id := range []string{"first", "second"} {
		stack.HTTPAPIs = append(stack.HTTPAPIs, &template.HTTPAPI{LogicalID: id, ID: id, Stage: "$default",
			Routes: []*template.HTTPRoute{{Key: "$default", FunctionARN: id, PayloadFormat: "2.0", Timeout: time.Second}}})
	}
	f := start(t, stack, functions{"first": respond(`"first"`), "second": respond(`"second"`)},
		func(c *Config) { c.Map = map[string]string{"/ws/ticker": "Socket"} })
	for _, tt := range []struct {
		name, host, path string
		status           int
		body             string
	}{
		{"the first HTTP API is the default", "", "/", 200, "first"},
		{"a host names an HTTP API", "second.execute-api.localhost:1", "/x", 200, "second"},
		{"a host of an unknown API", "third.execute-api.localhost", "/", 403, `{"message":"Forbidden"}`},
		{"a stage without an upgrade", "", "/test", 426, `{"message":"Upgrade Required"}`},
		{"a mapped path without an upgrade", "", "/ws/ticker?x=1", 426, `{"message":"Upgrade Required"}`},
		{"below a stage is the HTTP API's", "", "/test/x", 200, "first"},
		{"below a mapped path is the HTTP API's", "", "/ws/ticker2", 200, "first"},
		{"a wrong stage of a named WebSocket API", "socket.execute-api.localhost", "/prod", 403, `{"message":"Forbidden"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var headers []string
			if tt.host != "" {
				headers = []string{"Host", tt.host}
			}
			resp, body := f.request("GET", tt.path, "", headers...)
			if resp.StatusCode != tt.status || body != tt.body {
				t.Errorf("got %d %s, want %d %s", resp.StatusCode, body, tt.status, tt.body)
			}
		})
	}
	t.Run("APIs that share a stage have domains of their own", func(t *testing.T) {
		f.dial("/ws/ticker", &websocket.DialOptions{Host: "ignored.example"})
		f.dial("/test", &websocket.DialOptions{Host: "other.execute-api.localhost:80"})
		_, port, _ := strings.Cut(f.host, ":")
		for n, want := range []string{"socket", "other"} {
			if got := contextOf(t, f.event("$connect", n)).DomainName; got != want+".execute-api.localhost:"+port {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

func TestNewRefusesWhatItCannotServe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"authority", func(c *Config) { c.Authority = "localhost" }, `authority "localhost" is no host:port`},
		{"mapping to an unknown API", func(c *Config) { c.Map = map[string]string{"/x": "Sock"} },
			"path /x is mapped to Sock, but the template's WebSocket APIs are: Socket"},
		{"mapping of the root", func(c *Config) { c.Map = map[string]string{"/": "Socket"} }, "must start with /"},
		{"expression", func(c *Config) { c.Stack.WebSocketAPIs[0].RouteSelectionExpression = "$request.header.x" },
			`variable "request.header.x" is not emulated`},
		{"identity source", func(c *Config) {
			c.Stack.WebSocketAPIs[0].Authorizer = &template.Authorizer{IdentitySource: []string{"$request.header.x"}}
		}, `identity source "$request.header.x"`},
		{"route", func(c *Config) {
			c.Stack.HTTPAPIs = []*template.HTTPAPI{{Routes: []*template.HTTPRoute{{Path: "/{a+}/b", PayloadFormat: "2.0"}}}}
		}, `"{a+}" must be the last part of the path`},
		{"payload format", func(c *Config) {
			c.Stack.HTTPAPIs = []*template.HTTPAPI{{Routes: []*template.HTTPRoute{{Path: "/", PayloadFormat: "3.0"}}}}
		}, `payload format "3.0"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{Stack: socketStack("$connect"), Clock: clock.New(), Authority: "127.0.0.1:1"}
			tt.change(&cfg)
			_, err := New(cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestCloseEndsConnectionsAndRunsDisconnect(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$disconnect"), nil)
	c := f.dial("/test", nil)
	done := make(chan error, 1)
	go func() { done <- f.Close(context.Background()) }()
	if code, reason := closure(t, c); code != 1001 || reason != "Going away" {
		t.Errorf("got %d %q, want 1001 Going away", code, reason)
	}
	if err := <-done; err != nil {
		t.Errorf("Close: %v", err)
	}
	if n := f.count("$disconnect"); n != 1 {
		t.Errorf("$disconnect ran %d times, want once before Close returned", n)
	}
	if status, _ := f.refused("/test", nil); status != 503 {
		t.Errorf("a handshake after Close got %d, want 503", status)
	}
}

func TestCloseIsBoundedByItsContext(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$disconnect", "$default"), functions{"$default": hang, "$disconnect": hang})
	c := f.dial("/test", nil)
	write(t, c, "x")
	f.event("$default", 0)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := f.Close(ctx); err == nil {
		t.Error("got no error though functions were cut short")
	}
	if f.count("$disconnect") != 1 {
		t.Error("$disconnect was not called")
	}
}

// keysOf returns the sorted keys of a JSON object.
func keysOf(t *testing.T, object []byte) []string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(object, &m); err != nil {
		t.Fatal(err)
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
