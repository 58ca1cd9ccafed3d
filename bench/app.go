package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

// settle is how long a system gets to come to rest.
const settle = 2 * time.Second

// workers is how many posts are made at a time.
const workers = 32

// text is what is echoed and posted.
var text = string(bytes.Repeat([]byte("x"), 200))

// measureEchoes measures messages that come back from a function.
func measureEchoes(ctx context.Context, b *bench) error {
	for _, m := range []struct {
		name, action string
		clients      int
	}{
		{"echo by a two-way route, 1 client", "echo", 1},
		{"echo by a two-way route, 100 clients", "echo", 100},
		{"echo by PostToConnection, 1 client", "post", 1},
	} {
		if err := measureEcho(ctx, b, m.name, m.action, m.clients); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

func measureEcho(ctx context.Context, b *bench, name, action string, n int) error {
	s, err := startApp(ctx, b.emulator)
	if err != nil {
		return err
	}
	defer s.close()
	clients, _, err := dialAll(ctx, s, n, 8)
	defer closeAll(clients)
	if err != nil {
		return err
	}
	message := fmt.Sprintf(`{"action":%q,"text":%q}`, action, text)
	echo := func() (int, []time.Duration, error) {
		return together(len(clients), b.d, func(i int) error {
			if err := clients[i].send(message); err != nil {
				return err
			}
			got, err := clients[i].next()
			if err == nil && string(got) != message {
				err = fmt.Errorf("got %q", got)
			}
			return err
		})
	}
	if _, _, err := echo(); err != nil { // until it has the instances that it wants
		return err
	}
	all, err := b.repeat(s, echo)
	if err == nil {
		b.row(name, all, "")
	}
	return err
}

// measurePosts measures posts with the SDK as it comes, by turns to the emulator
// and to a server that does nothing else.
func measurePosts(ctx context.Context, b *bench) error {
	emulator, err := startApp(ctx, b.emulator)
	if err != nil {
		return err
	}
	defer emulator.close()
	bare, err := startBare(ctx)
	if err != nil {
		return err
	}
	defer bare.close()
	var posts [2]work
	for i, s := range []*system{emulator, bare} {
		clients, _, err := dialAll(ctx, s, 100, 8)
		defer closeAll(clients)
		if err == nil {
			posts[i], err = poster(ctx, s, clients, b.d)
		}
		if err != nil {
			return err
		}
		if _, _, err := posts[i](); err != nil {
			return err
		}
	}
	var all [2][]figures
	for range b.runs {
		for i, s := range []*system{emulator, bare} {
			r, err := s.run(posts[i])
			if err != nil {
				return err
			}
			all[i] = append(all[i], r)
		}
	}
	for i, r := range all[0] {
		all[0][i].ratio = r.perSecond / all[1][i].perSecond
	}
	b.row("post with the SDK, 32 at a time", all[0], "%.0f %% of the bare server's", 100*median(all[0], func(r figures) float64 { return r.ratio }))
	b.row("the same to a bare server", all[1], "")
	return nil
}

// poster returns what posts to clients, which it makes read.
func poster(ctx context.Context, s *system, clients []*client, d time.Duration) (work, error) {
	ids := make([]string, len(clients))
	for i, c := range clients {
		if err := c.send(`{"action":"id"}`); err != nil {
			return nil, err
		}
		id, err := c.next()
		if err != nil {
			return nil, err
		}
		ids[i] = string(id)
		go c.receive()
	}
	api := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region: "us-east-1", Credentials: credentials, BaseEndpoint: aws.String("http://" + s.addr + "/prod"),
	})
	body := []byte(text)
	var next atomic.Int64
	return func() (int, []time.Duration, error) {
		return together(workers, d, func(int) error {
			id := ids[next.Add(1)%int64(len(ids))]
			_, err := api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: body})
			return err
		})
	}, nil
}

// together does f in n goroutines for a time, each f with the goroutine's
// number, and says how long each took.
func together(n int, d time.Duration, f func(i int) error) (int, []time.Duration, error) {
	var mu sync.Mutex
	var all []time.Duration
	var errs []error
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for i := range n {
		wg.Go(func() {
			var took []time.Duration
			var err error
			for begin := time.Now(); err == nil && begin.Before(end); {
				err = f(i)
				now := time.Now()
				took = append(took, now.Sub(begin))
				begin = now
			}
			mu.Lock()
			defer mu.Unlock()
			all, errs = append(all, took...), append(errs, err)
		})
	}
	wg.Wait()
	return len(all), all, errors.Join(errs...)
}

// measureConnects measures handshakes through authorizer and $connect, which
// writes a row.
func measureConnects(ctx context.Context, b *bench) error {
	s, err := startApp(ctx, b.emulator)
	if err != nil {
		return err
	}
	defer s.close()
	var all []figures
	for i := range b.runs + 1 {
		var clients []*client
		r, err := s.run(func() (n int, took []time.Duration, err error) {
			clients, took, err = dialAll(ctx, s, 1000, 8)
			return len(clients), took, err
		})
		closeAll(clients)
		if err == nil {
			err = s.wait(ctx, 0)
		}
		if err != nil {
			return err
		}
		if i > 0 { // the first warms up
			all = append(all, r)
		}
	}
	b.row("connect, 8 at a time", all, "")
	return nil
}

// measureIdle measures the emulator's memory for connections that do nothing.
func measureIdle(ctx context.Context, b *bench) error {
	const n = 5000
	s, err := startApp(ctx, b.emulator)
	if err != nil {
		return err
	}
	defer s.close()
	warm, _, err := dialAll(ctx, s, 50, 8)
	defer closeAll(warm)
	if err != nil {
		return err
	}
	time.Sleep(settle)
	before, _ := s.usage()
	var clients []*client
	defer func() { closeAll(clients) }()
	r, err := s.run(func() (_ int, took []time.Duration, err error) {
		clients, took, err = dialAll(ctx, s, n, 8)
		time.Sleep(2 * settle)
		return n, took, err
	})
	if err != nil {
		return err
	}
	r.perSecond = 0 // most of that time it was left alone
	b.row(fmt.Sprintf("%d idle connections", n), []figures{r}, "%.1f KB of the server's memory each", (r.serverMB-before.rss)*1e3/n)
	return nil
}

// measureVanishing measures what is left of clients that go without a word. The
// first round is for the emulator to get the memory and the instances that it
// needs for so many.
func measureVanishing(ctx context.Context, b *bench) error {
	const n = 1000
	s, err := startApp(ctx, b.emulator)
	if err != nil {
		return err
	}
	defer s.close()
	var before usage
	var all []figures
	for i := range b.runs + 1 {
		clients, _, err := dialAll(ctx, s, n, 8)
		if err == nil {
			err = s.wait(ctx, n)
		}
		if err != nil {
			closeAll(clients)
			return err
		}
		r, err := s.run(func() (int, []time.Duration, error) {
			closeAll(clients) // without a close frame
			return n, nil, s.wait(ctx, 0)
		})
		if err != nil {
			return err
		}
		time.Sleep(settle)
		if i == 0 {
			before, _ = s.usage()
			continue
		}
		after, _ := s.usage()
		r.serverMB = after.rss
		all = append(all, r)
	}
	b.row("1000 clients vanish", all, "every $disconnect has run; memory is %.0f %% of before",
		100*median(all, func(r figures) float64 { return r.serverMB })/before.rss)
	return nil
}
