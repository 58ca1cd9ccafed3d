// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
// https://www.rfc-editor.org/rfc/rfc6455#section-5

package apigw

import (
	"io"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// The service's limits of payloads, in bytes; see Quotas.
const (
	maxFrame   = 32 << 10
	maxMessage = 128 << 10
)

// closeError ends a connection: the code and reason that the client is sent
// and that $disconnect gets.
type closeError struct {
	code   ws.StatusCode
	reason string
	quota  string // the one exceeded, if any
}

func (e *closeError) Error() string { return e.reason }

// What a client may do wrong. The codes 1003 and 1009 are API Gateway's, the
// others RFC 6455's; the texts are ours.
var (
	errProtocol = &closeError{code: ws.StatusProtocolError, reason: "Protocol error"}
	errBinary   = &closeError{code: ws.StatusUnsupportedData, reason: "Binary frames are not supported"}
	errUTF8     = &closeError{code: ws.StatusInvalidFramePayloadData, reason: "Invalid UTF-8"}
	errTooBig   = &closeError{ws.StatusMessageTooBig, "Message too big", quotaMessage}
	errBigFrame = &closeError{ws.StatusMessageTooBig, "Message too big", quotaFrame}
)

// errEnded stands for a connection that has been ended already.
var errEnded = &closeError{}

// frameReader reads a client's frames and puts messages together. It is part of
// every idle connection, so it is small: what does not fit its buffer is read
// right into the message.
type frameReader struct {
	quotas *Quotas
	src    io.Reader
	early  []byte // what came before src
	buf    [256]byte
	r, n   int // buf[r:n] is unread
	header [ws.MaxHeaderSize]byte

	partial    []byte // of a fragmented message
	fragmented bool
}

// Read reads through the buffer.
func (f *frameReader) Read(p []byte) (int, error) {
	if len(f.early) > 0 {
		n := copy(p, f.early)
		if f.early = f.early[n:]; len(f.early) == 0 {
			f.early = nil
		}
		return n, nil
	}
	if f.r == f.n {
		if len(p) >= len(f.buf) {
			return f.src.Read(p)
		}
		n, err := f.src.Read(f.buf[:])
		f.r, f.n = 0, n
		if n == 0 {
			return 0, err
		}
	}
	n := copy(p, f.buf[f.r:f.n])
	f.r += n
	return n, nil
}

// next returns the next text message or control frame. An error is a
// *closeError for what the client did wrong, or the source's.
func (f *frameReader) next() (ws.OpCode, []byte, error) {
	for {
		h, err := ws.ReadHeaderBuffer(f, f.header[:])
		if err == ws.ErrHeaderLengthMSB || err == ws.ErrHeaderLengthUnexpected {
			return 0, nil, errProtocol
		} else if err != nil {
			return 0, nil, err
		}
		if err := f.check(h); err != nil {
			return 0, nil, err
		}
		if h.OpCode.IsControl() {
			payload := make([]byte, h.Length)
			err := f.payload(h, payload)
			return h.OpCode, payload, err
		}
		message := f.partial
		old := len(message)
		message = append(message, make([]byte, h.Length)...)
		if err := f.payload(h, message[old:]); err != nil {
			return 0, nil, err
		}
		f.partial, f.fragmented = message, !h.Fin
		if !h.Fin {
			continue
		}
		f.partial = nil
		if !utf8.Valid(message) {
			return 0, nil, errUTF8
		}
		return ws.OpText, message, nil
	}
}

// check refuses a frame by its header alone.
func (f *frameReader) check(h ws.Header) error {
	state := ws.StateServerSide
	if f.fragmented {
		state = state.Set(ws.StateFragmented)
	}
	switch {
	case ws.CheckHeader(h, state) != nil:
		return errProtocol
	case h.OpCode == ws.OpBinary:
		return errBinary
	case h.Length > int64(f.quotas.FrameBytes):
		return errBigFrame
	case int64(len(f.partial))+h.Length > int64(f.quotas.MessageBytes):
		return errTooBig
	}
	return nil
}

func (f *frameReader) payload(h ws.Header, p []byte) error {
	if _, err := io.ReadFull(f, p); err != nil {
		return err
	}
	ws.Cipher(p, h.Mask, 0)
	return nil
}

// laterCodes are registered, which RFC 6455 does not know of.
// https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number
var laterCodes = []ws.StatusCode{1012, 1013, 1014} // service restart, try again later, bad gateway

// lastCode is the highest that there is: RFC 6455 has no meaning for others.
const lastCode = 4999

// parseClose reads the payload of a close frame. Without a status the code is
// 1005.
func parseClose(payload []byte) (code ws.StatusCode, reason string, err error) {
	if len(payload) == 0 {
		return ws.StatusNoStatusRcvd, "Client-side close frame status not set", nil
	}
	code, reason = ws.ParseCloseFrameData(payload)
	known := code
	switch {
	case slices.Contains(laterCodes, code):
		known = ws.StatusNormalClosure
	case code > lastCode:
		return 0, "", errProtocol
	}
	switch ws.CheckCloseFrameData(known, reason) {
	case nil:
		return code, reason, nil
	case ws.ErrProtocolInvalidUTF8:
		return 0, "", errUTF8
	}
	return 0, "", errProtocol
}

// headroom is kept in front of a payload for its frame's header: a server's
// frames have no mask.
const headroom = ws.MaxHeaderSize - 4

// outFrame is a frame in the making: the payload is appended to buf behind the
// headroom, and finish puts the header right in front of it, so that one write
// sends both.
type outFrame struct {
	buf    []byte
	start  int
	header [ws.MaxHeaderSize]byte
}

var outFrames = sync.Pool{New: func() any { return &outFrame{buf: make([]byte, headroom, 2<<10)} }}

// newOutFrame returns an empty frame, to be released.
func newOutFrame() *outFrame {
	f := outFrames.Get().(*outFrame)
	f.buf = f.buf[:headroom]
	return f
}

func (f *outFrame) release() {
	if cap(f.buf) <= maxFrame {
		outFrames.Put(f)
	}
}

// finish returns the whole frame, valid until release.
func (f *outFrame) finish(op ws.OpCode) []byte {
	h := ws.Header{Fin: true, OpCode: op, Length: int64(len(f.buf) - headroom)}
	f.start = headroom - ws.HeaderSize(h)
	ws.WriteHeaderBuffer((*headerWriter)(f), h, f.header[:]) // cannot fail: see Write
	return f.buf[f.start:]
}

// headerWriter takes a header into the frame's headroom.
type headerWriter outFrame

func (w *headerWriter) Write(p []byte) (int, error) { return copy(w.buf[w.start:headroom], p), nil }

// frameOf is the frame of a payload that is sent now and then.
func frameOf(op ws.OpCode, payload []byte) []byte {
	f := outFrame{buf: append(make([]byte, headroom, headroom+len(payload)), payload...)}
	return f.finish(op)
}
