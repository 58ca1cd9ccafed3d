// Package push sends messages to WebSocket connections: every tick to every
// client, in as few messages as their number asks for, as long as a message can
// hold them; then the oldest are left out. A client that is slow harms only
// itself.
//
// A tick is when prices move; a delivery is a message with all ticks since the
// last one. API Gateway charges for messages and not for bytes, and it is
// the number of messages that limits how many clients can be served.
package push

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"crypto-ticker/shared/market"
)

const (
	workers      = 48 // posts in flight
	slowWorkers  = 12 // of them for clients whose last post failed
	heartbeat    = 30 * time.Second
	stuckAfter   = 10 * time.Second // without a single successful post
	lostAfter    = 2 * time.Minute  // the same, even if it is not the client's fault
	firstBackoff = 250 * time.Millisecond
	maxBackoff   = 2 * time.Second
)

// Config is what a Pusher needs.
type Config struct {
	Client            *Client
	Symbols           []string      // at most MaxSymbols
	Epoch, Seq        int64         // of the lease: ticks are numbered from Seq + 1
	TickInterval      time.Duration // between two calls of Tick
	DeliveryInterval  time.Duration // between two messages to a client, at least
	MaxPostsPerSecond float64       // to all clients together

	// These are called from within Run, and may block a while.
	Gone   func(connectionID string) // API Gateway does not know it, any more or yet
	Closed func(connectionID string) // it was closed: by Close, or since it was stuck
}

// Pusher sends ticks to connections. At most one post at a time is in flight to
// each. It is safe for concurrent use.
type Pusher struct {
	config Config

	mu      sync.Mutex
	wake    *sync.Cond // there may be work, or stopped is true
	stopped bool
	ring    *ring
	gov     *governor
	conns   map[string]*conn
	order   []*conn // for taking turns; with removed ones until they are met
	turn    int     // in order
	urgent  []*conn // with something in their queues
	slow    int     // posts in flight to clients that failed before

	// credit is the time that clients have waited, all together, since they
	// were due: each tick adds its length for each client, a post takes the
	// delivery interval away. So deliveries are spread evenly.
	credit    time.Duration
	interval  time.Duration // between two deliveries to a client, now
	lastError error         // of a post, for Maintain
	many      bool          // fail, as Maintain has seen
}

// conn is a connection that is served.
type conn struct {
	id      string
	mask    uint64
	latest  bool
	sent    int64 // the newest tick that it has got
	queue   []*control
	busy    bool // a post is in flight
	removed bool

	posted  time.Time // the last success
	retry   time.Time // not before
	backoff time.Duration
	failing time.Time // since when there was no success; zero: it does not fail
}

// closing says whether the connection is about to be ended.
func (c *conn) closing() bool { return len(c.queue) > 0 && c.queue[len(c.queue)-1].close }

// stuck says whether it is about to be ended since it takes nothing: no last
// message is worth a try.
func (c *conn) stuck() bool { return c.closing() && c.queue[0].body == nil }

// control is a message besides the ticks, or the end of the connection.
type control struct {
	body  []byte
	close bool
}

// job is one post.
type job struct {
	conn *conn
	*control
	to   int64 // the newest tick in body; 0 for a control message
	slow bool
}

// New returns a Pusher without connections.
func New(c Config) *Pusher {
	p := &Pusher{
		config:   c,
		ring:     newRing(c.Epoch, c.Seq, c.Symbols, c.TickInterval),
		gov:      newGovernor(c.TickInterval, c.DeliveryInterval, c.MaxPostsPerSecond),
		conns:    map[string]*conn{},
		interval: c.DeliveryInterval,
	}
	p.wake = sync.NewCond(&p.mu)
	return p
}

// Run sends until Stop is called or ctx ends. Then it waits for the posts in
// flight, which the end of ctx cancels.
func (p *Pusher) Run(ctx context.Context) {
	defer context.AfterFunc(ctx, p.Stop)()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for j, ok := p.next(); ok; j, ok = p.next() {
				p.do(ctx, j)
			}
		})
	}
	wg.Wait()
}

// Stop lets Run begin no more posts.
func (p *Pusher) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.wake.Broadcast()
}

// Put adds a connection, which has got the tick since and gets those after it,
// or changes what a connection is subscribed to.
func (p *Pusher) Put(connectionID string, symbols []string, latest bool, since int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.conns[connectionID]
	if c == nil {
		c = &conn{id: connectionID, sent: min(since, p.ring.last), posted: time.Now()}
		p.conns[connectionID] = c
		p.order = append(p.order, c)
	}
	c.mask, c.latest = p.ring.mask(symbols), latest
}

// Remove forgets a connection.
func (p *Pusher) Remove(connectionID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.conns[connectionID]; c != nil {
		c.removed = true
		delete(p.conns, connectionID)
	}
}

// Len is the number of connections.
func (p *Pusher) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// Send sends a message to a connection before any further ticks. It does nothing
// if the connection is not here.
func (p *Pusher) Send(connectionID string, body []byte) {
	p.enqueue(connectionID, &control{body: body})
}

// Close sends a message to a connection and ends it.
func (p *Pusher) Close(connectionID string, body []byte) {
	p.enqueue(connectionID, &control{body: body, close: true})
}

func (p *Pusher) enqueue(connectionID string, m *control) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.conns[connectionID]; c != nil {
		p.enqueueLocked(c, m)
	}
}

func (p *Pusher) enqueueLocked(c *conn, m *control) {
	if c.closing() {
		return
	}
	if c.queue = append(c.queue, m); len(c.queue) == 1 {
		p.urgent = append(p.urgent, c)
	}
	p.wake.Signal()
}

// Tick adds a tick, which the clients get in their next message. It must be
// called once each TickInterval, also without quotes.
func (p *Pusher) Tick(quotes []market.Quote) {
	p.mu.Lock()
	defer p.mu.Unlock()
	bytes := 0
	if len(quotes) > 0 {
		p.ring.add(quotes)
		bytes = len(p.ring.at(p.ring.last).data)
	}
	p.gov.ticked(bytes)
	n := len(p.conns)
	p.interval = p.gov.interval(n)
	round := p.interval * time.Duration(n)
	// What is left of more than a round is not made up for: messages hold more
	// ticks instead.
	p.credit = min(p.credit+p.config.TickInterval*time.Duration(n), round)
	p.wake.Signal()
}

// Seq is the number of the newest tick.
func (p *Pusher) Seq() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ring.last
}

// Maintain is called once a second: it adapts the rate, sends heartbeats to
// those who have got nothing for 30 seconds, and closes clients that are stuck.
// While many fail, that waits for a stall of API Gateway to end, but not for
// ever: they may all have vanished.
func (p *Pusher) Maintain(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	slower, many := p.gov.adjust()
	if slower {
		slog.Warn("API Gateway throttles, sending slower", "posts_per_second", p.gov.rate)
	}
	failing := 0
	for _, c := range p.conns {
		if !c.failing.IsZero() {
			failing++
		}
	}
	if many = many || isMost(failing, len(p.conns)); many && !p.many {
		slog.Warn("many clients take nothing, which is not their fault", "failing", failing)
	}
	if p.lastError != nil {
		slog.Warn("posts fail", "error", p.lastError)
		p.lastError = nil
	}
	p.many = many
	for _, c := range p.conns {
		switch {
		case c.failing.IsZero():
			if now.Sub(c.posted) >= heartbeat && len(c.queue) == 0 {
				c.posted = now
				p.enqueueLocked(c, &control{body: Message{Type: TypeHeartbeat}.JSON()})
			}
		case many && now.Sub(c.posted) < lostAfter:
			c.failing = now
			if c.stuck() {
				c.queue = nil
			}
		case now.Sub(c.failing) >= stuckAfter && !c.closing():
			slog.Info("client is stuck", "connection_id", c.id)
			c.queue = nil
			p.enqueueLocked(c, &control{close: true})
		}
	}
}

// do makes a post and notes how it went.
func (p *Pusher) do(ctx context.Context, j job) {
	var err error
	if j.body != nil {
		err = p.config.Client.Post(ctx, j.conn.id, j.body)
	}
	gone := errors.Is(err, ErrGone)
	if j.close && !gone {
		// Whether the last message arrived or not: it ends now.
		if err = p.config.Client.Close(ctx, j.conn.id); errors.Is(err, ErrGone) {
			err = nil
		}
	}
	switch served := p.done(ctx, j, err); {
	case ctx.Err() != nil || !served:
	case gone: // perhaps not open yet: then it is closed at a later try
		p.config.Gone(j.conn.id)
	case j.close && err == nil:
		p.Remove(j.conn.id)
		p.config.Closed(j.conn.id)
	}
}

// done notes the result of a post and says whether the connection is still
// served. When ctx has ended, nothing can be told from the result.
func (p *Pusher) done(ctx context.Context, j job, err error) (served bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, now := j.conn, time.Now()
	c.busy = false
	if j.slow {
		p.slow--
	}
	p.gov.posts++
	switch {
	case ctx.Err() != nil:
	case err == nil:
		c.posted, c.failing, c.backoff = now, time.Time{}, 0
		if j.to > 0 {
			c.sent = j.to
		} else if len(c.queue) > 0 && c.queue[0] == j.control {
			c.queue = c.queue[1:]
		}
	default:
		c.backoff = min(max(2*c.backoff, firstBackoff), maxBackoff)
		c.retry = now.Add(c.backoff)
		p.note(c, err, now)
	}
	if len(c.queue) > 0 {
		p.urgent = append(p.urgent, c)
	}
	return !c.removed
}

// note tells the reasons of a failure apart: only what is the client's own fault
// may end it.
func (p *Pusher) note(c *conn, err error, now time.Time) {
	switch {
	case errors.Is(err, ErrThrottled):
		p.gov.throttled++
	case errors.Is(err, context.DeadlineExceeded):
		p.gov.late++
	case errors.Is(err, ErrGone):
		return
	default:
		p.lastError = err
		return
	}
	if c.failing.IsZero() {
		c.failing = now
	}
}
