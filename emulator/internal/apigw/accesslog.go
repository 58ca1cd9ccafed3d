// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html

package apigw

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"crypto-ticker/emulator/internal/lambda"
	"crypto-ticker/emulator/internal/template"
)

// accessLog is the access log of an API's stage; nil is none.
type accessLog struct {
	g   *Gateway
	api string
	// parts are text and names of variables, without $context., in turn.
	parts []string
}

var logVariable = regexp.MustCompile(`\$context\.(\w+(?:\.\w+)*)`)

// newAccessLog returns nil if there is nothing to be logged, or nobody to get it.
func newAccessLog(g *Gateway, api string, def *template.AccessLog) *accessLog {
	if def == nil || g.cfg.AccessLog == nil {
		return nil
	}
	l, at := &accessLog{g: g, api: api}, 0
	for _, m := range logVariable.FindAllStringSubmatchIndex(def.Format, -1) {
		l.parts = append(l.parts, def.Format[at:m[0]], def.Format[m[2]:m[3]])
		at = m[1]
	}
	l.parts = append(l.parts, def.Format[at:])
	return l
}

// begin returns what becomes of a request that begins now; nil if nobody asks.
func (l *accessLog) begin() *outcome {
	if l == nil {
		return nil
	}
	return &outcome{begin: l.g.cfg.Clock.Now(), length: -1}
}

// write adds the line of a request that has ended. context has the variables that
// are not of the outcome, and gives "" for those that are absent. Values are
// escaped as in JSON: a line stays one, and a format that is JSON stays that.
func (l *accessLog) write(o *outcome, context func(name string) string) {
	if l == nil {
		return
	}
	latency := l.g.cfg.Clock.Now().Sub(o.begin)
	var line strings.Builder
	for i, part := range l.parts {
		if i%2 == 0 {
			line.WriteString(part)
			continue
		}
		value, ok := o.variable(part, latency)
		if !ok {
			value = context(part)
		}
		switch {
		case value == "":
			line.WriteByte('-')
		case part == "error.messageString":
			line.Write(encode(value))
		default:
			quoted := encode(value)
			line.Write(quoted[1 : len(quoted)-1])
		}
	}
	l.g.cfg.AccessLog(l.api, line.String())
}

// writeSocket is write for an event of a WebSocket API.
func (l *accessLog) writeSocket(o *outcome, c socketContext, domainPrefix string) {
	if l == nil {
		return
	}
	context := encode(c)
	l.write(o, func(name string) string {
		if name == "domainPrefix" {
			return domainPrefix
		}
		return jsonVariable(context, name)
	})
}

// outcome is what becomes of a request, for the access log. All methods take nil,
// of requests that are not logged.
type outcome struct {
	begin       time.Time
	status      int
	length      int    // of the body in bytes; negative if there is none
	message     string // of an error that is API Gateway's own, or ""
	kind        string // of gateway response, if it is known
	authorizer  step
	integration step
}

// step is one call of a function.
type step struct {
	ran       bool
	requestID string // the function's
	latency   time.Duration
	status    int // that the function answered, 0 if it is not known
	err       error
}

func (o *outcome) authorizerStep() *step {
	if o == nil {
		return nil
	}
	return &o.authorizer
}

func (o *outcome) integrationStep() *step {
	if o == nil {
		return nil
	}
	return &o.integration
}

// end notes what the request is answered with, and the message if the answer is
// API Gateway's own.
func (o *outcome) end(status int, message string) {
	if o != nil {
		o.status, o.message = status, message
	}
}

// end notes what the function answered, or why that is of no use.
func (s *step) end(status int, err error) {
	if s != nil {
		s.status, s.err = status, err
	}
}

// variable returns a variable of the outcome; ok is false if it is none.
func (o *outcome) variable(name string, latency time.Duration) (value string, ok bool) {
	switch name {
	case "status":
		return number(o.status > 0, o.status), true
	case "responseLatency":
		return number(true, int(latency.Milliseconds())), true
	case "responseLength":
		return number(o.length >= 0, o.length), true
	case "error.message", "error.messageString":
		return o.message, true
	case "error.responseType":
		return o.responseType(), true
	case "integrationLatency":
		name = "integration.latency"
	case "integrationStatus":
		name = "integration.integrationStatus"
	case "integrationErrorMessage":
		name = "integration.error"
	case "awsEndpointRequestId":
		name = "integration.requestId"
	}
	if rest, ok := strings.CutPrefix(name, "integration."); ok {
		value, _ := o.integration.variable(rest)
		return value, true
	}
	if rest, ok := strings.CutPrefix(name, "authorizer."); ok {
		value, ok := o.authorizer.variable(rest)
		return value, ok && o.authorizer.ran
	}
	return "", false
}

// variable returns what is known of a step by the variable's last part.
func (s *step) variable(name string) (value string, ok bool) {
	switch name {
	case "status":
		return number(s.status > 0, s.status), true
	case "integrationStatus":
		status := s.invokeStatus()
		return number(status > 0, status), true
	case "latency", "integrationLatency":
		return number(s.ran, int(s.latency.Milliseconds())), true
	case "requestId":
		return s.requestID, true
	case "error":
		return s.message(), true
	}
	return "", false
}

func number(known bool, n int) string {
	if !known {
		return ""
	}
	return strconv.Itoa(n)
}

// invokeStatus is what Lambda, and not the function, answers: 200 to a function
// that fails, too. It is 0 if there was no answer.
func (s *step) invokeStatus() int {
	switch {
	case !s.ran || errors.Is(s.err, errTimeout) || errors.Is(s.err, errClosed):
		return 0
	case errors.Is(s.err, errTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(s.err, lambda.ErrThrottled):
		return http.StatusTooManyRequests
	case errors.Is(s.err, lambda.ErrNotFound):
		return http.StatusNotFound
	}
	return http.StatusOK
}

// message is what went wrong, in the words of the service where they are known.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
func (s *step) message() string {
	var failed *lambda.FunctionError
	switch {
	case s.err == nil:
		return ""
	case errors.As(s.err, &failed):
		return fmt.Sprintf("The Lambda function returned the following error: %s. Check your Lambda function code and try again.", failed.Kind)
	case errors.Is(s.err, errMalformed):
		return "The response from the Lambda function doesn't match the format that API Gateway expects."
	}
	return s.err.Error()
}

// responseType is the type of gateway response that an error would have in a REST
// API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
func (o *outcome) responseType() string {
	switch {
	case o.kind != "":
		return o.kind
	case o.message == "":
		return ""
	case o.authorizer.err != nil && o.status >= 500:
		return "AUTHORIZER_FAILURE"
	case o.status == http.StatusUnauthorized:
		return "UNAUTHORIZED"
	case o.status == http.StatusForbidden && o.authorizer.ran && !o.integration.ran:
		return "ACCESS_DENIED"
	case o.status == http.StatusTooManyRequests:
		return "THROTTLED"
	case o.status == http.StatusRequestEntityTooLarge:
		return "REQUEST_TOO_LARGE"
	case errors.Is(o.integration.err, errTimeout):
		return "INTEGRATION_TIMEOUT"
	case o.integration.err != nil:
		return "INTEGRATION_FAILURE"
	case o.status >= 500:
		return "DEFAULT_5XX"
	}
	return "DEFAULT_4XX"
}

// loggedWriter notes the answer to a request.
type loggedWriter struct {
	http.ResponseWriter
	o *outcome
}

func (w *loggedWriter) WriteHeader(status int) {
	w.o.status, w.o.length = status, max(0, w.o.length)
	w.ResponseWriter.WriteHeader(status)
}

func (w *loggedWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.o.length += n
	return n, err
}

// unlogged is the server's own writer, which can do more.
func unlogged(w http.ResponseWriter) http.ResponseWriter {
	if logged, ok := w.(*loggedWriter); ok {
		return logged.ResponseWriter
	}
	return w
}
