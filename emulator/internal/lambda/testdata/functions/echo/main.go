// Command echo is a function for tests: it does what its event asks for.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type request struct {
	Print  string // a line for the log
	Stderr string
	Sleep  time.Duration // ns
	Gate   string        // wait until this file is there
	Fail   string        // return this error
	Panic  string
	Exit   *int
	Signal syscall.Signal
	Size   int // of the answer's padding
	Env    bool
	Nil    bool
}

type response struct {
	PID       int
	Count     int
	RequestID string
	ARN       string
	Trace     string
	Client    map[string]string
	Remaining time.Duration
	Env       []string
	Dir       string
	Pad       string
}

var count int

func handle(ctx context.Context, r request) (*response, error) {
	count++
	if r.Print != "" {
		fmt.Println(r.Print)
	}
	if r.Stderr != "" {
		fmt.Fprintln(os.Stderr, r.Stderr)
	}
	time.Sleep(r.Sleep)
	for r.Gate != "" {
		if _, err := os.Stat(r.Gate); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	switch {
	case r.Fail != "":
		return nil, errors.New(r.Fail)
	case r.Panic != "":
		panic(r.Panic)
	case r.Exit != nil:
		os.Exit(*r.Exit)
	case r.Signal != 0:
		syscall.Kill(os.Getpid(), r.Signal)
		time.Sleep(time.Hour)
	case r.Nil:
		return nil, nil
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	dir, _ := os.Getwd()
	out := &response{
		PID: os.Getpid(), Count: count, Dir: dir,
		RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn, Client: lc.ClientContext.Custom,
		Trace: os.Getenv("_X_AMZN_TRACE_ID"), Remaining: time.Until(deadline),
		Pad: strings.Repeat("x", r.Size),
	}
	if r.Env {
		out.Env = os.Environ()
	}
	return out, nil
}

func main() { lambda.Start(handle) }
