package apigw

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"crypto-ticker/emulator/internal/lambda"
)

// What can go wrong with an integration besides an error of Invoke itself.
var (
	errTimeout   = errors.New("integration timeout")
	errMalformed = errors.New("malformed answer")
	errTooLarge  = errors.New("the event is larger than Lambda takes")
	errClosed    = errors.New("gateway is closed")
)

// maxEvent is what Lambda takes, in bytes.
const maxEvent = 6 << 20

// task is invoke for a caller that Close does not know of yet: Close waits for
// the function, but not for the client, which may take its time with the answer.
func (g *Gateway) task(s *step, functionARN string, timeout time.Duration, event []byte) ([]byte, error) {
	if !g.begin() {
		return nil, errClosed
	}
	defer g.tasks.Done()
	return g.invoke(s, functionARN, timeout, event)
}

// invoke calls a function with an integration's timeout; errTimeout says that
// it has passed. The function itself keeps running then, as on AWS. An event that
// Lambda does not take is errTooLarge. A step, which may be nil, gets what the
// access log tells of the call.
func (g *Gateway) invoke(s *step, functionARN string, timeout time.Duration, event []byte) (out []byte, err error) {
	if len(event) > maxEvent {
		return nil, errTooLarge
	}
	ctx, cancel := context.WithCancelCause(g.ctx)
	defer cancel(nil)
	timer := g.cfg.Clock.AfterFunc(g.timeout(timeout), func() { cancel(errTimeout) })
	defer timer.Stop()
	to := ctx
	if s != nil {
		to = lambda.KeepRequestID(ctx, &s.requestID)
		begin := g.cfg.Clock.Now()
		defer func() { s.ran, s.latency, s.err = true, g.cfg.Clock.Now().Sub(begin), err }()
	}
	out, err = g.cfg.Invoke(to, functionARN, event)
	if err != nil && context.Cause(ctx) == errTimeout {
		return nil, errTimeout
	}
	return out, err
}

// timeout is what the quotas leave of an integration's timeout.
func (g *Gateway) timeout(d time.Duration) time.Duration {
	if q := g.cfg.Quotas.IntegrationTimeout; q > 0 {
		return min(d, q)
	}
	return d
}

// answer is what a Lambda proxy integration gets from its function.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
type answer struct {
	status  int
	headers map[string]string
	multi   map[string][]string
	cookies []string
	body    string
	base64  bool
	ignored string // a member of the other payload format, which is not empty
}

// The members that an answer may have by its payload format. REST and WebSocket
// APIs have those of 1.0.
var (
	membersV1 = []string{"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
	membersV2 = []string{"statusCode", "headers", "cookies", "body", "isBase64Encoded"}
)

// proxyAnswer reads an answer that must have a statusCode: those in payload format
// 1.0, and those of WebSocket APIs. An error wraps errMalformed.
func proxyAnswer(out []byte) (answer, error) {
	fields, err := splitAnswer(out)
	if err != nil {
		return answer{}, err
	}
	return parseAnswer(fields, membersV1)
}

// parseAnswer reads the members of an answer whose keys have been told apart by
// splitAnswer; others do not count. An error wraps errMalformed.
func parseAnswer(fields map[string]json.RawMessage, members []string) (answer, error) {
	var a answer
	var headers map[string]scalar
	var multi map[string][]scalar
	var status statusCode
	for _, f := range []struct {
		key string
		to  any
	}{
		{"statusCode", &status}, {"headers", &headers}, {"multiValueHeaders", &multi},
		{"cookies", &a.cookies}, {"body", &a.body}, {"isBase64Encoded", &a.base64},
	} {
		raw := fields[f.key]
		if raw == nil {
			continue
		}
		if !slices.Contains(members, f.key) {
			if len(bytes.Trim(raw, "[]{} \t\r\n")) > 0 && string(raw) != "null" {
				a.ignored = f.key
			}
			continue
		}
		if err := json.Unmarshal(raw, f.to); err != nil {
			return a, fmt.Errorf("%w: %s: %w", errMalformed, f.key, err)
		}
	}
	if status == 0 {
		return a, fmt.Errorf("%w: no statusCode", errMalformed)
	}
	a.status = int(status)
	a.headers = make(map[string]string, len(headers))
	for k, v := range headers {
		if v.set {
			a.headers[k] = v.text
		}
	}
	a.multi = make(map[string][]string, len(multi))
	for k, vs := range multi {
		for _, v := range vs {
			a.multi[k] = append(a.multi[k], v.text)
		}
	}
	return a, nil
}

// splitAnswer returns the members of an answer that is an object, nil of one
// that is another JSON value, and an error wrapping errMalformed if out is no
// JSON. Keys are compared exactly, which encoding/json does not do for structs.
func splitAnswer(out []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(out, &fields); {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("%w: no JSON", errMalformed)
	case err != nil:
		return nil, nil
	}
	return fields, nil
}

// statusCode is a number or a string of digits, 100 to 599.
type statusCode int

func (s *statusCode) UnmarshalJSON(b []byte) error {
	var v scalar
	if err := v.UnmarshalJSON(b); err != nil {
		return err
	}
	n, err := strconv.ParseFloat(v.text, 64) // 200.0 is what some runtimes send
	if err != nil || n != float64(int(n)) || n < 100 || n > 599 {
		return fmt.Errorf("%s is no HTTP status", b)
	}
	*s = statusCode(n)
	return nil
}

// scalar is a string, a number or a bool, as text; null leaves it unset.
type scalar struct {
	text string
	set  bool
}

func (s *scalar) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '{', '[':
		return errors.New("neither a string nor a number nor a bool")
	case 'n':
		return nil
	case '"':
		if err := json.Unmarshal(b, &s.text); err != nil {
			return err
		}
	default:
		s.text = string(b)
	}
	s.set = true
	return nil
}
