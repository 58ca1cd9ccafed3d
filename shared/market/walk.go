package market

import (
	"math/rand/v2"
	"strconv"
	"time"
)

const simulated = "simulated"

// openings are the prices that the walk starts from; every other symbol starts
// from otherOpening.
var openings = map[string]float64{"BTC-USD": 42000, "ETH-USD": 2500, "SOL-USD": 95}

const otherOpening = 100.0

// maxDrift is how many times its opening a price may rise or fall. At 100 steps
// a second a walk without bounds is lost within days: below 5.00 the steps of
// 0.1 % vanish in the rounding and the price stands still for ever.
const maxDrift = 18

// walk is a random walk: each step changes a price by up to 0.1 %. It moves
// only when it is asked to, so nothing happens while nobody listens.
type walk struct {
	symbols []string
	prices  []float64
	random  *rand.Rand
	started bool
}

func newWalk(c Config) *walk {
	seed := c.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	w := &walk{symbols: c.Symbols, prices: make([]float64, len(c.Symbols)), random: rand.New(rand.NewPCG(seed, seed))}
	for i, symbol := range c.Symbols {
		w.prices[i] = opening(symbol)
		for _, q := range c.Last {
			price, err := strconv.ParseFloat(q.Price, 64)
			if q.Symbol == symbol && q.Source == simulated && err == nil && isPrice(q.Price) {
				w.prices[i] = price
			}
		}
	}
	return w
}

func opening(symbol string) float64 {
	if price, ok := openings[symbol]; ok {
		return price
	}
	return otherOpening
}

// Next moves every price by one step; the first call moves none.
func (w *walk) Next(now time.Time) []Quote {
	quotes := make([]Quote, len(w.symbols))
	for i, symbol := range w.symbols {
		if w.started {
			w.prices[i] = step(w.prices[i], uint16(w.random.Uint32()))
			if o := opening(symbol); w.prices[i] > o*maxDrift || w.prices[i] < o/maxDrift {
				w.prices[i] = o
			}
		}
		quotes[i] = Quote{
			Symbol: symbol, Price: strconv.FormatFloat(w.prices[i], 'f', 2, 64),
			Time: now, Source: simulated,
		}
	}
	w.started = true
	return quotes
}

// step changes a price by up to 0.1 %, as 16 random bits say, and rounds it to
// cents as it is printed.
func step(price float64, random uint16) float64 {
	price *= 1 + (float64(random)/65535-0.5)*0.002
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(price, 'f', 2, 64), 64)
	return rounded
}
