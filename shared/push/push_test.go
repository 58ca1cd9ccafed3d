package push

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// rig drives a Pusher as the ticker does: a tick each 10 ms, Maintain each
// second. It must be made in a bubble.
type rig struct {
	*Pusher
	t      *testing.T
	g      *gateway
	ticks  int
	mu     sync.Mutex
	gone   []string
	closed []string
}

const tickInterval = 10 * time.Millisecond

func newRig(t *testing.T, delivery time.Duration, maxPosts float64) *rig {
	t.Helper()
	r := &rig{t: t, g: newGateway()}
	r.Pusher = New(Config{
		Client: r.g.client(), Symbols: testSymbols, Epoch: 1,
		TickInterval: tickInterval, DeliveryInterval: delivery, MaxPostsPerSecond: maxPosts,
		Gone:   func(id string) { r.mu.Lock(); defer r.mu.Unlock(); r.gone = append(r.gone, id) },
		Closed: func(id string) { r.mu.Lock(); defer r.mu.Unlock(); r.closed = append(r.closed, id) },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { r.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return r
}

// wait is the time between two messages to a client.
func (r *rig) wait() time.Duration {
	r.Pusher.mu.Lock()
	defer r.Pusher.mu.Unlock()
	return r.interval
}

// run lets ticks pass for a time.
func (r *rig) run(d time.Duration) {
	r.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(tickInterval)
		r.Tick(quotesAt(time.Now()))
		if r.ticks++; r.ticks%100 == 0 {
			r.Maintain(time.Now())
		}
	}
	synctest.Wait()
}

// tickers returns a client's ticker messages, whose ticks must follow each other.
func (r *rig) tickers(id string) []tickerMessage {
	r.t.Helper()
	var all []tickerMessage
	for _, p := range r.g.posts(id) {
		if strings.Contains(p.body, `"type":"ticker"`) {
			all = append(all, decode(r.t, p.body))
		}
	}
	for i, m := range all[min(1, len(all)):] {
		if m.From <= all[i].Seq {
			r.t.Errorf("client %s: ticks from %d after those to %d", id, m.From, all[i].Seq)
		}
	}
	return all
}

// missed counts the ticks between a client's messages.
func missed(all []tickerMessage) (n int64) {
	for i := 1; i < len(all); i++ {
		n += all[i].From - all[i-1].Seq - 1
	}
	return n
}

// TestTutorialRate: one client gets each tick as a message, at once.
func TestTutorialRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, tickInterval, 8000)
		r.Put("a", testSymbols, false, 0)
		r.run(time.Second)
		all := r.tickers("a")
		if len(all) != 100 || missed(all) != 0 || all[0].Interval != 10 {
			t.Errorf("got %d messages, %d ticks missed, interval %d; want 100, 0, 10", len(all), missed(all), all[0].Interval)
		}
		for i, p := range r.g.posts("a") {
			if m := decode(t, p.body); p.at.UnixMilli() != m.Data[0].Time || len(m.Data) != 3 {
				t.Fatalf("message %d came at %d with %d entries of %d; want one tick at once", i, p.at.UnixMilli(), len(m.Data), m.Data[0].Time)
			}
		}
	})
}

// TestGovernor: with more clients the messages become fewer and larger, evenly
// spread, and every client gets every tick.
func TestGovernor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		clients      int
		symbols      int
		delivery     time.Duration
		maxPosts     float64
		wantInterval time.Duration
	}{
		{3, 1, 50 * time.Millisecond, 8000, 50 * time.Millisecond},
		{100, 1, tickInterval, 2000, 50 * time.Millisecond},
		{100, 1, time.Second, 8000, time.Second},
		{300, 1, time.Second, 150, 2 * time.Second},
		{10, 3, time.Second, 5, 2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d clients, %v, %v posts", tt.clients, tt.delivery, tt.maxPosts), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, tt.delivery, tt.maxPosts)
				for i := range tt.clients {
					r.Put(fmt.Sprint("c", i), testSymbols[:tt.symbols], false, 0)
				}
				r.run(10 * tt.wantInterval)
				if got := r.wait(); got != tt.wantInterval {
					t.Errorf("got interval %v; want %v", got, tt.wantInterval)
				}
				perTick := map[time.Time]int{}
				for i := range tt.clients {
					id := fmt.Sprint("c", i)
					all := r.tickers(id)
					if len(all) < 9 || len(all) > 11 || missed(all) != 0 {
						t.Fatalf("client %d: got %d messages, %d ticks missed; want 10 and 0", i, len(all), missed(all))
					}
					for _, p := range r.g.posts(id) {
						perTick[p.at]++
					}
				}
				fair := int(float64(tt.clients)*float64(tickInterval)/float64(tt.wantInterval)) + 1
				for at, n := range perTick {
					if n > fair {
						t.Fatalf("%d posts at %v; want at most %d, evenly spread", n, at, fair)
					}
				}
			})
		})
	}
}

func TestSendAndClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour, 8000)
		r.Put("a", testSymbols, false, 0)
		r.Send("a", []byte(`{"n":1}`))
		r.Send("a", []byte(`{"n":2}`))
		r.Close("a", []byte(`{"n":3}`))
		r.Close("a", []byte(`{"n":4}`)) // it ends already
		r.Send("a", []byte(`{"n":5}`))
		r.Send("nobody", []byte(`{}`))
		synctest.Wait()
		var got []string
		for _, p := range r.g.posts("a") {
			got = append(got, p.body)
		}
		if want := []string{`{"n":1}`, `{"n":2}`, `{"n":3}`}; !slices.Equal(got, want) {
			t.Errorf("got %v; want %v", got, want)
		}
		if r.g.closes("a") != 1 || !slices.Equal(r.closed, []string{"a"}) || r.Len() != 0 {
			t.Errorf("got %d closes, closed %v, %d left; want it closed once", r.g.closes("a"), r.closed, r.Len())
		}
	})
}

// TestCloseOfWhoIsNotOpenYet: a connection cannot be ended before its handshake
// is over, so it is tried again.
func TestCloseOfWhoIsNotOpenYet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour, 8000)
		r.Put("a", testSymbols, false, 0)
		r.g.set("a", http.StatusGone, 0)
		r.Close("a", []byte(`{}`))
		synctest.Wait()
		if len(r.closed) != 0 || !slices.Equal(r.gone, []string{"a"}) {
			t.Errorf("closed %v, gone %v; want it gone", r.closed, r.gone)
		}
		r.g.set("a", 0, 0)
		r.run(time.Second)
		if !slices.Equal(r.closed, []string{"a"}) || r.g.closes("a") != 1 || r.Len() != 0 {
			t.Errorf("closed %v by %d requests, %d left; want it closed once", r.closed, r.g.closes("a"), r.Len())
		}
	})
}

// TestHeartbeat: who is subscribed to nothing still hears that all is well.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Second, 8000)
		r.Put("quiet", nil, false, 0)
		r.Put("busy", testSymbols, true, 0)
		r.run(95 * time.Second)
		var got []string
		for _, p := range r.g.posts("quiet") {
			got = append(got, p.body)
		}
		if want := slices.Repeat([]string{`{"type":"heartbeat"}`}, 3); !slices.Equal(got, want) {
			t.Errorf("got %v; want %v", got, want)
		}
		for _, p := range r.g.posts("busy") {
			if strings.Contains(p.body, "heartbeat") {
				t.Errorf("got %s among ticks", p.body)
			}
		}
	})
}

func TestSubscriptionChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 100*time.Millisecond, 8000)
		r.Put("a", []string{"BTC-USD"}, false, 0)
		r.run(time.Second)
		r.Put("a", []string{"SOL-USD"}, true, 0)
		r.run(time.Second)
		all := r.tickers("a")
		first, last := all[0], all[len(all)-1]
		if len(first.Data) != 10 || first.Data[0].Symbol != "BTC-USD" {
			t.Errorf("got %d entries, first %+v; want 10 of BTC-USD", len(first.Data), first.Data[0])
		}
		if len(last.Data) != 1 || last.Data[0].Symbol != "SOL-USD" {
			t.Errorf("got %+v; want the latest SOL-USD", last.Data)
		}
	})
}

// TestStopWaits: posts in flight end, and no new ones begin.
func TestStopWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGateway()
		g.set("a", 0, 500*time.Millisecond)
		p := New(Config{Client: g.client(), Symbols: testSymbols, TickInterval: tickInterval, DeliveryInterval: tickInterval, MaxPostsPerSecond: 100})
		p.Put("a", testSymbols, false, 0)
		ended := make(chan struct{})
		go func() { p.Run(t.Context()); close(ended) }()
		p.Tick(quotesAt(time.Now()))
		synctest.Wait()
		began := time.Now()
		p.Stop()
		p.Tick(quotesAt(time.Now()))
		<-ended
		if took := time.Since(began); took != 500*time.Millisecond || len(g.posts("a")) != 1 {
			t.Errorf("ended after %v with %d posts; want 500ms and the one in flight", took, len(g.posts("a")))
		}
	})
}

// TestFlush: everybody gets what is left, at once, but no more than the posts of
// a second.
func TestFlush(t *testing.T) {
	t.Parallel()
	for clients, want := range map[int]int{30: 30, 70: 40} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, time.Hour, 40)
			for i := range clients {
				r.Put(fmt.Sprint("c", i), testSymbols, false, 0)
				r.g.set(fmt.Sprint("c", i), 0, 50*time.Millisecond)
			}
			r.Tick(quotesAt(time.Now()))
			began := time.Now()
			r.Flush(t.Context())
			got := 0
			for i := range clients {
				got += len(r.tickers(fmt.Sprint("c", i)))
			}
			if took := time.Since(began); got != want || took > 100*time.Millisecond {
				t.Errorf("%d clients: %d messages after %v; want %d at once", clients, got, took, want)
			}
		})
	}
}

// TestPushOverTheNetwork: the same with real connections and many clients.
func TestPushOverTheNetwork(t *testing.T) {
	t.Parallel()
	g := newGateway()
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	p := New(Config{
		Client: testClient(server.Client(), server.URL+"/prod"), Symbols: testSymbols,
		TickInterval: tickInterval, DeliveryInterval: tickInterval, MaxPostsPerSecond: 1e6,
	})
	const clients = 200
	for i := range clients {
		p.Put(fmt.Sprint("c", i), testSymbols, false, 0)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.Run(ctx); close(ended) }()
	defer func() { cancel(); <-ended }()
	deadline := time.Now().Add(20 * time.Second)
	for {
		p.Tick(quotesAt(time.Now()))
		done := 0
		for i := range clients {
			if len(g.posts(fmt.Sprint("c", i))) >= 3 {
				done++
			}
		}
		if done == clients {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d clients got three messages", done, clients)
		}
		time.Sleep(tickInterval) // the next tick
	}
}

// BenchmarkRound is one tick to 100 clients through the SDK, over the network.
func BenchmarkRound(b *testing.B) {
	var posts atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { posts.Add(1) }))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	p := New(Config{
		Client: testClient(client, server.URL+"/prod"), Symbols: testSymbols,
		TickInterval: tickInterval, DeliveryInterval: tickInterval, MaxPostsPerSecond: 1e9,
	})
	const clients = 100
	for i := range clients {
		p.Put(fmt.Sprint("c", i), testSymbols, false, 0)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() { p.Run(ctx); close(ended) }()
	want := int64(0)
	for b.Loop() {
		p.Tick(quotesAt(time.Now()))
		for want += clients; posts.Load() < want; {
			time.Sleep(100 * time.Microsecond)
		}
	}
	b.ReportMetric(float64(posts.Load())/b.Elapsed().Seconds(), "posts/s")
	cancel()
	<-ended
}
