package eventsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"crypto-ticker/emulator/internal/lambda"
	"crypto-ticker/emulator/internal/template"
)

func TestBatches(t *testing.T) {
	inBubble(t, func(s *template.EventSource) { s.BatchSize = 2 }, nil, func(r *rig) {
		r.put(1, 2, 3)
		r.start()
		r.want(time.Second, "0s [1 2]", "0s [3]")
		r.put(4)
		r.want(time.Second, "0s [1 2]", "0s [3]", "1s [4]")
	})
}

func TestLatest(t *testing.T) {
	inBubble(t, func(s *template.EventSource) { s.Latest = true }, nil, func(r *rig) {
		r.put(1)
		r.start()
		r.put(2)
		r.want(time.Hour, "0s [2]")
	})
}

func TestDisabled(t *testing.T) {
	inBubble(t, func(s *template.EventSource) { s.Enabled = false }, nil, func(r *rig) {
		r.put(1)
		r.start()
		r.want(time.Hour)
	})
}

// TestWindow waits from the first record on, and not for a batch that is full.
func TestWindow(t *testing.T) {
	inBubble(t, func(s *template.EventSource) { s.Window, s.BatchSize = 5*time.Second, 3 }, nil, func(r *rig) {
		r.start()
		time.Sleep(time.Second)
		r.put(1)
		time.Sleep(4 * time.Second)
		r.put(2)
		r.want(4*time.Second, "6s [1 2]")
		r.put(3, 4, 5, 6)
		r.want(time.Minute, "6s [1 2]", "9s [3 4 5]", "14s [6]")
	})
}

var errFails = errors.New("the function fails")

// poison fails for batches with an item of a number.
func poison(id string) answer {
	return func(_ int, ids []string) (any, error) {
		if slices.Contains(ids, id) {
			return nil, errFails
		}
		return nil, nil
	}
}

func TestRetries(t *testing.T) {
	inBubble(t, func(s *template.EventSource) { s.MaxRetries = 2 }, poison("1"), func(r *rig) {
		r.start()
		r.put(1, 2)
		r.want(0, "0s [1 2]")
		r.put(3) // waits its turn
		r.want(time.Minute, "0s [1 2]", "1s [1 2]", "3s [1 2]", "3s [3]")
		if log := r.log.String(); !strings.Contains(log, "condition=RetryAttemptsExhausted records=2") || !strings.Contains(log, "attempts=3") {
			t.Errorf("logged %s", log)
		}
	})
}

// TestRetriesWithoutLimit waits longer and longer, up to a minute.
func TestRetriesWithoutLimit(t *testing.T) {
	recovers := func(call int, _ []string) (any, error) {
		if call < 10 {
			return nil, errFails
		}
		return nil, nil
	}
	inBubble(t, nil, recovers, func(r *rig) {
		r.start()
		r.put(1)
		r.want(10*time.Minute, "0s [1]", "1s [1]", "3s [1]", "7s [1]", "15s [1]", "31s [1]", "1m3s [1]", "2m3s [1]", "3m3s [1]", "4m3s [1]")
	})
}

// TestRetryOnAdvance makes retries due at once.
func TestRetryOnAdvance(t *testing.T) {
	inBubble(t, func(s *template.EventSource) { s.MaxRetries = 1 }, poison("1"), func(r *rig) {
		r.start()
		r.put(1)
		r.want(0, "0s [1]")
		r.clock.Advance(time.Second)
		r.want(0, "0s [1]", "1s [1]")
	})
}

func TestMaximumAge(t *testing.T) {
	inBubble(t, func(s *template.EventSource) { s.MaxAge = time.Minute }, poison("1"), func(r *rig) {
		r.start()
		r.put(1)
		time.Sleep(30 * time.Second)
		r.put(2)
		r.want(time.Hour, "0s [1]", "1s [1]", "3s [1]", "7s [1]", "15s [1]", "31s [1]", "1m3s [2]")
		if log := r.log.String(); !strings.Contains(log, "condition=RecordAgeExceeded records=1") {
			t.Errorf("logged %s", log)
		}
	})
}

// TestBisect finds the one record with which the function fails. Splitting is no
// attempt.
func TestBisect(t *testing.T) {
	inBubble(t, func(s *template.EventSource) { s.Bisect, s.MaxRetries = true, 1 }, poison("3"), func(r *rig) {
		r.start()
		r.put(1, 2, 3, 4)
		r.want(time.Minute, "0s [1 2 3 4]", "0s [1 2]", "0s [3 4]", "0s [3]", "1s [3]", "1s [4]")
	})
}

func TestReportedFailures(t *testing.T) {
	report := func(call int, _ []string) (any, error) {
		switch call {
		case 1:
			return failures{"4", "3"}, nil
		case 2:
			return failures{"3"}, nil
		}
		return failures{}, nil
	}
	inBubble(t, func(s *template.EventSource) { s.ReportFailures = true }, report, func(r *rig) {
		r.start()
		r.put(1, 2, 3, 4)
		r.want(time.Minute, "0s [1 2 3 4]", "1s [3 4]", "3s [3 4]")
	})
}

// TestThrottling does not count as an attempt, nor does what else keeps a batch
// from the function.
func TestThrottling(t *testing.T) {
	inBubble(t, func(s *template.EventSource) { s.MaxRetries = 0 }, nil, func(r *rig) {
		invoke, tries := r.invoke, 0
		r.invoke = func(ctx context.Context, arn string, event []byte) ([]byte, error) {
			if tries++; tries < 3 {
				return nil, lambda.ErrThrottled
			}
			return invoke(ctx, arn, event)
		}
		r.start()
		r.put(1)
		r.want(time.Minute, "3s [1]")
	})
}

func TestFilteredRecords(t *testing.T) {
	filters := []string{`{"eventName":["REMOVE"]}`, `{"dynamodb":{"Keys":{"id":{"N":["2"]}}}}`}
	inBubble(t, func(s *template.EventSource) { s.Filters = filters }, nil, func(r *rig) {
		r.start()
		r.put(1)
		r.put(1, 2, 3)
		r.do("DeleteItem", `{"TableName":"Notes","Key":{"id":{"N":"1"}}}`)
		r.want(time.Minute, "0s [2 1]")
	})
}

// TestProgress goes on where the mapping was ended: a batch that was under way
// comes again, what the filters left out does not.
func TestProgress(t *testing.T) {
	inBubble(t, func(s *template.EventSource) {
		s.Filters = []string{`{"dynamodb":{"Keys":{"id":{"N":[{"anything-but":"5"}]}}}}`}
	}, poison("3"), func(r *rig) {
		r.start()
		r.put(1, 2)
		r.want(0, "0s [1 2]")
		r.put(5)
		r.want(0, "0s [1 2]")
		r.put(3)
		r.want(0, "0s [1 2]", "0s [3]")
		r.runner.Close()
		r.want(time.Hour, "0s [1 2]", "0s [3]")
		r.put(4)
		r.source.Filters = nil
		r.start()
		r.want(0, "0s [1 2]", "0s [3]", "1h0m0s [3 4]")
	})
}

// TestEndOfStream ends the mapping when all has been read. The table's next
// stream is not the mapping's.
func TestEndOfStream(t *testing.T) {
	const stream = `{"TableName":"Notes","StreamSpecification":{"StreamEnabled":%s}}`
	for name, again := range map[string]func(r *rig){
		"deleted": func(r *rig) {
			r.do("DeleteTable", `{"TableName":"Notes"}`)
			r.createTable()
		},
		"disabled": func(r *rig) {
			r.do("UpdateTable", fmt.Sprintf(stream, "false"))
			r.do("UpdateTable", fmt.Sprintf(stream, `true,"StreamViewType":"KEYS_ONLY"`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, nil, func(r *rig) {
				first := r.tables.LatestStream("Notes")
				r.start()
				r.put(1)
				again(r)
				r.put(2)
				r.want(time.Minute, "0s [1]")
				for _, want := range []string{"mapping has ended", "mapping=FnChanges place=template.yaml:7 table=Notes stream=" + first} {
					if got := r.log.String(); strings.Count(got, want) != 1 {
						t.Errorf("logged %s, want %s", got, want)
					}
				}
				r.runner.Close()
				r.start() // as the next start does
				r.want(time.Minute, "0s [1]", "1m0s [2]")
			})
		})
	}
}

// TestCloseDuringInvocation does not wait for the function.
func TestCloseDuringInvocation(t *testing.T) {
	slow := func(int, []string) (any, error) {
		time.Sleep(30 * time.Second)
		return nil, messages.InvokeResponse_Error{Message: "late"}
	}
	inBubble(t, nil, slow, func(r *rig) {
		r.start()
		r.put(1)
		r.want(time.Second, "0s [1]")
		began := time.Now()
		r.runner.Close()
		if took := time.Since(began); took > time.Second {
			t.Errorf("closing took %s", took)
		}
	})
}

func TestStartErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*template.EventSource)
		want   string
	}{
		"filter":    {func(s *template.EventSource) { s.Filters = []string{`{}`, `{`} }, "template.yaml:7: FnChanges: pattern 1 of FilterCriteria has an empty object"},
		"no stream": {func(s *template.EventSource) { s.Table = "Others" }, "template.yaml:7: FnChanges: the table Others has no stream"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, tt.change, nil, func(r *rig) {
				_, err := New(Config{Sources: []*template.EventSource{r.source}, Tables: r.tables, Clock: r.clock})
				if err == nil || err.Error() != tt.want {
					t.Errorf("got %v, want %s", err, tt.want)
				}
			})
		})
	}
}
