// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html

package apigw

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"crypto-ticker/emulator/internal/lambda"
)

const authorizerTimeout = 29 * time.Second

// identitySource names a value that must be in a request before its authorizer
// is called.
type identitySource struct {
	kind string // header, querystring, stageVariables or context
	name string
}

// parseIdentitySources reads those of an authorizer. The ones about the request
// begin with request and the others with other, which depend on the kind of API.
func parseIdentitySources(list []string, request, other string) ([]identitySource, error) {
	kinds := []struct{ prefix, kind string }{
		{request + "header.", "header"}, {request + "querystring.", "querystring"},
		{other + "stageVariables.", "stageVariables"}, {other + "context.", "context"},
	}
	var out []identitySource
	for _, s := range list {
		var src identitySource
		for _, k := range kinds {
			if name, ok := strings.CutPrefix(s, k.prefix); ok && name != "" {
				src = identitySource{k.kind, name}
			}
		}
		if src.kind == "context" && slices.Contains(strings.Split(src.name, "."), "") {
			return nil, fmt.Errorf("identity source %q has a name without characters between its dots", s)
		}
		if src.kind == "" {
			return nil, fmt.Errorf("identity source %q: want %sNAME, %sNAME, %sNAME or %sNAME",
				s, kinds[0].prefix, kinds[1].prefix, kinds[2].prefix, kinds[3].prefix)
		}
		out = append(out, src)
	}
	return out, nil
}

// sourceValues returns the values of sources, or false if one is missing or empty.
func sourceValues(sources []identitySource, value func(identitySource) string) ([]string, bool) {
	var values []string
	for _, s := range sources {
		v := value(s)
		if v == "" {
			return nil, false
		}
		values = append(values, v)
	}
	return values, true
}

// sourceValue returns the value of a source in $connect's event, or "".
func (ev socketEvent) sourceValue(s identitySource) string {
	switch s.kind {
	case "header":
		value, _ := lookupFold(ev.Headers, s.name)
		return value
	case "querystring":
		return ev.QueryStringParameters[s.name]
	case "stageVariables":
		return ev.StageVariables[s.name]
	}
	return jsonVariable(encode(ev.RequestContext), s.name)
}

// jsonVariable returns a member of a JSON value, by names with dots between, or
// "".
func jsonVariable(value []byte, name string) string {
	context, _ := decodeJSON(value)
	var path []pathStep
	for name := range strings.SplitSeq(name, ".") {
		path = append(path, pathStep{name: name})
	}
	v, ok := lookup(context, path)
	if !ok {
		return ""
	}
	return toText(v)
}

// authorize runs the authorizer for $connect's event ev. It returns the
// authorizer member of the connection's later events, that of $connect itself,
// which also holds the authorizer's latency, or an HTTP status that refuses.
func (c *conn) authorize(ev socketEvent, s *step) (later, now json.RawMessage, refused int) {
	a := c.api
	if _, ok := sourceValues(a.sources, ev.sourceValue); !ok {
		return nil, nil, http.StatusUnauthorized
	}
	start := a.g.cfg.Clock.Now()
	out, err := a.g.invoke(s, a.def.Authorizer.FunctionARN, authorizerTimeout, encode(authorizerEvent(ev, a.methodARN)))
	if err != nil {
		if isUnauthorized(err) {
			return nil, nil, http.StatusUnauthorized
		}
		a.g.cfg.Log.Warn("authorizer failed, so the handshake is refused with 500", "api", a.def.LogicalID, "error", err)
		return nil, nil, http.StatusInternalServerError
	}
	grant, err := parseGrant(out)
	s.end(http.StatusOK, err)
	if err != nil {
		a.g.cfg.Log.Warn("authorizer's answer is invalid, so the handshake is refused with 500", "api", a.def.LogicalID, "error", err)
		return nil, nil, http.StatusInternalServerError
	}
	if grant.policy.decide(a.methodARN) != allowed {
		return nil, nil, http.StatusForbidden
	}
	values := grant.caller()
	later = encode(values)
	values["integrationLatency"] = a.g.cfg.Clock.Now().Sub(start).Milliseconds()
	return later, encode(values), 0
}

// arn names what of an API's stage is called, for policies.
func (g *Gateway) arn(api, stage, what string) string {
	return fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s", g.cfg.Stack.Region, g.cfg.Stack.AccountID, api, stage, what)
}

// isUnauthorized says whether a function failed with the message that stands
// for 401.
func isUnauthorized(err error) bool {
	var failed *lambda.FunctionError
	if !errors.As(err, &failed) {
		return false
	}
	var payload struct {
		Message string `json:"errorMessage"`
	}
	return json.Unmarshal(failed.Payload, &payload) == nil && payload.Message == "Unauthorized"
}
