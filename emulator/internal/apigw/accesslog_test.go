package apigw

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"crypto-ticker/emulator/internal/lambda"
	"crypto-ticker/emulator/internal/template"
)

// accessLogs collects the lines of access logs.
type accessLogs chan string

// logging is an option that collects lines, and gives every API of the stack a
// log in a format.
func logging(format string) (accessLogs, func(*Config)) {
	lines := make(accessLogs, 1000)
	return lines, func(c *Config) {
		c.AccessLog = func(api, line string) { lines <- api + " | " + line }
		def := &template.AccessLog{Format: format}
		for _, a := range c.Stack.HTTPAPIs {
			a.AccessLog = def
		}
		for _, a := range c.Stack.RESTAPIs {
			a.AccessLog = def
		}
		for _, a := range c.Stack.WebSocketAPIs {
			a.AccessLog = def
		}
	}
}

// next returns the next line, without what differs from run to run.
func (l accessLogs) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-l:
		for _, x := range []struct{ re, to string }{
			{`[A-Za-z0-9_-]{15}=`, "ID"}, {`127\.0\.0\.1:\d+`, "HOST"}, {`\b1[789]\d{11}\b`, "EPOCH"},
			{`\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000`, "TIME"},
		} {
			line = regexp.MustCompile(x.re).ReplaceAllString(line, x.to)
		}
		return line
	case <-time.After(10 * time.Second):
		t.Fatal("no line")
		return ""
	}
}

func TestAccessLogOfAnHTTPAPI(t *testing.T) {
	t.Parallel()
	const format = `$context.identity.sourceIp [$context.requestTime] "$context.httpMethod $context.path $context.protocol" ` +
		`$context.status $context.responseLength <$context.requestId,$context.extendedRequestId,$context.requestTimeEpoch,` +
		`$context.accountId,$context.apiId,$context.stage,$context.domainName,$context.domainPrefix,$context.identity.userAgent> ` +
		`$context.routeKey|$context.error.message|$context.error.messageString|$context.error.responseType|` +
		`$context.integration.status,$context.integration.integrationStatus,$context.integrationStatus|$context.integration.error` +
		`|$context.authorizer.key|$context.authorizer.error`
	stack := httpStack("GET /ok", "GET /fails", "GET /odd", "GET /hangs", "GET /denied", "GET /broken", "GET /busy")
	allow := &template.HTTPAuthorizer{Name: "allow", FunctionARN: "allow", PayloadFormat: "2.0", Simple: true}
	for i, name := range map[int]string{0: "allow", 4: "deny", 5: "break"} {
		auth := *allow
		auth.FunctionARN = name
		stack.HTTPAPIs[0].Routes[i].Authorizer = &auth
	}
	lines, option := logging(format)
	f := start(t, stack, functions{
		"GET /ok":    respond(`{"statusCode":201,"body":"four"}`),
		"GET /fails": fail("no"),
		"GET /odd":   respond(`{"statusCode":"x"}`),
		"GET /hangs": hang,
		"GET /busy":  func(context.Context, []byte) ([]byte, error) { return nil, lambda.ErrThrottled },
		"allow":      respond(`{"isAuthorized":true,"context":{"key":"a \"b\"\n"}}`),
		"deny":       respond(`{"isAuthorized":false}`),
		"break":      respond(`{}`),
	}, option)
	const failed = "The Lambda function returned the following error: Unhandled. Check your Lambda function code and try again."
	const odd = "The response from the Lambda function doesn't match the format that API Gateway expects."
	for _, tt := range []struct{ path, status, rest string }{
		{"/ok", "201 4", `GET /ok|-|-|-|201,200,200|-|a \"b\"\n|-`},
		{"/none", "404 23", `-|Not Found|"Not Found"|DEFAULT_4XX|-,-,-|-|-|-`},
		{"/fails", "500 35", `GET /fails|Internal Server Error|"Internal Server Error"|INTEGRATION_FAILURE|-,200,200|` + failed + `|-|-`},
		{"/odd", "500 35", `GET /odd|Internal Server Error|"Internal Server Error"|INTEGRATION_FAILURE|-,200,200|` + odd + `|-|-`},
		{"/hangs", "503 33", `GET /hangs|Service Unavailable|"Service Unavailable"|INTEGRATION_TIMEOUT|-,-,-|integration timeout|-|-`},
		{"/busy", "500 35", `GET /busy|Internal Server Error|"Internal Server Error"|INTEGRATION_FAILURE|-,429,429|` + lambda.ErrThrottled.Error() + `|-|-`},
		{"/denied", "403 23", `GET /denied|Forbidden|"Forbidden"|ACCESS_DENIED|-,-,-|-|-|-`},
		{"/broken", "500 35", `GET /broken|Internal Server Error|"Internal Server Error"|AUTHORIZER_FAILURE|-,-,-|-|-|` +
			`isAuthorized is missing or neither true nor false, which EnableSimpleResponses needs`},
	} {
		t.Run(tt.path, func(t *testing.T) {
			if tt.path == "/hangs" {
				go func() {
					f.event("GET /hangs", 0)
					f.clock.Advance(time.Minute)
				}()
			}
			f.request("GET", tt.path, "", "User-Agent", `x"y`)
			want := `Http | 127.0.0.1 [TIME] "GET ` + tt.path + ` HTTP/1.1" ` + tt.status +
				` <ID,ID,EPOCH,123456789012,http,$default,HOST,http,x\"y> ` + tt.rest
			if got := lines.next(t); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestAccessLogOfAWebSocketAPI(t *testing.T) {
	t.Parallel()
	const format = `{"id":"$context.requestId","type":"$context.eventType","route":"$context.routeKey","connection":"$context.connectionId",` +
		`"message":"$context.messageId","direction":"$context.messageDirection","status":$context.status,"error":$context.error.messageString,` +
		`"who":"$context.authorizer.principalId $context.authorizer.n $context.authorizer.none","stage":"$context.stage",` +
		`"api":"$context.apiId $context.domainPrefix $context.domainName","at":"$context.requestTime",` +
		`"ip":"$context.identity.sourceIp","agent":"$context.identity.userAgent","reason":"$context.disconnectReason"}`
	lines, option := logging(strings.ReplaceAll(format, `"error":$context.error.messageString`, `"error":"$context.error.message"`))
	stack := socketStack("authorizer", "$connect", "$disconnect", "ok", "fails", "hangs")
	f := start(t, stack, functions{"fails": fail("no"), "hangs": hang,
		"authorizer": respond(`{"principalId":"ann","policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]},"context":{"n":1}}`)}, option)
	c := f.dial("/test", &websocket.DialOptions{HTTPHeader: map[string][]string{"User-Agent": {"me"}}})
	check := func(kind, route, message string, status int, problem, reason string) {
		t.Helper()
		got := lines.next(t)
		want := fmt.Sprintf(`Socket | {"id":"ID","type":"%s","route":"%s","connection":"ID","message":"%s","direction":"IN","status":%d,"error":"%s",`+
			`"who":"ann 1 -","stage":"test","api":"socket socket HOST","at":"TIME","ip":"127.0.0.1","agent":"me","reason":"%s"}`,
			kind, route, message, status, problem, reason)
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if _, text, _ := strings.Cut(got, " | "); !json.Valid([]byte(text)) {
			t.Errorf("no JSON: %s", text)
		}
	}
	check("CONNECT", "$connect", "-", 200, "-", "-")
	for _, tt := range []struct {
		text, route string
		status      int
		problem     string
	}{
		{`{"type":"ok"}`, "ok", 200, "-"},
		{`{"type":"fails"}`, "fails", 500, "Internal server error"},
		{`x`, "-", 403, "Forbidden"},
		{`{"type":"hangs"}`, "hangs", 504, "Endpoint request timed out"},
	} {
		write(t, c, tt.text)
		if tt.route == "hangs" {
			f.event("hangs", 0)
			f.clock.Advance(29 * time.Second)
		}
		check("MESSAGE", tt.route, "ID", tt.status, tt.problem, "-")
	}
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Error(err)
	}
	check("DISCONNECT", "$disconnect", "-", 200, "-", "bye")
}

// TestAccessLogOfRefusedHandshakes also holds that without $disconnect, as without
// any function, there are lines.
func TestAccessLogOfRefusedHandshakes(t *testing.T) {
	t.Parallel()
	lines, option := logging("$context.requestId $context.eventType $context.status $context.error.responseType " +
		"$context.authorizer.error $context.authorizer.integrationStatus $context.integration.error")
	answer := ""
	f := start(t, socketStack("authorizer", "$connect"), functions{
		"authorizer": func(c context.Context, b []byte) ([]byte, error) { return respond(answer)(c, b) },
		"$connect":   respond(`{"statusCode":418}`)}, option)
	const allow = `{"principalId":"ann","policyDocument":{"Statement":[{"Effect":"%s","Action":"*","Resource":"*"}]}}`
	for _, tt := range []struct{ answer, want string }{
		{fmt.Sprintf(allow, "Deny"), "403 ACCESS_DENIED - 200 -"},
		{`{}`, "500 AUTHORIZER_FAILURE principalId is missing or no string 200 -"},
		{fmt.Sprintf(allow, "Allow"), "418 DEFAULT_4XX - 200 -"},
	} {
		answer = tt.answer
		f.refused("/test", nil)
		if got, want := lines.next(t), "Socket | ID CONNECT "+tt.want; got != want {
			t.Errorf("got %s; want %s", got, want)
		}
	}
	lines, option = logging("$context.requestId $context.eventType $context.routeKey $context.status")
	f = start(t, socketStack(), nil, option)
	f.dial("/test", nil).CloseNow()
	for _, want := range []string{"Socket | ID CONNECT $connect 200", "Socket | ID DISCONNECT $disconnect 200"} {
		if got := lines.next(t); got != want {
			t.Errorf("got %s; want %s", got, want)
		}
	}
}

// TestAccessLogMeasures uses the clock of the emulator, and the request id that
// the function logs.
func TestAccessLogMeasures(t *testing.T) {
	t.Parallel()
	lines, option := logging("$context.responseLatency $context.integrationLatency $context.integration.latency " +
		"$context.integration.requestId $context.awsEndpointRequestId $context.requestId")
	var f *fixture
	f = start(t, httpStack("GET /x"), nil, option, func(c *Config) {
		c.Invoke = func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			lambda.NoteRequestID(ctx, "the-id")
			f.clock.Advance(7 * time.Second)
			return []byte(`{"statusCode":200}`), nil
		}
	})
	f.request("GET", "/x", "")
	var whole, inner, same int
	var id, other, request string
	line := lines.next(t)
	if _, err := fmt.Sscanf(line, "Http | %d %d %d %s %s %s", &whole, &inner, &same, &id, &other, &request); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if inner < 7000 || inner > 9000 || inner != same || whole < inner {
		t.Errorf("got latencies %d, %d and %d, of which 7 s are the function's", whole, inner, same)
	}
	if id != "the-id" || other != id {
		t.Errorf("got function's request ids %s and %s; want the-id", id, other)
	}
}

func TestAccessLogFormats(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ format, want string }{
		{"", ""},
		{"$context", "$context"},
		{"$context.", "$context."},
		{"$context.status.", "|status|."},
		{"$context.status$context.stage", "|status||stage|"},
		{"<r id='$context.requestId' x='${context.x}'/>", "<r id='|requestId|' x='${context.x}'/>"},
		{"$context.authorizer.claims.sub,$input.body", "|authorizer.claims.sub|,$input.body"},
		{"$context.a-$context.b", "|a|-|b|"},
	} {
		l := newAccessLog(&Gateway{cfg: Config{AccessLog: func(string, string) {}}}, "", &template.AccessLog{Format: tt.format})
		if got := strings.Join(l.parts, "|"); got != tt.want {
			t.Errorf("%q: got %s; want %s", tt.format, got, tt.want)
		}
	}
}
