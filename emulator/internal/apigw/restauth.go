// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html

package apigw

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"crypto-ticker/emulator/internal/template"
)

// maxMethodARN is what the ARN of a method with an authorizer may have, in bytes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const maxMethodARN = 1600

// restAuthorizer is a Lambda authorizer of a REST API.
type restAuthorizer struct {
	api     *restAPI
	def     *template.RESTAuthorizer
	sources []identitySource
	grants  grants[*grant]
}

// tokenEvent is the event of an authorizer of type TOKEN.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
type tokenEvent struct {
	Type               string `json:"type"`
	MethodARN          string `json:"methodArn"`
	AuthorizationToken string `json:"authorizationToken"`
}

// requestEvent is the event of an authorizer of type REQUEST; what is empty is
// {}.
type requestEvent struct {
	Type      string `json:"type"`
	MethodARN string `json:"methodArn"`
	httpRequestV1
	multiValues
}

func newRESTAuthorizer(api *restAPI, def *template.RESTAuthorizer) (*restAuthorizer, error) {
	sources, err := parseIdentitySources(def.IdentitySource, "method.request.", "")
	if err != nil {
		return nil, fmt.Errorf("%s: authorizer %s: %w", def.Pos, def.Name, err)
	}
	a := &restAuthorizer{api: api, def: def, sources: sources}
	if def.Type != "REQUEST" && (len(a.sources) != 1 || a.sources[0].kind != "header") {
		return nil, fmt.Errorf("%s: authorizer %s: of type TOKEN, it has one header as identity source", def.Pos, def.Name)
	}
	return a, nil
}

// sourceValue returns the value of a source, or "".
func (c *restCall) sourceValue(s identitySource) string {
	switch s.kind {
	case "header":
		if strings.EqualFold(s.name, "Host") {
			return c.r.Host
		}
		return c.r.Header.Get(s.name)
	case "querystring":
		return lastValues(parseQuery(c.r.URL.RawQuery))[s.name]
	case "stageVariables":
		return c.api.def.StageVariables[s.name]
	}
	return jsonVariable(encode(c.context()), s.name)
}

// authorize lets the call pass, with what the authorizer says of the caller, or
// answers it and returns false.
func (a *restAuthorizer) authorize(w http.ResponseWriter, c *restCall) bool {
	if len(c.methodARN()) > maxMethodARN {
		a.api.g.exceeded(quotaMethodARN, a.api.def.LogicalID)
		a.api.refuse(w, c, restURLTooLong)
		return false
	}
	values, ok := sourceValues(a.sources, c.sourceValue)
	if !ok || a.def.Validation != nil && !a.def.Validation.MatchString(values[0]) {
		a.api.refuse(w, c, restUnauthorized)
		return false
	}
	began := a.api.g.cfg.Clock.Now()
	g, err := a.grant(c, values)
	switch {
	case isUnauthorized(err):
		a.api.refuse(w, c, restUnauthorized)
		return false
	case errors.Is(err, errClosed):
		a.api.refuse(w, c, restClosed)
		return false
	case err != nil:
		a.api.g.cfg.Log.Warn("authorizer failed, so the request is refused with 500", "api", a.api.def.LogicalID,
			"authorizer", a.def.Name, "path", c.path, "error", err)
		a.api.refuse(w, c, restAuthorizerFailed)
		return false
	}
	switch g.policy.decide(c.methodARN()) {
	case denied:
		a.api.refuse(w, c, restDenied)
		return false
	case unmatched:
		a.api.refuse(w, c, restUnmatched)
		return false
	}
	caller := g.caller()
	caller["integrationLatency"] = a.api.g.cfg.Clock.Now().Sub(began).Milliseconds()
	c.authorizer = encode(caller)
	return true
}

// grant returns what the function has answered for these values, or calls it.
// What is kept holds for all routes of the API.
func (a *restAuthorizer) grant(c *restCall, values []string) (*grant, error) {
	g := a.api.g
	return a.grants.of(g.cfg.Clock, values, a.def.CacheTTL, func() (*grant, error) {
		return ask(g, c.outcome.authorizerStep(), a.def.FunctionARN, authorizerTimeout, a.event(c, values), parseGrant)
	})
}

func (a *restAuthorizer) event(c *restCall, values []string) any {
	if a.def.Type != "REQUEST" {
		return tokenEvent{"TOKEN", c.methodARN(), values[0]}
	}
	of := c.event()
	ev := requestEvent{"REQUEST", c.methodARN(), of.httpRequestV1, of.multiValues}
	if ev.QueryStringParameters == nil {
		ev.QueryStringParameters, ev.MultiValueQueryStringParameters = map[string]string{}, map[string][]string{}
	}
	for _, m := range []*map[string]string{&ev.PathParameters, &ev.StageVariables} {
		if *m == nil {
			*m = map[string]string{}
		}
	}
	return ev
}
