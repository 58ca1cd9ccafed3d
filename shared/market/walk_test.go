package market

import (
	"math"
	"strconv"
	"testing"
	"time"
)

var start = time.UnixMilli(1779634513402)

func TestStep(t *testing.T) {
	t.Parallel()
	tests := []struct {
		price  float64
		random uint16
		want   float64
	}{ // price * (1 + (random/65535 - 0.5) * 0.002), rounded to cents
		{42000, 0, 41958},
		{42000, 65535, 42042},
		{42000, 32768, 42000},
		{2500, 16384, 2498.75},
		{96, 65535, 96.1}, // 96.096
		{96, 0, 95.9},     // 95.904
	}
	for _, tt := range tests {
		if got := step(tt.price, tt.random); got != tt.want {
			t.Errorf("step(%v, %d): got %v; want %v", tt.price, tt.random, got, tt.want)
		}
	}
}

func TestWalkBegins(t *testing.T) {
	t.Parallel()
	last := []Quote{
		{Symbol: "ETH-USD", Price: "1234.56", Source: simulated},
		{Symbol: "BTC-USD", Price: "9.99", Source: "kraken"},   // of another kind
		{Symbol: "SOL-USD", Price: "much", Source: simulated},  // no price
		{Symbol: "OLD-USD", Price: "77.00", Source: simulated}, // no longer quoted
	}
	w := newWalk(Config{Symbols: []string{"BTC-USD", "ETH-USD", "SOL-USD", "NEW-USD"}, Last: last})
	got := w.Next(start)
	want := []string{"42000.00", "1234.56", "95.00", "100.00"}
	if len(got) != len(want) {
		t.Fatalf("got %d quotes; want %d", len(got), len(want))
	}
	for i, q := range got {
		if q.Price != want[i] || q.Source != simulated || !q.Time.Equal(start) || q.Stale {
			t.Errorf("quote %d: got %+v; want price %s of now", i, q, want[i])
		}
	}
}

// TestWalkMoves: each step is at most 0.1 % and the rounding, both directions
// occur, and a seed gives the same prices again.
func TestWalkMoves(t *testing.T) {
	t.Parallel()
	config := Config{Symbols: []string{"BTC-USD"}, Seed: 7}
	a, b := newWalk(config), newWalk(config)
	last := 0.0
	ups, downs := 0, 0
	for i := range 10_000 {
		q, again := a.Next(start)[0], b.Next(start)[0]
		if q.Price != again.Price {
			t.Fatalf("step %d: got %s and %s from the same seed", i, q.Price, again.Price)
		}
		if !isPrice(q.Price) {
			t.Fatalf("step %d: %q is no price", i, q.Price)
		}
		price, err := strconv.ParseFloat(q.Price, 64)
		if err != nil {
			t.Fatal(err)
		}
		if last > 0 {
			if change := math.Abs(price - last); change > last*0.001+0.0051 {
				t.Fatalf("step %d: from %v to %v; want at most 0.1 %%", i, last, price)
			}
			if price > last {
				ups++
			} else if price < last {
				downs++
			}
		}
		last = price
	}
	if ups < 4500 || downs < 4500 {
		t.Errorf("got %d ups and %d downs of 10000; want about as many of both", ups, downs)
	}
}

func TestWalkGoesOn(t *testing.T) {
	t.Parallel()
	symbols := []string{"BTC-USD", "ETH-USD"}
	first := newWalk(Config{Symbols: symbols})
	first.Next(start)
	saved := first.Next(start)
	next := newWalk(Config{Symbols: symbols, Last: saved}).Next(start)
	for i := range saved {
		if next[i] != saved[i] {
			t.Errorf("got %+v; want to begin with %+v", next[i], saved[i])
		}
	}
}

func TestLostWalkStartsAnew(t *testing.T) {
	t.Parallel()
	w := newWalk(Config{Symbols: []string{"SOL-USD"}, Last: []Quote{{Symbol: "SOL-USD", Price: "4.00", Source: simulated}}})
	w.Next(start)
	if got := w.Next(start)[0].Price; got != "95.00" {
		t.Errorf("got %s after a price at which steps vanish; want 95.00", got)
	}
}

func BenchmarkWalk(b *testing.B) {
	w := newWalk(Config{Symbols: []string{"BTC-USD", "ETH-USD", "SOL-USD"}})
	for b.Loop() {
		w.Next(start)
	}
}
