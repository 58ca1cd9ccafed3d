package functions

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto-ticker/shared/market"
	"crypto-ticker/shared/store"
)

// TestLateGreeting: an event that has waited for long greets nobody, since a
// leader has done so meanwhile.
func TestLateGreeting(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	holdLease(t, s, store.LeaseRunning)
	c := testRow("a", leftover)
	addRow(t, s, c)
	if _, err := newTestHandler(t, Ticker, env).Invoke(lasting(t, time.Minute), greetEvent(c)); err != nil {
		t.Fatal(err)
	}
	if all := g.got("a"); len(all) != 0 {
		t.Errorf("got %v; want nothing besides the leader's messages", all)
	}
}

// TestOneWelcome: the event of a greeting may come more than once.
func TestOneWelcome(t *testing.T) {
	t.Parallel()
	env, s, g := newStage(t)
	holdLease(t, s, store.LeaseRunning)
	c := testRow("a", 0)
	c.Greeted = false
	addRow(t, s, c)
	h := newTestHandler(t, Ticker, env)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := h.Invoke(lasting(t, time.Minute), greetEvent(c)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := g.count("a", "welcome"); n != 1 || !allRows(t, s)["a"].Greeted {
		t.Errorf("got %d welcomes, then %+v; want one, and it greeted", n, allRows(t, s)["a"])
	}
}

// TestSnapshotIsStale: a price that has not moved for a while is not out of date
// as long as somebody leads, whose source still confirms it.
func TestSnapshotIsStale(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		state store.LeaseState
		age   time.Duration
		stale bool // as saved
		want  bool
	}{
		{"confirmed by a leader", store.LeaseRunning, time.Minute, false, false},
		{"out of date for a leader", store.LeaseRunning, time.Minute, true, true},
		{"left by one who has just gone", store.LeaseFree, 0, false, false},
		{"left by one who is long gone", store.LeaseFree, time.Minute, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env, s, g := newStage(t)
			c := testRow("a", 0)
			c.Greeted = false
			addRow(t, s, c)
			lease := store.Lease{Epoch: 7, Seq: 3, State: tt.state, Prices: []market.Quote{{
				Symbol: "BTC-USD", Price: "42000.00", Time: time.Now().Add(-tt.age), Source: "coinbase", Stale: tt.stale,
			}}}
			if err := newTestTicker(t, env).snapshot(t.Context(), c, lease); err != nil {
				t.Fatal(err)
			}
			all := g.got("a")
			if len(all) != 1 || strings.Contains(all[0].body, `"stale":true`) != tt.want {
				t.Errorf("got %v; want a snapshot, stale: %v", all, tt.want)
			}
		})
	}
}

// TestNotGreetedLevel: a client that leaves at once is no reason to warn, and
// whatever else API Gateway answers is.
func TestNotGreetedLevel(t *testing.T) {
	t.Parallel()
	env, _, g := newStage(t)
	tick := newTestTicker(t, env)
	levels := map[int]slog.Level{
		http.StatusGone:            slog.LevelInfo,
		http.StatusForbidden:       slog.LevelWarn,
		http.StatusTooManyRequests: slog.LevelWarn,
	}
	for status := range levels {
		g.status[strconv.Itoa(status)] = status
	}
	for status, want := range levels {
		err := tick.welcome(t.Context(), testRow(strconv.Itoa(status), 0), 0)
		if err == nil || notGreetedLevel(err) != want {
			t.Errorf("%d: %v is logged as %v; want %v", status, err, notGreetedLevel(err), want)
		}
	}
}
