// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-overview.html

package apigw

import (
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/gobwas/ws"

	"crypto-ticker/emulator/internal/template"
)

// socketAPI is one stage of a WebSocket API and its open connections.
type socketAPI struct {
	g         *Gateway
	def       *template.WebSocketAPI
	domain    string
	methodARN string // of $connect
	selection selection
	// longestKey is the length of the routes' longest key in bytes.
	longestKey int
	sources    []identitySource
	log        *accessLog
	throttles  throttles

	mu    sync.RWMutex
	conns map[string]*conn // also those that are closing
}

func newSocketAPI(g *Gateway, def *template.WebSocketAPI, domain string) (*socketAPI, error) {
	a := &socketAPI{g: g, def: def, domain: domain, conns: map[string]*conn{}, log: newAccessLog(g, def.LogicalID, def.AccessLog)}
	a.throttles = g.newThrottles(def.LogicalID, def.StageSettings, slices.Collect(maps.Keys(def.Routes)))
	a.methodARN = g.arn(def.ID, def.Stage, "$connect")
	for key := range def.Routes {
		a.longestKey = max(a.longestKey, len(key))
	}
	var err error
	if a.selection, err = parseSelection(def.RouteSelectionExpression); err != nil {
		return nil, err
	}
	if def.Authorizer != nil {
		if a.sources, err = parseIdentitySources(def.Authorizer.IdentitySource, "route.request.", ""); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// stageVariables are nil, and so absent from events, if there are none.
func (a *socketAPI) stageVariables() map[string]string {
	if len(a.def.StageVariables) == 0 {
		return nil
	}
	return a.def.StageVariables
}

// isSocketPath says whether what follows the stage belongs to a WebSocket API.
func isSocketPath(rest string) bool {
	if rest == "" || rest == "/" {
		return true
	}
	_, ok := connectionOfPath(rest)
	return ok
}

// socketStages are the stages of one WebSocket API.
type socketStages []*socketAPI

// serveHost serves a request whose host names the API: stage and all.
func (s socketStages) serveHost(w http.ResponseWriter, r *http.Request, path string) {
	stage, rest := cutSegment(path)
	for _, a := range s {
		if stage == a.def.Stage && isSocketPath(rest) {
			a.serve(w, r, rest)
			return
		}
	}
	forbidden.write(w)
}

// serve serves a request to the API's stage; rest is what follows the stage.
func (a *socketAPI) serve(w http.ResponseWriter, r *http.Request, rest string) {
	a.serveAt(w, r, rest, a.domain)
}

// serveAt is serve of a request to a domain, as events shall have it.
func (a *socketAPI) serveAt(w http.ResponseWriter, r *http.Request, rest, domain string) {
	if id, ok := connectionOfPath(rest); ok {
		a.serveConnection(w, r, id)
		return
	}
	if status, message := checkUpgrade(r); status != 0 {
		switch status {
		case http.StatusUpgradeRequired:
			w.Header()["Upgrade"] = []string{"websocket"}
			w.Header()["Sec-WebSocket-Version"] = []string{"13"}
		case http.StatusRequestURITooLong:
			a.g.exceeded(quotaURL, a.def.LogicalID)
		case http.StatusRequestHeaderFieldsTooLarge:
			a.g.exceeded(quotaHeaders, a.def.LogicalID)
		}
		writeMessage(w, status, message)
		return
	}
	a.handshake(w, r, domain)
}

// route returns the route of a message: that of the selection expression's
// value, else $default, else nil.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
func (a *socketAPI) route(message []byte) *template.WebSocketRoute {
	key, ok := a.selection.evaluate(message, a.longestKey)
	if ok && key != "$connect" && key != "$disconnect" {
		if route := a.def.Routes[key]; route != nil {
			return route
		}
	}
	return a.def.Routes["$default"]
}

// find returns an open connection or nil.
func (a *socketAPI) find(id string) *conn {
	a.mu.RLock()
	c := a.conns[id]
	a.mu.RUnlock()
	if c == nil || c.isClosing() {
		return nil
	}
	return c
}

func (a *socketAPI) list() []*conn {
	a.mu.RLock()
	defer a.mu.RUnlock()
	out := make([]*conn, 0, len(a.conns))
	for _, c := range a.conns {
		out = append(out, c)
	}
	return out
}

// closeAll closes every connection of the API with 1001.
func (a *socketAPI) closeAll() {
	for _, c := range a.list() {
		c.close(ws.StatusGoingAway, goingAway)
	}
}

// dropAll cuts off what is left of the API's connections.
func (a *socketAPI) dropAll() {
	for _, c := range a.list() {
		c.nc.Close()
	}
}
