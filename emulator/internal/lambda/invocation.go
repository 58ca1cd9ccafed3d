package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"crypto-ticker/emulator/internal/ids"
)

// invocation is one event on its way through one function.
type invocation struct {
	target
	id            string
	event         []byte
	trace         string
	clientContext string      // JSON in one line, or ""
	tail          *tail       // nil unless the caller wants the log
	done          chan result // gets exactly one result

	queued time.Time // zero unless the event had to wait; under f.mu

	// What follows is set when an instance gets the event, under f.mu.
	in       *instance
	begun    time.Time
	deadline time.Time
	cold     bool // the first event of its instance
}

// result is what became of an invocation.
type result struct {
	payload []byte
	err     error
}

func (s *Service) newInvocation(t target, event []byte) *invocation {
	return &invocation{
		target: t,
		id:     ids.RequestID(),
		event:  event,
		trace:  ids.Trace(time.Now()) + ";Parent=" + ids.Hex(8) + ";Sampled=0",
		done:   make(chan result, 1),
	}
}

// run submits the invocation and waits for its result, or for the end of ctx.
func (inv *invocation) run(ctx context.Context) ([]byte, error) {
	if err := inv.function.submit(inv); err != nil {
		return nil, err
	}
	select {
	case r := <-inv.done:
		return r.payload, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("lambda: wait for %s: %w", inv.function.def.Name, context.Cause(ctx))
	}
}

// orNull is what a caller sees of an answer, since a runtime may send nothing.
func orNull(payload []byte) []byte {
	if len(payload) == 0 {
		return []byte("null")
	}
	return payload
}

// failure is the payload of a failed invocation, its members in AWS' order.
type failure struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

func unhandled(kind, message string) *FunctionError {
	payload, err := json.Marshal(failure{message, kind})
	if err != nil {
		panic(err) // two strings
	}
	return &FunctionError{Payload: payload, Kind: "Unhandled"}
}

// timedOut is what a caller sees of a function that took too long.
func (inv *invocation) timedOut() *FunctionError {
	return unhandled("Sandbox.Timedout",
		fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", inv.id, inv.function.def.Timeout.Seconds()))
}

// exited is what a caller sees of a function whose process ended; how is its
// exit status, "" if it is 0.
func (inv *invocation) exited(how string) *FunctionError {
	reason := "Runtime exited without providing a reason"
	if how != "" {
		reason = "Runtime exited with error: " + how
	}
	return unhandled("Runtime.ExitError", "RequestId: "+inv.id+" Error: "+reason)
}

func tooLarge() *FunctionError {
	return unhandled("Function.ResponseSizeTooLarge",
		fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse))
}
