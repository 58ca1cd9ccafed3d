package apigw

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/template"
)

// restStack is a stack with one REST API of stage test; each route's function has
// its method and path as ARN.
func restStack(keys ...string) *template.Stack {
	api := &template.RESTAPI{LogicalID: "Rest", ID: "rest", Stage: stageTest}
	for _, key := range keys {
		method, path, _ := strings.Cut(key, " ")
		api.Routes = append(api.Routes, &template.RESTRoute{Method: method, Path: path, FunctionARN: key, Timeout: 29 * time.Second})
	}
	return &template.Stack{Name: "stack", Region: "eu-west-1", AccountID: "123456789012", RESTAPIs: []*template.RESTAPI{api}}
}

// restEvent returns the n-th event of a function of a REST API.
func (f *fixture) restEvent(function string, n int) httpEventV1 {
	f.t.Helper()
	var ev httpEventV1
	if err := json.Unmarshal(f.event(function, n), &ev); err != nil {
		f.t.Fatal(err)
	}
	return ev
}

func TestRESTEventsAreThoseOfTheService(t *testing.T) {
	t.Parallel()
	f := start(t, restStack("GET /hello"), nil)
	f.request("GET", "/test/hello", "", "User-Agent", "curl/8.7.1")
	golden(t, "rest_get.json", f.event("GET /hello", 0))
	stack := restStack("POST /x/{id}/{proxy+}")
	stack.RESTAPIs[0].StageVariables = map[string]string{"v": "1"}
	f = start(t, stack, nil)
	f.request("POST", "/test/x/a%2Bb/c/d%20e/?name=me&multivalueName=you&multivalueName=me&t=%C3%A4+x", "{\r\n\t\"a\": 1\r\n}",
		"Content-Type", "application/json", "User-Agent", "curl/8.7.1", "X-Twice", "1", "X-Twice", "2", "X-Forwarded-For", "198.51.100.7")
	golden(t, "rest_post.json", f.event("POST /x/{id}/{proxy+}", 0))
}

// TestRESTEventsHaveTheMembersOfTheService compares with an event of the service's.
func TestRESTEventsHaveTheMembersOfTheService(t *testing.T) {
	t.Parallel()
	f := start(t, restStack("ANY /{proxy+}"), nil)
	f.request("GET", "/test/test-path", "")
	f.request("GET", "/test/test-path", "")
	for object, want := range map[string]string{
		"": "body headers httpMethod isBase64Encoded multiValueHeaders multiValueQueryStringParameters path pathParameters " +
			"queryStringParameters requestContext resource stageVariables",
		"requestContext": "accountId apiId deploymentId domainName domainPrefix extendedRequestId httpMethod identity path protocol " +
			"requestId requestTime requestTimeEpoch resourceId resourcePath stage",
		"requestContext.identity": "accessKey accountId caller cognitoAuthenticationProvider cognitoAuthenticationType cognitoIdentityId " +
			"cognitoIdentityPoolId principalOrgId sourceIp user userAgent userArn",
	} {
		ev := f.event("ANY /{proxy+}", 0)
		for name := range strings.SplitSeq(object, ".") {
			var members map[string]json.RawMessage
			if json.Unmarshal(ev, &members); name != "" {
				ev = members[name]
			}
		}
		if got := strings.Join(keysOf(t, ev), " "); got != want {
			t.Errorf("%s: got %s, want %s", object, got, want)
		}
	}
	one, two := f.restEvent("ANY /{proxy+}", 0).RequestContext, f.restEvent("ANY /{proxy+}", 1).RequestContext
	if one.RequestID == two.RequestID || one.ExtendedRequestID == two.ExtendedRequestID || *one.ResourceID != *two.ResourceID ||
		len(*one.ResourceID) != 6 || len(one.DeploymentID) != 6 {
		t.Errorf("got ids %+v, %+v", one, two)
	}
}

func TestRESTAnswers(t *testing.T) {
	t.Parallel()
	const bad = `{"message": "Internal server error"}`
	for _, tt := range []struct {
		name, answer string
		status       int
		header       string // name: value
		body         string
	}{
		{"statusCode", `{"statusCode":201}`, 201, "Content-Type: application/json", ""},
		{"statusCode as text", `{"statusCode":"201"}`, 201, "", ""},
		{"no statusCode", `{"headers":{"test-header":"value"}}`, 200, "Test-Header: value", ""},
		{"nothing", `{}`, 200, "", ""},
		{"body", `{"statusCode":200,"body":"<p>","headers":{"content-type":"text/html"}}`, 200, "Content-Type: text/html", "<p>"},
		{"null body", `{"statusCode":200,"body":null}`, 200, "", ""},
		{"bool header", `{"statusCode":200,"headers":{"h":true}}`, 200, "H: true", ""},
		{"null headers", `{"statusCode":200,"headers":null}`, 200, "", ""},
		{"many values go before one", `{"statusCode":200,"headers":{"X-A":"1"},"multiValueHeaders":{"x-a":["2","3"]}}`, 200, "X-A: 2|3", ""},
		{"cors is the function's", `{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"*"}}`, 200, "Access-Control-Allow-Origin: *", ""},
		{"other names", `{"statusCode":401,"headers":{"www-authenticate":"Basic","Date":"x","Content-Length":"9"}}`, 401,
			"X-Amzn-Remapped-Www-Authenticate: Basic", ""},
		{"a token's other name", `{"statusCode":200,"headers":{"authorization":"Bearer x"}}`, 200, "X-Amzn-Remapped-Authorization: Bearer x", ""},
		{"unknown member", `{"statusCode":200,"wrongValue":"value"}`, 502, "X-Amzn-Errortype: InternalServerErrorException", bad},
		{"cookies", `{"statusCode":200,"cookies":["a=b"]}`, 502, "", bad},
		{"body is an object", `{"statusCode":200,"body":{"a":1}}`, 502, "", bad},
		{"one value of many", `{"statusCode":200,"multiValueHeaders":{"a":"b"}}`, 502, "", bad},
		{"text as status", `{"statusCode":"test"}`, 502, "", bad},
		{"null as status", `{"statusCode":null}`, 502, "", bad},
		{"1xx", `{"statusCode":100}`, 502, "", bad},
		{"a string", `"justAString"`, 502, "", bad},
		{"null", `null`, 502, "", bad},
		{"a list", `[]`, 502, "", bad},
		{"no JSON", `x`, 502, "", bad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, restStack("GET /"), functions{"GET /": respond(tt.answer)})
			resp, body := f.request("GET", "/test", "")
			if resp.StatusCode != tt.status || body != tt.body {
				t.Errorf("got %d %s, want %d %s", resp.StatusCode, body, tt.status, tt.body)
			}
			if name, value, ok := strings.Cut(tt.header, ": "); ok && strings.Join(resp.Header[name], "|") != value {
				t.Errorf("got %s: %v, want %s", name, resp.Header[name], value)
			}
		})
	}
}

func TestRESTAnswersHaveIDs(t *testing.T) {
	t.Parallel()
	f := start(t, restStack("GET /"), nil)
	resp, _ := f.request("GET", "/test", "")
	ev := f.restEvent("GET /", 0)
	for name, want := range map[string]string{"x-amzn-RequestId": ev.RequestContext.RequestID, "x-amz-apigw-id": ev.RequestContext.ExtendedRequestID,
		"X-Amzn-Trace-Id": ev.Headers["X-Amzn-Trace-Id"]} {
		if got := resp.Header.Get(name); got != want || got == "" {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if resp, _ = f.request("GET", "/test/x", ""); resp.Header.Get("X-Amzn-Requestid") == "" || resp.Header.Get("X-Amzn-Trace-Id") != "" {
		t.Errorf("an error of the service's: got %v", resp.Header)
	}
	f.request("GET", "/test", "", "X-Amzn-Trace-Id", "Root=1-2-3")
	if got := f.restEvent("GET /", 1).Headers["X-Amzn-Trace-Id"]; got != "Root=1-2-3" {
		t.Errorf("got trace %s", got)
	}
}

func TestRESTFailures(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", maxHTTPBody+1)
	f := start(t, restStack("ANY /{p+}"), functions{"ANY /{p+}": func(_ context.Context, event []byte) ([]byte, error) {
		switch {
		case strings.Contains(string(event), `"p":"fails"`):
			return fail("boom")(nil, nil)
		case strings.Contains(string(event), `"p":"absent"`):
			return nil, errors.New("no such function")
		}
		return []byte(`{}`), nil
	}})
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code, want               string
	}{
		{"no resource", "GET", "/test", "", nil, 403, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`},
		{"function error", "GET", "/test/fails", "", nil, 502, "InternalServerErrorException", `{"message": "Internal server error"}`},
		{"not invocable", "GET", "/test/absent", "", nil, 500, "InternalServerErrorException", `{"message": "Internal server error"}`},
		{"stage of a named api", "GET", "/other/x", "", []string{"Host", "rest.execute-api.localhost"}, 403, "ForbiddenException", `{"message":"Forbidden"}`},
		{"body", "POST", "/test/x", big, nil, 413, "", "HTTP content length exceeded 10485760 bytes."},
		{"event", "POST", "/test/x", big[:maxEvent], nil, 413, "", `{"message":"Request Too Long"}`},
		{"headers", "GET", "/test/x", "", []string{"X", strings.Repeat("x", maxHeaders)}, 431, "", `{"message":"Request Header Fields Too Large"}`},
	} {
		resp, body := f.request(tt.method, tt.path, tt.body, tt.headers...)
		if resp.StatusCode != tt.status || body != tt.want || resp.Header.Get("X-Amzn-Errortype") != tt.code {
			t.Errorf("%s: got %d %s %s, want %d %s %s", tt.name, resp.StatusCode, resp.Header.Get("X-Amzn-Errortype"), body, tt.status, tt.code, tt.want)
		}
	}
	resp, err := f.client.Post("http://"+f.host+"/test/x", "text/plain", io.LimitReader(strings.NewReader(big), int64(len(big)))) // in chunks
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("a body of unknown length: got %s", resp.Status)
	}
}

func TestRESTIntegrationTimeoutIs504(t *testing.T) {
	t.Parallel()
	f := start(t, restStack("GET /x"), functions{"GET /x": hang})
	go func() {
		f.event("GET /x", 0)
		f.clock.Advance(29 * time.Second)
	}()
	resp, body := f.request("GET", "/test/x", "")
	if resp.StatusCode != 504 || body != `{"message": "Endpoint request timed out"}` || resp.Header.Get("X-Amzn-Errortype") != "InternalServerErrorException" {
		t.Errorf("got %s %s %v", resp.Status, body, resp.Header)
	}
}

func TestRESTBinaryBodies(t *testing.T) {
	t.Parallel()
	const answer = `{"body":"aGk=","isBase64Encoded":true}`
	for _, tt := range []struct {
		name                string
		types               []string
		contentType, accept string
		base64In, base64Out bool // the event's body; the answer's
	}{
		{"none", nil, "image/png", "image/png", false, true},
		{"all", []string{"*/*"}, "", "", true, false},
		{"one", []string{"image/png"}, "image/PNG; q=1", "image/png;q=0.9, */*", true, false},
		{"another", []string{"image/png"}, "image/gif", "*/*", false, true},
		{"only the first Accept counts", []string{"image/png"}, "text/plain", "text/html, image/png", false, true},
		{"of a kind", []string{"image/*"}, "image/gif", "image/webp", true, false},
	} {
		stack := restStack("POST /")
		stack.RESTAPIs[0].BinaryMediaTypes = tt.types
		f := start(t, stack, functions{"POST /": respond(answer)})
		headers := []string{"Content-Type", tt.contentType}
		if tt.accept != "" {
			headers = append(headers, "Accept", tt.accept)
		}
		_, body := f.request("POST", "/test", "hi", headers...)
		ev := f.restEvent("POST /", 0)
		if ev.IsBase64Encoded != tt.base64In || *ev.Body != map[bool]string{true: "aGk=", false: "hi"}[tt.base64In] {
			t.Errorf("%s: got an event with %s, base64 %t", tt.name, *ev.Body, ev.IsBase64Encoded)
		}
		if want := map[bool]string{true: "aGk=", false: "hi"}[tt.base64Out]; body != want {
			t.Errorf("%s: got the answer %s, want %s", tt.name, body, want)
		}
	}
	stack := restStack("GET /")
	stack.RESTAPIs[0].BinaryMediaTypes = []string{"*/*"}
	f := start(t, stack, functions{"GET /": respond(`{"body":"?","isBase64Encoded":true}`)})
	if resp, body := f.request("GET", "/test", ""); resp.StatusCode != 500 || body != `{"message": "Internal server error"}` {
		t.Errorf("no base64: got %s %s", resp.Status, body)
	}
}

func TestRESTPreflightCallsNoFunction(t *testing.T) {
	t.Parallel()
	stack := restStack("ANY /x", "OPTIONS /x")
	route := stack.RESTAPIs[0].Routes[1]
	route.FunctionARN, route.Preflight = "", map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET,OPTIONS"}
	f := start(t, stack, nil)
	resp, body := f.request("OPTIONS", "/test/x", "", "Origin", "https://a.example")
	if resp.StatusCode != 200 || body != "{}\n" || resp.Header.Get("Access-Control-Allow-Methods") != "GET,OPTIONS" || f.count("ANY /x") != 0 {
		t.Errorf("got %s %q %v", resp.Status, body, resp.Header)
	}
	if resp, _ = f.request("GET", "/test/x", "", "Origin", "https://a.example"); resp.Header["Access-Control-Allow-Origin"] != nil {
		t.Errorf("an answer of the function: got %v", resp.Header)
	}
}

func TestRESTGatewayResponses(t *testing.T) {
	t.Parallel()
	stack := restStack("GET /fails", "GET /slow")
	stack.RESTAPIs[0].GatewayResponses = map[string]*template.GatewayResponse{
		"DEFAULT_4XX": {Headers: map[string]string{"access-control-allow-origin": "*"}},
		"DEFAULT_5XX": {Status: 555, Headers: map[string]string{"Content-Type": "text/plain"},
			Template: "$context.error.message, $context.error.messageString, $context.error.responseType"},
	}
	f := start(t, stack, functions{"GET /fails": fail("boom")})
	resp, body := f.request("GET", "/test/none", "")
	if resp.StatusCode != 403 || resp.Header.Get("Access-Control-Allow-Origin") != "*" || body != `{"message":"Missing Authentication Token"}` {
		t.Errorf("got %s %s %v", resp.Status, body, resp.Header)
	}
	resp, body = f.request("GET", "/test/fails", "")
	if resp.StatusCode != 555 || resp.Header.Get("Content-Type") != "text/plain" || body != `Internal server error, "Internal server error", DEFAULT_5XX` {
		t.Errorf("got %s %s %v", resp.Status, body, resp.Header)
	}
	stack = restStack("GET /")
	stack.RESTAPIs[0].GatewayResponses = map[string]*template.GatewayResponse{
		"MISSING_AUTHENTICATION_TOKEN": {Status: 404}, "DEFAULT_4XX": {Headers: map[string]string{"Access-Control-Allow-Origin": "*"}},
	}
	f = start(t, stack, nil)
	if resp, _ = f.request("GET", "/test/none", ""); resp.StatusCode != 404 || resp.Header["Access-Control-Allow-Origin"] != nil {
		t.Errorf("got %s %v, want the more special one alone", resp.Status, resp.Header)
	}
}

func TestRESTRequestsAreThrottled(t *testing.T) {
	t.Parallel()
	f := start(t, restStack("GET /"), nil, func(c *Config) { c.Quotas = Quotas{RequestsPerSecond: 1, Burst: 1} })
	f.request("GET", "/test", "")
	if resp, body := f.request("GET", "/test", ""); resp.StatusCode != 429 || body != `{"message":"Too Many Requests"}` {
		t.Errorf("got %s %s", resp.Status, body)
	}
}

// TestRESTMethodsAreThrottled: a method's own limits, and else those of all, hold
// before the authorizer is asked.
func TestRESTMethodsAreThrottled(t *testing.T) {
	t.Parallel()
	stack := restGuarded(nil, "GET /x", "PUT /x", "ANY /free", "GET /shut")
	stack.RESTAPIs[0].StageSettings = template.StageSettings{DefaultThrottle: &template.Throttle{Rate: 0.01, Burst: 2},
		Throttles: map[string]template.Throttle{"ANY /free": {Rate: 1000, Burst: 1000}, "GET /shut": {Rate: 0, Burst: -1}}}
	log, option := limitedTo(Quotas{RouteThrottles: true})
	f := start(t, stack, allowAll, option)
	for request, want := range map[string][]int{"GET /x": {200, 200, 429}, "PUT /x": {200, 200, 429}, "POST /free": {200, 200, 200},
		"GET /shut": {429, 429, 429}} {
		method, path, _ := strings.Cut(request, " ")
		for n, status := range want {
			resp, body := f.request(method, "/test"+path, "", "Authorization", request)
			if resp.StatusCode != status || status == 429 && body != `{"message":"Too Many Requests"}` {
				t.Errorf("%s, time %d: got %s %s; want %d", request, n+1, resp.Status, body, status)
			}
		}
	}
	log.has(t, quotaRoute)
	if n := f.count("authorizer"); n != 7 {
		t.Errorf("the authorizer was asked %d times, want 7", n)
	}
	f.clock.Advance(100 * time.Second)
	if resp, _ := f.request("GET", "/test/x", "", "Authorization", "a"); resp.StatusCode != 200 {
		t.Errorf("got %s when the bucket had a token again", resp.Status)
	}
}

func TestRESTHeadersThatFunctionsDoNotSee(t *testing.T) {
	t.Parallel()
	f := start(t, restStack("POST /"), nil)
	f.request("POST", "/test", "x", "Te", "trailers", "Max-Forwards", "1", "Cookie", "a=b; c=d", "Authorization", "x")
	ev := f.restEvent("POST /", 0)
	var got []string
	for name := range ev.Headers {
		got = append(got, name)
	}
	slices.Sort(got)
	want := "Accept-Encoding Authorization Cookie Host User-Agent X-Amzn-Trace-Id X-Forwarded-For X-Forwarded-Port X-Forwarded-Proto"
	if strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestAccessLogOfARESTAPI(t *testing.T) {
	t.Parallel()
	stack := restGuarded(nil, "GET /x/{id}", "GET /open")
	stack.RESTAPIs[0].Routes[1].Authorizer = nil
	lines, option := logging(`$context.httpMethod $context.resourcePath $context.path $context.status $context.responseLength ` +
		`$context.stage $context.authorizer.principalId $context.authorizer.status $context.integration.status ` +
		`$context.error.message $context.error.messageString $context.error.responseType <$context.extendedRequestId>`)
	f := start(t, stack, functions{"authorizer": allowAll["authorizer"], "GET /x/{id}": respond(`{"body":"four"}`), "GET /open": fail("boom")}, option)
	for _, tt := range []struct{ path, want string }{
		{"/test/x/1", `GET /x/{id} /test/x/1 200 4 test me 200 200 - - - <ID>`},
		{"/test/x/2", `GET /x/{id} /test/x/2 401 26 test - - - Unauthorized "Unauthorized" UNAUTHORIZED <ID>`},
		{"/test/open", `GET /open /test/open 502 36 test - - - Internal server error "Internal server error" DEFAULT_5XX <ID>`},
		{"/test/no", `GET - /test/no 403 42 test - - - Missing Authentication Token "Missing Authentication Token" MISSING_AUTHENTICATION_TOKEN <ID>`},
	} {
		var headers []string
		if tt.path == "/test/x/1" {
			headers = []string{"Authorization", "a"}
		}
		f.request("GET", tt.path, "", headers...)
		if got, want := lines.next(t), "Rest | "+tt.want; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
