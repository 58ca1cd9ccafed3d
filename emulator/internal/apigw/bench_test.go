//go:build unix

package apigw

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// cpu is the processor time that the whole process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPost posts 200 bytes through @connections with bare clients over 16
// kept-alive connections for each processor. cpu-µs/op is of both ends and of
// what reads the WebSocket.
func BenchmarkPost(b *testing.B) {
	f := start(b, socketStack("$connect"), nil)
	ws := f.raw()
	ws.SetDeadline(time.Time{})
	go io.Copy(io.Discard, ws)
	post := fmt.Appendf(nil, "POST /test/@connections/%s HTTP/1.1\r\nHost: h\r\nAuthorization: x\r\nContent-Length: 200\r\n\r\n%0200d",
		f.connectionID(0), 7)
	b.ReportAllocs()
	b.SetParallelism(16)
	before := cpu()
	b.RunParallel(func(pb *testing.PB) {
		nc, err := net.Dial("tcp", f.host)
		if err != nil {
			b.Error(err)
			return
		}
		defer nc.Close()
		answer := make([]byte, 1024)
		for pb.Next() {
			if _, err := nc.Write(post); err != nil {
				b.Error(err)
				return
			}
			if n, err := nc.Read(answer); err != nil || !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 200 ")) {
				b.Errorf("got %q, %v", answer[:n], err)
				return
			}
		}
	})
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkPostHandler is the same without the network in front of the gateway:
// what @connections itself costs, with the write of one frame.
func BenchmarkPostHandler(b *testing.B) {
	f := start(b, socketStack("$connect"), nil)
	ws := f.raw()
	ws.SetDeadline(time.Time{})
	go io.Copy(io.Discard, ws)
	req, _ := http.NewRequest("POST", "/test/@connections/"+f.connectionID(0), nil)
	req.Header.Set("Authorization", "x")
	req.ContentLength = 200
	body := &zeros{}
	req.Body = body
	w := &sink{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		body.left = 200
		clear(w.header)
		f.ServeHTTP(w, req)
	}
	if w.status != 200 {
		b.Fatal(w.status)
	}
}

type zeros struct{ left int }

func (z *zeros) Close() error { return nil }
func (z *zeros) Read(p []byte) (int, error) {
	n := min(len(p), z.left)
	clear(p[:n])
	z.left -= n
	return n, nil
}

type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkIdleConnection reports what an idle connection with an authorizer's
// context holds in the gateway's process, in heap and stack. The clients live in
// the same process and cost a file descriptor each, but no goroutine. An operation
// is one connection; so that descriptors and ports last for any number of them,
// each beyond the first 2000 takes the place of the oldest one.
func BenchmarkIdleConnection(b *testing.B) {
	f := start(b, socketStack("authorizer", "$connect"), functions{"authorizer": respond(allow)})
	f.Gateway.cfg.Invoke = func(_ context.Context, arn string, _ []byte) ([]byte, error) {
		if arn == "authorizer" {
			return []byte(allow), nil
		}
		return []byte(`{"statusCode":200}`), nil
	}
	clients := make([]net.Conn, 2000)
	answer := make([]byte, 1024)
	before, n := memory(), 0
	for b.Loop() {
		if oldest := clients[n%len(clients)]; oldest != nil {
			oldest.Close()
		}
		nc, err := net.Dial("tcp", f.host)
		if err != nil {
			b.Fatal(err)
		}
		clients[n%len(clients)] = nc
		n++
		io.WriteString(nc, rawHandshake)
		if _, err := nc.Read(answer); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(memory()-before)/float64(min(n, len(clients))), "B/conn")
	for _, nc := range clients[:min(n, len(clients))] {
		nc.Close()
	}
}

func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
