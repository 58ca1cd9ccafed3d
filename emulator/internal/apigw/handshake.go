// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html

package apigw

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"crypto-ticker/emulator/internal/lambda"
	"crypto-ticker/emulator/internal/tlsport"
)

// checkUpgrade says with which status a request is refused that is no valid
// opening handshake, or 0.
// https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1
func checkUpgrade(r *http.Request) (status int, message string) {
	h := r.Header
	switch {
	case r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1) || !hasToken(h["Upgrade"], "websocket") ||
		!hasToken(h["Connection"], "upgrade") || h.Get("Sec-Websocket-Version") != "13":
		return http.StatusUpgradeRequired, "Upgrade Required"
	case len(r.RequestURI) > maxSocketURL:
		return http.StatusRequestURITooLong, "Request-URI Too Long"
	case headerValues(r) > maxHeaders:
		return http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large"
	}
	if key, err := base64.StdEncoding.DecodeString(h.Get("Sec-Websocket-Key")); err != nil || len(key) != 16 {
		return http.StatusBadRequest, "Bad Request"
	}
	return 0, ""
}

func hasToken(values []string, token string) bool {
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(item), token) {
				return true
			}
		}
	}
	return false
}

// handshake answers 101, or what refuses, and logs that.
func (a *socketAPI) handshake(w http.ResponseWriter, r *http.Request, domain string) {
	if !a.g.begin() {
		writeMessage(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	defer a.g.tasks.Done()
	c, o := newConn(a, r, domain), a.log.begin()
	ev := c.connectEvent(r)
	refused := c.establish(w, r, &ev, o)
	if refused != 0 {
		c.refuse(w, refused, ev.RequestContext.RequestID)
		o.end(refused, refusalMessage(refused))
	} else {
		o.end(http.StatusOK, "")
	}
	a.log.writeSocket(o, ev.RequestContext, c.domainPrefix())
}

// establish asks the authorizer and $connect, in this order, and then opens the
// connection, or returns the status that refuses it.
func (c *conn) establish(w http.ResponseWriter, r *http.Request, ev *socketEvent, o *outcome) (refused int) {
	a := c.api
	if !a.g.allowConnection(a.def.LogicalID) || !a.g.allowRoute(a.throttles, "$connect", a.def.LogicalID) {
		return http.StatusTooManyRequests
	}
	if a.def.Authorizer != nil {
		later, now, refused := c.authorize(*ev, o.authorizerStep())
		if refused != 0 {
			return refused
		}
		c.authorizer, ev.RequestContext.Authorizer = later, now
	}
	protocol, refused := c.connect(*ev, o.integrationStep())
	if refused != 0 {
		return refused
	}
	nc, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		a.g.cfg.Log.Error("connection cannot be taken over for a WebSocket", "error", err)
		return http.StatusInternalServerError
	}
	if c, ok := nc.(*tlsport.Conn); ok {
		nc = c.NetConn()
	}
	early := make([]byte, buffered.Reader.Buffered())
	buffered.Read(early) // what is buffered is read without an error
	c.open(nc, early, switchingProtocols(r.Header.Get("Sec-Websocket-Key"), protocol))
	return 0
}

// connect runs the $connect route, if there is one. It returns the sub-protocol
// that the function selected, or the HTTP status that refuses the handshake.
func (c *conn) connect(ev socketEvent, s *step) (protocol string, refused int) {
	route := c.api.def.Routes["$connect"]
	if route == nil {
		return "", 0
	}
	log := c.api.g.cfg.Log.With("api", c.api.def.LogicalID, "route", "$connect")
	out, err := c.api.g.invoke(s, route.FunctionARN, route.Timeout, encode(ev))
	var failed *lambda.FunctionError
	switch {
	case err == errTimeout:
		log.Warn("integration timed out, so the handshake is refused with 504", "quota", quotaTimeout, "timeout", c.api.g.timeout(route.Timeout))
		return "", http.StatusGatewayTimeout
	case errors.As(err, &failed):
		log.Warn("function failed, so the handshake is refused with 502", "error", err)
		return "", http.StatusBadGateway
	case err != nil:
		log.Warn("function could not be invoked, so the handshake is refused with 500", "error", err)
		return "", http.StatusInternalServerError
	}
	ans, err := proxyAnswer(out)
	if err == nil {
		protocol, err = subprotocol(ans)
	}
	s.end(ans.status, err)
	switch {
	case err != nil:
		log.Warn("answer is malformed, so the handshake is refused with 502", "error", err)
		return "", http.StatusBadGateway
	case ans.status < 200: // no final answer
		return "", http.StatusBadGateway
	case ans.status > 299:
		return "", ans.status
	}
	if protocol != "" && !offers(ev, protocol) {
		log.Warn("function selected a sub-protocol that the client has not offered", "protocol", protocol)
	}
	return protocol, 0
}

// offers says whether the client knows a sub-protocol, of which case counts.
func offers(ev socketEvent, protocol string) bool {
	lists, _ := lookupFold(ev.MultiValueHeaders, "Sec-WebSocket-Protocol")
	for _, list := range lists {
		for item := range strings.SplitSeq(list, ",") {
			if strings.TrimSpace(item) == protocol {
				return true
			}
		}
	}
	return false
}

// subprotocol is the only header of $connect's answer that reaches the client.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html
func subprotocol(ans answer) (string, error) {
	protocol, _ := lookupFold(ans.headers, "Sec-WebSocket-Protocol")
	if values, _ := lookupFold(ans.multi, "Sec-WebSocket-Protocol"); len(values) > 0 {
		protocol = values[0]
	}
	protocol = strings.TrimSpace(protocol)
	for _, r := range protocol {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) {
			return "", fmt.Errorf("%w: sub-protocol %q is no HTTP token", errMalformed, protocol)
		}
	}
	return protocol, nil
}

// refuse answers a handshake with a status other than 101.
func (c *conn) refuse(w http.ResponseWriter, status int, requestID string) {
	writeJSON(w, status, encode(refusal{refusalMessage(status), c.id, requestID}))
}

// refusalMessage is what handshakes and messages are refused with.
func refusalMessage(status int) string {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway:
		return "Internal server error"
	case http.StatusGatewayTimeout:
		return "Endpoint request timed out"
	}
	return http.StatusText(status)
}

type refusal struct {
	Message      string `json:"message"`
	ConnectionID string `json:"connectionId"`
	RequestID    string `json:"requestId"`
}

// switchingProtocols is the answer that accepts a handshake.
func switchingProtocols(key, protocol string) []byte {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	head := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n"
	if protocol != "" {
		head += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	return []byte(head + "\r\n")
}
