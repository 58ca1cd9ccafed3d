package apigw

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
	"github.com/gobwas/ws"
)

// sdk is the real client of the management API.
func (f *fixture) sdk(stage string) *api.Client {
	return api.New(api.Options{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String("http://" + f.host + "/" + stage),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
		}),
		RetryMaxAttempts: 1,
	})
}

// manage sends a request to @connections that looks signed.
func (f *fixture) manage(method, id, body string) (*http.Response, string) {
	f.t.Helper()
	return f.request(method, "/test/@connections/"+strings.ReplaceAll(id, "=", "%3D"), body, "Authorization", "AWS4-HMAC-SHA256 x")
}

const unknownID = "Jx-TaE0_GjQFvSw="

func TestSDKPostsGetsAndDeletes(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$disconnect"), nil)
	c := f.dial("/test", &dialOptions{HTTPHeader: http.Header{"User-Agent": {"Browser"}}})
	id, client, ctx := aws.String(f.connectionID(0)), f.sdk("test"), t.Context()

	for _, data := range []string{"tick", "", strings.Repeat("é", maxMessage/2)} {
		c.SetReadLimit(maxMessage)
		if _, err := client.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: id, Data: []byte(data)}); err != nil {
			t.Fatalf("post %d bytes: %v", len(data), err)
		}
		if got := read(t, c); got != data {
			t.Errorf("got %d bytes, want %d as one text message", len(got), len(data))
		}
	}
	got, err := client.GetConnection(ctx, &api.GetConnectionInput{ConnectionId: id})
	if err != nil {
		t.Fatal(err)
	}
	if *got.Identity.SourceIp != "127.0.0.1" || *got.Identity.UserAgent != "Browser" ||
		got.ConnectedAt.After(*got.LastActiveAt) || time.Since(*got.ConnectedAt) > time.Minute {
		t.Errorf("got %+v %+v", got, got.Identity)
	}
	if _, err := client.DeleteConnection(ctx, &api.DeleteConnectionInput{ConnectionId: id}); err != nil {
		t.Fatal(err)
	}
	if code, reason := closure(t, c); code != 1000 || reason != "Connection Closed Normally" {
		t.Errorf("the client saw %d %q, want 1000", code, reason)
	}
	f.disconnected(0, 1000, "Connection Closed Normally")
	var gone *types.GoneException
	if _, err := client.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: id, Data: []byte("x")}); !errors.As(err, &gone) {
		t.Errorf("post after delete: got %v, want a GoneException", err)
	}
}

func TestSDKDecodesErrors(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*Config){"any signature": func(*Config) {}, "verified": verifying} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			decodesErrors(t, start(t, socketStack("$connect"), nil, option))
		})
		t.Run(name+", throttled", func(t *testing.T) {
			t.Parallel()
			f := start(t, socketStack("$connect"), nil, option, func(c *Config) { c.Quotas = Quotas{RequestsPerSecond: 1e-6, Burst: 1} })
			f.dial("/test", nil)
			_, err := f.sdk("test").PostToConnection(t.Context(), &api.PostToConnectionInput{ConnectionId: aws.String(f.connectionID(0)), Data: []byte("x")})
			if !as[*types.LimitExceededException](err) {
				t.Errorf("got %T %v", err, err)
			}
		})
	}
}

func decodesErrors(t *testing.T, f *fixture) {
	f.dial("/test", nil)
	open := f.connectionID(0)
	for _, tt := range []struct {
		name, stage, id string
		data            int
		is              func(error) bool
	}{
		{"never existed", "test", unknownID, 1, as[*types.GoneException]},
		{"too large", "test", open, maxMessage + 1, as[*types.PayloadTooLargeException]},
		{"wrong stage", "prod", open, 1, as[*types.ForbiddenException]},
		{"missing stage", "", open, 1, as[*types.ForbiddenException]},
		{"malformed id", "test", "abc", 1, func(err error) bool {
			var e smithy.APIError
			return errors.As(err, &e) && e.ErrorCode() == "BadRequestException" && e.ErrorMessage() == "Invalid connectionId: abc"
		}},
	} {
		_, err := f.sdk(tt.stage).PostToConnection(t.Context(),
			&api.PostToConnectionInput{ConnectionId: &tt.id, Data: make([]byte, tt.data)})
		if err == nil || !tt.is(err) {
			t.Errorf("%s: got %T %v", tt.name, err, err)
		}
	}
	for _, tt := range []struct {
		stage, id string
		is        func(error) bool
	}{{"test", unknownID, as[*types.GoneException]}, {"prod", open, as[*types.ForbiddenException]}} {
		if _, err := f.sdk(tt.stage).GetConnection(t.Context(), &api.GetConnectionInput{ConnectionId: &tt.id}); !tt.is(err) {
			t.Errorf("get %s at %s: got %T %v", tt.id, tt.stage, err, err)
		}
		if _, err := f.sdk(tt.stage).DeleteConnection(t.Context(), &api.DeleteConnectionInput{ConnectionId: &tt.id}); !tt.is(err) {
			t.Errorf("delete %s at %s: got %T %v", tt.id, tt.stage, err, err)
		}
	}
}

func as[T error](err error) bool {
	var to T
	return errors.As(err, &to)
}

func TestPostWhileConnectRunsIsGone(t *testing.T) {
	t.Parallel()
	var f *fixture
	f = start(t, socketStack("$connect"), functions{"$connect": func(_ context.Context, event []byte) ([]byte, error) {
		resp, _ := f.manage("POST", contextOf(t, event).ConnectionID, "x")
		if resp.StatusCode != 410 || resp.Header.Get("x-amzn-ErrorType") != "GoneException" {
			t.Errorf("got %s", resp.Status)
		}
		return []byte(`{"statusCode":200}`), nil
	}})
	f.dial("/test", nil)
	if resp, _ := f.manage("POST", f.connectionID(0), "x"); resp.StatusCode != 200 {
		t.Errorf("after the handshake: got %s", resp.Status)
	}
}

func TestAnswersOnTheWire(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil)
	c := f.dial("/test", nil)
	id := f.connectionID(0)
	escaped := strings.ReplaceAll(id, "=", "%3D")
	signed := []string{"Authorization", "AWS4-HMAC-SHA256 x"}
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		errorType, answer        string
	}{
		{"gone", "POST", "/test/@connections/" + unknownID, "x", signed, 410, "GoneException", ""},
		{"unsigned", "POST", "/test/@connections/" + escaped, "x", nil, 403, "MissingAuthenticationTokenException",
			`{"message":"Missing Authentication Token"}`},
		{"unsigned, unknown connection", "GET", "/test/@connections/" + unknownID, "", nil, 403, "MissingAuthenticationTokenException",
			`{"message":"Missing Authentication Token"}`},
		{"signed in the query", "POST", "/test/@connections/" + escaped + "?X-Amz-Signature=x", "x", nil, 200, "", ""},
		{"escaped at sign", "POST", "/test/%40connections/" + escaped, "x", signed, 200, "", ""},
		{"id not escaped", "POST", "/test/@connections/" + id, "x", signed, 200, "", ""},
		{"wrong stage", "POST", "/prod/@connections/" + escaped, "x", signed, 403, "ForbiddenException", `{"message":"Forbidden"}`},
		{"stage missing", "POST", "/@connections/" + escaped, "x", signed, 403, "ForbiddenException", `{"message":"Forbidden"}`},
		{"line break in an id", "GET", "/test/@connections/" + unknownID + "%0A", "", signed, 400, "BadRequestException", `{"message":"Invalid connectionId: ` + unknownID + `\n"}`},
		{"malformed id", "GET", "/test/@connections/%22%3C", "", signed, 400, "BadRequestException", `{"message":"Invalid connectionId: \"<"}`},
		{"no id", "GET", "/test/@connections/", "", signed, 403, "MissingAuthenticationTokenException",
			`{"message":"Missing Authentication Token"}`},
		{"too large", "POST", "/test/@connections/" + escaped, strings.Repeat("x", maxMessage+1), signed, 413, "PayloadTooLargeException",
			`{"message":"Message too long"}`},
		{"unknown method", "PUT", "/test/@connections/" + escaped, "x", signed, 403, "MissingAuthenticationTokenException",
			`{"message":"Missing Authentication Token"}`},
		{"delete", "DELETE", "/test/@connections/" + escaped, "", signed, 204, "", ""},
		{"delete again", "DELETE", "/test/@connections/" + escaped, "", signed, 410, "GoneException", ""},
	} {
		resp, body := f.request(tt.method, tt.path, tt.body, tt.headers...)
		if resp.StatusCode != tt.status || body != tt.answer || resp.Header.Get("x-amzn-ErrorType") != tt.errorType {
			t.Errorf("%s: got %d %q %s, want %d %q %s", tt.name,
				resp.StatusCode, resp.Header.Get("x-amzn-ErrorType"), body, tt.status, tt.errorType, tt.answer)
		}
		if len(resp.Header.Get("x-amzn-RequestId")) != 36 || !isConnectionID(resp.Header.Get("x-amz-apigw-id")) {
			t.Errorf("%s: got headers %v, want request ids", tt.name, resp.Header)
		}
	}
	closure(t, c)
}

func TestChunkedPostsAreReadWhole(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil)
	c := f.dial("/test", nil)
	for _, tt := range []struct{ size, status int }{{10000, 200}, {maxMessage + 1, 413}} {
		body := struct{ *bytes.Reader }{bytes.NewReader(bytes.Repeat([]byte("x"), tt.size))} // of unknown length
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+f.host+"/test/@connections/"+f.connectionID(0), body)
		req.Header.Set("Authorization", "x")
		if resp, _ := f.do(req); resp.StatusCode != tt.status {
			t.Errorf("%d bytes: got %s, want %d", tt.size, resp.Status, tt.status)
		}
	}
	if got := read(t, c); len(got) != 10000 {
		t.Errorf("got %d bytes", len(got))
	}
}

func TestPostThatBreaksOffIsNotSent(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil)
	c := f.dial("/test", nil)
	nc, err := net.Dial("tcp", f.host)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprintf(nc, "POST /test/@connections/%s HTTP/1.1\r\nHost: h\r\nAuthorization: x\r\nContent-Length: 9\r\n\r\nhalf", f.connectionID(0))
	nc.(*net.TCPConn).CloseWrite()
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil || resp.StatusCode != 400 {
		t.Errorf("got %+v, %v, want 400", resp, err)
	}
	f.manage("POST", f.connectionID(0), "whole")
	if got := read(t, c); got != "whole" {
		t.Errorf("the client got %q", got)
	}
}

func TestGetIsTheServicesJSON(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil)
	f.dial("/test", nil)
	resp, body := f.manage("GET", f.connectionID(0), "")
	if got := strings.Join(keysOf(t, []byte(body)), " "); got != "connectedAt identity lastActiveAt" || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s", body)
	}
	var got connectionInfo
	json.Unmarshal([]byte(body), &got)
	for _, s := range []string{got.ConnectedAt, got.LastActiveAt} {
		if _, err := time.Parse(isoTime, s); err != nil {
			t.Error(err)
		}
	}
}

func TestGetTellsWhenTheConnectionWasLastActive(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$default"), nil)
	c := f.dial("/test", nil)
	id := f.connectionID(0)
	for _, tt := range []struct {
		name string
		act  func()
		want bool
	}{
		{"GET", func() { f.manage("GET", id, "") }, false},
		{"POST", func() { f.manage("POST", id, "x") }, true},
		{"message", func() { write(t, c, "x"); f.event("$default", 0) }, true},
	} {
		_, before := f.manage("GET", id, "")
		f.clock.Advance(time.Minute)
		tt.act()
		_, after := f.manage("GET", id, "")
		var was, is connectionInfo
		json.Unmarshal([]byte(before), &was)
		json.Unmarshal([]byte(after), &is)
		if changed := is.LastActiveAt > was.LastActiveAt; changed != tt.want || is.ConnectedAt != was.ConnectedAt {
			t.Errorf("%s: got %s after %s", tt.name, after, before)
		}
	}
}

func TestSlowClientBlocksNobodyAndIsLimited(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$disconnect"), nil)
	slow := f.raw()
	slowID := f.connectionID(0)
	quick := f.dial("/test", nil)
	quickID := f.connectionID(1)
	message := strings.Repeat("m", maxMessage)
	sent := 0
	for {
		resp, body := f.manage("POST", slowID, message)
		if resp.StatusCode == 429 {
			if resp.Header.Get("x-amzn-ErrorType") != "LimitExceededException" {
				t.Errorf("got %v %s", resp.Header, body)
			}
			break
		}
		if resp.StatusCode != 200 || sent > 1000 {
			t.Fatalf("post %d: got %s %s", sent, resp.Status, body)
		}
		sent++
	}
	if resp, _ := f.manage("POST", quickID, "tick"); resp.StatusCode != 200 || read(t, quick) != "tick" {
		t.Errorf("another client: got %s", resp.Status)
	}
	// What was accepted arrives whole and in order when the client reads again.
	for n := range sent {
		if op, payload := slow.frame(); op != ws.OpText || payload != message {
			t.Fatalf("message %d: got %v with %d bytes", n, op, len(payload))
		}
	}
	if resp, _ := f.manage("POST", slowID, "last"); resp.StatusCode != 200 {
		t.Errorf("after the backlog: got %s", resp.Status)
	}
	if _, payload := slow.frame(); payload != "last" {
		t.Errorf("got %q", payload)
	}
	f.manage("DELETE", slowID, "")
	slow.closed(1000)
}

func TestConcurrentPostsArriveWholeAndEachPostersInOrder(t *testing.T) {
	t.Parallel()
	const posters, posts = 8, 40
	f := start(t, socketStack("$connect"), nil)
	c := f.raw()
	id := f.connectionID(0)
	var running sync.WaitGroup
	for p := range posters {
		running.Go(func() {
			for n := range posts {
				message := fmt.Sprintf("%d %d %s", p, n, strings.Repeat("x", n*50))
				if resp, _ := f.manage("POST", id, message); resp.StatusCode != 200 {
					t.Errorf("got %s", resp.Status)
				}
			}
		})
	}
	var next [posters]int
	for range posters * posts {
		_, payload := c.frame()
		var p, n int
		fmt.Sscan(payload, &p, &n)
		if want := fmt.Sprintf("%d %d %s", p, next[p], strings.Repeat("x", n*50)); payload != want {
			t.Fatalf("got %.20q with %d bytes, want %.20q with %d", payload, len(payload), want, len(want))
		}
		next[p]++
	}
	running.Wait()
}

func TestBacklogEndsWithTheConnection(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$disconnect"), nil)
	slow := f.raw()
	for {
		if resp, _ := f.manage("POST", f.connectionID(0), strings.Repeat("m", maxMessage)); resp.StatusCode == 429 {
			break
		}
	}
	f.manage("DELETE", f.connectionID(0), "")
	f.disconnected(0, 1000, "Connection Closed Normally")
	f.waitDropped(slow) // the goroutine that flushes ends too: TestMain checks
}

func TestConnectionsWithoutAFileDescriptorAreWrittenTo(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$disconnect"), nil)
	client, server := net.Pipe()
	c := newConn(f.sockets[0], &http.Request{RemoteAddr: "192.0.2.1:1"}, "socket.test")
	go c.open(server, nil, []byte("accept"))
	buf := make([]byte, 6)
	if _, err := client.Read(buf); err != nil || string(buf) != "accept" {
		t.Fatalf("got %q, %v", buf, err)
	}
	c.send(frameOf(ws.OpText, []byte("x")))
	if h, err := ws.ReadHeader(client); err != nil || h.Length != 1 {
		t.Errorf("got %+v, %v", h, err)
	}
	client.Close()
	f.disconnected(0, 1006, "Connection Closed Abnormally")
}
