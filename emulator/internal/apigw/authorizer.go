// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html

package apigw

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"crypto-ticker/emulator/internal/lambda"
)

const (
	authorizerTimeout = 29 * time.Second
	maxMethodARN      = 1600 // bytes
)

// identitySource names a value that must be in a request before its authorizer
// is called.
type identitySource struct {
	kind string // header, querystring, stageVariables or context
	name string
}

func parseIdentitySources(list []string) ([]identitySource, error) {
	var out []identitySource
	for _, s := range list {
		var src identitySource
		for prefix, kind := range map[string]string{
			"route.request.header.": "header", "route.request.querystring.": "querystring",
			"stageVariables.": "stageVariables", "context.": "context",
		} {
			if name, ok := strings.CutPrefix(s, prefix); ok && name != "" {
				src = identitySource{kind, name}
			}
		}
		if src.kind == "" {
			return nil, fmt.Errorf("identity source %q: want route.request.header.NAME, route.request.querystring.NAME, stageVariables.NAME or context.NAME", s)
		}
		out = append(out, src)
	}
	return out, nil
}

// present says whether the source has a value that is not empty in $connect's
// event.
func (s identitySource) present(ev socketEvent) bool {
	switch s.kind {
	case "header":
		for name, value := range ev.Headers {
			if strings.EqualFold(name, s.name) {
				return value != ""
			}
		}
		return false
	case "querystring":
		return ev.QueryStringParameters[s.name] != ""
	case "stageVariables":
		return ev.StageVariables[s.name] != ""
	}
	return jsonVariable(encode(ev.RequestContext), s.name) != ""
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
	for _, s := range a.sources {
		if !s.present(ev) {
			return nil, nil, http.StatusUnauthorized
		}
	}
	if len(a.methodARN) > maxMethodARN {
		return nil, nil, http.StatusRequestURITooLong
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
	if !grant.allows(a.methodARN) {
		return nil, nil, http.StatusForbidden
	}
	values := map[string]any{}
	for k, v := range grant.context {
		values[k] = v
	}
	values["principalId"] = grant.principalID
	first := maps.Clone(values)
	first["integrationLatency"] = a.g.cfg.Clock.Now().Sub(start).Milliseconds()
	return encode(values), encode(first), 0
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
