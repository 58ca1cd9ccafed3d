// Package tlsport lets one port answer TLS and plain text: it looks at the first
// byte of a connection before anybody reads it. It also makes the certificates,
// signed by an authority of its own.
package tlsport

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// recordHandshake is the first byte of every TLS connection, and of no
	// HTTP request.
	// https://www.rfc-editor.org/rfc/rfc8446#section-5.1
	recordHandshake = 0x16
	// firstByte bounds the wait for a connection's first byte, as net/http's
	// own limits do only after Accept.
	firstByte = 10 * time.Second
)

// Listener accepts the connections of another one: those that begin with a TLS
// handshake as *tls.Conn, which has not shaken hands yet, and all others as they
// were. One that sends nothing for 10 s is closed.
type Listener struct {
	net.Listener
	config *tls.Config

	ready chan result
	done  chan struct{}
	tasks sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	waiting map[net.Conn]struct{} // for their first byte
}

type result struct {
	nc  net.Conn
	err error
}

// Listen returns a Listener that accepts from l, which it closes with itself.
// Close must be called, or nothing else stops it.
func Listen(l net.Listener, config *tls.Config) *Listener {
	p := &Listener{
		Listener: l, config: config,
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

// inspect waits for the first byte of a connection and hands the connection on.
func (p *Listener) inspect(nc net.Conn) {
	if !p.wait(nc) {
		nc.Close()
		return
	}
	nc.SetReadDeadline(time.Now().Add(firstByte))
	b, found, err := first(nc)
	p.mu.Lock()
	delete(p.waiting, nc)
	p.mu.Unlock()
	if err == nil {
		err = nc.SetReadDeadline(time.Time{})
	}
	if err != nil { // the client has gone, says nothing, or the port is closing
		nc.Close()
		return
	}
	if b == recordHandshake {
		found = tls.Server(found, p.config)
	}
	if !p.hand(result{nc: found}) {
		nc.Close()
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
