package schedule

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/template"
)

// Runner fires schedules when they are due.
type Runner struct {
	clock           *clock.Clock
	region, account string
	fire            func(*template.Schedule, []byte)
	entries         []*entry

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // calls of fire
}

// entry is a schedule that waits for its time.
type entry struct {
	schedule *template.Schedule
	expr     *Expression

	due   time.Time    // guarded by Runner.mu
	timer *clock.Timer // guarded by Runner.mu; nil if nothing is to come
}

// New reads the schedules. Each time one that is enabled is due, fire gets it with
// its event; fire must return soon, since Advance of the clock waits for it. The
// error joins those of all expressions, with their places.
func New(c *clock.Clock, schedules []*template.Schedule, region, account string,
	fire func(s *template.Schedule, event []byte)) (*Runner, error) {
	r := &Runner{clock: c, region: region, account: account, fire: fire}
	var errs []error
	for _, s := range schedules {
		e, err := Parse(s.Expression, s.Timezone)
		if err == nil && e.once() && !s.V2 {
			err = fmt.Errorf("%s A rule takes no at(…); make the event a ScheduleV2", notValid)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: event %s: %w", s.Pos, s.FunctionID, s.EventID, err))
			continue
		}
		r.entries = append(r.entries, &entry{schedule: s, expr: e})
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

// Start runs the schedules that are enabled. A rate of Scheduler is due at once,
// before Start returns; that of a rule after its first period.
func (r *Runner) Start() {
	now := r.clock.Now()
	r.mu.Lock()
	for _, e := range r.entries {
		if e.schedule.Enabled {
			r.arm(e, now, now)
		}
	}
	r.mu.Unlock()
	for _, e := range r.entries {
		if e.schedule.Enabled && e.schedule.V2 && e.expr.period > 0 {
			r.fire(e.schedule, Event(e.schedule, r.region, r.account, now))
		}
	}
}

// arm sets the timer for the first due time after a time. r.mu is held.
func (r *Runner) arm(e *entry, after, now time.Time) {
	due, ok := e.expr.Next(after)
	if ok && !due.After(now) { // times were missed, such as while the machine slept
		due, ok = e.expr.Next(now)
	}
	switch {
	case !ok:
		e.timer = nil
		return
	case e.timer == nil:
		e.timer = r.clock.AfterFunc(due.Sub(now), func() { r.expire(e) })
	default:
		e.timer.Reset(due.Sub(now))
	}
	e.due = due
}

// expire fires an entry and waits for its next time.
func (r *Runner) expire(e *entry) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	due := e.due
	r.arm(e, due, r.clock.Now())
	r.running.Add(1)
	r.mu.Unlock()
	defer r.running.Done()
	r.fire(e.schedule, Event(e.schedule, r.region, r.account, due))
}

// Fire fires a schedule now, whether or not it is enabled; when it is due next
// does not change. The name is the schedule's, or that of its event or function
// if no other schedule has the same.
func (r *Runner) Fire(name string) error {
	s, err := r.find(name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return errors.New("schedule: closed")
	}
	r.running.Add(1)
	r.mu.Unlock()
	defer r.running.Done()
	r.fire(s, Event(s, r.region, r.account, r.clock.Now()))
	return nil
}

func (r *Runner) find(name string) (*template.Schedule, error) {
	var all, found []string
	var match *template.Schedule
	for _, e := range r.entries {
		s := e.schedule
		all = append(all, s.Name)
		switch name {
		case s.Name:
			return s, nil
		case s.EventID, s.FunctionID, s.FunctionARN[strings.LastIndexByte(s.FunctionARN, ':')+1:]:
			match = s
			found = append(found, s.Name)
		}
	}
	switch {
	case len(found) == 1:
		return match, nil
	case len(found) > 1:
		return nil, fmt.Errorf("schedule: %s may be each of %s; give one of these", shorten(name), strings.Join(found, ", "))
	case len(all) == 0:
		return nil, fmt.Errorf("schedule: there is no %s, and no other schedule", shorten(name))
	}
	return nil, fmt.Errorf("schedule: there is no %s; the schedules are %s", shorten(name), strings.Join(all, ", "))
}

// Close stops the schedules and waits for calls of fire to return. It must not
// be called by fire.
func (r *Runner) Close() {
	r.mu.Lock()
	r.closed = true
	for _, e := range r.entries {
		if e.timer != nil {
			e.timer.Stop()
		}
	}
	r.mu.Unlock()
	r.running.Wait()
}
