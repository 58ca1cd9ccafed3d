package emulator_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"crypto-ticker/emulator"
	"crypto-ticker/emulator/internal/leaktest"
)

const (
	chat     = "testdata/chat/template.yaml"
	patience = 30 * time.Second // for what does happen
)

func TestMain(m *testing.M) {
	os.Exit(leaktest.Main(m, []string{"crypto-ticker/emulator", "net/http.(*conn)"}, leaktest.Children))
}

func dial(t *testing.T, url string) (*websocket.Conn, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, res, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		if res == nil {
			t.Fatal(err)
		}
		return nil, res.StatusCode
	}
	t.Cleanup(func() { c.CloseNow() })
	return c, res.StatusCode
}

func say(t *testing.T, c *websocket.Conn, text string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
	_, answer, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	return getWith(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}, url)
}

func getWith(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestWebSocketAPI(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{Template: chat, Map: map[string]string{"/room": "Chat"}})
	url := e.WebSocketURL("Chat")

	refused := []struct {
		name, query string
		want        int
	}{
		{"identity source is missing", "", 401},
		{"authorizer says Unauthorized", "?name=nobody", 401},
		{"policy denies", "?name=eve", 403},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			if _, got := dial(t, url+tt.query); got != tt.want {
				t.Errorf("got %d; want %d", got, tt.want)
			}
		})
	}

	c, status := dial(t, url+"?name=ann")
	if c == nil {
		t.Fatalf("handshake: got %d; want 101", status)
	}
	messages := []struct{ name, text, want string }{
		{"custom route", `{"action":"shout"}`, `shout {"action":"shout"} from map[lucky:7 principalId:ann]`},
		{"unknown action", `{"action":"x"}`, `$default {"action":"x"} from map[lucky:7 principalId:ann]`},
		{"no JSON", `hi`, `$default hi from map[lucky:7 principalId:ann]`},
	}
	for _, tt := range messages {
		t.Run(tt.name, func(t *testing.T) {
			if got := say(t, c, tt.text); got != tt.want {
				t.Errorf("got %s; want %s", got, tt.want)
			}
		})
	}
	t.Run("function crashes", func(t *testing.T) {
		want := regexp.MustCompile(`^{"message": "Internal server error", "connectionId":"[^"]{16}", "requestId":"[^"]{16}"}$`)
		if got := say(t, c, "crash"); !want.MatchString(got) {
			t.Errorf("got %s; want the form %s", got, want)
		}
		if got, want := say(t, c, "again"), "$default again from map[lucky:7 principalId:ann]"; got != want {
			t.Errorf("afterwards: got %s; want %s", got, want)
		}
	})
	t.Run("mapped path", func(t *testing.T) {
		if c, got := dial(t, strings.TrimSuffix(url, "/v1")+"/room?name=bob"); c == nil {
			t.Errorf("got %d; want 101", got)
		}
	})
	t.Run("idle for ten minutes", func(t *testing.T) {
		e.Advance(10*time.Minute + time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("got %v; want a close with 1001", err)
		}
	})
}

func TestHTTPAPIScheduleTableAndSecret(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{Template: chat, Parameters: map[string]string{"Greeting": "moin"}})
	if status, body := get(t, e.URL()+"/items/hours"); status != 404 {
		t.Errorf("no such item: got %d %s; want 404", status, body)
	}
	if status, body := get(t, e.URL()+"/nowhere"); status != 404 || body != `{"message":"Not Found"}` {
		t.Errorf("no such route: got %d %s", status, body)
	}
	e.Advance(3*time.Minute + time.Second) // the schedule fires three times, after that at the start
	if err := e.Fire("TickFunctionMinute"); err != nil {
		t.Error(err)
	}
	var status int
	var body string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) { // a process counts, in real time
		if status, body = get(t, e.URL()+"/items/minutes"); body == "moin 5 20" {
			return
		}
	}
	t.Errorf("got %d %q; want 200 %q", status, body, "moin 5 20")
}

func TestHandlersRunInProcess(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{Template: chat, Handlers: map[string]func() awslambda.Handler{
		"WebFunction": func() awslambda.Handler {
			return awslambda.NewHandler(func() (map[string]any, error) {
				return map[string]any{"statusCode": 200, "body": "from this process"}, nil
			})
		},
	}})
	if status, body := get(t, e.URL()+"/items/1"); status != 200 || body != "from this process" {
		t.Errorf("got %d %s", status, body)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{Template: chat})
	var got bytes.Buffer
	e.Describe(&got)
	text := regexp.MustCompile(` +`).ReplaceAllString(got.String(), " ")
	for _, want := range []string{
		"HTTP API Web " + e.URL() + "/\n",
		" GET /items/{id} WebFunction\n",
		"WebSocket API Chat " + e.WebSocketURL("Chat") + "\n",
		" $connect SocketFunction, authorized by GateFunction\n",
		"Schedule TickFunctionMinute rate(1 minute) -> TickFunction\n",
		"Table Room Room\n",
		"Not emulated Jobs AWS::SQS::Queue (template.yaml:82)\n",
		"Output ChatUrl " + e.WebSocketURL("Chat") + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if status, body := get(t, e.AWSURL()+"/"); status != 200 || body != got.String() {
		t.Errorf("GET %s/: got %d %s; want the same text", e.AWSURL(), status, body)
	}
}

// TestServicesRefuseWhatIsNotTheirs: the one endpoint has services that it
// knows, and is not for web pages, which could reach it from any site.
func TestServicesRefuseWhatIsNotTheirs(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{Template: chat})
	tests := []struct {
		name, header, value string
		status              int
		want                string
	}{
		{"known service", "X-Amz-Target", "DynamoDB_20120810.ListTables", 200, `{"TableNames":["Room"]}`},
		{"unknown service in JSON", "X-Amz-Target", "AmazonSQS.SendMessage", 400, `"message":"This service is not emulated: `},
		{"unknown service in query form", "Content-Type", "application/x-www-form-urlencoded; charset=utf-8", 400,
			"<ErrorResponse><Error><Type>Sender</Type><Code>UnknownOperationException</Code><Message>This service is not emulated: "},
		{"unknown service in XML", "Authorization", "AWS4-HMAC-SHA256 …", 400, "<Error><Type>Sender</Type><Code>UnknownOperationException</Code>"},
		{"web page", "Origin", "https://evil.example", 403, "Web pages may not use this endpoint"},
		{"headers without end", "X-Long", strings.Repeat("x", 100<<10), 431, "Request Header Fields Too Large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.AWSURL(), strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set(tt.header, tt.value)
			client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
			res, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != tt.status || !strings.Contains(string(body), tt.want) {
				t.Errorf("got %d %s, %v; want %d %s", res.StatusCode, body, err, tt.status, tt.want)
			}
		})
	}
}

// TestCredentialsAndQuotas: with credentials, functions sign as they should and
// others must too; a quota is that of the options.
func TestCredentialsAndQuotas(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{
		Template: chat, Credentials: map[string]string{"me": "mine"}, Quotas: emulator.Quotas{FrameBytes: 64},
	})
	c, status := dial(t, e.WebSocketURL("Chat")+"?name=ann")
	if c == nil {
		t.Fatalf("handshake: got %d; want 101", status)
	}
	if got, want := say(t, c, "hi"), "$default hi from map[lucky:7 principalId:ann]"; got != want {
		t.Errorf("a function's post: got %s; want %s", got, want)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL()+"/v1/@connections/AAAAAAAAAAAAAAA=", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=me/20260524/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=00")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("wrong signature: got %d; want 403", res.StatusCode)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, bytes.Repeat([]byte("x"), 65)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("frame over the quota: got %v; want a close with 1009", err)
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() }) // after the parallel subtests
	broken := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(broken, []byte("Resources:\n  A:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      TableName: !Ref Nope\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := filepath.Join(t.TempDir(), "env.json")
	if err := os.WriteFile(env, []byte(`{"WebFunction":{"NOPE":"1"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		o    emulator.Options
		want string
	}{
		{"no template", emulator.Options{Template: "testdata/none.yaml"}, "testdata/none.yaml"},
		{"broken template", emulator.Options{Template: broken}, "template.yaml:5: A: "},
		{"unknown parameter", emulator.Options{Template: chat, Parameters: map[string]string{"Nope": "1"}}, "Nope"},
		{"bad parameter", emulator.Options{Template: chat, Parameters: map[string]string{"Greeting": "1"}}, "Greeting"},
		{"address is taken", emulator.Options{Template: chat, Addr: taken.Addr().String()}, "another address can be given with -addr"},
		{"map to no API", emulator.Options{Template: chat, Map: map[string]string{"/x": "Nope"}}, "Nope"},
		{"undeclared variable", emulator.Options{Template: chat, EnvVars: env}, "WebFunction has no variable NOPE in the template"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := emulator.Run(t.Context(), tt.o)
			if err == nil {
				e.Close()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %q; want it to contain %q", err, tt.want)
			}
		})
	}
}
