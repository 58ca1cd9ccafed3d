package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"
)

// measureTicker measures the paths around the ticker, which hardly ticks
// meanwhile.
func measureTicker(ctx context.Context, b *bench) error {
	s, err := startTicker(ctx, b.emulator, "TickInterval=60s", "DeliveryInterval=60s")
	if err != nil {
		return err
	}
	defer s.close()
	if err := measureGreeted(ctx, b, s); err != nil {
		return err
	}
	time.Sleep(settle)
	c, err := dial(ctx, s)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	all, err := b.repeat(s, func() (int, []time.Duration, error) {
		return together(1, b.d, func(int) error { return c.ping() })
	})
	if err == nil {
		b.row("Crypto Ticker: ping", all, "")
	}
	return err
}

// measureGreeted measures connects, after which the ticker greets the client.
func measureGreeted(ctx context.Context, b *bench, s *system) error {
	warm, _, err := dialAll(ctx, s, 50, 8)
	defer closeAll(warm)
	if err != nil {
		return err
	}
	var clients []*client
	defer func() { closeAll(clients) }()
	r, err := s.run(func() (n int, took []time.Duration, err error) {
		clients, took, err = dialAll(ctx, s, 1000, 8)
		return len(clients), took, err
	})
	if err == nil {
		b.row("Crypto Ticker: connect, 8 at a time", []figures{r}, "one run")
	}
	return err
}

// ping waits for the answer to a ping.
func (c *client) ping() error {
	if err := c.send(`{"type":"ping"}`); err != nil {
		return err
	}
	for {
		p, err := c.next()
		if err != nil || bytes.Contains(p, []byte(`"pong"`)) {
			return err
		}
	}
}

// measureTicks measures what clients get when the ticker runs as make run starts
// it, once for each number of them.
func measureTicks(ctx context.Context, b *bench) error {
	if err := b.w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(b.w, "\nclients\tticks/s each, least\tmedian\tmessages/s each\tgap p50 ms\tgap p99 ms\temulator cores\tfunctions cores\temulator MB\tfunctions MB\t")
	for _, n := range []int{1, 100, 1000} {
		s, err := startTicker(ctx, b.emulator, "DeliveryInterval=10ms", "MaxPostsPerSecond=8000", "TickerMemory=2048")
		if err != nil {
			return err
		}
		err = b.ticks(ctx, s, n)
		s.close()
		if err != nil {
			return fmt.Errorf("%d clients: %w", n, err)
		}
	}
	return nil
}

func (b *bench) ticks(ctx context.Context, s *system, n int) error {
	clients, _, err := dialAll(ctx, s, n, 8)
	defer closeAll(clients)
	if err != nil {
		return err
	}
	for _, c := range clients {
		go c.receive()
	}
	time.Sleep(2 * settle) // until all are greeted and served
	r, err := s.run(func() (int, []time.Duration, error) {
		for _, c := range clients {
			c.count(true)
		}
		time.Sleep(5 * b.d)
		for _, c := range clients {
			c.count(false)
		}
		var gaps []time.Duration
		messages := 0
		for _, c := range clients {
			messages += c.messages
			gaps = append(gaps, c.gaps...)
		}
		return messages, gaps, nil
	})
	if err != nil {
		return err
	}
	var rates []float64
	for _, c := range clients {
		rates = append(rates, c.rate())
	}
	slices.Sort(rates)
	fmt.Fprintf(b.w, "%d\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\t%.2f\t%.2f\t%.0f\t%.0f\t\n", n,
		rates[0], rates[n/2], r.perSecond/float64(n), r.p50, r.p99, r.serverCores, r.functionsCores, r.serverMB, r.functionsMB)
	return nil
}
