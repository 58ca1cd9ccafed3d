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

// flush writes the backlog, waiting for the client, until there is none.
func (c *conn) flush() {
	defer c.api.g.tasks.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.backlog) > 0 {
		out := c.backlog
		c.backlog = nil
		c.mu.Unlock()
		_, err := c.nc.Write(out)
		c.mu.Lock()
		c.unsent -= len(out)
		if err != nil {
			c.nc.Close()
			c.backlog, c.unsent = nil, 0
		}
	}
	c.flushing = false
	if c.closing {
		c.closeWrite()
	}
}

// closeWrite tells the client that nothing more will come.
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
