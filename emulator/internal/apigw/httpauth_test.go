package apigw

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/template"
)

// guarded is a stack whose routes have an authorizer with the function
// "authorizer".
func guarded(change func(*template.HTTPAuthorizer), keys ...string) *template.Stack {
	stack := httpStack(keys...)
	auth := &template.HTTPAuthorizer{Name: "Guard", FunctionARN: "authorizer", PayloadFormat: "2.0"}
	if change != nil {
		change(auth)
	}
	for _, r := range stack.HTTPAPIs[0].Routes {
		r.Authorizer = auth
	}
	return stack
}

func simple(a *template.HTTPAuthorizer) { a.Simple = true }

const httpARN = "arn:aws:execute-api:eu-west-1:123456789012:http/$default/GET/x/1"

func TestAnswerOfTheHTTPAuthorizerDecides(t *testing.T) {
	t.Parallel()
	of := func(resource string) string {
		return policy(`[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + resource + `"}]`)
	}
	for _, tt := range []struct {
		name   string
		simple bool
		fn     func(context.Context, []byte) ([]byte, error)
		status int
	}{
		{"simple yes", true, respond(`{"isAuthorized":true}`), 200},
		{"simple no", true, respond(`{"isAuthorized":false}`), 403},
		{"simple, no bool", true, respond(`{"isAuthorized":"true"}`), 500},
		{"simple, null", true, respond(`{"isAuthorized":null}`), 500},
		{"simple, nothing", true, respond(`{}`), 500},
		{"simple, context is no object", true, respond(`{"isAuthorized":true,"context":[1]}`), 500},
		{"a policy where simple is on", true, respond(of("*")), 500},
		{"simple where it is off", false, respond(`{"isAuthorized":true}`), 500},
		{"allow of the very request", false, respond(of(httpARN)), 200},
		{"allow of another request", false, respond(of(strings.Replace(httpARN, "GET", "POST", 1))), 403},
		{"deny", false, respond(policy(`[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}]`)), 403},
		{"no principalId", false, respond(`{"policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}}`), 500},
		{"no policy", false, respond(`{"principalId":"p"}`), 500},
		{"no JSON", false, respond(`oops`), 500},
		{"more than 8 KB", true, respond(`{"isAuthorized":true,"context":{"a":"` + strings.Repeat("x", 8192) + `"}}`), 500},
		{"error Unauthorized", true, fail("Unauthorized"), 401},
		{"another error", true, fail("boom"), 500},
		{"not invocable", true, func(context.Context, []byte) ([]byte, error) { return nil, errors.New("no") }, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, guarded(func(a *template.HTTPAuthorizer) { a.Simple = tt.simple }, "GET /x/{id}"), functions{"authorizer": tt.fn})
			resp, body := f.request("GET", "/x/1", "")
			want := map[int]string{200: "", 401: `{"message":"Unauthorized"}`, 403: `{"message":"Forbidden"}`,
				500: `{"message":"Internal Server Error"}`}[tt.status]
			if resp.StatusCode != tt.status || body != want {
				t.Errorf("got %d %s, want %d %s", resp.StatusCode, body, tt.status, want)
			}
			if called := f.count("GET /x/{id}") > 0; called != (tt.status == 200) {
				t.Errorf("the route's function was called: %t", called)
			}
		})
	}
}

func TestHTTPAuthorizerEvents(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.0", "2.0"} {
		stack := guarded(func(a *template.HTTPAuthorizer) {
			a.PayloadFormat = version
			a.IdentitySource = []string{"$request.header.X-Token", "$request.querystring.q"}
		}, "POST /x/{id}")
		stack.HTTPAPIs[0].StageVariables = map[string]string{"v": "1"}
		stack.HTTPAPIs[0].Routes[0].PayloadFormat = version
		f := start(t, stack, functions{"authorizer": respond(`{"principalId":"me","policyDocument":{"Statement":{"Effect":"Allow",` +
			`"Action":"*","Resource":"*"}},"context":{"s":"a","n":1,"b":true,"l":["x"],"o":{"k":null}}}`)})
		f.request("POST", "/x/7?q=1&q=2", "body", "X-Token", "abc", "Cookie", "s=1", "User-Agent", "curl/8.7.1", "Content-Type", "text/plain")
		name := strings.ReplaceAll(version, ".0", "")
		golden(t, "http_authorizer_v"+name+".json", f.event("authorizer", 0))
		golden(t, "http_authorized_v"+name+".json", f.event("POST /x/{id}", 0))
	}
}

func TestHTTPMissingIdentitySourceIs401WithoutACall(t *testing.T) {
	t.Parallel()
	stack := guarded(func(a *template.HTTPAuthorizer) {
		simple(a)
		a.IdentitySource = []string{"$request.header.X-Token", "$request.querystring.q", "$context.routeKey",
			"$context.identity.sourceIp", "$stageVariables.v"}
	}, "$default")
	stack.HTTPAPIs[0].StageVariables = map[string]string{"v": "1"}
	f := start(t, stack, functions{"authorizer": respond(`{"isAuthorized":true}`)})
	for _, tt := range []struct {
		path, header, value string
		status              int
	}{
		{"/?q=1", "X-Token", "a", 200}, {"/?q=1", "x-tOKEN", "a", 200}, {"/", "X-Token", "a", 401}, {"/?q=", "X-Token", "a", 401},
		{"/?Q=1", "X-Token", "a", 401}, {"/?q=1", "X-Other", "a", 401}, {"/?q=1", "X-Token", "", 401},
	} {
		before := f.count("authorizer")
		resp, _ := f.request("GET", tt.path, "", tt.header, tt.value)
		if called := f.count("authorizer") > before; resp.StatusCode != tt.status || called != (tt.status == 200) {
			t.Errorf("%s with %s %q: got %d, called %t; want %d", tt.path, tt.header, tt.value, resp.StatusCode, called, tt.status)
		}
	}
	for _, source := range []string{"$context.no.such", "$stageVariables.none"} {
		f := start(t, guarded(func(a *template.HTTPAuthorizer) { a.IdentitySource = []string{source} }, "$default"), nil)
		if resp, body := f.request("GET", "/", ""); resp.StatusCode != 401 || body != `{"message":"Unauthorized"}` {
			t.Errorf("%s: got %d %s", source, resp.StatusCode, body)
		}
	}
}

func TestHTTPAuthorizerTimeoutIs500(t *testing.T) {
	t.Parallel()
	f := start(t, guarded(simple, "$default"), functions{"authorizer": hang})
	go func() {
		f.event("authorizer", 0)
		f.clock.Advance(10 * time.Second)
	}()
	if resp, _ := f.request("GET", "/", ""); resp.StatusCode != 500 {
		t.Errorf("got %s, want 500", resp.Status)
	}
}

func TestHTTPAuthorizerResultsAreCached(t *testing.T) {
	t.Parallel()
	f := start(t, guarded(func(a *template.HTTPAuthorizer) {
		a.CacheTTL, a.IdentitySource = time.Hour, []string{"$request.header.A", "$request.header.B"}
	}, "GET /a", "GET /b"), functions{"authorizer": respond(policy(`[{"Effect":"Allow","Action":"*","Resource":"*/GET/a"}]`))})
	get := func(path, a, b string, status, calls int) {
		t.Helper()
		if resp, _ := f.request("GET", path, "", "A", a, "B", b); resp.StatusCode != status || f.count("authorizer") != calls {
			t.Errorf("%s %s %s: got %d and %d calls, want %d and %d", path, a, b, resp.StatusCode, f.count("authorizer"), status, calls)
		}
	}
	get("/a", "1", "2", 200, 1)
	get("/a", "1", "2", 200, 1)
	get("/b", "1", "2", 403, 1) // the kept policy, for another route
	get("/a", "12", "", 401, 1)
	get("/a", `1","2`, "2", 200, 2) // no values can look like others
	get("/a", "2", "1", 200, 3)
	f.clock.Advance(59 * time.Minute)
	get("/a", "1", "2", 200, 3)
	f.clock.Advance(time.Minute)
	get("/a", "1", "2", 200, 4)
}

func TestHTTPAuthorizerResultsAreNotAlwaysCached(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*template.HTTPAuthorizer){
		"no sources": func(a *template.HTTPAuthorizer) { a.CacheTTL = time.Minute },
		"no time":    func(a *template.HTTPAuthorizer) { a.IdentitySource = []string{"$context.stage"} },
		"failed": func(a *template.HTTPAuthorizer) {
			a.CacheTTL, a.IdentitySource, a.Simple = time.Minute, []string{"$context.stage"}, false
		},
	} {
		f := start(t, guarded(func(a *template.HTTPAuthorizer) { simple(a); change(a) }, "$default"),
			functions{"authorizer": respond(`{"isAuthorized":true}`)})
		f.request("GET", "/", "")
		f.request("GET", "/", "")
		if n := f.count("authorizer"); n != 2 {
			t.Errorf("%s: got %d calls, want 2", name, n)
		}
	}
}

func TestCacheOfAuthorizersIsBounded(t *testing.T) {
	t.Parallel()
	var g grants[int]
	now := time.Now()
	key := func(i int) grantKey { return grantKey{0: byte(i), 1: byte(i >> 8), 2: byte(i >> 16)} }
	for i := range maxCachedGrants + 10 {
		g.keep(key(i), i, now, now.Add(time.Minute))
		if _, ok := g.get(key(i), now); !ok || len(g.kept) > maxCachedGrants {
			t.Fatalf("after %d: got %d, and the last one %t", i+1, len(g.kept), ok)
		}
	}
	if n := len(g.kept); n != maxCachedGrants-evictedGrants+10 {
		t.Errorf("got %d, want that many to have made room at once", n)
	}
	for i := 2 * maxCachedGrants; len(g.kept) < maxCachedGrants; i++ {
		g.keep(key(i), i, now, now.Add(time.Minute))
	}
	later := now.Add(time.Minute)
	g.keep(grantKey{}, 1, later, later.Add(time.Minute))
	if _, ok := g.get(grantKey{}, later); !ok || len(g.kept) != 1 {
		t.Errorf("got %d, want only what has not expired", len(g.kept))
	}
}

// TestPreflightOfARouteWithAnAuthorizer: a browser sends no credentials with a
// preflight, so it fails where such a route catches it.
func TestPreflightOfARouteWithAnAuthorizer(t *testing.T) {
	t.Parallel()
	cors := &template.CORS{AllowOrigins: []string{"*"}, AllowMethods: []string{"*"}, MaxAge: -1}
	preflight := []string{"Origin", "https://a.example", "Access-Control-Request-Method", "GET"}
	for _, tt := range []struct {
		name, method, path string
		routes             []string // the first one has an authorizer
		status, calls      int
	}{
		{"of its method alone", "OPTIONS", "/x", []string{"GET /x"}, 204, 0},
		{"caught by ANY", "OPTIONS", "/x", []string{"ANY /x"}, 403, 1},
		{"caught by $default", "OPTIONS", "/x", []string{"$default"}, 403, 1},
		{"with an OPTIONS route of its own", "OPTIONS", "/x/y", []string{"$default", "OPTIONS /{proxy+}"}, 204, 0},
		{"the request", "GET", "/x", []string{"GET /x"}, 403, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stack := guarded(simple, tt.routes...)
			stack.HTTPAPIs[0].CORS = cors
			for _, route := range stack.HTTPAPIs[0].Routes[1:] {
				route.Authorizer = nil
			}
			f := start(t, stack, functions{"authorizer": respond(`{"isAuthorized":false}`)})
			resp, _ := f.request(tt.method, tt.path, "", preflight...)
			if n := f.count("authorizer"); resp.StatusCode != tt.status || n != tt.calls || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("got %s %v after %d calls of the authorizer, want %d after %d", resp.Status, resp.Header, n, tt.status, tt.calls)
			}
		})
	}
}

func TestARNOfANamedStageLacksItInThePath(t *testing.T) {
	t.Parallel()
	stack := guarded(simple, "$default")
	stack.HTTPAPIs[0].Stage = "v1"
	f := start(t, stack, nil)
	f.request("GET", "/v1/a/b", "")
	var ev httpAuthEventV2
	if json.Unmarshal(f.event("authorizer", 0), &ev); !strings.HasSuffix(ev.RouteARN, ":http/v1/GET/a/b") || ev.RawPath != "/v1/a/b" {
		t.Errorf("got %s, %s", ev.RouteARN, ev.RawPath)
	}
}

func TestHTTPIdentitySourcesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "$request.header.", "route.request.header.A", "$request.body.a", "$context.a..b", "$context.a."} {
		if _, err := parseIdentitySources([]string{s}, "$request.", "$"); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
}
