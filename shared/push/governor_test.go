package push

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"crypto-ticker/shared/market"
)

// TestManySymbolsShortenTheInterval: what does not fit a message is not lost.
func TestManySymbolsShortenTheInterval(t *testing.T) {
	t.Parallel()
	g := newGovernor(tickInterval, time.Second, 1000)
	if got := g.with(300).interval(1); got != time.Second {
		t.Errorf("3 symbols: got %v; want 1s", got)
	}
	if got := g.with(1000).interval(1); got < 290*time.Millisecond || got > 310*time.Millisecond {
		t.Errorf("10 symbols: got %v; want what fits 32 KB, about 300ms", got)
	}
	if got := g.with(1000).interval(5000); got != 5*time.Second {
		t.Errorf("too many clients for that: got %v; want 5s", got)
	}
}

// with returns the governor with ticks of so many bytes.
func (g governor) with(tickBytes float64) *governor {
	g.tickBytes = tickBytes
	return &g
}

// TestIntervalIsSteady: an exchange's prices move in few of the ticks, and not
// always all of them.
func TestIntervalIsSteady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var symbols []string
		for i := range 20 {
			symbols = append(symbols, fmt.Sprintf("AA%d-USD", i))
		}
		g := newGateway()
		p := New(Config{Client: g.client(), Symbols: symbols, TickInterval: tickInterval, DeliveryInterval: time.Second, MaxPostsPerSecond: 100})
		p.Put("a", symbols, false, 0)
		for i := range 1000 {
			var quotes []market.Quote
			if i%100 == 0 {
				for _, symbol := range symbols[:1+i/100%2*19] {
					quotes = append(quotes, market.Quote{Symbol: symbol, Price: "1", Time: time.Now(), Source: "kraken"})
				}
			}
			if p.Tick(quotes); p.interval != time.Second {
				t.Fatalf("tick %d: got interval %v; want 1s", i, p.interval)
			}
		}
	})
}

// TestIntervalWhilePricesRest: after a minute without one the interval is still
// what was asked for.
func TestIntervalWhilePricesRest(t *testing.T) {
	t.Parallel()
	g := newGovernor(tickInterval, time.Second, 2000)
	g.ticked(3)
	for i := range 6000 {
		if g.ticked(0); g.interval(1) != time.Second {
			t.Fatalf("%v after the last price: got interval %v; want 1s", time.Duration(i+1)*tickInterval, g.interval(1))
		}
	}
}

// TestIntervalAtTheStart: an exchange's first tick has all symbols and says little
// of the ones that follow, so it is not sent before its time; prices that do move
// with each tick are counted in full at once.
func TestIntervalAtTheStart(t *testing.T) {
	t.Parallel()
	exchange := newGovernor(tickInterval, time.Second, 2000)
	exchange.ticked(2000)
	for i := 1; i < 100; i++ {
		if age := time.Duration(i) * tickInterval; exchange.interval(1) <= age {
			t.Fatalf("%v after an exchange's first tick: got interval %v; want no delivery yet", age, exchange.interval(1))
		}
		exchange.ticked(0)
	}
	if got := exchange.interval(1); got != time.Second {
		t.Errorf("exchange: got interval %v after a second; want 1s", got)
	}
	walk := newGovernor(tickInterval, time.Second, 2000)
	for i := range 100 {
		if walk.ticked(2000); walk.interval(1) > 150*time.Millisecond {
			t.Fatalf("tick %d of 2 KB each: got interval %v; want what fits 32 KB, about 140ms", i, walk.interval(1))
		}
	}
}
