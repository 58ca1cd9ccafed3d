package apigw

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/template"
)

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
		func(c *Config) { c.Map = map[string]string{"/ws/ticker": "Socket", "/ws": "Socket"} })
	for _, tt := range []struct {
		name, host, path string
		status           int
		body             string
	}{
		{"the first HTTP API is the default", "", "/", 200, "first"},
		{"a host names an HTTP API", "second.execute-api.localhost:1", "/x", 200, "second"},
		{"case of a host", "Second.Execute-API.LocalHost", "/x", 200, "second"},
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
	t.Run("a mapped path has @connections too", func(t *testing.T) {
		for path, want := range map[string]struct {
			status     int
			kind, body string
		}{
			"/ws/ticker/@connections/": {410, "GoneException", ""},
			"/ws/ticker/test/%40connections/": {404, "NotFoundException",
				`{"message":"No method found matching route test/@connections/` + unknownID + ` for http method POST."}`},
			"/ws/ticker/test/connections/": {200, "", "first"},
			"/ws@connections/":             {200, "", "first"},
		} {
			resp, body := f.request("POST", path+unknownID, "", "Authorization", "x")
			if kind := resp.Header.Get("x-amzn-ErrorType"); resp.StatusCode != want.status || kind != want.kind || body != want.body {
				t.Errorf("%s: got %s %s %s, want %v", path, resp.Status, kind, body, want)
			}
		}
	})
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
		{"signatures without secrets", func(c *Config) { c.VerifySignatures = true }, "cannot be verified without Config.Secret"},
		{"negative quota", func(c *Config) { c.Quotas.Idle = -1 }, "quota Idle is negative"},
		{"infinite rate", func(c *Config) { c.Quotas.RequestsPerSecond = math.Inf(1) }, "a quota is too large"},
		{"huge message", func(c *Config) { c.Quotas.MessageBytes = math.MaxInt }, "a quota is too large"},
		{"burst alone", func(c *Config) { c.Quotas.Burst = 10 }, "a burst without requests per second"},
		{"mapping to an unknown API", func(c *Config) { c.Map = map[string]string{"/x": "Sock"} },
			"path /x is mapped to Sock, but the template's WebSocket APIs are: Socket"},
		{"mapping of the root", func(c *Config) { c.Map = map[string]string{"/": "Socket"} }, "must start with /"},
		{"mapping over a route", func(c *Config) {
			c.Map = map[string]string{"/auth/token/": "Socket"}
			c.Stack.HTTPAPIs = oneRoute("$default", "/auth/token")
		}, "path /auth/token/ cannot be mapped to Socket: it would hide the route POST /auth/token (template.yaml:12)"},
		{"mapping over a route in a stage", func(c *Config) {
			c.Map = map[string]string{"/prod/token": "Socket"}
			c.Stack.HTTPAPIs = oneRoute("prod", "/token")
		}, "it would hide the route POST /token (template.yaml:12)"},
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

// oneRoute is an HTTP API with one route.
func oneRoute(stage, path string) []*template.HTTPAPI {
	return []*template.HTTPAPI{{LogicalID: "Http", ID: "http", Stage: stage, Routes: []*template.HTTPRoute{
		{Pos: template.Pos{File: "template.yaml", Line: 12}, Key: "POST " + path, Method: "POST", Path: path, PayloadFormat: "2.0"}}}}
}

func TestPathsMayBeMappedAroundRoutes(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/auth", "/auth/token/x", "/auth/tokens", "/prod"} {
		cfg := Config{Stack: socketStack("$connect"), Clock: clock.New(), Authority: "127.0.0.1:1", Map: map[string]string{path: "Socket"}}
		cfg.Stack.HTTPAPIs = append(oneRoute("$default", "/auth/token"), oneRoute("$default", path)...)
		cfg.Stack.HTTPAPIs[1].ID = "second" // has a host of its own
		if _, err := New(cfg); err != nil {
			t.Errorf("%s: got %v, want no error", path, err)
		}
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
