package schedule

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/template"
)

var update = flag.Bool("update", false, "write the golden files")

func newSchedule(function, event, expression string) *template.Schedule {
	return &template.Schedule{
		Pos:         template.Pos{File: "template.yaml", Line: 7},
		Name:        function + event,
		FunctionID:  function,
		EventID:     event,
		FunctionARN: "arn:aws:lambda:eu-west-1:123456789012:function:" + strings.ToLower(function),
		V2:          true,
		Expression:  expression,
		Enabled:     true,
	}
}

// firings gathers what a Runner fires; it is used on one goroutine.
type firings []string

func (f *firings) fire(s *template.Schedule, _ []byte) { *f = append(*f, s.Name) }

func start(t *testing.T, schedules ...*template.Schedule) (*clock.Clock, *Runner, *firings) {
	t.Helper()
	c := clock.New()
	t.Cleanup(c.Close)
	f := new(firings)
	r, err := New(c, schedules, "eu-west-1", "123456789012", f.fire)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.Start()
	return c, r, f
}

func TestRunnerFiresWhenDue(t *testing.T) {
	t.Parallel()
	off := newSchedule("C", "Off", "rate(1 minute)")
	off.Enabled = false
	past := newSchedule("D", "Past", "at(2020-01-01T00:00:00)")
	rule := newSchedule("E", "Rule", "rate(1 minute)")
	rule.V2 = false
	c, _, got := start(t, newSchedule("A", "Minute", "rate(1 minute)"), newSchedule("B", "Two", "rate(2 minutes)"), off, past, rule)

	// What Scheduler is to do at a rate begins at once.
	if want := []string{"AMinute", "BTwo"}; !slices.Equal(*got, want) {
		t.Fatalf("got %q at the start, want %q", *got, want)
	}
	c.Advance(30 * time.Second) // far from the minute, however slow the machine is
	if len(*got) != 2 {
		t.Fatalf("got %q before the first period is over", *got)
	}
	c.Advance(30 * time.Second)
	if a, b, e := count(*got, "AMinute"), count(*got, "BTwo"), count(*got, "ERule"); a != 2 || b != 1 || e != 1 || len(*got) != 4 {
		t.Fatalf("got %q after a minute, want A again and the rule", *got)
	}
	c.Advance(3 * time.Minute)
	if a, b, e := count(*got, "AMinute"), count(*got, "BTwo"), count(*got, "ERule"); a != 5 || b != 3 || e != 4 || len(*got) != 12 {
		t.Fatalf("got %q after 4 minutes, want 5 times A, 3 times B, 4 times the rule", *got)
	}
	c.Advance(24 * time.Hour)
	if a := count(*got, "AMinute"); a != 5+24*60 {
		t.Errorf("got %d times A after a day, want %d: it drifts", a, 5+24*60)
	}
}

func count(all []string, name string) int {
	n := 0
	for _, s := range all {
		if s == name {
			n++
		}
	}
	return n
}

func TestRunnerTimesOfEvents(t *testing.T) {
	t.Parallel()
	c := clock.New()
	defer c.Close()
	var got []time.Time
	r, err := New(c, []*template.Schedule{newSchedule("A", "Cron", "cron(0/5 * * * ? *)")}, "eu-west-1", "1",
		func(_ *template.Schedule, event []byte) {
			var e struct{ Time time.Time }
			if err := json.Unmarshal(event, &e); err != nil {
				t.Error(err)
			}
			got = append(got, e.Time)
		})
	if err != nil {
		t.Fatal(err)
	}
	r.Start()
	defer r.Close()
	c.Advance(time.Hour)
	if len(got) != 12 {
		t.Fatalf("got %d events in an hour, want 12", len(got))
	}
	for i, at := range got {
		if at.Minute()%5 != 0 || at.Second() != 0 || i > 0 && at.Sub(got[i-1]) != 5*time.Minute {
			t.Errorf("event %d: got time %s, want every fifth minute", i, at)
		}
	}
}

func TestRunnerOnce(t *testing.T) {
	t.Parallel()
	at := time.Now().UTC().Add(time.Hour).Format("2006-01-02T15:04:05")
	c, _, got := start(t, newSchedule("A", "Once", "at("+at+")"))
	c.Advance(48 * time.Hour)
	if want := []string{"AOnce"}; !slices.Equal(*got, want) {
		t.Errorf("got %q, want %q", *got, want)
	}
}

func TestRunnerClose(t *testing.T) {
	t.Parallel()
	c, r, got := start(t, newSchedule("A", "Minute", "rate(1 minute)"))
	r.Close()
	*got = nil
	c.Advance(time.Hour)
	if err := r.Fire("AMinute"); err == nil {
		t.Error("Fire: got no error after Close")
	}
	if len(*got) != 0 {
		t.Errorf("got %q after Close", *got)
	}
}

func TestFire(t *testing.T) {
	t.Parallel()
	off := newSchedule("Quiet", "Off", "rate(1 day)")
	off.Enabled = false
	_, r, got := start(t, newSchedule("Ticker", "Tick", "rate(1 minute)"), newSchedule("Ticker", "Save", "rate(1 hour)"),
		newSchedule("Sweeper", "Tick", "rate(1 day)"), off)
	for _, tt := range []struct{ name, want, err string }{
		{"TickerTick", "TickerTick", ""},
		{"Save", "TickerSave", ""},
		{"Sweeper", "SweeperTick", ""},
		{"sweeper", "SweeperTick", ""}, // the function's physical name
		{"Quiet", "QuietOff", ""},
		{"Tick", "", `schedule: "Tick" may be each of TickerTick, SweeperTick; give one of these`},
		{"Ticker", "", `schedule: "Ticker" may be each of TickerTick, TickerSave; give one of these`},
		{"Tock", "", `schedule: there is no "Tock"; the schedules are TickerTick, TickerSave, SweeperTick, QuietOff`},
	} {
		*got = nil
		err := r.Fire(tt.name)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("%s: got error %v, want %s", tt.name, err, tt.err)
			}
			continue
		}
		if want := []string{tt.want}; err != nil || !slices.Equal(*got, want) {
			t.Errorf("%s: got %q, %v, want %q", tt.name, *got, err, want)
		}
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	rule := newSchedule("B", "Rule", "at(2030-01-01T00:00:00)")
	rule.V2 = false
	c := clock.New()
	defer c.Close()
	_, err := New(c, []*template.Schedule{newSchedule("A", "Bad", "rate(2 minute)"), rule}, "eu-west-1", "1",
		func(*template.Schedule, []byte) {})
	const want = `template.yaml:7: A: event Bad: Parameter ScheduleExpression is not valid. "rate(2 minute)": write 2 minutes, with s
template.yaml:7: B: event Rule: Parameter ScheduleExpression is not valid. A rule takes no at(…); make the event a ScheduleV2`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestEvent(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 24, 16, 56, 0, 0, time.FixedZone("", 7200))
	v2 := newSchedule("TickerFunction", "Tick", "rate(1 minute)")
	rule := newSchedule("TickerFunction", "Tick", "rate(1 minute)")
	rule.V2 = false
	input := newSchedule("TickerFunction", "Tick", "rate(1 minute)")
	input.Input = `{"at":"<aws.scheduler.scheduled-time>","arn":"<aws.scheduler.schedule-arn>","n":<aws.scheduler.attempt-number>}`
	ruleInput := newSchedule("TickerFunction", "Tick", "rate(1 minute)")
	ruleInput.V2, ruleInput.Input = false, `{"at":"<aws.scheduler.scheduled-time>"}`
	for name, s := range map[string]*template.Schedule{"v2": v2, "rule": rule, "input": input, "rule_input": ruleInput} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Event(s, "eu-west-1", "123456789012", at)
			var e map[string]any
			if err := json.Unmarshal(got, &e); err != nil {
				t.Fatal(err)
			}
			if id, ok := e["id"].(string); ok {
				if len(id) != 36 {
					t.Errorf("got id %q, want a UUID", id)
				}
				got = []byte(strings.Replace(string(got), id, "ID", 1))
			}
			file := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(file, append(got, '\n'), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != strings.TrimSpace(string(want)) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
