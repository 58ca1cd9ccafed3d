// Package apigw is API Gateway on one port: HTTP, REST and WebSocket APIs with
// their authorizers, and the @connections endpoint.
//
// WebSocket frames are read and written with github.com/gobwas/ws, at the level
// of headers and masks: API Gateway limits frames and messages separately, so
// frames must be seen, and one write per frame is what a push costs.
//
// One thing differs from the service on purpose: X-Forwarded-Proto and
// X-Forwarded-Port tell the truth about the emulator's port.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/welcome.html
package apigw

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/template"
)

// Config is what a Gateway needs; all fields up to Authority must be set.
type Config struct {
	Stack *template.Stack
	// Invoke calls a function and returns its answer. A *lambda.FunctionError
	// says that the function failed, any other error that it could not be
	// called. It must return soon after ctx is done.
	Invoke func(ctx context.Context, functionARN string, event []byte) ([]byte, error)
	// Clock measures every timeout and limit.
	Clock *clock.Clock
	Log   *slog.Logger
	// Authority is the host:port that clients use.
	Authority string
	// Map gives paths, such as "/ws/ticker", to WebSocket APIs by logical id,
	// like the mappings of a custom domain. A path must not be that of a route
	// of the HTTP API or of a REST API.
	Map map[string]string
	// VerifySignatures says whether requests to @connections must be signed
	// correctly, for the stack's region, with a key that Secret knows; otherwise
	// any signature is taken.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
	VerifySignatures bool
	// Secret returns the secret of an access key; ok is false if there is no such
	// key. It must be set if VerifySignatures is.
	Secret func(accessKeyID string) (secret string, ok bool)
	// AccessLog, if it is not nil, gets the lines of the APIs' access logs, without
	// their ends, with the API's logical id. It is called concurrently, and must
	// not block.
	AccessLog func(api, line string)
	// Quotas change the service's limits. Whatever they refuse is logged with the
	// quota's name.
	Quotas Quotas
}

// Gateway serves the APIs of a stack. Host {api id}.execute-api.localhost names
// an API, and a custom domain's host what the domain is mapped to. Any other host
// reaches the mapped paths, each WebSocket API at /{stage} (the first one, if
// several have that stage), each REST API below /{stage} likewise, and otherwise
// the first HTTP API. A stack without HTTP APIs has the first REST API there, so
// that its stage may be left out.
type Gateway struct {
	cfg     Config
	port    string
	sockets []*socketAPI // each stage of each API
	http    []httpStages // one for each API
	rest    []*restAPI
	byID    map[string]handler
	byStage map[string]*socketAPI
	restAt  map[string]*restAPI // by stage
	mapped  map[string]*socketAPI
	domains map[string]customDomain

	requests, connections *bucket
	notices               noticeLog

	ctx  context.Context // of all invocations
	stop context.CancelFunc

	mu     sync.Mutex
	closed bool
	tasks  sync.WaitGroup // whatever runs; added to only by what is itself counted
}

// New returns a gateway for the stack's APIs. An error names the place in the
// template, or the mapping, that cannot be served.
func New(cfg Config) (*Gateway, error) {
	_, port, err := net.SplitHostPort(cfg.Authority)
	if err != nil {
		return nil, fmt.Errorf("apigw: authority %q is no host:port: %w", cfg.Authority, err)
	}
	if cfg.VerifySignatures && cfg.Secret == nil {
		return nil, errors.New("apigw: signatures cannot be verified without Config.Secret")
	}
	if cfg.Quotas, err = cfg.Quotas.withDefaults(); err != nil {
		return nil, err
	}
	g := &Gateway{cfg: cfg, port: port,
		byID: map[string]handler{}, byStage: map[string]*socketAPI{}, restAt: map[string]*restAPI{},
		mapped: map[string]*socketAPI{}}
	q, now := cfg.Quotas, cfg.Clock.Now()
	if q.RequestsPerSecond > 0 {
		g.requests = newBucket(q.RequestsPerSecond, float64(q.Burst), now)
	}
	if q.ConnectionsPerSecond > 0 {
		g.connections = newBucket(q.ConnectionsPerSecond, max(1, q.ConnectionsPerSecond), now)
	}
	if err := g.addAPIs(); err != nil {
		return nil, err
	}
	if err := g.mapPaths(); err != nil {
		return nil, err
	}
	if g.domains, err = g.newDomains(); err != nil {
		return nil, err
	}
	for id, api := range g.byID {
		if g.isDisabled(id) {
			g.byID[id] = disabled{api}
		}
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	return g, nil
}

// addAPIs makes the APIs of the stack.
func (g *Gateway) addAPIs() error {
	hosts := Hosts(g.cfg.Stack, g.cfg.Authority)
	for _, def := range g.cfg.Stack.HTTPAPIs {
		api, err := newHTTPAPI(g, def, hosts[def.ID])
		if err != nil {
			return fmt.Errorf("apigw: %s: %w", def.LogicalID, err)
		}
		if n := len(g.http); n > 0 && g.http[n-1][0].def.ID == def.ID {
			g.http[n-1] = append(g.http[n-1], api)
		} else {
			g.http = append(g.http, httpStages{api})
		}
		g.byID[def.ID] = g.http[len(g.http)-1]
	}
	for _, def := range g.cfg.Stack.RESTAPIs {
		api, err := newRESTAPI(g, def, hosts[def.ID])
		if err != nil {
			return fmt.Errorf("apigw: %s: %w", def.LogicalID, err)
		}
		g.rest = append(g.rest, api)
		g.byID[def.ID] = api
		if g.restAt[def.Stage] == nil && !isHTTPStage(g.cfg.Stack, def.Stage) {
			g.restAt[def.Stage] = api
		}
	}
	for _, def := range g.cfg.Stack.WebSocketAPIs {
		api, err := newSocketAPI(g, def, hosts[def.ID])
		if err != nil {
			return fmt.Errorf("apigw: %s: %s: %w", def.Pos, def.LogicalID, err)
		}
		g.sockets = append(g.sockets, api)
		stages, _ := g.byID[def.ID].(socketStages)
		g.byID[def.ID] = append(stages, api)
		if g.byStage[def.Stage] == nil {
			g.byStage[def.Stage] = api
		}
	}
	return nil
}

// begin counts a request that is about to call functions, unless the gateway is
// closed.
func (g *Gateway) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.tasks.Add(1)
	return true
}

func (g *Gateway) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// Close refuses further calls of functions, closes every connection with 1001,
// and waits until those that run have ended, $disconnect too. When ctx is done
// it cuts them short and returns ctx's error. In any case the gateway leaves no
// goroutine.
func (g *Gateway) Close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	for _, a := range g.sockets {
		a.closeAll()
	}
	done := make(chan struct{})
	go func() {
		g.tasks.Wait()
		close(done)
	}()
	defer g.stop()
	defer g.closeNotices()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	g.stop()
	for _, a := range g.sockets {
		a.dropAll()
	}
	<-done
	return fmt.Errorf("apigw: close: %w", context.Cause(ctx))
}

// writeMessage answers with API Gateway's usual error body.
func writeMessage(w http.ResponseWriter, status int, message string) {
	if logged, ok := w.(*loggedWriter); ok {
		logged.o.end(status, message)
	}
	writeJSON(w, status, encode(map[string]string{"message": message}))
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = []string{"application/json"}
	writeBody(w, status, body)
}

// answerTimeout is how long a client may take to read an answer, of real time.
const answerTimeout = time.Minute

// writeBody sends status, headers and body; who does not read them is cut off.
// The deadline ends with the request: net/http removes it, and so does Hijack.
func writeBody(w http.ResponseWriter, status int, body []byte) {
	http.NewResponseController(unlogged(w)).SetWriteDeadline(time.Now().Add(answerTimeout)) // tests' own writers have none
	w.WriteHeader(status)
	w.Write(body) // an error means that the client has gone
}
