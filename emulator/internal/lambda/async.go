package lambda

import (
	"cmp"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"crypto-ticker/emulator/internal/clock"
)

// Waits of asynchronous invocations.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const (
	retryWait       = time.Minute // before the first retry; twice that before the second
	throttleWait    = time.Second // after the first throttling, doubled each time
	maxThrottleWait = 5 * time.Minute
)

// asyncEvent is an event whose sender does not wait.
type asyncEvent struct {
	to        target
	id        string
	payload   []byte
	accepted  time.Time // by the emulator's clock, as due is
	due       time.Time // when this attempt was due
	attempts  int       // that reached the function
	throttled int
}

// InvokeAsync queues an event for a function and returns the request id that
// all attempts share. Failed attempts are repeated as the function's
// EventInvokeConfig says, and its destinations are told. The error is
// ErrNotFound or ErrClosed.
func (s *Service) InvokeAsync(nameOrARN string, event []byte) (string, error) {
	t, err := s.find(nameOrARN)
	if err != nil {
		return "", err
	}
	inv := s.newInvocation(t, event)
	return inv.id, s.queue(inv)
}

// queue makes the first attempt of an asynchronous invocation.
func (s *Service) queue(inv *invocation) error {
	now := s.clock.Now()
	ev := &asyncEvent{to: inv.target, id: inv.id, payload: inv.event, accepted: now, due: now}
	if !s.spawnCall(func() { s.attempt(ev, inv) }) {
		return ErrClosed
	}
	return nil
}

// spawnCall runs work that Close waits for; it says whether there is still time.
func (s *Service) spawnCall(work func()) bool {
	s.retries.mu.Lock()
	defer s.retries.mu.Unlock()
	if s.retries.stopped {
		return false
	}
	s.calls.Go(work)
	return true
}

// attempt gives an event to its function and deals with what becomes of it.
func (s *Service) attempt(ev *asyncEvent, inv *invocation) {
	begun := time.Now()
	payload, err := inv.run(s.ctx)
	ev.due = ev.due.Add(time.Since(begun)) // functions take real time
	var failed *FunctionError
	switch {
	case err == nil:
		ev.attempts++
		s.tell(ev, ev.to.def.Async.OnSuccess, "Success", orNull(payload), nil)
	case errors.As(err, &failed):
		ev.attempts++
		if ev.attempts > ev.to.def.Async.MaxRetries {
			s.giveUp(ev, "RetriesExhausted", failed)
			return
		}
		s.retry(ev, retryWait*time.Duration(ev.attempts), failed)
	case errors.Is(err, ErrThrottled) && ev.to.def.Concurrency == 0:
		// Nobody waits for what is switched off.
		// https://github.com/SummitRoute/aws_breaking_changes/issues/48
		s.giveUp(ev, "ZeroReservedConcurrency", nil)
	case errors.Is(err, ErrThrottled):
		wait := maxThrottleWait
		if ev.throttled < 9 {
			wait = min(wait, throttleWait<<ev.throttled)
		}
		ev.throttled++
		s.retry(ev, wait, nil)
	case s.ctx.Err() == nil && !errors.Is(err, ErrClosed):
		s.log.Error("asynchronous event lost", "function", ev.to.def.LogicalID, "request", ev.id, "error", err)
	}
}

// retry attempts the event again after a wait, unless it would be too old. The
// wait counts from when the attempt would have ended had it begun when it was
// due: Advance may have moved the clock on meanwhile.
func (s *Service) retry(ev *asyncEvent, wait time.Duration, last *FunctionError) {
	if limit := ev.to.def.Async.MaxEventAge; limit > 0 && ev.due.Add(wait).Sub(ev.accepted) > limit {
		s.giveUp(ev, "EventAgeExceeded", last)
		return
	}
	ev.due = ev.due.Add(wait)
	s.retries.add(s.clock, ev.due.Sub(s.clock.Now()), func() {
		inv := s.newInvocation(ev.to, ev.payload)
		inv.id = ev.id
		s.spawnCall(func() { s.attempt(ev, inv) })
	})
}

func (s *Service) giveUp(ev *asyncEvent, condition string, last *FunctionError) {
	s.log.Error("asynchronous event given up", "function", ev.to.def.LogicalID, "request", ev.id,
		"condition", condition, "attempts", ev.attempts)
	var payload []byte
	if last != nil {
		payload = last.Payload
	}
	s.tell(ev, ev.to.def.Async.OnFailure, condition, payload, last)
}

// record is what a destination gets.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
type record struct {
	Version         string          `json:"version"`
	Timestamp       string          `json:"timestamp"`
	RequestContext  recordRequest   `json:"requestContext"`
	RequestPayload  json.RawMessage `json:"requestPayload"`
	ResponseContext *recordResponse `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage `json:"responsePayload,omitempty"`
}

type recordRequest struct {
	RequestID              string `json:"requestId"`
	FunctionARN            string `json:"functionArn"`
	Condition              string `json:"condition"`
	ApproximateInvokeCount int    `json:"approximateInvokeCount"`
}

type recordResponse struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

// tell sends a destination that is a function the record of an event.
func (s *Service) tell(ev *asyncEvent, destination, condition string, payload []byte, failed *FunctionError) {
	if destination == "" {
		return
	}
	to, err := s.find(destination)
	if err != nil {
		s.log.Error("destination is not a function of the template; its record is lost",
			"function", ev.to.def.LogicalID, "destination", destination)
		return
	}
	rec := record{
		Version:   "1.0",
		Timestamp: s.clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: recordRequest{
			RequestID:              ev.id,
			FunctionARN:            ev.to.def.ARN + ":" + cmp.Or(ev.to.qualifier, latest),
			Condition:              condition,
			ApproximateInvokeCount: ev.attempts,
		},
		RequestPayload: ev.payload,
	}
	if failed != nil || condition == "Success" {
		rec.ResponseContext = &recordResponse{StatusCode: 200, ExecutedVersion: ev.to.version()}
		if failed != nil {
			rec.ResponseContext.FunctionError = failed.Kind
		}
		rec.ResponsePayload = payload
	}
	event, err := json.Marshal(rec)
	if err != nil {
		s.log.Error("record of an asynchronous event cannot be encoded; the function's answer is no JSON",
			"function", ev.to.def.LogicalID, "request", ev.id, "error", err)
		return
	}
	if err := s.queue(s.newInvocation(to, event)); err != nil {
		s.log.Debug("destination was not told", "destination", destination, "error", err)
	}
}

// retries holds the attempts that wait for their time.
type retries struct {
	mu      sync.Mutex
	stopped bool
	timers  map[*clock.Timer]struct{}
}

func (r *retries) add(c *clock.Clock, wait time.Duration, attempt func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return
	}
	if r.timers == nil {
		r.timers = make(map[*clock.Timer]struct{})
	}
	var t *clock.Timer
	t = c.AfterFunc(wait, func() {
		r.mu.Lock()
		delete(r.timers, t)
		r.mu.Unlock()
		attempt()
	})
	r.timers[t] = struct{}{}
}

// stop drops what waits, which the emulator keeps in memory alone.
func (r *retries) stop(log *slog.Logger) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	if n := len(r.timers); n > 0 {
		log.Warn("events that wait for a retry are dropped", "events", n)
	}
	for t := range r.timers {
		t.Stop()
	}
	r.timers = nil
}
