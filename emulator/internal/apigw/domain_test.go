package apigw

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"crypto-ticker/emulator/internal/template"
)

// mappedStack has HTTP APIs at api.example.com and below *.example.com, and a
// WebSocket API with two stages at ws.example.com.
func mappedStack() *template.Stack {
	stack := httpStack("GET /x", "GET /")
	stack.WebSocketAPIs = socketStack("$connect", "$disconnect", "$default").WebSocketAPIs
	twoStages(stack)
	second := httpStack("ANY /{rest+}", "$default").HTTPAPIs[0]
	second.ID, second.LogicalID = "second", "Second"
	stack.HTTPAPIs = append(stack.HTTPAPIs, second)
	to := func(key, api, stage string) template.Mapping {
		return template.Mapping{Key: key, APIID: api, Stage: stage}
	}
	stack.Domains = []*template.Domain{
		{Name: "api.example.com", Mappings: []template.Mapping{to("v1", "http", "$default"), to("v1/live", "http", "live"), to("v1/liv", "second", "$default")}},
		{Name: "*.example.com", Mappings: []template.Mapping{to("", "second", "$default")}},
		{Name: "ws.example.com", Mappings: []template.Mapping{to("", "socket", "test"), to("a/b", "socket", "other")}},
	}
	return stack
}

func TestCustomDomainsOfHTTPAPIs(t *testing.T) {
	t.Parallel()
	f := start(t, mappedStack(), functions{"GET /x": respond(`"x"`), "GET /": respond(`"root"`), "GET /x live": respond(`"x live"`),
		"ANY /{rest+}": respond(`"second"`), "$default": respond(`"second, $default"`), "GET / live": respond(`"root live"`)})
	for _, tt := range []struct {
		host, path string
		status     int
		body       string
	}{
		{"api.example.com", "/v1/x", 200, "x"},
		{"API.Example.com:8443", "/v1/x?q=1", 200, "x"},
		{"api.example.com", "/v1", 200, "root"},
		{"api.example.com", "/v1/", 200, "root"},
		{"api.example.com", "/v1/live/x", 200, "x live"},
		{"api.example.com", "/v1/live", 200, "root live"},
		{"api.example.com", "/v1/liv/e", 200, "second"},
		{"api.example.com", "/v1/lively/x", 404, `{"message":"Not Found"}`}, // v1 is the longest key
		{"api.example.com", "/x", 403, `{"message":"Forbidden"}`},
		{"api.example.com", "/v10/x", 403, `{"message":"Forbidden"}`},
		{"api.example.com", "/", 403, `{"message":"Forbidden"}`},
		{"else.example.com", "/v1/x", 200, "second"},
		{"else.example.com", "/", 200, "second, $default"},
		{"a.b.example.com", "/x", 200, "x"}, // is no custom domain
		{"example.com", "/x", 200, "x"},
	} {
		if resp, body := f.request("GET", tt.path, "", "Host", tt.host); resp.StatusCode != tt.status || body != tt.body {
			t.Errorf("%s%s: got %d %s; want %d %s", tt.host, tt.path, resp.StatusCode, body, tt.status, tt.body)
		}
	}
	ev := string(f.event("GET /x live", 0))
	for _, want := range []string{`"domainName":"api.example.com"`, `"domainPrefix":"api"`, `"rawPath":"/live/x"`, `"path":"/live/x"`, `"stage":"live"`,
		`"host":"api.example.com"`} {
		if !strings.Contains(ev, want) {
			t.Errorf("%s is missing in %s", want, ev)
		}
	}
	if ev := string(f.event("GET /x", 0)); !strings.Contains(ev, `"rawPath":"/x"`) {
		t.Errorf("got %s", ev)
	}
}

// TestCustomDomainInPayloadFormat1 also covers the variables of access logs.
func TestCustomDomainInPayloadFormat1(t *testing.T) {
	t.Parallel()
	stack := mappedStack()
	for _, r := range stack.HTTPAPIs[1].Routes {
		r.PayloadFormat = "1.0"
	}
	lines, option := logging("$context.requestId $context.customDomain.basePathMatched $context.domainName $context.domainPrefix $context.path")
	f := start(t, stack, nil, option)
	f.request("GET", "/v1/live/x", "", "Host", "api.example.com")
	ev := string(f.event("GET /x live", 0))
	for _, want := range []string{`"domainName":"api.example.com"`, `"domainPrefix":"api"`, `"path":"/v1/live/x"`} {
		if !strings.Contains(ev, want) {
			t.Errorf("%s is missing in %s", want, ev)
		}
	}
	if got := lines.next(t); got != "Http | ID v1/live api.example.com api /live/x" {
		t.Errorf("got %s", got)
	}
	f.dial("/a/b", &websocket.DialOptions{Host: "ws.example.com"})
	if got := lines.next(t); got != "Socket | ID - ws.example.com ws -" {
		t.Errorf("got %s", got)
	}
}

func TestCustomDomainOfAWebSocketAPI(t *testing.T) {
	t.Parallel()
	f := start(t, mappedStack(), nil)
	host := &websocket.DialOptions{Host: "ws.example.com:8443"}
	f.dial("", host)
	c := f.dial("/a/b", host)
	first, other := f.connectionID(0), contextOf(t, f.event("$connect other", 0))
	if other.DomainName != "ws.example.com:8443" || other.Stage != "other" {
		t.Errorf("got %s, %s", other.DomainName, other.Stage)
	}
	for _, tt := range []struct {
		path, id string
		status   int
	}{
		{"/a/b/@connections/", other.ConnectionID, 200},
		{"/a/b/%40connections/", other.ConnectionID, 200},
		{"/@connections/", first, 200},
		{"/@connections/", other.ConnectionID, 410}, // which is of another stage
		{"/a/b/@connections/", first, 410},
		{"/a/b/other/@connections/", other.ConnectionID, 404}, // the stage must not be repeated
		{"/other/@connections/", other.ConnectionID, 404},
		{"/other/connections/", other.ConnectionID, 403},
	} {
		if resp, body := f.request("POST", tt.path+tt.id, "x", "Authorization", "x", "Host", "ws.example.com"); resp.StatusCode != tt.status {
			t.Errorf("%s: got %s %s; want %d", tt.path, resp.Status, body, tt.status)
		}
	}
	for _, path := range []string{"/test", "/a", "/a/b/c"} {
		if status, _ := f.refused(path, host); status != 403 {
			t.Errorf("handshake at %s: got %d; want 403", path, status)
		}
	}
	write(t, c, "x")
	if got := contextOf(t, f.event("$default other", 0)).DomainName; got != "ws.example.com:8443" {
		t.Errorf("MESSAGE: got %s", got)
	}
	c.CloseNow()
	if ev := f.event("$disconnect other", 0); contextOf(t, ev).DomainName != "ws.example.com:8443" || !strings.Contains(string(ev), `"Host":"ws.example.com:8443"`) {
		t.Errorf("DISCONNECT: got %s", ev)
	}
}

// TestDisabledEndpoint disables the hosts of APIs that have a custom domain.
func TestDisabledEndpoint(t *testing.T) {
	t.Parallel()
	stack := mappedStack()
	stack.Domains = stack.Domains[1:] // without that of the first HTTP API
	for _, a := range stack.HTTPAPIs {
		a.OnlyCustomDomain = true
	}
	for _, a := range stack.WebSocketAPIs {
		a.OnlyCustomDomain = true
	}
	f := start(t, stack, nil)
	for _, tt := range []struct {
		host, path string
		status     int
	}{
		{"second.execute-api.localhost", "/x", http.StatusNotFound},
		{"socket.execute-api.localhost", "/test", http.StatusForbidden},
		{"http.execute-api.localhost", "/x", http.StatusOK},
		{"my.example.com", "/x", http.StatusOK},
	} {
		if resp, body := f.request("GET", tt.path, "", "Host", tt.host); resp.StatusCode != tt.status {
			t.Errorf("%s: got %s %s; want %d", tt.host, resp.Status, body, tt.status)
		}
	}
}

func TestMappingOfAnUnknownStageIsRefused(t *testing.T) {
	t.Parallel()
	stack := mappedStack()
	stack.Domains[0].Mappings[0].Stage = "none"
	_, err := New(Config{Stack: stack, Authority: "h:1", Clock: start(t, httpStack("GET /x"), nil).clock})
	if err == nil || !strings.Contains(err.Error(), "api.example.com is mapped to stage none of http, which there is not") {
		t.Errorf("got %v", err)
	}
}

// TestCustomDomainOfARESTAPI also has the API's own host disabled.
func TestCustomDomainOfARESTAPI(t *testing.T) {
	t.Parallel()
	stack := restStack("GET /x", "GET /")
	stack.RESTAPIs[0].OnlyCustomDomain = true
	stack.HTTPAPIs = httpStack("$default").HTTPAPIs
	stack.Domains = []*template.Domain{{Name: "api.example.com", Mappings: []template.Mapping{
		{Key: "v1/a", APIID: "rest", Stage: "test"}, {Key: "", APIID: "rest", Stage: "test"}, {Key: "v1", APIID: "http", Stage: "$default"}}}}
	lines, option := logging("<$context.extendedRequestId> $context.domainName $context.domainPrefix $context.path $context.customDomain.basePathMatched")
	f := start(t, stack, functions{"GET /x": respond(`{"body":"x"}`), "GET /": respond(`{"body":"root"}`)}, option)
	for n, tt := range []struct {
		path, function, body, event, context, key string
	}{
		{"/v1/a/x?q=1", "GET /x", "x", "/v1/a/x", "/v1/a/x", "v1/a"},
		{"//x/", "GET /x", "x", "/x/", "//x/", "-"},
		{"/v1/a", "GET /", "root", "/v1/a", "/v1/a", "v1/a"},
		{"/", "GET /", "root", "/", "/", "-"},
	} {
		if resp, body := f.request("GET", tt.path, "", "Host", "api.example.com:8443"); resp.StatusCode != 200 || body != tt.body {
			t.Errorf("%s: got %s %s; want %s", tt.path, resp.Status, body, tt.body)
		}
		ev := f.restEvent(tt.function, n%2)
		if got := ev.RequestContext; ev.Path != tt.event || got.Path != tt.context || got.DomainName != "api.example.com:8443" ||
			got.DomainPrefix != "api" || got.Stage != "test" || ev.Resource != strings.TrimPrefix(tt.function, "GET ") {
			t.Errorf("%s: got %+v", tt.path, ev)
		}
		if got, want := lines.next(t), "Rest | <ID> api.example.com:8443 api "+tt.context+" "+tt.key; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	f.request("GET", "/v1/x", "", "Host", "api.example.com")
	if n := f.count("$default"); n != 1 {
		t.Errorf("the HTTP API on the same domain got %d requests", n)
	}
	if resp, body := f.request("GET", "/test/x", "", "Host", "rest.execute-api.localhost"); resp.StatusCode != 403 || body != `{"message":"Forbidden"}` {
		t.Errorf("the disabled host answers %s %s", resp.Status, body)
	}
}

func TestKeysAreCutFromEscapedPaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ path, key, want string }{
		{"/v1/x%2Fy", "v1", "/x%2Fy"}, {"/v1", "v1", ""}, {"/v1/", "v1", "/"}, {"/x", "", "/x"},
		{"/a%2Fb/x", "a/b", "/x"}, {"/a/b/x", "a/b", "/x"}, {"/v%31/x", "v1", "/x"}, {"/v%31", "v1", ""},
	} {
		if got := cutKey(tt.path, tt.key); got != tt.want {
			t.Errorf("%s without %s: got %q, want %q", tt.path, tt.key, got, tt.want)
		}
	}
}
