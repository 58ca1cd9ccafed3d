// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html

package apigw

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"crypto-ticker/emulator/internal/ids"
	"crypto-ticker/emulator/internal/template"
)

// restCall is a request to a REST API on its way to a function.
type restCall struct {
	address
	api      *restAPI
	route    *template.RESTRoute
	resource *restResource
	params   map[string]string
	r        *http.Request
	sent     string // the path as it was sent, from the stage or the custom domain's key on
	at       time.Time
	values   int // size of the headers' values, as they were sent
	body     []byte

	requestID, extendedID string
	authorizer            json.RawMessage // what the authorizer says of the caller, or nil
	outcome               *outcome        // for the access log
}

// newCall gives a request its ids. A trace that the client does not name begins
// here, so that authorizer, function and answer have the same.
func (a *restAPI) newCall(r *http.Request, at address, sent string) *restCall {
	c := &restCall{address: at, api: a, r: r, sent: sent, at: a.g.cfg.Clock.Now(), values: headerValues(r),
		requestID: ids.RequestID(), extendedID: ids.Gateway()}
	if r.Header["X-Amzn-Trace-Id"] == nil {
		r.Header["X-Amzn-Trace-Id"] = []string{ids.Trace(c.at)}
	}
	return c
}

// notForwarded are the headers that no function sees.
var notForwarded = []string{"Connection", "Content-Length", "Content-Md5", "Expect", "Max-Forwards", "Proxy-Authenticate",
	"Server", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Www-Authenticate"}

// headers are the request's headers, spelled as the client has, and those that
// API Gateway adds.
func (c *restCall) headers() map[string][]string {
	spell := spelling(c.r)
	out := map[string][]string{spell("Host"): {c.r.Host}}
	added := forwarded(c.r, c.api.g.port, c.at)
	for name, values := range c.r.Header {
		if _, replaced := added[name]; !replaced && !slices.Contains(notForwarded, name) {
			out[spell(name)] = values
		}
	}
	for name, value := range added {
		out[name] = []string{value}
	}
	return out
}

// context is the request's context. Of one without a resource it is only for the
// access log.
func (c *restCall) context() httpContextV1 {
	a, r := c.api, c.r
	ctx := httpContextV1{
		AccountID: a.g.cfg.Stack.AccountID, APIID: a.def.ID, Authorizer: c.authorizer, DeploymentID: a.deploymentID,
		DomainName: c.domain, DomainPrefix: c.prefix, ExtendedRequestID: c.extendedID, HTTPMethod: r.Method,
		Identity: httpIdentityV1{SourceIP: sourceIP(r), UserAgent: r.UserAgent()},
		Path:     c.sent, Protocol: r.Proto, RequestID: c.requestID,
		RequestTime: c.at.UTC().Format(commonLogTime), RequestTimeEpoch: c.at.UnixMilli(),
		Stage: a.def.Stage,
	}
	if c.resource != nil {
		ctx.ResourceID, ctx.ResourcePath = &c.resource.id, c.resource.path
	}
	return ctx
}

// variable returns a variable of the request's context for the access log, or "".
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
func (c *restCall) variable(name string) string {
	if name == "customDomain.basePathMatched" {
		return c.mapping
	}
	return jsonVariable(encode(c.context()), name)
}

// event is what the route's function gets.
func (c *restCall) event() httpEventV1 {
	ev := newEventV1(c.context(), c.headers(), c.r.URL.RawQuery, c.params, c.api.def.StageVariables)
	ev.Path = c.rawPath
	if len(c.body) == 0 {
		return ev
	}
	body := string(c.body)
	if ev.IsBase64Encoded = c.api.isBinary(c.r.Header.Get("Content-Type")); ev.IsBase64Encoded {
		body = base64.StdEncoding.EncodeToString(c.body)
	}
	ev.Body = &body
	return ev
}

// isBinary says whether a media type is one of the API's binary ones.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
func (a *restAPI) isBinary(mediaType string) bool {
	t, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		t = strings.ToLower(strings.TrimSpace(mediaType))
	}
	kind, _, _ := strings.Cut(t, "/")
	for _, b := range a.def.BinaryMediaTypes {
		if b = strings.ToLower(b); b == "*/*" || b == t || b == kind+"/*" {
			return true
		}
	}
	return false
}

// methodARN names the request for policies. It is made of what was matched, and not
// of the path as it was sent: a policy would have to know each way to write it.
func (c *restCall) methodARN() string {
	parts := strings.Split(strings.TrimPrefix(c.resource.path, "/"), "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			parts[i] = c.params[strings.TrimSuffix(strings.TrimSuffix(name, "}"), "+")]
		}
	}
	return c.api.g.arn(c.api.def.ID, c.api.def.Stage, c.r.Method+"/"+strings.Join(parts, "/"))
}
