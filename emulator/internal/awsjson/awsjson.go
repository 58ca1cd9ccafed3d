// Package awsjson is the wire that DynamoDB and Secrets Manager have in common:
// AWS JSON 1.0 and 1.1, one POST per operation, named in X-Amz-Target.
//
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
package awsjson

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"crypto-ticker/emulator/internal/ids"
)

// Operation carries out one request. It gets the request's JSON body and
// returns what is encoded as the answer; a json.RawMessage is sent as it is. An
// *Error reaches the client as that error, any other as an internal one.
type Operation func(ctx context.Context, body []byte) (any, error)

// Service is a set of operations behind one X-Amz-Target prefix.
type Service struct {
	Target  string // such as DynamoDB_20120810
	Version string // 1.0 or 1.1
	MaxBody int64  // bytes
	// Compress is the length from which on an answer is compressed for clients
	// that accept it; none is if 0.
	Compress   int
	Operations map[string]Operation
	// Unknown is the error for an operation that Operations lacks.
	Unknown func(operation string) *Error
	// Internal is the error type for what is not the client's fault.
	Internal string
	Log      *slog.Logger
}

// Error is an error of the service's model.
type Error struct {
	Status  int    // HTTP status; 400 if 0
	Type    string // with its namespace, as it stands in __type
	Message string // none is sent if empty
	// MessageKey is message or Message; message if empty.
	MessageKey string
	// Fields are further members of the error's shape.
	Fields map[string]any
}

// Error gives the type and the message.
func (e *Error) Error() string { return e.Type + ": " + e.Message }

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["X-Amzn-Requestid"] = []string{ids.RequestID()}
	name, found := strings.CutPrefix(r.Header.Get("X-Amz-Target"), s.Target+".")
	op := s.Operations[name]
	if !found || op == nil {
		s.fail(w, r, s.Unknown(name))
		return
	}
	body, err := s.read(w, r)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		s.fail(w, r, &Error{Status: http.StatusRequestEntityTooLarge,
			Type:    "com.amazon.coral.service#RequestEntityTooLargeException",
			Message: fmt.Sprintf("Request size exceeded %d bytes", s.MaxBody)})
		return
	} else if errors.Is(err, errEncoding) {
		s.fail(w, r, &Error{Type: "com.amazon.coral.service#SerializationException", Message: err.Error(), MessageKey: "Message"})
		return
	} else if err != nil {
		w.WriteHeader(http.StatusBadRequest) // the body ended before its time: the client has gone
		return
	}
	out, err := op(r.Context(), body)
	if err == nil {
		s.answer(w, r, http.StatusOK, out)
		return
	}
	var e *Error
	if !errors.As(err, &e) {
		s.Log.Error("internal error", "operation", name, "error", err)
		e = &Error{Status: http.StatusInternalServerError, Type: s.Internal, Message: "Internal server error"}
	}
	s.fail(w, r, e)
}

// read reads the body into a buffer that has its size from the start, as far as
// the client can be trusted to tell it.
func (s *Service) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	const trusted = 64 << 10
	expected := min(max(r.ContentLength, 0), trusted)
	body := bytes.NewBuffer(make([]byte, 0, expected+bytes.MinRead))
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, s.MaxBody))
	switch encoding := r.Header.Get("Content-Encoding"); {
	case err != nil || encoding == "" || encoding == "identity":
		return body.Bytes(), err
	case encoding != "gzip":
		return nil, fmt.Errorf("%w: only gzip is understood", errEncoding)
	}
	return s.unzip(body)
}

// errEncoding is the error for a body that is not of its Content-Encoding.
var errEncoding = errors.New("the body is not of its Content-Encoding")

// unzip gives what a compressed body holds, which is no longer than others.
func (s *Service) unzip(body io.Reader) ([]byte, error) {
	unzipped, err := gzip.NewReader(body)
	if err != nil {
		return nil, fmt.Errorf("%w: no gzip", errEncoding)
	}
	out, err := io.ReadAll(io.LimitReader(unzipped, s.MaxBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: damaged gzip", errEncoding)
	case int64(len(out)) > s.MaxBody:
		return nil, &http.MaxBytesError{Limit: s.MaxBody}
	}
	return out, nil
}

func (s *Service) fail(w http.ResponseWriter, r *http.Request, e *Error) {
	body := map[string]any{"__type": e.Type}
	for k, v := range e.Fields {
		body[k] = v
	}
	key := e.MessageKey
	if key == "" {
		key = "message"
	}
	if e.Message != "" {
		body[key] = e.Message
	}
	status := e.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	s.answer(w, r, status, body)
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if body, err = encode(v); err != nil {
			s.Log.Error("answer cannot be encoded", "error", err)
			status, body = http.StatusInternalServerError, []byte(`{"__type":"`+s.Internal+`"}`)
		}
	}
	h := w.Header()
	if accepted := r.Header["Accept-Encoding"]; len(accepted) > 0 && s.Compress > 0 && len(body) >= s.Compress {
		if name := encoding(accepted[len(accepted)-1]); name != "" { // the last counts, as on AWS
			h["Content-Encoding"] = []string{name}
			body = compress(name, body)
		}
	}
	h["Content-Type"] = []string{"application/x-amz-json-" + s.Version}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["X-Amz-Crc32"] = []string{strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)}
	w.WriteHeader(status)
	w.Write(body) // an error means that the client has gone
}

// encode gives a value's JSON, with the signs < > & as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}
