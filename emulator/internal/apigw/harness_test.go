package apigw

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/lambda"
	"crypto-ticker/emulator/internal/leaktest"
	"crypto-ticker/emulator/internal/template"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	os.Exit(leaktest.Main(m, []string{"internal/apigw.(*", "internal/clock."}))
}

// functions stands for the functions of a stack, by their ARNs.
type functions map[string]func(ctx context.Context, event []byte) ([]byte, error)

// fixture is a gateway on a port of its own.
type fixture struct {
	*Gateway
	t     testing.TB
	host  string // host:port
	clock *clock.Clock
	// client has a transport of its own: servers that close end what waits for a
	// connection of the default one, other tests' requests too.
	client *http.Client

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
	f.client = server.Client()
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

type dialOptions = websocket.DialOptions

func asClose(err error, to *websocket.CloseError) bool { return errors.As(err, to) }

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
	return f.do(req)
}

// do sends a request, and follows no redirection.
func (f *fixture) do(req *http.Request) (*http.Response, string) {
	f.t.Helper()
	resp, err := f.client.Transport.RoundTrip(req)
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
	{regexp.MustCompile(`"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"`), `"UUID"`},
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
