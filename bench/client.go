package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// client is one WebSocket connection and what it has received.
type client struct {
	conn    net.Conn
	r       *bufio.Reader
	payload []byte

	mu       sync.Mutex
	on       bool            // whether to count
	messages int             // ticker messages
	ticks    int             // of one symbol, which is in every tick, after the first message
	from, to int64           // times of the first message's last tick and of the newest, ms
	gaps     []time.Duration // between ticker messages
	last     time.Time
}

var (
	entry    = []byte(`"symbol":"BTC-USD"`) // stands once in a ticker message for each tick
	tickTime = []byte(`"time":`)
)

// rate is the number of ticks received for each second of the market's time: it
// lacks what the ticker left out, and what was lost on the way.
func (c *client) rate() float64 {
	if c.to == c.from {
		return 0
	}
	return float64(c.ticks) / (float64(c.to-c.from) / 1e3)
}

func dial(ctx context.Context, s *system) (*client, error) {
	d := ws.Dialer{
		Header: ws.HandshakeHeaderHTTP(http.Header{"Authorization": {"Bearer " + s.token}}),
		// The default buffers would be most of a client's memory.
		ReadBufferSize: 512, WriteBufferSize: 512,
	}
	conn, buffered, _, err := d.Dial(ctx, "ws://"+s.addr+"/prod")
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, r: bufio.NewReaderSize(conn, 4096)}
	if buffered != nil && buffered.Buffered() > 0 {
		early := make([]byte, buffered.Buffered())
		if _, err := io.ReadFull(buffered, early); err != nil {
			conn.Close()
			return nil, err
		}
		c.r.Reset(io.MultiReader(bytes.NewReader(early), conn))
	}
	return c, nil
}

// next reads one message; it is valid until the next call.
func (c *client) next() ([]byte, error) {
	for {
		h, err := ws.ReadHeader(c.r)
		if err != nil {
			return nil, err
		}
		if int64(cap(c.payload)) < h.Length {
			c.payload = make([]byte, h.Length)
		}
		c.payload = c.payload[:h.Length]
		if _, err := io.ReadFull(c.r, c.payload); err != nil {
			return nil, err
		}
		switch h.OpCode {
		case ws.OpText:
			return c.payload, nil
		case ws.OpClose:
			return nil, fmt.Errorf("closed by the server: %q", c.payload)
		}
	}
}

// send writes one text message.
func (c *client) send(text string) error {
	return ws.WriteFrame(c.conn, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(text))))
}

// receive counts ticker messages until the connection ends.
func (c *client) receive() {
	for {
		p, err := c.next()
		if err != nil {
			return
		}
		n := bytes.Count(p, entry)
		if n == 0 {
			continue
		}
		c.tick(n, lastTime(p))
	}
}

// tick counts a message with n ticks, the newest of which is of a time in ms.
func (c *client) tick(n int, at int64) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.on {
		return
	}
	c.messages++
	if c.last.IsZero() {
		c.from = at
	} else {
		c.ticks += n
		c.gaps = append(c.gaps, now.Sub(c.last))
	}
	c.to, c.last = at, now
}

// lastTime is the time of a ticker message's last entry, in ms.
func lastTime(p []byte) (ms int64) {
	i := bytes.LastIndex(p, tickTime)
	if i < 0 {
		return 0
	}
	for _, b := range p[i+len(tickTime):] {
		if b < '0' || b > '9' {
			break
		}
		ms = 10*ms + int64(b-'0')
	}
	return ms
}

// count switches counting on or off; on starts at zero.
func (c *client) count(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if on {
		c.ticks, c.messages, c.gaps, c.last, c.from, c.to = 0, 0, c.gaps[:0], time.Time{}, 0, 0
	}
	c.on = on
}

// dialAll opens n connections, a few at a time, and says how long each took.
func dialAll(ctx context.Context, s *system, n, workers int) ([]*client, []time.Duration, error) {
	clients, took := make([]*client, n), make([]time.Duration, n)
	next := make(chan int)
	errs := make(chan error, workers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range workers {
		go func() {
			for i := range next {
				begin := time.Now()
				c, err := dial(ctx, s)
				if err != nil {
					cancel()
					errs <- fmt.Errorf("connection %d: %w", i, err)
					return
				}
				clients[i], took[i] = c, time.Since(begin)
			}
			errs <- nil
		}()
	}
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	var first error
	for range workers {
		if err := <-errs; first == nil {
			first = err
		}
	}
	return clients, took, first
}

func closeAll(clients []*client) {
	for _, c := range clients {
		if c != nil {
			c.conn.Close()
		}
	}
}
