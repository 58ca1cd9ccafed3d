// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html

package apigw

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"crypto-ticker/emulator/internal/template"
)

const httpAuthorizerTimeout = 10 * time.Second

// httpAuthorizer is an authorizer of an HTTP API.
type httpAuthorizer struct {
	api     *httpAPI
	def     *template.HTTPAuthorizer
	sources []identitySource
	issuer  *issuer // of a JWT authorizer
	grants  grants[*httpGrant]
}

// httpGrant is an authorizer function's answer, checked: simple, or a policy that
// is yet to be compared with the request.
type httpGrant struct {
	allowed     bool // of a simple answer
	policy      statements
	principalID string
	context     map[string]json.RawMessage
}

// httpCaller is what an authorizer tells the integration of the caller.
type httpCaller struct {
	v1, v2 json.RawMessage // requestContext.authorizer in either format; nil if there is none
}

func newHTTPAuthorizer(api *httpAPI, def *template.HTTPAuthorizer) (*httpAuthorizer, error) {
	sources, err := parseIdentitySources(def.IdentitySource, "$request.", "$")
	if err != nil {
		return nil, fmt.Errorf("%s: authorizer %s: %w", def.Pos, def.Name, err)
	}
	a := &httpAuthorizer{api: api, def: def, sources: sources}
	if def.JWT != nil {
		if len(a.sources) != 1 {
			return nil, fmt.Errorf("%s: authorizer %s: a JWT authorizer has one identity source", def.Pos, def.Name)
		}
		a.issuer = newIssuer(def.JWT.Issuer, api.g.cfg.Clock)
	}
	return a, nil
}

// sourceValue returns the value of a source, or "".
func (ev httpEventV2) sourceValue(s identitySource) string {
	switch s.kind {
	case "header":
		if strings.EqualFold(s.name, "cookie") {
			return strings.Join(ev.Cookies, "; ")
		}
		return ev.Headers[strings.ToLower(s.name)]
	case "querystring":
		return ev.QueryStringParameters[s.name]
	case "stageVariables":
		return ev.StageVariables[s.name]
	}
	return contextVariable(ev.RequestContext, s.name)
}

// contextVariable returns a variable of the request's context, or "".
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
func contextVariable(c httpContextV2, name string) string {
	switch name {
	case "accountId":
		return c.AccountID
	case "apiId":
		return c.APIID
	case "domainName":
		return c.DomainName
	case "domainPrefix":
		return c.DomainPrefix
	case "extendedRequestId", "requestId":
		return c.RequestID
	case "httpMethod":
		return c.HTTP.Method
	case "identity.sourceIp":
		return c.HTTP.SourceIP
	case "identity.userAgent":
		return c.HTTP.UserAgent
	case "path":
		return c.HTTP.Path
	case "protocol":
		return c.HTTP.Protocol
	case "requestTime":
		return c.Time
	case "requestTimeEpoch":
		return strconv.FormatInt(c.TimeEpoch, 10)
	case "routeKey":
		return c.RouteKey
	case "stage":
		return c.Stage
	}
	return ""
}

// authorize says who the caller is, or answers the request and returns false.
func (a *httpAuthorizer) authorize(w http.ResponseWriter, call *httpCall) (httpCaller, bool) {
	values, ok := sourceValues(a.sources, call.eventV2().sourceValue)
	if a.issuer != nil {
		return a.checkToken(w, call, values)
	}
	if !ok {
		writeMessage(w, http.StatusUnauthorized, "Unauthorized")
		return httpCaller{}, false
	}
	grant, err := a.grant(call, values)
	switch {
	case isUnauthorized(err):
		writeMessage(w, http.StatusUnauthorized, "Unauthorized")
	case errors.Is(err, errClosed):
		writeMessage(w, http.StatusServiceUnavailable, "Service Unavailable")
	case err != nil:
		a.api.g.cfg.Log.Warn("authorizer failed, so the request is refused with 500", "api", a.api.def.LogicalID,
			"authorizer", a.def.Name, "route", call.route.Key, "error", err)
		writeMessage(w, http.StatusInternalServerError, "Internal Server Error")
	case !grant.allows(call.arn()):
		writeMessage(w, http.StatusForbidden, "Forbidden")
	default:
		return grant.caller(), true
	}
	return httpCaller{}, false
}

// grant returns what the function has answered for these values, or calls it.
func (a *httpAuthorizer) grant(call *httpCall, values []string) (*httpGrant, error) {
	g := a.api.g
	return a.grants.of(g.cfg.Clock, values, a.def.CacheTTL, func() (*httpGrant, error) {
		return ask(g, call.outcome.authorizerStep(), a.def.FunctionARN, httpAuthorizerTimeout, a.event(call, values),
			func(out []byte) (*httpGrant, error) { return parseHTTPGrant(out, a.def.Simple) })
	})
}

// parseHTTPGrant reads a function's answer. Unlike that of a WebSocket API's
// authorizer, its context may hold any JSON.
func parseHTTPGrant(out []byte, simple bool) (*httpGrant, error) {
	fields, err := splitGrant(out)
	if err != nil {
		return nil, err
	}
	g := &httpGrant{}
	if raw := fields["context"]; raw != nil {
		if err := json.Unmarshal(raw, &g.context); err != nil {
			return nil, errors.New("context is no object")
		}
	}
	if simple {
		var allowed *bool
		if json.Unmarshal(fields["isAuthorized"], &allowed) != nil || allowed == nil {
			return nil, errors.New("isAuthorized is missing or neither true nor false, which EnableSimpleResponses needs")
		}
		g.allowed = *allowed
		return g, nil
	}
	if fields["isAuthorized"] != nil {
		return nil, errors.New("isAuthorized needs EnableSimpleResponses; otherwise answer principalId and policyDocument")
	}
	g.principalID, g.policy, err = parsePrincipal(fields)
	return g, err
}

func (g *httpGrant) allows(arn string) bool {
	if g.policy == nil {
		return g.allowed
	}
	return g.policy.decide(arn) == allowed
}

func (g *httpGrant) caller() httpCaller {
	v1 := map[string]any{}
	for k, v := range g.context {
		v1[k] = v
	}
	if g.principalID != "" {
		v1["principalId"] = g.principalID
	}
	return httpCaller{v1: encode(v1), v2: encode(map[string]any{"lambda": g.context})}
}

// arn names the request for policies.
func (c *httpCall) arn() string {
	return c.api.g.arn(c.api.def.ID, c.api.def.Stage, c.r.Method+"/"+strings.TrimPrefix(c.path, "/"))
}
