package lambda

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// fakeRuntime is a runtime without a process, which decides when it reads. Its
// connections are pipes: who writes waits for who reads.
type fakeRuntime struct {
	t  *testing.T
	in *instance
}

// fakeInstance is the function's only instance, in its init phase.
func fakeInstance(t *testing.T, f *function) *fakeRuntime {
	in := &instance{f: f, build: f.build, state: starting, logs: &logPipe{}, conns: make(map[*conn]struct{}), timer: time.NewTimer(time.Hour)}
	f.mu.Lock()
	f.instances[in] = struct{}{}
	f.starting++
	f.mu.Unlock()
	t.Cleanup(func() {
		f.svc.Close()
		in.served.Wait()
	})
	return &fakeRuntime{t, in}
}

// pipeConn is the runtime's end of a connection.
type pipeConn struct {
	t *testing.T
	net.Conn
	br *bufio.Reader
}

func (r *fakeRuntime) dial() *pipeConn {
	ours, theirs := net.Pipe()
	r.t.Cleanup(func() { ours.Close() })
	r.in.served.Add(1)
	go (&conn{in: r.in, c: theirs}).serve()
	return &pipeConn{r.t, ours, bufio.NewReaderSize(ours, 16)} // reads little at a time
}

func (c *pipeConn) send(method, path, body string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c, "%s /2018-06-01/runtime/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, path, len(body), body); err != nil {
		c.t.Fatal(err)
	}
}

func (c *pipeConn) receive() (*http.Response, string) {
	c.t.Helper()
	res, err := http.ReadResponse(c.br, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, string(body)
}

// event asks for an event and returns its id.
func (c *pipeConn) event() string {
	c.t.Helper()
	c.send("GET", "invocation/next", "")
	res, body := c.receive()
	if res.StatusCode != http.StatusOK {
		c.t.Fatalf("next: got %s %s", res.Status, body)
	}
	return res.Header.Get("Lambda-Runtime-Aws-Request-Id")
}

// invoke gives the function an event and returns its result to come.
func (r *fakeRuntime) invoke(event string) *invocation {
	r.t.Helper()
	inv := r.in.f.svc.newInvocation(target{function: r.in.f}, []byte(event))
	go func() { // writes the event if the instance waits for one
		if err := r.in.f.submit(inv); err != nil {
			inv.done <- result{err: err}
		}
	}()
	return inv
}

// A runtime that has read but the first bytes of the answer to its result may
// ask for the next event on another connection.
func TestNextOnAnotherConnection(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"response", "error", "large response"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := fakeInstance(t, startConfig(t, Config{Functions: tableOf(echo()), MaxInstances: 1}).order[0])
			a, b := r.dial(), r.dial()
			first := r.invoke(`1`)
			id := a.event()
			body := `"done"`
			if what == "large response" {
				body = strings.Repeat("x", maxResponse+1)
			}
			verb := what[strings.LastIndexByte(what, ' ')+1:]
			a.send("POST", "invocation/"+id+"/"+verb, body)
			if _, err := a.br.Peek(1); err != nil {
				t.Fatal(err)
			}
			second := r.invoke(`2`)
			if got := b.event(); got != second.id {
				t.Errorf("second event: got %s, want %s", got, second.id)
			}
			select {
			case <-first.done:
				t.Error("the caller got its result before the runtime got its answer")
			default:
			}
			a.receive()
			got := <-first.done
			if failed := got.err != nil; failed != (what != "response") {
				t.Errorf("first event: got %s, %v", got.payload, got.err)
			}
		})
	}
}

// A result on another connection than the event's is good, whatever becomes of
// that while the event is still being written.
func TestResultWhileEventIsWritten(t *testing.T) {
	t.Parallel()
	r := fakeInstance(t, startConfig(t, Config{Functions: tableOf(echo()), MaxInstances: 1}).order[0])
	a, b := r.dial(), r.dial()
	inv := r.invoke(`"` + strings.Repeat("x", 64<<10) + `"`)
	a.send("GET", "invocation/next", "")
	res, err := http.ReadResponse(a.br, nil) // the head only
	if err != nil {
		t.Fatal(err)
	}
	b.send("POST", "invocation/"+res.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", `"early"`)
	if res, body := b.receive(); res.StatusCode != http.StatusAccepted {
		t.Errorf("got %s %s, want 202", res.Status, body)
	}
	a.Close()
	if got := <-inv.done; got.err != nil || string(got.payload) != `"early"` {
		t.Errorf("got %s, %v", got.payload, got.err)
	}
}

// A result that comes after the end of its event's time is refused.
func TestResultTooLate(t *testing.T) {
	t.Parallel()
	r := fakeInstance(t, startConfig(t, Config{Functions: tableOf(echo()), MaxInstances: 1}).order[0])
	a := r.dial()
	inv := r.invoke(`1`)
	id := a.event()
	r.in.f.mu.Lock()
	r.in.deadline = time.Now()
	r.in.f.mu.Unlock()
	r.in.expire()
	if got := <-inv.done; got.err == nil {
		t.Errorf("got %s, want a timeout", got.payload)
	}
	a.send("POST", "invocation/"+id+"/response", `"late"`)
	if res, body := a.receive(); res.StatusCode != http.StatusForbidden {
		t.Errorf("got %s %s, want 403", res.Status, body)
	}
}
