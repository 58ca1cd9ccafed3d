package apigw

import (
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// exchange writes text to a connection of its own, closes its own side of it if
// half, and returns everything that comes back until the gateway closes it.
func (f *fixture) exchange(t *testing.T, text string, half bool) string {
	t.Helper()
	nc, err := net.Dial("tcp", f.host)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(nc, text); err != nil {
		t.Fatal(err)
	}
	if half {
		nc.(*net.TCPConn).CloseWrite()
	}
	out, err := io.ReadAll(nc)
	if err != nil {
		t.Fatalf("got %q, %v; want the connection closed", out, err)
	}
	return string(out)
}

// TestRequestsOnTheWire sends what no client library sends.
func TestRequestsOnTheWire(t *testing.T) {
	t.Parallel()
	stack := socketStack("$connect")
	stack.HTTPAPIs = httpStack("GET /get", "ANY /any", "POST /post").HTTPAPIs
	f := start(t, stack, functions{"ANY /any": respond(`{"statusCode":200,"body":"body"}`)})
	const (
		head     = " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
		upgrade  = "GET /test HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
		notFound = `{"message":"Not Found"}`
	)
	tooLarge := strconv.Itoa(maxHTTPBody + 1)
	for _, tt := range []struct {
		name, text string
		half       bool
		begin, end string // of what comes back
	}{
		{"asks before the body", "POST /post" + head + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi", false, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", "\r\n\r\n"},
		{"asks before a body without a route", "POST /none" + head + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", false, "HTTP/1.1 404 ", notFound},
		{"asks before a body that is too large", "POST /post" + head + "Expect: 100-continue\r\nContent-Length: " + tooLarge + "\r\n\r\n", false,
			"HTTP/1.1 413 ", `{"message":"Request Entity Too Large"}`},
		{"asks before a post that is too large", "POST /test/@connections/" + unknownID + head + "Authorization: x\r\nExpect: 100-continue\r\nContent-Length: " +
			strconv.Itoa(maxMessage+1) + "\r\n\r\n", false, "HTTP/1.1 413 ", `{"message":"Message too long"}`},
		{"expects something else", "GET /get" + head + "Expect: more\r\n\r\n", false, "HTTP/1.1 417 ", "\r\n\r\n"},
		{"announces a body that is too large", "POST /post" + head + "Content-Length: " + tooLarge + "\r\n\r\n", false, "HTTP/1.1 413 ", `{"message":"Request Entity Too Large"}`},
		{"HEAD of a GET route", "HEAD /get" + head + "\r\n", false, "HTTP/1.1 404 ", "\r\n\r\n"},
		{"HEAD of an ANY route", "HEAD /any" + head + "\r\n", false, "HTTP/1.1 200 ", "\r\n\r\n"},
		{"OPTIONS of a GET route", "OPTIONS /get" + head + "Origin: http://x\r\nAccess-Control-Request-Method: GET\r\n\r\n", false, "HTTP/1.1 404 ", notFound},
		{"OPTIONS of an ANY route", "OPTIONS /any" + head + "\r\n", false, "HTTP/1.1 200 ", "\r\n\r\nbody"},
		{"absolute form", "GET http://h/any" + head + "\r\n", false, "HTTP/1.1 200 ", "\r\n\r\nbody"},
		{"HTTP/1.0", "GET /any HTTP/1.0\r\n\r\n", false, "HTTP/1.0 200 ", "\r\n\r\nbody"},
		{"a thousand headers", "GET /any" + head + strings.Repeat("a: bcdefg\r\n", 2000) + "\r\n", false, "HTTP/1.1 431 ", `{"message":"Request Header Fields Too Large"}`},
		{"chunks", "POST /any" + head + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nTrailer: x\r\n\r\n", false, "HTTP/1.1 200 ", "\r\n\r\nbody"},
		{"chunk without a size", "POST /any" + head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", false, "HTTP/1.1 400 ", `{"message":"Bad Request"}`},
		{"chunks that break off", "POST /any" + head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhi", true, "HTTP/1.1 400 ", `{"message":"Bad Request"}`},
		{"body that breaks off", "POST /any" + head + "Content-Length: 5\r\n\r\nhi", true, "HTTP/1.1 400 ", `{"message":"Bad Request"}`},
		{"half closed", "GET /any HTTP/1.1\r\nHost: h\r\n\r\n", true, "HTTP/1.1 200 ", "\r\n\r\nbody"},
		{"two at once", "GET /none HTTP/1.1\r\nHost: h\r\n\r\nGET /any" + head + "\r\n", false, "HTTP/1.1 404 ", "\r\n\r\nbody"},
		{"request behind a refused handshake", strings.Replace(upgrade, "13", "12", 1) + "\r\nGET /any" + head + "\r\n", false, "HTTP/1.1 426 ", "\r\n\r\nbody"},
		{"request behind a handshake", upgrade + "\r\nGET / HTTP/1.1\r\n\r\n", false, "HTTP/1.1 101 ", "\x88\x10\x03\xeaProtocol error"},
		{"body of a handshake", upgrade + "Content-Length: 5\r\n\r\nhello", false, "HTTP/1.1 101 ", "\x88\x10\x03\xeaProtocol error"},
		{"half closed after a handshake", upgrade + "\r\n", true, "HTTP/1.1 101 ", "\r\n\r\n"},
		{"handshake by POST", strings.Replace(upgrade, "GET", "POST", 1) + "Content-Length: 0\r\n\r\n", true, "HTTP/1.1 426 ", `{"message":"Upgrade Required"}`},
		{"handshake in HTTP/1.0", strings.Replace(upgrade, "HTTP/1.1", "HTTP/1.0", 1) + "\r\n", true, "HTTP/1.0 426 ", `{"message":"Upgrade Required"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := f.exchange(t, tt.text, tt.half); !strings.HasPrefix(got, tt.begin) || !strings.HasSuffix(got, tt.end) {
				t.Errorf("got %q; want %q … %q", got, tt.begin, tt.end)
			}
		})
	}
}
