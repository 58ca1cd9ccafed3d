package functions

import (
	"strings"
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

// TestSnapshotIsStale: a price that has not moved for a while is not out of date
// as long as somebody leads, whose source still confirms it.
func TestSnapshotIsStale(t *testing.T) {
	t.Parallel()
	old, now := time.Now().Add(-time.Minute), time.Now()
	for _, tt := range []struct {
		name  string
		state store.LeaseState
		quote market.Quote
		want  bool
	}{
		{"confirmed by a leader", store.LeaseRunning, market.Quote{Time: old}, false},
		{"out of date for a leader", store.LeaseRunning, market.Quote{Time: old, Stale: true}, true},
		{"left by one who has just gone", store.LeaseFree, market.Quote{Time: now}, false},
		{"left by one who is long gone", store.LeaseFree, market.Quote{Time: old}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env, s, g := newStage(t)
			c := testRow("a", 0)
			c.Greeted = false
			addRow(t, s, c)
			tt.quote.Symbol, tt.quote.Price, tt.quote.Source = "BTC-USD", "42000.00", "coinbase"
			lease := store.Lease{Epoch: 7, Seq: 3, State: tt.state, Prices: []market.Quote{tt.quote}}
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
