package lambda

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"crypto-ticker/emulator/internal/ids"
)

// state is what an instance is doing.
type state int

const (
	starting  state = iota // has not asked for an event yet
	idle                   // has asked for an event
	busy                   // has an event
	finishing              // has answered, and not asked for the next event yet
	dying                  // is being ended; nothing that it does counts any more
	dead
)

// slotTime is how long an instance may keep others from starting.
const slotTime = time.Second

// instance is a process of a function.
type instance struct {
	f      *function
	build  int
	binary string

	ln     net.Listener
	logs   *logPipe
	logged chan struct{} // closed when logs has ended
	exited chan struct{} // closed when the process has ended

	// What follows is guarded by f.mu.
	cmd       *exec.Cmd // nil before the process runs
	state     state
	bound     *invocation // the one event that a second start is for
	waiting   *conn       // that an event goes to; only if idle
	current   *invocation // only if busy
	timer     *time.Timer // ends what takes too long
	deadline  time.Time   // when timer is due
	since     time.Time   // idle since, by the emulator's clock
	started   time.Time
	initTime  time.Duration
	holdsSlot bool // from launch on, unless bound
	used      bool
	extension bool // an extension is registered, so SIGTERM comes before SIGKILL
	initError func(*invocation) *FunctionError

	connMu sync.Mutex
	conns  map[*conn]struct{} // nil when no more are taken
	served sync.WaitGroup
}

// run is an instance's life.
func (in *instance) run() {
	defer in.f.svc.procs.Done()
	if err := in.start(); err != nil {
		in.f.mu.Lock()
		in.initError = func(inv *invocation) *FunctionError {
			return unhandled("Runtime.InvalidEntrypoint", "RequestId: "+inv.id+" Error: "+err.Error())
		}
		in.f.mu.Unlock()
		in.f.gone(in, err.Error())
		return
	}
	how := ""
	if err := in.cmd.Wait(); err != nil {
		how = err.Error()
	}
	close(in.exited)
	killGroup(in.cmd) // what it has started
	select {
	case <-in.logged:
	case <-time.After(time.Second): // a pipe that somebody else still holds
	}
	in.logs.r.Close()
	<-in.logged
	in.closeConns()
	in.f.gone(in, how)
}

// start runs the process and its Runtime API.
func (in *instance) start() error {
	f := in.f
	ln, err := f.svc.cfg.listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		ln.Close()
		return err
	}
	defer w.Close()
	cmd := &exec.Cmd{
		Path:   in.binary,
		Args:   []string{in.binary},
		Dir:    f.def.CodeDir,
		Env:    in.environment(ln.Addr().String()),
		Stdout: w,
		Stderr: w,
	}
	isolate(cmd)
	in.ln, in.conns = ln, make(map[*conn]struct{})
	in.logs = &logPipe{r: r, prefix: f.def.LogicalID + " | ", out: f.svc.cfg.Output}
	in.logged, in.exited = make(chan struct{}), make(chan struct{})
	in.arm()
	if err := f.svc.spawner.start(cmd); err != nil {
		ln.Close()
		r.Close()
		return err
	}
	f.mu.Lock()
	in.cmd = cmd
	// When the init phase has ended before the process began, nobody has killed it.
	closing := in.state == dying || !time.Now().Before(in.deadline)
	f.mu.Unlock()
	if closing {
		killGroup(cmd)
	}
	in.served.Add(1)
	go in.accept()
	go func() {
		defer close(in.logged)
		in.logs.read()
	}()
	return nil
}

func (in *instance) environment(api string) []string {
	f := in.f
	env := make([]string, len(f.env), len(f.env)+3)
	copy(env, f.env)
	stream := f.svc.clock.Now().UTC().Format("2006/01/02") + "/[$LATEST]" + ids.Hex(16)
	return append(env,
		"AWS_LAMBDA_RUNTIME_API="+api,
		"AWS_LAMBDA_LOG_STREAM_NAME="+stream,
		"LAMBDA_RUNTIME_DIR="+filepath.Dir(in.binary))
}

// arm sets the limits of the init phase.
func (in *instance) arm() {
	f := in.f
	f.mu.Lock()
	defer f.mu.Unlock()
	in.started = time.Now()
	limit := f.svc.cfg.initTimeout
	if in.bound != nil {
		limit = f.def.Timeout // init takes of the event's time
		in.bound.begun = in.started
	} else {
		time.AfterFunc(slotTime, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			in.freeSlot()
		})
	}
	in.deadline = in.started.Add(limit)
	in.timer = time.AfterFunc(limit, in.expire)
}

// initialized ends the init phase. f.mu is held.
func (in *instance) initialized() {
	in.timer.Stop()
	in.initTime = time.Since(in.started)
	in.freeSlot()
}

// freeSlot lets another instance start. f.mu is held.
func (in *instance) freeSlot() {
	if in.holdsSlot {
		in.holdsSlot = false
		go in.f.svc.initSem.release() // takes the locks of other functions
	}
}

// begin makes inv the instance's event and returns the connection that waits
// for it. f.mu is held.
func (in *instance) begin(inv *invocation) *conn {
	now := time.Now()
	inv.in, inv.cold = in, !in.used
	if inv.begun.IsZero() {
		inv.begun = now
	}
	inv.deadline = inv.begun.Add(in.f.def.Timeout)
	in.state, in.current, in.used = busy, inv, true
	in.deadline = inv.deadline
	in.timer.Reset(inv.deadline.Sub(now))
	if inv.tail != nil {
		in.logs.record(inv.tail)
	}
	c := in.waiting
	in.waiting = nil
	return c
}

// send writes the event to the connection that waits for it. An event that
// cannot be written goes to another instance.
func (in *instance) send(c *conn, inv *invocation) {
	if c.writeEvent(inv) == nil {
		return
	}
	f := in.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if in.state != busy || in.current != inv {
		return
	}
	in.state, in.current = finishing, nil
	f.finishing++
	inv.in, inv.begun = nil, time.Time{}
	f.queue = append([]*invocation{inv}, f.queue...)
	f.grow(0)
}

// expire ends an instance whose time is over.
func (in *instance) expire() {
	f := in.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Now().Before(in.deadline) {
		return // the timer has been set anew meanwhile
	}
	switch in.state {
	case starting:
		in.f.svc.log.Error("function did not initialize in time", "function", f.def.LogicalID, "limit", in.deadline.Sub(in.started))
		if inv := in.bound; inv != nil {
			in.bound, in.state = nil, dying
			f.active--
			inv.done <- result{err: inv.timedOut()}
		}
	case busy:
		inv := in.current
		in.current, in.state = nil, dying
		f.active--
		f.svc.log.Error("function timed out", "function", f.def.LogicalID, "request", inv.id, "limit", f.def.Timeout)
		inv.done <- result{err: inv.timedOut()}
	case finishing:
		in.state = dying
		f.finishing--
		f.svc.log.Error("function answered but did not ask for its next event in time", "function", f.def.LogicalID, "limit", f.def.Timeout)
	default:
		return
	}
	in.kill()
}

// initFailure is what the event gets that a failed second start was for.
func (in *instance) initFailure(inv *invocation, how string) *FunctionError {
	if in.initError != nil {
		return in.initError(inv)
	}
	return inv.exited(how)
}

// kill ends the process; one that does not run yet is ended by start. f.mu is
// held.
func (in *instance) kill() {
	if in.cmd == nil {
		return
	}
	select {
	case <-in.exited: // its id may be that of another by now
	default:
		killGroup(in.cmd)
	}
}

// shutdown ends the process as Lambda does: with SIGKILL, and a SIGTERM half a
// second before if an extension is registered.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
func (in *instance) shutdown() {
	in.f.mu.Lock()
	cmd, gentle := in.cmd, in.extension
	in.f.mu.Unlock()
	if cmd == nil {
		return // start sees that the instance is to end
	}
	if gentle {
		terminate(cmd)
		grace := time.NewTimer(500 * time.Millisecond)
		defer grace.Stop()
		select {
		case <-in.exited:
			return
		case <-grace.C:
		}
	}
	in.f.mu.Lock()
	defer in.f.mu.Unlock()
	in.kill()
}

// report logs the end of a process. f.mu is held.
func (in *instance) report(live bool, what, how string, args ...any) {
	if !live {
		return
	}
	if how == "" {
		how = "exit status 0"
	}
	args = append([]any{"function", in.f.def.LogicalID, "status", how}, args...)
	in.f.svc.log.Error(what, args...)
}

// accept serves the instance's Runtime API.
func (in *instance) accept() {
	defer in.served.Done()
	for {
		nc, err := in.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(5 * time.Millisecond) // such as too many open files
			continue
		}
		c := &conn{in: in, c: nc}
		in.connMu.Lock()
		if in.conns == nil {
			in.connMu.Unlock()
			nc.Close()
			return
		}
		in.conns[c] = struct{}{}
		in.served.Add(1)
		in.connMu.Unlock()
		go c.serve()
	}
}

// closeConns ends the Runtime API.
func (in *instance) closeConns() {
	in.ln.Close()
	in.connMu.Lock()
	for c := range in.conns {
		c.c.Close()
	}
	in.conns = nil
	in.connMu.Unlock()
	in.served.Wait()
}
