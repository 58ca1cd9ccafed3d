// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html

package apigw

import (
	"bytes"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"crypto-ticker/emulator/internal/ids"
	"crypto-ticker/emulator/internal/tlsport"
)

// Times as API Gateway writes them.
const (
	commonLogTime = "02/Jan/2006:15:04:05 -0700"
	isoTime       = "2006-01-02T15:04:05.000Z"
)

// socketEvent is an event of a WebSocket API; which fields are present depends
// on its kind.
type socketEvent struct {
	Type                            string              `json:"type,omitempty"`
	MethodARN                       string              `json:"methodArn,omitempty"`
	Headers                         map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders,omitempty"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	StageVariables                  map[string]string   `json:"stageVariables,omitzero"`
	RequestContext                  socketContext       `json:"requestContext"`
	Body                            *string             `json:"body,omitempty"`
	IsBase64Encoded                 *bool               `json:"isBase64Encoded,omitempty"` // absent for authorizers
}

// socketContext is the requestContext of a WebSocket API's event.
type socketContext struct {
	RouteKey             string          `json:"routeKey"`
	MessageID            string          `json:"messageId,omitempty"`
	EventType            string          `json:"eventType"`
	ExtendedRequestID    string          `json:"extendedRequestId"`
	RequestTime          string          `json:"requestTime"`
	MessageDirection     string          `json:"messageDirection"`
	Stage                string          `json:"stage"`
	ConnectedAt          int64           `json:"connectedAt"`
	RequestTimeEpoch     int64           `json:"requestTimeEpoch"`
	Identity             identity        `json:"identity"`
	RequestID            string          `json:"requestId"`
	DomainName           string          `json:"domainName"`
	ConnectionID         string          `json:"connectionId"`
	APIID                string          `json:"apiId"`
	DisconnectStatusCode int             `json:"disconnectStatusCode,omitempty"`
	DisconnectReason     *string         `json:"disconnectReason,omitempty"`
	Authorizer           json.RawMessage `json:"authorizer,omitempty"`
}

// identity says who is at the other end.
type identity struct {
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent,omitempty"`
}

var notBase64 = new(bool)

// requestContext returns what the contexts of all of a connection's events have
// in common, with ids and times of its own.
func (c *conn) requestContext(eventType, routeKey string) socketContext {
	id, now := ids.Gateway(), c.api.g.cfg.Clock.Now()
	return socketContext{
		RouteKey:          routeKey,
		EventType:         eventType,
		ExtendedRequestID: id,
		RequestTime:       now.UTC().Format(commonLogTime),
		MessageDirection:  "IN",
		Stage:             c.api.def.Stage,
		ConnectedAt:       c.connectedAt.UnixMilli(),
		RequestTimeEpoch:  now.UnixMilli(),
		Identity:          c.identity,
		RequestID:         id,
		DomainName:        c.domain,
		ConnectionID:      c.id,
		APIID:             c.api.def.ID,
		Authorizer:        c.authorizer,
	}
}

// connectEvent is the event of $connect, without the authorizer's context.
func (c *conn) connectEvent(r *http.Request) socketEvent {
	ev := socketEvent{
		StageVariables:  c.api.stageVariables(),
		RequestContext:  c.requestContext("CONNECT", "$connect"),
		IsBase64Encoded: notBase64,
	}
	ev.MultiValueHeaders = socketHeaders(r, c.api.g.port, c.connectedAt)
	ev.Headers = lastValues(ev.MultiValueHeaders)
	if query := parseQuery(r.URL.RawQuery); len(query) > 0 {
		ev.MultiValueQueryStringParameters = query
		ev.QueryStringParameters = lastValues(query)
	}
	return ev
}

// authorizerEvent is the event of the authorizer before $connect's event ev.
func authorizerEvent(ev socketEvent, methodARN string) socketEvent {
	ev.Type, ev.MethodARN = "REQUEST", methodARN
	ev.IsBase64Encoded = nil
	if ev.StageVariables == nil {
		ev.StageVariables = map[string]string{}
	}
	ev.Headers, ev.MultiValueHeaders = maps.Clone(ev.Headers), maps.Clone(ev.MultiValueHeaders)
	for name, value := range map[string]string{"Connection": "upgrade", "content-length": "0", "Upgrade": "websocket"} {
		ev.Headers[name], ev.MultiValueHeaders[name] = value, []string{value}
	}
	return ev
}

func (c *conn) messageEvent(routeKey string, body []byte) socketEvent {
	text := string(body)
	ev := socketEvent{
		StageVariables:  c.api.stageVariables(),
		RequestContext:  c.requestContext("MESSAGE", routeKey),
		Body:            &text,
		IsBase64Encoded: notBase64,
	}
	ev.RequestContext.MessageID = ids.Gateway()
	return ev
}

func (c *conn) disconnectEvent(code int, reason string) socketEvent {
	ev := socketEvent{
		MultiValueHeaders: map[string][]string{
			"Host": {c.domain}, "x-api-key": {""}, "X-Forwarded-For": {""}, "x-restapi": {""},
		},
		StageVariables:  c.api.stageVariables(),
		RequestContext:  c.requestContext("DISCONNECT", "$disconnect"),
		IsBase64Encoded: notBase64,
	}
	ev.Headers = lastValues(ev.MultiValueHeaders)
	ev.RequestContext.DisconnectStatusCode = code
	ev.RequestContext.DisconnectReason = &reason
	return ev
}

// socketHeaders are the headers of a handshake, spelled as the client has, with
// those that API Gateway adds, and without Connection and Upgrade.
func socketHeaders(r *http.Request, port string, now time.Time) map[string][]string {
	spell := spelling(r)
	out := map[string][]string{spell("Host"): {r.Host}}
	added := forwarded(r, port, now)
	for name, values := range r.Header {
		if _, replaced := added[name]; !replaced && name != "Connection" && name != "Upgrade" && name != "Content-Length" {
			out[spell(name)] = values
		}
	}
	for name, value := range added {
		out[name] = []string{value}
	}
	return out
}

// spelling returns how the client has spelled a header's canonical name.
func spelling(r *http.Request) func(name string) string {
	spelled := tlsport.Spellings(r)
	return func(name string) string {
		if s, ok := spelled[name]; ok {
			return s
		}
		if rest, ok := strings.CutPrefix(name, "Sec-Websocket-"); ok {
			return "Sec-WebSocket-" + rest // as most clients do
		}
		return name
	}
}

// forwarded are the headers that API Gateway adds to a request.
func forwarded(r *http.Request, port string, now time.Time) map[string]string {
	proto := "http"
	if tlsport.Of(r).Secure() {
		proto = "https"
	}
	trace := r.Header.Get("X-Amzn-Trace-Id")
	if trace == "" {
		trace = ids.Trace(now)
	}
	return map[string]string{
		"X-Amzn-Trace-Id":   trace,
		"X-Forwarded-For":   strings.Join(append(r.Header.Values("X-Forwarded-For"), sourceIP(r)), ", "),
		"X-Forwarded-Port":  port,
		"X-Forwarded-Proto": proto,
	}
}

// sourceIP is the address of the client, without its port.
func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return strings.Clone(host)
}

// parseQuery decodes a query string; a part that cannot be decoded is left as
// it is.
func parseQuery(raw string) map[string][]string {
	out := map[string][]string{}
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, value = unescapeQuery(name), unescapeQuery(value)
		out[name] = append(out[name], value)
	}
	return out
}

func unescapeQuery(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

func lastValues(multi map[string][]string) map[string]string {
	out := make(map[string]string, len(multi))
	for k, vs := range multi {
		if len(vs) > 0 {
			out[k] = vs[len(vs)-1]
		}
	}
	return out
}

// encode gives v as JSON. Unlike json.Marshal it leaves <, > and & alone.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // events and answers consist of strings and numbers
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
