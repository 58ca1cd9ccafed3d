package apigw

import (
	"slices"
	"strings"
	"testing"

	"crypto-ticker/emulator/internal/template"
)

// twoStages adds stages to the first APIs of a stack: "live" to the HTTP API and
// "other" to the WebSocket API. Their functions are called as those of the first
// stage, with the stage's name behind.
func twoStages(stack *template.Stack) *template.Stack {
	web := *stack.HTTPAPIs[0]
	web.Stage, web.Routes, web.StageVariables = "live", nil, map[string]string{"v": "live"}
	for _, r := range stack.HTTPAPIs[0].Routes {
		route := *r
		route.FunctionARN += " live"
		web.Routes = append(web.Routes, &route)
	}
	socket := *stack.WebSocketAPIs[0]
	socket.Stage, socket.Routes, socket.StageVariables = "other", map[string]*template.WebSocketRoute{}, map[string]string{"v": "other"}
	for key, r := range stack.WebSocketAPIs[0].Routes {
		route := *r
		route.FunctionARN += " other"
		socket.Routes[key] = &route
	}
	stack.HTTPAPIs = slices.Insert(stack.HTTPAPIs, 1, &web)
	stack.WebSocketAPIs = slices.Insert(stack.WebSocketAPIs, 1, &socket)
	return stack
}

func TestStagesOfAnHTTPAPI(t *testing.T) {
	t.Parallel()
	stack := httpStack("GET /x", "GET /live/y", "GET /live")
	stack.WebSocketAPIs = socketStack("$connect").WebSocketAPIs
	f := start(t, twoStages(stack), functions{"GET /x": respond(`"default"`), "GET /x live": respond(`"live"`),
		"GET /live/y": respond(`"hidden"`), "GET /live": respond(`"hidden"`)})
	for _, tt := range []struct {
		host, path string
		status     int
		body       string
	}{
		{"", "/x", 200, "default"},
		{"", "/live/x", 200, "live"},
		{"", "/live/y", 404, `{"message":"Not Found"}`}, // the stage is told before the route
		{"", "/live", 404, `{"message":"Not Found"}`},
		{"", "/lively/x", 404, `{"message":"Not Found"}`},
		{"http.execute-api.localhost", "/live/x", 200, "live"},
		{"http.execute-api.localhost", "/x", 200, "default"},
	} {
		headers := []string{"X", "y"}
		if tt.host != "" {
			headers = []string{"Host", tt.host}
		}
		if resp, body := f.request("GET", tt.path, "", headers...); resp.StatusCode != tt.status || body != tt.body || resp.Header.Get("apigw-requestid") == "" {
			t.Errorf("%s%s: got %d %s; want %d %s", tt.host, tt.path, resp.StatusCode, body, tt.status, tt.body)
		}
	}
	if ev := string(f.event("GET /x live", 0)); !strings.Contains(ev, `"stage":"live"`) || !strings.Contains(ev, `"stageVariables":{"v":"live"}`) ||
		!strings.Contains(ev, `"rawPath":"/live/x"`) {
		t.Errorf("got %s", ev)
	}
	if ev := string(f.event("GET /x", 0)); !strings.Contains(ev, `"stage":"$default"`) || strings.Contains(ev, "stageVariables") {
		t.Errorf("got %s", ev)
	}
}

func TestStagesOfAWebSocketAPI(t *testing.T) {
	t.Parallel()
	stack := socketStack("$connect", "$default")
	stack.HTTPAPIs = httpStack("GET /x").HTTPAPIs
	f := start(t, twoStages(stack), nil)
	c, other := f.dial("/test", nil), f.dial("/other", &dialOptions{Host: "socket.execute-api.localhost"})
	ids := map[string]string{"test": f.connectionID(0), "other": contextOf(t, f.event("$connect other", 0)).ConnectionID}
	if ev := string(f.event("$connect other", 0)); !strings.Contains(ev, `"stage":"other"`) || !strings.Contains(ev, `"stageVariables":{"v":"other"}`) {
		t.Errorf("got %s", ev)
	}
	for _, stage := range []string{"test", "other"} {
		for of, id := range ids {
			want := map[bool]int{true: 200, false: 410}[stage == of]
			if resp, body := f.request("POST", "/"+stage+"/@connections/"+id, of, "Authorization", "x"); resp.StatusCode != want {
				t.Errorf("stage %s, connection of %s: got %s %s, want %d", stage, of, resp.Status, body, want)
			}
		}
	}
	if got := read(t, c) + " " + read(t, other); got != "test other" {
		t.Errorf("got %s", got)
	}
	write(t, other, "x")
	if got := contextOf(t, f.event("$default other", 0)).Stage; got != "other" {
		t.Errorf("got stage %s", got)
	}
	if status, _ := f.refused("/none", &dialOptions{Host: "socket.execute-api.localhost"}); status != 403 {
		t.Errorf("unknown stage: got %d", status)
	}
}

// TestStagesHaveTheirOwnSettings holds that nothing of one stage reaches another.
func TestStagesHaveTheirOwnSettings(t *testing.T) {
	t.Parallel()
	stack := httpStack("GET /x")
	stack.WebSocketAPIs = socketStack("$connect").WebSocketAPIs
	lines := make(accessLogs, 10)
	f := start(t, twoStages(stack), nil, func(c *Config) {
		c.AccessLog = func(api, line string) { lines <- api + " | " + line }
		c.Quotas.RouteThrottles = true
		live := c.Stack.HTTPAPIs[1]
		live.AccessLog = &template.AccessLog{Format: "$context.requestId $context.stage"}
		live.DefaultThrottle = &template.Throttle{Rate: 0.01, Burst: 1}
	})
	for _, tt := range []struct {
		path   string
		status int
	}{{"/x", 200}, {"/x", 200}, {"/live/x", 200}, {"/live/x", 429}, {"/x", 200}} {
		if resp, _ := f.request("GET", tt.path, ""); resp.StatusCode != tt.status {
			t.Errorf("%s: got %s; want %d", tt.path, resp.Status, tt.status)
		}
	}
	for range 2 {
		if got := lines.next(t); got != "Http | ID live" {
			t.Errorf("got %s", got)
		}
	}
	if len(lines) > 0 {
		t.Errorf("got %s too", <-lines)
	}
}

func TestHostsOfAPIsWithSeveralStages(t *testing.T) {
	t.Parallel()
	stack := httpStack("GET /x")
	stack.WebSocketAPIs = socketStack("$connect").WebSocketAPIs
	twoStages(stack)
	if got := Hosts(stack, "h:1"); got["http"] != "h:1" || got["socket"] != "h:1" {
		t.Errorf("got %v", got)
	}
	second := *stack.WebSocketAPIs[0]
	second.ID = "second" // has the stage of the first one's first stage
	stack.WebSocketAPIs = append(stack.WebSocketAPIs, &second)
	if got := Hosts(stack, "h:1"); got["socket"] != "socket.execute-api.localhost:1" || got["second"] != "second.execute-api.localhost:1" {
		t.Errorf("got %v", got)
	}
}
