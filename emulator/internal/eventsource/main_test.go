package eventsource

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awslambda "github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/dynamodb"
	"crypto-ticker/emulator/internal/lambda"
	"crypto-ticker/emulator/internal/leaktest"
	"crypto-ticker/emulator/internal/template"
)

func TestMain(m *testing.M) {
	os.Exit(leaktest.Main(m, []string{"internal/eventsource.", "internal/dynamodb.", "internal/lambda."}))
}

const functionARN = "arn:aws:lambda:us-east-1:123456789012:function:Fn"

// rig is a table with a stream, a mapping and its function, on a clock that
// starts at midnight and, since it all runs in a bubble of synctest, passes when
// nothing else happens.
type rig struct {
	t      *testing.T
	tables *dynamodb.Engine
	clock  *clock.Clock
	source *template.EventSource
	invoke func(ctx context.Context, functionARN string, event []byte) ([]byte, error)
	log    bytes.Buffer
	runner *Runner

	mu    sync.Mutex
	began time.Time
	calls []string // such as "1s [1 2]"
}

// answer is what a function makes of the items whose numbers it gets, in its so
// manieth call.
type answer func(call int, ids []string) (any, error)

// inBubble runs a test of a mapping, which change makes other than the default.
func inBubble(t *testing.T, change func(*template.EventSource), f answer, test func(r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, clock: clock.New(), began: time.Now()}
		defer r.clock.Close()
		log := slog.New(slog.NewTextHandler(&r.log, nil))
		var err error
		r.tables, err = dynamodb.Open(dynamodb.Config{Region: "us-east-1", AccountID: "123456789012", Clock: r.clock, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		defer r.tables.Close()
		r.createTable()
		functions, err := lambda.New(lambda.Config{
			Functions: []*template.Function{{LogicalID: "Fn", Name: "Fn", ARN: functionARN, Timeout: time.Minute, MemoryMB: 128, Concurrency: -1}},
			Handlers:  map[string]func() awslambda.Handler{"Fn": func() awslambda.Handler { return awslambda.NewHandler(r.handler(f)) }},
			Clock:     r.clock, Log: log,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer functions.Close()
		r.invoke = functions.Invoke
		r.source = &template.EventSource{Pos: template.Pos{File: "template.yaml", Line: 7}, Name: "FnChanges", FunctionARN: functionARN,
			Table: "Notes", Enabled: true, BatchSize: 100, MaxRetries: -1, MaxAge: 7 * 24 * time.Hour}
		if change != nil {
			change(r.source)
		}
		test(r)
		if r.runner != nil {
			r.runner.Close()
		}
	})
}

func (r *rig) handler(f answer) func(events.DynamoDBEvent) (any, error) {
	return func(e events.DynamoDBEvent) (any, error) {
		var ids []string
		for _, record := range e.Records {
			ids = append(ids, record.Change.Keys["id"].Number())
		}
		r.mu.Lock()
		r.calls = append(r.calls, fmt.Sprint(r.clock.Now().Sub(r.began).Round(time.Millisecond), " ", ids))
		call := len(r.calls)
		r.mu.Unlock()
		if f == nil {
			return nil, nil
		}
		out, err := f(call, ids)
		if failed, ok := out.(failures); ok {
			out = failed.of(e)
		}
		return out, err
	}
}

// failures are numbers of items that an answer names as failed.
type failures []string

func (f failures) of(e events.DynamoDBEvent) (out events.DynamoDBEventResponse) {
	for _, record := range e.Records {
		if slices.Contains(f, record.Change.Keys["id"].Number()) {
			out.BatchItemFailures = append(out.BatchItemFailures, events.DynamoDBBatchItemFailure{ItemIdentifier: record.Change.SequenceNumber})
		}
	}
	return out
}

func (r *rig) start() {
	r.t.Helper()
	var err error
	r.runner, err = New(Config{Sources: []*template.EventSource{r.source}, Tables: r.tables, Clock: r.clock,
		Log: slog.New(slog.NewTextHandler(&r.log, nil)), Invoke: r.invoke})
	if err != nil {
		r.t.Fatal(err)
	}
	r.runner.Start()
}

func (r *rig) createTable() {
	r.t.Helper()
	r.do("CreateTable", `{"TableName":"Notes","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"N"}],"BillingMode":"PAY_PER_REQUEST",
		"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`)
}

func (r *rig) do(operation, input string) {
	r.t.Helper()
	if _, err := r.tables.Do(context.Background(), operation, []byte(input)); err != nil {
		r.t.Fatal(err)
	}
}

// put writes items of these numbers at once.
func (r *rig) put(ids ...int) {
	r.t.Helper()
	var requests []json.RawMessage
	for _, id := range ids {
		requests = append(requests, fmt.Appendf(nil, `{"PutRequest":{"Item":{"id":{"N":"%d"},"kind":{"S":"note"}}}}`, id))
	}
	text, err := json.Marshal(requests)
	if err != nil {
		r.t.Fatal(err)
	}
	r.do("BatchWriteItem", `{"RequestItems":{"Notes":`+string(text)+`}}`)
}

// want compares the calls of the function after some time.
func (r *rig) want(after time.Duration, calls ...string) {
	r.t.Helper()
	time.Sleep(after)
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if got, want := strings.Join(r.calls, ", "), strings.Join(calls, ", "); got != want {
		r.t.Errorf("got calls  %s\nwant       %s", got, want)
	}
}
