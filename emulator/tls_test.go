package emulator_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/coder/websocket"

	"crypto-ticker/emulator"
)

// trusting returns a client that trusts the emulator's authority and nobody else.
func trusting(t *testing.T, e *emulator.Emulator) *http.Client {
	t.Helper()
	text, err := os.ReadFile(e.CertFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s has no certificate", e.CertFile())
	}
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool},
	}}
}

func handler(f any) func() awslambda.Handler {
	return func() awslambda.Handler { return awslambda.NewHandler(f) }
}

// TestEndpointFromEvent: a function that builds the address of @connections as
// it does on AWS, with the SDK as it is, reaches the emulator.
func TestEndpointFromEvent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		t.Skip("Go's programs do not read SSL_CERT_FILE here")
	}
	e := emulator.RunT(t, emulator.Options{Template: chat})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	plain := e.WebSocketURL("Chat")
	for _, url := range []string{plain, strings.Replace(plain, "ws://", "wss://", 1)} {
		c, _, err := websocket.Dial(ctx, url+"?name=ann", &websocket.DialOptions{HTTPClient: trusting(t, e)})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if got, want := say(t, c, "tls"), "$default tls from map[lucky:7 principalId:ann]"; got != want {
			t.Errorf("%s: got %s; want %s", url, got, want)
		}
		big := strings.Repeat("x", 100_000) // several frames and TLS records
		for i := 0; i < len(big); i += 25_000 {
			if got := say(t, c, big[i:i+25_000]); !strings.HasPrefix(got, "$default xxx") || len(got) < 25_000 {
				t.Errorf("%s: got %d bytes", url, len(got))
			}
		}
		if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
			t.Errorf("%s: close: %v", url, err)
		}
	}
}

// TestHandlersBuildEndpointFromEvent: so does one that runs in this process, with
// a client that trusts the emulator's authority.
func TestHandlersBuildEndpointFromEvent(t *testing.T) {
	t.Parallel()
	var e *emulator.Emulator
	handlers := quick(nil)
	handlers["SocketFunction"] = func() awslambda.Handler {
		client := trusting(t, e)
		return awslambda.NewHandler(func(ctx context.Context, r events.APIGatewayWebsocketProxyRequest) (map[string]any, error) {
			if r.RequestContext.EventType != "MESSAGE" {
				return map[string]any{"statusCode": 200}, nil
			}
			api := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
				Region: "us-east-1", HTTPClient: client,
				BaseEndpoint: aws.String("https://" + r.RequestContext.DomainName + "/" + r.RequestContext.Stage),
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "me", SecretAccessKey: "mine"}, nil
				}),
			})
			_, err := api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
				ConnectionId: &r.RequestContext.ConnectionID, Data: []byte("over TLS: " + r.Body),
			})
			return map[string]any{"statusCode": 200}, err
		})
	}
	e = emulator.RunT(t, emulator.Options{Template: chat, Handlers: handlers, Credentials: mine})
	c, status := dial(t, e.WebSocketURL("Chat")+"?name=ann")
	if c == nil {
		t.Fatalf("handshake: got %d; want 101", status)
	}
	if got := say(t, c, "hi"); got != "over TLS: hi" {
		t.Errorf("got %s", got)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	e := emulator.RunT(t, emulator.Options{Template: chat, Handlers: map[string]func() awslambda.Handler{
		"WebFunction": handler(func(r events.APIGatewayV2HTTPRequest) (map[string]any, error) {
			return map[string]any{"statusCode": 200, "body": r.Headers["x-forwarded-proto"] + " " + r.Headers["x-forwarded-port"]}, nil
		}),
		"SocketFunction": handler(func() (map[string]any, error) { return map[string]any{"statusCode": 200}, nil }),
		"GateFunction": handler(func(r events.APIGatewayWebsocketProxyRequest) (map[string]any, error) {
			effect := "Deny"
			if r.Headers["X-Forwarded-Proto"] == "https" {
				effect = "Allow"
			}
			return map[string]any{"principalId": "x", "policyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{
				map[string]any{"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*"},
			}}}, nil
		}),
	}})
	host := strings.TrimPrefix(e.URL(), "http://")
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		t.Fatal(err)
	}
	stall, err := net.Dial("tcp", host) // a handshake that does not go on holds nobody up
	if err != nil {
		t.Fatal(err)
	}
	defer stall.Close()
	stall.Write([]byte{0x16, 3, 1, 1})

	client := trusting(t, e)
	for _, tt := range []struct{ base, want string }{
		{"http://" + host, "http " + port},
		{"https://" + host, "https " + port},
		{"https://localhost:" + port, "https " + port},
	} {
		res, err := client.Get(tt.base + "/items/1")
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.base, got, err, tt.want)
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	secure := "wss://" + host + "/v1?name=ann"
	if c, status := dial(t, e.WebSocketURL("Chat")+"?name=ann"); c != nil || status != 403 {
		t.Errorf("ws: got %d; want 403, since the event says http", status)
	}
	c, _, err := websocket.Dial(ctx, secure, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if _, _, err := websocket.Dial(ctx, secure, nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a client that does not trust the authority: got %v", err)
	}
	e.Advance(10*time.Minute + time.Second)
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("idle for ten minutes: got %v; want a close with 1001", err)
	}
}

// TestEventsKeepTheSpellingOfHeaders: names of headers are as the client has
// sent them, over TLS too, so that a function must not count on their case.
func TestEventsKeepTheSpellingOfHeaders(t *testing.T) {
	t.Parallel()
	seen := make(chan map[string]string, 1)
	handlers := quick(nil)
	handlers["SocketFunction"] = handler(func(r events.APIGatewayWebsocketProxyRequest) (map[string]any, error) {
		seen <- r.Headers
		return map[string]any{"statusCode": 403}, nil
	})
	e := emulator.RunT(t, emulator.Options{Template: chat, Handlers: handlers})
	host := strings.TrimPrefix(e.URL(), "http://")
	secure := &tls.Dialer{Config: trusting(t, e).Transport.(*http.Transport).TLSClientConfig}
	for scheme, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"http": new(net.Dialer).DialContext, "https": secure.DialContext,
	} {
		nc, err := dial(t.Context(), "tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		io.WriteString(nc, "GET /v1?name=ann HTTP/1.1\r\nhost: "+host+"\r\nauthorization: a\r\nX-MiXed: b\r\nx-forwarded-for: 192.0.2.1\r\n"+
			"Connection: Upgrade\r\nUpgrade: websocket\r\nsec-websocket-version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n")
		got := <-seen
		for name, want := range map[string]string{
			"host": host, "authorization": "a", "X-MiXed": "b", "sec-websocket-version": "13", "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
			"X-Forwarded-For": "192.0.2.1, 127.0.0.1", "X-Forwarded-Proto": scheme,
		} {
			if got[name] != want {
				t.Errorf("%s: %s: got %q; want %q", scheme, name, got[name], want)
			}
			delete(got, name)
		}
		if len(got) != 2 || got["X-Forwarded-Port"] == "" || got["X-Amzn-Trace-Id"] == "" {
			t.Errorf("%s: got also %v", scheme, got)
		}
	}
}

// TestTrustSurvives: a browser that trusts the authority of a data folder needs
// not be told again.
func TestTrustSurvives(t *testing.T) {
	t.Parallel()
	o := emulator.Options{Template: chat, Data: filepath.Join(t.TempDir(), "data"), Handlers: map[string]func() awslambda.Handler{
		"WebFunction": handler(func() (map[string]any, error) { return map[string]any{"statusCode": 200}, nil }),
	}}
	var client *http.Client
	for range 2 {
		e, err := emulator.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if client == nil {
			client = trusting(t, e)
		}
		res, err := client.Get(strings.Replace(e.URL(), "http:", "https:", 1) + "/items/1")
		if err != nil {
			t.Error(err)
		} else {
			res.Body.Close()
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(e.CertFile()); err != nil {
			t.Error(err)
		}
	}
}
