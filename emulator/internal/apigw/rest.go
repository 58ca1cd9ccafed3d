// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-rest-api.html

package apigw

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"crypto-ticker/emulator/internal/lambda"
	"crypto-ticker/emulator/internal/template"
)

// restAPI is one REST API.
type restAPI struct {
	g            *Gateway
	def          *template.RESTAPI
	domain       string
	deploymentID string
	root         *restResource
	// authorizers are those that routes have.
	authorizers map[*template.RESTAuthorizer]*restAuthorizer
	log         *accessLog
	throttles   throttles
}

func newRESTAPI(g *Gateway, def *template.RESTAPI, domain string) (*restAPI, error) {
	root, err := newRESTResources(def)
	if err != nil {
		return nil, err
	}
	a := &restAPI{g: g, def: def, domain: domain, deploymentID: restID("deployment/" + def.ID), root: root,
		authorizers: map[*template.RESTAuthorizer]*restAuthorizer{}, log: newAccessLog(g, def.LogicalID, def.AccessLog)}
	a.throttles = g.newThrottles(def.LogicalID, def.StageSettings, routeKeys(def.Routes, (*template.RESTRoute).Key))
	for _, route := range def.Routes {
		auth := route.Authorizer
		if auth == nil || a.authorizers[auth] != nil {
			continue
		}
		if a.authorizers[auth], err = newRESTAuthorizer(a, auth); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// serveHost serves a request whose host names the API: stage and all.
func (a *restAPI) serveHost(w http.ResponseWriter, r *http.Request, path string) {
	stage, rest := cutSegment(path)
	if stage != a.def.Stage {
		c := a.newCall(r, address{}, path)
		a.answerHeaders(w, c)
		a.refuse(w, c, restForbidden)
		return
	}
	a.serve(w, r, rest)
}

// serve answers one request; path is what follows the stage, as it was sent.
func (a *restAPI) serve(w http.ResponseWriter, r *http.Request, path string) {
	at := address{domain: a.domain, prefix: a.def.ID, path: oneSlash(path), rawPath: oneSlash(path)}
	a.serveAt(w, r, at, "/"+a.def.Stage+cmp.Or(path, "/"))
}

// oneSlash returns a path with one slash at its beginning, whatever it has.
func oneSlash(path string) string { return "/" + strings.TrimLeft(path, "/") }

// serveAt answers one request, and logs it; sent is the path of its context.
func (a *restAPI) serveAt(w http.ResponseWriter, r *http.Request, at address, sent string) {
	c := a.newCall(r, at, sent)
	a.answerHeaders(w, c)
	if c.outcome = a.log.begin(); c.outcome == nil {
		a.answer(w, c)
		return
	}
	a.answer(&loggedWriter{w, c.outcome}, c)
	a.log.write(c.outcome, c.variable)
}

func (a *restAPI) answer(w http.ResponseWriter, c *restCall) {
	r := c.r
	if !a.g.allowRequest(a.def.LogicalID) {
		a.refuse(w, c, restThrottled)
		return
	}
	if len(r.RequestURI) > maxRESTURL {
		a.g.exceeded(quotaURL, a.def.LogicalID)
		a.refuse(w, c, restURLTooLong)
		return
	}
	if c.values > maxHeaders {
		a.g.exceeded(quotaHeaders, a.def.LogicalID)
		a.refuse(w, c, restHeadersTooLong)
		return
	}
	if r.ContentLength > maxHTTPBody {
		a.tooLarge(w)
		return
	}
	if c.resource, c.params = a.root.find(c.path); c.resource != nil {
		c.route = c.resource.method(r.Method)
	}
	if c.route == nil {
		a.refuse(w, c, restNoMethod)
		return
	}
	a.answerRoute(w, c)
}

// answerRoute answers a request that there is a route for.
func (a *restAPI) answerRoute(w http.ResponseWriter, c *restCall) {
	if !a.g.allowRoute(a.throttles, c.route.Key(), a.def.LogicalID) {
		a.refuse(w, c, restThrottled)
		return
	}
	if auth := a.authorizers[c.route.Authorizer]; auth != nil && !auth.authorize(w, c) {
		return
	}
	if c.route.Preflight != nil {
		a.preflight(w, c.route.Preflight)
		return
	}
	var err error
	c.body, err = readBody(unlogged(w), c.r)
	switch {
	case isTooLarge(err):
		a.tooLarge(w)
	case err != nil:
		a.refuse(w, c, restBadRequest)
	default:
		a.integrate(w, c)
	}
}

// answerHeaders sets what every answer has.
func (a *restAPI) answerHeaders(w http.ResponseWriter, c *restCall) {
	h := w.Header()
	h["x-amzn-RequestId"] = []string{c.requestID}
	h["x-amz-apigw-id"] = []string{c.extendedID}
}

// tooLarge refuses a body before the API sees the request, so without its
// gateway responses.
func (a *restAPI) tooLarge(w http.ResponseWriter) {
	a.g.exceeded(quotaPayload, a.def.LogicalID)
	w.Header()["Content-Type"] = []string{"text/plain"}
	writeBody(w, http.StatusRequestEntityTooLarge, fmt.Appendf(nil, "HTTP content length exceeded %d bytes.", maxHTTPBody))
}

// preflight answers in place of a function.
func (a *restAPI) preflight(w http.ResponseWriter, headers map[string]string) {
	h := w.Header()
	for name, value := range headers {
		h[name] = []string{value}
	}
	writeJSON(w, http.StatusOK, []byte("{}\n"))
}

// integrate calls the route's function and gives its answer.
func (a *restAPI) integrate(w http.ResponseWriter, c *restCall) {
	log := a.g.cfg.Log.With("api", a.def.LogicalID, "route", c.route.Key())
	w.Header()["X-Amzn-Trace-Id"] = c.r.Header["X-Amzn-Trace-Id"]
	step := c.outcome.integrationStep()
	out, err := a.g.task(step, c.route.FunctionARN, c.route.Timeout, encode(c.event()))
	switch err {
	case errTooLarge:
		a.g.exceeded(quotaPayload, a.def.LogicalID)
		a.refuse(w, c, restEventTooLarge)
		return
	case errTimeout:
		log.Warn("integration timed out", "quota", quotaTimeout, "timeout", a.g.timeout(c.route.Timeout))
		a.refuse(w, c, restTimedOut)
		return
	case errClosed:
		a.refuse(w, c, restClosed)
		return
	}
	var ans answer
	if err == nil {
		ans, err = answerREST(out)
		step.end(ans.status, err)
	}
	if err != nil {
		log.Warn("integration failed", "error", err)
		a.refuse(w, c, restFailure(err))
		return
	}
	body := []byte(ans.body)
	if ans.base64 && a.wantsBinary(c.r) {
		if body, err = ans.bytes(); err != nil {
			log.Warn("integration failed", "error", err)
			a.refuse(w, c, restBadBase64)
			return
		}
	}
	ans.remapHeaders()
	ans.write(w, body, false)
}

// restFailure is the answer to an error of an integration.
func restFailure(err error) restError {
	if failed := new(lambda.FunctionError); errors.Is(err, errMalformed) || errors.As(err, &failed) {
		return restBadAnswer
	}
	return restNotInvocable
}

// wantsBinary says whether the client takes a body that is decoded: its first
// Accept must be one of the API's binary media types. Any other gets base64.
func (a *restAPI) wantsBinary(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	return a.isBinary(first)
}

// answerREST reads a function's answer. Unlike HTTP APIs, REST APIs take no
// member that they do not know, and do without a statusCode. An error wraps
// errMalformed.
func answerREST(out []byte) (answer, error) {
	fields, err := splitAnswer(out)
	if err != nil {
		return answer{}, err
	}
	if fields == nil {
		return answer{}, fmt.Errorf("%w: no object", errMalformed)
	}
	for name := range fields {
		if !slices.Contains(membersV1, name) {
			return answer{}, fmt.Errorf("%w: a REST API takes no %s", errMalformed, name)
		}
	}
	if fields["statusCode"] == nil {
		fields["statusCode"] = json.RawMessage("200")
	}
	ans, err := parseAnswer(fields, membersV1)
	if err == nil && ans.status < 200 {
		err = fmt.Errorf("%w: status %d", errMalformed, ans.status)
	}
	return ans, err
}

// remapped are headers that only the service may set: a function's get other
// names. The document has more, which were not seen to be changed.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
var remapped = []string{"Authorization", "Connection", "Content-Length", "Date", "Server", "WWW-Authenticate"}

// remapHeaders renames headers, and adds a Content-Type if there is none.
func (ans *answer) remapHeaders() {
	newName := func(name string) string {
		if i := slices.IndexFunc(remapped, func(r string) bool { return strings.EqualFold(r, name) }); i >= 0 {
			return "x-amzn-Remapped-" + remapped[i]
		}
		return name
	}
	headers, multi, typed := map[string]string{}, map[string][]string{}, false
	for name, value := range ans.headers {
		headers[newName(name)] = value
		typed = typed || strings.EqualFold(name, "Content-Type")
	}
	for name, values := range ans.multi {
		multi[newName(name)] = values
		typed = typed || strings.EqualFold(name, "Content-Type")
	}
	if !typed {
		headers["Content-Type"] = "application/json"
	}
	ans.headers, ans.multi = headers, multi
}
