package apigw

import "errors"

// backlogMessages bounds what waits for a slow client, in messages of the
// largest size. The service's own bound is not documented.
const backlogMessages = 2

// Why a frame was not sent.
var (
	errGone = errors.New("connection is gone")
	errFull = errors.New("the client's buffer is full")
)

// send sends a whole frame, which it does not keep, and never waits for the
// client. It returns errGone or errFull.
func (c *conn) send(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing:
		return errGone
	case c.flushing && c.unsent+len(frame) > backlogMessages*c.in.quotas.MessageBytes:
		return errFull
	}
	return c.write(frame)
}

// sendText sends the frame of a text message, which counts as activity.
func (c *conn) sendText(frame []byte) error {
	err := c.send(frame)
	if err == nil {
		c.touch()
	}
	return err
}

// write hands bytes to the kernel, if it takes them at once, and else to the
// backlog: so an idle connection needs neither a buffer nor a goroutine to
// write, and a backlog goes out in few writes. c.mu is held.
func (c *conn) write(b []byte) error {
	if !c.flushing {
		n, err := tryWrite(c.raw, b)
		if err != nil {
			c.nc.Close() // the read loop ends the connection
			return errGone
		}
		if n == len(b) {
			return nil
		}
		b = b[n:]
		c.flushing = true
		c.api.g.tasks.Add(1)
		go c.flush()
	}
	c.backlog = append(c.backlog, b...)
	c.unsent += len(b)
	return nil
}

// flushBytes are written at once, which shows whether the client still reads.
const flushBytes = 16 << 10

// flush writes the backlog, waiting for the client, until there is none. If the
// connection is being closed, the client has closeGrace for each piece.
func (c *conn) flush() {
	defer c.api.g.tasks.Done()
	c.mu.Lock()
	for len(c.backlog) > 0 {
		out := c.backlog
		c.backlog = nil
		for len(out) > 0 {
			piece := out[:min(len(out), flushBytes)]
			out = out[len(piece):]
			c.mu.Unlock()
			_, err := c.nc.Write(piece)
			c.mu.Lock()
			c.unsent -= len(piece)
			if err != nil {
				c.nc.Close()
				out, c.backlog, c.unsent = nil, nil, 0
			} else if c.closing {
				c.grace.Reset(closeGrace)
			}
		}
	}
	c.flushing = false
	closing := c.closing
	c.mu.Unlock()
	if closing { // so nothing will be written any more
		c.closeWrite()
	}
}

// closeWrite tells the client that nothing more will come. With TLS it may wait
// for the client, so c.mu is not held.
func (c *conn) closeWrite() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite() // an error means that the client has gone
	}
}

func (c *conn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}
