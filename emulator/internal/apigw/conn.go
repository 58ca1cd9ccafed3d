// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-routes-integrations.html

package apigw

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gobwas/ws"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/ids"
	"crypto-ticker/emulator/internal/template"
)

const (
	idleTimeout  = 10 * time.Minute // the service's, see Quotas
	maxDuration  = 2 * time.Hour    // too
	closeGrace   = 2 * time.Second  // of real time, for the client to read on, and to answer a close frame
	maxInFlight  = 16               // messages of a connection handled at once; more are not read
	goingAway    = "Going away"
	closedNormal = "Connection Closed Normally"
	closedAbrupt = "Connection Closed Abnormally"
)

// conn is one WebSocket connection. While it is idle it costs one goroutine,
// which reads, and one entry in the clock's timers.
type conn struct {
	api         *socketAPI
	id          string
	domain      string // that the client has named, if it is a custom one
	connectedAt time.Time
	identity    identity
	authorizer  json.RawMessage // of every event after $connect's; nil without an authorizer

	nc         net.Conn
	raw        syscall.RawConn // of nc; nil if it has none
	in         frameReader
	slots      chan struct{} // one for each message in flight; nil before the first
	timer      *clock.Timer  // for the next limit
	lastActive atomic.Int64  // ms since 1970: data of either direction

	mu       sync.Mutex
	closing  bool
	grace    *time.Timer // cuts off a client that does not answer; nil unless closing
	backlog  []byte      // frames that the kernel has not taken yet
	unsent   int         // their bytes, with those that flush is writing
	flushing bool
}

// newConn returns a connection that is not open yet.
func newConn(a *socketAPI, r *http.Request, domain string) *conn {
	return &conn{
		api:         a,
		domain:      domain,
		id:          ids.Gateway(),
		connectedAt: a.g.cfg.Clock.Now(),
		identity:    identity{SourceIP: sourceIP(r), UserAgent: strings.Clone(r.Header.Get("User-Agent"))},
	}
}

// open completes the handshake with the answer 101 and starts reading. Nothing
// can be posted before the answer is on its way.
func (c *conn) open(nc net.Conn, early, accept []byte) {
	g := c.api.g
	c.nc = nc
	if sc, ok := nc.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn() // nil means that writes are queued
	}
	c.in.quotas, c.in.src, c.in.early = &g.cfg.Quotas, nc, early
	c.touch()
	g.tasks.Add(1)

	c.mu.Lock()
	c.timer = g.cfg.Clock.AfterFunc(min(g.cfg.Quotas.Idle, g.cfg.Quotas.Duration), c.checkLimits)
	c.api.mu.Lock()
	c.api.conns[c.id] = c
	c.api.mu.Unlock()
	c.write(accept)
	c.mu.Unlock()

	go c.serve()
	if g.isClosed() { // and may have been before this connection could be seen
		c.close(ws.StatusGoingAway, goingAway)
	}
	if g.ctx.Err() != nil {
		nc.Close()
	}
}

// touch notes that data has passed.
func (c *conn) touch() { c.lastActive.Store(c.api.g.cfg.Clock.Now().UnixMilli()) }

// checkLimits runs when a limit may have been reached.
func (c *conn) checkLimits() {
	left, quota := c.untilLimit()
	if left <= 0 && quota != "" {
		c.api.g.notice(notice{slog.LevelInfo, "connection has reached a quota", quota, c.api.def.LogicalID})
		c.close(ws.StatusGoingAway, goingAway)
	}
}

// untilLimit says how long the connection may go on by which quota, and sets the
// timer to that.
func (c *conn) untilLimit() (left time.Duration, quota string) {
	c.mu.Lock() // so that end, which stops the timer, comes before or after
	defer c.mu.Unlock()
	if c.closing {
		return 0, ""
	}
	now := c.api.g.cfg.Clock.Now()
	left, quota = time.UnixMilli(c.lastActive.Load()).Add(c.in.quotas.Idle).Sub(now), quotaIdle
	if end := c.connectedAt.Add(c.in.quotas.Duration).Sub(now); end < left {
		left, quota = end, quotaDuration
	}
	if left > 0 {
		c.timer.Reset(left)
	}
	return left, quota
}

// serve reads until the connection ends. Each message is handled by the
// goroutine that has read it, which is awake, while a new one reads on.
func (c *conn) serve() {
	defer c.api.g.tasks.Done()
	message, why, payload := c.read()
	if why == nil {
		c.dispatch(message)
		return
	}
	c.end(why, payload)
	// Wait for the client to close its side: closing ours with data unread
	// would reset the connection, and the client might never see why.
	for {
		if _, err := c.nc.Read(c.in.buf[:]); err != nil {
			break
		}
	}
	c.nc.Close()
	c.grace.Stop()
	c.api.mu.Lock()
	delete(c.api.conns, c.id)
	c.api.mu.Unlock()
}

// read handles control frames until there is a message, which it returns, or a
// reason to end the connection, with the close frame's payload, nil for no frame.
func (c *conn) read() (message []byte, why *closeError, payload []byte) {
	for {
		op, payload, err := c.in.next()
		if err == nil && c.isClosing() {
			return nil, errEnded, nil
		}
		if err != nil {
			return nil, c.failed(err), closeBody(err)
		}
		switch op {
		case ws.OpText:
			c.touch()
			return payload, nil, nil
		case ws.OpPing: // does not count as activity: that is not documented
			c.send(frameOf(ws.OpPong, payload))
		case ws.OpClose:
			code, reason, err := parseClose(payload)
			switch {
			case err != nil:
				return nil, c.failed(err), closeBody(err)
			case code == ws.StatusNoStatusRcvd:
				return nil, &closeError{code: code, reason: reason}, []byte{}
			}
			return nil, &closeError{code: code, reason: reason}, payload[:2]
		}
	}
}

// failed is why a connection ends that cannot be read.
func (c *conn) failed(err error) *closeError {
	var wrong *closeError
	if !errors.As(err, &wrong) {
		return &closeError{code: ws.StatusAbnormalClosure, reason: closedAbrupt}
	}
	if wrong.quota != "" {
		c.api.g.exceeded(wrong.quota, c.api.def.LogicalID)
	}
	return wrong
}

// closeBody is the payload of the close frame for what a client has done wrong,
// or nil.
func closeBody(err error) []byte {
	var wrong *closeError
	if !errors.As(err, &wrong) {
		return nil
	}
	return ws.NewCloseFrameBody(wrong.code, wrong.reason)
}

// dispatch handles a message, once fewer than maxInFlight are being handled, and
// lets another goroutine read the next one meanwhile.
func (c *conn) dispatch(message []byte) {
	if c.slots == nil {
		c.slots = make(chan struct{}, maxInFlight)
	}
	c.slots <- struct{}{}
	c.api.g.tasks.Add(1)
	go c.serve()
	c.message(message)
	<-c.slots
}

// message runs the route of a message, and logs that.
func (c *conn) message(message []byte) {
	o := c.api.log.begin()
	ev, refused := c.runRoute(message, o)
	if refused != 0 {
		c.sendError(refusalMessage(refused), ev.RequestID)
		o.end(refused, refusalMessage(refused))
	} else {
		o.end(http.StatusOK, "")
	}
	c.api.log.writeSocket(o, ev, c.domainPrefix())
}

// runRoute runs the route of a message. It returns the context of the message's
// event, and the status that stands for the error that the client gets, or 0.
func (c *conn) runRoute(message []byte, o *outcome) (ev socketContext, refused int) {
	if !c.api.g.allowRequest(c.api.def.LogicalID) {
		return c.messageEvent("", nil).RequestContext, http.StatusTooManyRequests
	}
	route := c.api.route(message)
	if route == nil {
		return c.messageEvent("", nil).RequestContext, http.StatusForbidden
	}
	if !c.api.g.allowRoute(c.api.throttles, route.Key, c.api.def.LogicalID) {
		return c.messageEvent(route.Key, nil).RequestContext, http.StatusTooManyRequests
	}
	event := c.messageEvent(route.Key, message)
	return event.RequestContext, c.integrate(route, event, o.integrationStep())
}

// integrate calls the function of a message's route.
func (c *conn) integrate(route *template.WebSocketRoute, ev socketEvent, s *step) (refused int) {
	log := c.api.g.cfg.Log.With("api", c.api.def.LogicalID, "route", route.Key)
	out, err := c.api.g.invoke(s, route.FunctionARN, route.Timeout, encode(ev))
	if err == errTimeout {
		log.Warn("integration timed out", "quota", quotaTimeout, "timeout", c.api.g.timeout(route.Timeout))
		return http.StatusGatewayTimeout
	}
	var ans answer
	if err == nil {
		ans, err = messageAnswer(out, c.api.g.cfg.Quotas.MessageBytes)
	}
	s.end(ans.status, err)
	if err != nil {
		log.Warn("integration failed", "error", err)
		return http.StatusInternalServerError
	}
	if route.TwoWay && ans.body != "" {
		if err := c.sendText(frameOf(ws.OpText, []byte(ans.body))); err != nil {
			log.Warn("answer could not be sent", "error", err)
		}
	}
	return 0
}

func messageAnswer(out []byte, limit int) (answer, error) {
	ans, err := proxyAnswer(out)
	if err == nil && len(ans.body) > limit {
		err = fmt.Errorf("%w: the body has %d bytes, more than the quota of %s, %d", errMalformed, len(ans.body), quotaMessage, limit)
	}
	return ans, err
}

// sendError sends an error frame with the service's own spacing.
func (c *conn) sendError(message, requestID string) {
	c.sendText(frameOf(ws.OpText, fmt.Appendf(nil, `{"message": "%s", "connectionId":"%s", "requestId":"%s"}`, message, c.id, requestID)))
}

// close ends the connection from the server's side. It says whether the
// connection was still open.
func (c *conn) close(code ws.StatusCode, reason string) bool {
	return c.end(&closeError{code: code, reason: reason}, ws.NewCloseFrameBody(code, reason))
}

// end ends an open connection: from here on it is gone for @connections. It
// sends a close frame, unless payload is nil, and nothing after it, and runs
// $disconnect. The read loop ends when the client has closed too or the grace
// is over.
func (c *conn) end(why *closeError, payload []byte) bool {
	g := c.api.g
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return false
	}
	g.tasks.Add(1) // for $disconnect
	if payload != nil {
		c.write(frameOf(ws.OpClose, payload))
	}
	c.closing = true
	c.timer.Stop()
	c.grace = time.AfterFunc(closeGrace, func() { c.nc.Close() })
	written := !c.flushing // or flush has to do the rest
	c.mu.Unlock()
	go func() {
		defer g.tasks.Done()
		c.disconnect(int(why.code), why.reason)
	}()
	if written {
		c.closeWrite()
	}
	return true
}

// disconnect runs the $disconnect route, if there is one, and logs that. The
// function's answer is ignored.
func (c *conn) disconnect(code int, reason string) {
	o, route := c.api.log.begin(), c.api.def.Routes["$disconnect"]
	if route == nil && o == nil {
		return
	}
	ev := c.disconnectEvent(code, reason)
	o.end(http.StatusOK, "")
	if route != nil {
		if _, err := c.api.g.invoke(o.integrationStep(), route.FunctionARN, route.Timeout, encode(ev)); err != nil {
			c.api.g.cfg.Log.Warn("integration failed", "api", c.api.def.LogicalID, "route", "$disconnect", "error", err)
			o.end(http.StatusInternalServerError, refusalMessage(http.StatusInternalServerError))
		}
	}
	c.api.log.writeSocket(o, ev.RequestContext, c.domainPrefix())
}
