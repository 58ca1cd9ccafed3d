package apigw

import (
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

// serveInBubble serves a stack, whose only function gives answer, until the test
// has ended. It is called in a synctest bubble.
func serveInBubble(t *testing.T, stack *template.Stack, answer []byte) pipes {
	t.Helper()
	c := clock.New()
	g, err := New(Config{Stack: stack, Clock: c, Authority: "h:80", Log: slog.New(slog.DiscardHandler),
		Invoke: func(context.Context, string, []byte) ([]byte, error) { return answer, nil }})
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
				p := serveInBubble(t, stack, answer)
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
