package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"crypto-ticker/emulator/internal/template"
)

// asyncRig has a function that runs in this process and tells of each event.
type asyncRig struct {
	*rig
	calls   chan string // request ids
	fail    chan error  // what each event comes to
	records chan []byte // what the destination gets
}

func startAsync(t *testing.T, change func(*template.Function)) *asyncRig {
	t.Helper()
	a := &asyncRig{calls: make(chan string), fail: make(chan error, 10), records: make(chan []byte, 1)}
	def := echo(change)
	dest := define("Dest", testDir)
	a.rig = startConfig(t, Config{
		Functions: tableOf(def, dest),
		Handlers: map[string]func() awslambda.Handler{
			"Echo": always(func(ctx context.Context, event []byte) ([]byte, error) {
				lc, _ := lambdacontext.FromContext(ctx)
				a.calls <- lc.AwsRequestID
				return []byte(`{"got":` + string(event) + `}`), <-a.fail
			}),
			"Dest": always(func(_ context.Context, event []byte) ([]byte, error) {
				a.records <- event
				return nil, nil
			}),
		},
	})
	return a
}

// waiting says how many retries wait for their time.
func (a *asyncRig) waiting() int {
	a.retries.mu.Lock()
	defer a.retries.mu.Unlock()
	return len(a.retries.timers)
}

func TestAsyncRetries(t *testing.T) {
	t.Parallel()
	a := startAsync(t, func(f *template.Function) { f.Async.OnFailure = "arn:aws:lambda:us-east-1:123456789012:function:Dest" })
	id, err := a.InvokeAsync("Echo", []byte(`{"n":1}`))
	if err != nil {
		t.Fatal(err)
	}
	for i, wait := range []time.Duration{0, time.Minute, 2 * time.Minute} {
		if wait > 0 {
			eventually(t, "the retry to be planned", func() bool { return a.waiting() == 1 })
			a.clock.Advance(wait / 2)
			if a.waiting() != 1 {
				t.Fatalf("retry %d came before its time", i)
			}
			a.clock.Advance(wait / 2)
		}
		a.fail <- errors.New("no luck")
		if got := <-a.calls; got != id {
			t.Errorf("attempt %d: got request id %s, want %s", i+1, got, id)
		}
	}
	var got, want map[string]any
	decode(t, <-a.records, &got)
	decode(t, fmt.Appendf(nil, `{"version":"1.0","requestContext":{"requestId":%q,
		"functionArn":"arn:aws:lambda:us-east-1:123456789012:function:Echo:$LATEST",
		"condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":{"n":1},
		"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},
		"responsePayload":{"errorMessage":"no luck","errorType":"errorString"}}`, id), &want)
	stamp, err := time.Parse("2006-01-02T15:04:05.000Z", got["timestamp"].(string))
	if err != nil || a.clock.Now().Sub(stamp) > time.Minute {
		t.Errorf("timestamp: got %v, want that of the emulator's clock", got["timestamp"])
	}
	delete(got, "timestamp")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
	if !strings.Contains(a.log.String(), "asynchronous event given up") {
		t.Errorf("the log does not tell: %s", a.log)
	}
}

func TestAsyncSuccess(t *testing.T) {
	t.Parallel()
	a := startAsync(t, func(f *template.Function) { f.Alias, f.Async.OnSuccess = "live", "Dest" })
	if _, err := a.InvokeAsync("Echo:live", []byte(`7`)); err != nil {
		t.Fatal(err)
	}
	a.fail <- nil
	<-a.calls
	var rec record
	decode(t, <-a.records, &rec)
	if got, want := rec.RequestContext.FunctionARN, a.order[0].def.ARN+":live"; got != want || rec.ResponseContext.ExecutedVersion != "1" {
		t.Errorf("got %s, version %s, want %s, 1", got, rec.ResponseContext.ExecutedVersion, want)
	}
	if rec.RequestContext.Condition != "Success" || string(rec.ResponsePayload) != `{"got":7}` || rec.ResponseContext.FunctionError != "" || rec.RequestContext.ApproximateInvokeCount != 1 {
		t.Errorf("got %+v", rec)
	}
}

func TestAsyncGivesUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		async     template.Async
		condition string
	}{
		{"no retries", template.Async{MaxRetries: 0, MaxEventAge: time.Hour}, "RetriesExhausted"},
		{"too old for a retry", template.Async{MaxRetries: 2, MaxEventAge: 59 * time.Second}, "EventAgeExceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := startAsync(t, func(f *template.Function) { f.Async = tt.async; f.Async.OnFailure = "Dest" })
			if _, err := a.InvokeAsync("Echo", []byte(`7`)); err != nil {
				t.Fatal(err)
			}
			a.fail <- errors.New("no luck")
			<-a.calls
			var rec record
			decode(t, <-a.records, &rec)
			if rec.RequestContext.Condition != tt.condition {
				t.Errorf("got %s, want %s", rec.RequestContext.Condition, tt.condition)
			}
			if n := a.waiting(); n != 0 {
				t.Errorf("%d retries are planned", n)
			}
		})
	}
}

// An event that finds its function throttled is tried until it is too old.
func TestAsyncThrottled(t *testing.T) {
	t.Parallel()
	a := startAsync(t, func(f *template.Function) {
		f.Concurrency, f.Async.MaxEventAge, f.Async.OnFailure = 1, time.Minute, "Dest"
	})
	for _, event := range []string{`6`, `7`} { // one has the function for itself
		if _, err := a.InvokeAsync("Echo", []byte(event)); err != nil {
			t.Fatal(err)
		}
	}
	for _, wait := range []time.Duration{1, 2, 4, 8, 16} { // 31 s; 32 more are too many
		eventually(t, "the retry to be planned", func() bool { return a.waiting() == 1 })
		a.clock.Advance(wait * time.Second)
	}
	var rec record
	decode(t, <-a.records, &rec)
	if rec.RequestContext.Condition != "EventAgeExceeded" || rec.RequestContext.ApproximateInvokeCount != 0 || rec.ResponseContext != nil {
		t.Errorf("got %+v", rec)
	}
	a.fail <- nil
	<-a.calls
}

// An event for a function that is switched off is given up at once.
func TestAsyncSwitchedOff(t *testing.T) {
	t.Parallel()
	a := startAsync(t, func(f *template.Function) { f.Concurrency, f.Async.OnFailure = 0, "Dest" })
	if _, err := a.InvokeAsync("Echo", []byte(`7`)); err != nil {
		t.Fatal(err)
	}
	var rec record
	decode(t, <-a.records, &rec)
	if rec.RequestContext.Condition != "ZeroReservedConcurrency" || rec.RequestContext.ApproximateInvokeCount != 0 || rec.ResponseContext != nil {
		t.Errorf("got %+v", rec)
	}
}

// One step of the clock over all of an event's retries runs them all: they
// count from each other's times, not from where the clock is when one fails.
func TestAsyncRetriesInOneStep(t *testing.T) {
	t.Parallel()
	a := startAsync(t, func(f *template.Function) { f.Async.MaxEventAge, f.Async.OnFailure = 5*time.Minute, "Dest" })
	if _, err := a.InvokeAsync("Echo", []byte(`7`)); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		a.fail <- errors.New("no luck")
		<-a.calls
		if i == 0 {
			eventually(t, "the retry to be planned", func() bool { return a.waiting() == 1 })
			a.clock.Advance(time.Hour)
		}
	}
	var rec record
	decode(t, <-a.records, &rec)
	if rec.RequestContext.Condition != "RetriesExhausted" || rec.RequestContext.ApproximateInvokeCount != 3 {
		t.Errorf("got %+v", rec)
	}
}

// A runtime may answer with nothing.
func TestAsyncEmptyAnswer(t *testing.T) {
	t.Parallel()
	records := make(chan []byte, 1)
	def := raw("empty")
	def.Async.OnSuccess = "Echo"
	r := startConfig(t, Config{Functions: tableOf(def, echo()), Handlers: map[string]func() awslambda.Handler{
		"Echo": always(func(_ context.Context, event []byte) ([]byte, error) {
			records <- event
			return nil, nil
		}),
	}})
	if _, err := r.InvokeAsync("Raw", []byte(`7`)); err != nil {
		t.Fatal(err)
	}
	got := string(<-records)
	if want := `"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":null}`; !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want it to end in %s", got, want)
	}
}

func TestCloseDropsRetries(t *testing.T) {
	t.Parallel()
	a := startAsync(t, func(*template.Function) {})
	if _, err := a.InvokeAsync("Echo", []byte(`7`)); err != nil {
		t.Fatal(err)
	}
	a.fail <- errors.New("no luck")
	<-a.calls
	eventually(t, "the retry to be planned", func() bool { return a.waiting() == 1 })
	a.Close()
	a.clock.Advance(time.Hour)
	if _, err := a.InvokeAsync("Echo", []byte(`7`)); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: got %v, want ErrClosed", err)
	}
}

func decode(t *testing.T, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}
