package eventsource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"crypto-ticker/emulator/internal/dynamodb"
	"crypto-ticker/emulator/internal/lambda"
)

// outcome is how an invocation went.
type outcome int

const (
	succeeded outcome = iota
	reported          // the function has named records that failed
	failed            // the function failed
	refused           // the batch did not reach the function
)

// invoke runs the function with records; done is how many of them are dealt
// with.
func (p *poller) invoke(ctx context.Context, records []dynamodb.StreamRecord) (done int, o outcome) {
	answer, err := p.cfg.Invoke(ctx, p.source.FunctionARN, event(records))
	var function *lambda.FunctionError
	switch {
	case errors.As(err, &function):
		return 0, failed
	case err != nil:
		if ctx.Err() == nil {
			p.cfg.Log.Warn("stream records wait", "mapping", p.source.Name, "error", err)
		}
		return 0, refused
	case p.source.ReportFailures:
		return firstFailure(answer, records)
	}
	return len(records), succeeded
}

// event is what the function gets.
func event(records []dynamodb.StreamRecord) []byte {
	all := make([][]byte, len(records))
	for i, r := range records {
		all[i] = r.Event
	}
	return slices.Concat([]byte(`{"Records":[`), bytes.Join(all, []byte(",")), []byte(`]}`))
}

// firstFailure finds the first of the records that a function says have failed:
// all before it are dealt with. An answer that names none means that all are;
// one that cannot be understood, that none is.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
func firstFailure(answer []byte, records []dynamodb.StreamRecord) (int, outcome) {
	if len(bytes.TrimSpace(answer)) == 0 {
		return len(records), succeeded
	}
	var out struct {
		BatchItemFailures []struct{ ItemIdentifier string } `json:"batchItemFailures"`
	}
	if json.Unmarshal(answer, &out) != nil {
		return 0, failed
	}
	first := len(records)
	for _, f := range out.BatchItemFailures {
		i := slices.IndexFunc(records, func(r dynamodb.StreamRecord) bool { return r.Sequence == f.ItemIdentifier })
		if i < 0 {
			return 0, failed
		}
		first = min(first, i)
	}
	if first < len(records) {
		return first, reported
	}
	return first, succeeded
}
