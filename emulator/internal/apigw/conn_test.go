package apigw

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"
)

// rawClient speaks frames, right and wrong ones.
type rawClient struct {
	net.Conn
	t   testing.TB
	buf *bufio.Reader
}

const rawHandshake = "GET /test HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"

// raw opens a WebSocket and sends early along with the handshake.
func (f *fixture) raw(early ...byte) *rawClient {
	f.t.Helper()
	nc, err := net.Dial("tcp", f.host)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := nc.Write(append([]byte(rawHandshake), early...)); err != nil {
		f.t.Fatal(err)
	}
	c := &rawClient{nc, f.t, bufio.NewReader(nc)}
	resp, err := http.ReadResponse(c.buf, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if resp.StatusCode != 101 || resp.Header.Get("Sec-WebSocket-Accept") != "BACScCJPNqyz+UBoqMH89VmURoA=" {
		f.t.Fatalf("got %s %v", resp.Status, resp.Header)
	}
	return c
}

// masked is a client's frame.
func masked(op ws.OpCode, fin bool, payload string) []byte {
	var b bytes.Buffer
	ws.WriteFrame(&b, ws.MaskFrame(ws.NewFrame(op, fin, []byte(payload))))
	return b.Bytes()
}

func (c *rawClient) send(frames ...[]byte) {
	c.t.Helper()
	if _, err := c.Write(bytes.Join(frames, nil)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *rawClient) frame() (ws.OpCode, string) {
	c.t.Helper()
	h, err := ws.ReadHeader(c.buf)
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	if h.Masked || !h.Fin {
		c.t.Errorf("got header %+v, want a final frame without a mask", h)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(c.buf, payload); err != nil {
		c.t.Fatal(err)
	}
	return h.OpCode, string(payload)
}

// closed expects a close frame with a code, and then the end of the stream.
func (c *rawClient) closed(code int) {
	c.t.Helper()
	op, payload := c.frame()
	if op != ws.OpClose {
		c.t.Fatalf("got a frame %v %q, want close", op, payload)
	}
	got := 1005
	if len(payload) >= 2 {
		got = int(binary.BigEndian.Uint16([]byte(payload)))
	}
	if got != code {
		c.t.Errorf("got close code %d, want %d", got, code)
	}
	if _, err := c.buf.ReadByte(); err != io.EOF {
		c.t.Errorf("got %v after the close frame, want the end", err)
	}
}

// disconnected checks the n-th DISCONNECT event.
func (f *fixture) disconnected(n, code int, reason string) {
	f.t.Helper()
	got := contextOf(f.t, f.event("$disconnect", n))
	if got.DisconnectStatusCode != code || got.DisconnectReason == nil || *got.DisconnectReason != reason {
		f.t.Errorf("$disconnect got %d %v, want %d %q", got.DisconnectStatusCode, *got.DisconnectReason, code, reason)
	}
}

func TestWrongFramesCloseTheConnection(t *testing.T) {
	t.Parallel()
	text := func(fin bool, s string) []byte { return masked(ws.OpText, fin, s) }
	more := func(fin bool, s string) []byte { return masked(ws.OpContinuation, fin, s) }
	frame, half := strings.Repeat("x", maxFrame), strings.Repeat("y", maxFrame/2)
	for _, tt := range []struct {
		name   string
		frames [][]byte
		code   int
		reason string
	}{
		{"binary", [][]byte{masked(ws.OpBinary, true, "x")}, 1003, errBinary.reason},
		{"frame over 32 KB", [][]byte{text(true, frame+"x")}, 1009, errTooBig.reason},
		{"message over 128 KB", [][]byte{text(false, frame), more(false, frame), more(false, frame), more(false, frame), more(true, "x")}, 1009, errTooBig.reason},
		{"message over 128 KB in halves", [][]byte{text(false, frame), more(false, frame), more(false, frame), more(false, half), more(false, frame)}, 1009, errTooBig.reason},
		{"length with its first bit set", [][]byte{{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}}, 1002, errProtocol.reason},
		{"invalid UTF-8", [][]byte{text(true, "a\xff")}, 1007, errUTF8.reason},
		{"invalid UTF-8 across frames", [][]byte{text(false, "\xc3"), more(true, "x")}, 1007, errUTF8.reason},
		{"no mask", [][]byte{{0x81, 1, 'x'}}, 1002, errProtocol.reason},
		{"reserved bit", [][]byte{{0xc1, 0x80, 1, 2, 3, 4}}, 1002, errProtocol.reason},
		{"reserved opcode", [][]byte{masked(3, true, "")}, 1002, errProtocol.reason},
		{"continuation of nothing", [][]byte{more(true, "x")}, 1002, errProtocol.reason},
		{"text within a message", [][]byte{text(false, "x"), text(true, "y")}, 1002, errProtocol.reason},
		{"long ping", [][]byte{masked(ws.OpPing, true, strings.Repeat("x", 126))}, 1002, errProtocol.reason},
		{"fragmented ping", [][]byte{masked(ws.OpPing, false, "x")}, 1002, errProtocol.reason},
		{"close with one byte", [][]byte{masked(ws.OpClose, true, "x")}, 1002, errProtocol.reason},
		{"close with code 1005", [][]byte{masked(ws.OpClose, true, "\x03\xed")}, 1002, errProtocol.reason},
		{"close with code 1015", [][]byte{masked(ws.OpClose, true, "\x03\xf7")}, 1002, errProtocol.reason},
		{"close with code 1016", [][]byte{masked(ws.OpClose, true, "\x03\xf8")}, 1002, errProtocol.reason},
		{"close with code 1012 and invalid UTF-8", [][]byte{masked(ws.OpClose, true, "\x03\xf4\xff")}, 1007, errUTF8.reason},
		{"close with code 999", [][]byte{masked(ws.OpClose, true, "\x03\xe7")}, 1002, errProtocol.reason},
		{"close with code 5000", [][]byte{masked(ws.OpClose, true, "\x13\x88")}, 1002, errProtocol.reason},
		{"close with invalid UTF-8", [][]byte{masked(ws.OpClose, true, "\x03\xe8\xff")}, 1007, errUTF8.reason},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, socketStack("$connect", "$default", "$disconnect"), nil)
			c := f.raw()
			c.send(tt.frames...)
			c.closed(tt.code)
			f.disconnected(0, tt.code, tt.reason)
			if f.count("$default") != 0 {
				t.Error("a message reached the function")
			}
		})
	}
}

func TestMessagesUpToTheLimitsPass(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$default"), nil)
	frame := strings.Repeat("é", maxFrame/2)
	c := f.raw()
	c.send(masked(ws.OpText, true, frame))
	c.send(masked(ws.OpText, false, frame), masked(ws.OpPing, true, "p"), masked(ws.OpContinuation, false, frame),
		masked(ws.OpContinuation, false, frame), masked(ws.OpContinuation, true, frame))
	c.send(masked(ws.OpText, false, "\xc3"), masked(ws.OpContinuation, false, ""), masked(ws.OpContinuation, true, "\xa9"))
	if op, payload := c.frame(); op != ws.OpPong || payload != "p" {
		t.Errorf("got %v %q amid a fragmented message, want a pong", op, payload)
	}
	want := map[string]bool{frame: true, strings.Repeat(frame, 4): true, "é": true}
	for n := range 3 {
		var ev struct{ Body string }
		json.Unmarshal(f.event("$default", n), &ev)
		if !want[ev.Body] {
			t.Errorf("message %d has an unexpected body of %d bytes", n, len(ev.Body))
		}
		delete(want, ev.Body)
	}
}

func TestFramesSentWithTheHandshakeAreRead(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$default"), nil)
	f.raw(append(masked(ws.OpText, true, "early"), masked(ws.OpText, true, strings.Repeat("x", 1000))...)...)
	f.event("$default", 1)
}

func TestPingIsAnsweredWithPong(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil)
	c := f.raw()
	for _, payload := range []string{"", strings.Repeat("p", 125)} {
		c.send(masked(ws.OpPing, true, payload))
		if op, got := c.frame(); op != ws.OpPong || got != payload {
			t.Errorf("got %v %q, want a pong with %q", op, got, payload)
		}
	}
	c.send(masked(ws.OpPong, true, "unasked"), masked(ws.OpClose, true, ""))
	c.closed(1005)
}

func TestDisconnectTellsHowTheClientClosed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, payload string
		echo, code    int
		reason        string
	}{
		{"without a status", "", 1005, 1005, "Client-side close frame status not set"},
		{"a closed tab", "\x03\xe9", 1001, 1001, ""},
		{"code and text of its own", "\x0f\xa0done", 4000, 4000, "done"},
		{"a service that restarts", "\x03\xf4again", 1012, 1012, "again"},
		{"a service that is overloaded", "\x03\xf5", 1013, 1013, ""},
		{"a bad gateway", "\x03\xf6", 1014, 1014, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, socketStack("$connect", "$disconnect"), nil)
			c := f.raw()
			c.send(masked(ws.OpClose, true, tt.payload))
			c.closed(tt.echo)
			f.disconnected(0, tt.code, tt.reason)
		})
	}
	t.Run("TCP lost", func(t *testing.T) {
		t.Parallel()
		f := start(t, socketStack("$connect", "$disconnect"), nil)
		f.raw().Close()
		f.disconnected(0, 1006, "Connection Closed Abnormally")
	})
	t.Run("TCP lost within a frame", func(t *testing.T) {
		t.Parallel()
		f := start(t, socketStack("$connect", "$disconnect"), nil)
		c := f.raw()
		c.send(masked(ws.OpText, true, "xxx")[:4])
		c.Close()
		f.disconnected(0, 1006, "Connection Closed Abnormally")
	})
}

func TestIdleConnectionsCloseAfterTenMinutes(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$disconnect", "$default"), nil)
	c := f.dial("/test", nil)
	f.clock.Advance(9 * time.Minute)
	write(t, c, "x") // counts as activity
	f.event("$default", 0)
	f.clock.Advance(9 * time.Minute)
	id := f.connectionID(0)
	if resp, body := f.manage("POST", id, "y"); resp.StatusCode != 200 { // and so does this
		t.Fatalf("POST: got %s %s", resp.Status, body)
	}
	f.clock.Advance(9 * time.Minute)
	if resp, _ := f.manage("GET", id, ""); resp.StatusCode != 200 {
		t.Fatalf("GET: got %s, want the connection open", resp.Status)
	}
	f.clock.Advance(time.Minute)
	if code, reason := closure(t, c); code != 1001 || reason != "Going away" {
		t.Errorf("got %d %q, want 1001 Going away", code, reason)
	}
	f.disconnected(0, 1001, "Going away")
}

// Nor does the service send pings of its own: the first frame is the pong.
func TestPingsAreNoActivity(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect"), nil)
	c := f.raw()
	f.clock.Advance(9 * time.Minute)
	c.send(masked(ws.OpPing, true, "p"))
	if op, payload := c.frame(); op != ws.OpPong || payload != "p" {
		t.Errorf("got %v %q, want a pong", op, payload)
	}
	f.clock.Advance(time.Minute)
	c.closed(1001)
}

func TestConnectionsCloseAfterTwoHours(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$disconnect", "$default"), nil)
	c := f.dial("/test", nil)
	for n := range 14 {
		f.clock.Advance(8*time.Minute + 30*time.Second) // 1 h 59 min in all
		write(t, c, "x")
		f.event("$default", n)
	}
	f.clock.Advance(time.Minute)
	if code, _ := closure(t, c); code != 1001 {
		t.Errorf("got %d, want 1001", code)
	}
	f.disconnected(0, 1001, "Going away")
}

func TestClientThatDoesNotAnswerACloseIsCutOff(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$disconnect"), nil)
	c := f.raw()
	f.manage("DELETE", f.connectionID(0), "")
	c.closed(1000)
	f.disconnected(0, 1000, "Connection Closed Normally")
	if _, err := f.waitDropped(c); err == nil {
		t.Error("writing still works")
	}
}

// waitDropped writes until the other side has closed the connection.
func (f *fixture) waitDropped(c *rawClient) (int, error) {
	for {
		if n, err := c.Write(masked(ws.OpPing, true, "x")); err != nil {
			return n, err
		}
	}
}

func TestFunctionErrorsDoNotCloseTheConnection(t *testing.T) {
	t.Parallel()
	f := start(t, socketStack("$connect", "$default"), functions{"$default": fail("boom")})
	c := f.dial("/test", nil)
	for range 3 {
		write(t, c, "x")
		read(t, c)
	}
	if err := c.Ping(pinging(t, c)); err != nil {
		t.Errorf("ping: %v", err)
	}
}

// pinging reads in the background, as a client must to see a pong.
func pinging(t *testing.T, c *websocket.Conn) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return c.CloseRead(ctx)
}

func FuzzFrameReader(f *testing.F) {
	f.Add(masked(ws.OpText, true, "hello"), 1)
	f.Add(append(masked(ws.OpText, false, "a"), masked(ws.OpContinuation, true, "b")...), 3)
	f.Add(append(masked(ws.OpPing, true, "x"), masked(ws.OpClose, true, "\x03\xe8bye")...), 7)
	f.Add([]byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, 300)
	f.Fuzz(func(t *testing.T, stream []byte, chunk int) {
		r := frameReader{quotas: &Quotas{FrameBytes: maxFrame, MessageBytes: maxMessage}, src: &chunks{stream, max(1, chunk)}, early: bytes.Clone(stream[:len(stream)/3])}
		r.src = &chunks{stream[len(stream)/3:], max(1, chunk)}
		total := 0
		for {
			op, payload, err := r.next()
			if err != nil {
				return
			}
			if total += len(payload); total > len(stream) {
				t.Fatalf("%d bytes out of %d", total, len(stream))
			}
			switch {
			case op == ws.OpText && len(payload) > maxMessage, op.IsControl() && len(payload) > 125:
				t.Fatalf("%v with %d bytes", op, len(payload))
			case op == ws.OpClose:
				parseClose(payload)
			}
		}
	})
}

// chunks gives a stream in pieces.
type chunks struct {
	stream []byte
	size   int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.stream) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.stream[:min(c.size, len(c.stream))])
	c.stream = c.stream[n:]
	return n, nil
}

func TestHeaderAndPayloadOfAFrameAreOne(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, maxMessage} {
		want := bytes.Repeat([]byte("z"), n)
		b := bytes.NewReader(frameOf(ws.OpText, want))
		h, err := ws.ReadHeader(b)
		if err != nil || !h.Fin || h.Masked || h.OpCode != ws.OpText || h.Length != int64(n) {
			t.Errorf("%d: got header %+v, %v", n, h, err)
		}
		if got, _ := io.ReadAll(b); !bytes.Equal(got, want) {
			t.Errorf("%d: payload differs", n)
		}
	}
}
