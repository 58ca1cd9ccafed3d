package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	lambdasvc "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"crypto-ticker/shared/awsconfig"
)

const (
	// recoverDelay keeps a ticker that fails at once from failing all the time.
	recoverDelay = time.Second
	// maxAttempts is how many times a ticker is woken for one that was woken here
	// too, however long that one has worked. Then that is left to the schedule:
	// otherwise, while the ticker cannot work, each of the schedule's events would
	// add another endless row of failures.
	maxAttempts = 5
)

// Recover returns the handler of the ticker's failures: it wakes the ticker
// again, long before the schedule would, up to five times.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
func Recover(_ context.Context, getenv func(string) string) (lambda.Handler, error) {
	client := lambdasvc.NewFromConfig(awsconfig.Load(getenv, awsconfig.AttemptTimeout), func(o *lambdasvc.Options) {
		o.BaseEndpoint = awsconfig.Endpoint(getenv, "LAMBDA")
	})
	return lambda.NewHandler(recovery{client, recoverDelay}.handle), nil
}

type recovery struct {
	lambda *lambdasvc.Client
	delay  time.Duration
}

// failureRecord is the record of an asynchronous invocation that failed.
type failureRecord struct {
	RequestContext struct {
		RequestID   string `json:"requestId"`
		FunctionARN string `json:"functionArn"`
		Condition   string `json:"condition"`
	} `json:"requestContext"`
	RequestPayload  json.RawMessage `json:"requestPayload"`
	ResponsePayload json.RawMessage `json:"responsePayload"` // of the function, or of Lambda in its place
}

func (r recovery) handle(ctx context.Context, record failureRecord) error {
	function := record.RequestContext.FunctionARN
	if function == "" {
		return errors.New("recover: the event is no record of a failed invocation: it has no requestContext.functionArn")
	}
	var cause struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	_ = json.Unmarshal(record.ResponsePayload, &cause) // missing if the event became too old
	var failed tickerEvent
	_ = json.Unmarshal(record.RequestPayload, &failed) // whatever it was, only a wake has a number
	slog.ErrorContext(ctx, "ticker failed", "function", function,
		"failed_request_id", record.RequestContext.RequestID, "condition", record.RequestContext.Condition,
		"error_type", cause.Type, "error", cause.Message, "attempt", failed.Attempt)
	if failed.Attempt >= maxAttempts {
		return nil
	}
	wake, err := json.Marshal(tickerEvent{Type: eventWake, Attempt: failed.Attempt + 1})
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	if err := pause(ctx, r.delay); err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	_, err = r.lambda.Invoke(ctx, &lambdasvc.InvokeInput{
		FunctionName:   &function,
		InvocationType: types.InvocationTypeEvent,
		Payload:        wake,
	})
	if err != nil {
		return fmt.Errorf("recover: wake %s: %w", function, err)
	}
	return nil
}
