package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/coder/websocket"

	"crypto-ticker/emulator"
)

// patience bounds every wait for something that does happen. It is long, since
// it costs nothing where all is well.
const patience = 30 * time.Second

// app is the whole application on the emulator, with the demo key.
type app struct {
	*emulator.Emulator
	t      *testing.T
	apiKey string
	out    *buffer // what the functions have logged
}

// buffer is a bytes.Buffer for many goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// startApp starts it as make run does, on free ports and in memory, unless o
// says otherwise.
func startApp(t *testing.T, o emulator.Options) *app {
	t.Helper()
	o.Template = "../template.yaml"
	o.Map = map[string]string{"/ws/ticker": "TickerSocket"}
	parameters := map[string]string{"DeliveryInterval": "10ms", "MaxPostsPerSecond": "8000"}
	for k, v := range o.Parameters {
		parameters[k] = v
	}
	o.Parameters = parameters
	a := &app{t: t, out: &buffer{}}
	o.Output = a.out
	a.Emulator = emulator.RunT(t, o)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the functions logged:\n%s", a.out)
		}
	})
	var demo struct {
		APIKey string `json:"api_key"`
	}
	a.invoke("KeysFunction", `{"action":"demo"}`, &demo)
	a.apiKey = demo.APIKey
	return a
}

// invoke runs a function and decodes its answer.
func (a *app) invoke(function, event string, answer any) {
	a.t.Helper()
	out, err := a.Invoke(a.t.Context(), function, []byte(event))
	if err != nil {
		a.t.Fatalf("%s %s: %v", function, event, err)
	}
	if err := json.Unmarshal(out, answer); err != nil {
		a.t.Fatalf("%s %s: answer %s: %v", function, event, out, err)
	}
}

// post sends a body to the token exchange.
func (a *app) post(body string) (int, http.Header, string) {
	a.t.Helper()
	return a.request(http.MethodPost, "/auth/token", body, nil)
}

func (a *app) request(method, path, body string, header http.Header) (int, http.Header, string) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.URL()+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header = header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(out)
}

// token exchanges an API key.
func (a *app) token(apiKey string) string {
	a.t.Helper()
	status, _, body := a.post(fmt.Sprintf(`{"api_key":%q}`, apiKey))
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(body), &answer); status != http.StatusOK || err != nil {
		a.t.Fatalf("token exchange: %d %s", status, body)
	}
	return answer.Token
}

// client is one WebSocket connection.
type client struct {
	t    *testing.T
	conn *websocket.Conn
}

// dial opens a WebSocket; where it is refused it gives the status.
func (a *app) dial(path string, o *websocket.DialOptions) (*client, int) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	conn, res, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(a.URL(), "http")+path, o)
	if err != nil {
		if res == nil {
			a.t.Fatalf("dial %s: %v", path, err)
		}
		return nil, res.StatusCode
	}
	conn.SetReadLimit(128 << 10)
	a.t.Cleanup(func() { conn.CloseNow() })
	return &client{a.t, conn}, res.StatusCode
}

// connect opens a WebSocket for the demo key.
func (a *app) connect() *client {
	a.t.Helper()
	c, status := a.dial("/prod", bearer(a.token(a.apiKey)))
	if c == nil {
		a.t.Fatalf("handshake: got %d; want 101", status)
	}
	return c
}

func bearer(token string) *websocket.DialOptions {
	return &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}}
}

// message is any message of the server.
type message struct {
	Type    string
	UserID  string `json:"user_id"`
	ID      json.RawMessage
	Code    string
	Symbols []string
	Epoch   int64
	Seq     int64
	Data    []entry
}

// entry is one price of a ticker message.
type entry struct {
	Symbol    string
	Price     float64
	Timestamp int64 // seconds
	Time      int64 // ms
}

// next reads one message.
func (c *client) next() message {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	kind, text, err := c.conn.Read(ctx)
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	var m message
	if err := json.Unmarshal(text, &m); err != nil || kind != websocket.MessageText {
		c.t.Fatalf("got a message of kind %v, %.200q: %v", kind, text, err)
	}
	return m
}

// until reads up to the first message of a type.
func (c *client) until(kind string) message {
	c.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if m := c.next(); m.Type == kind {
			return m
		}
	}
	c.t.Fatalf("no message of type %s", kind)
	return message{}
}

// send writes one text message.
func (c *client) send(text string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// closed reads to the end of the connection and tells its close code.
func (c *client) closed() websocket.StatusCode {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	for {
		if _, _, err := c.conn.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// rows counts the items of a table.
func (a *app) rows(table string) int {
	a.t.Helper()
	db := dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(a.AWSURL()),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	out, err := db.Scan(a.t.Context(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	if err != nil {
		a.t.Fatal(err)
	}
	return len(out.Items)
}

// eventually waits for what other processes do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen within %v", what, patience)
		}
		time.Sleep(10 * time.Millisecond) // polls processes, whose time is real
	}
}

// TestMain fails if a function's process outlives the emulator that ran it, or a
// goroutine of ours its test. What handlers log that are called in this process,
// nobody reads.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	code := m.Run()
	if left := children(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "processes are left:", left)
		code = 1
	}
	if left := goroutinesLeft(); left != "" {
		fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// goroutinesLeft has the stacks of goroutines that run our code, except its
// caller's. Those that are about to end get a moment.
func goroutinesLeft() string {
	var left []string
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		stacks := make([]byte, 4<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left = strings.Split(string(stacks), "\n\n")[1:] // the first one is the caller's
		left = slices.DeleteFunc(left, func(stack string) bool { return !strings.Contains(stack, "crypto-ticker/") })
		if len(left) == 0 || time.Now().After(deadline) {
			return strings.Join(left, "\n\n")
		}
	}
}
