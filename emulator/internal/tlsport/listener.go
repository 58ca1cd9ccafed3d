// Package tlsport lets one port answer TLS and plain text: it looks at the first
// byte of a connection before anybody reads it. It also makes the certificates,
// signed by an authority of its own, and remembers of requests what net/http
// forgets.
package tlsport

import (
	"crypto/tls"
	"errors"
	"log"
	"net"
	"sync"
	"time"
)

const (
	// recordHandshake is the first byte of every TLS connection, and of no
	// HTTP request.
	// https://www.rfc-editor.org/rfc/rfc8446#section-5.1
	recordHandshake = 0x16
	// firstByte bounds the wait for a connection's first byte, and then that for
	// the end of its TLS handshake, as net/http's own limits do only after
	// Accept.
	firstByte = 10 * time.Second
)

// Listener accepts the connections of another one as *Conn: those that begin
// with a TLS handshake once it is done, and all others as they were. One that
// sends nothing for 10 s, or does not get through its handshake in that time, is
// closed.
type Listener struct {
	net.Listener
	config *tls.Config
	log    *log.Logger

	ready chan result
	done  chan struct{}
	tasks sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	waiting map[net.Conn]struct{} // for their first byte, or the end of their handshake
}

type result struct {
	nc  net.Conn
	err error
}

// Listen returns a Listener that accepts from l, which it closes with itself.
// Handshakes that fail go to errorLog. Close must be called, or nothing else
// stops it.
func Listen(l net.Listener, config *tls.Config, errorLog *log.Logger) *Listener {
	p := &Listener{
		Listener: l, config: config, log: errorLog,
		ready: make(chan result), done: make(chan struct{}), waiting: make(map[net.Conn]struct{}),
	}
	p.tasks.Go(p.accept)
	return p
}

// Accept returns the next connection of which the first byte has come. After
// Close it returns net.ErrClosed.
func (p *Listener) Accept() (net.Conn, error) {
	select {
	case <-p.done:
		return nil, net.ErrClosed
	default:
	}
	select {
	case <-p.done:
		return nil, net.ErrClosed
	case r := <-p.ready:
		return r.nc, r.err
	}
}

// Close ends the listener and the connections that Accept has not returned. It
// leaves no goroutine.
func (p *Listener) Close() error {
	err := p.shut()
	p.tasks.Wait()
	return err
}

func (p *Listener) shut() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	p.closed = true
	close(p.done)
	for nc := range p.waiting {
		nc.Close() // ends the wait
	}
	return p.Listener.Close()
}

// accept takes connections as they come. An error, such as too many open files,
// holds it up until Accept has returned it, so that the caller can slow it down.
func (p *Listener) accept() {
	for {
		nc, err := p.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			p.shut() // by somebody else, perhaps
			return
		case err != nil:
			if !p.hand(result{err: err}) {
				return
			}
		default:
			p.tasks.Go(func() { p.inspect(nc) })
		}
	}
}

// hand gives a result to Accept. It reports false if there will be no Accept.
func (p *Listener) hand(r result) bool {
	select {
	case p.ready <- r:
		return true
	case <-p.done:
		return false
	}
}

// inspect waits for the first byte of a connection, shakes hands if it is one of
// TLS, and hands the connection on.
func (p *Listener) inspect(nc net.Conn) {
	if !p.wait(nc) {
		nc.Close()
		return
	}
	c, err := p.prepare(nc)
	p.mu.Lock()
	delete(p.waiting, nc)
	p.mu.Unlock()
	if err != nil || !p.hand(result{nc: c}) { // the client has gone, says nothing or nonsense, or the port is closing
		nc.Close()
	}
}

func (p *Listener) prepare(nc net.Conn) (*Conn, error) {
	nc.SetReadDeadline(time.Now().Add(firstByte))
	b, found, err := first(nc)
	if err != nil {
		return nil, err
	}
	if b == recordHandshake {
		nc.SetDeadline(time.Now().Add(firstByte))
		secure := tls.Server(found, p.config)
		if err := secure.Handshake(); err != nil {
			p.logf("TLS handshake error from %s: %v", nc.RemoteAddr(), err)
			return nil, err
		}
		found = secure
	}
	return &Conn{Conn: found, secure: b == recordHandshake}, nc.SetDeadline(time.Time{})
}

// logf logs what has failed, unless it is because the listener is closed.
func (p *Listener) logf(format string, args ...any) {
	select {
	case <-p.done:
	default:
		p.log.Printf(format, args...)
	}
}

func (p *Listener) wait(nc net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.waiting[nc] = struct{}{}
	}
	return !p.closed
}
