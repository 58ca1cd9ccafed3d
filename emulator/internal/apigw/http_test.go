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

// httpStack is a stack with one HTTP API; each route's function has its key as
// ARN.
func httpStack(keys ...string) *template.Stack {
	api := &template.HTTPAPI{LogicalID: "Http", ID: "http", Stage: "$default"}
	for _, key := range keys {
		method, path, ok := strings.Cut(key, " ")
		if !ok {
			method = ""
		}
		api.Routes = append(api.Routes, &template.HTTPRoute{Key: key, Method: method, Path: path, FunctionARN: key,
			PayloadFormat: "2.0", Timeout: 30 * time.Second})
	}
	return &template.Stack{Name: "stack", Region: "eu-west-1", AccountID: "123456789012", HTTPAPIs: []*template.HTTPAPI{api}}
}

func TestHTTPEventIsThatOfTheService(t *testing.T) {
	t.Parallel()
	f := start(t, httpStack("POST /auth/{what}"), nil)
	f.request("POST", "/auth/a%20b?a=1&a=2&b=%C3%A4&c", `{"api_key":"demo-key"}`, "Content-Type", "application/json",
		"Cookie", "s=1; t=2", "User-Agent", "curl/8.7.1", "X-Twice", "1", "X-Twice", "2", "X-Forwarded-For", "198.51.100.7")
	golden(t, "http_v2_post.json", f.event("POST /auth/{what}", 0))
}

func TestHTTPEventOmitsWhatIsEmpty(t *testing.T) {
	t.Parallel()
	f := start(t, httpStack("$default"), nil)
	f.request("GET", "/", "")
	ev := f.event("$default", 0)
	want := "headers isBase64Encoded rawPath rawQueryString requestContext routeKey version"
	if got := strings.Join(keysOf(t, ev), " "); got != want {
		t.Errorf("got keys %s, want %s", got, want)
	}
}

func TestHTTPEventInPayloadFormat1(t *testing.T) {
	t.Parallel()
	stack := httpStack("GET /auth/token", "POST /b/{id}")
	stack.HTTPAPIs[0].StageVariables = map[string]string{"v": "1"}
	for _, r := range stack.HTTPAPIs[0].Routes {
		r.PayloadFormat = "1.0"
	}
	f := start(t, stack, functions{
		"GET /auth/token": respond(`{"statusCode":200,"headers":{"X-A":"dropped"},"multiValueHeaders":{"x-a":["1","2"]},"body":"b"}`),
		"POST /b/{id}":    respond(`"text"`)})
	resp, body := f.request("GET", "/auth/token", "", "User-Agent", "curl/8.7.1")
	golden(t, "http_v1_get.json", f.event("GET /auth/token", 0))
	if got := resp.Header["X-A"]; !slices.Equal(got, []string{"1", "2"}) || body != "b" {
		t.Errorf("got %v %s", got, body)
	}
	resp, _ = f.request("POST", "/b/7?q=1&q=2", "\x00", "Content-Type", "image/png")
	golden(t, "http_v1_post.json", f.event("POST /b/{id}", 0))
	if resp.StatusCode != 500 {
		t.Errorf("an answer without a status: got %s, want 500", resp.Status)
	}
}

func TestHTTPBodyIsTextOrBase64ByItsType(t *testing.T) {
	t.Parallel()
	f := start(t, httpStack("$default"), nil)
	for n, tt := range []struct {
		contentType string
		base64      bool
	}{
		{"text/html", false}, {"application/json; charset=utf-8", false}, {"application/problem+json", false},
		{"application/xml", false}, {"application/javascript", false},
		{"application/x-www-form-urlencoded", true}, {"application/octet-stream", true}, {"", true}, {"nonsense;;", true},
	} {
		f.request("POST", "/", "hi", "Content-Type", tt.contentType)
		var ev httpEventV2
		json.Unmarshal(f.event("$default", n), &ev)
		if want := map[bool]string{true: "aGk=", false: "hi"}[tt.base64]; ev.IsBase64Encoded != tt.base64 || ev.Body != want {
			t.Errorf("%q: got %q, base64 %t", tt.contentType, ev.Body, ev.IsBase64Encoded)
		}
	}
}

func TestChunkedBodiesHaveALength(t *testing.T) {
	t.Parallel()
	f := start(t, httpStack("$default"), nil)
	resp, err := f.client.Post("http://"+f.host+"/", "text/plain", io.MultiReader(strings.NewReader("ab"), strings.NewReader("c")))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	var ev httpEventV2
	if json.Unmarshal(f.event("$default", 0), &ev); ev.Body != "abc" || ev.Headers["content-length"] != "3" {
		t.Errorf("got %q, %v", ev.Body, ev.Headers)
	}
}

// TestRequestsWithoutABodyHaveALength: of the service's own making, as clients
// send none with a GET.
// https://github.com/aws/aws-lambda-java-libs/pull/230
func TestRequestsWithoutABodyHaveALength(t *testing.T) {
	t.Parallel()
	stack := httpStack("GET /2", "GET /1")
	stack.HTTPAPIs[0].Routes[1].PayloadFormat = "1.0"
	f := start(t, stack, nil)
	for _, tt := range []struct{ path, name string }{{"/2", "content-length"}, {"/1", "Content-Length"}} {
		f.request("GET", tt.path, "")
		var ev struct{ Headers map[string]string }
		if json.Unmarshal(f.event("GET "+tt.path, 0), &ev); ev.Headers[tt.name] != "0" {
			t.Errorf("%s: got headers %v, want %s 0", tt.path, ev.Headers, tt.name)
		}
	}
}

func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, answer string
		status       int
		contentType  string
		body         string
	}{
		{"without statusCode", `{"a":1}`, 200, "application/json", `{"a":1}`},
		{"a list", `[1]`, 200, "application/json", `[1]`},
		{"a string", `"hi \u00e4"`, 200, "application/json", "hi ä"},
		{"null", `null`, 200, "application/json", "null"},
		{"with statusCode", `{"statusCode":201,"headers":{"content-type":"text/html"},"body":"<p>"}`, 201, "text/html", "<p>"},
		{"no content type", `{"statusCode":200,"body":"x"}`, 200, "text/plain;charset=UTF-8", "x"},
		{"no body", `{"statusCode":404}`, 404, "", ""},
		{"204", `{"statusCode":204,"body":""}`, 204, "", ""},
		{"base64", `{"statusCode":200,"body":"aGk=","isBase64Encoded":true,"headers":{"Content-Type":"image/png"}}`, 200, "image/png", "hi"},
		{"status as a string", `{"statusCode":"202"}`, 202, "", ""},
		{"content-length is the gateway's", `{"statusCode":200,"headers":{"Content-Length":"99","Content-Type":"a/b"},"body":"x"}`, 200, "a/b", "x"},
		{"null header", `{"statusCode":200,"headers":{"X-Null":null}}`, 200, "", ""},
		{"no number", `{"statusCode":"abc"}`, 500, "application/json", `{"message":"Internal Server Error"}`},
		{"out of range", `{"statusCode":999}`, 500, "application/json", `{"message":"Internal Server Error"}`},
		{"status 101", `{"statusCode":101}`, 500, "application/json", `{"message":"Internal Server Error"}`},
		{"body is no string", `{"statusCode":200,"body":{}}`, 500, "application/json", `{"message":"Internal Server Error"}`},
		{"bad base64", `{"statusCode":200,"body":"!","isBase64Encoded":true}`, 500, "application/json", `{"message":"Internal Server Error"}`},
		{"header is an object", `{"statusCode":200,"headers":{"a":{}}}`, 500, "application/json", `{"message":"Internal Server Error"}`},
		{"no JSON", `oops`, 500, "application/json", `{"message":"Internal Server Error"}`},
		{"nothing", ``, 500, "application/json", `{"message":"Internal Server Error"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, httpStack("$default"), functions{"$default": respond(tt.answer)})
			resp, body := f.request("GET", "/", "")
			if resp.StatusCode != tt.status || resp.Header.Get("Content-Type") != tt.contentType || body != tt.body {
				t.Errorf("got %d %q %q, want %d %q %q", resp.StatusCode, resp.Header.Get("Content-Type"), body, tt.status, tt.contentType, tt.body)
			}
			if !isConnectionID(resp.Header.Get("Apigw-Requestid")) {
				t.Errorf("got headers %v, want apigw-requestid", resp.Header)
			}
		})
	}
}

func TestHTTPAnswerHeadersAndCookies(t *testing.T) {
	t.Parallel()
	f := start(t, httpStack("$default"), functions{"$default": respond(
		`{"statusCode":200,"headers":{"x-num":1.5,"x-bool":true,"x-crlf":"a\r\nb","Access-Control-Allow-Origin":"*"},"cookies":["a=1; Path=/","b=2"]}`)})
	resp, _ := f.request("GET", "/", "")
	h := resp.Header
	if h.Get("X-Num") != "1.5" || h.Get("X-Bool") != "true" || strings.ContainsAny(h.Get("X-Crlf"), "\r\n") ||
		h.Get("Access-Control-Allow-Origin") != "*" || !slices.Equal(h["Set-Cookie"], []string{"a=1; Path=/", "b=2"}) {
		t.Errorf("got %v", h)
	}
}

// TestMembersOfTheOtherPayloadFormatAreIgnored: the event types of aws-lambda-go
// have multiValueHeaders in both formats, so they are easily taken for both's.
func TestMembersOfTheOtherPayloadFormatAreIgnored(t *testing.T) {
	t.Parallel()
	const many, cookies = `"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]}`, `"cookies":["a=1","b=2"]`
	for _, tt := range []struct {
		format, members string
		cookies         int
		ignored         string
	}{
		{"2.0", many, 0, "multiValueHeaders"},
		{"2.0", many + "," + cookies, 2, "multiValueHeaders"},
		{"2.0", `"multiValueHeaders":"of no kind"`, 0, "multiValueHeaders"},
		{"2.0", `"multiValueHeaders":null,` + cookies, 2, ""},
		{"2.0", `"multiValueHeaders":{}`, 0, ""},
		{"1.0", cookies, 0, "cookies"},
		{"1.0", many + "," + cookies, 2, "cookies"},
		{"1.0", `"cookies":[],` + many, 2, ""},
	} {
		t.Run(tt.format+" "+tt.members, func(t *testing.T) {
			t.Parallel()
			stack := httpStack("GET /x")
			stack.HTTPAPIs[0].Routes[0].PayloadFormat = tt.format
			log, option := limitedTo(Quotas{})
			f := start(t, stack, functions{"GET /x": respond(`{"statusCode":200,` + tt.members + `}`)}, option)
			resp, _ := f.request("GET", "/x", "")
			if resp.StatusCode != 200 || len(resp.Header["Set-Cookie"]) != tt.cookies {
				t.Errorf("got %s and the cookies %q, want 200 and %d", resp.Status, resp.Header["Set-Cookie"], tt.cookies)
			}
			log.mu.Lock()
			defer log.mu.Unlock()
			if told := strings.Contains(log.buf.String(), "member="+tt.ignored+" "); told != (tt.ignored != "") {
				t.Errorf("want a warning of %q; the log is %s", tt.ignored, &log.buf)
			}
		})
	}
}

func TestHeadersThatDifferInCaseHaveAnOrder(t *testing.T) {
	t.Parallel()
	f := start(t, httpStack("GET /x"), functions{"GET /x": respond(`{"statusCode":200,"headers":{"x-a":"3","X-a":"2","X-A":"1"}}`)})
	for range 20 {
		if resp, _ := f.request("GET", "/x", ""); !slices.Equal(resp.Header["X-A"], []string{"1", "2", "3"}) {
			t.Fatalf("got %q", resp.Header["X-A"])
		}
	}
}

func TestHTTPFailures(t *testing.T) {
	t.Parallel()
	f := start(t, httpStack("GET /error", "GET /throttled", "POST /body"), functions{
		"GET /error":     fail("secret detail"),
		"GET /throttled": func(context.Context, []byte) ([]byte, error) { return nil, errors.New("secret detail") }})
	for _, tt := range []struct {
		method, path, body string
		headers            []string
		status             int
		want               string
	}{
		{"GET", "/error", "", nil, 500, `{"message":"Internal Server Error"}`},
		{"GET", "/throttled", "", nil, 500, `{"message":"Internal Server Error"}`},
		{"GET", "/none", "", nil, 404, `{"message":"Not Found"}`},
		{"DELETE", "/error", "", nil, 404, `{"message":"Not Found"}`},
		{"POST", "/body", strings.Repeat("x", maxEvent), nil, 413, `{"message":"Request Entity Too Large"}`},
		{"POST", "/body", strings.Repeat("x", maxHTTPBody+1), nil, 413, `{"message":"Request Entity Too Large"}`},
		{"GET", "/error", "", []string{"X-Long", strings.Repeat("x", maxHeaders)}, 431, `{"message":"Request Header Fields Too Large"}`},
	} {
		resp, body := f.request(tt.method, tt.path, tt.body, tt.headers...)
		if resp.StatusCode != tt.status || body != tt.want {
			t.Errorf("%s %s: got %d %s, want %d %s", tt.method, tt.path, resp.StatusCode, body, tt.status, tt.want)
		}
		if !isConnectionID(resp.Header.Get("Apigw-Requestid")) {
			t.Errorf("%s %s: no apigw-requestid", tt.method, tt.path)
		}
	}
}

func TestHTTPIntegrationTimeoutIs503(t *testing.T) {
	t.Parallel()
	f := start(t, httpStack("$default"), functions{"$default": hang})
	go func() {
		f.event("$default", 0)
		f.clock.Advance(30 * time.Second)
	}()
	if resp, body := f.request("GET", "/", ""); resp.StatusCode != 503 || body != `{"message":"Service Unavailable"}` {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
}

func TestHTTPRoutePriority(t *testing.T) {
	t.Parallel()
	keys := []string{"$default", "ANY /{proxy+}", "GET /pets/{proxy+}", "ANY /pets/{id}", "GET /pets/{id}", "GET /pets/dog",
		"ANY /pets/cat", "POST /{kind}/dog", "GET /", "GET /a/{b}/c/{d+}"}
	routes, err := parseRoutes(httpStack(keys...).HTTPAPIs[0].Routes)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ method, path, key, params string }{
		{"GET", "/", "GET /", "{}"},
		{"POST", "/", "$default", "null"},
		{"GET", "/pets/dog", "GET /pets/dog", "{}"},
		{"POST", "/pets/dog", "ANY /pets/{id}", `{"id":"dog"}`},
		{"GET", "/pets/cat", "ANY /pets/cat", "{}"},
		{"GET", "/pets/emu", "GET /pets/{id}", `{"id":"emu"}`},
		{"PUT", "/pets/emu", "ANY /pets/{id}", `{"id":"emu"}`},
		{"GET", "/pets/a/b", "GET /pets/{proxy+}", `{"proxy":"a/b"}`},
		{"PUT", "/pets/a/b", "ANY /{proxy+}", `{"proxy":"pets/a/b"}`},
		{"GET", "/pets/", "ANY /{proxy+}", `{"proxy":"pets/"}`},
		{"POST", "/birds/dog", "POST /{kind}/dog", `{"kind":"birds"}`},
		{"GET", "/a/x/c/y/z", "GET /a/{b}/c/{d+}", `{"b":"x","d":"y/z"}`},
		{"GET", "/PETS/dog", "ANY /{proxy+}", `{"proxy":"PETS/dog"}`},
	} {
		route, params := findRoute(routes, tt.method, tt.path)
		got, _ := json.Marshal(params)
		if route == nil || route.Key != tt.key || string(got) != tt.params {
			t.Errorf("%s %s: got %+v %s, want %s %s", tt.method, tt.path, route, got, tt.key, tt.params)
		}
	}
}

func TestEscapedSlashSeparatesSegments(t *testing.T) {
	t.Parallel()
	f := start(t, httpStack("GET /x/{id}", "GET /x/{a}/{b}"), nil)
	f.request("GET", "/x/1%2F2%20", "")
	var ev httpEventV2
	if json.Unmarshal(f.event("GET /x/{a}/{b}", 0), &ev); ev.RawPath != "/x/1/2 " || ev.PathParameters["b"] != "2 " {
		t.Errorf("got %s with %v", ev.RawPath, ev.PathParameters)
	}
}

func TestNamedStageIsPartOfThePath(t *testing.T) {
	t.Parallel()
	stack := httpStack("GET /x")
	stack.HTTPAPIs[0].Stage = "v1"
	f := start(t, stack, nil)
	if resp, _ := f.request("GET", "/x", ""); resp.StatusCode != 404 {
		t.Errorf("without the stage: got %s", resp.Status)
	}
	f.request("GET", "/v1/x", "")
	var ev httpEventV2
	if json.Unmarshal(f.event("GET /x", 0), &ev); ev.RawPath != "/v1/x" || ev.RequestContext.Stage != "v1" {
		t.Errorf("got path %s, stage %s", ev.RawPath, ev.RequestContext.Stage)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	cors := &template.CORS{AllowOrigins: []string{"https://a.example", "http://*"}, AllowMethods: []string{"GET", "POST"},
		AllowHeaders: []string{"content-type"}, ExposeHeaders: []string{"x-a", "x-b"}, AllowCredentials: true, MaxAge: 0}
	stack := httpStack("ANY /x")
	stack.HTTPAPIs[0].CORS = cors
	f := start(t, stack, functions{"ANY /x": respond(
		`{"statusCode":200,"headers":{"access-control-allow-origin":"https://evil.example","Access-Control-Max-Age":"9","X-A":"1"}}`)})
	for _, tt := range []struct {
		name, method, path, origin string
		status                     int
		want                       map[string]string // the Access-Control- headers, without their prefix
	}{
		{"preflight", "OPTIONS", "/x", "https://a.example", 204, map[string]string{"Allow-Origin": "https://a.example",
			"Allow-Methods": "GET,POST", "Allow-Headers": "content-type", "Expose-Headers": "x-a,x-b", "Allow-Credentials": "true", "Max-Age": "0"}},
		{"preflight without a route", "OPTIONS", "/none", "http://any.example", 204, map[string]string{"Allow-Origin": "http://any.example",
			"Allow-Methods": "GET,POST", "Allow-Headers": "content-type", "Expose-Headers": "x-a,x-b", "Allow-Credentials": "true", "Max-Age": "0"}},
		{"preflight of another origin", "OPTIONS", "/x", "https://b.example", 204, nil},
		{"OPTIONS without an origin", "OPTIONS", "/x", "", 200, nil},
		{"request", "GET", "/x", "https://a.example", 200, map[string]string{"Allow-Origin": "https://a.example",
			"Expose-Headers": "x-a,x-b", "Allow-Credentials": "true"}},
		{"request of another origin", "GET", "/x", "https://b.example", 200, nil},
		{"request without an origin", "GET", "/x", "", 200, nil},
		{"error", "GET", "/none", "https://a.example", 404, map[string]string{"Allow-Origin": "https://a.example",
			"Expose-Headers": "x-a,x-b", "Allow-Credentials": "true"}},
	} {
		before := f.count("ANY /x")
		var headers []string
		if tt.origin != "" {
			headers = []string{"Origin", tt.origin, "Access-Control-Request-Method", "GET"}
		}
		resp, _ := f.request(tt.method, tt.path, "", headers...)
		got := map[string]string{}
		for name, values := range resp.Header {
			if short, ok := strings.CutPrefix(name, "Access-Control-"); ok {
				got[short] = strings.Join(values, "|")
			}
		}
		if g, w := encode(got), encode(tt.want); resp.StatusCode != tt.status || string(g) != string(w) && len(got)+len(tt.want) > 0 {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, resp.StatusCode, g, tt.status, w)
		}
		if tt.status == 204 && f.count("ANY /x") != before {
			t.Errorf("%s: the function was called", tt.name)
		}
	}
	if got := allowedOrigin([]string{"*"}, "https://x.example"); got != "*" {
		t.Errorf("any origin: got %q, want *", got)
	}
}

func TestWithoutCORSConfigurationTheFunctionDecides(t *testing.T) {
	t.Parallel()
	f := start(t, httpStack("ANY /x"), functions{"ANY /x": respond(`{"statusCode":201,"headers":{"access-control-allow-origin":"o"}}`)})
	resp, _ := f.request("OPTIONS", "/x", "", "Origin", "https://a.example")
	if resp.StatusCode != 201 || resp.Header.Get("Access-Control-Allow-Origin") != "o" {
		t.Errorf("got %s %v", resp.Status, resp.Header)
	}
}
