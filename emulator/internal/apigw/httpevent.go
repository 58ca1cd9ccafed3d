// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html

package apigw

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"crypto-ticker/emulator/internal/template"
)

// httpCall is a request on its way to a function.
type httpCall struct {
	address
	api       *httpAPI
	route     *template.HTTPRoute
	params    map[string]string
	r         *http.Request
	body      []byte
	requestID string
	caller    httpCaller
	outcome   *outcome // nil without an access log
}

// httpEventV2 is an event in payload format 2.0.
type httpEventV2 struct {
	Version string `json:"version"`
	httpRequestV2
	Body            string `json:"body,omitempty"`
	IsBase64Encoded bool   `json:"isBase64Encoded"`
}

// httpRequestV2 is what authorizers' events have too.
type httpRequestV2 struct {
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	StageVariables        map[string]string `json:"stageVariables,omitempty"`
	RequestContext        httpContextV2     `json:"requestContext"`
}

type httpContextV2 struct {
	AccountID    string          `json:"accountId"`
	APIID        string          `json:"apiId"`
	Authorizer   json.RawMessage `json:"authorizer,omitempty"`
	DomainName   string          `json:"domainName"`
	DomainPrefix string          `json:"domainPrefix"`
	HTTP         httpDescription `json:"http"`
	RequestID    string          `json:"requestId"`
	RouteKey     string          `json:"routeKey"`
	Stage        string          `json:"stage"`
	Time         string          `json:"time"`
	TimeEpoch    int64           `json:"timeEpoch"`
}

type httpDescription struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

func (c *httpCall) eventV2() httpEventV2 {
	r, now := c.r, c.api.g.cfg.Clock.Now()
	ev := httpEventV2{Version: "2.0", httpRequestV2: httpRequestV2{
		RouteKey:       c.route.Key,
		RawPath:        c.rawPath,
		RawQueryString: r.URL.RawQuery,
		Headers:        joinValues(c.headers(now), ","),
		PathParameters: c.params,
		StageVariables: c.api.def.StageVariables,
		RequestContext: c.contextV2(now),
	}}
	for _, line := range r.Header["Cookie"] {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				ev.Cookies = append(ev.Cookies, cookie)
			}
		}
	}
	delete(ev.Headers, "cookie")
	ev.QueryStringParameters = joinValues(parseQuery(r.URL.RawQuery), ",")
	ev.Body, ev.IsBase64Encoded = c.encodedBody()
	return ev
}

// contextV2 is the request's context, with the caller if it is known, and the
// route's key if there is one.
func (c *httpCall) contextV2(now time.Time) httpContextV2 {
	r, routeKey := c.r, ""
	if c.route != nil {
		routeKey = c.route.Key
	}
	return httpContextV2{
		AccountID:    c.api.g.cfg.Stack.AccountID,
		APIID:        c.api.def.ID,
		Authorizer:   c.caller.v2,
		DomainName:   c.domain,
		DomainPrefix: c.prefix,
		HTTP: httpDescription{
			Method: r.Method, Path: c.rawPath, Protocol: r.Proto,
			SourceIP: sourceIP(r), UserAgent: r.UserAgent(),
		},
		RequestID: c.requestID,
		RouteKey:  routeKey,
		Stage:     c.api.def.Stage,
		Time:      now.UTC().Format(commonLogTime),
		TimeEpoch: now.UnixMilli(),
	}
}

// variable returns a variable of the access log, or "".
func (c *httpCall) variable(name string) string {
	if rest, ok := strings.CutPrefix(name, "authorizer."); ok {
		return jsonVariable(c.caller.v1, rest)
	}
	if name == "customDomain.basePathMatched" {
		return c.mapping
	}
	return contextVariable(c.contextV2(c.outcome.begin), name)
}

// headers are the request's headers and those that API Gateway adds, with names
// in lower case.
func (c *httpCall) headers(now time.Time) map[string][]string {
	out := map[string][]string{"host": {c.r.Host}}
	for name, values := range c.r.Header {
		out[strings.ToLower(name)] = values
	}
	delete(out, "connection")
	for name, value := range forwarded(c.r, c.api.g.port, now) {
		out[strings.ToLower(name)] = []string{value}
	}
	if out["content-length"] == nil {
		switch {
		case len(c.body) > 0: // it came in chunks
			out["content-length"] = []string{strconv.Itoa(len(c.body))}
		case c.r.ContentLength == 0: // requests without a body have it too
			out["content-length"] = []string{"0"}
		}
	}
	return out
}

// encodedBody is the body as an event holds it: text, or base64 if its type is
// not one of text or unknown.
func (c *httpCall) encodedBody() (body string, isBase64 bool) {
	if len(c.body) == 0 || isText(c.r.Header.Get("Content-Type")) {
		return string(c.body), false
	}
	return base64.StdEncoding.EncodeToString(c.body), true
}

func isText(contentType string) bool {
	t, _, _ := mime.ParseMediaType(contentType)
	switch t {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "+json")
}

func joinValues(multi map[string][]string, sep string) map[string]string {
	out := make(map[string]string, len(multi))
	for k, vs := range multi {
		out[k] = strings.Join(vs, sep)
	}
	return out
}
