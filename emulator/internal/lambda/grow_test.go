package lambda

import (
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A start that fails before there is a process leaves the next one its slot.
func TestStartsThatFail(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	r := startConfig(t, Config{Functions: tableOf(echo()), listen: func(network, address string) (net.Listener, error) {
		if broken.Load() {
			return nil, &net.OpError{Op: "listen", Net: network, Err: syscall.EMFILE}
		}
		return net.Listen(network, address)
	}})
	slots := r.initSem.free
	broken.Store(true)
	for range slots + 1 {
		if got := r.failure(t, "Echo", `{}`); got.Type != "Runtime.InvalidEntrypoint" {
			t.Fatalf("got %+v, want Runtime.InvalidEntrypoint", got)
		}
	}
	broken.Store(false)
	r.echo(t, `{}`)
}

// A process that begins only after its init time has passed has nobody else to
// end it than what begins it.
func TestStartThatIsLate(t *testing.T) {
	t.Parallel()
	r := start(t, raw("init-hang"))
	f := r.order[0]
	in := &instance{f: f, binary: f.binary, holdsSlot: r.initSem.acquire(f)}
	f.mu.Lock()
	f.starting++
	f.instances[in] = struct{}{}
	f.mu.Unlock()
	r.cfg.initTimeout = time.Nanosecond
	r.procs.Add(1)
	in.run()
	if in.state != dead || f.starting != 0 {
		t.Errorf("got state %d, %d starting; want a dead instance", in.state, f.starting)
	}
}
