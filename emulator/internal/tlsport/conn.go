package tlsport

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync"
)

const (
	// maxHead bounds what is kept of a request; in a longer one, headers count as
	// spelled canonically.
	maxHead = 16 << 10
	// idleHead is the capacity that a connection without a request may hold.
	idleHead = 2 << 10
)

// Conn is a connection that Accept has returned. It keeps how the client has
// spelled the names of a request's headers, which net/http forgets.
type Conn struct {
	net.Conn
	secure bool

	mu    sync.Mutex // net/http reads ahead while a request is served
	head  []byte     // of the request, up to its empty line
	whole bool       // nothing more belongs to head
	ahead []byte     // the byte read since, if it is only one
}

// Of returns the connection of a request to a server whose ConnContext is that
// of this package, and nil otherwise, which the methods that say so allow.
func Of(r *http.Request) *Conn {
	c, _ := r.Context().Value(contextKey{}).(*Conn)
	return c
}

type contextKey struct{}

// ConnContext is the http.Server's.
func ConnContext(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, contextKey{}, nc)
}

// ConnState is the http.Server's. Without it only the first request of a
// connection has Spellings.
func ConnState(nc net.Conn, state http.ConnState) {
	if c, ok := nc.(*Conn); ok && state == http.StateIdle {
		c.forget()
	}
}

// Secure says whether the connection is TLS; net/http does not see it and leaves
// Request.TLS unset. A nil Conn is not.
func (c *Conn) Secure() bool { return c != nil && c.secure }

// NetConn is the connection itself, for who has taken it over: a *tls.Conn, or
// what was accepted.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// CloseWrite closes the writing side, if that is possible.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Read reads from the connection.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case n == 0:
	case !c.whole:
		c.keep(p[:n])
	default:
		// While it serves a request, net/http reads one byte: the next one's.
		c.ahead = c.ahead[:0]
		if n == 1 {
			c.ahead = append(c.ahead, p[0])
		}
	}
	return n, err
}

// keep adds to the head.
func (c *Conn) keep(p []byte) {
	from := max(0, len(c.head)-2)
	c.head = append(c.head, p...)
	end := emptyLine(c.head[from:])
	switch {
	case end >= 0:
		c.whole, c.head = true, c.head[:from+end]
	case len(c.head) > maxHead:
		c.whole, c.head = true, nil
	}
}

// forget makes room for the next request.
func (c *Conn) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cap(c.head) > idleHead {
		c.head = nil
	}
	c.head, c.ahead, c.whole = append(c.head[:0], c.ahead...), c.ahead[:0], false
}

// emptyLine returns where the line break before an empty line is, or -1. As to
// net/http, a line break is a newline with or without a carriage return: with a
// stricter rule, head would still grow while the request is being served.
func emptyLine(text []byte) int {
	for i := 0; ; i++ {
		n := bytes.IndexByte(text[i:], '\n')
		if n < 0 {
			return -1
		}
		i += n
		if next := text[i+1:]; bytes.HasPrefix(next, []byte("\n")) || bytes.HasPrefix(next, []byte("\r\n")) {
			return i
		}
	}
}

// Spellings returns the names of a request's headers, as the client has spelled
// them, by their canonical forms. There are none if the request is not that of the
// connection's last head: it was sent before the one before it was answered, or
// is very long.
func Spellings(r *http.Request) map[string]string {
	c := Of(r)
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	request, lines, _ := strings.Cut(string(c.head), "\n")
	if !c.whole || strings.TrimSuffix(request, "\r") != r.Method+" "+r.RequestURI+" "+r.Proto {
		return nil
	}
	names := make(map[string]string)
	for line := range strings.SplitSeq(lines, "\n") {
		name, _, _ := strings.Cut(line, ":")
		if key := textproto.CanonicalMIMEHeaderKey(name); names[key] == "" {
			names[key] = name
		}
	}
	return names
}
