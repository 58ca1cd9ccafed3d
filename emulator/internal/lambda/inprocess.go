package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// call runs the invocation in this process. A handler that overstays its time
// is left behind with its context ended, since nothing can kill it; Close waits
// for it.
func (inv *invocation) call() {
	f := inv.function
	defer f.svc.calls.Done()
	inv.begun = time.Now()
	inv.deadline = inv.begun.Add(f.def.Timeout)
	ctx, cancel := context.WithDeadline(f.svc.ctx, inv.deadline)
	defer cancel()
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{
		AwsRequestID:       inv.id,
		InvokedFunctionArn: inv.arn(),
	})
	answered := make(chan result, 1)
	f.svc.calls.Add(1)
	go func() {
		defer f.svc.calls.Done()
		answered <- handle(ctx, inv)
	}()
	var r result
	select {
	case r = <-answered:
	case <-ctx.Done():
		r = result{err: ErrClosed}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			f.svc.log.Error("function timed out", "function", f.def.LogicalID, "request", inv.id, "limit", f.def.Timeout)
			r = result{err: inv.timedOut()}
		}
	}
	f.mu.Lock()
	f.active--
	f.mu.Unlock()
	inv.done <- r
}

// handle calls the handler and gives its errors and panics the form that the
// runtime of a process gives them.
func handle(ctx context.Context, inv *invocation) (r result) {
	defer func() {
		if v := recover(); v != nil {
			inv.function.svc.log.Error("function panicked", "function", inv.function.def.LogicalID, "request", inv.id, "panic", v)
			r = result{err: functionError(messages.InvokeResponse_Error{
				Message: fmt.Sprint(v), Type: typeName(v), StackTrace: stack()})}
		}
	}()
	h := inv.function.takeHandler()
	payload, err := h.Invoke(ctx, inv.event) // a panic ends this instance, as it ends a process
	payload = bytes.Clone(payload)           // it is the handler's, which is about to be free
	inv.function.freeHandler(h)
	var detailed messages.InvokeResponse_Error
	switch {
	case errors.As(err, &detailed):
		return result{err: functionError(detailed)}
	case err != nil:
		return result{err: functionError(messages.InvokeResponse_Error{Message: err.Error(), Type: typeName(err)})}
	case len(payload) > maxResponse:
		return result{err: tooLarge()}
	}
	return result{payload: payload}
}

// takeHandler returns a handler that has no event. A new one may take its time
// to be made, and call the function itself, so it is made without the lock.
func (f *function) takeHandler() awslambda.Handler {
	f.mu.Lock()
	n := len(f.handlers) - 1
	if n < 0 {
		f.mu.Unlock()
		return f.handler()
	}
	defer f.mu.Unlock()
	h := f.handlers[n]
	f.handlers = f.handlers[:n]
	return h
}

func (f *function) freeHandler(h awslambda.Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handlers = append(f.handlers, h)
}

func functionError(e messages.InvokeResponse_Error) *FunctionError {
	payload, err := json.Marshal(e)
	if err != nil {
		return unhandled("Runtime.SerializationError", err.Error())
	}
	return &FunctionError{Payload: payload, Kind: "Unhandled"}
}

// typeName is the name of a value's type, as aws-lambda-go reports it.
func typeName(v any) string {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// stack is where a panic came from, without the frames that handle it.
func stack() []*messages.InvokeResponse_Error_StackFrame {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	var list []*messages.InvokeResponse_Error_StackFrame
	for {
		frame, more := frames.Next()
		list = append(list, &messages.InvokeResponse_Error_StackFrame{
			Path: frame.File, Line: int32(frame.Line), Label: frame.Function})
		if !more {
			return list
		}
	}
}
