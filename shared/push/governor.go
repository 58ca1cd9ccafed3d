package push

import "time"

// governor says how often a client may get a message. The more clients, the
// rarer; while API Gateway throttles many of them, rarer still.
type governor struct {
	tick, delivery time.Duration
	limit          float64 // posts per second, at most
	rate           float64 // posts per second, now
	tickBytes      float64 // on average of the last second or so

	// Of the current second:
	posts     int
	throttled int
	late      int // those that had no answer in time
}

const (
	minRate  = 1.0  // posts per second
	recovery = 0.05 // of the limit, each second
)

func newGovernor(tick, delivery time.Duration, limit float64) *governor {
	return &governor{tick: tick, delivery: delivery, limit: limit, rate: limit}
}

// ticked is called for each tick with its bytes, 0 if nothing moved: an exchange
// is asked once a second only.
func (g *governor) ticked(bytes int) {
	if g.tickBytes == 0 {
		g.tickBytes = float64(bytes)
		return
	}
	g.tickBytes += (float64(bytes) - g.tickBytes) * min(1, g.tick.Seconds())
}

// interval is the time between two messages to a client, when there are n
// clients. A message must not be too small for
// the ticks of the interval, so many symbols make it shorter. With too many
// clients for that, messages are larger instead.
func (g *governor) interval(n int) time.Duration {
	d := g.delivery
	if g.tickBytes > 0 {
		// Two fewer, since a delivery may be late.
		fits := int((goodMessage-headBytes)/g.tickBytes) - 2
		d = min(d, g.tick*time.Duration(max(1, fits)))
	}
	return max(d, time.Duration(float64(n)/g.rate*float64(time.Second)))
}

// adjust is called once a second. It halves the rate if many posts were
// throttled, which is the account's limit and no slow client, and lets it
// recover bit by bit. It says whether that was so, and whether many posts
// failed, which is not the clients' fault either.
func (g *governor) adjust() (slower, many bool) {
	slower, many = isMany(g.throttled, g.posts), isMany(g.throttled+g.late, g.posts)
	if slower {
		g.rate = max(minRate, g.rate/2)
	} else {
		g.rate = min(g.limit, g.rate+g.limit*recovery)
	}
	g.posts, g.throttled, g.late = 0, 0, 0
	return slower, many
}

// isMany says whether n of all are too many to fail each by its own fault.
func isMany(n, all int) bool { return n >= 3 && n*10 >= all }
