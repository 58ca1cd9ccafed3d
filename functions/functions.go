// Package functions is the application: a file per Lambda function, named
// like the function's folder, which holds nothing but its main; the ticker has
// several.
//
//	POST /auth/token    Token       API key -> token
//	authorizer          Authorizer  token -> IAM policy and context
//	$connect            Connect     records the connection, wakes the ticker
//	$disconnect         Disconnect  forgets the connection
//	$default            Default     ping, subscribe, unsubscribe
//	schedule, wake-up   Ticker      moves prices and sends them to everybody
//	ticker has failed   Recover     starts it again
//	GET /, any path     Page        the web page
//	operator            Keys        creates, lists and revokes API keys
package functions

import (
	"context"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// A Constructor makes a function's handler from its environment, of which it
// reads only what it needs. It runs once per execution environment; its error
// is an init error.
type Constructor func(ctx context.Context, getenv func(string) string) (lambda.Handler, error)

// All has the constructor of each function by the name of its folder.
var All = map[string]Constructor{
	"authorizer": Authorizer,
	"connect":    Connect,
	"default":    Default,
	"disconnect": Disconnect,
	"keys":       Keys,
	"page":       Page,
	"recover":    Recover,
	"ticker":     Ticker,
	"token":      Token,
}

// Main runs a function in the Lambda runtime. It does not return.
func Main(c Constructor) {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	log.SetOutput(os.Stdout) // the runtime logs errors as JSON of its own
	log.SetFlags(0)
	h, err := c(context.Background(), os.Getenv)
	if err != nil {
		slog.Error("function cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(h)
}

// pause waits for d, or until ctx ends, which is an error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
