package push

import "time"

// governor says how often a client may get a message. The more clients, the
// rarer; while API Gateway throttles many of them, rarer still.
type governor struct {
	tick, delivery time.Duration
	limit          float64 // posts per second, at most
	rate           float64 // posts per second, now

	// Of the current second:
	posts     int
	throttled int
}

const (
	minRate  = 1.0  // posts per second
	recovery = 0.05 // of the limit, each second
)

func newGovernor(tick, delivery time.Duration, limit float64) *governor {
	return &governor{tick: tick, delivery: delivery, limit: limit, rate: limit}
}

// interval is the time between two messages to a client, when there are n
// clients and a tick has so many bytes. A message must not be too small for
// the ticks of the interval, so many symbols make it shorter.
func (g *governor) interval(n, tickBytes int) time.Duration {
	d := g.delivery
	if tickBytes > 0 {
		// Two fewer, since a delivery may be late.
		fits := (maxMessage-headBytes)/tickBytes - 2
		d = min(d, g.tick*time.Duration(max(1, fits)))
	}
	return max(d, time.Duration(float64(n)/g.rate*float64(time.Second)))
}

// adjust is called once a second. It halves the rate if many posts were
// throttled, which is the account's limit and no slow client, and lets it
// recover bit by bit. It says whether many were.
func (g *governor) adjust() (many bool) {
	many = g.throttled >= 3 && g.throttled*10 >= g.posts
	if many {
		g.rate = max(minRate, g.rate/2)
	} else {
		g.rate = min(g.limit, g.rate+g.limit*recovery)
	}
	g.posts, g.throttled = 0, 0
	return many
}
