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
