package apigw

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"crypto-ticker/emulator/internal/clock"
	"crypto-ticker/emulator/internal/template"
)

// pipes is a listener whose connections are within this process, with the time of
// a synctest bubble.
type pipes chan net.Conn

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (p pipes) Accept() (net.Conn, error) {
	nc, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return nc, nil
}

// serveInBubble serves a stack, whose functions all are answer, until the test
// has ended. It is called in a synctest bubble.
func serveInBubble(t *testing.T, stack *template.Stack, answer func(event []byte) []byte, options ...func(*Config)) pipes {
	t.Helper()
	c := clock.New()
	cfg := Config{Stack: stack, Clock: c, Authority: "h:80", Log: slog.New(slog.DiscardHandler),
		Invoke: func(_ context.Context, _ string, event []byte) ([]byte, error) { return answer(event), nil }}
	for _, o := range options {
		o(&cfg)
	}
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p, server, done := make(pipes), &http.Server{Handler: g}, make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(p); !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		g.Close(t.Context())
		close(p)
		<-done
		server.Close()
		c.Close()
	})
	return p
}

// TestClientsThatDoNotReadAreCutOff: or each of them would hold its answer for
// ever.
func TestClientsThatDoNotReadAreCutOff(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 1<<20)
	answer := encode(map[string]any{"statusCode": 200, "body": body})
	for name, stack := range map[string]*template.Stack{"HTTP API": httpStack("GET /x"), "REST API": restStack("GET /x")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := serveInBubble(t, stack, func([]byte) []byte { return answer })
				for _, tt := range []struct {
					waits time.Duration
					whole bool
				}{{answerTimeout - time.Second, true}, {answerTimeout + time.Second, false}} {
					client, server := net.Pipe()
					p <- server
					fmt.Fprintf(client, "GET /%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", map[string]string{"HTTP API": "x", "REST API": "test/x"}[name])
					time.Sleep(tt.waits) // of the bubble's time
					if got, err := io.ReadAll(client); bytes.HasSuffix(got, []byte(body)) != tt.whole {
						t.Errorf("after %v: got %d bytes, %v; want all: %t", tt.waits, len(got), err, tt.whole)
					}
					client.Close()
				}
			})
		})
	}
}

// socket opens a WebSocket whose server's side is what wrap makes of it.
func (p pipes) socket(t *testing.T, wrap func(net.Conn) net.Conn) *rawClient {
	t.Helper()
	client, server := net.Pipe()
	p <- wrap(server)
	io.WriteString(client, rawHandshake)
	c := &rawClient{client, t, bufio.NewReader(client)}
	if resp, err := http.ReadResponse(c.buf, nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("got %v, %v; want 101", resp, err)
	}
	return c
}

// status sends a request and returns the answer's status.
func (p pipes) status(t *testing.T, request string) int {
	t.Helper()
	client, server := net.Pipe()
	defer client.Close()
	p <- server
	io.WriteString(client, request)
	resp, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// manage calls @connections and returns the status.
func (p pipes) manage(t *testing.T, method, id, body string) int {
	t.Helper()
	return p.status(t, fmt.Sprintf("%s /test/@connections/%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: x\r\nContent-Length: %d\r\n\r\n%s",
		method, id, len(body), body))
}

// TestClosedConnectionsDrainAsLongAsTheirClientsRead: what waits for a client, and
// the close frame behind it, is given more time with each piece that it takes.
func TestClosedConnectionsDrainAsLongAsTheirClientsRead(t *testing.T) {
	t.Parallel()
	for _, reads := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			id := make(chan string, 1)
			p := serveInBubble(t, socketStack("$connect"), func(event []byte) []byte {
				id <- contextOf(t, event).ConnectionID
				return []byte(`{"statusCode":200}`)
			})
			c := p.socket(t, func(nc net.Conn) net.Conn { return nc })
			to, message := <-id, strings.Repeat("m", maxMessage-100)
			for range 2 {
				if status := p.manage(t, "POST", to, message); status != 200 {
					t.Fatalf("got %d", status)
				}
			}
			if status := p.manage(t, "DELETE", to, ""); status != 204 {
				t.Fatalf("got %d", status)
			}
			if !reads {
				time.Sleep(closeGrace + time.Millisecond)
				if n, err := io.Copy(io.Discard, c.buf); n > 0 || err != nil {
					t.Errorf("a client that does not read: got %d bytes and %v after %v; want the end", n, err, closeGrace)
				}
				return
			}
			var got bytes.Buffer
			for err := error(nil); err == nil; {
				time.Sleep(closeGrace / 2)
				_, err = io.CopyN(&got, c.buf, 20<<10)
			}
			if end := "\x03\xe8" + closedNormal; got.Len() < 2*len(message) || !strings.HasSuffix(got.String(), end) {
				t.Errorf("got %d bytes, and at the end %q; want the messages and a close frame", got.Len(), got.Bytes()[max(0, got.Len()-40):])
			}
			c.Close()
		})
	}
}

// halfStuck is a connection on which CloseWrite waits, as that of TLS does for a
// client that does not read.
type halfStuck struct {
	net.Conn
	release chan struct{}
}

func (h halfStuck) CloseWrite() error {
	<-h.release
	return nil
}

// TestClosingWaitsForNoClient: others can see at once that a connection is gone.
func TestClosingWaitsForNoClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		id, release := make(chan string, 1), make(chan struct{})
		p := serveInBubble(t, socketStack("$connect"), func(event []byte) []byte {
			id <- contextOf(t, event).ConnectionID
			return []byte(`{"statusCode":200}`)
		})
		c := p.socket(t, func(nc net.Conn) net.Conn { return halfStuck{nc, release} })
		to := <-id
		if status := p.manage(t, "DELETE", to, ""); status != 204 {
			t.Errorf("got %d", status)
		}
		if op, _ := c.frame(); op != ws.OpClose {
			t.Errorf("got a frame %v, want close", op)
		}
		synctest.Wait()                                            // until CloseWrite waits
		if status := p.manage(t, "POST", to, "x"); status != 410 { // would wait for ever
			t.Errorf("got %d, want 410", status)
		}
		close(release)
		c.Close()
	})
}
