// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html

package apigw

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"crypto-ticker/emulator/internal/ids"
	"crypto-ticker/emulator/internal/template"
)

// maxHTTPBody is what HTTP and REST APIs take of a request's body, in bytes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const maxHTTPBody = 10 << 20

// httpStages are the stages of one HTTP API.
type httpStages []*httpAPI

func (s httpStages) serveHost(w http.ResponseWriter, r *http.Request, _ string) { s.serve(w, r) }

// serve serves a request, whose path names a stage, or else is that of $default.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
func (s httpStages) serve(w http.ResponseWriter, r *http.Request) {
	name, rest := cutSegment(r.URL.Path)
	for _, a := range s {
		if a.def.Stage == name {
			a.serve(w, r, rest)
			return
		}
	}
	for _, a := range s {
		if a.def.Stage == "$default" {
			a.serve(w, r, r.URL.Path)
			return
		}
	}
	w.Header()["apigw-requestid"] = []string{ids.Gateway()}
	writeMessage(w, http.StatusNotFound, "Not Found")
}

// httpAPI is one stage of an HTTP API.
type httpAPI struct {
	g      *Gateway
	def    *template.HTTPAPI
	domain string
	routes []httpRoute
	// authorizers are those that routes have.
	authorizers map[*template.HTTPAuthorizer]*httpAuthorizer
	log         *accessLog
	throttles   throttles
}

func newHTTPAPI(g *Gateway, def *template.HTTPAPI, domain string) (*httpAPI, error) {
	routes, err := parseRoutes(def.Routes)
	if err != nil {
		return nil, err
	}
	a := &httpAPI{g: g, def: def, domain: domain, routes: routes, authorizers: map[*template.HTTPAuthorizer]*httpAuthorizer{},
		log: newAccessLog(g, def.LogicalID, def.AccessLog)}
	a.throttles = g.newThrottles(def.LogicalID, def.StageSettings, routeKeys(def.Routes, func(r *template.HTTPRoute) string { return r.Key }))
	for _, route := range def.Routes {
		auth := route.Authorizer
		if auth == nil || a.authorizers[auth] != nil {
			continue
		}
		if a.authorizers[auth], err = newHTTPAuthorizer(a, auth); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// serve answers one request; path is what follows the stage.
func (a *httpAPI) serve(w http.ResponseWriter, r *http.Request, path string) {
	a.serveAt(w, r, address{domain: a.domain, prefix: a.def.ID, path: path, rawPath: r.URL.Path})
}

// address says how a request has reached an HTTP or REST API.
type address struct {
	domain, prefix string // of events
	mapping        string // the key of the custom domain's mapping, or ""
	path           string // that routes are compared with: what follows the stage
	rawPath        string // of events; in payload format 1.0 only those of REST APIs have it
}

// serveAt answers one request, and logs it.
func (a *httpAPI) serveAt(w http.ResponseWriter, r *http.Request, at address) {
	call := &httpCall{api: a, r: r, address: at, requestID: ids.Gateway(), outcome: a.log.begin()}
	w.Header()["apigw-requestid"] = []string{call.requestID}
	if a.log == nil {
		a.answer(w, call)
		return
	}
	a.answer(&loggedWriter{w, call.outcome}, call)
	a.log.write(call.outcome, call.variable)
}

func (a *httpAPI) answer(w http.ResponseWriter, call *httpCall) {
	r := call.r
	if !a.g.allowRequest(a.def.LogicalID) {
		writeMessage(w, http.StatusTooManyRequests, "Too Many Requests")
		return
	}
	if requestLine(r)+headerValues(r) > maxHeaders {
		a.g.exceeded(quotaHeaders, a.def.LogicalID)
		writeMessage(w, http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large")
		return
	}
	call.route, call.params = findRoute(a.routes, r.Method, call.path)
	if a.def.CORS != nil && a.cors(w, r, call.route) {
		return
	}
	if call.route == nil {
		writeMessage(w, http.StatusNotFound, "Not Found")
		return
	}
	if !a.g.allowRoute(a.throttles, call.route.Key, a.def.LogicalID) {
		writeMessage(w, http.StatusTooManyRequests, "Too Many Requests")
		return
	}
	if auth := a.authorizers[call.route.Authorizer]; auth != nil {
		var ok bool
		if call.caller, ok = auth.authorize(w, call); !ok {
			return
		}
	}
	var err error
	call.body, err = readBody(unlogged(w), r)
	switch {
	case isTooLarge(err):
		a.g.exceeded(quotaPayload, a.def.LogicalID)
		writeMessage(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	case err != nil:
		writeMessage(w, http.StatusBadRequest, "Bad Request")
	default:
		a.integrate(w, call)
	}
}

// isTooLarge says whether readBody has failed because of the body's size.
func isTooLarge(err error) bool {
	tooBig := new(http.MaxBytesError)
	return errors.As(err, &tooBig)
}

// readBody reads the request's body, unless it is too large or says so: the
// sender of such a one is not told to go on.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxHTTPBody {
		return nil, &http.MaxBytesError{Limit: maxHTTPBody}
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxHTTPBody))
}

// integrate calls the route's function and gives its answer.
func (a *httpAPI) integrate(w http.ResponseWriter, call *httpCall) {
	route := call.route
	log := a.g.cfg.Log.With("api", a.def.LogicalID, "route", route.Key)
	var event any = call.eventV2()
	parse := answerV2
	if route.PayloadFormat == "1.0" {
		event, parse = call.eventV1(), proxyAnswer
	}
	step := call.outcome.integrationStep()
	out, err := a.g.task(step, route.FunctionARN, route.Timeout, encode(event))
	switch err {
	case errTooLarge:
		a.g.exceeded(quotaPayload, a.def.LogicalID)
		writeMessage(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	case errTimeout:
		log.Warn("integration timed out", "quota", quotaTimeout, "timeout", a.g.timeout(route.Timeout))
		writeMessage(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	case errClosed:
		writeMessage(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	var ans answer
	if err == nil {
		ans, err = parse(out)
	}
	var body []byte
	if err == nil {
		body, err = ans.bytes()
	}
	step.end(ans.status, err)
	if err != nil {
		log.Warn("integration failed", "error", err)
		writeMessage(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	if ans.ignored != "" {
		log.Warn("a member of the answer is ignored, as its payload format does not have it: cookies are of 2.0, multiValueHeaders of 1.0",
			"member", ans.ignored, "format", route.PayloadFormat)
	}
	ans.write(w, body, a.def.CORS != nil)
}

// answerV2 reads an answer in payload format 2.0, which may leave the status
// out: then the whole value is the body.
func answerV2(out []byte) (answer, error) {
	fields, err := splitAnswer(out)
	if err != nil {
		return answer{}, err
	}
	if fields["statusCode"] != nil {
		return parseAnswer(fields, membersV2)
	}
	ans := answer{status: http.StatusOK, headers: map[string]string{"content-type": "application/json"}, body: string(out)}
	if strings.HasPrefix(strings.TrimSpace(ans.body), `"`) {
		var text string
		if err := json.Unmarshal(out, &text); err != nil {
			return answer{}, fmt.Errorf("%w: %w", errMalformed, err)
		}
		ans.body = text
	}
	return ans, nil
}

// bytes is the body as it is sent.
func (ans answer) bytes() ([]byte, error) {
	if ans.status < 200 {
		return nil, fmt.Errorf("%w: status %d", errMalformed, ans.status)
	}
	if !ans.base64 {
		return []byte(ans.body), nil
	}
	b, err := base64.StdEncoding.DecodeString(ans.body)
	if err != nil {
		return nil, fmt.Errorf("%w: body is no base64: %w", errMalformed, err)
	}
	return b, nil
}

// write sends the answer. With CORS configured, the function's own CORS headers
// are ignored.
func (ans answer) write(w http.ResponseWriter, body []byte, cors bool) {
	h := w.Header()
	add := func(name string, values ...string) {
		name = http.CanonicalHeaderKey(name)
		if slices.Contains(gatewayHeaders, name) || cors && strings.HasPrefix(name, "Access-Control-") {
			return
		}
		h[name] = append(h[name], values...)
	}
	// In order, for those that differ in case only.
	for _, name := range slices.Sorted(maps.Keys(ans.headers)) {
		if _, ok := lookupFold(ans.multi, name); !ok {
			add(name, ans.headers[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ans.multi)) {
		add(name, ans.multi[name]...)
	}
	for _, cookie := range ans.cookies {
		add("Set-Cookie", cookie)
	}
	if h["Content-Type"] == nil && len(body) > 0 {
		h["Content-Type"] = []string{"text/plain;charset=UTF-8"}
	}
	if ans.status != http.StatusNoContent && ans.status != http.StatusNotModified {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	writeBody(w, ans.status, body)
}

// gatewayHeaders are not the function's to set.
var gatewayHeaders = []string{"Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Trailer", "Apigw-Requestid"}

// lookupFold finds a header in whatever case its name is. If there are several, it
// is the first one in order.
func lookupFold[T any](m map[string]T, name string) (value T, ok bool) {
	first := ""
	for k, v := range m {
		if strings.EqualFold(k, name) && (!ok || k < first) {
			first, value, ok = k, v, true
		}
	}
	return value, ok
}
