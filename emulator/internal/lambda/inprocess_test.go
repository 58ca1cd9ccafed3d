package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"crypto-ticker/emulator/internal/template"
)

// startHandler starts a service whose function is h.
func startHandler(t *testing.T, h any, change ...func(*template.Function)) *rig {
	t.Helper()
	instance := func() awslambda.Handler {
		if handler, ok := h.(awslambda.Handler); ok {
			return handler
		}
		return awslambda.NewHandler(h)
	}
	return startConfig(t, Config{Functions: tableOf(echo(change...)), Handlers: map[string]func() awslambda.Handler{"Echo": instance}})
}

func TestHandlerInThisProcess(t *testing.T) {
	t.Parallel()
	r := startHandler(t, func(ctx context.Context, in map[string]int) (map[string]any, error) {
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, ok := ctx.Deadline()
		return map[string]any{"in": in["n"], "arn": lc.InvokedFunctionArn, "id": len(lc.AwsRequestID), "deadline": ok && time.Until(deadline) > 19*time.Second}, nil
	})
	out, err := r.Invoke(t.Context(), "Echo", []byte(`{"n":1}`))
	if want := `{"arn":"arn:aws:lambda:us-east-1:123456789012:function:Echo","deadline":true,"id":36,"in":1}`; err != nil || string(out) != want {
		t.Errorf("got %s, %v\nwant %s", out, err, want)
	}
}

// TestHandlersHaveOneEventAtATime: what a handler returns lies in a buffer that
// its next event overwrites.
func TestHandlersHaveOneEventAtATime(t *testing.T) {
	t.Parallel()
	r := startHandler(t, func(in int) ([]int, error) { return slices.Repeat([]int{in}, 100), nil })
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			want, _ := json.Marshal(slices.Repeat([]int{i}, 100)) // numbers can be encoded
			for range 100 {
				if out, err := r.Invoke(t.Context(), "Echo", fmt.Append(nil, i)); err != nil || !bytes.Equal(out, want) {
					t.Errorf("got %s, %v; want %s", out, err, want)
				}
			}
		})
	}
	wg.Wait()
}

// TestNewHandlerCallsItsOwnFunction: making a handler holds up no other event.
func TestNewHandlerCallsItsOwnFunction(t *testing.T) {
	t.Parallel()
	var r *rig
	var made atomic.Int32
	r = startConfig(t, Config{Functions: tableOf(echo()), Handlers: map[string]func() awslambda.Handler{"Echo": func() awslambda.Handler {
		if made.Add(1) == 1 {
			if _, err := r.Invoke(t.Context(), "Echo", []byte(`{}`)); err != nil {
				t.Error(err)
			}
		}
		return handlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(`1`), nil })
	}}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if out, err := r.Invoke(ctx, "Echo", []byte(`{}`)); err != nil || string(out) != "1" {
		t.Errorf("got %s, %v; want 1", out, err)
	}
}

// TestPanicEndsTheHandler: what a panic has left half done meets no other event.
func TestPanicEndsTheHandler(t *testing.T) {
	t.Parallel()
	var made atomic.Int32
	r := startConfig(t, Config{Functions: tableOf(echo()), Handlers: map[string]func() awslambda.Handler{"Echo": func() awslambda.Handler {
		made.Add(1)
		return handlerFunc(func(_ context.Context, event []byte) ([]byte, error) {
			if string(event) == `"panic"` {
				panic("oh")
			}
			return event, nil
		})
	}}})
	for _, event := range []string{`1`, `2`, `"panic"`, `3`} {
		r.Invoke(t.Context(), "Echo", []byte(event)) // one of them fails
	}
	if got := made.Load(); got != 2 {
		t.Errorf("got %d handlers; want 2, the second one after the panic", got)
	}
}

type ownError struct{}

func (*ownError) Error() string { return "my own" }

func TestHandlerErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		handler any
		want    failure
	}{
		{"errors.New", func() error { return errors.New("no") }, failure{"no", "errorString"}},
		{"wrapped", func() error { return fmt.Errorf("why: %w", errors.New("no")) }, failure{"why: no", "wrapError"}},
		{"a type", func() error { return &ownError{} }, failure{"my own", "ownError"}},
		{"detailed", func() error { return messages.InvokeResponse_Error{Message: "m", Type: "T"} }, failure{"m", "T"}},
		{"panic", func() error { panic("oh") }, failure{"oh", "string"}},
		{"panic with an error", func() error { panic(errors.New("oh")) }, failure{"oh", "errorString"}},
		{"large", handlerFunc(func(context.Context, []byte) ([]byte, error) { return make([]byte, maxResponse+1), nil }),
			failure{"Response payload size exceeded maximum allowed payload size (6291556 bytes).", "Function.ResponseSizeTooLarge"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := startHandler(t, tt.handler)
			if got := r.failure(t, "Echo", `{}`); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestHandlerOfNoFunction(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Functions: tableOf(echo()), Handlers: map[string]func() awslambda.Handler{"Ecco": nil}})
	if want := "lambda: there is a handler for Ecco, but no such function in the template"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPanicHasAStack(t *testing.T) {
	t.Parallel()
	r := startHandler(t, handlerFunc(func(context.Context, []byte) ([]byte, error) { panic("oh") }))
	_, err := r.Invoke(t.Context(), "Echo", []byte(`{}`))
	var fe *FunctionError
	if !errors.As(err, &fe) {
		t.Fatalf("got %v", err)
	}
	var got messages.InvokeResponse_Error
	if err := json.Unmarshal(fe.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.StackTrace) == 0 || !strings.Contains(got.StackTrace[0].Label, "TestPanicHasAStack") {
		t.Errorf("stack trace: got %s, want one that begins where the panic was", fe.Payload)
	}
}

func TestHandlerThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startHandler(t, handlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			time.Sleep(time.Minute) // it does not heed its context
			return nil, nil
		}), func(f *template.Function) { f.Timeout = 3 * time.Second; f.Concurrency = 1 })
		begun := time.Now()
		if got := r.failure(t, "Echo", `{}`); got.Type != "Sandbox.Timedout" || !strings.HasSuffix(got.Message, "Task timed out after 3.00 seconds") {
			t.Errorf("got %+v", got)
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("took %v, want 3s", took)
		}
	})
}
