package push

import (
	"time"

	"crypto-ticker/shared/market"
)

const (
	ringTime  = 6 * time.Second // of ticks are kept: what a slow client can catch up with
	minRing   = 16              // ticks
	maxRing   = 4096
	headBytes = 160 // more than what a ticker message has besides its entries

	// MaxSymbols is how many symbols there can be: a subscription is a bit set.
	MaxSymbols = 64
)

// ring keeps the recent ticks, encoded, and makes messages of them. It is not
// safe for concurrent use.
type ring struct {
	epoch  int64
	bits   map[string]int // symbol -> its place in masks
	ticks  []tick         // the tick seq is at seq % len
	last   int64          // the newest tick
	first  int64          // the oldest tick that there ever was
	latest []newest       // by symbol
	cache  map[cacheKey][]byte
}

// tick has the prices that moved together, as JSON, one after the other with
// commas between them.
type tick struct {
	data []byte
	ends []entryEnd
}

type entryEnd struct{ bit, end int }

// newest is the newest price of a symbol, as JSON, and its tick.
type newest struct {
	data []byte
	seq  int64
}

// cacheKey is what a message depends on, besides the newest tick.
type cacheKey struct {
	mask   uint64
	latest bool
	sent   int64
}

func newRing(epoch, seq int64, symbols []string, interval time.Duration) *ring {
	size := min(max(int(ringTime/interval), minRing), maxRing)
	r := &ring{
		epoch: epoch, bits: make(map[string]int, len(symbols)), ticks: make([]tick, size),
		last: seq, first: seq + 1, latest: make([]newest, len(symbols)), cache: map[cacheKey][]byte{},
	}
	for i, symbol := range symbols {
		r.bits[symbol] = i
	}
	return r
}

// mask returns the set of those symbols that are known.
func (r *ring) mask(symbols []string) (mask uint64) {
	for _, symbol := range symbols {
		if bit, ok := r.bits[symbol]; ok {
			mask |= 1 << bit
		}
	}
	return mask
}

// add appends a tick, which replaces the oldest one.
func (r *ring) add(quotes []market.Quote) {
	r.last++
	clear(r.cache)
	t := r.at(r.last)
	t.data, t.ends = t.data[:0], t.ends[:0]
	for _, q := range quotes {
		bit, ok := r.bits[q.Symbol]
		if !ok {
			continue
		}
		if len(t.data) > 0 {
			t.data = append(t.data, ',')
		}
		start := len(t.data)
		t.data = appendEntry(t.data, q)
		t.ends = append(t.ends, entryEnd{bit, len(t.data)})
		l := &r.latest[bit]
		l.data, l.seq = append(l.data[:0], t.data[start:]...), r.last
	}
}

func (r *ring) at(seq int64) *tick { return &r.ticks[seq%int64(len(r.ticks))] }

// message returns the message for a client that has got the tick sent, or nil if
// there is nothing new for it. The result is shared and must not be changed.
func (r *ring) message(mask uint64, latest bool, sent, interval int64) []byte {
	key := cacheKey{mask, latest, sent}
	body, ok := r.cache[key]
	if !ok {
		if latest {
			body = r.encodeLatest(mask, sent, interval)
		} else {
			body = r.encodeAll(mask, sent, interval)
		}
		r.cache[key] = body
	}
	return body
}

// encodeLatest has only the newest price of each symbol, if the client does not
// have it yet.
func (r *ring) encodeLatest(mask uint64, sent, interval int64) []byte {
	body := appendTickerHead(make([]byte, 0, headBytes+128*len(r.latest)), r.epoch, sent+1, r.last, interval)
	head := len(body)
	for bit, l := range r.latest {
		if mask&(1<<bit) != 0 && l.seq > sent && len(body)+len(l.data) < maxMessage {
			body = append(append(body, l.data...), ',')
		}
	}
	return finish(body, head)
}

// encodeAll has every tick after sent, but only the newest ones if they are more
// than the ring or a message can hold.
func (r *ring) encodeAll(mask uint64, sent, interval int64) []byte {
	oldest := max(sent+1, r.first, r.last-int64(len(r.ticks))+1)
	from, size := r.last+1, headBytes
	for from > oldest {
		more := r.at(from - 1).size(mask)
		if size+more > maxMessage {
			break
		}
		size += more
		from--
	}
	body := appendTickerHead(make([]byte, 0, size), r.epoch, from, r.last, interval)
	head := len(body)
	for seq := from; seq <= r.last; seq++ {
		body = r.at(seq).append(body, mask)
	}
	return finish(body, head)
}

// finish replaces the last comma by the end of the message. Without any entry
// there is no message.
func finish(body []byte, head int) []byte {
	if len(body) == head {
		return nil
	}
	return append(body[:len(body)-1], "]}"...)
}

// full says whether mask has all symbols of the tick.
func (t *tick) full(mask uint64) bool {
	for _, e := range t.ends {
		if mask&(1<<e.bit) == 0 {
			return false
		}
	}
	return true
}

// size is at least what append adds.
func (t *tick) size(mask uint64) int {
	size, start := 0, 0
	for _, e := range t.ends {
		if mask&(1<<e.bit) != 0 {
			size += e.end - start + 1
		}
		start = e.end + 1
	}
	return size
}

// append appends the entries of the symbols in mask, each with a comma after it.
func (t *tick) append(b []byte, mask uint64) []byte {
	if len(t.ends) > 0 && t.full(mask) {
		return append(append(b, t.data...), ',')
	}
	start := 0
	for _, e := range t.ends {
		if mask&(1<<e.bit) != 0 {
			b = append(append(b, t.data[start:e.end]...), ',')
		}
		start = e.end + 1
	}
	return b
}
