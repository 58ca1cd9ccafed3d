package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/template"
)

func TestInvoke(t *testing.T) {
	t.Parallel()
	r := start(t, echo())
	first := r.echo(t, `{}`)
	second := r.echo(t, `{}`)
	if first.PID != second.PID || second.Count != 2 {
		t.Errorf("second event: process %d, count %d; want %d, 2: a free process is used again", second.PID, second.Count, first.PID)
	}
	if first.RequestID == second.RequestID || len(first.RequestID) != 36 {
		t.Errorf("request ids %s and %s: want two UUIDs", first.RequestID, second.RequestID)
	}
	if want := r.order[0].def.ARN; first.ARN != want {
		t.Errorf("ARN: got %s, want %s", first.ARN, want)
	}
	if first.Remaining < 19*time.Second || first.Remaining > 20*time.Second {
		t.Errorf("remaining time: got %v, want just below 20s", first.Remaining)
	}
	if !strings.HasPrefix(first.Trace, "Root=1-") || !strings.Contains(first.Trace, ";Parent=") {
		t.Errorf("trace: got %q", first.Trace)
	}
	if want := r.order[0].def.CodeDir; first.Dir != want {
		t.Errorf("working directory: got %s, want %s", first.Dir, want)
	}
}

func TestInvokeSequenceKeepsOneProcess(t *testing.T) {
	t.Parallel()
	r := start(t, echo())
	for i := range 500 {
		if got := r.echo(t, `{}`); got.Count != i+1 {
			t.Fatalf("event %d: got count %d; a second process was started", i+1, got.Count)
		}
	}
}

func TestInvokeNames(t *testing.T) {
	t.Parallel()
	r := start(t, echo())
	for _, name := range []string{
		"Echo", "Echo:$LATEST",
		"arn:aws:lambda:us-east-1:123456789012:function:Echo",
		"arn:aws:lambda:us-east-1:123456789012:function:Echo:$LATEST",
		"123456789012:function:Echo", "function:Echo",
	} {
		if _, err := r.Invoke(t.Context(), name, []byte(`{}`)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "Nobody", "Echo:2", "999999999999:function:Echo", "arn:aws:lambda:eu-west-1:123456789012:function:Echo"} {
		if _, err := r.Invoke(t.Context(), name, []byte(`{}`)); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: got %v, want ErrNotFound", name, err)
		}
		if _, err := r.InvokeAsync(name, []byte(`{}`)); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q, async: got %v, want ErrNotFound", name, err)
		}
	}
}

// A version and an alias are the same code, which sees by which it was invoked.
func TestInvokeQualified(t *testing.T) {
	t.Parallel()
	r := start(t, echo(func(f *template.Function) { f.Alias = "live" }), raw("echo"))
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:Echo"
	var pids []int
	for name, want := range map[string]string{
		"Echo": arn, "Echo:$LATEST": arn + ":$LATEST", "Echo:1": arn + ":1", "Echo:live": arn + ":live",
		arn + ":live": arn + ":live", "123456789012:function:Echo:1": arn + ":1", "function:Echo:live": arn + ":live",
	} {
		out, err := r.Invoke(t.Context(), name, []byte(`{}`))
		var got echoed
		if err == nil {
			err = json.Unmarshal(out, &got)
		}
		if err != nil || got.ARN != want {
			t.Errorf("%s: got ARN %s, %v, want %s", name, got.ARN, err, want)
		}
		pids = append(pids, got.PID)
	}
	if slices.Min(pids) != slices.Max(pids) {
		t.Errorf("got processes %v, want one", pids)
	}
	for _, name := range []string{"Echo:2", "Echo:dead", "Echo:", "Echo:live:1", "Raw:1", "Raw:live", arn + ":live:1"} {
		if _, err := r.Invoke(t.Context(), name, []byte(`{}`)); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
	}
}

func TestFunctionErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, event string
		want        failure // ID stands for the request id
		fresh       bool    // the next event gets another process
		log         string
	}{
		{"error", `{"Fail":"no luck"}`, failure{"no luck", "errorString"}, false, ""},
		{"panic", `{"Panic":"oh"}`, failure{"oh", "string"}, true, `msg="function exited between events" function=Echo status="exit status 1"`},
		{"exit 2", `{"Exit":2}`, failure{"RequestId: ID Error: Runtime exited with error: exit status 2", "Runtime.ExitError"}, true,
			`msg="function exited" function=Echo status="exit status 2" request=`},
		{"exit 0", `{"Exit":0}`, failure{"RequestId: ID Error: Runtime exited without providing a reason", "Runtime.ExitError"}, true,
			`msg="function exited" function=Echo status="exit status 0" request=`},
		{"killed", `{"Signal":9}`, failure{"RequestId: ID Error: Runtime exited with error: signal: killed", "Runtime.ExitError"}, true,
			`msg="function exited" function=Echo status="signal: killed" request=`},
		{"timeout", `{"Sleep":3600000000000}`, failure{"RequestId: ID Error: Task timed out after 1.00 seconds", "Sandbox.Timedout"}, true,
			`msg="function timed out" function=Echo request=`},
		{"large answer", `{"Size":6291556}`, failure{"Response payload size exceeded maximum allowed payload size (6291556 bytes).", "Function.ResponseSizeTooLarge"}, true, ""},
		{"wrong event", `[]`, failure{"json: cannot unmarshal array into Go value of type main.request", "UnmarshalTypeError"}, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, echo(func(f *template.Function) {
				if f.Timeout = time.Minute; tt.name == "timeout" {
					f.Timeout = time.Second
				}
			}))
			before := r.echo(t, `{}`)
			got := r.failure(t, "Echo", tt.event)
			if i := strings.Index(got.Message, "RequestId: "); i == 0 {
				got.Message = "RequestId: ID" + got.Message[len("RequestId: ")+36:]
			}
			if got != tt.want {
				t.Errorf("got %+v\nwant %+v", got, tt.want)
			}
			after := r.echo(t, `{}`)
			if fresh := after.PID != before.PID; fresh != tt.fresh {
				t.Errorf("next event in a fresh process: got %v, want %v", fresh, tt.fresh)
			}
			if tt.log != "" {
				eventually(t, "log "+tt.log, func() bool { return strings.Contains(r.log.String(), tt.log) })
			}
		})
	}
}

func TestLargestAnswerAndEvent(t *testing.T) {
	t.Parallel()
	r := start(t, echo())
	if got := r.echo(t, `{"Size":6200000}`); len(got.Pad) != 6200000 {
		t.Errorf("answer: got %d bytes of padding, want 6200000", len(got.Pad))
	}
	r.echo(t, `{"Print":"`+strings.Repeat("x", 5<<20)+`"}`)
}

func TestNilAnswerIsNull(t *testing.T) {
	t.Parallel()
	r := start(t, echo())
	out, err := r.Invoke(t.Context(), "Echo", []byte(`{"Nil":true}`))
	if err != nil || string(out) != "null" {
		t.Errorf("got %q, %v; want null", out, err)
	}
}

func TestCallerThatLeaves(t *testing.T) {
	t.Parallel()
	r := start(t, echo())
	gate := filepath.Join(t.TempDir(), "gate")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := r.Invoke(ctx, "Echo", fmt.Appendf(nil, `{"Print":"begun","Gate":%q,"Stderr":"x"}`, gate))
		done <- err
	}()
	eventually(t, "the function to begin", func() bool { return strings.Contains(r.out.String(), "begun") })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	touch(t, gate)
	// The function has run on: its process is free again.
	eventually(t, "the process to be free", func() bool { return r.echo(t, `{}`).Count > 1 })
}

func TestConcurrentEventsHaveTheirOwnProcesses(t *testing.T) {
	t.Parallel()
	r := start(t, echo())
	gate := filepath.Join(t.TempDir(), "gate")
	const n = 8
	pids := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { pids[i] = r.echo(t, fmt.Sprintf(`{"Print":"begun","Gate":%q}`, gate)).PID })
	}
	eventually(t, "all to begin", func() bool { return strings.Count(r.out.String(), "begun") == n })
	touch(t, gate)
	wg.Wait()
	slices.Sort(pids)
	if got := len(slices.Compact(pids)); got != n {
		t.Errorf("got %d processes for %d events at once", got, n)
	}
}

func TestBurstNeedsFewProcesses(t *testing.T) {
	t.Parallel()
	r := start(t, echo())
	const n = 1000
	pids := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { pids[i] = r.echo(t, `{}`).PID })
	}
	wg.Wait()
	slices.Sort(pids)
	if got := len(slices.Compact(pids)); got > crowd {
		t.Errorf("got %d processes for %d short events; want at most %d", got, n, crowd)
	}
}

// TestLongWorkIsNoCrowd: events with much to do wait for nobody.
func TestLongWorkIsNoCrowd(t *testing.T) {
	t.Parallel()
	r := startConfig(t, Config{Functions: tableOf(echo()), patience: time.Millisecond})
	gate := filepath.Join(t.TempDir(), "gate")
	n := crowd + 3
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { r.echo(t, fmt.Sprintf(`{"Print":"begun","Gate":%q}`, gate)) })
	}
	eventually(t, "all to begin", func() bool { return strings.Count(r.out.String(), "begun") == n })
	touch(t, gate)
	wg.Wait()
}

func TestReservedConcurrency(t *testing.T) {
	t.Parallel()
	r := start(t, echo(func(f *template.Function) { f.Concurrency = 1 }))
	for range 20 {
		r.echo(t, `{}`) // one after the other is never too many
	}
	gate := filepath.Join(t.TempDir(), "gate")
	done := make(chan error)
	go func() {
		_, err := r.Invoke(t.Context(), "Echo", fmt.Appendf(nil, `{"Print":"begun","Gate":%q}`, gate))
		done <- err
	}()
	eventually(t, "the first to begin", func() bool { return strings.Contains(r.out.String(), "begun") })
	if _, err := r.Invoke(t.Context(), "Echo", []byte(`{}`)); !errors.Is(err, ErrThrottled) {
		t.Errorf("second event: got %v, want ErrThrottled", err)
	}
	touch(t, gate)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestMaxInstances(t *testing.T) {
	t.Parallel()
	r := startConfig(t, Config{Functions: []*template.Function{echo()}, MaxInstances: 2})
	pids := make([]int, 20)
	var wg sync.WaitGroup
	for i := range pids {
		wg.Go(func() { pids[i] = r.echo(t, `{"Sleep":5000000}`).PID })
	}
	wg.Wait()
	slices.Sort(pids)
	if got := len(slices.Compact(pids)); got > 2 {
		t.Errorf("got %d processes, want at most 2", got)
	}
}

func TestIdleProcessesEnd(t *testing.T) {
	t.Parallel()
	r := start(t, echo())
	before := r.echo(t, `{}`)
	eventually(t, "the process to be idle", func() bool { return r.idle() == 1 })
	r.clock.Advance(idleTimeout - time.Minute)
	if got := r.echo(t, `{}`); got.PID != before.PID {
		t.Error("the process ended before its time")
	}
	eventually(t, "the process to be idle", func() bool { return r.idle() == 1 })
	r.clock.Advance(idleTimeout - time.Minute)
	if r.idle() != 1 {
		t.Error("the process ended though it had worked meanwhile")
	}
	r.clock.Advance(2 * time.Minute)
	eventually(t, "the process to end", func() bool { return processCount(r) == 0 })
	if got := r.echo(t, `{}`); got.PID == before.PID || got.Count != 1 {
		t.Errorf("next event: got %+v, want a fresh process", got)
	}
}

func (r *rig) idle() int {
	f := r.order[0]
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.idle)
}

func processCount(r *rig) int {
	f := r.order[0]
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.instances)
}
