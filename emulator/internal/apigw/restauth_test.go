package apigw

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/template"
)

// restGuarded is a stack of a REST API whose routes all have an authorizer of
// type TOKEN, which change alters.
func restGuarded(change func(*template.RESTAuthorizer), keys ...string) *template.Stack {
	stack := restStack(keys...)
	auth := &template.RESTAuthorizer{Name: "Gate", FunctionARN: "authorizer", Type: "TOKEN",
		IdentitySource: []string{"method.request.header.Authorization"}}
	if change != nil {
		change(auth)
	}
	for _, r := range stack.RESTAPIs[0].Routes {
		r.Authorizer = auth
	}
	return stack
}

// ofRequest makes an authorizer one of type REQUEST with these sources.
func ofRequest(sources ...string) func(*template.RESTAuthorizer) {
	return func(a *template.RESTAuthorizer) { a.Type, a.IdentitySource = "REQUEST", sources }
}

func TestRESTAuthorizerEvents(t *testing.T) {
	t.Parallel()
	answer := respond(`{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow",` +
		`"Resource":"arn:aws:execute-api:eu-west-1:123456789012:rest/test/GET/x/*"}]},"context":{"s":"a","n":1,"b":true}}`)
	f := start(t, restGuarded(nil, "GET /x/{id}"), functions{"authorizer": answer})
	f.request("GET", "/test/x/a%20b?q=1", "", "Authorization", "allow", "User-Agent", "curl/8.7.1")
	want := `{"type":"TOKEN","methodArn":"arn:aws:execute-api:eu-west-1:123456789012:rest/test/GET/x/a%20b","authorizationToken":"allow"}`
	if got := string(f.event("authorizer", 0)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	golden(t, "rest_authorized.json", f.event("GET /x/{id}", 0))

	stack := restGuarded(ofRequest("method.request.header.A"), "GET /x/{id}")
	stack.RESTAPIs[0].StageVariables = map[string]string{"v": "1"}
	f = start(t, stack, functions{"authorizer": answer})
	f.request("GET", "/test/x/7?q=1&q=2", "", "A", "b", "User-Agent", "curl/8.7.1")
	golden(t, "rest_authorizer_request.json", f.event("authorizer", 0))
	f = start(t, restGuarded(ofRequest(), "GET /"), functions{"authorizer": answer})
	f.request("GET", "/test", "")
	ev := string(f.event("authorizer", 0))
	for _, want := range []string{`"queryStringParameters":{}`, `"multiValueQueryStringParameters":{}`, `"pathParameters":{}`, `"stageVariables":{}`,
		`:rest/test/GET/",`} {
		if !strings.Contains(ev, want) {
			t.Errorf("got %s, which lacks %s", ev, want)
		}
	}
}

// TestRESTMethodARNsAreOfWhatIsMatched: or a policy could be evaded.
func TestRESTMethodARNsAreOfWhatIsMatched(t *testing.T) {
	t.Parallel()
	f := start(t, restGuarded(nil, "GET /", "GET /admin/{id}", "GET /files/{p+}"), policyOf(
		`{"Action":"*","Effect":"Allow","Resource":"*"},{"Action":"*","Effect":"Deny","Resource":"arn:aws:execute-api:*:*:rest/test/GET/admin/*"}`))
	for _, tt := range []struct {
		path   string
		status int
		want   string
	}{
		{"", 200, ""},
		{"/", 200, ""},
		{"/admin/x", 403, "admin/x"},
		{"/admin/x/", 403, "admin/x"},
		{"//admin/x", 403, "admin/x"},
		{"/%61dmin/x", 403, "admin/x"},
		{"/admin/a%2Fb", 403, "admin/a%2Fb"},
		{"/files/a%20b/c/", 200, "files/a%20b/c"},
	} {
		n := f.count("authorizer")
		resp, body := f.request("GET", "/test"+tt.path, "", "Authorization", "a")
		var ev tokenEvent
		json.Unmarshal(f.event("authorizer", n), &ev)
		if want := "arn:aws:execute-api:eu-west-1:123456789012:rest/test/GET/" + tt.want; resp.StatusCode != tt.status || ev.MethodARN != want {
			t.Errorf("%s: got %s %s for %s, want %d for %s", tt.path, resp.Status, body, ev.MethodARN, tt.status, want)
		}
	}
}

func TestRESTMethodARNsHaveALimit(t *testing.T) {
	t.Parallel()
	log, option := limitedTo(Quotas{})
	f := start(t, restGuarded(nil, "GET /{p+}"), policyOf(`{"Action":"*","Effect":"Allow","Resource":"*"}`), option)
	path := "/" + strings.Repeat("x", maxMethodARN-len("arn:aws:execute-api:eu-west-1:123456789012:rest/test/GET/"))
	if resp, body := f.request("GET", "/test"+path, "", "Authorization", "a"); resp.StatusCode != 200 {
		t.Errorf("an ARN of %d bytes: got %s %s, want 200", maxMethodARN, resp.Status, body)
	}
	for _, headers := range [][]string{{"Authorization", "a"}, nil} {
		if resp, body := f.request("GET", "/test"+path+"x", "", headers...); resp.StatusCode != 414 || body != `{"message":"Request URI too long"}` {
			t.Errorf("a longer one with the headers %v: got %s %s, want 414", headers, resp.Status, body)
		}
	}
	if n := f.count("authorizer") + f.count("GET /{p+}"); n != 2 {
		t.Errorf("functions were called %d times, want 2", n)
	}
	log.has(t, quotaMethodARN)

	f = start(t, restStack("GET /{p+}"), nil)
	if resp, body := f.request("GET", "/test"+path+"x", ""); resp.StatusCode != 200 {
		t.Errorf("without an authorizer: got %s %s, want 200", resp.Status, body)
	}
}

func TestAnswerOfTheRESTAuthorizerDecides(t *testing.T) {
	t.Parallel()
	const (
		failed     = `{"message":null}`
		notAllowed = `{"Message":"User is not authorized to access this resource"}`
		explicit   = `{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`
	)
	statement := func(effect, resource string) string {
		return `{"Action":"execute-api:Invoke","Effect":"` + effect + `","Resource":"` + resource + `"}`
	}
	for _, tt := range []struct {
		name   string
		fns    functions
		status int
		code   string
		body   string
	}{
		{"allowed", policyOf(statement("Allow", "arn:aws:execute-api:*:*:rest/test/GET/x/?")), 200, "", ""},
		{"denied", policyOf(statement("Deny", "*")), 403, "AccessDeniedException", explicit},
		{"allowed and denied", policyOf(statement("Allow", "*") + "," + statement("Deny", "*/x/1")), 403, "AccessDeniedException", explicit},
		{"another resource", policyOf(statement("Allow", "*/POST/*")), 403, "AccessDeniedException", notAllowed},
		{"another stage", policyOf(statement("Allow", "*:rest/prod/*")), 403, "AccessDeniedException", notAllowed},
		{"Unauthorized", functions{"authorizer": fail("Unauthorized")}, 401, "UnauthorizedException", `{"message":"Unauthorized"}`},
		{"unauthorized", functions{"authorizer": fail("unauthorized")}, 500, "AuthorizerConfigurationException", failed},
		{"error", functions{"authorizer": fail("boom")}, 500, "AuthorizerConfigurationException", failed},
		{"an answer as of a route", functions{"authorizer": respond(`{"statusCode":401}`)}, 500, "AuthorizerConfigurationException", failed},
		{"simple answer", functions{"authorizer": respond(`{"isAuthorized":true}`)}, 500, "AuthorizerConfigurationException", failed},
		{"no principal", functions{"authorizer": respond(`{"policyDocument":{"Statement":[` + statement("Allow", "*") + `]}}`)}, 500, "AuthorizerConfigurationException", failed},
		{"nested context", functions{"authorizer": respond(`{"principalId":"a","policyDocument":{"Statement":[` + statement("Allow", "*") + `]},"context":{"a":{}}}`)}, 500, "AuthorizerConfigurationException", failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, restGuarded(nil, "GET /x/{id}"), tt.fns)
			resp, body := f.request("GET", "/test/x/1", "", "Authorization", "a")
			if resp.StatusCode != tt.status || body != tt.body || resp.Header.Get("X-Amzn-Errortype") != tt.code {
				t.Errorf("got %d %s %s, want %d %s %s", resp.StatusCode, resp.Header.Get("X-Amzn-Errortype"), body, tt.status, tt.code, tt.body)
			}
			if called := f.count("GET /x/{id}") > 0; called != (tt.status == 200) {
				t.Errorf("the route's function was called: %t", called)
			}
		})
	}
}

// policyOf has an authorizer's function that answers these statements.
func policyOf(statements string) functions {
	return functions{"authorizer": respond(`{"principalId":"me","policyDocument":{"Statement":[` + statements + `]}}`)}
}

var allowAll = policyOf(`{"Action":"*","Effect":"Allow","Resource":"*"}`)

func TestRESTTokenIsCheckedBeforeTheCall(t *testing.T) {
	t.Parallel()
	stack := restGuarded(func(a *template.RESTAuthorizer) {
		a.IdentitySource, a.Validation = []string{"method.request.header.X-Token"}, regexp.MustCompile(`^k1\.\w+$`)
	}, "GET /")
	f := start(t, stack, allowAll)
	for _, tt := range []struct {
		header, value string
		status        int
	}{
		{"X-Token", "k1.a", 200}, {"x-tOKEN", "k1.b", 200}, {"X-Token", "k2.a", 401}, {"X-Token", "", 401}, {"Authorization", "k1.a", 401},
	} {
		before := f.count("authorizer")
		resp, body := f.request("GET", "/test", "", tt.header, tt.value)
		if called := f.count("authorizer") > before; resp.StatusCode != tt.status || called != (tt.status == 200) {
			t.Errorf("%s %q: got %s %s, called %t; want %d", tt.header, tt.value, resp.Status, body, called, tt.status)
		}
	}
}

func TestRESTMissingIdentitySourceIs401WithoutACall(t *testing.T) {
	t.Parallel()
	stack := restGuarded(ofRequest("method.request.header.X-Token", "method.request.querystring.q", "stageVariables.v",
		"context.httpMethod", "context.identity.sourceIp", "method.request.header.Host"), "GET /")
	stack.RESTAPIs[0].StageVariables = map[string]string{"v": "1"}
	f := start(t, stack, allowAll)
	for _, tt := range []struct {
		path, header, value string
		status              int
	}{
		{"/test?q=1", "X-Token", "a", 200}, {"/test?q=1", "x-tOKEN", "a", 200}, {"/test", "X-Token", "a", 401},
		{"/test?q=", "X-Token", "a", 401}, {"/test?Q=1", "X-Token", "a", 401}, {"/test?q=1", "X-Token", "", 401},
	} {
		before := f.count("authorizer")
		resp, _ := f.request("GET", tt.path, "", tt.header, tt.value)
		if called := f.count("authorizer") > before; resp.StatusCode != tt.status || called != (tt.status == 200) {
			t.Errorf("%s with %s %q: got %s, called %t; want %d", tt.path, tt.header, tt.value, resp.Status, called, tt.status)
		}
	}
	for _, source := range []string{"context.no.such", "stageVariables.none"} {
		f := start(t, restGuarded(ofRequest(source), "GET /"), allowAll)
		if resp, body := f.request("GET", "/test", ""); resp.StatusCode != 401 || body != `{"message":"Unauthorized"}` {
			t.Errorf("%s: got %s %s", source, resp.Status, body)
		}
	}
}

func TestRESTAuthorizerTimeoutIs500(t *testing.T) {
	t.Parallel()
	f := start(t, restGuarded(nil, "GET /"), functions{"authorizer": hang})
	go func() {
		f.event("authorizer", 0)
		f.clock.Advance(authorizerTimeout)
	}()
	if resp, body := f.request("GET", "/test", "", "Authorization", "a"); resp.StatusCode != 500 || body != `{"message":null}` {
		t.Errorf("got %s %s", resp.Status, body)
	}
}

func TestRESTAuthorizerResultsAreCached(t *testing.T) {
	t.Parallel()
	f := start(t, restGuarded(func(a *template.RESTAuthorizer) {
		a.CacheTTL = time.Hour
		ofRequest("method.request.header.A", "method.request.querystring.b")(a)
	}, "GET /a", "GET /b"), policyOf(`{"Action":"*","Effect":"Allow","Resource":"*/GET/a"}`))
	get := func(path, a string, status, calls int) {
		t.Helper()
		if resp, _ := f.request("GET", path, "", "A", a); resp.StatusCode != status || f.count("authorizer") != calls {
			t.Errorf("%s %s: got %d and %d calls, want %d and %d", path, a, resp.StatusCode, f.count("authorizer"), status, calls)
		}
	}
	get("/test/a?b=2", "1", 200, 1)
	get("/test/a?b=2", "1", 200, 1)
	get("/test/b?b=2", "1", 403, 1) // the kept policy, for another route
	get("/test/a?b=3", "1", 200, 2)
	get("/test/a", "1", 401, 2)
	f.clock.Advance(59 * time.Minute)
	get("/test/a?b=2", "1", 200, 2)
	f.clock.Advance(time.Minute)
	get("/test/a?b=2", "1", 200, 3)
}

func TestRESTAuthorizerResultsAreNotAlwaysCached(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*template.RESTAuthorizer)
		fns    functions
	}{
		"no time":    {nil, allowAll},
		"no sources": {func(a *template.RESTAuthorizer) { ofRequest()(a); a.CacheTTL = time.Minute }, allowAll},
		"refused":    {func(a *template.RESTAuthorizer) { a.CacheTTL = time.Minute }, functions{"authorizer": fail("Unauthorized")}},
		"failed":     {func(a *template.RESTAuthorizer) { a.CacheTTL = time.Minute }, functions{"authorizer": respond(`{}`)}},
	} {
		f := start(t, restGuarded(tt.change, "GET /"), tt.fns)
		f.request("GET", "/test", "", "Authorization", "a")
		f.request("GET", "/test", "", "Authorization", "a")
		if n := f.count("authorizer"); n != 2 {
			t.Errorf("%s: got %d calls, want 2", name, n)
		}
	}
}

func TestRESTPreflightMayNeedTheAuthorizer(t *testing.T) {
	t.Parallel()
	for guarded, want := range map[bool]int{true: 401, false: 200} {
		stack := restGuarded(nil, "GET /", "OPTIONS /")
		route := stack.RESTAPIs[0].Routes[1]
		if route.Preflight = map[string]string{}; !guarded {
			route.Authorizer = nil
		}
		f := start(t, stack, allowAll)
		if resp, _ := f.request("OPTIONS", "/test", "", "Origin", "https://a.example"); resp.StatusCode != want {
			t.Errorf("guarded %t: got %s, want %d", guarded, resp.Status, want)
		}
	}
}

func TestRESTAuthorizersThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*template.RESTAuthorizer){
		ofRequest("method.request.header."), ofRequest("$request.header.A"), ofRequest("method.request.path.id"),
		func(a *template.RESTAuthorizer) { a.IdentitySource = nil },
		func(a *template.RESTAuthorizer) { a.IdentitySource = []string{"context.stage"} },
	} {
		stack := restGuarded(change, "GET /")
		if _, err := newRESTAPI(&Gateway{}, stack.RESTAPIs[0], ""); err == nil {
			t.Errorf("%v: no error", stack.RESTAPIs[0].Routes[0].Authorizer)
		}
	}
}

// TestRESTContextIsText holds that values of the context are strings, and that
// only integrationLatency is a number.
func TestRESTContextIsText(t *testing.T) {
	t.Parallel()
	f := start(t, restGuarded(nil, "GET /"), functions{"authorizer": respond(`{"principalId":"me","policyDocument":{"Statement":` +
		`[{"Action":"*","Effect":"Allow","Resource":"*"}]},"context":{"s":"a","n":1.5,"b":true}}`)})
	f.request("GET", "/test", "", "Authorization", "a")
	var got map[string]any
	json.Unmarshal(f.restEvent("GET /", 0).RequestContext.Authorizer, &got)
	delete(got, "integrationLatency")
	if want := "map[b:true n:1.5 principalId:me s:a]"; fmt.Sprint(got) != want || got["n"] != "1.5" || got["b"] != "true" {
		t.Errorf("got %v, want %s", got, want)
	}
}
