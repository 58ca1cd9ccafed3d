package apigw

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/template"
)

func policy(statements string) string {
	return `{"principalId":"p","policyDocument":{"Version":"2012-10-17","Statement":` + statements + `}}`
}

const methodARN = "arn:aws:execute-api:eu-west-1:123456789012:socket/test/$connect"

func TestResultOfTheAuthorizerDecidesTheHandshake(t *testing.T) {
	t.Parallel()
	with := func(context string) string {
		before, _, _ := strings.Cut(allow, `,"context"`)
		return before + `,"context":` + context + `}`
	}
	for _, tt := range []struct {
		name   string
		fn     func(context.Context, []byte) ([]byte, error)
		status int // 0 is accepted
	}{
		{"allow", respond(allow), 0},
		{"allow of the very method", respond(policy(`[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + methodARN + `"}]`)), 0},
		{"deny", respond(policy(`[{"Effect":"Deny","Action":"*","Resource":"*"}]`)), 403},
		{"allow of another method", respond(policy(`[{"Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:*/prod/*"}]`)), 403},
		{"error Unauthorized", fail("Unauthorized"), 401},
		{"error unauthorized in another case", fail("unauthorized"), 500},
		{"another error", fail("boom"), 500},
		{"not invocable", func(context.Context, []byte) ([]byte, error) { return nil, errors.New("no") }, 500},
		{"not an answer of an authorizer", respond(`{"statusCode":401}`), 500},
		{"isAuthorized", respond(`{"isAuthorized":true}`), 500},
		{"no principalId", respond(`{"policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}}`), 500},
		{"no policy", respond(`{"principalId":"p"}`), 500},
		{"null", respond(`null`), 500},
		{"no JSON", respond(`oops`), 500},
		{"context with an object", respond(with(`{"a":{}}`)), 500},
		{"context with a list", respond(with(`{"a":[]}`)), 500},
		{"context with null", respond(with(`{"a":null}`)), 500},
		{"context with what it may hold", respond(with(`{"a":"x","b":1.5,"c":true}`)), 0},
		{"context null", respond(with(`null`)), 0},
		{"more than 8 KB", respond(with(`{"a":"` + strings.Repeat("x", 8192) + `"}`)), 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, socketStack("authorizer", "$connect", "$disconnect"), functions{"authorizer": tt.fn})
			if tt.status == 0 {
				f.dial("/test", nil)
				return
			}
			if status, body := f.refused("/test", nil); status != tt.status {
				t.Errorf("got %d %s, want %d", status, body, tt.status)
			}
			f.Close(t.Context())
			if f.count("$connect")+f.count("$disconnect") != 0 {
				t.Error("$connect or $disconnect was called")
			}
		})
	}
}

func TestAuthorizerTimeoutIs500(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("authorizer", "$connect"), functions{"authorizer": hang})
	go func() {
		f.event("authorizer", 0)
		f.clock.Advance(29 * time.Second)
	}()
	if status, _ := f.refused("/test", nil); status != 500 {
		t.Errorf("got %d, want 500", status)
	}
}

func TestAuthorizerRunsOncePerConnection(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("authorizer", "$default"), functions{"authorizer": respond(allow)})
	c := f.dial("/test", nil)
	for n := range 3 {
		write(t, c, "x")
		f.event("$default", n)
	}
	if n := f.count("authorizer"); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

// TestPolicyIsForTheConnection: messages are not held against it.
func TestPolicyIsForTheConnection(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("authorizer", "$default"), functions{"authorizer": respond(policy(
		`[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + methodARN + `"},{"Effect":"Deny","Action":"*","Resource":"*/$default"}]`))})
	write(t, f.dial("/test", nil), "x")
	f.event("$default", 0)
}

func TestMissingIdentitySourceIs401WithoutACall(t *testing.T) {
	t.Parallel()
	stack := socketStack("authorizer", "$connect")
	stack.WebSocketAPIs[0].Authorizer.IdentitySource = []string{
		"route.request.header.X-Token", "route.request.querystring.token", "context.identity.sourceIp"}
	f := start(t, stack, functions{"authorizer": respond(allow)})
	header := func(name, value string) *dialOptions {
		return &dialOptions{HTTPHeader: http.Header{name: {value}}}
	}
	for _, tt := range []struct {
		name, path string
		options    *dialOptions
		ok         bool
	}{
		{"both", "/test?token=a", header("X-Token", "b"), true},
		{"header in another case", "/test?token=a", header("x-tOKEN", "b"), true},
		{"no header", "/test?token=a", nil, false},
		{"empty header", "/test?token=a", header("X-Token", ""), false},
		{"no query", "/test", header("X-Token", "b"), false},
		{"query in another case", "/test?Token=a", header("X-Token", "b"), false},
		{"empty query", "/test?token=", header("X-Token", "b"), false},
	} {
		before := f.count("authorizer")
		if tt.ok {
			f.dial(tt.path, tt.options)
		} else if status, _ := f.refused(tt.path, tt.options); status != 401 {
			t.Errorf("%s: got %d, want 401", tt.name, status)
		}
		if called := f.count("authorizer") > before; called != tt.ok {
			t.Errorf("%s: authorizer called: %t", tt.name, called)
		}
	}
}

func TestUnknownContextSourceIsMissing(t *testing.T) {
	t.Parallel()
	stack := socketStack("$connect")
	stack.WebSocketAPIs[0].Authorizer = &template.Authorizer{FunctionARN: "authorizer", IdentitySource: []string{"context.no.such"}}
	f := start(t, stack, nil)
	if status, _ := f.refused("/test", nil); status != 401 {
		t.Errorf("got %d, want 401", status)
	}
}

func TestPolicyEvaluation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, statements string
		want             bool
	}{
		{"allow", `[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + methodARN + `"}]`, true},
		{"one statement, no list", `{"Effect":"Allow","Action":"*","Resource":"*"}`, true},
		{"lists", `[{"Sid":"a","Effect":"Allow","Action":["s3:*","execute-api:Invoke"],"Resource":["x","` + methodARN + `"]}]`, true},
		{"action in another case", `[{"Effect":"Allow","Action":"Execute-API:invoke","Resource":"*"}]`, true},
		{"action with wildcards", `[{"Effect":"Allow","Action":"execute-api:I*k?","Resource":"*"}]`, true},
		{"another action", `[{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"*"}]`, false},
		{"resource with *", `[{"Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:*:*:socket/*"}]`, true},
		{"resource with ?", `[{"Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:eu-west-?:123456789012:socket/tes?/$connect"}]`, true},
		{"? is exactly one", `[{"Effect":"Allow","Action":"*","Resource":"` + methodARN + `?"}]`, false},
		{"resource in another case", `[{"Effect":"Allow","Action":"*","Resource":"` + strings.ToUpper(methodARN) + `"}]`, false},
		{"deny wins", `[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*/test/*"}]`, false},
		{"deny wins whatever the order", `[{"Effect":"Deny","Action":"*","Resource":"*/test/*"},{"Effect":"Allow","Action":"*","Resource":"*"}]`, false},
		{"deny of something else", `[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*/prod/*"}]`, true},
	} {
		g, err := parseGrant([]byte(policy(tt.statements)))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got := g.policy.decide(methodARN) == allowed; got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.name, got, tt.want)
		}
	}
}

func TestPoliciesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ statements, want string }{
		{`[]`, "no Statement"},
		{`[1]`, "statement 1: it is no object"},
		{`[{"Effect":"Allow","Action":"*"}]`, "needs Effect, Action and Resource"},
		{`[{"Effect":"allow","Action":"*","Resource":"*"}]`, "neither Allow nor Deny"},
		{`[{"Effect":"Allow","NotAction":"*","Resource":"*"}]`, "NotAction is not emulated"},
		{`[{"Effect":"Allow","Action":"*","NotResource":"*"}]`, "NotResource is not emulated"},
		{`[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}]`, "Condition is not emulated"},
		{`[{"Effect":"Allow","Action":"*","Resource":"` + strings.Repeat("x", 513) + `"}]`, "more than 512"},
		{`[{"Effect":"Allow","Action":7,"Resource":"*"}]`, "statement 1: "},
	} {
		if _, err := parseGrant([]byte(policy(tt.statements))); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.statements, err, tt.want)
		}
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"**", "abc", true}, {"?", "", false},
		{"a*c", "abbc", true}, {"a*c", "abbd", false}, {"*b*", "abc", true}, {"a*b*c", "aXbYbZc", true}, {"a?c*", "abc", true},
	} {
		if got := glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("glob(%q, %q) = %t", tt.pattern, tt.s, got)
		}
	}
	// A pattern made to be slow is not.
	if glob(strings.Repeat("*a", 200)+"b", strings.Repeat("a", 1500)) {
		t.Error("matched")
	}
}
