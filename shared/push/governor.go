package push

import "time"

// governor says how often a client may get a message. The more clients, the
// rarer; while API Gateway throttles many of them, rarer still.
type governor struct {
	tick, delivery time.Duration
	limit          float64 // posts per second, at most
	rate           float64 // posts per second, now
	ticks          int     // since the first price, this one included
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
	if g.ticks == 0 && bytes == 0 {
		return
	}
	g.ticks++
	// All ticks of the first second weigh the same. The first one of an exchange
	// has all symbols, and for a while there is no other.
	weight := min(1, max(g.tick.Seconds(), 1/float64(g.ticks)))
	g.tickBytes += (float64(bytes) - g.tickBytes) * weight
}

// interval is the time between two messages to a client, when there are n
// clients. Many symbols make the interval shorter, so that its ticks fit a
// message. With too many clients for that, messages are larger instead.
func (g *governor) interval(n int) time.Duration {
	d := g.delivery
	// Two fewer, since a delivery may be late. While prices rest, this grows far
	// beyond what a duration can hold.
	fits := max(1, (goodMessage-headBytes)/g.tickBytes-2)
	if fits < float64(d)/float64(g.tick) {
		d = g.tick * time.Duration(fits)
	}
	return max(d, time.Duration(float64(n)/g.rate*float64(time.Second)))
}

// adjust is called once a second. It halves the rate if many posts were
// throttled, which is the account's limit and no slow client, and lets it
// recover bit by bit. It says whether that was so, and whether it or a
// majority that failed excuses the clients.
func (g *governor) adjust() (slower, many bool) {
	slower = isMany(g.throttled, g.posts)
	many = slower || isMost(g.throttled+g.late, g.posts)
	if slower {
		g.rate = max(minRate, g.rate/2)
	} else {
		g.rate = min(g.limit, g.rate+g.limit*recovery)
	}
	g.posts, g.throttled, g.late = 0, 0, 0
	return slower, many
}

// isMany says whether n of all are too many to be throttled each by its own fault.
func isMany(n, all int) bool { return n >= 3 && n*10 >= all }

// isMost says whether n of all are too many to fail each by its own fault: clients
// that have vanished may well be some of all, but hardly the most.
func isMost(n, all int) bool { return n >= 3 && n*2 >= all }
