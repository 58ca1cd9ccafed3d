// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html

package apigw

import (
	"bytes"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"crypto-ticker/emulator/internal/ids"
)

// managementError is an error of the management API. SDKs take its type from a
// header; the body is empty where the service's is.
// https://docs.aws.amazon.com/apigatewaymanagementapi/latest/developerguide/
type managementError struct {
	status  int
	kind    string
	message string
}

var (
	gone      = managementError{http.StatusGone, "GoneException", ""}
	forbidden = managementError{http.StatusForbidden, "ForbiddenException", "Forbidden"}
	unsigned  = managementError{http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token"}
	tooLarge  = managementError{http.StatusRequestEntityTooLarge, "PayloadTooLargeException", "Message too long"}
	throttled = managementError{http.StatusTooManyRequests, "LimitExceededException", "Too Many Requests"}
	limited   = managementError{http.StatusTooManyRequests, "LimitExceededException", "The client's buffer is full"}
)

// noMethod is the answer to what a mapping does not lead to.
// https://github.com/aws-samples/simple-websockets-chat-app/issues/40
func noMethod(method, escaped string) managementError {
	path, err := url.PathUnescape(escaped)
	if err != nil {
		path = escaped
	}
	return managementError{http.StatusNotFound, "NotFoundException",
		"No method found matching route " + strings.TrimPrefix(path, "/") + " for http method " + method + "."}
}

func (e managementError) write(w http.ResponseWriter) {
	managementHeaders(w)
	w.Header()["x-amzn-ErrorType"] = []string{e.kind}
	if e.message == "" {
		w.WriteHeader(e.status)
		return
	}
	writeMessage(w, e.status, e.message)
}

// managementHeaders adds what every answer carries, in the service's spelling.
func managementHeaders(w http.ResponseWriter) {
	h, values := w.Header(), []string{ids.RequestID(), ids.Gateway()}
	h["x-amzn-RequestId"] = values[:1:1]
	h["x-amz-apigw-id"] = values[1:]
}

// connectionOfPath returns the id, as it is escaped, in /@connections/{id}; it
// may be empty.
func connectionOfPath(escaped string) (id string, ok bool) {
	segment, rest := cutSegment(escaped)
	if segment != "@connections" && !strings.EqualFold(segment, "%40connections") {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

// serveConnection serves /{stage}/@connections/{id}.
func (a *socketAPI) serveConnection(w http.ResponseWriter, r *http.Request, escaped string) {
	if a.g.cfg.VerifySignatures { // SDKs correct their clocks by the date of an answer
		w.Header()["Date"] = []string{a.g.cfg.Clock.Now().UTC().Format(http.TimeFormat)}
	}
	if !isSigned(r) || escaped == "" {
		unsigned.write(w) // which is also the answer to a resource or method that there is not
		return
	}
	if a.g.cfg.VerifySignatures && !a.verified(w, r) {
		return
	}
	if !a.g.allowRequest(a.def.LogicalID) {
		throttled.write(w)
		return
	}
	id, err := url.PathUnescape(escaped)
	if err != nil || !isConnectionID(id) {
		managementError{http.StatusBadRequest, "BadRequestException", "Invalid connectionId: " + id}.write(w)
		return
	}
	switch r.Method {
	case http.MethodPost:
		a.post(w, r, id)
	case http.MethodGet:
		a.get(w, id)
	case http.MethodDelete:
		c := a.find(id)
		if c == nil || !c.close(ws.StatusNormalClosure, closedNormal) {
			gone.write(w)
			return
		}
		managementHeaders(w)
		w.WriteHeader(http.StatusNoContent)
	default:
		unsigned.write(w)
	}
}

// verified checks the signature and leaves the body to be read again. It answers
// the request if it returns false.
func (a *socketAPI) verified(w http.ResponseWriter, r *http.Request) bool {
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(a.g.cfg.Quotas.MessageBytes)+1))
	switch {
	case err != nil:
		w.WriteHeader(http.StatusBadRequest) // the body ended before its time: the caller has gone
		return false
	case len(body) > a.g.cfg.Quotas.MessageBytes:
		a.refuseSize(w)
		return false
	}
	if refused := a.g.verify(r, body); refused != nil {
		a.g.cfg.Log.Warn("signature is refused", "api", a.def.LogicalID, "type", refused.kind)
		refused.write(w)
		return false
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return true
}

func isConnectionID(id string) bool {
	var b [12]byte
	if len(id) != 16 { // the decoder skips line breaks
		return false
	}
	n, err := base64.URLEncoding.Strict().Decode(b[:], []byte(id))
	return err == nil && n == 11
}

// post sends the request's body to the client as one text message.
func (a *socketAPI) post(w http.ResponseWriter, r *http.Request, id string) {
	frame := newOutFrame()
	defer frame.release()
	ok, err := frame.readFrom(r, a.g.cfg.Quotas.MessageBytes)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest) // the body ended before its time: the caller has gone
		return
	}
	if !ok {
		a.refuseSize(w)
		return
	}
	c := a.find(id)
	if c == nil {
		gone.write(w)
		return
	}
	if !utf8.Valid(frame.buf[headroom:]) {
		a.g.notice(notice{level: slog.LevelWarn, text: "a posted message is no UTF-8: clients will close the connection", api: a.def.LogicalID})
	}
	switch c.sendText(frame.finish(ws.OpText)) {
	case errGone:
		gone.write(w)
	case errFull:
		limited.write(w)
	default:
		managementHeaders(w)
		w.WriteHeader(http.StatusOK)
	}
}

func (a *socketAPI) refuseSize(w http.ResponseWriter) {
	a.g.exceeded(quotaMessage, a.def.LogicalID)
	tooLarge.write(w)
}

// readFrom appends the request's body to the frame; ok is false if it is larger
// than limit.
func (f *outFrame) readFrom(r *http.Request, limit int) (ok bool, err error) {
	if r.ContentLength > int64(limit) {
		return false, nil
	}
	if n := int(r.ContentLength); n >= 0 {
		f.buf = slices.Grow(f.buf, n)[:headroom+n]
		_, err := io.ReadFull(r.Body, f.buf[headroom:])
		return true, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	f.buf = append(f.buf, body...)
	return len(body) <= limit, err
}

// connectionInfo is the answer to GET.
type connectionInfo struct {
	ConnectedAt  string   `json:"connectedAt"`
	Identity     identity `json:"identity"`
	LastActiveAt string   `json:"lastActiveAt"`
}

func (a *socketAPI) get(w http.ResponseWriter, id string) {
	c := a.find(id)
	if c == nil {
		gone.write(w)
		return
	}
	managementHeaders(w)
	writeJSON(w, http.StatusOK, encode(connectionInfo{
		ConnectedAt:  c.connectedAt.UTC().Format(isoTime),
		Identity:     c.identity,
		LastActiveAt: time.UnixMilli(c.lastActive.Load()).UTC().Format(isoTime),
	}))
}
