package tlsport

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/textproto"
	"strings"
)

// maxHead bounds what is kept of a handshake; in a longer one, headers count as
// spelled canonically.
const maxHead = 16 << 10

// Conn is a connection that Accept has returned. Of a WebSocket's handshake it
// keeps how the client has spelled the headers' names, which net/http forgets,
// if the handshake is the connection's first request.
type Conn struct {
	net.Conn
	secure bool
	head   []byte // up to its empty line, once it is read
	read   bool   // nothing more belongs to head
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
	if !c.read && n > 0 {
		c.keep(p[:n])
	}
	return n, err
}

// keep adds to the head of the first request, as long as it may be a handshake.
func (c *Conn) keep(p []byte) {
	if len(c.head) == 0 && p[0] != 'G' { // of GET
		c.read = true
		return
	}
	from := max(0, len(c.head)-2)
	c.head = append(c.head, p...)
	end := emptyLine(c.head[from:])
	switch {
	case end >= 0:
		c.read, c.head = true, c.head[:from+end]
		if !bytes.Contains(bytes.ToLower(c.head), []byte("websocket")) {
			c.head = nil
		}
	case len(c.head) > maxHead:
		c.read, c.head = true, nil
	}
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

// Spellings returns the names of the handshake's headers by their canonical
// forms, and forgets them: it is for whoever answers the handshake, and gives
// nothing the next time or of a nil Conn.
func (c *Conn) Spellings() map[string]string {
	if c == nil || !c.read || c.head == nil {
		return nil
	}
	names := make(map[string]string)
	_, lines, _ := strings.Cut(string(c.head), "\n")
	c.head = nil
	for line := range strings.SplitSeq(lines, "\n") {
		name, _, _ := strings.Cut(line, ":")
		if key := textproto.CanonicalMIMEHeaderKey(name); names[key] == "" {
			names[key] = name
		}
	}
	return names
}
