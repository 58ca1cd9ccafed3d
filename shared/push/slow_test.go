package push

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestSlowClient: it alone gets fewer messages, which catch up; the others get
// each tick in time, and never are two posts to one client in flight.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, tickInterval, 8000)
		r.Put("slow", testSymbols, false, 0)
		r.Put("fast", testSymbols, false, 0)
		r.g.set("slow", 0, 105*time.Millisecond)
		r.run(2 * time.Second)
		slow, fast := r.tickers("slow"), r.tickers("fast")
		if len(fast) != 200 || missed(fast) != 0 {
			t.Errorf("fast client: got %d messages, %d ticks missed; want 200 and 0", len(fast), missed(fast))
		}
		if len(slow) < 17 || len(slow) > 20 || missed(slow) != 0 {
			t.Errorf("slow client: got %d messages, %d ticks missed; want about 18 and 0", len(slow), missed(slow))
		}
		if r.g.most != 1 {
			t.Errorf("got %d posts in flight to one client; want 1", r.g.most)
		}
	})
}

// TestStuckClient: who takes nothing for 10 s is disconnected.
func TestStuckClient(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(g *gateway){
		"throttled": func(g *gateway) { g.set("stuck", http.StatusTooManyRequests, 0) },
		"silent":    func(g *gateway) { g.set("stuck", 0, time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 50*time.Millisecond, 8000)
				r.Put("stuck", testSymbols, false, 0)
				r.Put("other", testSymbols, false, 0)
				set(r.g)
				r.run(8 * time.Second)
				if r.Len() != 2 {
					t.Error("it was dropped after 8 s")
				}
				r.run(7 * time.Second) // a silent one fails for the first time after 3 s
				r.g.set("stuck", 0, 0) // DELETE goes through at the next try
				r.run(3 * time.Second)
				if r.g.closes("stuck") != 1 || r.Len() != 1 || !slices.Equal(r.closed, []string{"stuck"}) {
					t.Errorf("got %d closes, %d clients left, closed %v; want it disconnected", r.g.closes("stuck"), r.Len(), r.closed)
				}
				if all := r.tickers("other"); missed(all) != 0 {
					t.Errorf("the other client missed %d ticks", missed(all))
				}
			})
		})
	}
}

// TestFewStuckClients: three of thirty are no reason to excuse any of them.
func TestFewStuckClients(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		tick   time.Duration
		status int
		delay  time.Duration
	}{
		{"throttled", 200 * time.Millisecond, http.StatusTooManyRequests, 0},
		{"silent", 200 * time.Millisecond, 0, time.Hour},
		{"silent, of a rare tick", time.Second, 0, time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, c.tick, 8000)
				for i := range 30 {
					r.Put(fmt.Sprint("c", i), testSymbols, false, 0)
				}
				stuck := []string{"c4", "c14", "c24"}
				for _, id := range stuck {
					r.g.set(id, c.status, c.delay)
				}
				r.run(18 * time.Second)
				for _, id := range stuck {
					r.g.set(id, 0, 0) // DELETE goes through at the next try
				}
				r.run(6 * time.Second)
				slices.Sort(r.closed)
				if want := []string{"c14", "c24", "c4"}; r.Len() != 27 || !slices.Equal(r.closed, want) {
					t.Errorf("got %d clients left, closed %v; want 27, closed %v", r.Len(), r.closed, want)
				}
				if all := r.tickers("c0"); missed(all) != 0 {
					t.Errorf("another client missed %d ticks", missed(all))
				}
			})
		})
	}
}

// TestAllStuck: what may be a stall of API Gateway is waited out, but not for ever.
func TestAllStuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Second, 8000)
		ids := []string{"a", "b", "c"}
		for _, id := range ids {
			r.Put(id, testSymbols, true, 0)
			r.g.set(id, 0, time.Hour)
		}
		r.run(100 * time.Second)
		for _, id := range ids {
			if c := r.conns[id]; c == nil || c.closing() {
				t.Fatalf("%s: given up after 100 s; want more patience", id)
			}
		}
		r.run(40 * time.Second)
		for _, id := range ids {
			r.g.set(id, 0, 0)
		}
		r.run(8 * time.Second)
		if slices.Sort(r.closed); r.Len() != 0 || !slices.Equal(r.closed, ids) {
			t.Errorf("got %d clients left, closed %v; want all disconnected", r.Len(), r.closed)
		}
	})
}

// TestClientRecovers: one that takes messages again in time stays, however often.
func TestClientRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 50*time.Millisecond, 8000)
		r.Put("a", testSymbols[:1], false, 0)
		r.Put("b", testSymbols[:1], false, 0)
		for range 3 {
			r.g.set("a", http.StatusTooManyRequests, 0)
			r.run(8 * time.Second)
			r.g.set("a", 0, 0)
			r.run(3 * time.Second)
		}
		if r.Len() != 2 || r.g.closes("a") != 0 {
			t.Errorf("got %d clients; want both", r.Len())
		}
	})
}

// TestAccountLimit: when many are throttled nobody is dropped; the rate falls by
// halves and comes back bit by bit.
func TestAccountLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 100*time.Millisecond, 200)
		for i := range 20 {
			r.Put(fmt.Sprint("c", i), testSymbols, true, 0)
			r.g.set(fmt.Sprint("c", i), http.StatusTooManyRequests, 0)
		}
		r.run(15 * time.Second)
		if r.Len() != 20 || r.gov.rate > 60 {
			t.Errorf("got %d clients at %v posts/s; want all 20, and the rate far below 200", r.Len(), r.gov.rate)
		}
		if r.wait() < 300*time.Millisecond {
			t.Errorf("got interval %v; want it longer, for the clients to be told", r.wait())
		}
		for i := range 20 {
			r.g.set(fmt.Sprint("c", i), 0, 0)
		}
		r.run(3 * time.Second)
		if r.gov.rate > 100 {
			t.Errorf("after 3 s of peace got %v posts/s; want a slow recovery", r.gov.rate)
		}
		r.run(25 * time.Second)
		if r.gov.rate != 200 {
			t.Errorf("after 28 s of peace got %v posts/s; want 200 again", r.gov.rate)
		}
	})
}

// TestStall: when API Gateway answers nobody, nobody is dropped for it, however
// many there are, and all goes on when it is back.
func TestStall(t *testing.T) {
	t.Parallel()
	for _, clients := range []int{3, 5, 20, 60} {
		t.Run(fmt.Sprint(clients, " clients"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, time.Second, 8000)
				for i := range clients {
					r.Put(fmt.Sprint("c", i), testSymbols, true, 0)
				}
				r.run(2 * time.Second)
				for i := range clients {
					r.g.set(fmt.Sprint("c", i), 0, time.Hour)
					r.run(2 * time.Second / time.Duration(clients)) // they do not fail all at the same time
				}
				r.run(20 * time.Second)
				for i := range clients {
					r.g.set(fmt.Sprint("c", i), 0, 0)
				}
				r.run(20 * time.Second)
				for i := range clients {
					id := fmt.Sprint("c", i)
					all := r.tickers(id)
					if r.g.closes(id) != 0 || len(all) == 0 || all[len(all)-1].Seq < r.Seq()-200 {
						t.Fatalf("client %d: %d closes, %d messages; want the newest ticks", i, r.g.closes(id), len(all))
					}
				}
				if r.Len() != clients || r.gov.rate != 8000 {
					t.Errorf("got %d clients at %v posts/s; want all %d, and the rate as it was", r.Len(), r.gov.rate, clients)
				}
			})
		})
	}
}

// TestStallTakesBackTheEnd: a client that was to be disconnected stays if it turns
// out that others fail too.
func TestStallTakesBackTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 50*time.Millisecond, 8000)
		for i := range 3 {
			r.Put(fmt.Sprint("c", i), testSymbols, true, 0)
		}
		r.g.set("c0", 0, time.Hour)
		r.run(14 * time.Second)
		if c := r.conns["c0"]; c == nil || !c.closing() {
			t.Fatal("a client that is alone in taking nothing is not about to be disconnected")
		}
		r.Put("expired", testSymbols, true, 0)
		for _, id := range []string{"c1", "c2", "expired"} {
			r.g.set(id, 0, time.Hour)
		}
		r.Close("expired", []byte(`{}`))
		r.run(10 * time.Second)
		for _, id := range []string{"c0", "c1", "c2", "expired"} {
			r.g.set(id, 0, 0)
		}
		r.run(10 * time.Second)
		if r.Len() != 3 || r.g.closes("c0") != 0 || !slices.Equal(r.closed, []string{"expired"}) {
			t.Errorf("got %d clients, %d closes, closed %v; want all but the expired one", r.Len(), r.g.closes("c0"), r.closed)
		}
	})
}

func TestGoneClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, tickInterval, 8000)
		r.Put("a", testSymbols[:1], false, 0)
		r.g.set("a", http.StatusGone, 0)
		r.run(time.Second)
		if n := len(r.gone); n < 2 || n > 5 {
			t.Errorf("heard %d times that it is gone; want a few, with pauses", n)
		}
		r.g.set("a", 0, 0) // its handshake is over now
		r.run(3 * time.Second)
		if all := r.tickers("a"); len(all) < 50 || all[0].From > 1 {
			t.Errorf("got %d messages; want all ticks from the first one", len(all))
		}
		r.Remove("a")
		before := len(r.g.posts("a"))
		r.run(time.Second)
		if got := len(r.g.posts("a")); got != before || r.Len() != 0 {
			t.Errorf("got %d posts after its removal; want none", got-before)
		}
	})
}
