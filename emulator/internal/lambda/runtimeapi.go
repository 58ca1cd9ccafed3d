package lambda

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"crypto-ticker/emulator/internal/ids"
)

// conn is a connection of a runtime to its Runtime API.
//
// The answers are written by hand, not by net/http's server: a runtime that
// waits for an event then costs no goroutine but the one that reads its
// connection, and the event is written by the goroutine that brings it.
type conn struct {
	in *instance
	c  net.Conn
}

// serve answers requests until the connection ends.
func (c *conn) serve() {
	in := c.in
	defer in.served.Done()
	defer func() {
		c.c.Close()
		in.connMu.Lock()
		delete(in.conns, c)
		in.connMu.Unlock()
		in.f.unwait(in, c)
	}()
	br := bufio.NewReader(c.c)
	for {
		req, err := http.ReadRequest(br)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && br.Buffered() > 0 {
				c.fail(http.StatusBadRequest, "InvalidRequest", "The request is not HTTP.")
			}
			return
		}
		if !c.handle(req) || req.Close {
			return
		}
	}
}

// handle answers one request; it says whether the connection can go on.
func (c *conn) handle(req *http.Request) bool {
	if c.waits() {
		c.fail(http.StatusBadRequest, "InvalidRequest", "A request came before the answer to the one before.")
		return false
	}
	if req.Header.Get("Expect") == "100-continue" {
		io.WriteString(c.c, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	body, err := readBody(req)
	if err != nil && !errors.Is(err, errTooLarge) {
		return false // the runtime has gone while it sent
	}
	path := req.URL.Path
	if req.Method == http.MethodGet && path == "/2018-06-01/runtime/invocation/next" {
		return c.next(req)
	}
	if req.Method == http.MethodPost {
		rest, isInvocation := strings.CutPrefix(path, "/2018-06-01/runtime/invocation/")
		id, verb, _ := strings.Cut(rest, "/")
		switch {
		case isInvocation && verb == "response":
			return c.response(req, id, body, err)
		case isInvocation && verb == "error":
			return c.error(req, id, body)
		case path == "/2018-06-01/runtime/init/error":
			return c.initError(req, body)
		case path == "/2020-01-01/extension/register":
			return c.register()
		}
	}
	if req.Method == http.MethodGet && path == "/2020-01-01/extension/event/next" {
		// Extensions within the process get no events: they are told of the
		// end by SIGTERM. The request stays open.
		io.Copy(io.Discard, c.c)
		return false
	}
	return c.fail(http.StatusNotFound, "InvalidPath", "No such operation: "+req.Method+" "+path)
}

// waits says whether the connection is owed an event.
func (c *conn) waits() bool {
	c.in.f.mu.Lock()
	defer c.in.f.mu.Unlock()
	return c.in.waiting == c
}

func (c *conn) next(req *http.Request) bool {
	if !c.in.f.next(c.in, c) {
		return c.badState("Ready")
	}
	// Whoever brings the event answers; the runtime ends the connection itself
	// if that was its wish.
	req.Close = false
	return true
}

// response takes a function's answer.
func (c *conn) response(req *http.Request, id string, body []byte, tooLong error) bool {
	inv := c.invocation(id)
	if inv == nil {
		return c.unexpected(id, "InvocationResponse")
	}
	r := result{payload: body}
	if kind := req.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		// The answer broke off while it was being streamed.
		r = result{err: streamError(kind, req.Trailer.Get("Lambda-Runtime-Function-Error-Body"))}
	}
	if tooLong != nil {
		return c.finish(inv, "InvocationResponse", result{err: tooLarge()}, failed(http.StatusRequestEntityTooLarge,
			"RequestEntityTooLarge", "Exceeded maximum allowed payload size (6291556 bytes)."))
	}
	return c.finish(inv, "InvocationResponse", r, accepted)
}

// finish passes on the result of the instance's event and answers the runtime.
//
// The event is over before the answer, since the runtime may ask for the next
// one on another connection as soon as it has that. The runtime gets its answer
// before the caller, so that it is about to ask when the caller's next event
// comes.
func (c *conn) finish(inv *invocation, what string, r result, answer string) bool {
	if !c.in.f.finish(c.in, inv) {
		return c.badState(what) // its time was over just now
	}
	ok := c.write(answer)
	inv.done <- r
	return ok
}

func streamError(kind, body string) *FunctionError {
	payload, err := base64.StdEncoding.DecodeString(body)
	if err != nil || !json.Valid(payload) {
		return unhandled(kind, "The function's answer broke off.")
	}
	return &FunctionError{Payload: payload, Kind: "Unhandled"}
}

// error takes a function's error.
func (c *conn) error(req *http.Request, id string, body []byte) bool {
	inv := c.invocation(id)
	if inv == nil {
		return c.unexpected(id, "InvocationErrorResponse")
	}
	return c.finish(inv, "InvocationErrorResponse", result{err: reported(req, body)}, accepted)
}

// initError takes the reason why a function cannot start, and ends it: a runtime
// that does not exit by itself would hold up its event.
func (c *conn) initError(req *http.Request, body []byte) bool {
	err := reported(req, body)
	f := c.in.f
	f.mu.Lock()
	ok := c.in.state == starting && c.in.initError == nil
	if ok {
		c.in.initError = func(*invocation) *FunctionError { return err }
	}
	f.mu.Unlock()
	if !ok {
		return c.badState("InitError")
	}
	c.write(accepted)
	f.mu.Lock()
	defer f.mu.Unlock()
	c.in.kill()
	return false
}

// reported is the error that a runtime has posted.
func reported(req *http.Request, body []byte) *FunctionError {
	if !json.Valid(body) {
		kind := req.Header.Get("Lambda-Runtime-Function-Error-Type")
		if kind == "" {
			kind = "Runtime.Unknown"
		}
		return unhandled(kind, string(body))
	}
	return &FunctionError{Payload: body, Kind: "Unhandled"}
}

// register takes an extension, which makes the end come with a SIGTERM.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func (c *conn) register() bool {
	f := c.in.f
	f.mu.Lock()
	c.in.extension = true
	f.mu.Unlock()
	body, err := json.Marshal(map[string]string{
		"functionName": f.def.Name, "functionVersion": latest, "handler": f.def.Handler,
	})
	if err != nil {
		return false
	}
	return c.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Extension-Identifier: " +
		ids.RequestID() + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + string(body))
}

// invocation returns the instance's current event if that is its id.
func (c *conn) invocation(id string) *invocation {
	c.in.f.mu.Lock()
	defer c.in.f.mu.Unlock()
	if inv := c.in.current; inv != nil && inv.id == id {
		return inv
	}
	return nil
}

// unexpected refuses an answer to what has not been asked, or no longer.
func (c *conn) unexpected(id, what string) bool {
	c.in.f.mu.Lock()
	busy := c.in.state == busy
	c.in.f.mu.Unlock()
	if busy {
		return c.fail(http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
	}
	return c.badState(what)
}

func (c *conn) badState(to string) bool {
	return c.fail(http.StatusForbidden, "InvalidStateTransition",
		"State transition to "+to+" failed for runtime. Error: State transition is not allowed")
}

const accepted = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + `{"status":"OK"}`

// fail answers with an error; it says whether the connection can go on.
func (c *conn) fail(status int, kind, message string) bool {
	return c.write(failed(status, kind, message))
}

// failed is the answer that tells of an error.
func failed(status int, kind, message string) string {
	body := unhandled(kind, message).Payload
	return "HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) +
		"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + string(body)
}

func (c *conn) write(s string) bool {
	_, err := io.WriteString(c.c, s)
	return err == nil
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// writeEvent answers a request for the next event.
func (c *conn) writeEvent(inv *invocation) error {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	b := append((*buf)[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: "...)
	b = append(b, inv.id...)
	b = append(b, "\r\nLambda-Runtime-Deadline-Ms: "...)
	b = strconv.AppendInt(b, inv.deadline.UnixMilli(), 10)
	b = append(b, "\r\nLambda-Runtime-Invoked-Function-Arn: "...)
	b = append(b, inv.arn()...)
	b = append(b, "\r\nLambda-Runtime-Trace-Id: "...)
	b = append(b, inv.trace...)
	if inv.clientContext != "" {
		b = append(b, "\r\nLambda-Runtime-Client-Context: "...)
		b = append(b, inv.clientContext...)
	}
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(inv.event)), 10)
	b = append(b, "\r\n\r\n"...)
	if len(inv.event) <= 32<<10 {
		b = append(b, inv.event...)
		*buf = b
		_, err := c.c.Write(b)
		return err
	}
	*buf = b
	parts := net.Buffers{b, inv.event}
	_, err := parts.WriteTo(c.c)
	return err
}

var errTooLarge = errors.New("body too large")

// readBody reads a body and its trailers. Of one that is too large it reads the
// rest too, since a runtime that is still sending would not see the answer.
func readBody(req *http.Request) ([]byte, error) {
	if req.Body == http.NoBody {
		return nil, nil
	}
	if n := req.ContentLength; n >= 0 && n <= maxResponse {
		body := make([]byte, n)
		_, err := io.ReadFull(req.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, maxResponse+1))
	if err != nil || len(body) <= maxResponse {
		return body, err
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return nil, err
	}
	return nil, errTooLarge
}
