package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRuntimeAPI has a runtime written by hand do what it must not do.
func TestRuntimeAPI(t *testing.T) {
	t.Parallel()
	r := start(t, raw("protocol"))
	out, err := r.Invoke(t.Context(), "Raw", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := `POST invocation/00000000-0000-0000-0000-000000000000/response 400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}
GET invocation/next 403 {"errorMessage":"State transition to Ready failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}
POST init/error 403 {"errorMessage":"State transition to InitError failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}
GET nowhere 404 {"errorMessage":"No such operation: GET /2018-06-01/runtime/nowhere","errorType":"InvalidPath"}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	eventually(t, "the second answer to be refused", func() bool {
		return strings.Contains(r.out.String(), "Raw | again 403 ")
	})
	if _, err := r.Invoke(t.Context(), "Raw", []byte(`{}`)); err != nil {
		t.Errorf("the event after: %v", err)
	}
}

func TestRuntimeThatFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mode string
		want failure
	}{
		{"init-exit", failure{"RequestId: ID Error: Runtime exited with error: exit status 3", "Runtime.ExitError"}},
		{"init-error", failure{"no table", "Config"}},
		{"init-error-stay", failure{"no table", "Config"}},
		{"large", failure{"Response payload size exceeded maximum allowed payload size (6291556 bytes).", "Function.ResponseSizeTooLarge"}},
		{"no-json-error", failure{"broken", "Runtime.Unknown"}},
		{"trailer", failure{"broke off", "Broken"}},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			t.Parallel()
			r := start(t, raw(tt.mode))
			for range 2 { // and it fails in the same way again
				got := r.failure(t, "Raw", `{}`)
				if strings.HasPrefix(got.Message, "RequestId: ") {
					got.Message = "RequestId: ID" + got.Message[len("RequestId: ")+36:]
				}
				if got != tt.want {
					t.Errorf("got %+v\nwant %+v", got, tt.want)
				}
			}
		})
	}
}

// An init that hangs is ended, and tried once more within the time of the event
// that it is for.
func TestInitThatHangs(t *testing.T) {
	t.Parallel()
	const initTimeout = 50 * time.Millisecond
	def := raw("init-hang")
	def.Timeout = time.Second
	r := startConfig(t, Config{Functions: tableOf(def), initTimeout: initTimeout})
	begun := time.Now()
	got := r.failure(t, "Raw", `{}`)
	if got.Type != "Sandbox.Timedout" || !strings.HasSuffix(got.Message, "Task timed out after 1.00 seconds") {
		t.Errorf("got %+v", got)
	}
	if took := time.Since(begun); took < initTimeout+def.Timeout {
		t.Errorf("took %v; want the init's %v and the event's %v", took, initTimeout, def.Timeout)
	}
}

func TestRuntimeThatAnswersWithNothing(t *testing.T) {
	t.Parallel()
	r := start(t, raw("empty"))
	out, err := r.Invoke(t.Context(), "Raw", []byte(`{}`))
	if err != nil || len(out) != 0 {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestRuntimeThatEndsAfterItsAnswer(t *testing.T) {
	t.Parallel()
	r := start(t, raw("exit-after"))
	for i := range 5 {
		out, err := r.Invoke(t.Context(), "Raw", fmt.Append(nil, i))
		if err != nil || string(out) != fmt.Sprint(i) {
			t.Fatalf("event %d: got %q, %v", i, out, err)
		}
	}
}

// A runtime that never asks for another event does not hold up the next one,
// and is ended when its time is over.
func TestRuntimeThatLingers(t *testing.T) {
	t.Parallel()
	def := raw("linger")
	def.Timeout = time.Second
	r := startConfig(t, Config{Functions: tableOf(def), patience: time.Millisecond})
	for range 2 {
		if _, err := r.Invoke(t.Context(), "Raw", []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both processes to end", func() bool { return processCount(r) == 0 })
}

// A runtime that takes its wish for an event back and comes with no other is
// ended as well.
func TestRuntimeThatHangsUp(t *testing.T) {
	t.Parallel()
	def := raw("hang-up")
	def.Timeout = time.Second
	r := start(t, def)
	if _, err := r.Invoke(t.Context(), "Raw", []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process to end", func() bool { return processCount(r) == 0 })
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	t.Run("SIGTERM with an extension", func(t *testing.T) {
		t.Parallel()
		r := start(t, raw("sigterm"))
		if _, err := r.Invoke(t.Context(), "Raw", []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		r.Close()
		if got, want := r.out.String(), "Raw | saying goodbye\n"; got != want {
			t.Errorf("output: got %q, want %q", got, want)
		}
	})
	t.Run("of an old build", func(t *testing.T) {
		t.Parallel()
		r := start(t, raw("sigterm"))
		done := make(chan error)
		go func() {
			_, err := r.Invoke(t.Context(), "Raw", []byte(`{}`))
			done <- err
		}()
		eventually(t, "a process", func() bool { return processCount(r) == 1 })
		r.order[0].use(r.order[0].binary)
		if err := <-done; err != nil {
			t.Error(err)
		}
		eventually(t, "the old one to say goodbye", func() bool { return r.out.String() == "Raw | saying goodbye\n" })
	})
	t.Run("what a function has started", func(t *testing.T) {
		t.Parallel()
		r := start(t, raw("child"))
		if _, err := r.Invoke(t.Context(), "Raw", []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		var pid int
		eventually(t, "the child's pid", func() bool {
			_, err := fmt.Sscanf(r.out.String(), "Raw | child %d", &pid)
			return err == nil
		})
		r.Close()
		eventually(t, "the child to end", func() bool { return syscall.Kill(pid, 0) != nil || zombie(pid) })
	})
	t.Run("while events run and wait", func(t *testing.T) {
		t.Parallel()
		r := startConfig(t, Config{Functions: tableOf(echo()), MaxInstances: 1})
		errs := make(chan error)
		for range 3 {
			go func() {
				_, err := r.Invoke(t.Context(), "Echo", []byte(`{"Print":"begun","Sleep":3600000000000}`))
				errs <- err
			}()
		}
		eventually(t, "the first to begin and the others to wait", func() bool {
			f := r.order[0]
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(f.queue) == 2 && f.active == 3
		})
		r.Close()
		for range 3 {
			if err := <-errs; !errors.Is(err, ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		}
		if _, err := r.Invoke(t.Context(), "Echo", []byte(`{}`)); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: got %v, want ErrClosed", err)
		}
	})
}

// An idle process that is killed is not missed: the next event gets another.
func TestKilledWhileIdle(t *testing.T) {
	t.Parallel()
	r := start(t, echo())
	before := r.echo(t, `{}`)
	eventually(t, "the process to be idle", func() bool { return r.idle() == 1 })
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end to be noticed", func() bool {
		return strings.Contains(r.log.String(), `msg="function exited between events" function=Echo status="signal: killed"`)
	})
	if after := r.echo(t, `{}`); after.PID == before.PID {
		t.Error("same process")
	}
}

// A runtime in another language, which comes as a bootstrap and needs no build.
func TestRuntimeInShell(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	def := define("Shell", "testdata/shell")
	def.Environment = map[string]string{"HEADERS": filepath.Join(t.TempDir(), "headers")}
	r := start(t, def)
	for i := range 5 {
		out, err := r.Invoke(t.Context(), "Shell", fmt.Append(nil, i))
		if want := fmt.Sprintf("shell got %d", i); err != nil || string(out) != want {
			t.Fatalf("got %q, %v, want %q", out, err, want)
		}
	}
	if n := processCount(r); n != 1 {
		t.Errorf("%d processes for events that came one after the other, want 1", n)
	}
	r.Close()
	if got := r.out.String(); got != "" {
		t.Errorf("the runtime complained: %s", got)
	}
}
