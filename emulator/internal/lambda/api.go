package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"crypto-ticker/emulator/internal/ids"
)

// maxClientContext is the size in bytes of X-Amz-Client-Context.
const maxClientContext = 3583

// apiError is an error of the Lambda API.
type apiError struct {
	status  int
	kind    string
	typ     string // User, Service or none
	message string
	reason  string // of TooManyRequestsException
}

var internalError = &apiError{http.StatusInternalServerError, "ServiceException", "Service", "Internal server error", ""}

// ServeHTTP answers the Lambda API: Invoke, GetFunction, ListFunctions.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["X-Amzn-Requestid"] = []string{ids.RequestID()}
	if r.Header["Authorization"] == nil && r.URL.Query().Get("X-Amz-Signature") == "" {
		// Signatures are not verified. But what no SDK has signed may be a page
		// in this machine's browser, which may post to any address.
		fail(w, &apiError{http.StatusForbidden, "MissingAuthenticationTokenException", "", "Missing Authentication Token", ""})
		return
	}
	path, isFunctions := strings.CutPrefix(r.URL.EscapedPath(), "/2015-03-31/functions")
	name, verb, _ := strings.Cut(strings.Trim(path, "/"), "/")
	name, err := url.PathUnescape(name)
	switch {
	case !isFunctions || err != nil:
	case r.Method == http.MethodGet && name == "":
		s.listFunctions(w)
		return
	case r.Method == http.MethodGet && verb == "":
		s.getFunction(w, r, name)
		return
	case r.Method == http.MethodPost && verb == "invocations":
		s.serveInvoke(w, r, name)
		return
	}
	fail(w, &apiError{http.StatusNotFound, "UnknownOperationException", "User",
		"The emulator has Invoke, GetFunction and ListFunctions of the Lambda API.", ""})
}

func (s *Service) serveInvoke(w http.ResponseWriter, r *http.Request, name string) {
	t, bad := s.named(r, name)
	if bad != nil {
		fail(w, bad)
		return
	}
	inv, bad := s.readInvocation(r, t)
	if bad != nil {
		fail(w, bad)
		return
	}
	// Each answer has the id of the event, which the function sees too.
	w.Header()["X-Amzn-Requestid"] = []string{inv.id}
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
		s.serveResult(w, r, inv)
	case "Event":
		if err := s.queue(inv); err != nil {
			s.failWith(w, inv.function, err)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
	default:
		fail(w, &apiError{http.StatusBadRequest, "InvalidParameterValueException", "User",
			fmt.Sprintf("Value '%s' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]", kind), ""})
	}
}

// serveResult runs the invocation and answers with its result.
func (s *Service) serveResult(w http.ResponseWriter, r *http.Request, inv *invocation) {
	if r.Header.Get("X-Amz-Log-Type") == "Tail" {
		inv.tail = new(tail)
	}
	payload, err := inv.run(r.Context())
	h := w.Header()
	var failed *FunctionError
	switch {
	case errors.As(err, &failed):
		payload = failed.Payload
		h["X-Amz-Function-Error"] = []string{failed.Kind}
	case err != nil:
		s.failWith(w, inv.function, err)
		return
	}
	if inv.tail != nil {
		h["X-Amz-Log-Result"] = []string{base64.StdEncoding.EncodeToString(inv.log(failed))}
	}
	payload = orNull(payload)
	h["X-Amz-Executed-Version"] = []string{inv.version()}
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(payload))}
	w.Write(payload) // an error means that the caller has gone
}

// named finds the function that a request names, in its path and Qualifier.
func (s *Service) named(r *http.Request, name string) (target, *apiError) {
	if q := r.URL.Query().Get("Qualifier"); q != "" {
		name = strings.TrimSuffix(name, ":"+q) + ":" + q
	}
	t, err := s.find(name)
	if err != nil {
		arn := name
		if !strings.HasPrefix(arn, "arn:") {
			arn = fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", s.cfg.Region, s.cfg.AccountID, name)
		}
		return t, &apiError{http.StatusNotFound, "ResourceNotFoundException", "User", "Function not found: " + arn, ""}
	}
	return t, nil
}

// readInvocation makes an invocation of a request.
func (s *Service) readInvocation(r *http.Request, t target) (*invocation, *apiError) {
	limit := maxPayload
	if r.Header.Get("X-Amz-Invocation-Type") == "Event" {
		limit = maxAsyncPayload
	}
	event, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	if err != nil {
		return nil, &apiError{http.StatusBadRequest, "InvalidRequestContentException", "User", "The request body could not be read.", ""}
	}
	if len(event) > limit {
		io.Copy(io.Discard, io.LimitReader(r.Body, 64<<20)) // so that the caller, who is sending, sees the answer
		return nil, &apiError{http.StatusRequestEntityTooLarge, "RequestTooLargeException", "User",
			fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", limit), ""}
	}
	if len(event) == 0 {
		event = []byte("{}")
	}
	if !json.Valid(event) {
		return nil, &apiError{http.StatusBadRequest, "InvalidRequestContentException", "User",
			"Could not parse request body into json: " + jsonFault(event), ""}
	}
	inv := s.newInvocation(t, event)
	if trace := r.Header.Get("X-Amzn-Trace-Id"); trace != "" {
		inv.trace = trace
	}
	var problem string
	if inv.clientContext, problem = clientContext(r.Header.Get("X-Amz-Client-Context")); problem != "" {
		return nil, &apiError{http.StatusBadRequest, "InvalidRequestContentException", "User", problem, ""}
	}
	return inv, nil
}

func jsonFault(b []byte) string {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err.Error()
	}
	return "not JSON"
}

// clientContext returns the JSON of a client context in one line, as it has to
// fit into a header; or what is wrong with it.
func clientContext(encoded string) (line, problem string) {
	if encoded == "" {
		return "", ""
	}
	if len(encoded) > maxClientContext {
		return "", fmt.Sprintf("Client context must be at most %d bytes", maxClientContext)
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	var b bytes.Buffer
	if err != nil || json.Compact(&b, text) != nil {
		return "", "Client context must be a valid Base64-encoded JSON object."
	}
	return b.String(), ""
}

// failWith answers with the error of an invocation that reached no function.
func (s *Service) failWith(w http.ResponseWriter, f *function, err error) {
	switch {
	case errors.Is(err, ErrThrottled):
		fail(w, &apiError{http.StatusTooManyRequests, "TooManyRequestsException", "User",
			"Rate Exceeded.", "ReservedFunctionConcurrentInvocationLimitExceeded"})
	case errors.Is(err, ErrClosed), errors.Is(err, context.Canceled):
		fail(w, internalError)
	default:
		s.log.Error("invoke", "function", f.def.LogicalID, "error", err)
		fail(w, internalError)
	}
}

func fail(w http.ResponseWriter, e *apiError) {
	key := "message"
	if e.kind == "ResourceNotFoundException" || e.kind == "ServiceException" {
		key = "Message" // the model spells it so in these
	}
	body := map[string]string{key: e.message}
	if e.typ != "" {
		body["Type"] = e.typ
	}
	if e.reason != "" {
		body["Reason"] = e.reason
	}
	w.Header()["X-Amzn-Errortype"] = []string{e.kind}
	answer(w, e.status, body)
}

func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte("{}")
	}
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	w.Write(body) // an error means that the caller has gone
}

// configuration is what ListFunctions and GetFunction tell of a function.
func (t target) configuration() map[string]any {
	return map[string]any{
		"FunctionName":  t.def.Name,
		"FunctionArn":   t.arn(),
		"Runtime":       t.def.Runtime,
		"Handler":       t.def.Handler,
		"Timeout":       int(t.def.Timeout.Seconds()),
		"MemorySize":    t.def.MemoryMB,
		"PackageType":   "Zip",
		"Version":       t.version(),
		"State":         "Active",
		"LoggingConfig": t.loggingConfig(),
		"Environment":   map[string]any{"Variables": t.def.Environment},
	}
}

func (f *function) loggingConfig() map[string]string {
	l := f.def.Logging
	m := map[string]string{"LogFormat": l.Format, "LogGroup": l.Group}
	if l.Level != "" {
		m["ApplicationLogLevel"] = l.Level
	}
	return m
}

func (s *Service) listFunctions(w http.ResponseWriter) {
	list := []any{}
	for _, f := range s.order {
		list = append(list, target{function: f}.configuration())
	}
	answer(w, http.StatusOK, map[string]any{"Functions": list})
}

func (s *Service) getFunction(w http.ResponseWriter, r *http.Request, name string) {
	t, bad := s.named(r, name)
	if bad != nil {
		fail(w, bad)
		return
	}
	out := map[string]any{"Configuration": t.configuration()}
	if n := t.def.Concurrency; n >= 0 {
		out["Concurrency"] = map[string]int{"ReservedConcurrentExecutions": n}
	}
	answer(w, http.StatusOK, out)
}
