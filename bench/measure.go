package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

// settle is how long the system gets to come to rest before a measurement.
const settle = 2 * time.Second

// row measures f, which says how many operations it did and how long each
// took, and prints what they cost.
func row(w *tabwriter.Writer, s *system, name string, f func() (int, []time.Duration, error)) error {
	e0, f0 := s.measure()
	begin := time.Now()
	n, took, err := f()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if n == 0 {
		return fmt.Errorf("%s: nothing was done", name)
	}
	seconds := time.Since(begin).Seconds()
	e1, f1 := s.measure()
	perOp := func(cpu float64) float64 { return cpu / float64(n) * 1e6 }
	fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2f\t%.0f\t%.0f\t%.0f\t%.0f\t\n", name, float64(n)/seconds,
		quantile(took, 0.5), quantile(took, 0.99),
		perOp(e1.cpu-e0.cpu), perOp(f1.cpu-f0.cpu), e1.rss, f1.rss)
	return nil
}

// quantile is in milliseconds.
func quantile(d []time.Duration, q float64) float64 {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[int(q*float64(len(d)-1))].Seconds() * 1e3
}

func measureConnects(ctx context.Context, w *tabwriter.Writer, s *system, name string, n int) error {
	warm, _, err := dialAll(ctx, s, 50, 8)
	defer closeAll(warm)
	if err != nil {
		return err
	}
	var clients []*client
	defer func() { closeAll(clients) }()
	return row(w, s, name, func() (int, []time.Duration, error) {
		var took []time.Duration
		clients, took, err = dialAll(ctx, s, n, 8)
		return n, took, err
	})
}

// measurePings measures {"type":"ping"} until {"type":"pong"}, one at a time.
func measurePings(ctx context.Context, w *tabwriter.Writer, s *system, d time.Duration) error {
	time.Sleep(settle)
	c, err := dial(ctx, s)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	return row(w, s, "ping", func() (int, []time.Duration, error) {
		var took []time.Duration
		for begin := time.Now(); time.Since(begin) < d; {
			sent := time.Now()
			if err := c.send(`{"type":"ping"}`); err != nil {
				return 0, nil, err
			}
			for {
				p, err := c.next()
				if err != nil {
					return 0, nil, err
				}
				if bytes.Contains(p, []byte(`"pong"`)) {
					break
				}
			}
			took = append(took, time.Since(sent))
		}
		return len(took), took, nil
	})
}

// measurePosts posts 200 bytes to 100 connections, 32 posts at a time, with the
// SDK as it comes.
func measurePosts(ctx context.Context, w *tabwriter.Writer, s *system, d time.Duration) error {
	const receivers = 100
	clients, _, err := dialAll(ctx, s, receivers, 8)
	defer closeAll(clients)
	if err != nil {
		return err
	}
	ids, err := s.connectionIDs(ctx)
	if err != nil {
		return err
	}
	for _, c := range clients {
		go c.receive()
	}
	time.Sleep(settle)
	api := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region: "us-east-1", Credentials: credentials, BaseEndpoint: aws.String("http://" + s.addr + "/prod"),
	})
	body := bytes.Repeat([]byte("x"), 200)
	var next atomic.Int64
	return row(w, s, "post with the SDK, 32 at a time", func() (int, []time.Duration, error) {
		return repeat(d, func() error {
			id := ids[next.Add(1)%int64(len(ids))]
			_, err := api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: body})
			return err
		})
	})
}

// measureReference measures a bare HTTP request on this machine at this time:
// what the other figures of the run are to be compared with.
func measureReference(ctx context.Context, w *tabwriter.Writer, s *system, d time.Duration) error {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	defer client.CloseIdleConnections()
	body := bytes.Repeat([]byte("x"), 200)
	return row(w, s, "for comparison: bare net/http, 32 at a time", func() (int, []time.Duration, error) {
		return repeat(d, func() error {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, bytes.NewReader(body))
			if err != nil {
				return err
			}
			res, err := client.Do(r)
			if err != nil {
				return err
			}
			return res.Body.Close()
		})
	})
}

// workers is how many operations run at a time where there is no other number.
const workers = 32

// repeat does f for a time, workers at a time, and says how long each took.
func repeat(d time.Duration, f func() error) (int, []time.Duration, error) {
	var mu sync.Mutex
	var all []time.Duration
	var errs []error
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for range workers {
		wg.Go(func() {
			var took []time.Duration
			var err error
			for err == nil && time.Now().Before(end) {
				begin := time.Now()
				err = f()
				took = append(took, time.Since(begin))
			}
			mu.Lock()
			defer mu.Unlock()
			all, errs = append(all, took...), append(errs, err)
		})
	}
	wg.Wait()
	return len(all), all, errors.Join(errs...)
}

// measureIdle measures the emulator's memory for connections that do nothing.
func measureIdle(ctx context.Context, w *tabwriter.Writer, s *system, n int) error {
	time.Sleep(settle)
	before, _ := s.measure()
	clients, _, err := dialAll(ctx, s, n, 8)
	defer closeAll(clients)
	if err != nil {
		return err
	}
	time.Sleep(2 * settle)
	after, _ := s.measure()
	fmt.Fprintf(w, "%d idle connections: %.1f KB of the emulator's memory each\n", n, (after.rss-before.rss)*1e3/float64(n))
	return nil
}

func measureTicks(ctx context.Context, w *tabwriter.Writer, s *system, n int, d time.Duration) error {
	clients, _, err := dialAll(ctx, s, n, 8)
	defer closeAll(clients)
	if err != nil {
		return err
	}
	for _, c := range clients {
		go c.receive()
	}
	time.Sleep(2 * settle) // until all are greeted and served
	e0, f0 := s.measure()
	begin := time.Now()
	for _, c := range clients {
		c.count(true)
	}
	time.Sleep(d)
	for _, c := range clients {
		c.count(false)
	}
	seconds := time.Since(begin).Seconds()
	e1, f1 := s.measure()
	var gaps []time.Duration
	var rates []float64
	messages := 0
	for _, c := range clients {
		rates = append(rates, c.rate())
		messages += c.messages
		gaps = append(gaps, c.gaps...)
	}
	slices.Sort(rates)
	fmt.Fprintf(w, "%d\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\t%.2f\t%.2f\t%.0f\t%.0f\t\n", n,
		rates[0], rates[n/2], float64(messages)/float64(n)/seconds,
		quantile(gaps, 0.5), quantile(gaps, 0.99),
		(e1.cpu-e0.cpu)/seconds, (f1.cpu-f0.cpu)/seconds, e1.rss, f1.rss)
	return nil
}
