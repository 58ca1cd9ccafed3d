package push

import (
	"context"
	"time"
)

const (
	flushTime = time.Second
	flushLook = 5 * time.Millisecond
)

// Flush sends the clients what they have not got yet, without waiting for their
// turns, but never more than the posts of a second. It returns when they have it,
// after a second, or when ctx ends.
func (p *Pusher) Flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	p.mu.Lock()
	p.credit = p.interval * time.Duration(min(float64(len(p.conns)), p.gov.rate))
	p.wake.Signal()
	p.mu.Unlock()
	look := time.NewTicker(flushLook)
	defer look.Stop()
	for !p.flushed() {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

func (p *Pusher) flushed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		waits := c.sent < p.ring.last && c.backoff == 0 && p.credit >= p.interval
		if c.busy || waits || len(c.queue) > 0 {
			return false
		}
	}
	return true
}

// next waits for something to post and takes it; false means that Run ends. A
// woken worker wakes another one if there is more, so that an idle round costs
// one look and not one of each worker.
func (p *Pusher) next() (job, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.stopped {
		if j, ok := p.take(time.Now()); ok {
			p.wake.Signal()
			return j, true
		}
		p.wake.Wait()
	}
	return job{}, false
}

// take returns the next post that is due: messages besides the ticks first,
// then the connection whose turn it is.
func (p *Pusher) take(now time.Time) (job, bool) {
	for range len(p.urgent) {
		c := p.urgent[0]
		p.urgent = p.urgent[1:]
		switch {
		case c.removed || c.busy || len(c.queue) == 0: // done puts it back
		case !p.ready(c, now):
			p.urgent = append(p.urgent, c)
		default:
			return p.start(job{conn: c, control: c.queue[0]}), true
		}
	}
	if p.credit < p.interval {
		return job{}, false
	}
	for range len(p.order) {
		c := p.turnOf()
		if c == nil {
			break
		}
		if c.busy || len(c.queue) > 0 || c.sent == p.ring.last || !p.ready(c, now) {
			continue
		}
		to := p.ring.last
		body := p.ring.message(c.mask, c.latest, c.sent, p.milliseconds())
		if body == nil {
			c.sent = to
			continue
		}
		p.credit -= p.interval
		return p.start(job{conn: c, control: &control{body: body}, to: to}), true
	}
	return job{}, false
}

// turnOf returns the connection whose turn it is, nil if there is none.
func (p *Pusher) turnOf() *conn {
	for len(p.order) > 0 {
		if p.turn >= len(p.order) {
			p.turn = 0
		}
		c := p.order[p.turn]
		if !c.removed {
			p.turn++
			return c
		}
		last := len(p.order) - 1
		p.order[p.turn], p.order[last] = p.order[last], nil
		p.order = p.order[:last]
	}
	return nil
}

// ready says whether a connection may be posted to. Those that failed wait, and
// only few of them at a time may keep workers busy.
func (p *Pusher) ready(c *conn, now time.Time) bool {
	return c.backoff == 0 || p.slow < slowWorkers && !now.Before(c.retry)
}

func (p *Pusher) start(j job) job {
	j.conn.busy = true
	j.slow = j.conn.backoff > 0
	if j.slow {
		p.slow++
	}
	return j
}

// milliseconds is the delivery interval as clients are told.
func (p *Pusher) milliseconds() int64 {
	return int64((p.interval + time.Millisecond - 1) / time.Millisecond)
}
