package lambda

import (
	"fmt"
	"slices"
	"sync"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/template"
)

// function is a function with its instances and the events that wait for one.
type function struct {
	svc     *Service
	def     *template.Function
	env     []string
	handler func() awslambda.Handler // makes what runs in this process; nil for a process of its own

	mu        sync.Mutex
	binary    string // what an instance runs; "" before Build
	build     int    // grows with each Build
	queue     []*invocation
	handlers  []awslambda.Handler // those that have no event
	idle      []*instance         // the last to become idle is the first to work
	instances map[*instance]struct{}
	starting  int // instances that will take from the queue once they have started
	finishing int // instances that have answered and not yet asked for more
	active    int // events accepted and not answered
	impatient bool
	reaper    *clock.Timer
	closed    bool
}

// submit hands the event to an idle instance, or lets it wait for one. The
// result arrives at inv.done.
func (f *function) submit(inv *invocation) error {
	f.mu.Lock()
	if err := f.admit(); err != nil {
		f.mu.Unlock()
		return err
	}
	f.active++
	if f.handler != nil {
		f.svc.calls.Add(1)
		f.mu.Unlock()
		go inv.call()
		return nil
	}
	if n := len(f.idle); n > 0 {
		in := f.idle[n-1]
		f.idle[n-1] = nil
		f.idle = f.idle[:n-1]
		c := in.begin(inv)
		f.mu.Unlock()
		in.send(c, inv)
		return nil
	}
	inv.queued = time.Now()
	f.queue = append(f.queue, inv)
	f.grow(f.finishing)
	f.mu.Unlock()
	return nil
}

// admit says whether the function may take one more event. f.mu is held.
func (f *function) admit() error {
	switch limit := f.def.Concurrency; {
	case f.closed:
		return ErrClosed
	case limit >= 0 && f.active >= limit:
		return fmt.Errorf("%w: %s has reserved a concurrency of %d", ErrThrottled, f.def.Name, limit)
	case f.handler == nil && f.binary == "":
		return fmt.Errorf("lambda: %s is not built", f.def.Name)
	}
	return nil
}

// next is an instance's wish for an event over connection c. It is refused if
// the instance still owes an answer.
func (f *function) next(in *instance, c *conn) bool {
	f.mu.Lock()
	switch in.state {
	case starting:
		if in.initError != nil { // it has said that it cannot start
			f.mu.Unlock()
			return false
		}
		in.initialized()
		if in.bound == nil {
			f.starting--
		}
	case finishing:
		in.timer.Stop()
		f.finishing--
	default:
		f.mu.Unlock()
		return false
	}
	in.state, in.waiting = idle, c
	if inv := f.take(in); inv != nil {
		c := in.begin(inv)
		f.mu.Unlock()
		in.send(c, inv)
		return true
	}
	if in.build != f.build {
		in.state = dying
		f.mu.Unlock()
		go in.shutdown()
		return true
	}
	in.since = f.svc.clock.Now()
	f.idle = append(f.idle, in)
	if f.reaper == nil {
		f.reaper = f.svc.clock.AfterFunc(idleTimeout, f.reap)
	}
	f.mu.Unlock()
	return true
}

// take returns the event that a free instance is to work on. f.mu is held.
func (f *function) take(in *instance) *invocation {
	if inv := in.bound; inv != nil {
		in.bound = nil
		return inv
	}
	if len(f.queue) == 0 || in.build != f.build {
		return nil
	}
	return f.pop()
}

func (f *function) pop() *invocation {
	inv := f.queue[0]
	f.queue[0] = nil
	f.queue = f.queue[1:]
	return inv
}

// unwait takes back an instance's wish for an event, since the connection that
// it came over has gone. The runtime has the function's time to come again.
func (f *function) unwait(in *instance, c *conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if in.state != idle || in.waiting != c {
		return
	}
	in.waiting = nil
	in.state = finishing
	f.finishing++
	f.forget(in)
	in.deadline = time.Now().Add(f.def.Timeout)
	in.timer.Reset(f.def.Timeout)
}

// forget takes an instance out of the idle ones. f.mu is held.
func (f *function) forget(in *instance) {
	if i := slices.Index(f.idle, in); i >= 0 {
		f.idle = slices.Delete(f.idle, i, i+1)
	}
}

// finish takes an instance's event from it, which it has a result for: the
// instance is free once its runtime asks for the next event. It says no if the
// result comes too late. The caller passes the result on.
func (f *function) finish(in *instance, inv *invocation) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if in.state != busy || in.current != inv {
		return false
	}
	in.state, in.current = finishing, nil
	f.finishing++
	f.active--
	return true
}

// gone tidies up after a process has ended; how is its exit status, "" if 0.
func (f *function) gone(in *instance, how string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.instances, in)
	if in.timer != nil {
		in.timer.Stop()
	}
	in.freeSlot()
	was := in.state
	in.state = dead
	switch was {
	case starting:
		f.initFailed(in, how)
	case idle:
		f.forget(in)
		in.report(!f.closed, "function exited between events", how)
	case busy:
		inv := in.current
		f.active--
		inv.done <- result{err: inv.exited(how)}
		in.report(!f.closed, "function exited", how, "request", inv.id)
	case finishing:
		f.finishing--
		in.report(!f.closed, "function exited between events", how)
	}
	f.grow(f.finishing)
}

// initFailed deals with an instance that ended before it asked for an event. A
// first failure is tried again for one event, within that event's time; a
// second is that event's result. f.mu is held.
func (f *function) initFailed(in *instance, how string) {
	in.report(!f.closed, "function failed to initialize", how)
	if inv := in.bound; inv != nil {
		f.active--
		inv.done <- result{err: in.initFailure(inv, how)}
		return
	}
	f.starting--
	if len(f.queue) > 0 && !f.closed {
		f.launch(f.pop())
	}
}

// reap ends the instances that have been idle for long.
func (f *function) reap() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reaper = nil
	if f.closed {
		return
	}
	now := f.svc.clock.Now()
	n := 0
	for n < len(f.idle) && now.Sub(f.idle[n].since) >= idleTimeout {
		f.idle[n].state = dying
		go f.idle[n].shutdown()
		n++
	}
	f.idle = slices.Delete(f.idle, 0, n)
	if len(f.idle) > 0 {
		f.reaper = f.svc.clock.AfterFunc(idleTimeout-now.Sub(f.idle[0].since), f.reap)
	}
}

// use makes new instances run a new binary; the old ones end when they are free.
func (f *function) use(binary string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.binary = binary
	f.build++
	for _, in := range f.idle {
		in.state = dying
		go in.shutdown()
	}
	f.idle = nil
}

// close ends all instances and fails what waits.
func (f *function) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.reaper != nil {
		f.reaper.Stop()
	}
	for _, inv := range f.queue {
		f.active--
		inv.done <- result{err: ErrClosed}
	}
	f.queue, f.idle = nil, nil
	for in := range f.instances {
		switch {
		case in.state == busy:
			f.active--
			in.current.done <- result{err: ErrClosed}
			in.current = nil
		case in.bound != nil:
			f.active--
			in.bound.done <- result{err: ErrClosed}
			in.bound = nil
		}
		in.state = dying
		go in.shutdown()
	}
}
