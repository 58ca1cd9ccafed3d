package apigw

import (
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"crypto-ticker/emulator/internal/template"
)

// handler is an API that was named by the request's host.
type handler interface {
	serveHost(w http.ResponseWriter, r *http.Request, path string)
}

// Hosts returns the domain name, with its port, of each of a stack's APIs by the
// API's id: the authority, unless only a host of its own can name the API.
func Hosts(stack *template.Stack, authority string) map[string]string {
	_, port, _ := net.SplitHostPort(authority) // New refuses what is none
	hosts := make(map[string]string)
	name := func(id string, shared bool) {
		if shared { // by any of its stages
			hosts[id] = id + ".execute-api.localhost:" + port
		} else if hosts[id] == "" {
			hosts[id] = authority
		}
	}
	for _, a := range stack.HTTPAPIs {
		name(a.ID, a.ID != stack.HTTPAPIs[0].ID)
	}
	stages := map[string]int{}
	for _, a := range stack.WebSocketAPIs {
		stages[a.Stage]++
	}
	for _, a := range stack.RESTAPIs {
		stages[a.Stage]++
	}
	for _, a := range stack.WebSocketAPIs {
		name(a.ID, stages[a.Stage] > 1)
	}
	for _, a := range stack.RESTAPIs {
		name(a.ID, stages[a.Stage] > 1 || isHTTPStage(stack, a.Stage))
	}
	return hosts
}

// isHTTPStage says whether the first HTTP API, which shares its host, has a stage.
func isHTTPStage(stack *template.Stack, stage string) bool {
	return slices.ContainsFunc(stack.HTTPAPIs, func(a *template.HTTPAPI) bool {
		return a.ID == stack.HTTPAPIs[0].ID && a.Stage == stage
	})
}

// ServeHTTP answers HTTP requests, WebSocket handshakes and @connections calls.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	if id, ok := apiOfHost(r.Host); ok {
		if api := g.byID[id]; api != nil {
			api.serveHost(w, r, path)
		} else {
			writeMessage(w, http.StatusForbidden, "Forbidden")
		}
		return
	}
	if d, ok := g.domainOf(r.Host); ok {
		d.serve(w, r)
		return
	}
	if g.serveMappedPath(w, r, path) {
		return
	}
	g.serveStage(w, r, path)
}

// serveStage serves a request that only its path leads to an API.
func (g *Gateway) serveStage(w http.ResponseWriter, r *http.Request, path string) {
	stage, rest := cutSegment(path)
	if api := g.byStage[stage]; api != nil && isSocketPath(rest) {
		api.serve(w, r, rest)
		return
	}
	if len(g.sockets) > 0 && isForSocket(r, path, rest) {
		g.notice(notice{level: slog.LevelWarn, text: "no WebSocket API has this stage"}, "path", r.URL.Path)
		forbidden.write(w)
		return
	}
	api := g.restAt[stage]
	switch {
	case api != nil:
		api.serve(w, r, rest)
	case len(g.http) > 0:
		g.http[0].serve(w, r)
	case len(g.rest) > 0:
		g.rest[0].serve(w, r, path)
	default:
		writeMessage(w, http.StatusNotFound, "Not Found")
	}
}

// isForSocket says whether a request outside all stages can only be meant for a
// WebSocket API: a handshake, or @connections with a wrong stage or none.
func isForSocket(r *http.Request, path, rest string) bool {
	_, wrongStage := connectionOfPath(rest)
	_, noStage := connectionOfPath(path)
	return wrongStage || noStage || hasToken(r.Header["Upgrade"], "websocket")
}

// apiOfHost returns the API id in a host such as id.execute-api.localhost:8081.
func apiOfHost(host string) (string, bool) {
	id, rest, ok := strings.Cut(host, ".")
	const service = "execute-api."
	if !ok || len(rest) < len(service) || !strings.EqualFold(rest[:len(service)], service) {
		return "", false
	}
	return strings.ToLower(id), true
}

// cutSegment splits /first/rest into first and /rest.
func cutSegment(path string) (first, rest string) {
	path = strings.TrimPrefix(path, "/")
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}
